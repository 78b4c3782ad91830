//! What follows for a care episode from everything that has happened in it.
//!
//! A pure fold over facts in the order in which they happened, not in which they arrived: late and repeated events end in
//! the same state as punctual ones. Never stops anything and never sends anything.

use crate::model::bodies::{CanReceive, Party};
use crate::model::catalogue::{Body, EventType};
use crate::model::checklist::{Checklist, Statuses};
use crate::model::episode::{Deviation, EpisodeState, Fact, Phase, What};
use crate::model::event::{CareEvent, Circumstance};
use crate::model::keyed::Ref;
use std::collections::{BTreeMap, BTreeSet};

/// Most events in one episode; a busy one has some dozens.
pub const FACTS_MAX: usize = 2_000;

/// The part of an event that its episode remembers.
#[expect(clippy::disallowed_methods, reason = "the episode keeps the source's id, to order by")]
pub fn fact(event: &CareEvent, reference: &Ref, version: u32) -> Fact {
    let unit = event.head.author.as_ref().and_then(|author| author.unit.as_ref()).map(|unit| unit.hsa_id.as_str().to_owned());
    let what = match &event.body {
        Body::RUk(ready) => What::Ready { ready_at: ready.ready_at },
        Body::RUt(discharged) => What::Discharge { discharged_at: discharged.discharged_at },
        Body::KHt(take_home) => What::TakeHome { answer: take_home.answer },
        Body::KCl(update) => What::Checklist {
            items: update.items.0.iter().map(|item| (item.code.as_str().to_owned(), item.share.unwrap_or(Party::K), item.status)).collect(),
        },
        _ => What::Other,
    };
    let sender = match &event.body {
        Body::RIn(notice) => unit.or_else(|| Some(notice.ward.hsa_id.as_str().to_owned())),
        _ => unit,
    };
    Fact {
        event: reference.as_str().to_owned(),
        id: event.head.event_id.0.disclose().clone(),
        version,
        kind: event.head.kind,
        occurred_at: event.head.occurred_at,
        sent_at: event.head.sent_at,
        circumstances: event.head.circumstances.as_ref().map_or_else(Circumstance::new, super::model::event::Circumstances::known),
        sender,
        what,
    }
}

/// Adds a fact in its place; a newer version of the same event takes the place of the older.
pub fn add(facts: &mut Vec<Fact>, fact: Fact) {
    if facts.iter().any(|known| known.event == fact.event && known.version >= fact.version) {
        return;
    }
    facts.retain(|known| known.event != fact.event);
    let place = facts.partition_point(|known| known.order() < fact.order());
    facts.insert(place, fact);
}

/// The state that the facts lead to. They must be in the order that [`add`] keeps.
pub fn fold(facts: &[Fact], checklist: &Checklist) -> EpisodeState {
    let mut state = EpisodeState {
        phase: Phase::New,
        circumstances: Circumstance::new(),
        statuses: Statuses::new(),
        seen: BTreeSet::new(),
        ready_at: None,
        discharged_at: None,
        deviations: Vec::new(),
        units: BTreeMap::new(),
    };
    let mut can_receive = false;
    for fact in facts {
        state.seen.insert(fact.kind);
        state.circumstances.extend(fact.circumstances.clone());
        if fact.kind == EventType::RIn
            && let Some(sender) = &fact.sender
        {
            state.units.insert(Party::Sv, sender.clone());
        }
        match &fact.what {
            What::Ready { ready_at } => state.ready_at = Some(*ready_at),
            What::TakeHome { answer } => can_receive = *answer == CanReceive::Can,
            What::Checklist { items } => {
                for (code, share, status) in items {
                    if let Some(code) = crate::model::bodies::ItemCode::parse(code) {
                        state.statuses.insert((code, *share), *status);
                    }
                }
            }
            What::Discharge { discharged_at } => {
                state.discharged_at = Some(*discharged_at);
                // The list is frozen here: what is done later does not undo that it was open when the patient left.
                state.deviations = left_open(&state, checklist);
            }
            What::Other => {}
        }
        let complete = checklist.open(Party::K, &state.statuses, &state.circumstances).next().is_none();
        state.phase = next_phase(state.phase, fact.kind, can_receive && complete);
    }
    state
}

fn next_phase(phase: Phase, kind: EventType, confirmed: bool) -> Phase {
    match (phase, kind) {
        (_, EventType::RUt) | (Phase::Discharged, _) => Phase::Discharged,
        (Phase::New, EventType::RIn) => Phase::Admitted,
        (Phase::Admitted, EventType::KPu | EventType::KCl) => Phase::Planning,
        (_, EventType::RUk) | (Phase::Ready, _) if confirmed => Phase::TakeHomeConfirmed,
        (Phase::New | Phase::Admitted | Phase::Planning, EventType::RUk) | (Phase::TakeHomeConfirmed, EventType::KHt | EventType::KCl)
            if !confirmed =>
        {
            Phase::Ready
        }
        (phase, _) => phase,
    }
}

/// The municipality's items that are open at the discharge, each a deviation of rule CHK-1.
fn left_open(state: &EpisodeState, checklist: &Checklist) -> Vec<Deviation> {
    checklist
        .open(Party::K, &state.statuses, &state.circumstances)
        .map(|item| Deviation { rule: "CHK-1", item: Some(item.code.clone()), owners: item.owners.clone() })
        .collect()
}
