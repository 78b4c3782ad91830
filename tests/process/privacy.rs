//! Marked personal data in every field of every type, through successes, failures and a panic: none of it may be seen in
//! anything that is written for people or machines that look after the program.

use super::hook::Hook;
use super::metrics::Watch;
use super::postgres::Schema;
use super::world::{VARDBRO, World, wait};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;
use vardbro::model::catalogue::{CATALOGUE, Row};
use vardbro::model::event::CareEvent;
use vardbro::model::shape::{Card, Field, Shape};

/// In every text; numbers are marked by the person's own digits.
const MARK: &str = "ZZMARK";
const PERSON: &str = "193812217044";
const PHONE: &str = "0521-987654";

/// A value of a field with the mark in it, where its form leaves room for one.
fn marked(field: &Field, n: usize) -> Value {
    let one = match field.shape {
        Shape::Text { max: 4 } => json!("CL02"),
        Shape::Text { max } => json!(format!("{MARK}{n}å ‹{}›", field.name).chars().take(max).collect::<String>()),
        Shape::Phone => json!(PHONE),
        Shape::Bool => json!(true),
        Shape::Instant => json!("2026-03-10T09:00:00+01:00"),
        Shape::Day => json!("2026-03-10"),
        Shape::HsaId => json!("SE2120001538-ZZMARK"),
        Shape::Uuid => json!("7e57ab1e-0000-4000-8000-000000000001"),
        Shape::Code(values) => json!(values[0].code),
        Shape::Group(fields) => fields.iter().map(|field| (field.name.to_owned(), marked(field, n))).collect::<Map<_, _>>().into(),
    };
    match field.card {
        Card::One | Card::Optional => one,
        Card::List { .. } | Card::OptionalList => json!([one]),
    }
}

fn event(row: &Row, n: usize) -> Value {
    let mut out: Map<String, Value> = CareEvent::fields().iter().map(|field| (field.name.to_owned(), marked(field, n))).collect();
    out.insert("type".into(), json!(row.code));
    out["patient"]["id"] = json!(PERSON);
    out["patient"]["idType"] = json!("personnummer");
    out["patient"]["protected"] = json!("none");
    out.insert("episodeRef".into(), json!({"caseId": format!("{MARK}-case-{PERSON}"), "regionCaseId": MARK}));
    // A correction under another id is refused whole; what is wrong on purpose stands below.
    out.remove("corrects");
    out.remove("cancels");
    out.insert("eventId".into(), json!(format!("{MARK}-{PERSON}-{n}")));
    out.insert("data".into(), row.fields.iter().map(|field| (field.name.to_owned(), marked(field, n))).collect::<Map<_, _>>().into());
    out.into()
}

fn assert_clean(what: &str, text: &[u8]) {
    let text = without_ids(&String::from_utf8_lossy(text)).to_uppercase();
    for mark in [MARK, PERSON, "19381221", "381221", "12217044", "1221-7044", PHONE, "987654"] {
        assert!(!text.contains(mark), "{mark} in {what}:\n{text}");
    }
    // The number's end alone, where it stands as a word.
    assert!(!text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "7044"), "7044 in {what}:\n{text}");
}

/// The text without ids and keyed references: whole words of 8, 24 or 64 hexadecimal digits, and UUIDs. Among thousands of
/// them some hold any six digits by chance.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| {
        let hex = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        hex && matches!((word.len(), word.matches('-').count()), (8 | 24 | 64, 0) | (36, 4))
            && word.bytes().any(|b| b.is_ascii_alphabetic())
    };
    let split = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
    split.filter(|word| !is_id(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))).collect()
}

#[test]
fn ids_are_left_out_and_numbers_are_not() {
    let line = r#"{"message_id":"f2c7098b-57d5-7044-bb31-0ecda065e27f","event_ref":"bb37befe3812217044478785","duration_ms":7}"#;
    let left = without_ids(line);
    assert!(!left.contains("7044") && left.contains("duration_ms\":7"), "{left}");
    for number in ["193812217044", "19381221-7044", "12217044"] {
        assert!(without_ids(&format!("patient \"{number}\".")).contains(number), "{number}");
    }
}

#[test]
fn no_mark_in_any_log_error_or_terminal_text() {
    let watch = Watch::new();
    let metrics = watch.config("route_closed_min = 0");
    let hook = Hook::new(None);
    let out = "command = [\"/bin/sh\", \"-c\", \"cat >> TOLD; echo >> TOLD\"]";
    let alarms = format!("[alarms]\nlook_s = 0.5\nwebhook_url = \"http://127.0.0.1:{}/\"\n{out}\n", hook.port);
    let world = World::new("timeout_s = 2\nmax_attempts = 3", &format!("[retry]\nbase_s = 0.1\nlease_s = 5\n{metrics}{alarms}"));
    world.configure("TOLD", &world.path("told.txt").display().to_string());
    let receiver = world.receiver(FAULTS);
    let daemon = world.daemon();
    let mut rows: Vec<&Row> = CATALOGUE.iter().collect();
    // The region's first: the municipality's wait for them.
    rows.sort_by_key(|row| row.code.starts_with('K'));
    let expected: usize = rows.iter().enumerate().map(|(n, row)| put_good_and_bad(&world, row, n)).sum();
    wait("every file to be settled", Duration::from_mins(1), || {
        let count = |folder: &str| fs::read_dir(world.path(folder)).map_or(0, Iterator::count);
        count("in/done") + count("in/rejected") / 2 == expected
    });
    wait("the queue to be empty", Duration::from_mins(1), || {
        let empty = |state| world.vardbro(&["messages", "list", "--state", state]).is_empty();
        ["SCHEDULED", "SCHEDULED_FOR_RESEND", "SUBMITTED"].into_iter().all(empty)
    });
    drop(receiver);
    for (n, row) in rows.iter().enumerate() {
        world.put(&format!("{n:02}-late.json"), &event(row, n + 50_000).to_string());
    }
    std::thread::sleep(Duration::from_secs(3));
    let figures = watch.get("/metrics").body;
    assert!(figures.lines().filter(|line| line.starts_with("vardbro_events_total{")).count() > rows.len(), "{figures}");
    assert_clean("/metrics", figures.as_bytes());
    for path in ["/health", "/health/ready", "/health/live"] {
        let heard = watch.get(path);
        assert!(heard.body.contains("\"reasons\""), "{heard:?}");
        assert_clean(path, heard.body.as_bytes());
    }
    let kinds: BTreeSet<String> = hook.taken().iter().map(|posted| posted.notice["alarm"].to_string()).collect();
    assert!(["\"deadline\"", "\"route\""].iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
    for posted in hook.taken() {
        assert_clean("a notice", posted.notice.to_string().as_bytes());
    }
    // What is asked with a mark is not given back.
    let heard = watch.get(&format!("/{MARK}/{PERSON}"));
    assert_clean("an address that is not there", heard.body.as_bytes());
    daemon.signal("TERM");
    assert_eq!(daemon.end(Duration::from_secs(30)), Some(0));

    let oplog = fs::read(world.path("oplog.ndjson")).expect("a log");
    assert!(oplog.len() > 10_000, "the log was written");
    assert_clean("the operations log", &oplog);
    for file in ["stderr.txt", "told.txt", "receiver.txt", "receiver/received.ndjson"] {
        assert_clean(file, &fs::read(world.path(file)).expect("a file"));
    }
    for language in ["sv", "en"] {
        assert_commands_clean(&world, language);
    }
    // A backup's name is the moment's.
    fs::create_dir(world.path("backups")).expect("a folder");
    assert!(world.vardbro(&["store", "backup", &world.path("backups").display().to_string()]).contains("SHA-256"));
    let backups: Vec<_> = fs::read_dir(world.path("backups")).expect("a folder").flatten().collect();
    assert_eq!(backups.len(), 1);
    assert_clean("a backup's name", backups[0].file_name().as_encoded_bytes());
    for entry in fs::read_dir(world.path("in/rejected")).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().ends_with(".reason.json") {
            assert_clean("a reason file", &fs::read(entry.path()).expect("a file"));
        }
    }
}

/// All types with the mark in every field, and what is left of them in the store's files, its backup and what its server writes
/// out. With the keys taken away from the configuration the same search finds the mark.
fn marks_in_the_store(world: &World) -> Vec<String> {
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let mut rows: Vec<&Row> = CATALOGUE.iter().collect();
    rows.sort_by_key(|row| row.code.starts_with('K'));
    for (n, row) in rows.iter().enumerate() {
        world.put(&format!("{n:02}-{PERSON}-{MARK}.json"), &event(row, n).to_string());
    }
    wait("every event to be taken", Duration::from_mins(1), || world.count("event") == rows.len());
    wait("receipts", Duration::from_mins(1), || world.count("attempt WHERE receipt IS NOT NULL") > 2);
    let mut raw = Vec::new();
    if let Some(database) = &world.database {
        let Ok(dump) = Command::new("pg_dump").args(["--inserts", "--dbname", database]).output() else {
            assert!(std::env::var_os("CI").is_none(), "no pg_dump in CI");
            return vec!["skipped".to_owned()];
        };
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        raw.push(("the server's dump", dump.stdout));
    } else {
        let said = world.vardbro(&["store", "backup", &world.path("backup.db").display().to_string()]);
        assert!(said.contains("SHA-256"), "{said}");
        for file in ["vardbro.db", "vardbro.db-wal", "backup.db"] {
            raw.push((file, fs::read(world.path(file)).expect("a file")));
        }
    }
    daemon.stop();
    let mut found = Vec::new();
    // What an event is referred to by is there: the search looks where it stands.
    let reference = &world.ask("SELECT MIN(key) FROM event")[0];
    assert_eq!(
        raw.iter().filter(|(_, bytes)| holds(bytes, reference)).count(),
        raw.len().div_ceil(2),
        "the log or the file, and the backup"
    );
    for (name, bytes) in raw {
        found.extend(
            [MARK, PERSON, "19381221-7044", PHONE, "987654"]
                .iter()
                .filter(|mark| holds(&bytes, mark))
                .map(|mark| format!("{mark} in {name}")),
        );
    }
    found
}

/// As text, in hexadecimal digits or in UTF-16.
fn holds(bytes: &[u8], text: &str) -> bool {
    let hex = text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let wide: Vec<u8> = text.bytes().flat_map(|byte| [byte, 0]).collect();
    [text.as_bytes(), hex.as_bytes(), &wide].iter().any(|wanted| bytes.windows(wanted.len()).any(|found| found == *wanted))
}

#[test]
fn no_mark_in_the_bytes_of_a_sealed_store() {
    assert_eq!(marks_in_the_store(&World::new("", "")), Vec::<String>::new());
    let world = World::new("", "");
    world.configure("key_files = [\"store.key\"]", "");
    assert!(marks_in_the_store(&world).len() > 5, "unsealed, the same search finds it");
}

#[test]
fn no_mark_in_a_dump_of_a_sealed_store() {
    let Some(schema) = Schema::new() else { return };
    let world = World::on_postgres(&schema.url, &schema.url, "", "");
    let found = marks_in_the_store(&world);
    assert!(found.is_empty() || found == ["skipped"], "{found:?}");
}

const FAULTS: &str = "[[answer]]\nstatus = 503\n[[answer]]\ndrop = \"after\"\n[[answer]]\nreceipt = \"rejected\"\nreason = \"BV\"\n";

/// A good event, one of a protected person, and every way of being wrong, with the mark where the fault lies. How many.
fn put_good_and_bad(world: &World, row: &Row, n: usize) -> usize {
    world.put(&format!("{n:02}-{PERSON}-{MARK}.json"), &event(row, n).to_string());
    let mut protected = event(row, n + 100);
    protected["patient"]["protected"] = json!("sekretessmarkering");
    world.put(&format!("{n:02}-b-{PERSON}-{MARK}.json"), &protected.to_string());
    let faults = [
        ("/patient/id", json!(MARK)),
        ("/type", json!(MARK)),
        ("/occurredAt", json!(PERSON)),
        ("/data", json!({MARK: PERSON})),
        ("/author", json!(PERSON)),
    ];
    let count = faults.len();
    for (k, (pointer, bad)) in faults.into_iter().enumerate() {
        let mut broken = event(row, n + 1_000 * (k + 1));
        *broken.pointer_mut(pointer).expect("a field") = bad;
        world.put(&format!("{n:02}-x{k}-{PERSON}.json"), &broken.to_string());
    }
    world.put(&format!("{n:02}-y-{PERSON}.json"), &format!("{{\"{MARK}\": \"{PERSON}"));
    count + 3
}

fn assert_alarms_clean(world: &World, language: &str) {
    for arguments in [&["alarms", "list", "--lang", language][..], &["alarms", "list", "--json"]] {
        let said = world.vardbro(arguments);
        assert!(said.lines().count() > 4, "{said}");
        assert_clean("vardbro alarms list", said.as_bytes());
    }
}

fn assert_commands_clean(world: &World, language: &str) {
    for format in ["text", "json"] {
        let said = world.vardbro(&["log", "--limit", "100000", "--lang", language, "--format", format]);
        assert!(said.lines().count() > 20, "{said}");
        assert_clean("vardbro log", said.as_bytes());
    }
    assert_alarms_clean(world, language);
    let list = world.vardbro(&["messages", "list", "--lang", language]);
    assert!(list.lines().count() > 4, "{list}");
    assert_clean("vardbro messages list", list.as_bytes());
    for line in list.lines() {
        let id = line.split_whitespace().nth(2).expect("an id");
        for format in ["text", "json"] {
            let said = world.vardbro(&["messages", "show", id, "--lang", language, "--format", format]);
            assert_clean("vardbro messages show", said.as_bytes());
        }
    }
    for format in ["text", "json"] {
        let said = world.vardbro(&["audit", "list", "--limit", "100000", "--lang", language, "--format", format]);
        assert!(said.contains("disclosed") || said.contains("lämnades ut"), "{said}");
        assert_clean("vardbro audit list", said.as_bytes());
        assert_clean("vardbro audit verify", world.vardbro(&["audit", "verify", "--lang", language, "--format", format]).as_bytes());
    }
    // The export has them, where it says that it has: in the sealed body, and nowhere beside it.
    let export = world.vardbro(&["audit", "export", "--output", "-", "--lang", language]);
    assert!(export.contains(PERSON) && export.contains(MARK));
    for row in export.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let mut row = row;
        row["body"].take();
        assert_clean("vardbro audit export beside the bodies", row.to_string().as_bytes());
    }
    let episodes = world.vardbro(&["episodes", "list", "--lang", language, "--limit", "1000"]);
    assert!(!episodes.is_empty());
    assert_clean("vardbro episodes list", episodes.as_bytes());
    for line in episodes.lines() {
        let id = line.split_whitespace().next().expect("an id");
        for format in ["text", "json"] {
            let said = world.vardbro(&["episodes", "show", id, "--lang", language, "--format", format]);
            assert!(said.lines().count() > 4, "{said}");
            assert_clean("vardbro episodes show", said.as_bytes());
        }
    }
    for report in ["utskrivningsklara", "checklista", "sena", "oppenvard"] {
        for format in ["table", "csv", "json"] {
            let said = world.vardbro(&["report", report, "--month", "2026-03", "--lang", language, "--format", format]);
            assert_clean("vardbro report", said.as_bytes());
        }
    }
    for format in ["text", "json"] {
        let said = world.vardbro(&["doctor", "--lang", language, "--format", format]);
        assert!(said.contains("VB-DOC-012"), "{said}");
        assert_clean("vardbro doctor", said.as_bytes());
    }
    let bundle = world.path(&format!("{language}.tar.gz"));
    world.vardbro(&["doctor", "--lang", language, "--bundle", &bundle.display().to_string()]);
    let unpacked = Command::new("tar").args(["-xzOf"]).arg(&bundle).output().expect("tar");
    assert!(unpacked.status.success() && unpacked.stdout.len() > 50_000, "{}", String::from_utf8_lossy(&unpacked.stderr));
    assert_clean("the support file", &unpacked.stdout);
    let held = world.vardbro(&["messages", "list", "--state", "HELD"]);
    let id = held.split_whitespace().nth(2).expect("a held message");
    assert_clean("a plan", world.vardbro(&["messages", "release", id, "--reason", "x", "--lang", language]).as_bytes());
    // The files' own names are the user's to see on the terminal; what is said of them is not.
    for format in ["text", "json"] {
        let check =
            Command::new(VARDBRO).args(["check", "--lang", language, "--format", format, "."]).current_dir(world.path("in")).output();
        let check = check.expect("the program");
        let said: String = String::from_utf8_lossy(&check.stdout).lines().map(|line| without_file_name(line) + "\n").collect();
        assert!(said.contains("VB-MAP-"), "{said}");
        assert_clean("vardbro check", said.as_bytes());
        assert_clean("vardbro check's error output", &check.stderr);
    }
}

/// The line without what stands between the last blank, slash or quotation mark and `.json`.
fn without_file_name(line: &str) -> String {
    let cut = |part: &str| part.strip_suffix(".json").and_then(|name| name.rfind(['/', '"', ' '])).map_or(part.len(), |at| at);
    line.split_inclusive(".json").map(|part| part[..cut(part)].to_owned()).collect()
}
