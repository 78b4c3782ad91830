//! The loop of one destination: claim what is due, send it, write what came of it.

use super::decide::{Policy, RouteNews};
use super::route::{Route, Turn};
use crate::alarm::{Alarm, Kind, Ring, Rung};
use crate::metrics::Metrics;
use crate::model::dice::Dice;
use crate::model::name::Name;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::store::{Claims, Room, Store, StoreFault};
use crate::transport::Transport;
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
    pub metrics: Arc<Metrics>,
    pub route: Mutex<RouteState>,
    /// Held over a turn of the route and the alarm that tells of it, so that alarms are written in the order of the turns.
    pub alarms: tokio::sync::Mutex<()>,
}

/// What is known of the way to the destination.
#[derive(Debug)]
pub struct RouteState {
    pub(super) route: Route,
    /// When it last led somewhere.
    pub(super) worked_at: Option<Timestamp>,
    /// An alarm of an earlier life is closed by the first sign that the route works.
    alarm_looked_at: Option<Timestamp>,
}

impl Default for RouteState {
    fn default() -> Self {
        Self { route: Route::Open, worked_at: None, alarm_looked_at: None }
    }
}

impl RouteState {
    fn forget_after(&mut self, now: Timestamp) {
        self.worked_at = self.worked_at.filter(|at| *at <= now);
    }
}

impl<T> std::fmt::Debug for Driver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("destination", &self.destination).finish_non_exhaustive()
    }
}

/// After a failed claim: the store may be out of space, and asking at once will not help.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How often a route that works looks whether an alarm of it is open: another replica may have opened it and gone.
const ALARM_LOOK: Duration = Duration::from_mins(1);
/// Even an idle loop looks again now and then.
const IDLE_PAUSE: Duration = Duration::from_mins(1);

impl<T: Transport> Driver<T> {
    /// Runs until `stop` turns true, and then until what is in flight has its answer.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let driver = Arc::new(self);
        let (mut sending, mut asking) = (JoinSet::new(), JoinSet::new());
        let mut news = driver.store.news();
        // What stands in the store may be from a clock that went ahead of this one.
        driver.set_right(driver.clock.now()).await;
        let mut latest = driver.clock.now();
        loop {
            news.mark_unchanged();
            let stopping = *stop.borrow();
            if stopping && sending.is_empty() && asking.is_empty() {
                return;
            }
            let now = driver.clock.now();
            if now < latest {
                // The clock has gone back; until it has caught up, what was planned by it may still come to be written.
                driver.set_right(now).await;
            }
            latest = latest.max(now);
            let (room, probe_at) = driver.room(sending.len(), asking.len(), now);
            let room = if stopping { Room { sends: 0, asks: 0 } } else { room };
            let mut next_due = None;
            let mut pause = IDLE_PAUSE;
            if room.sends + room.asks > 0 {
                match driver.claim(now, room).await {
                    Ok(claims) => {
                        next_due = claims.next_due;
                        for claimed in claims.claimed {
                            let tasks = if claimed.waiting.is_some() { &mut asking } else { &mut sending };
                            tasks.spawn(Arc::clone(&driver).deliver(claimed));
                        }
                    }
                    Err(fault) => {
                        driver.report(fault);
                        pause = STORE_PAUSE;
                    }
                }
            }
            // Where there was room, nothing was there to probe with: news or the next delivery wakes us, not the clock.
            let probe_at = probe_at.filter(|_| room.sends == 0 && sending.is_empty());
            let wake = [next_due, probe_at].into_iter().flatten().min();
            let pause = wake.map_or(pause, |at| until(driver.clock.now(), at).min(pause));
            tokio::select! {
                biased;
                // A delivery that panicked keeps its lease and is tried again when that ends.
                _ = sending.join_next(), if !sending.is_empty() => while sending.try_join_next().is_some() {},
                _ = asking.join_next(), if !asking.is_empty() => while asking.try_join_next().is_some() {},
                _ = news.changed(), if !stopping => {}
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed(), if !stopping => {}
            }
        }
    }

    pub(super) async fn claim(&self, now: Timestamp, room: Room) -> Result<Claims, StoreFault> {
        self.store.claim(self.destination.clone(), now, now + self.policy.lease, self.dice.bytes(), room).await
    }

    /// What a clock that went ahead has planned for later than anything is planned falls due now.
    async fn set_right(&self, now: Timestamp) {
        self.route_state().forget_after(now);
        // Twice what is ever planned, so that replicas whose clocks differ a little leave each other's work alone.
        let (lease_max, resend_max) = (now + self.policy.lease * 2, now + self.policy.retry_cap * 2);
        if let Err(fault) = self.store.set_right(self.destination.clone(), now, lease_max, resend_max).await {
            self.report(fault);
        }
    }

    /// How many may be claimed now, and when a closed route is tried next. Receipts are asked for whatever the route is like.
    pub(super) fn room(&self, sending: usize, asking: usize, now: Timestamp) -> (Room, Option<Timestamp>) {
        let state = self.route_state();
        let most = self.policy.in_flight;
        (Room { sends: state.route.room(sending, most, now), asks: most.saturating_sub(asking) }, state.route.probe_at())
    }

    /// Updates the route; opens and closes its alarm.
    pub(super) async fn hear(&self, news: RouteNews) {
        let _in_order = self.alarms.lock().await;
        let now = self.clock.now();
        let (turn, close) = {
            let mut state = self.route_state();
            let turn = state.route.hear(news, now, self.policy.probe_cap);
            self.metrics.route_open.set([self.destination.as_str()], i64::from(state.route == Route::Open));
            if news == RouteNews::Works {
                state.worked_at = Some(now);
            }
            if matches!(turn, Turn::Closed(_)) {
                state.alarm_looked_at = None;
            }
            let looked = state.alarm_looked_at.is_some_and(|at| at <= now && now < at + ALARM_LOOK);
            (turn, news == RouteNews::Works && !looked)
        };
        let alarm = Alarm::new(Kind::Route, &self.destination);
        if let Turn::Closed(cause) = turn {
            let ring = Ring::of(Rung::Opened, Alarm { cause: cause.id().to_owned(), ..alarm.clone() }, now);
            // Where it was open before a restart it is not opened again; where the store fails it is told all the same.
            let told = self.store.tell_alarms(vec![ring.clone()]).await;
            emit(&told.unwrap_or_else(|_| vec![ring]));
        }
        if close {
            match self.store.tell_alarms(vec![Ring::of(Rung::Closed, alarm, now)]).await {
                Ok(told) => {
                    self.route_state().alarm_looked_at = Some(now);
                    emit(&told);
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

    pub(super) fn route_state(&self) -> MutexGuard<'_, RouteState> {
        self.route.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn line(&self, at: Timestamp, level: Level, event: Event) -> Line {
        let mut line = Line::new(at, level, event);
        line.destination = Some(self.destination.clone());
        line
    }

    pub(super) fn report(&self, fault: StoreFault) {
        self.line(self.clock.now(), Level::Error, Event::StoreFault).code(fault.code()).emit();
    }
}

fn emit(told: &[Ring]) {
    told.iter().filter_map(Ring::line).for_each(|line| line.emit());
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}
