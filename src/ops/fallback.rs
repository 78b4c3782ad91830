//! The list of the fallback routine (reservrutin): what is unsent, by whom it is for, for the telephone.
//!
//! With names it holds personal data, on purpose: a list that names nobody cannot be telephoned from. It comes out of here as
//! `Personal`, and who prints it says why.

use super::plan::kind;
use crate::fault::Fault;
use crate::intake::{Desk, Known};
use crate::model::catalogue::EventType;
use crate::model::event::{Protection, Recipient};
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::store::{Audit, DeliveryRow, Kind, Store, Wanted, Who, Written};
use crate::wire::{self, readable};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Messages on one list at most.
const LIST_MAX: usize = 2_000;
/// How long a rejection stays on the list, unless another time is asked for.
const REJECTED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What is unsent at a moment.
#[derive(Debug)]
pub struct Unsent {
    pub(super) entries: Vec<Entry>,
    /// What did not find room.
    pub(super) beyond: u64,
    pub(super) until: Timestamp,
    /// Where the list is for one alone.
    pub(super) destination: Option<String>,
    pub(super) with_names: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: DeliveryRow,
    /// Whom it is for; none where nobody knows any more.
    pub(super) to: Vec<Recipient>,
    /// When its receiver must have it.
    pub(super) due_at: Option<Timestamp>,
    /// Keyed reference of its event.
    pub(super) event_ref: String,
    pub(super) shown: Option<Personal<Shown>>,
}

/// What a person needs in order to tell it on the telephone.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) case: String,
    /// None where the person is protected: whoever may read it reads it in the source system.
    pub(super) patient: Option<(String, String)>,
    /// Label and text, and how deep it stands.
    pub(super) lines: Vec<(usize, String)>,
}

/// Deliveries that have not come to an end and began at a moment or before; the oldest first, and how many there are beyond.
pub fn unsent(store: &Store, destination: Option<&str>, until: Timestamp) -> Result<(Vec<DeliveryRow>, u64), Fault> {
    let states = State::VALUES.iter().filter_map(|value| State::parse(value.code)).filter(|state| !state.is_end()).collect();
    let wanted = Wanted { states, destination: destination.map(str::to_owned), until: Some(until), limit: LIST_MAX, ..Wanted::default() };
    Ok(store.wanted(&wanted)?)
}

impl Unsent {
    /// The unsent ones and those that the receiver has rejected since a moment, by default a day before.
    pub fn of(
        store: &Store,
        desk: &Desk,
        destination: Option<&str>,
        (since, until): (Option<Timestamp>, Timestamp),
        with_names: bool,
        swedish: bool,
    ) -> Result<Self, Fault> {
        let (mut rows, mut beyond) = unsent(store, destination, until)?;
        let since = since.unwrap_or(until - REJECTED_FOR);
        let rejected = Wanted {
            states: vec![State::Rejected],
            destination: destination.map(str::to_owned),
            since: Some(since),
            until: Some(until),
            limit: LIST_MAX,
            code: None,
        };
        let (more, more_beyond) = store.wanted(&rejected)?;
        rows.extend(more);
        beyond += more_beyond;
        let mut entries = Vec::new();
        for row in rows {
            let Some(known) = desk.known(store, &row, until)? else { continue };
            let written = if with_names { store.written(row.id)? } else { None };
            let shown = written.and_then(|written| shown(&row, &written, known.protected, swedish));
            entries.push(Entry::of(row, known, shown));
        }
        // What must be told by a certain time first, and else what has waited longest.
        entries.sort_by_key(|entry| (entry.due_at.is_none(), entry.due_at, entry.row.created_at, entry.row.id));
        Ok(Self { entries, beyond, until, destination: destination.map(str::to_owned), with_names })
    }

    /// A row of the audit log for each message that the list shows, so that it is found by its person.
    #[expect(clippy::disallowed_methods, reason = "the audit log says who was shown, sealed")]
    pub fn audits(&self, who: &Who, at: Timestamp, reason: Option<&str>) -> Vec<Audit> {
        let row = |entry: &Entry| {
            let mut audit = Audit::new(at, Kind::Printed, who.clone()).tell("type", entry.row.kind.as_str());
            let uuid = |text: &str| Uuid::try_parse(text).ok();
            (audit.message, audit.episode) = (uuid(&entry.row.message).map(MessageId), uuid(&entry.row.episode).map(EpisodeId));
            audit.destination = Name::parse(&entry.row.destination);
            if let Some(shown) = entry.shown.as_ref().map(Personal::disclose) {
                audit = match &shown.patient {
                    Some((id, _)) => audit.tell("subject", json!({"patient": {"id": id}, "case": {"id": shown.case}})),
                    None => audit.tell("case", shown.case.as_str()),
                };
            }
            match reason {
                Some(reason) => audit.tell("reason", reason),
                None => audit,
            }
        };
        self.entries.iter().map(row).collect()
    }

    pub fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Unit by unit, the one with the most urgent message first.
    pub(super) fn by_unit(&self) -> Vec<(Option<&Recipient>, Vec<&Entry>)> {
        let mut places: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        let mut units: Vec<(Option<&Recipient>, Vec<&Entry>)> = Vec::new();
        for entry in &self.entries {
            let nobody = if entry.to.is_empty() { Some(None) } else { None };
            for unit in entry.to.iter().map(Some).chain(nobody) {
                let place = *places.entry(unit.map(|unit| unit.hsa_id.as_str())).or_insert(units.len());
                if place == units.len() {
                    units.push((unit, Vec::new()));
                }
                units[place].1.push(entry);
            }
        }
        units
    }
}

impl Entry {
    fn of(row: DeliveryRow, known: Known, shown: Option<Personal<Shown>>) -> Self {
        Self { row, to: known.to, due_at: known.due_at, event_ref: known.key.to_string(), shown }
    }

    /// It has left at least once, or a restored backup has forgotten whether, and nobody knows that it did not arrive.
    pub(super) fn may_have_arrived(&self) -> bool {
        (self.row.attempts > 0 || self.row.in_doubt) && self.row.state != State::Rejected
    }

    /// `K-HT Notice …, version 2`
    pub(super) fn kind(&self, swedish: bool) -> String {
        kind(&self.row, swedish)
    }
}

/// Out of the document where there is one, since that is what would have arrived; else out of the event.
#[expect(
    clippy::disallowed_methods,
    reason = "what is taken out of the store is made into a list for a person, and stays Personal until it is printed"
)]
fn shown(row: &DeliveryRow, written: &Written, protected: Protection, swedish: bool) -> Option<Personal<Shown>> {
    let event: Value = serde_json::from_slice(written.event.as_ref()?.disclose()).ok()?;
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let case = text(&event, "/episodeRef/caseId");
    if protected != Protection::None {
        return Some(Personal::new(Shown { case, patient: None, lines: Vec::new() }));
    }
    let known = EventType::parse(&row.kind)?.row();
    let document = written.document.as_ref().and_then(wire::tree);
    let (all, id, content) = match &document {
        Some(document) => (document.disclose(), "/patient/id/extension", format!("/body/{}", known.element)),
        None => (&event, "/patient/id", "/data".to_owned()),
    };
    let name = format!("{} {}", text(all, "/patient/name/given"), text(all, "/patient/name/family")).trim().to_owned();
    let mut lines = Vec::new();
    // A question of ours is made of the region's event, and has content of its own only once it is written.
    let own = document.is_some() || event["type"].as_str() == Some(row.kind.as_str());
    if let Some(content) = all.pointer(&content).filter(|_| own) {
        lines = readable::lines(known.fields, content, swedish).into_iter().map(on_one_line).collect();
    }
    Some(Personal::new(Shown { case, patient: Some((text(all, id), name)), lines }))
}

/// Of a text over several lines one is made: the list stays a list.
fn on_one_line(line: readable::Line) -> (usize, String) {
    let said = line.said.iter().flat_map(|said| said.split_whitespace());
    (line.depth, std::iter::once(line.label.as_str()).chain(said).collect::<Vec<_>>().join(" "))
}
