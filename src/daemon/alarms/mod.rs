//! Looks regularly at what may be wrong, and tells of what has changed: to the log, the journal and the ways out, all as one write.

mod command;
mod outputs;

pub(super) use outputs::{Output, outputs};

use super::monitor::Certificates;
use super::sources::{Opened, Standing};
use crate::alarm::{Alarm, Found, Kind, Look, MAIL, OUTPUTS, Rings, Subject, ring};
use crate::config::{AlarmSettings, Mode, Settings};
use crate::metrics::Metrics;
use crate::model::name::Name;
use crate::model::state::State;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::store::{Store, StoreFault, disk_free};
use jiff::{SignedDuration, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// After so many tries a notice that cannot be given is an alarm of its own.
const STUCK: u32 = 3;
const DAY: i64 = 24 * 60 * 60;
const MEGABYTE: u64 = 1024 * 1024;

/// All that is looked at.
pub(super) struct Watch(Arc<Inner>);

struct Inner {
    bounds: AlarmSettings,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    certificates: Arc<Certificates>,
    /// Those that messages are sent to.
    destinations: Vec<Name>,
    sources: Vec<Listened>,
    /// The SQLite database's file.
    file: Option<PathBuf>,
}

/// A source, and how long it may be silent, if that matters.
struct Listened {
    name: Name,
    silent: Option<Duration>,
    standing: Arc<Standing>,
}

impl Watch {
    pub(super) fn new(
        settings: &Settings,
        store: &Store,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        certificates: &Arc<Certificates>,
        opened: &[Opened],
    ) -> Self {
        let listened = |opened: &Opened| {
            let name = opened.source.name().clone();
            let known = settings.sources.iter().find(|known| known.name == name.as_str());
            Listened { silent: known.and_then(|known| known.silent), standing: Arc::clone(&opened.standing), name }
        };
        let live = settings.destinations.iter().filter(|known| known.mode == Mode::Live);
        Self(Arc::new(Inner {
            bounds: settings.alarms.clone(),
            store: store.clone(),
            clock: Arc::clone(clock),
            metrics: Arc::clone(metrics),
            certificates: Arc::clone(certificates),
            destinations: live.map(|known| super::name(&known.name)).collect(),
            sources: opened.iter().map(listened).collect(),
            file: settings.store_url_file.is_none().then(|| settings.store_path.clone()),
        }))
    }

    pub(super) async fn run(self, outputs: Vec<Output>, mut stop: watch::Receiver<bool>) {
        let mut giving = JoinSet::new();
        for output in outputs {
            giving.spawn(output.run(self.0.store.clone(), Arc::clone(&self.0.clock), stop.clone()));
        }
        while !*stop.borrow() {
            if let Err(fault) = self.look().await {
                Line::new(self.0.clock.now(), Level::Error, Event::StoreFault).code(fault.code()).emit();
            }
            tokio::select! {
                () = tokio::time::sleep(self.0.bounds.look) => {}
                _ = stop.changed() => {}
            }
        }
        giving.join_all().await;
    }

    async fn look(&self) -> Result<(), StoreFault> {
        let inner = &self.0;
        let now = inner.clock.now();
        let heard = inner.sources.iter().map(|source| (source.name.clone(), source.standing.heard())).collect();
        inner.store.hear_of(heard, now).await?;
        let looked = Arc::clone(inner);
        let Rings { told, seen } = tokio::task::spawn_blocking(move || looked.rings(now)).await.map_err(|_| StoreFault::Stopped)??;
        if !seen.is_empty() {
            inner.store.see_alarms(seen, now).await?;
        }
        let told = if told.is_empty() { told } else { inner.store.tell_alarms(told).await? };
        told.iter().filter_map(crate::alarm::Ring::line).for_each(|line| line.emit());
        Ok(())
    }
}

impl Inner {
    fn rings(&self, now: Timestamp) -> Result<Rings, StoreFault> {
        let mut found = self.queues(now)?;
        found.extend(self.listening(now)?);
        found.extend(self.around(now));
        for output in OUTPUTS {
            let stuck = self.store.stuck_notices(output, STUCK)?;
            found.push(Found::when(stuck > 0, counted(Kind::Output, output, stuck)));
        }
        let stuck = self.store.stuck_mails(STUCK)?;
        found.push(Found::when(stuck > 0, counted(Kind::Output, MAIL, stuck)));
        // Replicas see other clocks, files and disks; what one of them sees stands.
        let linger = if self.file.is_some() { Duration::ZERO } else { self.bounds.look * 3 };
        Ok(ring(&self.store.alarms()?, &found, Look { now, again: signed(self.bounds.again), linger: signed(linger) }))
    }

    /// What waits, and what is set aside.
    fn queues(&self, now: Timestamp) -> Result<Vec<Found>, StoreFault> {
        let figures = self.store.figures()?;
        let oldest = figures.oldest();
        let mut found = Vec::new();
        for destination in &self.destinations {
            // Its loop opens and closes it, at once.
            found.push(Found::Unknown(Kind::Route, destination.into()));
            let age = oldest.get(destination).map_or(SignedDuration::ZERO, |since| now.duration_since(*since));
            let pending = Alarm { figure: Some(age.as_secs()), ..Alarm::new(Kind::Pending, destination) };
            found.push(Found::when(age > signed(self.bounds.pending), pending));
            let parked = figures.unsettled.iter().find(|of| of.destination == *destination && of.state == State::Parked);
            let overdue = figures.overdue.iter().find(|(of, _)| of == destination).map_or(0, |(_, count)| *count);
            let others = parked.map_or(0, |parked| parked.count.saturating_sub(overdue));
            found.push(Found::when(others > 0, counted(Kind::Parked, destination, others)));
            found.push(Found::when(overdue > 0, counted(Kind::Receipts, destination, overdue)));
        }
        Ok(found)
    }

    /// What comes, and what is refused of it.
    fn listening(&self, now: Timestamp) -> Result<Vec<Found>, StoreFault> {
        let refused = self.store.refused_since(now - signed(self.bounds.refused))?;
        let heard = self.store.heard()?;
        let mut found = Vec::new();
        for Listened { name, silent, .. } in &self.sources {
            let count = refused.get(name).copied().unwrap_or(0);
            found.push(Found::when(count > 0, counted(Kind::Refused, name, count)));
            if let Some((silent, heard)) = silent.zip(heard.get(name)) {
                let since = now.duration_since(*heard);
                found.push(Found::when(since > signed(silent), Alarm { figure: Some(since.as_secs()), ..Alarm::new(Kind::Silent, name) }));
            }
        }
        Ok(found)
    }

    /// Certificates, the disk and the clocks.
    fn around(&self, now: Timestamp) -> Vec<Found> {
        let ends = self.certificates.ends();
        let days = |end: &i64| (end - now.as_second()).div_euclid(DAY);
        let mut found: Vec<Found> = ends.iter().map(|(table, end)| Found::certificate(Subject::table(table), days(end))).collect();
        if let Some(free) = self.file.as_deref().and_then(disk_free) {
            found.push(Found::when(free < self.bounds.disk_free, counted(Kind::Disk, "store", free / MEGABYTE)));
        }
        for destination in &self.destinations {
            found.push(match self.metrics.clock_skew.get([destination.as_str()]) {
                Some(skew) => {
                    let alarm = Alarm { figure: Some(skew), ..Alarm::new(Kind::Clock, destination) };
                    Found::when(skew.unsigned_abs() > u64::from(self.bounds.clock_skew), alarm)
                }
                // Nothing has been heard from it in this life.
                None => Found::Unknown(Kind::Clock, destination.into()),
            });
        }
        found
    }
}

fn counted(kind: Kind, subject: impl Into<Subject>, count: u64) -> Alarm {
    Alarm { figure: i64::try_from(count).ok(), ..Alarm::new(kind, subject) }
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}
