//! The reference receiver and the real client, over real TLS.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use vardbro::model;
use vardbro::model::answer::{Answer, RouteFault};
use vardbro::model::catalogue::EventType;
use vardbro::model::ids::MessageId;
use vardbro::model::name::Name;
use vardbro::model::personal::Personal;
use vardbro::model::state::{ReceiptReason, ReceiptStatus};
use vardbro::model::time::{Clock as _, SystemClock, parse_instant};
use vardbro::receiver::{Certificates, Options, Receiver, Running, Script, ServerTls};
use vardbro::transport::{Endpoint, Envelope, Https, Question, Reply, TlsFiles, Transport as _};
use vardbro::wire::{self, ContentHash, content, transmission};

#[path = "../src/wire/testing.rs"]
mod testing;

use testing::{Fill, envelope, event, message, release};

/// A receiver with its certificates and a client that it trusts.
struct Site {
    dir: TempDir,
    certificates: Certificates,
    running: Running,
}

fn now() -> Timestamp {
    SystemClock.now()
}

async fn site() -> Site {
    site_at(now()).await
}

async fn site_at(at: Timestamp) -> Site {
    let dir = tempfile::tempdir().expect("a directory");
    let certificates = Certificates::make(&dir.path().join("tls"), at).expect("certificates");
    let running = start(&dir.path().join("received"), Some(&certificates), "").await;
    Site { dir, certificates, running }
}

async fn start(dir: &Path, tls: Option<&Certificates>, script: &str) -> Running {
    let mut options = Options::new(dir.to_owned());
    options.script = self::script(script);
    options.tls =
        tls.map(|files| ServerTls { cert: files.server_cert.clone(), key: files.server_key.clone(), client_ca: Some(files.ca.clone()) });
    Receiver::start(options).await.expect("started")
}

fn script(text: &str) -> Script {
    Script::parse(text, "script.toml").expect("a script")
}

fn trusted(certificates: &Certificates) -> TlsFiles {
    let Certificates { ca, client_cert, client_key, .. } = certificates.clone();
    TlsFiles { ca: Some(ca), certificate: Some(client_cert), key: Some(client_key) }
}

fn https(url: &str, files: TlsFiles) -> Https {
    https_with(url, files, None, Duration::from_secs(20))
}

fn https_with(url: &str, files: TlsFiles, proxy: Option<String>, timeout: Duration) -> Https {
    let name = Name::parse("region").expect("a name");
    let address = |text: &str| Url::parse(text).expect("an address");
    let endpoint = Endpoint {
        url: address(url),
        lookup_url: Some(address(url).join("/receipts/").expect("an address").to_string() + MessageId::PLACEHOLDER),
        files,
        proxy: proxy.as_deref().map(address),
        timeout,
        wants_receipt: true,
    };
    Https::new(name, endpoint).expect("a client")
}

impl Site {
    fn client(&self) -> Https {
        https(&self.running.url(), trusted(&self.certificates))
    }

    fn say(&self, text: &str) {
        self.running.set_script(script(text));
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.dir.path().join("received/received.ndjson")).expect("the lines");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn answers(&self) -> Vec<(String, bool)> {
        let of = |line: &serde_json::Value| Some((line["answer"].as_str()?.to_owned(), line["duplicate"].as_bool()?));
        self.lines().iter().map(|line| of(line).expect("answer and duplicate")).collect()
    }
}

/// A message of that type; `sequence` makes another content under the same id.
#[expect(clippy::disallowed_methods, reason = "a test writes what is sent")]
fn letter(kind: EventType, sequence: u64) -> Envelope {
    let message = message(&event(kind.row(), Fill::Most), Fill::Most);
    let mut release = release(Fill::Least);
    release.sequence = sequence;
    let content = content(&message, &release);
    let content_hash = ContentHash::of(content.disclose());
    let body = transmission(content.disclose(), content_hash, envelope(), parse_instant("2026-03-11T08:00:01Z").expect("an instant"));
    Envelope { message: message.id, envelope: envelope(), body: Personal::new(body), content_hash }
}

#[expect(clippy::disallowed_methods, reason = "a test breaks what is sent")]
fn altered(letter: &Envelope, change: impl FnOnce(String) -> String) -> Envelope {
    let text = String::from_utf8(letter.body.disclose().clone()).expect("UTF-8");
    Envelope { body: Personal::new(change(text).into_bytes()), ..letter.clone() }
}

#[expect(clippy::disallowed_methods, reason = "a test looks at the receipt")]
fn receipt(reply: &Reply) -> model::receipt::Receipt {
    wire::receipt::read(reply.receipt.as_ref().expect("a body").disclose()).expect("a receipt")
}

fn down(fault: RouteFault) -> Answer {
    Answer::RouteDown { fault, retry_after: None }
}

fn is_accepted(answer: &Answer) -> bool {
    matches!(answer, Answer::Receipt { status: ReceiptStatus::Accepted, .. })
}

async fn answer(client: &Https, letter: &Envelope) -> Answer {
    client.send(letter.clone()).await.answer
}

/// Answers every connection after its request with these bytes, on plain TCP.
async fn raw_server(response: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let addr = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let response = response.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 1 << 20];
                let mut seen = 0;
                // The document's last element is the end of every request.
                while let Ok(n @ 1..) = stream.read(&mut buffer[seen..]).await {
                    seen += n;
                    if buffer[..seen].ends_with(b"</message>\n") {
                        break;
                    }
                }
                let _ = stream.write_all(&response).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    addr
}

async fn raw_answer(response: Vec<u8>) -> Answer {
    let addr = raw_server(response).await;
    let client = https(&format!("http://{addr}/"), TlsFiles::default());
    answer(&client, &letter(EventType::KPu, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_once_and_known_ever_after() {
    let site = site().await;
    let (client, first) = (site.client(), letter(EventType::KPu, 1));
    let reply = client.send(first.clone()).await;
    assert!(is_accepted(&reply.answer), "{:?}", reply.answer);
    let original = receipt(&reply);
    assert_eq!((original.message, original.content_hash, original.envelope), (first.message, Some(first.content_hash), Some(envelope())));
    assert_eq!(reply.http_status, Some(200));

    let again = client.send(first.clone()).await;
    assert_eq!(again.answer, Answer::Conflict { proved: true });
    assert_eq!(receipt(&again), original);

    let other = client.send(letter(EventType::KPu, 2)).await;
    assert_eq!(other.answer, Answer::Conflict { proved: false });
    assert_eq!((receipt(&other).reason, receipt(&other).status), (Some(ReceiptReason::Bv), ReceiptStatus::Rejected));

    // A new process on the same folder.
    let Site { dir, certificates, running } = site;
    running.stop().await;
    let running = start(&dir.path().join("received"), Some(&certificates), "").await;
    let site = Site { dir, certificates, running };
    let again = site.client().send(first.clone()).await;
    assert_eq!((again.answer.clone(), receipt(&again)), (Answer::Conflict { proved: true }, original));
    let expected = [("accepted", false), ("accepted", true), ("rejected", false), ("accepted", true)];
    assert_eq!(site.answers(), expected.map(|(word, duplicate)| (word.to_owned(), duplicate)));
    let numbers: Vec<_> = site.lines().iter().map(|line| line["n"].as_u64()).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!((&site.lines()[2]["sequenceNumber"], &site.lines()[2]["messageId"]), (&2.into(), &first.message.to_string().into()));

    let kept = std::fs::read(site.dir.path().join(format!("received/messages/{}.xml", first.message))).expect("kept");
    assert_eq!(wire::xml::read(&kept).expect("ours").sequence, 1);
    personal_data_stand_in_messages_only(&site.dir.path().join("received"));
}

fn personal_data_stand_in_messages_only(dir: &Path) {
    let mut open = vec![dir.to_owned()];
    let (mut inside, mut outside) = (0, 0);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        let personal = text.contains("193812217044");
        assert_eq!(personal, path.starts_with(dir.join("messages")), "{}", path.display());
        if personal { inside += 1 } else { outside += 1 }
    }
    assert!(inside > 0 && outside > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_rejected_with_a_receipt_and_remembered() {
    let site = site().await;
    let (client, good) = (site.client(), letter(EventType::KPu, 1));
    let changed = altered(&good, |text| text.replace("<version>2</version>", "<version>3</version>"));
    let reply = client.send(changed.clone()).await;
    let Answer::Receipt { status: ReceiptStatus::Rejected, retryable: false, reason: Some(ReceiptReason::Sv), findings } = &reply.answer
    else {
        panic!("{:?}", reply.answer)
    };
    assert!(findings[0].en.contains("contentHash"), "{findings:?}");
    assert_eq!(reply.http_status, Some(422));
    let again = client.send(changed).await;
    assert_eq!(receipt(&again), receipt(&reply));

    let invalid = altered(&good, |text| text.replace("<version>2</version>", "<version>0193812217044</version>"));
    let reply = client.send(invalid).await;
    assert!(receipt(&reply).errors.iter().any(|error| error.code.as_str().starts_with("cvc-")));
    // Too much is missing to read it, but not the id.
    let reply = client.send(altered(&good, |text| text.replace("<contentHash>", "<contentHash>x"))).await;
    assert_eq!((receipt(&reply).message, receipt(&reply).reason), (good.message, Some(ReceiptReason::Sv)));
    assert_eq!(answer(&client, &altered(&good, |_| "not XML".to_owned())).await, Answer::Refused { status: 400 });
    let mut elsewhere = good.clone();
    elsewhere.message = MessageId(uuid::Uuid::from_u128(77));
    assert_eq!(answer(&client, &elsewhere).await, Answer::ForeignReceipt);
    // None of it stands in the way of the right one.
    assert!(is_accepted(&answer(&client, &good).await));
    let expected = [false, true, false, false, false, false].map(|duplicate| ("rejected".to_owned(), duplicate));
    assert_eq!(site.answers()[..6], expected);
    let lines = std::fs::read_to_string(site.dir.path().join("received/received.ndjson")).expect("lines");
    assert!(!lines.contains("193812217044"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_followed() {
    let site = site().await;
    let (client, letter) = (site.client(), letter(EventType::KPu, 1));
    site.say(
        "[[answer]]\nstatus = 503\nretry_after_s = 7\n[[answer]]\nstatus = 302\n[[answer]]\nstatus = 500\n[[answer]]\ndrop = 'before'\n",
    );
    let busy = Answer::RouteDown { fault: RouteFault::Status(503), retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(answer(&client, &letter).await, busy);
    assert_eq!(answer(&client, &letter).await, down(RouteFault::Status(302)));
    assert_eq!(answer(&client, &letter).await, Answer::ServerError { status: 500 });
    assert_eq!(answer(&client, &letter).await, Answer::Lost);
    let messages = || std::fs::read_dir(site.dir.path().join("received/messages")).expect("a folder").count();
    assert_eq!(messages(), 0);

    site.say("[[answer]]\ndrop = 'after'\nmatch = 'K-PU'\n[[answer]]\nstatus = 202\nmatch = 'no such'\n");
    assert_eq!(answer(&client, &letter).await, Answer::Lost);
    assert_eq!(messages(), 1);
    assert_eq!(answer(&client, &letter).await, Answer::Conflict { proved: true });
    let words: Vec<_> = site.answers().into_iter().map(|(word, _)| word).collect();
    assert_eq!(words, ["503", "302", "500", "dropped", "lost", "accepted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripted_receipts() {
    let site = site().await;
    let client = site.client();
    site.say("[[answer]]\nreceipt = 'rejected'\nreason = 'BV'\n[[answer]]\nreceipt = 'rejected'\nreason = 'SIG'\nstatus = 200\n[[answer]]\nstatus = 202\n");
    for (kind, status, reason) in [(EventType::KPu, 422, ReceiptReason::Bv), (EventType::KKv, 200, ReceiptReason::Sig)] {
        let reply = client.send(letter(kind, 1)).await;
        assert_eq!(reply.http_status, Some(status));
        let Answer::Receipt { status: ReceiptStatus::Rejected, reason: given, .. } = reply.answer else { panic!("{:?}", reply.answer) };
        assert_eq!(given, Some(reason));
    }
    assert_eq!(answer(&client, &letter(EventType::KHt, 1)).await, Answer::Pending { retry_after: None });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_comes_later_is_to_be_asked_for_and_any_message_can_be_looked_up() {
    let site = site().await;
    let client = site.client();
    let pending = Answer::Pending { retry_after: None };
    site.say("[[answer]]\nlater_ms = 600000\n[[answer]]\nlater_ms = 0\nreceipt = 'rejected'\n");
    let (first, second) = (letter(EventType::KPu, 1), letter(EventType::KKv, 2));
    let ask = |letter: &Envelope, place: Option<Personal<String>>| {
        client.ask(Question { message: letter.message, content_hash: letter.content_hash, place })
    };
    assert_eq!(ask(&first, None).await.answer, Answer::Absent);
    let reply = client.send(first.clone()).await;
    assert_eq!((reply.answer, reply.http_status), (pending.clone(), Some(202)));
    assert!(reply.place.is_some());
    assert_eq!(ask(&first, reply.place).await.answer, pending);
    assert_eq!(answer(&client, &letter(EventType::KKv, 2)).await, pending);
    let Answer::Receipt { status: ReceiptStatus::Rejected, .. } = ask(&second, None).await.answer else { panic!("no rejection") };
    // Another content under the id: the receiver has something, and it is not what we have.
    let third = letter(EventType::KHt, 3);
    assert!(matches!(answer(&client, &third).await, Answer::Receipt { status: ReceiptStatus::Accepted, .. }));
    assert!(matches!(ask(&third, None).await.answer, Answer::Receipt { status: ReceiptStatus::Accepted, .. }));
    let other = Envelope { content_hash: ContentHash::of(b"another"), ..third };
    assert_eq!(ask(&other, None).await.answer, Answer::Conflict { proved: false });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_certificate_is_told_from_a_lost_answer() {
    let site = site().await;
    let (other, other_key) = Certificates::make_other_client(site.dir.path(), now()).expect("made");
    let none = TlsFiles { ca: Some(site.certificates.ca.clone()), ..TlsFiles::default() };
    let wrong = TlsFiles { certificate: Some(other), key: Some(other_key), ..none.clone() };
    let small = letter(EventType::KPu, 1);
    let big = altered(&small, |text| text + &" ".repeat(8 << 20));
    site.say("[[answer]]\ndrop = 'before'\ntimes = 0\n");
    let rounds = std::env::var("ROUNDS").map_or(20, |rounds| rounds.parse().expect("a number"));
    for round in 0..rounds {
        for files in [&none, &wrong] {
            for letter in [&small, &big] {
                let client = https(&site.running.url(), files.clone());
                assert_eq!(answer(&client, letter).await, down(RouteFault::ClientCertificate), "round {round}");
            }
        }
        assert_eq!(answer(&site.client(), &small).await, Answer::Lost, "round {round}");
    }
    assert_eq!(site.lines().len(), rounds);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_trusted_or_not_there() {
    let site = site().await;
    let letter = letter(EventType::KPu, 1);
    let stranger = Certificates::make(&site.dir.path().join("stranger"), now()).expect("made");
    let files = TlsFiles { ca: Some(stranger.ca), ..trusted(&site.certificates) };
    assert_eq!(answer(&https(&site.running.url(), files), &letter).await, down(RouteFault::Tls));
    // No TLS at all on the other side.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let client = https(&format!("https://{}/", listener.local_addr().expect("an address")), trusted(&site.certificates));
    let plain = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("written");
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    assert_eq!(tokio::join!(answer(&client, &letter), plain).0, down(RouteFault::Tls));

    let expired = site_at(now() - SignedDuration::from_hours(24 * 120)).await;
    assert_eq!(answer(&expired.client(), &letter).await, down(RouteFault::Tls));
    assert!(expired.lines().is_empty());

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let addr = listener.local_addr().expect("an address");
    drop(listener);
    let client = https(&format!("https://{addr}/"), trusted(&site.certificates));
    assert_eq!(answer(&client, &letter).await, down(RouteFault::Connect));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_a_lost_one() {
    let site = site().await;
    site.say("[[answer]]\ndelay_ms = 3000\n");
    let client = https_with(&site.running.url(), trusted(&site.certificates), None, Duration::from_secs(1));
    let letter = letter(EventType::KPu, 1);
    assert_eq!(answer(&client, &letter).await, Answer::Lost);
    assert_eq!(answer(&client, &letter).await, Answer::Conflict { proved: true });
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_no_receipts() {
    let with = |head: &str, body: &[u8]| [format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    assert_eq!(raw_answer(with("200 OK", &vec![b'x'; 5 << 20])).await, Answer::BadReceipt);
    assert_eq!(raw_answer(with("200 OK", b"<html>welcome</html>")).await, Answer::BadReceipt);
    assert_eq!(raw_answer(with("200 OK", b"")).await, Answer::BadReceipt);
    assert_eq!(raw_answer(with("400 Bad", b"<html>")).await, Answer::Refused { status: 400 });
    let page = b"<html><title>400 No required SSL certificate was sent</title></html>";
    assert_eq!(raw_answer(with("400 Bad Request", page)).await, down(RouteFault::ClientCertificate));
    assert_eq!(raw_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<receipt".to_vec()).await, Answer::Lost);
    assert_eq!(raw_answer(b"\x16\x03garbage\r\n\r\n".to_vec()).await, Answer::Lost);
    assert_eq!(raw_answer(Vec::new()).await, Answer::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_are_read_and_broken_ones_are_not_used() {
    let site = site().await;
    let (other, other_key) = Certificates::make_other_client(site.dir.path(), now()).expect("made");
    let (cert, key) = (site.dir.path().join("mine.pem"), site.dir.path().join("mine.key"));
    let put = |from: (&PathBuf, &PathBuf)| {
        std::fs::copy(from.0, &cert).expect("copied");
        std::fs::copy(from.1, &key).expect("copied");
    };
    put((&other, &other_key));
    let files = TlsFiles { ca: Some(site.certificates.ca.clone()), certificate: Some(cert.clone()), key: Some(key.clone()) };
    let client = https(&site.running.url(), files);
    let letter = letter(EventType::KPu, 1);
    assert_eq!(answer(&client, &letter).await, down(RouteFault::ClientCertificate));

    put((&site.certificates.client_cert, &site.certificates.client_key));
    client.reload().expect("good files");
    assert!(is_accepted(&answer(&client, &letter).await));

    for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&cert, broken).expect("written");
        let fault = client.reload().expect_err("broken files");
        assert_eq!(fault.code.id(), "VB-CFG-007");
        assert_eq!(answer(&client, &letter).await, Answer::Conflict { proved: true });
    }
    std::fs::remove_file(&key).expect("removed");
    assert_eq!(client.reload().expect_err("no file").code.id(), "VB-CFG-006");
    assert_eq!(answer(&client, &letter).await, Answer::Conflict { proved: true });

    // The pair must belong together.
    std::fs::copy(&site.certificates.client_cert, &cert).expect("copied");
    std::fs::copy(&other_key, &key).expect("copied");
    assert_eq!(client.reload().expect_err("two halves").code.id(), "VB-CFG-007");

    // The new identity is shown at once, whatever the old connection was.
    put((&other, &other_key));
    client.reload().expect("good files");
    assert_eq!(answer(&client, &letter).await, down(RouteFault::ClientCertificate));
}

/// A CONNECT proxy that counts. `allow` says whether it connects.
async fn proxy(allow: bool) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let addr = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(tunnel(stream, allow));
        }
    });
    (addr, count)
}

async fn tunnel(mut stream: TcpStream, allow: bool) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    if !allow {
        return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await.ok();
    }
    let mut onward = TcpStream::connect(target).await.ok()?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    copy_bidirectional(&mut stream, &mut onward).await.ok().map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_is_used() {
    let site = site().await;
    let letter = letter(EventType::KPu, 1);
    let through = |files: TlsFiles, proxy: SocketAddr| {
        https_with(&site.running.url(), files, Some(format!("http://{proxy}")), Duration::from_secs(20))
    };
    let (addr, count) = proxy(true).await;
    assert!(is_accepted(&answer(&through(trusted(&site.certificates), addr), &letter).await));
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let none = TlsFiles { ca: Some(site.certificates.ca.clone()), ..TlsFiles::default() };
    assert_eq!(answer(&through(none, addr), &letter).await, down(RouteFault::ClientCertificate));

    let (addr, _) = proxy(false).await;
    assert_eq!(answer(&through(trusted(&site.certificates), addr), &letter).await, down(RouteFault::Connect));
    let gone = SocketAddr::from(([127, 0, 0, 1], 1));
    assert_eq!(answer(&through(trusted(&site.certificates), gone), &letter).await, down(RouteFault::Connect));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_all_told_apart_and_stop_waits_for_them() {
    let site = site().await;
    let client = Arc::new(site.client());
    let letter = letter(EventType::KPu, 1);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (client, letter) = (client.clone(), letter.clone());
            tokio::spawn(async move { answer(&client, &letter).await })
        })
        .collect();
    let mut accepted = 0;
    for task in tasks {
        match task.await.expect("ran") {
            answer if is_accepted(&answer) => accepted += 1,
            answer => assert_eq!(answer, Answer::Conflict { proved: true }),
        }
    }
    assert_eq!(accepted, 1);
    site.say("[[answer]]\ndelay_ms = 500\n");
    let slow = tokio::spawn({
        let client = client.clone();
        async move { answer(&client, &letter).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    site.running.stop().await;
    assert_eq!(slow.await.expect("ran"), Answer::Conflict { proved: true });
}

#[tokio::test]
async fn plain_http_is_for_this_machine_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = Options::new(dir.path().to_owned());
    options.listen = SocketAddr::from(([0, 0, 0, 0], 0));
    assert_eq!(Receiver::start(options).await.expect_err("refused").code.id(), "VB-CFG-007");

    let running = start(dir.path(), None, "").await;
    let client = https(&running.url(), TlsFiles::default());
    assert!(is_accepted(&answer(&client, &letter(EventType::KPu, 1)).await));
    let said = ask(running.addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("referensmottagare"), "{said}");
    let said = ask(running.addr, "DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 405"), "{said}");
    let said = ask(running.addr, "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

async fn ask(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("connected");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an answer");
    said
}
