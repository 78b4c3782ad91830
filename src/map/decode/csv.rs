//! CSV to [`Node`]: a row is a map of its columns' names to texts. The csv crate reads; we look up where each field begins.

use super::{Fault, Unit, too_many};
use crate::fault::Code;
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;
use csv::{ByteRecord, ReaderBuilder, Terminator};

/// How CSV is read.
#[derive(Debug, Clone)]
pub(crate) struct CsvFormat {
    pub(crate) delimiter: u8,
    /// None: nothing is quoted.
    pub(crate) quote: Option<u8>,
    /// The columns' names; none where the first row has them.
    pub(crate) columns: Option<Vec<String>>,
}

/// Columns that a row may have.
const COLUMNS_MAX: usize = 1_000;

pub(super) fn rows(text: &str, format: &CsvFormat, max: usize) -> Result<Vec<Unit>, Fault> {
    let mut reader = ReaderBuilder::new()
        .delimiter(format.delimiter)
        .quoting(format.quote.is_some())
        .quote(format.quote.unwrap_or(b'"'))
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::CRLF)
        .from_reader(text.as_bytes());
    let mut columns = format.columns.clone();
    let mut units = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        let begin = start(text, record.position().map_or(0, csv::Position::byte));
        let end = usize::try_from(reader.position().byte()).unwrap_or(text.len()).min(text.len());
        let raw = &text[begin..end];
        let Some(columns) = &columns else {
            columns = Some(names(&record, begin)?);
            continue;
        };
        if record.len() == 1 && record[0].is_empty() {
            continue;
        }
        if units.len() == max {
            return Err(too_many(begin, max));
        }
        units.push(Unit { at: begin, node: row(raw, begin, &record, columns, format) });
    }
    if columns.is_none() || units.is_empty() { Err(Fault::new(Code::SrcEmpty, 0)) } else { Ok(units) }
}

/// Where the row itself begins: the reader counts the line break before it to it.
fn start(text: &str, byte: u64) -> usize {
    let at = usize::try_from(byte).unwrap_or(text.len()).min(text.len());
    let breaks = text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    at + breaks
}

fn names(record: &ByteRecord, at: usize) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::with_capacity(record.len());
    for name in record {
        let name = String::from_utf8_lossy(name).trim().to_owned();
        if names.len() == COLUMNS_MAX || names.contains(&name) {
            return Err(Fault::new(Code::MapColumns, at));
        }
        names.push(name);
    }
    Ok(names)
}

fn row(raw: &str, begin: usize, record: &ByteRecord, columns: &[String], format: &CsvFormat) -> Result<Node, Fault> {
    let places = places(raw.trim_end_matches(['\r', '\n']), format).map_err(|at| Fault::new(Code::MapQuote, begin + at))?;
    if record.len() != columns.len() || places.len() != record.len() {
        let (have, want) = (record.len(), columns.len());
        let detail = (format!("raden har {have} fält, {want} väntas"), format!("the row has {have} fields, {want} expected"));
        return Err(Fault { code: Code::MapColumns, at: begin, detail: Some(detail) });
    }
    let mut map = Vec::with_capacity(columns.len());
    for ((name, field), place) in columns.iter().zip(record).zip(places) {
        let at = begin + place;
        let text = String::from_utf8_lossy(field).into_owned();
        let node = Node { at, value: NodeValue::Text(Personal::new(text)) };
        map.push((Key { at, name: Personal::new(name.clone()) }, node));
    }
    Ok(Node { at: begin, value: NodeValue::Map(map) })
}

/// Where each field of a row begins. Fails at a quote that stands where none may: the row would be read as something that
/// nobody wrote.
fn places(raw: &str, format: &CsvFormat) -> Result<Vec<usize>, usize> {
    let bytes = raw.as_bytes();
    let mut places = vec![0];
    let mut at = 0;
    loop {
        let quoted = format.quote.filter(|quote| bytes.get(at) == Some(quote));
        if let Some(quote) = quoted {
            let opened = at;
            at += 1;
            loop {
                match bytes.get(at) {
                    None => return Err(opened),
                    Some(byte) if *byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
                    Some(byte) if *byte == quote => break,
                    Some(_) => at += 1,
                }
            }
            at += 1;
        }
        while let Some(byte) = bytes.get(at).filter(|byte| **byte != format.delimiter) {
            // Behind a closing quote nothing may stand, and an open field holds none.
            if quoted.is_some() || Some(*byte) == format.quote {
                return Err(at);
            }
            at += 1;
        }
        if at >= bytes.len() {
            return Ok(places);
        }
        at += 1;
        places.push(at);
    }
}
