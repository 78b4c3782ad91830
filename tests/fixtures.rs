//! Walks every story in `fixtures/` through the real core. How to add one: `fixtures/README.md`.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

#[path = "support/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod world;

use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vardbro::check::rules::{RuleId, Rules, shipped};
use vardbro::map::Mapping;
use vardbro::model::catalogue::CATALOGUE;
use vardbro::model::checklist::Stage;
use vardbro::model::episode::{ChecklistPhase, ClockKind, PaymentPhase, Phase, SipPhase};
use vardbro::model::raw::Verdict;
use vardbro::model::state::State;
use vardbro::store::Filter;
use vardbro::story::{self, Conduct, Given, Options, Played, Record, Scripted};
use world::{World, fixtures, names};

fn cases() -> Vec<PathBuf> {
    let cases: Vec<PathBuf> =
        names(&fixtures()).into_iter().map(|name| fixtures().join(name)).filter(|dir| dir.join("case.toml").exists()).collect();
    assert!(cases.len() >= 12, "only {} cases", cases.len());
    cases
}

#[test]
fn every_story_ends_as_it_says_and_each_type_and_rule_is_shown() {
    let cases = cases();
    let options = Options { update: std::env::var_os("UPDATE").is_some(), config: None };
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let play = || {
        while let Some(dir) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let played = story::check(dir, &options);
            all.lock().expect("no panic").push((dir, played));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(play);
        }
    });
    let mut stories = all.into_inner().expect("no panic");
    stories.sort_by_key(|(dir, _)| *dir);
    let failures: String = stories.iter().filter_map(|(dir, played)| failure(dir, played.as_ref())).collect();
    assert!(failures.is_empty(), "{failures}\nIf this is as it should be: UPDATE=1, and read what changed.");
    let stories: Vec<Played> = stories.into_iter().filter_map(|(_, played)| played.ok()).collect();
    let unshown = unshown(&stories);
    assert!(unshown.is_empty(), "{unshown:#?}");
}

#[expect(clippy::disallowed_methods, reason = "made-up events of a test")]
fn failure(dir: &Path, played: Result<&Played, &vardbro::fault::Fault>) -> Option<String> {
    let mut out = format!("\n=== {}\n", dir.display());
    match played {
        Err(fault) => out.push_str(&fault.text(false)),
        Ok(played) if played.findings.is_empty() => return None,
        Ok(played) => {
            for (file, finding) in &played.findings {
                let _ = writeln!(out, "{}: {} {}", file.display(), story::placed(finding), finding.en);
            }
            out.push_str(played.differences.disclose());
        }
    }
    Some(out)
}

/// Types that no story hands in, and rules that do not show in two.
fn unshown(stories: &[Played]) -> Vec<String> {
    let handed_in: BTreeSet<&str> = stories.iter().flat_map(|story| &story.events).map(|event| event.head.kind.code()).collect();
    let types = CATALOGUE.iter().map(|row| row.code).filter(|code| !handed_in.contains(code));
    let mut out: Vec<String> = types.map(|code| format!("type {code}: no story hands it in")).collect();
    for rule in RuleId::KNOWN {
        let count = stories.iter().filter(|story| story.rules.contains(*rule)).count();
        if count < 2 {
            out.push(format!("rule {rule}: {count} of two stories"));
        }
    }
    out
}

/// `STORY=02-checklist-incomplete cargo nextest run --test fixtures --no-capture tell` plays one and prints it.
#[test]
fn tell_the_story_that_is_asked_for() {
    if let Some(name) = std::env::var_os("STORY") {
        println!("{}", story::tell(&fixtures().join(name), &Options::default(), true).expect("a story"));
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
    #[serde(default)]
    message: Vec<ExpectedMessage>,
    #[serde(default)]
    episode: Vec<ExpectedEpisode>,
}

#[derive(Debug, Deserialize)]
struct ExpectedMessage {
    state: String,
}

#[derive(Debug, Deserialize)]
struct ExpectedEpisode {
    phase: String,
    sip: String,
    #[serde(default)]
    stays: Vec<String>,
    #[serde(default)]
    clocks: Vec<String>,
}

impl Expected {
    fn of(dir: &Path) -> Self {
        toml::from_str(&fs::read_to_string(dir.join("expect.toml")).expect("expect.toml")).expect("TOML")
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
fn no_state_is_unreached() {
    if std::env::var_os("UPDATE").is_some() {
        println!("skipped: what it reads is being written");
        return;
    }
    let reached: BTreeSet<_> = cases().iter().flat_map(|dir| Expected::of(dir).reached()).collect();
    let reachable = reachable();
    let unreached: Vec<_> = reachable.difference(&reached).collect();
    assert!(unreached.is_empty(), "no story ends with {unreached:#?}");
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    sv: String,
    en: String,
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
    title: Title,
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
        names(&dir).into_iter().filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "json")).collect();
    assert_eq!(listed, lying);
    let mut world = World::new("vanersborg/2026.1", "2026-03-13T08:00:00+01:00".parse().expect("a time"));
    let mut record = Record::default();
    for answer in demo.answer {
        let conduct = answer.drop.map_or_else(|| answer.status.expect("status or drop").to_string(), |when| format!("drop_{when}"));
        let conduct = Conduct::parse(&conduct).expect("a word to the receiver");
        world.receiver.script(Scripted { conduct, times: answer.times, matching: Some(answer.r#match) });
    }
    for event in &demo.event {
        let bytes = fs::read(dir.join(&event.file)).expect("a file");
        record.hand_in(&mut world, &event.file, bytes, &Mapping::canonical()).expect("taken");
        story::World::settle(&mut world, &mut |world| record.look(world)).expect("a working store");
    }
    world.rest(&mut |world| record.look(world)).expect("a working store");
    let rows = world.store.deliveries(&Filter { limit: 1_000, ..Filter::default() }).expect("a working store");
    for (event, Given { file, verdict, .. }) in demo.event.iter().zip(&record.given) {
        assert!(!event.title.sv.is_empty() && !event.title.en.is_empty());
        let said = if let Verdict::Rejected(findings) = verdict {
            assert!(findings.len() >= 3, "{findings:?}");
            "rejected"
        } else {
            assert_eq!(*verdict, Verdict::Accepted, "{file}");
            "accepted"
        };
        assert_eq!(said, event.verdict, "{file}");
        let row =
            (said == "accepted").then(|| rows.iter().find(|row| record.origin(&world, row).expect("its event").file == *file)).flatten();
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
    for path in folders.flat_map(|dir| names(&dir).into_iter().map(move |name| dir.join(name))) {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned();
        for number in text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == 12) {
            assert!(known.contains(number), "{}: no test person", path.display());
            seen += 1;
        }
    }
    assert!(seen > 50);
}
