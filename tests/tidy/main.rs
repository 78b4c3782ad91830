//! Order in the house: who may import whom, what the pure modules may not touch, and what may not lie in the tree.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "helpers of tests, outside the functions that clippy knows as such")]

mod code;
mod persons;

use code::{Source, compact, names_of};
use std::path::{Path, PathBuf};

/// Every top-level module and its rank. A module names only lower ranks; equals are strangers.
const RANKS: &[(&str, u8)] = &[
    ("model", 0),
    ("fault", 1),
    ("oplog", 2),
    ("config", 2),
    ("datafile", 2),
    ("trust", 2),
    ("alarm", 3),
    ("metrics", 3),
    ("source", 3),
    ("map", 3),
    ("episode", 3),
    ("check", 3),
    ("wire", 4),
    ("seal", 5),
    ("store", 6),
    ("transport", 6),
    ("listen", 6),
    ("report", 6),
    ("intake", 7),
    ("deliver", 7),
    ("retain", 7),
    ("tell", 7),
    ("daemon", 8),
    ("ops", 8),
    ("receiver", 8),
    ("doctor", 9),
    ("story", 9),
    ("lint", 10),
    ("cli", 11),
];

/// Modules and files that compute and do nothing else.
const PURE: &[&str] = &["alarm", "map", "episode", "check", "wire", "seal", "report", "deliver/decide.rs", "intake/judge.rs"];

/// What a pure module never names. Compared with the code without blanks.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    ".now()",
    "::now(",
    "SystemTime",
    "new_v4",
    "getrandom",
    "rand::",
    "dyn Dice",
    "rusqlite",
    "reqwest",
];

const LINES_MAX: usize = 700;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, without what is built and what git keeps.
fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry")).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().expect("a kind");
        let name = entry.file_name();
        if name == "target" || name == ".git" {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), out);
        } else if kind.is_file() {
            out.push(entry.path());
        }
    }
}

fn files(below: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let dir = root().join(below);
    if dir.is_dir() {
        walk(&dir, &mut out);
    }
    out
}

/// A path as the tree names it.
fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn rust_files() -> Vec<PathBuf> {
    let mut out = files("src");
    out.extend(files("tests"));
    out.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    out
}

/// The program's own sources, without what is compiled for tests only.
fn sources() -> Vec<Source> {
    let paths: Vec<PathBuf> = files("src").into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect();
    let mut read: Vec<Source> =
        paths.iter().map(|path| Source::new(&shown(path), &std::fs::read_to_string(path).expect("a source"))).collect();
    let for_tests: Vec<String> = read.iter().flat_map(|source| source.test_files.clone()).collect();
    read.retain(|source| !for_tests.contains(&source.path));
    read
}

fn rank(module: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == module).map(|(_, rank)| *rank)
}

/// What a source names that it may not.
fn upward(source: &Source) -> Vec<String> {
    let Some(own) = source.module() else { return Vec::new() };
    let mut out = Vec::new();
    let Some(own_rank) = rank(own) else { return vec![format!("{}: module {own} has no rank", source.path)] };
    for name in names_of(&source.code, source.depth()) {
        if let Some(other) = rank(&name).filter(|other| name != own && *other >= own_rank) {
            out.push(format!("{}: {own} ({own_rank}) names {name} ({other})", source.path));
        }
    }
    out
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn modules_name_only_lower_ranks() {
    none("upward imports", &sources().iter().flat_map(upward).collect::<Vec<_>>());
}

#[test]
fn a_planted_upward_import_is_found() {
    for planted in [
        "use crate::wire::Document;",
        "use crate::{model::ids::HsaId, wire::{self, Sender}};",
        "fn f() { crate :: wire::xml::write(); }",
        "use super::super::wire;",
        "use super::super::{fault::Code, wire};",
        "use crate::check::Passed;",
        "/* a comment */ use crate::daemon::Order; // more",
    ] {
        assert_eq!(upward(&Source::new("src/map/json.rs", planted)).len(), 1, "{planted}");
    }
    for fine in [
        "use crate::model::ids; use crate::fault::{self, Code}; use super::canonical; use crate::map::write;",
        "// use crate::wire::Document;\nconst S: &str = \"crate::wire\"; const R: &str = r#\"crate::wire \"quoted\" \"#;",
        "#[cfg(test)]\nmod tests { use crate::wire::testing; fn f() { if true {} } }",
    ] {
        none(fine, &upward(&Source::new("src/map/json.rs", fine)));
    }
    assert_eq!(upward(&Source::new("src/novel/mod.rs", "")).len(), 1, "a module without a rank");
    assert_eq!(upward(&Source::new("src/tell.rs", "use super::deliver;")).len(), 1, "a module of one file");
    none("a module of one file", &upward(&Source::new("src/tell.rs", "use super::source;")));
}

#[test]
fn lib_rs_lists_every_module_with_its_rank_in_order() {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    let listed: Vec<(String, u8)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|line| {
            let (name, rest) = line.split_once(';').expect("a semicolon");
            let rank = rest.trim_start_matches([' ', '/']).split(' ').next().and_then(|rank| rank.parse().ok());
            (name.to_owned(), rank.expect("a rank behind the module"))
        })
        .collect();
    for (name, written) in &listed {
        assert_eq!(rank(name), Some(*written), "{name}");
    }
    assert!(listed.is_sorted_by_key(|(_, rank)| *rank), "not in the order of ranks");
    for entry in std::fs::read_dir(root().join("src")).expect("src") {
        let name = entry.expect("an entry").file_name().to_string_lossy().trim_end_matches(".rs").to_owned();
        assert!(["lib", "main"].contains(&name.as_str()) || listed.iter().any(|(known, _)| *known == name), "{name} is not in lib.rs");
    }
}

#[test]
fn pure_modules_touch_nothing() {
    let mut found = Vec::new();
    for source in sources() {
        let inner = source.path.trim_start_matches("src/");
        if PURE.iter().any(|pure| inner == *pure || inner.starts_with(&format!("{pure}/")) || inner == format!("{pure}.rs")) {
            found.extend(impure(&source.code).into_iter().map(|word| format!("{}: {word}", source.path)));
        }
    }
    none("not pure", &found);
}

/// The forbidden names in a code, `std`'s groups included.
fn impure(code: &str) -> Vec<&'static str> {
    let code = compact(code);
    let grouped = |word: &str| {
        let item = word.strip_prefix("std::");
        item.is_some_and(|item| {
            code.split("std::{").skip(1).any(|group| {
                let group = group.split(';').next().unwrap_or_default();
                group.split(['{', ',', '}']).any(|part| part == item || part.starts_with(&format!("{item}::")))
            })
        })
    };
    IMPURE.iter().copied().filter(|word| code.contains(word) || grouped(word)).collect()
}

#[test]
fn a_planted_impurity_is_found() {
    for planted in ["use std::fs;", "use std::{fmt, fs};", "let t = Instant::now();", "self . clock . now ( )", "use tokio::time;"] {
        assert!(!impure(planted).is_empty(), "{planted}");
    }
    assert!(impure("use std::{fmt, str}; let offset = 1;").is_empty());
}

#[test]
fn only_the_operations_log_names_tracing() {
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| source.module() != Some("oplog"))
        .filter(|source| source.code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.starts_with("tracing")))
        .map(|source| source.path.clone())
        .collect();
    none("`tracing` outside oplog", &found);
}

#[test]
fn files_are_short() {
    let count = |path: &PathBuf| std::fs::read_to_string(path).expect("a source").lines().count();
    let found: Vec<String> =
        rust_files().iter().filter(|path| count(path) > LINES_MAX).map(|path| format!("{}: {} lines", shown(path), count(path))).collect();
    none("files over the wall", &found);
}

#[test]
fn every_disclosure_says_why() {
    let mut found = Vec::new();
    for path in rust_files() {
        let text = std::fs::read_to_string(&path).expect("a source");
        let lint = concat!("clippy::disallowed", "_methods");
        for (at, _) in text.match_indices(lint) {
            let attribute = text[at..].split(']').next().unwrap_or_default();
            let said = attribute.split_once("reason = \"").is_some_and(|(_, reason)| !reason.starts_with('"'));
            if !said {
                found.push(format!("{}:{}", shown(&path), text[..at].lines().count()));
            }
        }
    }
    none("no reason given", &found);
}

#[test]
fn no_path_of_a_machine_lies_in_the_tree() {
    let machine = [concat!("/wo", "rk/"), concat!("/tm", "p/")];
    let mut found = Vec::new();
    for path in files("") {
        let bytes = std::fs::read(&path).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        for (place, line) in text.lines().enumerate() {
            if machine.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}", shown(&path), place + 1));
            }
        }
    }
    none("paths of a machine", &found);
}

#[test]
fn every_patient_in_the_tree_is_a_test_person() {
    let Some(known) = persons::known(&root()) else { return };
    let mut found = Vec::new();
    let mut looked = files("fixtures");
    looked.extend(files("docs"));
    looked.extend(files("deploy"));
    for path in looked {
        let mut bytes = shown(&path).into_bytes();
        bytes.push(b'\n');
        bytes.extend(std::fs::read(&path).expect("a file"));
        found.extend(
            persons::strangers(&bytes, &known).into_iter().map(|line| format!("{}: line {}", shown(&path), line.saturating_sub(1))),
        );
    }
    none("numbers that may be somebody's", &found);
}
