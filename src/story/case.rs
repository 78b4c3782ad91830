//! What `case.toml` says: read whole, with every fault at its place.

use super::receiver::Conduct;
use super::{Stop, broken};
use crate::datafile::{self, DataFault, Reading, Table};
use crate::fault::Code;
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::time::local_day;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Most steps of a story.
const STEPS_MAX: usize = 2_000;
/// Most files in one of a story's folders.
pub(super) const FILES_MAX: usize = 2_000;
/// Longest file of a story.
pub(super) const FILE_MAX: u64 = 16 * 1024 * 1024;
/// Longest name that a file is given.
const NAME_MAX: usize = 200;
const MEGABYTES_MAX: u32 = 64;
/// Days on which a story can play.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// A story's file.
pub(super) const CASE: &str = "case.toml";

#[derive(Debug)]
pub(super) struct Case {
    pub(super) sv: String,
    pub(super) en: String,
    /// Name of a set, and where it stands.
    pub(super) rules: (Place, String),
    pub(super) clock: Timestamp,
    /// The mapping that its files are read by; none: canonical.
    pub(super) mapping: Option<(Place, String)>,
    pub(super) steps: Vec<Step>,
}

/// One step: time that passes, words to the receiver, an operator's doing, a file handed in; in this order.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) place: Place,
    pub(super) wait: Option<Wait>,
    pub(super) receiver: Vec<Word>,
    pub(super) backup: bool,
    pub(super) restore: bool,
    /// The file whose held message an operator lets go.
    pub(super) release: Option<String>,
    /// The file whose parked or rejected message an operator sends again.
    pub(super) resend: Option<String>,
    /// The file whose message an operator closes by hand, as told by telephone; `*` for all that can be closed.
    pub(super) resolve: Option<String>,
    /// The set of rules that every episode is moved to.
    pub(super) rules: Option<String>,
    pub(super) file: Option<(Place, String)>,
    /// The mapping that this file is read by, in place of the story's.
    pub(super) mapping: Option<(Place, String)>,
    /// The file is laid into a real folder, under this name.
    pub(super) called: Option<String>,
    /// The same, blown up with blanks to so many megabytes.
    pub(super) megabytes: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Wait {
    Until(Timestamp),
    For(SignedDuration),
}

/// A word to the receiver.
#[derive(Debug, Clone)]
pub(super) enum Word {
    LooksUp,
    Next(Conduct),
}

impl Case {
    /// Whether some of its files are read by a mapping, so that a file may be many records.
    pub(super) fn is_mapped(&self) -> bool {
        self.mapping.is_some() || self.steps.iter().any(|step| step.mapping.is_some())
    }

    pub(super) fn read(dir: &Path) -> Result<Self, Stop> {
        let unreadable = || found(None, ("filen kan inte läsas", "the file cannot be read"));
        let bytes = read_bounded(&dir.join(CASE)).map_err(|_| broken(CASE, unreadable()))?;
        let not_utf8 = |_| broken(CASE, found(None, ("filen är inte i UTF-8", "the file is not in UTF-8")));
        let text = String::from_utf8(bytes).map_err(not_utf8)?;
        let all = |faults: Vec<DataFault>| {
            let at = |fault: DataFault| {
                let place = Some(Place { line: fault.line, column: fault.column });
                (PathBuf::from(CASE), found(place, (&fault.sv, &fault.en)))
            };
            Stop::Broken(faults.into_iter().map(at).collect())
        };
        let case = parse(&text).map_err(all)?;
        case.holds(dir)?;
        Ok(case)
    }

    /// Every file in `in/` is taken by one step, and every step finds its file.
    fn holds(&self, dir: &Path) -> Result<(), Stop> {
        let lying: BTreeSet<String> = list(&dir.join("in"))?.into_iter().collect();
        let mut used = BTreeSet::new();
        let mut findings = Vec::new();
        for (place, name) in self.steps.iter().filter_map(|step| step.file.as_ref()) {
            if !used.insert(name.clone()) {
                findings.push((CASE.into(), found(Some(*place), ("ett tidigare steg har filen", "an earlier step has the file"))));
            } else if !lying.contains(name) {
                findings.push((CASE.into(), found(Some(*place), ("filen finns inte i in/", "the file is not in in/"))));
            }
        }
        let unused = |name: &String| (Path::new("in").join(name), found(None, ("inget steg tar filen", "no step takes the file")));
        findings.extend(lying.difference(&used).map(unused));
        if findings.is_empty() { Ok(()) } else { Err(Stop::Broken(findings)) }
    }
}

pub(super) fn found(place: Option<Place>, (sv, en): (&str, &str)) -> Finding {
    let finding = Code::FixCase.finding(Effect::Refuse, Layer::Form, Some((sv.to_owned(), en.to_owned())));
    Finding { place, ..finding }
}

fn parse(text: &str) -> Result<Case, Vec<DataFault>> {
    datafile::read(text, |root, r| case(root, text, r))
}

fn case(root: &Table, text: &str, r: &mut Reading) -> Option<Case> {
    let placed = |(at, name): (usize, String)| (Place::of(text.as_bytes(), at), name);
    r.keys(root, &["title", "rules", "clock", "mapping", "step"]);
    let title = r.table(root, "title").and_then(|title| {
        r.keys(&title, &["sv", "en"]);
        let (sv, en) = (r.text(&title, "sv", &[]), r.text(&title, "en", &[]));
        Some((sv?, en?))
    });
    let rules = r.parsed(root, "rules", |text| Some(text.to_owned()), ("ett regelverks namn", "the name of a set of rules"));
    let clock = r.parsed(root, "clock", instant, INSTANT);
    let mapping = mapping(root, r);
    let tables = if root.has("step") { r.tables(root, "step")? } else { Vec::new() };
    if tables.len() > STEPS_MAX {
        return r.fault(0, &format!("högst {STEPS_MAX} steg"), &format!("{STEPS_MAX} steps at most"));
    }
    let steps: Vec<Option<Step>> = tables.iter().map(|table| step(table, text, r)).collect();
    let (sv, en) = title?;
    Some(Case {
        sv,
        en,
        rules: placed(rules?),
        clock: clock?.1,
        mapping: mapping.map(placed),
        steps: steps.into_iter().collect::<Option<_>>()?,
    })
}

fn step(table: &Table, text: &str, r: &mut Reading) -> Option<Step> {
    let place = |at| Place::of(text.as_bytes(), at);
    r.keys(
        table,
        &[
            "at",
            "advance",
            "receiver",
            "called",
            "megabytes",
            "backup",
            "restore",
            "release",
            "resend",
            "resolve",
            "rules",
            "in",
            "mapping",
        ],
    );
    let at = optional(table, "at", r, |r| r.parsed(table, "at", instant, INSTANT));
    let advance = optional(table, "advance", r, |r| r.parsed(table, "advance", span, ("en tid som PT1H", "a time like PT1H")));
    let receiver = optional(table, "receiver", r, |r| r.parsed(table, "receiver", words, RECEIVER));
    let file = optional(table, "in", r, |r| r.parsed(table, "in", name, NAME));
    let mapping = mapping(table, r);
    let called = optional(table, "called", r, |r| r.parsed(table, "called", name, NAME));
    let megabytes = optional(table, "megabytes", r, |r| r.number(table, "megabytes", 1, MEGABYTES_MAX));
    let mut named = |key| optional(table, key, r, |r| r.text(table, key, &[]));
    let (release, resend, resolve, rules) = (named("release"), named("resend"), named("resolve"), named("rules"));
    let mut asked = |key| optional(table, key, r, |r| r.choice(table, key)) == Some(true);
    let (backup, restore) = (asked("backup"), asked("restore"));
    let wait = match (at, advance) {
        (Some((_, at)), None) => Some(Wait::Until(at)),
        (None, span) => span.map(|(_, span)| Wait::For(span)),
        (Some((at, _)), Some(_)) => return r.fault(at, "”at” och ”advance” i samma steg", "“at” and “advance” in one step"),
    };
    if file.is_none() && (called.is_some() || megabytes.is_some() || mapping.is_some()) {
        return r.fault(table.at, "”called”, ”megabytes” och ”mapping” hör till ”in”", "“called”, “megabytes” and “mapping” go with “in”");
    }
    Some(Step {
        place: place(table.at),
        wait,
        receiver: receiver.map(|(_, words)| words).unwrap_or_default(),
        backup,
        restore,
        release,
        resend,
        resolve,
        rules,
        file: file.map(|(at, name)| (place(at), name)),
        mapping: mapping.map(|(at, name)| (place(at), name)),
        called: called.map(|(_, name)| name),
        megabytes,
    })
}

fn mapping(table: &Table, r: &mut Reading) -> Option<(usize, String)> {
    let named = |text: &str| Some(text.to_owned());
    optional(table, "mapping", r, |r| r.parsed(table, "mapping", named, ("en mappning", "a mapping")))
}

/// A key that may be left out. Where it is there and wrong, the reading holds the fault, and nothing is made of it.
fn optional<'t, T>(table: &Table, key: &str, r: &mut Reading<'t>, read: impl FnOnce(&mut Reading<'t>) -> Option<T>) -> Option<T> {
    if table.has(key) { read(r) } else { None }
}

const INSTANT: (&str, &str) =
    ("en tidpunkt med zon som 2026-03-09T08:00:00+01:00", "an instant with its zone like 2026-03-09T08:00:00+01:00");
const RECEIVER: (&str, &str) = (
    "en lista av accepted, 503, drop_before, drop_after, rejected BV, later 60 min, certificate, our_certificate, looks_up",
    "a list of accepted, 503, drop_before, drop_after, rejected BV, later 60 min, certificate, our_certificate, looks_up",
);
const NAME: (&str, &str) = ("ett filnamn utan mapp", "the name of a file without a folder");

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().filter(|at| in_bounds(*at))
}

/// Whether the core can be asked about a moment.
pub(super) fn in_bounds(at: Timestamp) -> bool {
    YEARS.contains(&local_day(at).year())
}

fn span(text: &str) -> Option<SignedDuration> {
    text.parse().ok().filter(|span: &SignedDuration| !span.is_negative())
}

fn words(text: &str) -> Option<Vec<Word>> {
    let word = |word: &str| if word == "looks_up" { Some(Word::LooksUp) } else { Conduct::parse(word).map(Word::Next) };
    text.split(',').map(|text| word(text.trim())).collect()
}

/// A name that lies in its folder and nowhere else.
fn name(text: &str) -> Option<String> {
    let plain = text.len() <= NAME_MAX && !text.starts_with('.') && !text.contains(['/', '\0']);
    plain.then(|| text.to_owned())
}

/// Names in one of a story's folders, sorted; none where there is no such folder.
pub(super) fn list(dir: &Path) -> Result<Vec<String>, Stop> {
    let here = dir.file_name().map_or_else(PathBuf::new, PathBuf::from);
    let unreadable = |_| broken(&here, found(None, ("mappen kan inte läsas", "the folder cannot be read")));
    let entries = match fs::read_dir(dir) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let mut names = Vec::new();
    for entry in entries.take(FILES_MAX + 1) {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    if names.len() > FILES_MAX {
        let (sv, en) = (format!("högst {FILES_MAX} filer"), format!("{FILES_MAX} files at most"));
        return Err(broken(&here, found(None, (&sv, &en))));
    }
    names.sort_unstable();
    Ok(names)
}

/// A regular file, whole.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}
