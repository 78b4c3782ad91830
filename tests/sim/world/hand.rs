//! What people ask for by hand: parked and rejected messages are sent again, or closed. By the plans that the commands show.

use super::World;
use crate::probe::Row;
use vardbro::intake::Action;
use vardbro::model::state::{Handling, State};
use vardbro::ops::{RESENDS_MAX, ResendPlan, ResolvePlan};
use vardbro::store::DeliveryRow;

impl World<'_> {
    /// Those that wait for a person; without one, or with `again`, those that the receiver has.
    pub(super) fn resend(&mut self, message: usize, all: bool, again: bool) -> Result<(), String> {
        let in_state = |states: &[State]| self.rows.iter().filter(|row| states.contains(&row.state)).cloned().collect::<Vec<Row>>();
        let mut rows = in_state(&[State::Parked, State::Rejected]);
        if again || rows.is_empty() {
            rows.extend(in_state(&[State::Accepted]));
        }
        if rows.is_empty() {
            return Ok(());
        }
        let chosen: Vec<&Row> = if all { rows.iter().collect() } else { vec![&rows[message % rows.len()]] };
        let (store, now) = (self.ground.store(0), self.now());
        let chosen: Vec<DeliveryRow> = chosen.into_iter().map(|row| self.stored(row)).collect();
        let plan = ResendPlan::of(&store, &self.ground.desk, (chosen, 0), RESENDS_MAX, again, now).expect("a working store");
        for action in plan.actions() {
            let Action::Resend { message, destination, from } = &action else {
                return Err(format!("a plan to send again says {action:?}"));
            };
            if *from == State::Accepted && !again {
                return Err(format!("{message} is to be sent again, and the receiver has it"));
            }
            let row = rows.iter().find(|row| row.message == *message && row.destination == *destination).expect("chosen");
            self.hand.asked.insert((row.id, *from, State::Scheduled));
            self.ask(&action);
        }
        Ok(())
    }

    pub(super) fn resolve(&mut self, message: usize, untried: bool) {
        let waits = |row: &&Row| matches!(row.state, State::Parked | State::Held | State::Withheld) || (untried && row.state.in_lane());
        let rows: Vec<Row> = self.rows.iter().filter(waits).cloned().collect();
        let Some(row) = (!rows.is_empty()).then(|| &rows[message % rows.len()]) else { return };
        let handling = [Handling::Phone, Handling::Superseded, Handling::Other][message % 3];
        let plan = ResolvePlan::of(vec![self.stored(row)], handling, untried);
        for action in plan.actions() {
            self.hand.asked.insert((row.id, row.state, State::Resolved));
            self.ask(&action);
        }
    }

    fn stored(&self, row: &Row) -> DeliveryRow {
        self.ground.store(0).delivery(row.id).expect("a working store").expect("a row")
    }

    /// What a person has sent again comes after others, and to the receiver a second time.
    pub(super) fn note_resent(&mut self, after: &[Row]) {
        for is in after {
            let resent = self.rows.iter().any(|was| was.id == is.id && was.state != is.state && self.hand.resends(was, is));
            if resent && self.hand.asked.remove(&asked_of(&self.rows, is)) {
                self.hand.resent.insert(is.id);
                self.receiver.expect(&is.destination, &is.message);
                *self.tally.entry("resent".to_owned()).or_default() += 1;
            }
        }
    }
}

fn asked_of(before: &[Row], is: &Row) -> (i64, State, State) {
    let was = before.iter().find(|was| was.id == is.id).map_or(is.state, |was| was.state);
    (is.id, was, is.state)
}
