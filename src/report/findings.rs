//! Findings as text and as JSON.

use crate::model::finding::{Effect, Finding};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Findings of one file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// As the user named it.
    pub file: String,
    pub findings: Vec<Finding>,
}

/// Whether a finding fails a check. What withholds or holds is no fault of the file: it tells what would happen to it.
pub fn is_error(finding: &Finding) -> bool {
    finding.effect == Effect::Refuse
}

/// A line a finding, with its remedy below, and a summary.
pub fn text(reports: &[FileReport], swedish: bool) -> String {
    let mut out = String::new();
    for report in reports {
        for finding in &report.findings {
            let place = finding.place.map_or(String::new(), |place| format!(":{}:{}", place.line, place.column));
            let row = finding.mapping.map_or(String::new(), |line| format!(" @{line}"));
            let path = finding.path.as_ref().map_or(String::new(), |path| format!(" [{path}]"));
            let (says, remedy) = if swedish { (&finding.sv, &finding.remedy_sv) } else { (&finding.en, &finding.remedy_en) };
            let _ = writeln!(out, "{}{place}{row}: {} {}{path} {says}\n    → {remedy}", report.file, word(finding, swedish), finding.code);
        }
    }
    let errors = count(reports, is_error);
    let remarks = count(reports, |finding| !is_error(finding));
    let files = reports.len();
    let _ = if swedish {
        writeln!(out, "{files} filer, {errors} fel, {remarks} anmärkningar")
    } else {
        writeln!(out, "{files} files, {errors} errors, {remarks} remarks")
    };
    out
}

/// One array, one object a finding.
pub fn json(reports: &[FileReport]) -> String {
    let rows: Vec<Value> = reports
        .iter()
        .flat_map(|report| {
            report.findings.iter().map(|finding| {
                let mut row = serde_json::to_value(finding).unwrap_or(Value::Null);
                row["file"] = json!(report.file);
                row["error"] = json!(is_error(finding));
                row
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(rows))
}

fn count(reports: &[FileReport], wanted: impl Fn(&Finding) -> bool) -> usize {
    reports.iter().flat_map(|report| &report.findings).filter(|finding| wanted(finding)).count()
}

fn word(finding: &Finding, swedish: bool) -> &'static str {
    match (finding.effect, swedish) {
        (Effect::Refuse, true) => "fel",
        (Effect::Refuse, false) => "error",
        (Effect::Withhold, true) => "hålls tillbaka",
        (Effect::Withhold, false) => "withheld",
        (Effect::Hold, true) => "väntar på en människa",
        (Effect::Hold, false) => "held",
        (Effect::Deviation, true) => "avvikelse",
        (Effect::Deviation, false) => "deviation",
        (Effect::Warn, true) => "varning",
        (Effect::Warn, false) => "warning",
    }
}
