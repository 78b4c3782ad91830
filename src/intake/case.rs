//! An episode as intake works on it: its facts, its lanes' numbers, its open alarms, and what is kept back in it.

use crate::check::rules::Rules;
use crate::episode::{self, Alarms, Links};
use crate::map;
use crate::model::bodies::Party;
use crate::model::catalogue::EventType;
use crate::model::episode::{EpisodeState, Fact};
use crate::model::event::{CareEvent, Recipient};
use crate::model::finding::Finding;
use crate::model::ids::{EpisodeId, HsaId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::store::{EpisodeRow, EpisodeWrite, KeptBack, Store, StoreFault};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An episode between two commits.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: EpisodeId,
    /// Version that it was read at, or that the batch's earlier entry will have left it at; 0 where it is new.
    pub(super) from: u64,
    pub(super) rules: String,
    pub(super) facts: Vec<Fact>,
    pub(super) alarms: Alarms,
    /// The moment that was last folded for: what time has changed since is told once.
    pub(super) looked_at: Timestamp,
    /// Last number given out, by destination.
    sequences: BTreeMap<String, u64>,
    /// Numbers up to this one may have been given out in a life that a restore has made the store forget, or before it was purged.
    numbers_from: u64,
    pub(super) waiting: Vec<Waiting>,
    /// Nothing stands in it yet, and what once did has been purged.
    pub(super) purged: bool,
}

/// A withheld or held delivery.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) message: MessageId,
    pub(super) destination: Name,
    pub(super) kind: EventType,
    pub(super) version: u32,
    pub(super) event_ref: Ref,
    pub(super) event: CareEvent,
    pub(super) useful_until: Option<Timestamp>,
    pub(super) findings: Vec<Finding>,
    /// For a person.
    pub(super) held: bool,
}

/// The part of an episode that the store keeps as one. What cannot be read as this is folded anew from the events.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// Form of the facts.
    format: u32,
    facts: Vec<Fact>,
    sequences: BTreeMap<String, u64>,
    #[serde(default)]
    numbers_from: u64,
    alarms: Alarms,
    looked_at: Timestamp,
}

/// What every form so far has.
#[derive(Deserialize)]
struct KeptBefore {
    sequences: BTreeMap<String, u64>,
    #[serde(default)]
    numbers_from: u64,
    #[serde(default)]
    facts: Vec<Value>,
}

const FORMAT: u32 = 2;

impl Case {
    /// An episode of which nothing is known.
    pub(super) fn new(id: EpisodeId, rules: &Rules) -> Self {
        let rules = rules.name.clone();
        Self {
            id,
            from: 0,
            rules,
            facts: Vec::new(),
            alarms: Alarms::new(),
            looked_at: Timestamp::MIN,
            sequences: BTreeMap::new(),
            numbers_from: 0,
            waiting: Vec::new(),
            purged: false,
        }
    }

    pub(super) fn load(store: &Store, id: EpisodeId, rules: &Rules, today: Date) -> Result<Self, StoreFault> {
        let numbers_from = store.numbers_from();
        let Some(row) = store.episode(id)? else {
            // Numbers that its lanes have had are not given out again.
            let last = store.last_number_of_purged(id)?;
            let numbers_from = numbers_from.max(last.unwrap_or(0));
            return Ok(Self { numbers_from, purged: last.is_some(), ..Self::new(id, rules) });
        };
        let kept = kept(store, id, &row, today)?;
        let waiting = store.kept_back(id)?.into_iter().map(|row| waiting(row, today)).collect::<Result<_, _>>()?;
        Ok(Self {
            id,
            from: row.version,
            rules: row.rules,
            facts: kept.facts,
            alarms: kept.alarms,
            looked_at: kept.looked_at,
            sequences: kept.sequences,
            numbers_from: numbers_from.max(kept.numbers_from),
            waiting,
            purged: false,
        })
    }

    /// The next number of a lane.
    pub(super) fn next_sequence(&mut self, destination: &Name) -> u64 {
        let last = self.sequences.entry(destination.as_str().to_owned()).or_default();
        *last = self.numbers_from.max(*last) + 1;
        *last
    }

    /// What to store; afterwards the case stands one version further. `remind_at` is when an open alarm is told again.
    pub(super) fn write(&mut self, state: &EpisodeState, remind_at: Option<Timestamp>, patient: Option<Ref>) -> EpisodeWrite {
        let kept = Kept {
            format: FORMAT,
            facts: self.facts.clone(),
            sequences: self.sequences.clone(),
            numbers_from: self.numbers_from,
            alarms: self.alarms.clone(),
            looked_at: self.looked_at,
        };
        let useful = self.waiting.iter().filter(|waiting| !waiting.held).filter_map(|waiting| waiting.useful_until);
        let write = EpisodeWrite {
            id: self.id,
            from: self.from,
            phase: state.phase,
            rules: self.rules.clone(),
            body: Personal::new(serde_json::to_vec(&kept).unwrap_or_default()),
            look_at: useful.chain(state.look_at).chain(remind_at).min().map(whole_millisecond),
            patient,
        };
        self.from += 1;
        write
    }
}

/// The first whole millisecond from a moment on: the store keeps no finer ones, and a look must not come too early.
fn whole_millisecond(at: Timestamp) -> Timestamp {
    let floor = at.as_millisecond();
    let up = i64::from(at.subsec_nanosecond() % 1_000_000 != 0);
    Timestamp::from_millisecond(floor + up).unwrap_or(at)
}

/// The facts of an episode, for whoever only looks.
pub fn facts(store: &Store, id: EpisodeId, row: &EpisodeRow, today: Date) -> Result<(Vec<Fact>, Alarms), StoreFault> {
    let kept = kept(store, id, row, today)?;
    Ok((kept.facts, kept.alarms))
}

#[expect(clippy::disallowed_methods, reason = "reads what the store kept")]
fn kept(store: &Store, id: EpisodeId, row: &EpisodeRow, today: Date) -> Result<Kept, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "episode" };
    if let Ok(kept) = serde_json::from_slice::<Kept>(row.body.disclose())
        && kept.format == FORMAT
    {
        return Ok(kept);
    }
    let before: KeptBefore = serde_json::from_slice(row.body.disclose()).map_err(|_| damaged())?;
    let mut facts = Vec::new();
    for kept in store.events_of(id)? {
        let Some(body) = &kept.body else {
            // Its content has gone; what it meant for the episode stands in the older form.
            let known = before.facts.iter().find(|fact| fact.get("event").and_then(Value::as_str) == Some(kept.key.as_str()));
            facts.extend(known.and_then(|fact| Fact::deserialize(fact).ok()));
            continue;
        };
        let event = map::reread(body.disclose(), today).ok_or(StoreFault::Damaged { table: "event" })?;
        let links = Links::of(&event, store.reference_key());
        let to = event.head.recipients.as_ref().map(|list| list.0.clone()).unwrap_or_default();
        episode::add(&mut facts, episode::fact(&event, &links, kept.version, &to));
    }
    Ok(Kept {
        format: FORMAT,
        facts,
        sequences: before.sequences,
        numbers_from: before.numbers_from,
        alarms: Alarms::new(),
        looked_at: row.changed_at,
    })
}

#[expect(clippy::disallowed_methods, reason = "reads what the store kept")]
fn waiting(row: KeptBack, today: Date) -> Result<Waiting, StoreFault> {
    let event = map::reread(row.event.disclose(), today).ok_or(StoreFault::Damaged { table: "event" })?;
    Ok(Waiting {
        message: row.message,
        destination: row.destination,
        kind: row.kind,
        version: row.version,
        event_ref: row.event_ref,
        event,
        useful_until: row.useful_until,
        findings: row.findings,
        held: row.state == State::Held,
    })
}

/// The units that an episode knows, as recipients.
pub(super) fn known_recipients(state: &EpisodeState) -> Vec<Recipient> {
    let unit = |(party, hsa_id): (&Party, &String)| HsaId::parse(hsa_id).map(|hsa_id| Recipient { hsa_id, party: *party });
    state.units.iter().filter_map(unit).collect()
}
