//! Backups under load, and what a restore must never do: send again what was accepted.

use super::figures::{EPISODES, Feeder, files_in, lay, message_of};
use super::host::Disk;
use super::postgres::Schema;
use super::world::{Process, VARDBRO, World, wait};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 5";
const LOOK_UP: &str = "timeout_s = 2\nlookup_url = \"https://localhost:PORT/receipts/{messageId}\"";
const PATIENCE: Duration = Duration::from_mins(1);
/// Admissions first, and then ten messages for each episode.
const FILES: Range<usize> = EPISODES..EPISODES * 8;

fn token(plan: &str) -> String {
    plan.rsplit("--confirm ").next().expect("a token").trim().to_owned()
}

impl World {
    fn backup(&self, to: &str) -> PathBuf {
        let to = self.path(to);
        let said = self.vardbro(&["store", "backup", &to.display().to_string()]);
        assert!(said.contains("SHA-256"), "{said}");
        to
    }

    /// Plan and confirmation.
    fn restore(&self, arguments: &[&str]) -> String {
        let plan = self.vardbro(&[&["store", "restore"], arguments].concat());
        let said = self.vardbro(&[&["store", "restore"], arguments, &["--confirm", &token(&plan)]].concat());
        assert!(said.contains("in doubt"), "{plan}\n{said}");
        said
    }

    /// How often each message was transmitted.
    fn transmissions(&self) -> BTreeMap<String, usize> {
        let mut out = BTreeMap::new();
        for line in self.received() {
            *out.entry(line["messageId"].as_str().expect("an id").to_owned()).or_default() += 1;
        }
        out
    }

    fn sound(&self) {
        let said = self.vardbro(&["store", "check"]);
        assert!(said.contains("; 0 damaged"), "{said}");
    }

    /// The files that were taken after a backup, as the source sends them again.
    fn send_again(&self, files: Range<usize>) {
        for file in files {
            let _ = fs::remove_file(self.path(&format!("in/done/{file:06}.json")));
            lay(&self.path("in"), file);
        }
    }
}

/// Messages flow; a backup is made under load, with part of its messages unsent; everything is accepted; the backup is restored.
/// Gives the daemon after the restore, and what had been transmitted before it.
fn restored(world: &World, send_again: bool) -> (Process, BTreeMap<String, usize>) {
    let daemon = world.daemon();
    world.fill(0..EPISODES);
    wait("the admissions", PATIENCE, || world.count("event") == EPISODES);
    // The way is slow, so that much waits in its lanes while the backup is made.
    world.fill(FILES.start..FILES.end - 100);
    let waiting = || world.count("delivery WHERE state <> 'ACCEPTED'") > 20;
    wait("some to be accepted and some to wait", PATIENCE, || files_in(&world.path("receiver/messages")) > 20 && waiting());
    let backup = world.backup("backup.db");
    world.fill(FILES.end - 100..FILES.end);
    world.settle(&FILES, PATIENCE);
    daemon.stop();
    let before = world.transmissions();
    assert_eq!(before.len(), FILES.len());

    let said = world.restore(&[&backup.display().to_string()]);
    assert!(said.contains("The store that was there"), "{said}");
    let (known, open) = (world.count("event"), world.count("delivery WHERE doubt = 1"));
    assert!(open > 0 && known < FILES.end, "the backup was made in the middle: {open} of {known}");
    world.sound();
    if send_again {
        world.send_again(0..FILES.end);
    }
    let daemon = world.daemon();
    assert!(world.oplog().iter().any(|line| line["event"] == "daemon.started" && line["code"] == "VB-STO-008" && line["level"] == "warn"));
    (daemon, before)
}

#[test]
fn a_restored_backup_never_resends_what_was_accepted() {
    let world = World::new(LOOK_UP, BOUNDS);
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 400\ntimes = 0");
    let (daemon, before) = restored(&world, true);
    // What the backup has is found at the receiver with the same content. What came again was written anew, with another number
    // and time: the receiver has *a* message of that id, and a person compares.
    wait("everything to be known", PATIENCE, || {
        world.count("event") == FILES.end && world.count("delivery WHERE settled_at IS NULL AND state <> 'PARKED'") == 0
    });
    let parked = world.count("delivery WHERE state = 'PARKED'");
    assert_eq!(parked, world.count("delivery WHERE code = 'VB-DLV-014' AND sequence > 1000000000"), "only what was written anew");
    assert_eq!(world.count("delivery WHERE state = 'ACCEPTED'") + parked, FILES.len());
    assert_eq!(world.transmissions(), before, "nothing was transmitted");

    // What had never left goes, and above all numbers that the receiver has seen.
    let new = FILES.end..FILES.end + EPISODES;
    world.fill(new.clone());
    wait("what is new to be accepted", PATIENCE, || new.clone().all(|file| world.settled(file)));
    daemon.stop();
    let received = world.received();
    assert!(received.iter().all(|line| line["duplicate"] == false));
    for file in new {
        let line = received.iter().find(|line| line["messageId"] == message_of(file).as_str()).expect("it arrived");
        assert!(line["sequenceNumber"].as_u64().expect("a number") > 1_000_000_000, "{line}");
    }
    assert_eq!(world.count("journal WHERE event = 'store.restored'"), 1);
}

#[test]
fn what_the_backup_has_is_found_at_the_receiver() {
    let world = World::new(LOOK_UP, BOUNDS);
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 400\ntimes = 0");
    let (daemon, before) = restored(&world, false);
    wait("all to be accepted", PATIENCE, || world.count("delivery WHERE state <> 'ACCEPTED'") == 0);
    daemon.stop();
    assert_eq!(world.transmissions(), before, "nothing was transmitted");
    let _daemon = world.daemon();
    let last = world.oplog().into_iter().rfind(|line| line["event"] == "daemon.started").expect("a start");
    assert_eq!(last["level"], "info", "no doubts are left");
}

#[test]
fn where_the_receiver_cannot_be_asked_what_is_in_doubt_is_set_aside() {
    let world = World::new("timeout_s = 2", BOUNDS);
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 400\ntimes = 0");
    let (daemon, before) = restored(&world, true);
    wait("everything to be set aside", PATIENCE, || {
        world.count("event") == FILES.end && world.count("delivery WHERE settled_at IS NULL AND state <> 'PARKED'") == 0
    });
    daemon.stop();
    assert_eq!(world.count("delivery WHERE state = 'PARKED'"), world.count("delivery WHERE code = 'VB-STO-007'"));
    assert_eq!(world.count("delivery WHERE state IN ('ACCEPTED', 'PARKED')"), FILES.len());
    assert_eq!(world.transmissions(), before, "nothing was transmitted");
    assert!(world.vardbro(&["messages", "list", "--code", "VB-STO-007"]).lines().count() > 0);
    let _daemon = world.daemon();
    let last = world.oplog().into_iter().rfind(|line| line["event"] == "daemon.started").expect("a start");
    assert_eq!(last["code"], "VB-STO-008", "they wait for a person");
}

/// The same for a database that its own tools have put back.
#[test]
fn a_marked_postgresql_never_resends_what_was_accepted() {
    let Some(schema) = Schema::new() else { return };
    let world = World::on_postgres(&schema.url, &schema.url, LOOK_UP, BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..FILES.end);
    world.settle(&FILES, PATIENCE);
    let said = world.vardbro(&["store", "backup", "/nowhere/backup"]);
    assert!(said.contains("VB-STO-003") && said.contains("pg_dump --format=custom --host=127.0.0.1"), "{said}");
    let said = world.vardbro(&["store", "restore", "--in-place"]);
    assert!(said.contains("VB-STO-006"), "a daemon has it: {said}");
    daemon.stop();
    let before = world.transmissions();
    // As an older backup has it: half of it not yet sent, the rest of the lanes behind it.
    let unsent = "UPDATE delivery SET state = 'SCHEDULED', open = 1, settled_at = NULL, attempts = 0, last_answer = NULL, next_at = 0 WHERE id % 2 = 0;
        UPDATE delivery SET head = 1 WHERE id IN (SELECT MIN(id) FROM delivery WHERE open = 1 GROUP BY episode_id)";
    super::postgres::run(&schema.url, unsent).expect("put back");
    world.restore(&["--in-place"]);
    world.sound();
    let daemon = world.daemon();
    wait("all to be accepted", PATIENCE, || world.count("delivery WHERE state <> 'ACCEPTED'") == 0);
    daemon.stop();
    assert_eq!(world.transmissions(), before, "nothing was transmitted");
}

#[test]
fn a_backup_under_load_is_whole_and_private_and_overwrites_nothing() {
    let world = World::new("timeout_s = 2", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(1));
    wait("load", PATIENCE, || files_in(&world.path("receiver/messages")) > 50);
    for round in 0..5 {
        let backup = world.backup(&format!("backup-{round}.db"));
        assert_eq!(fs::metadata(&backup).expect("a file").permissions().mode() & 0o777, 0o600);
        let before = fs::read(&backup).expect("a file");
        let said = world.vardbro(&["store", "backup", &backup.display().to_string()]);
        assert!(said.contains("VB-STO-002"), "{said}");
        assert!(before == fs::read(&backup).expect("a file"));
        let mut check = Command::new(VARDBRO);
        check.args(["store", "check", "--lang", "en", "--store"]).arg(&backup).arg("--key-file").arg(world.path("store.key"));
        let out = check.output().expect("the program");
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(out.status.success() && said.contains("; 0 damaged"), "{said}");
    }
    let said = world.vardbro(&["store", "restore", &world.path("backup-0.db").display().to_string()]);
    assert!(said.contains("VB-STO-006"), "the daemon has it: {said}");
    feeder.stop();
    daemon.stop();
    assert!(left_over(&world).is_empty(), "{:?}", left_over(&world));
}

/// What a command has begun and not ended.
fn left_over(world: &World) -> Vec<String> {
    let names = fs::read_dir(world.path("")).expect("a folder").flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| [".part", ".restoring", ".restored"].iter().any(|ending| name.ends_with(ending))).collect()
}

/// Runs a command and kills it after a while, again and again, a little later each time, until it ends before that.
fn killed_often(world: &World, arguments: &[&str], mut after: impl FnMut()) -> usize {
    for kills in 0..400 {
        let mut program = Command::new(VARDBRO);
        program.args(arguments).arg("--config").arg(world.path("vardbro.toml")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = Process(program.spawn().expect("the program"));
        std::thread::sleep(Duration::from_millis(5 * kills));
        if child.0.try_wait().expect("a child").is_some_and(|status| status.success()) {
            return usize::try_from(kills).expect("few");
        }
        child.kill();
        after();
    }
    panic!("it never ended");
}

#[test]
fn a_kill_during_backup_or_restore_leaves_a_store() {
    let world = World::new(LOOK_UP, BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..EPISODES * 4);
    world.settle(&(EPISODES..EPISODES * 4), PATIENCE);
    let to = world.path("killed.db").display().to_string();
    let kills = killed_often(&world, &["store", "backup", &to], || {
        assert!(!Path::new(&to).exists() || world.vardbro(&["store", "restore", &to]).contains("VB-STO-006"), "no half backup");
        let _ = fs::remove_file(&to);
    });
    assert!(kills > 0);
    let backup = world.backup("backup.db").display().to_string();
    world.fill(EPISODES * 4..EPISODES * 5);
    world.settle(&(EPISODES..EPISODES * 5), PATIENCE);
    daemon.stop();
    let (before, events) = (world.transmissions(), EPISODES * 5);
    let mut plan = token(&world.vardbro(&["store", "restore", &backup]));
    let mut restores = 0;
    for kills in 0..400 {
        let mut program = Command::new(VARDBRO);
        program.args(["store", "restore", &backup, "--confirm", &plan]).arg("--config").arg(world.path("vardbro.toml"));
        let mut child = Process(program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program"));
        std::thread::sleep(Duration::from_millis(5 * kills));
        let done = child.0.try_wait().expect("a child").is_some_and(|status| status.success());
        child.kill();
        // Whoever opens it next finishes what was decided: it is the one store or the other, and whole.
        plan = token(&world.vardbro(&["store", "restore", &backup]));
        world.sound();
        let now = world.count("event");
        assert!(now == events || now == EPISODES * 4, "{now} events");
        assert_eq!(now == EPISODES * 4, world.count("journal WHERE event = 'store.restored'") > 0, "never without its mark");
        restores += usize::from(now < events);
        if done && restores > 3 {
            break;
        }
    }
    assert!(left_over(&world).is_empty(), "{:?}", left_over(&world));
    let daemon = world.daemon();
    world.send_again(EPISODES * 4..EPISODES * 5);
    wait("everything to be known", PATIENCE, || world.count("event") == events && world.count("delivery WHERE open = 1") == 0);
    daemon.stop();
    assert_eq!(world.transmissions(), before, "nothing was transmitted");
}

#[test]
fn a_full_disk_leaves_no_half_backup_and_no_half_restore() {
    let world = World::new("timeout_s = 2", BOUNDS);
    let Some(disk) = Disk::new(world.path("disk"), 16) else { return };
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..EPISODES * 3);
    world.settle(&(EPISODES..EPISODES * 3), PATIENCE);
    let backup = world.backup("backup.db").display().to_string();
    disk.fill();
    let said = world.vardbro(&["store", "backup", &world.path("disk/backup.db").display().to_string()]);
    assert!(said.contains("VB-STO-001") && said.contains("no storage space"), "{said}");
    disk.free();
    daemon.stop();
    // Another store, on the small disk.
    let there = world.path("disk/vardbro.db").display().to_string();
    let key = world.path("store.key").display().to_string();
    let there = ["--store", &there, "--key-file", &key];
    let said = world.restore(&[&[backup.as_str()], &there[..]].concat());
    assert!(said.contains("Restored; 0 deliveries"), "{said}");
    disk.fill();
    let plan = world.vardbro(&[&["store", "restore", &backup], &there[..]].concat());
    let said = world.vardbro(&[&["store", "restore", &backup], &there[..], &["--confirm", &token(&plan)]].concat());
    assert!(said.contains("VB-STO-001") && said.contains("no storage space"), "{said}");
    disk.free();
    let mut names: Vec<_> = fs::read_dir(world.path("disk")).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["vardbro.db", "vardbro.db.lock"]);
    let said = world.vardbro(&[&["store", "check"], &there[..]].concat());
    assert!(said.contains("; 0 damaged"), "{said}");
}

#[test]
fn what_is_no_backup_is_refused_and_the_store_untouched() {
    let world = World::new("timeout_s = 2", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..EPISODES * 2);
    world.settle(&(EPISODES..EPISODES * 2), PATIENCE);
    let backup = world.backup("backup.db");
    daemon.stop();
    let held = || world.ask("SELECT id, state, doubt FROM delivery ORDER BY id");
    let store = held();
    let whole = fs::read(&backup).expect("a file");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2..whole.len() / 2 + 4096].fill(0xa5);
    let files = [("garbage", vec![0xa5; 70_000]), ("empty", Vec::new()), ("half", whole[..whole.len() / 2].to_vec()), ("flipped", flipped)];
    for (name, bytes) in files {
        fs::write(world.path(name), bytes).expect("written");
        let said = world.vardbro(&["store", "restore", &world.path(name).display().to_string()]);
        assert!(said.contains("VB-STO-004"), "{name}: {said}");
    }
    let said = world.vardbro(&["store", "restore", &world.path("nowhere").display().to_string()]);
    assert!(said.contains("VB-STO-004"), "{said}");
    fs::write(world.path("newer.db"), &whole).expect("written");
    Connection::open(world.path("newer.db")).and_then(|db| db.execute_batch("PRAGMA user_version = 999")).expect("a file");
    let said = world.vardbro(&["store", "restore", &world.path("newer.db").display().to_string()]);
    assert!(said.contains("VB-STO-005"), "{said}");
    Connection::open(world.path("other.db"))
        .and_then(|db| db.execute_batch("CREATE TABLE a (b); PRAGMA user_version = 1"))
        .expect("a file");
    let said = world.vardbro(&["store", "restore", &world.path("other.db").display().to_string()]);
    assert!(said.contains("VB-STO-004"), "{said}");
    let said = world.vardbro(&["store", "restore", &backup.display().to_string(), "--confirm", "00000000"]);
    assert!(said.contains("VB-OPS-003"), "{said}");
    assert!(whole == fs::read(&backup).expect("a file"), "a plan touches nothing");
    assert_eq!(store, held());
    assert!(left_over(&world).is_empty(), "{:?}", left_over(&world));
}

#[test]
fn an_export_holds_everything_and_is_private() {
    let mut worlds = vec![World::new("timeout_s = 2", BOUNDS)];
    let schema = Schema::new();
    worlds.extend(schema.as_ref().map(|schema| World::on_postgres(&schema.url, &schema.url, "timeout_s = 2", BOUNDS)));
    for world in &worlds {
        let _receiver = world.receiver("");
        let _daemon = world.daemon();
        world.fill(0..EPISODES * 4);
        world.settle(&(EPISODES..EPISODES * 4), PATIENCE);
        let to = world.path("all.ndjson");
        let said = world.vardbro(&["store", "export", &to.display().to_string()]);
        assert!(said.lines().next().is_some_and(|line| line.contains("PERSONAL DATA")), "{said}");
        assert_eq!(fs::metadata(&to).expect("a file").permissions().mode() & 0o777, 0o600);
        let mut counts = BTreeMap::<String, usize>::new();
        for line in fs::read_to_string(&to).expect("a file").lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let record = line["record"].as_str().expect("a word").to_owned();
            match record.as_str() {
                "event" => assert_eq!(line["body"]["patient"]["id"], "193812217044"),
                "delivery" => {
                    assert_eq!(line["state"], "ACCEPTED");
                    assert!(line["document"].as_str().is_some_and(|text| text.starts_with("<content")), "{line}");
                }
                "attempt" => assert!(line["receipt"].as_str().is_some_and(|text| text.contains("accepted"))),
                _ => {}
            }
            *counts.entry(record).or_default() += 1;
        }
        let of = |record: &str| counts.get(record).copied().unwrap_or(0);
        assert_eq!((of("event"), of("episode"), of("delivery"), of("attempt")), (EPISODES * 4, EPISODES, EPISODES * 3, EPISODES * 3));
        assert!(of("journal") >= EPISODES * 7);
    }
}
