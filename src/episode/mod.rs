//! What follows for a care episode from everything that has happened in it.
//!
//! A pure fold over facts in the order in which they happened, not in which they arrived: late and repeated events end in
//! the same state, clocks and deviations as punctual ones. Never stops anything and never sends anything. What time alone
//! changes follows from the moment that is handed in.

mod alarms;
mod fact;
mod outpatient;
mod stay;

pub use alarms::{Alarm, Alarms, Rung, Told, ring};
pub use fact::{Links, acknowledged_of, add, fact, is_void, missing_in_notice, target_of};

use crate::model::bodies::{CanReceive, ItemCode, ItemStatus, Party};
use crate::model::calendar::{begin, days_between};
use crate::model::catalogue::{EventType, Origin};
use crate::model::episode::{EpisodeState, Fact, Identity, Phase, Sip, SipPhase, VOID, What};
use crate::model::event::{Circumstance, ConsentStatus, IdType, PayingMunicipality, Protection};
use crate::model::person::PersonIdKind;
use crate::model::regime::Regime;
use crate::model::time::local_day;
use jiff::Timestamp;
use stay::Course;
use std::collections::BTreeSet;

/// Most events in one episode; a busy one has some dozens.
pub const FACTS_MAX: usize = 2_000;

/// The state that the facts lead to at a moment. They must be in the order that [`add`] keeps.
pub fn fold(facts: &[Fact], regime: &Regime, now: Timestamp) -> EpisodeState {
    let mut folding = Folding {
        regime,
        state: EpisodeState::default(),
        course: None,
        interrupted: false,
        numbers: BTreeSet::new(),
        planning_data_at: None,
    };
    (folding.state.ignored, folding.state.waiting) = fact::discounted(facts);
    for fact in facts {
        if !folding.state.ignored.contains_key(&fact.event) {
            folding.take(fact);
        }
    }
    folding.finish(facts, now)
}

struct Folding<'a> {
    regime: &'a Regime,
    state: EpisodeState,
    /// The stay that is under way, or the last one.
    course: Option<Course>,
    /// The episode as a whole was broken off, and nothing has begun since.
    interrupted: bool,
    numbers: BTreeSet<(IdType, String)>,
    /// Planning data that came before the stay that they are for.
    planning_data_at: Option<Timestamp>,
}

impl Folding<'_> {
    fn take(&mut self, fact: &Fact) {
        if let Some(rule) = self.refused(fact) {
            self.state.ignored.insert(fact.event.clone(), rule);
            return;
        }
        self.open_stay(fact);
        self.remember(fact);
        self.sip(fact);
        if fact.kind == EventType::KPu && self.course.as_ref().is_none_or(|course| course.stay.end().is_some()) {
            self.planning_data_at = Some(fact.occurred_at);
        }
        if let Some(course) = &mut self.course {
            course.take(fact, &self.state, self.regime);
        }
        self.outpatient(fact);
        self.interrupt(fact);
    }

    /// Messages that the rules refuse do not count, whenever they came.
    fn refused(&self, fact: &Fact) -> Option<&'static str> {
        let needs_consent = matches!(fact.kind, EventType::KSip | EventType::KKs);
        if needs_consent && self.regime.has("SIP-2") && fact.consent != Some(ConsentStatus::Given) {
            return Some("SIP-2");
        }
        let inside = self.course.as_ref().is_some_and(|course| course.stay.phase.is_inpatient());
        (fact.kind == EventType::KKs && inside && self.regime.has("SIP-3")).then_some("SIP-3")
    }

    fn open_stay(&mut self, fact: &Fact) {
        let opens = match (&self.course, fact.kind) {
            (None, kind) => matches!(kind, EventType::KVb | EventType::RIn | EventType::RUk | EventType::RUt),
            (Some(course), EventType::KVb) => course.stay.end().is_some() || self.has_lapsed(course, fact),
            (Some(course), EventType::RIn) => self.is_new_admission(course, fact),
            (Some(course), EventType::RUk | EventType::RUt) => is_of_another_stay(course, fact),
            _ => false,
        };
        if !opens {
            return;
        }
        if let Some(course) = self.course.take() {
            let stay = course.conclude(&self.state, self.regime, fact.occurred_at, true);
            self.state.earlier.push(stay);
            self.state.statuses.clear();
            self.state.circumstances.retain(|name, _| name == "municipality");
            // A plan that stands goes on; a call, or a refusal, was for the stay that has ended.
            let sip = &mut self.state.sip;
            if !sip.own_call && !matches!(sip.phase, SipPhase::Made | SipPhase::FollowedUp) {
                *sip = Sip::default();
            }
        }
        self.interrupted = false;
        let mut course = Course::new(fact, self.readmitted_after(fact));
        course.planning_data_at = self.planning_data_at.take();
        self.course = Some(course);
    }

    /// A notice that comes after the end of a stay opens another one, unless it is only late.
    fn is_new_admission(&self, course: &Course, fact: &Fact) -> bool {
        let What::Admission { admitted_at, .. } = fact.what else { return false };
        course.stay.end().map_or_else(|| self.has_lapsed(course, fact), |end| admitted_at > end)
    }

    /// An announcement that nothing came of.
    fn has_lapsed(&self, course: &Course, fact: &Fact) -> bool {
        course.stay.phase == Phase::Announced && fact.occurred_at > stay::lapses_at(&course.stay, self.regime)
    }

    /// The discharge before, where it was recent.
    fn readmitted_after(&self, fact: &Fact) -> Option<Timestamp> {
        let at = if let What::Admission { admitted_at, .. } = fact.what { admitted_at } else { fact.occurred_at };
        let days = i32::try_from(self.regime.parameters.readmission_days).unwrap_or(i32::MAX);
        let before = self.state.earlier.iter().rev().find_map(|stay| stay.discharged_at);
        before.filter(|before| days_between(local_day(*before), local_day(at)) <= days)
    }

    /// What every event may tell.
    fn remember(&mut self, fact: &Fact) {
        let state = &mut self.state;
        state.seen.insert(fact.kind);
        state.circumstances.extend(fact.circumstances.clone());
        let party = match fact.kind {
            EventType::RIn | EventType::RFl => Some(Party::Sv),
            EventType::RFv | EventType::RKs => Some(Party::Ov),
            _ => None,
        };
        if let (Some(party), Some(sender)) = (party, &fact.sender) {
            state.units.insert(party, sender.clone());
        }
        // A voiding may name the person that the voided event was wrong about.
        if !is_void(fact.kind) {
            // The newest of the best kind: a late event with a reserve number does not undo a personnummer.
            if state.patient.as_ref().is_none_or(|known| rank(known) <= rank(&fact.patient)) {
                state.patient = Some(fact.patient.clone());
            }
            self.numbers.insert((fact.patient.kind, fact.patient.number.clone()));
        }
        state.consent = fact.consent.or(state.consent);
        self.statuses(fact);
    }

    fn statuses(&mut self, fact: &Fact) {
        let state = &mut self.state;
        if let What::Checklist { items } = &fact.what {
            for (code, share, status) in items {
                if let Some(code) = ItemCode::parse(code) {
                    state.statuses.insert((code, *share), *status);
                }
            }
        }
        if fact.kind.row().origin == Origin::Region {
            state.statuses.extend(self.regime.checklist.closed_by(fact.kind).map(|key| (key, ItemStatus::Klar)));
        }
    }

    fn sip(&mut self, fact: &Fact) {
        let sip = &mut self.state.sip;
        match &fact.what {
            What::Call { .. } => {
                let inside = self.course.as_ref().is_some_and(|course| course.stay.phase.is_inpatient());
                sip.own_call = fact.kind == EventType::KKs || (sip.own_call && !inside);
                if sip.phase != SipPhase::Made {
                    sip.phase = SipPhase::Called;
                }
            }
            What::Plan { follow_up } => {
                sip.phase = SipPhase::Made;
                sip.made_at = Some(fact.occurred_at);
                sip.follow_up = Some(*follow_up);
            }
            What::FollowUp { next, closed } => {
                sip.phase = if *closed { SipPhase::Closed } else { SipPhase::FollowedUp };
                sip.follow_up = *next;
            }
            What::Other if fact.kind == EventType::KSv && sip.phase == SipPhase::Called => sip.phase = SipPhase::Answered,
            _ => {}
        }
        let declined = fact.consent == Some(ConsentStatus::NotGiven) || said(&self.state, "CL20", ItemStatus::EjAktuell);
        let open = matches!(self.state.sip.phase, SipPhase::None | SipPhase::Called | SipPhase::Answered);
        if declined && open {
            self.state.sip.phase = SipPhase::Declined;
        }
    }

    /// What is open is broken off; what had ended by itself before stays as it ended.
    fn interrupt(&mut self, fact: &Fact) {
        let What::Interrupted { .. } = fact.what else { return };
        let planned = matches!(self.state.sip.phase, SipPhase::Made | SipPhase::FollowedUp);
        let closed = self.course.as_ref().is_none_or(|course| {
            let settled = |at| fact.occurred_at > stay::settles_at(at, self.regime) && !planned;
            course.stay.phase.is_over() || self.has_lapsed(course, fact) || course.stay.discharged_at.is_some_and(settled)
        });
        let outpatient = self.state.enrolled || self.state.sip.own_call || self.state.seen.contains(&EventType::KOb);
        if closed && self.course.is_some() && !outpatient {
            return;
        }
        self.interrupted = true;
        self.state.enrolled = false;
        self.state.sip.own_call = false;
        if let Some(course) = self.course.as_mut().filter(|_| !closed) {
            course.stay.phase = Phase::Interrupted;
            course.stay.ended_at = Some(fact.occurred_at);
        }
    }

    fn finish(mut self, facts: &[Fact], now: Timestamp) -> EpisodeState {
        let best = |kind| self.numbers.iter().filter(|(known, _)| *known == kind).count();
        self.state.two_persons = best(IdType::Personnummer) > 1 || best(IdType::Samordningsnummer) > 1;
        // Protection once said holds, also where the event counts no more: taking it for ended by mistake cannot be made good.
        self.state.protected = facts.iter().filter_map(|fact| fact.protected).max().unwrap_or(Protection::None);
        self.outpatient_clocks(facts);
        if let Some(course) = self.course.take() {
            self.state.stay = Some(course.conclude(&self.state, self.regime, now, false));
        }
        self.state.phase = self.phase(facts);
        self.rest(facts);
        self.state.look_at = self.look_at(now);
        self.state
    }

    /// In a case that is over nothing is due any more, and a municipality that has no part in it has nothing to do.
    fn rest(&mut self, facts: &[Fact]) {
        let state = &mut self.state;
        let takes_part = state.circumstances.get("municipality").is_none_or(|code| code != PayingMunicipality::None.code());
        let counts = |fact: &&Fact| !state.ignored.contains_key(&fact.event) && !is_void(fact.kind);
        let last = facts.iter().rfind(counts).map(|fact| fact.occurred_at);
        let settled = state.stay.as_ref().and_then(|stay| stay.discharged_at).map(|at| stay::settles_at(at, self.regime));
        let nothing = state.phase.is_over() || state.phase == Phase::New;
        let over = nothing.then(|| settled.max(state.stay.as_ref().and_then(|stay| stay.ended_at)).max(last)).flatten();
        for clocks in [&mut state.clocks].into_iter().chain(state.stay.as_mut().map(|stay| &mut stay.clocks)) {
            clocks.retain(|due| takes_part || due.owner != Party::K);
            for due in clocks.iter_mut().filter(|due| due.met_at.is_none()) {
                due.ended_at = due.ended_at.or(over);
            }
            // What ended before it was due was never late.
            clocks.retain(|due| due.ended_at.is_none_or(|ended| ended >= due.due_at));
        }
    }

    fn phase(&self, facts: &[Fact]) -> Phase {
        let state = &self.state;
        let stay = state.stay.as_ref().map(|stay| stay.phase);
        let began = |fact: &Fact| matches!(fact.kind, EventType::KVb | EventType::RIn | EventType::RUk) || outpatient::opens(fact.kind);
        let voided = facts.iter().any(|fact| began(fact) && state.ignored.get(&fact.event) == Some(&VOID));
        let outpatient = [EventType::KHi, EventType::KHa, EventType::KOb, EventType::KKs].iter().any(|kind| state.seen.contains(kind));
        match stay {
            Some(phase) if !phase.is_over() => phase,
            _ if outpatient::is_open(state) => Phase::Outpatient,
            _ if self.interrupted => Phase::Interrupted,
            // Something else has been under way, and ended, since the stay was broken off.
            Some(Phase::Interrupted) => Phase::Closed,
            Some(phase) => phase,
            None if outpatient => Phase::Closed,
            None if voided => Phase::Voided,
            None => Phase::New,
        }
    }

    /// When time alone changes something next.
    fn look_at(&self, now: Timestamp) -> Option<Timestamp> {
        let running = self.state.clocks().filter(|due| due.met_at.is_none() && due.ended_at.is_none());
        let edges = running.flat_map(|due| [due.warn_at, after(due.due_at)]);
        let stay = self.state.stay.iter().flat_map(|stay| stay::edges(stay, self.regime));
        edges.chain(stay).filter(|at| *at > now).min()
    }
}

/// Ready or discharged after the stay has ended: of a stay whose admission notice has not come. A second word on the day of
/// the discharge is about the same.
fn is_of_another_stay(course: &Course, fact: &Fact) -> bool {
    let Some(end) = course.stay.end() else { return false };
    match fact.what {
        What::Ready { ready_at, .. } => ready_at > end,
        What::Discharge { discharged_at } => local_day(discharged_at) > local_day(end),
        _ => false,
    }
}

/// The first moment that is too late.
pub(crate) fn after(due_at: Timestamp) -> Timestamp {
    due_at + jiff::SignedDuration::from_nanos(1)
}

/// How good a number is.
fn rank(identity: &Identity) -> Option<u8> {
    identity.kind.kind().map(PersonIdKind::rank)
}

/// Whether an owner has given an item this status.
fn said(state: &EpisodeState, code: &str, status: ItemStatus) -> bool {
    state.statuses.iter().any(|((item, _), known)| item.as_str() == code && *known == status)
}

/// Whether a circumstance is known to be true.
fn is_true(known: &Circumstance, name: &str) -> bool {
    known.get(name).is_some_and(|value| value == "true")
}

/// Midnight at the beginning of the day of an instant.
fn begin_of(at: Timestamp) -> Timestamp {
    begin(local_day(at))
}

fn says_can(fact: &Fact) -> Option<bool> {
    if let What::TakeHome { answer } = fact.what { Some(answer == CanReceive::Can) } else { None }
}
