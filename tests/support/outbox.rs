//! An outbox in a real database of each kind, removed when the test ends. Its table is the one in `docs/sources/sql.md`.
//!
//! `VARDBRO_TEST_MARIADB` names a MariaDB; without it the one on this machine is tried. In CI it must be there.

#![expect(clippy::print_stderr, reason = "says that it skips")]

use super::postgres::Schema;
use mysql_async::prelude::Queryable;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;
use tokio_postgres::{NoTls, SimpleQueryMessage};

const HERE: &str = "mysql://root@127.0.0.1:3306/";
const SAMPLES: &str = include_str!("../../docs/sources/sql.md");
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of one kind.
pub(crate) enum Base {
    Postgres(Schema),
    Maria { server: String, name: String },
    Sqlite { folder: tempfile::TempDir },
}

impl Base {
    pub(crate) fn postgres() -> Option<Self> {
        Schema::new().map(Self::Postgres)
    }

    /// None where no MariaDB is to be had, outside CI.
    pub(crate) fn maria() -> Option<Self> {
        let server = std::env::var("VARDBRO_TEST_MARIADB").unwrap_or_else(|_| HERE.to_owned());
        let name = format!("vardbro_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // A database may stand in the address.
        let server = server.rsplit_once('/').map_or(server.clone(), |(server, _)| format!("{server}/"));
        let mut made = Err("no connection".to_owned());
        if let Ok(mut client) = Client::maria(&server) {
            made = client.try_run(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        }
        if let Err(fault) = made {
            assert!(std::env::var_os("CI").is_none(), "no MariaDB in CI: {fault}");
            eprintln!("skipped: no MariaDB is to be had");
            return None;
        }
        Some(Self::Maria { server, name })
    }

    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        drop(rusqlite::Connection::open(folder.path().join("outbox.db")).expect("a database"));
        Self::Sqlite { folder }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Postgres(_) => "PostgreSQL",
            Self::Maria { .. } => "MariaDB",
            Self::Sqlite { .. } => "SQLite",
        }
    }

    /// The connection string, or the file.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Postgres(schema) => schema.url.clone(),
            Self::Maria { server, name } => format!("{server}{name}"),
            Self::Sqlite { folder } => folder.path().join("outbox.db").display().to_string(),
        }
    }

    /// The sample table of the documentation.
    pub(crate) fn sample(&self) -> String {
        let (_, after) = SAMPLES.split_once(&format!("\n{}:\n\n```sql\n", self.name())).expect("a sample");
        after.split_once("```").expect("its end").0.to_owned()
    }

    pub(crate) fn client(&self) -> Client {
        match self {
            Self::Postgres(schema) => Client::postgres(&schema.url).expect("PostgreSQL"),
            Self::Maria { server, name } => Client::maria(&format!("{server}{name}")).expect("MariaDB"),
            Self::Sqlite { folder } => {
                let db = rusqlite::Connection::open(folder.path().join("outbox.db")).expect("SQLite");
                db.busy_timeout(std::time::Duration::from_secs(10)).expect("set");
                Client::Sqlite(db)
            }
        }
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        if let Self::Maria { server, name } = self
            && let Ok(mut client) = Client::maria(server)
        {
            let _ = client.try_run(&format!("DROP DATABASE IF EXISTS {name}"));
        }
    }
}

/// A connection; what it begins lasts until it commits.
pub(crate) enum Client {
    Postgres(Runtime, tokio_postgres::Client),
    Maria(Runtime, mysql_async::Conn),
    Sqlite(rusqlite::Connection),
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

impl Client {
    fn postgres(url: &str) -> Result<Self, String> {
        let runtime = runtime();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|fault| fault.to_string())?;
            tokio::spawn(connection);
            Ok::<_, String>(client)
        })?;
        Ok(Self::Postgres(runtime, client))
    }

    fn maria(url: &str) -> Result<Self, String> {
        let runtime = runtime();
        let conn = runtime.block_on(async { mysql_async::Conn::from_url(url).await.map_err(|fault| fault.to_string()) })?;
        Ok(Self::Maria(runtime, conn))
    }

    pub(crate) fn run(&mut self, sql: &str) {
        self.try_run(sql).expect("a statement");
    }

    pub(crate) fn try_run(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Self::Postgres(runtime, client) => runtime.block_on(client.batch_execute(sql)).map_err(|fault| fault.to_string()),
            Self::Maria(runtime, conn) => {
                let one = |sql: &str| runtime.block_on(conn.query_drop(sql)).map_err(|fault| fault.to_string());
                sql.split(";\n").map(str::trim).filter(|sql| !sql.is_empty()).try_for_each(one)
            }
            Self::Sqlite(db) => db.execute_batch(sql).map_err(|fault| fault.to_string()),
        }
    }

    /// A text for each row, its columns with `|` between.
    pub(crate) fn ask(&mut self, sql: &str) -> Vec<String> {
        match self {
            Self::Postgres(runtime, client) => {
                let answers = runtime.block_on(client.simple_query(sql)).expect("an answer");
                let rows = answers.iter().filter_map(|answer| if let SimpleQueryMessage::Row(row) = answer { Some(row) } else { None });
                rows.map(|row| (0..row.len()).map(|place| row.get(place).unwrap_or_default()).collect::<Vec<_>>().join("|")).collect()
            }
            Self::Maria(runtime, conn) => {
                let rows: Vec<mysql_async::Row> = runtime.block_on(conn.query(sql)).expect("an answer");
                let text = |value: mysql_async::Value| match value {
                    mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    mysql_async::Value::Int(number) => number.to_string(),
                    _ => String::new(),
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect::<Vec<_>>().join("|")).collect()
            }
            Self::Sqlite(db) => {
                use rusqlite::types::Value as Field;
                let mut statement = db.prepare(sql).expect("a statement");
                let width = statement.column_count();
                let text = |field: Field| match field {
                    Field::Integer(number) => number.to_string(),
                    Field::Text(text) => text,
                    _ => String::new(),
                };
                let row =
                    |row: &rusqlite::Row| Ok((0..width).map(|place| row.get(place).map(text)).collect::<Result<Vec<_>, _>>()?.join("|"));
                statement.query_map([], row).expect("rows").map(|row| row.expect("a row")).collect()
            }
        }
    }

    pub(crate) fn count(&mut self, what: &str) -> usize {
        self.ask(&format!("SELECT COUNT(*) FROM {what}")).pop().and_then(|row| row.parse().ok()).expect("a number")
    }

    /// Puts a record into the outbox.
    pub(crate) fn put(&mut self, event: &str) {
        self.run(&format!("INSERT INTO outbox (event) VALUES ('{}')", event.replace('\'', "''")));
    }
}
