//! Opening: by the first secret, by the right version, and with everything that earlier versions left.

use crate::database::{Database, newest};
use crate::hand::{claim, ending, finish, lane, message, minute, take};
use crate::world::{World, fixtures};
use vardbro::episode::Links;
use vardbro::fault::Code;
use vardbro::map;
use vardbro::model::keyed::ReferenceKey;
use vardbro::model::personal::Personal;
use vardbro::model::raw::Verdict;
use vardbro::model::receipt::ContentHash;
use vardbro::model::state::State;
use vardbro::store::{Filter, Store};

pub(crate) fn references_keep_the_first_secret(database: &Database) {
    let of = |store: &Store| store.reference_key().episode(&Personal::new("journal".to_owned()), &Personal::new("1".to_owned()));
    let first = database.try_open(1).expect("a store");
    let episode = of(&first);
    assert_eq!(of(&database.open_to_read().expect("a store")), episode);
    drop(first);
    let second = database.try_open(2).expect("a store");
    assert_eq!(of(&second), episode, "else every event would be a new one");
    assert_ne!(of(&database.another().try_open(2).expect("a store")), episode);
}

pub(crate) fn a_newer_schema_is_neither_written_nor_read(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    drop(store);
    database.claim_version(newest() + 1);
    assert_eq!(database.try_open(7).expect_err("newer than this program").code, Code::CfgStoreVersion);
    assert_eq!(database.open_to_read().expect_err("newer than this program").code, Code::CfgStoreVersion);
}

/// Its writer, still to come, will change it.
pub(crate) fn an_older_schema_is_not_read(database: &Database) {
    database.lay(newest() - 1);
    assert_eq!(database.open_to_read().expect_err("older than this program").code, Code::CfgStoreVersion);
    drop(database.open());
    assert!(database.open_to_read().is_ok());
}

pub(crate) fn whoever_reads_makes_nothing(database: &Database) {
    for _ in 0..2 {
        assert_eq!(database.open_to_read().expect_err("there is none").code, Code::CfgStore);
    }
    let store = database.open();
    lane(&store, 1, &["a"]);
    let reader = database.open_to_read().expect("a store");
    assert_eq!(reader.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store").len(), 1);
    assert!(reader.commit(Vec::new()).is_err(), "it has no writer");
}

/// Two on one file would each believe that the queue is theirs; a server keeps them apart.
pub(crate) fn one_process_writes_where_the_database_is_a_file(database: &Database) {
    let store = database.open();
    assert_eq!(database.try_open(7).is_ok(), database.is_shared());
    drop(store);
    assert!(database.try_open(7).is_ok());
}

/// A version of the schema adds a row here if it changes what an older program left in the queue; statements that it needs in
/// order to be as that program left it.
const LEFT: &[(usize, &str)] = &[
    (2, "UPDATE episode SET look_at = 0"),
    (2, "INSERT INTO request (at, asked_by, action) VALUES (1773100000000, 'operator', '{}')"),
    (2, "INSERT INTO episode_patient (patient, episode_id) VALUES ('00', 'none')"),
];

pub(crate) fn every_earlier_version_goes_on(database: &Database) {
    for version in 1..newest() {
        goes_on(&database.another(), version);
    }
}

fn goes_on(database: &Database, version: usize) {
    database.lay(version);
    leave(database, version);
    if database.is_sealed() {
        assert_eq!(database.try_open(9).expect_err("nothing in it is sealed").code, Code::CfgStoreUnsealed);
        let rekeyed = database.rekey();
        assert!(rekeyed.was_plain && rekeyed.damaged == 0, "{rekeyed:?}");
    }
    let store = database.try_open(9).expect("the store is brought on");
    let (due, _) = store.due_episodes("2026-03-12T10:00:00Z".parse().expect("a time"), 10).expect("a working store");
    assert_eq!(due.len(), 1, "what version {version} left is looked at");
    let episode = store.episode(due[0]).expect("a working store").expect("the episode");
    let (facts, alarms) = vardbro::intake::facts(&store, due[0], &episode, jiff::civil::date(2026, 3, 12)).expect("facts");
    let mut kinds: Vec<&str> = facts.iter().map(|fact| fact.kind.code()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["K-AD", "K-HT", "K-PM", "K-PU", "R-IN"], "the facts are folded anew from the events");
    assert!(alarms.is_empty());
    assert_eq!(store.asked(10).expect("a working store").len(), usize::from(version >= 2), "what was asked for is still to be done");

    // The queue: the head with its content, then what comes after it, and nothing that was done.
    for content in ["K-PM", "K-AD"] {
        let head = take(&store, 0);
        assert_eq!(head.content, Personal::new(content.as_bytes().to_vec()), "version {version}");
        assert_eq!(head.hash, ContentHash::of(content.as_bytes()).as_bytes(), "version {version}");
        assert!(finish(&store, ending(&head, State::Accepted, 0)));
    }
    assert!(claim(&store, 0).is_empty());

    let mut world = World::over(store, Box::new(()), "vanersborg/2026.1", minute(1));
    world.settle();
    let mut next: serde_json::Value = serde_json::from_slice(&example("K-AD")).expect("JSON");
    next["eventId"] = "next".into();
    assert_eq!(world.hand_in("next.json", next.to_string().into_bytes()), Verdict::Accepted);
    assert_eq!(world.hand_in("again.json", example("K-AD")), Verdict::Duplicate, "its hash was kept");
    world.settle();
    let rows = world.store.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store");
    let states: Vec<_> = rows.iter().rev().map(|row| (row.kind.as_str(), row.state, row.sequence)).collect();
    let expected = [
        ("K-PU", State::Accepted, Some(1)),
        ("K-HT", State::Withheld, None),
        ("K-PM", State::Accepted, Some(3)),
        ("K-AD", State::Accepted, Some(4)),
        ("K-AD", State::Accepted, Some(5)),
    ];
    assert_eq!(states, expected, "version {version}");
    assert_eq!(rows[3].code.as_deref(), Some("CHK-1"), "it was looked at again");
}

fn example(kind: &str) -> Vec<u8> {
    std::fs::read(fixtures().join(format!("types/{kind}.json"))).expect("an example")
}

/// An admission, planning data that left, a withheld notice, two messages in the lane, and facts of the oldest form.
fn leave(database: &Database, version: usize) {
    const AT: i64 = 1_773_100_000_000;
    let key = ReferenceKey::new(&[7; 32]);
    let of = |text: &str| Personal::new(text.to_owned());
    let episode = key.episode(&of("test-journal"), &of("HSL-7781"));
    let mut sql = vec![format!("INSERT INTO meta (name, value) VALUES ('reference_key', {})", database.bytes(&[7; 32]))];
    let body = br#"{"facts":[{"event":"old","id":"x","version":1,"kind":"R-IN","occurred_at":"2026-03-09T13:00:00Z","what":"other"}],"sequences":{"region":4}}"#;
    sql.push(format!(
        "INSERT INTO episode (id, version, phase, rules, body, opened_at, changed_at)
         VALUES ('{episode}', 5, 'PLANERING', 'vanersborg/2026.1', {}, {AT}, {AT})",
        database.bytes(body)
    ));
    let deliveries = [("K-PU", "ACCEPTED", 1), ("K-HT", "WITHHELD", 0), ("K-PM", "SCHEDULED", 3), ("K-AD", "SCHEDULED", 4)];
    for (id, kind) in (1..).zip(["R-IN", "K-PU", "K-HT", "K-PM", "K-AD"]) {
        let mapped = map::read(&example(kind), 32, jiff::civil::date(2026, 3, 12)).expect("a sound example");
        let reference = Links::of(&mapped.event, &key).event;
        sql.push(format!(
            "INSERT INTO event (key, version, hash, kind, episode_id, source, origin, body, findings, occurred_at, received_at)
             VALUES ('{reference}', 1, {}, '{kind}', '{episode}', 'journal', {}, {}, '[]', {AT}, {AT})",
            database.bytes(&mapped.hash),
            database.bytes(b"f"),
            database.bytes(&map::to_json(&mapped.event)),
        ));
        let Some((_, state, sequence)) = deliveries.iter().find(|(of, _, _)| *of == kind) else { continue };
        let (queued, head) = (i32::from(*state == "SCHEDULED"), i32::from(*sequence == 3));
        let (number, document, hash, due) = match sequence {
            0 => ["NULL"; 4].map(str::to_owned).into(),
            number => (
                number.to_string(),
                database.bytes(kind.as_bytes()),
                database.bytes(ContentHash::of(kind.as_bytes()).as_bytes()),
                if queued == 1 { AT.to_string() } else { "NULL".to_owned() },
            ),
        };
        sql.push(format!(
            "INSERT INTO delivery (message_id, destination, event_id, episode_id, kind, version, state, rules, rules_hash, open, head,
                sequence, document, content_hash, next_at, created_at, released_at, useful_until)
             VALUES ('{}', 'region', {id}, '{episode}', '{kind}', 1, '{state}', 'vanersborg/2026.1', '00', {queued}, {head},
                {number}, {document}, {hash}, {due}, {AT}, {AT}, 4102444800000)",
            message(kind)
        ));
    }
    sql.extend(LEFT.iter().filter(|(since, _)| *since <= version).map(|(_, statement)| (*statement).to_owned()));
    database.sql(&sql.join(";\n"));
}
