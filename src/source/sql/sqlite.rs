//! SQLite.

use super::link::{Column, Db, Failure, Kind, LOCK_MAX, Value};
use crate::config::SqlSettings;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

pub(super) struct Sqlite(Connection);

pub(super) fn connect(settings: &SqlSettings) -> Result<Sqlite, Failure> {
    // Never made here: an empty file under the name would hide that the real one is missing.
    let access = if settings.written.is_some() { OpenFlags::SQLITE_OPEN_READ_WRITE } else { OpenFlags::SQLITE_OPEN_READ_ONLY };
    let db = Connection::open_with_flags(&settings.place, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|_| Failure::Lost)?;
    db.busy_timeout(LOCK_MAX).map_err(|_| Failure::Lost)?;
    Ok(Sqlite(db))
}

impl Db for Sqlite {
    fn columns(&mut self, table: &str) -> Result<Vec<Column>, Failure> {
        let statement = self.0.prepare(&format!("SELECT * FROM {table}")).map_err(failure)?;
        Ok(statement.column_names().map(|name| Column { name: name.to_owned(), kind: Kind::Plain }).collect())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, Failure> {
        let mut statement = self.0.prepare_cached(sql).map_err(failure)?;
        let width = statement.column_count();
        let read = |row: &rusqlite::Row| (0..width).map(|place| row.get_ref(place).map(value)).collect::<Result<Vec<_>, _>>();
        let rows = statement.query_map(rusqlite::params_from_iter(values), read).map_err(failure)?;
        rows.collect::<Result<_, _>>().map_err(failure)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), Failure> {
        let mut statement = self.0.prepare_cached(sql).map_err(failure)?;
        statement.execute(rusqlite::params_from_iter(values)).map(drop).map_err(failure)
    }

    fn control(&mut self, sql: &str) -> Result<(), Failure> {
        self.0.execute_batch(sql).map_err(failure)
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        // SQLite checks no encoding.
        ValueRef::Text(bytes) => Value::of_bytes(bytes.to_vec()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A file that cannot be read now is opened anew; a table that is not there says no.
fn failure(fault: rusqlite::Error) -> Failure {
    use ErrorCode as E;
    let busy = [E::DatabaseBusy, E::DatabaseLocked];
    let lost = [E::SystemIoFailure, E::DatabaseCorrupt, E::CannotOpen, E::NotADatabase, E::FileLockingProtocolFailed];
    if fault.sqlite_error_code().is_some_and(|code| lost.contains(&code) || busy.contains(&code)) {
        Failure::Lost
    } else {
        Failure::Refused
    }
}
