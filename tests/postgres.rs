//! What only PostgreSQL has to show: every story ends there as it does over SQLite, and lost connections come back. What a store
//! is stands in `tests/store`, for both.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod world;

use postgres::Schema;
use std::fmt::Write as _;
use vardbro::model::raw::Verdict;
use vardbro::store::Store;
use vardbro::story::{self, Ground, Options};
use world::{World, fixtures, names};

const NOW: &str = "2026-03-12T11:00:00+01:00";

#[test]
#[expect(clippy::disallowed_methods, reason = "made-up events of a test")]
fn every_story_ends_as_it_says_on_postgresql() {
    let mut failures = String::new();
    for name in names(&fixtures()) {
        let dir = fixtures().join(&name);
        // A backup is made of a file; PostgreSQL's own tools make one of it, and `process/backups.rs` puts such a one back.
        let case = std::fs::read_to_string(dir.join("case.toml")).ok();
        if case.is_none_or(|case| case.contains("\nbackup = true")) {
            continue;
        }
        let Some(schema) = Schema::new() else { return };
        let store = Store::open_postgres(&schema.url, &[7; 32]).expect("a store");
        let played = story::check_on(&dir, &Options::default(), Ground::over(store, Box::new(schema))).expect("a working store");
        if !played.findings.is_empty() {
            let _ = writeln!(failures, "\n=== {name}\n{:#?}\n{}", played.findings, played.differences.disclose());
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// The server ends the connections; the store goes on with new ones.
#[test]
fn lost_connections_are_made_anew() {
    let Some(schema) = Schema::new() else { return };
    let store = Store::open_postgres(&schema.url, &[7; 32]).expect("a store");
    let mut world = World::over(store, Box::new(()), "vanersborg/2026.1", NOW.parse().expect("a time"));
    assert_eq!(world.hand_in("1.json", admission("a")), Verdict::Accepted);
    postgres::run(
        &schema.url,
        &format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}' AND pid <> pg_backend_pid()",
            schema.name
        ),
    )
    .expect("a statement");
    let verdict = (0..50)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.hand_in("2.json", admission("b")))).ok()
        })
        .expect("the store comes back");
    assert_eq!(verdict, Verdict::Accepted);
}

fn admission(case: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(fixtures().join("types/R-IN.json")).expect("an example");
    let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    (event["eventId"], event["episodeRef"]["caseId"]) = (case.into(), case.into());
    event.to_string().into_bytes()
}
