//! The schema of the message, made from the catalogue, so that a new type of message needs no schema work.
//!
//! The frame around the bodies stands in [`super::frame`]. This module only turns elements into XSD 1.0 text; it decides
//! nothing about content. Every element and every code value is documented in Swedish and English by construction.

use super::frame;
use crate::model::shape::{Card, CodeValue, Field, LIST_MAX, Shape};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One element of the schema.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) min: usize,
    /// Most occurrences.
    pub(super) max: usize,
    pub(super) sv: &'static str,
    pub(super) en: &'static str,
    pub(super) content: Content,
}

/// What stands in an element.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A simple type of ours, by name.
    Named(&'static str),
    /// Free text of at most so many characters.
    Text(usize),
    Codes(Vec<CodeValue>),
    /// Elements in order, then whatever a newer version or a supplier adds in a namespace of its own.
    Group(Vec<Element>),
    /// One item, repeated; nothing else.
    List(Box<Element>),
    /// Exactly one of the elements.
    Choice(Vec<Element>),
}

impl Element {
    pub(super) fn one(name: &'static str, content: Content, sv: &'static str, en: &'static str) -> Self {
        Self { name, min: 1, max: 1, sv, en, content }
    }

    pub(super) fn optional(self) -> Self {
        Self { min: 0, ..self }
    }

    /// The element of a field of the model.
    pub(super) fn of(field: &Field) -> Self {
        let Field { name, sv, en, .. } = *field;
        let content = match field.shape {
            Shape::Text { max } => Content::Text(max),
            Shape::Phone => Content::Named("Phone"),
            Shape::Bool => Content::Named("Bool"),
            Shape::Instant => Content::Named("Instant"),
            Shape::Day => Content::Named("Day"),
            Shape::HsaId => Content::Named("HsaId"),
            Shape::Uuid => Content::Named("Uuid"),
            Shape::Code(values) => Content::Codes(values.to_vec()),
            Shape::Group(fields) => Content::Group(fields.iter().map(Self::of).collect()),
        };
        match field.card {
            Card::One => Self::one(name, content, sv, en),
            Card::Optional => Self::one(name, content, sv, en).optional(),
            Card::List { min } => Self::list(name, min, content, sv, en),
            Card::OptionalList => Self::list(name, 0, content, sv, en).optional(),
        }
    }

    pub(super) fn list(name: &'static str, min: usize, content: Content, sv: &'static str, en: &'static str) -> Self {
        let item = Self { name: "item", min, max: LIST_MAX, sv: "En post i listan", en: "One item of the list", content };
        Self::one(name, Content::List(Box::new(item)), sv, en)
    }
}

/// A simple type with a name: what XSD type it narrows, by what pattern, and what it is.
pub(super) struct Simple {
    pub(super) name: &'static str,
    pub(super) base: &'static str,
    pub(super) pattern: &'static str,
    pub(super) sv: &'static str,
    pub(super) en: &'static str,
}

/// The schema of the message.
pub fn message_schema() -> String {
    let root = frame::message();
    let mut out = Xsd { text: String::with_capacity(64 * 1024), depth: 1 };
    out.text.push_str(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<!-- Made from the catalogue of messages. Do not edit: run the conformance test with UPDATE=1. -->\n",
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns=\"urn:vardbro:message:1\" ",
        "targetNamespace=\"urn:vardbro:message:1\" elementFormDefault=\"qualified\" version=\"1.0\">\n",
    ));
    out.element(&root, Place::Root);
    for simple in frame::SIMPLE {
        out.simple(simple);
    }
    let mut lengths = BTreeSet::new();
    text_lengths(&root, &mut lengths);
    for max in lengths {
        out.text_type(max);
    }
    out.text.push_str("</xs:schema>\n");
    out.text
}

fn text_lengths(element: &Element, lengths: &mut BTreeSet<usize>) {
    match &element.content {
        Content::Text(max) => {
            lengths.insert(*max);
        }
        Content::Group(inner) | Content::Choice(inner) => inner.iter().for_each(|inner| text_lengths(inner, lengths)),
        Content::List(item) => text_lengths(item, lengths),
        Content::Named(_) | Content::Codes(_) => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Global: occurrence may not be said.
    Root,
    Inner,
}

struct Xsd {
    text: String,
    depth: usize,
}

impl Xsd {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{:indent$}{text}", "", indent = self.depth * 2);
    }

    fn open(&mut self, text: &str) {
        self.line(text);
        self.depth += 1;
    }

    fn close(&mut self, text: &str) {
        self.depth -= 1;
        self.line(text);
    }

    fn documentation(&mut self, sv: &str, en: &str) {
        self.open("<xs:annotation>");
        self.line(&format!("<xs:documentation xml:lang=\"sv\">{}</xs:documentation>", escaped(sv)));
        self.line(&format!("<xs:documentation xml:lang=\"en\">{}</xs:documentation>", escaped(en)));
        self.close("</xs:annotation>");
    }

    fn element(&mut self, element: &Element, place: Place) {
        let mut head = format!("<xs:element name=\"{}\"", element.name);
        match element.content {
            Content::Named(name) => {
                let _ = write!(head, " type=\"{name}\"");
            }
            Content::Text(max) => {
                let _ = write!(head, " type=\"Text{max}\"");
            }
            _ => {}
        }
        if element.min != 1 {
            let _ = write!(head, " minOccurs=\"{}\"", element.min);
        }
        if element.max != 1 {
            let _ = write!(head, " maxOccurs=\"{}\"", element.max);
        }
        self.open(&format!("{head}>"));
        self.documentation(element.sv, element.en);
        match &element.content {
            Content::Named(_) | Content::Text(_) => {}
            Content::Codes(values) => self.codes(values),
            Content::Group(inner) => self.complex("sequence", inner, place, true),
            Content::List(item) => self.complex("sequence", std::slice::from_ref(item), place, false),
            Content::Choice(inner) => self.complex("choice", inner, place, false),
        }
        self.close("</xs:element>");
    }

    fn complex(&mut self, model: &str, inner: &[Element], place: Place, extensible: bool) {
        self.open("<xs:complexType>");
        self.open(&format!("<xs:{model}>"));
        for element in inner {
            self.element(element, Place::Inner);
        }
        if extensible {
            self.line("<xs:any namespace=\"##other\" processContents=\"lax\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>");
        }
        self.close(&format!("</xs:{model}>"));
        if place == Place::Root {
            self.open("<xs:attribute name=\"schemaVersion\" type=\"SchemaVersion\" use=\"required\">");
            self.documentation("Schemats version; 1.x läses av alla som läser 1.0", "Version of the schema; who reads 1.0 reads any 1.x");
            self.close("</xs:attribute>");
        }
        self.close("</xs:complexType>");
    }

    fn codes(&mut self, values: &[CodeValue]) {
        self.open("<xs:simpleType>");
        self.open("<xs:restriction base=\"xs:string\">");
        for value in values {
            self.open(&format!("<xs:enumeration value=\"{}\">", escaped(value.code)));
            self.documentation(value.sv, value.en);
            self.close("</xs:enumeration>");
        }
        self.close("</xs:restriction>");
        self.close("</xs:simpleType>");
    }

    fn simple(&mut self, simple: &Simple) {
        self.open(&format!("<xs:simpleType name=\"{}\">", simple.name));
        self.documentation(simple.sv, simple.en);
        self.open(&format!("<xs:restriction base=\"{}\">", simple.base));
        if simple.name == "Phone" {
            self.line("<xs:maxLength value=\"32\"/>");
        }
        self.line(&format!("<xs:pattern value=\"{}\"/>", escaped(simple.pattern)));
        self.close("</xs:restriction>");
        self.close("</xs:simpleType>");
    }

    fn text_type(&mut self, max: usize) {
        self.open(&format!("<xs:simpleType name=\"Text{max}\">"));
        self.documentation(
            &format!("Text, högst {max} tecken och inte bara blanktecken"),
            &format!("Text of at most {max} characters, and not blank"),
        );
        self.open("<xs:restriction base=\"xs:string\">");
        self.line(&format!("<xs:maxLength value=\"{max}\"/>"));
        self.line("<xs:pattern value=\"\\s*\\S[\\s\\S]*\"/>");
        self.close("</xs:restriction>");
        self.close("</xs:simpleType>");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
