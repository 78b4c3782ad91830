//! Every condition of an alarm, provoked in the real daemon: opened once, still there after a kill and not told again, closed once
//! when it is mended; and the ways out, over real HTTP and HTTPS and a real program.

use super::hook::Hook;
use super::host::{Disk, faketime};
use super::world::{VARDBRO, World, admission, message, planning, wait};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;
use vardbro::model::time::{Clock, SystemClock};
use vardbro::receiver::Certificates;

const PATIENCE: Duration = Duration::from_mins(1);
const QUICK: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 5\nprobe_cap_s = 0.5";
/// Some more looks.
const LOOKS: Duration = Duration::from_millis(1_500);

/// A world that looks five times a second, with a webhook and a command.
struct Alarmed {
    world: World,
    hook: Hook,
}

impl Alarmed {
    fn new(destination: &str, alarms: &str) -> Self {
        let hook = Hook::new(None);
        let alarms = format!(
            "[alarms]\nlook_s = 0.2\nwebhook_url = \"http://127.0.0.1:{}/\"\ncommand = [\"tell.sh\", \"told.ndjson\"]\n{alarms}",
            hook.port
        );
        let world = World::new(&format!("timeout_s = 2\n{destination}"), &format!("{QUICK}\n{alarms}"));
        let told = world.path("told.ndjson").display().to_string();
        world.configure("\"told.ndjson\"", &format!("\"{told}\""));
        put_script(&world, "#!/bin/sh\ncat >> \"$1\"\n");
        Self { world, hook }
    }

    /// How often a rung of an alarm was told in the log.
    fn lines(&self, event: &str, code: &str) -> usize {
        self.world.oplog().iter().filter(|line| line["event"] == format!("alarm.{event}") && line["code"] == code).count()
    }

    fn wait_for(&self, event: &str, code: &str) {
        wait(&format!("{code} to be {event}"), PATIENCE, || self.lines(event, code) > 0);
    }

    /// What the command was given, a notice a line.
    fn commanded(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.world.path("told.ndjson")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn listed(&self) -> Vec<Value> {
        self.world.vardbro(&["alarms", "list", "--json"]).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Opened, killed, looked at again, mended, closed: each once, by every way, under ids of their own.
    fn course(&self, code: &str, daemon: impl Fn() -> super::world::Process, provoke: impl FnOnce(), mend: impl FnOnce()) {
        let running = daemon();
        provoke();
        self.wait_for("opened", code);
        running.kill();
        let listed = self.listed();
        assert!(listed.iter().any(|alarm| alarm["code"] == code && alarm["since"].is_string()), "{listed:?}");
        let running = daemon();
        std::thread::sleep(LOOKS);
        assert_eq!((self.lines("opened", code), self.lines("closed", code)), (1, 0), "{code}");
        mend();
        self.wait_for("closed", code);
        std::thread::sleep(LOOKS);
        assert_eq!((self.lines("opened", code), self.lines("closed", code)), (1, 1), "{code}");
        assert!(!self.listed().iter().any(|alarm| alarm["code"] == code));
        let rungs = |notices: &[Value]| -> Vec<String> {
            notices
                .iter()
                .filter(|notice| notice["code"] == code)
                .map(|notice| notice["rung"].as_str().expect("a rung").to_owned())
                .collect()
        };
        let posted = || self.hook.taken().into_iter().map(|posted| posted.notice).collect::<Vec<_>>();
        // Given at least once: a kill may have come between the answer and its being written.
        let once = |notices: &[Value]| {
            let mut seen = BTreeSet::new();
            let new: Vec<Value> = notices.iter().filter(|notice| seen.insert(notice["id"].to_string())).cloned().collect();
            rungs(&new)
        };
        wait("the webhook to be told", PATIENCE, || once(&posted()) == ["opened", "closed"]);
        wait("the command to be told", PATIENCE, || once(&self.commanded()) == ["opened", "closed"]);
        running.stop();
        assert_valid(&posted());
    }
}

fn put_script(world: &World, text: &str) {
    fs::write(world.path("tell.sh"), text).expect("written");
    fs::set_permissions(world.path("tell.sh"), fs::Permissions::from_mode(0o755)).expect("set");
}

fn assert_valid(notices: &[Value]) {
    let schema: Value = serde_json::from_str(&vardbro::alarm::schema()).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for notice in notices {
        assert!(validator.is_valid(notice), "{notice}");
    }
}

#[test]
fn a_closed_route_and_a_queue_that_waits() {
    for code in ["VB-DLV-020", "VB-ALM-001"] {
        let alarmed = Alarmed::new("", "pending_h = 0.0003");
        let world = &alarmed.world;
        let provoke = || {
            world.put("1.json", &admission("C-1", "E-1", 1));
            world.put("2.json", &planning("C-1", "E-2", 2));
        };
        let mut receiver = None;
        alarmed.course(code, || world.daemon(), provoke, || receiver = Some(world.receiver("")));
    }
}

#[test]
fn parked_messages() {
    let alarmed = Alarmed::new("max_attempts = 1", "");
    let world = &alarmed.world;
    let _receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 1");
    let provoke = || {
        world.put("1.json", &admission("C-1", "E-1", 1));
        world.put("2.json", &planning("C-1", "E-2", 2));
    };
    alarmed.course("VB-ALM-002", || world.daemon(), provoke, || send_again(world));
    assert_eq!(alarmed.lines("opened", "VB-ALM-003"), 0, "no receipt is overdue");
}

#[test]
fn receipts_that_are_overdue() {
    let alarmed = Alarmed::new("receipt_deadline_h = 0.01\nlookup_url = \"https://localhost:PORT/messages/{messageId}\"", "");
    let world = &alarmed.world;
    let _receiver = world.receiver("[[answer]]\nlater_ms = 600000\ntimes = 1");
    let provoke = || {
        world.put("1.json", &admission("C-1", "E-1", 1));
        world.put("2.json", &planning("C-1", "E-2", 2));
    };
    let mend = || {
        let id = world.ask("SELECT message_id FROM delivery WHERE state = 'PARKED'").remove(0);
        confirmed(world, &["messages", "resolve", &id, "--reason", "the region has it", "--as", "other"]);
    };
    alarmed.course("VB-ALM-003", || world.daemon(), provoke, mend);
    assert_eq!(alarmed.lines("opened", "VB-ALM-002"), 0, "that is the other alarm's");
}

#[test]
fn messages_that_our_rules_refuse() {
    let alarmed = Alarmed::new("", "refused_h = 0.0025");
    let world = &alarmed.world;
    let _receiver = world.receiver("");
    // A call to a plan without the patient's consent.
    let call = json!({"purpose": "Plan", "meetingAt": super::world::at(90_000), "place": "Hemma",
        "participants": [{"party": "OV", "role": "fast vårdkontakt", "hsaId": "SE2321000131-T301"}]});
    let provoke = || {
        world.put("1.json", &admission("C-1", "E-1", 1));
        world.put("2.json", &message("K-KS", "C-1", "E-2", 2, &call));
    };
    alarmed.course("VB-ALM-004", || world.daemon(), provoke, || {});
}

#[test]
fn a_source_that_is_silent() {
    let alarmed = Alarmed::new("", "");
    let world = &alarmed.world;
    world.configure("still_s = 0", "still_s = 0\nsilent_h = 0.002");
    let _receiver = world.receiver("");
    alarmed.course("VB-ALM-005", || world.daemon(), || {}, || world.put("1.json", &admission("C-1", "E-1", 1)));
}

#[test]
fn a_certificate_that_ends() {
    let alarmed = Alarmed::new("", "");
    let world = &alarmed.world;
    // The same issuer for all would be needed to send; nothing is sent here.
    let put = |days: i64| {
        let made = world.path(&format!("made{days}"));
        let at = SystemClock.now() + jiff::SignedDuration::from_hours(24 * (days - 90)) + jiff::SignedDuration::from_hours(1);
        let made = Certificates::make(&made, at).expect("certificates");
        fs::copy(&made.client_cert, &world.certificates.client_cert).expect("copied");
        fs::copy(&made.client_key, &world.certificates.client_key).expect("copied");
    };
    put(59);
    let daemon = || world.daemon();
    let mend = || {
        // Each step is told once, also by a program that was started anew.
        put(20);
        reload(world);
        alarmed.wait_for("worse", "VB-ALM-006");
        put(90);
        reload(world);
    };
    let running = daemon();
    alarmed.wait_for("opened", "VB-ALM-006");
    running.kill();
    let running = daemon();
    std::thread::sleep(LOOKS);
    fs::write(world.path("pid"), running.0.id().to_string()).expect("written");
    mend();
    alarmed.wait_for("closed", "VB-ALM-006");
    let told = |event| alarmed.lines(event, "VB-ALM-006");
    assert_eq!((told("opened"), told("worse"), told("still"), told("closed")), (1, 1, 0, 1));
    wait("the webhook", PATIENCE, || alarmed.hook.taken().iter().filter(|posted| posted.notice["code"] == "VB-ALM-006").count() >= 3);
    running.stop();
}

fn reload(world: &World) {
    let pid = fs::read_to_string(world.path("pid")).expect("a number");
    assert!(Command::new("kill").args(["-HUP", &pid]).status().expect("kill").success());
}

#[test]
fn a_disk_that_fills_up() {
    let alarmed = Alarmed::new("", "disk_free_mb = 30\n[store]\npath = \"disk/vardbro.db\"");
    let world = &alarmed.world;
    let Some(_disk) = Disk::new(world.path("disk"), 60) else { return };
    let fill = || fs::write(world.path("disk/more"), vec![1; 40 << 20]).expect("written");
    alarmed.course("VB-ALM-007", || world.daemon(), fill, || fs::remove_file(world.path("disk/more")).expect("removed"));
}

#[test]
fn a_clock_that_is_wrong() {
    let Some(library) = faketime() else { return };
    let alarmed = Alarmed::new("", "clock_skew_s = 300");
    let world = &alarmed.world;
    let set = |minutes: u32| {
        fs::write(world.path("clock.new"), format!("+{minutes}m\n")).expect("written");
        fs::rename(world.path("clock.new"), world.path("clock")).expect("renamed");
    };
    set(10);
    let _receiver = world.receiver("");
    let daemon = || {
        let mut program = Command::new(VARDBRO);
        program.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", world.path("clock"));
        program.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")]);
        world.daemon_by(program)
    };
    let provoke = || {
        world.put("1.json", &admission("C-1", "E-1", 1));
        world.put("2.json", &planning("C-1", "E-2", 2));
    };
    let mend = || {
        set(0);
        world.put("3.json", &planning("C-1", "E-3", 3));
    };
    alarmed.course("VB-ALM-008", daemon, provoke, mend);
}

#[test]
fn due_times_of_episodes() {
    let alarmed = Alarmed::new("", "");
    let world = &alarmed.world;
    let _receiver = world.receiver("");
    let running = world.daemon();
    world.put("1.json", &admission("C-1", "E-1", 1));
    let deadlines = |rung: &str| {
        let of = |notice: &Value| notice["alarm"] == "deadline" && notice["rung"] == rung;
        alarmed.hook.taken().iter().filter(|posted| of(&posted.notice)).count()
    };
    wait("a due time to be told of", PATIENCE, || deadlines("opened") > 0);
    std::thread::sleep(LOOKS);
    let opened = deadlines("opened");
    let lines = |event: &str| world.oplog().iter().filter(|line| line["event"] == event).count();
    assert_eq!(lines("deadline.passed") + lines("deadline.near"), opened);
    assert_eq!(alarmed.listed().iter().filter(|alarm| alarm["alarm"] == "deadline").count(), opened);
    running.kill();
    let running = world.daemon();
    std::thread::sleep(LOOKS);
    assert_eq!(deadlines("opened"), opened);
    world.put("2.json", &planning("C-1", "E-2", 2));
    wait("it to be closed", PATIENCE, || deadlines("closed") > 0);
    let text = alarmed.hook.taken().iter().map(|posted| posted.notice.to_string()).collect::<String>();
    assert!(text.contains("K-PU") || text.contains("Planeringsunderlag från kommunen"), "{text}");
    running.stop();
    assert_valid(&alarmed.hook.taken().into_iter().map(|posted| posted.notice).collect::<Vec<_>>());
}

#[test]
fn what_stays_open_is_told_again() {
    let alarmed = Alarmed::new("max_attempts = 1", "again_h = 0.001");
    let world = &alarmed.world;
    let _receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 0");
    let running = world.daemon();
    world.put("1.json", &admission("C-1", "E-1", 1));
    world.put("2.json", &planning("C-1", "E-2", 2));
    wait("two reminders", PATIENCE, || alarmed.lines("still", "VB-ALM-002") >= 2);
    running.stop();
    assert_eq!(alarmed.lines("opened", "VB-ALM-002"), 1);
}

/// Down, then refusing, then well again: nothing is lost, the rest goes on, and the other way out tells of it.
#[test]
fn a_way_out_that_fails_is_told_by_the_other_and_loses_nothing() {
    let alarmed = Alarmed::new("max_attempts = 1", "");
    let world = &alarmed.world;
    alarmed.hook.answer(503);
    let _receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 1");
    let provoke = || {
        world.put("1.json", &admission("C-1", "E-1", 1));
        world.put("2.json", &planning("C-1", "E-2", 2));
    };
    let mend = || {
        let told = alarmed.commanded();
        assert!(told.iter().any(|notice| notice["alarm"] == "output" && notice["subject"]["name"] == "webhook"), "{told:?}");
        assert!(alarmed.hook.taken().is_empty());
        send_again(world);
        wait("deliveries to go on", PATIENCE, || world.in_state("ACCEPTED") == 1);
        alarmed.hook.answer(204);
    };
    alarmed.course("VB-ALM-009", || world.daemon(), provoke, mend);
    let failed = world.oplog().into_iter().filter(|line| line["event"] == "notice.failed").collect::<Vec<_>>();
    assert!((1..=2).contains(&failed.len()) && failed[0]["reason"] == "http-503", "once in each life: {failed:?}");
    let keys: BTreeSet<String> = alarmed.hook.taken().iter().map(|posted| posted.key.clone()).collect();
    assert!(alarmed.hook.taken().iter().all(|posted| posted.notice["id"] == posted.key.as_str()));
    assert!(keys.len() >= 4, "parked and output, opened and closed: {keys:?}");
}

/// A program that fails, hangs, or is not there, and a webhook over TLS that shows its certificate and wants a secret.
#[test]
fn a_bad_command_and_a_webhook_over_tls() {
    let world = World::new("timeout_s = 2\nmax_attempts = 1", QUICK);
    let hook = Hook::new(Some(&world.certificates));
    let text = fs::read_to_string(world.path("vardbro.toml")).expect("the configuration");
    fs::write(world.path("secret"), "a-secret-of-the-tests\n").expect("written");
    let alarms = format!(
        "{text}\n[alarms]\nlook_s = 0.2\nwebhook_url = \"https://localhost:{}/in?key=hidden\"\nwebhook_ca_file = \"{}\"\nwebhook_token_file = \"secret\"\ncommand = [\"tell.sh\"]\n",
        hook.port,
        world.certificates.ca.display()
    );
    fs::write(world.path("vardbro.toml"), alarms).expect("written");
    let marks = world.path("marks").display().to_string();
    put_script(&world, &format!("#!/bin/sh\nenv >> {marks}\necho $$ >> {marks}.pid\nsleep 600 &\necho $! >> {marks}.pid\nwait\n"));
    let _receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 0");
    let running = world.daemon();
    world.put("1.json", &admission("C-1", "E-1", 1));
    world.put("2.json", &planning("C-1", "E-2", 2));
    wait("the webhook", PATIENCE, || hook.taken().iter().any(|posted| posted.notice["alarm"] == "parked"));
    assert!(hook.taken().iter().all(|posted| posted.secret == "Bearer a-secret-of-the-tests"));
    let failed = |reason: &str| world.oplog().iter().any(|line| line["event"] == "notice.failed" && line["reason"] == reason);
    wait("the command to be given up on", PATIENCE, || failed("command-timeout"));
    let environment = fs::read_to_string(&marks).expect("written");
    assert!(environment.contains("PATH=") && !environment.contains("HOME=") && !environment.contains("VARDBRO"), "{environment}");
    let started = fs::read_to_string(format!("{marks}.pid")).expect("written");
    let lives = |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    wait("what it started to be gone", PATIENCE, || !started.lines().take(2).any(lives));
    running.stop();
    assert!(!world.vardbro(&["config", "show"]).contains("hidden"));
}

fn send_again(world: &World) {
    confirmed(world, &["messages", "resend", "--state", "PARKED"]);
}

/// Plans, and then does what was planned.
fn confirmed(world: &World, arguments: &[&str]) {
    let plan = world.vardbro(arguments);
    let token = plan.rsplit("--confirm ").next().expect("a token").trim().to_owned();
    world.vardbro(&[arguments, &["--confirm", &token]].concat());
}
