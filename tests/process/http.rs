//! Events that are posted to the real daemon: every answer, the bounds, a daemon that is killed while clients post, and
//! clients that show no certificate.

use super::figures::{EPISODES, message_of, now};
use super::world::{Process, World, admission, planning, wait};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Identity, Method};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use vardbro::report::docs;

pub(crate) const TOKEN: &str = "the-secret-of-the-source-that-posts-events";
const OTHER: &str = "the-secret-of-another-source-of-this-daemon";

/// A world whose daemon takes events at an address of its own, from two sources.
pub(crate) struct Posted {
    pub(crate) world: World,
    pub(crate) port: u16,
    client: Client,
    runtime: Runtime,
}

/// What came back.
#[derive(Debug)]
struct Heard {
    status: u16,
    head: HeaderMap,
    body: Value,
}

impl Posted {
    /// `source` is added to the first source's configuration, `http` to that of the address.
    pub(crate) fn new(source: &str, http: impl Fn(&World) -> String, destination: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port();
        let world = World::new(&format!("timeout_s = 2\n{destination}"), "[retry]\nbase_s = 0.2\nlease_s = 5");
        let mut config = fs::read_to_string(world.path("vardbro.toml")).expect("the configuration");
        let sources = format!(
            "[source.ehr]\nkind = \"http\"\ntoken_file = \"ehr\"\n{source}\n[source.other]\nkind = \"http\"\ntoken_file = \"other\"\n\
             [http]\nlisten = \"127.0.0.1:{port}\"\n{}\n",
            http(&world)
        );
        config.push_str(&sources);
        fs::write(world.path("vardbro.toml"), config).expect("written");
        fs::write(world.path("ehr"), format!("{TOKEN}\n")).expect("written");
        fs::write(world.path("other"), OTHER).expect("written");
        let runtime = Runtime::new().expect("a runtime");
        Self { world, port, client: Client::new(), runtime }
    }

    fn plain(source: &str) -> Self {
        Self::new(source, |_| String::new(), "")
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn request(&self, method: Method, path: &str, token: &str, headers: &[(&str, &str)], body: String) -> Heard {
        let mut request = self.client.request(method, self.url(path)).bearer_auth(token).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(heard(request))
    }

    fn post_as(&self, kind: &str, body: String) -> Heard {
        self.request(Method::POST, "/v1/events", TOKEN, &[("content-type", kind)], body)
    }

    fn post(&self, body: String) -> Heard {
        self.post_as("application/json", body)
    }

    fn get(&self, path: &str, token: &str) -> Heard {
        self.request(Method::GET, path, token, &[], String::new())
    }
}

async fn heard(request: reqwest::RequestBuilder) -> Heard {
    let response = request.send().await.expect("an answer");
    let (status, head) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("a body");
    Heard { status, head, body: serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: not JSON: {text}")) }
}

impl Heard {
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.head["content-type"], "application/problem+json");
        assert!(["sv", "en", "remedySv", "remedyEn"].iter().all(|text| self.body[text].is_string()), "{self:?}");
        valid("Problem", &self.body);
    }

    #[track_caller]
    fn is(&self, verdict: &str) {
        assert_eq!((self.status, self.body["verdict"].as_str()), (200, Some(verdict)), "{self:?}");
    }

    fn retry_after(&self) -> u64 {
        self.head["retry-after"].to_str().ok().and_then(|seconds| seconds.parse().ok()).expect("seconds")
    }
}

/// As the published description says.
#[track_caller]
fn valid(name: &str, body: &Value) {
    let mut document: Value = serde_json::from_str(&docs::openapi()).expect("JSON");
    document["$ref"] = json!(format!("#/components/schemas/{name}"));
    let validator = jsonschema::validator_for(&document).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(body).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}: {body:#}");
}

fn on_one_line(event: &str) -> String {
    event.replace('\n', " ")
}

#[test]
fn one_event_is_taken_once_and_its_fate_can_be_asked_for() {
    let posted = Posted::plain("");
    let _receiver = posted.world.receiver("");
    let daemon = posted.world.daemon();
    posted.post(admission("HSL-1", "E-1", 1)).is("accepted");
    let heard = posted.post(planning("HSL-1", "E/2:ö", 2));
    heard.is("accepted");
    valid("Taken", &heard.body);
    let location = heard.body["location"].as_str().expect("a place").to_owned();
    assert_eq!(location, "/v1/events/test-journal:E%2F2%3A%C3%B6");
    assert_eq!(heard.body["events"], json!([{"system": "test-journal", "eventId": "E/2:ö", "location": location}]));
    posted.post(planning("HSL-1", "E/2:ö", 2)).is("duplicate");

    wait("the receiver to have it", Duration::from_secs(20), || posted.get(&location, TOKEN).body["messages"][0]["state"] == "ACCEPTED");
    let told = posted.get(&location, TOKEN);
    valid("Outcome", &told.body);
    assert_eq!((told.status, &told.body["eventId"]), (200, &json!("E/2:ö")));
    posted.get(&location, OTHER).is_problem(404, "VB-SRC-029");
    posted.get("/v1/events/test-journal:E-3", TOKEN).is_problem(404, "VB-SRC-029");
    posted.get("/v1/events/E-1", TOKEN).is_problem(404, "VB-SRC-029");
    posted.get(&location, "wrong").is_problem(401, "VB-SRC-023");
    wait("nothing to wait to be told", Duration::from_secs(10), || posted.world.count("event WHERE outcome > outcome_told") == 0);
    daemon.stop();
}

#[test]
fn a_batch_is_answered_record_by_record_and_poison_keeps_nothing_back() {
    let posted = Posted::plain("");
    let world = &posted.world;
    let daemon = world.daemon();
    let bad = planning("HSL-1", "E-2", 2).replace("HSJV", "XYZ");
    let lines = [
        admission("HSL-1", "E-1", 1),
        bad.clone(),
        planning("HSL-1", "E-3", 3),
        "{\"eventId\": \"E-4\"".to_owned(),
        "\u{0}".to_owned(),
        planning("HSL-1", "E-5", 5),
        planning("HSL-1", "E-3", 3),
    ];
    let ndjson: String = lines.iter().map(|line| on_one_line(line) + "\n").collect();
    let heard = posted.post_as("application/x-ndjson", ndjson);
    heard.is("partly");
    valid("Batch", &heard.body);
    let verdicts: Vec<(u64, &str)> = heard.body["records"]
        .as_array()
        .expect("records")
        .iter()
        .map(|record| (record["line"].as_u64().expect("a line"), record["verdict"].as_str().expect("a verdict")))
        .collect();
    let expected = ["accepted", "rejected", "accepted", "rejected", "rejected", "accepted", "duplicate"];
    assert_eq!(verdicts, (1..).zip(expected).collect::<Vec<_>>());
    let finding = &heard.body["records"][1]["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["path"], &finding["place"]["line"]),
        (&json!("VB-MAP-010"), &json!("data.services[0].kind"), &json!(2))
    );
    assert_eq!((world.count("event"), &heard.body["taken"], &heard.body["rejected"]), (3, &json!(4), &json!(3)));

    let array = format!("[{},\n{bad},\n{}]", planning("HSL-1", "E-6", 6), planning("HSL-1", "E-7", 7));
    let heard = posted.post(array);
    heard.is("partly");
    assert_eq!(heard.body["records"][2]["events"][0]["location"], "/v1/events/test-journal:E-7");
    posted.post(format!("[{}]", planning("HSL-1", "E-6", 6))).is("accepted");
    posted.post(format!("[{bad}]")).is("rejected");

    let single = posted.post(bad);
    single.is_problem(422, "VB-SRC-022");
    assert_eq!(single.body["findings"][0]["code"], "VB-MAP-010");
    for poison in ["", "[", "[]", "null", "\"x\"", &"[".repeat(10_000)] {
        posted.post(poison.to_owned()).is_problem(422, "VB-SRC-022");
        posted.post(planning("HSL-1", "E-3", 3)).is("duplicate");
    }
    assert_eq!(world.count("event"), 5);
    daemon.stop();
}

#[test]
fn what_is_not_a_request_for_us_is_refused_with_its_reason() {
    let posted = Posted::plain("max_kb = 4");
    let world = &posted.world;
    let daemon = world.daemon();
    let event = || admission("HSL-1", "E-1", 1);
    for token in ["", "wrong", &TOKEN[1..]] {
        let heard = posted.request(Method::POST, "/v1/events", token, &[("content-type", "application/json")], event());
        heard.is_problem(401, "VB-SRC-023");
        assert_eq!(heard.head["www-authenticate"], "Bearer");
    }
    posted.post_as("text/plain", event()).is_problem(415, "VB-SRC-025");
    // The source's mapping reads no XML.
    posted.post_as("application/xml", event()).is_problem(415, "VB-SRC-025");
    let zipped = [("content-type", "application/json"), ("content-encoding", "gzip")];
    posted.request(Method::POST, "/v1/events", TOKEN, &zipped, event()).is_problem(415, "VB-SRC-025");
    for size in [4096, 8 * 1024 * 1024] {
        posted.post(format!("{}{}", event(), " ".repeat(size))).is_problem(413, "VB-SRC-002");
        posted.post_as("text/plain", " ".repeat(size)).is_problem(415, "VB-SRC-025");
    }
    posted.request(Method::POST, "/v1/else", TOKEN, &[], event()).is_problem(404, "VB-SRC-024");
    let heard = posted.request(Method::DELETE, "/v1/events", TOKEN, &[], String::new());
    heard.is_problem(405, "VB-SRC-024");
    assert_eq!(heard.head["allow"], "POST");
    let long = "k".repeat(256);
    for key in ["", "two words", &long] {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        posted.request(Method::POST, "/v1/events", TOKEN, &headers, event()).is_problem(400, "VB-SRC-024");
    }
    assert_eq!(world.count("event"), 0);

    let keyed = |token: &str, key: &str, body: String| {
        posted.request(Method::POST, "/v1/events", token, &[("content-type", "application/json"), ("idempotency-key", key)], body)
    };
    keyed(TOKEN, "one", event()).is("accepted");
    keyed(TOKEN, "one", event()).is("duplicate");
    keyed(TOKEN, "one", planning("HSL-1", "E-2", 2)).is_problem(422, "VB-SRC-028");
    keyed(TOKEN, "two", planning("HSL-1", "E-2", 2)).is("accepted");
    keyed(OTHER, "one", planning("HSL-1", "E-3", 3)).is("accepted");

    // Whoever tries secrets fills no disk.
    for _ in 0..50 {
        posted.get("/v1/events/a:b", "wrong").is_problem(401, "VB-SRC-023");
    }
    let told = world.oplog().iter().filter(|line| line["code"] == "VB-SRC-023").count();
    assert!((1..=2).contains(&told), "{told} lines of strangers");

    // A secret that is changed is read again on SIGHUP.
    fs::write(world.path("ehr"), "another-secret-of-more-than-thirty-two-characters").expect("written");
    daemon.signal("HUP");
    wait("the old secret to end", Duration::from_secs(10), || posted.get("/v1/events/a:b", TOKEN).status == 401);
    posted.get("/v1/events/a:b", "another-secret-of-more-than-thirty-two-characters").is_problem(404, "VB-SRC-029");
    daemon.stop();
}

#[test]
fn who_posts_too_fast_or_too_much_at_once_is_told_when_to_come_again() {
    let posted = Posted::plain("rate_per_s = 2\nin_flight = 2");
    let daemon = posted.world.daemon();
    let first: Vec<Heard> = (0..8).map(|_| posted.post(admission("HSL-1", "E-1", 1))).collect();
    let refused: Vec<&Heard> = first.iter().filter(|heard| heard.status == 429).collect();
    assert!((1..=6).contains(&refused.len()), "{first:?}");
    for heard in &refused {
        heard.is_problem(429, "VB-SRC-026");
    }
    assert!(refused.iter().all(|heard| heard.retry_after() == 1));
    std::thread::sleep(Duration::from_millis(1_100));
    posted.post(admission("HSL-1", "E-1", 1)).is("duplicate");

    // Two that never end take both places.
    std::thread::sleep(Duration::from_millis(1_100));
    let mut slow: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(("127.0.0.1", posted.port)).expect("a connection")).collect();
    for stream in &mut slow {
        let opening = format!(
            "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
        );
        stream.write_all(opening.as_bytes()).expect("written");
    }
    std::thread::sleep(Duration::from_millis(1_100));
    let heard = posted.post(admission("HSL-1", "E-1", 1));
    heard.is_problem(503, "VB-SRC-027");
    assert!(heard.retry_after() >= 1);
    let other = posted.request(Method::POST, "/v1/events", OTHER, &[("content-type", "application/json")], admission("HSL-1", "E-1", 1));
    other.is("duplicate");
    drop(slow);
    std::thread::sleep(Duration::from_millis(600));
    wait("a place", Duration::from_secs(10), || {
        std::thread::sleep(Duration::from_millis(600));
        posted.post(admission("HSL-1", "E-1", 1)).status == 200
    });

    // One that breaks off in the middle leaves nothing behind.
    let mut broken = TcpStream::connect(("127.0.0.1", posted.port)).expect("a connection");
    let opening = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    broken.write_all(opening.as_bytes()).expect("written");
    broken.write_all(b"ff\r\n{\"eventId\"").expect("written");
    broken.shutdown(std::net::Shutdown::Write).expect("shut");
    let mut rest = String::new();
    let _ = broken.read_to_string(&mut rest);
    assert!(!rest.contains(" 200 "), "{rest}");
    assert_eq!(posted.world.count("event"), 1);
    daemon.stop();
}

/// The store cannot take anything: 503, and all is taken once it can.
#[test]
fn a_store_that_is_held_pushes_back() {
    let posted = Posted::plain("");
    let world = &posted.world;
    let daemon = world.daemon();
    posted.post(admission("HSL-1", "E-1", 1)).is("accepted");
    let other = rusqlite::Connection::open(world.path("vardbro.db")).expect("a database");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    let heard = posted.post(planning("HSL-1", "E-2", 2));
    heard.is_problem(503, "VB-SRC-027");
    assert!(heard.retry_after() >= 1);
    other.execute_batch("ROLLBACK").expect("let go");
    drop(other);
    wait("the store to be free", Duration::from_secs(30), || posted.post(planning("HSL-1", "E-2", 2)).status == 200);
    assert_eq!(world.count("event"), 2);
    daemon.stop();
}

/// Posts the events of one episode in their order, each until it is taken.
async fn feed(client: Client, url: String, episode: usize, files: usize, taken: Arc<AtomicUsize>) {
    let case = format!("HSL-{episode}");
    for file in (episode..files).step_by(EPISODES) {
        let (event, second) = (format!("E-{file}"), i64::try_from(file).expect("small"));
        let body = if file < EPISODES { admission(&case, &event, second) } else { planning(&case, &event, second) };
        loop {
            let request = client.post(&url).bearer_auth(TOKEN).header("content-type", "application/json").header("idempotency-key", &event);
            let answer = request.body(body.clone()).timeout(Duration::from_secs(5)).send().await;
            match answer.map(|answer| answer.status().as_u16()) {
                Ok(200) => break,
                Ok(429 | 503) | Err(_) => {}
                Ok(status) => panic!("{event}: {status}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        taken.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn nothing_that_was_posted_is_lost_or_overtaken_when_the_daemon_is_killed() {
    const FILES: usize = 16 * EPISODES;
    const KILLS: usize = 6;
    let posted = Posted::new("rate_per_s = 10000", |_| String::new(), "");
    let world = &posted.world;
    let _receiver = world.receiver("");
    let taken = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..EPISODES)
        .map(|episode| posted.runtime.spawn(feed(posted.client.clone(), posted.url("/v1/events"), episode, FILES, Arc::clone(&taken))))
        .collect();
    let mut daemon = world.daemon();
    for kill in 1..=KILLS {
        wait("clients to post", Duration::from_mins(1), || taken.load(Ordering::SeqCst) >= kill * FILES / (KILLS + 1));
        daemon.kill();
        daemon = world.daemon();
    }
    let killed = now();
    posted.runtime.block_on(async {
        for client in clients {
            tokio::time::timeout(Duration::from_mins(2), client).await.expect("in time").expect("a client");
        }
    });
    world.settle(&(EPISODES..FILES), Duration::from_mins(2));
    daemon.stop();
    assert_eq!(world.count("event"), FILES, "each once");
    assert_eq!(world.count("event WHERE version > 1"), 0, "no new versions");
    world.figures("killed while clients post", KILLS, killed, EPISODES..FILES);
    assert!(world.received().iter().any(|line| line["messageId"] == message_of(FILES - 1).as_str()));
}

#[test]
fn a_client_certificate_is_demanded_where_issuers_are_given() {
    let http = |world: &World| {
        let c = &world.certificates;
        let [cert, key, ca] = [&c.server_cert, &c.server_key, &c.ca].map(|path| path.display().to_string());
        format!("cert_file = \"{cert}\"\nkey_file = \"{key}\"\nclient_ca_file = \"{ca}\"")
    };
    let posted = Posted::new("", http, "");
    let daemon: Process = posted.world.daemon();
    let c = &posted.world.certificates;
    let read = |path: &std::path::Path| fs::read(path).expect("a file");
    let client = |identity: Option<Identity>| {
        let trusting = Client::builder().tls_certs_only([Certificate::from_pem(&read(&c.ca)).expect("a certificate")]);
        let client = if let Some(identity) = identity { trusting.identity(identity) } else { trusting };
        client.build().expect("a client")
    };
    let url = format!("https://localhost:{}/v1/events", posted.port);
    let request =
        |client: Client| client.post(&url).bearer_auth(TOKEN).header("content-type", "application/json").body(admission("HSL-1", "E-1", 1));
    let without = posted.runtime.block_on(request(client(None)).send());
    assert!(without.is_err(), "{without:?}");
    let pem = [read(&c.client_cert), read(&c.client_key)].concat();
    let identity = Identity::from_pem(&pem).expect("an identity");
    let with = posted.runtime.block_on(heard(request(client(Some(identity)))));
    with.is("accepted");
    assert_eq!(posted.world.count("event"), 1);
    daemon.stop();
}
