//! Retention: once an hour what is old enough goes, out of the database in small batches and out of the folders of sources.
//!
//! How old is old enough says the configuration; what may go at all, and what a legal hold keeps, says `store/purge`. The daemon
//! and `vardbro store prune` do the same, and each run is told of in journal and log.

use crate::config::{RetentionSettings, Settings, Way};
use crate::metrics::Metrics;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::source::directory::{Keep, PRUNED_MAX};
use crate::store::{Before, Purge, PurgeKind, Store, StoreFault, Subject, Who};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// How often there is a run, by the clock that ages what is kept.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Between two batches: intake and delivery write meanwhile.
const PAUSE: Duration = Duration::from_millis(25);

/// What is kept for how long, and where.
#[derive(Debug, Clone)]
pub struct Retention {
    kept: RetentionSettings,
    folders: Vec<Keep>,
}

impl Retention {
    pub fn of(settings: &Settings) -> Self {
        let folders = settings.sources.iter().filter_map(|source| match &source.way {
            Way::Directory(directory) => {
                Some(Keep { path: directory.path.clone(), done: directory.done_age, rejected: settings.retention.rejected })
            }
            _ => None,
        });
        Self { kept: settings.retention.clone(), folders: folders.collect() }
    }

    /// What lies before which moment goes.
    pub fn before(&self, now: Timestamp) -> Before {
        // Before all time nothing lies.
        let before = |kept: Duration| now.checked_sub(kept).unwrap_or(Timestamp::MIN);
        Before {
            now,
            accepted: before(self.kept.accepted),
            ended: before(self.kept.ended),
            metadata: before(self.kept.metadata),
            journal: before(self.kept.journal),
            tombstones: before(self.kept.tombstones),
            audit: before(self.kept.audit),
        }
    }

    /// Everything that is due goes. `pause` is called between two batches, and ends the run by saying no. None where it did.
    pub fn purge(
        &self,
        store: &Store,
        before: Before,
        who: &Who,
        pause: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Vec<Line>>, StoreFault> {
        let mut purge = Purge::new(before);
        while purge.step(store)?.is_some() {
            if !pause() {
                return Ok(None);
            }
        }
        if store.holds(false)?.is_empty() {
            store.purge_audit(before.audit, before.now, who)?;
        }
        while Purge::give_back(store)? {
            if !pause() {
                return Ok(None);
            }
        }
        Purge::end(store, &Line::new(before.now, Level::Info, Event::StorePurged), who).map(Some)
    }

    /// Old files go; a hold of everything keeps them, as nobody can say what stands in which.
    pub fn files(&self, store: &Store, now: Timestamp, pause: &mut dyn FnMut() -> bool) -> Result<(), StoreFault> {
        if store.holds(false)?.iter().any(|hold| hold.subject == Subject::Everything) {
            return Ok(());
        }
        for folder in &self.folders {
            loop {
                let gone = folder.prune(SystemTime::from(now));
                Purge::count(store, PurgeKind::Files, gone)?;
                if gone < PRUNED_MAX || !pause() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The folders are this process's own; of several over one database, one sees to that.
    fn turn(&self, store: &Store, now: Timestamp, pause: &mut dyn FnMut() -> bool) -> Result<Vec<Line>, StoreFault> {
        self.files(store, now, pause)?;
        if !store.may_purge(now, now - EVERY)? {
            return Ok(Vec::new());
        }
        Ok(self.purge(store, self.before(now), &Who::daemon(), pause)?.unwrap_or_default())
    }
}

/// Has a run made every hour until `stop` turns true, where the configuration says so.
pub async fn run(retention: Retention, store: Store, clock: Arc<dyn Clock>, metrics: Arc<Metrics>, mut stop: watch::Receiver<bool>) {
    if !retention.kept.on {
        return;
    }
    let retention = Arc::new(retention);
    let mut next = Timestamp::MIN;
    while !*stop.borrow() {
        let now = clock.now();
        // A clock that was set back must not put it off.
        if now >= next || next > now + EVERY {
            next = now + EVERY;
            let (retention, store, stopping) = (Arc::clone(&retention), store.clone(), stop.clone());
            let mut pause = move || {
                std::thread::sleep(PAUSE);
                !*stopping.borrow()
            };
            let turn = tokio::task::spawn_blocking(move || retention.turn(&store, now, &mut pause)).await;
            told(turn.unwrap_or(Err(StoreFault::Stopped)), now, &metrics);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    }
}

fn told(turn: Result<Vec<Line>, StoreFault>, now: Timestamp, metrics: &Metrics) {
    match turn {
        Ok(lines) => metrics.tell(&lines),
        // What was done stands; the rest is met again in an hour.
        Err(fault) => Line::new(now, Level::Error, Event::StoreFault).code(fault.code()).emit(),
    }
}
