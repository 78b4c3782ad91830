//! Where events come from. A source hands whole records to intake through a port, settles them once intake says that
//! they are durable, and hears every later change of fate.

pub mod amqp;
mod broker;
pub mod directory;
pub mod sql;
pub mod nats;
pub mod http;

use crate::fault::Code;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, RawEvent, Verdict};
use serde_json::json;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Something that events come from. It runs on a thread of its own.
pub trait Source: Send {
    fn name(&self) -> &Name;

    /// Takes what is ready, one batch, and settles it once what became of it is durable. True where there may be more at once.
    /// A source that is told when something comes may wait for it here, a second at most.
    fn round(&mut self, intake: &mut dyn Intake, report: &mut dyn Report) -> Result<bool, Unavailable>;

    /// How long until something that it has seen may be ready; none where it only waits to be woken.
    fn pause(&self) -> Option<Duration>;

    /// A folder whose changes wake it.
    fn watched(&self) -> Option<Watched<'_>> {
        None
    }
}

/// A folder to be watched.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    pub folder: &'a Path,
    /// The folders in it as well.
    pub below: bool,
}

/// Tells a source's system what became of an event, each time that changes. It runs apart from the source itself.
pub trait Teller: Send {
    /// What cannot be told now is told again later.
    fn tell(&mut self, news: &News) -> io::Result<()>;
}

/// What became of an event.
#[derive(Debug)]
pub struct News {
    /// Under what the source gave it.
    pub origin: Personal<String>,
    /// The source's own id.
    pub event_id: Option<Personal<String>>,
    /// The outcome as JSON: ids, states and our own words.
    pub outcome: String,
}

/// Hands documents to intake and waits until what becomes of their records is durable; an answer a record, in their order.
/// An error means that not all of it was stored, and the same documents shall be handed in again.
pub trait Intake: Send {
    fn submit(&mut self, batch: Vec<RawEvent>) -> Result<Vec<Vec<Answer>>, Unavailable>;
}

/// Intake cannot take anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// Tells the operator that a source has trouble.
pub trait Report: Send {
    fn trouble(&mut self, code: Code);
}

/// Of a batch, which of its records were refused; the others are taken, and are known again if the file is laid in anew.
fn reason_text(answers: &[Answer]) -> String {
    let rejected = |answer: &Answer| match &answer.verdict {
        Verdict::Rejected(findings) => Some((answer.place, findings.clone())),
        _ => None,
    };
    let rejected: Vec<_> = answers.iter().filter_map(rejected).collect();
    let reason = if let [(None, findings)] = &rejected[..] {
        json!({"verdict": "rejected", "findings": findings})
    } else {
        let records = rejected.iter().map(|(place, findings)| json!({"line": place.map(|place| place.line), "findings": findings}));
        let taken = answers.len() - rejected.len();
        let verdict = if taken > 0 { "partly" } else { "rejected" };
        json!({"verdict": verdict, "taken": taken, "records": records.collect::<Vec<_>>()})
    };
    format!("{reason:#}\n")
}
