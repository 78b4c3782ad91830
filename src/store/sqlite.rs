//! SQLite: the embedded default, one file, one process that writes.

use super::db::{Db, Row, Value};
use super::files::beside;
use super::handle::{Connection as Boxed, Store, fits, is_current, migrate, unusable};
use super::keys::{KeyId, Keys};
use super::seal::Seals;
use super::{StoreFault, backup, handle};
use crate::fault::{Code, Fault};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

struct Lite(Connection, Arc<Seals>);

impl Db for Lite {
    fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreFault> {
        Ok(self.0.prepare_cached(sql)?.execute(params_from_iter(values))?)
    }

    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreFault> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(values), |row| {
            (0..columns).map(|column| row.get_ref(column).map(value)).collect::<Result<Vec<Value>, _>>().map(Row)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn batch(&self, sql: &str) -> Result<(), StoreFault> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn is_broken(&self) -> bool {
        false
    }

    fn seals(&self) -> &Seals {
        &self.1
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// What is none of ours is none of ours: whoever reads it finds the row damaged.
fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => std::str::from_utf8(text).map_or(Value::Null, |text| Value::Text(text.to_owned())),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

impl Store {
    /// Opens the store for the daemon and creates it where there is none.
    pub fn open(path: &Path, keys: impl Into<Keys>) -> Result<Self, Fault> {
        let seals = Arc::new(Seals::new(keys.into()));
        let place = path.display().to_string();
        let lock = lock(path)?.ok_or_else(|| Fault::with(Code::CfgStore, format!("{place}: another daemon has it")))?;
        seals.keys().tell(&lock).map_err(|_| Fault::with(Code::CfgStore, place.clone()))?;
        backup::settle(path)?;
        private(path).map_err(|_| Fault::with(Code::CfgStore, place.clone()))?;
        let db = connect(path, &seals).map_err(|fault| unusable(&place, fault))?;
        let version = version(db.as_ref()).map_err(|fault| unusable(&place, fault))?;
        if !fits(version) {
            return Err(Fault::with(Code::CfgStoreVersion, place));
        }
        migrate(db.as_ref(), version, str::to_owned, note).map_err(|fault| unusable(&place, fault))?;
        Self::writing(connector(path, seals), Some(lock)).map_err(|fault| unusable(&place, fault))
    }

    /// Opens the store for reading, also while a daemon has it.
    pub fn open_to_read(path: &Path, keys: impl Into<Keys>) -> Result<Self, Fault> {
        let seals = Arc::new(Seals::new(keys.into()));
        let place = path.display().to_string();
        if !path.exists() {
            return Err(Fault::with(Code::CfgStore, place));
        }
        let db = connect(path, &seals).map_err(|fault| unusable(&place, fault))?;
        let version = version(db.as_ref()).map_err(|fault| unusable(&place, fault))?;
        if !is_current(version) {
            return Err(Fault::with(Code::CfgStoreVersion, place));
        }
        Self::reading(connector(path, seals)).map_err(|fault| unusable(&place, fault))
    }
}

fn connector(path: &Path, seals: Arc<Seals>) -> handle::Connect {
    let path: PathBuf = path.to_owned();
    Box::new(move || connect(&path, &seals))
}

pub(super) fn connect(path: &Path, seals: &Arc<Seals>) -> Result<Boxed, StoreFault> {
    let db = plain(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE, seals)?;
    // Before the first table, or never. Set again it would be written again, and a full disk could not be looked at.
    if version(db.as_ref())? == 0 {
        db.batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    db.batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 16777216")?;
    Ok(db)
}

/// The file as it is, with nothing set.
pub(super) fn plain(name: impl AsRef<Path>, flags: OpenFlags, seals: &Arc<Seals>) -> Result<Boxed, StoreFault> {
    let connection = Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(Box::new(Lite(connection, Arc::clone(seals))))
}

pub(super) fn note(db: &dyn Db, version: i64) -> Result<(), StoreFault> {
    db.batch(&format!("PRAGMA user_version = {version}"))
}

pub(super) fn version(db: &dyn Db) -> Result<i64, StoreFault> {
    db.one("PRAGMA user_version", &[])?.map_or(Ok(0), |row| row.get(0))
}

/// Nobody but the daemon's user reads the store; SQLite gives its other files the same mode.
fn private(path: &Path) -> std::io::Result<()> {
    File::options().create(true).append(true).mode(0o600).open(path).map(drop)
}

/// Whether the process that has the store, if one has, was given a key too.
pub(super) fn holder_has(path: &Path, id: KeyId) -> Result<bool, Fault> {
    if lock(path)?.is_some() {
        return Ok(true);
    }
    let told = std::fs::read(beside(path, ".lock")).map_err(|_| Fault::with(Code::CfgStore, path.display().to_string()))?;
    Ok(told.chunks_exact(id.len()).any(|known| *known == id))
}

/// Two daemons on one store would each believe that the queue is theirs. None where another has it.
pub(super) fn lock(path: &Path) -> Result<Option<File>, Fault> {
    let name = beside(path, ".lock");
    let failed = |_| Fault::with(Code::CfgStore, path.display().to_string());
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(fault)) => Err(failed(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_on_the_disk_and_what_is_deleted_gives_its_space_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = connect(&folder.path().join("vardbro.db"), &Arc::new(Seals::none())).expect("a database");
        let pragma = |name: &str| db.one(&format!("PRAGMA {name}"), &[]).expect("an answer").expect("a row").0;
        assert!(matches!(pragma("synchronous")[..], [Value::Int(2)]), "FULL: with less, a commit may be gone after a power failure");
        assert!(matches!(&pragma("journal_mode")[..], [Value::Text(mode)] if mode == "wal"));
        assert!(matches!(pragma("auto_vacuum")[..], [Value::Int(2)]));
        assert!(matches!(pragma("foreign_keys")[..], [Value::Int(1)]));
    }
}
