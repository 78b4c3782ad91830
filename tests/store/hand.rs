//! Entries, claims and ends made by hand: everything that a clause needs of the store's types, in few words.

use jiff::{Timestamp, ToSpan};
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;
use vardbro::fault::Code;
use vardbro::model::catalogue::EventType;
use vardbro::model::episode::Phase;
use vardbro::model::finding::{Effect, Finding, Layer};
use vardbro::model::ids::{EnvelopeId, EpisodeId, MessageId};
use vardbro::model::keyed::{Domain, Ref, ReferenceKey};
use vardbro::model::name::Name;
use vardbro::model::personal::Personal;
use vardbro::model::receipt::ContentHash;
use vardbro::model::state::State;
use vardbro::oplog::{Event, Level, Line};
use vardbro::seal::Checked;
use vardbro::store::{
    Attempt, Change, ChangeTo, Claimed, Claims, Committed, DeliveryRow, Entry, EpisodeWrite, Filter, Finish, NewDelivery, NewEvent,
    Release, Room, Store,
};

/// So many minutes into the test.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    "2026-03-12T10:00:00Z".parse::<Timestamp>().expect("a time") + minutes.minutes()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

/// The reference of a source event or a patient.
pub(crate) fn reference(of: &str) -> Ref {
    ReferenceKey::new(&[7; 32]).reference(Domain::Event, &[&Personal::new(of.to_owned())])
}

/// The message that is made of an event.
pub(crate) fn message(of: &str) -> MessageId {
    let hash = ContentHash::of(of.as_bytes());
    MessageId(Uuid::from_slice(&hash.as_bytes()[..16]).expect("sixteen bytes"))
}

pub(crate) fn case(number: u8) -> EpisodeId {
    EpisodeId(Uuid::from_bytes([number; 16]))
}

pub(crate) fn line(event: Event) -> Line {
    Line::new(minute(0), Level::Info, event)
}

pub(crate) fn remarks() -> Vec<Finding> {
    vec![Code::DlvRejected.finding(Effect::Warn, Layer::Delivery, None)]
}

/// An event of a case whose version was `from`, taken in at `minute(at)`, with nothing to send.
pub(crate) fn entry(number: u8, from: u64, event: &str, at: i64) -> Entry {
    Entry {
        at: minute(at),
        event: Some(NewEvent {
            key: reference(event),
            version: 1,
            hash: *ContentHash::of(event.as_bytes()).as_bytes(),
            kind: EventType::KAd,
            episode: case(number),
            source: name("journal"),
            origin: Personal::new(format!("{event}.json")),
            mapping: "canonical".to_owned(),
            body: Personal::new(b"{}".to_vec()),
            findings: Vec::new(),
            occurred_at: minute(at),
            received_at: minute(at),
        }),
        episode: Some(moved(number, from)),
        deliveries: Vec::new(),
        changes: Vec::new(),
        lines: Vec::new(),
        hold: None,
        alarms: Vec::new(),
        rejected: None,
        answers: None,
    }
}

/// A case that goes on from a version.
pub(crate) fn moved(number: u8, from: u64) -> EpisodeWrite {
    EpisodeWrite {
        id: case(number),
        from,
        phase: Phase::Planning,
        rules: "vanersborg/2026.1".to_owned(),
        body: Personal::new(format!("{{\"from\":{from}}}").into_bytes()),
        look_at: None,
        patient: None,
    }
}

/// An entry that only changes what is there.
pub(crate) fn changing(number: u8, from: u64, changes: Vec<Change>) -> Entry {
    Entry { event: None, changes, ..entry(number, from, "", 5) }
}

pub(crate) fn change(event: &str, to: ChangeTo) -> Change {
    let told = Line { message_id: Some(message(event)), ..line(Event::MessageSuperseded) };
    Change { message: message(event), destination: name("region"), to, line: Some(told) }
}

/// What a message says.
pub(crate) fn content(of: &str) -> Vec<u8> {
    format!("<content>{of}</content>").into_bytes()
}

pub(crate) fn release(event: &str, sequence: u64) -> Release {
    let bytes = content(event);
    let hash = ContentHash::of(&bytes);
    let checked = Checked::restore(message(event), Personal::new(bytes), hash).expect("the hash holds");
    Release { sequence, checked, subject: Personal::new(subject().to_string().into_bytes()) }
}

/// Whom every message here is about, and whom it is for.
pub(crate) fn subject() -> serde_json::Value {
    serde_json::json!({"patient": {"id": PERSON, "idType": "personnummer"}, "recipients": [{"hsaId": "SE2321000131-T200", "party": "SV"}]})
}

pub(crate) const PERSON: &str = "193812217044";

/// The event's message in its lane, as number `sequence`.
pub(crate) fn queued(event: &str, sequence: u64) -> NewDelivery {
    NewDelivery { state: State::Scheduled, release: Some(release(event, sequence)), ..withheld(event) }
}

pub(crate) fn withheld(event: &str) -> NewDelivery {
    NewDelivery {
        message: message(event),
        destination: name("region"),
        kind: EventType::KAd,
        version: 1,
        state: State::Withheld,
        rules: "vanersborg/2026.1".to_owned(),
        rules_hash: "00".to_owned(),
        release: None,
        findings: Vec::new(),
        useful_until: None,
    }
}

/// An event with its message in the lane.
pub(crate) fn sending(number: u8, sequence: u64, event: &str, at: i64) -> Entry {
    Entry { deliveries: vec![queued(event, sequence)], ..entry(number, sequence - 1, event, at) }
}

/// Commits one entry; whether it stands.
pub(crate) fn commit(store: &Store, entry: Entry) -> bool {
    matches!(store.commit(vec![entry]).expect("a working store")[..], [Committed::Done(_)])
}

/// A case with messages in its lane, one an event, all due at once.
pub(crate) fn lane(store: &Store, number: u8, events: &[&str]) {
    for (sequence, event) in (1..).zip(events) {
        assert!(commit(store, sending(number, sequence, event, 0)), "{event}");
    }
}

/// Waits for the store.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work)
}

static TOKEN: AtomicU64 = AtomicU64::new(1);

/// Takes what is due at `minute(now)`, ten minutes long, under a token that nobody else has.
pub(crate) fn claims(store: &Store, now: i64, limit: usize) -> Claims {
    let mut token = [0; 16];
    token[8..].copy_from_slice(&TOKEN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    wait(store.claim(name("region"), minute(now), minute(now + 10), token, Room { sends: limit, asks: limit })).expect("a working store")
}

pub(crate) fn claim(store: &Store, now: i64) -> Vec<Claimed> {
    claims(store, now, 100).claimed
}

/// Takes the one delivery that is due.
#[track_caller]
pub(crate) fn take(store: &Store, now: i64) -> Claimed {
    let mut claimed = claim(store, now);
    assert_eq!(claimed.len(), 1, "one is due");
    claimed.remove(0)
}

pub(crate) fn messages(claimed: &[Claimed]) -> Vec<MessageId> {
    claimed.iter().map(|claimed| claimed.message).collect()
}

/// How a try ends, with the attempt and a line that tells of it.
pub(crate) fn ending(claimed: &Claimed, state: State, at: i64) -> Finish {
    Finish {
        id: claimed.id,
        token: claimed.token,
        state,
        next_at: state.in_lane().then(|| minute(at + 30)),
        waiting: None,
        in_doubt: claimed.in_doubt && state.in_lane(),
        unburn: false,
        code: None,
        findings: Vec::new(),
        attempt: Some(attempt("accepted")),
        at: minute(at),
        lines: vec![Line { message_id: Some(claimed.message), ..line(Event::DeliveryAttempt) }],
    }
}

pub(crate) fn attempt(answer: &'static str) -> Attempt {
    Attempt {
        envelope: Some(EnvelopeId(Uuid::from_bytes([9; 16]))),
        started_at: minute(1),
        duration_ms: 17,
        answer,
        disclosed: true,
        code: Some(Code::DlvLost.id()),
        http_status: Some(200),
        receipt: Some(Personal::new(b"<receipt/>".to_vec())),
    }
}

/// Ends a try; whether the lease was still ours.
pub(crate) fn finish(store: &Store, finish: Finish) -> bool {
    wait(store.finish(finish)).expect("a working store")
}

/// The delivery of an event's message as people see it.
#[track_caller]
pub(crate) fn row(store: &Store, event: &str) -> DeliveryRow {
    let filter = Filter { message: Some(message(event).to_string()), limit: 1, ..Filter::default() };
    store.deliveries(&filter).expect("a working store").pop().expect("a delivery")
}

#[track_caller]
pub(crate) fn state(store: &Store, event: &str) -> State {
    row(store, event).state
}

/// How often a line of this kind stands in the journal.
pub(crate) fn told(store: &Store, event: Event) -> usize {
    let lines = store.journal(&Filter { limit: 10_000, ..Filter::default() }).expect("a working store");
    let named = format!("\"event\":\"{}\"", event.code());
    lines.iter().filter(|row| row.line.contains(&named)).count()
}
