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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Keyed reference of the source event; a new version replaces the fact with the same one.
    pub event: String,
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
