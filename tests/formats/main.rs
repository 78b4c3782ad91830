//! What `vardbro check` writes for machines, judged by programs that we did not write. `scripts/test` installs them.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "helpers of tests, outside the functions that clippy knows as such")]

mod outside;
mod servers;
mod written;

use outside::Tools;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use written::{Written, root};

/// Not in the report: we have no page on the web to name until somebody says where ours lie (`--docs`).
const NOT_ASKED: &[&str] = &["SARIF2005"];

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Code, file and line of every finding, in an order of their own.
fn sorted(rows: impl Iterator<Item = (String, String, u64)>) -> Vec<(String, String, u64)> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn of_json(written: &Written) -> Vec<(String, String, u64)> {
    let report = parsed(&written.json);
    sorted(list(&report["findings"]).iter().map(|row| (text(&row["code"]), text(&row["file"]), row["line"].as_u64().unwrap_or(1))))
}

#[test]
fn the_folder_trips_every_severity_layer_and_hard_name() {
    let written = Written::of("en");
    let report = parsed(&written.json);
    for key in ["errors", "warnings", "notes"] {
        assert!(report["totals"][key].as_u64().is_some_and(|count| count > 0), "{key}: {}", report["totals"]);
    }
    let layers: BTreeSet<String> = list(&report["findings"]).iter().map(|row| text(&row["layer"])).collect();
    for layer in ["syntax", "form", "rules", "checklist", "schema"] {
        assert!(layers.contains(layer), "{layer} in {layers:?}");
    }
    let files: BTreeSet<String> = list(&report["findings"]).iter().map(|row| text(&row["file"])).collect();
    for name in written::HARD {
        assert!(files.iter().any(|file| file.ends_with(name)), "{name} in {files:?}");
    }
    let codes: BTreeSet<String> = list(&report["findings"]).iter().map(|row| text(&row["code"])).collect();
    assert!(codes.len() > 25, "{codes:?}");
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = parsed(&std::fs::read_to_string(root().join("schemas/check/check-1.schema.json")).expect("the schema"));
    jsonschema::meta::validate(&schema).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for language in ["en", "sv"] {
        let report = parsed(&Written::of(language).json);
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        for (path, value) in [("/findings/0/severity", json!("fatal")), ("/findings/0/code", json!(7)), ("/totals/errors", json!("1"))] {
            let mut broken = report.clone();
            *broken.pointer_mut(path).expect("a field") = value;
            assert!(!validator.is_valid(&broken), "{path}");
        }
    }
}

#[test]
fn sarif_is_taken_by_the_validator_of_its_makers() {
    let Some(tools) = Tools::find() else { return };
    for language in ["en", "sv"] {
        let written = Written::of(language);
        let found = tools.sarif(&written.sarif);
        let told: Vec<&Value> = found.iter().filter(|result| !NOT_ASKED.contains(&text(&result["ruleId"]).as_str())).collect();
        assert!(told.is_empty(), "{told:#?}");
    }
    let mut broken = parsed(&Written::of("en").sarif);
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = json!(0);
    broken["runs"][0]["tool"]["driver"]["nonsense"] = json!(1);
    assert!(tools.sarif(&broken.to_string()).len() >= 2, "the validator sees what is wrong");
}

/// Somebody else's reader finds every finding of ours, at its place. It makes GitLab's form of them: so does ours.
#[test]
fn sarif_and_gitlab_tell_the_same_as_json() {
    let Some(tools) = Tools::find() else { return };
    for language in ["en", "sv"] {
        let written = Written::of(language);
        let issues = |issues: &Value| {
            sorted(list(issues).iter().map(|issue| {
                let line = issue["location"]["lines"]["begin"].as_u64().unwrap_or_default();
                (text(&issue["check_name"]), text(&issue["location"]["path"]), line)
            }))
        };
        let ours = issues(&parsed(&written.gitlab));
        assert_eq!(ours, of_json(&written));
        // It puts the title behind the code.
        let theirs = issues(&tools.issues(&written.sarif))
            .into_iter()
            .map(|(code, path, line)| (code.split(' ').next().unwrap_or_default().to_owned(), decoded(&path), line));
        assert_eq!(sorted(theirs), ours);
    }
}

fn decoded(uri: &str) -> String {
    percent_encoding::percent_decode_str(uri).decode_utf8().expect("UTF-8").into_owned()
}

#[test]
fn gitlab_has_the_types_of_code_climate_s_issues() {
    let Some(tools) = Tools::find() else { return };
    for language in ["en", "sv"] {
        let written = Written::of(language);
        let (taken, told) = tools.types(&written.gitlab);
        assert!(taken, "{told}");
        let issues = parsed(&written.gitlab);
        let names: BTreeSet<String> = list(&issues).iter().map(|issue| text(&issue["fingerprint"])).collect();
        assert_eq!(names.len(), list(&issues).len(), "each fingerprint is one finding's");
        assert!(list(&issues).iter().all(|issue| !text(&issue["location"]["path"]).starts_with("./")));
    }
    let mut broken = parsed(&Written::of("en").gitlab);
    broken[0]["severity"] = json!("fatal");
    assert!(!tools.types(&broken.to_string()).0, "the compiler sees what is wrong");
}

#[test]
fn junit_is_as_jenkins_schema_says() {
    let Some(tools) = Tools::find() else { return };
    for language in ["en", "sv"] {
        let written = Written::of(language);
        let (taken, told) = tools.xsd(&written.junit);
        assert!(taken, "{told}");
        assert!(!tools.xsd(&written.junit.replacen("<testcase name=", "<testcase nom=", 1)).0, "xmllint sees what is wrong");
    }
}

/// A file as an attribute names it: without line breaks.
fn named(file: &Value) -> String {
    text(file).replace('\n', " ")
}

#[test]
fn junit_is_read_as_it_was_meant() {
    let Some(tools) = Tools::find() else { return };
    for language in ["en", "sv"] {
        let written = Written::of(language);
        let report = parsed(&written.json);
        let grave = |row: &&Value| row["severity"] != "note";
        let failed: BTreeSet<String> = list(&report["findings"]).iter().filter(grave).map(|row| named(&row["file"])).collect();
        let read = tools.junit(&written.junit);
        assert_eq!(read["tests"], report["files"]);
        let cases: BTreeSet<String> = list(&read["failed"]).iter().map(|case| text(&case["name"])).collect();
        assert_eq!(cases, failed);
        for row in list(&report["findings"]) {
            let place = if row["line"].is_null() { String::new() } else { format!(":{}:{}", row["line"], row["column"]) };
            let head = format!("{}{place}", text(&row["file"]));
            let says = if language == "sv" { text(&row["sv"]) } else { text(&row["en"]) };
            let of = if row["severity"] == "note" { &read["output"] } else { &read["failed"] };
            let case = list(of).iter().find(|case| case["name"] == named(&row["file"])).expect("a case");
            let told = text(&case["text"]);
            assert!(told.contains(&head) && told.contains(&says), "{head} {says}\n{told}");
        }
    }
}

/// GitHub's own library, told the same, writes the same bytes.
#[test]
fn github_s_own_library_writes_the_same() {
    let Some(tools) = Tools::find() else { return };
    for language in ["en", "sv"] {
        let written = Written::of(language);
        let commands = tools.commands(&written.github);
        let again: String = list(&commands).iter().map(|command| text(&command["again"])).collect();
        let (lines, summary) = written.github.trim_end().rsplit_once('\n').expect("lines");
        assert_eq!(again.trim_end(), lines);
        assert!(!summary.starts_with("::"), "{summary}");
        let row = |command: &Value| (text(&command["title"]), text(&command["file"]), command["line"].as_u64().unwrap_or_default());
        assert_eq!(sorted(list(&commands).iter().map(row)), of_json(&written));
        let kinds: Vec<String> = list(&commands).iter().map(|command| text(&command["kind"])).collect();
        let order = ["error", "warning", "notice"];
        assert!(kinds.is_sorted_by_key(|kind| order.iter().position(|known| known == kind)), "the gravest first");
    }
}

#[test]
fn every_form_is_the_same_each_time_and_names_no_patient() {
    let persons = std::fs::read_to_string(root().join("../shared/reference/testpersons/testpersonnummer.txt")).expect("the test persons");
    let persons: BTreeSet<&str> = persons.split_whitespace().collect();
    for language in ["en", "sv"] {
        let (one, other) = (Written::of(language), Written::of(language));
        for (name, text) in one.all() {
            assert!(other.all().contains(&(name, text)), "{name} differs");
            let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
            assert!(!numbers.any(|number| persons.contains(number)), "{name} names a patient");
        }
    }
}

/// Nothing is to be told, and every form is sound.
#[test]
fn a_folder_without_findings_is_sound_in_every_form() {
    let Some(tools) = Tools::find() else { return };
    let written = Written::of_folder("en", |folder| {
        std::fs::copy(root().join("fixtures/demo/01-r-in.json"), folder.join("r-in.json")).expect("copied");
    });
    assert_eq!(written.status, 0, "{}", written.json);
    let told: Vec<Value> =
        tools.sarif(&written.sarif).into_iter().filter(|result| !NOT_ASKED.contains(&text(&result["ruleId"]).as_str())).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert!(tools.types(&written.gitlab).0);
    assert!(tools.xsd(&written.junit).0);
    assert_eq!(tools.junit(&written.junit)["tests"], 1);
    assert_eq!(written.github.lines().count(), 1);
}
