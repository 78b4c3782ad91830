//! NATS JetStream as a source. `VARDBRO_TEST_NATS` names the server (`host:port`); without it the one on this machine is tried. In CI it
//! must be there.

#![expect(clippy::print_stderr, reason = "says that it skips")]

use super::messages::{self, Said, Sent, Server};
use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, Context, stream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A stream for events and one for answers.
struct Nats {
    place: String,
    name: String,
    runtime: Runtime,
    jetstream: Context,
}

impl Nats {
    fn answers_to(&self) -> String {
        format!("{}_answers", self.name)
    }
}

impl Server for Nats {
    fn open() -> Option<Self> {
        let place = std::env::var("VARDBRO_TEST_NATS").unwrap_or_else(|_| "127.0.0.1:4222".to_owned());
        let name = format!("vardbro_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let runtime = Runtime::new().expect("a runtime");
        let client = match runtime.block_on(async_nats::connect(&place)) {
            Ok(client) => client,
            Err(fault) => {
                assert!(std::env::var_os("CI").is_none(), "no NATS in CI: {fault}");
                eprintln!("skipped: no NATS is to be had");
                return None;
            }
        };
        let jetstream = runtime.block_on(async { jetstream::new(client) });
        let server = Self { place, name, runtime, jetstream };
        for (name, subject) in
            [(server.name.clone(), format!("{}.>", server.name)), (server.answers_to(), format!("{}.>", server.answers_to()))]
        {
            let made = stream::Config { name, subjects: vec![subject], ..stream::Config::default() };
            server.runtime.block_on(server.jetstream.create_stream(made)).expect("a stream");
        }
        Some(server)
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    fn source(&self, port: Option<u16>, configured: bool) -> String {
        let place = port.map_or_else(|| self.place.clone(), |port| format!("127.0.0.1:{port}"));
        let answers = if configured { format!("answer_subject = \"{}.all\"", self.answers_to()) } else { String::new() };
        let name = &self.name;
        format!(
            "kind = \"nats\"\nurl = \"nats://{place}\"\nstream = \"{name}\"\nconsumer = \"vardbro\"\nsubject = \"{name}.events\"\n{answers}"
        )
    }

    fn publish(&self, sent: &[Sent]) {
        self.runtime.block_on(async {
            let mut under_way = Vec::new();
            for sent in sent {
                let mut headers = HeaderMap::new();
                headers.insert("Correlation-Id", sent.id.as_str());
                headers.insert("Reply-To", format!("{}.asked", self.answers_to()));
                if let Some(kind) = sent.content_type {
                    headers.insert("Content-Type", kind);
                }
                let subject = format!("{}.events", self.name);
                under_way.push(self.jetstream.publish_with_headers(subject, headers, sent.body.clone().into()).await.expect("sent"));
            }
            for sent in under_way {
                sent.await.expect("stored");
            }
        });
    }

    fn answers(&self) -> Vec<Said> {
        self.runtime.block_on(async {
            let mut stream = self.jetstream.get_stream(self.answers_to()).await.expect("a stream");
            let last = stream.info().await.expect("known").state.last_sequence;
            let mut all = Vec::new();
            for place in 1..=last {
                let message = stream.get_raw_message(place).await.expect("a message");
                let correlation = message.headers.get("Correlation-Id").map(|id| id.as_str().to_owned());
                all.push(Said { correlation, body: serde_json::from_slice(&message.payload).expect("JSON") });
            }
            all
        })
    }

    fn left(&self) -> usize {
        self.runtime.block_on(async {
            let stream = self.jetstream.get_stream(&self.name).await.expect("a stream");
            let info = stream.consumer_info("vardbro").await.expect("a consumer");
            info.num_ack_pending + usize::try_from(info.num_pending).expect("few")
        })
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for name in [self.name.clone(), self.answers_to()] {
            let _ = self.runtime.block_on(self.jetstream.delete_stream(name));
        }
    }
}

#[test]
fn nats_events_are_taken_and_answered() {
    messages::events_are_taken_and_answered::<Nats>(true);
}

#[test]
fn nats_answers_go_where_a_message_says() {
    messages::events_are_taken_and_answered::<Nats>(false);
}

#[test]
fn nats_kills_lose_nothing() {
    messages::kills_lose_nothing::<Nats>("kill -9, NATS as the source");
}

#[test]
fn nats_poison_holds_up_nothing() {
    messages::poison_holds_up_nothing::<Nats>("poison, NATS as the source");
}

#[test]
fn nats_cuts_lose_nothing() {
    messages::cuts_lose_nothing::<Nats>("connection cut, NATS as the source");
}

/// A consumer that gives up on messages would lose them: it is not used, and nothing is taken.
#[test]
fn nats_a_consumer_that_could_lose_is_not_used() {
    let Some(server) = Nats::open() else { return };
    let made = pull::Config {
        durable_name: Some("vardbro".to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_deliver: 3,
        ..pull::Config::default()
    };
    server.runtime.block_on(server.jetstream.create_consumer_on_stream(made, &server.name)).expect("a consumer");
    let world = super::world::World::reading(&server.source(None, true), "", "");
    let daemon = world.daemon();
    server.publish(&[Sent::new("M-1", super::world::admission("HSL-1", "E-1", 1))]);
    super::world::wait("the trouble to be told", Duration::from_secs(20), || world.oplog().iter().any(|line| line["code"] == "VB-SRC-018"));
    daemon.stop();
    assert_eq!((server.left(), world.count("event")), (1, 0));
}
