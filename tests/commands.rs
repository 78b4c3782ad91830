//! Operators' commands: what they show, what they do, and what they do not. Stores are made by real intake; what the
//! commands do is done by the real program, with a daemon running and without one.

#![expect(clippy::expect_used, reason = "a test that cannot set its stage has failed")]

#[path = "process/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod process;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use jiff::Timestamp;
use process::{VARDBRO, admission, planning, wait};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;
use support::fixtures;
use vardbro::check::rules::{Rules, shipped};
use vardbro::model::raw::Verdict;
use vardbro::ops::{self, Month, Named, ReportKind, Seen, Sets};
use vardbro::store::Filter;

const PATIENCE: Duration = Duration::from_secs(20);

fn sets() -> Sets {
    let parse = |text: &str| Arc::new(Rules::parse(text).expect("a shipped set"));
    shipped().iter().map(|(name, text)| ((*name).to_owned(), parse(text))).collect()
}

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Runs a command on the folder of a daemon.
fn run(world: &process::World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(VARDBRO);
    command.args(arguments).env("USER", "anna").env_remove("LANG").env_remove("LC_ALL").env_remove("LC_MESSAGES");
    let Output { status, stdout, stderr } = command.arg("--config").arg(world.path("vardbro.toml")).output().expect("the program");
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// The token of a plan.
fn token(plan: &str) -> String {
    plan.rsplit("--confirm ").next().expect("a token").trim().to_owned()
}

/// A protected person's admission and the message that is held for it; gives the message's id.
fn hold(world: &process::World) -> String {
    for (file, text) in [("1.json", admission("HSL-1", "e-1", 0)), ("2.json", planning("HSL-1", "e-2", 60))] {
        let mut event: Value = serde_json::from_str(&text).expect("JSON");
        event["patient"]["id"] = json!("195508112561");
        event["patient"]["protected"] = json!("sekretessmarkering");
        world.put(file, &event.to_string());
    }
    let mut list = String::new();
    wait("a held message", PATIENCE, || {
        list = run(world, &["messages", "list", "--state", "HELD"]).1;
        !list.is_empty()
    });
    list.split_whitespace().nth(2).expect("an id").to_owned()
}

fn accepted(world: &process::World) {
    wait("the receiver's receipt", PATIENCE, || !run(world, &["messages", "list", "--state", "ACCEPTED"]).1.is_empty());
    assert_eq!(world.received().len(), 1);
}

#[test]
fn a_held_message_is_released_by_the_daemon_and_accepted() {
    let world = process::World::new("", "");
    let _receiver = world.receiver("");
    let _daemon = world.daemon();
    let id = hold(&world);
    let (code, plan) = run(&world, &["messages", "release", &id, "--reason", "called the ward"]);
    assert_eq!(code, Some(0), "{plan}");
    for told in ["K-PU Municipal planning data", "PER-1", "Held until a person releases it", "region", "are protected"] {
        assert!(plan.contains(told), "{told} in\n{plan}");
    }
    for hidden in ["195508112561", "Greta", "HSL-1", "rollator"] {
        assert!(!plan.contains(hidden), "{hidden} in\n{plan}");
    }
    let sv = run(&world, &["messages", "release", "test-journal:e-2", "--reason", "x", "--lang", "sv"]).1;
    assert!(sv.contains("Väntar på att en människa släpper den") && token(&sv) == token(&plan), "{sv}");

    let (code, said) = run(&world, &["messages", "release", &id, "--reason", "x", "--confirm", "00000000"]);
    assert!(code == Some(1) && said.contains("VB-OPS-003"), "{said}");
    assert!(world.received().is_empty());

    let (code, said) = run(&world, &["messages", "release", &id, "--reason", "called the ward", "--confirm", &token(&plan)]);
    assert!(code == Some(0) && said.starts_with("Released: "), "{said}");
    accepted(&world);
    let (code, said) = run(&world, &["messages", "release", &id, "--reason", "x", "--confirm", &token(&plan)]);
    assert!(code == Some(1) && said.contains("VB-OPS-001"), "{said}");
}

#[test]
fn a_held_message_is_released_without_a_daemon_and_leaves_when_one_starts() {
    let world = process::World::new("", "");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let id = hold(&world);
    daemon.signal("TERM");
    assert_eq!(daemon.end(PATIENCE), Some(0));
    let plan = run(&world, &["messages", "release", &id, "--reason", "x"]).1;
    let (code, said) = run(&world, &["messages", "release", &id, "--reason", "x", "--by", "Anna", "--confirm", &token(&plan)]);
    assert!(code == Some(0) && said.contains("In the queue") && said.contains("not running"), "{said}");
    assert!(world.received().is_empty());
    let _daemon = world.daemon();
    accepted(&world);
}

#[test]
fn a_move_to_other_rules_lets_a_withheld_notice_go() {
    let world = process::World::new("", "");
    let _receiver = world.receiver("");
    let _daemon = world.daemon();
    let story = fixtures().join("02-checklist-incomplete/in");
    for name in ["01-r-in.json", "03-r-uk.json", "07-k-ht-can.json"] {
        world.put(name, &fs::read_to_string(story.join(name)).expect("a fixture"));
        wait("the event to be taken in", PATIENCE, || world.path("in/done").join(name).exists());
    }
    let withheld = run(&world, &["messages", "list", "--state", "WITHHELD"]).1;
    assert!(withheld.contains("K-HT"), "{withheld}");
    let way = ["rules", "move", "--from", "vanersborg/2026.1", "--to", "lagen/2026.1", "--episode", "test-journal:HSL-7802"];
    let (code, plan) = run(&world, &way);
    assert_eq!(code, Some(0), "{plan}");
    for told in ["Episodes to move: 1", "of which open: 1", "looked at again: 1"] {
        assert!(plan.contains(told), "{told} in\n{plan}");
    }
    let (code, said) = run(&world, &[&way[..], &["--confirm", "00000000"]].concat());
    assert!(code == Some(1) && said.contains("VB-OPS-003"), "{said}");
    let (code, said) = run(&world, &[&way[..], &["--reason", "x", "--confirm", &token(&plan)]].concat());
    assert!(code == Some(0) && said.contains("Episodes moved: 1"), "{said}");
    accepted(&world);
    let (code, said) = run(&world, &way);
    assert!(code == Some(1) && said.contains("nothing to move"), "{said}");

    let shown = run(&world, &["episodes", "show", "test-journal:HSL-7802"]).1;
    assert!(shown.contains("Rules: lagen/2026.1 (The law"), "{shown}");
    let list = run(&world, &["episodes", "list", "--lang", "sv", "--phase", "hemtagning_bekraftad"]).1;
    assert!(list.contains("Hemtagning bekräftad"), "{list}");
    let id = list.split_whitespace().next().expect("an id");
    let shown: Value = serde_json::from_str(&run(&world, &["episodes", "show", id, "--format", "json"]).1).expect("JSON");
    assert_eq!(shown["messages"][0]["state"], "ACCEPTED");
    assert!(run(&world, &["episodes", "list", "--phase", "NY"]).1.is_empty());
    assert_eq!(run(&world, &["episodes", "show", "test-journal:none"]).0, Some(1));
    let (code, csv) = run(&world, &["report", "utskrivningsklara", "--month", "2026-03", "--format", "csv"]);
    assert!(code == Some(0) && rows(&csv).len() == 2, "{csv}");
    assert_eq!(run(&world, &["report", "sena", "--month", "2026-3"]).0, Some(2));
}

/// Hands in what a folder of fixtures tells, at its times.
fn play(world: &mut support::World, name: &str) {
    let dir = fixtures().join(name);
    let case: toml::Table = fs::read_to_string(dir.join("case.toml")).expect("a story").parse().expect("TOML");
    for step in case["step"].as_array().expect("steps") {
        let (at, file) = (step.get("at").and_then(toml::Value::as_str), step.get("in").and_then(toml::Value::as_str));
        if let Some(at) = at {
            world.pass(instant(at), &mut |_| {});
        }
        if let Some(file) = file {
            let verdict = world.hand_in(file, fs::read(dir.join("in").join(file)).expect("a fixture"));
            assert_eq!(verdict, Verdict::Accepted, "{file}");
            world.settle(&mut |_| {});
        }
    }
}

/// An example of a type, in a case of ours.
fn event(world: &mut support::World, kind: &str, case: &str, at: &str, change: &dyn Fn(&mut Value)) {
    let text = fs::read_to_string(fixtures().join("types").join(format!("{kind}.json"))).expect("an example");
    let mut event: Value = serde_json::from_str(&text).expect("JSON");
    let id = format!("{case}-{kind}-{at}");
    event["eventId"] = json!(id);
    event["episodeRef"] = json!({"caseId": case});
    event["occurredAt"] = json!(at);
    if kind.starts_with("R-") {
        (event["sentAt"], event["regionMessageId"]) = (json!(at), json!(id));
    }
    change(&mut event);
    let verdict = world.hand_in(&format!("{id}.json"), event.to_string().into_bytes());
    assert_eq!(verdict, Verdict::Accepted, "{id}");
}

fn seen(world: &support::World, case: &str, now: Timestamp) -> Seen {
    let Named::One(id) = ops::find_episode(&world.store, &format!("test-journal:{case}")).expect("a working store") else {
        panic!("no episode of {case}")
    };
    ops::see(&world.store, &sets(), id, now).expect("a working store").expect("an episode")
}

fn text(world: &support::World, seen: &Seen, now: Timestamp, swedish: bool) -> String {
    let others = ops::readmissions(&world.store, &sets(), seen, now).expect("a working store");
    let filter = Filter { episode: Some(seen.id.to_string()), limit: 100, ..Filter::default() };
    ops::episode_text(seen, &others, &world.store.deliveries(&filter).expect("a working store"), now, swedish)
}

/// `UPDATE=1` writes the texts anew, for review.
fn golden(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, made).expect("written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{name} is not as it was. If this is as it should be: UPDATE=1\n{made}");
}

#[test]
fn an_episode_is_shown_in_one_language_at_a_time() {
    let mut world = support::World::new("vanersborg/2026.1", instant("2026-03-09T08:00:00+01:00"));
    play(&mut world, "03-discharged-anyway");
    let now = instant("2026-03-31T12:00:00+02:00");
    let case = case_of("03-discharged-anyway");
    let shown = seen(&world, &case, now);
    let (sv, en) = (text(&world, &shown, now, true), text(&world, &shown, now, false));
    golden("episode.sv.txt", &sv);
    golden("episode.en.txt", &en);
    for english in [
        "Episode",
        "State:",
        "Rules:",
        "Stay in",
        "Open at",
        "Due times",
        "Messages",
        "Events",
        "Deviations",
        "preliminary",
        "Municipality",
    ] {
        assert!(en.contains(english) && !sv.contains(english), "{english}\n{en}\n{sv}");
    }
    for swedish in [
        "Ärende",
        "Läge:",
        "Regelverk:",
        "Vårdtillfälle",
        "Öppet",
        "Tidsgränser",
        "Meddelanden",
        "Händelser",
        "Avvikelser",
        "preliminärt",
        "Kommun",
    ] {
        assert!(sv.contains(swedish) && !en.contains(swedish), "{swedish}\n{en}\n{sv}");
    }
    for label in labels(&sv) {
        assert!(!labels(&en).contains(&label), "{label} stands in both");
    }
    for hidden in [case.as_str(), "192503139145", "TRS-2026", "REG-10"] {
        assert!(!sv.contains(hidden) && !en.contains(hidden), "{hidden}\n{sv}");
    }
}

/// What stands before a colon, where it begins a line.
fn labels(text: &str) -> Vec<String> {
    let label = |line: &str| line.split_once(": ").map(|(label, _)| label.trim().to_owned());
    text.lines().filter(|line| !line.trim_start().starts_with(|c: char| c.is_ascii_digit())).filter_map(label).collect()
}

fn case_of(story: &str) -> String {
    let file = fixtures().join(story).join("in/01-r-in.json");
    let event: Value = serde_json::from_slice(&fs::read(file).expect("a fixture")).expect("JSON");
    event["episodeRef"]["caseId"].as_str().expect("a case").to_owned()
}

#[test]
fn a_readmission_names_the_episode_before_it() {
    let mut world = support::World::new("vanersborg/2026.1", instant("2026-06-01T08:00:00+01:00"));
    let admitted = |at: &'static str| move |event: &mut Value| event["data"] = admission_data(at);
    event(&mut world, "R-IN", "A", "2026-03-02T10:00:00+01:00", &admitted("2026-03-02T09:00:00+01:00"));
    event(&mut world, "R-UT", "A", "2026-03-05T13:00:00+01:00", &discharged("2026-03-05T13:00:00+01:00"));
    event(&mut world, "R-IN", "B", "2026-03-20T10:00:00+01:00", &admitted("2026-03-20T09:00:00+01:00"));
    event(&mut world, "R-IN", "C", "2026-05-20T10:00:00+02:00", &admitted("2026-05-20T09:00:00+02:00"));
    let now = instant("2026-05-31T12:00:00+02:00");
    let first = seen(&world, "A", now).id.to_string();
    let said = text(&world, &seen(&world, "B", now), now, true);
    assert!(said.contains(&format!("Återinlagd efter ärende {}: utskriven 2026-03-05 13:00", &first[..8])), "{said}");
    for case in ["A", "C"] {
        let said = text(&world, &seen(&world, case, now), now, true);
        assert!(!said.contains("Återinlagd"), "{said}");
    }
}

fn admission_data(at: &str) -> Value {
    json!({"admittedAt": at, "estimatedDischargeAt": at,
        "ward": {"hsaId": "SE2321000131-T200", "name": "Avdelning 43", "specialty": "somatik"}})
}

fn discharged(at: &'static str) -> impl Fn(&mut Value) {
    move |event: &mut Value| event["data"]["dischargedAt"] = json!(at)
}

/// A stay from the notice of ready for discharge to the discharge.
fn stay(world: &mut support::World, case: &str, specialty: &str, payer: &str, (ready, left): (&'static str, &'static str)) {
    event(world, "R-IN", case, "2026-02-20T10:00:00+01:00", &|event| {
        event["data"] = admission_data("2026-02-20T09:00:00+01:00");
        event["data"]["ward"]["specialty"] = json!(specialty);
        event["circumstances"] = json!({"municipality": payer});
    });
    let said = move |event: &mut Value| event["data"] = json!({"readyAt": ready, "physicianJudgement": true, "openCareAvailable": true});
    event(world, "R-UK", case, ready, &said);
    event(world, "R-UT", case, left, &discharged(left));
}

fn reported(world: &support::World, kind: ReportKind, now: Timestamp) -> ops::Report {
    let sets = sets();
    let episodes = ops::see_all(&world.store, &sets, now).expect("a working store");
    ops::report(kind, episodes, Month::parse("2026-03").expect("a month"), now).expect("a report")
}

/// Reads RFC 4180.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            _ => field.push(letter),
        }
    }
    assert!(field.is_empty() && row.is_empty() && !quoted, "the last line ends");
    let width = rows.first().map_or(0, Vec::len);
    assert!(rows.iter().all(|row| row.len() == width), "{csv}");
    rows
}

#[test]
fn the_report_of_ready_patients_counts_as_the_region_does() {
    let mut world = support::World::new("vanersborg/2026.1", instant("2026-06-01T11:00:00+01:00"));
    stay(&mut world, "A", "somatik", "registered", ("2026-03-03T09:00:00+01:00", "2026-03-05T13:00:00+01:00"));
    stay(&mut world, "B", "psykiatri", "placedByUs", ("2026-03-03T09:00:00+01:00", "2026-03-13T13:00:00+01:00"));
    stay(&mut world, "C", "somatik", "other", ("2026-03-03T09:00:00+01:00", "2026-03-13T13:00:00+01:00"));
    stay(&mut world, "D", "somatik", "registered", ("2026-02-25T09:00:00+01:00", "2026-04-02T13:00:00+02:00"));
    event(&mut world, "R-IN", "E", "2026-03-09T10:00:00+01:00", &|event| event["data"] = admission_data("2026-03-09T09:00:00+01:00"));
    event(&mut world, "R-UK", "E", "2026-03-10T09:00:00+01:00", &|_| {});
    event(&mut world, "R-AU", "E", "2026-03-11T09:00:00+01:00", &|_| {});
    let now = instant("2026-04-30T12:00:00+02:00");
    let said = text(&world, &seen(&world, "B", now), now, true);
    for told in ["Betalningsansvar (preliminärt): Utlöst", "Dagar att betala för: 7", "Summa: belopp saknas för året"] {
        assert!(said.contains(told), "{told} in\n{said}");
    }
    let report = reported(&world, ReportKind::Ready, now);
    let made: Value = serde_json::from_str(&report.json()).expect("JSON");
    assert_eq!((&made["report"], &made["month"], &made["preliminary"]), (&json!("utskrivningsklara"), &json!("2026-03"), &json!(true)));
    assert_eq!(
        made["summary"],
        json!({"count": 3, "counted": 1, "mean": 2.0, "threshold": 3.0, "above": false, "individualSomatik": 0, "individualPsykiatri": 1,
            "individualUnknown": 0, "leftOut": 1}),
        "{made:#}"
    );
    assert_eq!(made["individual"][0]["days"], 10);
    let phases: Vec<&str> = made["rows"].as_array().expect("rows").iter().filter_map(|row| row["payment"].as_str()).collect();
    assert!(phases.contains(&"STOPPAD") && phases.contains(&"UTLOST"), "{made:#}");
    assert_eq!(rows(&report.csv()).len(), 4, "{}", report.csv());
    let (sv, en) = (report.text(true), report.text(false));
    assert!(sv.contains("(preliminärt), 2026-03") && sv.contains("Medelvärde, dagar: 2,00") && sv.contains("Gräns, dagar: 3,0"), "{sv}");
    assert!(en.contains("(preliminary), 2026-03") && en.contains("Mean, days: 2.00") && !en.contains("dagar"), "{en}");
    for hidden in ["193812217044", "Greta", "Almqvist"] {
        assert!(!sv.contains(hidden) && !report.csv().contains(hidden), "{sv}");
    }
}

#[test]
fn the_other_reports_tell_of_checklist_lateness_and_outpatient_care() {
    let mut world = support::World::new("vanersborg/2026.1", instant("2026-03-09T08:00:00+01:00"));
    play(&mut world, "03-discharged-anyway");
    event(&mut world, "K-HI", "O", "2026-03-16T09:00:00+01:00", &|event| event["data"]["startDate"] = json!("2026-03-16"));
    event(&mut world, "K-OB", "O", "2026-03-17T09:00:00+01:00", &|event| event["data"]["answerBy"] = json!("2026-03-19T12:00:00+01:00"));
    let now = instant("2026-03-31T12:00:00+02:00");
    let json_of = |kind| -> Value { serde_json::from_str(&reported(&world, kind, now).json()).expect("JSON") };

    let checklist = json_of(ReportKind::Checklist);
    let owners = checklist["owners"].as_array().expect("owners");
    assert_eq!(owners.len(), 3, "{checklist:#}");
    for total in owners {
        let of = |name: &str| -> i64 {
            let rows = checklist["rows"].as_array().expect("rows").iter().filter(|row| row["owner"] == total["owner"]);
            rows.filter_map(|row| row[name].as_i64()).sum()
        };
        assert_eq!((of("applied"), of("done")), (total["applied"].as_i64().expect("a count"), total["done"].as_i64().expect("a count")));
    }

    let late = json_of(ReportKind::Late);
    let rows_of_late = late["rows"].as_array().expect("rows");
    assert!(rows_of_late.iter().any(|row| row["what"] == "R-OS" && row["status"] == "overdue" && row["lateMinutes"] == 17_220), "{late:#}");
    let counted: i64 = late["kinds"].as_array().expect("kinds").iter().filter_map(|kind| kind["count"].as_i64()).sum();
    assert_eq!(usize::try_from(counted).expect("a count"), rows_of_late.len());

    let outpatient = json_of(ReportKind::Outpatient);
    assert_eq!(outpatient["summary"], json!({"enrolled": 1, "ended": 0, "openRequests": 1, "overdueRequests": 1}), "{outpatient:#}");
    assert_eq!(outpatient["requests"][0]["ageDays"], 14);
    for kind in [ReportKind::Checklist, ReportKind::Late, ReportKind::Outpatient] {
        let report = reported(&world, kind, now);
        assert!(rows(&report.csv()).len() > 1);
        golden(&format!("report-{}.sv.txt", kind.code()), &report.text(true));
        golden(&format!("report-{}.en.txt", kind.code()), &report.text(false));
    }
}
