//! What is told of an alarm outside the log: a JSON object, with its text in both languages and what to do. Nothing personal.

use super::{About, Alarm, Kind, MAIL, OUTPUTS, Ring, Rung, Unit};
use crate::fault::Code;
use crate::model::episode::ClockKind;
use crate::model::time::instant_text;
use serde_json::{Value, json};
use uuid::Uuid;

/// Version of the form, `schemas/alarm/alarm-1.schema.json`.
const FORMAT: u32 = 1;

/// The notice, and the id that it keeps however often it is sent.
pub fn notice(ring: &Ring) -> (Uuid, Value) {
    let Ring { rung, alarm, at, since, .. } = ring;
    let entry = alarm.kind.entry();
    let of = json!([entry.name, alarm.subject.as_str(), rung.code(), alarm.step, since.as_millisecond(), at.as_millisecond()]);
    let id = Uuid::new_v5(&Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"vardbro.alarm"), of.to_string().as_bytes());
    let code = entry.code.entry();
    let mut out = json!({
        "format": FORMAT,
        "id": id.to_string(),
        "at": instant_text(*at),
        "rung": rung.code(),
        "alarm": entry.name,
        "code": code.id,
        "subject": {"kind": entry.about.code(), "name": alarm.subject_name()},
        "since": instant_text(*since),
        "text": {"sv": text(ring, true), "en": text(ring, false)},
        "remedy": {"sv": code.do_sv, "en": code.do_en},
    });
    if alarm.cause != code.id {
        out["cause"] = json!(alarm.cause);
    }
    if let (Some(value), Some(unit)) = (alarm.figure, entry.unit) {
        out["figure"] = json!({"value": value, "unit": unit.code()});
    }
    (id, out)
}

/// One line for a person.
fn text(ring: &Ring, swedish: bool) -> String {
    let word = pick(ring.rung.texts(), swedish);
    format!("{word}: {} ({})", title(&ring.alarm, swedish), subject_text(&ring.alarm, swedish))
}

/// What is the matter; of a due time, what is due.
pub fn title(alarm: &Alarm, swedish: bool) -> String {
    match alarm.clock() {
        Some(clock) if alarm.step > 0 => {
            format!("{}: {}", if swedish { "tidsgräns passerad" } else { "due time has passed" }, clock(swedish))
        }
        Some(clock) => format!("{}: {}", if swedish { "tidsgräns närmar sig" } else { "due time is near" }, clock(swedish)),
        None => {
            let code = alarm.kind.entry().code.entry();
            (if swedish { code.sv } else { code.en }).to_owned()
        }
    }
}

/// What an alarm is about, with its figure.
pub fn subject_text(alarm: &Alarm, swedish: bool) -> String {
    let entry = alarm.kind.entry();
    let about = pick(entry.about.texts(), swedish);
    let name = if entry.about == About::Store { String::new() } else { format!(" {}", alarm.subject_name()) };
    let figure = alarm.figure.zip(entry.unit).map_or_else(String::new, |(value, unit)| format!(", {}", figure(value, unit, swedish)));
    format!("{about}{name}{figure}")
}

fn figure(value: i64, unit: Unit, swedish: bool) -> String {
    match (unit, value) {
        (Unit::Seconds, 7_200..) => format!("{} h", value / 3_600),
        (Unit::Seconds, 120..) => format!("{} min", value / 60),
        (Unit::Messages | Unit::Days, 1) => match (unit, swedish) {
            (Unit::Days, true) => "1 dag".to_owned(),
            (Unit::Days, false) => "1 day".to_owned(),
            (_, true) => "1 meddelande".to_owned(),
            (_, false) => "1 message".to_owned(),
        },
        _ => format!("{value} {}", pick(unit.texts(), swedish)),
    }
}

fn pick((sv, en): (&'static str, &'static str), swedish: bool) -> &'static str {
    if swedish { sv } else { en }
}

impl Alarm {
    /// The name alone: of an episode its id, without the due time.
    pub fn subject_name(&self) -> &str {
        let text = self.subject.as_str();
        if self.kind == Kind::Deadline { text.split(' ').next().unwrap_or(text) } else { text }
    }

    /// What is due, in words.
    fn clock(&self) -> Option<impl Fn(bool) -> &'static str + use<>> {
        let word = self.subject.as_str().split(' ').nth(1).filter(|_| self.kind == Kind::Deadline)?;
        let texts = ClockKind::parse(word)?.texts();
        Some(move |swedish| pick(texts, swedish))
    }
}

/// `schemas/alarm/alarm-1.schema.json`.
pub fn schema() -> String {
    let words = |values: &[crate::model::shape::CodeValue]| -> Vec<&'static str> { values.iter().map(|value| value.code).collect() };
    let kinds: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| kind.entry())
        .map(|entry| json!({"const": entry.name, "description": format!("{} / {}", entry.sv, entry.en)}))
        .collect();
    let mut codes: Vec<&str> = Kind::ALL.iter().map(|kind| Code::id(kind.entry().code)).collect();
    codes.sort_unstable();
    let both = json!({"type": "object", "additionalProperties": false, "required": ["sv", "en"],
        "properties": {"sv": {"type": "string"}, "en": {"type": "string"}}});
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:vardbro:alarm:1",
        "title": "Vårdbro alarm, one notice",
        "description": "What is posted to alarms.webhook_url and given to alarms.command. The same id is the same notice, sent again. Nothing in it is personal.",
        "type": "object",
        "additionalProperties": false,
        "required": ["format", "id", "at", "rung", "alarm", "code", "subject", "since", "text", "remedy"],
        "properties": {
            "format": {"const": FORMAT},
            "id": {"type": "string", "format": "uuid"},
            "at": {"type": "string", "format": "date-time", "description": "when this was told"},
            "rung": {"enum": words(Rung::VALUES), "description": "worse: a further step of an alarm that is open"},
            "alarm": {"oneOf": kinds},
            "code": {"enum": codes, "description": "vardbro explain CODE tells more"},
            "cause": {"type": "string", "pattern": "^(VB-[A-Z]{3}-[0-9]{3}|[A-Z]{2,4}-[0-9]{1,2})$", "description": "a code or rule that narrows it down"},
            "subject": {"type": "object", "additionalProperties": false, "required": ["kind", "name"], "properties": {
                "kind": {"enum": words(super::About::VALUES)},
                "name": {"type": "string", "pattern": "^[a-z0-9._-]{1,60}$",
                    "description": format!("a name of the configuration, an episode's id, {} or {MAIL}", OUTPUTS.join(", "))}}},
            "since": {"type": "string", "format": "date-time", "description": "when the alarm opened"},
            "figure": {"type": "object", "additionalProperties": false, "required": ["value", "unit"], "properties": {
                "value": {"type": "integer"}, "unit": {"enum": words(Unit::VALUES)}}},
            "text": both,
            "remedy": both,
        }
    });
    format!("{schema:#}\n")
}
