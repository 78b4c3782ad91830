use super::*;
use crate::check::rules::shipped;
use crate::fault::at;
use crate::model::finding::Place;
use serde_json::Value;
use std::collections::BTreeSet;

const DOCS: &str = "https://docs.example/vardbro";

/// A name that no format holds as it is.
const NAME: &str = "åtta fall/50%, a:b\n\"c\" <d>&'\u{7}\u{ffff}.json";

fn rules() -> Rules {
    Rules::parse(shipped()[0].1).expect("a set that is shipped")
}

fn finding(code: Code, effect: Effect, path: &str, place: Option<(usize, usize)>) -> Told {
    let place = place.map(|(line, column)| Place { line, column });
    let finding = at(code.finding(effect, Layer::Form, None), Some(path.to_owned()).filter(|path| !path.is_empty()), place);
    Told { severity: Severity::of(&finding), finding, excerpt: None }
}

fn report(files: Vec<(&str, Vec<Told>)>) -> Report {
    let mut report = Report { records: files.len(), ..Report::default() };
    for (name, findings) in files {
        for told in &findings {
            report.totals.count(told.severity);
        }
        report.files.push(FileReport::new(name.to_owned(), findings));
    }
    report
}

/// A file with a finding of each severity, one without a place, and one without findings.
fn some() -> Report {
    report(vec![
        ("./in/bra.json", Vec::new()),
        (
            NAME,
            vec![
                finding(Code::MapMissing, Effect::Withhold, "data.answer", Some((3, 5))),
                finding(Code::MapMissing, Effect::Warn, "data.answer", Some((2, 5))),
                finding(Code::MapUnknownCode, Effect::Refuse, "data.förslag,a:b%", Some((9, 17))),
                finding(Code::SrcUnreadable, Effect::Refuse, "", None),
            ],
        ),
    ])
}

fn many(count: usize) -> Report {
    let told = (1..=count).map(|line| finding(Code::MapMissing, Effect::Refuse, "data.answer", Some((line, 1)))).collect();
    report(vec![("lines.ndjson", told)])
}

fn style(swedish: bool) -> Style<'static> {
    Style { swedish, colour: true, docs: Some(DOCS), notes: true }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn in_every_form(report: &Report, swedish: bool) -> [String; 4] {
    [github, gitlab, junit, sarif].map(|form| form(report, &style(swedish), &rules()))
}

#[test]
fn github_s_escaping_is_that_of_its_own_library() {
    let out = github(&some(), &style(false), &rules());
    let lines: Vec<&str> = out.lines().collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("::")?.split(' ').next()).collect();
    assert_eq!(kinds, ["error", "error", "warning", "notice"], "the gravest first: {out}");
    assert!(lines[0].contains(",file=åtta fall/50%25%2C a%3Ab%0A\"c\" <d>&'\u{7}\u{ffff}.json,line=1::"), "{out}");
    assert!(lines[1].starts_with("::error title=VB-MAP-010,file=") && lines[1].contains(".json,line=9,col=17::"), "{out}");
    assert!(lines[1].contains("::data.förslag,a:b%25: "), "{out}");
    assert!(lines[1].contains(&format!("%0A{DOCS}/codes.md#vb-map-")), "{out}");
    assert_eq!(lines[4], "2 files, 2 records: 2 errors, 1 warning, 1 note");
    assert!(github(&some(), &style(true), &rules()).ends_with("2 filer, 2 poster: 2 fel, 1 varning, 1 upplysning\n"));
}

#[test]
fn notes_are_told_where_they_are_asked_for() {
    let quiet = Style { notes: false, ..style(false) };
    assert!(!github(&some(), &quiet, &rules()).contains("::notice"));
    assert!(!gitlab(&some(), &quiet, &rules()).contains("\"info\""));
    assert!(!sarif(&some(), &quiet, &rules()).contains("\"note\""));
    assert!(junit(&some(), &quiet, &rules()).contains(":3:5: withheld "), "they are the output of a test, which nobody has to read");
}

#[test]
fn github_is_told_no_file_of_what_came_by_standard_input() {
    let piped = report(vec![("-", vec![finding(Code::MapMissing, Effect::Refuse, "data", Some((1, 1)))])]);
    let out = github(&piped, &style(false), &rules());
    assert!(out.starts_with("::error title=VB-MAP-005::"), "{out}");
}

#[test]
fn gitlab_has_one_line_severity_and_place() {
    let issues = parsed(&gitlab(&some(), &style(true), &rules()));
    let severities: Vec<&str> = issues.as_array().into_iter().flatten().filter_map(|issue| issue["severity"].as_str()).collect();
    assert_eq!(severities, ["major", "major", "minor", "info"]);
    assert_eq!(issues[1]["location"]["path"], NAME);
    assert_eq!(issues[1]["location"]["lines"]["begin"], 9);
    let description = issues[1]["description"].as_str().unwrap_or_default();
    assert!(
        description.starts_with("VB-MAP-") && description.contains(": data.förslag,a:b%: ") && !description.contains('\n'),
        "{description}"
    );
}

#[test]
fn junit_tells_all_findings_of_a_file_and_no_time() {
    let out = junit(&some(), &style(false), &rules());
    let head = "<testsuite name=\"vardbro check\" tests=\"2\" skipped=\"0\" errors=\"0\" failures=\"1\">";
    assert!(out.contains(head), "{out}");
    assert!(out.contains("name=\"bra.json\" classname=\"in\""), "{out}");
    assert!(out.contains("(and 2 more)\" type=\"VB-SRC-"), "{out}");
    assert!(out.contains(":9:17: error VB-MAP-") && out.contains(":2:5: warning VB-MAP-"), "{out}");
    let output = out.split("<system-out>").nth(1).and_then(|rest| rest.split("</system-out>").next()).unwrap_or_default();
    assert!(output.contains(":3:5: withheld VB-MAP-"), "{out}");
    assert!(!out.contains("time=") && !out.contains("timestamp") && !out.contains("hostname"), "{out}");
    assert!(!out.contains(['\u{7}', '\u{ffff}', '\u{1b}']), "{out}");
}

#[test]
fn sarif_describes_each_code_once_and_points_at_the_place() {
    let log = parsed(&sarif(&some(), &style(false), &rules()));
    let run = &log["runs"][0];
    let described = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(described.len(), 3);
    for result in run["results"].as_array().expect("results") {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(described[index]["id"], result["ruleId"]);
    }
    let missing = described.iter().find(|rule| rule["id"] == Code::MapMissing.id()).expect("the rule");
    assert_eq!(missing["defaultConfiguration"]["level"], "warning", "the gravest of its findings");
    assert_eq!(missing["helpUri"], format!("{DOCS}/codes.md#{}", Code::MapMissing.id().to_lowercase()));
    let location = &run["results"][1]["locations"][0];
    assert_eq!(
        location["physicalLocation"]["artifactLocation"]["uri"],
        "%C3%A5tta%20fall/50%25%2C%20a%3Ab%0A%22c%22%20%3Cd%3E%26%27%07%EF%BF%BF.json"
    );
    assert_eq!(location["physicalLocation"]["region"], serde_json::json!({"startLine": 9, "startColumn": 17}));
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "data.förslag,a:b%");
    assert_eq!(run["results"][0]["locations"][0]["physicalLocation"]["region"], serde_json::json!({"startLine": 1}));
}

#[test]
fn sarif_links_only_where_pages_have_an_address() {
    for docs in [None, Some("docs")] {
        let out = sarif(&some(), &Style { docs, ..Style::default() }, &rules());
        assert!(!out.contains("helpUri") && !out.contains("informationUri"), "{out}");
    }
    let absolute = report(vec![("/srv/in put/a.json", vec![finding(Code::SrcUnreadable, Effect::Refuse, "", None)])]);
    assert!(sarif(&absolute, &Style::default(), &rules()).contains("\"file:///srv/in%20put/a.json\""));
}

#[test]
fn rules_of_the_set_are_described_too() {
    let rules = rules();
    let told = |told: Told| Told { finding: Finding { code: "CHK-1".to_owned(), ..told.finding }, ..told };
    let held = report(vec![("a.json", vec![told(finding(Code::MapMissing, Effect::Withhold, "checklist.CL13", None))])]);
    let log = parsed(&sarif(&held, &style(true), &rules));
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
    assert_eq!(rule["help"]["text"], meaning("CHK-1", &rules, true).expect("a rule").remedy);
    assert_eq!(rule["helpUri"], format!("{DOCS}/rules/{}.md#chk-1", rules.name.replace('/', "-")));
}

/// The names that a format gives its findings.
fn fingerprints(report: &Report) -> [Vec<String>; 2] {
    let texts = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let issues = parsed(&gitlab(report, &style(false), &rules()));
    let log = parsed(&sarif(report, &style(false), &rules()));
    [
        issues.as_array().into_iter().flatten().map(|issue| texts(&issue["fingerprint"])).collect(),
        log["runs"][0]["results"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|result| texts(&result["partialFingerprints"]["vardbro/v1"]))
            .collect(),
    ]
}

#[test]
fn fingerprints_are_unique_and_stay_when_lines_move() {
    let before = many(1000);
    let mut after = before.clone();
    for told in &mut after.files[0].findings {
        told.finding.place = told.finding.place.map(|place| Place { line: place.line + 7, column: 3 });
    }
    for (before, after) in fingerprints(&before).into_iter().zip(fingerprints(&after)) {
        assert_eq!(before, after);
        assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 1000);
        assert!(before.iter().all(|name| name.len() == 32));
    }
    let mut swedish = many(3);
    swedish.files[0].file = "./lines.ndjson".to_owned();
    assert_eq!(fingerprints(&swedish)[0], fingerprints(&many(3))[0], "`./` does not make another file");
}

#[test]
fn no_finding_at_all_is_a_sound_report_too() {
    for report in [Report::default(), report(vec![("a.json", Vec::new())])] {
        let [github, gitlab, junit, sarif] = in_every_form(&report, false);
        assert_eq!(github.lines().count(), 1, "{github}");
        assert_eq!(gitlab, "[]\n");
        assert!(junit.contains("failures=\"0\""), "{junit}");
        assert_eq!(parsed(&sarif)["runs"][0]["results"], Value::Array(Vec::new()));
        assert_eq!(parsed(&sarif)["runs"][0]["tool"]["driver"]["rules"], Value::Array(Vec::new()));
    }
}

#[test]
fn what_is_not_told_is_said() {
    let cut = Report { untold: 41, ..many(3) };
    for swedish in [false, true] {
        let [github, _, junit, sarif] = in_every_form(&cut, swedish);
        for text in [github, junit, sarif] {
            assert!(text.contains("41 "), "{text}");
        }
    }
}

#[test]
fn the_same_report_is_written_the_same_and_holds_no_line_of_the_source() {
    let mut report = some();
    for told in &mut report.files[1].findings {
        told.excerpt = Some(Excerpt { line: "\"family\": \"Hemligsson\"".to_owned(), start: 0, width: 1 });
    }
    for swedish in [false, true] {
        let texts = in_every_form(&report, swedish);
        assert_eq!(texts, in_every_form(&report, swedish));
        assert!(texts.iter().all(|text| !text.contains("Hemligsson") && text.ends_with('\n')));
    }
}
