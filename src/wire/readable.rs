//! What a message says, in words for a person: labels and texts of codes from the catalogue, values as they are.

use crate::model::shape::{Field, Shape};
use crate::model::time::stockholm;
use jiff::Timestamp;
use serde_json::Value;

/// A line of a text for a person.
#[derive(Debug)]
pub struct Line {
    /// How far in it stands.
    pub depth: usize,
    /// `Adress:`, or the dash before an item of a list.
    pub label: String,
    pub said: Option<String>,
}

/// Swedish local time to the minute.
pub fn minute(at: Timestamp) -> String {
    at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The fields that are there, in the order of the catalogue.
pub fn lines(fields: &[Field], content: &Value, swedish: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    group(fields, content, 0, swedish, &mut lines);
    lines
}

fn group(fields: &[Field], content: &Value, depth: usize, swedish: bool, lines: &mut Vec<Line>) {
    for field in fields {
        let label = if swedish { field.sv } else { field.en };
        match content.get(field.name) {
            None | Some(Value::Null) => {}
            // A list of nothing, as a document has it.
            Some(Value::String(text)) if text.trim().is_empty() => lines.push(Line { depth, label: format!("{label}: –"), said: None }),
            Some(Value::Array(items)) => {
                lines.push(Line { depth, label: format!("{label}:"), said: None });
                for item in items {
                    one(field, "–", item, depth + 1, swedish, lines);
                }
            }
            Some(value) => one(field, &format!("{label}:"), value, depth, swedish, lines),
        }
    }
}

fn one(field: &Field, label: &str, value: &Value, depth: usize, swedish: bool, lines: &mut Vec<Line>) {
    let plain = match value {
        Value::Bool(value) => value.to_string(),
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    let pick = |sv: &str, en: &str| if swedish { sv } else { en }.to_owned();
    let said = match field.shape {
        Shape::Group(fields) => {
            lines.push(Line { depth, label: label.to_owned(), said: None });
            return group(fields, value, depth + 1, swedish, lines);
        }
        Shape::Code(codes) => codes.iter().find(|code| code.code == plain).map_or(plain, |code| pick(code.sv, code.en)),
        Shape::Bool if plain == "true" => pick("ja", "yes"),
        Shape::Bool => pick("nej", "no"),
        Shape::Instant => plain.parse().map_or(plain, minute),
        _ => plain,
    };
    lines.push(Line { depth, label: label.to_owned(), said: Some(said) });
}
