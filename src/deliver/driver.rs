//! The loop of one destination: claim what is due, send it, write what came of it.

use super::decide::{Next, Policy, RouteNews, Tries, decide, route_news};
use super::route::{Route, Turn};
use crate::fault::Code;
use crate::model::answer::Answer;
use crate::model::dice::Dice;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use crate::model::state::State;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line, Reason};
use crate::seal::Checked;
use crate::store::{Attempt, Claimed, Finish, Store, StoreFault};
use crate::transport::{Envelope, Reply, Transport};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// One destination's loop.
pub struct Driver<T> {
    pub destination: Name,
    pub transport: Arc<T>,
    pub store: Store,
    pub policy: Arc<Policy>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub route: Mutex<RouteState>,
    /// Held over a turn of the route and the alarm that tells of it, so that alarms are written in the order of the turns.
    pub alarms: tokio::sync::Mutex<()>,
}

/// What is known of the way to the destination.
#[derive(Debug)]
pub struct RouteState {
    pub(super) route: Route,
    /// When it last led somewhere.
    worked_at: Option<Timestamp>,
    /// An alarm of an earlier life is closed by the first sign that the route works.
    alarm_may_be_open: bool,
}

impl Default for RouteState {
    fn default() -> Self {
        Self { route: Route::Open, worked_at: None, alarm_may_be_open: true }
    }
}

impl<T> std::fmt::Debug for Driver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("destination", &self.destination).finish_non_exhaustive()
    }
}

/// [`Answer::word`]s that the next try asks for.
const ROUTE_DOWN: &str = "routeDown";
const PENDING: &str = "pending";
/// The route is down with this message alone.
const CLOSED_TO_THIS: &str = "closedToThis";
/// After a failed claim: the store may be out of space, and asking at once will not help.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Even an idle loop looks again now and then.
const IDLE_PAUSE: Duration = Duration::from_mins(1);

impl<T: Transport> Driver<T> {
    /// Runs until `stop` turns true, and then until what is in flight has its answer.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let driver = Arc::new(self);
        let mut in_flight = JoinSet::new();
        let mut news = driver.store.news();
        loop {
            news.mark_unchanged();
            let stopping = *stop.borrow();
            if stopping && in_flight.is_empty() {
                return;
            }
            let now = driver.clock.now();
            let (room, probe_at) = driver.room(in_flight.len(), now);
            let room = if stopping { 0 } else { room };
            let mut next_due = None;
            let mut pause = IDLE_PAUSE;
            if room > 0 {
                match driver.claim(now, room).await {
                    Ok(claims) => {
                        next_due = claims.next_due;
                        for claimed in claims.claimed {
                            in_flight.spawn(Arc::clone(&driver).deliver(claimed));
                        }
                    }
                    Err(fault) => {
                        driver.report(fault);
                        pause = STORE_PAUSE;
                    }
                }
            }
            // Where there was room, nothing was there to probe with: news or the next delivery wakes us, not the clock.
            let probe_at = probe_at.filter(|_| room == 0 && in_flight.is_empty());
            let wake = [next_due, probe_at].into_iter().flatten().min();
            let pause = wake.map_or(pause, |at| until(driver.clock.now(), at).min(pause));
            tokio::select! {
                biased;
                // A delivery that panicked keeps its lease and is tried again when that ends.
                _ = in_flight.join_next(), if !in_flight.is_empty() => while in_flight.try_join_next().is_some() {},
                _ = news.changed(), if !stopping => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed(), if !stopping => {}
            }
        }
    }

    pub(super) async fn claim(&self, now: Timestamp, room: usize) -> Result<crate::store::Claims, StoreFault> {
        self.store.claim(self.destination.clone(), now, now + self.policy.lease, self.dice.bytes(), room).await
    }

    /// How many may be claimed now, and when a closed route is tried next.
    pub(super) fn room(&self, in_flight: usize, now: Timestamp) -> (usize, Option<Timestamp>) {
        let state = self.route_state();
        (state.route.room(in_flight, self.policy.in_flight, now), state.route.probe_at())
    }

    /// Updates the route; opens and closes its alarm.
    async fn hear(&self, news: RouteNews) {
        let _in_order = self.alarms.lock().await;
        let now = self.clock.now();
        let (turn, close) = {
            let mut state = self.route_state();
            let turn = state.route.hear(news, now, self.policy.probe_cap);
            if news == RouteNews::Works {
                state.worked_at = Some(now);
            }
            state.alarm_may_be_open |= matches!(turn, Turn::Closed(_));
            (turn, news == RouteNews::Works && state.alarm_may_be_open)
        };
        let subject = self.destination.as_str().to_owned();
        if let Turn::Closed(cause) = turn {
            let mut line = self.line(now, Level::Error, Event::AlarmOpened).code(Code::DlvRouteClosed);
            line.reason = Some(Reason::Word(cause.id()));
            // Where it was open before a restart it is not opened again; where the store fails it is told all the same.
            if self.store.open_alarm("route", subject.clone(), cause.id(), now, line.clone()).await.unwrap_or(true) {
                line.emit();
            }
        }
        if close {
            let line = self.line(now, Level::Info, Event::AlarmClosed).code(Code::DlvRouteClosed);
            match self.store.close_alarm("route", subject, line.clone()).await {
                Ok(closed) => {
                    self.route_state().alarm_may_be_open = false;
                    if closed {
                        line.emit();
                    }
                }
                Err(fault) => self.report(fault),
            }
        }
        if turn == Turn::Opened
            && let Err(fault) = self.store.hurry(self.destination.clone(), now).await
        {
            self.report(fault);
        }
    }

    fn route_state(&self) -> MutexGuard<'_, RouteState> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Sends one claimed delivery and writes what came of it.
    pub(super) async fn deliver(self: Arc<Self>, claimed: Claimed) {
        let started_at = self.clock.now();
        let restored =
            ContentHash::from_bytes(&claimed.hash).and_then(|hash| Checked::restore(claimed.message, claimed.content.clone(), hash));
        let Some(checked) = restored else {
            self.write(self.finish(&claimed, started_at, Next::Park { code: Code::DlvCorrupt }, None, None)).await;
            return;
        };
        if claimed.attempt > self.policy.max_attempts {
            // Claimed and never finished, again and again: it may be what kills the process.
            self.write(self.finish(&claimed, started_at, Next::Park { code: Code::DlvAttempts }, None, None)).await;
            return;
        }
        if claimed.last_answer.as_deref() == Some(PENDING) {
            self.write(self.finish(&claimed, started_at, Next::Park { code: Code::DlvReceiptOverdue }, None, None)).await;
            return;
        }
        let envelope_id = self.dice.envelope_id();
        let envelope = Envelope {
            message: claimed.message,
            envelope: envelope_id,
            body: Personal::new(checked.transmission(envelope_id, started_at)),
            content_hash: checked.hash(),
        };
        let reply = self.transport.send(envelope).await;
        let now = self.clock.now();
        let suspect = self.is_suspect(&claimed);
        let tries = Tries { attempt: claimed.attempt, released_at: claimed.released_at, now, suspect };
        let next = decide(&reply.answer, tries, &self.policy);
        let attempt = Attempt {
            envelope: envelope_id,
            started_at,
            duration_ms: u64::try_from(now.duration_since(started_at).as_millis()).unwrap_or(0),
            answer: if suspect && reply.answer.word() == ROUTE_DOWN { CLOSED_TO_THIS } else { reply.answer.word() },
            code: code_of(&next).map(Code::id),
            http_status: reply.http_status,
            receipt: reply.receipt.clone(),
        };
        // The route first: what is written next may wake the loop, and it must not claim on a route that has just closed.
        self.hear(route_news(&reply.answer, suspect)).await;
        self.write(self.finish(&claimed, now, next, Some(&reply), Some(attempt))).await;
    }

    /// Writes what became of a delivery. Where the store fails (a full disk), it is tried again for as long as the lease
    /// lasts: what the receiver said should not have to be asked for twice.
    async fn write(&self, finish: Finish) {
        let until = finish.at + self.policy.lease;
        loop {
            match self.store.finish(finish.clone()).await {
                Ok(true) => return finish.lines.iter().for_each(Line::emit),
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

    fn finish(&self, claimed: &Claimed, now: Timestamp, next: Next, reply: Option<&Reply>, attempt: Option<Attempt>) -> Finish {
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
            Next::Wait { until } => (State::WaitingForReceipt, Some(now + *until), Event::DeliveryWaiting, Level::Info),
            // Behind the other lanes of this destination: the next probe takes another message.
            Next::Route { .. } => (State::Scheduled, Some(now), Event::DeliveryAttempt, Level::Debug),
        };
        let unburn = matches!(next, Next::Route { .. });
        let mut findings: Vec<Finding> = match reply.map(|reply| &reply.answer) {
            Some(Answer::Receipt { findings, .. }) => findings.clone(),
            _ => Vec::new(),
        };
        if findings.is_empty()
            && let Some(code) = code
        {
            let effect = if state == State::Rejected { Effect::Refuse } else { Effect::Warn };
            findings.push(code.finding(effect, Layer::Delivery, None));
        }
        let mut line = self.line(now, level, event);
        line.code = code.map(Code::id);
        line.message_id = Some(claimed.message);
        line.event_ref = Some(claimed.event_ref.clone());
        line.episode_id = Some(claimed.episode);
        line.state = Some(state);
        line.attempt = Some(claimed.attempt);
        line.duration_ms = attempt.as_ref().map(|attempt| attempt.duration_ms);
        line.reason = reply.and_then(reason);
        Finish {
            id: claimed.id,
            token: claimed.token,
            state,
            next_at,
            unburn,
            code: code.map(Code::id),
            findings,
            attempt,
            at: now,
            lines: vec![line],
        }
    }

    fn line(&self, at: Timestamp, level: Level, event: Event) -> Line {
        let mut line = Line::new(at, level, event);
        line.destination = Some(self.destination.clone());
        line
    }

    fn report(&self, _: StoreFault) {
        self.line(self.clock.now(), Level::Error, Event::StoreFault).code(Code::BugStore).emit();
    }
}

fn code_of(next: &Next) -> Option<Code> {
    match next {
        Next::End { code, .. } => *code,
        Next::Park { code } | Next::Again { code, .. } | Next::Route { code, .. } => Some(*code),
        Next::Wait { .. } => None,
    }
}

fn reason(reply: &Reply) -> Option<Reason> {
    match &reply.answer {
        Answer::Receipt { reason: Some(reason), .. } => Some(Reason::Word(reason.code())),
        _ => reply.http_status.map(Reason::Http),
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}
