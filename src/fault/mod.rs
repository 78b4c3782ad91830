//! Every code that the product can give, with its texts and remedies in Swedish and English, in one list.
//!
//! Codes are forever: never renumbered, never reused.

mod codes;

pub use codes::Code;

use crate::model::finding::{Effect, Finding, Layer, Place};
use std::fmt;

/// Who has to do something about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The source system or its mapping.
    Sender,
    /// Whoever runs the program.
    Operator,
    /// Nobody: it is tried again by itself.
    Retry,
    /// Us.
    Bug,
}

/// One entry of the list.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub code: Code,
    pub id: &'static str,
    pub remedy: Remedy,
    /// First version that gave it.
    pub since: &'static str,
    pub sv: &'static str,
    pub en: &'static str,
    pub do_sv: &'static str,
    pub do_en: &'static str,
}

/// A failure of the program's surroundings: what, and where. The detail is for a person at the terminal and never holds
/// anything from a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub code: Code,
    /// A configuration key, a path of the installation, a line of a file of ours.
    pub detail: Option<String>,
}

impl Fault {
    pub fn new(code: Code) -> Self {
        Self { code, detail: None }
    }

    pub fn with(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: Some(detail.into()) }
    }

    /// For a person: code, what, where, what to do.
    pub fn text(&self, swedish: bool) -> String {
        let entry = self.code.entry();
        let (title, remedy) = if swedish { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
        let detail = self.detail.as_ref().map_or(String::new(), |detail| format!("\n  {detail}"));
        format!("{}: {title}{detail}\n  → {remedy}", entry.id)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

impl std::error::Error for Fault {}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

/// One fault where several may come.
impl From<Fault> for Vec<Fault> {
    fn from(fault: Fault) -> Self {
        vec![fault]
    }
}

impl Code {
    pub fn entry(self) -> &'static Entry {
        // ALL and the enum come from one list, in one order.
        &Self::ALL[self as usize]
    }

    /// The printed form, `VB-SRC-001`.
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.id.eq_ignore_ascii_case(id)).map(|entry| entry.code)
    }

    /// A finding of this code. `detail` comes from our own tables (allowed values, limits), in both languages.
    pub fn finding(self, effect: Effect, layer: Layer, detail: Option<(String, String)>) -> Finding {
        let entry = self.entry();
        let (sv, en) = match detail {
            Some((sv, en)) => (format!("{}: {sv}", entry.sv), format!("{}: {en}", entry.en)),
            None => (entry.sv.to_owned(), entry.en.to_owned()),
        };
        Finding {
            code: entry.id.to_owned(),
            effect,
            layer,
            path: None,
            place: None,
            mapping: None,
            sv,
            en,
            remedy_sv: entry.do_sv.to_owned(),
            remedy_en: entry.do_en.to_owned(),
            owner: Vec::new(),
        }
    }
}

/// Puts path and place on a finding.
pub fn at(mut finding: Finding, path: Option<String>, place: Option<Place>) -> Finding {
    finding.path = path;
    finding.place = place;
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted_within_their_family_and_every_text_is_there() {
        for (place, entry) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL[..place].iter().all(|other| other.id != entry.id), "{} twice", entry.id);
            assert_eq!(Code::parse(entry.id), Some(entry.code));
            for text in [entry.sv, entry.en, entry.do_sv, entry.do_en] {
                assert!(!text.is_empty(), "{} lacks a text", entry.id);
            }
        }
    }
}
