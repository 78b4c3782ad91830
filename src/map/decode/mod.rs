//! Documents become records: JSON-shaped values, each with its place.
//!
//! Nothing is guessed: encoding and form are declared. No entity but XML's own five is resolved, nothing outside the bytes
//! is read, and depth, values and records are bounded.

mod csv;
mod fhir;
mod json;
mod text;
mod xml;

pub(super) use csv::CsvFormat;
pub(super) use text::{Encoding, decoded};
pub(super) use xml::XmlFormat;

use super::path::Path;
use crate::fault::Code;
use crate::model::node::{Node, NodeValue};
use crate::model::raw::Form;

/// Bounds of a document.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Levels of nesting.
    pub depth: usize,
    /// Records in one document.
    pub records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 32, records: 10_000 }
    }
}

/// Most values in one document, whatever its records.
const VALUES_MAX: usize = 1_000_000;

/// Why a text cannot be read, and where (byte offset).
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) at: usize,
    pub(super) detail: Option<(String, String)>,
}

impl Fault {
    fn new(code: Code, at: usize) -> Self {
        Self { code, at, detail: None }
    }
}

/// One record of a document: where it begins, and what it is.
pub(super) struct Unit {
    pub(super) at: usize,
    pub(super) node: Result<Node, Fault>,
}

/// How a document is laid out.
#[derive(Debug, Clone)]
pub(super) enum Format {
    /// JSON: one record, an array of them, or the values at a path.
    Json {
        records: Option<Path>,
    },
    Ndjson,
    Xml(XmlFormat),
    Csv(CsvFormat),
    /// HL7 FHIR R4 in either of its forms; XML is read into the shape of FHIR's JSON.
    Fhir,
}

/// The records of a document, and whether it is a batch: then each is told of by its place.
pub(super) fn units(text: &str, format: &Format, limits: Limits) -> Result<(Vec<Unit>, bool), Fault> {
    let mut budget = Budget { values: VALUES_MAX, depth: limits.depth };
    let (units, batch) = match format {
        Format::Json { records: None } => json::document(text, &mut budget)?,
        Format::Json { records: Some(path) } => (chosen(json::whole(text, &mut budget)?, path)?, true),
        Format::Ndjson => (json::lines(text, &mut budget, limits.records)?, true),
        Format::Xml(xml) => {
            let root = xml::document(text, xml, &mut budget)?;
            match &xml.records {
                Some(path) => (chosen(root, path)?, true),
                None => (vec![Unit { at: root.at, node: Ok(root) }], false),
            }
        }
        Format::Csv(csv) => (csv::rows(text, csv, limits.records)?, true),
        Format::Fhir => {
            let root = fhir::document(text, &mut budget)?;
            (vec![Unit { at: root.at, node: Ok(root) }], false)
        }
    };
    if let Some(first_too_many) = units.get(limits.records) {
        return Err(too_many(first_too_many.at, limits.records));
    }
    Ok((units, batch))
}

/// Whether a document of this form is one that the format reads.
pub(super) fn accepts(format: &Format, form: Form) -> bool {
    matches!(
        (format, form),
        (Format::Json { .. } | Format::Fhir, Form::Json)
            | (Format::Ndjson, Form::Ndjson)
            | (Format::Xml(_) | Format::Fhir, Form::Xml)
            | (Format::Csv(_), Form::Csv)
    )
}

fn too_many(at: usize, max: usize) -> Fault {
    Fault { code: Code::MapTooMany, at, detail: Some((format!("högst {max} poster"), format!("{max} records at most"))) }
}

/// The values at a path; a list there counts as its items. Where the path leads nowhere the document is another one than the
/// mapping is for, unless it is an empty export.
fn chosen(root: Node, path: &Path) -> Result<Vec<Unit>, Fault> {
    let mut units = Vec::new();
    let found = path.all(&root);
    let empty = !matches!(&root.value, NodeValue::Map(entries) if entries.iter().any(|(key, _)| !key.is_attribute()));
    if found.is_empty() && !empty {
        return Err(Fault::new(Code::MapNoRecords, root.at));
    }
    for node in found {
        match &node.value {
            NodeValue::List(items) => units.extend(items.iter().map(|item| Unit { at: item.at, node: Ok(item.clone()) })),
            _ => units.push(Unit { at: node.at, node: Ok(node.clone()) }),
        }
    }
    Ok(units)
}

/// What a document may still use up.
struct Budget {
    values: usize,
    depth: usize,
}

impl Budget {
    fn take(&mut self, at: usize) -> Result<(), Fault> {
        let Some(left) = self.values.checked_sub(1) else {
            let detail = Some((format!("högst {VALUES_MAX} värden"), format!("{VALUES_MAX} values at most")));
            return Err(Fault { code: Code::MapTooMany, at, detail });
        };
        self.values = left;
        Ok(())
    }
}
