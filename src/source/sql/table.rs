//! The statements for one table or view. Pure.
//!
//! Names are those that the configuration's check let through, and quoted; whatever comes out of rows is a parameter.

use super::link::{Column, Kind, Value};
use crate::config::{Engine, SqlSettings};

/// A row before its record is read.
pub(super) struct Head {
    pub(super) key: Value,
    pub(super) order: Value,
    pub(super) bytes: u64,
}

impl Head {
    pub(super) fn of(row: Vec<Value>) -> Option<Self> {
        let [key, order, bytes]: [Value; 3] = row.try_into().ok()?;
        let bytes = if let Value::Int(bytes) = bytes { u64::try_from(bytes).unwrap_or(0) } else { 0 };
        Some(Self { key, order, bytes })
    }
}

/// From where a view is read.
#[derive(Clone)]
pub(super) enum From {
    Start,
    /// Here, and all that is equal.
    At(Value),
    /// After this row: its order and its key.
    After(Value, Value),
}

pub(super) struct Table {
    engine: Engine,
    name: String,
    key: Column,
    order: Column,
    /// What the record is made of.
    pub(super) columns: Vec<Column>,
    /// The record is one column's value, and not the row.
    pub(super) is_body: bool,
    /// Quoted: status and answer.
    written: Option<(String, String)>,
    max_bytes: u64,
}

impl Table {
    /// None where a column is not there.
    pub(super) fn new(settings: &SqlSettings, max_bytes: u64, found: Vec<Column>) -> Option<Self> {
        let find = |name: &str| found.iter().find(|column| column.name == name).cloned();
        let (key, order) = (find(&settings.key)?, find(&settings.order)?);
        let written = match &settings.written {
            Some((status, answer)) => {
                find(status).and(find(answer))?;
                Some((quote(settings.engine, status), quote(settings.engine, answer)))
            }
            None => None,
        };
        // What we write is no part of what we read: it would make a new version of every row.
        let ours = |name: &String| settings.written.as_ref().is_some_and(|(status, answer)| status == name || answer == name);
        let columns = match &settings.body {
            Some(body) => vec![find(body)?],
            None => found.into_iter().filter(|column| !ours(&column.name)).collect(),
        };
        let name = Self::quoted(settings.engine, &settings.table);
        let is_body = settings.body.is_some();
        Some(Self { engine: settings.engine, name, key, order, columns, is_body, written, max_bytes })
    }

    pub(super) fn quoted(engine: Engine, table: &str) -> String {
        table.split('.').map(|part| quote(engine, part)).collect::<Vec<_>>().join(".")
    }

    /// Heads of rows that have no status yet, in their order: a row that was committed late has none either.
    pub(super) fn new_rows(&self, most: usize) -> String {
        let status = self.written.as_ref().map_or_else(String::new, |(status, _)| format!(" AND {status} IS NULL"));
        self.heads(&format!("{} IS NOT NULL{status}", self.quote(&self.key)), most)
    }

    /// Heads of rows from a place on, whatever has been seen.
    pub(super) fn rows_from(&self, from: &From, most: usize) -> (String, Vec<Value>) {
        let (key, order) = (self.quote(&self.key), self.quote(&self.order));
        let (more, values) = match from {
            From::Start => (String::new(), Vec::new()),
            From::At(at) => (format!(" AND {order} >= ?"), vec![at.clone()]),
            From::After(_, last) if key == order => (format!(" AND {key} > ?"), vec![last.clone()]),
            From::After(at, last) => {
                (format!(" AND {order} >= ? AND ({order} > ? OR {key} > ?)"), vec![at.clone(), at.clone(), last.clone()])
            }
        };
        (self.heads(&format!("{key} IS NOT NULL{more}"), most), values)
    }

    fn heads(&self, which: &str, most: usize) -> String {
        let (key, order) = (self.quote(&self.key), self.quote(&self.order));
        let bytes: Vec<String> = self.columns.iter().map(|column| self.bytes(column)).collect();
        // By the table's own columns: PostgreSQL would else take those that are read, and order numbers as text.
        let by = if key == order { format!("t.{key}") } else { format!("t.{order}, t.{key}") };
        let (key, order) = (self.read(&self.key), self.read(&self.order));
        let (name, bytes) = (&self.name, bytes.join(" + "));
        format!("SELECT {key}, {order}, {bytes} FROM {name} AS t WHERE {which} ORDER BY {by} LIMIT {most}")
    }

    /// The records of so many rows, their keys before them. One that grew meanwhile is left for the next look.
    pub(super) fn records(&self, keys: usize) -> String {
        let read: Vec<String> = std::iter::once(&self.key).chain(&self.columns).map(|column| self.record_value(column)).collect();
        let bytes: Vec<String> = self.columns.iter().map(|column| self.bytes(column)).collect();
        let marks = vec!["?"; keys].join(", ");
        let (key, most) = (self.quote(&self.key), self.max_bytes);
        format!("SELECT {} FROM {} WHERE {key} IN ({marks}) AND {} <= {most}", read.join(", "), self.name, bytes.join(" + "))
    }

    /// Status and answer of a row that has none yet, by its key.
    pub(super) fn mark(&self) -> Option<String> {
        let ((status, answer), key) = (self.written.as_ref()?, self.quote(&self.key));
        Some(format!("UPDATE {} SET {status} = ?, {answer} = ? WHERE {key} = ? AND {status} IS NULL", self.name))
    }

    /// Status and answer of a row, held for writing.
    pub(super) fn answer(&self) -> Option<String> {
        let ((status, answer), key) = (self.written.as_ref()?, self.quote(&self.key));
        let (status, answer) = match self.engine {
            Engine::Postgresql => (format!("{status}::text"), format!("{answer}::text")),
            Engine::Mariadb | Engine::Sqlite => (status.clone(), answer.clone()),
        };
        let lock = if self.engine == Engine::Sqlite { "" } else { " FOR UPDATE" };
        Some(format!("SELECT {status}, {answer} FROM {} WHERE {key} = ?{lock}", self.name))
    }

    pub(super) fn answer_again(&self) -> Option<String> {
        let ((status, answer), key) = (self.written.as_ref()?, self.quote(&self.key));
        Some(format!("UPDATE {} SET {status} = ?, {answer} = ? WHERE {key} = ?", self.name))
    }

    pub(super) fn begin(&self) -> &'static str {
        if self.engine == Engine::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    /// A key that was told as text, as the column has it. An index is of no use to a number that is given as a text.
    pub(super) fn key(&self, text: &str) -> Value {
        let number = (self.key.kind == Kind::Whole).then(|| text.parse().ok()).flatten();
        number.map_or_else(|| Value::Text(text.to_owned()), Value::Int)
    }

    fn quote(&self, column: &Column) -> String {
        quote(self.engine, &column.name)
    }

    fn read(&self, column: &Column) -> String {
        match (self.engine, column.kind) {
            (Engine::Postgresql, Kind::Bytes) | (Engine::Mariadb | Engine::Sqlite, _) => self.quote(column),
            (Engine::Postgresql, _) => format!("{}::text", self.quote(column)),
        }
    }

    /// In a record a time is written as the standard has it.
    fn record_value(&self, column: &Column) -> String {
        let is_key = column.name == self.key.name && !self.is_body;
        match column.kind {
            Kind::Time if !is_key => format!("to_json({}) #>> '{{}}'", self.quote(column)),
            _ => self.read(column),
        }
    }

    fn bytes(&self, column: &Column) -> String {
        let read = self.read(column);
        match self.engine {
            Engine::Sqlite => format!("COALESCE(LENGTH(CAST({read} AS BLOB)), 0)"),
            Engine::Postgresql | Engine::Mariadb => format!("COALESCE(OCTET_LENGTH({read}), 0)"),
        }
    }
}

fn quote(engine: Engine, name: &str) -> String {
    match engine {
        Engine::Mariadb => format!("`{name}`"),
        Engine::Postgresql | Engine::Sqlite => format!("\"{name}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::time::Duration;

    fn table(engine: Engine, body: bool, written: bool) -> Table {
        let settings = SqlSettings {
            engine,
            place: PathBuf::new(),
            ca_file: None,
            table: "care.outbox".to_owned(),
            key: "id".to_owned(),
            order: if body { "id".to_owned() } else { "at".to_owned() },
            body: body.then(|| "event".to_owned()),
            written: written.then(|| ("status".to_owned(), "answer".to_owned())),
            poll: Duration::ZERO,
            overlap: Duration::ZERO,
            reread: Duration::ZERO,
        };
        let found = [("id", Kind::Whole), ("at", Kind::Time), ("event", Kind::Plain), ("status", Kind::Plain), ("answer", Kind::Json)];
        let found = found.map(|(name, kind)| Column { name: name.to_owned(), kind }).to_vec();
        Table::new(&settings, 1000, found).expect("the columns are there")
    }

    #[test]
    fn new_rows_are_those_without_a_status_whatever_their_place() {
        let sql = table(Engine::Mariadb, true, true).new_rows(256);
        assert_eq!(
            sql,
            "SELECT `id`, `id`, COALESCE(OCTET_LENGTH(`event`), 0) FROM `care`.`outbox` AS t \
             WHERE `id` IS NOT NULL AND `status` IS NULL ORDER BY t.`id` LIMIT 256"
        );
    }

    #[test]
    fn a_record_holds_nothing_that_we_write() {
        let table = table(Engine::Postgresql, false, true);
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["id", "at", "event"]);
        let sql = table.records(2);
        assert!(
            sql.starts_with("SELECT \"id\"::text, \"id\"::text, to_json(\"at\") #>> '{}', \"event\"::text FROM \"care\".\"outbox\""),
            "{sql}"
        );
        assert!(sql.contains("WHERE \"id\" IN (?, ?) AND ") && sql.ends_with(" <= 1000"), "{sql}");
        assert!(!sql.contains("status") && !sql.contains("answer"), "{sql}");
    }

    #[test]
    fn pages_go_on_after_a_row_and_a_window_begins_with_all_that_are_equal() {
        let table = table(Engine::Sqlite, false, false);
        let (sql, values) = table.rows_from(&From::After(Value::Int(7), Value::Int(3)), 10);
        assert!(sql.contains("\"at\" >= ? AND (\"at\" > ? OR \"id\" > ?)") && values.len() == 3, "{sql}");
        let (sql, values) = table.rows_from(&From::At(Value::Int(7)), 10);
        assert!(sql.contains("\"at\" >= ? ORDER BY t.\"at\", t.\"id\" LIMIT 10") && values.len() == 1, "{sql}");
        assert!(table.mark().is_none());
    }

    #[test]
    fn a_column_that_is_missing_makes_no_table() {
        let whole = table(Engine::Sqlite, true, true);
        assert_eq!(whole.columns.len(), 1);
        assert!(matches!(whole.key("12"), Value::Int(12)) && matches!(whole.key("a12"), Value::Text(_)));
    }
}
