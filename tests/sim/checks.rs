//! What must hold: at every moment, from one moment to the next, and at the end.

use crate::probe::{Probe, Row};
use crate::receiver::{Receiver, Ruling};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use vardbro::model::state::State;
use vardbro::store::Claimed;

/// What a person has asked for, by row, from which state to which; and what was sent again so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hand {
    pub(crate) asked: BTreeSet<(i64, State, State)>,
    pub(crate) resent: BTreeSet<i64>,
}

impl Hand {
    /// It is sent again by hand now: as it was.
    pub(crate) fn resends(&self, was: &Row, is: &Row) -> bool {
        let as_it_was = (was.sequence, &was.hash, was.attempts) == (is.sequence, &is.hash, is.attempts);
        as_it_was && is.state == State::Scheduled && self.asked.contains(&(was.id, was.state, is.state))
    }

    /// It is closed by hand now.
    fn resolves(&self, was: &Row, is: &Row) -> bool {
        is.state == State::Resolved && self.asked.contains(&(was.id, was.state, is.state))
    }
}

type Outcome = Result<(), String>;

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(why()) }
}

/// As the database writes it.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02X}");
        out
    })
}

fn named(row: &Row) -> String {
    format!("{} {} to {} ({}, number {:?})", row.kind, row.message, row.destination, row.state.code(), row.sequence)
}

/// Of the rows as they stood before the claim: it was due, first of its lane, and nobody's.
pub(crate) fn claim(rows: &[Row], claimed: &Claimed, destination: &str, now: Timestamp) -> Outcome {
    let Some(row) = rows.iter().find(|row| row.id == claimed.id) else { return Err(format!("{} was claimed unseen", claimed.message)) };
    ensure(row.destination == destination, || format!("{} is claimed for {destination}", named(row)))?;
    ensure(row.head && row.state.in_lane(), || format!("{} is claimed, and is no head", named(row)))?;
    ensure(row.next_at.is_some_and(|at| at <= now), || format!("{} is claimed at {now}, before it is due", named(row)))?;
    ensure(row.lease_until.is_none_or(|until| until <= now), || format!("{} is claimed at {now} under another's lease", named(row)))
}

/// What no rows may be.
pub(crate) fn standing(rows: &[Row], hand: &Hand) -> Outcome {
    let mut lanes: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
    let mut fates = BTreeSet::new();
    for row in rows {
        ensure(fates.insert((&row.message, &row.destination)), || format!("{} stands twice", named(row)))?;
        ensure(row.open == row.state.in_lane(), || format!("{}: open is {}", named(row), row.open))?;
        ensure(row.open || !row.head, || format!("{} is a head outside its lane", named(row)))?;
        ensure(!row.open || row.next_at.is_some(), || format!("{} never falls due", named(row)))?;
        ensure(row.state.is_end() == row.settled_at.is_some(), || format!("{} is settled at {:?}", named(row), row.settled_at))?;
        // A receipt is asked for under a lease too.
        let leased = row.token.is_some();
        let may = leased == (row.state == State::Submitted) || row.state == State::WaitingForReceipt;
        ensure(may && leased == row.lease_until.is_some(), || {
            format!("{}: lease {:?} until {:?}", named(row), row.token, row.lease_until)
        })?;
        ensure((row.state == State::WaitingForReceipt) == row.receipt_by.is_some(), || {
            format!("{} waits until {:?}", named(row), row.receipt_by)
        })?;
        ensure(!row.open || (row.sequence.is_some() && row.hash.is_some()), || format!("{} has nothing to send", named(row)))?;
        if row.open {
            lanes.entry((&row.episode, &row.destination)).or_default().push(row);
        }
    }
    for lane in lanes.values() {
        let first = lane.iter().min_by_key(|row| row.sequence).expect("a lane has rows");
        ensure(first.head, || format!("{} is the first of its lane and not its head", named(first)))?;
        let heads = lane.iter().filter(|row| row.head).count();
        ensure(heads == 1, || format!("the lane of {} has {heads} heads", named(first)))?;
        // What a person sends again goes before what has begun.
        let by_hand = hand.resent.contains(&first.id);
        let begun = lane.iter().find(|row| !row.head && row.attempts > 0 && !by_hand);
        ensure(begun.is_none(), || format!("{} was tried before it was the head", named(begun.expect("found"))))?;
    }
    Ok(())
}

/// From what was to what is: fates are for good, contents too, and what the receiver has agrees with what we say.
pub(crate) fn change(before: &[Row], after: &[Row], receiver: &Receiver, hand: &Hand) -> Outcome {
    for was in before {
        let Some(is) = after.iter().find(|is| is.id == was.id) else { return Err(format!("{} is gone", named(was))) };
        let resends = hand.resends(was, is);
        ensure(!was.state.is_end() || was == is || resends, || format!("{} had ended, and becomes {is:?}", named(was)))?;
        let anew = was.state == State::Held;
        ensure(anew || was.hash.is_none() || was.hash == is.hash, || format!("the content of {} changes", named(was)))?;
        let resolves = hand.resolves(was, is);
        ensure(is.state != State::Resolved || was == is || resolves, || format!("{} is closed by nobody", named(was)))?;
        // Out of there by a voiding, by a receipt that came after all, or by hand.
        let out = matches!(is.state, State::Parked | State::Withdrawn | State::Accepted | State::Rejected) || resends || resolves;
        ensure(was.state != State::Parked || out, || format!("{} leaves by itself and is {}", named(was), is.state.code()))?;
    }
    for row in after {
        let was_parked = before.iter().any(|was| was.id == row.id && was.state == State::Parked);
        let unchanged = before.iter().any(|was| was.id == row.id && was.state == row.state);
        let first = receiver.first(&row.destination, &row.message);
        let kept = first.is_some_and(|first| first.ruling.is_kept());
        let why = || format!("{}; the receiver: {first:?}", named(row));
        match row.state {
            State::Accepted => ensure(matches!(first.map(|first| first.ruling), Some(Ruling::Accept | Ruling::Remark)), why)?,
            State::Rejected => ensure(matches!(first.map(|first| first.ruling), Some(Ruling::Reject | Ruling::Refuse)), why)?,
            // It may have left before it was parked, or in a life that the store has forgotten.
            State::Withdrawn | State::Resolved if was_parked || unchanged => {}
            _ if row.in_doubt => {}
            State::Withheld | State::Held | State::Refused | State::Superseded | State::Withdrawn | State::Expired | State::Resolved => {
                ensure(!kept, why)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// After all faults, when time has run on.
pub(crate) fn end(rows: &[Row], probe: &Probe, receiver: &Receiver, hand: &Hand, now: Timestamp) -> Outcome {
    for (destination, message) in receiver.kept() {
        let row = rows.iter().find(|row| row.message == message && row.destination == destination);
        let Some(row) = row else { return Err(format!("{destination} has {message}, of which we know nothing")) };
        let agrees = matches!(row.state, State::Accepted | State::Rejected | State::Parked | State::Withdrawn);
        let closed_after_it_left = row.state == State::Resolved && row.attempts > 0;
        ensure(agrees || closed_after_it_left || row.in_doubt, || format!("{destination} has {}", named(row)))?;
    }
    let useless = rows.iter().find(|row| row.state == State::Withheld && row.useful_until.is_none_or(|until| until <= now));
    ensure(useless.is_none(), || format!("at {now} {} is still withheld", named(useless.expect("found"))))?;
    // Each accepted event of the municipality has a message, and one only, for each of its destinations.
    let lacking = probe.query(
        "SELECT kind, id FROM event e WHERE kind LIKE 'K-%' AND
         (SELECT COUNT(DISTINCT message_id) FROM delivery d WHERE d.event_id = e.id AND d.kind = e.kind) <> 1",
    );
    ensure(lacking.is_empty(), || format!("accepted, without a message of its own: {lacking:?}"))?;
    // The journal tells of each end once.
    let told = probe.query("SELECT message_id, destination, state, COUNT(*) FROM journal WHERE message_id IS NOT NULL AND destination IS NOT NULL AND state IS NOT NULL AND event <> 'receipt.contradicted'\n        GROUP BY 1, 2, 3");
    let mut ends: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for cells in told {
        let [Some(message), Some(destination), Some(state), Some(count)] = &cells[..] else { continue };
        if State::parse(state).is_some_and(State::is_end) {
            ends.entry((message.clone(), destination.clone())).or_default().push(format!("{state} {count}"));
        }
    }
    for row in rows {
        let told = ends.remove(&(row.message.clone(), row.destination.clone())).unwrap_or_default();
        let expected: Vec<String> = row.state.is_end().then(|| format!("{} 1", row.state.code())).into_iter().collect();
        // What is sent again by hand has an end each time.
        let again = hand.resent.contains(&row.id) && expected.iter().all(|end| told.iter().any(|told| told[..4] == end[..4]));
        ensure(told == expected || again, || format!("the journal tells of {}: {told:?}", named(row)))?;
    }
    ensure(ends.is_empty(), || format!("the journal tells of what is not there: {ends:?}"))
}
