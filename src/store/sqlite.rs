//! Connections and the writer thread.

use super::StoreFault;
use crate::fault::{Code, Fault};
use crate::model::keyed::ReferenceKey;
use rusqlite::{Connection, OpenFlags, Savepoint};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Most writes in one transaction.
const GROUP_MAX: usize = 512;
/// Writes that may wait; whoever writes more waits with them.
const QUEUE_MAX: usize = 2_048;
const READERS_MAX: usize = 4;
const SCHEMA_VERSION: i32 = 2;
const MIGRATIONS: &[&str] = &[include_str!("migrations/1.sql"), include_str!("migrations/2.sql")];

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    key: ReferenceKey,
    writer: Option<mpsc::Sender<Job>>,
    readers: Mutex<Vec<Connection>>,
    /// Counts what others may be waiting for: new deliveries, new outcomes.
    news: watch::Sender<u64>,
    /// Held as long as this process writes.
    _lock: Option<File>,
}

/// Runs in a savepoint of the group; what it returns is called with the group's outcome.
type Job = Box<dyn FnOnce(&mut Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreFault>) + Send>;

impl Store {
    /// Opens the store for the daemon and creates it where there is none. `secret` becomes its key for references if it
    /// is new.
    pub fn open(path: &Path, secret: &[u8; 32]) -> Result<Self, Fault> {
        let lock = lock(path)?;
        private(path).map_err(|_| Fault::with(Code::CfgStore, path.display().to_string()))?;
        let mut connection = connect(path, OpenFlags::default()).map_err(|fault| unusable(path, &fault))?;
        migrate(&mut connection, path)?;
        connection
            .execute("INSERT INTO meta (name, value) VALUES ('reference_key', ?1) ON CONFLICT DO NOTHING", [&secret[..]])
            .map_err(|fault| unusable(path, &fault))?;
        let key = reference_key(&connection).map_err(|fault| unusable(path, &fault))?;
        let (writer, jobs) = mpsc::channel(QUEUE_MAX);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_loop(connection, jobs))
            .map_err(|_| Fault::with(Code::CfgStore, path.display().to_string()))?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            key,
            writer: Some(writer),
            readers: Mutex::default(),
            news: watch::Sender::new(0),
            _lock: Some(lock),
        })))
    }

    /// Opens the store for reading, also while a daemon has it.
    pub fn open_to_read(path: &Path) -> Result<Self, Fault> {
        if !path.exists() {
            return Err(Fault::with(Code::CfgStore, path.display().to_string()));
        }
        let connection =
            connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|fault| unusable(path, &fault))?;
        let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|fault| unusable(path, &fault))?;
        if version != SCHEMA_VERSION {
            return Err(Fault::with(Code::CfgStoreVersion, path.display().to_string()));
        }
        let key = reference_key(&connection).map_err(|fault| unusable(path, &fault))?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            key,
            writer: None,
            readers: Mutex::new(vec![connection]),
            news: watch::Sender::new(0),
            _lock: None,
        })))
    }

    pub fn reference_key(&self) -> &ReferenceKey {
        &self.0.key
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
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreFault> + Send + 'static,
    ) -> (Job, oneshot::Receiver<Result<T, StoreFault>>) {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let done = within_savepoint(connection, work);
            Box::new(move |group| {
                // Nobody may be waiting any more; the write stands all the same.
                let _ = tell.send(group.and(done));
            })
        });
        (job, told)
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let (job, told) = Self::job(work);
        let writer = self.0.writer.as_ref().ok_or(StoreFault::Stopped)?;
        writer.send(job).await.map_err(|_| StoreFault::Stopped)?;
        told.await.map_err(|_| StoreFault::Stopped)?
    }

    /// The same for a thread that may wait.
    pub(super) fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let (job, told) = Self::job(work);
        let writer = self.0.writer.as_ref().ok_or(StoreFault::Stopped)?;
        writer.blocking_send(job).map_err(|_| StoreFault::Stopped)?;
        told.blocking_recv().map_err(|_| StoreFault::Stopped)?
    }

    /// Reads what has been committed.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreFault>) -> Result<T, StoreFault> {
        let pooled = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => connect(&self.0.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?,
        };
        let out = work(&connection);
        let mut readers = self.0.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_MAX {
            readers.push(connection);
        }
        out
    }
}

fn within_savepoint<T>(connection: &mut Connection, work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreFault>) -> Result<T, StoreFault> {
    let savepoint = connection.savepoint()?;
    let done = work(&savepoint)?;
    savepoint.commit()?;
    Ok(done)
}

/// Takes what waits, writes it in one transaction, commits, and only then answers.
fn write_loop(mut connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::new();
    while jobs.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        if connection.execute_batch("BEGIN IMMEDIATE").is_err() {
            // The jobs are dropped unrun; whoever waits hears that nothing was written.
            group.clear();
            continue;
        }
        let jobs = std::mem::take(&mut group);
        let Ok(answers) = catch_unwind(AssertUnwindSafe(|| jobs.into_iter().map(|job| job(&mut connection)).collect::<Vec<Answer>>()))
        else {
            // Nothing of the group was committed; whoever waits hears that, and the writer lives on.
            let _ = connection.execute_batch("ROLLBACK");
            continue;
        };
        let committed = connection.execute_batch("COMMIT").map_err(StoreFault::from);
        if committed.is_err() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        for answer in answers {
            answer(committed);
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Must be set before the first table; without effect later.
    connection.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Fault> {
    let version: i32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|fault| unusable(path, &fault))?;
    if version > SCHEMA_VERSION {
        return Err(Fault::with(Code::CfgStoreVersion, path.display().to_string()));
    }
    for (done, migration) in MIGRATIONS.iter().enumerate().skip(usize::try_from(version).unwrap_or(0)) {
        let run = |connection: &mut Connection| -> Result<(), rusqlite::Error> {
            let transaction = connection.transaction()?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(0))?;
            transaction.commit()
        };
        run(connection).map_err(|fault| unusable(path, &fault))?;
    }
    Ok(())
}

fn reference_key(connection: &Connection) -> Result<ReferenceKey, rusqlite::Error> {
    let secret: [u8; 32] = connection.query_row("SELECT value FROM meta WHERE name = 'reference_key'", [], |row| row.get(0))?;
    Ok(ReferenceKey::new(&secret))
}

/// Nobody but the daemon's user reads the store; SQLite gives its other files the same mode.
fn private(path: &Path) -> std::io::Result<()> {
    File::options().create(true).append(true).mode(0o600).open(path).map(drop)
}

/// Two daemons on one store would each believe that the queue is theirs.
fn lock(path: &Path) -> Result<File, Fault> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |_| Fault::with(Code::CfgStore, path.display().to_string());
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Fault::with(Code::CfgStore, format!("{}: another daemon has it", path.display()))),
        Err(TryLockError::Error(fault)) => Err(failed(fault)),
    }
}

fn unusable(path: &Path, fault: &rusqlite::Error) -> Fault {
    let code = fault.sqlite_error().map_or(0, |error| error.extended_code);
    Fault::with(Code::CfgStore, format!("{} (SQLite {code})", path.display()))
}
