//! The rules: what they say of a message, and the proof that it passed them.
//!
//! Pure. The same code judges in the daemon and in `vardbro check`.

pub mod rules;

use crate::model::bodies::{CanReceive, Party};
use crate::model::catalogue::{Body, EventType, Needs, Origin};
use crate::model::checklist::{Item, Stage};
use crate::model::episode::EpisodeState;
use crate::model::event::{CareEvent, Protection};
use crate::model::finding::{Effect, Finding};
use crate::model::message::Message;
use crate::model::regime::ClBlock;
use rules::{Predicate, Rule, Rules};

/// A message that the rules let leave. Only [`run`] makes one: what has not passed cannot be written.
///
/// ```
/// fn look(passed: &vardbro::check::Passed) -> &vardbro::model::message::Message { passed.message() }
/// ```
/// ```compile_fail,E0451
/// fn forge(message: vardbro::model::message::Message) -> vardbro::check::Passed {
///     vardbro::check::Passed { message, rules: String::new(), rules_hash: String::new() }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Passed {
    message: Message,
    rules: String,
    rules_hash: String,
}

impl Passed {
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Name and version of the rules, `vanersborg/2026.1`.
    pub fn rules(&self) -> &str {
        &self.rules
    }

    pub fn rules_hash(&self) -> &str {
        &self.rules_hash
    }
}

/// What the rules say of a message.
#[derive(Debug, Clone)]
pub enum Ruling {
    /// It may leave; what remains are remarks.
    Pass(Box<Passed>, Vec<Finding>),
    /// It may not: the gravest effect decides, all findings are told.
    Stop { effect: Effect, findings: Vec<Finding> },
}

/// Applies every rule of the set to a message in its episode. `released` by a person, it waits for nobody any more.
pub fn run(rules: &Rules, message: Message, episode: &EpisodeState, released: bool) -> Ruling {
    let applicable = rules.rules().iter().filter(|rule| rule.applies_to(message.event.head.kind));
    let mut findings: Vec<Finding> = applicable.flat_map(|rule| broken(rules, rule, &message, episode)).collect();
    if released {
        findings.retain(|finding| finding.effect != Effect::Hold);
    }
    let gravest = findings.iter().map(|finding| finding.effect).min().filter(|effect| *effect <= Effect::Hold);
    match gravest {
        Some(effect) => Ruling::Stop { effect, findings },
        None => Ruling::Pass(Box::new(Passed { message, rules: rules.name.clone(), rules_hash: rules.hash.clone() }), findings),
    }
}

/// What a rule finds wrong with the message; for the checklist one finding an item, so that each goes to its owner.
fn broken(rules: &Rules, rule: &Rule, message: &Message, episode: &EpisodeState) -> Vec<Finding> {
    let id = rule.id.as_str();
    let standing = message.standing;
    let fails = match rule.predicate {
        Predicate::ChecklistComplete => return open_items(rules, message, episode).map(|item| item_finding(rules, id, item)).collect(),
        Predicate::Preconditions => {
            let needs = message.event.head.kind.row().needs;
            let there = if needs == Needs::Target { !standing.lacks_target } else { seen(needs, episode) };
            return if there { Vec::new() } else { vec![rules.finding_of_needs(id, needs)] };
        }
        Predicate::Consent | Predicate::CallOutsideStay => standing.discounted == Some(id),
        Predicate::ProtectedPerson => episode.protected.max(message.event.patient.protected) != Protection::None,
        Predicate::OnePerson => episode.two_persons,
        Predicate::EpisodeOpen => standing.late,
        // A duplicate is met before a message is made. The others look at what the region sends.
        Predicate::Duplicate
        | Predicate::RegionItems
        | Predicate::SipBeforeDischarge
        | Predicate::NoticeComplete
        | Predicate::NoticeInTime
        | Predicate::Payment => false,
    };
    if fails { vec![rules.finding(id, &[])] } else { Vec::new() }
}

/// What the rules remark on an event of the region's, which they never stop. `missing` are the paths of what an admission
/// notice lacks.
pub fn remarks(rules: &Rules, event: &CareEvent, episode: &EpisodeState, missing: &[&'static str]) -> Vec<Finding> {
    let mut out = Vec::new();
    for rule in rules.rules().iter().filter(|rule| rule.applies_to(event.head.kind)) {
        let id = rule.id.as_str();
        let stay = episode.stay.as_ref();
        match rule.predicate {
            Predicate::NoticeComplete => {
                out.extend(missing.iter().map(|path| Finding { path: Some((*path).to_owned()), ..rules.finding(id, &[]) }));
            }
            Predicate::SipBeforeDischarge if event.head.kind == EventType::RUk && stay.is_some_and(|stay| stay.sip_met == Some(false)) => {
                out.push(Finding { effect: Effect::Warn, ..rules.finding(id, &[]) });
            }
            _ => {}
        }
    }
    out
}

/// The finding of one checklist item.
pub fn item_finding(rules: &Rules, rule: &str, item: &Item) -> Finding {
    let mut finding = rules.finding(rule, &[item]);
    finding.path = Some(format!("checklist.{}", item.code.as_str()));
    finding
}

/// The municipality's items that keep it from saying that it can receive; where they do not, those to warn of.
fn open_items<'a>(rules: &'a Rules, message: &Message, episode: &'a EpisodeState) -> impl Iterator<Item = &'a Item> {
    let says_can = matches!(&message.event.body, Body::KHt(take_home) if take_home.answer == CanReceive::Can);
    let only_first = rules.regime.parameters.cl_block == ClBlock::StagePOnly;
    let open = rules.regime.checklist.open(Party::K, &episode.statuses, &episode.circumstances);
    open.filter(move |item| says_can && item.stage != Stage::After && (!only_first || item.stage == Stage::BeforeTakeHome))
}

fn seen(needs: Needs, episode: &EpisodeState) -> bool {
    match needs {
        Needs::Nothing | Needs::Target => true,
        Needs::AnyOf(kinds) => kinds.iter().any(|kind| episode.seen.contains(kind)),
        Needs::AnyFromRegion => episode.seen.iter().any(|kind| kind.row().origin == Origin::Region),
    }
}
