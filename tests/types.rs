//! Every type of the catalogue has an example with everything and one with the least, and each required field is required.
//!
//! `UPDATE=1` writes the broken examples.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use vardbro::model::catalogue::{CATALOGUE, EventType, Row};
use vardbro::model::event::CareEvent;
use vardbro::model::shape::{Card, Field, Shape};

const TODAY: Date = date(2026, 3, 20);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

const FULL: &str = "types";
const MINIMAL: &str = "types/minimal";
const BROKEN: &str = "types/broken";

fn example(of: &str, row: &Row) -> Value {
    let path = folder(of).join(format!("{}.json", row.code));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let event: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(event["type"], row.code);
    event
}

/// Each field of the value, with the JSON pointer to it and the path that findings give; of a list the first item.
fn walk<'a>(fields: &'a [Field], pointer: &str, path: &str, value: &Value, each: &mut dyn FnMut(&'a Field, &str, &str)) {
    for field in fields {
        let (mut pointer, mut path) = (format!("{pointer}/{}", field.name), format!("{path}.{}", field.name));
        each(field, &pointer, &path);
        if matches!(field.card, Card::List { .. } | Card::OptionalList) {
            pointer.push_str("/0");
            path.push_str("[0]");
        }
        if let (Shape::Group(inner), true) = (field.shape, value.pointer(&pointer).is_some()) {
            walk(inner, &pointer, &path, value, each);
        }
    }
}

fn required(field: &Field) -> bool {
    matches!(field.card, Card::One | Card::List { .. })
}

#[test]
fn every_type_has_both_examples_and_both_are_read() {
    for row in CATALOGUE {
        for of in [FULL, MINIMAL] {
            let read = vardbro::map::read(example(of, row).to_string().as_bytes(), 32, TODAY);
            assert!(read.is_ok(), "{of}/{}: {:?}", row.code, read.err());
        }
    }
}

#[test]
fn no_example_stands_for_a_type_that_is_not() {
    let known: BTreeSet<String> = CATALOGUE.iter().map(|row| format!("{}.json", row.code)).collect();
    for of in [FULL, MINIMAL] {
        let files = std::fs::read_dir(folder(of)).expect("a folder").map(|entry| entry.expect("an entry"));
        let files: BTreeSet<String> = files
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "README.md" && name != "expect.toml")
            .collect();
        assert_eq!(files, known, "{of}");
    }
}

#[test]
fn the_full_example_has_every_field_and_the_minimal_one_only_those_required() {
    for row in CATALOGUE {
        let (full, minimal) = (example(FULL, row), example(MINIMAL, row));
        walk(row.fields, "/data", "data", &full, &mut |_, pointer, path| {
            // An obstacle has no place in an answer that has none, nor in the first item a reason that it does not need.
            let apart = [("K-HT", "data.obstacleCode"), ("K-CL", "data.items[0].reason")].contains(&(row.code, path));
            assert!(apart || full.pointer(pointer).is_some(), "{}: no {path}", row.code);
        });
        walk(row.fields, "/data", "data", &minimal, &mut |field, pointer, path| {
            let demanded = (row.code, path) == ("K-HT", "data.from");
            assert_eq!(minimal.pointer(pointer).is_some(), required(field) || demanded, "{}: {path}", row.code);
        });
    }
}

#[test]
fn a_type_without_one_of_its_required_fields_is_refused_at_its_path() {
    let mut refused = 0;
    for row in CATALOGUE {
        let full = example(FULL, row);
        walk(row.fields, "/data", "data", &full, &mut |field, pointer, path| {
            if !required(field) {
                return;
            }
            let mut event = full.clone();
            let (parent, name) = pointer.rsplit_once('/').expect("a path");
            event.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(name);
            let findings = vardbro::map::read(event.to_string().as_bytes(), 32, TODAY).expect_err(path);
            let told = findings.iter().any(|finding| finding.code == "VB-MAP-005" && finding.path.as_deref() == Some(path));
            assert!(told, "{}: {path}: {findings:?}", row.code);
            refused += 1;
        });
    }
    assert!(refused > 100, "{refused}");
}

/// Ways to break a required field: the name of the way, what then stands there (`None`: nothing), and the finding.
fn ways(field: &Field) -> Vec<(&'static str, Option<Value>, &'static str)> {
    let missing = ("missing", None, "VB-MAP-005");
    let wrong_kind = |value| ("wrong-kind", Some(value), "VB-MAP-009");
    if let Card::List { min } = field.card {
        let empty = ("empty", Some(json!([])), "VB-MAP-019");
        return [missing, wrong_kind(json!({}))].into_iter().chain((min > 0).then_some(empty)).collect();
    }
    let (kind, malformed) = match field.shape {
        Shape::Text { .. } => (json!(7), Some(("blank", json!(" "), "VB-MAP-006"))),
        Shape::Code(_) => (json!(true), Some(("unknown-code", json!("unknown"), "VB-MAP-010"))),
        Shape::Instant => (json!(20_260_311), Some(("no-zone", json!("2026-03-11T10:00:00"), "VB-MAP-011"))),
        Shape::Day => (json!(20_260_311), Some(("no-such-day", json!("2026-02-30"), "VB-MAP-013"))),
        Shape::HsaId => (json!([]), Some(("malformed", json!("SE2321000131"), "VB-MAP-014"))),
        Shape::Phone => (json!(112), Some(("malformed", json!("växeln"), "VB-MAP-015"))),
        Shape::Uuid => (json!(1), Some(("malformed", json!("1"), "VB-MAP-016"))),
        Shape::Bool => (json!("true"), None),
        Shape::Group(_) => (json!("text"), None),
    };
    let malformed = malformed.map(|(name, value, code)| (name, Some(value), code));
    [missing, wrong_kind(kind)].into_iter().chain(malformed).collect()
}

/// The minimal example of a type with one required field broken, and how it is refused: each required field in one way,
/// by turns, and a type with few of them in all ways. With `expect.toml`, by file name.
fn broken(row: &Row) -> BTreeMap<String, String> {
    let minimal = example(MINIMAL, row);
    let mut fields = required_of(row.fields, "/data", "data", &minimal);
    if fields.is_empty() {
        // A call is a call whatever it leaves out; what every event must say is all that can be broken.
        fields = required_of(&CareEvent::fields(), "", "", &minimal);
    }
    let turns = if fields.len() < 3 { 3 } else { 1 };
    let mut files = BTreeMap::new();
    let mut expect = "# Written by UPDATE=1. The finding of each broken example: code, path, line:column.\n".to_owned();
    for (place, (field, pointer, path)) in fields.iter().enumerate() {
        let ways = ways(field);
        for turn in 0..turns.min(ways.len()) {
            let (way, value, code) = &ways[(place + turn) % ways.len()];
            let name =
                format!("{:02}-{}-{way}.json", files.len() + 1, path.trim_start_matches("data.").replace("[0]", "").replace('.', "-"));
            let text = broken_at(&minimal, pointer, value.as_ref(), files.len() + 1);
            let findings = vardbro::map::read(text.as_bytes(), 32, TODAY).expect_err(&name);
            let [finding] = findings.as_slice() else { panic!("{} {name}: {findings:?}", row.code) };
            assert_eq!((finding.code.as_str(), finding.path.as_ref()), (*code, Some(path)), "{} {name}", row.code);
            let at = finding.place.expect("a place");
            let _ = write!(expect, "\n[[file]]\nname = \"{name}\"\nfindings = [\"{code} {path} {}:{}\"]\n", at.line, at.column);
            files.insert(name, text);
        }
    }
    files.insert("expect.toml".to_owned(), expect);
    files
}

fn required_of(fields: &[Field], pointer: &str, path: &str, event: &Value) -> Vec<(Field, String, String)> {
    let mut out = Vec::new();
    walk(fields, pointer, path, event, &mut |field, pointer, path| {
        if required(field) {
            out.push((*field, pointer.to_owned(), path.trim_start_matches('.').to_owned()));
        }
    });
    out
}

fn broken_at(minimal: &Value, pointer: &str, value: Option<&Value>, number: usize) -> String {
    let mut event = minimal.clone();
    let id = minimal["eventId"].as_str().expect("an id").trim_end_matches('M').to_owned();
    event["eventId"] = json!(format!("{id}B{number:02}"));
    if let Some(value) = value {
        *event.pointer_mut(pointer).expect("a field") = value.clone();
    } else {
        let (parent, name) = pointer.rsplit_once('/').expect("a path");
        event.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").shift_remove(name);
    }
    format!("{event:#}\n")
}

#[test]
fn every_type_has_broken_examples_and_each_is_refused_as_it_says() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut made_here: BTreeSet<PathBuf> = BTreeSet::new();
    if update && folder(BROKEN).exists() {
        std::fs::remove_dir_all(folder(BROKEN)).expect("removed");
    }
    for row in CATALOGUE {
        let dir = folder(BROKEN).join(row.code);
        for (name, made) in broken(row) {
            let path = dir.join(name);
            if update {
                std::fs::create_dir_all(&dir).expect("a folder");
                std::fs::write(&path, &made).expect("written");
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == made, "{} is stale: run UPDATE=1 cargo nextest run --test types and look at the change", path.display());
            made_here.insert(path);
        }
    }
    let there = entries(&folder(BROKEN)).into_iter().flat_map(|dir| entries(&dir)).collect();
    assert_eq!(made_here, there, "a file that is not made");
    for value in EventType::VALUES {
        let examples = entries(&folder(BROKEN).join(value.code)).into_iter().filter(|path| path.extension().is_some_and(|it| it == "json"));
        assert!(examples.count() >= 3, "{} has too few", value.code);
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}
