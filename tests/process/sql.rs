//! Rows of a table as a source: taken late and never lost, answered, killed in between, and with the database away.

use super::figures::{EPISODES, Random, event_of, files_in, message_of, now};
use super::gate::{Gate, Mode};
use super::outbox::{Base, Client};
use super::world::{VARDBRO, World, admission, message, planning, wait};
use std::fs;
use std::process::Command;
use std::time::Duration;

const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4";
const WRITTEN: &str = "body_column = \"event\"\nstatus_column = \"status\"\nanswer_column = \"answer\"";
const SOON: Duration = Duration::from_secs(20);

/// A world whose source is the outbox of a database, by a way of the caller's.
fn world_at(base: &Base, url: &str, table: &str, keys: &str) -> World {
    let place = match base {
        Base::Postgres(_) => "engine = \"postgresql\"\nurl_file = \"outbox.url\"".to_owned(),
        Base::Maria { .. } => "engine = \"mariadb\"\nurl_file = \"outbox.url\"".to_owned(),
        Base::Sqlite { .. } => format!("engine = \"sqlite\"\ndatabase = \"{url}\""),
    };
    let source =
        format!("[source.outbox]\nkind = \"sql\"\n{place}\ntable = \"{table}\"\nkey_column = \"id\"\npoll_s = 0.1\nmax_kb = 16\n{keys}\n");
    let world = World::new("timeout_s = 1", &format!("{source}{BOUNDS}"));
    fs::write(world.path("outbox.url"), url).expect("written");
    world
}

fn world_of(base: &Base) -> (World, Client) {
    let mut client = base.client();
    client.run(&base.sample());
    (world_at(base, &base.url(), "outbox", WRITTEN), client)
}

fn answers(client: &mut Client) -> Vec<String> {
    client.ask("SELECT status, answer FROM outbox ORDER BY id")
}

fn wait_for_all(client: &mut Client) {
    wait("every row to have its status", Duration::from_mins(1), || client.count("outbox WHERE status IS NULL") == 0);
}

/// Events in, messages at the receiver, answers in the rows; and rows that nobody can read, with good ones behind them.
fn end_to_end(base: &Base) {
    let (world, mut client) = world_of(base);
    let _receiver = world.receiver("");
    client.put(&admission("HSL-1", "E-1", 0));
    client.put(&planning("HSL-1", "E-2", 1));
    client.put("{\"eventId\": ");
    client.put(&format!("{{\"eventId\": \"{}\"}}", "x".repeat(20_000)));
    client.put("");
    client.put(&planning("HSL-1", "E-2", 1));
    if let Base::Sqlite { .. } = base {
        client.run("INSERT INTO outbox (event) VALUES (CAST(X'7B22FF227D' AS TEXT))");
    } else {
        client.put("{\"eventId\": \"å\"}");
    }
    client.put(&planning("HSL-1", "E-8", 8));
    let daemon = world.daemon();
    wait_for_all(&mut client);
    let id = |file: usize| message_of(file);
    wait("the answers to tell of the receiver's", SOON, || {
        let told = answers(&mut client);
        [1, 7].iter().all(|row| told[*row].contains("ACCEPTED"))
    });
    daemon.stop();
    let told = answers(&mut client);
    let status: Vec<&str> = told.iter().map(|row| row.split('|').next().expect("a status")).collect();
    assert_eq!(status, ["accepted", "accepted", "rejected", "rejected", "rejected", "duplicate", "rejected", "accepted"]);
    for (row, code) in [(2, "VB-MAP-002"), (3, "VB-SRC-002"), (4, "VB-SRC-001")] {
        assert!(told[row].contains(code), "{row}: {}", told[row]);
    }
    assert!(told[1].contains(&id(2)) && told[7].contains(&id(8)), "{told:?}");
    if let Base::Sqlite { .. } = base {
        assert!(told[6].contains("VB-SRC-003"), "{}", told[6]);
    }
    let received: Vec<String> = world.received().iter().filter_map(|line| line["messageId"].as_str().map(str::to_owned)).collect();
    assert_eq!(received, [id(2), id(8)]);
}

#[test]
fn a_postgresql_outbox_from_end_to_end() {
    Base::postgres().iter().for_each(end_to_end);
}

#[test]
fn a_mariadb_outbox_from_end_to_end() {
    Base::maria().iter().for_each(end_to_end);
}

#[test]
fn a_sqlite_outbox_from_end_to_end() {
    end_to_end(&Base::sqlite());
}

/// Killed again and again while several hundred rows come in.
fn killed(base: &Base) {
    const ROWS: usize = EPISODES + 400;
    const KILLS: usize = 12;
    let (world, mut client) = world_of(base);
    let _receiver = world.receiver("");
    let mut random = Random::new();
    (0..EPISODES + 80).for_each(|file| client.put(&event_of(file, EPISODES)));
    let mut feeder = base.client();
    let feeding = std::thread::spawn(move || {
        for file in EPISODES + 80..ROWS {
            feeder.put(&event_of(file, EPISODES));
            std::thread::sleep(Duration::from_millis(15));
        }
    });
    for kill in 0..KILLS {
        let (starts, arrived) = (world.starts("oplog"), files_in(&world.path("receiver/messages")));
        let daemon = world.spawn_by(Command::new(VARDBRO), "vardbro");
        if kill % 4 == 0 {
            wait("a message to arrive", SOON, || files_in(&world.path("receiver/messages")) > arrived);
        } else {
            wait("the daemon to start", SOON, || world.starts("oplog") > starts);
            std::thread::sleep(random.pause(0..300));
        }
        daemon.kill();
    }
    let (daemon, ended) = (world.daemon(), now());
    feeding.join().expect("fed");
    wait_for_all(&mut client);
    world.settle(&(EPISODES..ROWS), Duration::from_mins(2));
    // A row that was met twice says so only until its fate is told.
    wait("the fates to be told", SOON, || client.count("outbox WHERE status = 'accepted'") == ROWS);
    wait("the receipts to be told", SOON, || answers(&mut client).iter().skip(EPISODES).all(|row| row.contains("ACCEPTED")));
    daemon.stop();
    assert_eq!(world.count("event"), ROWS);
    world.figures(&format!("kill -9, {} outbox", base.name()), KILLS, ended, EPISODES..ROWS);
}

#[test]
fn kills_amid_rows_of_postgresql_lose_nothing() {
    Base::postgres().iter().for_each(killed);
}

#[test]
fn kills_amid_rows_of_mariadb_lose_nothing() {
    Base::maria().iter().for_each(killed);
}

#[test]
fn kills_amid_rows_of_sqlite_lose_nothing() {
    killed(&Base::sqlite());
}

/// A row with a lower number is committed after one with a higher number was taken.
fn committed_late(base: &Base, written: bool) {
    let mut client = base.client();
    client.run(&base.sample());
    let world = world_at(base, &base.url(), "outbox", if written { WRITTEN } else { "body_column = \"event\"" });
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    client.put(&admission("HSL-1", "E-1", 1));
    client.put(&admission("HSL-2", "E-2", 2));
    wait("the first rows", SOON, || world.count("event") == 2);
    let mut late = base.client();
    late.run("BEGIN");
    late.put(&planning("HSL-1", "E-3", 3));
    for (file, case) in [(4, "HSL-2"), (5, "HSL-2"), (6, "HSL-1")] {
        client.put(&planning(case, &format!("E-{file}"), file));
        wait("the row behind it", SOON, || world.settled(usize::try_from(file).expect("small")));
    }
    late.run("COMMIT");
    wait("the late row", SOON, || world.settled(3));
    if written {
        wait_for_all(&mut client);
        assert!(answers(&mut client).iter().all(|row| row.starts_with("accepted|")));
    } else {
        assert_eq!(client.count("outbox WHERE status IS NULL"), 6, "nothing is written");
    }
    daemon.stop();
    assert_eq!(world.count("event"), 6);
    assert_eq!(world.received().len(), 4, "each of them once");
    let starts = client.ask("SELECT id FROM outbox ORDER BY id").len();
    assert_eq!(starts, 6);
}

#[test]
fn a_row_of_postgresql_that_is_committed_late_is_taken() {
    for written in [true, false] {
        if let Some(base) = &Base::postgres() {
            committed_late(base, written);
        }
    }
}

#[test]
fn a_row_of_mariadb_that_is_committed_late_is_taken() {
    for written in [true, false] {
        if let Some(base) = &Base::maria() {
            committed_late(base, written);
        }
    }
}

/// In SQLite one writes at a time; but a row may come with a number that was passed over.
#[test]
fn a_row_of_sqlite_with_a_lower_number_is_taken() {
    for written in [true, false] {
        let base = Base::sqlite();
        let mut client = base.client();
        client.run(&base.sample());
        let world = world_at(&base, &base.url(), "outbox", if written { WRITTEN } else { "body_column = \"event\"" });
        let daemon = world.daemon();
        client.run(&format!("INSERT INTO outbox (id, event) VALUES (100, '{}')", admission("HSL-1", "E-1", 1)));
        wait("the first row", SOON, || world.count("event") == 1);
        client.run(&format!("INSERT INTO outbox (id, event) VALUES (50, '{}')", admission("HSL-2", "E-2", 1)));
        wait("the row before it", SOON, || world.count("event") == 2);
        daemon.stop();
    }
}

/// Columns instead of a document, through a view that cannot be written to; started twice, since nothing is remembered on disk.
fn a_view_of_columns(base: &Base) {
    let mut client = base.client();
    let (time, flag) = match base {
        Base::Postgres(_) => ("timestamptz", "'2026-03-10T08:00:00+01:00'"),
        Base::Maria { .. } => ("TIMESTAMP NULL", "'2026-03-10 07:00:00'"),
        Base::Sqlite { .. } => ("TEXT", "'2026-03-10T08:00:00+01:00'"),
    };
    if let Base::Maria { .. } = base {
        client.run("SET time_zone = '+00:00'");
    }
    client.run(&format!(
        "CREATE TABLE visit (id VARCHAR(20) PRIMARY KEY, seq INTEGER NOT NULL, case_id VARCHAR(20), came {time});
         CREATE VIEW arrivals AS SELECT id, seq, case_id, came FROM visit"
    ));
    let mut add = |id: &str, seq: usize| {
        client.run(&format!("INSERT INTO visit (id, seq, case_id, came) VALUES ('{id}', {seq}, 'HSL-{seq}', {flag})"));
    };
    let world = world_at(base, &base.url(), "arrivals", "order_column = \"seq\"\nmapping = \"arrivals.toml\"");
    fs::write(world.path("arrivals.toml"), MAPPING).expect("written");
    (0..300).for_each(|n| add(&format!("v-{n}"), n));
    let daemon = world.daemon();
    wait("the rows", SOON, || world.count("event") == 300);
    add("late", 7);
    add("new", 301);
    wait("a late row and a new one", SOON, || world.count("event") == 302);
    daemon.stop();
    let daemon = world.daemon();
    add("more", 3);
    wait("one more", SOON, || world.count("event") == 303);
    daemon.stop();
    assert_eq!(world.count("event"), 303, "nothing twice");
}

const MAPPING: &str = r#"
name = "arrivals"
revision = "1"
format = "json"

[[event]]
type = "R-IN"
eventId = "id"
system = { value = "test-journal" }
occurredAt = "came"
sentAt = "came"
episodeRef.caseId = "case_id"
patient.id = { value = "193812217044" }
patient.idType = { value = "personnummer" }
patient.name.given = { value = "Greta" }
patient.name.family = { value = "Almqvist" }
patient.address = { value = "Edsgatan 12" }
author.unit.hsaId = { value = "SE2321000131-T200" }
data.admittedAt = "came"
data.estimatedDischargeAt = "came"
data.ward.hsaId = { value = "SE2321000131-T200" }
data.ward.name = { value = "Avdelning 5" }
data.ward.specialty = { value = "somatik" }
"#;

#[test]
fn columns_of_a_view_in_postgresql_are_taken() {
    Base::postgres().iter().for_each(a_view_of_columns);
}

#[test]
fn columns_of_a_view_in_mariadb_are_taken() {
    Base::maria().iter().for_each(a_view_of_columns);
}

#[test]
fn columns_of_a_view_in_sqlite_are_taken() {
    a_view_of_columns(&Base::sqlite());
}

/// The database goes away and comes back, and a connection falls silent.
fn away(base: &Base, gate: &Gate, url: &str) {
    let mut client = base.client();
    client.run(&base.sample());
    let world = world_at(base, url, "outbox", WRITTEN);
    let _receiver = world.receiver("");
    gate.set(Mode::Shut);
    let daemon = world.daemon();
    (0..EPISODES + 100).for_each(|file| client.put(&event_of(file, EPISODES)));
    let troubles = |world: &World| world.oplog().iter().filter(|line| line["event"] == "source.fault").count();
    wait("the trouble to be told", SOON, || troubles(&world) == 1);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(troubles(&world), 1, "told once");
    gate.set(Mode::Open);
    wait("some rows", Duration::from_mins(1), || client.count("outbox WHERE status IS NOT NULL") > 0);
    gate.set(Mode::Shut);
    (EPISODES + 100..EPISODES + 200).for_each(|file| client.put(&event_of(file, EPISODES)));
    std::thread::sleep(Duration::from_secs(1));
    gate.set(Mode::Open);
    wait_for_all(&mut client);
    assert!(gate.silence() > 0, "a connection fell silent");
    (EPISODES + 200..EPISODES + 240).for_each(|file| client.put(&event_of(file, EPISODES)));
    let (ended, rows) = (now(), EPISODES + 240);
    wait_for_all(&mut client);
    world.settle(&(EPISODES..rows), Duration::from_mins(1));
    wait("the fates to be told", Duration::from_mins(1), || {
        answers(&mut client).iter().skip(EPISODES).all(|row| row.starts_with("accepted|") && row.contains("ACCEPTED"))
    });
    daemon.stop();
    assert_eq!(world.count("event"), rows);
    world.figures(&format!("{} outbox away", base.name()), 3, ended, EPISODES..rows);
}

#[test]
fn a_postgresql_outbox_that_goes_away_comes_back() {
    let Some(base) = Base::postgres() else { return };
    let gate = Gate::new(&base.url());
    let url = gate.url.clone();
    away(&base, &gate, &url);
}

#[test]
fn a_mariadb_outbox_that_goes_away_comes_back() {
    let Some(base) = Base::maria() else { return };
    let url = base.url();
    let (before, after) = url.split_once('@').expect("a user");
    let (address, database) = after.split_once('/').expect("a database");
    let (host, port) = address.split_once(':').unwrap_or((address, "3306"));
    let gate = Gate::new(&format!("host={host} port={port}"));
    let through = gate.url.split(' ').find_map(|part| part.strip_prefix("port=")).expect("a port");
    away(&base, &gate, &format!("{before}@127.0.0.1:{through}/{database}"));
}

/// The answers have no room in the column, or may not be written at all: the rows behind go on.
#[test]
fn a_row_that_cannot_be_answered_holds_up_no_others() {
    let base = Base::sqlite();
    let (world, mut client) = world_of(&base);
    client.run(
        "CREATE TRIGGER no BEFORE UPDATE ON outbox WHEN OLD.id <= 300 OR LENGTH(NEW.answer) > 60
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    (0..310).for_each(|n| client.put(&admission(&format!("HSL-{n}"), &format!("E-{n}"), n)));
    client.put("{\"eventId\": ");
    client.put(&message("K-CL", "HSL-1", "E-400", 1, &serde_json::json!({})));
    let daemon = world.daemon();
    wait("the rows behind", SOON, || client.count("outbox WHERE status IS NOT NULL") == 12);
    assert_eq!(client.ask("SELECT answer FROM outbox WHERE id = 311"), ["{\"verdict\":\"rejected\"}"]);
    assert!(world.oplog().iter().any(|line| line["code"] == "VB-SRC-011"));
    client.run("DROP TRIGGER no");
    wait_for_all(&mut client);
    daemon.stop();
}
