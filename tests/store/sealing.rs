//! Sealing: what stands in the store in clear, what opens, and how a store comes by another key.

use crate::database::Database;
use crate::hand::{case, claim, commit, ending, entry, finish, lane, message, minute, name, reference, row, sending, state, take, wait};
use std::sync::atomic::{AtomicBool, Ordering};
use vardbro::fault::Code;
use vardbro::model::personal::Personal;
use vardbro::model::state::State;
use vardbro::store::{Committed, Damage, Entry, Finish, Rejected, Room, Store, StoreFault, Waiting};

/// In every text that is personal.
const MARK: &str = "ZZMARK-19381221";

/// Two messages with the mark in every column: one has its receipt, the other is asked for its own.
fn marked(store: &Store) {
    for (number, event) in [(1, "a"), (2, "b")] {
        let mut marked = sending(number, 1, &format!("{MARK}{event}"), 0);
        let kept = marked.event.as_mut().expect("an event");
        (kept.key, kept.body) = (reference(event), Personal::new(format!("{{\"x\":\"{MARK}\"}}").into_bytes()));
        marked.deliveries[0].message = message(event);
        let subject = format!("{{\"patient\":{{\"id\":\"{MARK}\"}}}}");
        marked.deliveries[0].release.as_mut().expect("a document").subject = Personal::new(subject.into_bytes());
        marked.episode.as_mut().expect("an episode").body = Personal::new(format!("{{\"y\":\"{MARK}\"}}").into_bytes());
        assert!(commit(store, marked));
    }
    for claimed in claim(store, 0) {
        let place = Some(Personal::new(format!("https://receiver/{MARK}")));
        let waiting = Some(Waiting { until: minute(90), place });
        let mut ended = Finish { waiting, ..ending(&claimed, State::WaitingForReceipt, 1) };
        ended.attempt.as_mut().expect("an attempt").receipt = Some(Personal::new(MARK.as_bytes().to_vec()));
        assert!(finish(store, ended));
    }
    wait(store.set_mailed(vec![name("journal")])).expect("a working store");
    for of in ["a", "b"] {
        let case = Some(Personal::new(MARK.to_owned()));
        let (source, reference) = (name("journal"), reference(of));
        let rejected = Rejected { source, reference, findings: Vec::new(), case, kind: None, occurred_at: None };
        assert!(commit(store, Entry { event: None, episode: None, rejected: Some(rejected), ..entry(9, 0, of, 0) }));
    }
    for n in 0..2 {
        store.ask(minute(n), "operator", &format!("{{\"reason\":\"{MARK}{n}\"}}")).expect("a working store");
    }
}

fn holds(raw: &[u8], text: &str) -> bool {
    let hex = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    [text.as_bytes(), hex.as_bytes()].iter().any(|wanted| raw.windows(wanted.len()).any(|found| found == *wanted))
}

fn sound(store: &Store) {
    let looked = store.check().expect("a working store");
    assert_eq!(looked.damaged, []);
}

fn read_back(store: &Store) {
    let untold = store.untold(&name("journal"), 10).expect("a working store");
    assert!(untold[..2].iter().all(|untold| untold.body == Some(Personal::new(format!("{{\"x\":\"{MARK}\"}}").into_bytes()))));
    assert_eq!(untold[0].origin, Personal::new(format!("{MARK}a.json")));
    let attempts = store.attempts(row(store, "a").id).expect("a working store");
    assert_eq!(attempts[0].receipt, Some(Personal::new(MARK.as_bytes().to_vec())));
    assert!(store.asked(10).expect("a working store").iter().all(|asked| asked.action.contains(MARK)));
    let asks = Room { sends: 0, asks: 9 };
    let claimed = wait(store.claim(name("region"), minute(31), minute(41), [3; 16], asks)).expect("a working store").claimed;
    assert_eq!(claimed.len(), 2);
    for claimed in claimed {
        let waiting = claimed.waiting.as_ref().expect("it waits for its receipt");
        assert_eq!(waiting.place, Some(Personal::new(format!("https://receiver/{MARK}"))));
        let again = Finish { waiting: Some(waiting.clone()), next_at: Some(minute(31)), ..ending(&claimed, State::WaitingForReceipt, 31) };
        assert!(finish(store, Finish { attempt: None, ..again }));
    }
}

pub(crate) fn nothing_personal_stands_in_clear(database: &Database) {
    let store = database.open();
    marked(&store);
    sound(&store);
    read_back(&store);
    let Some(raw) = database.raw() else { return };
    assert!(holds(&raw, &reference("a").to_string()), "it is looked at where it stands");
    assert_eq!(holds(&raw, MARK), !database.is_sealed());
    assert_eq!(holds(&raw, "content>"), !database.is_sealed());
    // What leaves the product is opened.
    let mut out = Vec::new();
    store.export(minute(9), &mut out).expect("an export");
    let lines = String::from_utf8(out).expect("text");
    assert!(lines.matches(MARK).count() >= 2 * 8 && !lines.contains("\"sealed\""), "{lines}");
}

/// Table, column, and what tells its two rows apart.
const COLUMNS: [(&str, &str, &str); 10] = [
    ("event", "origin", "id"),
    ("event", "body", "id"),
    ("episode", "body", "id"),
    ("delivery", "document", "id"),
    ("delivery", "receipt_at", "id"),
    ("delivery", "subject", "id"),
    ("attempt", "receipt", "delivery_id"),
    ("request", "action", "id"),
    ("audit", "body", "n"),
    ("mail", "body", "id"),
];

pub(crate) fn what_is_moved_does_not_open(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    for (table, column, row) in COLUMNS {
        let database = database.another();
        let store = database.open();
        marked(&store);
        let of = |which: &str| format!("(SELECT {which}({row}) FROM {table})", which = if which == "first" { "MIN" } else { "MAX" });
        // UUIDs are texts here; PostgreSQL orders texts as well.
        let theirs = format!("(SELECT {column} FROM {table} WHERE {row} = {})", of("last"));
        database.sql(&format!("UPDATE {table} SET {column} = {theirs} WHERE {row} = {}", of("first")));
        let damaged = store.check().expect("a working store").damaged;
        let damage = if table == "audit" { Damage::Chain } else { Damage::Unopened };
        assert_eq!(damaged.iter().map(|found| (found.table, found.damage)).collect::<Vec<_>>(), [(table, damage)], "{column}");
    }
    let store = database.open();
    marked(&store);
    for swap in ["event SET origin = body, body = origin", "delivery SET document = receipt_at, receipt_at = document"] {
        database.sql(&format!("UPDATE {swap}"));
    }
    assert_eq!(store.check().expect("a working store").damaged.len(), 4, "from one column to another of its row");
    assert!(claim(&store, 31).is_empty(), "nothing is asked or sent that is not its own");
    assert_eq!([state(&store, "a"), state(&store, "b")], [State::Parked; 2]);
    assert!(store.untold(&name("journal"), 10).expect("the others go on").is_empty());
}

pub(crate) fn a_store_opens_with_its_own_keys_alone(database: &Database) {
    drop(database.open());
    let refused = |numbers: &[u8], code: Code| {
        let keys = crate::database::keys(numbers, 7);
        assert_eq!(Store::open_at(&database.place(), &keys).err().map(|fault| fault.code), Some(code), "{numbers:?}");
        assert_eq!(Store::open_at_to_read(&database.place(), &keys).err().map(|fault| fault.code), Some(code), "{numbers:?}");
    };
    if database.is_sealed() {
        refused(&[], Code::CfgStoreSealed);
        refused(&[1], Code::CfgStoreSealed);
        refused(&[1, 2], Code::CfgStoreSealed);
        database.sql("UPDATE meta SET value = (SELECT value FROM meta WHERE name = 'keys') WHERE name = 'reference_key'");
        assert_eq!(database.try_open(7).err().map(|fault| fault.code), Some(Code::CfgStore), "what it begins with is damaged");
    } else {
        refused(&[1], Code::CfgStoreUnsealed);
    }
}

pub(crate) fn a_key_is_followed_by_another(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let database = database.another().with(&[1]);
    let store = database.open();
    let references = store.reference_key().reference(vardbro::model::keyed::Domain::Event, &[&Personal::new("x".to_owned())]);
    marked(&store);
    drop(store);
    // Both are given; nothing is sealed with the new one before the store is told to.
    let database = database.with(&[2, 1]);
    let store = database.open();
    assert!(commit(&store, sending(3, 1, "c", 0)));
    assert!(database.another().with(&[1]).try_open(7).is_ok());
    let rekeyed = database.rekey();
    assert_eq!((rekeyed.damaged, rekeyed.was_plain), (0, false));
    assert_eq!(rekeyed.resealed, 2 * 10 + 5, "each value once: two events with all that they have, and one that is only queued");
    assert!(commit(&store, sending(4, 1, "d", 0)), "whoever had it open goes on, with the new key");
    read_back(&store);
    assert_eq!(database.rekey().resealed, 0, "there is nothing left to do");
    drop(store);
    let database = database.with(&[2]);
    let store = database.open();
    sound(&store);
    read_back(&store);
    assert_eq!(claim(&store, 0).len(), 2, "c and d");
    assert_eq!(store.reference_key().reference(vardbro::model::keyed::Domain::Event, &[&Personal::new("x".to_owned())]), references);
    drop(store);
    assert_eq!(database.with(&[1]).try_open(7).err().map(|fault| fault.code), Some(Code::CfgStoreSealed));
}

pub(crate) fn what_began_plain_is_sealed_while_it_works(database: &Database) {
    if database.is_sealed() {
        return;
    }
    let database = database.another();
    let store = database.open();
    marked(&store);
    let database = database.with(&[5]);
    assert_eq!(database.begin_rekey().err().map(|fault| fault.code), Some(Code::StoInUse), "whoever has it would not know of the key");
    drop(store);
    let mut rekey = database.begin_rekey().expect("it may begin");
    let store = database.open();
    read_back(&store);
    for _ in 0..3 {
        assert!(rekey.step().expect("a working store"));
        read_back(&store);
        sound(&store);
    }
    assert!(commit(&store, sending(3, 1, "c", 0)));
    drop(rekey);
    let rekeyed = database.rekey();
    assert!(rekeyed.was_plain && !rekeyed.compacted && rekeyed.damaged == 0, "{rekeyed:?}");
    read_back(&store);
    drop(store);
    let rekeyed = database.rekey();
    assert!(!rekeyed.was_plain && rekeyed.compacted != database.is_shared(), "{rekeyed:?}");
    let store = database.open();
    sound(&store);
    if let Some(raw) = database.raw() {
        assert!(!holds(&raw, MARK) && !holds(&raw, "content>"), "nothing of it is left");
    }
}

pub(crate) fn what_is_plain_in_a_sealed_store_is_refused(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let store = database.open();
    marked(&store);
    database.sql(&format!("UPDATE episode SET body = {}", database.bytes(b"{}")));
    assert_eq!(store.episode(case(1)).map(drop), Err(StoreFault::Damaged { table: "episode" }));
    assert_eq!(store.check().expect("a working store").damaged.len(), 2);
}

pub(crate) fn a_rekey_that_was_cut_off_goes_on(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let database = database.another().with(&[1]);
    marked(&database.open());
    let database = database.with(&[2, 1]);
    for steps in 0..COLUMNS.len() {
        // Each life is ended by a crash after some steps; what it had committed stands.
        let mut rekey = database.begin_rekey().expect("it may begin");
        for _ in 0..steps {
            assert!(rekey.step().expect("a working store"));
        }
        drop(rekey);
        assert_eq!(database.another().with(&[2]).try_open(7).map(drop).err().map(|fault| fault.code), None);
        let store = database.open();
        sound(&store);
        read_back(&store);
    }
    assert!(database.rekey().resealed < 2 * 9, "what was done is done");
    let database = database.with(&[2]);
    sound(&database.open());
}

const ROUNDS: u64 = 60;

/// Messages come and go while the store is given another key.
pub(crate) fn a_rekey_goes_on_beside_the_work(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let database = database.another().with(&[1]);
    drop(database.open());
    let database = database.with(&[2, 1]);
    let stores = database.workers(2);
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (10..).zip(&stores).map(|(number, store)| scope.spawn(move || work(store, number, ROUNDS))).collect();
        let rekeyer = scope.spawn(|| {
            let mut rekeyed = 0;
            loop {
                let last = ended.load(Ordering::SeqCst);
                rekeyed += database.rekey().resealed;
                if last {
                    return rekeyed;
                }
            }
        });
        for worker in workers {
            worker.join().expect("no panic");
        }
        ended.store(true, Ordering::SeqCst);
        rekeyer.join().expect("no panic");
    });
    drop(stores);
    let database = database.with(&[2]);
    let store = database.open();
    sound(&store);
    let looked = store.check().expect("a working store");
    assert_eq!((looked.events, looked.deliveries), (2 * ROUNDS, 2 * ROUNDS), "nothing is lost");
}

/// Takes in a message of a case, sends it, and gets its receipt, again and again.
fn work(store: &Store, number: u8, rounds: u64) {
    for round in 1..=rounds {
        let committed = store.commit(vec![sending(number, round, &format!("{number}-{round}"), 0)]).expect("a working store");
        assert!(matches!(committed[..], [Committed::Done(_)]));
        // Another worker may take it, and this one that of another.
        for claimed in wait(claims(store)) {
            assert!(finish(store, ending(&claimed, State::Accepted, 1)));
        }
    }
}

async fn claims(store: &Store) -> Vec<vardbro::store::Claimed> {
    let token =
        *uuid::Builder::from_random_bytes(vardbro::model::dice::Dice::bytes(&vardbro::model::dice::SystemDice)).as_uuid().as_bytes();
    let room = Room { sends: 1, asks: 0 };
    store.claim(name("region"), minute(0), minute(10), token, room).await.expect("a working store").claimed
}

/// A daemon that was started before the key was there.
pub(crate) fn whoever_lacks_the_new_key_harms_nothing(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let database = database.another().with(&[1]);
    let late = database.open();
    lane(&late, 1, &["a"]);
    let database = database.with(&[2, 1]);
    if !database.is_shared() {
        assert_eq!(database.begin_rekey().err().map(|fault| fault.code), Some(Code::StoDaemonKey), "the one daemon is asked");
        assert_eq!(take(&late, 0).message, message("a"));
        return;
    }
    assert_eq!(database.rekey().damaged, 0);
    assert_eq!(late.commit(vec![entry(2, 0, "b", 0)]).map(drop), Err(StoreFault::NoKey));
    let claimed = wait(late.claim(name("region"), minute(0), minute(10), [1; 16], Room { sends: 9, asks: 9 }));
    assert_eq!(claimed.map(drop), Err(StoreFault::NoKey));
    assert_eq!(state(&late, "a"), State::Scheduled, "it is not taken for damaged");
    let store = database.open();
    assert_eq!(take(&store, 0).attempt, 1, "nor is the try counted");
    assert!(commit(&store, entry(2, 0, "b", 0)));
}

pub(crate) fn a_value_that_does_not_open_stops_no_rekey(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let database = database.another().with(&[1]);
    let store = database.open();
    marked(&store);
    assert!(commit(&store, Entry { episode: None, ..entry(9, 0, "z", 0) }));
    database.sql("UPDATE event SET body = origin WHERE id = (SELECT MIN(id) FROM event)");
    drop(store);
    let database = database.with(&[2, 1]);
    let rekeyed = database.rekey();
    assert_eq!((rekeyed.damaged, rekeyed.resealed), (1, 2 * 10 + 2 - 1));
    let database = database.with(&[2]);
    assert_eq!(database.open().check().expect("a working store").damaged.len(), 1);
}
