//! A document of ours as a tree of names and texts, for whoever shows it to a person.

use super::scan::MAX_DEPTH;
use crate::model::personal::Personal;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// An element that has not ended.
#[derive(Default)]
struct Element {
    name: String,
    parts: Vec<(String, Value)>,
    text: String,
}

/// The content of a message of ours in the form of the event's JSON: groups by name, lists, texts. None where it is not readable.
#[expect(clippy::disallowed_methods, reason = "reads the document that it is given; what comes of it is personal again")]
pub fn tree(content: &Personal<Vec<u8>>) -> Option<Personal<Value>> {
    let text = std::str::from_utf8(content.disclose()).ok()?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < MAX_DEPTH => {
                let name = String::from_utf8(start.local_name().as_ref().to_vec()).ok()?;
                open.push(Element { name, ..Element::default() });
            }
            Event::Text(part) => open.last_mut()?.text.push_str(&part.decode().ok()?),
            Event::GeneralRef(name) => {
                let name = name.decode().ok()?;
                let letter = quick_xml::escape::unescape(&format!("&{name};")).ok()?.into_owned();
                open.last_mut()?.text.push_str(&letter);
            }
            Event::End(_) => {
                let Element { name, parts, text } = open.pop()?;
                let value = value(parts, text);
                match open.last_mut() {
                    Some(above) => above.parts.push((name, value)),
                    None => return Some(Personal::new(value)),
                }
            }
            Event::Comment(_) => {}
            _ => return None,
        }
    }
}

fn value(parts: Vec<(String, Value)>, text: String) -> Value {
    if parts.is_empty() {
        return Value::String(text);
    }
    if parts.iter().all(|(name, _)| name == "item") {
        return Value::Array(parts.into_iter().map(|(_, value)| value).collect());
    }
    Value::Object(parts.into_iter().collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "looks at what it has made")]
    fn a_document_is_read_as_its_event_was_written() {
        let content = r#"<content xmlns="urn:vardbro:message:1">
  <body><planningData><services><item><kind>HSJV</kind></item></services><adlBefore>A &amp; B &lt; C</adlBefore></planningData></body>
</content>"#;
        let read = tree(&Personal::new(content.as_bytes().to_vec())).expect("a document");
        let services = json!([{"kind": "HSJV"}]);
        assert_eq!(*read.disclose(), json!({"body": {"planningData": {"services": services, "adlBefore": "A & B < C"}}}));
        for broken in ["", "<content>", "text", "<!DOCTYPE x><content/>", "<a></b>"] {
            assert!(tree(&Personal::new(broken.as_bytes().to_vec())).is_none(), "{broken}");
        }
    }
}
