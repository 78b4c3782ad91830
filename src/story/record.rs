//! What is written down while a story is played.

use super::world::{Halt, Taken, World};
use crate::map::Mapping;
use crate::model::event::CareEvent;
use crate::model::finding::Finding;
use crate::model::keyed::Domain;
use crate::model::personal::Personal;
use crate::model::raw::Verdict;
use crate::model::time::{Clock, stockholm};
use crate::store::{DeliveryRow, Filter, StoreFault};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Most rows that are looked at.
const ROWS_MAX: usize = 100_000;
/// Shortest number of a patient that is looked for in what is written.
const NUMBER_MIN: usize = 10;

/// A record that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub file: String,
    /// The line that it begins at; none where the file is the record.
    pub line: Option<usize>,
    /// Types of the events that it gave.
    pub types: Vec<&'static str>,
    pub verdict: Verdict,
}

/// The file, and the line of it, that something came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub file: String,
    pub line: Option<usize>,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub struct Record {
    pub given: Vec<Given>,
    /// Each delivery's states and findings, as they came.
    pub course: BTreeMap<i64, Vec<String>>,
    pub(super) events: Vec<CareEvent>,
    /// Codes of all the findings that deliveries have had.
    pub(super) codes: BTreeSet<String>,
    /// Systems and their cases.
    pub(super) cases: BTreeSet<(Personal<String>, Personal<String>)>,
    pub(super) persons: BTreeSet<Personal<String>>,
    /// Months in which something came.
    pub(super) months: BTreeSet<String>,
    /// Where an event's accepted versions came from, by its reference.
    origins: BTreeMap<String, Vec<Origin>>,
    last: BTreeMap<i64, String>,
}

impl Record {
    /// Notes what has changed since the last look.
    pub fn look(&mut self, world: &World) -> Result<(), Halt> {
        for row in deliveries(world)? {
            let findings = row.findings.iter().map(told);
            let told = std::iter::once(row.state.code().to_owned()).chain(findings).collect::<Vec<_>>().join("; ");
            if self.last.get(&row.id) != Some(&told) {
                self.codes.extend(row.findings.into_iter().map(|finding| finding.code));
                self.course.entry(row.id).or_default().push(format!("{} {told}", local(world.clock.now())));
                self.last.insert(row.id, told);
            }
        }
        Ok(())
    }

    /// Hands a file in, and notes what becomes of it.
    pub fn hand_in(&mut self, world: &mut World, name: &str, bytes: Vec<u8>, mapping: &Mapping) -> Result<(), Halt> {
        self.persons.extend(number(&bytes));
        let taken = world.hand_in(name, bytes, mapping)?;
        self.taken(world, name, taken)
    }

    /// Notes the numbers of patients that a file may name, whatever becomes of it.
    pub(super) fn beware(&mut self, bytes: &[u8]) {
        self.persons.extend(number(bytes));
    }

    pub(super) fn taken(&mut self, world: &World, name: &str, taken: Taken) -> Result<(), Halt> {
        self.months.insert(month_of(world.clock.now()));
        let mut types = taken.events.iter().map(|taken| taken.event.head.kind.code());
        for answer in taken.answers {
            let types = types.by_ref().take(answer.events.len()).collect();
            let line = answer.place.map(|place| place.line);
            self.given.push(Given { file: name.to_owned(), line, types, verdict: answer.verdict });
        }
        for taken in taken.events {
            let head = &taken.event.head;
            self.persons.extend([head.patient.id.0.clone(), taken.event.patient.id.number().clone()]);
            if taken.accepted {
                let key = world.store.reference_key().reference(Domain::Event, &[&head.system.0, &head.event_id.0]);
                let origin = Origin { file: name.to_owned(), line: taken.place.map(|place| place.line) };
                self.origins.entry(key.to_string()).or_default().push(origin);
                self.cases.insert((head.system.0.clone(), head.episode_ref.case_id.0.clone()));
            }
            self.events.push(taken.event);
        }
        self.look(world)
    }

    /// What a delivery came from.
    pub fn origin(&self, world: &World, row: &DeliveryRow) -> Result<&Origin, Halt> {
        let event = world.store.event(row.event)?;
        let origin = event.and_then(|event| {
            let version = usize::try_from(event.version).ok()?;
            self.origins.get(&event.key)?.get(version.checked_sub(1)?)
        });
        origin.ok_or_else(|| StoreFault::Damaged { table: "event" }.into())
    }
}

/// Every delivery, newest first.
pub(super) fn deliveries(world: &World) -> Result<Vec<DeliveryRow>, StoreFault> {
    world.store.deliveries(&everything())
}

pub(super) fn everything() -> Filter {
    Filter { limit: ROWS_MAX, ..Filter::default() }
}

/// The patient's number in a file that may be no event at all.
fn number(bytes: &[u8]) -> Option<Personal<String>> {
    let file: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let number = file.pointer("/patient/id")?.as_str()?;
    (number.len() >= NUMBER_MIN).then(|| Personal::new(number.to_owned()))
}

/// A finding in one line: code, owners, words.
fn told(finding: &Finding) -> String {
    format!("{} {} {}", finding.code, owners(&finding.owner), finding.sv)
}

pub(super) fn owners(owners: &[crate::model::bodies::Party]) -> String {
    format!("[{}]", owners.iter().map(|owner| owner.code()).collect::<Vec<_>>().join(", "))
}

/// Swedish time, without what is nought.
pub(super) fn local(at: Timestamp) -> String {
    let text = at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M:%S.%3f").to_string();
    text.strip_suffix(".000").unwrap_or(&text).to_owned()
}

pub(super) fn month_of(at: Timestamp) -> String {
    at.to_zoned(stockholm()).strftime("%Y-%m").to_string()
}
