//! Operators' commands: what they show, what they do, and what they do not. Stores are made by real intake; what the
//! commands do is done by the real program, with a daemon running and without one.

#![expect(clippy::expect_used, reason = "a test that cannot set its stage has failed")]

#[path = "process/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod process;
#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use jiff::{Span, Timestamp};
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
use vardbro::model::state::{Handling, State};
use vardbro::model::time::Clock;
use vardbro::ops::{self, Month, Named, ReportKind, Seen, Sets};
use vardbro::store::Filter;
use vardbro::story::Conduct;

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
    play_until(world, name, Timestamp::MAX);
}

/// The same up to a moment. What operators do in the story is left out.
fn play_until(world: &mut support::World, name: &str, until: Timestamp) {
    let dir = fixtures().join(name);
    let case: toml::Table = fs::read_to_string(dir.join("case.toml")).expect("a story").parse().expect("TOML");
    for step in case["step"].as_array().expect("steps") {
        let (at, file) = (step.get("at").and_then(toml::Value::as_str), step.get("in").and_then(toml::Value::as_str));
        let advance =
            step.get("advance").and_then(toml::Value::as_str).map(|span| world.clock.now() + span.parse::<Span>().expect("a span"));
        if let Some(at) = at.map(instant).or(advance) {
            if at > until {
                return world.pass(until);
            }
            world.pass(at);
        }
        for word in step.get("receiver").and_then(toml::Value::as_str).iter().flat_map(|words| words.split(',')) {
            world.receiver.script(Conduct::parse(word.trim()).expect("a word to the receiver").into());
        }
        if let Some(file) = file {
            let verdict = world.hand_in(file, fs::read(dir.join("in").join(file)).expect("a fixture"));
            assert_eq!(verdict, Verdict::Accepted, "{file}");
            world.settle();
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

/// An outage, an hour long so far: what is unsent, with and without names, and the plan that closes it.
#[test]
#[expect(clippy::disallowed_methods, reason = "looks at what is printed")]
fn what_is_unsent_is_listed_for_the_telephone() {
    let mut world = support::World::new("vanersborg/2026.1", instant("2026-05-04T08:00:00+02:00"));
    let now = instant("2026-05-05T10:04:00+02:00");
    play_until(&mut world, "08b-handled-by-telephone", now);
    let list = |names: bool, swedish: bool| {
        ops::Unsent::of(&world.store, &world.intake.desk, None, (None, now), names, swedish).expect("a working store")
    };
    let open = list(false, true);
    for (name, made) in [
        ("fallback.sv.txt", open.text(true)),
        ("fallback.en.txt", list(false, false).text(false)),
        ("fallback.csv", open.csv(true)),
        ("fallback.json", open.json(true)),
    ] {
        let made = made.disclose();
        golden(name, made);
        for hidden in ["Alm", "Backman", "Rosén", "Hägg", "HSL-868", "193812192395", "TRS-"] {
            assert!(!made.contains(hidden), "{hidden} in\n{made}");
        }
    }
    for (name, made) in [
        ("fallback-names.sv.txt", list(true, true).text(true)),
        ("fallback-names.en.txt", list(true, false).text(false)),
        ("fallback-names.csv", list(true, true).csv(true)),
        ("fallback-names.json", list(true, false).json(false)),
    ] {
        let made = made.disclose();
        golden(name, made);
        let first = made.lines().next().expect("a line");
        assert!(first.contains("PERSON"), "{first}");
        assert!(made.contains("Harry Backman") && made.contains("193812192395") && made.contains("HSL-8681"), "{made}");
    }
    let json: Value = serde_json::from_str(list(true, true).json(true).disclose()).expect("JSON");
    assert_eq!(json["messages"].as_array().expect("messages").len(), 7);
    let columns: Vec<usize> = rows(list(true, true).csv(true).disclose()).iter().map(Vec::len).collect();
    assert!(columns.iter().all(|count| *count == 16), "{columns:?}");

    let (unsent, beyond) = ops::unsent(&world.store, None, now).expect("a working store");
    let plan = ops::ResolvePlan::of(unsent, Handling::Phone, true);
    assert_eq!((plan.actions().len(), beyond), (6, 0), "one may have arrived");
    golden("resolve.sv.txt", &plan.text(true));
    golden("resolve.en.txt", &plan.text(false));
}

#[test]
fn a_resend_is_planned_before_it_is_done() {
    let mut world = support::World::new("vanersborg/2026.1", instant("2026-04-01T08:00:00+02:00"));
    play(&mut world, "36c-parked-then-sent-again");
    let now = world.clock.now();
    let plan = |world: &support::World, again: bool| {
        let rows = world.store.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store");
        ops::ResendPlan::of(&world.store, &world.intake.desk, (rows, 3), 100, again, now).expect("a working store")
    };
    let parked = plan(&world, false);
    assert_eq!(parked.actions().len(), 1, "what the receiver has is refused");
    golden("resend.sv.txt", &parked.text(now, true));
    golden("resend.en.txt", &parked.text(now, false));
    let both = plan(&world, true);
    assert!(both.actions().len() == 2 && both.token() != parked.token());

    // The same event in a new version: the old one is not to be sent any more.
    let file = fixtures().join("36c-parked-then-sent-again/in/02-k-pu.json");
    let mut changed: Value = serde_json::from_slice(&fs::read(file).expect("a fixture")).expect("JSON");
    changed["data"]["adlBefore"] = json!("Går med rullator");
    assert_eq!(world.hand_in("02-b.json", changed.to_string().into_bytes()), Verdict::Accepted);
    world.settle();
    let told = plan(&world, false).text(now, false);
    assert!(told.contains("VB-OPS-006") && told.starts_with("Messages to send again: 0"), "{told}");
}

/// Why a message is not sent again, whatever was planned; and that it is the doing that is refused, not the planning alone.
#[test]
fn what_no_longer_holds_is_not_sent_again() {
    for (kind, code) in [("K-MK", "VB-OPS-007"), ("protected", "VB-OPS-009")] {
        let mut world = support::World::new("vanersborg/2026.1", instant("2026-04-01T08:00:00+02:00"));
        play_until(&mut world, "36c-parked-then-sent-again", instant("2026-04-01T13:25:00+02:00"));
        world.pass(instant("2026-04-02T15:00:00+02:00"));
        let parked = |world: &support::World| {
            let filter = Filter { state: Some(State::Parked), limit: 10, ..Filter::default() };
            world.store.deliveries(&filter).expect("a working store")
        };
        let row = parked(&world).pop().expect("a parked message");
        let file = fixtures().join("36c-parked-then-sent-again/in/01-r-in.json");
        let mut said: Value = serde_json::from_slice(&fs::read(file).expect("a fixture")).expect("JSON");
        said["occurredAt"] = json!("2026-04-02T14:00:00+02:00");
        if kind == "protected" {
            (said["eventId"], said["type"]) = (json!("p"), json!("R-BU"));
            (said["sentAt"], said["regionMessageId"]) = (said["occurredAt"].clone(), json!("p"));
            said["patient"]["protected"] = json!("sekretessmarkering");
            said["data"] = json!({"estimatedDischargeAt": "2026-04-05T12:00:00+02:00"});
        } else {
            (said["eventId"], said["type"]) = (json!("b"), json!("R-DO"));
            (said["sentAt"], said["regionMessageId"]) = (said["occurredAt"].clone(), json!("b"));
            said["data"] = json!({"deceasedAt": "2026-04-02T13:00:00+02:00"});
        }
        assert_eq!(world.hand_in("said.json", said.to_string().into_bytes()), Verdict::Accepted);
        let action =
            vardbro::intake::Action::Resend { message: row.message.clone(), destination: row.destination.clone(), from: row.state };
        let action = serde_json::to_string(&action).expect("JSON");
        let asked = world.store.ask(world.clock.now(), "anna", &action).expect("a working store");
        world.intake.serve().expect("a working store");
        let outcome = world.store.request(asked).expect("a working store").and_then(|row| row.outcome).expect("an outcome");
        assert!(outcome.contains(code) && outcome.contains("\"done\":false"), "{kind}: {outcome}");
        assert_eq!(parked(&world).len(), 1);
    }
}

/// The whole way: an outage, the list, the telephone, and the receiver that comes back.
#[test]
fn what_was_told_by_telephone_does_not_arrive_as_well() {
    let world = process::World::new("", "[retry]\nprobe_cap_s = 1");
    let daemon = world.daemon();
    for (file, text) in [("1.json", admission("HSL-1", "e-1", 0)), ("2.json", planning("HSL-1", "e-2", 60))] {
        world.put(file, &text);
    }
    wait("a message in its lane", PATIENCE, || run(&world, &["messages", "list"]).1.contains("K-PU"));
    let (code, list) = run(&world, &["messages", "fallback-list"]);
    assert!(code == Some(0) && list.contains("SE2321000131-T200") && list.contains("K-PU") && !list.contains("193812217044"), "{list}");
    let until = list.rsplit("--until ").next().expect("a moment").trim().to_owned();
    let (code, named) = run(&world, &["messages", "fallback-list", "--with-names", "--format", "text", "--reason", "outage"]);
    assert!(code == Some(0) && named.starts_with("PERSONAL DATA"), "{named}");
    assert!(named.contains("193812217044") && named.contains("HSL-1") && named.contains("rollator"), "{named}");
    let log = run(&world, &["log"]).1;
    assert!(log.contains("A list with personal data has been printed (count-1)"), "{log}");

    // What comes after the list is not on it.
    world.put("3.json", &planning("HSL-1", "e-3", 120));
    wait("another message", PATIENCE, || run(&world, &["messages", "list"]).1.lines().count() == 2);
    let way = ["messages", "fallback-list", "--handled", "--until", &until];
    // Now and then the message is the one that tries the way, and stays for that moment.
    wait("the list to be closed", PATIENCE, || {
        let plan = run(&world, &way).1;
        let (_, said) = run(&world, &[&way[..], &["--confirm", &token(&plan)]].concat());
        said.starts_with("Closed by hand: 1") || run(&world, &["messages", "list", "--state", "RESOLVED"]).1.contains("K-PU")
    });
    let _receiver = world.receiver("");
    accepted(&world);
    assert_eq!(run(&world, &["messages", "list", "--state", "RESOLVED"]).1.lines().count(), 1);
    let show = run(&world, &["messages", "show", "test-journal:e-2"]).1;
    assert!(show.contains("VB-OPS-012 closed by hand: told by telephone"), "{show}");
    let outcome = fs::read_to_string(world.path("in/outcome/2.json.outcome.json")).expect("an outcome");
    assert!(outcome.contains("RESOLVED"), "{outcome}");
    daemon.stop();
    for hidden in ["193812217044", "rollator", "HSL-1\""] {
        assert!(!fs::read_to_string(world.path("oplog.ndjson")).expect("a log").contains(hidden), "{hidden}");
    }
    let (code, said) = run(&world, &["messages", "resolve", "test-journal:e-2", "--as", "other", "--reason", "x"]);
    assert!(code == Some(1) && said.contains("VB-OPS-011"), "{said}");
}

#[test]
fn backup_restore_and_export_say_what_they_do_in_both_languages() {
    let world = process::World::new("", "");
    let daemon = world.daemon();
    hold(&world);
    let to = world.path("backup.db").display().to_string();
    let (code, said) = run(&world, &["store", "backup", &to, "--lang", "sv"]);
    let counted = format!("{to}: {} byte, 2 händelser, 1 leveranser varav 0 mottagna, SHA-256 ", fs::metadata(&to).expect("a file").len());
    assert!(code == Some(0) && said.starts_with(&counted) && said.lines().count() == 1, "{said}");
    let (code, said) = run(&world, &["store", "restore", &to]);
    assert!(code == Some(2) && said.starts_with("VB-STO-006: a daemon has the store"), "{said}");
    world.put("3.json", &planning("HSL-1", "e-3", 120));
    wait("a third event", PATIENCE, || run(&world, &["messages", "list"]).1.lines().count() == 2);
    daemon.stop();

    let (code, plan) = run(&world, &["store", "restore", &to]);
    let (first, rest) = plan.split_once("\nMade: ").expect("lines");
    assert!(code == Some(0) && first.contains("2 events, 1 deliveries of which 0 accepted, SHA-256 "), "{plan}");
    let (_, rest) = rest.split_once('\n').expect("lines");
    let golden = format!(
        "The present store has 1 events and 0 accepted deliveries that are newer; they are forgotten.
The present store is renamed and stays beside it.
What has no end in it, and what comes in later of what happened before now, may have arrived already. The receiver is asked before
any of it is sent; where there is no `lookup_url` it is set aside (VB-STO-007). What the receiver has is never sent again.
To do it: --confirm {}\n",
        token(&plan)
    );
    assert_eq!(rest, golden);
    let sv = run(&world, &["store", "restore", &to, "--lang", "sv"]).1;
    let (_, rest) = sv.split_once("\nGjord: ").and_then(|(_, rest)| rest.split_once('\n')).expect("lines");
    let golden = format!(
        "Den nuvarande databasen har 1 händelser och 0 mottagna leveranser som är nyare; de glöms.
Den nuvarande databasen byter namn och ligger kvar bredvid.
Det som saknar slut i den, och det som sedan kommer in av det som hänt före nu, kan redan ha kommit fram. Mottagaren tillfrågas
innan något av det sänds; där `lookup_url` saknas läggs det åt sidan (VB-STO-007). Det mottagaren har sänds aldrig igen.
Gör det med: --confirm {}\n",
        token(&plan)
    );
    assert_eq!(rest, golden);

    let (code, said) = run(&world, &["store", "restore", &to, "--confirm", &token(&plan), "--lang", "sv"]);
    assert!(code == Some(0) && said.starts_with("Återställd; 1 leveranser är ovissa.\nDen förra databasen: "), "{said}");
    assert!(run(&world, &["log"]).1.contains("The store was restored from a backup"));
    let all = world.path("all.ndjson").display().to_string();
    let (code, said) = run(&world, &["store", "export", &all, "--lang", "sv"]);
    assert!(code == Some(0) && said.starts_with(&format!("{all} kommer att innehålla PERSONUPPGIFTER")), "{said}");
    let (code, said) = run(&world, &["store", "export", &all]);
    assert!(code == Some(2) && said.contains("VB-STO-002"), "{said}");
}
