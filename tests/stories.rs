//! What is told of a story that is not as its folder says, that cannot be read, or that cannot be played.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use std::fs;
use std::path::{Path, PathBuf};
use vardbro::story::{self, Options, Played};

const PERSON: &str = "195003072260";

/// A copy of a story of ours, in a folder of its own.
struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn of(name: &str) -> Self {
        let copy = Self { folder: tempfile::tempdir().expect("a folder") };
        let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        for below in ["", "in", "out"] {
            fs::create_dir_all(copy.path(below)).expect("a folder");
            for entry in fs::read_dir(from.join(below)).expect("a story").map(|entry| entry.expect("an entry")) {
                if entry.path().is_file() {
                    fs::copy(entry.path(), copy.path(below).join(entry.file_name())).expect("copied");
                }
            }
        }
        copy
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("stories/one")
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir().join(below)
    }

    fn change(&self, file: &str, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.path(file)).expect("a file");
        let changed = change(text.clone());
        assert_ne!(text, changed, "{file} is as it was");
        fs::write(self.path(file), changed).expect("written");
    }

    fn played(&self, update: bool) -> Played {
        let played = story::check(&self.dir(), &Options { update, config: None }).expect("a working store");
        for (_, finding) in &played.findings {
            for text in [&finding.sv, &finding.en] {
                assert!(!text.contains(PERSON) && !text.contains("HSL-"), "a value in {text}");
            }
        }
        played
    }

    /// File, code and place of each finding.
    fn found(&self) -> Vec<String> {
        let told = |(file, finding): &(PathBuf, _)| format!("{} {}", file.display(), story::placed(finding));
        self.played(false).findings.iter().map(told).collect()
    }
}

#[expect(clippy::disallowed_methods, reason = "made-up events of a test")]
fn differences(played: &Played) -> &str {
    played.differences.disclose()
}

#[test]
fn what_differs_is_told_by_file_and_place_and_written_anew_when_asked() {
    let story = Copy::of("42-thirty-one-megabytes");
    assert!(story::is_story(&story.dir()) && !story::is_story(story.folder.path()));
    let played = story.played(false);
    assert!(played.findings.is_empty() && differences(&played).is_empty());
    assert_eq!(played.events.len(), 2, "the file that is too large gives none");

    story.change("expect.toml", |text| text.replacen("# Written", "# Ours. Written", 1).replace("attempts = 1", "attempts = 2"));
    let kept = fs::read_to_string(story.path("expect.toml")).expect("an expectation");
    let line = kept.lines().position(|line| line == "attempts = 2").expect("the line") + 1;
    story.change("out/01-K-PU.xml", |text| text.replacen("<message ", "<massage ", 1));
    fs::write(story.path("out/02-K-HT.xml"), "<message/>").expect("written");
    fs::write(story.path("out/notes.txt"), "ours").expect("written");
    let notes = "out/notes.txt VB-FIX-003".to_owned();
    let told = [
        "out/02-K-HT.xml VB-FIX-003".to_owned(),
        notes.clone(),
        format!("expect.toml VB-FIX-001 message[0].attempts {line}:1"),
        "out/01-K-PU.xml VB-FIX-002 2:3".to_owned(),
    ];
    assert_eq!(story.found(), told);
    let differing = story.played(false);
    assert!(differences(&differing).contains("  - attempts = 2\n  + attempts = 1\n"), "{}", differences(&differing));

    story.played(true);
    assert_eq!(story.found(), [notes], "what is none of ours is left where it is");
    assert!(!story.path("out/02-K-HT.xml").exists());
    let anew = fs::read_to_string(story.path("expect.toml")).expect("an expectation");
    assert_eq!(anew, kept.replace("attempts = 2", "attempts = 1"), "the comment at the top is kept");
    fs::remove_file(story.path("out/01-K-PU.xml")).expect("removed");
    fs::remove_file(story.path("expect.toml")).expect("removed");
    assert_eq!(story.found()[1..], ["expect.toml VB-FIX-001", "out/01-K-PU.xml VB-FIX-004"]);
    story.played(true);
    assert!(fs::read_to_string(story.path("expect.toml")).expect("an expectation").starts_with("# Written by `vardbro check"));
}

#[test]
fn all_that_is_wrong_with_a_case_is_told_at_its_place() {
    let story = Copy::of("42-thirty-one-megabytes");
    let whole = fs::read_to_string(story.path("case.toml")).expect("a case");
    let with = |change: &dyn Fn(&str) -> String| {
        fs::write(story.path("case.toml"), change(&whole)).expect("written");
        story.found()
    };
    let told = with(&|text| {
        let text = text.replace("08:10:00+01:00", "08:10:00").replace("megabytes = 31", "megabytes = 3100");
        text.replace("rules =", "rulez =") + "\n[[step]]\nreceiver = \"accepted, asleep\"\nin = \"../case.toml\"\n"
    });
    let places = ["1:1", "3:1", "7:6", "13:13", "20:12", "21:6"];
    assert_eq!(told, places.map(|place| format!("case.toml VB-FIX-005 {place}")));
    let told = with(&|text| text.replace("in = \"03-k-pu.json\"", "in = \"02-k-pu.json\""));
    assert_eq!(told, ["case.toml VB-FIX-005 17:6", "in/03-k-pu.json VB-FIX-005"]);
    assert_eq!(with(&|text| text.replace("vanersborg/2026.1", "nowhere/1")), ["case.toml VB-FIX-005 3:9"]);
    assert_eq!(with(&|text| format!("mapping = \"none\"\n{text}")), ["case.toml VB-CFG-013 1:11"]);
    assert_eq!(with(&|_| "[[step]\n".to_owned())[0], "case.toml VB-FIX-005 1:8");
    let fault = story::tell(&story.dir(), &Options::default(), true).expect_err("no story");
    assert!(fault.text(true).contains("VB-FIX-005") && fault.text(true).contains("case.toml:1:8"), "{}", fault.text(true));
    fs::write(story.path("case.toml"), b"\xFF").expect("written");
    assert_eq!(story.found(), ["case.toml VB-FIX-005"]);
    fs::remove_file(story.path("case.toml")).expect("removed");
    assert_eq!(story.found(), ["case.toml VB-FIX-005"]);
    // A pipe is not waited for.
    fs::write(story.path("case.toml"), &whole).expect("written");
    fs::remove_file(story.path("in/01-r-in.json")).expect("removed");
    let pipe = std::process::Command::new("mkfifo").arg(story.path("in/01-r-in.json")).status().expect("mkfifo");
    assert!(pipe.success());
    assert_eq!(story.found(), ["case.toml VB-FIX-005 8:6"]);
}

#[test]
fn a_step_that_finds_nothing_to_do_stops_the_story_and_writes_nothing() {
    let story = Copy::of("42-thirty-one-megabytes");
    let (whole, expected) = (fs::read_to_string(story.path("case.toml")), fs::read(story.path("expect.toml")).expect("an expectation"));
    let whole = whole.expect("a case");
    for step in [
        "release = \"03-k-pu.json\"",
        "resend = \"03-k-pu.json\"",
        "resolve = \"*\"",
        "restore = true",
        "rules = \"nowhere/1\"",
        "at = \"2026-03-09T10:19:59+01:00\"",
        "advance = \"PT2000000h\"",
    ] {
        fs::write(story.path("case.toml"), format!("{whole}\n[[step]]\n{step}\n")).expect("written");
        let played = story.played(true);
        let told: Vec<String> = played.findings.iter().map(|(_, finding)| story::placed(finding)).collect();
        assert_eq!(told, ["VB-FIX-006 19:1"], "{step}");
    }
    assert_eq!(fs::read(story.path("expect.toml")).expect("an expectation"), expected);
}

#[test]
fn a_patients_number_is_not_written_into_an_expectation() {
    let story = Copy::of("42-thirty-one-megabytes");
    let name = format!("{PERSON}.json");
    fs::rename(story.path("in/03-k-pu.json"), story.path("in").join(&name)).expect("renamed");
    story.change("case.toml", |text| text.replace("03-k-pu.json", &name));
    let told: Vec<String> = story.played(true).findings.iter().map(|(_, finding)| story::placed(finding)).collect();
    assert_eq!(told, ["VB-FIX-007"]);
    assert!(!fs::read_to_string(story.path("expect.toml")).expect("an expectation").contains(PERSON));
}

#[test]
fn a_mapping_and_a_configuration_of_ones_own_are_found_beside_the_story_and_above_it() {
    let story = Copy::of("43-read-by-a-mapping");
    let shipped = vardbro::map::shipped().iter().find(|(name, _)| *name == "exempel-csv").expect("shipped").1;
    fs::write(story.path("own.toml"), shipped).expect("written");
    story.change("case.toml", |text| text.replace("mapping = \"exempel-csv\"", "mapping = \"own.toml\""));
    assert!(story.found().is_empty());
    let config = include_str!("../fixtures/vardbro.toml").replace("[destination.region]", "[destination.hospital]");
    let more = "\n[destination.centre]\nurl = \"https://centre.example.test/\"\n[[route]]\nparty = \"OV\"\ndestination = \"centre\"\n\
                [[route]]\nparty = \"SV\"\ndestination = \"hospital\"\n";
    fs::write(story.dir().with_file_name("vardbro.toml"), config + more).expect("written");
    assert!(story.played(true).findings.is_empty());
    let expect = fs::read_to_string(story.path("expect.toml")).expect("an expectation");
    let to = |destination: &str| expect.matches(&format!("destination = \"{destination}\"\nstate = \"ACCEPTED\"")).count();
    assert_eq!((to("hospital"), to("centre"), to("region")), (3, 3, 0), "{expect}");
    assert_eq!(fs::read_dir(story.path("out")).expect("documents").count(), 6);
    let own = Options { update: false, config: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/vardbro.toml")) };
    assert!(!story::check(&story.dir(), &own).expect("a working store").findings.is_empty());
    let text = story::tell(&story.dir(), &own, false).expect("a story");
    assert!(text.starts_with("An export in CSV is read by a mapping\n\n2026-03-09 08:10:00  "), "{text}");
}
