//! A report as GitLab's Code Quality: the fields of Code Climate's issues that it reads, and what else they must have.

use super::common::{self, Fingerprints};
use super::{Report, Severity, Style};
use crate::check::rules::Rules;
use serde_json::{Value, json};

/// A list with an object for each finding. What is beyond the bound of the report cannot be said in it.
pub fn gitlab(report: &Report, style: &Style<'_>, rules: &Rules) -> String {
    let mut fingerprints = Fingerprints::default();
    let issue = |(file, told): (&str, &super::Told)| -> Value {
        let finding = &told.finding;
        let page = style.page(&finding.code, &rules.name).map_or(String::new(), |page| format!("\n\n{page}"));
        json!({
            "type": "issue",
            "check_name": finding.code,
            "description": one_line(&format!("{}: {}", finding.code, common::told(finding, style))),
            "content": {"body": format!("{}{page}", style.says(finding).1)},
            "categories": ["Bug Risk"],
            "severity": severity(told.severity),
            "fingerprint": fingerprints.of(file, finding),
            "location": {"path": file, "lines": {"begin": common::line(finding), "end": common::line(finding)}},
        })
    };
    let issues: Vec<Value> = common::all(report, style).map(issue).collect();
    format!("{:#}\n", Value::Array(issues))
}

/// `critical` and `blocker` are left to those who check more than files.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "major",
        Severity::Warning => "minor",
        Severity::Note => "info",
    }
}

fn one_line(text: &str) -> String {
    text.split(['\r', '\n']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
