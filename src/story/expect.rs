//! What a story came to, as the text of `expect.toml`.

use super::record::{Given, Record, deliveries, everything, local, month_of, owners};
use super::world::{Halt, World};
use crate::check::rules::RuleId;
use crate::episode::fold;
use crate::intake;
use crate::model::bodies::Specialty;
use crate::model::catalogue::EventType;
use crate::model::episode::{ClockKind, EpisodeState, Stay};
use crate::model::finding::Finding;
use crate::model::personal::Personal;
use crate::model::raw::Verdict;
use crate::model::time::{Clock, local_day};
use crate::ops::{self, Month, ReportKind};
use crate::store::{AttemptRow, DeliveryRow, StoreFault};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Everything that came of a story but the documents.
pub(super) struct Ending {
    /// Names the cases.
    pub(super) text: String,
    pub(super) rules: BTreeSet<String>,
}

/// Writes down how a story has ended. `mapped`: its files are read by a mapping, so that what they gave is told.
pub(super) fn ending(world: &World, record: &Record, mapped: bool) -> Result<Ending, Halt> {
    let mut rules = Shown(BTreeSet::new());
    record.codes.iter().for_each(|code| rules.code(code));
    let mut text = String::new();
    for given in &record.given {
        rules.0.extend((given.verdict == Verdict::Duplicate).then(|| "DUP-1".to_owned()));
        text.push_str(&event(given, mapped));
    }
    let mut rows = deliveries(world)?;
    rows.reverse();
    for row in &rows {
        text.push_str(&message(world, record, row, &mut rules)?);
    }
    for (system, case) in &record.cases {
        text.push_str(&episode(world, system, case, &mut rules)?);
    }
    text.push_str(&reports(world, record)?);
    let _ = write!(text, "\n[log]\nlines = '''\n{}'''\n", journal(world, &rows, &mut rules)?);
    Ok(Ending { text, rules: rules.0 })
}

/// The rules that a story shows, and the checklist items that it notes as open. An alarm's code alone is not enough, because it says that something is due and not that the rule
/// was broken. Three rules leave their own trace: DUP-1 is the verdict of a duplicate, PAY-1 the clock that it starts, IN-1 the
/// K-AD that an R-IN gives rise to.
struct Shown(BTreeSet<String>);

impl Shown {
    fn code(&mut self, code: &str) {
        if RuleId::parse(code).is_some() && !matches!(code, "DUP-1" | "PAY-1" | "IN-1") {
            self.0.insert(code.to_owned());
        }
    }
}

fn event(given: &Given, mapped: bool) -> String {
    let (said, findings) = match &given.verdict {
        Verdict::Accepted if mapped && given.types.is_empty() => ("skipped", Vec::new()),
        Verdict::Accepted => ("accepted", Vec::new()),
        Verdict::Duplicate => ("duplicate", Vec::new()),
        Verdict::Later => ("later", Vec::new()),
        Verdict::Rejected(findings) => ("rejected", findings.iter().map(placed).collect()),
    };
    let types: Vec<String> = given.types.iter().filter(|_| mapped).map(|kind| (*kind).to_owned()).collect();
    let from = from(&given.file, given.line);
    format!("\n[[event]]\n{from}verdict = \"{said}\"\n{}{}", list("types", &types), list("findings", &findings))
}

/// Where something came from: a file, and a line of it.
fn from(file: &str, line: Option<usize>) -> String {
    let line = line.map_or(String::new(), |line| format!("line = {line}\n"));
    format!("file = {}\n{line}", quoted(file))
}

fn message(world: &World, record: &Record, row: &DeliveryRow, rules: &mut Shown) -> Result<String, Halt> {
    let origin = record.origin(world, row)?;
    if row.kind == EventType::KAd.code() {
        let asks = world.store.event(row.event)?.is_some_and(|event| event.kind == EventType::RIn.code());
        rules.0.extend(asks.then(|| "IN-1".to_owned()));
    }
    let answers: Vec<String> = world.store.attempts(row.id)?.into_iter().map(attempt).collect();
    Ok(format!(
        "\n[[message]]\n{}type = \"{}\"\nversion = {}\ndestination = \"{}\"\nstate = \"{}\"\nattempts = {}\n{}{}",
        from(&origin.file, origin.line),
        row.kind,
        row.version,
        row.destination,
        row.state.code(),
        row.attempts,
        list("answers", &answers),
        list("course", record.course.get(&row.id).map_or(&[], Vec::as_slice)),
    ))
}

fn attempt(row: AttemptRow) -> String {
    let http = row.http_status.map_or(String::new(), |status| format!(" http-{status}"));
    let code = row.code.map_or(String::new(), |code| format!(" {code}"));
    format!("{} {}{http}{code}", local(row.started_at), row.answer)
}

/// What follows for an episode, folded from what the store keeps, at the end of the story.
#[expect(clippy::disallowed_methods, reason = "an expectation names its cases")]
fn episode(world: &World, system: &Personal<String>, case: &Personal<String>, rules: &mut Shown) -> Result<String, Halt> {
    let damaged = || StoreFault::Damaged { table: "episode" };
    let now = world.clock.now();
    let id = world.store.reference_key().episode(system, case);
    let row = world.store.episode(id)?.ok_or_else(damaged)?;
    let (facts, alarms) = intake::facts(&world.store, id, &row, local_day(now))?;
    let set = world.intake.desk.sets.get(&row.rules).ok_or_else(damaged)?;
    let state = fold(&facts, &set.regime, now);
    let stays: Vec<String> = state.stays().map(stay).collect();
    let alarms: Vec<String> = alarms
        .values()
        .map(|alarm| format!("{} {} since {}", alarm.kind.code(), if alarm.overdue { "overdue" } else { "near" }, local(alarm.opened_at)))
        .collect();
    Ok(format!(
        "\n[[episode]]\ncase = {}\nrules = \"{}\"\nphase = \"{}\"\nsip = \"{}\"\n{}{}{}{}",
        quoted(case.disclose()),
        row.rules,
        state.phase.code(),
        state.sip.phase.code(),
        list("stays", &stays),
        list("deviations", &deviations(&state, rules)),
        list("clocks", &clocks(&state, now, rules)),
        list("alarms", &alarms),
    ))
}

fn deviations(state: &EpisodeState, rules: &mut Shown) -> Vec<String> {
    let mut out = Vec::new();
    for deviation in state.deviations() {
        rules.code(deviation.rule);
        rules.0.extend(deviation.item.as_ref().map(|item| item.as_str().to_owned()));
        let item = deviation.item.as_ref().map_or("", |item| item.as_str());
        out.push(format!("{} {item} {}", deviation.rule, owners(&deviation.owners)));
    }
    out
}

fn clocks(state: &EpisodeState, now: Timestamp, rules: &mut Shown) -> Vec<String> {
    let mut out = Vec::new();
    for due in state.clocks() {
        rules.0.extend((due.kind == ClockKind::Payment).then(|| "PAY-1".to_owned()));
        out.push(format!("{} {} due {} {}", due.kind.code(), due.owner.code(), local(due.due_at), due.status(now).code()));
    }
    out
}

fn stay(stay: &Stay) -> String {
    let after = stay.readmitted_after.map_or(String::new(), |at| format!(", readmitted after {}", local(at)));
    let psychiatry = if stay.specialty == Some(Specialty::Psykiatri) { ", psykiatri" } else { "" };
    format!("{} checklist {} payment {}{after}{psychiatry}", stay.phase.code(), stay.checklist.code(), payment(stay))
}

fn payment(stay: &Stay) -> String {
    let payment = &stay.payment;
    let blocks: Vec<&str> = payment.blocks.iter().map(|block| block.code()).collect();
    let starts = payment.starts_on.map_or(String::new(), |day| format!(" from {day}"));
    let days = payment.ready_days.map_or(String::new(), |days| format!(", {days} days ready, {} charged", payment.charged_days));
    format!("{}{starts}{days} {}", payment.phase.code(), blocks.join(" ")).trim_end().to_owned()
}

/// The rows of every report that the story puts something into, as `vardbro report --format csv` gives them.
fn reports(world: &World, record: &Record) -> Result<String, Halt> {
    let (now, sets) = (world.clock.now(), &world.intake.desk.sets);
    let months: BTreeSet<String> = record.months.iter().cloned().chain([month_of(now)]).collect();
    let mut out = String::new();
    for month in months.iter().filter_map(|month| Month::parse(month)) {
        for kind in ReportKind::VALUES.iter().filter_map(|value| ReportKind::parse(value.code)) {
            let seen = ops::see_all(&world.store, sets, now)?;
            let csv = ops::report(kind, seen, month, now)?.csv();
            let rows: Vec<String> = csv.lines().skip(1).map(str::to_owned).collect();
            if !rows.is_empty() {
                let _ = write!(out, "\n[[report]]\nname = \"{}\"\nmonth = \"{month}\"\n{}", kind.code(), list("rows", &rows));
            }
        }
    }
    Ok(out)
}

/// The journal, one short line for each of its lines.
fn journal(world: &World, rows: &[DeliveryRow], rules: &mut Shown) -> Result<String, Halt> {
    let damaged = || StoreFault::Damaged { table: "journal" };
    let types: BTreeMap<&str, String> = rows.iter().map(|row| (row.message.as_str(), format!("{} v{}", row.kind, row.version))).collect();
    let mut out = String::new();
    for row in world.store.journal(&everything())? {
        let line: Value = serde_json::from_str(&row.line).map_err(|_| damaged())?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let at: Timestamp = text("ts").and_then(|at| at.parse().ok()).ok_or_else(damaged)?;
        let (event, code) = (text("event"), text("code"));
        if let Some(code) = code.as_ref().filter(|_| event.as_ref().is_none_or(|event| !event.starts_with("deadline."))) {
            rules.code(code);
        }
        let message = text("message_id").map(|id| types.get(id.as_str()).cloned().ok_or_else(damaged)).transpose()?;
        let words = [Some(local(at)), text("level"), event, message, text("state"), code, text("reason")];
        out.push_str(&words.into_iter().flatten().collect::<Vec<_>>().join(" "));
        out.push('\n');
    }
    Ok(out)
}

/// A finding in one word and its place in the source: `VB-MAP-004 patient.id 3:14`.
pub fn placed(finding: &Finding) -> String {
    let path = finding.path.as_deref().map_or(String::new(), |path| format!(" {path}"));
    let place = finding.place.map_or(String::new(), |place| format!(" {}:{}", place.line, place.column));
    format!("{}{path}{place}", finding.code)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A list of texts as TOML, one a line; nothing where it is empty.
pub fn list(name: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let lines = items.iter().fold(String::new(), |mut out, item| {
        let _ = writeln!(out, "  {},", quoted(item));
        out
    });
    format!("{name} = [\n{lines}]\n")
}
