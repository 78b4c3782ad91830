//! A report as SARIF 2.1.0, as code scanning reads it.

use super::common::{self, Fingerprints};
use super::{Meaning, Report, Severity, Style, Told, meaning};
use crate::check::rules::Rules;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What stands in a path as it is. Not the colon: before it would stand a scheme.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One run, which describes the codes that it uses. Values of records are not in it.
pub fn sarif(report: &Report, style: &Style<'_>, rules: &Rules) -> String {
    let used = used(report, style);
    let index: BTreeMap<&str, usize> = used.keys().enumerate().map(|(index, code)| (*code, index)).collect();
    let mut fingerprints = Fingerprints::default();
    let results: Vec<Value> = common::all(report, style)
        .map(|(file, told)| result(file, told, &fingerprints.of(file, &told.finding), index.get(told.finding.code.as_str()), style))
        .collect();
    let mut driver = json!({
        "name": "vardbro",
        "fullName": "Vårdbro check",
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "language": if style.swedish { "sv" } else { "en" },
        "rules": used.values().map(|told| descriptor(told, style, rules)).collect::<Vec<_>>(),
    });
    if let Some(docs) = style.docs.filter(|docs| absolute(docs)) {
        driver["informationUri"] = json!(docs);
    }
    let mut run = json!({
        "tool": {"driver": driver},
        "language": if style.swedish { "sv" } else { "en" },
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    if report.untold > 0 {
        run["invocations"] = json!([{"executionSuccessful": true, "toolExecutionNotifications": [untold(report.untold, style)]}]);
    }
    format!("{:#}\n", json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}))
}

/// Each code once, with its gravest finding, in the order of their names.
fn used<'r>(report: &'r Report, style: &Style<'_>) -> BTreeMap<&'r str, &'r Told> {
    let mut used: BTreeMap<&str, &Told> = BTreeMap::new();
    for (_, told) in common::all(report, style) {
        let known = used.entry(&told.finding.code).or_insert(told);
        if told.severity < known.severity {
            *known = told;
        }
    }
    used
}

fn descriptor(told: &Told, style: &Style<'_>, rules: &Rules) -> Value {
    let finding = &told.finding;
    // A code that is not in the lists says of itself what it means.
    let Meaning { title, remedy } = meaning(&finding.code, rules, style.swedish).unwrap_or_else(|| {
        let (says, remedy) = style.says(finding);
        Meaning { title: says.to_owned(), remedy: remedy.to_owned() }
    });
    let title = common::closed(&title);
    let page = style.page(&finding.code, &rules.name);
    let link = page.as_ref().map_or(String::new(), |page| format!("\n\n[{}]({page})", finding.code));
    let mut descriptor = json!({
        "id": finding.code,
        "shortDescription": {"text": title},
        "fullDescription": {"text": format!("{title} {remedy}")},
        "help": {"text": remedy, "markdown": format!("{remedy}{link}")},
        "defaultConfiguration": {"level": level(told.severity)},
        "properties": {"layer": finding.layer.code(), "tags": [finding.layer.code()]},
    });
    if let Some(page) = page.filter(|page| absolute(page)) {
        descriptor["helpUri"] = json!(page);
    }
    descriptor
}

fn result(file: &str, told: &Told, fingerprint: &str, index: Option<&usize>, style: &Style<'_>) -> Value {
    let finding = &told.finding;
    let mut region = json!({"startLine": common::line(finding)});
    if let Some(place) = finding.place {
        region["startColumn"] = json!(place.column.max(1));
    }
    let mut location = json!({"physicalLocation": {"artifactLocation": {"uri": uri(file)}, "region": region}});
    if let Some(path) = &finding.path {
        location["logicalLocations"] = json!([{"fullyQualifiedName": path}]);
    }
    let mut result = json!({
        "ruleId": finding.code,
        "level": level(told.severity),
        "message": {"text": common::told(finding, style)},
        "locations": [location],
        "partialFingerprints": {"vardbro/v1": fingerprint},
        "properties": {"effect": finding.effect.code(), "layer": finding.layer.code()},
    });
    if let Some(index) = index {
        result["ruleIndex"] = json!(index);
    }
    if let Some(row) = finding.mapping {
        result["properties"]["mapping"] = json!(row);
    }
    result
}

fn untold(count: usize, style: &Style<'_>) -> Value {
    let text = if style.swedish { format!("{count} fynd till visas inte.") } else { format!("{count} more findings are not shown.") };
    json!({"level": "warning", "message": {"text": text}})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A reference from the root of the project; of a path from the root of the machine, an address.
fn uri(file: &str) -> String {
    let path = utf8_percent_encode(file, PATH);
    if file.starts_with('/') { format!("file://{path}") } else { path.to_string() }
}

fn absolute(uri: &str) -> bool {
    uri.starts_with("https://") || uri.starts_with("http://")
}
