//! The queue: claim the heads of lanes, finish them, and let the next one of the lane come forward.

use super::commit::{findings_json, promote, raise_outcome, write_line};
use super::{Attempt, Claimed, Claims, Finish, Store, StoreFault};
use crate::fault::Code;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::oplog::{Event, Level, Line};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
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
            let next_due: Option<i64> = db
                .prepare_cached("SELECT MIN(next_at) FROM delivery WHERE head = 1 AND destination = ?1 AND next_at > ?2")?
                .query_row(params![destination.as_str(), if limit == 0 { i64::MIN } else { now.as_millisecond() }], |row| row.get(0))?;
            let next_due = next_due.map(timestamp).transpose()?;
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
            let rows = db
                .prepare_cached(
                    "UPDATE delivery SET next_at = ?2 WHERE head = 1 AND destination = ?1 AND next_at > ?2
                     AND state = 'SCHEDULED_FOR_RESEND' AND last_answer = 'lost'",
                )?
                .execute(params![destination.as_str(), now.as_millisecond()])?;
            Ok(rows)
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
            let rows = db
                .prepare_cached("INSERT INTO alarm (name, subject, code, opened_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")?
                .execute(params![name, subject, code, at.as_millisecond()])?;
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
            let rows = db.prepare_cached("DELETE FROM alarm WHERE name = ?1 AND subject = ?2")?.execute(params![name, subject])?;
            if rows == 1 {
                write_line(db, &line)?;
            }
            Ok(rows == 1)
        })
        .await
    }
}

fn claim(
    db: &Connection,
    destination: &Name,
    now: Timestamp,
    lease_until: Timestamp,
    token: [u8; 16],
    limit: usize,
) -> Result<Vec<Claimed>, StoreFault> {
    let mut statement = db.prepare_cached(
        "UPDATE delivery SET state = 'SUBMITTED', attempts = attempts + 1, lease_token = ?4, lease_until = ?3, next_at = ?3
         WHERE id IN (SELECT id FROM delivery WHERE head = 1 AND destination = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?5)
         RETURNING id, message_id, episode_id, attempts, released_at, document, content_hash, last_answer, tried_at,
            (SELECT key FROM event WHERE event.id = event_id)",
    )?;
    let rows = statement.query_map(
        params![destination.as_str(), now.as_millisecond(), lease_until.as_millisecond(), token, i64::try_from(limit).unwrap_or(1)],
        |row| Ok(claimed(row, token)),
    )?;
    let mut out = Vec::new();
    for row in rows {
        match row? {
            Ok(claimed) => out.push(claimed),
            Err(id) => park_damaged(db, id, now)?,
        }
    }
    debug_assert!(out.len() <= limit);
    out.sort_by_key(|claimed| claimed.id);
    Ok(out)
}

/// A row that cannot be read is set aside, and nothing else with it.
fn park_damaged(db: &Connection, id: i64, now: Timestamp) -> Result<(), StoreFault> {
    let (episode, destination): (String, String) = db
        .prepare_cached(
            "UPDATE delivery SET state = 'PARKED', open = 0, head = 0, next_at = NULL, lease_token = NULL, lease_until = NULL, code = ?2
             WHERE id = ?1 RETURNING CAST(episode_id AS TEXT), CAST(destination AS TEXT)",
        )?
        .query_row(params![id, Code::DlvCorrupt.id()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    promote(db, &episode, &destination)?;
    let mut line = Line::new(now, Level::Error, Event::DeliveryParked).code(Code::DlvCorrupt);
    line.state = Some(State::Parked);
    line.destination = Name::parse(&destination);
    write_line(db, &line)?;
    line.emit();
    Ok(())
}

/// The claimed delivery, or the row that is damaged.
fn claimed(row: &Row<'_>, token: [u8; 16]) -> Result<Claimed, i64> {
    decode(row, token).map_err(|_| row.get(0).unwrap_or(0))
}

fn decode(row: &Row<'_>, token: [u8; 16]) -> Result<Claimed, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "delivery" };
    let uuid = |column: usize| -> Result<Uuid, StoreFault> { Uuid::try_parse(&row.get::<_, String>(column)?).map_err(|_| damaged()) };
    Ok(Claimed {
        id: row.get(0)?,
        token,
        message: MessageId(uuid(1)?),
        episode: EpisodeId(uuid(2)?),
        attempt: row.get(3)?,
        released_at: timestamp(row.get(4)?)?,
        content: Personal::new(row.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default()),
        hash: row.get::<_, Option<Vec<u8>>>(6)?.unwrap_or_default(),
        last_answer: row.get(7)?,
        tried_at: row.get::<_, Option<i64>>(8)?.map(timestamp).transpose()?,
        event_ref: Ref::parse(&row.get::<_, String>(9)?).ok_or_else(damaged)?,
    })
}

fn settle(db: &Connection, finish: &Finish) -> Result<Option<(String, String)>, StoreFault> {
    let in_lane = finish.state.in_lane();
    let found = db
        .prepare_cached(
            "UPDATE delivery SET state = ?3, open = ?4, head = ?4, next_at = ?5, lease_until = NULL, lease_token = NULL, attempts = attempts - ?6,
                last_answer = ?7, code = ?8, findings = ?9, settled_at = ?10, tried_at = ?11 WHERE id = ?1 AND lease_token = ?2 RETURNING episode_id, destination",
        )?
        .query_row(
            params![
                finish.id,
                finish.token,
                finish.state.code(),
                in_lane,
                finish.next_at.filter(|_| in_lane).map(Timestamp::as_millisecond),
                u32::from(finish.unburn),
                finish.attempt.as_ref().map(|attempt| attempt.answer),
                finish.code,
                findings_json(&finish.findings),
                finish.state.is_end().then_some(finish.at.as_millisecond()),
                finish.at.as_millisecond(),
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(found)
}

#[expect(clippy::disallowed_methods, reason = "the store keeps the receipt")]
fn write_attempt(db: &Connection, finish: &Finish, attempt: &Attempt) -> Result<(), StoreFault> {
    db.prepare_cached(
        "INSERT INTO attempt (delivery_id, n, envelope_id, started_at, duration_ms, answer, code, http_status, receipt)
         SELECT ?1, attempts + ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM delivery WHERE id = ?1 ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        finish.id,
        u32::from(finish.unburn),
        attempt.envelope.to_string(),
        attempt.started_at.as_millisecond(),
        i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX),
        attempt.answer,
        attempt.code,
        attempt.http_status,
        attempt.receipt.as_ref().map(super::super::model::personal::Personal::disclose),
    ])?;
    Ok(())
}

pub(super) fn timestamp(millis: i64) -> Result<Timestamp, StoreFault> {
    Timestamp::from_millisecond(millis).map_err(|_| StoreFault::Damaged { table: "?" })
}
