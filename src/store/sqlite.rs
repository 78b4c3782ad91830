//! SQLite: the embedded default, one file, one process that writes.

use super::db::{Db, Row, Value};
use super::handle::{Connection as Boxed, Store, fits, migrate, unusable};
use super::{StoreFault, handle};
use crate::fault::{Code, Fault};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params_from_iter};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

struct Lite(Connection);

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
    /// Opens the store for the daemon and creates it where there is none. `secret` becomes its key for references if it
    /// is new.
    pub fn open(path: &Path, secret: &[u8; 32]) -> Result<Self, Fault> {
        let place = path.display().to_string();
        let lock = lock(path)?;
        private(path).map_err(|_| Fault::with(Code::CfgStore, place.clone()))?;
        let db = connect(path).map_err(|fault| unusable(&place, fault))?;
        let version = version(db.as_ref()).map_err(|fault| unusable(&place, fault))?;
        if !fits(version) {
            return Err(Fault::with(Code::CfgStoreVersion, place));
        }
        let note = |db: &dyn Db, version: i64| db.batch(&format!("PRAGMA user_version = {version}"));
        migrate(db.as_ref(), version, str::to_owned, note).map_err(|fault| unusable(&place, fault))?;
        Self::writing(connector(path), secret, Some(lock)).map_err(|fault| unusable(&place, fault))
    }

    /// Opens the store for reading, also while a daemon has it.
    pub fn open_to_read(path: &Path) -> Result<Self, Fault> {
        let place = path.display().to_string();
        if !path.exists() {
            return Err(Fault::with(Code::CfgStore, place));
        }
        let db = connect(path).map_err(|fault| unusable(&place, fault))?;
        let version = version(db.as_ref()).map_err(|fault| unusable(&place, fault))?;
        if version != i64::try_from(handle::MIGRATIONS.len()).unwrap_or(0) {
            return Err(Fault::with(Code::CfgStoreVersion, place));
        }
        Self::reading(connector(path)).map_err(|fault| unusable(&place, fault))
    }
}

fn connector(path: &Path) -> handle::Connect {
    let path: PathBuf = path.to_owned();
    Box::new(move || connect(&path))
}

fn connect(path: &Path) -> Result<Boxed, StoreFault> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Must be set before the first table; without effect later.
    connection.execute_batch(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    Ok(Box::new(Lite(connection)))
}

fn version(db: &dyn Db) -> Result<i64, StoreFault> {
    db.one("PRAGMA user_version", &[])?.map_or(Ok(0), |row| row.get(0))
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
