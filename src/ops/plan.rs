//! What an operator is about to do, told before it is done, and the token that confirms just that.

use super::cases::{Seen, minute, pick};
use crate::fault::{Code, Fault};
use crate::intake::{Action, Outcome};
use crate::model::catalogue::EventType;
use crate::model::event::Protection;
use crate::model::state::State;
use crate::store::{DeliveryRow, UnderRules};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Episodes that one command moves at most.
const MOVES_MAX: usize = 1_000;

/// A held message, and what else there is of its lane.
#[derive(Debug)]
pub struct ReleasePlan {
    row: DeliveryRow,
    /// What else of the episode waits for the same destination, oldest first.
    beside: Vec<DeliveryRow>,
    protected: bool,
    /// Under which the episode runs.
    rules: String,
}

impl ReleasePlan {
    /// A message that waits for a person; `deliveries` are all of its episode, newest first.
    pub fn of(row: DeliveryRow, seen: &Seen, deliveries: Vec<DeliveryRow>) -> Result<Self, Fault> {
        if row.state != State::Held {
            return Err(Fault::new(Code::OpsNotHeld));
        }
        let waits = |other: &DeliveryRow| other.state.in_lane() || matches!(other.state, State::Withheld | State::Held | State::Parked);
        let mut beside: Vec<DeliveryRow> =
            deliveries.into_iter().filter(|other| other.id != row.id && other.destination == row.destination && waits(other)).collect();
        beside.reverse();
        let protected = seen.state.protected != Protection::None;
        Ok(Self { row, beside, protected, rules: seen.rules.name.clone() })
    }

    /// Changes with everything that the decision rests on.
    pub fn token(&self) -> String {
        token(&json!([self.row.message, self.row.destination, self.row.state, self.row.findings, self.rules]))
    }

    pub fn action(&self, reason: &str) -> Action {
        Action::Release { message: self.row.message.clone(), destination: self.row.destination.clone(), reason: reason.to_owned() }
    }

    pub fn delivery(&self) -> i64 {
        self.row.id
    }

    /// Never the content: whoever may read it reads it in the source system.
    pub fn text(&self, now: Timestamp, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let row = &self.row;
        let mut out = format!("{} {}\n", word("Meddelande", "Message"), row.message);
        let _ = writeln!(out, "{}: {}", word("Slag", "Type"), kind(row, swedish));
        let _ = writeln!(out, "{}: {}", word("Läge", "State"), pick(row.state.texts(), swedish));
        let _ = writeln!(out, "{}: {}", word("Till", "To"), row.destination);
        let _ = writeln!(out, "{}: {}", word("Ärende", "Episode"), row.episode);
        let waited = now.duration_since(row.created_at).as_hours();
        let _ = writeln!(out, "{}: {} ({waited} {})", word("Sedan", "Since"), minute(row.created_at), word("timmar", "hours"));
        let _ = writeln!(out, "{}: {}", word("Regelverk", "Rules"), self.rules);
        let _ = writeln!(out, "{}:", word("Därför väntar det", "Why it waits"));
        for finding in &row.findings {
            let (says, remedy) = if swedish { (&finding.sv, &finding.remedy_sv) } else { (&finding.en, &finding.remedy_en) };
            let _ = writeln!(out, "  {} {says}\n      → {remedy}", finding.code);
        }
        if self.protected {
            let sv = "Patientens personuppgifter är skyddade: innehållet visas inte här, och adressen följer inte med.";
            let en = "The patient's personal data are protected: the content is not shown here, and the address does not go with it.";
            let _ = writeln!(out, "{}", word(sv, en));
        }
        if !self.beside.is_empty() {
            let _ = writeln!(out, "{}:", word("Väntar också i ärendet", "Also waiting in the episode"));
        }
        for other in &self.beside {
            let (at, state) = (minute(other.created_at), pick(other.state.texts(), swedish));
            let _ = writeln!(out, "  {at}  {}: {state}", kind(other, swedish));
        }
        let _ = writeln!(out, "{}: --confirm {}", word("Inget är gjort. Släpp med", "Nothing is done. Release with"), self.token());
        out
    }
}

pub(super) fn kind(row: &DeliveryRow, swedish: bool) -> String {
    let name = EventType::parse(&row.kind).map_or("", |kind| pick(kind.texts(), swedish));
    let version = if row.version > 1 { format!(", version {}", row.version) } else { String::new() };
    format!("{} {name}{version}", row.kind)
}

/// Episodes that are to go on under another set of rules.
#[derive(Debug)]
pub struct MovePlan {
    from: String,
    to: String,
    /// Those of this run, the open ones first.
    episodes: Vec<UnderRules>,
    /// What another run will have to move.
    left: usize,
}

impl MovePlan {
    pub fn of(from: &str, to: &str, mut episodes: Vec<UnderRules>) -> Self {
        episodes.sort_by_key(|episode| (episode.phase.is_over(), episode.id));
        let left = episodes.len().saturating_sub(MOVES_MAX);
        episodes.truncate(MOVES_MAX);
        Self { from: from.to_owned(), to: to.to_owned(), episodes, left }
    }

    pub fn is_empty(&self) -> bool {
        self.episodes.is_empty()
    }

    /// Changes with every episode that moves on or is added.
    pub fn token(&self) -> String {
        let episodes: Vec<Value> = self.episodes.iter().map(|episode| json!([episode.id.to_string(), episode.version])).collect();
        token(&json!([self.from, self.to, episodes]))
    }

    pub fn actions(&self) -> Vec<Action> {
        let (from, to) = (&self.from, &self.to);
        let action = |episode: &UnderRules| Action::Move { episode: episode.id.to_string(), from: from.clone(), to: to.clone() };
        self.episodes.iter().map(action).collect()
    }

    pub fn text(&self, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = format!("{} → {}\n", self.from, self.to);
        let open = self.episodes.iter().filter(|episode| !episode.phase.is_over()).count();
        let withheld: u32 = self.episodes.iter().map(|episode| episode.withheld).sum();
        let held: u32 = self.episodes.iter().map(|episode| episode.held).sum();
        let _ = writeln!(out, "{}: {}", word("Ärenden att flytta", "Episodes to move"), self.episodes.len());
        let _ = writeln!(out, "  {}: {open}", word("varav öppna", "of which open"));
        let _ = writeln!(
            out,
            "{}: {withheld}",
            word("Undanhållna meddelanden i dem; de prövas igen", "Withheld messages in them; they are looked at again")
        );
        let _ = writeln!(out, "{}: {held}", word("Meddelanden i dem som väntar på en människa", "Messages in them that wait for a person"));
        if self.left > 0 {
            let _ = writeln!(out, "{}: {}", word("Kvar till nästa gång", "Left for another run"), self.left);
        }
        let _ = writeln!(out, "{}: --confirm {}", word("Inget är gjort. Flytta med", "Nothing is done. Move with"), self.token());
        out
    }

    /// What came of it.
    pub fn result(&self, outcomes: &[Option<Outcome>], swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = tally(outcomes, word("Flyttade ärenden", "Episodes moved"), word("Inte flyttade", "Not moved"), swedish);
        if self.left > 0 {
            let _ = writeln!(out, "{}: {}", word("Kvar till nästa gång", "Left for another run"), self.left);
        }
        out
    }
}

/// How many requests were met, and how many not for which reason.
pub(super) fn tally(outcomes: &[Option<Outcome>], done: &str, not: &str, swedish: bool) -> String {
    let met = outcomes.iter().flatten().filter(|outcome| outcome.done).count();
    let mut out = format!("{done}: {met}\n");
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in outcomes.iter().flatten().filter(|outcome| !outcome.done).flat_map(|outcome| &outcome.findings) {
        *refused.entry(if swedish { &finding.sv } else { &finding.en }).or_default() += 1;
    }
    for (why, count) in refused {
        let _ = writeln!(out, "{not}: {count} ({why})");
    }
    out
}

/// Short enough to type; it guards against a plan that has grown old, not against an attacker.
pub(super) fn token(of: &Value) -> String {
    let hash = digest(&SHA256, of.to_string().as_bytes());
    hash.as_ref().iter().take(4).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// What came of releasing a message; `row` is how it stands now, `running` whether a daemon is there to send it.
pub fn release_result(outcome: &Outcome, row: Option<&DeliveryRow>, running: bool, swedish: bool) -> String {
    let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
    let mut out = String::new();
    if outcome.done {
        let state = row.map_or("", |row| pick(row.state.texts(), swedish));
        let _ = writeln!(out, "{}: {state}", word("Släppt", "Released"));
        if !running && row.is_some_and(|row| row.state.in_lane()) {
            let sv = "Tjänsten är inte igång; meddelandet går när den startar.";
            let _ = writeln!(out, "{}", word(sv, "The daemon is not running; the message leaves when it starts."));
        }
        return out;
    }
    let _ = writeln!(out, "{}:", word("Inte släppt", "Not released"));
    for finding in &outcome.findings {
        let (says, remedy) = if swedish { (&finding.sv, &finding.remedy_sv) } else { (&finding.en, &finding.remedy_en) };
        let _ = writeln!(out, "  {} {says}\n      → {remedy}", finding.code);
    }
    out
}

/// Said where the daemon has not answered in time. The request stands.
pub fn unanswered(swedish: bool) -> &'static str {
    if swedish {
        "Tjänsten har inte svarat. Begäran ligger kvar och utförs när den hinner; se efter med `vardbro messages show` eller `vardbro log`."
    } else {
        "The daemon has not answered. The request stands and is done when it gets there; look with `vardbro messages show` or `vardbro log`."
    }
}
