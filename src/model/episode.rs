//! A care episode: the facts that events brought, and the state that follows from them.

use super::bodies::{CanReceive, ItemCode, ItemStatus, Party};
use super::catalogue::EventType;
use super::checklist::Statuses;
use super::event::Circumstance;
use super::shape::codes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

codes! {
    /// How far an episode has come.
    Phase {
        New = "NY": "Ny", "New";
        Admitted = "INSKRIVEN": "Inskriven", "Admitted";
        Planning = "PLANERING": "Planering pågår", "Planning";
        Ready = "UTSKRIVNINGSKLAR": "Utskrivningsklar", "Ready for discharge";
        TakeHomeConfirmed = "HEMTAGNING_BEKRAFTAD": "Hemtagning bekräftad", "Reception confirmed";
        Discharged = "UTSKRIVEN": "Utskriven", "Discharged";
    }
}

/// What one event means for its episode. Small, because the whole list is folded anew for each event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Keyed reference of the source event; a new version replaces the fact with the same one.
    pub event: String,
    /// The source's own id: the last word on the order of what happened at one moment.
    pub id: String,
    pub version: u32,
    pub kind: EventType,
    pub occurred_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Circumstance::is_empty")]
    pub circumstances: Circumstance,
    /// The unit that the event came from, to answer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    pub what: What,
}

/// The source's id may hold a person's number, so it is not shown.
impl std::fmt::Debug for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fact").field("event", &self.event).field("kind", &self.kind).field("what", &self.what).finish_non_exhaustive()
    }
}

impl Fact {
    /// Facts stand in this order: as they happened, then as they were sent, then as the source numbers them.
    pub fn order(&self) -> (Timestamp, Option<Timestamp>, &str) {
        (self.occurred_at, self.sent_at, &self.id)
    }
}

/// The part of a body that the fold looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Ready { ready_at: Timestamp },
    Discharge { discharged_at: Timestamp },
    Checklist { items: Vec<(String, Party, ItemStatus)> },
    TakeHome { answer: CanReceive },
    Other,
}

/// Something that did not go as it should have, without anything being stopped for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deviation {
    pub rule: &'static str,
    pub item: Option<ItemCode>,
    pub owners: Vec<Party>,
}

/// What follows from the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeState {
    pub phase: Phase,
    pub circumstances: Circumstance,
    pub statuses: Statuses,
    pub seen: BTreeSet<EventType>,
    pub ready_at: Option<Timestamp>,
    pub discharged_at: Option<Timestamp>,
    pub deviations: Vec<Deviation>,
    /// Units to answer to, by party: what recipients an event without any gets.
    pub units: BTreeMap<Party, String>,
}
