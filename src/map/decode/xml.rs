//! XML to [`Node`]: an element is a map of its attributes (`@name`), its children and its text (`#text`); one that holds text
//! alone is that text; children of one name are a list.

use super::super::path::Path;
use super::text::Encoding;
use super::{Budget, Fault};
use crate::fault::Code;
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use quick_xml::reader::NsReader;
use std::collections::HashMap;

/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 256;

/// How XML is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct XmlFormat {
    /// Elements that are records; none where the document is one.
    pub(crate) records: Option<Path>,
    /// Prefixes of the mapping's own, by namespace. Names of other namespaces stand without.
    pub(crate) namespaces: Vec<(String, String)>,
    pub(crate) encoding: Encoding,
}

/// The root element's content.
pub(super) fn document(text: &str, format: &XmlFormat, budget: &mut Budget) -> Result<Node, Fault> {
    elements(text, format, budget).map(|(_, root)| root)
}

/// The root element's name and content.
pub(super) fn elements(text: &str, format: &XmlFormat, budget: &mut Budget) -> Result<(String, Node), Fault> {
    if let Some((at, _)) = text.char_indices().find(|(_, letter)| !is_xml_char(*letter)) {
        return Err(Fault::new(Code::MapCharacter, at));
    }
    let mut walk = Walk { text, format, budget, open: Vec::new(), root: None };
    let mut reader = NsReader::from_str(text);
    loop {
        let at = position(&reader);
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(fault) => {
                let cut = matches!(fault, quick_xml::Error::Syntax(_)) && position(&reader) >= text.len();
                return Err(Fault::new(if cut { Code::MapTruncated } else { Code::MapSyntax }, at));
            }
        };
        match event {
            Event::Start(tag) => walk.start(&reader, &tag, at)?,
            Event::Empty(tag) => {
                walk.start(&reader, &tag, at)?;
                walk.end();
            }
            Event::End(_) => walk.end(),
            Event::Text(part) => walk.text(at, &part.xml10_content().map_err(|_| Fault::new(Code::SrcEncoding, at))?)?,
            Event::CData(part) => walk.text(at, &part.xml10_content().map_err(|_| Fault::new(Code::SrcEncoding, at))?)?,
            Event::GeneralRef(name) => walk.text(at, character(&name, at)?.encode_utf8(&mut [0; 4]))?,
            Event::DocType(_) => return Err(Fault::new(Code::MapDoctype, at)),
            Event::Decl(declaration) => {
                if let Some(said) = declaration.encoding() {
                    let said = said.ok().and_then(|name| Encoding::parse(&String::from_utf8_lossy(&name)));
                    if !said.is_some_and(|said| format.encoding.reads(said)) {
                        let (said, wanted) = (said.map_or("–", Encoding::name), format.encoding.name());
                        let detail =
                            (format!("XML säger {said}, mappningen {wanted}"), format!("the XML says {said}, the mapping {wanted}"));
                        return Err(Fault { code: Code::SrcEncoding, at, detail: Some(detail) });
                    }
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let cut = Fault::new(Code::MapTruncated, text.len());
    if walk.open.is_empty() { walk.root.ok_or(cut) } else { Err(cut) }
}

/// An element that has not ended.
struct Element {
    name: String,
    at: usize,
    parts: Vec<(Key, Node)>,
    /// Where in `parts` the children of a name are.
    children: HashMap<String, usize>,
    text: String,
    /// Where its text begins.
    text_at: Option<usize>,
}

impl Element {
    /// The second child of a name makes a list of the first.
    fn add(&mut self, name: String, node: Node) {
        let Some(place) = self.children.get(&name) else {
            self.children.insert(name.clone(), self.parts.len());
            self.parts.push((Key { at: node.at, name: Personal::new(name) }, node));
            return;
        };
        let known = &mut self.parts[*place].1;
        if let NodeValue::List(items) = &mut known.value {
            items.push(node);
        } else {
            let first = Node { at: known.at, value: std::mem::replace(&mut known.value, NodeValue::Null) };
            known.value = NodeValue::List(vec![first, node]);
        }
    }
}

struct Walk<'a> {
    text: &'a str,
    format: &'a XmlFormat,
    budget: &'a mut Budget,
    open: Vec<Element>,
    root: Option<(String, Node)>,
}

impl Walk<'_> {
    fn start(&mut self, reader: &NsReader<&[u8]>, tag: &BytesStart, at: usize) -> Result<(), Fault> {
        if self.root.is_some() {
            return Err(Fault::new(Code::MapSyntax, at));
        }
        if self.open.len() >= self.budget.depth {
            return Err(Fault::new(Code::MapDepth, at));
        }
        self.budget.take(at)?;
        let (resolved, local) = reader.resolver().resolve_element(tag.name());
        let name = self.name(&resolved, local.as_ref(), at)?;
        let mut parts = Vec::new();
        for (place, attribute) in tag.attributes().enumerate() {
            if place == ATTRIBUTES_MAX {
                let detail = (format!("högst {ATTRIBUTES_MAX} attribut"), format!("{ATTRIBUTES_MAX} attributes at most"));
                return Err(Fault { code: Code::MapTooMany, at, detail: Some(detail) });
            }
            let attribute = attribute.map_err(|_| Fault::new(Code::MapSyntax, at))?;
            if is_namespace(attribute.key) {
                continue;
            }
            let (resolved, local) = reader.resolver().resolve_attribute(attribute.key);
            let name = format!("@{}", self.name(&resolved, local.as_ref(), at)?);
            let raw = std::str::from_utf8(&attribute.value).map_err(|_| Fault::new(Code::SrcEncoding, at))?;
            let inside = (raw.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
            let at = if inside < self.text.len() { inside } else { at };
            let value = unescape(raw).map_err(|_| Fault::new(Code::MapEntity, at))?.into_owned();
            self.budget.take(at)?;
            let node = Node { at, value: NodeValue::Text(Personal::new(value)) };
            parts.push((Key { at, name: Personal::new(name) }, node));
        }
        self.open.push(Element { name, at, parts, children: HashMap::new(), text: String::new(), text_at: None });
        Ok(())
    }

    fn text(&mut self, at: usize, part: &str) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) => {
                if !part.trim().is_empty() {
                    element.text_at.get_or_insert(at);
                }
                element.text.push_str(part);
                Ok(())
            }
            None if part.trim().is_empty() => Ok(()),
            None => Err(Fault::new(Code::MapSyntax, at)),
        }
    }

    fn end(&mut self) {
        let Some(Element { name, at, mut parts, children: _, text, text_at }) = self.open.pop() else { return };
        let has_text = text_at.is_some();
        let text_node = Node { at: text_at.unwrap_or(at), value: NodeValue::Text(Personal::new(text)) };
        let node = if parts.is_empty() {
            text_node
        } else {
            if has_text {
                parts.push((Key { at: text_node.at, name: Personal::new("#text".to_owned()) }, text_node));
            }
            Node { at, value: NodeValue::Map(parts) }
        };
        match self.open.last_mut() {
            Some(above) => above.add(name, node),
            None => self.root = Some((name, node)),
        }
    }

    /// A name with the mapping's prefix for its namespace, if it has one.
    fn name(&self, resolved: &ResolveResult, local: &[u8], at: usize) -> Result<String, Fault> {
        let local = std::str::from_utf8(local).map_err(|_| Fault::new(Code::SrcEncoding, at))?;
        match resolved {
            ResolveResult::Unknown(_) => Err(Fault::new(Code::MapSyntax, at)),
            ResolveResult::Bound(namespace) => {
                let known = self.format.namespaces.iter().find(|(_, uri)| uri.as_bytes() == namespace.as_ref());
                Ok(known.map_or_else(|| local.to_owned(), |(prefix, _)| format!("{prefix}:{local}")))
            }
            ResolveResult::Unbound => Ok(local.to_owned()),
        }
    }
}

fn is_namespace(name: QName) -> bool {
    name.as_ref() == b"xmlns" || name.as_ref().starts_with(b"xmlns:")
}

/// XML's own five entities and numbered characters; nothing else is ever resolved.
fn character(reference: &BytesRef, at: usize) -> Result<char, Fault> {
    let known = match &**reference {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        _ => reference.resolve_char_ref().ok().flatten().filter(|letter| is_xml_char(*letter)),
    };
    known.ok_or_else(|| Fault::new(Code::MapEntity, at))
}

/// Char of XML 1.0, section 2.2.
fn is_xml_char(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}
