//! A look at the store and its disk, kept for a few seconds.

use crate::model::time::Clock;
use crate::store::{Figures, Store, StoreFault, disk_free};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A look is good for so long.
const FRESH: Duration = Duration::from_secs(5);
/// And for so many times what it took, so that a large queue is not counted all the time.
const SHARE: u32 = 20;
/// How long the store may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a look found.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) written: Result<(), StoreFault>,
    pub(super) figures: Result<Figures, StoreFault>,
    /// Bytes that are free on the store's disk, where the store is a file.
    pub(super) disk_free: Option<u64>,
    /// Bytes of the file's log.
    pub(super) log_bytes: u64,
}

/// One look at a time; the others wait for it and use it as well.
#[derive(Debug, Default)]
pub(super) struct Looks {
    latest: tokio::sync::Mutex<Option<(Instant, Arc<Known>)>>,
    writing: Mutex<()>,
}

impl Looks {
    pub(super) async fn known(&self, store: &Store, clock: &dyn Clock, file: Option<&Path>) -> Arc<Known> {
        let mut latest = self.latest.lock().await;
        if let Some((_, known)) = latest.as_ref().filter(|(until, _)| Instant::now() < *until) {
            return Arc::clone(known);
        }
        let started = Instant::now();
        let known = Arc::new(look(store, clock, file).await);
        *latest = Some((Instant::now() + FRESH.max(started.elapsed() * SHARE), Arc::clone(&known)));
        known
    }

    /// Figures are set and written by one at a time.
    pub(super) fn write<T>(&self, work: impl FnOnce() -> T) -> T {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        work()
    }
}

async fn look(store: &Store, clock: &dyn Clock, file: Option<&Path>) -> Known {
    let late = |_| Err(StoreFault::Unreachable);
    let written = timeout(PATIENCE, store.try_to_write(clock.now()));
    let (reader, file) = (store.clone(), file.map(Path::to_owned));
    let read = tokio::task::spawn_blocking(move || (reader.figures(), file.as_deref().map(on_disk)));
    let (written, read) = tokio::join!(written, timeout(PATIENCE, read));
    let (figures, disk) = read.map_err(drop).and_then(|read| read.map_err(drop)).unwrap_or((Err(StoreFault::Unreachable), None));
    let (disk_free, log_bytes) = disk.unwrap_or((None, 0));
    Known { written: written.unwrap_or_else(late), figures, disk_free, log_bytes }
}

/// What is free on the disk, and the size of the log beside the file.
fn on_disk(file: &Path) -> (Option<u64>, u64) {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    (disk_free(file), std::fs::metadata(log).map_or(0, |log| log.len()))
}
