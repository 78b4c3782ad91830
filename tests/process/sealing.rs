//! Keys of the store: what does not start, and a store that is given another key while messages flow and processes die.

use super::figures::{EPISODES, Feeder, files_in};
use super::postgres::Schema;
use super::world::{KEY, VARDBRO, World, put_key, wait};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4";
const PATIENCE: Duration = Duration::from_mins(1);
const ONE: &str = "key_files = [\"store.key\"]";
const BOTH: &str = "key_files = [\"new.key\", \"store.key\"]";
const NEW: &str = "key_files = [\"new.key\"]";

/// Why the daemon does not start.
fn refused(world: &World) -> String {
    let out =
        Command::new(VARDBRO).args(["run", "--lang", "en", "--config"]).arg(world.path("vardbro.toml")).output().expect("the program");
    assert_eq!(out.status.code(), Some(2));
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn a_store_whose_key_cannot_be_used_does_not_start() {
    let world = World::new("", "");
    world.daemon().stop();
    let key = world.path("store.key");
    for mode in [0o644, 0o606] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("set");
        assert!(refused(&world).contains("VB-CFG-014"), "{mode:o}");
    }
    put_key(&key, KEY ^ 1);
    assert!(refused(&world).contains("VB-CFG-015"), "another key");
    fs::write(&key, "5e5e").expect("written");
    assert!(refused(&world).contains("VB-CFG-014"), "too short");
    fs::remove_file(&key).expect("it was there");
    assert!(refused(&world).contains("VB-CFG-014"), "gone");
    world.configure(ONE, "");
    assert!(refused(&world).contains("VB-CFG-015"), "no key at all");
    let said = world.vardbro(&["log"]);
    assert!(said.contains("VB-CFG-015"), "nor do the commands read: {said}");
    world.configure("[store]\n", &format!("[store]\n{ONE}\n"));
    put_key(&key, KEY);
    world.daemon().stop();
}

#[test]
fn a_new_key_is_made_and_taken() {
    let world = World::new("", "");
    let file = world.path("made.key");
    let make = || Command::new(VARDBRO).args(["store", "new-key", "--lang", "en"]).arg(&file).output().expect("the program");
    assert!(make().status.success());
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).expect("a key");
    let said = make();
    assert!(String::from_utf8_lossy(&said.stderr).contains("VB-STO-002"));
    assert!(!String::from_utf8_lossy(&said.stdout).contains(text.trim()));
    assert_eq!(fs::read_to_string(&file).expect("a key"), text);
    world.configure(ONE, "key_files = [\"made.key\"]");
    world.daemon().stop();
    assert!(world.vardbro(&["store", "check"]).contains("; 0 damaged"));
}

/// A store that began without keys: it is sealed with the daemon stopped or, once that has begun, at work.
#[test]
fn what_began_plain_is_sealed() {
    let world = World::new("timeout_s = 1", BOUNDS);
    world.configure(ONE, "");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..EPISODES * 3);
    world.settle(&(EPISODES..EPISODES * 3), PATIENCE);
    let there = |file: &str| {
        let bytes = fs::read(world.path(file)).unwrap_or_default();
        bytes.windows(12).any(|found| found == b"193812217044")
    };
    assert!(there("vardbro.db") || there("vardbro.db-wal"));
    world.configure("[store]\n", &format!("[store]\n{ONE}\n"));
    let said = world.vardbro(&["store", "rekey"]);
    assert!(said.contains("VB-STO-006"), "a daemon without the key has it: {said}");
    daemon.stop();
    assert!(refused(&world).contains("VB-CFG-016"));
    let said = world.vardbro(&["store", "rekey", "--lang", "en"]);
    assert!(said.contains("0 do not open"), "{said}");
    assert!(!there("vardbro.db") && !there("vardbro.db-wal"), "nothing is left in the files");
    let daemon = world.daemon();
    world.fill(EPISODES * 3..EPISODES * 4);
    world.settle(&(EPISODES..EPISODES * 4), PATIENCE);
    daemon.stop();
    assert!(world.vardbro(&["store", "check"]).contains("; 0 damaged"));
}

/// The name of the key that seals, and how many values are sealed with each.
fn sealed_with(world: &World) -> Vec<String> {
    let name = if world.database.is_some() { "encode(substr(body, 2, 8), 'hex')" } else { "hex(substr(body, 2, 8))" };
    world.ask(&format!("SELECT {name} FROM event GROUP BY 1"))
}

/// Another key while messages flow, and again and again the command that gives it is killed, and the daemon too.
fn rekeyed_under_load(world: &World) {
    let _receiver = world.receiver("");
    put_key(&world.path("new.key"), KEY ^ 0xff);
    let mut daemon = world.daemon();
    let feeder = Feeder::start(world, &["in"], Duration::from_millis(5));
    let arrived = || files_in(&world.path("receiver/messages"));
    wait("load", PATIENCE, || arrived() > 100);
    world.configure(ONE, BOTH);
    if world.database.is_none() {
        let said = world.vardbro(&["store", "rekey"]);
        assert!(said.contains("VB-STO-010"), "the daemon does not have the key yet: {said}");
    }
    daemon.stop();
    daemon = world.daemon();
    assert_eq!(sealed_with(world).len(), 1, "the old one seals until the store is told");
    let (mut kill, mut cut_off) = (0, 0);
    // Each lives a little longer than the one before it: some end before they begin, and one at least half-way.
    while kill < 12 || cut_off == 0 {
        kill += 1;
        assert!(kill < 60, "none was killed half-way");
        let mut rekey = Command::new(VARDBRO);
        rekey.args(["store", "rekey", "--config"]).arg(world.path("vardbro.toml")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut rekey = rekey.spawn().expect("the program");
        std::thread::sleep(Duration::from_millis(25 * kill));
        let _ = rekey.kill();
        let _ = rekey.wait();
        cut_off += usize::from(sealed_with(world).len() == 2);
        if kill % 4 == 0 {
            daemon.kill();
            daemon = world.daemon();
        }
    }
    let before = arrived();
    let said = world.vardbro(&["store", "rekey", "--lang", "en"]);
    assert!(said.contains(" 0 do not open"), "{said}");
    assert_eq!(sealed_with(world).len(), 1, "and nothing comes to stand under the old one");
    wait("the flow to go on", PATIENCE, || arrived() > before + 50);
    daemon.stop();
    world.configure(BOTH, NEW);
    fs::remove_file(world.path("store.key")).expect("it was there");
    let daemon = world.daemon();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), PATIENCE);
    daemon.stop();
    let said = world.vardbro(&["store", "check", "--lang", "en"]);
    assert!(said.contains("; 0 damaged"), "{said}");
    assert_eq!(sealed_with(world).len(), 1);
    // One may have ended before it was to be killed.
    assert!(world.count("journal WHERE event = 'store.rekeyed'") > 0, "who looks sees it");
    let parked = world.count("delivery WHERE state = 'PARKED'");
    assert_eq!(parked, 0, "no value was taken for damaged");
    assert_eq!(arrived(), files - EPISODES, "each message once");
}

#[test]
fn a_store_is_given_another_key_under_load() {
    rekeyed_under_load(&World::new("timeout_s = 1", BOUNDS));
}

#[test]
fn a_store_in_postgresql_is_given_another_key_under_load() {
    let Some(schema) = Schema::new() else { return };
    rekeyed_under_load(&World::on_postgres(&schema.url, &schema.url, "timeout_s = 1", BOUNDS));
}

/// A backup of before the change opens with the old key alone, and is sealed anew after it has been put back.
#[test]
fn a_backup_wants_the_key_of_its_time() {
    let world = World::new("timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..EPISODES * 2);
    world.settle(&(EPISODES..EPISODES * 2), PATIENCE);
    let backup = world.path("backup.db").display().to_string();
    assert!(world.vardbro(&["store", "backup", &backup]).contains("SHA-256"));
    daemon.stop();
    put_key(&world.path("new.key"), KEY ^ 0xff);
    world.configure(ONE, BOTH);
    assert!(world.vardbro(&["store", "rekey", "--lang", "en"]).contains(" 0 do not open"));
    let plan = world.vardbro(&["store", "restore", &backup, "--lang", "en"]);
    assert!(!plan.contains("of another store"), "another key, the same store: {plan}");
    world.configure(BOTH, NEW);
    let said = world.vardbro(&["store", "restore", &backup]);
    assert!(said.contains("VB-CFG-015"), "{said}");
    world.configure(NEW, BOTH);
    let token = plan.rsplit("--confirm ").next().expect("a token").trim();
    let said = world.vardbro(&["store", "restore", &backup, "--confirm", token, "--lang", "en"]);
    assert!(said.contains("Restored"), "{said}");
    assert!(world.vardbro(&["store", "rekey", "--lang", "en"]).contains(" 0 do not open"));
    world.configure(BOTH, NEW);
    world.daemon().stop();
    assert!(world.vardbro(&["store", "check"]).contains("; 0 damaged"));
}
