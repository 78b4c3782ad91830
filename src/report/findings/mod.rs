//! What a check found, in every form in which people and machines read it.
//!
//! A [`Report`] is put together elsewhere; here it is only written. No form adds a fact, and none shows a value of a record
//! but in an [`Excerpt`], which says itself what may stand in it.

mod common;
mod github;
mod gitlab;
mod json;
mod junit;
mod sarif;
mod text;

pub use github::github;
pub use gitlab::gitlab;
pub use json::{json, schema};
pub use junit::junit;
pub use sarif::sarif;
pub use text::{list, plain, text};

use crate::check::rules::Rules;
use crate::fault::Code;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::shape::codes;

codes! {
    /// How much a finding weighs in a check, gravest first.
    Severity {
        Error = "error": "fel", "error";
        Warning = "warning": "varning", "warning";
        Note = "note": "upplysning", "note";
    }
}

impl Severity {
    /// What refuses is wrong with the file. What withholds or deviates depends on other events of the episode, and a file alone
    /// does not have them: it tells what would happen.
    pub fn of(finding: &Finding) -> Self {
        match finding.effect {
            Effect::Refuse => Self::Error,
            Effect::Warn | Effect::Hold => Self::Warning,
            Effect::Withhold | Effect::Deviation => Self::Note,
        }
    }
}

/// The line of the source that a finding points at. Values in it are covered, unless they were asked for and the file is
/// about test persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    pub line: String,
    /// Where in `line` the finding points, in characters from 0.
    pub start: usize,
    /// How many characters it points at, 1 at least.
    pub width: usize,
}

/// Whether a letter does something to a terminal, or turns the direction in which a line is read.
pub fn commands(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One finding with what is shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub finding: Finding,
    pub severity: Severity,
    pub excerpt: Option<Excerpt>,
}

/// What was found in one file.
#[derive(Debug, Clone, Default)]
pub struct FileReport {
    /// As the user named it, `/` between folders. `-` is standard input.
    pub file: String,
    /// Most useful first.
    pub findings: Vec<Told>,
    /// Of a story: the lines that differ, where values were asked for.
    pub shown: String,
}

impl FileReport {
    /// The findings of a file, sorted: what hides the rest comes first, then what weighs most, then by place.
    pub fn new(file: String, mut findings: Vec<Told>) -> Self {
        findings.sort_by(|one, other| {
            let key =
                |told: &Told| (told.severity, told.finding.layer != Layer::Syntax, told.finding.place, layer_order(told.finding.layer));
            key(one).cmp(&key(other)).then_with(|| one.finding.code.cmp(&other.finding.code))
        });
        Self { file, findings, shown: String::new() }
    }
}

fn layer_order(layer: Layer) -> usize {
    Layer::VALUES.iter().position(|value| value.code == layer.code()).unwrap_or(usize::MAX)
}

/// What a whole check found. Files stand in the order of their names, whatever the order in which they were looked at.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub files: Vec<FileReport>,
    /// Stories that were replayed, as folders. Their findings stand in `files`.
    pub stories: usize,
    /// Records that were read in all files.
    pub records: usize,
    /// Findings beyond the bound: counted in `totals`, not told.
    pub untold: usize,
    pub totals: Totals,
}

/// How many findings there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
}

impl Totals {
    pub fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style<'a> {
    pub swedish: bool,
    /// Colours of a terminal, in text.
    pub colour: bool,
    /// Notes too, in text. Other forms have them always.
    pub notes: bool,
    /// Where the reference pages lie, as the beginning of a link; without it none are linked to.
    pub docs: Option<&'a str>,
}

impl Style<'_> {
    /// The page of a code or a rule.
    pub fn page(&self, code: &str, rules: &str) -> Option<String> {
        let docs = self.docs?.trim_end_matches('/');
        let anchor = code.to_lowercase();
        Some(match Code::parse(code) {
            Some(_) => format!("{docs}/codes.md#{anchor}"),
            None => format!("{docs}/rules/{}.md#{anchor}", rules.replace('/', "-")),
        })
    }

    pub fn says<'f>(&self, finding: &'f Finding) -> (&'f str, &'f str) {
        if self.swedish { (&finding.sv, &finding.remedy_sv) } else { (&finding.en, &finding.remedy_en) }
    }
}

/// What a code means, for formats that describe the codes they use once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    pub title: String,
    pub remedy: String,
}

/// The meaning of a code of ours or of a rule of the set.
pub fn meaning(code: &str, rules: &Rules, swedish: bool) -> Option<Meaning> {
    if let Some(code) = Code::parse(code) {
        let entry = code.entry();
        let (title, remedy) = if swedish { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
        return Some(Meaning { title: title.to_owned(), remedy: remedy.to_owned() });
    }
    let rule = rules.rule(code)?;
    let (title, remedy) = if swedish { (&rule.page.what.sv, &rule.remedy.sv) } else { (&rule.page.what.en, &rule.remedy.en) };
    Some(Meaning { title: title.clone(), remedy: remedy.clone() })
}

#[cfg(test)]
mod tests;
