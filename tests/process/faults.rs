//! Nothing lost, nothing out of order, nothing sent again but under its own id.

use super::figures::{EPISODES, now};
use super::world::{Process, World, admission, message, planning, wait};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// Gives the number of messages in so many files.
fn fill(world: &World, files: usize) -> usize {
    world.fill(0..files);
    files - EPISODES
}

fn accepted(world: &World) -> usize {
    world.in_state("ACCEPTED")
}

#[test]
fn a_minute_without_the_endpoint_ends_in_order_with_one_alarm_opened_and_one_closed() {
    let world = World::new("timeout_s = 2\nmax_attempts = 30", "[retry]\nbase_s = 0.5\nlease_s = 10");
    let phase = Duration::from_secs(20);
    let unavailable = world.receiver("[[answer]]\nstatus = 503\ntimes = 0");
    let daemon = world.daemon();
    world.fill(0..400);
    std::thread::sleep(phase);
    drop(unavailable);
    std::thread::sleep(phase);
    let silent = world.receiver("[[answer]]\ndelay_ms = 60000\ntimes = 0");
    std::thread::sleep(phase);
    drop(silent);
    let _receiver = world.receiver("");
    let ended = now();
    world.settle(&(EPISODES..400), Duration::from_mins(1));
    stop(daemon);
    world.figures("unavailable, gone, silent: 20 s each", 3, ended, EPISODES..400);
    let alarms = |event: &str| world.oplog().iter().filter(|line| line["event"] == event).count();
    assert_eq!((alarms("alarm.opened"), alarms("alarm.closed")), (1, 1));
}

#[test]
fn term_ends_with_zero_and_what_is_left_goes_out_at_the_next_start() {
    let world = World::new("timeout_s = 5", "[retry]\nbase_s = 0.2");
    let daemon = world.daemon();
    let messages = fill(&world, 100);
    wait("the files to be taken", Duration::from_secs(30), || fs::read_dir(world.path("in/done")).is_ok_and(|done| done.count() == 100));
    daemon.signal("TERM");
    assert_eq!(daemon.end(Duration::from_secs(30)), Some(0));
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    wait("every message to be accepted", Duration::from_mins(1), || accepted(&world) == messages);
    let outcome = fs::read_to_string(world.path("in/outcome/000050.json.outcome.json")).unwrap_or_default();
    wait("the outcomes", Duration::from_secs(20), || {
        (40..100).all(|n| {
            fs::read_to_string(world.path(&format!("in/outcome/{n:06}.json.outcome.json"))).is_ok_and(|text| text.contains("\"ACCEPTED\""))
        })
    });
    drop(outcome);
    daemon.signal("TERM");
    assert_eq!(daemon.end(Duration::from_secs(30)), Some(0));
}

#[test]
fn hup_loads_new_certificates_and_keeps_the_old_where_they_are_unusable() {
    let world = World::new("timeout_s = 5", "");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let told = |event: &str| world.oplog().iter().any(|line| line["event"] == event);
    let good = fs::read(&world.certificates.client_cert).expect("a certificate");
    fs::write(&world.certificates.client_cert, "no certificate").expect("written");
    daemon.signal("HUP");
    wait("the fault to be told", Duration::from_secs(10), || told("certificates.kept"));
    fill(&world, 41);
    wait("a message under the old certificate", Duration::from_secs(20), || accepted(&world) == 1);
    fs::write(&world.certificates.client_cert, good).expect("written");
    daemon.signal("HUP");
    wait("the new ones to be told", Duration::from_secs(10), || told("certificates.loaded"));
    stop(daemon);
}

#[test]
fn a_shadow_destination_is_written_for_and_never_sent_to() {
    let world = World::new("mode = \"shadow\"", "");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let messages = fill(&world, 60);
    wait("the files to be taken", Duration::from_secs(30), || fs::read_dir(world.path("in/done")).is_ok_and(|done| done.count() == 60));
    let listed = world.vardbro(&["messages", "list", "--state", "RESOLVED", "--limit", "1000"]);
    assert_eq!(listed.lines().count(), messages);
    stop(daemon);
    assert!(world.received().is_empty());
    assert!(world.oplog().iter().any(|line| line["event"] == "message.shadowed"));
}

#[test]
fn what_fails_every_time_is_parked_with_a_line_and_holds_up_nobody() {
    let world = World::new("timeout_s = 1\nmax_attempts = 3", "[retry]\nbase_s = 0.1\nlease_s = 5");
    let _receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 3");
    let daemon = world.daemon();
    world.put("1.json", &admission("HSL-1", "E-1", 1));
    world.put("2.json", &planning("HSL-1", "E-2", 2));
    wait("the message to be parked", Duration::from_secs(20), || {
        world.vardbro(&["messages", "list", "--state", "PARKED"]).contains("VB-DLV-016")
    });
    world.put("3.json", &planning("HSL-1", "E-3", 3));
    wait("the next of its episode", Duration::from_secs(20), || accepted(&world) == 1);
    let parked = world.oplog().into_iter().find(|line| line["event"] == "delivery.parked").expect("a line");
    assert_eq!((&parked["level"], &parked["attempt"]), (&Value::from("error"), &Value::from(3)));
    wait("the outcome", Duration::from_secs(10), || {
        fs::read_to_string(world.path("in/outcome/2.json.outcome.json")).is_ok_and(|text| text.contains("PARKED"))
    });
    stop(daemon);
}

/// Every item of the shipped checklist, done.
fn all_done() -> Value {
    let items: Vec<Value> = (1..=26).map(|n| json!({"code": format!("CL{n:02}"), "status": "klar"})).collect();
    json!({"listVersion": "2026.1", "items": items})
}

fn can_receive() -> Value {
    json!({"answer": "can", "from": "2026-03-12T13:00:00+01:00", "form": "home", "receiver": {"name": "Hemsjukvård Norra", "phone": "0521-000000"}})
}

#[test]
fn a_withheld_message_to_a_shadow_is_not_kept_for_later() {
    let world = World::new("mode = \"shadow\"", "");
    let daemon = world.daemon();
    world.put("1.json", &admission("HSL-1", "E-1", 1));
    world.put("2.json", &message("K-HT", "HSL-1", "E-2", 2, &can_receive()));
    wait("the notice to be withheld", Duration::from_secs(20), || {
        world.vardbro(&["messages", "list", "--state", "WITHHELD"]).lines().count() == 1
    });
    world.put("3.json", &message("K-CL", "HSL-1", "E-3", 3, &all_done()));
    wait("both to be written", Duration::from_secs(20), || {
        world.vardbro(&["messages", "list", "--state", "RESOLVED"]).lines().count() == 2
    });
    stop(daemon);
}

/// What lies in the folder when the daemon starts comes in one batch.
#[test]
fn one_batch_may_hold_an_event_many_times_and_a_bad_one_between_two_of_its_episode() {
    let world = World::new("", "");
    let _receiver = world.receiver("");
    world.put("00.json", &admission("HSL-1", "E-1", 1));
    let unknown_item = json!({"listVersion": "x", "items": [{"code": "CL99", "status": "klar"}]});
    world.put("01.json", &message("K-CL", "HSL-1", "E-2", 2, &unknown_item));
    // Its recipients are known from the admission alone.
    world.put("02.json", &planning("HSL-1", "E-3", 3));
    for n in 10..40 {
        world.put(&format!("{n}.json"), &planning("HSL-1", "E-3", 3));
    }
    let daemon = world.daemon();
    wait("the files to be settled", Duration::from_secs(20), || fs::read_dir(world.path("in/done")).is_ok_and(|done| done.count() == 32));
    wait("the message to be accepted", Duration::from_secs(20), || accepted(&world) == 1);
    let reason = fs::read_to_string(world.path("in/rejected/01.json.reason.json")).expect("a reason");
    assert!(reason.contains("VB-CHK-001") && reason.contains("data.items[0].code"), "{reason}");
    assert!(!world.oplog().iter().any(|line| line["event"] == "store.fault"));
    stop(daemon);
}

#[test]
fn a_hundred_thousand_faults_in_one_file_are_told_in_bounds() {
    let world = World::new("", "");
    let daemon = world.daemon();
    let keys: Vec<String> = (0..60_000).map(|n| format!("\"k{n}\":1")).collect();
    world.put("1.json", &format!("{{{}}}", keys.join(",\n")));
    world.put("2.json", &admission("HSL-1", "E-1", 1));
    wait("both to be settled", Duration::from_secs(30), || {
        world.path("in/done/2.json").exists() && world.path("in/rejected/1.json").exists()
    });
    let reason = fs::read_to_string(world.path("in/rejected/1.json.reason.json")).expect("a reason");
    assert!(reason.len() < 200_000 && reason.contains("VB-MAP-026"));
    stop(daemon);
}

#[test]
fn a_message_that_alone_meets_a_closed_door_does_not_shut_out_the_others() {
    let world = World::new("timeout_s = 2\nmax_attempts = 5", "[retry]\nbase_s = 0.2\nlease_s = 6");
    let poisonous = vardbro::model::ids::MessageId::of("test-journal", "E-40", "K-PU", 1);
    let _receiver = world.receiver(&format!("[[answer]]\nstatus = 403\ntimes = 0\nmatch = \"{poisonous}\""));
    let daemon = world.daemon();
    let messages = fill(&world, 240);
    wait("all the others", Duration::from_secs(50), || accepted(&world) == messages - 1);
    wait("it to be parked", Duration::from_secs(50), || world.vardbro(&["messages", "list", "--state", "PARKED"]).lines().count() == 1);
    let opened = world.oplog().iter().filter(|line| line["event"] == "alarm.opened").count();
    assert!(opened <= 2, "{opened} alarms");
    stop(daemon);
}

#[test]
fn a_damaged_row_is_parked_by_itself() {
    let world = World::new("timeout_s = 2", "[retry]\nlease_s = 6");
    let daemon = world.daemon();
    let messages = fill(&world, 100);
    wait("the files to be taken", Duration::from_secs(30), || fs::read_dir(world.path("in/done")).is_ok_and(|done| done.count() == 100));
    stop(daemon);
    let db = rusqlite::Connection::open(world.path("vardbro.db")).expect("a database");
    let broken = "UPDATE delivery SET message_id = 'not an id' WHERE id = (SELECT MIN(id) FROM delivery)";
    let altered = "UPDATE delivery SET document = CAST('<content/>' AS BLOB) WHERE id = (SELECT MAX(id) FROM delivery)";
    assert_eq!((db.execute(broken, []).expect("written"), db.execute(altered, []).expect("written")), (1, 1));
    drop(db);
    let checked = world.vardbro(&["store", "check", "--lang", "en"]);
    assert!(checked.matches("does not open").count() == 2 && checked.contains("2 damaged"), "{checked}");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    wait("all the others", Duration::from_secs(50), || accepted(&world) == messages - 2);
    assert_eq!(world.vardbro(&["messages", "list", "--state", "PARKED"]).matches("VB-DLV-022").count(), 2);
    stop(daemon);
}

/// Not a measurement: a loop that wakes itself would use all the time there is.
#[test]
fn an_idle_daemon_sleeps() {
    let world = World::new("", "");
    let daemon = world.daemon();
    world.put("1.json", &admission("HSL-1", "E-1", 1));
    wait("the file to be taken", Duration::from_secs(20), || world.path("in/done/1.json").exists());
    let ticks = || -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", daemon.0.id())).expect("a process");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        fields[11].parse::<u64>().expect("a number") + fields[12].parse::<u64>().expect("a number")
    };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(5));
    let used = ticks() - before;
    assert!(used < 100, "{used} hundredths of a second in five seconds");
    stop(daemon);
}

#[test]
fn a_second_daemon_on_the_same_store_does_not_start() {
    let world = World::new("", "");
    let daemon = world.daemon();
    let out = world.vardbro(&["run"]);
    assert!(out.contains("VB-CFG-010"), "{out}");
    stop(daemon);
}

fn stop(daemon: Process) {
    daemon.stop();
}
