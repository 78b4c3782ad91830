//! Walks every story in `fixtures/` through the real core. How to add one: `fixtures/README.md`.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

#[path = "support/folder.rs"]
#[expect(dead_code, reason = "the folder's own tests use the rest")]
mod folder;
#[path = "support/replay.rs"]
mod replay;
#[path = "support/world.rs"]
mod world;

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use vardbro::check::rules::{RuleId, Rules, shipped};
use vardbro::model::catalogue::CATALOGUE;
use vardbro::model::checklist::Stage;
use vardbro::model::episode::{ChecklistPhase, ClockKind, PaymentPhase, Phase, SipPhase};
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::store::Filter;
use world::{Conduct, Scripted, World, fixtures};

fn cases() -> Vec<PathBuf> {
    let cases: Vec<PathBuf> =
        replay::names(&fixtures()).into_iter().map(|name| fixtures().join(name)).filter(|dir| dir.join("case.toml").exists()).collect();
    assert!(cases.len() >= 12, "only {} cases", cases.len());
    cases
}

#[test]
fn every_story_ends_as_it_says() {
    let cases = cases();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let play = || {
        let mut failures = String::new();
        while let Some(dir) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            if let Err(difference) = replay::check(dir) {
                let _ = writeln!(failures, "\n=== {}\n{difference}", dir.display());
            }
        }
        failures
    };
    let failures: String = std::thread::scope(|scope| {
        let players: Vec<_> = (0..2).map(|_| scope.spawn(play)).collect();
        players.into_iter().map(|player| player.join().expect("no panic")).collect()
    });
    assert!(failures.is_empty(), "{failures}\nIf this is as it should be: UPDATE=1, and read what changed.");
}

/// `STORY=02-checklist-incomplete cargo nextest run --test fixtures --no-capture tell` plays one and prints it.
#[test]
fn tell_the_story_that_is_asked_for() {
    if let Some(name) = std::env::var_os("STORY") {
        println!("{}", replay::tell(&fixtures().join(name)).expect("a story"));
    }
}

#[test]
fn the_order_of_arrival_does_not_change_how_an_episode_ends() {
    let end = |name: &str| {
        let text = fs::read_to_string(fixtures().join(name).join("expect.toml")).expect("expect.toml");
        let (_, end) = text.split_once("\n[[episode]]\n").expect("an episode");
        end.split_once("\n[log]\n").expect("a log").0.to_owned()
    };
    assert_eq!(end("order-as-it-happened"), end("order-as-it-arrived"));
}

#[test]
fn every_story_is_told_in_both_languages() {
    for dir in cases() {
        let text = fs::read_to_string(dir.join("README.md")).unwrap_or_else(|fault| panic!("{}: {fault}", dir.display()));
        let (swedish, english) = text.split_once("\n## English\n").unwrap_or_else(|| panic!("{}: no English", dir.display()));
        for part in [swedish, english] {
            assert!(part.lines().filter(|line| !line.trim().is_empty()).count() >= 3, "{}: too short", dir.display());
        }
    }
}

/// What `expect.toml` says of a story, as far as coverage looks at it.
#[derive(Debug, Deserialize)]
struct Expected {
    event: Vec<ExpectedEvent>,
    #[serde(default)]
    message: Vec<ExpectedMessage>,
    #[serde(default)]
    episode: Vec<ExpectedEpisode>,
    log: ExpectedLog,
}

#[derive(Debug, Deserialize)]
struct ExpectedEvent {
    verdict: String,
}

#[derive(Debug, Deserialize)]
struct ExpectedMessage {
    file: String,
    r#type: String,
    state: String,
    course: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ExpectedEpisode {
    phase: String,
    sip: String,
    #[serde(default)]
    stays: Vec<String>,
    #[serde(default)]
    deviations: Vec<String>,
    #[serde(default)]
    clocks: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ExpectedLog {
    lines: String,
}

/// The types that a story hands in, by file.
fn types_of(dir: &Path) -> BTreeMap<String, String> {
    let read = |name: String| {
        let event: serde_json::Value = serde_json::from_slice(&fs::read(dir.join("in").join(&name)).expect("a file")).ok()?;
        Some((name, event["type"].as_str()?.to_owned()))
    };
    replay::names(&dir.join("in")).into_iter().filter_map(read).collect()
}

impl Expected {
    fn of(dir: &Path) -> Self {
        toml::from_str(&fs::read_to_string(dir.join("expect.toml")).expect("expect.toml")).expect("TOML")
    }

    /// A rule shows in a message's findings, in a deviation, or as the code of a log line; an alarm's code alone is not enough,
    /// because it says that something is due and not that the rule was broken. Three rules leave their own trace instead: DUP-1 is
    /// the verdict of a duplicate, PAY-1 the clock that it starts, IN-1 the K-AD that an R-IN gives rise to.
    fn shows(&self, rule: &str, types: &BTreeMap<String, String>) -> bool {
        let word = |text: &str| text.split([' ', ';']).any(|word| word == rule);
        let asks = |message: &ExpectedMessage| message.r#type == "K-AD" && types.get(&message.file).is_some_and(|kind| kind == "R-IN");
        match rule {
            "DUP-1" => self.event.iter().any(|event| event.verdict == "duplicate"),
            "PAY-1" => self.episode.iter().flat_map(|episode| &episode.clocks).any(|clock| word(clock)),
            "IN-1" => self.message.iter().any(asks),
            _ => {
                self.message.iter().flat_map(|message| &message.course).any(|step| word(step))
                    || self.episode.iter().flat_map(|episode| &episode.deviations).any(|deviation| word(deviation))
                    || self.log.lines.lines().any(|line| !line.contains(" deadline.") && word(line))
            }
        }
    }

    /// Every code of a phase, a clock or a message's end that the story ends with, by what it is a code of.
    fn reached(&self) -> BTreeSet<(&'static str, String)> {
        let mut out: BTreeSet<_> = self.message.iter().map(|message| ("state", message.state.clone())).collect();
        for episode in &self.episode {
            out.extend([("phase", episode.phase.clone()), ("sip", episode.sip.clone())]);
            for stay in &episode.stays {
                let words: Vec<&str> = stay.split(' ').collect();
                assert!(words[1] == "checklist" && words[3] == "payment", "{stay}");
                out.extend([("checklist", words[2].to_owned()), ("payment", words[4].to_owned())]);
            }
            out.extend(episode.clocks.iter().filter_map(|clock| clock.split(' ').next()).map(|kind| ("clock", kind.to_owned())));
        }
        out
    }
}

/// Every code that some story must end with.
fn reachable() -> BTreeSet<(&'static str, String)> {
    let set = |text| Rules::parse(text).expect("a shipped set");
    let after = shipped().iter().any(|(_, text)| set(text).regime.checklist.items.iter().any(|item| item.stage == Stage::After));
    let lists = [
        ("phase", Phase::VALUES),
        ("sip", SipPhase::VALUES),
        ("checklist", ChecklistPhase::VALUES),
        ("payment", PaymentPhase::VALUES),
        ("clock", ClockKind::VALUES),
        ("state", State::VALUES),
    ];
    let all = lists.iter().flat_map(|(name, values)| values.iter().map(|value| (*name, value.code)));
    let can = |(name, code): &(&str, &str)| match *name {
        "state" => State::parse(code).is_some_and(State::is_end),
        // Items after the discharge are possible, but a set must have some.
        "clock" => after || *code != ClockKind::AfterItems.code(),
        _ => true,
    };
    all.filter(can).map(|(name, code)| (name, code.to_owned())).collect()
}

#[test]
fn no_type_rule_or_state_is_unreached() {
    if std::env::var_os("UPDATE").is_some() {
        println!("skipped: what it reads is being written");
        return;
    }
    let stories: Vec<_> = cases().iter().map(|dir| (Expected::of(dir), types_of(dir))).collect();
    let reached: BTreeSet<_> = stories.iter().flat_map(|(story, _)| story.reached()).collect();
    let mut unreached: Vec<String> =
        reachable().difference(&reached).map(|(name, code)| format!("{name} {code}: no story ends with it")).collect();
    let handed_in: BTreeSet<&str> = stories.iter().flat_map(|(_, types)| types.values()).map(String::as_str).collect();
    let types = CATALOGUE.iter().map(|row| row.code).filter(|code| !handed_in.contains(code));
    unreached.extend(types.map(|code| format!("type {code}: no story hands it in")));
    for rule in RuleId::KNOWN {
        let count = stories.iter().filter(|(story, types)| story.shows(rule, types)).count();
        if count < 2 {
            unreached.push(format!("rule {rule}: {count} of two stories"));
        }
    }
    assert!(unreached.is_empty(), "{unreached:#?}");
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    event: Vec<DemoEvent>,
    answer: Vec<DemoAnswer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoEvent {
    file: String,
    title: replay::Title,
    verdict: String,
    end: Option<String>,
    #[serde(default)]
    shows: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoAnswer {
    status: Option<u16>,
    drop: Option<String>,
    times: u32,
    r#match: String,
}

/// What the demonstration promises, held by the core without any network.
#[test]
fn the_demonstration_ends_as_it_says() {
    let dir = fixtures().join("demo");
    let demo: Demo = toml::from_str(&fs::read_to_string(dir.join("demo.toml")).expect("demo.toml")).expect("TOML");
    let listed: Vec<String> = demo.event.iter().map(|event| event.file.clone()).collect();
    let lying: Vec<String> =
        replay::names(&dir).into_iter().filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "json")).collect();
    assert_eq!(listed, lying);
    let mut world = World::new("vanersborg/2026.1", "2026-03-13T08:00:00+01:00".parse().expect("a time"));
    let mut record = replay::Record::default();
    for answer in demo.answer {
        let conduct = answer.drop.map_or_else(|| answer.status.expect("status or drop").to_string(), |when| format!("drop_{when}"));
        world.receiver.script(Scripted { conduct: Conduct::parse(&conduct), times: answer.times, matching: Some(answer.r#match) });
    }
    for event in &demo.event {
        record.hand_in(&mut world, &event.file, fs::read(dir.join(&event.file)).expect("a file"));
        world.settle(&mut |world| record.look(world));
    }
    world.rest(&mut |world| record.look(world));
    let rows = world.store.deliveries(&Filter { limit: 1_000, ..Filter::default() }).expect("a working store");
    for (event, (file, verdict)) in demo.event.iter().zip(&record.events) {
        assert!(!event.title.sv.is_empty() && !event.title.en.is_empty());
        let said = if let Verdict::Rejected(findings) = verdict {
            assert!(findings.len() >= 3, "{findings:?}");
            "rejected"
        } else {
            assert_eq!(*verdict, Verdict::Accepted, "{file}");
            "accepted"
        };
        assert_eq!(said, event.verdict, "{file}");
        let row = (said == "accepted").then(|| rows.iter().find(|row| record.file(&world, row) == *file)).flatten();
        assert_eq!(row.map(|row| row.state.code()), event.end.as_deref(), "{file}");
        let Some(row) = row else { continue };
        let answers: Vec<String> = world.store.attempts(row.id).expect("a working store").into_iter().map(|row| row.answer).collect();
        let course = record.course[&row.id].join("\n");
        let shown = [
            ("withheld", course.contains("WITHHELD")),
            ("released", course.contains("WITHHELD") && course.contains("SCHEDULED")),
            ("resent", answers.len() > 1),
            ("lost-answer", answers.first().is_some_and(|answer| answer == "lost")),
        ];
        let shown: BTreeSet<&str> = shown.into_iter().filter(|(_, so)| *so).map(|(name, _)| name).collect();
        assert_eq!(shown, event.shows.iter().map(String::as_str).collect(), "{file}: {answers:?}\n{course}");
    }
}

/// Every number of twelve digits in what is handed in is on the Swedish Tax Agency's list of test persons.
#[test]
fn every_person_is_a_test_person() {
    let list = fixtures().join("../../shared/reference/testpersons/testpersonnummer.txt");
    let Ok(list) = fs::read_to_string(list) else {
        assert!(std::env::var_os("CI").is_none(), "the list of test persons is missing");
        println!("skipped: the list of test persons is not here");
        return;
    };
    let known: BTreeSet<&str> = list.lines().map(str::trim).collect();
    let folders = cases().into_iter().map(|dir| dir.join("in")).chain([fixtures().join("demo"), fixtures().join("bad")]);
    let mut seen = 0;
    for path in folders.flat_map(|dir| replay::names(&dir).into_iter().map(move |name| dir.join(name))) {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
        for number in text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 12) {
            assert!(known.contains(number), "{}: no test person", path.display());
            seen += 1;
        }
    }
    assert!(seen > 50);
}
