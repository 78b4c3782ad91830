//! Histories by the hundred thousand: whatever happens in a case, and in whatever order it is heard of, the fold keeps its word.
//!
//! `HISTORIES=1000000 cargo nextest run --test histories` tries more, `SEED=n` others. A failure is made as small as it will
//! go, and written as a story that can be put into `fixtures/`.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

#[path = "support/history.rs"]
mod history;
#[path = "support/properties.rs"]
mod properties;

use history::{History, Maker, Random, Templates};
use jiff::{SignedDuration, Timestamp};
use properties::{PROPERTIES, Property, Tried};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use vardbro::check::rules::{Rules, shipped};
use vardbro::model::regime::{ClBlock, Regime, SipScope};

/// How many, where nobody says otherwise.
const HISTORIES: usize = 100_000;

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Each shipped set of rules, and the first with every choice that a municipality has.
fn regimes() -> Vec<(String, Regime)> {
    let read = |(name, text): &(&str, &str)| ((*name).to_owned(), Rules::parse(text).expect("a whole set").regime);
    let mut out: Vec<(String, Regime)> = shipped().iter().map(read).collect();
    let choices: &[(ClBlock, SipScope)] = &[(ClBlock::StagePOnly, SipScope::All), (ClBlock::Warn, SipScope::Flagged)];
    for (cl_block, sip_scope) in choices {
        let (name, mut regime) = out[0].clone();
        (regime.parameters.cl_block, regime.parameters.sip_scope) = (*cl_block, *sip_scope);
        (regime.parameters.count_day_zero, regime.parameters.take_home_answer_h) = (true, 1);
        out.push((format!("{name}, {}, {}", cl_block.code(), sip_scope.code()), regime));
    }
    out
}

struct Failure {
    property: Property,
    rules: String,
    seed: u64,
    history: History,
}

#[test]
fn every_history_keeps_every_property() {
    let (count, seed) = (number("HISTORIES").unwrap_or(HISTORIES), number("SEED").unwrap_or(1));
    println!("{count} histories from seed {seed}");
    let (templates, regimes) = (Templates::read(), regimes());
    let found: Mutex<BTreeMap<String, Failure>> = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (templates, regimes, found) = (&templates, &regimes, &found);
            scope.spawn(move || {
                for place in (thread..count).step_by(threads) {
                    try_one(templates, regimes, (seed, place), found);
                }
            });
        }
    });
    let found = found.into_inner().expect("no thread failed");
    let mut told = String::new();
    for (why, failure) in &found {
        let _ = writeln!(told, "\n=== {why}\n{}", tell(&templates, &regimes, failure));
    }
    assert!(found.is_empty(), "{} properties failed (seed {seed}){told}", found.len());
}

fn try_one(templates: &Templates, regimes: &[(String, Regime)], (seed, place): (usize, usize), found: &Mutex<BTreeMap<String, Failure>>) {
    let seed = (seed as u64).wrapping_mul(0x1_0000_0001).wrapping_add(place as u64);
    let history = Maker::make(templates, &mut Random::new(seed));
    let (name, regime) = &regimes[[0, 0, 0, 1, 0, 2, 0, 3][place / 36 % 8]];
    let tried = Tried::new(templates, regime, &history);
    for property in PROPERTIES {
        if !property.looks_at(place) {
            continue;
        }
        if let Some(why) = wrong(*property, &tried, seed) {
            // One example of each kind of failure; what varies from one to the next is numbers.
            let kind: String = why.lines().next().unwrap_or_default().chars().filter(|letter| !letter.is_ascii_digit()).collect();
            let kind = format!("{property:?} {}", kind.split(['(', ',']).next().unwrap_or_default());
            let mut found = found.lock().expect("no thread failed");
            if found.len() < 12 {
                found.entry(kind).or_insert_with(|| Failure { property: *property, rules: name.clone(), seed, history: history.clone() });
            }
        }
    }
}

/// What is wrong with a history, a panic included.
fn wrong(property: Property, tried: &Tried, seed: u64) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| property.check(tried, seed))) {
        Ok(outcome) => outcome.err(),
        Err(_) => Some("panicked".to_owned()),
    }
}

/// The smallest history that fails like this one: without any event, and without any word, that it can do without.
/// The moments that are tried depend on the history, so a smaller one gets several chances.
fn smallest(templates: &Templates, regime: &Regime, failure: &Failure) -> (History, u64, String) {
    let fails = |history: &History| {
        let tried = Tried::new(templates, regime, history);
        let mut seeds = (0..40).map(|more| failure.seed.wrapping_add(more)).filter(|_| !history.is_empty());
        seeds.find_map(|seed| wrong(failure.property, &tried, seed).map(|why| (seed, why)))
    };
    let mut small = failure.history.clone();
    let mut best = fails(&small).expect("it failed before");
    let mut place = 0;
    while place < small.len() {
        let mut fewer = small.clone();
        fewer.remove(place);
        match fails(&fewer) {
            Some(why) => (small, best, place) = (fewer, why, 0),
            None => place += 1,
        }
    }
    let simplify: &[fn(&mut history::Step)] = &[
        |step| step.event.head.circumstances = None,
        |step| step.event.head.consent = None,
        |step| step.event.head.ref_to = None,
        |step| step.event.head.sent_at = None,
        |step| step.version = 1,
        |step| step.event.head.author = None,
    ];
    for place in 0..small.len() {
        for make_simple in simplify {
            let mut simpler = small.clone();
            make_simple(&mut simpler[place]);
            if let Some(why) = fails(&simpler) {
                (small, best) = (simpler, why);
            }
        }
    }
    (small, best.0, best.1)
}

/// The example as text, and as a story in a folder.
fn tell(templates: &Templates, regimes: &[(String, Regime)], failure: &Failure) -> String {
    let regime = &regimes.iter().find(|(name, _)| *name == failure.rules).expect("known").1;
    let (history, seed, why) = smallest(templates, regime, failure);
    let folder = story(failure.rules.split(',').next().unwrap_or_default(), &history);
    let mut out = format!("{why}\n(property {:?}, {}, seed {seed}, story in {})\n", failure.property, failure.rules, folder.display());
    for step in &history {
        let json = String::from_utf8(vardbro::map::to_json(&step.event)).expect("UTF-8");
        let _ = writeln!(out, "{} version {}: {json}", step.id, step.version);
    }
    out
}

/// Writes `case.toml` and `in/`; the steps come as they happened, or as they were sent.
fn story(rules: &str, history: &History) -> PathBuf {
    let folder = tempfile::tempdir().expect("a folder").keep();
    std::fs::create_dir(folder.join("in")).expect("a folder");
    let came = |step: &history::Step| step.event.head.sent_at.unwrap_or_default().max(step.event.head.occurred_at);
    let mut steps: Vec<&history::Step> = history.iter().collect();
    steps.sort_by_key(|step| (came(step), step.version));
    let begin = steps.first().map_or(Timestamp::UNIX_EPOCH, |step| came(step)) - SignedDuration::from_mins(1);
    let mut story = format!("title.sv = \"Motexempel\"\ntitle.en = \"Counter-example\"\nrules = \"{rules}\"\nclock = \"{begin}\"\n");
    for (place, step) in steps.iter().enumerate() {
        let file = format!("{:02}-{}.json", place + 1, step.event.head.kind.code().to_lowercase());
        std::fs::write(folder.join("in").join(&file), vardbro::map::to_json(&step.event)).expect("written");
        let _ = write!(story, "\n[[step]]\nat = \"{}\"\nin = \"{file}\"\n", came(step));
    }
    std::fs::write(folder.join("case.toml"), story).expect("written");
    folder
}

/// The maker makes what it is said to make.
#[test]
fn histories_are_of_every_kind() {
    let templates = Templates::read();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut versions, mut corrections, mut ties) = (0, 0, 0);
    for seed in 0..3_000 {
        let history = Maker::make(&templates, &mut Random::new(seed));
        assert!((2..=18).contains(&history.len()), "{}", history.len());
        let mut moments = Vec::new();
        for step in &history {
            *kinds.entry(step.event.head.kind.code()).or_default() += 1;
            versions += usize::from(step.version > 1);
            corrections += usize::from(step.event.head.corrects.is_some());
            ties += usize::from(moments.contains(&step.event.head.occurred_at));
            moments.push(step.event.head.occurred_at);
        }
    }
    assert_eq!(kinds.len(), vardbro::model::catalogue::CATALOGUE.len(), "{kinds:?}");
    assert!(kinds.values().all(|count| *count > 50) && versions > 200 && corrections > 300 && ties > 1_000, "{kinds:?}");
}
