//! Events for tests, made from the catalogue's own fields, so that a new type is tested without new test data.
//!
//! Also a part of `tests/conformance.rs`.

use crate::model::bodies::Party;
use crate::model::catalogue::Row;
use crate::model::event::{CareEvent, Recipient};
use crate::model::ids::{EnvelopeId, EpisodeId, HsaId, MessageId, OrgNumber};
use crate::model::message::{Message, MessageStatus};
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;
use crate::model::shape::{Card, Field, Reader, Shape};
use crate::model::time::parse_instant;
use crate::wire::{Release, Sender};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) fn node(value: &Value) -> Node {
    let value = match value {
        Value::Null => NodeValue::Null,
        Value::Bool(value) => NodeValue::Bool(*value),
        Value::Number(number) => NodeValue::Number(Personal::new(number.to_string())),
        Value::String(text) => NodeValue::Text(Personal::new(text.clone())),
        Value::Array(items) => NodeValue::List(items.iter().map(node).collect()),
        Value::Object(map) => {
            NodeValue::Map(map.iter().map(|(name, value)| (Key { at: 0, name: Personal::new(name.clone()) }, node(value))).collect())
        }
    };
    Node { at: 0, value }
}

/// The least that a type may say, or everything that it can, in its longest and strangest form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    Least,
    Most,
}

fn text(max: usize, fill: Fill) -> String {
    match (max, fill) {
        (4, _) => "CL01".to_owned(),
        (_, Fill::Least) => "x".to_owned(),
        (_, Fill::Most) => "Å<b>&amp;\t\n\"'\u{1f600}]]> ".chars().cycle().take(max - 1).chain(['.']).collect(),
    }
}

fn value(shape: &Shape, fill: Fill) -> Value {
    match shape {
        Shape::Text { max } => json!(text(*max, fill)),
        Shape::Phone => json!(if fill == Fill::Least { "112" } else { " +46 (0)521-72 10 00 " }),
        Shape::Bool => json!(fill == Fill::Most),
        Shape::Instant => json!("2026-03-10T09:00:00+01:00"),
        Shape::Day => json!("2026-03-10"),
        Shape::HsaId => json!(if fill == Fill::Least { "SE2120001538-T" } else { "SE2120001538-123456789012345Abz" }),
        Shape::Uuid => json!("0190c6a2-0000-7000-8000-00000000000a"),
        Shape::Code(values) => json!(if fill == Fill::Least { values.first() } else { values.last() }.expect("codes").code),
        Shape::Group(fields) => group(fields, fill),
    }
}

pub(crate) fn group(fields: &[Field], fill: Fill) -> Value {
    let mut map = Map::new();
    for field in fields {
        let filled = match (field.card, fill) {
            (Card::Optional | Card::OptionalList, Fill::Least) => continue,
            (Card::One | Card::Optional, _) => value(&field.shape, fill),
            (Card::List { min }, Fill::Least) => Value::Array(vec![value(&field.shape, fill); min]),
            (Card::List { .. } | Card::OptionalList, Fill::Most) => {
                Value::Array(vec![value(&field.shape, Fill::Least), value(&field.shape, Fill::Most)])
            }
        };
        map.insert(field.name.to_owned(), filled);
    }
    Value::Object(map)
}

/// An event of the type as JSON.
pub(crate) fn event(row: &Row, fill: Fill) -> Value {
    let mut data = group(row.fields, fill);
    // Fields that another field calls for.
    if row.code == "K-HT" {
        data["from"] = json!("2026-03-12T13:00:00+01:00");
    }
    let mut event = json!({
        "eventId": "TRS-1", "system": "test-journal", "type": row.code, "occurredAt": "2026-03-10T23:30:00Z",
        "episodeRef": {"caseId": "HSL-1"}, "patient": {"id": "193812217044", "idType": "personnummer"}, "data": data,
    });
    if fill == Fill::Most {
        let text200 = text(200, fill);
        event["episodeRef"]["regionCaseId"] = json!(text200);
        event["patient"]["name"] = json!({"given": text200, "family": text200});
        event["patient"]["address"] = json!(text(400, fill));
        event["author"] =
            json!({"hsaId": "SE2120001538-T101", "role": text(100, fill), "unit": {"hsaId": "SE2120001538-T100", "name": text200}});
        event["consent"] = json!({"status": "given", "recordedAt": "2026-03-09T08:05:00+01:00", "basis": text200});
        event["refTo"] = json!({"messageId": "0190c6a2-0000-7000-8000-00000000000a", "eventId": text200, "regionMessageId": text200});
    }
    event
}

/// A message about an event.
pub(crate) fn message(event: &Value, fill: Fill) -> Message {
    let mut reader = Reader::new("2026-03-11".parse().expect("a day"));
    let read = CareEvent::read(&node(event), &mut reader);
    let event = read.unwrap_or_else(|| panic!("event refused: {:?}", reader.problems));
    let recipient = |unit, party| Recipient { hsa_id: HsaId::parse(unit).expect("an id"), party };
    let mut recipients = vec![recipient("SE2321000131-T200", Party::Sv)];
    let most = fill == Fill::Most;
    if most {
        recipients.push(recipient("SE2321000131-T300", Party::Ov));
    }
    Message {
        id: MessageId::of("test-journal", "TRS-1", event.head.kind.code(), 1),
        episode: EpisodeId(Uuid::from_u128(7)),
        version: if most { 2 } else { 1 },
        status: if most { MessageStatus::Changed } else { MessageStatus::New },
        replaces: most.then_some(MessageId(Uuid::from_u128(8))),
        event,
        recipients,
        standing: crate::model::message::Standing::default(),
    }
}

pub(crate) fn release(fill: Fill) -> Release {
    Release {
        created_at: parse_instant("2026-03-11T08:00:00.125Z").expect("an instant"),
        sequence: if fill == Fill::Most { 999_999_999_999_999_999 } else { 1 },
        production: fill == Fill::Most,
        sender: Sender {
            org_number: OrgNumber::parse("2120001538").expect("a number"),
            hsa_id: HsaId::parse("SE2120001538-T001").expect("an id"),
            name: if fill == Fill::Most { "Vänersborgs kommun" } else { "" }.to_owned(),
        },
        rules: "vanersborg/2026.1".to_owned(),
        rules_hash: "0123456789abcdef".repeat(4),
    }
}

pub(crate) fn envelope() -> EnvelopeId {
    EnvelopeId(Uuid::from_u128(9))
}
