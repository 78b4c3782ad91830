//! Alarms that are open, and what to do about each.

use super::cases::minute;
use crate::alarm::{Open, subject_text};
use crate::model::time::instant_text;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Most that are listed.
pub const ALARMS_MAX: usize = 10_000;

/// Two lines each: since when, what and where, and what to do.
pub fn alarms_text(open: &[Open], swedish: bool) -> String {
    if open.is_empty() {
        return (if swedish { "Inga larm är öppna.\n" } else { "No alarms are open.\n" }).to_owned();
    }
    let mut out = String::new();
    for Open { alarm, opened_at, .. } in open {
        let entry = alarm.kind.entry().code.entry();
        let (title, remedy) = if swedish { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
        let cause = if alarm.cause == entry.id { String::new() } else { format!(" ({})", alarm.cause) };
        let _ = writeln!(out, "{}  {}  {}{cause}  {title}", minute(*opened_at), subject_text(alarm, swedish), entry.id);
        let _ = writeln!(out, "  → {remedy}");
    }
    out
}

/// One object a line.
pub fn alarms_json(open: &[Open]) -> String {
    open.iter().fold(String::new(), |mut out, open| {
        let _ = writeln!(out, "{}", shown(open));
        out
    })
}

fn shown(Open { alarm, opened_at, told_at, .. }: &Open) -> Value {
    let (entry, code) = (alarm.kind.entry(), alarm.kind.entry().code.entry());
    json!({
        "alarm": entry.name,
        "code": code.id,
        "cause": (alarm.cause != code.id).then_some(&alarm.cause),
        "subject": {"kind": entry.about.code(), "name": alarm.subject_name()},
        "since": instant_text(*opened_at),
        "told_at": instant_text(*told_at),
        "figure": alarm.figure.zip(entry.unit).map(|(value, unit)| json!({"value": value, "unit": unit.code()})),
        "text": {"sv": subject_text(alarm, true), "en": subject_text(alarm, false)},
        "remedy": {"sv": code.do_sv, "en": code.do_en},
    })
}
