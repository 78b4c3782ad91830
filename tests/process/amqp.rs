//! RabbitMQ as a source. `VARDBRO_TEST_AMQP` names the server (`amqp://name:password@host:port`); without it the one on this machine is
//! tried. In CI it must be there.

#![expect(clippy::print_stderr, reason = "says that it skips")]

use super::messages::{self, PATIENCE, Said, Sent, Server};
use super::world::{World, admission, planning, wait};
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A queue for events, one for answers, and one that messages name for theirs.
struct Amqp {
    url: String,
    name: String,
    folder: TempDir,
    runtime: Runtime,
    _connection: Connection,
    channel: Channel,
    said: Mutex<Vec<(Option<String>, Vec<u8>)>>,
}

impl Amqp {
    fn publish_to(&self, queue: &str, sent: &[Sent]) {
        let [_, answers] = self.queues();
        self.runtime.block_on(async {
            let mut under_way = Vec::new();
            for sent in sent {
                let mut properties = BasicProperties::default()
                    .with_correlation_id(sent.id.as_str().into())
                    .with_reply_to(answers.as_str().into())
                    .with_delivery_mode(2);
                if let Some(kind) = sent.content_type {
                    properties = properties.with_content_type(kind.into());
                }
                let sent = self.channel.basic_publish("".into(), queue.into(), BasicPublishOptions::default(), &sent.body, properties);
                under_way.push(sent.await.expect("sent"));
            }
            for sent in under_way {
                assert!(sent.await.expect("stored").is_ack());
            }
        });
    }

    fn queues(&self) -> [String; 2] {
        [self.name.clone(), format!("{}_answers", self.name)]
    }
}

impl Server for Amqp {
    fn open() -> Option<Self> {
        let url = std::env::var("VARDBRO_TEST_AMQP").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672".to_owned());
        let name = format!("vardbro_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let runtime = Runtime::new().expect("a runtime");
        let connected = runtime.block_on(async {
            let connection = Connection::connect(&format!("{url}/%2f"), ConnectionProperties::default()).await?;
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok::<_, lapin::Error>((connection, channel))
        });
        let (connection, channel) = match connected {
            Ok(connected) => connected,
            Err(fault) => {
                assert!(std::env::var_os("CI").is_none(), "no RabbitMQ in CI: {fault}");
                eprintln!("skipped: no RabbitMQ is to be had");
                return None;
            }
        };
        let folder = tempfile::tempdir().expect("a folder");
        let server = Self { url, name, folder, runtime, _connection: connection, channel, said: Mutex::default() };
        // The two kinds that there are: replicated, and of one server.
        for (queue, kind) in server.queues().iter().zip(["quorum", "classic"]) {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
            if kind == "quorum" {
                arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
            }
            let made = server.channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments);
            server.runtime.block_on(made).expect("a queue");
        }
        Some(server)
    }

    fn place(&self) -> String {
        self.url.rsplit_once('@').expect("a place").1.to_owned()
    }

    fn source(&self, port: Option<u16>, configured: bool) -> String {
        let url = port.map_or_else(|| self.url.clone(), |port| self.url.replace(&self.place(), &format!("127.0.0.1:{port}")));
        let file = self.folder.path().join("url");
        std::fs::write(&file, format!("{url}/%2f\n")).expect("written");
        let [queue, answers] = self.queues();
        let answers = if configured { format!("answer_queue = \"{answers}\"") } else { String::new() };
        format!("kind = \"amqp\"\nurl_file = \"{}\"\nqueue = \"{queue}\"\n{answers}", file.display())
    }

    fn publish(&self, sent: &[Sent]) {
        self.publish_to(&self.name, sent);
    }

    fn answers(&self) -> Vec<Said> {
        let [_, answers] = self.queues();
        let mut said = self.said.lock().expect("nobody panicked");
        self.runtime.block_on(async {
            while let Some(got) = self.channel.basic_get(answers.as_str().into(), BasicGetOptions { no_ack: true }).await.expect("asked") {
                let correlation = got.properties.correlation_id().as_ref().map(|id| id.as_str().to_owned());
                said.push((correlation, got.data.clone()));
            }
        });
        said.iter().map(|(id, body)| Said { correlation: id.clone(), body: serde_json::from_slice(body).expect("JSON") }).collect()
    }

    fn left(&self) -> usize {
        let [queue, _] = self.queues();
        let mut left = 0;
        // What was in the hands of a reader that has gone is counted once the server has put it back.
        std::thread::sleep(Duration::from_millis(500));
        self.runtime.block_on(async {
            let ask = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            left = self.channel.queue_declare(queue.as_str().into(), ask, FieldTable::default()).await.expect("asked").message_count();
        });
        usize::try_from(left).expect("few")
    }
}

impl Drop for Amqp {
    fn drop(&mut self) {
        for queue in self.queues() {
            let _ = self.runtime.block_on(self.channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()));
        }
    }
}

#[test]
fn amqp_events_are_taken_and_answered() {
    messages::events_are_taken_and_answered::<Amqp>(true);
}

#[test]
fn amqp_answers_go_where_a_message_says() {
    messages::events_are_taken_and_answered::<Amqp>(false);
}

#[test]
fn amqp_kills_lose_nothing() {
    messages::kills_lose_nothing::<Amqp>("kill -9, RabbitMQ as the source");
}

#[test]
fn amqp_poison_holds_up_nothing() {
    messages::poison_holds_up_nothing::<Amqp>("poison, RabbitMQ as the source");
}

#[test]
fn amqp_cuts_lose_nothing() {
    messages::cuts_lose_nothing::<Amqp>("connection cut, RabbitMQ as the source");
}

/// A second reader would break the order. A queue of one server does not let it in, and it says so; a replicated one with a single
/// active consumer gives it nothing.
#[test]
fn amqp_a_queue_has_one_reader() {
    let Some(server) = Amqp::open() else { return };
    let [replicated, classic] = server.queues();
    for queue in [&replicated, &classic] {
        let source = server.source(None, false).replace(&replicated, queue);
        let (first, second) = (World::reading(&source, "", ""), World::reading(&source, "", ""));
        let _first = first.daemon();
        server.publish_to(queue, &[Sent::new("M-1", admission("HSL-1", "E-1", 1))]);
        wait("the message to be taken", PATIENCE, || first.count("event") == 1);
        let _second = second.daemon();
        if *queue == classic {
            wait("the trouble to be told", PATIENCE, || second.oplog().iter().any(|line| line["code"] == "VB-SRC-017"));
        } else {
            // Both have their place at the queue before there is something to take.
            std::thread::sleep(Duration::from_secs(2));
        }
        let more: Vec<_> = (2..12).map(|n| Sent::new(&format!("M-{n}"), planning("HSL-1", &format!("E-{n}"), n))).collect();
        server.publish_to(queue, &more);
        wait("the messages to be taken", PATIENCE, || first.count("event") == 11);
        assert_eq!(second.count("event"), 0);
    }
}
