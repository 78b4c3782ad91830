//! PostgreSQL: for several replicas on one queue.
//!
//! The statements are those of SQLite. Rows are locked where several processes may want them: an episode's row before its
//! lanes are touched, and the heads that a replica claims.

use super::StoreFault;
use super::db::{Db, Row, Value};
use super::handle::{Connect, Connection, Store, fits, migrate, unusable};
use crate::fault::{Code, Fault};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Statement};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Statements that a connection keeps prepared; there are some dozens in all.
const STATEMENTS_MAX: usize = 256;

/// A connection that any thread may use and wait for, also one that belongs to another runtime.
struct Pg {
    runtime: Handle,
    client: Arc<Client>,
    statements: Mutex<HashMap<String, Statement>>,
}

impl Pg {
    /// Runs work on the connections' own runtime and waits for it.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    ) -> Result<T, StoreFault> {
        wait(&self.runtime, work)
    }

    fn statement(&self, sql: &str) -> Result<Statement, StoreFault> {
        let known = self.statements.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let (client, text) = (Arc::clone(&self.client), placeholders(sql));
        let statement = self.wait(async move { client.prepare(&text).await })?;
        let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
        if statements.len() < STATEMENTS_MAX {
            statements.insert(sql.to_owned(), statement.clone());
        }
        Ok(statement)
    }
}

fn wait<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
) -> Result<T, StoreFault> {
    let (tell, told) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        // Whoever asked waits for it.
        let _ = tell.send(work.await);
    });
    told.recv().map_err(|_| StoreFault::Stopped)?.map_err(|fault| failed(&fault))
}

impl Db for Pg {
    fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreFault> {
        let (statement, client, values) = (self.statement(sql)?, Arc::clone(&self.client), values.to_vec());
        let rows = self.wait(async move { client.execute_raw(&statement, values.iter().map(param)).await })?;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreFault> {
        let (statement, client, values) = (self.statement(sql)?, Arc::clone(&self.client), values.to_vec());
        let rows = self.wait(async move {
            let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(param).collect();
            client.query(&statement, &params).await
        })?;
        rows.iter().map(row).collect()
    }

    fn batch(&self, sql: &str) -> Result<(), StoreFault> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        self.wait(async move { client.batch_execute(&sql).await })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_broken(&self) -> bool {
        self.client.is_closed()
    }
}

fn param(value: &Value) -> &(dyn ToSql + Sync) {
    value
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::INT4 | Type::TEXT | Type::VARCHAR | Type::BYTEA)
    }

    tokio_postgres::types::to_sql_checked!();
}

fn row(row: &tokio_postgres::Row) -> Result<Row, StoreFault> {
    let column = |(place, column): (usize, &tokio_postgres::Column)| -> Result<Value, tokio_postgres::Error> {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(place)?.map(i64::from).into(),
            Type::BYTEA => row.try_get::<_, Option<&[u8]>>(place)?.into(),
            _ => row.try_get::<_, Option<&str>>(place)?.into(),
        })
    };
    row.columns().iter().enumerate().map(column).collect::<Result<_, _>>().map(Row).map_err(|fault| failed(&fault))
}

fn failed(fault: &tokio_postgres::Error) -> StoreFault {
    let state = fault.code().and_then(|state| <[u8; 5]>::try_from(state.code().as_bytes()).ok());
    state.map_or(StoreFault::Unreachable, StoreFault::Postgres)
}

/// `?1` as PostgreSQL writes it.
fn placeholders(sql: &str) -> String {
    sql.replace('?', "$")
}

/// The schema's types as PostgreSQL names them.
fn types(sql: &str) -> String {
    sql.replace("id INTEGER PRIMARY KEY", "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace(" INTEGER", " BIGINT")
        .replace(" BLOB", " BYTEA")
        .replace(" WITHOUT ROWID", "")
}

impl Store {
    /// Opens the store in a PostgreSQL database, for any number of replicas, and makes its schema where there is none.
    /// `url` is a connection string of libpq's form.
    pub fn open_postgres(url: &str, secret: &[u8; 32]) -> Result<Self, Fault> {
        const PLACE: &str = "PostgreSQL";
        let connect = connector(url)?;
        let db = connect().map_err(|fault| unusable(PLACE, fault))?;
        // Replicas that start together wait for each other here.
        let prepared = db.batch("SELECT pg_advisory_lock(8612)").and_then(|()| prepare(db.as_ref()));
        let _ = db.batch("SELECT pg_advisory_unlock(8612)");
        if !prepared.map_err(|fault| unusable(PLACE, fault))? {
            return Err(Fault::with(Code::CfgStoreVersion, PLACE.to_owned()));
        }
        Self::writing(connect, secret, None).map_err(|fault| unusable(PLACE, fault))
    }

    /// Opens it for reading.
    pub fn open_postgres_to_read(url: &str) -> Result<Self, Fault> {
        Self::reading(connector(url)?).map_err(|fault| unusable("PostgreSQL", fault))
    }
}

/// False where the schema is newer than this program.
fn prepare(db: &dyn Db) -> Result<bool, StoreFault> {
    db.batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let version = db.one("SELECT MAX(version) FROM schema_version", &[])?.map(|row| row.maybe(0)).transpose()?.flatten().unwrap_or(0);
    if !fits(version) {
        return Ok(false);
    }
    let note = |db: &dyn Db, version: i64| db.batch(&format!("INSERT INTO schema_version (version) VALUES ({version})"));
    migrate(db, version, types, note)?;
    Ok(true)
}

fn connector(url: &str) -> Result<Connect, Fault> {
    let unreadable = |_| Fault::with(Code::CfgStore, "PostgreSQL: the connection string cannot be read".to_owned());
    let mut config: Config = url.parse().map_err(unreadable)?;
    config.connect_timeout(CONNECT_MAX);
    if config.get_application_name().is_none() {
        config.application_name("vardbro");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("store-io").enable_all().build();
    let runtime: Runtime = runtime.map_err(|fault| Fault::with(Code::BugPanic, format!("no thread ({})", fault.kind())))?;
    // Lives as long as the store; a runtime must not be dropped within another one.
    let runtime = Arc::new(Background(Some(runtime)));
    Ok(Box::new(move || connect(&runtime, &config)))
}

/// A runtime that ends without waiting.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn connect(runtime: &Arc<Background>, config: &Config) -> Result<Connection, StoreFault> {
    let handle = runtime.0.as_ref().ok_or(StoreFault::Stopped)?.handle().clone();
    let config = config.clone();
    let spawner = handle.clone();
    let client = wait(&handle, async move {
        let (client, connection) = config.connect(NoTls).await?;
        spawner.spawn(async move {
            // Its end is seen by the client.
            let _ = connection.await;
        });
        Ok(client)
    })?;
    Ok(Box::new(Pg { runtime: handle, client: Arc::new(client), statements: Mutex::default() }))
}
