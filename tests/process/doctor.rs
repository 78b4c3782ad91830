//! `vardbro doctor` on real installations: one that is well, and one for each thing that can be wrong with it.

use super::certificates::{issuer, leaf};
use super::figures::EPISODES;
use super::host::faketime;
use super::postgres::Schema;
use super::world::{KEY, VARDBRO, World, put_key, wait};
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::Value;
use std::cell::RefCell;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use vardbro::model::time::{Clock as _, SystemClock};
use vardbro::receiver::Certificates;

const WATCH: &str = "[retry]\nbase_s = 0.2";

fn examine(world: &World, more: &[&str]) -> Output {
    let config = world.path("vardbro.toml");
    Command::new(VARDBRO).args(["doctor", "--lang", "en", "--config"]).arg(config).args(more).output().expect("the program")
}

/// The readings, and how the command ended.
fn readings(world: &World) -> (Vec<Value>, Option<i32>) {
    let out = examine(world, &["--format", "json"]);
    let told: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&out.stderr)));
    (told["readings"].as_array().expect("readings").clone(), out.status.code())
}

/// For a test that fails.
fn lines(readings: &[Value]) -> String {
    let line = |one: &Value| format!("{} {} {} {}", one["verdict"], one["subject"], one["code"], one["en"]);
    readings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One thing is wrong, and it is told: its code, where, and how bad. Put right, it is told no more.
fn assert_told(world: &World, (subject, code, verdict): (&str, &str, &str), spoil: impl FnOnce(), mend: impl FnOnce()) {
    let told =
        |readings: &[Value]| readings.iter().any(|one| one["subject"] == subject && one["code"] == code && one["verdict"] == verdict);
    let (before, _) = readings(world);
    assert!(!told(&before), "{code} before: {}", lines(&before));
    spoil();
    let (spoilt, ended) = readings(world);
    assert!(told(&spoilt), "{code} at {subject}: {}", lines(&spoilt));
    if verdict == "bad" {
        assert_eq!(ended, Some(1), "{code}");
    }
    mend();
    let (mended, _) = readings(world);
    assert!(!told(&mended), "{code} mended: {}", lines(&mended));
}

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("set");
}

/// What a daemon has left that delivered something and stopped.
fn used(world: World) -> World {
    set_mode(&world.path("in"), 0o750);
    let receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..3 * EPISODES);
    world.settle(&(EPISODES..3 * EPISODES), Duration::from_mins(1));
    daemon.stop();
    drop(receiver);
    world
}

/// What stands in the store, and what the receiver has.
fn contents(world: &World) -> (Vec<String>, usize) {
    let sql = "SELECT 'delivery', message_id, state, attempts, hex(document) FROM delivery UNION ALL SELECT 'journal', id, at, '', line FROM journal
         UNION ALL SELECT 'meta', name, '', '', hex(value) FROM meta";
    (world.ask(sql), world.received().len())
}

#[test]
fn an_installation_that_is_well_and_what_is_left_as_it_was() {
    let world = used(World::new("timeout_s = 2", WATCH));
    let receiver = world.receiver("");
    let before = contents(&world);
    let (found, ended) = readings(&world);
    assert_eq!(ended, Some(0), "{}", lines(&found));
    assert_eq!(contents(&world), before, "nothing is changed, nothing is sent");
    let good = |subject: &str| {
        found.iter().find(|one| one["subject"] == subject && one["verdict"] == "good").unwrap_or_else(|| panic!("{subject}"))
    };
    for subject in ["rules.use", "destination.region", "store.key_files[0]", "source.journal.path", "store.path", "oplog.path", "store"] {
        good(subject);
    }
    // What stands there is what the file holds.
    let raw = good("store: delivery.document")["en"].as_str().expect("words");
    let begins = raw.split("begins ").nth(1).expect("bytes").trim_end_matches('…').to_owned();
    let rows = world.ask(&format!("SELECT COUNT(*) FROM delivery WHERE lower(hex(substr(document, 1, 12))) = '{begins}'"));
    assert_eq!(rows, ["1"]);
    let text = String::from_utf8(examine(&world, &[]).stdout).expect("text");
    assert!(text.contains("certificates are accepted") && text.ends_with(" 0 bad.\n"), "{text}");
    drop(receiver);
    let offline = examine(&world, &["--offline"]);
    assert_eq!(offline.status.code(), Some(0));
    assert!(!String::from_utf8_lossy(&offline.stdout).contains("destination.region  "), "nobody is asked");
}

#[test]
fn each_certificate_that_is_wrong_is_told() {
    let world = used(World::new("timeout_s = 2", WATCH));
    let (pem, issuer) = issuer();
    let write = |file: &Path, text: &str| fs::write(file, text).expect("written");
    let c = &world.certificates;
    let (old_cert, old_key) = (fs::read_to_string(&c.client_cert).expect("a file"), fs::read_to_string(&c.client_key).expect("a file"));
    let give = |(certificate, key): (String, String)| {
        write(&c.client_cert, &certificate);
        write(&c.client_key, &key);
    };
    let mend = || give((old_cert.clone(), old_key.clone()));
    let cert = "destination.region.cert_file";
    let ended = leaf("vardbro", ExtendedKeyUsagePurpose::ClientAuth, &issuer, false);
    assert_told(&world, (cert, "VB-DOC-002", "bad"), || give(ended), mend);
    let other = leaf("vardbro", ExtendedKeyUsagePurpose::ClientAuth, &issuer, true);
    assert_told(&world, (cert, "VB-DOC-003", "bad"), || write(&c.client_key, &other.1), mend);
    let gap = format!("{old_cert}{pem}");
    assert_told(&world, (cert, "VB-DOC-004", "note"), || write(&c.client_cert, &gap), mend);
    assert_told(&world, (cert, "VB-CFG-007", "bad"), || write(&c.client_cert, "no certificate"), mend);
    assert_told(&world, ("vardbro.toml", "VB-CFG-006", "bad"), || fs::remove_file(&c.client_cert).expect("it was there"), mend);
    // The test's own hold for ninety days: these began sixty days ago.
    let began = SystemClock.now() - jiff::SignedDuration::from_hours(24 * 60);
    let soon = Certificates::make(&world.path("soon"), began).expect("certificates");
    fs::copy(&soon.client_cert, &c.client_cert).expect("copied");
    fs::copy(&soon.client_key, &c.client_key).expect("copied");
    let (found, _) = readings(&world);
    assert!(found.iter().any(|one| one["subject"] == cert && one["code"] == "VB-DOC-001" && one["verdict"] == "note"), "{}", lines(&found));
}

#[test]
fn each_way_that_is_closed_is_told() {
    let world = used(World::new("timeout_s = 2", WATCH));
    let c = &world.certificates;
    let start = |script: &str| world.receiver(script);
    let receiver = RefCell::new(Some(start("")));
    let subject = "destination.region";
    let (_, issuer) = issuer();
    assert_told(&world, (subject, "VB-DLV-001", "bad"), || *receiver.borrow_mut() = None, || *receiver.borrow_mut() = Some(start("")));
    let server = [&c.server_cert, &c.server_key].map(|file| fs::read(file).expect("a file"));
    let (cert, key) = leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth, &issuer, true);
    let swap = |cert: &[u8], key: &[u8]| {
        *receiver.borrow_mut() = None;
        fs::write(&c.server_cert, cert).expect("written");
        fs::write(&c.server_key, key).expect("written");
        *receiver.borrow_mut() = Some(start(""));
    };
    assert_told(&world, (subject, "VB-DLV-002", "bad"), || swap(cert.as_bytes(), key.as_bytes()), || swap(&server[0], &server[1]));
    let client = [&c.client_cert, &c.client_key].map(|file| fs::read(file).expect("a file"));
    let (cert, key) = leaf("vardbro", ExtendedKeyUsagePurpose::ClientAuth, &issuer, true);
    let show = |cert: &[u8], key: &[u8]| {
        fs::write(&c.client_cert, cert).expect("written");
        fs::write(&c.client_key, key).expect("written");
    };
    assert_told(&world, (subject, "VB-DLV-003", "bad"), || show(cert.as_bytes(), key.as_bytes()), || show(&client[0], &client[1]));
}

#[test]
fn a_clock_that_differs_from_the_receiver_s_is_told() {
    let Some(library) = faketime() else { return };
    let world = used(World::new("timeout_s = 2", WATCH));
    let _receiver = world.receiver("");
    let at = |faked: &str| {
        let mut program = Command::new(VARDBRO);
        program.env("LD_PRELOAD", &library).env("FAKETIME", faked);
        program.args(["doctor", "--format", "json", "--config"]).arg(world.path("vardbro.toml"));
        let told: Value = serde_json::from_slice(&program.output().expect("the program").stdout).expect("readings");
        told["readings"].as_array().expect("readings").iter().any(|one| one["code"] == "VB-DOC-008")
    };
    assert!(at("+90s") && at("-90s"));
    assert!(!at("+0s"));
}

#[test]
fn each_file_and_folder_that_is_open_to_others_is_told() {
    let world = used(World::new("timeout_s = 2", WATCH));
    let open = |file: &str, mode: u32| {
        let file = world.path(file);
        move || set_mode(&file, mode)
    };
    for (subject, file, good, code, verdict) in [
        ("store.key_files[0]", "store.key", 0o600, "VB-CFG-014", "bad"),
        ("destination.region.key_file", "client.key", 0o600, "VB-DOC-005", "bad"),
        ("store.path", "vardbro.db", 0o600, "VB-DOC-005", "bad"),
        ("source.journal.path", "in", 0o750, "VB-DOC-005", "note"),
    ] {
        assert_told(&world, (subject, code, verdict), open(file, 0o755), open(file, good));
    }
    let disk = "[metrics]\nlisten = \"127.0.0.1:0\"\ndisk_free_mb = 1000000\n[oplog]";
    assert_told(&world, ("store.path", "VB-HLT-002", "bad"), || world.configure("[oplog]", disk), || world.configure(disk, "[oplog]"));
}

#[test]
fn what_is_wrong_with_the_store_is_told() {
    let world = used(World::new("timeout_s = 2", WATCH));
    let key = world.path("store.key");
    assert_told(&world, ("store", "VB-CFG-015", "bad"), || put_key(&key, KEY ^ 1), || put_key(&key, KEY));
    let plain = || drop(world.ask("UPDATE delivery SET document = CAST('<plain>' AS BLOB) WHERE id = (SELECT MIN(id) FROM delivery)"));
    let undo = || drop(world.ask("DELETE FROM delivery WHERE id = (SELECT MIN(id) FROM delivery)"));
    world.ask("DELETE FROM attempt");
    assert_told(&world, ("store: delivery.document", "VB-DOC-009", "bad"), plain, undo);
    world.ask("UPDATE event SET body = CAST(substr(body, 1, 40) AS BLOB)");
    let (found, ended) = readings(&world);
    assert!(found.iter().any(|one| one["subject"] == "store: event.body" && one["code"] == "VB-STO-009"), "{}", lines(&found));
    assert_eq!(ended, Some(1));
}

/// Messages that are parked, in either database.
fn what_waits_is_told(world: &World) {
    let receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 0");
    let daemon = world.daemon();
    world.fill(0..2 * EPISODES);
    wait("parked messages", Duration::from_mins(1), || world.count("delivery WHERE state = 'PARKED'") == EPISODES);
    let (found, ended) = readings(world);
    let waits = |one: &Value| one["code"] == "VB-DOC-012" && one["en"].as_str().is_some_and(|en| en.ends_with(&format!(": {EPISODES}")));
    assert!(found.iter().any(waits), "{}", lines(&found));
    assert!(found.iter().any(|one| one["subject"] == "store: event.body" && one["verdict"] == "good"), "{}", lines(&found));
    assert_eq!(ended, Some(0));
    daemon.stop();
    drop(receiver);
}

const ONE_TRY: &str = "timeout_s = 1\nmax_attempts = 1";

#[test]
fn what_waits_is_told_of_a_file() {
    what_waits_is_told(&World::new(ONE_TRY, WATCH));
}

#[test]
fn what_waits_is_told_of_a_server() {
    let Some(schema) = Schema::new() else { return };
    let world = World::on_postgres(&schema.url, &schema.url, ONE_TRY, WATCH);
    set_mode(&world.path("url"), 0o600);
    what_waits_is_told(&world);
}

#[test]
fn the_mail_server_is_looked_for_and_nobody_s_address_is_packed() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let source = "kind = \"directory\"\npath = \"in\"\nmail_to = [\"biljett@kommun.example\"]";
    let mail = format!(
        "[mail]\nserver = \"localhost\"\nport = {port}\nfrom = \"vardbro@kommun.example\"\nuser = \"vardbrokonto\"\npassword_file = \"mail.password\""
    );
    let world = World::reading(source, "", &mail);
    fs::write(world.path("mail.password"), "hemligt\n").expect("written");
    let open = |mode| set_mode(&world.path("mail.password"), mode);
    open(0o600);
    assert_told(&world, ("mail.password_file", "VB-DOC-005", "bad"), || open(0o644), || open(0o600));
    let bundle = world.path("support.tar.gz");
    examine(&world, &["--bundle", &bundle.display().to_string()]);
    let unpacked = Command::new("tar").args(["-xzOf"]).arg(&bundle).output().expect("tar");
    let text = String::from_utf8_lossy(&unpacked.stdout);
    assert!(text.contains("[mail]") && text.contains("mail_to"), "{text}");
    for hidden in ["@kommun.example", "vardbrokonto", "hemligt"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    let server = RefCell::new(Some(server));
    let again = || *server.borrow_mut() = Some(TcpListener::bind(("127.0.0.1", port)).expect("the port"));
    assert_told(&world, ("mail.server", "VB-DOC-011", "bad"), || *server.borrow_mut() = None, again);
}
