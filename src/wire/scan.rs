//! Hardened reading of XML from outside: names we know, texts, byte ranges, and nothing else.
//!
//! Never resolves an entity, never reads beside the bytes it was given, never panics. The caller bounds the size.

use quick_xml::events::Event;
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use std::fmt;
use std::ops::Range;

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 64;

/// Why a document cannot be read. Says what and, for a field of ours, which; never a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Not UTF-8, or announced as something else.
    Encoding,
    /// A document type declaration, which we never need and attackers do.
    Doctype,
    NotXml,
    TooDeep,
    /// Another root element or namespace than ours.
    OtherDocument,
    Missing(&'static str),
    Twice(&'static str),
    /// The named element holds something that it may not hold.
    Value(&'static str),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding => f.write_str("not UTF-8"),
            Self::Doctype => f.write_str("document type declaration"),
            Self::NotXml => f.write_str("not well-formed XML"),
            Self::TooDeep => f.write_str("nested too deeply"),
            Self::OtherDocument => f.write_str("another kind of document"),
            Self::Missing(name) => write!(f, "{name} missing"),
            Self::Twice(name) => write!(f, "{name} given twice"),
            Self::Value(name) => write!(f, "{name} malformed"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// An element that has just ended.
pub(super) struct Ended<'a> {
    /// Names from the root down to this element. Elements of other namespaces and unknown ones are passed over whole.
    pub(super) path: &'a [&'static str],
    /// Its own text.
    pub(super) text: &'a str,
    /// From its `<` to its last `>`.
    pub(super) range: Range<usize>,
}

struct Frame {
    text: String,
    start: usize,
}

/// Walks a document and calls `visit` at the end of every element whose names, from the root down, are all in `names`.
pub(super) fn scan(
    bytes: &[u8],
    namespaces: &[&str],
    names: &'static [&'static str],
    mut visit: impl FnMut(Ended<'_>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let bom = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let text = std::str::from_utf8(&bytes[bom..]).map_err(|_| Unreadable::Encoding)?;
    if !text.chars().all(is_xml_char) {
        return Err(Unreadable::NotXml);
    }
    let mut reader = NsReader::from_str(text);
    let mut walk = Walk { names, path: Vec::new(), frames: Vec::new(), strange: 0, rooted: false };
    loop {
        let before = position(&reader) + bom;
        let event = reader.read_event().map_err(|_| Unreadable::NotXml)?;
        let after = position(&reader) + bom;
        match event {
            Event::Start(tag) | Event::Empty(tag) if walk.depth() >= MAX_DEPTH || !attributes_formed(&tag) => {
                return Err(if walk.depth() >= MAX_DEPTH { Unreadable::TooDeep } else { Unreadable::NotXml });
            }
            Event::Start(tag) => {
                let (resolved, local) = reader.resolver().resolve_element(tag.name());
                walk.start(before, is_ours(&resolved, namespaces)?, local.as_ref())?;
            }
            Event::Empty(tag) => {
                let (resolved, local) = reader.resolver().resolve_element(tag.name());
                walk.start(before, is_ours(&resolved, namespaces)?, local.as_ref())?;
                walk.end(after, &mut visit)?;
            }
            Event::End(_) => walk.end(after, &mut visit)?,
            Event::Text(part) => walk.text(&part.xml10_content().map_err(|_| Unreadable::Encoding)?, true)?,
            Event::CData(part) => walk.text(&part.xml10_content().map_err(|_| Unreadable::Encoding)?, false)?,
            Event::GeneralRef(reference) => {
                let mut buffer = [0; 4];
                walk.text(character(&reference)?.encode_utf8(&mut buffer), false)?;
            }
            Event::DocType(_) => return Err(Unreadable::Doctype),
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let encoding = encoding.map_err(|_| Unreadable::NotXml)?;
                    if !encoding.eq_ignore_ascii_case(b"utf-8") {
                        return Err(Unreadable::Encoding);
                    }
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if walk.rooted && walk.depth() == 0 => return Ok(()),
            Event::Eof => return Err(Unreadable::NotXml),
        }
    }
}

struct Walk {
    names: &'static [&'static str],
    path: Vec<&'static str>,
    frames: Vec<Frame>,
    /// How deep we are in an element that is not ours.
    strange: usize,
    rooted: bool,
}

impl Walk {
    fn depth(&self) -> usize {
        self.path.len() + self.strange
    }

    fn start(&mut self, at: usize, ours: bool, local: &[u8]) -> Result<(), Unreadable> {
        let known = self.names.iter().find(|name| ours && name.as_bytes() == local);
        if self.depth() == 0 {
            if self.rooted {
                return Err(Unreadable::NotXml);
            }
            if known != self.names.first() {
                return Err(Unreadable::OtherDocument);
            }
            self.rooted = true;
        }
        match known {
            Some(name) if self.strange == 0 => {
                self.path.push(name);
                self.frames.push(Frame { text: String::new(), start: at });
            }
            _ => self.strange += 1,
        }
        Ok(())
    }

    fn end(&mut self, at: usize, visit: &mut impl FnMut(Ended<'_>) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
        if self.strange > 0 {
            self.strange -= 1;
            return Ok(());
        }
        let frame = self.frames.pop().ok_or(Unreadable::NotXml)?;
        visit(Ended { path: &self.path, text: &frame.text, range: frame.start..at })?;
        self.path.pop();
        Ok(())
    }

    fn text(&mut self, text: &str, plain: bool) -> Result<(), Unreadable> {
        if self.depth() == 0 {
            let blank = plain && text.bytes().all(|b| b.is_ascii_whitespace());
            return if blank { Ok(()) } else { Err(Unreadable::NotXml) };
        }
        if let (0, Some(frame)) = (self.strange, self.frames.last_mut()) {
            frame.text.push_str(text);
        }
        Ok(())
    }
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn is_ours(resolved: &ResolveResult<'_>, namespaces: &[&str]) -> Result<bool, Unreadable> {
    match resolved {
        ResolveResult::Bound(bound) => Ok(namespaces.iter().any(|namespace| bound.as_ref() == namespace.as_bytes())),
        ResolveResult::Unbound => Ok(false),
        ResolveResult::Unknown(_) => Err(Unreadable::NotXml),
    }
}

fn attributes_formed(tag: &quick_xml::events::BytesStart<'_>) -> bool {
    // The bound keeps the check for doubled names, which is quadratic, small.
    tag.attributes().take(65).enumerate().all(|(place, attribute)| place < 64 && attribute.is_ok())
}

fn character(reference: &quick_xml::events::BytesRef<'_>) -> Result<char, Unreadable> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| Unreadable::NotXml)? {
        return if is_xml_char(character) { Ok(character) } else { Err(Unreadable::NotXml) };
    }
    match &**reference {
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"amp" => Ok('&'),
        b"quot" => Ok('"'),
        b"apos" => Ok('\''),
        _ => Err(Unreadable::NotXml),
    }
}

/// A character that XML 1.0 may hold.
pub(super) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &str) -> Result<Vec<(String, String)>, Unreadable> {
        let mut out = Vec::new();
        scan(document.as_bytes(), &["urn:x"], &["r", "a", "b"], |ended| {
            out.push((ended.path.join("/"), ended.text.to_owned()));
            Ok(())
        })?;
        Ok(out)
    }

    #[test]
    fn what_is_not_ours_is_passed_over() {
        let read = texts(
            "\u{feff}<?xml version='1.0' encoding='utf-8'?><r xmlns='urn:x' xmlns:y='urn:y'><y:a><a>no</a></y:a><a>1 &lt; <!-- -->2</a><c><a/></c><b/></r>\n",
        );
        let expected = [("r/a", "1 < 2"), ("r/b", ""), ("r", "")].map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(read, Ok(expected.to_vec()));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = format!("<r xmlns='urn:x'>{}{}</r>", "<a>".repeat(64), "</a>".repeat(64));
        for (document, why) in [
            ("<!DOCTYPE r [<!ENTITY a 'b'>]><r xmlns='urn:x'>&a;</r>", Unreadable::Doctype),
            ("<r xmlns='urn:x'>&a;</r>", Unreadable::NotXml),
            ("<r xmlns='urn:x'>&#1;</r>", Unreadable::NotXml),
            ("<r xmlns='urn:x'>\u{1}</r>", Unreadable::NotXml),
            ("<r xmlns='urn:x'/><r xmlns='urn:x'/>", Unreadable::NotXml),
            ("<r xmlns='urn:x'/>x", Unreadable::NotXml),
            ("<r xmlns='urn:x'><a></r>", Unreadable::NotXml),
            ("<r xmlns='urn:x'><a>", Unreadable::NotXml),
            ("<r xmlns='urn:x' z='1' z='2'/>", Unreadable::NotXml),
            ("<r xmlns='urn:x'><q:a/></r>", Unreadable::NotXml),
            ("<?xml version='1.0' encoding='latin1'?><r xmlns='urn:x'/>", Unreadable::Encoding),
            ("<r/>", Unreadable::OtherDocument),
            ("<a xmlns='urn:x'/>", Unreadable::OtherDocument),
            ("", Unreadable::NotXml),
            (deep.as_str(), Unreadable::TooDeep),
        ] {
            assert_eq!(texts(document), Err(why), "{document}");
        }
    }
}
