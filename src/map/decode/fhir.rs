//! HL7 FHIR R4 in both of its forms, as one shape: that of its JSON, every plain value a text, a list of one the value
//! itself. So one mapping reads both, and the same resource has the same hash in either.

use super::json;
use super::xml::{self, XmlFormat};
use super::{Budget, Fault};
use crate::fault::Code;
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;

const NAMESPACE: &str = "http://hl7.org/fhir";
/// Children that hold a whole resource. <https://hl7.org/fhir/R4/xml.html>
const HOLDERS: [&str; 3] = ["resource", "contained", "outcome"];
/// Our prefix for FHIR's namespace while a document is read; what stands without is XHTML.
const PREFIX: &str = "f:";

pub(super) fn document(text: &str, budget: &mut Budget) -> Result<Node, Fault> {
    if !text.trim_start().starts_with('<') {
        let root = json::whole(text, budget)?;
        return if matches!(root.value, NodeValue::Map(_)) { Ok(plain(root)) } else { Err(Fault::new(Code::MapNotAnObject, root.at)) };
    }
    let format = XmlFormat { namespaces: vec![("f".to_owned(), NAMESPACE.to_owned())], ..XmlFormat::default() };
    let (name, root) = xml::elements(text, &format, budget)?;
    match name.strip_prefix(PREFIX) {
        Some(kind) => Ok(resource(kind, root)),
        None => Err(Fault::new(Code::MapNotAnObject, root.at)),
    }
}

/// JSON's shape brought down to what XML can tell: texts for plain values, no list around a single one, no narrative.
fn plain(node: Node) -> Node {
    let at = node.at;
    let value = match node.value {
        NodeValue::Bool(value) => NodeValue::Text(Personal::new(value.to_string())),
        NodeValue::Number(raw) => NodeValue::Text(raw),
        NodeValue::List(items) => {
            let mut items: Vec<Node> = items.into_iter().map(plain).collect();
            match items.pop() {
                Some(only) if items.is_empty() => return only,
                last => NodeValue::List(items.into_iter().chain(last).collect()),
            }
        }
        NodeValue::Map(entries) => {
            let told = entries.into_iter().filter(|(key, _)| !key.is("div") && !key.is("fhir_comments"));
            NodeValue::Map(told.map(|(key, value)| (key, plain(value))).collect())
        }
        value => value,
    };
    Node { at, value }
}

fn resource(kind: &str, node: Node) -> Node {
    let at = node.at;
    let name = Key { at, name: Personal::new("resourceType".to_owned()) };
    let mut entries = vec![(name, Node { at, value: NodeValue::Text(Personal::new(kind.to_owned())) })];
    if let NodeValue::Map(more) = element(node).value {
        entries.extend(more);
    }
    Node { at, value: NodeValue::Map(entries) }
}

/// An element: `@value` alone is its value; with an id or extensions beside it they stand under `_name` in JSON, and are
/// left out here, as no mapping of ours reads them.
#[expect(clippy::disallowed_methods, reason = "reads names and values in order to shape them, shows none")]
fn element(node: Node) -> Node {
    let at = node.at;
    let NodeValue::Map(entries) = node.value else { return node };
    if let Some(place) = entries.iter().position(|(key, _)| key.is("@value")) {
        return entries.into_iter().nth(place).map_or(Node { at, value: NodeValue::Null }, |(_, value)| value);
    }
    let mut told = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let name = key.name.disclose();
        let (name, value) = match (name.strip_prefix(PREFIX), name.strip_prefix('@')) {
            (Some(name), _) if HOLDERS.contains(&name) => (name.to_owned(), each(value, &held)),
            (Some(name), _) => (name.to_owned(), each(value, &element)),
            // `id` and `url` of elements are attributes in XML and members in JSON.
            (None, Some(name)) => (name.to_owned(), value),
            (None, None) => continue,
        };
        told.push((Key { at: key.at, name: Personal::new(name) }, value));
    }
    Node { at, value: NodeValue::Map(told) }
}

/// `<resource><Patient>…` is `"resource": {"resourceType": "Patient", …`.
#[expect(clippy::disallowed_methods, reason = "reads a resource's name in order to shape it")]
fn held(node: Node) -> Node {
    let at = node.at;
    let NodeValue::Map(entries) = node.value else { return node };
    let inner = entries.into_iter().find_map(|(key, value)| {
        let kind = key.name.disclose().strip_prefix(PREFIX)?.to_owned();
        Some(resource(&kind, value))
    });
    inner.unwrap_or(Node { at, value: NodeValue::Null })
}

fn each(node: Node, shape: &dyn Fn(Node) -> Node) -> Node {
    let at = node.at;
    match node.value {
        NodeValue::List(items) => Node { at, value: NodeValue::List(items.into_iter().map(shape).collect()) },
        value => shape(Node { at, value }),
    }
}
