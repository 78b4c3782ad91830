//! What is made from the code is in the tree as the code says it. `UPDATE=1` writes it anew.
//!
//! The event's schema and the program must agree on which events are good, else whoever builds an export is misled.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::path::Path;
use vardbro::check::rules::{Rules, reference, shipped};
use vardbro::fault::Code;
use vardbro::model::bodies::{CanReceive, ItemStatus};
use vardbro::model::event::{ConsentStatus, IdType, Protection};
use vardbro::report::docs;

const TODAY: Date = date(2026, 3, 20);

fn fresh(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, made).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{name} is stale: run UPDATE=1 cargo nextest run --test docs_fresh and look at the change");
}

#[test]
fn the_page_of_codes_is_fresh() {
    let page = docs::codes();
    for entry in Code::ALL {
        assert!(page.contains(&format!("### {}\n", entry.id)), "{}: its family is not on the page", entry.id);
    }
    fresh("docs/codes.md", &page);
}

#[test]
fn the_page_of_guarantees_is_fresh() {
    fresh("docs/guarantees.md", &vardbro::ops::guarantees_page());
}

#[test]
fn the_page_of_answers_is_fresh() {
    fresh("docs/delivery.md", &vardbro::ops::delivery_page());
}

#[test]
fn the_page_of_messages_is_fresh() {
    fresh("docs/messages.md", &docs::messages());
}

#[test]
fn the_page_of_alarms_is_fresh() {
    fresh("docs/alarms.md", &docs::alarms());
}

#[test]
fn the_schema_of_notices_is_fresh() {
    fresh("schemas/alarm/alarm-1.schema.json", &vardbro::alarm::schema());
}

#[test]
fn the_page_of_wires_is_fresh_and_leaves_no_field_out() {
    fresh("docs/wires.md", &docs::wires());
    assert_eq!(docs::unplaced(), Vec::<String>::new());
}

#[test]
fn the_page_of_figures_is_fresh() {
    fresh("docs/metrics.md", &docs::metrics());
}

#[test]
fn the_page_of_every_set_of_rules_is_fresh() {
    for (name, text) in shipped() {
        let rules = Rules::parse(text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        fresh(&format!("docs/rules/{}.md", name.replace('/', "-")), &reference(&rules));
    }
}

#[test]
fn the_event_schema_is_fresh() {
    fresh("schemas/event/event-1.schema.json", &docs::event_schema());
}

#[test]
fn the_schema_of_what_a_check_found_is_fresh() {
    fresh("schemas/check/check-1.schema.json", &vardbro::report::findings::schema());
}

#[test]
fn the_description_of_http_is_fresh() {
    fresh("schemas/openapi.json", &docs::openapi());
}

#[test]
fn the_description_of_http_takes_the_same_events() {
    let mut document: Value = serde_json::from_str(&docs::openapi()).expect("JSON");
    let judge = |name: &str, document: &mut Value| {
        document["$ref"] = json!(format!("#/components/schemas/{name}"));
        Judge(jsonschema::options().should_validate_formats(true).build(document).expect("a schema, and what it refers to"))
    };
    let names: Vec<String> = document["components"]["schemas"].as_object().expect("schemas").keys().cloned().collect();
    for name in names {
        judge(&name, &mut document);
    }
    let judge = judge("Event", &mut document);
    for event in good() {
        judge.agree("a good event", &event, true);
    }
    for (path, to) in bad() {
        judge.agree(path, &changed(take_home(), path, to), false);
    }
}

#[test]
fn the_schema_of_the_operations_log_is_fresh() {
    fresh("schemas/oplog/oplog-1.schema.json", &vardbro::oplog::schema());
}

fn event(kind: &str, data: Value) -> Value {
    json!({
        "eventId": "TRS-1", "system": "test-journal", "type": kind, "occurredAt": "2026-03-10T09:00:00+01:00", "sentAt": null,
        "episodeRef": {"caseId": "HSL-1", "regionCaseId": null},
        "patient": {"id": "193812217044", "idType": "personnummer", "name": {"given": "Test", "family": "Person"}, "address": null, "protected": "none"},
        "author": {"hsaId": "SE2120001538-T101", "role": "sjukskoterska", "unit": {"hsaId": "SE2120001538-T100", "name": "Norra"}},
        "consent": {"status": "given", "recordedAt": "2026-03-09T08:05:00Z", "basis": null},
        "recipients": [{"hsaId": "SE2321000131-T200", "party": "SV"}],
        "refTo": {"messageId": "0f6b8a56-3c1b-5e0a-9d0a-0d5b0b2f3c11", "eventId": null, "regionMessageId": null},
        "circumstances": {"homeHealthCare": true, "dischargeTo": "home", "livesAlone": null},
        "data": data
    })
}

fn take_home() -> Value {
    event(
        "K-HT",
        json!({"answer": "can", "from": "2026-03-12T13:00:00+01:00", "form": "home", "receiver": {"name": "Norra", "phone": "0521-00 00 00"}, "obstacleCode": null}),
    )
}

fn good() -> Vec<Value> {
    vec![
        event(
            "K-PU",
            json!({"services": [{"kind": "HSJV", "extent": "2 ggr/dag", "start": "2026-01-01"}], "adlBefore": "Går\nmed rollator", "housing": "ordinary",
                "nurse": {"hsaId": "SE2120001538-T101", "phone": "+46 (0)521-1"}, "medicineDispenser": null}),
        ),
        event(
            "K-CL",
            json!({"listVersion": "1", "items": [{"code": "CL01", "status": "klar"}, {"code": "CL02", "status": "ej_aktuell", "reason": "Inga"}]}),
        ),
        take_home(),
        event(
            "K-HT",
            json!({"answer": "cannot", "form": "shortTerm", "receiver": {"name": "N", "phone": "112"}, "obstacleCode": "noPlace"}),
        ),
        event("K-KV", json!({"unit": {"hsaId": "SE2120001538-T100"}, "at": "2026-03-10T09:00:00.123Z"})),
        event(
            "R-IN",
            json!({"admittedAt": "2026-03-09T08:00:00+01:00", "ward": {"hsaId": "SE2321000131-T200", "name": "Avd", "specialty": "somatik"}}),
        ),
        event("R-UK", json!({"readyAt": "2026-03-11T11:00:00+01:00", "physicianJudgement": true})),
        event("R-UT", json!({"dischargedAt": "2026-03-12T12:00:00+01:00", "dischargedTo": "home"})),
        json!({"eventId": "1", "system": "s", "type": "R-UT", "occurredAt": "2026-03-10T09:00:00Z", "episodeRef": {"caseId": "1"},
            "patient": {"id": "381221-7044", "idType": "personnummer"}, "data": {"dischargedAt": "2026-03-12T12:00:00Z", "dischargedTo": "other"}}),
    ]
}

/// A change to one place of the good take-home notice: where, and what stands there instead (`None`: nothing).
fn bad() -> Vec<(&'static str, Option<Value>)> {
    let long = "x".repeat(201);
    vec![
        ("/eventId", None),
        ("/eventId", Some(json!(null))),
        ("/eventId", Some(json!(7))),
        ("/eventId", Some(json!(" \t"))),
        ("/eventId", Some(json!(long))),
        ("/system", Some(json!("bell\u{7}"))),
        ("/type", Some(json!("K-XX"))),
        ("/type", Some(json!("K-PU"))),
        ("/occurredAt", Some(json!("2026-03-10T09:00:00"))),
        ("/occurredAt", Some(json!("2026-02-30T09:00:00+01:00"))),
        ("/occurredAt", Some(json!("2301-01-01T09:00:00+01:00"))),
        ("/patient/id", Some(json!("19381221704"))),
        ("/patient/protected", Some(json!("yes"))),
        ("/author/hsaId", Some(json!("se2120001538-T101"))),
        ("/refTo/messageId", Some(json!("0f6b8a563c1b5e0a9d0a0d5b0b2f3c11"))),
        ("/recipients/0/party", None),
        ("/circumstances/homeHealthCare", Some(json!("true"))),
        ("/circumstances/other", Some(json!(true))),
        ("/extra", Some(json!(1))),
        ("/data", None),
        ("/data", Some(json!([]))),
        ("/data/extra", Some(json!(1))),
        ("/data/from", None),
        ("/data/from", Some(json!(null))),
        ("/data/form", Some(json!("castle"))),
        ("/data/answer", Some(json!("cannot"))),
        ("/data/receiver/phone", Some(json!("12"))),
        ("/data/receiver/phone", Some(json!("0521-OOOO"))),
        ("/data/receiver/phone", Some(json!("1".repeat(33)))),
    ]
}

fn changed(mut event: Value, path: &str, to: Option<Value>) -> Value {
    let (parent, name) = path.rsplit_once('/').expect("a path");
    let map = event.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    match to {
        Some(value) => drop(map.insert(name.to_owned(), value)),
        None => drop(map.remove(name)),
    }
    event
}

struct Judge(jsonschema::Validator);

impl Judge {
    fn new() -> Self {
        let schema: Value = serde_json::from_str(&docs::event_schema()).expect("JSON");
        jsonschema::meta::validate(&schema).expect("a schema");
        let validator = jsonschema::options().should_validate_formats(true).build(&schema);
        Self(validator.expect("a schema"))
    }

    #[track_caller]
    fn agree(&self, what: &str, event: &Value, expected: bool) {
        let errors: Vec<String> = self.0.iter_errors(event).map(|error| error.to_string()).collect();
        let read = vardbro::map::read(event.to_string().as_bytes(), 32, TODAY);
        assert_eq!(read.is_ok(), expected, "{what}: the program says {:?}", read.err());
        assert_eq!(errors.is_empty(), expected, "{what}: the schema says {errors:?}");
    }
}

#[test]
fn schema_and_program_take_the_same_events() {
    let judge = Judge::new();
    for event in good() {
        judge.agree(event["type"].as_str().expect("a type"), &event, true);
    }
}

#[test]
fn schema_and_program_refuse_the_same_events() {
    let judge = Judge::new();
    for (path, to) in bad() {
        let what = format!("{path} = {to:?}");
        judge.agree(&what, &changed(take_home(), path, to), false);
    }
}

#[test]
fn schema_and_program_agree_on_every_code_that_another_field_depends_on() {
    let judge = Judge::new();
    for value in ItemStatus::VALUES {
        let item = json!({"code": "CL01", "status": value.code});
        let without = event("K-CL", json!({"listVersion": "1", "items": [item]}));
        judge.agree(value.code, &without, value.code != ItemStatus::EjAktuell.code());
    }
    for code in ["CL1", "cl01", "CL0A", "XX01"] {
        let event = event("K-CL", json!({"listVersion": "1", "items": [{"code": code, "status": "klar"}]}));
        judge.agree(code, &event, false);
    }
    for value in CanReceive::VALUES {
        judge.agree(value.code, &changed(take_home(), "/data/answer", Some(json!(value.code))), value.code == CanReceive::Can.code());
    }
    judge.agree("no items", &event("K-CL", json!({"listVersion": "1", "items": []})), false);
}

const NUMBERS: &[(&str, IdType)] = &[
    ("193812217044", IdType::Personnummer),
    ("197010632391", IdType::Samordningsnummer),
    ("22950606FH20", IdType::Nrid),
    ("22950606-FH20", IdType::Nrid),
    ("19810829M071", IdType::ReservnummerVgr),
    ("19450829K088", IdType::ReservnummerVgr),
    ("19930829X802", IdType::ReservnummerVgr),
];

#[test]
fn schema_and_program_refuse_the_same_reserve_numbers() {
    let judge = Judge::new();
    for (kind, id) in [
        (IdType::Nrid, "22950606IH20"),
        (IdType::Nrid, "22950606fh20"),
        (IdType::Nrid, "22950606F120"),
        (IdType::ReservnummerVgr, "19810829M061"),
        (IdType::ReservnummerVgr, "19450829K078"),
        (IdType::ReservnummerVgr, "19450829K048"),
        (IdType::ReservnummerVgr, "19930829X902"),
        (IdType::ReservnummerVgr, "19930829-X802"),
    ] {
        let event = changed(changed(take_home(), "/patient/idType", Some(json!(kind.code()))), "/patient/id", Some(json!(id)));
        judge.agree(id, &event, false);
    }
}

#[test]
fn schema_and_program_agree_on_every_code_of_the_head() {
    let judge = Judge::new();
    for value in IdType::VALUES {
        let kind = IdType::parse(value.code).and_then(IdType::kind);
        for (id, of) in NUMBERS {
            let event = changed(changed(take_home(), "/patient/idType", Some(json!(value.code))), "/patient/id", Some(json!(id)));
            // A schema cannot tell a personal number from a coordination number; the program can.
            let registered = [IdType::Personnummer, IdType::Samordningsnummer].map(IdType::kind);
            if kind == of.kind() || !(registered.contains(&kind) && registered.contains(&of.kind())) {
                judge.agree(&format!("{id} as {}", value.code), &event, kind.is_some() && kind == of.kind());
            }
        }
    }
    for value in ConsentStatus::VALUES {
        judge.agree(value.code, &changed(take_home(), "/consent/status", Some(json!(value.code))), true);
    }
    for value in Protection::VALUES {
        judge.agree(value.code, &changed(take_home(), "/patient/protected", Some(json!(value.code))), true);
    }
}
