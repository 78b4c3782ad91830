//! `schemas/openapi.json`: what stands at `[http]`, as OpenAPI 3.1. The event is the published schema, moved in.

use super::event_schema;
use crate::fault::Code;
use crate::model::bodies::Party;
use crate::model::finding::{Effect, Layer};
use crate::model::shape::CodeValue;
use crate::model::state::State;
use serde_json::{Map, Value, json};

/// The document.
pub fn openapi() -> String {
    let mut schemas = event_schemas();
    schemas.extend(answers());
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Vårdbro",
            "version": "1",
            "description": "Events in, receipts in, and what became of an event. Codes: docs/codes.md. How to use it: docs/sources/http.md.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8080", "description": "`[http] listen`"}],
        "paths": {
            "/v1/events": {"post": post_events()},
            "/v1/events/{id}": {"get": get_event()},
            "/v1/receipts": {"post": post_receipts()},
        },
        "components": {
            "securitySchemes": {
                "source": {"type": "http", "scheme": "bearer", "description": "The secret in the source's `token_file`"},
                "receiver": {"type": "http", "scheme": "bearer", "description": "The secret in the destination's `callback_token_file`"},
            },
            "schemas": schemas,
        },
    });
    format!("{document:#}\n")
}

fn post_events() -> Value {
    let plain = |what: &str| json!({"schema": {"type": "string", "minLength": 1, "description": what}});
    json!({
        "operationId": "postEvents",
        "summary": "Hands in one event, or several",
        "description": "Answered with 200 only once everything that was taken is durable. Whoever hears anything else, or nothing, sends \
            the same again. A source with a mapping sends its own records instead, in the form that the mapping reads.",
        "security": [{"source": []}],
        "parameters": [{
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "A name for this content. With the same content it may be sent again; with another it is refused. Remembered \
                for 24 hours at most, 10 000 a source, until the daemon restarts.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        }],
        "requestBody": {
            "required": true,
            "content": {
                "application/json": {"schema": {"anyOf": [
                    reference("Event"),
                    {"type": "array", "minItems": 1, "items": true, "description": "Records, each an Event; each is judged by itself"},
                ]}},
                "application/x-ndjson": plain("One event a line"),
                "application/xml": plain("What the source's mapping reads"),
                "text/csv": plain("What the source's mapping reads"),
            },
        },
        "responses": responses(
            json!({"anyOf": [reference("Taken"), reference("Batch")]}),
            "One record: taken, or known since before. A batch: an answer a record, in their order.",
            &[
                (400, &[Code::SrcRequest]),
                (401, &[Code::SrcToken]),
                (408, &[Code::SrcRequest]),
                (413, &[Code::SrcTooLarge]),
                (415, &[Code::SrcMediaType]),
                (422, &[Code::SrcRejected, Code::SrcKeyReused]),
                (429, &[Code::SrcRate]),
                (500, &[Code::BugPanic]),
                (503, &[Code::SrcBusy]),
            ],
        ),
    })
}

fn get_event() -> Value {
    json!({
        "operationId": "getEvent",
        "summary": "What became of an event of this source's",
        "security": [{"source": []}],
        "parameters": [{
            "name": "id",
            "in": "path",
            "required": true,
            "description": "`system:eventId`, each percent-encoded; a colon within them as %3A. As `location` has it.",
            "schema": {"type": "string", "pattern": "^[^:/]+:[^/]+$", "maxLength": 2000},
            "example": "test-journal:TRS-2026-000123",
        }],
        "responses": responses(
            reference("Outcome"),
            "Its messages in all its versions (the newest 1000), and where each stands.",
            &[
                (401, &[Code::SrcToken]),
                (404, &[Code::SrcNoEvent]),
                (429, &[Code::SrcRate]),
                (500, &[Code::BugPanic]),
                (503, &[Code::SrcBusy]),
            ],
        ),
    })
}

fn post_receipts() -> Value {
    json!({
        "operationId": "postReceipt",
        "summary": "A receipt that a receiver sends by itself",
        "description": "As schemas/vardbro-receipt-1.xsd has it, 64 kB at most.",
        "security": [{"receiver": []}],
        "requestBody": {"required": true, "content": {"application/xml": {"schema": {"type": "string"}}}},
        "responses": responses(
            reference("ReceiptAnswer"),
            "Taken. The first receipt of a message stands.",
            &[
                (400, &[Code::RcvUnreadable]),
                (401, &[Code::RcvToken]),
                (404, &[Code::RcvUnknown]),
                (408, &[Code::RcvRequest]),
                (409, &[Code::RcvOtherContent]),
                (413, &[Code::RcvRequest]),
                (500, &[Code::BugPanic]),
                (503, &[Code::RcvBusy]),
            ],
        ),
    })
}

fn responses(good: Value, about: &str, bad: &[(u16, &[Code])]) -> Value {
    let mut out = Map::new();
    out.insert("200".to_owned(), json!({"description": about, "content": {"application/json": {"schema": good}}}));
    for (status, codes) in bad {
        let said: Vec<String> = codes.iter().map(|code| format!("{}: {}", code.id(), code.entry().en)).collect();
        let mut response =
            json!({"description": said.join("; "), "content": {"application/problem+json": {"schema": reference("Problem")}}});
        let header = match status {
            401 => Some(("WWW-Authenticate", json!({"const": "Bearer"}))),
            429 | 503 => Some(("Retry-After", json!({"type": "integer", "minimum": 1}))),
            _ => None,
        };
        if let Some((name, schema)) = header {
            response["headers"] = json!({name: {"required": true, "schema": schema}});
        }
        out.insert(status.to_string(), response);
    }
    Value::Object(out)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The event and what it is made of, under names of their own.
fn event_schemas() -> Map<String, Value> {
    // It is made by the same program; a test reads what comes out.
    let mut event: Value = serde_json::from_str(&event_schema()).unwrap_or_default();
    redirect(&mut event);
    let mut schemas = Map::new();
    if let Some(root) = event.as_object_mut() {
        let definitions = root.remove("$defs");
        root.remove("$schema");
        root.remove("$id");
        if let Some(Value::Object(definitions)) = definitions {
            schemas.extend(definitions);
        }
    }
    schemas.insert("Event".to_owned(), event);
    schemas
}

fn redirect(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                match inner {
                    Value::String(to) if name == "$ref" => *to = to.replace("#/$defs/", "#/components/schemas/"),
                    inner => redirect(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redirect),
        _ => {}
    }
}

fn answers() -> Map<String, Value> {
    let place = || json!({"type": ["integer", "null"], "minimum": 1});
    let problem = [("status", json!({"type": "integer"})), ("code", text()), ("title", text()), ("sv", text()), ("en", text())];
    let remedies = [("remedySv", text()), ("remedyEn", text())];
    let taken = [
        ("verdict", json!({"enum": ["accepted", "duplicate"]})),
        ("events", list("EventName")),
        ("location", json!({"type": ["string", "null"], "description": "Of the first event"})),
    ];
    let record = [
        ("line", place()),
        ("column", place()),
        ("verdict", json!({"enum": ["accepted", "duplicate", "rejected", "later"]})),
        ("events", list("EventName")),
    ];
    let batch = [
        ("verdict", json!({"enum": ["accepted", "partly", "rejected", "later"], "description": "later: send the batch again"})),
        ("taken", count()),
        ("rejected", count()),
        ("later", count()),
        ("records", list("Record")),
    ];
    let name = [("system", text()), ("eventId", text()), ("location", text())];
    let outcome = [
        ("eventId", json!({"type": ["string", "null"]})),
        ("verdict", json!({"const": "accepted"})),
        ("remarks", list("Finding")),
        ("messages", list("Message")),
    ];
    let receipt = [("messageId", text()), ("result", json!({"enum": ["settled", "known", "contradicts"]}))];
    let schemas = [
        ("Problem", object(&[&problem[..], &remedies].concat(), &[("findings", list("Finding"))])),
        ("Finding", finding()),
        ("EventName", object(&name, &[])),
        ("Taken", object(&taken, &[])),
        ("Record", object(&record, &[("findings", list("Finding"))])),
        ("Batch", object(&batch, &[])),
        ("Message", message()),
        ("Outcome", object(&outcome, &[])),
        ("ReceiptAnswer", object(&receipt, &[])),
    ];
    schemas.map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect()
}

/// As `model::finding` is written.
fn finding() -> Value {
    let must = [
        ("code", text()),
        ("effect", words(Effect::VALUES)),
        ("layer", words(Layer::VALUES)),
        ("sv", text()),
        ("en", text()),
        ("remedy_sv", text()),
        ("remedy_en", text()),
    ];
    let positive = || json!({"type": "integer", "minimum": 1});
    let may = [
        ("path", text()),
        ("place", object(&[("line", positive()), ("column", positive())], &[])),
        ("mapping", positive()),
        ("owner", json!({"type": "array", "items": words(Party::VALUES)})),
    ];
    object(&must, &may)
}

/// As `tell.rs` writes it.
fn message() -> Value {
    let must = [
        ("messageId", text()),
        ("type", text()),
        ("version", json!({"type": "integer", "minimum": 1})),
        ("destination", text()),
        ("state", words(State::VALUES)),
        ("sv", text()),
        ("en", text()),
        ("sequenceNumber", json!({"type": ["integer", "null"]})),
        ("attempts", count()),
        ("settledAt", json!({"type": ["string", "null"], "format": "date-time"})),
        ("findings", list("Finding")),
    ];
    object(&must, &[])
}

fn text() -> Value {
    json!({"type": "string"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn list(name: &str) -> Value {
    json!({"type": "array", "items": reference(name)})
}

type Member = (&'static str, Value);

fn object(must: &[Member], may: &[Member]) -> Value {
    let required: Vec<&str> = must.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = must.iter().chain(may).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn words(values: &[CodeValue]) -> Value {
    let codes: Vec<&str> = values.iter().map(|value| value.code).collect();
    json!({"enum": codes})
}
