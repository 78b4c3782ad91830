//! The folder source: sub-folders, patterns, orders, markers and batches, through the daemon's own source and intake.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

#[path = "support/folder.rs"]
#[expect(dead_code, reason = "the bad files use the rest")]
mod folder;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "the stories use the rest")]
mod world;

use folder::{Folder, good};
use serde_json::Value;
use std::fs::{self, File};
use std::time::{Duration, SystemTime};
use vardbro::config::FileOrder;
use vardbro::model::name::Name;
use vardbro::model::personal::Personal;
use vardbro::source::directory::Outcomes;
use vardbro::source::{News, Teller};

/// Events that were accepted, in the order in which they came.
fn taken(folder: &Folder, ids: &[&str]) -> Vec<String> {
    let source = Name::parse("journal").expect("a name");
    let untold = folder.world.store.untold(&source, 1000).expect("a working store");
    let id = |body: &Personal<Vec<u8>>| {
        let event: Value = serde_json::from_slice(disclosed(body)).expect("JSON");
        event["eventId"].as_str().expect("an id").to_owned()
    };
    let taken: Vec<String> = untold.iter().map(|untold| id(untold.body.as_ref().expect("its content"))).collect();
    assert!(taken.iter().all(|id| ids.contains(&id.as_str())), "{taken:?}");
    taken
}

#[expect(clippy::disallowed_methods, reason = "made-up events of a test")]
fn disclosed(body: &Personal<Vec<u8>>) -> &[u8] {
    body.disclose()
}

#[test]
fn files_in_sub_folders_keep_their_path() {
    let mut folder = Folder::with(|settings| settings.folders = true);
    folder.put("ward-5/2026/a.json", good("E-1").as_bytes());
    folder.put("ward-6/a.json", good("E-2").as_bytes());
    folder.put("ward-6/bad.json", b"{");
    folder.put(".hidden/a.json", good("E-3").as_bytes());
    folder.put("a.json", good("E-4").as_bytes());
    folder.round();
    for done in ["ward-5/2026/a.json", "ward-6/a.json", "a.json"] {
        assert!(folder.there("done", done) && !folder.there("", done), "{done}");
    }
    assert!(folder.there("rejected", "ward-6/bad.json") && folder.there("rejected", "ward-6/bad.json.reason.json"));
    assert!(folder.there("", ".hidden/a.json"));
    assert_eq!(taken(&folder, &["E-1", "E-2", "E-4"]), ["E-4", "E-1", "E-2"]);
    // What lies in our own folders is not taken again, and a namesake gets a name of its own.
    folder.put("ward-6/a.json", good("E-5").as_bytes());
    folder.round();
    assert!(folder.there("done", "ward-6/a.json~2"));
    let mut outcomes = Outcomes { folder: folder.path.clone() };
    for (origin, file) in [("ward-6/a.json", "ward-6/a.json.outcome.json"), ("../../etc/x", ".._.._etc_x.outcome.json")] {
        let news = News { origin: Personal::new(origin.to_owned()), event_id: None, outcome: "{}\n".to_owned() };
        outcomes.tell(&news).expect("told");
        assert!(folder.there("outcome", file), "{file}");
    }
}

#[test]
fn sub_folders_are_left_alone_unless_they_are_asked_for() {
    let mut folder = Folder::new(Duration::ZERO);
    folder.put("ward-5/a.json", good("E-1").as_bytes());
    folder.round();
    assert!(folder.there("", "ward-5/a.json"));
    folder.good(1);
}

#[test]
fn only_files_of_the_pattern_are_taken() {
    let mut folder = Folder::with(|settings| settings.pattern = Some("ut-*.dat".to_owned()));
    for (name, id) in [("ut-1.dat", "E-1"), ("ut-1.dat.bak", "E-2"), ("a.json", "E-3"), ("ut-2.dat", "E-4")] {
        folder.put(name, good(id).as_bytes());
    }
    folder.round();
    assert!(folder.there("done", "ut-1.dat") && folder.there("done", "ut-2.dat"));
    assert!(folder.there("", "a.json") && folder.there("", "ut-1.dat.bak"));
}

#[test]
fn files_are_taken_by_name_or_by_age() {
    for (order, expected) in [(FileOrder::Name, ["E-1", "E-2", "E-3"]), (FileOrder::Age, ["E-2", "E-3", "E-1"])] {
        let mut folder = Folder::with(|settings| settings.order = order);
        for (name, id, minutes) in [("a.json", "E-1", 1), ("b.json", "E-2", 3), ("c.json", "E-3", 2)] {
            folder.put(name, good(id).as_bytes());
            let at = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365 * 50) - Duration::from_mins(minutes);
            File::options().write(true).open(folder.path.join(name)).and_then(|file| file.set_modified(at)).expect("set");
        }
        folder.round();
        assert_eq!(taken(&folder, &expected), expected, "{order:?}");
    }
}

#[test]
fn a_file_with_a_marker_is_taken_once_that_is_there() {
    let mut folder = Folder::with(|settings| {
        settings.marker = Some(".klar".to_owned());
        settings.still = Duration::from_hours(1);
    });
    let half = &good("E-1").into_bytes();
    folder.put("a.json", &half[..half.len() / 2]);
    folder.round();
    assert!(folder.there("", "a.json"), "taken before it was complete");
    folder.put("a.json", half);
    folder.put("a.json.klar", b"");
    folder.put("b.json", b"{");
    folder.put("b.json.klar", b"");
    folder.put("c.json", good("E-2").as_bytes());
    folder.round();
    assert!(folder.there("done", "a.json") && folder.there("rejected", "b.json") && folder.there("", "c.json"));
    assert!(!folder.there("", "a.json.klar") && !folder.there("", "b.json.klar"), "a marker goes after its file");
    // A crash between the two leaves a marker; it does not stand for the next file of the name.
    folder.put("a.json.klar", b"");
    folder.put("other.txt", b"");
    folder.put("other.txt.klar", b"");
    folder.restart();
    folder.round();
    assert!(!folder.there("", "a.json.klar") && folder.there("", "other.txt.klar"));
    folder.put("a.json", &half[..half.len() / 2]);
    folder.round();
    assert!(folder.there("", "a.json"));
}

#[test]
fn of_a_batch_the_reason_names_each_record_that_was_refused() {
    let mut folder = Folder::new(Duration::ZERO);
    let line = |id: &str| good(id).replace('\n', " ");
    let bad = line("E-2").replace("personnummer", "shoe size");
    let lines = [line("E-1"), bad, String::new(), line("E-3"), "{".to_owned(), line("E-4")];
    folder.put("batch.ndjson", (lines.join("\n") + "\n").as_bytes());
    folder.round();
    assert!(folder.there("rejected", "batch.ndjson"));
    assert_eq!(taken(&folder, &["E-1", "E-3", "E-4"]).len(), 3, "what is good is taken");
    let reason = fs::read_to_string(folder.path.join("rejected/batch.ndjson.reason.json")).expect("a reason");
    let reason: Value = serde_json::from_str(&reason).expect("JSON");
    assert_eq!((&reason["verdict"], &reason["taken"]), (&"partly".into(), &3.into()));
    let records = reason["records"].as_array().expect("records");
    let lines: Vec<u64> = records.iter().map(|record| record["line"].as_u64().expect("a line")).collect();
    assert_eq!(lines, [2, 5]);
    let first = &records[0]["findings"][0];
    assert_eq!((&first["path"], &first["place"]["line"]), (&"patient.idType".into(), &2.into()), "{first}");
    assert!(records[1]["findings"][0]["code"].as_str().is_some_and(|code| code.starts_with("VB-MAP")));
    // Corrected and laid in again: the rest is known.
    folder.put("batch.ndjson", (["E-1", "E-2", "E-3", "E-4"].map(line).join("\n")).as_bytes());
    folder.round();
    assert!(folder.there("done", "batch.ndjson"));
    assert_eq!(taken(&folder, &["E-1", "E-2", "E-3", "E-4"]).len(), 4);
}
