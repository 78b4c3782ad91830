//! The list of the fallback routine as a text to print, as CSV and as JSON.

use super::cases::{minute, pick};
use super::fallback::{Entry, Unsent};
use super::report_text::quoted;
use crate::model::event::Recipient;
use crate::model::personal::Personal;
use crate::model::time::instant_text;
use serde_json::{Value, json};
use std::fmt::Write as _;

const COLUMNS: [&str; 16] = [
    "unit",
    "party",
    "type",
    "what",
    "due",
    "since",
    "state",
    "destination",
    "message",
    "episode",
    "event",
    "mayHaveArrived",
    "case",
    "patient",
    "name",
    "content",
];
/// Columns of the list without names.
const OPEN: usize = 12;

impl Unsent {
    /// The first line of every form, where it holds personal data.
    fn notice(&self, swedish: bool) -> Option<&'static str> {
        let sv = "PERSONUPPGIFTER: listan är till för att ringa från; förvara och förstör den som en journalhandling.";
        let en = "PERSONAL DATA: the list is there to be telephoned from; keep and destroy it as a record of care.";
        self.with_names.then(|| pick((sv, en), swedish))
    }

    pub fn text(&self, swedish: bool) -> Personal<String> {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = self.notice(swedish).map_or_else(String::new, |notice| format!("{notice}\n"));
        let _ = writeln!(out, "{} {}: {}", word("Osända meddelanden", "Unsent messages"), minute(self.until), self.count());
        for (unit, entries) in self.by_unit() {
            let _ = match unit {
                Some(Recipient { hsa_id, party }) => writeln!(out, "\n{} ({})", hsa_id.as_str(), pick(party.texts(), swedish)),
                None => writeln!(out, "\n{}", word("Okänd mottagare", "Recipient unknown")),
            };
            for entry in entries {
                entry.text(&mut out, swedish);
            }
        }
        if self.beyond > 0 {
            let _ = writeln!(out, "\n{}: {}", word("Får inte plats på listan", "Not on the list for want of room"), self.beyond);
        }
        if !self.entries.is_empty() {
            let label = word("När de är meddelade", "When they have been told");
            let only = self.destination.as_ref().map_or_else(String::new, |name| format!(" --destination {name}"));
            let _ = writeln!(out, "\n{label}: vardbro messages fallback-list --handled{only} --until {}", instant_text(self.until));
        }
        Personal::new(out)
    }

    /// By RFC 4180: a row for each message and unit; codes and instants in no language.
    pub fn csv(&self, swedish: bool) -> Personal<String> {
        let width = if self.with_names { COLUMNS.len() } else { OPEN };
        let mut rows: Vec<Vec<String>> = Vec::new();
        if let Some(notice) = self.notice(swedish) {
            rows.push(vec![notice.to_owned()]);
        }
        rows.push(COLUMNS.map(str::to_owned).to_vec());
        for (unit, entries) in self.by_unit() {
            rows.extend(entries.into_iter().map(|entry| entry.cells(unit, swedish)));
        }
        let mut out = String::new();
        for mut row in rows {
            row.resize(width, String::new());
            let fields: Vec<String> = row.iter().map(|field| quoted(&tame(field))).collect();
            out.push_str(&fields.join(","));
            out.push_str("\r\n");
        }
        Personal::new(out)
    }

    pub fn json(&self, swedish: bool) -> Personal<String> {
        let messages: Vec<Value> = self.entries.iter().map(|entry| entry.json(swedish)).collect();
        let list = json!({"until": instant_text(self.until), "beyond": self.beyond, "messages": messages});
        let list = format!("{list:#}\n");
        // Keys are sorted; the notice stands first all the same.
        let notice = self.notice(swedish).map(|notice| format!("{{ \"notice\": {},\n", json!(notice)));
        Personal::new(notice.map_or_else(|| list.clone(), |notice| list.replacen("{\n", &notice, 1)))
    }
}

impl Entry {
    #[expect(clippy::disallowed_methods, reason = "makes the list that is printed with names, which is Personal")]
    fn text(&self, out: &mut String, swedish: bool) {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let row = &self.row;
        let _ = writeln!(out, "  [ ] {}", self.kind(swedish));
        if let Some(at) = self.due_at {
            let _ = writeln!(out, "      {}: {}", word("Senast", "Due"), minute(at));
        }
        let since = format!("{}: {}", word("Sedan", "Since"), minute(row.created_at));
        let _ = writeln!(out, "      {since}, {}", pick(row.state.texts(), swedish));
        if self.may_have_arrived() {
            let sv = "Kan ha kommit fram, och kan komma fram ännu: fråga mottagaren";
            let _ = writeln!(out, "      {}", word(sv, "May have arrived, and may still arrive: ask the receiver"));
        }
        let short = |id: &str| id.get(..8).unwrap_or(id).to_owned();
        let (message, episode) = (short(&row.message), short(&row.episode));
        let names = (word("Meddelande", "Message"), word("ärende", "episode"), word("händelse", "event"));
        let _ = writeln!(out, "      {} {message}, {} {episode}, {} {}", names.0, names.1, names.2, short(&self.event_ref));
        let Some(shown) = self.shown.as_ref().map(Personal::disclose) else { return };
        let _ = writeln!(out, "      {}: {}", word("Ärendenummer", "Case number"), shown.case);
        if let Some((id, name)) = &shown.patient {
            let _ = writeln!(out, "      Patient: {id} {name}");
        } else {
            let sv = "Patientens personuppgifter är skyddade: läs i källsystemet.";
            let _ = writeln!(out, "      {}", word(sv, "The patient's personal data are protected: read them in the source system."));
        }
        for (depth, line) in &shown.lines {
            let _ = writeln!(out, "      {:indent$}{line}", "", indent = (depth + 1) * 2);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "makes the list that is printed with names, which is Personal")]
    fn cells(&self, unit: Option<&Recipient>, swedish: bool) -> Vec<String> {
        let row = &self.row;
        let mut cells = vec![
            unit.map(|unit| unit.hsa_id.as_str().to_owned()).unwrap_or_default(),
            unit.map(|unit| unit.party.code().to_owned()).unwrap_or_default(),
            row.kind.clone(),
            self.kind(swedish),
            self.due_at.map(instant_text).unwrap_or_default(),
            instant_text(row.created_at),
            row.state.code().to_owned(),
            row.destination.clone(),
            row.message.clone(),
            row.episode.clone(),
            self.event_ref.clone(),
            self.may_have_arrived().to_string(),
        ];
        if let Some(shown) = self.shown.as_ref().map(Personal::disclose) {
            let (id, name) = shown.patient.clone().unwrap_or_default();
            let content: Vec<&str> = shown.lines.iter().map(|(_, line)| line.as_str()).collect();
            cells.extend([shown.case.clone(), id, name, content.join("; ")]);
        }
        cells
    }

    #[expect(clippy::disallowed_methods, reason = "makes the list that is printed with names, which is Personal")]
    fn json(&self, swedish: bool) -> Value {
        let row = &self.row;
        let to: Vec<Value> = self.to.iter().map(|unit| json!({"hsaId": unit.hsa_id.as_str(), "party": unit.party.code()})).collect();
        let mut out = json!({
            "recipients": to, "type": row.kind, "what": self.kind(swedish), "due": self.due_at.map(instant_text),
            "since": instant_text(row.created_at), "state": row.state, "destination": row.destination, "messageId": row.message,
            "episodeId": row.episode, "eventRef": self.event_ref, "mayHaveArrived": self.may_have_arrived(),
        });
        if let Some(shown) = self.shown.as_ref().map(Personal::disclose) {
            let content: Vec<&str> = shown.lines.iter().map(|(_, line)| line.as_str()).collect();
            let patient = shown.patient.as_ref().map(|(id, name)| json!({"id": id, "name": name}));
            out["caseId"] = json!(shown.case);
            out["patient"] = json!(patient);
            out["content"] = json!(content);
        }
        out
    }
}

/// What a source wrote is not to be taken for a formula by a spreadsheet.
fn tame(field: &str) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t']) { format!("'{field}") } else { field.to_owned() }
}
