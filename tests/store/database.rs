//! A database of a test's own, of either kind, opened as often as a clause needs it.

use crate::hand::line;
use crate::postgres::{self, Schema};
use rusqlite::Connection;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use vardbro::fault::Fault;
use vardbro::model::dice::SystemDice;
use vardbro::oplog::Event;
use vardbro::store::{Keys, Place, Rekey, Rekeyed, Store, StoreKey, Who};

pub(crate) struct Database {
    at: At,
    /// The keys that it is opened with, the one that seals first; none where it stands plain.
    keys: Vec<u8>,
}

enum At {
    Sqlite(tempfile::TempDir),
    Postgresql(Schema),
}

/// The key of most tests.
const KEY: u8 = 21;

/// Keys by their numbers.
pub(crate) fn keys(numbers: &[u8], reference: u8) -> Keys {
    let ring = numbers.iter().map(|number| StoreKey::new(&[*number; 32]).expect("a key")).collect();
    Keys::new(ring, Arc::new(SystemDice)).with_reference([reference; 32])
}

/// The statements of every version of the schema, in order.
fn migrations() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
    let texts = (1..).map_while(|version| std::fs::read_to_string(folder.join(format!("{version}.sql"))).ok());
    texts.collect()
}

/// The newest version.
pub(crate) fn newest() -> usize {
    migrations().len()
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self { at: At::Sqlite(tempfile::tempdir().expect("a folder")), keys: vec![KEY] }
    }

    /// None where no PostgreSQL is to be had.
    pub(crate) fn postgresql() -> Option<Self> {
        Some(Self { at: At::Postgresql(Schema::new()?), keys: vec![KEY] })
    }

    /// The same, with other keys from now on; with none, nothing is sealed.
    pub(crate) fn with(self, keys: &[u8]) -> Self {
        Self { keys: keys.to_vec(), ..self }
    }

    /// Another one of the same kind.
    pub(crate) fn another(&self) -> Self {
        let another = if self.is_shared() { Self::postgresql().expect("it was there") } else { Self::sqlite() };
        another.with(&self.keys)
    }

    /// Several processes may write.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.at, At::Postgresql(_))
    }

    pub(crate) fn is_sealed(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(crate) fn place(&self) -> Place {
        match &self.at {
            At::Sqlite(folder) => Place::File(folder.path().join("vardbro.db")),
            At::Postgresql(schema) => Place::Postgres((&schema.url).into()),
        }
    }

    pub(crate) fn try_open(&self, secret: u8) -> Result<Store, Fault> {
        Store::open_at(&self.place(), keys(&self.keys, secret))
    }

    /// Seals everything with the first key.
    pub(crate) fn rekey(&self) -> Rekeyed {
        let mut rekey = self.begin_rekey().expect("it may begin");
        loop {
            while rekey.step().expect("a working store") {}
            if let Some(done) = rekey.end(&line(Event::StoreRekeyed), &Who::daemon()).expect("a working store") {
                return done;
            }
        }
    }

    pub(crate) fn begin_rekey(&self) -> Result<Rekey, Fault> {
        Rekey::begin(&self.place(), &keys(&self.keys, 0))
    }

    /// Everything that stands in it, as bytes: the files, or what the server's own tool writes of the schema.
    pub(crate) fn raw(&self) -> Option<Vec<u8>> {
        match &self.at {
            At::Sqlite(folder) => {
                let files = ["", "-wal", "-shm"].map(|ending| folder.path().join(format!("vardbro.db{ending}")));
                Some(files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect())
            }
            At::Postgresql(schema) => {
                let dump = Command::new("pg_dump").arg("--dbname").arg(&schema.database).arg("--schema").arg(&schema.name).output();
                let Ok(dump) = dump else {
                    assert!(std::env::var_os("CI").is_none(), "no pg_dump in CI");
                    return None;
                };
                assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
                Some(dump.stdout)
            }
        }
    }

    pub(crate) fn open(&self) -> Store {
        self.try_open(7).expect("a store")
    }

    pub(crate) fn open_to_read(&self) -> Result<Store, Fault> {
        Store::open_at_to_read(&self.place(), keys(&self.keys, 0))
    }

    /// Handles of several workers: of processes of their own where the database lets more than one write, else of one.
    pub(crate) fn workers(&self, count: usize) -> Vec<Store> {
        let first = self.open();
        let more = (1..count).map(|_| if self.is_shared() { self.open() } else { first.clone() }).collect::<Vec<_>>();
        [vec![first], more].concat()
    }

    /// Statements from beside the store.
    pub(crate) fn sql(&self, statements: &str) {
        match &self.at {
            At::Sqlite(folder) => {
                let connection = Connection::open(folder.path().join("vardbro.db")).expect("a file");
                connection.busy_timeout(Duration::from_secs(10)).expect("a time-out");
                connection.execute_batch(statements).expect("statements");
            }
            At::Postgresql(schema) => postgres::run(&schema.url, statements).expect("statements"),
        }
    }

    /// Bytes as a statement names them.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> String {
        let hex = bytes.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        if self.is_shared() { format!("'\\x{hex}'::bytea") } else { format!("x'{hex}'") }
    }

    /// The empty schema of a version, as a program of that time made it.
    pub(crate) fn lay(&self, version: usize) {
        if self.is_shared() {
            self.sql("CREATE TABLE schema_version (version BIGINT NOT NULL)");
        }
        for migration in &migrations()[..version] {
            self.sql(&if self.is_shared() { of_postgresql(migration) } else { migration.clone() });
        }
        self.claim_version(version);
    }

    /// Says that the schema is of this version.
    pub(crate) fn claim_version(&self, version: usize) {
        match &self.at {
            At::Sqlite(_) => self.sql(&format!("PRAGMA user_version = {version}")),
            At::Postgresql(_) => self.sql(&format!("INSERT INTO schema_version (version) VALUES ({version})")),
        }
    }
}

/// The types of the schema as they were made in PostgreSQL. A record of what has been: it does not follow the program.
fn of_postgresql(sql: &str) -> String {
    sql.replace("id INTEGER PRIMARY KEY", "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace(" INTEGER", " BIGINT")
        .replace(" BLOB", " BYTEA")
        .replace(" WITHOUT ROWID", "")
}
