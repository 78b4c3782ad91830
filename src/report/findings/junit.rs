//! A report as `JUnit`'s XML, as Jenkins, GitLab and others read it: a test for each file.
//!
//! It holds no time and no host: the same files give the same report.

use super::{FileReport, Report, Severity, Style, Told, common};
use crate::check::rules::Rules;
use crate::model::finding::Finding;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

/// One suite. A file with errors or warnings has failed; what would merely wait is its output.
pub fn junit(report: &Report, style: &Style<'_>, rules: &Rules) -> String {
    let mut suite = TestSuite::new("vardbro check");
    suite.add_test_cases(report.files.iter().map(|file| case(file, style, rules)));
    if report.untold > 0 {
        let text = if style.swedish { "till som inte visas" } else { "more that are not shown" };
        suite.set_system_out(format!("… {} {text}", report.untold));
    }
    let mut whole = quick_junit::Report::new("vardbro check");
    whole.add_test_suite(suite);
    // Writing to memory does not fail. The library counts what was skipped at the root too; Jenkins's schema refuses that there.
    whole.to_string().unwrap_or_default().replacen(" skipped=\"0\"", "", 1)
}

fn case(file: &FileReport, style: &Style<'_>, rules: &Rules) -> TestCase {
    let name = common::relative(&file.file);
    let (folder, base) = name.rsplit_once('/').unwrap_or((".", name));
    // An attribute holds no line breaks.
    let attribute = |text: &str| xml(text).replace(['\n', '\r', '\t'], " ");
    let (notes, faults): (Vec<&Told>, Vec<&Told>) = file.findings.iter().partition(|told| told.severity == Severity::Note);
    let mut case = TestCase::new(attribute(base), status(name, &faults, style, rules));
    case.set_classname(attribute(folder));
    if !notes.is_empty() {
        case.set_system_out(xml(&listed(name, &notes, style)));
    }
    case
}

fn status(name: &str, faults: &[&Told], style: &Style<'_>, rules: &Rules) -> TestCaseStatus {
    let Some(first) = faults.first() else { return TestCaseStatus::success() };
    let more = match (faults.len() - 1, style.swedish) {
        (0, _) => String::new(),
        (more, true) => format!(" (och {more} till)"),
        (more, false) => format!(" (and {more} more)"),
    };
    let mut pages: Vec<String> = faults.iter().filter_map(|told| style.page(&told.finding.code, &rules.name)).collect();
    pages.sort_unstable();
    pages.dedup();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(xml(&first.finding.code));
    status.set_message(xml(&format!("{}{more}", common::sentence(&first.finding, style))));
    status.set_description(xml(&pages.iter().fold(listed(name, faults, style), |text, page| text + page + "\n")));
    status
}

/// As a person reads them, with place and remedy.
fn listed(name: &str, told: &[&Told], style: &Style<'_>) -> String {
    let findings: Vec<Finding> = told.iter().map(|told| told.finding.clone()).collect();
    super::plain(name, &findings, style.swedish)
}

/// Two characters that XML cannot hold; the library takes the others out.
fn xml(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
