//! A schema of its own in a real PostgreSQL, dropped when the test ends.
//!
//! `VARDBRO_TEST_POSTGRES` names the database; without it the one on this machine is tried. In CI it must be there.

#![expect(clippy::print_stderr, reason = "says that it skips")]

use std::sync::atomic::{AtomicU32, Ordering};
use tokio_postgres::NoTls;

const HERE: &str = "host=127.0.0.1 user=postgres dbname=postgres";
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A schema, and the connection string that leads into it.
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) database: String,
    pub(crate) url: String,
}

impl Schema {
    /// None where no PostgreSQL is to be had, outside CI.
    pub(crate) fn new() -> Option<Self> {
        let database = std::env::var("VARDBRO_TEST_POSTGRES").unwrap_or_else(|_| HERE.to_owned());
        let name = format!("vardbro_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        if let Err(fault) = run(&database, &format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")) {
            assert!(std::env::var_os("CI").is_none(), "no PostgreSQL in CI: {fault}");
            eprintln!("skipped: no PostgreSQL is to be had");
            return None;
        }
        let url = format!("{database} application_name={name} options='-c search_path={name}'");
        Some(Self { name, database, url })
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let _ = run(&self.database, &format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
    }
}

pub(crate) fn run(database: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(sql).await
    })
}
