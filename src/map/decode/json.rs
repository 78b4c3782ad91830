//! JSON to [`Node`], keeping places. serde_json does the reading; a raw value's address in the text is its place.

use super::{Budget, Fault, Unit, too_many};
use crate::fault::Code;
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// One object, or an array of them; and whether it is an array.
pub(super) fn document(text: &str, budget: &mut Budget) -> Result<(Vec<Unit>, bool), Fault> {
    let raw = one_value(text)?;
    if raw.starts_with('{') {
        let node = node(text, raw, budget, budget.depth)?;
        return Ok((vec![Unit { at: node.at, node: Ok(node) }], false));
    }
    if !raw.starts_with('[') {
        return Err(Fault::new(Code::MapNotAnObject, offset(text, raw)));
    }
    let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|fault| syntax(text, &fault, offset(text, raw)))?;
    if items.is_empty() {
        return Err(Fault::new(Code::MapNotAnObject, offset(text, raw)));
    }
    let units = items.into_iter().map(|item| object(text, item.get(), budget)).collect();
    Ok((units, true))
}

/// The whole document as one value.
pub(super) fn whole(text: &str, budget: &mut Budget) -> Result<Node, Fault> {
    let raw = one_value(text)?;
    node(text, raw, budget, budget.depth)
}

/// One object a line; blank lines are passed over. A line that is none is at fault alone, but for the last one if it breaks
/// off: then the document may be whole once its writer is done.
pub(super) fn lines(text: &str, budget: &mut Budget, max: usize) -> Result<Vec<Unit>, Fault> {
    let mut units = Vec::new();
    for line in text.split('\n').filter(|line| !line.trim_ascii().is_empty()) {
        if units.len() == max {
            return Err(too_many(offset(text, line), max));
        }
        let last = offset(text, line) + line.len() == text.len();
        match part(text, line) {
            Err(fault) if last && fault.code == Code::MapTruncated => return Err(fault),
            Err(fault) => units.push(Unit { at: offset(text, line), node: Err(fault) }),
            Ok(raw) => units.push(object(text, raw, budget)),
        }
    }
    Ok(units)
}

fn object(text: &str, raw: &str, budget: &mut Budget) -> Unit {
    let at = offset(text, raw);
    let node = if raw.starts_with('{') { node(text, raw, budget, budget.depth) } else { Err(Fault::new(Code::MapNotAnObject, at)) };
    Unit { at, node }
}

/// The text's one value; only blanks may follow it.
fn one_value(text: &str) -> Result<&str, Fault> {
    part(text, text)
}

/// The one value of a part of the text.
fn part<'t>(text: &'t str, part: &'t str) -> Result<&'t str, Fault> {
    let mut stream = serde_json::Deserializer::from_str(part).into_iter::<&RawValue>();
    let raw = match stream.next() {
        Some(Ok(raw)) => raw.get(),
        Some(Err(fault)) => return Err(syntax(text, &fault, offset(text, part))),
        None => return Err(Fault::new(Code::SrcEmpty, offset(text, part))),
    };
    // What is blank in JSON; a form feed is not, and other readers stop at it.
    let rest = part[stream.byte_offset()..].trim_start_matches([' ', '\t', '\n', '\r']);
    if rest.is_empty() { Ok(raw) } else { Err(Fault::new(Code::MapNotAnObject, offset(text, rest))) }
}

/// Bounded recursion: `depth` levels and no more.
fn node(text: &str, raw: &str, budget: &mut Budget, depth: usize) -> Result<Node, Fault> {
    let at = offset(text, raw);
    budget.take(at)?;
    if depth == 0 {
        return Err(Fault::new(Code::MapDepth, at));
    }
    let value = match raw.as_bytes().first() {
        Some(b'{') => {
            let entries: Entries = serde_json::from_str(raw).map_err(|fault| syntax(text, &fault, at))?;
            let mut map = Vec::with_capacity(entries.0.len());
            for (name, value) in entries.0 {
                let name_at = offset(text, name.get());
                let name = serde_json::from_str(name.get()).map_err(|fault| syntax(text, &fault, name_at))?;
                let key = Key { at: name_at, name: Personal::new(name) };
                map.push((key, node(text, value.get(), budget, depth - 1)?));
            }
            NodeValue::Map(map)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(|fault| syntax(text, &fault, at))?;
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(node(text, item.get(), budget, depth - 1)?);
            }
            NodeValue::List(list)
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
fn syntax(text: &str, fault: &serde_json::Error, base: usize) -> Fault {
    let code = if fault.is_eof() { Code::MapTruncated } else { Code::MapSyntax };
    let part = &text[base..];
    let line_start = part.split_inclusive('\n').take(fault.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (base + line_start + fault.column().saturating_sub(1)).min(text.len());
    Fault::new(code, at)
}

/// A map's entries in their order, repeated names included.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

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
