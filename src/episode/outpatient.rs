//! Outpatient care (öppenvårdsprocessen): home health care, requests to the health centre, and what is to be acknowledged.

use super::Folding;
use crate::model::bodies::Party;
use crate::model::calendar::{end, hours, noon, weekdays_after, weekdays_before};
use crate::model::catalogue::EventType;
use crate::model::episode::{ClockKind, Due, EpisodeState, Fact, SipPhase, What};
use crate::model::regime::Regime;
use crate::model::time::local_day;
use jiff::Timestamp;

/// Types that open an outpatient case.
pub(super) fn opens(kind: EventType) -> bool {
    matches!(kind, EventType::KHi | EventType::KOb | EventType::KKs)
}

/// Whether something of it is under way.
pub(super) fn is_open(state: &EpisodeState) -> bool {
    let plan = state.sip.own_call && !matches!(state.sip.phase, SipPhase::Closed | SipPhase::Declined);
    state.enrolled || state.open_requests > 0 || plan
}

impl Folding<'_> {
    pub(super) fn outpatient(&mut self, fact: &Fact) {
        if opens(fact.kind) {
            self.interrupted = false;
        }
        match fact.what {
            What::Enrolled { .. } => self.state.enrolled = true,
            What::EnrolmentEnded { .. } => self.state.enrolled = false,
            _ => {}
        }
    }

    /// Due times outside the stays. They look at every fact at once: an answer may stand before its question.
    pub(super) fn outpatient_clocks(&mut self, facts: &[Fact]) {
        let counts = |fact: &&Fact| !self.state.ignored.contains_key(&fact.event);
        let live: Vec<&Fact> = facts.iter().filter(counts).collect();
        let mut clocks: Vec<Due> = live.iter().filter_map(|fact| self.clock_of(fact, &live)).collect();
        let waits = |due: &&Due| due.kind == ClockKind::CentreAnswer && due.met_at.is_none() && due.ended_at.is_none();
        self.state.open_requests = clocks.iter().filter(waits).count();
        // What ended before it was due was never late.
        clocks.retain(|due| due.ended_at.is_none_or(|ended| ended > due.due_at));
        self.state.clocks = clocks;
    }

    fn clock_of(&self, fact: &Fact, live: &[&Fact]) -> Option<Due> {
        let parameters = &self.regime.parameters;
        let weekday = |date, count| end(weekdays_after(date, count));
        let (kind, owner, due_at, met_at) = match &fact.what {
            What::Enrolled { on } => (ClockKind::Enrolled, Party::K, weekday(*on, parameters.enrolment_weekdays), Some(fact.occurred_at)),
            What::EnrolmentEnded { on } => {
                (ClockKind::EnrolmentEnded, Party::K, weekday(*on, parameters.enrolment_weekdays), Some(fact.occurred_at))
            }
            What::Call { meeting_at: Some(meeting) } if fact.kind == EventType::KKs => {
                let last = weekdays_before(local_day(*meeting), parameters.call_ahead_weekdays);
                (ClockKind::OwnCall, Party::K, end(last), Some(fact.occurred_at))
            }
            What::Request { answer_by } => (ClockKind::CentreAnswer, Party::Ov, *answer_by, answer(fact, live)),
            What::Plan { follow_up: on } | What::FollowUp { next: Some(on), closed: false } => {
                let next = live.iter().find(|next| next.order() > fact.order() && follows_up(next));
                if next.is_some_and(|next| matches!(next.what, What::Plan { .. })) {
                    return None;
                }
                (ClockKind::FollowUp, Party::K, end(*on), next.map(|next| next.occurred_at))
            }
            _ if parameters.acknowledge.contains(&fact.kind) => {
                (ClockKind::Acknowledge, Party::K, noon(weekdays_after(local_day(fact.sent()), 1)), acknowledged(fact, live))
            }
            _ => return None,
        };
        let broken_off = |later: &&&Fact| later.order() >= fact.order() && matches!(later.what, What::Interrupted { .. });
        let ended_at = live.iter().find(broken_off).map(|later| later.occurred_at).filter(|_| met_at.is_none());
        Some(Due { ended_at, ..due(kind, &fact.event, owner, due_at, met_at, self.regime) })
    }
}

fn follows_up(fact: &Fact) -> bool {
    matches!(fact.what, What::Plan { .. } | What::FollowUp { .. })
}

/// A due time that is warned of as the rules have it.
pub(super) fn due(kind: ClockKind, of: &str, owner: Party, due_at: Timestamp, met_at: Option<Timestamp>, regime: &Regime) -> Due {
    let warn_at = due_at - hours(regime.parameters.warn_before_h);
    Due { kind, of: of.to_owned(), owner, warn_at, due_at, met_at, ended_at: None }
}

/// When the health centre answered: by name, or with the first answer after the request that names none.
fn answer(request: &Fact, live: &[&Fact]) -> Option<Timestamp> {
    let answers = |fact: &&&Fact| {
        let closing = matches!(fact.what, What::CentreAnswer { open: false });
        closing && (names(request, fact) || (fact.target.is_empty() && fact.order() >= request.order()))
    };
    live.iter().find(answers).map(|fact| fact.sent())
}

/// Whether an answer names an event, or the one that the event corrects.
fn names(event: &Fact, answer: &Fact) -> bool {
    let before = event.corrects.is_some() && event.corrects == answer.target.event;
    before || event.is_meant(&answer.target)
}

/// When a person acknowledged: by name, or with the first acknowledgement after it that names nothing.
fn acknowledged(message: &Fact, live: &[&Fact]) -> Option<Timestamp> {
    let acknowledges = |fact: &&&Fact| {
        let meant = names(message, fact) || (fact.target.is_empty() && fact.order() >= message.order());
        fact.kind == EventType::KKv && meant
    };
    live.iter().find(acknowledges).map(|fact| fact.occurred_at)
}
