//! A store of the first version, with work in it, goes on under this one.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use rusqlite::{Connection, params};
use std::path::Path;
use vardbro::episode::Links;
use vardbro::intake::Action;
use vardbro::map;
use vardbro::model::keyed::ReferenceKey;
use vardbro::model::personal::Personal;
use vardbro::model::raw::Verdict;
use vardbro::model::time::Clock;
use vardbro::store::{Filter, Store};

#[path = "support/world.rs"]
#[expect(dead_code, reason = "shared with the stories, which use more of it")]
mod world;

/// As the first version wrote it: an admission, planning data that left, a withheld notice, and facts of the old form.
fn first_version(path: &Path) {
    let db = Connection::open(path).expect("a file");
    db.execute_batch(include_str!("../src/store/migrations/1.sql")).expect("the first schema");
    db.pragma_update(None, "user_version", 1).expect("a version");
    db.execute("INSERT INTO meta (name, value) VALUES ('reference_key', ?1)", [&[7_u8; 32][..]]).expect("a key");
    let key = ReferenceKey::new(&[7; 32]);
    let of = |text: &str| Personal::new(text.to_owned());
    let episode = key.episode(&of("test-journal"), &of("HSL-7781")).to_string();
    for (id, kind) in [(0_u8, "R-IN"), (1, "K-PU"), (2, "K-HT")] {
        let bytes = std::fs::read(world::fixtures().join(format!("types/{kind}.json"))).expect("an example");
        let event = map::read(&bytes, 32, jiff::civil::date(2026, 3, 12)).expect("a sound example").event;
        let reference = Links::of(&event, &key).event;
        db.execute(
            "INSERT INTO event (id, key, version, hash, kind, episode_id, source, origin, body, findings, occurred_at, received_at)
             VALUES (?1, ?2, 1, ?3, ?4, ?5, 'journal', ?6, ?7, '[]', ?8, ?8)",
            params![id + 1, reference.as_str(), [id; 32], kind, episode, b"f".to_vec(), map::to_json(&event), 1_773_100_000_000_i64],
        )
        .expect("an event");
    }
    db.execute(
        "INSERT INTO episode (id, version, phase, rules, body, opened_at, changed_at) VALUES (?1, 3, 'PLANERING', 'vanersborg/2026.1', ?2, ?3, ?3)",
        params![episode, br#"{"facts":[{"event":"old","id":"x","version":1,"kind":"R-IN","occurred_at":"2026-03-09T13:00:00Z","what":"other"}],"sequences":{"region":4}}"#.to_vec(), 1_773_100_000_000_i64],
    )
    .expect("an episode");
    for (event, kind, state) in [(2, "K-PU", "ACCEPTED"), (3, "K-HT", "WITHHELD")] {
        db.execute(
            "INSERT INTO delivery (message_id, destination, event_id, episode_id, kind, version, state, rules, rules_hash, findings, created_at, useful_until)
             VALUES (?1, 'region', ?2, ?3, ?4, 1, ?5, 'vanersborg/2026.1', '00', '[]', ?6, 4102444800000)",
            params![format!("00000000-0000-5000-8000-00000000000{event}"), event, episode, kind, state, 1_773_100_000_000_i64],
        )
        .expect("a delivery");
    }
}

#[test]
fn a_store_of_the_first_version_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vardbro.db");
    first_version(&path);
    let store = Store::open(&path, &[9; 32]).expect("the store migrates");
    let (due, _) = store.due_episodes("2026-03-12T10:00:00Z".parse().expect("a time"), 10).expect("a working store");
    assert_eq!(due.len(), 1, "what the first version left is looked at once");
    let row = store.episode(due[0]).expect("a working store").expect("the episode");
    let (facts, alarms) = vardbro::intake::facts(&store, due[0], &row, jiff::civil::date(2026, 3, 12)).expect("facts");
    let mut kinds: Vec<&str> = facts.iter().map(|fact| fact.kind.code()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["K-HT", "K-PU", "R-IN"], "the facts are folded anew from the events");
    assert!(alarms.is_empty());
    drop(store);

    let mut world = world::World::on(folder, "vanersborg/2026.1", "2026-03-12T11:00:00+01:00".parse().expect("a time"));
    world.settle(&mut |_| {});
    let rows = world.store.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store");
    let states: Vec<(&str, &str)> = rows.iter().map(|row| (row.kind.as_str(), row.state.code())).collect();
    assert_eq!(states, [("K-HT", "WITHHELD"), ("K-PU", "ACCEPTED")]);
    assert_eq!(rows[0].code.as_deref(), Some("CHK-1"), "it was looked at again");
}

/// A damaged episode keeps its own events waiting, and nobody else's.
#[test]
fn a_damaged_episode_stops_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vardbro.db");
    let mut world = world::World::on(folder, "vanersborg/2026.1", "2026-03-12T11:00:00+01:00".parse().expect("a time"));
    let event = |case: &str, id: &str| {
        let text = std::fs::read_to_string(world::fixtures().join("types/R-IN.json")).expect("an example");
        let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (event["eventId"], event["episodeRef"]["caseId"]) = (id.into(), case.into());
        event.to_string().into_bytes()
    };
    assert_eq!(world.hand_in("1.json", event("A", "1")), Verdict::Accepted);
    let db = Connection::open(&path).expect("the store's file");
    db.busy_timeout(std::time::Duration::from_secs(5)).expect("a time-out");
    db.execute("UPDATE episode SET body = ?1, look_at = 0", [b"{".to_vec()]).expect("a damaged row");
    assert_eq!(world.hand_in("2.json", event("A", "2")), Verdict::Later);
    assert_eq!(world.hand_in("3.json", event("B", "3")), Verdict::Accepted);
    assert!(world.settle(&mut |_| {}).is_some(), "the others are still looked at");
}

/// Two versions of one set side by side: an episode keeps the one that it began with until it is moved on purpose.
#[test]
fn an_episode_keeps_the_version_that_it_began_with() {
    let mut world = world::World::new("vanersborg/2026.1", "2026-03-12T11:00:00+01:00".parse().expect("a time"));
    let event = |kind: &str, case: &str| {
        let text = std::fs::read_to_string(world::fixtures().join(format!("types/{kind}.json"))).expect("an example");
        let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (event["eventId"], event["episodeRef"]["caseId"]) = (format!("{kind}-{case}").into(), case.into());
        event["occurredAt"] = "2026-03-12T10:00:00+01:00".into();
        event.to_string().into_bytes()
    };
    let hand_in = |world: &mut world::World, case: &str| {
        for kind in ["R-IN", "K-HT"] {
            assert_eq!(world.hand_in(&format!("{kind}-{case}.json"), event(kind, case)), Verdict::Accepted, "{kind}");
        }
        world.settle(&mut |_| {});
    };
    let notices = |world: &world::World| -> Vec<(String, String)> {
        let mut rows = world.store.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store");
        rows.retain(|row| row.kind == "K-HT");
        rows.iter().rev().map(|row| (row.rules.clone(), row.state.code().to_owned())).collect()
    };
    hand_in(&mut world, "A");

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("vanersborg/2026.2")).expect("a folder");
    let text = std::fs::read_to_string(world::fixtures().join("../schemas/rules/vanersborg/2026.1/rules.toml")).expect("the rules");
    let next = text.replacen("version = \"2026.1\"", "version = \"2026.2\"", 1).replacen("cl_block = \"all\"", "cl_block = \"warn\"", 1);
    std::fs::write(folder.path().join("vanersborg/2026.2/rules.toml"), next).expect("written");
    let config = std::fs::read_to_string(world::fixtures().join("vardbro.toml")).expect("a configuration");
    let env = [("RULES__USE", "vanersborg/2026.2".to_owned()), ("RULES__DIR", folder.path().display().to_string())];
    let env = env.into_iter().map(|(key, value)| (format!("VARDBRO__{key}"), value)).collect();
    let settings = vardbro::config::parse(&config, Path::new("."), env).expect("a configuration");
    world.intake.desk = vardbro::daemon::desk(&settings).expect("a desk");
    hand_in(&mut world, "B");
    let told = |rules: &str, state: &str| (format!("vanersborg/{rules}"), state.to_owned());
    assert_eq!(notices(&world), [told("2026.1", "WITHHELD"), told("2026.2", "ACCEPTED")]);
    assert_eq!(world.store.rules_in_use().expect("a working store").len(), 2);

    let (id, _) = world
        .store
        .episodes(None, 10)
        .expect("a working store")
        .into_iter()
        .find(|(_, row)| row.rules.ends_with("2026.1"))
        .expect("the first");
    let action = Action::Move { episode: id.to_string(), from: "vanersborg/2026.1".to_owned(), to: "vanersborg/2026.2".to_owned() };
    let request = world.store.ask(world.clock.now(), "test", &serde_json::to_string(&action).expect("JSON")).expect("a working store");
    world.intake.serve().expect("a working store");
    world.settle(&mut |_| {});
    assert!(world.store.request(request).expect("a working store").and_then(|row| row.done_at).is_some());
    assert_eq!(notices(&world)[0].1, "ACCEPTED", "it was looked at again");
}
