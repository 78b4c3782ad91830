//! A backup, and its being put back: the store forgets, the receiver does not, and sources have again what is newer.

use super::World;
use crate::checks::Hand;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What was before, as far as restores have made the store forget it.
#[derive(Default)]
pub(super) struct Past {
    backup: Option<Backup>,
    /// Events whose files lie in their folder again, oldest first.
    again: Vec<usize>,
    restored_at: Option<Timestamp>,
    /// Message and episode of each delivery by its event's file, its kind and where it goes.
    ids: BTreeMap<[String; 3], [String; 2]>,
    /// The highest number that was given out in each lane before the last restore.
    numbers: BTreeMap<(String, String), i64>,
    /// Rows of the backup that had their numbers already.
    numbered: BTreeSet<i64>,
}

/// What the test knew when a backup was made.
struct Backup {
    taken: BTreeSet<usize>,
    hand: Hand,
}

impl World<'_> {
    pub(super) fn back_up(&mut self) {
        if self.ground.is_one_process() {
            // What makes the store fail is kept in it.
            self.ground.probe.break_at(None);
            self.ground.back_up(self.now());
            self.ground.probe.break_at(self.broken);
            self.past.backup = Some(Backup { taken: self.taken.clone(), hand: self.hand.clone() });
        }
    }

    pub(super) fn restore(&mut self, at_once: bool) -> Result<(), String> {
        let Some(backup) = &self.past.backup else { return Ok(()) };
        let (taken, hand) = (backup.taken.clone(), backup.hand.clone());
        self.mend();
        self.remember()?;
        let order = self.ground.probe.texts("SELECT origin FROM event ORDER BY id");
        for row in &self.rows {
            let highest = self.past.numbers.entry((row.episode.clone(), row.destination.clone())).or_default();
            *highest = (*highest).max(row.sequence.unwrap_or(0));
        }
        let replicas = self.replicas.len();
        self.flights.clear();
        self.replicas.clear();
        // Nobody does it in less.
        self.clock.pass(SignedDuration::from_mins(1));
        self.ground.put_back(self.now());
        self.mend();
        self.receiver.forgotten();
        self.replicas = (0..replicas).map(|number| self.start(number)).collect();

        (self.taken, self.hand) = (taken, hand);
        self.recount()?;
        let place = |name: &String| self.pool.iter().position(|event| event.name == *name);
        let mut again: Vec<usize> = order.iter().filter_map(place).filter(|event| !self.taken.contains(event)).collect();
        again.append(&mut self.past.again);
        self.past.again = again;
        self.past.restored_at = Some(self.now());
        self.rows = self.ground.probe.rows();
        self.past.numbered = self.rows.iter().filter(|row| row.sequence.is_some()).map(|row| row.id).collect();
        if let Some(sure) = self.rows.iter().find(|row| !row.state.is_end() && !row.in_doubt) {
            return Err(format!("nobody doubts {sure:?} after a restore"));
        }
        *self.tally.entry("restored".to_owned()).or_default() += 1;
        if at_once { self.read_again() } else { Ok(()) }
    }

    /// Sources read what was laid back, in its order, before anything else. Nobody lays it there while the store fails.
    pub(super) fn read_again(&mut self) -> Result<(), String> {
        let again = std::mem::take(&mut self.past.again);
        if again.is_empty() {
            return Ok(());
        }
        self.mend();
        *self.tally.entry("read again".to_owned()).or_default() += again.len();
        self.arrive(0, &again, true)
    }

    /// A message has its id and its episode for good, whatever the store has forgotten: so the receiver knows a repeat.
    pub(super) fn remember(&mut self) -> Result<(), String> {
        if self.past.backup.is_none() {
            return Ok(());
        }
        let sql = "SELECT e.origin, d.kind, d.destination, d.message_id, d.episode_id FROM delivery d JOIN event e ON e.id = d.event_id";
        for cells in self.ground.probe.query(sql) {
            let Ok([origin, kind, destination, message, episode]) = <[Option<String>; 5]>::try_from(cells) else { continue };
            let text = |cell: Option<String>| cell.unwrap_or_default();
            let (key, ids) = ([text(origin), text(kind), text(destination)], [text(message), text(episode)]);
            let before = self.past.ids.entry(key.clone()).or_insert_with(|| ids.clone());
            if *before != ids {
                return Err(format!("the message of {key:?} was {before:?} before a restore, and is {ids:?}"));
            }
        }
        Ok(())
    }

    /// Numbers go on above all that were given out before.
    pub(super) fn check_numbers(&self) -> Result<(), String> {
        if !self.back.is_zero() {
            return Ok(());
        }
        for row in self.rows.iter().filter(|row| !self.past.numbered.contains(&row.id)) {
            let highest = self.past.numbers.get(&(row.episode.clone(), row.destination.clone()));
            if let Some((highest, number)) = highest.zip(row.sequence).filter(|(highest, number)| number <= highest) {
                return Err(format!("{} has the number {number} after a restore, and {highest} was given out before", row.message));
            }
        }
        Ok(())
    }

    /// A moment of which no restore makes anybody doubt, where there was one.
    pub(super) fn after_restore(&mut self) -> Option<Timestamp> {
        let after = self.past.restored_at? + SignedDuration::from_mins(11);
        self.clock.pass(after.duration_since(self.now()).max(SignedDuration::ZERO));
        Some(after)
    }
}
