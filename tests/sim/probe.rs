//! What stands in the database, seen from beside the program; and faults of the database.

use jiff::Timestamp;
use std::collections::BTreeSet;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use vardbro::model::state::State;

/// A delivery with every column that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) message: String,
    pub(crate) destination: String,
    pub(crate) event: i64,
    pub(crate) episode: String,
    pub(crate) kind: String,
    pub(crate) state: State,
    pub(crate) open: bool,
    pub(crate) head: bool,
    pub(crate) sequence: Option<i64>,
    pub(crate) hash: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) token: Option<String>,
    pub(crate) last_answer: Option<String>,
    pub(crate) tried_at: Option<Timestamp>,
    pub(crate) code: Option<String>,
    pub(crate) settled_at: Option<Timestamp>,
    pub(crate) useful_until: Option<Timestamp>,
    pub(crate) receipt_by: Option<Timestamp>,
    /// Since a restore nobody knows whether the receiver has it.
    pub(crate) in_doubt: bool,
}

const ROWS: &str =
    "SELECT id, message_id, destination, event_id, episode_id, kind, state, open, head, sequence, hex(content_hash), attempts,
    next_at, lease_until, hex(lease_token), last_answer, tried_at, code, settled_at, useful_until, receipt_by, doubt FROM delivery ORDER BY id";

/// Where the database can be made to fail, and how: a statement is refused, or all of the transaction with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    Event,
    Claim,
    Finish,
    Journal,
}

impl Spot {
    pub(crate) const ALL: [Self; 4] = [Self::Event, Self::Claim, Self::Finish, Self::Journal];

    /// The table, what is written to it, and in which rows.
    fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Event => ("event", "INSERT", "1 = 1"),
            Self::Claim => ("delivery", "UPDATE", "NEW.state = 'SUBMITTED'"),
            Self::Finish => ("delivery", "UPDATE", "OLD.state = 'SUBMITTED' AND NEW.state <> 'SUBMITTED'"),
            Self::Journal => ("journal", "INSERT", "1 = 1"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Claim => "claim",
            Self::Finish => "finish",
            Self::Journal => "journal",
        }
    }
}

/// A connection of the test's own.
pub(crate) enum Probe {
    Lite(rusqlite::Connection),
    Postgres { runtime: tokio::runtime::Runtime, client: tokio_postgres::Client },
}

type Cells = Vec<Option<String>>;

impl Probe {
    pub(crate) fn lite(path: &std::path::Path) -> Self {
        let probe = Self::beside(path);
        probe.batch("CREATE TABLE fault (spot TEXT)");
        for spot in Spot::ALL {
            let (name, (table, what, when)) = (spot.name(), spot.place());
            // The journal fails as a full disk does: what the transaction had written before is gone as well.
            let how = if spot == Spot::Journal { "ROLLBACK" } else { "ABORT" };
            probe.batch(&format!(
                "CREATE TRIGGER fails_{name} BEFORE {what} ON {table} WHEN {when} AND EXISTS (SELECT 1 FROM fault WHERE spot = '{name}')
                 BEGIN SELECT RAISE({how}, 'out of space'); END"
            ));
        }
        probe
    }

    /// On a store that has been prepared before: it was put back.
    pub(crate) fn beside(path: &std::path::Path) -> Self {
        let connection = rusqlite::Connection::open(path).expect("a store");
        connection.busy_timeout(std::time::Duration::from_secs(10)).expect("settable");
        Self::Lite(connection)
    }

    pub(crate) fn postgres(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (client, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls)).expect("a database");
        runtime.spawn(connection);
        let probe = Self::Postgres { runtime, client };
        probe.batch(
            "CREATE TABLE fault (spot TEXT);
             CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS $$ SELECT upper(encode($1, 'hex')) $$;
             CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF EXISTS (SELECT 1 FROM fault WHERE spot = TG_ARGV[0]) THEN RAISE EXCEPTION 'out of space'; END IF; RETURN NEW; END $$",
        );
        for spot in Spot::ALL {
            let (name, (table, what, when)) = (spot.name(), spot.place());
            probe.batch(&format!(
                "CREATE TRIGGER fails_{name} BEFORE {what} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION fails('{name}')"
            ));
        }
        probe
    }

    fn batch(&self, sql: &str) {
        match self {
            Self::Lite(connection) => connection.execute_batch(sql).expect("a working store"),
            Self::Postgres { runtime, client } => runtime.block_on(client.batch_execute(sql)).expect("a working store"),
        }
    }

    pub(crate) fn query(&self, sql: &str) -> Vec<Cells> {
        match self {
            Self::Lite(connection) => {
                let mut statement = connection.prepare_cached(sql).expect("a statement");
                let columns = statement.column_count();
                let cell = |row: &rusqlite::Row<'_>, column| -> rusqlite::Result<Option<String>> {
                    Ok(match row.get_ref(column)? {
                        rusqlite::types::ValueRef::Null => None,
                        rusqlite::types::ValueRef::Integer(number) => Some(number.to_string()),
                        other => Some(String::from_utf8_lossy(other.as_bytes()?).into_owned()),
                    })
                };
                let rows = statement.query_map([], |row| (0..columns).map(|column| cell(row, column)).collect()).expect("rows");
                rows.collect::<Result<_, _>>().expect("rows")
            }
            Self::Postgres { runtime, client } => {
                let messages = runtime.block_on(client.simple_query(sql)).expect("rows");
                let row = |message| match message {
                    SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()),
                    _ => None,
                };
                messages.into_iter().filter_map(row).collect()
            }
        }
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.query(sql)[0][0].as_ref().expect("a number").parse().expect("a number")
    }

    /// Names of the files whose events stand.
    pub(crate) fn origins(&self) -> BTreeSet<String> {
        let sql = match self {
            Self::Lite(_) => "SELECT origin FROM event",
            Self::Postgres { .. } => "SELECT convert_from(origin, 'UTF8') FROM event",
        };
        self.texts(sql).into_iter().collect()
    }

    /// A column of texts.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        self.query(sql).into_iter().filter_map(|mut cells| cells[0].take()).collect()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        self.query(ROWS).into_iter().map(row).collect()
    }

    /// From now on what is written there fails; or nothing does.
    pub(crate) fn break_at(&self, spot: Option<Spot>) {
        self.batch("DELETE FROM fault");
        if let Some(spot) = spot {
            self.batch(&format!("INSERT INTO fault VALUES ('{}')", spot.name()));
        }
    }

    /// An empty store, as new.
    pub(crate) fn wipe(&self) {
        const TABLES: [&str; 11] =
            ["fault", "audit", "restored", "attempt", "journal", "alarm", "request", "episode_patient", "delivery", "event", "episode"];
        let deletes: Vec<String> = TABLES.iter().map(|table| format!("DELETE FROM {table};")).collect();
        self.batch(&format!("BEGIN; {} DELETE FROM meta WHERE name = 'audit_chain'; COMMIT", deletes.concat()));
    }
}

fn row(cells: Cells) -> Row {
    let mut cells = cells.into_iter();
    let mut next = || cells.next().expect("a column");
    let whole = |cell: Option<String>| -> Option<i64> { cell.map(|cell| cell.parse().expect("a number")) };
    let moment = |cell| whole(cell).map(|at| Timestamp::from_millisecond(at).expect("a moment"));
    let text = |cell: Option<String>| cell.expect("a text");
    Row {
        id: whole(next()).expect("an id"),
        message: text(next()),
        destination: text(next()),
        event: whole(next()).expect("an id"),
        episode: text(next()),
        kind: text(next()),
        state: State::parse(&text(next())).expect("a state"),
        open: whole(next()) == Some(1),
        head: whole(next()) == Some(1),
        sequence: whole(next()),
        hash: next().filter(|hash| !hash.is_empty()),
        attempts: whole(next()).expect("a number"),
        next_at: moment(next()),
        lease_until: moment(next()),
        token: next().filter(|token| !token.is_empty()),
        last_answer: next(),
        tried_at: moment(next()),
        code: next(),
        settled_at: moment(next()),
        useful_until: moment(next()),
        receipt_by: moment(next()),
        in_doubt: whole(next()) == Some(1),
    }
}
