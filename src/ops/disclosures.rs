//! What was sent about a person, to whom, when; and who saw it here.
//!
//! It is told out of the audit log, which outlives what was sent. What the store has sent and the log does not know of, since
//! it is older or on its way this moment, is told as that.

use super::audit::{PAGE, actor, recipients, second};
use super::cases::pick;
use crate::model::catalogue::EventType;
use crate::model::keyed::Ref;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::model::time::{instant_text, stockholm};
use crate::store::{AuditRow, AuditWanted, Kind, Store, StoreFault, Tried};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Rows about one person that are told at most.
const ROWS_MAX: usize = 20_000;

/// What is known of the disclosures about a person or of an episode.
#[derive(Debug)]
pub struct Disclosures {
    patient: Option<Ref>,
    /// Rows of one message to one destination, in the order in which they first left.
    messages: Vec<Vec<AuditRow>>,
    /// Whoever was shown something, or did something with it, by hand.
    seen: Vec<AuditRow>,
    untold: Vec<Tried>,
    /// There are more.
    beyond: bool,
}

impl Disclosures {
    pub fn of(store: &Store, patient: Option<Ref>, episode: Option<&str>) -> Result<Self, StoreFault> {
        let untold = store.tried_untold(patient.as_ref(), episode, ROWS_MAX)?;
        let mut wanted =
            AuditWanted { patient: patient.clone(), episode: episode.map(str::to_owned), limit: PAGE, ..AuditWanted::default() };
        let mut out = Self { patient, messages: Vec::new(), seen: Vec::new(), untold, beyond: false };
        let mut count = 0;
        loop {
            let rows = store.audit_rows(&wanted)?;
            let Some(last) = rows.last() else { return Ok(out) };
            wanted.after = last.n;
            count += rows.len();
            for row in rows {
                out.take(row);
            }
            if count >= ROWS_MAX {
                out.beyond = true;
                return Ok(out);
            }
        }
    }

    fn take(&mut self, row: AuditRow) {
        if !matches!(Kind::parse(&row.kind), Some(Kind::Disclosed | Kind::Receipt)) {
            return self.seen.push(row);
        }
        let same =
            |rows: &&mut Vec<AuditRow>| rows.iter().any(|known| known.message == row.message && known.destination == row.destination);
        match self.messages.iter_mut().find(same) {
            Some(rows) => rows.push(row),
            None => self.messages.push(vec![row]),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.untold.is_empty()
    }

    /// How many messages.
    pub fn count(&self) -> usize {
        self.messages.len() + self.untold.len()
    }

    #[expect(clippy::disallowed_methods, reason = "made for whoever asks, and stays Personal until it is printed")]
    pub fn text(&self, swedish: bool) -> Personal<String> {
        let word = |sv: &'static str, en: &'static str| pick((sv, en), swedish);
        let mut out = String::new();
        if self.is_empty() {
            let _ = writeln!(out, "{}", word("Inget är känt som utlämnat.", "Nothing is known to have been disclosed."));
        }
        for rows in &self.messages {
            let Some(first) = rows.first() else { continue };
            let body = first.body.disclose();
            let kind = text(body, "type").unwrap_or("?");
            let _ = writeln!(out, "{kind} {}", EventType::parse(kind).map_or("", |kind| pick(kind.texts(), swedish)));
            let _ =
                writeln!(out, "  {} {} → {}", word("Meddelande", "Message"), or(first.message.as_ref()), or(first.destination.as_ref()));
            let to = body.get("subject").map(recipients).unwrap_or_default();
            let unknown = word("okänt (skrivet innan loggen fanns)", "unknown (written before there was a log)").to_owned();
            let _ = writeln!(out, "  {} {}", word("Till", "To"), if to.is_empty() { unknown } else { to.join(", ") });
            let _ = writeln!(out, "  SHA-256 {}", text(body, "contentHash").unwrap_or("–"));
            if self.patient.as_ref().is_some_and(|patient| first.patient.as_deref() != Some(patient.as_str())) {
                let _ = writeln!(out, "  {}", word("Under ett annat nummer i samma ärende.", "Under another number in the same episode."));
            }
            for row in rows {
                let _ = writeln!(out, "  {}  {}", second(row), tried(row.body.disclose(), swedish));
            }
        }
        self.rest(&mut out, swedish);
        Personal::new(out)
    }

    #[expect(clippy::disallowed_methods, reason = "made for whoever asks, and stays Personal until it is printed")]
    fn rest(&self, out: &mut String, swedish: bool) {
        let word = |sv: &'static str, en: &'static str| pick((sv, en), swedish);
        if !self.untold.is_empty() {
            let _ = writeln!(
                out,
                "{}",
                word("Har eller kan ha lämnats ut, utan rad i loggen:", "Was or may have been disclosed, with no row in the log:")
            );
        }
        for tried in &self.untold {
            let state = State::parse(&tried.state).map_or(tried.state.as_str(), |state| pick(state.texts(), swedish));
            let at = tried.tried_at.map_or_else(|| "–".to_owned(), |at| at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M:%S").to_string());
            let _ = writeln!(out, "  {at}  {}  {} → {}  {state}", tried.kind, tried.message, tried.destination);
        }
        if !self.seen.is_empty() {
            let _ = writeln!(out, "{}", word("Sett och gjort här:", "Seen and done here:"));
        }
        for row in &self.seen {
            let kind = Kind::parse(&row.kind).map_or(row.kind.as_str(), |kind| pick(kind.texts(), swedish));
            let _ = writeln!(out, "  {}  {}  {kind}  {}", second(row), actor(row.body.disclose()), row.message.as_deref().unwrap_or(""));
        }
        if self.beyond {
            let _ =
                writeln!(out, "{}", word("… och mer: `vardbro audit export` har allt.", "… and more: `vardbro audit export` has it all."));
        }
    }

    #[expect(clippy::disallowed_methods, reason = "made for whoever asks, and stays Personal until it is printed")]
    pub fn json(&self) -> Personal<String> {
        let messages: Vec<Value> = self.messages.iter().filter_map(|rows| message(rows)).collect();
        let seen: Vec<Value> = self.seen.iter().map(|row| json!({"at": instant_text(row.at), "kind": row.kind, "actor": row.body.disclose().get("actor"), "messageId": row.message, "destination": row.destination, "reason": row.body.disclose().get("reason")})).collect();
        let untold: Vec<Value> = self.untold.iter().map(|tried| json!({"messageId": tried.message, "destination": tried.destination, "episodeId": tried.episode, "type": tried.kind, "state": tried.state, "attempts": tried.attempts, "triedAt": tried.tried_at.map(instant_text), "contentHash": tried.content_hash})).collect();
        let patient = self.patient.as_ref().map(Ref::as_str);
        let all = json!({"patientRef": patient, "disclosures": messages, "notInLog": untold, "seen": seen, "complete": !self.beyond});
        Personal::new(format!("{all:#}\n"))
    }
}

#[expect(clippy::disallowed_methods, reason = "made for whoever asks, and stays Personal until it is printed")]
fn message(rows: &[AuditRow]) -> Option<Value> {
    let first = rows.first()?;
    let body = first.body.disclose();
    let tries: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut one = row.body.disclose().clone();
            if let Value::Object(fields) = &mut one {
                for said in ["subject", "actor", "type", "version", "contentHash"] {
                    fields.remove(said);
                }
                fields.insert("at".to_owned(), instant_text(row.at).into());
                fields.insert("kind".to_owned(), row.kind.as_str().into());
            }
            one
        })
        .collect();
    Some(json!({"messageId": first.message, "destination": first.destination, "episodeId": first.episode, "type": body.get("type"),
        "version": body.get("version"), "patientRef": first.patient, "recipients": body.pointer("/subject/recipients"),
        "contentHash": body.get("contentHash"), "tries": tries}))
}

/// What is known since a try, and how it was told.
fn tried(body: &Value, swedish: bool) -> String {
    let outcome = text(body, "outcome").unwrap_or("?");
    let words = match outcome {
        "accepted" | "acceptedWithErrors" => ("mottaget", "received"),
        "pending" => ("mottaget, kvitto väntas", "received, a receipt is to come"),
        "conflict" => ("mottagaren hade det redan", "the receiver had it already"),
        "rejected" => ("avvisat av mottagaren", "rejected by the receiver"),
        _ => ("okänt om det kom fram", "unknown whether it arrived"),
    };
    let mut out = format!("{} ({outcome})", pick(words, swedish));
    if let Some(status) = body.get("httpStatus").and_then(Value::as_u64) {
        let _ = write!(out, "  HTTP {status}");
    }
    if let Some(attempt) = body.get("attempt").and_then(Value::as_u64) {
        let _ = write!(out, "  {} {attempt}", if swedish { "försök" } else { "try" });
    }
    if body.get("receipt").is_some() || body.get("receiptHash").is_some() {
        out.push_str(if swedish { "  med kvitto" } else { "  with a receipt" });
    }
    out
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

fn or(text: Option<&String>) -> &str {
    text.map_or("–", String::as_str)
}
