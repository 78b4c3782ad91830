//! Every type of the catalogue has an example with everything and one with the least, and each required field is required.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

use jiff::civil::{Date, date};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vardbro::model::catalogue::{CATALOGUE, Row};
use vardbro::model::shape::{Card, Field, Shape};

const TODAY: Date = date(2026, 3, 20);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

const FULL: &str = "types";
const MINIMAL: &str = "types/minimal";

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
            .filter(|name| name != "README.md")
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
