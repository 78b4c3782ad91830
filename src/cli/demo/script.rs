//! The stories: files, what must become of each, and how the receiver misbehaves.

use super::super::Ending;
use crate::fault::{Code, Fault};
use serde::Deserialize;

macro_rules! stories {
    ($($file:literal),+ $(,)?) => {
        const FILES: &[(&str, &str)] = &[$(($file, include_str!(concat!("../../../fixtures/demo/", $file)))),+];
    };
}

stories![
    "01-r-in.json",
    "02-k-pu.json",
    "03-r-in.json",
    "04-k-cl.json",
    "05-k-ht.json",
    "06-k-cl.json",
    "07-k-pu.json",
    "08-r-in.json",
    "09-k-pu.json",
    "10-r-in.json",
    "11-k-pu.json",
];
const SCRIPT: &str = include_str!("../../../fixtures/demo/demo.toml");

/// The play.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) events: Vec<Event>,
    answers: toml::value::Array,
}

/// One file of the play.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) file: String,
    pub(super) title: Title,
    /// `accepted` or `rejected`.
    pub(super) verdict: String,
    /// Final state of its message; none for events of the region's.
    pub(super) end: Option<String>,
    /// What must be seen on the way: withheld, released, resent, lost-answer.
    pub(super) shows: Vec<String>,
    pub(super) content: &'static str,
}

#[derive(Debug, Deserialize)]
pub(super) struct Title {
    pub(super) sv: String,
    pub(super) en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    event: Vec<RawEvent>,
    answer: toml::value::Array,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    file: String,
    title: Title,
    verdict: String,
    end: Option<String>,
    #[serde(default)]
    shows: Vec<String>,
}

impl Script {
    pub(super) fn shipped() -> Result<Self, Ending> {
        let broken = || Ending::Internal(Fault::with(Code::BugPanic, "fixtures/demo"));
        let raw: Raw = toml::from_str(SCRIPT).map_err(|_| broken())?;
        let with_content = |raw: RawEvent| {
            let content = FILES.iter().find(|(name, _)| *name == raw.file)?.1;
            Some(Event { file: raw.file, title: raw.title, verdict: raw.verdict, end: raw.end, shows: raw.shows, content })
        };
        let events = raw.event.into_iter().map(with_content).collect::<Option<Vec<_>>>().ok_or_else(broken)?;
        Ok(Self { events, answers: raw.answer })
    }

    /// The receiver's script, in its own format.
    pub(super) fn answers(&self) -> String {
        let table: toml::Table = [("answer".to_owned(), toml::Value::Array(self.answers.clone()))].into_iter().collect();
        table.to_string()
    }
}
