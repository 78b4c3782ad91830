//! Marked personal data in every field of every type, through successes, failures and a panic: none of it may be seen in
//! anything that is written for people or machines that look after the program.

use super::world::{VARDBRO, World, wait};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use vardbro::model::catalogue::{CATALOGUE, Row};
use vardbro::model::event::CareEvent;
use vardbro::model::shape::{Card, Field, Shape};

/// In every text; numbers are marked by the person's own digits.
const MARK: &str = "ZZMARK";
const PERSON: &str = "193812217044";
const PHONE: &str = "0521-987654";

/// A value of a field with the mark in it, where its form leaves room for one.
fn marked(field: &Field, n: usize) -> Value {
    let one = match field.shape {
        Shape::Text { max: 4 } => json!("CL02"),
        Shape::Text { max } => json!(format!("{MARK}{n}å ‹{}›", field.name).chars().take(max).collect::<String>()),
        Shape::Phone => json!(PHONE),
        Shape::Bool => json!(true),
        Shape::Instant => json!("2026-03-10T09:00:00+01:00"),
        Shape::Day => json!("2026-03-10"),
        Shape::HsaId => json!("SE2120001538-ZZMARK"),
        Shape::Uuid => json!("7e57ab1e-0000-4000-8000-000000000001"),
        Shape::Code(values) => json!(values[0].code),
        Shape::Group(fields) => fields.iter().map(|field| (field.name.to_owned(), marked(field, n))).collect::<Map<_, _>>().into(),
    };
    match field.card {
        Card::One | Card::Optional => one,
        Card::List { .. } | Card::OptionalList => json!([one]),
    }
}

fn event(row: &Row, n: usize) -> Value {
    let mut out: Map<String, Value> = CareEvent::fields().iter().map(|field| (field.name.to_owned(), marked(field, n))).collect();
    out.insert("type".into(), json!(row.code));
    out["patient"]["id"] = json!(PERSON);
    out["patient"]["idType"] = json!("personnummer");
    out["patient"]["protected"] = json!("none");
    out.insert("episodeRef".into(), json!({"caseId": format!("{MARK}-case-{PERSON}"), "regionCaseId": MARK}));
    // A correction under another id is refused whole; what is wrong on purpose stands below.
    out.remove("corrects");
    out.remove("cancels");
    out.insert("eventId".into(), json!(format!("{MARK}-{PERSON}-{n}")));
    out.insert("data".into(), row.fields.iter().map(|field| (field.name.to_owned(), marked(field, n))).collect::<Map<_, _>>().into());
    out.into()
}

fn assert_clean(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text).to_uppercase();
    for mark in [MARK, PERSON, "19381221", "381221", "7044", PHONE, "987654"] {
        // Four digits alone may be part of an id in hexadecimal; between two other characters they are the number's end.
        let found = text.match_indices(mark).any(|(at, _)| {
            let near = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            mark != "7044" || !(near(text[..at].chars().last()) || near(text[at + 4..].chars().next()))
        });
        assert!(!found, "{mark} in {what}:\n{text}");
    }
}

#[test]
fn no_mark_in_any_log_error_or_terminal_text() {
    let world = World::new("timeout_s = 2\nmax_attempts = 3", "[retry]\nbase_s = 0.1\nlease_s = 5");
    let receiver =
        world.receiver("[[answer]]\nstatus = 503\n[[answer]]\ndrop = \"after\"\n[[answer]]\nreceipt = \"rejected\"\nreason = \"BV\"\n");
    let daemon = world.daemon();
    let mut rows: Vec<&Row> = CATALOGUE.iter().collect();
    // The region's first: the municipality's wait for them.
    rows.sort_by_key(|row| row.code.starts_with('K'));
    let mut expected = 0;
    for (n, row) in rows.iter().enumerate() {
        let good = event(row, n);
        world.put(&format!("{n:02}-{PERSON}-{MARK}.json"), &good.to_string());
        let mut protected = event(row, n + 100);
        protected["patient"]["protected"] = json!("sekretessmarkering");
        world.put(&format!("{n:02}-b-{PERSON}-{MARK}.json"), &protected.to_string());
        // Every way of being wrong, with the mark where the fault lies.
        for (k, (pointer, bad)) in [
            ("/patient/id", json!(MARK)),
            ("/type", json!(MARK)),
            ("/occurredAt", json!(PERSON)),
            ("/data", json!({MARK: PERSON})),
            ("/author", json!(PERSON)),
        ]
        .into_iter()
        .enumerate()
        {
            let mut broken = event(row, n + 1_000 * (k + 1));
            *broken.pointer_mut(pointer).expect("a field") = bad;
            world.put(&format!("{n:02}-x{k}-{PERSON}.json"), &broken.to_string());
        }
        world.put(&format!("{n:02}-y-{PERSON}.json"), &format!("{{\"{MARK}\": \"{PERSON}"));
        expected += 8;
    }
    wait("every file to be settled", Duration::from_secs(60), || {
        let count = |folder: &str| fs::read_dir(world.path(folder)).map_or(0, Iterator::count);
        count("in/done") + count("in/rejected") / 2 == expected
    });
    wait("the queue to be empty", Duration::from_secs(60), || {
        world.vardbro(&["messages", "list", "--state", "SCHEDULED"]).is_empty()
            && world.vardbro(&["messages", "list", "--state", "SCHEDULED_FOR_RESEND"]).is_empty()
            && world.vardbro(&["messages", "list", "--state", "SUBMITTED"]).is_empty()
    });
    drop(receiver);
    for (n, row) in rows.iter().enumerate() {
        world.put(&format!("{n:02}-late.json"), &event(row, n + 50_000).to_string());
    }
    std::thread::sleep(Duration::from_secs(3));
    daemon.signal("TERM");
    assert_eq!(daemon.end(Duration::from_secs(30)), Some(0));

    let oplog = fs::read(world.path("oplog.ndjson")).expect("a log");
    assert!(oplog.len() > 10_000, "the log was written");
    assert_clean("the operations log", &oplog);
    assert_clean("the daemon's error output", &fs::read(world.path("stderr.txt")).expect("a file"));
    assert_clean("the receiver's error output", &fs::read(world.path("receiver.txt")).expect("a file"));
    assert_clean("the receiver's list", &fs::read(world.path("receiver/received.ndjson")).expect("a file"));
    for language in ["sv", "en"] {
        for format in ["text", "json"] {
            assert_clean("vardbro log", world.vardbro(&["log", "--limit", "100000", "--lang", language, "--format", format]).as_bytes());
        }
        let list = world.vardbro(&["messages", "list", "--lang", language]);
        assert!(list.lines().count() > 4, "{list}");
        assert_clean("vardbro messages list", list.as_bytes());
        for line in list.lines() {
            let id = line.split_whitespace().nth(2).expect("an id");
            assert_clean("vardbro messages show", world.vardbro(&["messages", "show", id, "--lang", language]).as_bytes());
            assert_clean("vardbro messages show", world.vardbro(&["messages", "show", id, "--format", "json"]).as_bytes());
        }
        // The files' own names are the user's to see on the terminal; what is said of them is not.
        for format in ["text", "json"] {
            let out =
                Command::new(VARDBRO).args(["check", "--lang", language, "--format", format, "."]).current_dir(world.path("in")).output();
            let out = out.expect("the program");
            let said = String::from_utf8_lossy(&out.stdout).into_owned();
            let said: String = said.lines().map(|line| without_file_name(line, &world.path("in")) + "\n").collect();
            assert_clean("vardbro check", said.as_bytes());
            assert_clean("vardbro check's error output", &out.stderr);
        }
    }
    for entry in fs::read_dir(world.path("in/rejected")).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().ends_with(".reason.json") {
            assert_clean("a reason file", &fs::read(entry.path()).expect("a file"));
        }
    }
}

fn without_file_name(line: &str, _: &Path) -> String {
    line.split_inclusive(".json")
        .map(|part| part.rfind(['/', '"', ' ']).filter(|_| part.ends_with(".json")).map_or(part, |at| &part[..at]))
        .collect()
}

#[test]
fn every_line_that_was_logged_follows_the_published_schema() {
    let schema: Value = serde_json::from_str(&vardbro::oplog::schema()).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let world = World::new("timeout_s = 2\nmax_attempts = 2", "[retry]\nbase_s = 0.1\nlease_s = 5");
    let receiver =
        world.receiver("[[answer]]\nstatus = 503\n[[answer]]\ndrop = \"after\"\n[[answer]]\nreceipt = \"rejected\"\nreason = \"BV\"\n");
    let daemon = world.daemon();
    for (n, row) in CATALOGUE.iter().enumerate() {
        world.put(&format!("{n:02}.json"), &event(row, n).to_string());
        world.put(&format!("{n:02}-again.json"), &event(row, n).to_string());
        world.put(&format!("{n:02}-bad.json"), "{}");
    }
    std::thread::sleep(Duration::from_secs(3));
    drop(receiver);
    std::thread::sleep(Duration::from_secs(2));
    daemon.signal("HUP");
    daemon.signal("TERM");
    assert_eq!(daemon.end(Duration::from_secs(30)), Some(0));
    let lines = world.oplog();
    assert!(lines.len() > 20);
    for line in &lines {
        assert!(validator.is_valid(line), "{line}");
    }
}
