//! Everything that is needed to leave the product, a line of JSON each, from one moment of the store.

use super::db::{Db, Row, Value, values};
use super::seal::COLUMNS;
use super::{Store, StoreFault};
use crate::model::time::instant_text;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;
use std::io;

/// Rows that are read at once: a row may hold a megabyte.
const PAGE: i64 = 50;
/// Version of the lines' form.
const FORMAT: u32 = 1;

/// What a column becomes.
#[derive(Clone, Copy)]
enum Form {
    As,
    Time,
    /// Bytes or text that hold JSON.
    Json,
    /// Bytes that hold text.
    Text,
    Hex,
}

struct Table {
    record: &'static str,
    from: &'static str,
    /// What its rows are in the order of.
    key: &'static str,
    columns: &'static [(&'static str, Form)],
}

use Form::{As, Hex, Text, Time};

const EVENT: Table = Table {
    record: "event",
    from: "event",
    key: "id",
    columns: &[
        ("id", As),
        ("key", As),
        ("version", As),
        ("kind", As),
        ("episode_id", As),
        ("source", As),
        ("origin", Text),
        ("occurred_at", Time),
        ("received_at", Time),
        ("findings", Form::Json),
        ("body", Form::Json),
        ("purged_at", Time),
        ("fate", As),
    ],
};

const EPISODE: Table = Table {
    record: "episode",
    from: "episode",
    key: "id",
    columns: &[("id", As), ("version", As), ("phase", As), ("rules", As), ("opened_at", Time), ("changed_at", Time), ("body", Form::Json)],
};

const DELIVERY: Table = Table {
    record: "delivery",
    from: "delivery",
    key: "id",
    columns: &[
        ("id", As),
        ("message_id", As),
        ("destination", As),
        ("event_id", As),
        ("episode_id", As),
        ("kind", As),
        ("version", As),
        ("state", As),
        ("code", As),
        ("findings", Form::Json),
        ("sequence", As),
        ("attempts", As),
        ("rules", As),
        ("rules_hash", As),
        ("created_at", Time),
        ("released_at", Time),
        ("settled_at", Time),
        ("next_at", Time),
        ("content_hash", Hex),
        ("document", Text),
        ("subject", Form::Json),
        ("purged_at", Time),
    ],
};

/// Those of one delivery.
const ATTEMPT: Table = Table {
    record: "attempt",
    from: "attempt",
    key: "delivery_id",
    columns: &[
        ("delivery_id", As),
        ("n", As),
        ("envelope_id", As),
        ("started_at", Time),
        ("duration_ms", As),
        ("answer", As),
        ("code", As),
        ("http_status", As),
        ("receipt", Text),
    ],
};

const REQUEST: Table = Table {
    record: "request",
    from: "request",
    key: "id",
    columns: &[("id", As), ("at", Time), ("asked_by", As), ("action", Form::Json), ("done_at", Time), ("outcome", Form::Json)],
};

const HOLD: Table = Table {
    record: "hold",
    from: "legal_hold",
    key: "id",
    columns: &[("id", As), ("at", Time), ("set_by", As), ("subject", As), ("reason", Text), ("lifted_at", Time), ("lifted_by", As)],
};

const JOURNAL: Table = Table { record: "journal", from: "journal", key: "id", columns: &[("id", As), ("line", Form::Json)] };

const AUDIT: Table = Table {
    record: "audit",
    from: "audit",
    key: "n",
    columns: &[
        ("n", As),
        ("at", Time),
        ("kind", As),
        ("message_id", As),
        ("destination", As),
        ("episode_id", As),
        ("patient", As),
        ("body", Form::Json),
        ("mac", Hex),
    ],
};

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    pub events: u64,
    pub episodes: u64,
    pub deliveries: u64,
    pub journal: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error(transparent)]
    File(#[from] io::Error),
}

impl Store {
    /// Writes it all, page by page.
    pub fn export(&self, at: Timestamp, out: &mut dyn io::Write) -> Result<Exported, ExportFault> {
        let mut written = Ok(Exported::default());
        self.read(|db| {
            db.batch(if db.is_shared() { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" })?;
            written = everything(db, at, out);
            db.batch("ROLLBACK")
        })?;
        written
    }
}

fn everything(db: &dyn Db, at: Timestamp, out: &mut dyn io::Write) -> Result<Exported, ExportFault> {
    let head =
        json!({"record": "export", "format": FORMAT, "at": instant_text(at), "version": env!("CARGO_PKG_VERSION"), "personalData": true});
    writeln!(out, "{head}")?;
    let mut exported = Exported { events: pages(db, &EVENT, out)?, episodes: pages(db, &EPISODE, out)?, ..Exported::default() };
    exported.deliveries = pages(db, &DELIVERY, out)?;
    pages(db, &REQUEST, out)?;
    pages(db, &HOLD, out)?;
    exported.journal = pages(db, &JOURNAL, out)?;
    pages(db, &AUDIT, out)?;
    Ok(exported)
}

fn pages(db: &dyn Db, table: &Table, out: &mut dyn io::Write) -> Result<u64, ExportFault> {
    let Table { from, key, .. } = table;
    let columns = names(table);
    let first = format!("SELECT {columns} FROM {from} ORDER BY {key} LIMIT ?1");
    let next = format!("SELECT {columns} FROM {from} WHERE {key} > ?1 ORDER BY {key} LIMIT ?2");
    let mut rows = db.query(&first, values![PAGE])?;
    let mut count = 0;
    while let Some(Row(last)) = rows.last().cloned() {
        for row in &rows {
            writeln!(out, "{}", line(db, table, row)?)?;
            count += 1;
            if table.record == DELIVERY.record {
                attempts(db, row, out)?;
            }
        }
        rows = db.query(&next, &[last[0].clone(), PAGE.into()])?;
    }
    Ok(count)
}

fn attempts(db: &dyn Db, delivery: &Row, out: &mut dyn io::Write) -> Result<(), ExportFault> {
    let sql = format!("SELECT {} FROM attempt WHERE delivery_id = ?1 ORDER BY started_at, n", names(&ATTEMPT));
    for row in db.query(&sql, &[delivery.0[0].clone()])? {
        writeln!(out, "{}", line(db, &ATTEMPT, &row)?)?;
    }
    Ok(())
}

fn names(table: &Table) -> String {
    table.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn line(db: &dyn Db, table: &Table, row: &Row) -> Result<Json, StoreFault> {
    let mut out = Map::new();
    out.insert("record".to_owned(), table.record.into());
    for (at, (name, form)) in table.columns.iter().enumerate() {
        let value = match open(db, table, row, at) {
            Ok(value) => written(*form, &value),
            // As it is, for whoever can make more of it.
            Err(StoreFault::Damaged { .. }) => json!({"sealed": written(Hex, &row.value(at))}),
            Err(fault) => return Err(fault),
        };
        out.insert((*name).to_owned(), value);
    }
    Ok(Json::Object(out))
}

/// A value of a row, opened where it is one of those that are sealed.
fn open(db: &dyn Db, table: &Table, row: &Row, at: usize) -> Result<Value, StoreFault> {
    let sealed = COLUMNS.iter().find(|column| column.table == table.from && column.name == table.columns[at].0);
    let Some(column) = sealed else { return Ok(row.value(at)) };
    let place: Vec<usize> = column.row.iter().filter_map(|part| table.columns.iter().position(|(name, _)| name == part)).collect();
    Ok(column.open(db, row, at, &place)?.map_or(Value::Null, Value::Bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What is not of its form is written as it is: it is not for us to leave anything out.
fn written(form: Form, value: &Value) -> Json {
    let text = |bytes: &[u8]| Json::from(String::from_utf8_lossy(bytes));
    match (form, value) {
        (_, Value::Null) => Json::Null,
        (Form::Time, Value::Int(millis)) => {
            Timestamp::from_millisecond(*millis).map_or_else(|_| (*millis).into(), |at| instant_text(at).into())
        }
        (_, Value::Int(number)) => (*number).into(),
        (Form::Json, Value::Text(json)) => serde_json::from_str(json).unwrap_or_else(|_| json.as_str().into()),
        (_, Value::Text(text)) => text.as_str().into(),
        (Form::Json, Value::Bytes(json)) => serde_json::from_slice(json).unwrap_or_else(|_| text(json)),
        (Form::Hex, Value::Bytes(bytes)) => hex(bytes).into(),
        (_, Value::Bytes(bytes)) => text(bytes),
    }
}
