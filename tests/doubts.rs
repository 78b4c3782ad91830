//! A message in doubt since a restore is not sent before the receiver has said that it does not have it.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

#[expect(dead_code, reason = "the stories use the rest")]
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vardbro::deliver::{Driver, Policy, Steps};
use vardbro::model::answer::{Answer, RouteFault};
use vardbro::model::dice::SystemDice;
use vardbro::model::name::Name;
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::model::time::Clock;
use vardbro::store::Filter;
use vardbro::transport::{Envelope, Question, Reply, Transport};
use world::{World, fixtures};

/// What it answers to questions, and what was done with it.
struct Script {
    answers: Mutex<Vec<Answer>>,
    looks_up: bool,
    done: Mutex<Vec<&'static str>>,
}

impl Transport for Script {
    async fn send(&self, _: Envelope) -> Reply {
        self.done.lock().expect("a list").push("sent");
        Reply::bare(Answer::Accepted, Some(200))
    }

    async fn ask(&self, _: Question) -> Reply {
        self.done.lock().expect("a list").push("asked");
        Reply::bare(self.answers.lock().expect("a list").remove(0), None)
    }

    fn looks_up(&self) -> bool {
        self.looks_up
    }
}

/// A clock that goes a minute further whenever it is looked at.
struct Going(Mutex<jiff::Timestamp>);

impl Clock for Going {
    fn now(&self) -> jiff::Timestamp {
        let mut at = self.0.lock().expect("a time");
        *at += Duration::from_mins(1);
        *at
    }
}

/// Restores a store with one message in its lane, and delivers. What was done, and where the message stands.
fn deliver(looks_up: bool, answers: Vec<Answer>) -> (Vec<&'static str>, State, Option<String>) {
    let now = "2026-06-01T12:00:00+02:00".parse().expect("a time");
    let mut world = World::new("vanersborg/2026.1", now);
    for file in ["02-r-in.json", "01-k-pu.json"] {
        let bytes = fs::read(fixtures().join("planning-data-before-admission/in").join(file)).expect("a fixture");
        assert_eq!(world.hand_in(file, bytes), Verdict::Accepted);
    }
    assert_eq!(world.store.mark_restored(vardbro::ops::restored(now, None, vardbro::store::Who::daemon())).expect("a working store"), 1);
    let second = Duration::from_secs(1);
    let policy = Policy {
        max_attempts: 9,
        max_age: Duration::from_hours(24),
        receipt_deadline: second,
        retry_base: second,
        retry_cap: second,
        probe_cap: second,
        lease: Duration::from_hours(1),
        in_flight: 4,
    };
    let transport = Arc::new(Script { answers: Mutex::new(answers), looks_up, done: Mutex::default() });
    let mut steps = Steps::new(Driver {
        destination: Name::parse("region").expect("a name"),
        transport: Arc::clone(&transport),
        store: world.store.clone(),
        policy: Arc::new(policy),
        clock: Arc::new(Going(Mutex::new(now))),
        dice: Arc::new(SystemDice),
        metrics: Arc::default(),
        route: Mutex::default(),
        alarms: tokio::sync::Mutex::default(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for _ in 0..8 {
        runtime.block_on(steps.round()).expect("a working store");
    }
    let row = world.store.deliveries(&Filter { limit: 1, ..Filter::default() }).expect("a working store").remove(0);
    let done = transport.done.lock().expect("a list").clone();
    (done, row.state, row.code)
}

#[test]
fn what_is_in_doubt_is_asked_for_until_there_is_an_answer() {
    let closed = || Answer::RouteDown { fault: RouteFault::Status(503), retry_after: None };
    let failed = || Answer::ServerError { status: 500 };
    let done = deliver(true, vec![closed(), failed(), Answer::Lost, closed(), Answer::Absent]);
    assert_eq!(done, (vec!["asked", "asked", "asked", "asked", "asked", "sent"], State::Accepted, None));
    let done = deliver(true, vec![failed(), Answer::Conflict { proved: true }]);
    assert_eq!(done, (vec!["asked", "asked"], State::Accepted, None));
    let done = deliver(true, vec![Answer::Conflict { proved: false }]);
    assert_eq!(done, (vec!["asked"], State::Parked, Some("VB-DLV-014".to_owned())));
}

#[test]
fn where_nobody_can_be_asked_it_is_set_aside() {
    assert_eq!(deliver(false, Vec::new()), (Vec::new(), State::Parked, Some("VB-STO-007".to_owned())));
}
