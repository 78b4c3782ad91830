//! A handle to the store: one writer that commits in groups, and readers beside it, over either database.

use super::db::Db;
use super::{StoreFault, doubt, named};
use crate::fault::{Code, Fault};
use crate::metrics::Metrics;
use crate::model::keyed::ReferenceKey;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// Most writes in one transaction.
const GROUP_MAX: usize = 512;
/// Writes that may wait; whoever writes more waits with them.
const QUEUE_MAX: usize = 2_048;
const READERS_MAX: usize = 4;
/// The statements of each version, in order.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
    include_str!("migrations/3.sql"),
    include_str!("migrations/4.sql"),
    include_str!("migrations/5.sql"),
    include_str!("migrations/6.sql"),
    include_str!("migrations/7.sql"),
    include_str!("migrations/8.sql"),
    include_str!("migrations/9.sql"),
    include_str!("migrations/10.sql"),
];

pub(super) type Connection = Box<dyn Db + Send>;
pub(super) type Connect = Box<dyn Fn() -> Result<Connection, StoreFault> + Send + Sync>;

/// A handle to the store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    key: ReferenceKey,
    writer: Option<mpsc::Sender<Job>>,
    connect: Connect,
    readers: Mutex<Vec<Connection>>,
    /// See [`Store::numbers_from`].
    numbers_from: u64,
    /// Counts what others may be waiting for: new deliveries, new outcomes.
    news: watch::Sender<u64>,
    /// Where commits are measured, if anywhere.
    metrics: Arc<OnceLock<Arc<Metrics>>>,
    /// Held as long as this process writes.
    lock: Option<File>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Runs in a savepoint of the group; what it returns is called with the group's outcome.
type Job = Box<dyn FnOnce(&dyn Db) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreFault>) + Send>;

impl Store {
    /// Over a database whose schema stands.
    pub(super) fn writing(connect: Connect, lock: Option<File>) -> Result<Self, StoreFault> {
        let connection = connect()?;
        named::found(connection.as_ref())?;
        let mut store = Self::reading(connect)?;
        let (writer, jobs) = mpsc::channel(QUEUE_MAX);
        let inner = Arc::get_mut(&mut store.0).ok_or(StoreFault::Stopped)?;
        inner.writer = Some(writer);
        inner.lock = lock;
        let shared = connection.is_shared();
        let handle = Arc::downgrade(&store.0);
        let metrics = Arc::clone(&store.0.metrics);
        let reconnect = move || handle.upgrade().map_or(Err(StoreFault::Stopped), |inner| (inner.connect)());
        let spawned =
            std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || write_loop(connection, &reconnect, jobs, &metrics));
        spawned.map_err(|_| StoreFault::Stopped)?;
        if shared {
            store.listen()?;
        }
        Ok(store)
    }

    pub(super) fn reading(connect: Connect) -> Result<Self, StoreFault> {
        let connection = connect()?;
        let key = named::enter(connection.as_ref())?;
        let numbers_from = doubt::numbers_from(connection.as_ref())?;
        Ok(Self(Arc::new(Inner {
            key,
            writer: None,
            connect,
            readers: Mutex::new(vec![connection]),
            numbers_from,
            news: watch::Sender::new(0),
            metrics: Arc::default(),
            lock: None,
        })))
    }

    /// Other processes write too, and cannot ring here: whoever waits looks once a second.
    fn listen(&self) -> Result<(), StoreFault> {
        let store = Arc::downgrade(&self.0);
        let ring = move || {
            while let Some(inner) = store.upgrade() {
                inner.news.send_modify(|count| *count += 1);
                drop(inner);
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
        };
        std::thread::Builder::new().name("store-news".to_owned()).spawn(ring).map(drop).map_err(|_| StoreFault::Stopped)
    }

    /// A connection of somebody's own.
    pub(super) fn connection(&self) -> Result<Connection, StoreFault> {
        (self.0.connect)()
    }

    /// Whether this process writes it.
    pub(super) fn writes(&self) -> bool {
        self.0.writer.is_some()
    }

    pub fn reference_key(&self) -> &ReferenceKey {
        &self.0.key
    }

    /// Measures its commits from now on.
    pub fn measure(&self, metrics: Arc<Metrics>) {
        // The first stays.
        let _ = self.0.metrics.set(metrics);
    }

    /// Numbers of lanes go on above this: after a restore those below may be taken.
    pub fn numbers_from(&self) -> u64 {
        self.0.numbers_from
    }

    /// Turns with every commit that gives somebody something to do. Be woken by it; do not poll.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.0.news.subscribe()
    }

    pub(super) fn ring(&self) {
        self.0.news.send_modify(|count| *count += 1);
    }

    /// Runs `work` in the writer's next group. Its own failure undoes its own writes and nobody else's.
    fn job<T: Send + 'static>(
        work: impl FnOnce(&dyn Db) -> Result<T, StoreFault> + Send + 'static,
    ) -> (Job, oneshot::Receiver<Result<T, StoreFault>>) {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            let done = within_savepoint(db, work);
            Box::new(move |group| {
                // Nobody may be waiting any more; the write stands all the same.
                let _ = tell.send(group.and(done));
            })
        });
        (job, told)
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Db) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let (job, told) = Self::job(work);
        let writer = self.0.writer.as_ref().ok_or(StoreFault::Stopped)?;
        writer.send(job).await.map_err(|_| StoreFault::Stopped)?;
        told.await.map_err(|_| StoreFault::Stopped)?
    }

    /// The same for a thread that may wait.
    pub(super) fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Db) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let (job, told) = Self::job(work);
        let writer = self.0.writer.as_ref().ok_or(StoreFault::Stopped)?;
        writer.blocking_send(job).map_err(|_| StoreFault::Stopped)?;
        told.blocking_recv().map_err(|_| StoreFault::Stopped)?
    }

    /// Reads what has been committed.
    pub(super) fn read<T>(&self, work: impl FnOnce(&dyn Db) -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        let pooled = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled.filter(|connection| !connection.is_broken()) {
            Some(connection) => connection,
            None => (self.0.connect)()?,
        };
        let out = work(connection.as_ref());
        let mut readers = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_broken() {
            // What ended this one has most likely ended those beside it.
            readers.clear();
        } else if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        out
    }
}

/// Brings the schema to this program's version. `version` is what the database says of itself.
pub(super) fn migrate(
    db: &dyn Db,
    version: i64,
    translate: fn(&str) -> String,
    note: fn(&dyn Db, i64) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    for (done, migration) in MIGRATIONS.iter().enumerate().skip(usize::try_from(version).unwrap_or(0)) {
        db.batch("BEGIN")?;
        let run = db.batch(&translate(migration)).and_then(|()| note(db, i64::try_from(done + 1).unwrap_or(i64::MAX)));
        db.batch(if run.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        run?;
    }
    Ok(())
}

/// Whether this program can work with a schema.
pub(super) fn fits(version: i64) -> bool {
    usize::try_from(version).is_ok_and(|version| version <= MIGRATIONS.len())
}

/// Whether a schema is of this program's own version, so that it can be read without being changed.
pub(super) fn is_current(version: i64) -> bool {
    usize::try_from(version) == Ok(MIGRATIONS.len())
}

pub(super) fn unusable(place: &str, fault: StoreFault) -> Fault {
    let code = match fault.code() {
        Code::BugStore => Code::CfgStore,
        code => code,
    };
    Fault::with(code, format!("{place} ({fault})"))
}

fn within_savepoint<T>(db: &dyn Db, work: impl FnOnce(&dyn Db) -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    db.batch("SAVEPOINT job")?;
    let done = work(db);
    db.batch(if done.is_ok() { "RELEASE SAVEPOINT job" } else { "ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job" })?;
    done
}

/// The same where nothing else is under way on the connection.
pub(super) fn within_transaction<T>(db: &dyn Db, work: impl FnOnce() -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    db.batch(if db.is_shared() { "BEGIN" } else { "BEGIN IMMEDIATE" })?;
    let done = work().and_then(|done| db.batch("COMMIT").map(|()| done));
    if done.is_err() {
        let _ = db.batch("ROLLBACK");
    }
    done
}

/// Takes what waits, writes it in one transaction, commits, and only then answers.
fn write_loop(
    mut db: Connection,
    reconnect: &dyn Fn() -> Result<Connection, StoreFault>,
    mut jobs: mpsc::Receiver<Job>,
    metrics: &OnceLock<Arc<Metrics>>,
) {
    let mut group = Vec::new();
    // Where others write too, a group would lock many episodes in no order that others keep: there each write is by itself.
    let (begin, most) = if db.is_shared() { ("BEGIN", 1) } else { ("BEGIN IMMEDIATE", GROUP_MAX) };
    while jobs.blocking_recv_many(&mut group, most) > 0 {
        if db.is_broken()
            && let Ok(anew) = reconnect()
        {
            db = anew;
        }
        if db.batch(begin).is_err() {
            // The jobs are dropped unrun; whoever waits hears that nothing was written.
            group.clear();
            metrics.get().inspect(|metrics| metrics.commit_failures.count([]));
            continue;
        }
        let jobs = std::mem::take(&mut group);
        let Ok(answers) = catch_unwind(AssertUnwindSafe(|| jobs.into_iter().map(|job| job(db.as_ref())).collect::<Vec<Answer>>())) else {
            // Nothing of the group was committed; whoever waits hears that, and the writer lives on.
            let _ = db.batch("ROLLBACK");
            continue;
        };
        let started = Instant::now();
        let committed = db.batch("COMMIT");
        if let Some(metrics) = metrics.get() {
            measure(metrics, committed, answers.len(), started);
        }
        if committed.is_err() {
            let _ = db.batch("ROLLBACK");
        }
        for answer in answers {
            answer(committed);
        }
    }
}

fn measure(metrics: &Metrics, committed: Result<(), StoreFault>, writes: usize, started: Instant) {
    match committed {
        Ok(()) => {
            metrics.commit_duration.took([], started.elapsed());
            metrics.commit_writes.were([], writes);
        }
        Err(_) => metrics.commit_failures.count([]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_job_leaves_the_writer_alive() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("vardbro.db"), &[7; 32]).expect("a store");
        let ask = |db: &dyn Db| db.execute("INSERT INTO request (at, asked_by, action) VALUES (0, 'x', '')", &[]);
        let panicked = store.write(move |db| -> Result<(), StoreFault> {
            ask(db)?;
            panic!("half-way")
        });
        assert_eq!(panicked.await, Err(StoreFault::Stopped), "whoever waits hears that nothing was written");
        assert_eq!(store.write(move |db| ask(db)).await, Ok(1));
        assert_eq!(store.asked(10).expect("a working store").len(), 1);
    }
}
