//! Reports as a table, as CSV and as JSON.

use super::cases::{minute, pick};
use super::report::{Cell, Column, Report, Table};
use crate::model::time::instant_text;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

impl Report {
    /// For a person, in one language; decimals as the language has them.
    pub fn text(&self, swedish: bool) -> String {
        let mut out = format!("{}, {}\n", pick(self.kind.texts(), swedish), self.month);
        for (place, table) in self.tables.iter().enumerate() {
            if place > 0 {
                let _ = writeln!(out, "\n{}", said(table.title, swedish));
            }
            match table.rows.as_slice() {
                [] => out.push_str(if swedish { "  (inga)\n" } else { "  (none)\n" }),
                // One row of totals reads better downwards.
                [row] if place > 0 && table.title.name == "summary" => {
                    for (column, cell) in table.columns.iter().zip(row) {
                        let _ = writeln!(out, "  {}: {}", said(*column, swedish), cell.text(swedish));
                    }
                }
                _ => lined_up(table, swedish, &mut out),
            }
        }
        out
    }

    /// The rows alone, by RFC 4180: comma, CRLF, a header; codes and instants as in the JSON, in no language.
    pub fn csv(&self) -> String {
        let Some(main) = self.tables.first() else { return String::new() };
        let mut out = String::new();
        let header: Vec<String> = main.columns.iter().map(|column| column.name.to_owned()).collect();
        for row in std::iter::once(header).chain(main.rows.iter().map(|row| row.iter().map(Cell::plain).collect())) {
            let fields: Vec<String> = row.iter().map(|field| quoted(field)).collect();
            out.push_str(&fields.join(","));
            out.push_str("\r\n");
        }
        out
    }

    pub fn json(&self) -> String {
        let mut out = Map::new();
        out.insert("report".to_owned(), json!(self.kind.code()));
        out.insert("month".to_owned(), json!(self.month.to_string()));
        out.insert("preliminary".to_owned(), json!(self.preliminary));
        for table in &self.tables {
            let row = |row: &Vec<Cell>| {
                let pairs = table.columns.iter().zip(row).map(|(column, cell)| (column.name.to_owned(), cell.json()));
                Value::Object(pairs.collect())
            };
            let mut rows: Vec<Value> = table.rows.iter().map(row).collect();
            let value = if table.title.name == "summary" { rows.pop().unwrap_or(Value::Null) } else { Value::Array(rows) };
            out.insert(table.title.name.to_owned(), value);
        }
        format!("{:#}\n", Value::Object(out))
    }
}

fn said(column: Column, swedish: bool) -> &'static str {
    pick((column.sv, column.en), swedish)
}

/// By RFC 4180. Nothing of ours begins as a formula does, and nothing of a source's stands in a report.
pub(super) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

fn lined_up(table: &Table, swedish: bool, out: &mut String) {
    let mut lines: Vec<Vec<String>> = vec![table.columns.iter().map(|column| said(*column, swedish).to_owned()).collect()];
    lines.extend(table.rows.iter().map(|row| row.iter().map(|cell| cell.text(swedish)).collect()));
    let width = |place: usize| lines.iter().map(|line| line[place].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "  {}", cells.join("  ").trim_end());
    }
}

impl Cell {
    fn text(&self, swedish: bool) -> String {
        match self {
            Self::Nothing => "-".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Number(number, decimals) => {
                let text = format!("{number:.decimals$}");
                if swedish { text.replace('.', ",") } else { text }
            }
            Self::Day(day) => day.to_string(),
            Self::At(at) => minute(*at),
            Self::Minutes(minutes) => span(*minutes, swedish),
            Self::Yes(yes) => pick(if *yes { ("ja", "yes") } else { ("nej", "no") }, swedish).to_owned(),
            Self::Item(_, sv, en) => if swedish { sv } else { en }.clone(),
            Self::Word((_, texts)) => pick(*texts, swedish).to_owned(),
            Self::Words(words) if words.is_empty() => "-".to_owned(),
            Self::Words(words) => words.iter().map(|(_, texts)| pick(*texts, swedish)).collect::<Vec<_>>().join("; "),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Text(text) | Self::Item(text, ..) => json!(text),
            Self::Count(count) | Self::Minutes(count) => json!(count),
            Self::Number(number, decimals) => format!("{number:.decimals$}").parse().map_or(Value::Null, |rounded: f64| json!(rounded)),
            Self::Day(day) => json!(day.to_string()),
            Self::At(at) => json!(instant_text(*at)),
            Self::Yes(yes) => json!(yes),
            Self::Word((code, _)) => json!(code),
            Self::Words(words) => words.iter().map(|(code, _)| *code).collect(),
        }
    }

    /// As in the JSON, without its signs.
    fn plain(&self) -> String {
        match (self, self.json()) {
            (Self::Number(number, decimals), _) => format!("{number:.decimals$}"),
            (_, Value::Null) => String::new(),
            (_, Value::String(text)) => text,
            (_, Value::Array(codes)) => codes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            (_, other) => other.to_string(),
        }
    }
}

/// A length of time in days, hours and minutes, the two greatest that it has.
fn span(minutes: i64, swedish: bool) -> String {
    let (days, hours, rest) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let hour = if swedish { "tim" } else { "h" };
    match (days, hours) {
        (0, 0) => format!("{rest} min"),
        (0, _) => format!("{hours} {hour} {rest} min"),
        _ => format!("{days} d {hours} {hour}"),
    }
}
