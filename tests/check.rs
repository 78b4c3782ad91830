//! `vardbro check` as a build server runs it.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
    command.arg("check").args(arguments).current_dir(folder).env_remove("LANG").env_remove("LC_ALL").env_remove("LC_MESSAGES");
    command.output().expect("the program")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Codes that were found, with file and line.
fn found(folder: &Path, arguments: &[&str]) -> Vec<(String, u64, String)> {
    let output = check(folder, &[arguments, &["--format", "json"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}{}", said(&output), complained(&output)));
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = report["findings"].as_array().expect("findings").iter().filter(|row| row["severity"] != "note");
    rows.map(|row| (text(row, "file"), row["line"].as_u64().unwrap_or(0), text(row, "code"))).collect()
}

fn example(kind: &str) -> String {
    fs::read_to_string(root().join(format!("fixtures/types/{kind}.json"))).expect("an example")
}

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    folder
}

#[test]
fn a_folder_says_what_its_files_must_trip_and_both_too_little_and_too_much_fail() {
    let broken = example("K-PU").replace("\"ordinary\"", "\"castle\"");
    let folder = folder_with(&[("broken.json", &broken), ("good.json", &example("K-PU"))]);
    let here = folder.path();
    assert_eq!(check(here, &["."]).status.code(), Some(1));
    assert_eq!(check(here, &["--update", "."]).status.code(), Some(0));
    let expect = fs::read_to_string(here.join("expect.toml")).expect("written");
    assert!(expect.contains("VB-MAP-010 data.housing") && !expect.contains("good.json"), "{expect}");
    assert_eq!(check(here, &["."]).status.code(), Some(0), "{}", said(&check(here, &["."])));
    // The code alone is enough.
    fs::write(here.join("expect.toml"), "[[file]]\nname = \"broken.json\"\nfindings = [\"VB-MAP-010\"]\n").expect("written");
    assert_eq!(check(here, &["."]).status.code(), Some(0));
    fs::write(here.join("broken.json"), example("K-PU")).expect("written");
    assert_eq!(found(here, &["."]), [("expect.toml".to_owned(), 3, "VB-FIX-011".to_owned())]);
    fs::write(here.join("broken.json"), broken.replace("+01:00\"", "\"")).expect("written");
    let more = found(here, &["."]);
    assert!(!more.is_empty() && more.iter().all(|(file, _, code)| file == "broken.json" && code == "VB-MAP-011"), "{more:?}");
    fs::remove_file(here.join("broken.json")).expect("removed");
    assert_eq!(found(here, &["."]), [("expect.toml".to_owned(), 2, "VB-FIX-012".to_owned())]);
    // What is expected and does not come any more is struck, and what cannot be read is not written over.
    assert_eq!(check(here, &["--update", "."]).status.code(), Some(0));
    assert_eq!(check(here, &["."]).status.code(), Some(0));
    fs::write(here.join("expect.toml"), "[[file]]\nname = \"good.json\"\nfindngs = []\n").expect("written");
    assert_eq!(check(here, &["--update", "."]).status.code(), Some(2));
    assert_eq!(found(here, &["."]), [("expect.toml".to_owned(), 3, "VB-FIX-010".to_owned())]);
}

#[test]
fn a_mapping_of_a_folder_and_the_events_that_its_files_give() {
    let sample = root().join("fixtures/mappings/exempel-csv");
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["in.csv", "out.json", "expect.toml"] {
        fs::copy(sample.join(name), folder.path().join(name)).expect("copied");
    }
    let here = folder.path();
    assert_eq!(check(here, &["."]).status.code(), Some(0), "{}", said(&check(here, &["."])));
    let other = fs::read_to_string(here.join("out.json")).expect("events").replace("Greta", "Gerda");
    fs::write(here.join("out.json"), other).expect("written");
    let differs = found(here, &["."]);
    assert!(matches!(differs.as_slice(), [(file, _, code)] if file == "expect.toml" && code == "VB-FIX-013"), "{differs:?}");
    assert!(said(&check(here, &["."])).contains("[out.json[0].events[0].patient.name.given]"), "{}", said(&check(here, &["."])));
    assert_eq!(check(here, &[".", "--update"]).status.code(), Some(0));
    assert_eq!(fs::read(here.join("out.json")).expect("events"), fs::read(sample.join("out.json")).expect("events"));
}

#[test]
fn globs_ignore_files_hidden_files_and_links_say_what_is_looked_at() {
    let bad = "{}";
    let folder = folder_with(&[
        ("a.json", bad),
        ("b/c.json", bad),
        ("b/d.ndjson", bad),
        ("left/e.json", bad),
        (".hidden/f.json", bad),
        ("b/notes.txt", bad),
        (".vardbroignore", "left/\n"),
    ]);
    let here = folder.path();
    std::os::unix::fs::symlink(here, here.join("b/loop")).expect("a link");
    let files = |arguments: &[&str]| {
        let mut files: Vec<String> = found(here, arguments).into_iter().map(|(file, ..)| file).collect();
        files.dedup();
        files
    };
    assert_eq!(files(&["."]), ["a.json", "b/c.json", "b/d.ndjson"]);
    assert_eq!(files(&[".", "--glob", "*.json"]), ["a.json", "b/c.json"]);
    assert_eq!(files(&[".", "--glob", "!b/**"]), ["a.json"]);
    assert_eq!(files(&["b", "a.json", "b"]), ["a.json", "b/c.json", "b/d.ndjson"]);
    // Globs choose inputs, not what is expected of them.
    fs::write(here.join("expect.toml"), "[[file]]\nname = \"a.json\"\nfindings = [\"VB-MAP-010\"]\n").expect("written");
    assert!(files(&[".", "--glob", "*.json"]).contains(&"expect.toml".to_owned()));
    assert_eq!(check(here, &[".", "--update"]).status.code(), Some(0));
    assert_eq!(check(here, &[".", "--glob", "*.json"]).status.code(), Some(0));
    fs::remove_file(here.join("expect.toml")).expect("removed");
    for path in [".hidden", "left"] {
        fs::create_dir_all(here.join("empty")).expect("a folder");
        assert!(complained(&check(here, &["empty", "--glob", path])).contains("VB-FIX-018"));
    }
    fs::remove_dir_all(here.join("b")).expect("removed");
    fs::create_dir_all(here.join("b")).expect("a folder");
    for name in ["c.json", "d.ndjson"] {
        fs::write(here.join("b").join(name), bad).expect("written");
        fs::remove_file(here.join("b/expect.toml")).ok();
    }
    // What is named is looked at.
    assert_eq!(files(&["left/e.json"]), ["left/e.json"]);
    assert_eq!(check(here, &["."]).stdout, check(here, &["."]).stdout);
}

#[test]
fn standard_input_is_an_event_lines_of_them_or_a_document() {
    let through = |text: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
        command.args(["check", "-", "--format", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("the program");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let first = report["findings"].as_array().and_then(|rows| rows.iter().find(|row| row["severity"] == "error")).cloned();
        (report["records"].as_u64(), first.map(|row| (row["file"].clone(), row["code"].clone(), row["line"].clone())))
    };
    let one: Value = serde_json::from_str(&example("R-IN")).expect("JSON");
    assert_eq!(through(&example("R-IN")), (Some(1), None));
    let broken = one.to_string().replace("\"somatik\"", "\"castle\"");
    let told = through(&format!("{one}\n{broken}\n"));
    assert_eq!(told, (Some(2), Some(("-".into(), "VB-MAP-010".into(), 2.into()))));
    assert_eq!(through("<other/>").1.map(|(_, code, _)| code), Some("VB-OUT-004".into()));
    assert_eq!(through("").1.map(|(_, code, _)| code), Some("VB-SRC-001".into()));
}

#[test]
fn warnings_fail_where_they_are_asked_to_and_several_forms_come_of_one_run() {
    let quiet = fs::read_to_string(root().join("fixtures/types/minimal/R-BU.json")).expect("an example");
    let folder = folder_with(&[("quiet.json", &quiet)]);
    let here = folder.path();
    assert_eq!(check(here, &["."]).status.code(), Some(0));
    assert_eq!(check(here, &[".", "--fail-on", "warn"]).status.code(), Some(1));
    let both = check(here, &[".", "--output", "json=report.json", "--output", "text=report.txt"]);
    assert_eq!(said(&both), fs::read_to_string(here.join("report.txt")).expect("written"));
    let report: Value = serde_json::from_slice(&fs::read(here.join("report.json")).expect("written")).expect("JSON");
    assert_eq!(report["totals"]["warnings"], 1);
    assert_eq!(check(here, &[".", "--output", "a", "--output", "b"]).status.code(), Some(2));
    assert_eq!(check(here, &[".", "--output", "nowhere/a"]).status.code(), Some(2));
    assert_eq!(check(here, &[".", "--output", "jsn=a"]).status.code(), Some(2));
    assert_eq!(check(here, &[".", "--glob", "{"]).status.code(), Some(2));
    assert_eq!(check(here, &[".", "--rules", "none/1"]).status.code(), Some(2));
}

#[test]
fn values_are_shown_for_test_persons_alone() {
    let list = root().join("../shared/reference/testpersons/testpersonnummer.txt");
    if !list.exists() {
        assert!(std::env::var_os("CI").is_none(), "the list of test persons is missing");
        return;
    }
    let broken = example("K-PU").replace("\"ordinary\"", "\"castle\"");
    let folder = folder_with(&[("broken.json", &broken), ("list.txt", "189001019802\n")]);
    let here = folder.path();
    let list = list.display().to_string();
    assert!(said(&check(here, &["."])).contains("\"housing\": \"••••••\""), "{}", said(&check(here, &["."])));
    let shown = said(&check(here, &[".", "--show-values", "--test-persons", &list]));
    assert!(shown.contains("\"housing\": \"castle\""), "{shown}");
    let another = said(&check(here, &[".", "--show-values", "--test-persons", "list.txt"]));
    assert!(another.contains("••••••") && !another.contains("castle"), "{another}");
    // Whoever is not on the list does not belong in a test.
    fs::write(here.join("good.json"), example("K-PU")).expect("written");
    let codes = |list: &str| found(here, &["good.json", "--test-persons", list]).into_iter().map(|(.., code)| code).collect::<Vec<_>>();
    assert_eq!((codes(&list), codes("list.txt")), (vec![], vec!["VB-CHK-022".to_owned()]));
    assert_eq!(check(here, &[".", "--show-values"]).status.code(), Some(2));
    assert_eq!(check(here, &[".", "--show-values", "--test-persons", "broken.json"]).status.code(), Some(1));
}

#[test]
fn an_example_of_every_type_is_sound() {
    for row in vardbro::model::catalogue::CATALOGUE {
        for minimal in [&[][..], &["--minimal"]] {
            let made =
                Command::new(env!("CARGO_BIN_EXE_vardbro")).args(["new", "fixture", row.code]).args(minimal).output().expect("the program");
            let folder = folder_with(&[("event.json", &said(&made))]);
            assert_eq!(check(folder.path(), &["."]).status.code(), Some(0), "{}: {}", row.code, said(&check(folder.path(), &["."])));
        }
    }
}

#[test]
fn the_rules_and_codes_are_listed_in_both_languages() {
    let (english, swedish) = (said(&check(&root(), &["--list-rules"])), said(&check(&root(), &["--list-rules", "--lang", "sv"])));
    for code in ["CHK-1", "VB-MAP-010", "VB-FIX-011"] {
        let line = |text: &str| text.lines().find(|line| line.starts_with(code)).map(str::to_owned).expect(code);
        assert_ne!(line(&english), line(&swedish));
    }
}

/// The project's own fixtures: clean, and nothing of what matters is left out.
#[test]
fn our_own_fixtures_are_as_they_say_and_reach_every_type_rule_and_item() {
    let least = ["--min-coverage", "types=100", "--min-coverage", "rules=100", "--min-coverage", "items=100"];
    let told = check(&root(), &[&["fixtures", "--fail-on", "warn", "--coverage"][..], &least].concat());
    assert_eq!(told.status.code(), Some(0), "{}{}", said(&told), complained(&told));
    println!("{}", said(&told));
    let folder = folder_with(&[("one.json", &example("R-IN"))]);
    let little = check(folder.path(), &["one.json", "--min-coverage", "types=100"]);
    assert_eq!(little.status.code(), Some(1));
    assert!(complained(&little).contains("VB-FIX-016"), "{}", complained(&little));
    assert_eq!(check(folder.path(), &["one.json", "--min-coverage", "nothing=1"]).status.code(), Some(2));
}

#[test]
fn a_story_that_ends_otherwise_fails_and_update_writes_what_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new(env!("CARGO_BIN_EXE_vardbro"))
        .args(["new", "fixture", "R-IN", "--story", "story"])
        .current_dir(folder.path())
        .output()
        .expect("the program");
    assert_eq!(made.status.code(), Some(0), "{}", complained(&made));
    let here = folder.path();
    assert_eq!(check(here, &["."]).status.code(), Some(1));
    assert_eq!(check(here, &[".", "--update"]).status.code(), Some(0), "{}", said(&check(here, &["."])));
    let clean = check(here, &["."]);
    assert_eq!(clean.status.code(), Some(0), "{}", said(&clean));
    assert!(said(&clean).contains("1 story"), "{}", said(&clean));
    let event = here.join("story/in/01-r-in.json");
    let other = fs::read_to_string(&event).expect("an event").replace("somatik", "psykiatri");
    fs::write(&event, other).expect("written");
    assert!(found(here, &["."]).iter().all(|(file, _, code)| file == "story/expect.toml" && code == "VB-FIX-001"));
    assert_eq!(check(here, &["."]).status.code(), Some(1));
}

/// None of these is an event; each ends in a finding at a place, and the good one beside them is good.
#[test]
fn hostile_files_end_in_findings() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let good = example("R-IN");
    let mut noise: Vec<u8> = (0..200_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(good.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let deep_xml = format!("<message xmlns=\"urn:vardbro:message:1\">{}", "<a>".repeat(100_000));
    let bomb =
        "<!DOCTYPE m [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><m xmlns=\"urn:vardbro:message:1\">&b;</m>";
    let faults = format!("{{{}}}\n", (0..400).map(|n| format!("\"f{n}\":1")).collect::<Vec<_>>().join(","));
    let files: [(&str, Vec<u8>, &str); 12] = [
        ("binary.json", std::mem::take(&mut noise), "VB-SRC-003"),
        ("nul.ndjson", vec![0; 100_000], "VB-MAP-001"),
        ("large.json", vec![b' '; 3 << 20], "VB-SRC-002"),
        ("deep.json", format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000)).into_bytes(), "VB-MAP-003"),
        ("deep.xml", deep_xml.into_bytes(), "VB-OUT-006"),
        ("bomb.xml", bomb.into(), "VB-OUT-006"),
        ("truncated.json", good.as_bytes()[..good.len() / 2].to_vec(), "VB-MAP-002"),
        ("truncated.xml", b"<message xmlns=\"urn:vardbro:message:1\"><content".to_vec(), "VB-OUT-006"),
        ("utf-16.json", utf16, "VB-SRC-003"),
        ("latin-1.json", b"{\"eventId\": \"\xE5\xE4\xF6\"}".to_vec(), "VB-SRC-003"),
        ("empty.xml", Vec::new(), "VB-OUT-004"),
        ("lines.ndjson", faults.repeat(200).into_bytes(), "VB-MAP-007"),
    ];
    for (name, bytes, _) in &files {
        fs::write(here.join(name), bytes).expect("written");
    }
    fs::write(here.join("good.json"), &good).expect("written");
    assert!(Command::new("mkfifo").arg(here.join("pipe.json")).status().expect("mkfifo").success());
    assert_eq!(found(here, &["pipe.json"]), [("pipe.json".to_owned(), 0, "VB-SRC-004".to_owned())]);
    let odd = tempfile::tempdir().expect("a folder");
    fs::write(odd.path().join(std::ffi::OsStr::from_bytes(b"\xE5.json")), &good).expect("written");
    fs::write(odd.path().join("\u{1b}[31m\n.json"), b"{}").expect("written");
    fs::write(odd.path().join("table.csv"), b"a;b\n").expect("written");
    let names = found(odd.path(), &["."]);
    assert!(names.iter().any(|(.., code)| code == "VB-SRC-008") && names.iter().any(|(.., code)| code == "VB-FIX-017"), "{names:?}");
    assert!(!said(&check(odd.path(), &["."])).contains('\u{1b}'), "a name commands the terminal");
    let all = found(here, &["."]);
    for (name, _, code) in &files {
        let codes: Vec<&str> = all.iter().filter(|(file, ..)| file == name).map(|(.., code)| code.as_str()).collect();
        assert!(codes.contains(code), "{name}: {:?}", &codes[..codes.len().min(5)]);
        assert!(codes.len() <= 1_001, "{name}: {}", codes.len());
    }
    assert!(all.iter().all(|(file, ..)| file != "good.json" && file != "pipe.json"));
    let text = check(here, &["."]);
    assert_eq!(text.status.code(), Some(1), "{}", complained(&text));
    let longest = said(&text).lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(600), "{longest:?}");
    for form in ["junit", "sarif", "github", "gitlab"] {
        assert_eq!(check(here, &[".", "--format", form]).status.code(), Some(1), "{form}");
    }
    assert_eq!(check(here, &["no-such-folder"]).status.code(), Some(2));
}

#[test]
fn a_folder_of_thousands_is_told_in_the_order_of_names_up_to_a_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..6_000 {
        fs::write(folder.path().join(format!("{number:05}.json")), "{\"eventId\":\"E\",\"patient\":{}}").expect("written");
    }
    let output = check(folder.path(), &[".", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = report["findings"].as_array().expect("findings");
    let all = report["totals"]["errors"].as_u64().expect("a number");
    assert_eq!((rows.len(), all), (10_000, 10_000 + report["untold"].as_u64().expect("a number")));
    assert!(rows.is_sorted_by_key(|row| row["file"].as_str().unwrap_or_default().to_owned()));
    assert_eq!(output.stdout, check(folder.path(), &[".", "--format", "json"]).stdout);
}
