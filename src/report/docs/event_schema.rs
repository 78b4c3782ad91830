//! `schemas/event/event-1.schema.json`.
//!
//! What a schema cannot say stays with the reader: check digits, days that do not exist, a field that stands twice.

use super::{DEMANDS, Demand};
use crate::model::catalogue::{CATALOGUE, Row};
use crate::model::event::{CareEvent, IdType};
use crate::model::person::PersonIdKind;
use crate::model::shape::{Card, CodeValue, Field, LIST_MAX, Shape};
use serde_json::{Map, Value, json};

/// Neither blank nor with a control character other than tab and line feed.
const TEXT: &str = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\ufffe\\uffff]*$";
const DAY: &str = "(18[5-9][0-9]|19[0-9]{2}|2[01][0-9]{2}|2200)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";

/// The schema of an event, JSON Schema 2020-12.
pub fn event_schema() -> String {
    let head: Vec<Field> = CareEvent::fields().into_iter().filter(|field| field.name != CareEvent::DATA).collect();
    let mut root = group(&head);
    amend_patient(&mut root);
    root["properties"][CareEvent::DATA] = json!({"type": "object", "description": "Innehåll, efter typ / Content, by type"});
    if let Some(required) = root["required"].as_array_mut() {
        required.push(json!(CareEvent::DATA));
    }
    let by_type: Vec<Value> = CATALOGUE.iter().map(choice).collect();
    root["allOf"] = json!(by_type);
    root["$defs"] = definitions();
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["$id"] = json!("urn:vardbro:event:1");
    root["title"] = json!("Vårdbro event");
    root["description"] = json!(concat!(
        "One event of a care transition, as a source gives it. Check digits, days of the calendar and repeated fields are checked by the ",
        "program only. Made from the catalogue; do not edit."
    ));
    format!("{root:#}\n")
}

fn definitions() -> Value {
    let mut out = Map::new();
    for (name, value) in [
        ("bool", json!({"type": "boolean"})),
        ("day", json!({"type": "string", "format": "date", "pattern": format!("^{DAY}$"), "description": "YYYY-MM-DD"})),
        ("hsaId", json!({"type": "string", "pattern": "^SE[0-9]{10}-[A-Za-z0-9]{1,18}$"})),
        (
            "instant",
            json!({
                "type": "string",
                "format": "date-time",
                "pattern": format!("^{DAY}[Tt][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,9}})?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})$"),
                "description": "RFC 3339 med zon / with zone",
            }),
        ),
        ("phone", json!({"type": "string", "maxLength": 32, "pattern": "^[-+() ]*([0-9][-+() ]*){3,}$"})),
        (
            "text",
            json!({"type": "string", "allOf": [{"pattern": "\\S"}, {"pattern": TEXT}], "description": "Inga styrtecken utom tabb och radbrytning / No control characters other than tab and line feed"}),
        ),
        ("uuid", json!({"type": "string", "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"})),
    ] {
        out.insert(name.to_owned(), value);
    }
    for row in CATALOGUE {
        out.insert(row.code.to_owned(), body(row));
    }
    Value::Object(out)
}

/// The body that a type demands.
fn choice(row: &Row) -> Value {
    json!({
        "if": {"properties": {"type": {"const": row.code}}, "required": ["type"]},
        "then": {"properties": {CareEvent::DATA: {"$ref": format!("#/$defs/{}", row.code)}}},
    })
}

fn body(row: &Row) -> Value {
    let mut out = group(row.fields);
    out["description"] = json!(format!("{} / {}", row.sv, row.en));
    for demand in DEMANDS.iter().filter(|demand| demand.kind == row.kind) {
        let place = match demand.list {
            Some(list) => &mut out["properties"][list]["items"],
            None => &mut out,
        };
        if let Some(all) = place.as_object_mut().and_then(|place| place.entry("allOf").or_insert_with(|| json!([])).as_array_mut()) {
            all.push(demanded(demand));
        }
    }
    if let Some(code) = out.pointer_mut("/properties/items/items/properties/code") {
        code["pattern"] = json!("^CL[0-9]{2}$");
    }
    out
}

fn demanded(demand: &Demand) -> Value {
    let (field, needs) = (demand.field, demand.needs);
    json!({
        "if": {"properties": {field: {"const": demand.code}}, "required": [field]},
        "then": {"properties": {needs: {"not": {"type": "null"}}}, "required": [needs]},
    })
}

/// Only the kinds of number that are read, each in the forms in which it is read.
fn amend_patient(root: &mut Value) {
    let patient = &mut root["properties"]["patient"];
    let read = IdType::VALUES.iter().filter_map(|value| Some((*value, IdType::parse(value.code)?.kind()?)));
    let (kinds, forms): (Vec<CodeValue>, Vec<Value>) = read.map(|(value, kind)| (value, number_form(value, kind))).unzip();
    patient["properties"]["idType"]["oneOf"] = json!(codes(&kinds));
    patient["allOf"] = json!(forms);
}

fn number_form(value: CodeValue, kind: PersonIdKind) -> Value {
    let pattern = match kind {
        PersonIdKind::Personnummer | PersonIdKind::Samordningsnummer => "^([0-9]{8}-?[0-9]{4}|[0-9]{6}[-+]?[0-9]{4})$",
        PersonIdKind::Nrid => "^[0-9]{8}-?[A-HJ-NPR-UX-Z]{2}[0-9A-HJ-NPR-UX-Z][0-9]$",
        PersonIdKind::ReservnummerVgr => "^[0-9]{8}(K(0[68]|[1-7][02468])|M(0[79]|[1-7][13579])|X8[0-9])[0-9]$",
    };
    json!({
        "if": {"properties": {"idType": {"const": value.code}}, "required": ["idType"]},
        "then": {"properties": {"id": {"pattern": pattern}}},
    })
}

fn group(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| matches!(field.card, Card::One | Card::List { .. })).map(|field| field.name).collect();
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn property(field: &Field) -> Value {
    let one = shape(field.shape);
    let mut out = match field.card {
        Card::One => one,
        Card::Optional => json!({"anyOf": [one, {"type": "null"}]}),
        Card::List { min } => json!({"type": "array", "minItems": min, "maxItems": LIST_MAX, "items": one}),
        Card::OptionalList => json!({"type": ["array", "null"], "maxItems": LIST_MAX, "items": one}),
    };
    out["description"] = json!(format!("{} / {}", field.sv, field.en));
    out
}

fn shape(shape: Shape) -> Value {
    let named = |name: &str| json!({"$ref": format!("#/$defs/{name}")});
    match shape {
        Shape::Text { max } => json!({"$ref": "#/$defs/text", "maxLength": max}),
        Shape::Phone => named("phone"),
        Shape::Bool => named("bool"),
        Shape::Instant => named("instant"),
        Shape::Day => named("day"),
        Shape::HsaId => named("hsaId"),
        Shape::Uuid => named("uuid"),
        Shape::Code(values) => json!({"type": "string", "oneOf": codes(values)}),
        Shape::Group(fields) => group(fields),
    }
}

fn codes(values: &[CodeValue]) -> Vec<Value> {
    values.iter().map(|value| json!({"const": value.code, "description": format!("{} / {}", value.sv, value.en)})).collect()
}
