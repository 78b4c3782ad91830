//! What is old goes, and nothing else.

use crate::database::Database;
use crate::hand::line;
use crate::world::{World, fixtures};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet};
use vardbro::fault::Code;
use vardbro::model::ids::EpisodeId;
use vardbro::model::personal::Personal;
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::oplog::{Event, Reason};
use vardbro::store::{Audit, AuditWanted, Before, DeliveryRow, Filter, Kind, Purge, PurgeKind, Store, Subject, Who};
use vardbro::story::{Conduct, Scripted};

const RULES: &str = "vanersborg/2026.1";

fn start() -> Timestamp {
    "2026-03-12T11:00:00+01:00".parse().expect("a time")
}

fn audit(kind: Kind) -> Audit {
    Audit::new(start(), kind, Who::daemon())
}

fn world(store: &Store) -> World {
    World::over(store.clone(), Box::new(()), RULES, start())
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

/// Content goes after 30 and 90 days, episodes after 400, memories after 4,000.
fn before(now: Timestamp) -> Before {
    let old = |kept: i64| now - days(kept);
    Before { now, accepted: old(30), ended: old(90), metadata: old(400), journal: old(400), tombstones: old(4_000), audit: old(2_000) }
}

/// A whole run; how much went, by kind.
fn purge(store: &Store, now: Timestamp) -> BTreeMap<&'static str, u64> {
    let mut purge = Purge::new(before(now));
    while purge.step(store).expect("a working store").is_some() {}
    while Purge::give_back(store).expect("a working store") {}
    let lines = Purge::end(store, &line(Event::StorePurged), &Who::daemon()).expect("a working store");
    lines.iter().filter_map(|line| if let Some(Reason::Counted(kind, count)) = line.reason { Some((kind, count)) } else { None }).collect()
}

fn event(kind: &str, case: usize, id: &str, at: Timestamp) -> Vec<u8> {
    let text = std::fs::read_to_string(fixtures().join(format!("types/{kind}.json"))).expect("an example");
    let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    (event["eventId"], event["episodeRef"]["caseId"]) = (id.into(), format!("C-{case}").into());
    (event["occurredAt"], event["sentAt"]) = (at.to_string().into(), at.to_string().into());
    for name in ["corrects", "cancels", "refTo"] {
        event.as_object_mut().expect("an object").remove(name);
    }
    event.to_string().into_bytes()
}

fn rows(store: &Store) -> Vec<DeliveryRow> {
    store.deliveries(&Filter { limit: 100_000, ..Filter::default() }).expect("a working store")
}

fn episode(store: &Store, case: usize) -> EpisodeId {
    store.reference_key().episode(&Personal::new("test-journal".to_owned()), &Personal::new(format!("C-{case}")))
}

/// What there is of deliveries, and of their content.
type Kept = BTreeSet<(i64, State, bool, bool)>;

fn kept(store: &Store, of: impl Fn(&DeliveryRow) -> bool) -> Kept {
    let seen = |row: &DeliveryRow| {
        let written = store.written(row.id).expect("a working store").expect("its event");
        (row.id, row.state, written.document.is_some(), written.event.is_some())
    };
    rows(store).iter().filter(|row| of(row)).map(seen).collect()
}

/// An episode with a message of it that was delivered, and its breaking off.
fn over(world: &mut World, case: usize) {
    for (kind, at) in [("R-IN", 0), ("K-PM", 1), ("R-AV", 2)] {
        let body = event(kind, case, &format!("{kind}-{case}"), start() + at.minutes());
        assert_eq!(world.hand_in(&format!("{kind}.json"), body), Verdict::Accepted);
    }
    world.settle();
}

pub(crate) fn what_has_ended_goes_step_by_step(database: &Database) {
    let store = database.open();
    let mut world = world(&store);
    over(&mut world, 1);
    let told: Vec<(i64, i64)> =
        store.untold(&world_source(), 100).expect("a working store").iter().map(|one| (one.event, one.outcome)).collect();
    block(store.told(told));
    assert!(purge(&store, start() + days(29)).is_empty(), "nothing is old");

    let gone = purge(&store, start() + days(31));
    assert_eq!(gone.get("content"), Some(&1), "{gone:?}");
    assert_eq!(gone.get("events"), Some(&3), "{gone:?}");
    let row = rows(&store).remove(0);
    assert_eq!((row.state, row.purged_at), (State::Accepted, Some(start() + days(31))));
    assert!(row.content_hash.is_some(), "that it was sent, and what, can still be shown");
    let written = store.written(row.id).expect("a working store").expect("a row");
    assert!(written.document.is_none() && written.event.is_none());
    assert!(store.attempts(row.id).expect("a working store").iter().all(|attempt| attempt.receipt.is_none()));
    assert_eq!(store.check().expect("a working store").damaged, [], "what has been purged is not damaged");
    let resend = world.intake.desk.against_resend(&store, &row, start()).expect("a working store");
    assert_eq!(resend, Some(Code::RetPurged), "there is nothing to send");

    let gone = purge(&store, start() + days(402));
    assert_eq!(gone.get("episodes"), Some(&1), "{gone:?}");
    assert!(rows(&store).is_empty() && store.episode(episode(&store, 1)).expect("a working store").is_none());
    assert_eq!(store.check().expect("a working store").damaged, []);
    let again = event("K-PM", 1, "K-PM-1", start() + 1.minutes());
    assert_eq!(world.hand_in("again.json", again.clone()), Verdict::Duplicate, "it is still known");
    let gone = purge(&store, start() + days(402));
    assert!(gone.keys().all(|kind| *kind == "journal"), "a second run finds nothing but the line of the duplicate: {gone:?}");

    let gone = purge(&store, start() + days(4_001));
    assert_eq!(gone.get("tombstones"), Some(&3), "{gone:?}");
    assert_eq!(store.size().expect("a working store"), (0, 0));
}

fn world_source() -> vardbro::model::name::Name {
    vardbro::model::name::Name::parse("journal").expect("a name")
}

fn block<T>(work: impl Future<Output = Result<T, vardbro::store::StoreFault>>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work).expect("a working store")
}

/// What is told again of an episode that is gone is not sent again by itself; what is new begins it anew, and its source hears so.
pub(crate) fn what_comes_late_to_a_purged_episode_is_told(database: &Database) {
    let store = database.open();
    let mut world = world(&store);
    over(&mut world, 1);
    let number = rows(&store)[0].sequence.expect("a number");
    world.pass(start() + days(802));
    purge(&store, start() + days(401));
    purge(&store, start() + days(802));
    assert!(rows(&store).is_empty());

    // The same event with another content: a new version of it, for a person.
    let mut changed: serde_json::Value = serde_json::from_slice(&event("K-PM", 1, "K-PM-1", start() + 1.minutes())).expect("JSON");
    changed["data"]["text"] = "Something else".into();
    assert_eq!(world.hand_in("changed.json", changed.to_string().into_bytes()), Verdict::Accepted);
    // What opens the case anew; its source hears that nothing is known of what was.
    assert_eq!(world.hand_in("in.json", event("R-IN", 1, "in", start() + days(800))), Verdict::Accepted);
    world.settle();
    let row = rows(&store).remove(0);
    assert_eq!((row.version, row.state, row.code.as_deref()), (2, State::Held, Some("LATE-1")), "{row:?}");
    let remarks = store.untold(&world_source(), 100).expect("a working store").remove(0).findings;
    assert!(remarks.iter().any(|finding| finding.code == Code::RetHistory.id()), "{remarks:?}");

    // A new event is sent, with a number that was not given out before.
    let new = event("K-AD", 1, "new", start() + days(801));
    assert_eq!(world.hand_in("new.json", new), Verdict::Accepted);
    world.settle();
    let row = rows(&store).remove(0);
    assert_eq!((row.kind.as_str(), row.state), ("K-AD", State::Accepted), "{row:?}");
    assert!(row.sequence > Some(number), "{row:?}");
    assert_eq!(world.receiver.kept().len(), 2, "nothing was sent twice");
}

pub(crate) fn a_hold_keeps_until_it_is_lifted(database: &Database) {
    let store = database.open();
    let mut world = world(&store);
    (1..=3).for_each(|case| over(&mut world, case));
    let reason = Personal::new("Tillsynsärende 4711".to_owned());
    let set = |subject: &Subject| {
        store.hold("arkivarie", subject, &reason, &line(Event::HoldSet), audit(Kind::HoldSet)).expect("a working store")
    };
    let id = set(&Subject::Episode(episode(&store, 2)));
    let held = episode(&store, 2).to_string();
    let all = kept(&store, |row| row.episode == held);
    let gone = purge(&store, start() + days(450));
    assert_eq!(gone.get("content"), Some(&2), "{gone:?}");
    let gone = purge(&store, start() + days(900));
    assert_eq!(gone.get("episodes"), None, "its sources have never been told: {gone:?}");
    assert_eq!(kept(&store, |row| row.episode == held), all, "all of it is there");
    let holds = store.holds(false).expect("a working store");
    assert_eq!((holds.len(), &holds[0].reason, holds[0].by.as_str()), (1, &reason, "arkivarie"));

    assert!(store.lift(id, "arkivarie", &line(Event::HoldLifted), audit(Kind::HoldLifted)).expect("a working store"));
    assert!(!store.lift(id, "arkivarie", &line(Event::HoldLifted), audit(Kind::HoldLifted)).expect("a working store"), "once");
    let everything = set(&Subject::Everything);
    assert!(purge(&store, start() + days(900)).is_empty(), "a hold of everything keeps everything");
    store.lift(everything, "arkivarie", &line(Event::HoldLifted), audit(Kind::HoldLifted)).expect("a working store");
    assert_eq!(purge(&store, start() + days(900)).get("content"), Some(&1), "then it goes as all else");
    let told = store.audit_rows(&AuditWanted { limit: 1_000, ..AuditWanted::default() }).expect("a working store");
    let count = |kind: &str| told.iter().filter(|row| row.kind == kind).count();
    assert_eq!((count("hold-set"), count("hold-lifted"), count("retention")), (2, 2, 4), "each is in the audit log");
}

/// Of several processes over one database one has its turn in an hour.
pub(crate) fn one_process_has_its_turn(database: &Database) {
    let stores = database.workers(3);
    let hour = SignedDuration::from_hours(1);
    for turn in 0..3 {
        let now = start() + hour * turn;
        let turns = stores.iter().filter(|store| store.may_purge(now, now - hour).expect("a working store")).count();
        assert_eq!(turns, 1, "turn {turn}");
    }
    let back = start() - days(7);
    assert!(stores[1].may_purge(back, back - hour).expect("a working store"), "a clock that was set back puts nothing off");
}

/// The same numbers from the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

const HISTORIES: u64 = 4;
const STEPS: usize = 60;

/// Whatever happens in whatever order: what is undelivered, runs or is held stays whole, what was seen once is known, a run that is
/// cut off is taken up by the next, and two runs at one moment are as good as one.
pub(crate) fn nothing_else_ever_goes(database: &Database) {
    for seed in 1..=HISTORIES {
        history(&database.another(), seed);
    }
}

fn history(database: &Database, seed: u64) {
    let store = database.open();
    let mut world = world(&store);
    let mut random = Random(seed);
    let mut now = start();
    let mut taken: Vec<Vec<u8>> = Vec::new();
    let mut holds: Vec<(i64, EpisodeId)> = Vec::new();
    let mut sent = 0;
    for step in 0..STEPS {
        match random.below(10) {
            0..4 => {
                let kind = ["R-IN", "K-PM", "K-AD", "K-PU", "K-HT", "R-AV", "R-UT"][random.below(7)];
                let body = event(kind, random.below(5), &format!("{kind}-{step}"), now);
                if world.hand_in(&format!("{step}.json"), body.clone()) == Verdict::Accepted {
                    taken.push(body);
                }
            }
            4 => {
                let conduct = ["rejected BV", "500", "drop_after"][random.below(3)];
                world.receiver.script(Scripted { conduct: Conduct::parse(conduct).expect("a conduct"), times: 2, matching: None });
            }
            5..7 => {
                now += days([1, 20, 60, 200][random.below(4)]);
                world.pass(now);
            }
            7 => {
                let subject = episode(&store, random.below(5));
                let reason = Personal::new("r".to_owned());
                let id = store
                    .hold("a", &Subject::Episode(subject), &reason, &line(Event::HoldSet), audit(Kind::HoldSet))
                    .expect("a working store");
                holds.push((id, subject));
            }
            8 if !holds.is_empty() => {
                let (id, _) = holds.remove(random.below(holds.len()));
                store.lift(id, "a", &line(Event::HoldLifted), audit(Kind::HoldLifted)).expect("a working store");
            }
            _ => {
                let told: Vec<_> =
                    store.untold(&world_source(), 1_000).expect("a working store").iter().map(|one| (one.event, one.outcome)).collect();
                block(store.told(told));
                cut_off_and_run(&store, now, &holds, &mut random, seed);
            }
        }
        world.settle();
        let ids: Vec<_> = world.receiver.kept().iter().map(|kept| (kept.destination.clone(), kept.message)).collect();
        let once: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), once.len(), "seed {seed}: nothing arrives twice");
        assert!(ids.len() >= sent, "seed {seed}");
        sent = ids.len();
    }
    for body in &taken {
        assert_eq!(world.hand_in("again.json", body.clone()), Verdict::Duplicate, "seed {seed}: {}", String::from_utf8_lossy(body));
    }
    assert_eq!(store.check().expect("a working store").damaged, [], "seed {seed}");
}

fn cut_off_and_run(store: &Store, now: Timestamp, holds: &[(i64, EpisodeId)], random: &mut Random, seed: u64) {
    let held: BTreeSet<String> = holds.iter().map(|(_, id)| id.to_string()).collect();
    let must_stay = |row: &DeliveryRow| !row.state.is_end() || held.contains(&row.episode);
    let young = now - days(30);
    let stays = |row: &DeliveryRow| must_stay(row) || row.settled_at.is_some_and(|at| at >= young);
    let (whole, there) = (kept(store, stays), store.size().expect("a working store").0);
    // Killed: a batch is whole or has not been, and the next process begins from the front.
    let mut cut = Purge::new(before(now));
    for _ in 0..random.below(6) {
        cut.step(store).expect("a working store");
    }
    drop(cut);
    assert_eq!(kept(store, stays), whole, "seed {seed}: cut off");
    purge(store, now);
    assert_eq!(kept(store, stays), whole, "seed {seed}");
    assert_eq!(store.size().expect("a working store").0, there, "seed {seed}: every event is remembered");
    assert!(purge(store, now).is_empty(), "seed {seed}: a second run finds nothing");
    let due = store.due(&before(now)).expect("a working store");
    assert!(due.iter().all(|due| due.count == 0), "seed {seed}: {due:?}");
    assert_eq!(due.len() + 1, PurgeKind::VALUES.len(), "all but files");
}
