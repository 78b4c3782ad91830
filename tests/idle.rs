//! A closed route with nothing left to try it with: the loop of a destination sleeps.

#[expect(dead_code, reason = "the stories use the rest")]
#[path = "support/world.rs"]
mod world;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use vardbro::deliver::{Driver, Policy};
use vardbro::model::answer::{Answer, RouteFault};
use vardbro::model::dice::SystemDice;
use vardbro::model::name::Name;
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::model::time::{Clock, SystemClock};
use vardbro::store::Filter;
use vardbro::transport::{Envelope, Question, Reply, Transport};
use world::{World, fixtures};

struct Down;

impl Transport for Down {
    async fn send(&self, _: Envelope) -> Reply {
        Reply::bare(Answer::RouteDown { fault: RouteFault::Status(503), retry_after: None }, Some(503))
    }

    async fn ask(&self, _: Question) -> Reply {
        Reply::bare(Answer::Absent, Some(404))
    }

    fn looks_up(&self) -> bool {
        false
    }
}

/// Counts how often it is asked; the loop asks in every turn.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Clock for Counting {
    fn now(&self) -> jiff::Timestamp {
        self.0.fetch_add(1, Ordering::SeqCst);
        SystemClock.now()
    }
}

#[test]
fn a_closed_route_without_messages_is_not_tried_in_a_frenzy() {
    // Released long ago by the world's clock, so that the first failure parks it.
    let mut world = World::new("vanersborg/2026.1", "2026-06-01T12:00:00+02:00".parse().expect("a time"));
    for file in ["02-r-in.json", "01-k-pu.json"] {
        let bytes = fs::read(fixtures().join("planning-data-before-admission/in").join(file)).expect("a fixture");
        assert_eq!(world.hand_in(file, bytes), Verdict::Accepted);
    }
    let second = Duration::from_secs(1);
    let policy = Policy {
        max_attempts: 3,
        max_age: second,
        receipt_deadline: second,
        retry_base: second,
        retry_cap: second,
        probe_cap: second,
        lease: second,
        in_flight: 4,
    };
    let clock = Arc::new(Counting::default());
    let driver = Driver {
        destination: Name::parse("region").expect("a name"),
        transport: Arc::new(Down),
        store: world.store.clone(),
        policy: Arc::new(policy),
        clock: clock.clone(),
        dice: Arc::new(SystemDice),
        metrics: Arc::default(),
        route: std::sync::Mutex::default(),
        alarms: tokio::sync::Mutex::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn(driver.run(stopped));
        // Past the first probe, 0.9 s after the failure.
        tokio::time::sleep(Duration::from_millis(1_400)).await;
        let _ = stop.send(true);
        running.await.expect("no panic");
    });
    let rows = world.store.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store");
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Parked]);
    let asked = clock.0.load(Ordering::SeqCst);
    assert!(asked < 50, "the clock was asked {asked} times");
}
