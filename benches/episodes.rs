//! 10,000 episodes of 20 events each, from an empty store, through the intake of the daemon: events a second, memory, and
//! where the time goes.
//!
//!     cargo bench --bench episodes              # 10,000 × 20
//!     EPISODES=500 cargo bench --bench episodes
//!     PLAIN=1 cargo bench --bench episodes      # with nothing sealed
//!     POSTGRES='host=127.0.0.1 …' cargo bench --bench episodes    # in an empty database

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench speaks to whoever runs it")]

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vardbro::episode::{self, Links, fold};
use vardbro::intake::Intake;
use vardbro::map::{self, Document, Limits, Mapping};
use vardbro::model::dice::SystemDice;
use vardbro::model::keyed::ReferenceKey;
use vardbro::model::name::Name;
use vardbro::model::personal::Personal;
use vardbro::model::raw::{Incoming, RawEvent, Verdict};
use vardbro::model::regime::Regime;
use vardbro::model::state::State;
use vardbro::model::time::Clock;
use vardbro::seal::{Validator, XsdValidator};
use vardbro::store::{Attempt, Claimed, Finish, Keys, Room, Store, StoreKey};

const BATCH: usize = 256;
/// A stay with everything, in its order.
const STAY: [&str; 20] = [
    "K-VB", "R-IN", "K-KV", "K-PU", "R-FV", "R-PM", "K-PM", "R-BU", "K-RB", "R-KS", "K-SV", "K-SIP", "R-UK", "K-KV", "K-CL", "K-AD",
    "K-HT", "R-UM", "R-UI", "R-UT",
];
const BEGIN: &str = "2026-03-09T08:00:00+01:00";

struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn main() {
    let episodes: usize = std::env::var("EPISODES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let examples: Vec<Value> = STAY.iter().map(|kind| example(kind)).collect();
    // Twenty rounds over all episodes: events of one episode come far apart, as they do.
    let records: Vec<RawEvent> = (0..STAY.len())
        .flat_map(|step| (0..episodes).map(move |episode| (step, episode)))
        .map(|(step, episode)| record(&examples[step], step, episode))
        .collect();
    let bytes: usize = records.iter().map(|record| content(record).len()).sum();
    println!("{} events in {episodes} episodes, {} MB", records.len(), bytes / 1_000_000);

    let folder = tempfile::tempdir().expect("a folder");
    let settings = vardbro::config::parse(
        &std::fs::read_to_string(root().join("fixtures/vardbro.toml")).expect("a configuration"),
        Path::new("."),
        Vec::new(),
    )
    .expect("a configuration");
    let sealed = std::env::var_os("PLAIN").is_none();
    let ring = sealed.then(|| StoreKey::new(&[8; 32]).expect("a key")).into_iter().collect();
    let keys = Keys::new(ring, Arc::new(SystemDice)).with_reference([7; 32]);
    let store = match std::env::var("POSTGRES") {
        Ok(url) => Store::open_postgres(&url, &keys),
        Err(_) => Store::open(&folder.path().join("bench.db"), &keys),
    };
    let store = store.expect("a store");
    let clock = Arc::new(Standing(BEGIN.parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(120)));
    let mut intake =
        Intake::new(vardbro::daemon::desk(&settings).expect("a desk"), store.clone(), Box::new(XsdValidator::message()), clock);
    let (mut accepted, begun) = (0, Instant::now());
    for batch in records.chunks(BATCH) {
        let incoming: Vec<_> = batch.iter().flat_map(read).collect();
        let verdicts = intake.batch(&incoming).expect("a working store");
        accepted += verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count();
    }
    let took = begun.elapsed();
    assert_eq!(accepted, records.len(), "every event is accepted");
    let how = if sealed { "sealed" } else { "plain" };
    println!("intake, {how}: {:.0} events/s ({:.1} s), peak memory {} MB", rate(accepted, took), took.as_secs_f64(), peak_mb());
    parts(&records, &intake.desk.rules.regime, took);
    tokio::runtime::Runtime::new().expect("a runtime").block_on(outcomes(&store));
}

/// Outcomes of everything that waits, every other group with a row in the audit log: what that row takes.
async fn outcomes(store: &Store) {
    let (now, mut took, mut count) =
        (BEGIN.parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(121), [Duration::ZERO; 2], [0; 2]);
    let destination = Name::parse("region").expect("a name");
    for group in 0..400u32 {
        let mut token = [0; 16];
        token[..4].copy_from_slice(&group.to_be_bytes());
        let room = Room { sends: BATCH, asks: 0 };
        let claims =
            store.claim(destination.clone(), now, now + SignedDuration::from_hours(1), token, room).await.expect("a working store");
        if claims.claimed.len() < BATCH {
            break;
        }
        let disclosed = group % 2 == 0;
        let begun = Instant::now();
        let mut ending = tokio::task::JoinSet::new();
        for claimed in claims.claimed {
            let store = store.clone();
            ending.spawn(async move { store.finish(accepted(&claimed, now, disclosed)).await });
        }
        count[usize::from(disclosed)] += ending.join_all().await.into_iter().filter(|done| *done == Ok(true)).count();
        took[usize::from(disclosed)] += begun.elapsed();
    }
    let each = |which: usize| took[which].as_secs_f64() * 1e6 / f64::from(u32::try_from(count[which].max(1)).expect("small"));
    println!("outcomes: {:.0} µs each without a row in the audit log, {:.0} µs with one ({} and {})", each(0), each(1), count[0], count[1]);
    let begun = Instant::now();
    let verified = store.verify_audit(None).expect("a working store");
    assert!(verified.broken.is_none(), "the chain holds");
    println!("verified {} rows in {:.2} s", verified.rows, begun.elapsed().as_secs_f64());
}

fn accepted(claimed: &Claimed, at: Timestamp, disclosed: bool) -> Finish {
    let attempt = Attempt {
        envelope: None,
        started_at: at,
        duration_ms: 20,
        answer: "accepted",
        disclosed,
        code: None,
        http_status: Some(200),
        receipt: Some(Personal::new(vec![b'x'; 700])),
    };
    Finish {
        id: claimed.id,
        token: claimed.token,
        state: State::Accepted,
        next_at: None,
        waiting: None,
        in_doubt: false,
        unburn: false,
        code: None,
        findings: Vec::new(),
        attempt: Some(attempt),
        at,
        lines: Vec::new(),
    }
}

/// As a source's thread does.
fn read(raw: &RawEvent) -> Vec<Incoming> {
    Document::read(raw, &Mapping::canonical(), Limits::default(), jiff::civil::date(2026, 3, 14)).incoming()
}

/// What the pure parts take by themselves, as shares of the whole.
fn parts(records: &[RawEvent], regime: &Regime, whole: Duration) {
    let now = BEGIN.parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(120);
    let today = jiff::civil::date(2026, 3, 14);
    let sample: Vec<&RawEvent> = records.iter().step_by(records.len().div_ceil(20_000)).collect();
    let scale = f64::from(u32::try_from(records.len()).expect("small")) / f64::from(u32::try_from(sample.len()).expect("small"));
    let share = |name: &str, took: Duration| {
        println!("  {name}: {:.1} s, {:.0} %", took.as_secs_f64() * scale, 100.0 * took.as_secs_f64() * scale / whole.as_secs_f64());
    };
    let begun = Instant::now();
    let events: Vec<_> = sample.iter().map(|record| map::read(content(record), 32, today).expect("a sound event").event).collect();
    share("read and map", begun.elapsed());
    let key = ReferenceKey::new(&[7; 32]);
    let stay: Vec<_> = STAY.iter().map(|kind| map::read(example(kind).to_string().as_bytes(), 32, today).expect("sound").event).collect();
    let mut facts = Vec::new();
    for (step, event) in stay.iter().enumerate() {
        let mut event = event.clone();
        event.head.event_id.0 = Personal::new(format!("E{step}"));
        episode::add(&mut facts, episode::fact(&event, &Links::of(&event, &key), 1, &[]));
    }
    let begun = Instant::now();
    for place in 0..events.len() {
        // As in intake: as it was, as it is now; an episode is half grown on the mean.
        let half = &facts[..(place % STAY.len()).max(1)];
        std::hint::black_box((fold(half, regime, now), fold(half, regime, now)));
    }
    share("fold, twice an event", begun.elapsed());
    let begun = Instant::now();
    for place in 0..events.len() {
        let kept = serde_json::to_vec(&facts[..(place % STAY.len()).max(1)]).expect("JSON");
        let back: Vec<vardbro::model::episode::Fact> = serde_json::from_slice(&kept).expect("facts");
        std::hint::black_box(back);
    }
    share("facts to and from JSON", begun.elapsed());
    let story = root().join("fixtures/01-home-with-home-health-care/out");
    let documents: Vec<Vec<u8>> = std::fs::read_dir(story)
        .expect("a story")
        .map(|entry| std::fs::read(entry.expect("an entry").path()).expect("a document"))
        .collect();
    let mut validator = XsdValidator::message();
    // Eleven of the twenty events give rise to a message.
    let messages = events.len() * 11 / 20;
    let begun = Instant::now();
    for document in documents.iter().cycle().take(messages) {
        assert!(validator.validate(document).is_empty());
    }
    share("validate against the schema", begun.elapsed());
}

fn rate(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).expect("small")) / took.as_secs_f64()
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") / 1_000
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn example(kind: &str) -> Value {
    let text = std::fs::read_to_string(root().join(format!("fixtures/types/{kind}.json"))).expect("an example");
    serde_json::from_str(&text).expect("JSON")
}

/// One event: the example of its type, in its own case, at its own hour.
fn record(example: &Value, step: usize, episode: usize) -> RawEvent {
    let mut event = example.clone();
    let hours = i64::try_from(step).expect("small") * 5;
    let at = BEGIN.parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(hours);
    event["eventId"] = format!("E-{episode}-{step}").into();
    event["episodeRef"]["caseId"] = format!("C-{episode}").into();
    event["occurredAt"] = at.to_string().into();
    if event["type"].as_str().is_some_and(|kind| kind.starts_with("R-")) {
        event["sentAt"] = at.to_string().into();
        event["regionMessageId"] = format!("R-{episode}-{step}").into();
    }
    for name in ["corrects", "cancels", "refTo"] {
        event.as_object_mut().expect("an object").remove(name);
    }
    RawEvent {
        source: Name::parse("bench").expect("a name"),
        origin: Personal::new(format!("{episode}-{step}.json")),
        body: Ok(Personal::new(event.to_string().into_bytes())),
        form: None,
        may_grow: false,
    }
}

#[expect(clippy::disallowed_methods, reason = "the bench made it")]
fn content(record: &RawEvent) -> &[u8] {
    record.body.as_ref().expect("bytes").disclose()
}
