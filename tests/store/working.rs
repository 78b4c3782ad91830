//! The store under its real users: several workers and several intakes at once.

use crate::database::Database;
use crate::hand::{claims, ending, finish};
use crate::world::{World, fixtures};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::store::{Filter, Store};

fn world(store: &Store) -> World {
    World::over(store.clone(), Box::new(()), "vanersborg/2026.1", "2026-03-12T11:00:00+01:00".parse().expect("a time"))
}

fn event(kind: &str, case: usize, id: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(fixtures().join(format!("types/{kind}.json"))).expect("an example");
    let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    (event["eventId"], event["episodeRef"]["caseId"]) = (format!("{id}-{case}").into(), format!("C-{case}").into());
    for name in ["corrects", "cancels"] {
        event.as_object_mut().expect("an object").remove(name);
    }
    event.to_string().into_bytes()
}

/// Four workers claim and finish at once: each delivery is sent once, and each lane in its order.
pub(crate) fn workers_share_a_queue_and_keep_the_order_of_each_lane(database: &Database) {
    const EPISODES: usize = 40;
    let stores = database.workers(4);
    let mut world = world(&stores[0]);
    for case in 0..EPISODES {
        for kind in ["R-IN", "K-PU", "K-PM", "K-AD", "K-RB"] {
            assert_eq!(world.hand_in(&format!("{kind}-{case}.json"), event(kind, case, kind)), Verdict::Accepted);
        }
    }
    let (done, clock) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = |store: &Store| {
        let mut sent = Vec::new();
        while done.load(Ordering::SeqCst) < EPISODES * 4 {
            let claimed = claims(store, 90, 3).claimed;
            for claimed in &claimed {
                sent.push((claimed.id, clock.fetch_add(1, Ordering::SeqCst)));
                assert!(finish(store, ending(claimed, State::Accepted, 90)), "the lease is ours");
                done.fetch_add(1, Ordering::SeqCst);
            }
            if claimed.is_empty() {
                std::thread::yield_now();
            }
        }
        sent
    };
    let sent: BTreeMap<i64, usize> = std::thread::scope(|scope| {
        let workers: Vec<_> = stores.iter().map(|store| scope.spawn(|| work(store))).collect();
        let sent: Vec<_> = workers.into_iter().flat_map(|worker| worker.join().expect("no panic")).collect();
        assert_eq!(sent.len(), EPISODES * 4, "each once");
        sent.into_iter().collect()
    });
    let rows = stores[0].deliveries(&Filter { limit: 10_000, ..Filter::default() }).expect("a working store");
    assert!(rows.iter().all(|row| row.state == State::Accepted));
    let mut lanes: BTreeMap<&str, Vec<(i64, usize)>> = BTreeMap::new();
    for row in &rows {
        lanes.entry(&row.episode).or_default().push((row.sequence.expect("a number"), sent[&row.id]));
    }
    for lane in lanes.values_mut() {
        lane.sort_unstable();
        assert!(lane.is_sorted_by_key(|(_, moment)| *moment), "{lane:?}");
    }
}

/// Several take in the events of one episode at once: none is lost, none is taken twice, the numbers of the lane go on.
pub(crate) fn several_take_in_one_episode_at_once(database: &Database) {
    let stores = database.workers(3);
    let verdicts: Vec<Verdict> = std::thread::scope(|scope| {
        let take = |store| {
            scope.spawn(move || {
                let mut world = world(store);
                // Each event is handed to everybody: one takes it in, the others have seen it before.
                let mut verdicts = vec![world.hand_in("in.json", event("R-IN", 1, "in"))];
                for note in 0..20 {
                    verdicts.push(world.hand_in(&format!("{note}.json"), event("K-AD", 1, &format!("{note:02}"))));
                }
                verdicts
            })
        };
        let takers: Vec<_> = stores.iter().map(take).collect();
        takers.into_iter().flat_map(|taker| taker.join().expect("no panic")).collect()
    });
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count(), 21, "{verdicts:?}");
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Accepted | Verdict::Duplicate)), "{verdicts:?}");
    let rows = stores[0].deliveries(&Filter { limit: 100, ..Filter::default() }).expect("a working store");
    let mut numbers: Vec<i64> = rows.iter().filter_map(|row| row.sequence).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!((rows.len(), numbers.len()), (20, 20), "each message has a number of its own");
}

/// A damaged episode keeps its own events waiting, and nobody else's.
pub(crate) fn a_damaged_episode_stops_nobody_else(database: &Database) {
    let store = database.open();
    let mut world = world(&store);
    assert_eq!(world.hand_in("1.json", event("R-IN", 1, "a")), Verdict::Accepted);
    database.sql(&format!("UPDATE episode SET body = {}, look_at = 0", database.bytes(b"{")));
    assert_eq!(world.hand_in("2.json", event("R-IN", 1, "b")), Verdict::Later);
    assert_eq!(world.hand_in("3.json", event("R-IN", 2, "c")), Verdict::Accepted);
    assert!(world.settle().is_some(), "the others are still looked at");
}
