//! Follows the play in the journal, tells it, and compares its end with the story.

use super::super::{Ending, say};
use super::script::{Event, Script};
use crate::model::keyed::{Domain, Ref};
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::oplog;
use crate::ops;
use crate::store::{DeliveryRow, Filter, Store};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

pub(super) struct Watch<'a> {
    store: Store,
    script: &'a Script,
    folder: PathBuf,
    swedish: bool,
    /// Last line of the journal that was told.
    told: i64,
    /// What was seen of each event: `message.withheld`, `delivery.resend` …
    seen: BTreeSet<(String, String)>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(store: Store, script: &'a Script, folder: PathBuf, swedish: bool) -> Self {
        Self { store, script, folder, swedish, told: 0, seen: BTreeSet::new() }
    }

    pub(super) fn announce(&self, event: &Event) -> String {
        format!("\n▸ {}  {}\n", event.file, self.title(event))
    }

    fn title<'e>(&self, event: &'e Event) -> &'e str {
        if self.swedish { &event.title.sv } else { &event.title.en }
    }

    /// Tells what the journal has new.
    pub(super) fn look(&mut self) -> Result<(), Ending> {
        for row in self.store.journal(&Filter { after: self.told, limit: 1_000, ..Filter::default() })? {
            self.told = row.id;
            let line: Value = serde_json::from_str(&row.line).unwrap_or(Value::Null);
            let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            self.seen.insert((field("event_ref"), field("event")));
            say(&format!("    {}\n", ops::line_text(&row.line, self.swedish)));
            if field("event") == oplog::Event::MessageWithheld.code() {
                self.tell_findings(&field("message_id"))?;
            }
            if field("event") == oplog::Event::EventRejected.code() {
                self.tell_reasons();
            }
        }
        Ok(())
    }

    /// Why a message is withheld.
    fn tell_findings(&self, message: &str) -> Result<(), Ending> {
        for row in self.store.deliveries(&Filter { message: Some(message.to_owned()), limit: 1, ..Filter::default() })? {
            for finding in &row.findings {
                say(&format!("        {} {}\n", finding.code, if self.swedish { &finding.sv } else { &finding.en }));
            }
        }
        Ok(())
    }

    /// Why a file was refused: its reason file, as the source finds it.
    fn tell_reasons(&self) {
        for event in self.script.events.iter().filter(|event| event.verdict == "rejected") {
            let path = self.folder.join("in/rejected").join(format!("{}.reason.json", event.file));
            let reason: Value = fs::read_to_string(path).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
            for finding in reason["findings"].as_array().into_iter().flatten() {
                let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
                let (says, remedy) = if self.swedish { ("sv", "remedy_sv") } else { ("en", "remedy_en") };
                let place = format!("{}:{}", finding["place"]["line"], finding["place"]["column"]);
                say(&format!("        {} {place} [{}] {}\n            → {}\n", text("code"), text("path"), text(says), text(remedy)));
            }
        }
    }

    /// Every event has ended, one way or the other.
    pub(super) fn is_over(&self) -> Result<bool, Ending> {
        for event in &self.script.events {
            let over = match self.delivery(event)? {
                Some(row) => row.state.is_end() || row.state == State::Parked,
                None => event.end.is_none() && self.was_taken(event),
            };
            if !over {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The end of each event beside what the story says.
    pub(super) fn summary(&self) -> Result<(String, bool), Ending> {
        let mut out = String::from("\n");
        let mut good = 0;
        for event in &self.script.events {
            let row = self.delivery(event)?;
            let state = row.as_ref().map(|row| row.state.code());
            let verdict = if self.was_rejected(event) { "rejected" } else { "accepted" };
            let shown = event.shows.iter().all(|what| self.was_seen(event, what));
            let as_told = verdict == event.verdict && state == event.end.as_deref() && shown && self.was_taken(event);
            good += usize::from(as_told);
            let end = match (&row, verdict, self.swedish) {
                (Some(row), _, true) => row.state.texts().0,
                (Some(row), _, false) => row.state.texts().1,
                (None, "rejected", true) => "Avvisad med orsaker",
                (None, "rejected", false) => "Refused with reasons",
                (None, _, true) => "Mottagen händelse, sänds inte",
                (None, _, false) => "Taken in; not a message to send",
            };
            let mark = if as_told { '✓' } else { '✗' };
            let _ = writeln!(out, "  {mark} {:<13} {end:<36} {}", event.file, self.title(event));
        }
        let (all, folder) = (self.script.events.len(), self.folder.display());
        let (told, hears, got) = if self.swedish {
            (format!("{good} av {all} som berättelsen säger."), "vad källan får veta", "vad mottagaren fick")
        } else {
            (format!("{good} of {all} as the story says."), "what the source hears", "what the receiver got")
        };
        let _ = writeln!(out, "\n{told}\n\n  {folder}/in/done, rejected, outcome   {hears}\n  {folder}/receiver/messages            {got}");
        let _ = writeln!(out, "  vardbro log --config {folder}/vardbro.toml");
        Ok((out, good == all))
    }

    fn delivery(&self, event: &Event) -> Result<Option<DeliveryRow>, Ending> {
        let Some(reference) = self.reference(event) else { return Ok(None) };
        Ok(self.store.deliveries_of_event(&reference)?.into_iter().next())
    }

    fn reference(&self, event: &Event) -> Option<Ref> {
        let record: Value = serde_json::from_str(event.content).ok()?;
        let part = |name: &str| Some(Personal::new(record.get(name)?.as_str()?.to_owned()));
        Some(self.store.reference_key().reference(Domain::Event, &[&part("system")?, &part("eventId")?]))
    }

    fn was_taken(&self, event: &Event) -> bool {
        self.was_rejected(event) || self.folder.join("in/done").join(&event.file).exists()
    }

    fn was_rejected(&self, event: &Event) -> bool {
        self.folder.join("in/rejected").join(&event.file).exists()
    }

    fn was_seen(&self, event: &Event, what: &str) -> bool {
        let Some(reference) = self.reference(event) else { return false };
        let seen = |line: oplog::Event| self.seen.contains(&(reference.to_string(), line.code().to_owned()));
        match what {
            "withheld" => seen(oplog::Event::MessageWithheld),
            "released" => seen(oplog::Event::MessageReleased),
            "resent" => seen(oplog::Event::DeliveryResend) || seen(oplog::Event::DeliveryAttempt),
            "lost-answer" => seen(oplog::Event::DeliveryResend),
            _ => false,
        }
    }
}
