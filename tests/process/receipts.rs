//! Receipts that come later: asked for, called back, overdue, contradicting, for somebody else's message; and messages that
//! are looked up before they are sent again.

use super::figures::{EPISODES, now};
use super::world::{Process, VARDBRO, World, admission, planning, wait};
use std::fs;
use std::net::TcpListener;
use std::ops::Range;
use std::process::{Command, Stdio};
use std::time::Duration;

const TOKEN: &str = "a-secret-of-more-than-thirty-two-characters";
/// Admissions first, and then three messages for each episode.
const FILES: Range<usize> = EPISODES..EPISODES * 4;

/// A world whose daemon takes receipts at an address of its own.
struct Called {
    world: World,
    port: u16,
}

impl Called {
    fn new(destination: &str, rest: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port();
        let destination = format!("callback_token_file = \"token\"\n{destination}");
        let world = World::new(&destination, &format!("{rest}\n[http]\nlisten = \"127.0.0.1:{port}\""));
        fs::write(world.path("token"), TOKEN).expect("written");
        Self { world, port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/receipts", self.port)
    }

    /// A receiver that sends its receipts.
    fn receiver(&self, script: &str) -> Process {
        let token = self.world.path("token").display().to_string();
        self.world.receiver_with(script, &["--callback", &self.url(), "--callback-token", &token])
    }

    /// Posts as the receiver would; status and body.
    fn post(&self, token: &str, body: &str) -> (u16, String) {
        let file = self.world.path("posted");
        fs::write(&file, body).expect("written");
        let out = Command::new("curl")
            .args(["-s", "-w", "\n%{http_code}", "-H", &format!("Authorization: Bearer {token}"), "--data-binary"])
            .arg(format!("@{}", file.display()))
            .arg(self.url())
            .output()
            .expect("curl");
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        let (body, status) = text.rsplit_once('\n').expect("a status");
        (status.parse().expect("a number"), body.to_owned())
    }
}

#[test]
fn receipts_are_asked_for_until_they_are_there_also_after_a_kill() {
    let world = World::new("timeout_s = 2", "[retry]\nbase_s = 0.2\nlease_s = 5");
    let _receiver = world.receiver("[[answer]]\nlater_ms = 700\ntimes = 0");
    world.fill(0..FILES.end);
    let daemon = world.daemon();
    wait("some to wait for their receipts", Duration::from_secs(30), || world.in_state("WAITING_FOR_RECEIPT") > 0);
    daemon.kill();
    let killed = now();
    let daemon = world.daemon();
    world.settle(&FILES, Duration::from_mins(2));
    daemon.stop();
    world.figures("receipts asked for, killed meanwhile", 1, killed, FILES);
}

#[test]
fn receipts_that_are_called_back_settle_their_messages_and_free_their_lanes() {
    // Long enough that no answer is given up on a busy machine.
    let called = Called::new("timeout_s = 30", "[retry]\nbase_s = 0.2\nlease_s = 60");
    let _receiver = called.receiver("[[answer]]\nlater_ms = 300\ntimes = 0");
    let (world, began) = (&called.world, now());
    let daemon = world.daemon();
    world.fill(0..FILES.end);
    world.settle(&FILES, Duration::from_mins(2));
    daemon.stop();
    world.figures("receipts called back", 0, began, FILES);
    assert_eq!(world.received().len(), FILES.len(), "each is sent once");
}

#[test]
fn the_first_receipt_stands_whoever_sends_another() {
    // A deadline of 3.6 s: the receipt never comes, the message is parked, and the next of its episode leaves.
    let called = Called::new("timeout_s = 2\nreceipt_deadline_h = 0.01", "");
    let world = &called.world;
    let receiver = world.receiver("[[answer]]\nstatus = 202\ntimes = 1");
    let daemon = world.daemon();
    world.put("1.json", &admission("HSL-1", "E-1", 1));
    world.put("2.json", &planning("HSL-1", "E-2", 2));
    world.put("3.json", &planning("HSL-1", "E-3", 3));
    wait("the first to wait", Duration::from_secs(20), || world.in_state("WAITING_FOR_RECEIPT") == 1);
    drop(receiver);
    wait("the receipt to be overdue", Duration::from_mins(1), || {
        world.vardbro(&["messages", "list", "--state", "PARKED"]).contains("VB-DLV-019")
    });
    let receiver = world.receiver("");
    wait("the next of its episode", Duration::from_mins(1), || world.in_state("ACCEPTED") == 1);
    let message = vardbro::model::ids::MessageId::of("test-journal", "E-2", "K-PU", 1);
    let accepted = receipt(&message.to_string(), "accepted");
    let rejected = receipt(&message.to_string(), "rejected");

    let (status, body) = called.post("wrong", &accepted);
    assert!(status == 401 && body.contains("VB-RCV-004"), "{status} {body}");
    let (status, body) = called.post(TOKEN, "<html/>");
    assert!(status == 400 && body.contains("VB-RCV-001"), "{status} {body}");
    let (status, body) = called.post(TOKEN, &receipt("00000000-0000-4000-8000-000000000000", "accepted"));
    assert!(status == 404 && body.contains("VB-RCV-002"), "{status} {body}");
    let other = accepted.replace("<status>", &format!("<contentHash>{}</contentHash><status>", "ab".repeat(32)));
    let (status, body) = called.post(TOKEN, &other);
    assert!(status == 409 && body.contains("VB-RCV-003"), "{status} {body}");
    let (status, body) = called.post(TOKEN, &"x".repeat(70_000));
    assert!(status == 413 && body.contains("VB-RCV-006"), "{status} {body}");
    assert_eq!(world.in_state("PARKED"), 1, "none of these changed anything");

    assert!(called.post(TOKEN, &accepted).1.contains("settled"), "a late receipt is still one");
    assert_eq!((world.in_state("PARKED"), world.in_state("ACCEPTED")), (0, 2));
    assert!(called.post(TOKEN, &accepted).1.contains("known"));
    assert!(called.post(TOKEN, &rejected).1.contains("contradicts"));
    assert_eq!(world.in_state("ACCEPTED"), 2, "the first stands");
    assert!(world.vardbro(&["messages", "show", &message.to_string()]).contains("VB-DLV-024"), "the other is kept beside it");
    assert!(world.oplog().iter().any(|line| line["event"] == "receipt.contradicted"));
    wait("the source to hear of it", Duration::from_secs(10), || {
        fs::read_to_string(world.path("in/outcome/2.json.outcome.json")).is_ok_and(|text| text.contains("\"ACCEPTED\""))
    });
    daemon.stop();
    drop(receiver);
}

fn receipt(message: &str, status: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<receipt xmlns=\"urn:vardbro:receipt:1\" schemaVersion=\"1.0\">\
         <receiptId>6f1c1b34-6b2e-4f58-9a53-0d7c3a1b2c4d</receiptId><createdAt>2026-03-12T10:00:00Z</createdAt>\
         <originalMessageId>{message}</originalMessageId><status>{status}</status></receipt>\n"
    )
}

#[test]
fn what_may_have_arrived_is_looked_up_before_it_is_sent_again() {
    let world =
        World::new("timeout_s = 2\nlookup_url = \"https://localhost:PORT/receipts/{messageId}\"", "[retry]\nbase_s = 0.2\nlease_s = 5");
    // Every third answer is lost after the message was kept, and every seventh request before.
    let script: String = (0..20)
        .map(|_| "[[answer]]\ntimes = 2\n[[answer]]\ndrop = \"after\"\n[[answer]]\ntimes = 3\n[[answer]]\ndrop = \"before\"\n")
        .collect();
    let _receiver = world.receiver(&script);
    let began = now();
    let daemon = world.daemon();
    world.fill(0..FILES.end);
    world.settle(&FILES, Duration::from_mins(2));
    daemon.stop();
    world.figures("answers and requests lost, looked up", 40, began, FILES);
    assert!(world.received().iter().all(|line| line["duplicate"] == false), "what had arrived was never sent again");
}

#[test]
fn a_public_address_wants_a_certificate() {
    let world = World::new("", "[http]\nlisten = \"0.0.0.0:0\"");
    let out = Command::new(VARDBRO).args(["run", "--config"]).arg(world.path("vardbro.toml")).stdout(Stdio::null()).output();
    let out = String::from_utf8_lossy(&out.expect("the program").stderr).into_owned();
    assert!(out.contains("VB-CFG-004") && out.contains("http.listen"), "{out}");
}
