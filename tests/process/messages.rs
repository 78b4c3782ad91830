//! What holds for every source that reads from a message server, told with real servers.

use super::figures::{EPISODES, Random, event_of, files_in, now};
use super::gate::{Gate, Mode};
use super::world::{World, admission, planning, wait};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4";
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const KILLS: usize = 8;
const CUTS: usize = 6;
const MESSAGES: usize = 400;

/// A message as it is published.
pub(crate) struct Sent {
    /// What its sender knows it by.
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: Option<&'static str>,
}

impl Sent {
    pub(crate) fn new(id: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { id: id.to_owned(), body: body.into(), content_type: None }
    }
}

/// An answer as it has come.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) correlation: Option<String>,
    pub(crate) body: Value,
}

/// A message server, with a stream or queue of the test's own that is removed with it.
pub(crate) trait Server: Sized {
    /// None where no server is to be had, outside CI.
    fn open() -> Option<Self>;
    /// Host and port.
    fn place(&self) -> String;
    /// The source's keys, to the server itself or through a port of this machine. Answers go to the configured place, or to the one that
    /// each message names.
    fn source(&self, port: Option<u16>, configured: bool) -> String;
    fn publish(&self, sent: &[Sent]);
    /// All answers that have come so far, in order.
    fn answers(&self) -> Vec<Said>;
    /// Messages that nobody has acknowledged, while nobody reads.
    fn left(&self) -> usize;
}

fn numbered(files: std::ops::Range<usize>) -> Vec<Sent> {
    files.map(|file| Sent::new(&format!("M-{file}"), event_of(file, EPISODES))).collect()
}

fn codes(findings: &Value) -> Vec<&str> {
    findings.as_array().map_or_else(Vec::new, |all| all.iter().filter_map(|finding| finding["code"].as_str()).collect())
}

fn state(said: &Said) -> &str {
    said.body["messages"][0]["state"].as_str().unwrap_or_default()
}

/// Events go in, messages come out, and each change of fate is told, to the place that is configured or that the message names.
pub(crate) fn events_are_taken_and_answered<S: Server>(configured: bool) {
    let Some(server) = S::open() else { return };
    let world = World::reading(&server.source(None, configured), "timeout_s = 1", BOUNDS);
    let receiver = world.receiver("[[answer]]\nstatus = 503\ntimes = 0");
    let daemon = world.daemon();
    let bad = br#"{"eventId":"E-9","system":"test-journal","type":"X-XX"}"#;
    let lines = format!("{}\n{{\n", planning("HSL-1", "E-3", 3).replace('\n', ""));
    server.publish(&[
        Sent::new("M-1", admission("HSL-1", "E-1", 1)),
        Sent::new("M-2", planning("HSL-1", "E-2", 2)),
        Sent::new("bad", *bad),
        Sent { content_type: Some("application/x-ndjson; charset=utf-8"), ..Sent::new("lines", lines) },
    ]);
    let of = |answers: &[Said], id: &str, fate: &str| {
        answers.iter().any(|said| said.body["eventId"] == id && state(said) == fate && said.body["verdict"] == "accepted")
    };
    wait("the first answers", PATIENCE, || of(&server.answers(), "E-3", "SCHEDULED"));
    assert!(!of(&server.answers(), "E-2", "ACCEPTED"));
    drop(receiver);
    let _receiver = world.receiver("");
    wait("the later answers", PATIENCE, || ["E-2", "E-3"].iter().all(|id| of(&server.answers(), id, "ACCEPTED")));
    daemon.stop();
    assert_eq!(server.left(), 0);
    let answers = server.answers();
    let by = |id: &str, verdict: &str| {
        answers.iter().find(|said| said.correlation.as_deref() == Some(id) && said.body["verdict"] == verdict).map(|said| &said.body)
    };
    assert_eq!(by("M-2", "accepted").expect("an answer")["eventId"], "E-2");
    assert!(!codes(&by("bad", "rejected").expect("an answer")["findings"]).is_empty());
    let partly = by("lines", "partly").expect("an answer");
    assert_eq!((&partly["taken"], &partly["records"][0]["line"]), (&json!(1), &json!(2)));
    // Two of the three are the municipality's own messages.
    assert_eq!(files_in(&world.path("receiver/messages")), 2);
    assert_eq!(world.oplog().iter().filter(|line| line["event"] == "source.fault").count(), 0);
}

/// The program is killed again and again while messages flow.
pub(crate) fn kills_lose_nothing<S: Server>(name: &str) {
    let Some(server) = S::open() else { return };
    let world = World::reading(&server.source(None, true), "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let mut random = Random::new();
    server.publish(&numbered(0..EPISODES));
    for kill in 0..KILLS {
        let daemon = world.daemon();
        // It is there when they come, and killed with some of them in its hand.
        let first = EPISODES + kill * (MESSAGES - EPISODES) / KILLS;
        server.publish(&numbered(first..EPISODES + (kill + 1) * (MESSAGES - EPISODES) / KILLS));
        std::thread::sleep(random.pause(0..250));
        daemon.kill();
    }
    let (daemon, ended) = (world.daemon(), now());
    world.settle(&(EPISODES..MESSAGES), PATIENCE * 2);
    let told = || {
        server
            .answers()
            .iter()
            .filter(|said| state(said) == "ACCEPTED")
            .filter_map(|said| said.body["eventId"].as_str().map(str::to_owned))
            .collect::<BTreeSet<_>>()
    };
    wait("all to be told", PATIENCE, || told().len() == MESSAGES - EPISODES);
    daemon.stop();
    assert_eq!((server.left(), world.count("event")), (0, MESSAGES));
    world.figures(name, KILLS, ended, EPISODES..MESSAGES);
}

/// Messages that are no events stand between those that are: each is refused with its reason, and holds up nothing.
pub(crate) fn poison_holds_up_nothing<S: Server>(name: &str) {
    let Some(server) = S::open() else { return };
    let source = format!("{}\nmax_kb = 16", server.source(None, true));
    let world = World::reading(&source, "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let poisons: [(&str, Vec<u8>, Option<&'static str>); 5] = [
        ("VB-SRC-001", Vec::new(), None),
        ("VB-SRC-002", vec![b' '; 17 * 1024], None),
        ("VB-SRC-003", vec![b'{', 0xff, b'}'], None),
        ("VB-MAP", b"{\"eventId\":".to_vec(), Some("application/json")),
        ("VB-MAP", "[".repeat(10_000).into_bytes(), None),
    ];
    let mut sent = Vec::new();
    let mut expected = BTreeMap::new();
    for (file, good) in numbered(0..EPISODES * 4).into_iter().enumerate() {
        sent.push(good);
        if file % 4 == 1 {
            let (code, body, content_type) = poisons[file / 4 % poisons.len()].clone();
            let id = format!("P-{file}");
            sent.push(Sent { content_type, ..Sent::new(&id, body) });
            expected.insert(id, code);
        }
    }
    let daemon = world.daemon();
    server.publish(&sent);
    world.settle(&(EPISODES..EPISODES * 4), PATIENCE);
    daemon.stop();
    assert_eq!(server.left(), 0);
    let mut refused = BTreeMap::new();
    for said in server.answers().iter().filter(|said| said.body["verdict"] == "rejected") {
        let code = codes(&said.body["findings"]).first().map(ToString::to_string).expect("a reason");
        assert!(refused.insert(said.correlation.clone().expect("an id"), code).is_none(), "told twice: {said:?}");
    }
    for (id, code) in &expected {
        let said = refused.get(id).unwrap_or_else(|| panic!("{id} was not answered"));
        assert!(said.starts_with(code), "{id}: {said}");
    }
    assert_eq!(refused.len(), expected.len());
    world.figures(name, expected.len(), now(), EPISODES..EPISODES * 4);
}

/// The connection is cut again and again, and the program told to stop while there is none.
pub(crate) fn cuts_lose_nothing<S: Server>(name: &str) {
    let Some(server) = S::open() else { return };
    let place = server.place();
    let (host, port) = place.split_once(':').expect("a host and a port");
    let gate = Gate::new(&format!("host={host} port={port}"));
    let world = World::reading(&server.source(Some(gate.port), true), "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let mut random = Random::new();
    let daemon = world.daemon();
    server.publish(&numbered(0..EPISODES));
    for cut in 0..CUTS {
        let first = EPISODES + cut * (MESSAGES - EPISODES) / CUTS;
        server.publish(&numbered(first..EPISODES + (cut + 1) * (MESSAGES - EPISODES) / CUTS));
        std::thread::sleep(random.pause(0..150));
        gate.set(Mode::Shut);
        std::thread::sleep(random.pause(100..1500));
        gate.set(Mode::Open);
        std::thread::sleep(random.pause(500..3000));
    }
    let ended = now();
    world.settle(&(EPISODES..MESSAGES), PATIENCE * 2);
    let faults = || world.oplog().iter().filter(|line| line["event"] == "source.fault").count();
    // One line for each connection that was lost, however often it was tried to make it again.
    assert!((1..=CUTS).contains(&faults()), "{} lines", faults());
    let before = faults();
    gate.set(Mode::Shut);
    wait("the trouble to be told", PATIENCE, || faults() > before);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(faults(), before + 1);
    let start = Instant::now();
    daemon.stop();
    assert!(start.elapsed() < Duration::from_secs(8), "took {:?} to stop", start.elapsed());
    assert_eq!(world.count("event"), MESSAGES);
    world.figures(name, CUTS, ended, EPISODES..MESSAGES);
}
