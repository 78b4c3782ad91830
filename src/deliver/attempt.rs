//! One claimed delivery: what is asked and sent, and what is written of it.

use super::decide::{Next, Tries, decide, decide_asked, decide_doubt, route_news};
use super::driver::{Driver, STORE_PAUSE};
use crate::fault::Code;
use crate::model::answer::Answer;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::EnvelopeId;
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use crate::model::state::{ReceiptStatus, State};
use crate::oplog::{Event, Level, Reason};
use crate::seal::Checked;
use crate::store::{Attempt, Claimed, Finish, Waiting};
use crate::transport::{Envelope, Question, Reply, Transport, skew};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// [`Answer::word`]s that the next try asks for.
const ROUTE_DOWN: &str = "routeDown";
const LOST: &str = "lost";
/// The store's own: the worker that had it never wrote what came of it.
const UNANSWERED: &str = "unanswered";
/// The route is down with this message alone.
const CLOSED_TO_THIS: &str = "closedToThis";

/// A try, and what follows.
struct Outcome {
    next: Next,
    reply: Option<Reply>,
    attempt: Option<Attempt>,
}

impl Outcome {
    fn park(code: Code) -> Self {
        Self { next: Next::Park { code }, reply: None, attempt: None }
    }
}

impl<T: Transport> Driver<T> {
    /// Does what is due with one claimed delivery and writes what came of it.
    pub(super) async fn deliver(self: Arc<Self>, claimed: Claimed) {
        let started_at = self.clock.now();
        if started_at >= claimed.until {
            // It took so long to come here (a machine that slept) that it may be another's, or settled.
            return;
        }
        let restored =
            ContentHash::from_bytes(&claimed.hash).and_then(|hash| Checked::restore(claimed.message, claimed.content.clone(), hash));
        let outcome = match (restored, &claimed.waiting) {
            (None, _) => Outcome::park(Code::DlvCorrupt),
            (Some(checked), Some(waiting)) => self.ask(&claimed, &checked, waiting, started_at).await,
            // Claimed and never finished, again and again: it may be what kills the process.
            (Some(_), None) if claimed.turn > self.policy.max_attempts => Outcome::park(Code::DlvAttempts),
            (Some(checked), None) => self.send(&claimed, &checked, started_at).await,
        };
        if let Some(attempt) = &outcome.attempt {
            self.metrics.attempts.count([self.destination.as_str(), attempt.answer]);
            self.metrics.attempt_duration.took([self.destination.as_str()], Duration::from_millis(attempt.duration_ms));
        }
        self.write(self.finish(&claimed, outcome)).await;
    }

    /// Asks for the receipt of what the receiver has taken in.
    async fn ask(&self, claimed: &Claimed, checked: &Checked, waiting: &Waiting, started_at: Timestamp) -> Outcome {
        let asks = waiting.place.is_some() || self.transport.looks_up();
        let reply = if asks { Some(self.question(claimed, checked, waiting.place.clone()).await) } else { None };
        let now = self.clock.now();
        let left = between(now, waiting.until);
        let next = match &reply {
            Some(reply) => {
                let waited = self.policy.receipt_deadline.saturating_sub(left);
                decide_asked(&reply.answer, waited, left, self.tries(claimed, now), &self.policy)
            }
            None if left.is_zero() => Next::Park { code: Code::DlvReceiptOverdue },
            // It is called back.
            None => Next::Wait { after: left },
        };
        // A question that brought nothing new is not kept.
        let kept = reply.as_ref().filter(|_| !matches!(next, Next::Wait { .. }));
        let attempt = kept.map(|reply| self.attempt(None, started_at, reply, &next));
        Outcome { next, reply, attempt }
    }

    /// Sends it, unless a look-up shows that the receiver has it since a try of which nobody knows how it ended.
    async fn send(&self, claimed: &Claimed, checked: &Checked, started_at: Timestamp) -> Outcome {
        if claimed.in_doubt && !self.transport.looks_up() {
            return Outcome::park(Code::StoDoubt);
        }
        let in_doubt = claimed.in_doubt || matches!(claimed.last_answer.as_deref(), Some(LOST | UNANSWERED));
        if in_doubt && self.transport.looks_up() {
            let reply = self.question(claimed, checked, None).await;
            if let Some(next) = decide_doubt(&reply.answer, self.tries(claimed, self.clock.now()), &self.policy) {
                let mut attempt = self.attempt(None, started_at, &reply, &next);
                if matches!(next, Next::Again { .. } | Next::Route { .. }) {
                    // As unknown as before: the next try asks first as well.
                    attempt.answer = LOST;
                }
                // A status may be about this question alone.
                if reply.http_status.is_none() {
                    self.hear(route_news(&reply.answer, false)).await;
                }
                return Outcome { next, reply: Some(reply), attempt: Some(attempt) };
            }
        }
        let envelope_id = self.dice.envelope_id();
        let envelope = Envelope {
            message: claimed.message,
            envelope: envelope_id,
            body: Personal::new(checked.transmission(envelope_id, started_at)),
            content_hash: checked.hash(),
        };
        let sent_at = self.clock.now();
        let mut reply = self.transport.send(envelope).await;
        self.compare_clocks(sent_at, &reply);
        if reply.answer == (Answer::Conflict { proved: false }) && self.transport.looks_up() {
            let found = self.question(claimed, checked, None).await;
            if matches!(found.answer, Answer::Receipt { status: ReceiptStatus::Accepted | ReceiptStatus::AcceptedWithErrors, .. }) {
                reply = found;
            }
        }
        let tries = self.tries(claimed, self.clock.now());
        let next = decide(&reply.answer, tries, &self.policy);
        let mut attempt = self.attempt(Some(envelope_id), started_at, &reply, &next);
        if tries.suspect && attempt.answer == ROUTE_DOWN {
            attempt.answer = CLOSED_TO_THIS;
        }
        // The route first: what is written next may wake the loop, and it must not claim on a route that has just closed.
        self.hear(route_news(&reply.answer, tries.suspect)).await;
        Outcome { next, reply: Some(reply), attempt: Some(attempt) }
    }

    async fn question(&self, claimed: &Claimed, checked: &Checked, place: Option<Personal<String>>) -> Reply {
        let asked_at = self.clock.now();
        let reply = self.transport.ask(Question { message: claimed.message, content_hash: checked.hash(), place }).await;
        self.compare_clocks(asked_at, &reply);
        reply
    }

    fn compare_clocks(&self, began: Timestamp, reply: &Reply) {
        if let Some(date) = reply.date {
            let skew = skew(date, began, self.clock.now());
            self.metrics.clock_skew.set([self.destination.as_str()], skew.as_secs());
        }
    }

    fn tries(&self, claimed: &Claimed, now: Timestamp) -> Tries {
        Tries { attempt: claimed.turn, released_at: claimed.released_at, now, suspect: self.is_suspect(claimed) }
    }

    /// The route failed with this delivery before, and has worked with others since. Once found out, it stays so: when it
    /// is alone in the queue there is nobody left to prove it by.
    fn is_suspect(&self, claimed: &Claimed) -> bool {
        let worked_at = self.route_state().worked_at;
        match claimed.last_answer.as_deref() {
            Some(CLOSED_TO_THIS) => true,
            Some(ROUTE_DOWN) => claimed.tried_at.zip(worked_at).is_some_and(|(tried, worked)| tried < worked),
            _ => false,
        }
    }

    fn attempt(&self, envelope: Option<EnvelopeId>, started_at: Timestamp, reply: &Reply, next: &Next) -> Attempt {
        Attempt {
            envelope,
            started_at,
            duration_ms: u64::try_from(self.clock.now().duration_since(started_at).as_millis()).unwrap_or(0),
            answer: reply.answer.word(),
            disclosed: reply.answer.discloses(envelope.is_some()),
            code: code_of(next).map(Code::id),
            http_status: reply.http_status,
            receipt: reply.receipt.clone(),
        }
    }

    /// Writes what became of a delivery. Where the store fails (a full disk), it is tried again for as long as the lease
    /// lasts: what the receiver said should not have to be asked for twice.
    async fn write(&self, finish: Finish) {
        let until = finish.at + self.policy.lease;
        loop {
            match self.store.finish(finish.clone()).await {
                Ok(true) => return self.metrics.tell(&finish.lines),
                // The lease had passed on: whoever has it now tells the story.
                Ok(false) => return,
                Err(fault) => self.report(fault),
            }
            if self.clock.now() >= until {
                return;
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }

    fn finish(&self, claimed: &Claimed, outcome: Outcome) -> Finish {
        let Outcome { next, reply, attempt } = outcome;
        let now = self.clock.now();
        let code = code_of(&next);
        let (state, next_at, event, level) = match &next {
            Next::End { state, .. } if *state == State::Accepted => (State::Accepted, None, Event::DeliveryAccepted, Level::Info),
            Next::End { state, .. } => (*state, None, Event::DeliveryRejected, Level::Warn),
            Next::Park { .. } => (State::Parked, None, Event::DeliveryParked, Level::Error),
            Next::Again { after, .. } => {
                // A fifth to either side, so that what failed together does not come back together.
                let jitter = 0.8 + 0.4 * self.dice.fraction();
                (State::ScheduledForResend, Some(now + after.mul_f64(jitter)), Event::DeliveryResend, Level::Warn)
            }
            Next::Wait { after } => (State::WaitingForReceipt, Some(now + *after), Event::DeliveryWaiting, Level::Info),
            // Behind the other lanes of this destination: the next probe takes another message.
            Next::Route { .. } => (State::Scheduled, Some(now), Event::DeliveryAttempt, Level::Debug),
        };
        let waiting = matches!(next, Next::Wait { .. }).then(|| {
            claimed.waiting.clone().unwrap_or_else(|| Waiting {
                until: now + self.policy.receipt_deadline,
                place: reply.as_ref().and_then(|reply| reply.place.clone()),
            })
        });
        let mut line = self.line(now, level, event);
        line.code = code.map(Code::id);
        line.message_id = Some(claimed.message);
        line.event_ref = Some(claimed.event_ref.clone());
        line.episode_id = Some(claimed.episode);
        line.state = Some(state);
        line.attempt = Some(claimed.attempt);
        line.duration_ms = attempt.as_ref().map(|attempt| attempt.duration_ms);
        line.reason = reply.as_ref().and_then(reason);
        let still_waiting = waiting.is_some() && claimed.waiting.is_some();
        Finish {
            id: claimed.id,
            token: claimed.token,
            state,
            next_at,
            waiting,
            in_doubt: claimed.in_doubt && !is_told(&next),
            unburn: matches!(next, Next::Route { .. }),
            code: code.map(Code::id),
            findings: findings_of(reply.as_ref().map(|reply| &reply.answer), state, code),
            attempt,
            at: now,
            lines: if still_waiting { Vec::new() } else { vec![line] },
        }
    }
}

/// What the receipt says, else what we say of the try.
pub(super) fn findings_of(answer: Option<&Answer>, state: State, code: Option<Code>) -> Vec<Finding> {
    if let Some(Answer::Receipt { findings, .. }) = answer
        && !findings.is_empty()
    {
        return findings.clone();
    }
    let effect = if state == State::Rejected { Effect::Refuse } else { Effect::Warn };
    code.map(|code| code.finding(effect, Layer::Delivery, None)).into_iter().collect()
}

fn code_of(next: &Next) -> Option<Code> {
    match next {
        Next::End { code, .. } => *code,
        Next::Park { code } | Next::Again { code, .. } | Next::Route { code, .. } => Some(*code),
        Next::Wait { .. } => None,
    }
}

/// Whether a person, or the receiver, has the last word on it from now on.
fn is_told(next: &Next) -> bool {
    matches!(next, Next::End { .. } | Next::Park { code: Code::StoDoubt | Code::DlvConflict })
}

fn reason(reply: &Reply) -> Option<Reason> {
    match &reply.answer {
        Answer::Receipt { reason: Some(reason), .. } => Some(Reason::Word(reason.code())),
        _ => reply.http_status.map(Reason::Http),
    }
}

/// From one moment to a later one; nothing where it is not later.
fn between(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}
