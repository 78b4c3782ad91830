//! The queue: claim the heads of lanes, finish them, and let the next one of the lane come forward.

use super::commit::{findings_json, promote, raise_outcome, write_line};
use super::db::{Db, Row, values};
use super::{Attempt, Claimed, Claims, Finish, Store, StoreFault};
use crate::fault::Code;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::oplog::{Event, Level, Line};
use jiff::Timestamp;
use uuid::Uuid;

impl Store {
    /// Takes at most `limit` deliveries that are due, under a lease. In one statement, so that two workers never take the
    /// same; the try is counted here, so that one which kills the process is not tried for ever.
    pub async fn claim(
        &self,
        destination: Name,
        now: Timestamp,
        lease_until: Timestamp,
        token: [u8; 16],
        limit: usize,
    ) -> Result<Claims, StoreFault> {
        self.write(move |db| {
            let claimed = if limit == 0 { Vec::new() } else { claim(db, &destination, now, lease_until, token, limit)? };
            let from = if limit == 0 { i64::MIN } else { now.as_millisecond() };
            let next = db.one(
                "SELECT MIN(next_at) FROM delivery WHERE head = 1 AND destination = ?1 AND next_at > ?2",
                values![destination.as_str(), from],
            )?;
            let next_due = next.map(|row| row.maybe(0)).transpose()?.flatten();
            Ok(Claims { claimed, next_due })
        })
        .await
    }

    /// Writes what became of a claimed delivery. False where the lease had passed to somebody else: then nothing changes.
    pub async fn finish(&self, finish: Finish) -> Result<bool, StoreFault> {
        let finished = self.write(move |db| {
            let Some((episode, destination)) = settle(db, &finish)? else { return Ok(false) };
            if let Some(attempt) = &finish.attempt {
                write_attempt(db, &finish, attempt)?;
            }
            if !finish.state.in_lane() {
                promote(db, &episode, &destination)?;
            }
            if !finish.unburn {
                raise_outcome(db, finish.id)?;
            }
            for line in &finish.lines {
                write_line(db, line)?;
            }
            Ok(true)
        });
        let ours = finished.await?;
        self.ring();
        Ok(ours)
    }

    /// Deliveries whose answer was lost fall due now: the route is open again.
    pub async fn hurry(&self, destination: Name, now: Timestamp) -> Result<usize, StoreFault> {
        self.write(move |db| {
            db.execute(
                "UPDATE delivery SET next_at = ?2 WHERE head = 1 AND destination = ?1 AND next_at > ?2
                 AND state = 'SCHEDULED_FOR_RESEND' AND last_answer = 'lost'",
                values![destination.as_str(), now],
            )
        })
        .await
    }

    /// Opens an alarm. False where it was open already.
    pub async fn open_alarm(
        &self,
        name: &'static str,
        subject: String,
        code: &'static str,
        at: Timestamp,
        line: Line,
    ) -> Result<bool, StoreFault> {
        self.write(move |db| {
            let rows = db.execute(
                "INSERT INTO alarm (name, subject, code, opened_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                values![name, subject, code, at],
            )?;
            if rows == 1 {
                write_line(db, &line)?;
            }
            Ok(rows == 1)
        })
        .await
    }

    /// Closes an alarm. False where none was open.
    pub async fn close_alarm(&self, name: &'static str, subject: String, line: Line) -> Result<bool, StoreFault> {
        self.write(move |db| {
            let rows = db.execute("DELETE FROM alarm WHERE name = ?1 AND subject = ?2", values![name, subject])?;
            if rows == 1 {
                write_line(db, &line)?;
            }
            Ok(rows == 1)
        })
        .await
    }
}

fn claim(
    db: &dyn Db,
    destination: &Name,
    now: Timestamp,
    lease_until: Timestamp,
    token: [u8; 16],
    limit: usize,
) -> Result<Vec<Claimed>, StoreFault> {
    // Two replicas never wait for each other's rows: each takes others.
    let skip = if db.is_shared() { " FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "UPDATE delivery SET state = 'SUBMITTED', attempts = attempts + 1, lease_token = ?4, lease_until = ?3, next_at = ?3
         WHERE id IN (SELECT id FROM delivery WHERE head = 1 AND destination = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?5{skip})
         RETURNING id, message_id, episode_id, attempts, released_at, document, content_hash, last_answer, tried_at,
            (SELECT key FROM event WHERE event.id = event_id)"
    );
    let rows = db.query(&sql, values![destination.as_str(), now, lease_until, token, limit])?;
    let mut out = Vec::new();
    for row in rows {
        match claimed(&row, token) {
            Ok(claimed) => out.push(claimed),
            Err(id) => park_damaged(db, id, now)?,
        }
    }
    debug_assert!(out.len() <= limit);
    out.sort_by_key(|claimed| claimed.id);
    Ok(out)
}

/// A row that cannot be read is set aside, and nothing else with it.
fn park_damaged(db: &dyn Db, id: i64, now: Timestamp) -> Result<(), StoreFault> {
    let row = db.one(
        "UPDATE delivery SET state = 'PARKED', open = 0, head = 0, next_at = NULL, lease_token = NULL, lease_until = NULL, code = ?2
         WHERE id = ?1 RETURNING CAST(episode_id AS TEXT), CAST(destination AS TEXT)",
        values![id, Code::DlvCorrupt.id()],
    )?;
    let Some(row) = row else { return Ok(()) };
    let (episode, destination): (String, String) = (row.get(0)?, row.get(1)?);
    promote(db, &episode, &destination)?;
    let mut line = Line::new(now, Level::Error, Event::DeliveryParked).code(Code::DlvCorrupt);
    line.state = Some(State::Parked);
    line.destination = Name::parse(&destination);
    write_line(db, &line)?;
    line.emit();
    Ok(())
}

/// The claimed delivery, or the row that is damaged.
fn claimed(row: &Row, token: [u8; 16]) -> Result<Claimed, i64> {
    decode(row, token).map_err(|_| row.get(0).unwrap_or(0))
}

fn decode(row: &Row, token: [u8; 16]) -> Result<Claimed, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "delivery" };
    let uuid = |column: usize| -> Result<Uuid, StoreFault> { Uuid::try_parse(&row.get::<String>(column)?).map_err(|_| damaged()) };
    Ok(Claimed {
        id: row.get(0)?,
        token,
        message: MessageId(uuid(1)?),
        episode: EpisodeId(uuid(2)?),
        attempt: row.get(3)?,
        released_at: row.get(4)?,
        content: Personal::new(row.maybe(5)?.unwrap_or_default()),
        hash: row.maybe(6)?.unwrap_or_default(),
        last_answer: row.maybe(7)?,
        tried_at: row.maybe(8)?,
        event_ref: Ref::parse(&row.get::<String>(9)?).ok_or_else(damaged)?,
    })
}

fn settle(db: &dyn Db, finish: &Finish) -> Result<Option<(String, String)>, StoreFault> {
    let in_lane = finish.state.in_lane();
    if let Some(row) = db.one("SELECT episode_id FROM delivery WHERE id = ?1", values![finish.id])? {
        db.lock_episode(&row.get::<String>(0)?)?;
    }
    let found = db.one(
        "UPDATE delivery SET state = ?3, open = ?4, head = ?4, next_at = ?5, lease_until = NULL, lease_token = NULL, attempts = attempts - ?6,
            last_answer = ?7, code = ?8, findings = ?9, settled_at = ?10, tried_at = ?11 WHERE id = ?1 AND lease_token = ?2 RETURNING episode_id, destination",
        values![
            finish.id,
            finish.token,
            finish.state.code(),
            in_lane,
            finish.next_at.filter(|_| in_lane),
            u32::from(finish.unburn),
            finish.attempt.as_ref().map(|attempt| attempt.answer),
            finish.code,
            findings_json(&finish.findings),
            finish.state.is_end().then_some(finish.at),
            finish.at,
        ],
    )?;
    found.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
}

#[expect(clippy::disallowed_methods, reason = "the store keeps the receipt")]
fn write_attempt(db: &dyn Db, finish: &Finish, attempt: &Attempt) -> Result<(), StoreFault> {
    db.execute(
        "INSERT INTO attempt (delivery_id, n, envelope_id, started_at, duration_ms, answer, code, http_status, receipt)
         SELECT id, attempts + ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM delivery WHERE id = ?1 ON CONFLICT DO NOTHING",
        values![
            finish.id,
            u32::from(finish.unburn),
            attempt.envelope.to_string(),
            attempt.started_at,
            attempt.duration_ms,
            attempt.answer,
            attempt.code,
            attempt.http_status,
            attempt.receipt.as_ref().map(Personal::disclose),
        ],
    )?;
    Ok(())
}
