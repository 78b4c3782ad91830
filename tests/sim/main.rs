//! Sequences by the thousand: events arrive in any order, answers are lost, processes and stores fail, leases pass on,
//! and every message still finds one fate.
//!
//! `SIM=1000000 cargo nextest run --test sim` tries more, `SEED=n` others. A failure is made as small as it will go and printed
//! as a list of operations, for people and as code; what was found so stays as a test by its name.
//!
//! What is real: intake, rules, wire, seal, store (SQLite with its own settings; PostgreSQL with a handle for each of two replicas),
//! the claiming, sending, hearing and writing of deliveries. What is ours: clock, dice, and the receiver with the way to it.
//! Each sequence begins with an empty store and an empty receiver, so its seed alone says what happens in it.
//!
//! People send again and close by hand by the plans that the commands show them. Over SQLite backups are made and put back: the
//! store then forgets, the receiver does not, and sources hand in again what is newer. Nothing that the receiver has is sent to it
//! once more unless a person asks for it, and each message comes under the id that it had.
//!
//! What happens is in `ops.rs`, what must hold in `checks.rs`, and in `world.rs` and `receiver.rs` where it is seen. When the operations are over all faults end,
//! sources hand in again what they have not heard of, and everything must leave its lane within the longest pause that the policy
//! knows (a lease or 1.2 × the longest retry; the receipt deadline where a receipt is waited for), twice the longest pause of a probe, and
//! what the clock went back.
//!
//! Not covered:
//! - Time within a transaction: operations follow each other, and the store's groups are of one. Races are for `postgres.rs` and
//!   the processes of `process/`, as are kill, full disks, power, and what `fsync` is for.
//! - The loop around the deliveries (`Driver::run`), HTTPS, the folder source, the outcomes that are written beside it and the log.
//! - A request that arrives after its own lease has ended, as of a machine that was suspended: it counts as lost here.
//! - A store that recovers while a result waits to be written: here it fails until the lease has ended.
//! - Documents that differ from valid ones in digits and hexadecimal letters alone are validated once.
//! - Files that are laid back after a restore in another order than they came in first; a store that fails meanwhile; the kill in
//!   the middle of a restore (`process/backups.rs`).
//! - A clock that goes back by more than ten minutes; different clocks at two replicas; shadow destinations; damaged rows.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

mod checks;
mod events;
mod ground;
mod ops;
#[path = "../support/postgres.rs"]
mod postgres;
mod probe;
mod random;
mod receiver;
mod world;

use events::Templates;
use ground::Ground;
use ops::Sequence;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use world::{Tally, World};

/// How many, where nobody says otherwise: over SQLite, and over PostgreSQL.
const SEQUENCES: usize = 20_000;
const SEQUENCES_POSTGRES: usize = 200;
/// Failures of different kinds that are made small and told, and failures in all after which no more are looked for.
const TOLD_MAX: usize = 6;
const FAILURES_MAX: usize = 12;

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// What is wrong with a sequence, a panic included.
fn wrong(ground: &mut Ground, sequence: &Sequence, tally: &mut Tally) -> Option<String> {
    let run = || {
        let mut world = World::new(ground, sequence);
        let mut done = sequence.ops.iter().try_for_each(|op| world.apply(op));
        if done.is_ok() {
            done = world.settle(sequence.long);
        }
        (done, world.tally)
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok((done, counts)) => {
            for (word, count) in counts {
                *tally.entry(word).or_default() += count;
            }
            done.err()
        }
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Some(format!("panicked: {}", text.unwrap_or_default()))
        }
    }
}

/// The same complaint, whatever ids it names.
fn kind(why: &str) -> String {
    let words = why.split_whitespace().filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()));
    words.take(6).collect::<Vec<_>>().join(" ")
}

struct Failure {
    seed: u64,
    first_at: usize,
    count: usize,
    sequence: Sequence,
    why: String,
}

/// The smallest sequence that fails like this one.
fn smallest(ground: &mut Ground, failure: &Failure) -> (Sequence, String) {
    let wanted = kind(&failure.why);
    let mut fails = |sequence: &Sequence| wrong(ground, sequence, &mut Tally::new()).filter(|why| kind(why) == wanted);
    let (mut small, mut why) = (failure.sequence.clone(), failure.why.clone());
    let mut chunk = small.ops.len() / 2;
    while chunk > 0 {
        let mut place = 0;
        let before = small.ops.len();
        while place + chunk <= small.ops.len() {
            let fewer = small.without(place..place + chunk);
            match fails(&fewer) {
                Some(now) => (small, why) = (fewer, now),
                None => place += 1,
            }
        }
        if chunk > 1 || small.ops.len() == before {
            chunk /= 2;
        }
    }
    let mut place = 0;
    while place < small.ops.len() {
        match small.simpler(place).into_iter().find_map(|simpler| fails(&simpler).map(|why| (simpler, why))) {
            Some(simpler) => (small, why) = simpler,
            None => place += 1,
        }
    }
    (small, why)
}

/// Runs sequences on several grounds at once; every kind of failure once, and what happened how often.
fn simulate(count: usize, seed: u64, threads: usize, replicas: Option<usize>, make: &(dyn Fn() -> Option<Ground> + Sync)) -> Option<Tally> {
    let templates = Templates::read();
    let found: Mutex<BTreeMap<String, Failure>> = Mutex::default();
    let (next, skipped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tally = Mutex::new(Tally::new());
    let work = || {
        let Some(mut ground) = make() else {
            skipped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut own = Tally::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                break;
            }
            let seed = seed.wrapping_mul(0x1_0000_0001).wrapping_add(place as u64);
            let sequence = Sequence::make(&templates, seed, replicas);
            if let Some(why) = wrong(&mut ground, &sequence, &mut own) {
                let mut found = found.lock().expect("no thread failed");
                let failure = found.entry(kind(&why)).or_insert(Failure { seed, first_at: place, count: 0, sequence, why });
                failure.count += 1;
                if found.values().map(|failure| failure.count).sum::<usize>() >= FAILURES_MAX {
                    next.store(count, Ordering::Relaxed);
                }
            }
        }
        let mut tally = tally.lock().expect("no thread failed");
        for (word, count) in own {
            *tally.entry(word).or_default() += count;
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if skipped.into_inner() > 0 {
        return None;
    }
    let found = found.into_inner().expect("no thread failed");
    let mut told = String::new();
    for failure in found.values().take(TOLD_MAX) {
        let mut ground = make().expect("as before");
        let (small, why) = smallest(&mut ground, failure);
        let _ = writeln!(
            told,
            "\n=== {why}\n(sequence {} of the run, {} like it; its own seed {:#x})\n{}",
            failure.first_at,
            failure.count,
            failure.seed,
            small.tell()
        );
    }
    assert!(found.is_empty(), "{} kinds of failure (seed {seed}){told}", found.len());
    Some(tally.into_inner().expect("no thread failed"))
}

#[test]
fn every_message_finds_one_fate_whatever_happens() {
    let (count, seed) = (number("SIM").unwrap_or(SEQUENCES), number("SEED").unwrap_or(1));
    let templates = Arc::new(Templates::read());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let begun = std::time::Instant::now();
    let tally = simulate(count, seed as u64, threads, None, &|| Some(Ground::lite(&templates))).expect("SQLite is always to be had");
    println!("{count} sequences from seed {seed} in {:?}: {tally:#?}", begun.elapsed());
    if count >= SEQUENCES {
        every_kind(&tally);
    }
}

#[test]
fn every_message_finds_one_fate_with_two_replicas_on_postgresql() {
    let (count, seed) = (number("SIM").map_or(SEQUENCES_POSTGRES, |count| count / 20), number("SEED").unwrap_or(1));
    let templates = Arc::new(Templates::read());
    let begun = std::time::Instant::now();
    if let Some(tally) = simulate(count, seed as u64, 2, Some(2), &|| Ground::postgres(&templates)) {
        println!("{count} sequences from seed {seed} in {:?}: {tally:#?}", begun.elapsed());
    }
}

/// The sequences do what they are said to do.
fn every_kind(tally: &Tally) {
    let words = [
        "verdict Accepted",
        "verdict Duplicate",
        "store failed",
        "late",
        "answer accepted",
        "answer conflict",
        "answer absent",
        "called back",
        "contradicted",
        "called astray",
        "answer lost",
        "answer routeDown",
        "answer serverError",
        "answer rejected",
        "answer refused",
        "answer pending",
        "SUBMITTED",
        "SCHEDULED_FOR_RESEND",
        "WAITING_FOR_RECEIPT",
        "WITHHELD",
        "HELD",
        "PARKED",
        "ACCEPTED",
        "REJECTED",
        "SUPERSEDED",
        "WITHDRAWN",
        "EXPIRED",
        "RESOLVED",
        "resent",
        "restored",
        "read again",
    ];
    let rare: Vec<&str> = words.into_iter().filter(|word| tally.get(*word).is_none_or(|count| *count < 10)).collect();
    assert!(rare.is_empty(), "hardly ever happens: {rare:?} in {tally:#?}");
}

/// Found: over PostgreSQL no receipt that came by itself could be written.
#[test]
fn a_receipt_is_called_back_over_either_database() {
    use ops::Op::{Arrive, CallBack, Claim, Reach};
    let templates = Arc::new(Templates::read());
    let pool = templates.last(0, None).to_vec();
    let ops = vec![
        Arrive { replica: 0, events: vec![0] },
        Arrive { replica: 0, events: vec![1] },
        Claim { replica: 0, destination: 0 },
        Reach { flight: 0, ruling: receiver::Ruling::Accept },
        CallBack { message: 0, contradicts: false },
    ];
    let sequence = Sequence { pool, replicas: 1, looks_up: false, ops, long: false };
    let mut tally = Tally::new();
    assert_eq!(wrong(&mut Ground::lite(&templates), &sequence, &mut tally), None);
    assert_eq!((tally["called back"], tally["late"]), (1, 1));
    if let Some(mut ground) = Ground::postgres(&templates) {
        assert_eq!(wrong(&mut ground, &sequence, &mut Tally::new()), None);
    }
}

/// A sequence over SQLite that must hold; how often what happened in it.
fn holds(looks_up: bool, ops: Vec<ops::Op>) -> Tally {
    let templates = Arc::new(Templates::read());
    let sequence = Sequence { pool: templates.last(0, None).to_vec(), replicas: 1, looks_up, ops, long: false };
    let mut tally = Tally::new();
    assert_eq!(wrong(&mut Ground::lite(&templates), &sequence, &mut tally), None);
    tally
}

#[test]
fn what_a_restore_has_forgotten_is_sent_again_by_hand_alone() {
    use ops::Op::{Arrive, BackUp, Resend, Restore, Round, Serve};
    for looks_up in [false, true] {
        let forgotten = [
            BackUp,
            Arrive { replica: 0, events: vec![0, 1] },
            Round { replica: 0 },
            // Time enough that it is written anew with another moment in it.
            ops::Op::Pass { seconds: 60 },
            Restore { at_once: true },
            Round { replica: 0 },
        ];
        let tally = holds(looks_up, forgotten.to_vec());
        assert_eq!((tally["restored"], tally["read again"], tally["ACCEPTED"], tally["PARKED"]), (1, 2, 2, 2));

        let by_hand = [Resend { message: 0, all: true, again: false }, Serve { replica: 0 }, Round { replica: 0 }];
        let tally = holds(looks_up, [&forgotten[..], &by_hand].concat());
        // It has another content under that id, and says so; where it can be asked it is not sent at all.
        assert_eq!((tally["resent"], tally["ACCEPTED"], tally["PARKED"]), (2, 2, 4));
        assert_eq!(tally["answer conflict"], if looks_up { 4 } else { 2 });
    }
}

#[test]
fn what_arrived_after_all_is_not_sent_again_by_an_older_request() {
    use ops::Op::{Arrive, CallBack, Claim, Hear, Resend, Resolve, Round, Serve};
    let parked =
        [Arrive { replica: 0, events: vec![0, 1] }, Claim { replica: 0, destination: 0 }, Hear { flight: 0, way: ops::Way::Unproved }];
    let resend = Resend { message: 0, all: false, again: false };
    let late = [resend.clone(), CallBack { message: 0, contradicts: false }, Serve { replica: 0 }, Round { replica: 0 }];
    let tally = holds(false, [&parked[..], &late].concat());
    assert_eq!((tally["PARKED"], tally["ACCEPTED"], tally.get("resent")), (1, 2, None));

    let closed = [resend, Resolve { message: 0, untried: false }, Serve { replica: 0 }, Round { replica: 0 }];
    let tally = holds(false, [&parked[..], &closed].concat());
    assert_eq!((tally.get("resent"), tally.get("RESOLVED")), (Some(&1), None), "the first request is met, the second is too late");
}
