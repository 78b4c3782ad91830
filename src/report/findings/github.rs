//! A report as workflow commands, which GitHub shows as annotations of a change.
//!
//! GitHub shows ten of a kind for each step; the gravest come first.

use super::{FileReport, Report, Severity, Style, common};
use crate::check::rules::Rules;
use std::fmt::Write as _;

/// A line for each finding, gravest first, and a summary.
pub fn github(report: &Report, style: &Style<'_>, rules: &Rules) -> String {
    let mut told: Vec<_> = common::all(report, style).collect();
    told.sort_by_key(|(_, told)| told.severity);
    let mut out = String::new();
    for (file, told) in told {
        let finding = &told.finding;
        let kind = match told.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let _ = write!(out, "::{kind} title={}", property(&finding.code));
        // What came by standard input is no file of the repository.
        if file != "-" {
            let _ = write!(out, ",file={},line={}", property(file), common::line(finding));
            if let Some(place) = finding.place {
                let _ = write!(out, ",col={}", place.column);
            }
        }
        let page = style.page(&finding.code, &rules.name).map_or(String::new(), |page| format!("\n{page}"));
        let text = format!("{}\n{}{page}", common::sentence(finding, style), style.says(finding).1);
        let _ = writeln!(out, "::{}", data(&text));
    }
    out.push_str(&summary(report, style));
    out
}

/// The summary of the form for people, of the same figures.
fn summary(report: &Report, style: &Style<'_>) -> String {
    let bare = Report { files: vec![FileReport::default(); report.files.len()], ..*report };
    super::text(&bare, &Style { colour: false, ..*style }, "")
}

/// The message of a command. Escaping, and the order of properties, are those of GitHub's own `@actions/core`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
