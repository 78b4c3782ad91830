//! A connection to a database, whichever it is; made anew with growing pauses when it is lost.

use super::table::Table;
use super::{mariadb, postgres, sqlite};
use crate::config::{Engine, SqlSettings};
use crate::fault::{Code, Fault};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// How long a connection may take, and one answer; how long a locked row is waited for.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(5);
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(15);
pub(super) const LOCK_MAX: Duration = Duration::from_secs(5);
/// Pauses before the next try: the first and the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A value as it is read and given. It may be a person's: never shown.
#[derive(Clone)]
pub(super) enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// As a key is told; none where it is no key.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Int(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// Text where it is UTF-8.
    pub(super) fn of_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|fault| Self::Bytes(fault.into_bytes()), Self::Text)
    }
}

/// What a column's values are, as far as they are not read as what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Whole,
    Real,
    Truth,
    /// A time of PostgreSQL's.
    Time,
    /// A time of MariaDB's that is read in UTC.
    Utc,
    Json,
    Bytes,
}

#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// Why a statement has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection is of no use any more.
    Lost,
    /// The database said no.
    Refused,
}

/// A database. `?` stands for the values, in their order.
pub(super) trait Db: Send {
    /// The columns of a table; its name is quoted already.
    fn columns(&mut self, table: &str) -> Result<Vec<Column>, Failure>;
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, Failure>;
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), Failure>;
    /// Begins, commits, rolls back.
    fn control(&mut self, sql: &str) -> Result<(), Failure>;
}

/// An open connection, and the table as it was found.
pub(super) struct Open {
    pub(super) db: Box<dyn Db>,
    pub(super) table: Table,
}

/// The way to the table.
pub(super) struct Link {
    settings: SqlSettings,
    max_bytes: u64,
    open: Option<Open>,
    failures: u32,
    again: Option<Instant>,
    /// What the last failure was.
    trouble: Code,
}

impl Link {
    /// What can be said without the database is said here.
    pub(super) fn new(settings: SqlSettings, max_bytes: u64) -> Result<Self, Fault> {
        match settings.engine {
            Engine::Postgresql => postgres::check(&settings)?,
            Engine::Mariadb => mariadb::check(&settings)?,
            Engine::Sqlite => {}
        }
        Ok(Self { settings, max_bytes, open: None, failures: 0, again: None, trouble: Code::SrcDatabase })
    }

    /// Does something with the connection. What the database does not take closes it: the next one finds the table as it is then.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Open) -> Result<T, Failure>) -> Result<T, Code> {
        let done = self.opened().and_then(|open| work(open).map_err(trouble));
        match &done {
            Ok(_) => self.failures = 0,
            Err(code) => self.failed(*code),
        }
        done
    }

    fn opened(&mut self) -> Result<&mut Open, Code> {
        if self.open.is_none() {
            if self.again.is_some_and(|again| Instant::now() < again) {
                return Err(self.trouble);
            }
            self.open = Some(self.connect()?);
        }
        self.open.as_mut().ok_or(Code::SrcDatabase)
    }

    fn connect(&self) -> Result<Open, Code> {
        let mut db: Box<dyn Db> = match self.settings.engine {
            Engine::Postgresql => Box::new(postgres::connect(&self.settings).map_err(trouble)?),
            Engine::Mariadb => Box::new(mariadb::connect(&self.settings).map_err(trouble)?),
            Engine::Sqlite => Box::new(sqlite::connect(&self.settings).map_err(trouble)?),
        };
        let columns = db.columns(&Table::quoted(self.settings.engine, &self.settings.table)).map_err(trouble)?;
        let table = Table::new(&self.settings, self.max_bytes, columns).ok_or(Code::SrcTable)?;
        Ok(Open { db, table })
    }

    fn failed(&mut self, code: Code) {
        // A try that was not made lengthens no pause.
        if self.open.take().is_some() || self.again.is_none_or(|again| Instant::now() >= again) {
            let pause = PAUSE_FIRST.saturating_mul(1 << self.failures.min(6)).min(PAUSE_MAX);
            self.failures = self.failures.saturating_add(1);
            self.again = Some(Instant::now() + pause);
            self.trouble = code;
        }
    }
}

fn trouble(failure: Failure) -> Code {
    match failure {
        Failure::Lost => Code::SrcDatabase,
        Failure::Refused => Code::SrcTable,
    }
}

/// Waits for work on a runtime of the connection's own.
pub(super) struct Io(Option<Runtime>);

impl Io {
    pub(super) fn new() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Self(Some(runtime.map_err(|_| Failure::Lost)?)))
    }

    pub(super) fn wait<T>(&self, most: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let runtime = self.0.as_ref().ok_or(Failure::Lost)?;
        runtime.block_on(async { tokio::time::timeout(most, work).await }).unwrap_or(Err(Failure::Lost))
    }
}

/// A runtime must not wait for its end within another one.
impl Drop for Io {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
