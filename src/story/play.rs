//! Walks a story's steps through its world.

use super::case::{CASE, Case, Step, Wait, Word, found, in_bounds, read_bounded};
use super::receiver::Scripted;
use super::record::{Record, deliveries};
use super::world::{Ground, Halt, World, settings};
use super::{Options, Stop, broken, folder};
use crate::config::MappingChoice;
use crate::daemon;
use crate::fault::Fault;
use crate::intake::{Action, Outcome};
use crate::map::Mapping;
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::state::{Handling, State};
use crate::model::time::Clock;
use crate::ops::{ResendPlan, ResolvePlan};
use crate::store::DeliveryRow;
use std::collections::BTreeMap;
use std::path::Path;

/// Most records of a story, but for those of its last file.
const RECORDS_MAX: usize = 5_000;
/// Most messages that one step of an operator's is about.
const ACTIONS_MAX: usize = 1_000;
/// Who asks in a story, and why.
const OPERATOR: &str = "fixture";

/// A story that has been played to its end.
pub(super) struct Done {
    pub(super) world: World,
    pub(super) record: Record,
}

/// Runs the steps, and then on until nothing is left to do.
pub(super) fn play(dir: &Path, case: &Case, options: &Options, ground: Ground) -> Result<Done, Stop> {
    let mappings = mappings(dir, case)?;
    let mut world = world(dir, case, options, ground)?;
    let mut record = Record::default();
    let canonical = Mapping::canonical();
    for step in &case.steps {
        let at = |halt| Stop::at(halt, Some(step.place));
        world = before(world, &mut record, step).map_err(at)?;
        if let Some((place, file)) = &step.file {
            let bytes = read_bounded(&dir.join("in").join(file));
            let unreadable = |_| broken(CASE, found(Some(*place), ("filen i in/ kan inte läsas", "the file in in/ cannot be read")));
            let mapping = name(case, step).and_then(|(_, name)| mappings.get(name)).unwrap_or(&canonical);
            hand_in(&mut world, &mut record, step, file, bytes.map_err(unreadable)?, mapping).map_err(at)?;
            world.settle(&mut |world| record.look(world)).map_err(at)?;
        }
    }
    world.rest(&mut |world| record.look(world))?;
    Ok(Done { world, record })
}

fn world(dir: &Path, case: &Case, options: &Options, ground: Ground) -> Result<World, Stop> {
    let above = dir.canonicalize().ok().and_then(|dir| Some(dir.parent()?.join("vardbro.toml"))).filter(|file| file.is_file());
    let config = options.config.as_deref().or(above.as_deref());
    let (place, rules) = &case.rules;
    let settings = settings(config, rules)?;
    if !daemon::rule_sets(&settings).map_err(super::world::first)?.contains_key(rules) {
        return Err(broken(CASE, found(Some(*place), ("regelverket finns inte", "there is no such set of rules"))));
    }
    Ok(World::new(settings, case.clock, ground)?)
}

/// The mapping that a step's file is read by, and where it is named; none: canonical.
fn name<'c>(case: &'c Case, step: &'c Step) -> Option<&'c (Place, String)> {
    step.mapping.as_ref().or(case.mapping.as_ref())
}

/// Every mapping that a file of the story is read by: shipped ones, and files of the folder's.
fn mappings(dir: &Path, case: &Case) -> Result<BTreeMap<String, Mapping>, Stop> {
    let mut out = BTreeMap::new();
    for (place, name) in case.steps.iter().filter_map(|step| name(case, step)) {
        if name == "canonical" || out.contains_key(name) {
            continue;
        }
        let file = name.contains('.');
        let choice = if file { MappingChoice::File(dir.join(name)) } else { MappingChoice::Shipped(name.clone()) };
        let mapping = daemon::load_mapping(&choice).map_err(|faults| {
            let finding = |fault: Fault| {
                let detail = fault.detail.map(|detail| (detail.clone(), detail));
                let finding = fault.code.finding(Effect::Refuse, Layer::Form, detail);
                (CASE.into(), Finding { place: Some(*place), ..finding })
            };
            Stop::Broken(faults.into_iter().map(finding).collect())
        })?;
        out.insert(name.clone(), mapping);
    }
    Ok(out)
}

/// Everything of a step but its file.
fn before(mut world: World, record: &mut Record, step: &Step) -> Result<World, Halt> {
    if let Some(wait) = step.wait {
        let until = match wait {
            Wait::Until(at) => Some(at),
            Wait::For(span) => world.clock.now().checked_add(span).ok().filter(|at| in_bounds(*at)),
        };
        let too_far = || Halt::stuck("så lång tid går ingen berättelse", "no story lasts that long");
        world.pass(until.ok_or_else(too_far)?, &mut |world| record.look(world))?;
    }
    for word in &step.receiver {
        match word {
            Word::LooksUp => world.receiver.look_up(),
            Word::Next(conduct) => world.receiver.script(Scripted::from(conduct.clone())),
        }
    }
    if step.backup {
        world.back_up()?;
    }
    if step.restore {
        world = world.restore()?;
        world.settle(&mut |world| record.look(world))?;
    }
    if step.release.is_some() || step.rules.is_some() || step.resend.is_some() || step.resolve.is_some() {
        for action in asked(&world, record, step)? {
            serve(&mut world, &action)?;
        }
        record.look(&world)?;
        world.settle(&mut |world| record.look(world))?;
    }
    Ok(world)
}

fn hand_in(world: &mut World, record: &mut Record, step: &Step, file: &str, mut bytes: Vec<u8>, mapping: &Mapping) -> Result<(), Halt> {
    if record.given.len() > RECORDS_MAX {
        return Err(Halt::stuck("för många poster", "too many records"));
    }
    if step.called.is_none() && step.megabytes.is_none() {
        return record.hand_in(world, file, bytes, mapping);
    }
    record.beware(&bytes);
    if let Some(megabytes) = step.megabytes {
        bytes.resize(usize::try_from(megabytes).unwrap_or(0) * 1024 * 1024, b' ');
    }
    let taken = folder::lay(world, step.called.as_deref().unwrap_or(file), &bytes, mapping)?;
    record.taken(world, file, taken)
}

/// What operators ask for in a step.
fn asked(world: &World, record: &Record, step: &Step) -> Result<Vec<Action>, Halt> {
    let mut actions = Vec::new();
    let rows = deliveries(world)?;
    // An error of one row is kept for all: none is left out in silence.
    let of = |file: &str, fits: &dyn Fn(&DeliveryRow) -> bool| -> Result<Vec<DeliveryRow>, Halt> {
        let mut of = Vec::new();
        for row in &rows {
            if fits(row) && (file == "*" || record.origin(world, row)?.file == file) {
                of.push(row.clone());
            }
        }
        Ok(of)
    };
    if let Some(file) = &step.release {
        let held = of(file, &|row| row.state == State::Held)?;
        let release =
            |row: DeliveryRow| Action::Release { message: row.message, destination: row.destination, reason: OPERATOR.to_owned() };
        some(&mut actions, held.into_iter().map(release), ("inget av filens meddelanden hålls", "none of the file's messages is held"))?;
    }
    if let Some(file) = &step.resend {
        let parked = of(file, &|row| matches!(row.state, State::Parked | State::Rejected))?;
        let plan = ResendPlan::of(&world.store, &world.intake.desk, (parked, 0), ACTIONS_MAX, false, world.clock.now())?;
        let none = ("inget av filens meddelanden kan sändas om", "none of the file's messages can be sent again");
        some(&mut actions, plan.actions().into_iter(), none)?;
    }
    if let Some(file) = &step.resolve {
        let mut meant = of(file, &|_| true)?;
        meant.reverse();
        let plan = ResolvePlan::of(meant, Handling::Phone, true);
        let none = ("inget av filens meddelanden kan avslutas", "none of the file's messages can be closed");
        some(&mut actions, plan.actions().into_iter(), none)?;
    }
    if let Some(to) = &step.rules {
        let moves = world.store.episodes(None, ACTIONS_MAX)?.into_iter();
        let moves = moves.map(|(id, row)| Action::Move { episode: id.to_string(), from: row.rules, to: to.clone() });
        some(&mut actions, moves, ("det finns inget ärende att flytta", "there is no case to move"))?;
    }
    Ok(actions)
}

fn some(actions: &mut Vec<Action>, more: impl Iterator<Item = Action>, (sv, en): (&str, &str)) -> Result<(), Halt> {
    let before = actions.len();
    actions.extend(more);
    if actions.len() == before { Err(Halt::stuck(sv, en)) } else { Ok(()) }
}

/// Asks, and has it done.
fn serve(world: &mut World, action: &Action) -> Result<(), Halt> {
    let refused = |codes: &str| Halt::Stuck(format!("det avslogs {codes}"), format!("it was refused {codes}"));
    let action = serde_json::to_string(action).map_err(|_| refused(""))?;
    let id = world.store.ask(world.clock.now(), OPERATOR, &action)?;
    world.intake.serve()?;
    let done = world.store.request(id)?.and_then(|row| row.outcome).unwrap_or_default();
    let outcome: Outcome = serde_json::from_str(&done).map_err(|_| refused(""))?;
    let codes: Vec<&str> = outcome.findings.iter().map(|finding| finding.code.as_str()).collect();
    if outcome.done { Ok(()) } else { Err(refused(&format!("({})", codes.join(", ")))) }
}
