//! Bad files through the real folder source: each ends in `rejected/` with reasons and without its content, and the next
//! good file goes through.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

#[path = "support/folder.rs"]
#[expect(dead_code, reason = "the folder's own tests use the rest")]
mod folder;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod world;

use folder::{Folder, good, log};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;
use vardbro::lint::written;
use vardbro::model::finding::Finding;
use vardbro::source::directory::form;
use vardbro::story::{difference, placed};
use world::{fixtures, names};

/// Peak memory that all bad files together may add.
const MEMORY_MAX_KB: u64 = 160 * 1024;
const PERSON: &str = "193812217044";
const TABLE: &str = "eventId;patient\nZZMARK;193812217044\n";
const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<message xmlns=\"urn:vardbro:message:1\"><ZZMARK>193812217044</ZZMARK></message>\n";

/// Those that are too large or too odd to be files of the repository.
fn made() -> BTreeMap<String, Vec<u8>> {
    let good = good("MADE-1");
    let wrong: String = {
        let number: Value = serde_json::from_str(&good).expect("JSON");
        let id = number["patient"]["id"].as_str().expect("a number").to_owned();
        let last = id.as_bytes()[11] - b'0';
        good.replace(&id, &format!("{}{}", &id[..11], (last + 1) % 10))
    };
    let item = r#"{"code": "CL01", "status": "klar"}"#;
    let items = vec![item; 201].join(",");
    let head = &good[..good.find("\"data\"").expect("data")];
    let many = format!("{}\"data\": {{\"listVersion\": \"ZZMARK\", \"items\": [{items}]}}}}", head.replace("K-PU", "K-CL"));
    let deep = format!("{{\"ZZMARK\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let zeros = format!("{{\"ZZMARK\": [{}0]}}", "0,".repeat(500_000));
    let all: [(&str, Vec<u8>); 9] = [
        ("made-10000-levels.json", deep.into_bytes()),
        ("made-10000-objects.json", format!("{}1{}", "{\"ZZMARK\":".repeat(10_000), "}".repeat(10_000)).into_bytes()),
        ("made-31-mb.json", vec![b' '; 31 * 1024 * 1024]),
        ("made-201-items.json", many.into_bytes()),
        ("made-check-digit.json", wrong.into_bytes()),
        ("made-a-million-characters-of-zeros.json", zeros.into_bytes()),
        // A folder of events takes neither documents nor tables; `vardbro check` has other words for them.
        ("made-message.xml", DOCUMENT.into()),
        ("made-table.csv", TABLE.into()),
        ("made-late-fault.json", format!("{}{good}x", " ".repeat(900_000)).into_bytes()),
    ];
    all.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect()
}

/// The reasons, each with code and place; and that they hold what they must and nothing more.
fn reasons(folder: &Folder, name: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.path.join("rejected").join(format!("{name}.reason.json")))
        .unwrap_or_else(|_| panic!("{name}: no reason"));
    assert!(!text.contains("ZZMARK"), "{name}: the reason repeats the file: {text}");
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    assert!(longest < 6, "{name}: a run of {longest} digits: {text}");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["verdict"], "rejected");
    // Of a batch, record by record.
    let of = |value: &Value| -> Vec<Finding> { serde_json::from_value(value["findings"].clone()).expect("findings") };
    let findings: Vec<Finding> = value["records"].as_array().map_or_else(|| of(&value), |records| records.iter().flat_map(of).collect());
    assert!(!findings.is_empty(), "{name}: refused without a reason");
    for finding in &findings {
        for text in [&finding.sv, &finding.en, &finding.remedy_sv, &finding.remedy_en] {
            assert!(!text.trim().is_empty(), "{name}: {} lacks a text", finding.code);
        }
        assert_ne!(finding.sv, finding.en, "{name}: {} is not translated", finding.code);
    }
    findings.iter().map(placed).collect()
}

fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

#[test]
fn every_bad_file_is_refused_with_reasons_and_the_next_good_one_goes_through() {
    let bad = fixtures().join("bad");
    let mut files = made();
    let lying: Vec<String> = names(&bad).into_iter().filter(|name| form(name).is_some()).collect();
    for name in lying.clone() {
        files.insert(name.clone(), fs::read(bad.join(name)).expect("a file"));
    }
    assert!(files.len() >= 24);
    let mut folder = Folder::new(Duration::ZERO);
    folder.good(0);
    // The files themselves are in the test's memory; what counts is what reading them adds.
    let before = peak_kb();
    let (mut expected, mut expected_of_made) = (Vec::new(), Vec::new());
    for (n, (name, bytes)) in files.iter().enumerate() {
        folder.put(name, bytes);
        folder.round();
        assert!(folder.there("rejected", name), "{name} was not refused");
        let list = if lying.contains(name) { &mut expected } else { &mut expected_of_made };
        list.push((name.as_str(), reasons(&folder, name)));
        folder.good(n + 1);
    }
    let added = peak_kb() - before;
    println!("peak memory: {before} kB before, {added} kB more");
    assert!(added < MEMORY_MAX_KB, "reading bad files took {added} kB more");
    let journal = folder.journal();
    assert!(!journal.contains("ZZMARK") && !journal.contains(PERSON), "the journal repeats a file");
    assert!(names(&folder.path.join("rejected")).len() == 2 * files.len(), "something else was refused");
    // What lies in the folder is also held to its expectations by `vardbro check`; what is made is told of here alone.
    for (name, expected) in [("expect.toml", expected), ("made.toml", expected_of_made)] {
        let path = bad.join(name);
        let head = "# Written by UPDATE=1. What the reason file of each bad file names: code, path, line:column.";
        let made = written(head, expected.iter().map(|(name, findings)| (*name, findings.as_slice(), None)));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path, made).expect("written");
        } else {
            let lies = fs::read_to_string(path).unwrap_or_default();
            assert!(lies == made, "{}\nIf this is as it should be: UPDATE=1", difference(&lies, &made));
        }
    }
}

#[test]
fn what_is_no_file_or_has_no_usable_name_ends_well() {
    let mut folder = Folder::new(Duration::ZERO);
    let target = folder.path.parent().expect("a parent").join("ZZMARK-secret.txt");
    fs::write(&target, "ZZMARK").expect("a file");
    std::os::unix::fs::symlink(&target, folder.path.join("link.json")).expect("a link");
    fs::create_dir(folder.path.join("folder.json")).expect("a folder");
    let pipe = std::process::Command::new("mkfifo").arg(folder.path.join("pipe.json")).status().expect("mkfifo");
    assert!(pipe.success());
    let long = format!("{}.json", "x".repeat(230));
    folder.put(&long, good("LONG-1").as_bytes());
    folder.round();
    assert_eq!(reasons(&folder, "link.json"), ["VB-SRC-004"]);
    assert_eq!(reasons(&folder, "pipe.json"), ["VB-SRC-004"]);
    assert!(target.exists(), "what the link points at is left alone");
    assert!(folder.there("", "folder.json"), "a folder is left where it is");
    let rejected = names(&folder.path.join("rejected"));
    assert_eq!(rejected.iter().filter(|name| name.starts_with("xxx")).count(), 2, "{rejected:?}");
    assert_eq!(reasons(&folder, &"x".repeat(50)), ["VB-SRC-008"]);
    folder.good(1);
}

#[test]
fn a_name_that_is_not_utf_8_is_refused_and_not_met_again() {
    let mut folder = Folder::new(Duration::ZERO);
    fs::write(folder.path.join(OsStr::from_bytes(b"\xE5\xE4\xF6.json")), good("LATIN-1")).expect("a file");
    folder.round();
    let left: Vec<String> = names(&folder.path).into_iter().filter(|name| Path::new(name).extension().is_some()).collect();
    assert!(left.is_empty(), "still lies in the folder: {left:?}");
    assert_eq!(names(&folder.path.join("rejected")).len(), 2);
    folder.good(1);
}

#[test]
fn a_byte_order_mark_and_a_number_in_the_name_do_no_harm() {
    let mut folder = Folder::new(Duration::ZERO);
    let named = format!("{PERSON} ZZNAME planering.json");
    folder.put("mark.json", format!("\u{feff}{}", good("MARK-1")).as_bytes());
    folder.put(&named, good("NAMED-1").as_bytes());
    folder.put(&format!("{PERSON} ZZNAME trasig.json"), b"{");
    folder.round();
    assert!(folder.there("done", "mark.json") && folder.there("done", &named));
    let journal = folder.journal();
    let log = fs::read_to_string(log()).expect("the log");
    assert!(log.lines().count() >= 3 && journal.lines().count() >= 3);
    for text in [&journal, &log] {
        assert!(!text.contains("ZZNAME") && !text.contains(PERSON), "a file's name in {text}");
    }
}

#[test]
fn a_half_written_file_is_waited_for() {
    let mut folder = Folder::new(Duration::from_millis(60));
    let text = good("HALF-1");
    // In the middle of a letter of two bytes.
    let (first, rest) = text.as_bytes().split_at(text.find('å').expect("a letter beyond ASCII") + 1);
    folder.put("half.json", first);
    folder.put("never.json", first);
    for _ in 0..15 {
        folder.round();
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(folder.there("", "half.json"), "taken before it was complete");
    OpenOptions::new().append(true).open(folder.path.join("half.json")).expect("a file").write_all(rest).expect("written");
    folder.until("done", "half.json");
    folder.until("rejected", "never.json");
    assert!(reasons(&folder, "never.json")[0].starts_with("VB-MAP-002"));
    // Written from the beginning once more, under the same name.
    folder.put("never.json", text.replace("HALF-1", "HALF-2").as_bytes());
    folder.until("done", "never.json");
}
