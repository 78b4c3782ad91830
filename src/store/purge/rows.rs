//! Which rows are due, and how each goes.

use super::super::StoreFault;
use super::super::db::{Db, Row, Value, values};
use super::super::hold;
use super::super::seal::Form;
use super::{Before, Kind};
use crate::model::episode::Phase;
use crate::model::state::State;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Rows of one batch. The writer waits as long as one takes: some milliseconds.
const BATCH: usize = 100;
/// An episode brings its messages, tries and events along.
const BATCH_EPISODES: usize = 10;

/// A row, by what it is in the order of.
pub(super) type Place = (Value, Value);

/// Rows that are due: of a table as `t`, in the order of a column and of the number.
pub(super) struct Rows {
    pub(super) table: &'static str,
    pub(super) order: &'static str,
    /// The column that says how old they are.
    pub(super) age: &'static str,
    pub(super) due: String,
    pub(super) values: Vec<Value>,
}

/// How many rows went, and the last that was looked at; none where there are no more.
pub(super) fn batch(db: &dyn Db, kind: Kind, before: &Before, after: Option<Place>) -> Result<(u64, Option<Place>), StoreFault> {
    if db.is_shared() {
        // One at a time, whoever else has begun a run by hand.
        db.query("SELECT CAST(pg_advisory_xact_lock(8613) AS TEXT)", &[])?;
    } else if db.seals().form() != Form::Sealed {
        // What is deleted is written over: nothing is sealed, or something was not once.
        db.batch("PRAGMA secure_delete = ON")?;
    }
    let Rows { table, order, due, mut values, .. } = rows(db, kind, before)?;
    let limit = if kind == Kind::Episodes { BATCH_EPISODES } else { BATCH };
    let (at, id) = (values.len() + 1, values.len() + 2);
    let beyond = if after.is_some() { format!(" AND (t.{order}, t.id) > (?{at}, ?{id})") } else { String::new() };
    values.extend(after.into_iter().flat_map(|(order, id)| [order, id]));
    // What somebody is at work on is left to the next run.
    let lock = if db.is_shared() { " FOR UPDATE OF t SKIP LOCKED" } else { "" };
    let sql = format!("SELECT t.{order}, t.id FROM {table} AS t WHERE {due}{beyond} ORDER BY t.{order}, t.id LIMIT {limit}{lock}");
    let rows = db.query(&sql, &values)?;
    for row in &rows {
        go(db, kind, row.value(1), before.now)?;
    }
    let last = rows.last().map(|row| (row.value(0), row.value(1)));
    Ok((rows.len() as u64, last))
}

/// What is due of a kind.
pub(super) fn rows(db: &dyn Db, kind: Kind, before: &Before) -> Result<Rows, StoreFault> {
    let rows = |table, order, due: String, values: &[Value]| Rows { table, order, age: order, due, values: values.to_vec() };
    let of_episode = hold::free("t.episode_id");
    let unheld = hold::NONE;
    Ok(match kind {
        Kind::Content => {
            let due = format!(
                "t.purged_at IS NULL AND t.settled_at IS NOT NULL AND t.open = 0 AND t.state IN ({})
                 AND ((t.state = 'ACCEPTED' AND t.settled_at < ?1) OR (t.state <> 'ACCEPTED' AND t.settled_at < ?2)) AND {of_episode}",
                ends()
            );
            rows("delivery", "settled_at", due, values![before.accepted, before.ended])
        }
        Kind::Events => {
            // Its source has been told, unless it could not be for as long as anything is kept.
            let due = format!(
                "t.purged_at IS NULL AND t.received_at < ?1 AND (t.outcome_told >= t.outcome OR t.received_at < ?2)
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = t.id AND delivery.purged_at IS NULL) AND {of_episode}"
            );
            rows("event", "received_at", due, values![before.accepted, before.metadata])
        }
        Kind::Episodes => {
            let due = format!(
                "t.look_at IS NULL AND t.changed_at < ?1 AND t.phase IN ({}) AND {}
                 AND NOT EXISTS (SELECT 1 FROM event WHERE event.episode_id = t.id AND (event.purged_at IS NULL
                     OR EXISTS (SELECT 1 FROM delivery WHERE delivery.event_id = event.id AND delivery.purged_at IS NULL)))",
                over(),
                hold::free("t.id")
            );
            rows("episode", "changed_at", due, values![before.metadata])
        }
        Kind::Tombstones => {
            rows("event", "received_at", format!("t.fate IS NOT NULL AND t.received_at < ?1 AND {of_episode}"), values![before.tombstones])
        }
        Kind::Journal => {
            // It is written in the order of time: what is old stands before the first line that is not.
            let sql = "SELECT id FROM journal WHERE at >= ?1 ORDER BY id LIMIT 1";
            let end: i64 = db.one(sql, values![before.journal])?.map_or(Ok(i64::MAX), |row| row.get(0))?;
            let due = format!(
                "t.id < ?1 AND ((t.episode_id IS NULL AND {unheld}) OR (t.episode_id IS NOT NULL AND {of_episode}))
                 AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.message_id = t.message_id AND delivery.settled_at IS NULL)"
            );
            Rows { age: "at", ..rows("journal", "id", due, values![end]) }
        }
        Kind::Reasons => {
            rows("request", "done_at", format!("t.purged_at IS NULL AND t.done_at < ?1 AND {unheld}"), values![before.metadata])
        }
        Kind::Requests => rows("request", "done_at", format!("t.done_at < ?1 AND {unheld}"), values![before.audit]),
        Kind::Holds => rows("legal_hold", "lifted_at", "t.lifted_at < ?1".to_owned(), values![before.audit]),
        Kind::Files => return Err(StoreFault::Stopped),
    })
}

/// Takes one row away, or what it holds.
fn go(db: &dyn Db, kind: Kind, id: Value, now: Timestamp) -> Result<(), StoreFault> {
    let run = |sql: &str| db.execute(sql, std::slice::from_ref(&id)).map(drop);
    let (at, nothing) = (Value::from(now), Value::Bytes(Vec::new()));
    match kind {
        Kind::Content => {
            run("UPDATE attempt SET receipt = NULL WHERE delivery_id = ?1 AND receipt IS NOT NULL")?;
            let sql = "UPDATE delivery SET document = NULL, subject = NULL, receipt_at = NULL, purged_at = ?2 WHERE id = ?1";
            db.execute(sql, &[id, at]).map(drop)
        }
        Kind::Events => db.execute("UPDATE event SET body = ?3, origin = ?3, purged_at = ?2 WHERE id = ?1", &[id, at, nothing]).map(drop),
        Kind::Episodes => {
            let Value::Text(id) = id else { return Err(StoreFault::Damaged { table: "episode" }) };
            episode(db, &id)
        }
        Kind::Tombstones => run("DELETE FROM event WHERE id = ?1"),
        Kind::Journal => run("DELETE FROM journal WHERE id = ?1"),
        Kind::Reasons => db.execute("UPDATE request SET action = '', purged_at = ?2 WHERE id = ?1", &[id, at]).map(drop),
        Kind::Requests => run("DELETE FROM request WHERE id = ?1"),
        Kind::Holds => run("DELETE FROM legal_hold WHERE id = ?1"),
        Kind::Files => Ok(()),
    }
}

/// An episode goes whole; its events stay as tombstones.
fn episode(db: &dyn Db, id: &str) -> Result<(), StoreFault> {
    let sql = "SELECT e.id, d.state, d.sequence FROM event e LEFT JOIN delivery d ON d.event_id = e.id
         WHERE e.episode_id = ?1 AND e.fate IS NULL ORDER BY e.id, d.state";
    let read = |row: &Row| Ok((row.get(0)?, row.maybe(1)?, row.maybe(2)?));
    let mut fates: BTreeMap<i64, (Vec<String>, Option<i64>)> = BTreeMap::new();
    for (event, state, number) in db.list::<(i64, Option<String>, Option<i64>)>(sql, values![id], read)? {
        let (states, last) = fates.entry(event).or_default();
        states.extend(state);
        *last = number.max(*last);
    }
    for (event, (mut states, last)) in fates {
        states.dedup();
        db.execute("DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE event_id = ?1)", values![event])?;
        db.execute("DELETE FROM delivery WHERE event_id = ?1", values![event])?;
        db.execute("UPDATE event SET fate = ?2, last_number = ?3 WHERE id = ?1", values![event, states.join(" "), last])?;
    }
    db.execute("DELETE FROM episode_patient WHERE episode_id = ?1", values![id])?;
    db.execute("DELETE FROM episode WHERE id = ?1", values![id]).map(drop)
}

/// The states that are ends, for a statement.
fn ends() -> String {
    quoted(State::VALUES.iter().filter(|value| State::parse(value.code).is_some_and(State::is_end)).map(|value| value.code))
}

/// The phases in which nothing more is expected; an episode of which nothing is known to have begun is as good as over.
fn over() -> String {
    let over = |phase: Phase| phase.is_over() || phase == Phase::New;
    quoted(Phase::VALUES.iter().filter(|value| Phase::parse(value.code).is_some_and(over)).map(|value| value.code))
}

fn quoted(codes: impl Iterator<Item = &'static str>) -> String {
    codes.map(|code| format!("'{code}'")).collect::<Vec<_>>().join(", ")
}
