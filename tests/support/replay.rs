//! Walks one fixture through the real core and compares what came of it with what the fixture says.
//!
//! `UPDATE=1` writes `out/` and `expect.toml` anew, for review.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use super::folder;
use super::world::{Conduct, Scripted, World};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use vardbro::episode;
use vardbro::intake::{Action, Outcome};
use vardbro::model::bodies::{Party, Specialty};
use vardbro::model::episode::Stay;
use vardbro::model::finding::Finding;
use vardbro::model::keyed::Domain;
use vardbro::model::personal::Personal;
use vardbro::model::raw::Verdict;
use vardbro::model::state::{Handling, State};
use vardbro::model::time::{Clock, local_day, stockholm};
use vardbro::ops::{self, Month, ReportKind, ResendPlan, ResolvePlan};
use vardbro::store::{DeliveryRow, Filter};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: Title,
    rules: String,
    clock: Timestamp,
    step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Title {
    pub(crate) sv: String,
    pub(crate) en: String,
}

/// One of: a file handed in, words to the receiver, time that passes, or an operator's doing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at: Option<Timestamp>,
    #[serde(rename = "in")]
    file: Option<String>,
    receiver: Option<String>,
    advance: Option<SignedDuration>,
    /// The file whose held message an operator lets go.
    release: Option<String>,
    /// The file whose parked or rejected message an operator sends again.
    resend: Option<String>,
    /// The file whose message an operator closes by hand, as told by telephone; `*` for all that can be closed.
    resolve: Option<String>,
    /// The set of rules that every episode is moved to.
    rules: Option<String>,
    /// A backup is made.
    #[serde(default)]
    backup: bool,
    /// The backup is put back, and the program begins anew over it.
    #[serde(default)]
    restore: bool,
    /// The file is laid into a real folder, under this name.
    called: Option<String>,
    /// The same, blown up with blanks to so many megabytes.
    megabytes: Option<usize>,
}

/// What is written down while a case runs.
#[derive(Default)]
pub(crate) struct Record {
    /// File, verdict and findings, in order.
    pub(crate) events: Vec<(String, Verdict)>,
    /// Files of an event's accepted versions, by its reference.
    files: BTreeMap<String, Vec<String>>,
    cases: BTreeSet<(String, String)>,
    persons: BTreeSet<String>,
    /// Each delivery's states and findings, as they came.
    pub(crate) course: BTreeMap<i64, Vec<String>>,
    last: BTreeMap<i64, String>,
    /// Months in which something came.
    months: BTreeSet<String>,
}

impl Record {
    /// Notes what has changed since the last look.
    pub(crate) fn look(&mut self, world: &World) {
        let filter = Filter { limit: 100_000, ..Filter::default() };
        for row in world.store.deliveries(&filter).expect("a working store") {
            let told = std::iter::once(row.state.code().to_owned()).chain(row.findings.iter().map(told)).collect::<Vec<_>>().join("; ");
            if self.last.insert(row.id, told.clone()).as_ref() != Some(&told) {
                self.course.entry(row.id).or_default().push(format!("{} {told}", local(world.clock.now())));
            }
        }
    }

    pub(crate) fn hand_in(&mut self, world: &mut World, name: &str, bytes: Vec<u8>) {
        let event = serde_json::from_slice(&bytes).ok();
        let verdict = world.hand_in(name, bytes);
        self.taken(world, name, event, verdict);
    }

    fn taken(&mut self, world: &World, name: &str, event: Option<Value>, verdict: Verdict) {
        self.months.insert(month_of(world.clock.now()));
        if let Some(event) = event {
            self.note(world, name, &event, &verdict);
        }
        self.events.push((name.to_owned(), verdict));
        self.look(world);
    }

    fn note(&mut self, world: &World, name: &str, event: &Value, verdict: &Verdict) {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        self.persons.extend(text("/patient/id"));
        let (Some(system), Some(id), Verdict::Accepted) = (text("/system"), text("/eventId"), verdict) else { return };
        let key = world.store.reference_key().reference(Domain::Event, &[&Personal::new(system.clone()), &Personal::new(id)]);
        self.files.entry(key.to_string()).or_default().push(name.to_owned());
        self.cases.extend(text("/episodeRef/caseId").map(|case| (system, case)));
    }

    /// The file that a delivery is about.
    pub(crate) fn file(&self, world: &World, row: &DeliveryRow) -> String {
        let event = world.store.event(row.event).expect("a working store").expect("the event of a delivery");
        let version = usize::try_from(event.version).expect("a small number");
        self.files[&event.key][version - 1].clone()
    }
}

/// Runs one case. An error is a text for a person.
pub(crate) fn check(dir: &Path) -> Result<(), String> {
    check_in(dir, World::new)
}

/// Runs one case in a world of the caller's making.
pub(crate) fn check_in(dir: &Path, world: impl FnOnce(&str, Timestamp) -> World) -> Result<(), String> {
    let case = read_case(dir)?;
    let (world, record) = play(dir, &case, world(&case.rules, case.clock))?;
    let mut actual: BTreeMap<String, String> = BTreeMap::new();
    for (place, kept) in world.receiver.kept().into_iter().enumerate() {
        let document = String::from_utf8(kept.document).expect("UTF-8");
        actual.insert(format!("out/{:02}-{}.xml", place + 1, kept.kind), document);
    }
    actual.insert("expect.toml".to_owned(), expectation(&world, &record));
    for person in &record.persons {
        assert!(!actual["expect.toml"].contains(person), "{}: a patient's number in findings or log", dir.display());
    }
    if std::env::var_os("UPDATE").is_some() { update(dir, &actual) } else { compare(dir, &actual) }
}

/// What the folder itself sees to: names and sizes.
fn lay_in(world: &mut World, record: &mut Record, step: &Step, file: &str, mut bytes: Vec<u8>) {
    let event = serde_json::from_slice(&bytes).ok();
    if let Some(megabytes) = step.megabytes {
        bytes.resize(megabytes * 1024 * 1024, b' ');
    }
    let verdict = folder::lay(world, step.called.as_deref().unwrap_or(file), &bytes);
    record.taken(world, file, event, verdict);
}

/// Runs the steps, and then on until nothing is left to do.
fn play(dir: &Path, case: &Case, mut world: World) -> Result<(World, Record), String> {
    let mut record = Record::default();
    for step in &case.step {
        if let Some(until) = step.at.or_else(|| step.advance.map(|span| world.clock.now() + span)) {
            world.pass(until, &mut |world| record.look(world));
        }
        if let Some(words) = &step.receiver {
            for word in words.split(',') {
                match word.trim() {
                    "looks_up" => world.receiver.look_up(),
                    conduct => world.receiver.script(Scripted { conduct: Conduct::parse(conduct), times: 1, matching: None }),
                }
            }
        }
        if step.backup {
            world.back_up();
        }
        if step.restore {
            world = world.restore();
            world.settle(&mut |world| record.look(world));
        }
        if step.release.is_some() || step.rules.is_some() || step.resend.is_some() || step.resolve.is_some() {
            operate(&mut world, &record, step)?;
            record.look(&world);
            world.settle(&mut |world| record.look(world));
        }
        if let Some(file) = &step.file {
            let bytes = fs::read(dir.join("in").join(file)).map_err(|fault| format!("in/{file}: {fault}"))?;
            if step.called.is_some() || step.megabytes.is_some() {
                lay_in(&mut world, &mut record, step, file, bytes);
            } else {
                record.hand_in(&mut world, file, bytes);
            }
            world.settle(&mut |world| record.look(world));
        }
    }
    world.rest(&mut |world| record.look(world));
    Ok((world, record))
}

/// What operators ask for while a case runs.
fn operate(world: &mut World, record: &Record, step: &Step) -> Result<(), String> {
    let mut actions = Vec::new();
    let rows = world.store.deliveries(&Filter { limit: 100_000, ..Filter::default() }).expect("a working store");
    if let Some(file) = &step.release {
        let held = rows.iter().filter(|row| row.state == State::Held && record.file(world, row) == *file);
        let release = |row: &DeliveryRow| Action::Release {
            message: row.message.clone(),
            destination: row.destination.clone(),
            reason: "fixture".to_owned(),
        };
        actions.extend(held.map(release));
        if actions.is_empty() {
            return Err(format!("release: nothing of {file} is held"));
        }
    }
    if let Some(file) = &step.resend {
        let parked = rows.iter().filter(|row| matches!(row.state, State::Parked | State::Rejected) && record.file(world, row) == *file);
        let rows: Vec<DeliveryRow> = parked.cloned().collect();
        let plan = ResendPlan::of(&world.store, &world.intake.desk, (rows, 0), 100, false, world.clock.now()).expect("a working store");
        actions.extend(plan.actions());
        if actions.is_empty() {
            return Err(format!("resend: {file}\n{}", plan.text(world.clock.now(), false)));
        }
    }
    if let Some(file) = &step.resolve {
        let mut meant: Vec<DeliveryRow> = rows.iter().filter(|row| file == "*" || record.file(world, row) == *file).cloned().collect();
        meant.reverse();
        let plan = ResolvePlan::of(meant, Handling::Phone, true);
        actions.extend(plan.actions());
        if actions.is_empty() {
            return Err(format!("resolve: {file}\n{}", plan.text(false)));
        }
    }
    if let Some(to) = &step.rules {
        for (id, row) in world.store.episodes(None, 1_000).expect("a working store") {
            actions.push(Action::Move { episode: id.to_string(), from: row.rules, to: to.clone() });
        }
    }
    for action in actions {
        let action = serde_json::to_string(&action).expect("JSON");
        let id = world.store.ask(world.clock.now(), "fixture", &action).expect("a working store");
        world.intake.serve().expect("a working store");
        let done = world.store.request(id).expect("a working store").and_then(|row| row.outcome).unwrap_or_default();
        let outcome: Outcome = serde_json::from_str(&done).map_err(|_| "a request was not met".to_owned())?;
        if !outcome.done {
            return Err(format!("refused: {:?}", outcome.findings));
        }
    }
    Ok(())
}

/// Tells a case's story: what came, what the log says, what each episode came to.
pub(crate) fn tell(dir: &Path) -> Result<String, String> {
    let case = read_case(dir)?;
    let (world, record) = play(dir, &case, World::new(&case.rules, case.clock))?;
    let mut out = format!("{} · {}\n\n", case.title.sv, case.title.en);
    for row in world.store.journal(&Filter { limit: 100_000, ..Filter::default() }).expect("a working store") {
        let _ = writeln!(out, "{}", vardbro::ops::line_text(&row.line, true));
    }
    out.push_str(&expectation(&world, &record));
    Ok(out)
}

fn read_case(dir: &Path) -> Result<Case, String> {
    let text = fs::read_to_string(dir.join("case.toml")).map_err(|fault| format!("case.toml: {fault}"))?;
    let case: Case = toml::from_str(&text).map_err(|fault| format!("case.toml: {fault}"))?;
    if case.title.sv.is_empty() || case.title.en.is_empty() {
        return Err("case.toml: a title is empty".to_owned());
    }
    let mut used: Vec<&str> = case.step.iter().filter_map(|step| step.file.as_deref()).collect();
    used.sort_unstable();
    let lying = names(&dir.join("in"));
    if used != lying {
        return Err(format!("the steps take {used:?}, in/ holds {lying:?}"));
    }
    Ok(case)
}

/// Everything that came of a case but the documents.
fn expectation(world: &World, record: &Record) -> String {
    let mut out = "# Written by UPDATE=1; see fixtures/README.md. Read every change before you keep it.\n".to_owned();
    for (file, verdict) in &record.events {
        let (said, findings) = match verdict {
            Verdict::Accepted => ("accepted", Vec::new()),
            Verdict::Duplicate => ("duplicate", Vec::new()),
            Verdict::Later => ("later", Vec::new()),
            Verdict::Rejected(findings) => ("rejected", findings.iter().map(placed).collect()),
        };
        let _ = write!(out, "\n[[event]]\nfile = \"{file}\"\nverdict = \"{said}\"\n{}", list("findings", &findings));
    }
    let mut rows = world.store.deliveries(&Filter { limit: 100_000, ..Filter::default() }).expect("a working store");
    rows.reverse();
    for row in &rows {
        let answers: Vec<String> = world.store.attempts(row.id).expect("a working store").into_iter().map(attempt).collect();
        let _ = write!(
            out,
            "\n[[message]]\nfile = \"{}\"\ntype = \"{}\"\nversion = {}\ndestination = \"{}\"\nstate = \"{}\"\nattempts = {}\n{}{}",
            record.file(world, row),
            row.kind,
            row.version,
            row.destination,
            row.state.code(),
            row.attempts,
            list("answers", &answers),
            list("course", &record.course[&row.id]),
        );
    }
    for (system, case) in &record.cases {
        out.push_str(&episode(world, system, case));
    }
    out.push_str(&reports(world, record));
    let _ = write!(out, "\n[log]\nlines = '''\n{}'''\n", journal(world, &rows));
    out
}

fn attempt(row: vardbro::store::AttemptRow) -> String {
    let http = row.http_status.map_or(String::new(), |status| format!(" http-{status}"));
    let code = row.code.map_or(String::new(), |code| format!(" {code}"));
    format!("{} {}{http}{code}", local(row.started_at), row.answer)
}

/// What follows for an episode, folded from what the store keeps, at the end of the story.
fn episode(world: &World, system: &str, case: &str) -> String {
    let now = world.clock.now();
    let id = world.store.reference_key().episode(&Personal::new(system.to_owned()), &Personal::new(case.to_owned()));
    let row = world.store.episode(id).expect("a working store").expect("the episode");
    let (facts, alarms) = vardbro::intake::facts(&world.store, id, &row, local_day(now)).expect("facts");
    let state = episode::fold(&facts, &world.intake.desk.sets[&row.rules].regime, now);
    let deviations: Vec<String> = state
        .deviations()
        .map(|deviation| {
            let item = deviation.item.as_ref().map_or("", |item| item.as_str());
            format!("{} {item} {}", deviation.rule, owners(&deviation.owners))
        })
        .collect();
    let payment = |stay: &Stay| {
        let payment = &stay.payment;
        let blocks: Vec<&str> = payment.blocks.iter().map(|block| block.code()).collect();
        let starts = payment.starts_on.map_or(String::new(), |day| format!(" from {day}"));
        let days = payment.ready_days.map_or(String::new(), |days| format!(", {days} days ready, {} charged", payment.charged_days));
        format!("{}{starts}{days} {}", payment.phase.code(), blocks.join(" ")).trim_end().to_owned()
    };
    let told = |stay: &Stay| {
        let after = stay.readmitted_after.map_or(String::new(), |at| format!(", readmitted after {}", local(at)));
        let psychiatry = if stay.specialty == Some(Specialty::Psykiatri) { ", psykiatri" } else { "" };
        format!("{} checklist {} payment {}{after}{psychiatry}", stay.phase.code(), stay.checklist.code(), payment(stay))
    };
    let stays: Vec<String> = state.stays().map(told).collect();
    let clocks: Vec<String> = state
        .clocks()
        .map(|due| format!("{} {} due {} {}", due.kind.code(), due.owner.code(), local(due.due_at), due.status(now).code()))
        .collect();
    let alarms: Vec<String> = alarms
        .values()
        .map(|alarm| format!("{} {} since {}", alarm.kind.code(), if alarm.overdue { "overdue" } else { "near" }, local(alarm.opened_at)))
        .collect();
    format!(
        "\n[[episode]]\ncase = \"{case}\"\nrules = \"{}\"\nphase = \"{}\"\nsip = \"{}\"\n{}{}{}{}",
        row.rules,
        state.phase.code(),
        state.sip.phase.code(),
        list("stays", &stays),
        list("deviations", &deviations),
        list("clocks", &clocks),
        list("alarms", &alarms),
    )
}

/// The rows of every report that the story puts something into, as `vardbro report --format csv` gives them.
fn reports(world: &World, record: &Record) -> String {
    let (now, sets) = (world.clock.now(), &world.intake.desk.sets);
    let months: BTreeSet<String> = record.months.iter().cloned().chain([month_of(now)]).collect();
    let mut out = String::new();
    for month in months.iter().filter_map(|month| Month::parse(month)) {
        for kind in ReportKind::VALUES.iter().filter_map(|value| ReportKind::parse(value.code)) {
            let seen = ops::see_all(&world.store, sets, now).expect("a working store");
            let csv = ops::report(kind, seen, month, now).expect("a working store").csv();
            let rows: Vec<String> = csv.lines().skip(1).map(str::to_owned).collect();
            if !rows.is_empty() {
                let _ = write!(out, "\n[[report]]\nname = \"{}\"\nmonth = \"{month}\"\n{}", kind.code(), list("rows", &rows));
            }
        }
    }
    out
}

fn month_of(at: Timestamp) -> String {
    at.to_zoned(stockholm()).strftime("%Y-%m").to_string()
}

/// The journal, one short line for each of its lines.
fn journal(world: &World, rows: &[DeliveryRow]) -> String {
    let types: BTreeMap<&str, String> = rows.iter().map(|row| (row.message.as_str(), format!("{} v{}", row.kind, row.version))).collect();
    let mut out = String::new();
    for row in world.store.journal(&Filter { limit: 100_000, ..Filter::default() }).expect("a working store") {
        let line: Value = serde_json::from_str(&row.line).expect("JSON");
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let at: Timestamp = text("ts").expect("a time").parse().expect("a time");
        let message = text("message_id").map(|id| types[id.as_str()].clone());
        let words = [Some(local(at)), text("level"), text("event"), message, text("state"), text("code"), text("reason")];
        out.push_str(&words.into_iter().flatten().collect::<Vec<_>>().join(" "));
        out.push('\n');
    }
    out
}

/// A finding in one line: code, owners, words.
fn told(finding: &Finding) -> String {
    format!("{} {} {}", finding.code, owners(&finding.owner), finding.sv)
}

/// A finding with its place in the source.
pub(crate) fn placed(finding: &Finding) -> String {
    let path = finding.path.as_deref().map_or(String::new(), |path| format!(" {path}"));
    let place = finding.place.map_or(String::new(), |place| format!(" {}:{}", place.line, place.column));
    format!("{}{path}{place}", finding.code)
}

fn owners(owners: &[Party]) -> String {
    format!("[{}]", owners.iter().map(|owner| owner.code()).collect::<Vec<_>>().join(", "))
}

/// Local time, without what is nought.
fn local(at: Timestamp) -> String {
    let zoned = at.to_zoned(stockholm());
    let text = zoned.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string();
    text.strip_suffix(".000").unwrap_or(&text).to_owned()
}

/// A list of texts as TOML, one a line; nothing where it is empty.
pub(crate) fn list(name: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let lines = items.iter().fold(String::new(), |mut out, item| {
        let _ = writeln!(out, "  {},", toml::Value::String(item.clone()));
        out
    });
    format!("{name} = [\n{lines}]\n")
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

fn update(dir: &Path, actual: &BTreeMap<String, String>) -> Result<(), String> {
    let told = |fault: std::io::Error| fault.to_string();
    for name in names(&dir.join("out")) {
        fs::remove_file(dir.join("out").join(name)).map_err(told)?;
    }
    if actual.len() > 1 {
        fs::create_dir_all(dir.join("out")).map_err(told)?;
    }
    actual.iter().try_for_each(|(name, text)| fs::write(dir.join(name), text)).map_err(told)
}

fn compare(dir: &Path, actual: &BTreeMap<String, String>) -> Result<(), String> {
    let mut differences = String::new();
    for name in names(&dir.join("out")) {
        if !actual.contains_key(&format!("out/{name}")) {
            let _ = writeln!(differences, "out/{name}: expected, but the receiver never got it");
        }
    }
    for (name, text) in actual {
        match fs::read_to_string(dir.join(name)) {
            Ok(expected) if expected == *text => {}
            Ok(expected) => {
                let _ = writeln!(differences, "{name}:\n{}", difference(&expected, text));
            }
            Err(_) => {
                let _ = writeln!(differences, "{name}: not expected:\n{text}");
            }
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

/// The lines that differ, `-` expected and `+` got; an XML document is cut at its tags.
pub(crate) fn difference(expected: &str, got: &str) -> String {
    let cut = |text: &str| -> Vec<String> { text.replace("><", ">\n<").lines().map(str::to_owned).collect() };
    let (old, new) = (cut(expected), cut(got));
    // Longest common subsequence, from the end.
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] = if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, String::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            let _ = writeln!(out, "  - {}", old[i]);
            i += 1;
        } else {
            let _ = writeln!(out, "  + {}", new[j]);
            j += 1;
        }
    }
    out
}
