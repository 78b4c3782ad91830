//! The audit log of a real daemon with a real receiver: what was disclosed, who did and saw what, and that nothing is shown
//! without a row.

use super::figures::{EPISODES, Feeder};
use super::world::{VARDBRO, World, admission, message, planning, wait};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const PERSON: &str = "193812217044";
const PATIENCE: Duration = Duration::from_mins(1);

impl World {
    /// A command as somebody whom the terminal calls `anna`.
    fn anna(&self, arguments: &[&str], input: &str) -> Output {
        let mut program = Command::new(VARDBRO);
        program.args(arguments).arg("--config").arg(self.path("vardbro.toml")).env("USER", "anna");
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
        child.wait_with_output().expect("its output")
    }

    fn asked(&self, arguments: &[&str], input: &str) -> Value {
        let out = self.anna(arguments, input);
        serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)))
    }

    fn log(&self) -> Vec<Value> {
        let list = self.asked(&["audit", "list", "--limit", "10000", "--format", "json"], "");
        list.as_array().expect("a list").clone()
    }

    /// Statements from beside.
    fn ask_to(&self, statements: &str) {
        let db = rusqlite::Connection::open(self.path("vardbro.db")).expect("a database");
        db.busy_timeout(Duration::from_secs(10)).expect("set");
        db.execute_batch(statements).expect("statements");
    }

    fn holds_with(&self, rows: usize) {
        let out = self.anna(&["audit", "verify", "--format", "json"], "");
        let said: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        assert_eq!((out.status.code(), &said["broken"]), (Some(0), &Value::Null), "{said}");
        assert!(said["rows"].as_u64() >= Some(rows as u64), "{said}");
    }
}

fn note(number: usize) -> String {
    message("K-PM", "C-1", &format!("m-{number}"), 60, &serde_json::json!({"category": "other", "text": "x"}))
}

fn token(plan: &[u8]) -> String {
    String::from_utf8_lossy(plan).rsplit("--confirm ").next().expect("a token").trim().to_owned()
}

#[test]
fn what_was_sent_about_a_person_to_whom_and_when() {
    let world = World::new("max_attempts = 2\ntimeout_s = 2", "[retry]\nbase_s = 0.1\nprobe_cap_s = 1");
    let receiver = world.receiver("[[answer]]\ndrop = \"after\"\n[[answer]]\n[[answer]]\nreceipt = \"rejected\"\nreason = \"BV\"\n");
    let daemon = world.daemon();
    world.put("a.json", &admission("C-1", "r-1", 0));
    world.put("b.json", &planning("C-1", "k-1", 30));
    wait("the first to be accepted", PATIENCE, || world.in_state("ACCEPTED") == 1);
    world.put("c.json", &note(1));
    wait("the second to be rejected", PATIENCE, || world.in_state("REJECTED") == 1);
    let said = world.asked(&["disclosures", "--patient", "-", "--reason", "begäran om loggutdrag", "--format", "json"], "19381221-7044\n");
    let told: Vec<Vec<&str>> = said["disclosures"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["tries"].as_array().expect("tries").iter().filter_map(|row| row["outcome"].as_str()).collect())
        .collect();
    assert_eq!(told, [vec!["lost", "conflict"], vec!["rejected"]], "{said:#}");
    let first = &said["disclosures"][0];
    assert_eq!((&first["recipients"][0]["hsaId"], &first["destination"]), (&"SE2321000131-T200".into(), &"region".into()));
    assert_eq!(first["messageId"], world.received()[0]["messageId"]);
    let second = &said["disclosures"][1];
    let receipt = second["tries"][0]["receipt"].as_str().expect("a receipt");
    assert!(receipt.contains(second["messageId"].as_str().expect("an id")), "{receipt}");
    assert_eq!(first["contentHash"].as_str().map(str::len), Some(64));
    // By the reference that the operations log has, and by the episode, the same.
    let reference = said["patientRef"].as_str().expect("a reference");
    assert!(fs::read_to_string(world.path("oplog.ndjson")).expect("a log").contains(reference));
    let again = world.asked(&["disclosures", "--patient-ref", reference, "--format", "json"], "");
    assert_eq!(again["disclosures"], said["disclosures"]);
    let episode = first["episodeId"].as_str().expect("an id");
    assert_eq!(
        world.asked(&["disclosures", "--episode", episode, "--format", "json"], "")["disclosures"].as_array().map(Vec::len),
        Some(2)
    );
    // Asking is told of, with who asked and why.
    let seen = again["seen"].as_array().expect("a list");
    assert_eq!(seen.len(), 2, "both who asked for this person: {seen:?}");
    assert_eq!((&seen[0]["actor"]["name"], &seen[0]["reason"]), (&"anna".into(), &"begäran om loggutdrag".into()));
    let uid = fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own)).expect("a process");
    assert_eq!(seen[0]["actor"]["uid"], uid);
    // Somebody of whom nothing is known; and what is no number.
    assert_eq!(world.asked(&["disclosures", "--patient", "-", "--format", "json"], "191212121212")["disclosures"], serde_json::json!([]));
    assert!(String::from_utf8_lossy(&world.anna(&["disclosures", "--patient", "-"], "19381221-7045").stderr).contains("VB-AUD-003"));
    daemon.stop();
    drop(receiver);
    let kinds: Vec<Value> = world.log().iter().map(|row| row["kind"].clone()).collect();
    assert_eq!((&kinds[0], kinds.last()), (&"started".into(), Some(&"stopped".into())));
    world.holds_with(9);
    let anchors: Vec<Value> = world.oplog().into_iter().filter(|line| line["event"] == "audit.anchor").collect();
    assert_eq!(anchors.len(), 2, "at the start and at the stop");
    for anchor in anchors {
        let out = world.anna(&["audit", "verify", "--anchor", anchor["reason"].as_str().expect("an anchor")], "");
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stdout));
    }
}

#[test]
fn every_action_has_its_row_and_nothing_is_shown_without() {
    let world = World::new("max_attempts = 1", "[retry]\nbase_s = 0.1");
    let receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 0");
    let daemon = world.daemon();
    world.put("a.json", &admission("C-1", "r-1", 0));
    world.put("b.json", &note(1));
    world.put("c.json", &note(2));
    wait("both to be parked", PATIENCE, || world.in_state("PARKED") == 2);
    let list = world.vardbro(&["messages", "list", "--state", "PARKED"]);
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let ways: [&[&str]; 2] = [&["messages", "resolve", ids[0], "--as", "phone", "--reason", "ringt"], &["messages", "resend", ids[1]]];
    for way in ways {
        let plan = world.anna(way, "");
        world.anna(&[way, &["--confirm", &token(&plan.stdout)]].concat(), "");
    }
    let shown = world.anna(&["messages", "fallback-list", "--with-names"], "");
    assert!(String::from_utf8_lossy(&shown.stdout).contains(PERSON), "{}", String::from_utf8_lossy(&shown.stderr));
    for command in [&["store", "export"][..], &["store", "backup"], &["audit", "export", "--output"]] {
        let to = world.path(&command[..2].join("-")).display().to_string();
        assert_eq!(world.anna(&[command, &[&to]].concat(), "").status.code(), Some(0), "{command:?}");
        assert_eq!(fs::metadata(&to).expect("a file").permissions().mode() & 0o777, 0o600);
    }
    let log = world.log();
    for kind in ["resolved", "resent", "printed", "store-exported", "backed-up", "log-exported"] {
        let rows: Vec<&Value> = log.iter().filter(|row| row["kind"] == kind).collect();
        assert_eq!(rows.len(), 1, "{kind}: {log:?}");
        assert_eq!(rows[0]["actor"]["name"], "anna", "{kind}");
        assert!(rows[0]["actor"]["uid"].is_u64(), "{kind}");
    }
    let riv = world.anna(&["audit", "export", "--format", "riv", "--output", "-"], "").stdout;
    let riv = String::from_utf8(riv).expect("text");
    assert!(riv.contains(&format!("<log:PatientId>{PERSON}</log:PatientId>")) && riv.contains("<log:UserId>SE2120001538-T100<"), "{riv}");
    assert!(riv.trim_end().ends_with("</store:StoreLogRequest>") && riv.matches("<store:Log>").count() >= 5, "{riv}");

    // As a full disk does.
    world.ask_to("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END");
    let rows = world.log().len();
    let kept = world.path("kept").display().to_string();
    let refused: [&[&str]; 5] = [
        &["messages", "fallback-list", "--with-names"],
        &["disclosures", "--patient", "-"],
        &["audit", "export", "--output", "-"],
        &["store", "export", &kept],
        &["store", "backup", &kept],
    ];
    for command in refused {
        let out = world.anna(command, PERSON);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{command:?}: {said}");
        assert!(said.contains("VB-AUD-001"), "{command:?}: {said}");
        let shown = String::from_utf8_lossy(&out.stdout);
        assert!(!shown.contains(PERSON) && !world.path("kept").exists(), "{command:?}: {shown}");
    }
    assert_eq!(world.log().len(), rows);
    world.ask_to("DROP TRIGGER full");
    daemon.stop();
    drop(receiver);
    world.holds_with(rows);
    // From beside.
    world.ask_to("UPDATE audit SET at = at + 1 WHERE n = 2");
    let out = world.anna(&["audit", "verify"], "");
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("VB-AUD-002"));
    assert!(String::from_utf8_lossy(&out.stdout).contains("BROKEN at row 2"));
}

/// However often it dies, what was written of a try and the row of its disclosure are there together.
#[test]
fn kills_leave_one_row_for_each_outcome() {
    let world = World::new("timeout_s = 1", "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4");
    let _receiver = world.receiver("");
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    for kill in 0..12u64 {
        let starts = world.starts("oplog");
        let daemon = world.spawn_by(Command::new(VARDBRO), "vardbro");
        wait("a start", PATIENCE, || world.starts("oplog") > starts);
        std::thread::sleep(Duration::from_millis(150 + 37 * kill));
        daemon.kill();
    }
    let daemon = world.daemon();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(2));
    daemon.stop();
    let told = "SELECT COUNT(*) FROM audit WHERE kind = 'disclosed' GROUP BY message_id, destination HAVING COUNT(*) <> 1";
    assert_eq!(world.ask(told), Vec::<String>::new(), "each was accepted once");
    assert_eq!(world.count("audit WHERE kind = 'disclosed'"), files - EPISODES);
    assert_eq!(world.count("attempt"), files - EPISODES);
    world.holds_with(files - EPISODES);
}
