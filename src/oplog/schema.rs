//! The line's JSON schema, made from the lists that the lines are made from.

use super::{Event, Level};
use crate::model::state::State;
use serde_json::{Value, json};

/// `schemas/oplog/oplog-1.schema.json`.
pub fn schema() -> String {
    let uuid = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
    let reference = "^[0-9a-f]{24}$";
    let events: Vec<Value> =
        Event::VALUES.iter().map(|value| json!({"const": value.code, "description": format!("{} / {}", value.sv, value.en)})).collect();
    let levels: Vec<&str> = Level::VALUES.iter().map(|value| value.code).collect();
    let states: Vec<&str> = State::VALUES.iter().map(|value| value.code).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:vardbro:oplog:1",
        "title": "Vårdbro operations log, one line",
        "description": "One JSON object a line. No field can hold personal data; persons, cases, source ids and file names appear as keyed references.",
        "type": "object",
        "additionalProperties": false,
        "required": ["ts", "level", "event", "version"],
        "properties": {
            "ts": {"type": "string", "format": "date-time", "description": "UTC with milliseconds"},
            "level": {"enum": levels},
            "event": {"oneOf": events},
            "code": {"type": "string", "pattern": "^(VB-[A-Z]{3}-[0-9]{3}|[A-Z]{2,4}-[0-9]{1,2})$", "description": "vardbro explain CODE tells more"},
            "message_id": {"type": "string", "pattern": uuid},
            "event_ref": {"type": "string", "pattern": reference, "description": "keyed reference of the source event, or of its file where it could not be read"},
            "episode_id": {"type": "string", "pattern": uuid},
            "destination": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"},
            "source": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"},
            "state": {"enum": states},
            "attempt": {"type": "integer", "minimum": 0},
            "duration_ms": {"type": "integer", "minimum": 0},
            "reason": {"type": "string", "pattern": "^[A-Za-z0-9:_-]{1,60}$"},
            "patient_ref": {"type": "string", "pattern": reference},
            "place": {"type": "string", "description": "file and line of our own source, for internal faults"},
            "version": {"type": "string", "description": "version of the program"}
        }
    });
    format!("{schema:#}\n")
}
