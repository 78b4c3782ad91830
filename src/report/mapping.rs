//! How a mapping made its events, as text and as JSON. Values only where they are asked for.

use super::findings::plain;
use crate::map::{Explained, ExplainedEvent, ExplainedRow};
use crate::model::finding::Finding;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Whether nothing is wrong with a record.
pub fn is_clean(record: &Explained) -> bool {
    record.findings.is_empty() && record.events.iter().all(|event| event.findings.is_empty())
}

/// A table of rows for each event, and the findings below.
pub fn text(records: &[Explained], file: &str, mapping: &str, values: bool, swedish: bool) -> String {
    let mut out = format!("{mapping}\n");
    let mut findings: Vec<Finding> = Vec::new();
    for record in records {
        if record.skipped {
            let word = if swedish { "förbigås" } else { "is passed over" };
            let _ = writeln!(out, "\n{file}:{}  {word}", record.place.line);
        }
        for event in &record.events {
            let line = if swedish { "mappningens rad" } else { "line of the mapping" };
            let _ = writeln!(out, "\n{file}:{}  {}  {line} {}", record.place.line, event.kind.code(), event.line);
            table(&mut out, event, values, swedish);
            findings.extend(event.findings.clone());
        }
        findings.extend(record.findings.clone());
    }
    let _ = writeln!(out);
    out.push_str(&plain(file, &findings, swedish));
    out
}

fn table(out: &mut String, event: &ExplainedEvent, values: bool, swedish: bool) {
    let wide = event.rows.iter().map(|row| row.trace.path.chars().count()).max().unwrap_or(0);
    for row in &event.rows {
        let place = row.place.map_or_else(|| "–".to_owned(), |place| format!("{}:{}", place.line, place.column));
        let how = how(row, swedish);
        let shown = if values { shown(row).map_or_else(String::new, |value| format!("  {value:?}")) } else { String::new() };
        let line = format!("  {:wide$}  {place:>8}  @{:<4} {how}{shown}", row.trace.path, row.trace.line);
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let (true, Some(json)) = (values, event_json(event)) {
        let _ = writeln!(out, "{json:#}");
    }
}

fn how(row: &ExplainedRow, swedish: bool) -> String {
    let how = match (row.trace.how, swedish) {
        ("path", true) => "väg",
        ("constant", true) => "konstant",
        ("expression", true) => "uttryck",
        ("default", true) => "standardvärde",
        ("absent", true) => "saknas",
        ("not asked for", true) => "villkoret gäller inte",
        ("fault", true) => "FEL",
        ("fault", false) => "FAULT",
        (how, _) => how,
    };
    if row.trace.through.is_empty() { how.to_owned() } else { format!("{how} → {}", row.trace.through) }
}

/// One object a record.
pub fn json(records: &[Explained], mapping: &str, values: bool) -> String {
    let row = |row: &ExplainedRow| {
        let mut told = json!({
            "path": row.trace.path, "mapping": row.trace.line, "place": row.place, "how": row.trace.how, "through": row.trace.through,
        });
        if values {
            told["value"] = json!(shown(row));
        }
        told
    };
    let event = |event: &ExplainedEvent| {
        let rows: Vec<Value> = event.rows.iter().map(row).collect();
        let mut told = json!({"type": event.kind, "mapping": event.line, "rows": rows, "findings": event.findings});
        if values {
            told["event"] = json!(event_json(event));
        }
        told
    };
    let record = |record: &Explained| {
        let events: Vec<Value> = record.events.iter().map(event).collect();
        json!({"place": record.place, "skipped": record.skipped, "events": events, "findings": record.findings})
    };
    let records: Vec<Value> = records.iter().map(record).collect();
    format!("{:#}\n", json!({"mapping": mapping, "records": records}))
}

#[expect(clippy::disallowed_methods, reason = "shown to the person who asked for values")]
fn shown(row: &ExplainedRow) -> Option<String> {
    row.trace.value.as_ref().map(|value| value.disclose().clone())
}

#[expect(clippy::disallowed_methods, reason = "shown to the person who asked for values")]
fn event_json(event: &ExplainedEvent) -> Option<Value> {
    serde_json::from_slice(event.json.as_ref()?.disclose()).ok()
}
