//! The commands as a user runs them: what they print, and how they exit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn vardbro(arguments: &[&str]) -> Output {
    vardbro_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

#[expect(clippy::expect_used, reason = "a test that cannot run the program has failed")]
fn vardbro_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
    command.args(arguments).current_dir(folder).env_remove("LANG").env_remove("LC_ALL").env_remove("LC_MESSAGES");
    command.output().expect("the program")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_passes_what_is_good_and_tells_what_would_wait() {
    let good = vardbro(&["check", "fixtures/01-home-with-home-health-care/in", "fixtures/01-home-with-home-health-care/out"]);
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    let waits = vardbro(&["check", "fixtures/02-checklist-incomplete/in", "--notes", "--lang", "sv"]);
    assert_eq!(waits.status.code(), Some(0));
    assert!(said(&waits).contains("07-k-ht-can.json: upplysning CHK-1 (20), ORD-1\n"), "{}", said(&waits));
}

#[test]
fn check_finds_what_is_bad_with_place_and_remedy() {
    // Where it lies its faults are expected.
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/07-k-pu.json"), folder.path().join("07-k-pu.json")).expect("a file");
    let bad = vardbro_in(folder.path(), &["check", "07-k-pu.json"]);
    assert_eq!(bad.status.code(), Some(1));
    let text = said(&bad);
    let shown = ["07-k-pu.json:5:17: error VB-MAP-011 [occurredAt]", "57:17", "VB-MAP-005 [data.nurse]", "→ ", "3 errors", "^^^^"];
    for told in shown {
        assert!(text.contains(told), "{told} in\n{text}");
    }
    let json = vardbro_in(folder.path(), &["check", "07-k-pu.json", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(3));
    assert_eq!((&report["findings"][0]["line"], &report["totals"]["errors"]), (&5.into(), &3.into()));
}

/// Every type of the catalogue is understood: its examples are sound.
#[test]
fn check_takes_every_type() {
    let all = vardbro(&["check", "fixtures/types"]);
    assert_eq!(all.status.code(), Some(0), "{}", said(&all));
}

#[test]
fn check_reads_documents_and_sees_a_changed_letter() {
    let folder = tempfile::tempdir().expect("a folder");
    let document = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/01-home-with-home-health-care/out"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "xml"))
        .expect("a document");
    let text = fs::read_to_string(document).expect("a document");
    for (name, text, code) in [
        ("changed.xml", text.replace("Vänersborg", "Vanersborg").replace("SE2120001538-T1", "SE2120001538-T2"), "VB-OUT-005"),
        ("invalid.xml", text.replace("<version>1</version>", "<version>first</version>"), "VB-OUT-006"),
        ("other.xml", "<other/>".to_owned(), "VB-OUT-004"),
    ] {
        fs::write(folder.path().join(name), text).expect("written");
        let out = vardbro_in(folder.path(), &["check", name]);
        assert_eq!(out.status.code(), Some(1));
        assert!(said(&out).contains(code), "{name}: {}", said(&out));
    }
}

#[test]
fn usage_and_configuration_end_with_two() {
    assert_eq!(vardbro(&["check"]).status.code(), Some(2));
    assert_eq!(vardbro(&["check", "no-such-file.json"]).status.code(), Some(2));
    let folder = tempfile::tempdir().expect("a folder");
    let missing = vardbro_in(folder.path(), &["run"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(complained(&missing).contains("VB-CFG-001"), "{}", complained(&missing));
    fs::write(folder.path().join("vardbro.toml"), "[organisation]\nname = \"x\"\nhsaid = \"y\"\n").expect("written");
    let wrong = vardbro_in(folder.path(), &["config", "check"]);
    assert_eq!(wrong.status.code(), Some(2));
    let text = complained(&wrong);
    assert!(text.contains("VB-CFG-003") && text.contains("vardbro.toml:3:1") && text.contains("hsa_id"), "{text}");
}

#[test]
fn explain_knows_codes_and_rules_in_both_languages() {
    assert!(said(&vardbro(&["explain", "VB-MAP-024"])).contains("check digit"));
    assert!(said(&vardbro(&["explain", "vb-map-024", "--lang", "sv"])).contains("kontrollsiffra"));
    assert!(said(&vardbro(&["explain", "CHK-1", "--lang", "sv"])).contains("CL13 Nycklar"));
    assert_eq!(vardbro(&["explain", "NO-1"]).status.code(), Some(1));
}

#[test]
fn config_shows_what_is_in_force_and_its_schema() {
    let sample = PathBuf::from("deploy/vardbro.toml").display().to_string();
    let shown = said(&vardbro(&["config", "show", "--config", &sample]));
    assert!(shown.contains("still_s") && shown.contains("max_attempts"), "{shown}");
    let schema: serde_json::Value = serde_json::from_slice(&vardbro(&["config", "schema"]).stdout).expect("JSON");
    assert_eq!(schema["type"], "object");
}

#[test]
fn the_demo_plays_to_its_end_as_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
    let out = command.args(["demo", "--lang", "sv"]).env("TMPDIR", folder.path()).output().expect("the program");
    assert_eq!(out.status.code(), Some(0), "{}{}", said(&out), complained(&out));
    let text = said(&out);
    assert!(text.contains("11 av 11 som berättelsen säger.") && text.contains("CL13 Nycklar och tillträde klara"), "{text}");
}
