//! The queue, and one message's whole story.

use super::line_text;
use crate::model::catalogue::EventType;
use crate::model::finding::Finding;
use crate::model::keyed::Domain;
use crate::model::personal::Personal;
use crate::model::time::stockholm;
use crate::store::{AttemptRow, DeliveryRow, Filter, Store, StoreFault};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What a name on the command line led to.
#[derive(Debug)]
pub enum Found {
    Nothing,
    /// It was there once: nothing but the memory of it is left.
    Purged,
    One(Box<DeliveryRow>),
    /// Several: more of the id, or `@destination`, is needed.
    Several(Vec<DeliveryRow>),
}

/// Finds a delivery by message id, by a unique beginning of one (8 or more), or by `system:eventId`; `@destination`
/// picks one of several.
pub fn find(store: &Store, wanted: &str) -> Result<Found, StoreFault> {
    let (name, destination) = wanted.rsplit_once('@').map_or((wanted, None), |(name, destination)| (name, Some(destination)));
    let hex = name.len() >= 8 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let mut rows = if hex {
        store.deliveries(&Filter { message: Some(name.to_lowercase()), limit: 50, ..Filter::default() })?
    } else if let Some((system, event)) = name.split_once(':') {
        let parts = [&Personal::new(system.to_owned()), &Personal::new(event.to_owned())];
        let key = store.reference_key().reference(Domain::Event, &parts);
        let rows = store.deliveries_of_event(&key)?;
        if rows.is_empty() && store.is_purged(&key)? {
            return Ok(Found::Purged);
        }
        rows
    } else {
        Vec::new()
    };
    if let Some(destination) = destination {
        rows.retain(|row| row.destination == destination);
    }
    Ok(match rows.len() {
        0 => Found::Nothing,
        1 => Found::One(Box::new(rows.remove(0))),
        _ => Found::Several(rows),
    })
}

/// One line a delivery.
pub fn list(rows: &[DeliveryRow], swedish: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let (sv, en) = row.state.texts();
        let code = row.code.as_deref().unwrap_or("");
        let said = if swedish { sv } else { en };
        let _ = writeln!(
            out,
            "{}  {}  {:<5} v{}  {:<12}  {:<22} {said}  {code}",
            local(row.created_at),
            row.message.get(..8).unwrap_or(&row.message),
            row.kind,
            row.version,
            row.destination,
            row.state.code(),
        );
    }
    out
}

/// Event, findings, attempts, receipts, state, and the journal's lines.
pub fn show(store: &Store, row: &DeliveryRow, swedish: bool, as_json: bool) -> Result<String, StoreFault> {
    let event = store.event(row.event)?;
    let attempts = store.attempts(row.id)?;
    let journal = store.journal(&Filter { message: Some(row.message.clone()), limit: 500, ..Filter::default() })?;
    if as_json {
        let tries: Vec<Value> = attempts.iter().map(attempt_json).collect();
        let lines: Vec<Value> = journal.iter().filter_map(|line| serde_json::from_str(&line.line).ok()).collect();
        return Ok(format!(
            "{:#}\n",
            json!({
                "messageId": row.message, "type": row.kind, "version": row.version, "destination": row.destination, "episodeId": row.episode,
                "state": row.state, "sequenceNumber": row.sequence, "rules": row.rules, "findings": row.findings,
                "contentHash": row.content_hash.as_deref().map(hex), "eventRef": event.as_ref().map(|event| &event.key),
                "source": event.as_ref().map(|event| &event.source), "mapping": event.as_ref().map(|event| &event.mapping), "attempts": tries, "journal": lines,
                "purgedAt": row.purged_at.map(|at| at.to_string()),
            })
        ));
    }
    let pick = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
    let mut out = String::new();
    let kind = EventType::parse(&row.kind).map_or("", |kind| if swedish { kind.row().sv } else { kind.row().en });
    let (state_sv, state_en) = row.state.texts();
    let _ = writeln!(out, "{}  {} {kind}  v{} → {}", row.message, row.kind, row.version, row.destination);
    let _ = writeln!(out, "{}: {} ({})", pick("Tillstånd", "State"), row.state.code(), pick(state_sv, state_en));
    if let Some(event) = event {
        let (source, happened, came) = (pick("Källa", "Source"), pick("hände", "happened"), pick("kom in", "came in"));
        let _ = writeln!(out, "{source}: {}, {happened} {}, {came} {}", event.source, local(event.occurred_at), local(event.received_at));
        let _ = writeln!(out, "{}: {}   {}: {}", pick("Händelse", "Event"), event.key, pick("Ärende", "Episode"), event.episode);
        if event.mapping != "canonical" {
            let _ = writeln!(out, "{}: {}", pick("Mappning", "Mapping"), event.mapping);
        }
    }
    if let (Some(sequence), Some(hash)) = (row.sequence, &row.content_hash) {
        let _ = writeln!(out, "{} {sequence}   SHA-256 {}   {}", pick("Nummer", "Number"), hex(hash), row.rules);
    }
    for finding in &row.findings {
        out.push_str(&finding_text(finding, swedish));
    }
    if let Some(at) = row.purged_at {
        let _ = writeln!(out, "{} {}", pick("Innehållet är gallrat", "The content was purged"), local(at));
    }
    if !attempts.is_empty() {
        let _ = writeln!(out, "{}:", pick("Försök", "Attempts"));
    }
    for attempt in &attempts {
        let status = attempt.http_status.map_or(String::new(), |status| format!("  HTTP {status}"));
        let code = attempt.code.as_deref().unwrap_or("");
        let receipt = if attempt.receipt.is_some() { pick("  kvitto sparat", "  receipt kept") } else { "" };
        let _ = writeln!(
            out,
            "  {}  #{}  {} ms{status}  {}  {code}{receipt}",
            local(attempt.started_at),
            attempt.n,
            attempt.duration_ms,
            attempt.answer
        );
    }
    let _ = writeln!(out, "{}:", pick("Journal", "Journal"));
    for line in &journal {
        let _ = writeln!(out, "  {}", line_text(&line.line, swedish));
    }
    Ok(out)
}

fn finding_text(finding: &Finding, swedish: bool) -> String {
    let (says, remedy) = if swedish { (&finding.sv, &finding.remedy_sv) } else { (&finding.en, &finding.remedy_en) };
    format!("  {} {says}\n      → {remedy}\n", finding.code)
}

fn attempt_json(attempt: &AttemptRow) -> Value {
    json!({
        "attempt": attempt.n, "envelopeId": attempt.envelope, "startedAt": attempt.started_at.to_string(), "durationMs": attempt.duration_ms,
        "answer": attempt.answer, "code": attempt.code, "httpStatus": attempt.http_status, "receiptKept": attempt.receipt.is_some(),
    })
}

fn local(at: Timestamp) -> String {
    at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
