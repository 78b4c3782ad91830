//! A source's document on its way through intake: taken apart into events, and what became of them put together again,
//! record by record.

use super::{Limits, Mapping};
use crate::model::finding::Place;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, EventName, Incoming, RawEvent, Record, Verdict};
use jiff::civil::Date;
use std::fmt::Write as _;

/// A document taken apart.
#[derive(Debug)]
pub struct Document {
    records: Vec<Part>,
    incoming: Vec<Incoming>,
}

#[derive(Debug)]
struct Part {
    place: Option<Place>,
    events: Vec<EventName>,
    /// How many of the document's incoming events are its own.
    count: usize,
}

impl Document {
    pub fn read(raw: &RawEvent, mapping: &Mapping, limits: Limits, today: Date) -> Self {
        let mut document = Self { records: Vec::new(), incoming: Vec::new() };
        for record in records(raw, mapping, limits, today) {
            document.add(raw, mapping, record);
        }
        document
    }

    /// How many events it has.
    pub fn len(&self) -> usize {
        self.records.iter().map(|part| part.count).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events, in the order of the document. They are handed over once.
    pub fn incoming(&mut self) -> Vec<Incoming> {
        std::mem::take(&mut self.incoming)
    }

    /// What became of each record, from what became of its events in their order.
    pub fn answers(self, verdicts: impl IntoIterator<Item = Verdict>) -> Vec<Answer> {
        let mut verdicts = verdicts.into_iter();
        let answer = |part: Part| {
            let own: Vec<Verdict> = verdicts.by_ref().take(part.count).collect();
            Answer { place: part.place, events: part.events, verdict: worst(own) }
        };
        self.records.into_iter().map(answer).collect()
    }

    fn add(&mut self, raw: &RawEvent, mapping: &Mapping, record: Record) {
        let reads: Vec<_> = match record.events {
            Ok(events) => events.into_iter().map(Ok).collect(),
            Err(findings) => vec![Err(findings)],
        };
        let name = |read: &Result<crate::model::raw::Mapped, _>| {
            let head = &read.as_ref().ok()?.event.head;
            Some(EventName { system: head.system.0.clone(), id: head.event_id.0.clone() })
        };
        self.records.push(Part { place: record.place, events: reads.iter().filter_map(name).collect(), count: reads.len() });
        for (number, read) in reads.into_iter().enumerate() {
            self.incoming.push(Incoming {
                source: raw.source.clone(),
                origin: origin(&raw.origin, record.place, number),
                read,
                mapping: mapping.label().to_owned(),
                may_grow: raw.may_grow,
            });
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "reads the document in order to type it")]
fn records(raw: &RawEvent, mapping: &Mapping, limits: Limits, today: Date) -> Vec<Record> {
    match &raw.body {
        Ok(bytes) => mapping.read(bytes.disclose(), raw.form, limits, today),
        Err(finding) => vec![Record { place: None, events: Err(vec![(**finding).clone()]) }],
    }
}

/// A record of a batch is called by its line, a record's second event by its number: outcomes go to each of them apart.
#[expect(clippy::disallowed_methods, reason = "stays personal")]
fn origin(document: &Personal<String>, place: Option<Place>, number: usize) -> Personal<String> {
    let mut name = document.disclose().clone();
    if let Some(place) = place {
        let _ = write!(name, "#{}", place.line);
    }
    if number > 0 {
        let _ = write!(name, "~{}", number + 1);
    }
    Personal::new(name)
}

/// What a record's events came to, said once: not yet, no, before, yes.
fn worst(verdicts: Vec<Verdict>) -> Verdict {
    let mut worst = None;
    for verdict in verdicts {
        worst = Some(match (worst, verdict) {
            (None, verdict) => verdict,
            (Some(Verdict::Later), _) | (_, Verdict::Later) => Verdict::Later,
            (Some(Verdict::Rejected(mut findings)), Verdict::Rejected(more)) => {
                findings.extend(more);
                Verdict::Rejected(findings)
            }
            (Some(Verdict::Rejected(findings)), _) | (_, Verdict::Rejected(findings)) => Verdict::Rejected(findings),
            (Some(Verdict::Accepted), _) | (_, Verdict::Accepted) => Verdict::Accepted,
            (Some(Verdict::Duplicate), Verdict::Duplicate) => Verdict::Duplicate,
        });
    }
    // A record that the mapping passes over is done with.
    worst.unwrap_or(Verdict::Accepted)
}
