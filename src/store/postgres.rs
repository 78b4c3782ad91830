//! PostgreSQL: for several replicas on one queue.
//!
//! The statements are those of SQLite. Rows are locked where several processes may want them: an episode's row before its
//! lanes are touched, and the heads that a replica claims.

use super::db::{Db, Row, Value};
use super::handle::{Connect, Connection, Store, fits, is_current, migrate, unusable};
use super::keys::Keys;
use super::seal::Seals;
use super::{Server, StoreFault};
use crate::fault::{Code, Fault};
use crate::trust;
use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::config::Host;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What faults call the store; the connection string may hold a password.
const PLACE: &str = "PostgreSQL";
const UNREADABLE: &str = "PostgreSQL: the connection string cannot be read";
/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the daemon waits for one answer before it gives the connection up: a firewall that forgets one tells nobody.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// A replica that is stopped within a transaction must not keep its locks for as long as it sleeps. The database ends the
/// transaction; the replica finds its connection closed when it wakes.
const LET_GO: &str = "SET idle_in_transaction_session_timeout = '10s'";
/// A server that acknowledges before it has written is asked not to; one that does more than that is left alone.
const SYNC: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
/// Replicas that start wait here for each other.
const ONE_OPENS: &str = "SELECT pg_advisory_lock(8612)";
/// How long it takes at most until a connection that was closed is none any more.
const LOOKS_MAX: u32 = 20;
const LOOK: Duration = Duration::from_millis(100);
/// Statements that a connection keeps prepared; there are some dozens in all.
const STATEMENTS_MAX: usize = 256;

/// A connection that any thread may use and wait for, also one that belongs to another runtime.
struct Pg {
    runtime: Handle,
    client: Arc<Client>,
    statements: Mutex<HashMap<String, Statement>>,
    /// How long it waits for an answer; none for ever.
    patience: Option<Duration>,
    /// An answer did not come: whatever comes now is for something that nobody waits for any more.
    given_up: AtomicBool,
    seals: Arc<Seals>,
}

impl Pg {
    /// Runs work on the connections' own runtime and waits for it.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    ) -> Result<T, StoreFault> {
        if self.given_up.load(Ordering::SeqCst) {
            return Err(StoreFault::Unreachable);
        }
        let answer = wait(&self.runtime, self.patience, work);
        if answer.is_none() {
            self.given_up.store(true, Ordering::SeqCst);
        }
        answer.unwrap_or(Err(StoreFault::Unreachable))
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

/// None where it took too long.
fn wait<T: Send + 'static>(
    runtime: &Handle,
    patience: Option<Duration>,
    work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
) -> Option<Result<T, StoreFault>> {
    let (tell, told) = mpsc::sync_channel(1);
    runtime.spawn(async move {
        let answer = match patience {
            Some(patience) => tokio::time::timeout(patience, work).await.ok(),
            None => Some(work.await),
        };
        // Whoever asked waits for it.
        let _ = tell.send(answer);
    });
    let Ok(answer) = told.recv() else { return Some(Err(StoreFault::Stopped)) };
    answer.map(|answer| answer.map_err(|fault| failed(&fault)))
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
        self.client.is_closed() || self.given_up.load(Ordering::SeqCst)
    }

    fn seals(&self) -> &Seals {
        &self.seals
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
    pub fn open_postgres(server: impl Into<Server>, keys: impl Into<Keys>) -> Result<Self, Fault> {
        let (server, seals) = (server.into(), Arc::new(Seals::new(keys.into())));
        // What a new version does to a large database takes its time.
        let connect = connector(&server, None, Arc::clone(&seals))?;
        let db = connect().map_err(|fault| unusable(PLACE, fault))?;
        // Replicas that start together wait for each other here.
        let prepared = db.batch(ONE_OPENS).and_then(|()| prepare(db.as_ref()));
        let _ = db.batch("SELECT pg_advisory_unlock(8612)");
        if !prepared.map_err(|fault| unusable(PLACE, fault))? {
            return Err(Fault::with(Code::CfgStoreVersion, PLACE.to_owned()));
        }
        Self::writing(connector(&server, Some(ANSWER_MAX), seals)?, None).map_err(|fault| unusable(PLACE, fault))
    }

    /// Opens it for reading.
    pub fn open_postgres_to_read(server: impl Into<Server>, keys: impl Into<Keys>) -> Result<Self, Fault> {
        let connect = connector(&server.into(), None, Arc::new(Seals::new(keys.into())))?;
        let version = connect().and_then(|db| version(db.as_ref())).map_err(|fault| unusable(PLACE, fault))?;
        if !is_current(version) {
            return Err(Fault::with(Code::CfgStoreVersion, PLACE.to_owned()));
        }
        Self::reading(connect).map_err(|fault| unusable(PLACE, fault))
    }
}

/// How many connections like ours there are: daemons, or commands that look on.
pub(super) fn others(server: &Server) -> Result<u64, Fault> {
    let connect = connector(server, None, Arc::new(Seals::none()))?;
    connect().and_then(|db| others_than(db.as_ref())).map_err(|fault| unusable(PLACE, fault))
}

fn others_than(db: &dyn Db) -> Result<u64, StoreFault> {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()
         AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
    db.one(sql, &[])?.map_or(Ok(0), |row| row.get(0))
}

/// Does something while nobody else has the store: whoever opens it meanwhile waits.
pub(super) fn alone(server: &Server, seals: Arc<Seals>, work: impl FnOnce(&dyn Db) -> Result<(), StoreFault>) -> Result<(), Fault> {
    let connect = connector(server, None, seals)?;
    let db = connect().map_err(|fault| unusable(PLACE, fault))?;
    let failed = |fault| unusable(PLACE, fault);
    // Given back with the connection.
    db.batch(ONE_OPENS).map_err(failed)?;
    // Who has just left is counted for a moment more.
    let mut looks = 0;
    while others_than(db.as_ref()).map_err(failed)? > 0 {
        looks += 1;
        if looks > LOOKS_MAX {
            return Err(Fault::with(Code::StoInUse, PLACE));
        }
        std::thread::sleep(LOOK);
    }
    work(db.as_ref()).map_err(failed)
}

/// The command by which the server's own tools make a backup; without a password.
pub(super) fn dump_command(server: &Server, to: &Path) -> Result<String, Fault> {
    let config: Config = server.url.0.parse().map_err(|_| Fault::with(Code::CfgStore, UNREADABLE))?;
    let mut out = "pg_dump --format=custom".to_owned();
    let mut put = |name: &str, value: &str| {
        let _ = write!(out, " --{name}={value}");
    };
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => put("host", host),
        Some(Host::Unix(folder)) => put("host", &folder.display().to_string()),
        None => {}
    }
    config.get_ports().first().inspect(|port| put("port", &port.to_string()));
    config.get_user().inspect(|user| put("username", user));
    config.get_dbname().inspect(|name| put("dbname", name));
    put("file", &to.display().to_string());
    Ok(out)
}

/// What the database says of its schema.
fn version(db: &dyn Db) -> Result<i64, StoreFault> {
    Ok(db.one("SELECT MAX(version) FROM schema_version", &[])?.map(|row| row.maybe(0)).transpose()?.flatten().unwrap_or(0))
}

/// False where the schema is newer than this program.
fn prepare(db: &dyn Db) -> Result<bool, StoreFault> {
    db.batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let version = version(db)?;
    if !fits(version) {
        return Ok(false);
    }
    let note = |db: &dyn Db, version: i64| db.batch(&format!("INSERT INTO schema_version (version) VALUES ({version})"));
    migrate(db, version, types, note)?;
    Ok(true)
}

fn connector(server: &Server, patience: Option<Duration>, seals: Arc<Seals>) -> Result<Connect, Fault> {
    let mut config: Config = server.url.0.parse().map_err(|_| Fault::with(Code::CfgStore, UNREADABLE))?;
    let tls = trust::is_met_over_tls(&mut config).then(|| trust::client(server.ca_file.as_deref(), "store.ca_file")).transpose()?;
    let tls = tls.map(MakeRustlsConnect::new);
    config.connect_timeout(CONNECT_MAX);
    if config.get_application_name().is_none() {
        config.application_name("vardbro");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("store-io").enable_all().build();
    let runtime: Runtime = runtime.map_err(|fault| Fault::with(Code::BugPanic, format!("no thread ({})", fault.kind())))?;
    // Lives as long as the store; a runtime must not be dropped within another one.
    let runtime = Arc::new(Background(Some(runtime)));
    Ok(Box::new(move || connect(&runtime, &config, tls.as_ref(), patience, &seals)))
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

fn connect(
    runtime: &Arc<Background>,
    config: &Config,
    tls: Option<&MakeRustlsConnect>,
    patience: Option<Duration>,
    seals: &Arc<Seals>,
) -> Result<Connection, StoreFault> {
    let handle = runtime.0.as_ref().ok_or(StoreFault::Stopped)?.handle().clone();
    let (config, tls) = (config.clone(), tls.cloned());
    let spawner = handle.clone();
    let client = wait(&handle, Some(CONNECT_MAX), async move {
        let client = match tls {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                spawner.spawn(connection);
                client
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls).await?;
                spawner.spawn(connection);
                client
            }
        };
        client.batch_execute(&format!("{LET_GO}; {SYNC}")).await?;
        Ok(client)
    });
    let client = Arc::new(client.unwrap_or(Err(StoreFault::Unreachable))?);
    Ok(Box::new(Pg {
        runtime: handle,
        client,
        statements: Mutex::default(),
        patience,
        given_up: AtomicBool::new(false),
        seals: Arc::clone(seals),
    }))
}
