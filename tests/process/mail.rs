//! Mails to those who keep a source, over real SMTP with TLS and a login, past a kill of the daemon and a mail server that is away.
//! The server is aiosmtpd (`scripts/test` installs it).

#![expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]

use super::world::{Process, World, admission, message, planning, wait};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);
const SOURCE: &str =
    "kind = \"directory\"\npath = \"in\"\nstill_s = 0\nmail_to = [\"biljett@kommun.example\", \"samordnare@kommun.example\"]";
/// Case numbers of the source; each stands in one way of not leaving.
const CASES: [&str; 2] = ["ARENDE-7001", "ARENDE-7002"];

/// A world whose source is mailed of, and its mail server's port.
fn world() -> (World, u16) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port();
    let mail = format!(
        "[mail]\nserver = \"localhost\"\nport = {port}\nca_file = \"CA\"\nfrom = \"vardbro@kommun.example\"\nuser = \"vardbro\"\npassword_file = \"mail.password\""
    );
    let recipient = "[[recipient]]\nparty = \"SV\"\nhsa_id = \"SE2321000131-T200\"";
    let world = World::reading(SOURCE, "", &format!("[alarms]\nlook_s = 0.2\n{mail}\n{recipient}"));
    let ca = world.certificates.ca.display().to_string();
    world.configure("\"CA\"", &format!("\"{ca}\""));
    fs::write(world.path("mail.password"), "s3cret-mail\n").expect("written");
    (world, port)
}

fn server(python: &PathBuf, world: &World, port: u16) -> Process {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/mail.py");
    let mut program = Command::new(python);
    program.args([script, &port.to_string()]).arg(&world.certificates.server_cert).arg(&world.certificates.server_key);
    let mut child = program.arg(world.path("mails.ndjson")).stdout(Stdio::piped()).spawn().expect("the mail server");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    assert_eq!(line.trim(), "ready");
    Process(child)
}

/// The mails that were taken, by their ids. What came twice is the same.
fn mails(world: &World) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(world.path("mails.ndjson")).unwrap_or_default();
    let mut out: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines() {
        let Ok(mail) = serde_json::from_str::<Value>(line) else { continue };
        let id = mail["id"].as_str().expect("an id").to_owned();
        if let Some(known) = out.get(&id) {
            assert_eq!(known["body"], mail["body"], "{id}");
        }
        out.insert(id, mail);
    }
    out
}

/// Those of a subject that tell of a case.
fn of<'a>(mails: &'a BTreeMap<String, Value>, subject: &str, case: &str) -> Vec<&'a Value> {
    let holds = |mail: &&Value, key: &str, text: &str| mail[key].as_str().expect("a text").contains(text);
    mails.values().filter(|mail| holds(mail, "subject", subject) && holds(mail, "body", case)).collect()
}

/// The call of an admitted patient to a plan, without consent; planning data before any notice; a file that breaks off.
fn provoke(world: &World) {
    let call = json!({"purpose": "Plan", "meetingAt": super::world::at(90_000), "place": "Hemma",
        "participants": [{"party": "OV", "role": "fast vårdkontakt", "hsaId": "SE2321000131-T301"}]});
    world.put("1.json", &admission(CASES[0], "HAND-1", 1));
    wait("the admission to be taken", PATIENCE, || logged(world, "event.accepted", 1));
    world.put("2.json", &message("K-KS", CASES[0], "HAND-2", 2, &call));
    world.put("3.json", &planning(CASES[1], "HAND-3", 3));
    world.put("4.json", "{\n \"eventId\": HAND-4 }");
    for event in ["message.refused", "message.withheld", "event.rejected", "deadline.passed"] {
        wait(event, PATIENCE, || logged(world, event, 1));
    }
}

fn logged(world: &World, event: &str, count: usize) -> bool {
    world.oplog().iter().filter(|line| line["event"] == event).count() >= count
}

#[test]
fn what_does_not_leave_is_mailed_once_past_a_kill_and_a_server_that_is_away() {
    let Some(python) = python() else { return };
    let (world, port) = world();
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    provoke(&world);
    let opened = |event: &str| world.oplog().iter().any(|line| line["event"] == event && line["code"] == "VB-ALM-009");
    wait("the alarm of a server that is away", PATIENCE, || opened("alarm.opened"));
    daemon.kill();
    let raw: Vec<u8> = ["vardbro.db", "vardbro.db-wal"].iter().flat_map(|file| fs::read(world.path(file)).unwrap_or_default()).collect();
    assert!(raw.windows(8).any(|bytes| bytes == b"REJECTED" || bytes == b"WITHHELD"), "it is looked at where it stands");
    assert!(CASES.iter().all(|case| !raw.windows(case.len()).any(|bytes| bytes == case.as_bytes())), "sealed");

    let mailing = server(&python, &world, port);
    let daemon = world.daemon();
    let passed = world.oplog().iter().filter(|line| line["event"] == "deadline.passed").count();
    wait("every mail", PATIENCE, || mails(&world).len() == passed + 3);
    // Away again, and killed with a mail that waits.
    drop(mailing);
    world.put("5.json", "{");
    wait("the next to be rejected", PATIENCE, || logged(&world, "event.rejected", 2));
    daemon.kill();
    let _mailing = server(&python, &world, port);
    let daemon = world.daemon();
    wait("the last mail", PATIENCE, || mails(&world).len() == passed + 4);
    wait("the alarm to be over", PATIENCE, || opened("alarm.closed"));
    daemon.stop();

    let mails = mails(&world);
    assert_eq!(mails.len(), passed + 4, "{mails:?}");
    for (subject, case, count, says) in [
        ("ett meddelande stoppades", CASES[0], 1, "SIP-2"),
        ("ett meddelande hålls tillbaka", CASES[1], 1, "K-PU"),
        ("en händelse avvisades", "kunde inte läsas", 2, "rad "),
        ("en tidsgräns har passerat", CASES[0], passed, "Tidsgräns: "),
    ] {
        let found = of(&mails, subject, case);
        assert_eq!(found.len(), count, "{subject}: {mails:#?}");
        assert!(found.iter().all(|mail| mail["body"].as_str().expect("a text").contains(says)), "{subject}: {found:#?}");
    }
    assert_clean(&world, &mails);
}

/// Of the patient and the event nothing but the case number, and that in the body alone; none of it in the log.
fn assert_clean(world: &World, mails: &BTreeMap<String, Value>) {
    for mail in mails.values() {
        assert_eq!(mail["to"], json!(["biljett@kommun.example", "samordnare@kommun.example"]));
        assert_eq!((mail["user"].as_str(), mail["automatic"].as_str()), (Some("vardbro"), Some("auto-generated")));
        let text = format!("{} {}", mail["raw"], mail["body"]);
        for personal in ["193812217044", "Greta", "Almqvist", "Edsgatan", "HAND-", "0521"] {
            assert!(!text.contains(personal), "{personal}: {text}");
        }
        assert!(!mail["subject"].as_str().expect("a subject").contains("ARENDE"), "{mail}");
    }
    let log = fs::read_to_string(world.path("oplog.ndjson")).expect("a log");
    assert!(!log.contains("ARENDE") && !log.contains("kommun.example") && !log.contains("s3cret"), "{log}");
    assert_eq!(log.matches("\"mail.dropped\"").count(), 0);
}

/// Python with a mail server.
fn python() -> Option<PathBuf> {
    let found = std::env::var_os("VARDBRO_TEST_FORMATS")
        .map_or_else(|| PathBuf::from("python3"), |folder| PathBuf::from(folder).join("bin/python"));
    let works = Command::new(&found).args(["-c", "import aiosmtpd"]).output().is_ok_and(|out| out.status.success());
    if !works {
        assert!(std::env::var_os("CI").is_none(), "aiosmtpd is not installed");
        eprintln!("skipped: aiosmtpd is not installed");
    }
    works.then_some(found)
}
