//! The hash of a source record: SHA-256 over its canonical JSON (RFC 8785), so that white space and the order of fields
//! make no new version.

use crate::model::node::{Node, NodeValue};

pub(super) fn hash(node: &Node) -> [u8; 32] {
    let mut text = String::new();
    write(node, &mut text);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

#[expect(clippy::disallowed_methods, reason = "hashed, not shown")]
fn write(node: &Node, out: &mut String) {
    match &node.value {
        NodeValue::Null => out.push_str("null"),
        NodeValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        NodeValue::Number(raw) => out.push_str(&number(raw.disclose())),
        NodeValue::Text(text) => out.push_str(&string(text.disclose())),
        NodeValue::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        NodeValue::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().map(|(key, value)| (key.name.disclose(), value)).collect();
            // RFC 8785 3.2.3 sorts by UTF-16 code units.
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (place, (name, value)) in sorted.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                out.push_str(&string(name));
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn string(text: &str) -> String {
    serde_json_canonicalizer::to_string(&text).unwrap_or_default()
}

/// A number beyond a double's range has no canonical form; its own digits tell it apart as well.
fn number(raw: &str) -> String {
    match raw.parse::<f64>() {
        Ok(value) if value.is_finite() => serde_json_canonicalizer::to_string(&value).unwrap_or_else(|_| raw.to_owned()),
        _ => raw.to_owned(),
    }
}
