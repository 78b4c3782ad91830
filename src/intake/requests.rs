//! What operators ask for: held messages let go, parked ones sent again or closed, episodes moved to another version of the rules.
//!
//! The command writes a request into the store; whoever takes events in does it, so that there is one writer of episodes.

use super::case::Case;
use super::parked::{Named, against_resolve};
use super::{Intake, lines_only};
use crate::fault::Code;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::{Handling, State};
use crate::oplog::{Event, Level, Line, Reason};
use crate::store::{Answers, Asked, Audit, Committed, Entry, Kind, StoreFault, Who};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use uuid::Uuid;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "camelCase")]
pub enum Action {
    /// Lets a held message go.
    Release { message: String, destination: String, reason: String },
    /// Moves an episode from one set of rules to another.
    Move { episode: String, from: String, to: String },
    /// Sends a message again that is in this state.
    Resend { message: String, destination: String, from: State },
    /// Closes a message that is in this state, dealt with like this.
    Resolve { message: String, destination: String, from: State, handling: Handling },
    /// Keeps that somebody was shown so many messages with names and content.
    Print { count: u64 },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub done: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// Requests in one go; the rest waits for the next.
const REQUESTS_MAX: usize = 64;

impl Intake {
    /// Does what operators have asked for. Returns how many requests were met.
    pub fn serve(&mut self) -> Result<usize, StoreFault> {
        let asked = self.store.asked(REQUESTS_MAX)?;
        for request in &asked {
            let (mut entry, outcome) = self.serve_guarded(request);
            entry.answers = Some(answers(request, &outcome, entry.at));
            let mut line = Line::new(entry.at, Level::Info, Event::RequestDone);
            line.episode_id = entry.episode.as_ref().map(|episode| episode.id);
            entry.lines.push(line);
            // What conflicted is met again at the next call.
            for committed in self.store.commit(vec![entry])? {
                if let Committed::Done(lines) = committed {
                    self.metrics.tell(&lines);
                }
            }
        }
        Ok(asked.len())
    }

    /// A request that cannot be met is answered, so that it does not come back for ever.
    fn serve_guarded(&mut self, asked: &Asked) -> (Entry, Outcome) {
        let done = catch_unwind(AssertUnwindSafe(|| self.serve_one(asked)));
        if let Ok(Ok(served)) = done {
            return served;
        }
        let code = if done.is_err() { Code::BugPanic } else { Code::BugStore };
        let entry = lines_only(self.clock.now(), Line::new(self.clock.now(), Level::Error, Event::RequestRefused).code(code));
        (entry, Outcome { done: false, findings: refused(code) })
    }

    fn serve_one(&mut self, asked: &Asked) -> Result<(Entry, Outcome), StoreFault> {
        let done = match serde_json::from_str::<Action>(&asked.action) {
            Ok(Action::Release { message, destination, .. }) => self.release(&message, &destination)?,
            Ok(Action::Move { episode, from, to }) => self.move_rules(&episode, &from, &to)?,
            Ok(Action::Resend { message, destination, from }) => self.resend(&message, &destination, from)?,
            Ok(Action::Resolve { message, destination, from, handling }) => self.resolve(&message, &destination, from, handling)?,
            Ok(Action::Print { count }) => {
                let mut line = Line::new(self.clock.now(), Level::Info, Event::ListPrinted);
                line.reason = Some(Reason::Count(count));
                Ok(lines_only(line.at, line))
            }
            Err(_) => Err(refused(Code::OpsStale)),
        };
        Ok(match done {
            Ok(entry) => (entry, Outcome { done: true, findings: Vec::new() }),
            Err(findings) => {
                let mut line = Line::new(self.clock.now(), Level::Warn, Event::RequestRefused);
                line.code = super::lines::first_code(&findings);
                (lines_only(self.clock.now(), line), Outcome { done: false, findings })
            }
        })
    }

    fn release(&mut self, message: &str, destination: &str) -> Result<Result<Entry, Vec<Finding>>, StoreFault> {
        let now = self.clock.now();
        let (Ok(message), Some(destination)) = (Uuid::try_parse(message).map(MessageId), Name::parse(destination)) else {
            return Ok(Err(refused(Code::OpsNotHeld)));
        };
        let Some(episode) = self.store.episode_of(message)? else { return Ok(Err(refused(Code::OpsNotHeld))) };
        let Some(mut case) = self.load(episode, now)? else { return Ok(Err(refused(Code::BugStore))) };
        Ok(self.desk.release(&mut case, (message, &destination), self.validator.as_mut(), now))
    }

    /// The delivery that a person has decided on, if it is as it was then.
    fn named(&self, message: &str, destination: &str, from: State) -> Result<Option<Named>, StoreFault> {
        let (Ok(message), Some(destination)) = (Uuid::try_parse(message).map(MessageId), Name::parse(destination)) else {
            return Ok(None);
        };
        let Some(row) = self.store.delivery_to(message, &destination)?.filter(|row| row.state == from) else { return Ok(None) };
        let event = self.store.newest_version(row.event)?;
        Ok(event.map(|(key, _)| Named { row, message, destination, key }))
    }

    fn resend(&mut self, message: &str, destination: &str, from: State) -> Result<Result<Entry, Vec<Finding>>, StoreFault> {
        let now = self.clock.now();
        let Some(named) = self.named(message, destination, from)? else { return Ok(Err(refused(Code::OpsStale))) };
        let Some(mut case) = self.case_of(&named, now)? else { return Ok(Err(refused(Code::BugStore))) };
        // After the episode was read: what is younger than that conflicts.
        if let Some(code) = self.desk.against_resend(&self.store, &named.row, now)? {
            return Ok(Err(refused(code)));
        }
        Ok(Ok(self.desk.resend(&mut case, &named, self.validator.as_mut(), now)))
    }

    fn resolve(
        &mut self,
        message: &str,
        destination: &str,
        from: State,
        handling: Handling,
    ) -> Result<Result<Entry, Vec<Finding>>, StoreFault> {
        let now = self.clock.now();
        let Some(named) = self.named(message, destination, from)? else { return Ok(Err(refused(Code::OpsStale))) };
        if let Some(code) = against_resolve(&named.row) {
            return Ok(Err(refused(code)));
        }
        let Some(mut case) = self.case_of(&named, now)? else { return Ok(Err(refused(Code::BugStore))) };
        Ok(Ok(self.desk.resolve(&mut case, &named, handling, self.validator.as_mut(), now)))
    }

    fn case_of(&mut self, named: &Named, now: Timestamp) -> Result<Option<Case>, StoreFault> {
        let Ok(id) = Uuid::try_parse(&named.row.episode).map(EpisodeId) else { return Ok(None) };
        Ok(self.load(id, now)?.filter(|case| case.from > 0))
    }

    fn move_rules(&mut self, episode: &str, from: &str, to: &str) -> Result<Result<Entry, Vec<Finding>>, StoreFault> {
        let now = self.clock.now();
        let Some(rules) = self.desk.sets.get(to).map(Arc::clone) else { return Ok(Err(refused(Code::OpsNoRules))) };
        let Ok(id) = Uuid::try_parse(episode).map(EpisodeId) else { return Ok(Err(refused(Code::OpsStale))) };
        let Some(mut case) = self.load(id, now)? else { return Ok(Err(refused(Code::BugStore))) };
        if case.from == 0 || case.rules != from {
            return Ok(Err(refused(Code::OpsStale)));
        }
        Ok(Ok(self.desk.move_to(&mut case, &rules, self.validator.as_mut(), now)))
    }
}

/// What the command hears, and what the audit log says: who asked for what, why, and what came of it.
fn answers(asked: &Asked, outcome: &Outcome, at: Timestamp) -> Answers {
    let text = serde_json::to_string(outcome).unwrap_or_default();
    let action = serde_json::from_str::<Value>(&asked.action).unwrap_or_default();
    let named = |name: &str| action.get(name).and_then(Value::as_str);
    let uuid = |name: &str| named(name).and_then(|text| Uuid::try_parse(text).ok());
    let number = |name: &str| action.pointer(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let kind = match named("do") {
        Some("release") => Kind::Released,
        Some("resend") => Kind::Resent,
        Some("resolve") => Kind::Resolved,
        Some("move") => Kind::Moved,
        // Whoever prints writes a row for each message before it is shown.
        Some("print") => return Answers { request: asked.id, outcome: text, audit: None },
        _ => Kind::Requested,
    };
    let who = Who { name: Personal::new(asked.by.clone()), uid: number("/asker/uid"), login: number("/asker/login") };
    let mut audit = Audit::new(at, kind, who);
    (audit.message, audit.episode) = (uuid("message").map(MessageId), uuid("episode").map(EpisodeId));
    audit.destination = named("destination").and_then(Name::parse);
    let outcome = serde_json::to_value(outcome).unwrap_or_default();
    let audit = audit.tell("request", asked.id).tell("asked", action).tell("done", outcome);
    Answers { request: asked.id, outcome: text, audit: Some(audit) }
}

fn refused(code: Code) -> Vec<Finding> {
    vec![code.finding(Effect::Refuse, Layer::Rules, None)]
}
