//! A first draft of a mapping from a sample of what the source gives: every field of it is listed, and what the event demands
//! is marked.

use super::decode::{CsvFormat, Encoding, Format, Limits, XmlFormat, decoded, units};
use super::{Places, broken, refused};
use crate::fault::Code;
use crate::model::catalogue::EventType;
use crate::model::event::{CareEvent, EpisodeRef, PatientRecord};
use crate::model::finding::Finding;
use crate::model::node::{Node, NodeValue};
use crate::model::raw::Form;
use crate::model::shape::{Card, Field, Shape};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most fields of a sample that are listed.
const FIELDS_MAX: usize = 500;

/// The text of a mapping for events of a type, with no value of the sample in it.
pub fn draft(sample: &[u8], form: Form, kind: EventType) -> Result<String, Vec<Finding>> {
    let (name, format) = match form {
        Form::Json => ("json", Format::Json { records: None }),
        Form::Ndjson => ("ndjson", Format::Ndjson),
        Form::Xml => ("xml", Format::Xml(XmlFormat::default())),
        Form::Csv => ("csv", Format::Csv(CsvFormat { delimiter: b';', quote: Some(b'"'), columns: None })),
    };
    let declared = (form == Form::Xml).then(|| declared(sample)).flatten();
    let (encoding, text) = match declared {
        Some(declared) => (declared.name(), decoded(sample, declared).map_err(|fault| vec![broken(&fault, Places::of(sample))])?),
        None => unknown_encoding(sample)?,
    };
    let format = match format {
        Format::Xml(xml) => Format::Xml(XmlFormat { encoding: Encoding::parse(encoding).unwrap_or_default(), ..xml }),
        format => format,
    };
    let (units, _) = units(&text, &format, Limits::default()).map_err(|fault| vec![broken(&fault, Places::of(text.as_bytes()))])?;
    let mut found = BTreeMap::new();
    for unit in units.iter().take(100) {
        if let Ok(node) = &unit.node {
            paths(node, String::new(), &mut found);
        }
    }
    if found.is_empty() {
        return Err(vec![refused(Code::MapNotAnObject)]);
    }
    Ok(written(name, encoding, kind, &found))
}

/// What an XML document says of itself.
fn declared(sample: &[u8]) -> Option<Encoding> {
    let head = String::from_utf8_lossy(&sample[..sample.len().min(200)]).into_owned();
    let (_, after) = head.split_once("encoding=")?;
    let quote = after.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
    Encoding::parse(after[1..].split(quote).next()?)
}

fn unknown_encoding(sample: &[u8]) -> Result<(&'static str, std::borrow::Cow<'_, str>), Vec<Finding>> {
    match decoded(sample, Encoding::Utf8) {
        Ok(text) => Ok(("utf-8", text)),
        // Only for the names in a draft; the person who finishes it says what it is.
        Err(_) => Ok(("windows-1252", decoded(sample, Encoding::Windows1252).map_err(|fault| vec![broken(&fault, Places::of(sample))])?)),
    }
}

fn written(format: &str, encoding: &str, kind: EventType, found: &BTreeMap<String, usize>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# A draft. Lines with TODO want a path from the list at the end; delete those that the source has nothing for.");
    let _ = writeln!(out, "# Ett utkast. Rader med TODO vill ha en väg ur listan sist; ta bort de som källan inte har något för.");
    let _ = writeln!(out, "name = \"draft\"\nrevision = \"1\"\nformat = \"{format}\"\nencoding = \"{encoding}\"");
    if matches!(format, "json" | "xml") {
        let _ = writeln!(out, "# records = \"path.to.the.records\"    # where a file holds several · där en fil har flera");
    }
    let _ = writeln!(out, "\n[[event]]\ntype = \"{}\"", kind.code());
    let _ = writeln!(
        out,
        "# when = {{ from = \"TODO\", is = \"TODO\" }}    # where the source gives several types · där källan ger flera typer"
    );
    let head = CareEvent::fields();
    let plain = |field: &&Field| !matches!(field.shape, Shape::Group(_)) && field.name != "type";
    for field in head.iter().filter(plain) {
        row(&mut out, field, 0);
    }
    let _ = writeln!(out, "\n[event.episodeRef]");
    for field in EpisodeRef::FIELDS {
        row(&mut out, field, 0);
    }
    let _ = writeln!(out, "\n[event.patient]");
    for field in PatientRecord::FIELDS.iter().filter(plain) {
        row(&mut out, field, 0);
    }
    let _ = writeln!(out, "\n[event.data]");
    for field in kind.row().fields {
        row(&mut out, field, 3);
    }
    let _ = writeln!(out, "\n# What the sample holds: path, and in how many places · Vad provet innehåller: väg, och på hur många ställen");
    for (path, count) in found.iter().take(FIELDS_MAX) {
        let _ = writeln!(out, "#   {path}    ({count})");
    }
    if found.len() > FIELDS_MAX {
        let _ = writeln!(out, "#   … {} more · till", found.len() - FIELDS_MAX);
    }
    out
}

/// A line a field; groups are opened as inline tables.
fn row(out: &mut String, field: &Field, depth: usize) {
    let demanded = matches!(field.card, Card::One | Card::List { .. });
    let mark = if demanded { "" } else { "# " };
    let _ = writeln!(out, "{mark}{} = {}    # {} · {}", field.name, sketch(field, depth), field.sv, field.en);
}

fn sketch(field: &Field, depth: usize) -> String {
    let listed = matches!(field.card, Card::List { .. } | Card::OptionalList);
    match field.shape {
        Shape::Group(fields) if depth > 0 => {
            let mut parts: Vec<_> = if listed { vec!["each = \"TODO\"".to_owned()] } else { Vec::new() };
            let demanded = |field: &&Field| matches!(field.card, Card::One | Card::List { .. });
            parts.extend(fields.iter().filter(demanded).map(|inner| format!("{} = {}", inner.name, sketch(inner, depth - 1))));
            format!("{{ {} }}", parts.join(", "))
        }
        Shape::Instant => "{ from = \"TODO\", convert = \"local-time\" }".to_owned(),
        Shape::Day => "{ from = \"TODO\", convert = \"day\" }".to_owned(),
        Shape::HsaId => "{ from = \"TODO\", convert = \"hsa-id\" }".to_owned(),
        Shape::Code(values) => {
            let codes: Vec<_> = values.iter().map(|value| value.code).collect();
            if codes.len() <= 8 { format!("\"TODO one of {}\"", codes.join(", ")) } else { "\"TODO\"".to_owned() }
        }
        _ => "\"TODO\"".to_owned(),
    }
}

/// Paths of plain values, lists as `[]`.
#[expect(clippy::disallowed_methods, reason = "names of fields, from a sample that the user gave to have them listed")]
fn paths(node: &Node, path: String, found: &mut BTreeMap<String, usize>) {
    match &node.value {
        NodeValue::Map(entries) => {
            for (key, value) in entries {
                let name = key.name.disclose();
                let bare = !name.is_empty() && !name.contains(['.', '[', ']', '=', '!', '"', '$']) && name.trim() == name;
                let name = if bare { name.clone() } else { format!("\"{}\"", name.replace('"', "")) };
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                paths(value, path, found);
            }
        }
        NodeValue::List(items) => items.iter().for_each(|item| paths(item, format!("{path}[]"), found)),
        _ if path.is_empty() => {}
        _ => *found.entry(path).or_default() += 1,
    }
}
