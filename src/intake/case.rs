//! An episode as intake works on it: its facts, its lanes' numbers, and what is withheld in it.

use crate::check::rules::Rules;
use crate::map;
use crate::model::bodies::Party;
use crate::model::catalogue::EventType;
use crate::model::episode::{EpisodeState, Fact};
use crate::model::event::{CareEvent, Recipient};
use crate::model::finding::Finding;
use crate::model::ids::{EpisodeId, HsaId, MessageId};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::store::{EpisodeWrite, Store, StoreFault};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An episode between two commits.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) id: EpisodeId,
    /// Version that it was read at, or that the batch's earlier entry will have left it at; 0 where it is new.
    pub(super) from: u64,
    pub(super) rules: String,
    pub(super) facts: Vec<Fact>,
    /// Last number given out, by destination.
    sequences: BTreeMap<String, u64>,
    pub(super) withheld: Vec<Waiting>,
}

/// A withheld delivery.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) message: MessageId,
    pub(super) destination: Name,
    pub(super) kind: EventType,
    pub(super) version: u32,
    pub(super) event_ref: crate::model::keyed::Ref,
    pub(super) event: CareEvent,
    pub(super) recipients: Vec<Recipient>,
    pub(super) useful_until: Option<Timestamp>,
    pub(super) findings: Vec<Finding>,
}

/// The part of an episode that the store keeps as one.
#[derive(Serialize, Deserialize)]
struct Kept {
    facts: Vec<Fact>,
    sequences: BTreeMap<String, u64>,
}

impl Case {
    /// An episode of which nothing is known.
    pub(super) fn new(id: EpisodeId, rules: &Rules) -> Self {
        Self { id, from: 0, rules: rules.name.clone(), facts: Vec::new(), sequences: BTreeMap::new(), withheld: Vec::new() }
    }

    #[expect(clippy::disallowed_methods, reason = "reads what the store kept")]
    pub(super) fn load(store: &Store, id: EpisodeId, rules: &Rules, today: Date) -> Result<Self, StoreFault> {
        let damaged = || StoreFault::Damaged { table: "episode" };
        let Some(row) = store.episode(id)? else {
            return Ok(Self {
                id,
                from: 0,
                rules: rules.name.clone(),
                facts: Vec::new(),
                sequences: BTreeMap::new(),
                withheld: Vec::new(),
            });
        };
        let kept: Kept = serde_json::from_slice(row.body.disclose()).map_err(|_| damaged())?;
        let mut withheld = Vec::new();
        for waiting in store.withheld(id)? {
            let event = map::reread(waiting.event.disclose(), today).ok_or(StoreFault::Damaged { table: "event" })?;
            withheld.push(Waiting {
                message: waiting.message,
                destination: waiting.destination,
                kind: waiting.kind,
                version: waiting.version,
                event_ref: waiting.event_ref,
                recipients: event.head.recipients.clone().map(|list| list.0).unwrap_or_default(),
                event,
                useful_until: waiting.useful_until,
                findings: waiting.findings,
            });
        }
        Ok(Self { id, from: row.version, rules: row.rules, facts: kept.facts, sequences: kept.sequences, withheld })
    }

    /// The next number of a lane.
    pub(super) fn next_sequence(&mut self, destination: &Name) -> u64 {
        let last = self.sequences.entry(destination.as_str().to_owned()).or_default();
        *last += 1;
        *last
    }

    /// What to store; afterwards the case stands one version further.
    pub(super) fn write(&mut self, state: &EpisodeState) -> EpisodeWrite {
        let kept = Kept { facts: self.facts.clone(), sequences: self.sequences.clone() };
        let write = EpisodeWrite {
            id: self.id,
            from: self.from,
            phase: state.phase,
            rules: self.rules.clone(),
            body: Personal::new(serde_json::to_vec(&kept).unwrap_or_default()),
        };
        self.from += 1;
        write
    }
}

/// The units that an episode knows, as recipients.
pub(super) fn known_recipients(state: &EpisodeState) -> Vec<Recipient> {
    let unit = |(party, hsa_id): (&Party, &String)| HsaId::parse(hsa_id).map(|hsa_id| Recipient { hsa_id, party: *party });
    state.units.iter().filter_map(unit).collect()
}
