//! Walks every story in `fixtures/` through the real core. How to add one: `fixtures/README.md`.

#[path = "support/replay.rs"]
mod replay;
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::path::PathBuf;
use world::fixtures;

fn cases() -> Vec<PathBuf> {
    let cases: Vec<PathBuf> =
        replay::names(&fixtures()).into_iter().map(|name| fixtures().join(name)).filter(|dir| dir.join("case.toml").exists()).collect();
    assert!(cases.len() >= 12, "only {} cases", cases.len());
    cases
}

#[test]
fn every_story_ends_as_it_says() {
    let mut failures = String::new();
    for dir in cases() {
        if let Err(difference) = replay::check(&dir) {
            failures.push_str(&format!("\n=== {}\n{difference}", dir.display()));
        }
    }
    assert!(failures.is_empty(), "{failures}\nIf this is as it should be: UPDATE=1, and read what changed.");
}

#[test]
fn every_story_is_told_in_both_languages() {
    for dir in cases() {
        let text = fs::read_to_string(dir.join("README.md")).unwrap_or_else(|fault| panic!("{}: {fault}", dir.display()));
        let (swedish, english) = text.split_once("\n## English\n").unwrap_or_else(|| panic!("{}: no English", dir.display()));
        for part in [swedish, english] {
            assert!(part.lines().filter(|line| !line.trim().is_empty()).count() >= 3, "{}: too short", dir.display());
        }
    }
}
