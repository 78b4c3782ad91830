//! Validation against the embedded schemas with `xsd-schema`.
//!
//! Its messages quote values, so none is ever passed on: a fault is a constraint of the W3C's, a path of names of ours
//! and a place.

use super::{SchemaFault, Validator};
use crate::model::finding::Place;
use std::cell::Cell;
use std::collections::BTreeSet;
use xsd_schema::validation::quick_xml_driver::{DoctypeView, DriveWithError, ValidationEventHandler, drive_quick_xml_with};
use xsd_schema::validation::validator::{ValidationSink, ValidationWarning};
use xsd_schema::validation::{InstancePath, SchemaValidator, SchemaValidity, ValidationError, ValidationFlags};
use xsd_schema::xml::{ParseLimits, XmlDeclaration};
use xsd_schema::{SchemaSet, load_and_process_schema};

const MESSAGE: &str = include_str!("../../schemas/vardbro-message-1.xsd");
const RECEIPT: &str = include_str!("../../schemas/vardbro-receipt-1.xsd");
const SDK: &str = include_str!("../../schemas/sdk-message-3.xsd");

/// Longest text of a message or receipt of ours.
const TEXT_MAX: usize = 256 * 1024;

/// The engine keeps every name that it has ever seen; so many documents and it starts afresh.
const REBUILD_AFTER: usize = 10_000;
/// Most faults that are told of one document.
const FAULTS_MAX: usize = 100;

/// The names of elements and attributes in our schemas.
pub fn names() -> impl Iterator<Item = &'static str> {
    names_of(MESSAGE).chain(names_of(RECEIPT))
}

fn names_of(schema: &'static str) -> impl Iterator<Item = &'static str> {
    schema.split(" name=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// A validator for one schema. One per thread.
pub struct XsdValidator {
    schema: &'static str,
    names: BTreeSet<&'static str>,
    text_max: usize,
    /// Loaded with the first document: most programs that could validate have nothing to. Without it nothing is valid.
    set: Option<SchemaSet>,
    seen: usize,
}

impl std::fmt::Debug for XsdValidator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XsdValidator").field("loaded", &self.set.is_some()).field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl XsdValidator {
    /// For messages.
    pub fn message() -> Self {
        Self::new(MESSAGE, TEXT_MAX)
    }

    /// For receipts.
    pub fn receipt() -> Self {
        Self::new(RECEIPT, TEXT_MAX)
    }

    /// For messages of SDK's, which hold whole files.
    pub fn sdk() -> Self {
        Self::new(SDK, crate::wire::sdk::MAX_BYTES)
    }

    fn new(schema: &'static str, text_max: usize) -> Self {
        Self { schema, names: names_of(schema).collect(), text_max, set: None, seen: 0 }
    }

    fn fault(&self, constraint: &str, path: Option<&InstancePath>, place: Option<Place>) -> SchemaFault {
        let formed =
            !constraint.is_empty() && constraint.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b));
        let constraint = if formed { constraint } else { "schema" }.to_owned();
        let path = path.map(|path| self.path(path)).unwrap_or_default();
        SchemaFault { constraint, path, place }
    }

    /// Names of ours; whatever else a document calls its elements is not repeated.
    fn path(&self, path: &InstancePath) -> String {
        let steps: Vec<String> = path
            .steps()
            .map(|step| {
                let local = step.name().local_name();
                let name = self.names.get(local).copied().unwrap_or("?");
                match step.position() {
                    Some(position) if name == "item" => format!("{name}[{position}]"),
                    _ => name.to_owned(),
                }
            })
            .collect();
        steps.join("/")
    }

    fn run(&self, set: &SchemaSet, document: &[u8]) -> Vec<SchemaFault> {
        let at = Cell::new(0);
        let mut raw: Vec<(&'static str, Option<InstancePath>, usize)> = Vec::new();
        let validator = SchemaValidator::new(set, ValidationFlags::default());
        let mut runtime = validator.start_run(Faults { raw: &mut raw, at: &at });
        runtime.set_parse_limits(limits(self.text_max));
        let driven = drive_quick_xml_with(document, &mut runtime, set, &mut Guard { at: &at });
        let unread = match &driven {
            Ok(_) => None,
            Err(DriveWithError::Hook(refusal)) => Some(*refusal),
            Err(DriveWithError::LimitExceeded(_)) => Some("limit"),
            Err(_) => Some("well-formed"),
        };
        // Where reading stopped half-way, the end has nothing to say that is not already said.
        let ended = unread.is_some() || runtime.end_validation().is_ok();
        drop(runtime);
        let valid = driven.is_ok_and(|outcome| outcome.root_validity == Some(SchemaValidity::Valid));
        let place = |at| Some(Place::of(document, at));
        let mut faults: Vec<SchemaFault> =
            raw.iter().take(FAULTS_MAX).map(|(constraint, path, at)| self.fault(constraint, path.as_ref(), place(*at))).collect();
        without_echoes(&mut faults);
        if let Some(unread) = unread {
            let at = if unread == "well-formed" { broken_at(document).unwrap_or(at.get()) } else { at.get() };
            faults.push(self.fault(unread, None, place(at)));
        }
        if faults.is_empty() && !(valid && ended) {
            faults.push(self.fault("schema", None, None));
        }
        faults
    }
}

/// Once an element is out of its order the engine finds all that follow it out of order too, and undeclared: that is one fault.
fn without_echoes(faults: &mut Vec<SchemaFault>) {
    let mut out_of_order: BTreeSet<String> = BTreeSet::new();
    faults.retain(|fault| match fault.constraint.as_str() {
        "cvc-elt.1" => !fault.path.rsplit_once('/').is_some_and(|(parent, _)| out_of_order.contains(parent)),
        constraint if constraint.starts_with("cvc-complex-type.2.4") => out_of_order.insert(fault.path.clone()),
        _ => true,
    });
}

/// Where a document stops being XML.
fn broken_at(document: &[u8]) -> Option<usize> {
    let mut reader = quick_xml::Reader::from_reader(document);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return Some(document.trim_ascii_end().len()),
            Ok(_) => {}
            Err(_) => return usize::try_from(reader.error_position()).ok(),
        }
    }
}

impl Validator for XsdValidator {
    fn validate(&mut self, document: &[u8]) -> Vec<SchemaFault> {
        if self.seen >= REBUILD_AFTER {
            self.set = None;
            self.seen = 0;
        }
        self.seen += 1;
        if self.set.is_none() {
            self.set = load(self.schema);
        }
        match &self.set {
            Some(set) => self.run(set, document),
            None => vec![self.fault("schema", None, None)],
        }
    }
}

fn load(schema: &str) -> Option<SchemaSet> {
    let mut set = SchemaSet::new();
    load_and_process_schema(schema.as_bytes(), "embedded.xsd", &mut set, None).ok()?;
    set.directive_failures().is_empty().then_some(set)
}

fn limits(text_max: usize) -> ParseLimits {
    ParseLimits::none()
        .with_max_depth(crate::wire::MAX_DEPTH)
        .with_max_name_bytes(256)
        .with_max_namespace_uri_bytes(1024)
        .with_max_attributes(64)
        .with_max_namespace_declarations(32)
        .with_max_namespaces_in_scope(64)
        .with_max_attribute_value_bytes(8 * 1024)
        .with_max_text_bytes(text_max)
        .with_max_nodes(500_000)
}

struct Faults<'a> {
    raw: &'a mut Vec<(&'static str, Option<InstancePath>, usize)>,
    at: &'a Cell<usize>,
}

impl ValidationSink for Faults<'_> {
    fn on_error(&mut self, error: ValidationError) {
        if self.raw.len() < FAULTS_MAX {
            self.raw.push((error.constraint, error.instance_path().cloned(), self.at.get()));
        }
    }

    fn on_warning(&mut self, _: ValidationWarning) {}
}

/// Refuses what we never read, and remembers where the reader is.
struct Guard<'a> {
    at: &'a Cell<usize>,
}

impl ValidationEventHandler for Guard<'_> {
    type Error = &'static str;

    fn on_doctype(&mut self, _: DoctypeView<'_>) -> Result<(), Self::Error> {
        Err("doctype")
    }

    fn on_xml_declaration(&mut self, declaration: &XmlDeclaration) -> Result<(), Self::Error> {
        match &declaration.encoding {
            Some(encoding) if !encoding.eq_ignore_ascii_case("utf-8") => Err("encoding"),
            _ => Ok(()),
        }
    }

    fn on_element_start_offset(&mut self, byte_pos: usize) -> Result<(), Self::Error> {
        self.at.set(byte_pos);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_documents_do_not_pile_up() {
        let mut validator = XsdValidator::receipt();
        validator.seen = REBUILD_AFTER;
        assert!(!validator.validate(b"<strange/>").is_empty());
        assert_eq!(validator.seen, 1);
        assert!(validator.set.is_some());
    }
}
