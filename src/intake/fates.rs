//! What becomes of messages: the new one, and those that are kept back.

use super::case::Waiting;
use super::judge::{Arrival, Judgement};
use super::lines;
use super::outgoing::{self, Address, message, question};
use crate::check::{self, Ruling};
use crate::episode;
use crate::fault::Code;
use crate::model::calendar::hours;
use crate::model::catalogue::EventType;
use crate::model::episode::{CORRECTED, EpisodeState, Fact, Phase, VOID};
use crate::model::event::{CareEvent, ConsentStatus, Recipient};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::message::Standing;
use crate::model::name::Name;
use crate::model::state::State;
use crate::oplog::Line;
use crate::store::{Change, ChangeTo, NewDelivery, Past, Release};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl Judgement<'_> {
    /// The message that an event gives rise to, one delivery a destination.
    pub(super) fn send(&mut self, arrival: &Arrival, event: &CareEvent, address: Address, standing: Standing) {
        let (recipients, mut destinations) = address;
        let voids = episode::is_void(event.head.kind) && !arrival.voided.is_empty() && self.voids_ours(arrival.links.event.as_str());
        let left = if voids { self.withdraw(arrival) } else { BTreeSet::new() };
        if voids {
            destinations = arrival.voided.iter().map(|past| past.destination.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        }
        let corrected = arrival.links.corrects.as_ref().and_then(|key| self.fact(key.as_str())).cloned();
        let version = arrival.version;
        let message = message(event, version, self.case.id, recipients, corrected.as_ref(), (&self.state, standing, self.at));
        let (id, kind) = (message.id, event.head.kind);
        let ruling = check::run(&self.rules, message, &self.state, false);
        for destination in destinations {
            let mut delivery = NewDelivery {
                message: id,
                destination: destination.clone(),
                kind,
                version,
                state: State::Scheduled,
                rules: self.rules.name.clone(),
                rules_hash: self.rules.hash.clone(),
                release: None,
                findings: Vec::new(),
                useful_until: None,
            };
            let moot = if voids && !left.contains(&destination) {
                Some((State::Withdrawn, Code::ChkNothingLeft))
            } else {
                moot(standing).or_else(|| {
                    has_newer(kind, arrival.links.event.as_str(), &self.case.facts, &self.state)
                        .then_some((State::Superseded, Code::ChkNewer))
                })
            };
            if let Some((state, code)) = moot {
                delivery.state = state;
                delivery.findings = vec![code.finding(Effect::Warn, Layer::Rules, None)];
            } else {
                self.rule(&mut delivery, &ruling, arrival);
            }
            self.lines.push(lines::of_delivery(self.at, self.case.id, &arrival.links.event, &delivery));
            self.deliveries.push(delivery);
        }
    }

    /// Into its lane, or kept back.
    fn rule(&mut self, delivery: &mut NewDelivery, ruling: &Ruling, arrival: &Arrival) {
        match ruling {
            Ruling::Pass(passed, remarks) => match self.document(passed, &delivery.destination) {
                Ok(release) => {
                    let shadow = self.desk.routing.is_shadow(&delivery.destination);
                    delivery.state = if shadow { State::Resolved } else { State::Scheduled };
                    delivery.release = Some(release);
                    delivery.findings.clone_from(remarks);
                }
                Err(faults) => {
                    delivery.state = State::Refused;
                    delivery.findings = faults;
                }
            },
            Ruling::Stop { effect, findings } => {
                delivery.state = stopped(*effect);
                delivery.findings.clone_from(findings);
                if !matches!(delivery.state, State::Withheld | State::Held) {
                    return;
                }
                let held = delivery.state == State::Held;
                delivery.useful_until = (!held).then(|| self.useful_until(delivery.kind));
                self.case.waiting.push(Waiting {
                    message: delivery.message,
                    destination: delivery.destination.clone(),
                    kind: delivery.kind,
                    version: delivery.version,
                    event_ref: arrival.links.event.clone(),
                    event: arrival.mapped.event.clone(),
                    useful_until: delivery.useful_until,
                    findings: findings.clone(),
                    held,
                });
            }
        }
    }

    /// Takes back what has not left of what is voided. Returns the destinations that have it, or may have.
    fn withdraw(&mut self, arrival: &Arrival) -> BTreeSet<Name> {
        let mut left = BTreeSet::new();
        for past in &arrival.voided {
            if may_have_left(past) {
                left.insert(past.destination.clone());
            }
            // What is kept back is ended with all the rest that is; unless it was released a moment ago, in this very batch.
            let is_waiting = |waiting: &Waiting| waiting.message == past.message && waiting.destination == past.destination;
            let released = matches!(past.state, State::Withheld | State::Held) && !self.case.waiting.iter().any(is_waiting);
            let takes = released || past.state == State::Parked || (past.state == State::Scheduled && !past.tried);
            if takes {
                let to = ChangeTo::Withdraw(vec![Code::ChkVoided.finding(Effect::Warn, Layer::Rules, None)]);
                let key = &arrival.links.event;
                let line = lines::of_fate(self.at, self.case.id, key, past.message, &past.destination, State::Withdrawn);
                self.changes.push(Change { message: past.message, destination: past.destination.clone(), to, line: Some(line) });
            }
        }
        left
    }

    /// What is kept back leaves when it may, and ends when it is of no more use.
    pub(super) fn reconsider(&mut self) {
        for mut waiting in std::mem::take(&mut self.case.waiting) {
            if let Some((state, findings)) = self.ended(&waiting) {
                self.end(&waiting, state, findings);
                continue;
            }
            // What is held leaves by a person's hand alone; but its reasons are kept up to date, for that person to see.
            if waiting.held {
                let findings = self.reasons(&waiting);
                if !findings.is_empty() && findings != waiting.findings {
                    let to = ChangeTo::Hold(findings.clone());
                    self.changes.push(Change { message: waiting.message, destination: waiting.destination.clone(), to, line: None });
                    waiting.findings = findings;
                }
                self.case.waiting.push(waiting);
                continue;
            }
            match self.again(&waiting, false) {
                Ok(release) => self.released(waiting, release),
                Err((Effect::Refuse, findings)) => self.end(&waiting, State::Refused, findings),
                Err((effect, findings)) => {
                    waiting.held = effect == Effect::Hold;
                    if waiting.held || findings != waiting.findings {
                        let to = if waiting.held { ChangeTo::Hold(findings.clone()) } else { ChangeTo::StillWithheld(findings.clone()) };
                        let line = waiting.held.then(|| self.fate(&waiting, State::Held, &findings));
                        self.changes.push(Change { message: waiting.message, destination: waiting.destination.clone(), to, line });
                    }
                    self.case.waiting.push(Waiting { findings, ..waiting });
                }
            }
        }
    }

    /// The end of a message that is kept back, where it has come.
    fn ended(&self, waiting: &Waiting) -> Option<(State, Vec<Finding>)> {
        let told = |code: Code| vec![code.finding(Effect::Warn, Layer::Rules, None)];
        let key = waiting.event_ref.as_str();
        let void = episode::is_void(waiting.kind);
        if let Some((state, code)) = moot(Standing { discounted: self.state.ignored.get(key).copied(), ..Standing::default() }) {
            return Some((state, told(code)));
        }
        // Its target came after it and was withdrawn at birth.
        if void && !self.state.waiting.contains(key) && !waiting.held && self.voids_ours(key) {
            return Some((State::Withdrawn, told(Code::ChkNothingLeft)));
        }
        let lasts = outlasts_case(waiting.kind);
        if is_broken_off(&self.state) && !lasts && !came_late(waiting) {
            return Some((State::Withdrawn, told(Code::ChkEpisodeEnded)));
        }
        if let Some(ended) = self.notice_ended(waiting) {
            return Some(ended);
        }
        let useless = !waiting.held && waiting.useful_until.is_some_and(|until| until <= self.at);
        useless.then(|| (State::Expired, waiting.findings.clone()))
    }

    /// A notice that the municipality can receive is for the discharge that is near: not for one that was taken back, has
    /// been, or belongs to a stay before. That holds for what waits for a person too.
    pub(super) fn notice_ended(&self, waiting: &Waiting) -> Option<(State, Vec<Finding>)> {
        let (state, code) = notice_over(&self.state, waiting.kind, waiting.event.head.occurred_at)?;
        let told = |code: Code| vec![code.finding(Effect::Warn, Layer::Rules, None)];
        Some((state, code.map_or_else(|| waiting.findings.clone(), told)))
    }

    fn end(&mut self, waiting: &Waiting, state: State, findings: Vec<Finding>) {
        if let Some(own) = self.case.facts.iter_mut().find(|fact| fact.event == waiting.event_ref.as_str()) {
            own.unsent = true;
        }
        let line = self.fate(waiting, state, &findings);
        let to = ChangeTo::End { state, findings };
        self.changes.push(Change { message: waiting.message, destination: waiting.destination.clone(), to, line: Some(line) });
    }

    fn fate(&self, waiting: &Waiting, state: State, findings: &[Finding]) -> Line {
        let mut line = lines::of_fate(self.at, self.case.id, &waiting.event_ref, waiting.message, &waiting.destination, state);
        line.code = lines::first_code(findings);
        line
    }

    pub(super) fn released(&mut self, waiting: Waiting, release: Release) {
        let shadow = self.desk.routing.is_shadow(&waiting.destination);
        let state = if shadow { State::Resolved } else { State::Scheduled };
        let line = lines::of_fate(self.at, self.case.id, &waiting.event_ref, waiting.message, &waiting.destination, state);
        let to = ChangeTo::Release { release, shadow };
        self.changes.push(Change { message: waiting.message, destination: waiting.destination, to, line: Some(line) });
    }

    /// The same check as at first; the findings are why it still may not leave.
    pub(super) fn again(&mut self, waiting: &Waiting, released: bool) -> Result<Release, (Effect, Vec<Finding>)> {
        match self.ruling(waiting, released)? {
            Ruling::Pass(passed, _) => self.document(&passed, &waiting.destination).map_err(|faults| (Effect::Refuse, faults)),
            Ruling::Stop { effect, findings } => Err((effect, findings)),
        }
    }

    /// Why it may not leave by itself, as things are now.
    pub(super) fn reasons(&self, waiting: &Waiting) -> Vec<Finding> {
        match self.ruling(waiting, false) {
            Ok(Ruling::Stop { findings, .. }) | Err((_, findings)) => findings,
            Ok(Ruling::Pass(..)) => Vec::new(),
        }
    }

    fn ruling(&self, waiting: &Waiting, released: bool) -> Result<Ruling, (Effect, Vec<Finding>)> {
        let key = waiting.event_ref.as_str();
        let own = self.fact(key);
        let event = if waiting.kind == waiting.event.head.kind {
            waiting.event.clone()
        } else {
            let sender = own.and_then(|fact| fact.sender.as_ref());
            question(&waiting.event, &episode::missing_in_notice(&waiting.event), sender)
        };
        // Whom it was for when it came: its destination was chosen by that. A question of ours has no fact of its own.
        let recorded = own.filter(|_| waiting.kind == waiting.event.head.kind).map(outgoing::recorded).unwrap_or_default();
        let recipients: Vec<Recipient> = if recorded.is_empty() {
            self.desk.address(&event, &self.state, None).map_err(|findings| (Effect::Withhold, findings))?.0
        } else {
            recorded
        };
        let standing = Standing {
            discounted: self.state.ignored.get(key).copied().or_else(|| lost_consent(waiting.kind, &self.state).then_some("SIP-2")),
            lacks_target: self.state.waiting.contains(key),
            // Late once, late for ever: what it waited for beside does not change that.
            late: came_late(waiting),
        };
        let corrected = own.and_then(|fact| fact.corrects.as_ref()).and_then(|key| self.fact(key));
        let message = message(&event, waiting.version, self.case.id, recipients, corrected, (&self.state, standing, self.at));
        Ok(check::run(&self.rules, message, &self.state, released))
    }

    /// Whether a voiding voids a message of ours; else it tells the region that an event of theirs was misdirected.
    fn voids_ours(&self, key: &str) -> bool {
        let target = self.fact(key).and_then(|own| episode::target_of(own, &self.case.facts));
        target.is_some_and(|target| target.kind.is_sent())
    }

    fn fact(&self, key: &str) -> Option<&Fact> {
        self.case.facts.iter().find(|fact| fact.event == key)
    }

    fn useful_until(&self, kind: EventType) -> Timestamp {
        let parameters = &self.rules.regime.parameters;
        self.at + hours(if kind == EventType::KHt { parameters.take_home_useful_h } else { parameters.order_wait_h })
    }
}

/// Whether a take-home notice has been overtaken by a later one: there are never two.
pub(super) fn has_newer(kind: EventType, key: &str, facts: &[Fact], state: &EpisodeState) -> bool {
    let own = facts.iter().find(|fact| fact.event == key && kind == EventType::KHt);
    let Some(own) = own else { return false };
    let opened = state.stay.as_ref().map(|stay| stay.opened_at);
    let newer = |fact: &Fact| fact.kind == kind && fact.order() > own.order() && !fact.unsent && !state.ignored.contains_key(&fact.event);
    opened.is_none_or(|opened| own.occurred_at >= opened) && facts.iter().any(newer)
}

/// A take-home notice of that moment is of no more use, and why where that has a code.
pub(super) fn notice_over(state: &EpisodeState, kind: EventType, at: Timestamp) -> Option<(State, Option<Code>)> {
    let stay = state.stay.as_ref().filter(|_| kind == EventType::KHt)?;
    if stay.withdrawn.last().is_some_and(|withdrawn| at <= *withdrawn) {
        return Some((State::Withdrawn, Some(Code::ChkReadyWithdrawn)));
    }
    let before = !state.earlier.is_empty() && at < stay.opened_at;
    (stay.discharged_at.is_some() || before).then_some((State::Expired, None))
}

pub(super) fn is_broken_off(state: &EpisodeState) -> bool {
    matches!(state.phase, Phase::Interrupted | Phase::Voided)
}

/// What is said also when its case has been broken off.
pub(super) fn outlasts_case(kind: EventType) -> bool {
    episode::is_void(kind) || matches!(kind, EventType::KKv | EventType::KAd | EventType::KAv)
}

/// A plan is not sent once the patient has said no.
pub(super) fn lost_consent(kind: EventType, state: &EpisodeState) -> bool {
    matches!(kind, EventType::KSip | EventType::KKs) && state.consent == Some(ConsentStatus::NotGiven)
}

/// It came when its case was over already, and waits for a person by rule LATE-1.
fn came_late(waiting: &Waiting) -> bool {
    waiting.findings.iter().any(|finding| finding.code == "LATE-1")
}

/// A message whose event does not count any more, before it has left.
fn moot(standing: Standing) -> Option<(State, Code)> {
    match standing.discounted {
        Some(VOID) => Some((State::Withdrawn, Code::ChkVoided)),
        Some(CORRECTED) => Some((State::Superseded, Code::ChkCorrected)),
        _ => None,
    }
}

fn may_have_left(past: &Past) -> bool {
    match past.state {
        State::Submitted | State::WaitingForReceipt | State::ScheduledForResend | State::Accepted | State::Parked => true,
        State::Scheduled => past.tried,
        State::Withheld | State::Held => past.in_doubt,
        _ => false,
    }
}

fn stopped(effect: Effect) -> State {
    match effect {
        Effect::Refuse => State::Refused,
        Effect::Hold => State::Held,
        Effect::Withhold | Effect::Deviation | Effect::Warn => State::Withheld,
    }
}
