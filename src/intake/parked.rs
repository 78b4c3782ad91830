//! What a person may do with a message by hand: send again what is parked or rejected, close what is not to be sent.

use super::case::{self, Case};
use super::fates::{has_newer, is_broken_off, lost_consent, notice_over, outlasts_case};
use super::judge::{Desk, Judgement};
use super::lines;
use super::outgoing::{addressees, recorded};
use crate::episode::fold;
use crate::fault::Code;
use crate::model::catalogue::EventType;
use crate::model::episode::{CORRECTED, Due, EpisodeState, Fact};
use crate::model::event::{Protection, Recipient};
use crate::model::finding::{Effect, Layer};
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::state::{Handling, State};
use crate::model::time::local_day;
use crate::oplog::{Event, Level};
use crate::seal::Validator;
use crate::store::{Change, ChangeTo, DeliveryRow, Entry, Store, StoreFault};
use jiff::Timestamp;
use uuid::Uuid;

/// A delivery, named for good.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) row: DeliveryRow,
    pub(super) message: MessageId,
    pub(super) destination: Name,
    pub(super) key: Ref,
}

/// Why a person cannot close a message; none where it can be closed. What has met nothing but a closed door has not left, unless
/// a restored backup has forgotten that it did.
pub fn against_resolve(row: &DeliveryRow) -> Option<Code> {
    match row.state {
        State::Parked | State::Held | State::Withheld => None,
        State::Scheduled | State::ScheduledForResend if row.attempts == 0 && !row.in_doubt => None,
        state if state.in_lane() => Some(Code::OpsInLane),
        _ => Some(Code::OpsEnded),
    }
}

/// What its episode says of a message, for whoever tells it on the telephone.
#[derive(Debug, Clone)]
pub struct Known {
    pub key: Ref,
    /// Whom it is for, of those that its destination leads to.
    pub to: Vec<Recipient>,
    /// When they must have it.
    pub due_at: Option<Timestamp>,
    pub protected: Protection,
}

impl Desk {
    /// What the episode says of a message; none where the store has lost it.
    pub fn known(&self, store: &Store, row: &DeliveryRow, now: Timestamp) -> Result<Option<Known>, StoreFault> {
        let (Ok(id), Some(kind)) = (Uuid::try_parse(&row.episode).map(EpisodeId), EventType::parse(&row.kind)) else { return Ok(None) };
        let (Some((key, _)), Some(episode)) = (store.newest_version(row.event)?, store.episode(id)?) else { return Ok(None) };
        let rules = self.sets.get(&episode.rules).unwrap_or(&self.rules);
        let (facts, _) = case::facts(store, id, &episode, local_day(now))?;
        let state = fold(&facts, &rules.regime, now);
        let own = facts.iter().find(|fact| fact.event == key.as_str());
        let mut to = own.map(|own| if own.kind == kind { recorded(own) } else { addressees(own) }).unwrap_or_default();
        let leads = |unit: &Recipient| {
            let over = self.routing.destinations(kind, std::slice::from_ref(unit));
            over.is_some_and(|over| over.iter().any(|name| name.as_str() == row.destination))
        };
        if to.iter().any(leads) {
            to.retain(leads);
        }
        // The clock of its own kind that it stops, or that still runs.
        let of = |due: &&Due| {
            let stops = due.met_at.is_none() || own.is_some_and(|own| due.met_at == Some(own.occurred_at));
            due.kind.code() == row.kind && due.ended_at.is_none() && stops
        };
        let due_at = state.clocks().filter(of).map(|due| due.due_at).min();
        Ok(Some(Known { key, to, due_at, protected: state.protected }))
    }

    /// Why a message cannot be sent again by hand, as things are now; none where it can.
    pub fn against_resend(&self, store: &Store, row: &DeliveryRow, now: Timestamp) -> Result<Option<Code>, StoreFault> {
        if !matches!(row.state, State::Parked | State::Rejected | State::Accepted) {
            return Ok(Some(Code::OpsNotParked));
        }
        let live = Name::parse(&row.destination).is_some_and(|name| self.routing.destinations.get(&name) == Some(&false));
        if !live {
            return Ok(Some(Code::OpsNoDestination));
        }
        if row.purged_at.is_some() {
            return Ok(Some(Code::RetPurged));
        }
        let damaged = row.content_hash.is_none() || row.sequence.is_none() || row.code.as_deref() == Some(Code::DlvCorrupt.id());
        let Some((key, newest)) = store.newest_version(row.event)?.filter(|_| !damaged) else { return Ok(Some(Code::DlvCorrupt)) };
        if newest > row.version {
            return Ok(Some(Code::OpsNewer));
        }
        let id = Uuid::try_parse(&row.episode).map(EpisodeId).map_err(|_| StoreFault::Damaged { table: "delivery" })?;
        let Some(episode) = store.episode(id)? else { return Ok(Some(Code::BugStore)) };
        let rules = self.sets.get(&episode.rules).unwrap_or(&self.rules);
        let (facts, _) = case::facts(store, id, &episode, local_day(now))?;
        let state = fold(&facts, &rules.regime, now);
        if let Some(code) = moot(row, key.as_str(), &facts, &state) {
            return Ok(Some(code));
        }
        let learnt = (state.two_persons && rules.regime.has("PER-2"))
            || (rules.regime.has("PER-1") && !written_under(store, row.id, state.protected)?);
        Ok(learnt.then_some(Code::OpsProtected))
    }

    /// Has a person's decision on one delivery written, unless the episode has moved meanwhile.
    fn by_hand(&self, case: &mut Case, named: &Named, to: ChangeTo, validator: &mut dyn Validator, at: Timestamp) -> Entry {
        let (event, state) = match to {
            ChangeTo::Resend { .. } => (Event::MessageResent, State::Scheduled),
            _ => (Event::MessageResolved, State::Resolved),
        };
        let mut line = lines::of_episode(at, Level::Info, event, case.id, Some(&named.key));
        line.message_id = Some(named.message);
        line.destination = Some(named.destination.clone());
        line.state = Some(state);
        let rules = self.rules_of(case);
        let state = fold(&case.facts, &rules.regime, at);
        let mut judgement = Judgement::new(self, rules, state, case, validator, at);
        judgement.changes.push(Change { message: named.message, destination: named.destination.clone(), to, line: Some(line) });
        judgement.write(None, None)
    }

    pub(super) fn resend(&self, case: &mut Case, named: &Named, validator: &mut dyn Validator, at: Timestamp) -> Entry {
        self.by_hand(case, named, ChangeTo::Resend { from: named.row.state }, validator, at)
    }

    pub(super) fn resolve(
        &self,
        case: &mut Case,
        named: &Named,
        handling: Handling,
        validator: &mut dyn Validator,
        at: Timestamp,
    ) -> Entry {
        let kept_back = case.waiting.len();
        case.waiting.retain(|waiting| (waiting.message, &waiting.destination) != (named.message, &named.destination));
        let never_left = case.waiting.len() < kept_back;
        // On the telephone somebody was told all the same.
        if let Some(own) = case.facts.iter_mut().find(|fact| fact.event == named.key.as_str() && never_left && handling != Handling::Phone)
        {
            own.unsent = true;
        }
        let (sv, en) = handling.texts();
        let finding = Code::OpsResolved.finding(Effect::Warn, Layer::Delivery, Some((sv.to_owned(), en.to_owned())));
        self.by_hand(case, named, ChangeTo::Resolve { from: named.row.state, findings: vec![finding] }, validator, at)
    }
}

/// What speaks against a message that would arrive only now.
fn moot(row: &DeliveryRow, key: &str, facts: &[Fact], state: &EpisodeState) -> Option<Code> {
    let kind = EventType::parse(&row.kind)?;
    let discounted = state.ignored.get(key).copied();
    let occurred_at = facts.iter().find(|fact| fact.event == key).map(|fact| fact.occurred_at);
    if discounted == Some(CORRECTED) || has_newer(kind, key, facts, state) {
        return Some(Code::OpsNewer);
    }
    let ended = is_broken_off(state) && !outlasts_case(kind);
    let over = occurred_at.is_some_and(|at| notice_over(state, kind, at).is_some());
    (discounted.is_some() || ended || over || lost_consent(kind, state)).then_some(Code::OpsNoLonger)
}

/// The document says of the person's protection what is known now: an address that stands in it is no longer to be told.
#[expect(clippy::disallowed_methods, reason = "reads from the document how the person was protected when it was written")]
fn written_under(store: &Store, delivery: i64, protected: Protection) -> Result<bool, StoreFault> {
    let document = store.written(delivery)?.and_then(|written| written.document);
    let said = format!("<protectedIdentity>{}<", protected.code());
    let says = |bytes: &[u8]| bytes.windows(said.len()).any(|part| part == said.as_bytes());
    Ok(protected == Protection::None || document.is_some_and(|document| says(document.disclose())))
}
