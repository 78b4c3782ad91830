//! The audit log for people and for other systems: the list, the verdict on the chain, and the export.

use super::audit_riv;
use super::cases::pick;
use crate::model::ids::HsaId;
use crate::model::personal::Personal;
use crate::model::time::{instant_text, stockholm};
use crate::store::{AuditRow, AuditWanted, ExportFault, Kind, Store, Verified};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// Rows that are read at once.
pub(super) const PAGE: usize = 500;
/// Version of the lines' form.
const FORMAT: u32 = 1;

/// What an export looks like.
#[derive(Debug, Clone)]
pub enum AuditForm {
    /// A row of the log a line.
    Lines,
    /// Log posts of the national log service's structure; ours are those of this organisation.
    Riv { hsa_id: HsaId, name: String },
}

/// Rows with who and what, and nobody whom they are about.
pub fn audit_list(rows: &[AuditRow], swedish: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let _ = writeln!(out, "{}", line(row, swedish));
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "who did it and how it ended; whom it is about stays")]
fn line(row: &AuditRow, swedish: bool) -> String {
    let body = row.body.disclose();
    let short = |text: &Option<String>| text.as_deref().map(|text| text.get(..8).unwrap_or(text).to_owned()).unwrap_or_default();
    let kind = Kind::parse(&row.kind).map_or(row.kind.as_str(), |kind| pick(kind.texts(), swedish));
    let mut out = format!("{:>8}  {}  {}  {kind}", row.n, second(row), actor(body));
    for part in [short(&row.message), row.destination.clone().unwrap_or_default(), short(&row.episode)] {
        if !part.is_empty() {
            out.push_str("  ");
            out.push_str(&part);
        }
    }
    if let Some(outcome) = body.get("outcome").and_then(Value::as_str) {
        let _ = write!(out, "  {outcome}");
    }
    out
}

/// The same as JSON.
#[expect(clippy::disallowed_methods, reason = "who did it and how it ended; whom it is about stays")]
pub fn audit_list_json(rows: &[AuditRow]) -> String {
    let one = |row: &AuditRow| {
        let body = row.body.disclose();
        json!({"n": row.n, "at": instant_text(row.at), "kind": row.kind, "actor": body.get("actor"), "messageId": row.message,
            "destination": row.destination, "episodeId": row.episode, "type": body.get("type"), "outcome": body.get("outcome")})
    };
    format!("{:#}\n", Value::from(rows.iter().map(one).collect::<Vec<_>>()))
}

/// `anna (1001)`: the name that was given, and the user as the kernel has it.
pub(super) fn actor(body: &Value) -> String {
    let name = body.pointer("/actor/name").and_then(Value::as_str).unwrap_or("?");
    // One line stays one line.
    let name: String = name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    body.pointer("/actor/uid").and_then(Value::as_u64).map_or(name.clone(), |uid| format!("{name} ({uid})"))
}

pub(super) fn second(row: &AuditRow) -> String {
    row.at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub fn verified_text(verified: &Verified, swedish: bool) -> String {
    let Verified { rows, removed, head, broken } = verified;
    let mut out = if swedish { format!("{rows} rader genomgångna") } else { format!("{rows} rows gone through") };
    if *removed > 0 {
        let _ = if swedish { write!(out, ", efter {removed} gallrade") } else { write!(out, ", after {removed} removed by retention") };
    }
    out.push_str(".\n");
    match broken {
        Some(broken) => {
            let why = pick(broken.breach.texts(), swedish);
            let _ = if swedish {
                writeln!(out, "BRUTEN vid rad {}: {why}", broken.n)
            } else {
                writeln!(out, "BROKEN at row {}: {why}", broken.n)
            };
        }
        None => out.push_str(if swedish { "Kedjan håller.\n" } else { "The chain holds.\n" }),
    }
    if let Some(head) = head {
        let _ = writeln!(out, "{} {}:{}", if swedish { "Ankare:" } else { "Anchor:" }, head.n, head.mac);
    }
    out
}

pub fn verified_json(verified: &Verified) -> String {
    let broken = verified.broken.map(|broken| {
        let (sv, en) = broken.breach.texts();
        json!({"row": broken.n, "breach": broken.breach.code(), "sv": sv, "en": en})
    });
    let head = verified.head.as_ref().map(|head| format!("{}:{}", head.n, head.mac));
    format!("{:#}\n", json!({"rows": verified.rows, "removed": verified.removed, "anchor": head, "broken": broken}))
}

/// Writes rows page by page. Gives how many.
pub fn export_audit(store: &Store, wanted: &AuditWanted, form: &AuditForm, out: &mut dyn io::Write) -> Result<u64, ExportFault> {
    match form {
        AuditForm::Lines => writeln!(out, "{}", json!({"record": "audit-export", "format": FORMAT, "personalData": true}))?,
        AuditForm::Riv { .. } => audit_riv::begin(out)?,
    }
    let mut wanted = AuditWanted { limit: PAGE, ..wanted.clone() };
    let mut written = 0;
    loop {
        let rows = store.audit_rows(&wanted)?;
        let Some(last) = rows.last() else { break };
        wanted.after = last.n;
        for row in &rows {
            let text = match form {
                AuditForm::Lines => Some(row_json(row)),
                AuditForm::Riv { hsa_id, name } => audit_riv::post(row, hsa_id, name),
            };
            if let Some(text) = text {
                write_out(out, &text)?;
                written += 1;
            }
        }
    }
    if matches!(form, AuditForm::Riv { .. }) {
        audit_riv::end(out)?;
    }
    Ok(written)
}

#[expect(clippy::disallowed_methods, reason = "the export's purpose; that it was made stands in the log")]
fn write_out(out: &mut dyn io::Write, text: &Personal<String>) -> io::Result<()> {
    out.write_all(text.disclose().as_bytes())
}

#[expect(clippy::disallowed_methods, reason = "goes into the export, and stays Personal until then")]
pub(super) fn row_json(row: &AuditRow) -> Personal<String> {
    let line = json!({"record": "audit", "n": row.n, "at": instant_text(row.at), "kind": row.kind, "messageId": row.message,
        "destination": row.destination, "episodeId": row.episode, "patientRef": row.patient, "body": row.body.disclose(), "mac": row.mac});
    Personal::new(format!("{line}\n"))
}

pub fn audit_warning(to: &Path, swedish: bool) -> String {
    let to = to.display();
    if swedish {
        format!("{to} kommer att innehålla PERSONUPPGIFTER: vem som gjort och sett vad, om vem. Förvara den som en journal.\n")
    } else {
        format!("{to} will hold PERSONAL DATA: who did and saw what, about whom. Keep it as you keep a medical record.\n")
    }
}

pub fn audit_exported(rows: u64, swedish: bool) -> String {
    if swedish { format!("{rows} rader skrivna.\n") } else { format!("{rows} rows written.\n") }
}

/// `SE2321000131-T200 (SV)`, of a subject's recipients.
pub(super) fn recipients(subject: &Value) -> Vec<String> {
    let text = |unit: &Value, name: &str| unit.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let list = subject.get("recipients").and_then(Value::as_array);
    list.into_iter().flatten().map(|unit| format!("{} ({})", text(unit, "hsaId"), text(unit, "party"))).collect()
}
