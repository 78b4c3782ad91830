//! The store over PostgreSQL means what it means over SQLite: the same stories, and several replicas on one queue.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

#[path = "support/postgres.rs"]
mod postgres;
#[expect(dead_code, reason = "shared with the stories, which use more of it")]
#[path = "support/replay.rs"]
mod replay;
#[path = "support/world.rs"]
mod world;

use postgres::Schema;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use vardbro::model::name::Name;
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::store::{Filter, Finish, Store};
use world::{World, fixtures};

const NOW: &str = "2026-03-12T11:00:00+01:00";

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

#[test]
fn every_story_ends_as_it_says_on_postgresql() {
    let mut failures = String::new();
    for name in replay::names(&fixtures()) {
        let dir = fixtures().join(&name);
        if !dir.join("case.toml").exists() {
            continue;
        }
        let Some(schema) = Schema::new() else { return };
        let store = Store::open_postgres(&schema.url, &[7; 32]).expect("a store");
        if let Err(difference) = replay::check_in(&dir, |rules, clock| World::over(store, Box::new(schema), rules, clock)) {
            let _ = writeln!(failures, "\n=== {name}\n{difference}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn event(file: &str, case: usize, id: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(fixtures().join("types").join(file)).expect("an example");
    let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    (event["eventId"], event["episodeRef"]["caseId"]) = (format!("{id}-{case}").into(), format!("C-{case}").into());
    for name in ["corrects", "cancels"] {
        event.as_object_mut().expect("an object").remove(name);
    }
    event.to_string().into_bytes()
}

/// Four replicas claim and finish at once: each delivery is sent once, and each lane in its order.
#[test]
fn replicas_share_a_queue_and_keep_the_order_of_each_lane() {
    const EPISODES: usize = 40;
    let Some(schema) = Schema::new() else { return };
    let stores: Vec<Store> = (0..4).map(|_| Store::open_postgres(&schema.url, &[7; 32]).expect("a store")).collect();
    let mut world = World::over(stores[0].clone(), Box::new(()), "vanersborg/2026.1", at(NOW));
    for case in 0..EPISODES {
        for (file, id) in [("R-IN.json", "in"), ("K-PU.json", "pu"), ("K-PM.json", "pm"), ("K-AD.json", "ad"), ("K-RB.json", "rb")] {
            assert_eq!(world.hand_in(&format!("{id}-{case}.json"), event(file, case, id)), Verdict::Accepted);
        }
    }
    let begun = std::time::Instant::now();
    let replicas: Vec<_> = stores
        .iter()
        .enumerate()
        .map(|(number, store)| {
            let store = store.clone();
            std::thread::spawn(move || work(&store, number, begun))
        })
        .collect();
    let sent: Vec<(String, i64)> = replicas.into_iter().flat_map(|replica| replica.join().expect("no panic")).collect();
    let rows = stores[0].deliveries(&Filter { limit: 10_000, ..Filter::default() }).expect("a working store");
    assert_eq!(sent.len(), EPISODES * 4, "each once");
    assert!(rows.iter().all(|row| row.state == State::Accepted));
    // When each was settled, by the database's own count.
    let mut lanes: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
    for row in &rows {
        let order = sent.iter().find(|(id, _)| *id == row.id.to_string()).expect("sent").1;
        lanes.entry(row.episode.clone()).or_default().push((row.sequence.expect("a number"), order));
    }
    for lane in lanes.values_mut() {
        lane.sort_unstable();
        assert!(lane.windows(2).all(|pair| pair[0].1 < pair[1].1), "{lane:?}");
    }
}

/// Claims and accepts until nothing is left; gives the deliveries with the moment of each in nanoseconds.
fn work(store: &Store, number: usize, begun: std::time::Instant) -> Vec<(String, i64)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (mut sent, mut idle, mut round) = (Vec::new(), 0, 0_u64);
    while idle < 200 {
        round += 1;
        let mut token = [0; 16];
        token[0] = u8::try_from(number).expect("small");
        token[8..].copy_from_slice(&round.to_be_bytes());
        let destination = Name::parse("region").expect("a name");
        let claims =
            runtime.block_on(store.claim(destination, at(NOW), at("2026-03-12T12:00:00+01:00"), token, 3)).expect("a working store");
        idle = if claims.claimed.is_empty() { idle + 1 } else { 0 };
        if claims.claimed.is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        for claimed in claims.claimed {
            let moment = i64::try_from(begun.elapsed().as_nanos()).expect("short");
            let finish = Finish {
                id: claimed.id,
                token,
                state: State::Accepted,
                next_at: None,
                unburn: false,
                code: None,
                findings: Vec::new(),
                attempt: None,
                at: at(NOW),
                lines: Vec::new(),
            };
            assert!(runtime.block_on(store.finish(finish)).expect("a working store"), "the lease is ours");
            sent.push((claimed.id.to_string(), moment));
        }
    }
    sent
}

/// Two replicas take in the events of one episode at once: none is lost, none is taken twice, the numbers of the lane go on.
#[test]
fn replicas_take_in_one_episode_at_once() {
    let Some(schema) = Schema::new() else { return };
    let takers: Vec<_> = (0..3)
        .map(|replica| {
            let url = schema.url.clone();
            std::thread::spawn(move || {
                let store = Store::open_postgres(&url, &[7; 32]).expect("a store");
                let mut world = World::over(store, Box::new(()), "vanersborg/2026.1", at(NOW));
                // Each event is handed to every replica: one takes it in, the others have seen it before.
                let mut verdicts = vec![world.hand_in("in.json", event("R-IN.json", 1, "in"))];
                for note in 0..20 {
                    let id = format!("{note:02}");
                    verdicts.push(world.hand_in(&format!("{replica}-{id}.json"), event("K-AD.json", 1, &id)));
                }
                verdicts
            })
        })
        .collect();
    let verdicts: Vec<Verdict> = takers.into_iter().flat_map(|taker| taker.join().expect("no panic")).collect();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count(), 21, "{verdicts:?}");
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Accepted | Verdict::Duplicate)), "{verdicts:?}");
    let store = Store::open_postgres_to_read(&schema.url).expect("a store");
    let rows = store.deliveries(&Filter { limit: 100, ..Filter::default() }).expect("a working store");
    let mut numbers: Vec<i64> = rows.iter().filter_map(|row| row.sequence).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((rows.len(), numbers.len()), (20, 20), "each message has a number of its own");
}

/// The server ends the connections; the store goes on with new ones.
#[test]
fn lost_connections_are_made_anew() {
    let Some(schema) = Schema::new() else { return };
    let store = Store::open_postgres(&schema.url, &[7; 32]).expect("a store");
    let mut world = World::over(store, Box::new(()), "vanersborg/2026.1", at(NOW));
    assert_eq!(world.hand_in("1.json", event("R-IN.json", 1, "a")), Verdict::Accepted);
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
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.hand_in("2.json", event("R-IN.json", 2, "b")))).ok()
        })
        .expect("the store comes back");
    assert_eq!(verdict, Verdict::Accepted);
}
