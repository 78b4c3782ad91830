//! JSON to [`Node`], keeping places. serde_json does the reading; a raw value's address in the text is its place.

use crate::fault::Code;
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Why a text is not JSON, and where (byte offset).
#[derive(Debug)]
pub(super) struct JsonFault {
    pub(super) code: Code,
    pub(super) at: usize,
    pub(super) detail: Option<(String, String)>,
}

/// Decodes one object.
pub(super) fn decode(text: &str, depth: usize) -> Result<Node, JsonFault> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let raw = match stream.next() {
        Some(Ok(raw)) => raw,
        Some(Err(fault)) => return Err(syntax(text, &fault, 0)),
        None => return Err(JsonFault { code: Code::SrcEmpty, at: 0, detail: None }),
    };
    // What is blank in JSON; a form feed is not, and other readers stop at it.
    let rest = text[stream.byte_offset()..].trim_start_matches([' ', '\t', '\n', '\r']);
    let first = offset(text, raw.get());
    if !rest.is_empty() || !raw.get().starts_with('{') {
        let at = if rest.is_empty() { first } else { offset(text, rest) };
        return Err(JsonFault { code: Code::MapNotAnObject, at, detail: None });
    }
    node(text, raw.get(), depth)
}

/// Bounded recursion: `depth` levels and no more.
fn node(text: &str, raw: &str, depth: usize) -> Result<Node, JsonFault> {
    let at = offset(text, raw);
    if depth == 0 {
        return Err(JsonFault { code: Code::MapDepth, at, detail: None });
    }
    let value = match raw.as_bytes().first() {
        Some(b'{') => {
            let entries: Entries = serde_json::from_str(raw).map_err(|fault| syntax(text, &fault, at))?;
            let mut map = Vec::with_capacity(entries.0.len());
            for (name, value) in entries.0 {
                let key = Key { at: offset(text, value.get()), name: Personal::new(name) };
                map.push((key, node(text, value.get(), depth - 1)?));
            }
            NodeValue::Map(map)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|fault| syntax(text, &fault, at))?;
            NodeValue::List(items.into_iter().map(|item| node(text, item.get(), depth - 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => NodeValue::Text(Personal::new(serde_json::from_str(raw).map_err(|fault| syntax(text, &fault, at))?)),
        Some(b't') => NodeValue::Bool(true),
        Some(b'f') => NodeValue::Bool(false),
        Some(b'n') => NodeValue::Null,
        _ => NodeValue::Number(Personal::new(raw.to_owned())),
    };
    Ok(Node { at, value })
}

/// Where a slice of the text begins in it.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The parser's own words may quote the record; only its position is used.
fn syntax(text: &str, fault: &serde_json::Error, base: usize) -> JsonFault {
    let code = if fault.is_eof() { Code::MapTruncated } else { Code::MapSyntax };
    let part = &text[base..];
    let line_start = part.split_inclusive('\n').take(fault.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (base + line_start + fault.column().saturating_sub(1)).min(text.len());
    JsonFault { code, at, detail: None }
}

/// A map's entries in their order, repeated names included.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
