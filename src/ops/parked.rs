//! Parked, rejected and unsent messages in a person's hands: what sending them again or closing them will do, told before it is done.

use super::cases::{minute, pick};
use super::plan::{kind, tally, token};
use crate::fault::Code;
use crate::intake::{Action, Desk, Outcome, against_resolve};
use crate::model::state::{Handling, State};
use crate::store::{AttemptRow, DeliveryRow, Filter, Store, StoreFault};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Messages that one command sends again at most.
pub const RESENDS_MAX: usize = 100;
/// Of an episode, for a look at its lanes.
const LANE_MAX: usize = 500;

/// Messages that are to be sent again.
#[derive(Debug)]
pub struct ResendPlan {
    ready: Vec<Ready>,
    refused: Vec<(DeliveryRow, Code)>,
    /// What another run will have to send.
    left: u64,
}

#[derive(Debug)]
struct Ready {
    row: DeliveryRow,
    /// Nobody knows how an earlier try ended.
    may_have_arrived: bool,
    /// Later messages of its lane that have left, or may have: it comes after them.
    after: Vec<DeliveryRow>,
    /// Later messages of its lane that wait: it goes before them.
    before: usize,
}

impl ResendPlan {
    /// The first `most` of `rows` that can be sent; `left` is how many there are beyond `rows`. `again` also sends what the receiver has.
    pub fn of(
        store: &Store,
        desk: &Desk,
        (rows, left): (Vec<DeliveryRow>, u64),
        most: usize,
        again: bool,
        now: Timestamp,
    ) -> Result<Self, StoreFault> {
        let (mut going, mut refused) = (Vec::new(), Vec::new());
        for row in rows {
            let against =
                if row.state == State::Accepted && !again { Some(Code::OpsDelivered) } else { desk.against_resend(store, &row, now)? };
            match against {
                Some(code) => refused.push((row, code)),
                None => going.push(row),
            }
        }
        let left = left + going.len().saturating_sub(most) as u64;
        going.truncate(most);
        // They go one by one: of a lane the first first, so that none leaves before those that it comes after.
        going.sort_by(|a, b| (&a.episode, &a.destination, a.sequence).cmp(&(&b.episode, &b.destination, b.sequence)));
        let together: BTreeSet<i64> = going.iter().map(|row| row.id).collect();
        let ready = going.into_iter().map(|row| Ready::of(store, row, &together)).collect::<Result<_, _>>()?;
        Ok(Self { ready, refused, left })
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Changes with everything that the decision rests on.
    pub fn token(&self) -> String {
        let of = |ready: &Ready| {
            let after: Vec<&str> = ready.after.iter().map(|other| other.message.as_str()).collect();
            json!([ready.row.message, ready.row.destination, ready.row.state, ready.row.attempts, ready.row.code, after])
        };
        token(&Value::Array(self.ready.iter().map(of).collect()))
    }

    pub fn actions(&self) -> Vec<Action> {
        let action = |Ready { row, .. }: &Ready| Action::Resend {
            message: row.message.clone(),
            destination: row.destination.clone(),
            from: row.state,
        };
        self.ready.iter().map(action).collect()
    }

    pub fn text(&self, now: Timestamp, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = format!("{}: {}\n", word("Meddelanden att sända om", "Messages to send again"), self.ready.len());
        let ages: Vec<Timestamp> = self.ready.iter().map(|ready| ready.row.created_at).collect();
        if let (Some(oldest), Some(newest)) = (ages.iter().min(), ages.iter().max()) {
            let hours = |at: &Timestamp| format!("{} ({} {})", minute(*at), now.duration_since(*at).as_hours(), word("timmar", "hours"));
            let _ = writeln!(out, "  {}: {}", word("äldsta", "oldest"), hours(oldest));
            let _ = writeln!(out, "  {}: {}", word("nyaste", "newest"), hours(newest));
        }
        let unknown = self.ready.iter().filter(|ready| ready.may_have_arrived).count();
        let _ = writeln!(out, "  {}: {unknown}", word("varav kan ha kommit fram", "of which may have arrived"));
        let delivered = self.ready.iter().filter(|ready| ready.row.state == State::Accepted).count();
        let _ = writeln!(out, "  {}: {delivered}", word("varav mottagaren redan har", "of which the receiver has already"));
        for ready in &self.ready {
            ready.text(&mut out, swedish);
        }
        not(&mut out, word("Sänds inte om", "Not sent again"), &self.refused, swedish);
        if self.left > 0 {
            let _ = writeln!(out, "{}: {}", word("Kvar till nästa gång", "Left for another run"), self.left);
        }
        if !self.ready.is_empty() {
            let sv = "Samma id och innehåll; försök och ålder räknas från början.";
            let _ = writeln!(out, "{}", word(sv, "The same id and content; tries and age are counted anew."));
            let _ =
                writeln!(out, "{}: --confirm {}", word("Inget är gjort. Sänd om med", "Nothing is done. Send again with"), self.token());
        }
        out
    }

    /// What came of it; `running` says whether a daemon is there to send.
    pub fn result(&self, outcomes: &[Option<Outcome>], running: bool, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = tally(outcomes, word("I kö igen", "In the queue again"), word("Inte i kö", "Not in the queue"), swedish);
        if self.left > 0 {
            let _ = writeln!(out, "{}: {}", word("Kvar till nästa gång", "Left for another run"), self.left);
        }
        if !running {
            let sv = "Tjänsten är inte igång; meddelandena går när den startar.";
            let _ = writeln!(out, "{}", word(sv, "The daemon is not running; the messages leave when it starts."));
        }
        out
    }
}

impl Ready {
    fn of(store: &Store, row: DeliveryRow, together: &BTreeSet<i64>) -> Result<Self, StoreFault> {
        let lane = store.deliveries(&Filter { episode: Some(row.episode.clone()), limit: LANE_MAX, ..Filter::default() })?;
        let later = |other: &DeliveryRow| {
            other.destination == row.destination && other.sequence > row.sequence && !together.contains(&other.id) && other.id != row.id
        };
        let (mut after, waiting): (Vec<_>, Vec<_>) = lane.into_iter().filter(later).partition(|other| other.attempts > 0);
        after.reverse();
        let before = waiting.iter().filter(|other| other.state.in_lane()).count();
        let may_have_arrived = row.state == State::Parked && !is_known_to_be_away(&row, &store.attempts(row.id)?);
        Ok(Self { row, may_have_arrived, after, before })
    }

    fn text(&self, out: &mut String, swedish: bool) {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let _ = writeln!(out, "{}", named(&self.row, swedish));
        if self.may_have_arrived {
            let sv = "kan ha kommit fram; det har samma id, så mottagaren ska inte ta in det två gånger";
            let _ = writeln!(
                out,
                "      {}",
                word(sv, "may have arrived; it has the same id, so that the receiver should not take it in twice")
            );
        }
        if !self.after.is_empty() {
            let _ = writeln!(
                out,
                "      {}:",
                word("kommer efter det här, som har lämnat eller kan ha det", "comes after these, which have left or may have")
            );
        }
        for other in &self.after {
            let _ = writeln!(out, "      {}", named(other, swedish));
        }
        if self.before > 0 {
            let _ = writeln!(out, "      {}: {}", word("går före i kön", "goes before in the queue"), self.before);
        }
    }
}

/// Every try met a closed door or a no.
fn is_known_to_be_away(row: &DeliveryRow, tries: &[AttemptRow]) -> bool {
    let away = |answer: &str| matches!(answer, "routeDown" | "closedToThis" | "refused" | "rejected");
    let told = (1..=row.attempts).all(|n| tries.iter().any(|one| one.n == n));
    told && tries.iter().all(|one| away(&one.answer))
}

/// Messages that a person closes.
#[derive(Debug)]
pub struct ResolvePlan {
    handling: Handling,
    ready: Vec<DeliveryRow>,
    stays: Vec<(DeliveryRow, Code)>,
}

impl ResolvePlan {
    /// What is in its lane is closed only with `untried`, and only where it has met nothing but a closed door.
    pub fn of(rows: Vec<DeliveryRow>, handling: Handling, untried: bool) -> Self {
        let mut plan = Self { handling, ready: Vec::new(), stays: Vec::new() };
        for row in rows {
            let against = if row.state.in_lane() && !untried { Some(Code::OpsInLane) } else { against_resolve(&row) };
            match against {
                Some(code) => plan.stays.push((row, code)),
                None => plan.ready.push(row),
            }
        }
        plan
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// Changes with what is closed and how. Not with what stays: during an outage one message at a time tries the way.
    pub fn token(&self) -> String {
        let mut all: Vec<(&str, &str)> = self.ready.iter().chain(self.stays.iter().map(|(row, _)| row)).map(of_row).collect();
        all.sort_unstable();
        token(&json!([self.handling.code(), all]))
    }

    pub fn actions(&self) -> Vec<Action> {
        let action = |row: &DeliveryRow| Action::Resolve {
            message: row.message.clone(),
            destination: row.destination.clone(),
            from: row.state,
            handling: self.handling,
        };
        self.ready.iter().map(action).collect()
    }

    pub fn text(&self, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = format!("{}: {}", word("Meddelanden att avsluta för hand", "Messages to close by hand"), self.ready.len());
        let _ = writeln!(out, " ({})", pick(self.handling.texts(), swedish));
        for row in &self.ready {
            let _ = writeln!(out, "{}", named(row, swedish));
        }
        not(&mut out, word("Avslutas inte", "Not closed"), &self.stays, swedish);
        if !self.ready.is_empty() {
            let sv = "De sänds inte, heller inte när mottagaren är tillbaka.";
            let _ = writeln!(out, "{}", word(sv, "They are not sent, not even when the receiver is back."));
            let _ = writeln!(out, "{}: --confirm {}", word("Inget är gjort. Avsluta med", "Nothing is done. Close with"), self.token());
        }
        out
    }

    /// What came of it.
    pub fn result(&self, outcomes: &[Option<Outcome>], swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = tally(outcomes, word("Avslutade för hand", "Closed by hand"), word("Inte avslutade", "Not closed"), swedish);
        not(&mut out, word("Avslutas inte", "Not closed"), &self.stays, swedish);
        out
    }
}

fn of_row(row: &DeliveryRow) -> (&str, &str) {
    (&row.message, &row.destination)
}

/// One line: which, what, where it stands, since when.
fn named(row: &DeliveryRow, swedish: bool) -> String {
    let id = row.message.get(..8).unwrap_or(&row.message);
    format!("  {id}  {}  {} → {}  {}", minute(row.created_at), kind(row, swedish), row.destination, pick(row.state.texts(), swedish))
}

/// What is left as it is, by reason.
fn not(out: &mut String, title: &str, rows: &[(DeliveryRow, Code)], swedish: bool) {
    let codes: BTreeSet<&str> = rows.iter().map(|(_, code)| code.id()).collect();
    for code in codes.iter().filter_map(|code| Code::parse(code)) {
        let entry = code.entry();
        let (says, remedy) = if swedish { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
        let _ = writeln!(out, "{title}: {} {says}\n      → {remedy}", entry.id);
        for (row, _) in rows.iter().filter(|(_, why)| *why == code) {
            let _ = writeln!(out, "{}", named(row, swedish));
        }
    }
}
