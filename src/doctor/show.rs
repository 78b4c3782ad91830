//! Readings for a person at a terminal, and as JSON.

use super::{Area, Reading, Verdict};
use crate::fault::Code;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub fn as_text(readings: &[Reading], swedish: bool) -> String {
    let pick = |(sv, en): (&'static str, &'static str)| if swedish { sv } else { en };
    let mut out = String::new();
    let mut area: Option<Area> = None;
    for reading in readings {
        if area != Some(reading.area) {
            area = Some(reading.area);
            let _ = writeln!(out, "{}", pick(reading.area.texts()));
        }
        let said = if swedish { &reading.sv } else { &reading.en };
        let _ = write!(out, "  {:<4} {}  ", pick(reading.verdict.texts()), reading.subject);
        let Some(code) = reading.code else {
            let _ = writeln!(out, "{said}");
            continue;
        };
        let entry = code.entry();
        let (title, remedy) = if swedish { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
        let _ = writeln!(out, "{} {title}{}{said}\n       → {remedy}", entry.id, if said.is_empty() { "" } else { ": " });
    }
    let count = |verdict| readings.iter().filter(|reading| reading.verdict == verdict).count();
    let (good, note, bad) = (count(Verdict::Good), count(Verdict::Note), count(Verdict::Bad));
    let _ = if swedish {
        writeln!(out, "{good} bra, {note} att tänka på, {bad} fel.")
    } else {
        writeln!(out, "{good} good, {note} to note, {bad} bad.")
    };
    out
}

pub fn as_json(readings: &[Reading]) -> String {
    let one = |reading: &Reading| {
        let entry = reading.code.map(Code::entry);
        let mut out = json!({
            "area": reading.area, "verdict": reading.verdict, "subject": reading.subject, "sv": reading.sv, "en": reading.en,
        });
        if let (Value::Object(fields), Some(entry)) = (&mut out, entry) {
            fields.insert("code".to_owned(), entry.id.into());
            fields.insert("remedySv".to_owned(), entry.do_sv.into());
            fields.insert("remedyEn".to_owned(), entry.do_en.into());
        }
        out
    };
    let told: Vec<Value> = readings.iter().map(one).collect();
    format!("{:#}\n", json!({"version": env!("CARGO_PKG_VERSION"), "readings": told}))
}
