//! What a row says, as a document. Pure.

use super::link::{Column, Kind, Value};
use crate::fault::Code;
use serde_json::{Map, Number, Value as Json};

/// A column's value as the document that it holds.
pub(super) fn body(value: Value) -> Vec<u8> {
    match value {
        Value::Null => Vec::new(),
        Value::Int(number) => number.to_string().into_bytes(),
        Value::Real(number) => number.to_string().into_bytes(),
        Value::Text(text) => text.into_bytes(),
        Value::Bytes(bytes) => bytes,
    }
}

/// A row as a JSON object: a field for each column.
pub(super) fn object(columns: &[Column], values: Vec<Value>) -> Result<Vec<u8>, Code> {
    let mut fields = Map::new();
    for (column, value) in columns.iter().zip(values) {
        fields.insert(column.name.clone(), field(column.kind, value)?);
    }
    Ok(Json::Object(fields).to_string().into_bytes())
}

fn field(kind: Kind, value: Value) -> Result<Json, Code> {
    let text = match value {
        Value::Null => return Ok(Json::Null),
        Value::Int(number) => return Ok(number.into()),
        Value::Real(number) => return Ok(Number::from_f64(number).map_or(Json::Null, Json::Number)),
        Value::Text(text) => text,
        Value::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| Code::SrcEncoding)?,
    };
    let number = match kind {
        Kind::Whole => text.parse::<i64>().ok().map(Json::from),
        Kind::Real => text.parse().ok().and_then(Number::from_f64).map(Json::Number),
        Kind::Truth => Some(Json::Bool(text == "true")),
        Kind::Json => serde_json::from_str(&text).ok(),
        Kind::Utc => Some(Json::String(format!("{text}Z"))),
        Kind::Plain | Kind::Time | Kind::Bytes => None,
    };
    Ok(number.unwrap_or(Json::String(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_object_of_its_columns() {
        let kinds = [Kind::Whole, Kind::Plain, Kind::Truth, Kind::Json, Kind::Utc, Kind::Real, Kind::Plain, Kind::Plain];
        let columns: Vec<Column> = kinds.iter().enumerate().map(|(n, kind)| Column { name: format!("c{n}"), kind: *kind }).collect();
        let text = |text: &str| Value::Text(text.to_owned());
        let values = vec![
            text("12"),
            text("å\"b"),
            text("true"),
            text("{\"a\":[1]}"),
            text("2026-03-12T10:00:00"),
            text("1.5"),
            Value::Null,
            Value::Int(7),
        ];
        let made = object(&columns, values).expect("an object");
        assert_eq!(
            String::from_utf8(made).expect("text"),
            "{\"c0\":12,\"c1\":\"å\\\"b\",\"c2\":true,\"c3\":{\"a\":[1]},\"c4\":\"2026-03-12T10:00:00Z\",\"c5\":1.5,\"c6\":null,\"c7\":7}"
        );
        let broken = object(&columns[1..2], vec![Value::Bytes(vec![0xff])]);
        assert_eq!(broken, Err(Code::SrcEncoding));
    }
}
