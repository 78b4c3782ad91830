//! The queue: claim the heads of lanes, finish them, and let the next one of the lane come forward.

use super::audit::{self, About};
use super::commit::{findings_json, promote, raise_outcome, write_line};
use super::db::{Db, Row, values};
use super::seal::{DOCUMENT, RECEIPT, RECEIPT_AT, Sealer};
use super::{Attempt, Claimed, Claims, Finish, Room, Store, StoreFault, Waiting};
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
    /// Takes deliveries that are due, as many as there is room for, under a lease. In one statement, so that two workers never
    /// take the same; the try is counted here, so that one which kills the process is not tried for ever.
    pub async fn claim(
        &self,
        destination: Name,
        now: Timestamp,
        lease_until: Timestamp,
        token: [u8; 16],
        room: Room,
    ) -> Result<Claims, StoreFault> {
        self.write(move |db| {
            let lease = Lease { destination: &destination, now, until: lease_until, token };
            let mut claims = Claims { claimed: Vec::new(), next_due: None };
            for (kind, limit) in [(SENDS, room.sends), (ASKS, room.asks)] {
                if limit == 0 {
                    continue;
                }
                claims.claimed.extend(claim(db, &lease, kind, limit)?);
                let sql = format!("SELECT MIN(next_at) FROM delivery WHERE head = 1 AND {kind} AND destination = ?1 AND next_at > ?2");
                let next = db.one(&sql, values![destination.as_str(), now])?;
                let next = next.map(|row| row.maybe(0)).transpose()?.flatten();
                claims.next_due = [claims.next_due, next].into_iter().flatten().min();
            }
            Ok(claims)
        })
        .await
    }

    /// Writes what became of a claimed delivery. False where the lease had passed to somebody else: then nothing changes.
    pub async fn finish(&self, finish: Finish) -> Result<bool, StoreFault> {
        let finished = self.write(move |db| {
            let sealer = Sealer::hold(db)?;
            let Some(Settled { episode, destination, attempts, about }) = settle(db, &sealer, &finish)? else { return Ok(false) };
            // One that does not count has its number all the same.
            let n = attempts + u32::from(finish.unburn);
            if let Some(attempt) = &finish.attempt {
                write_attempt(db, &sealer, finish.id, n, attempt)?;
            }
            if !finish.state.in_lane() {
                promote(db, &episode, &destination)?;
            }
            // A try that changes nothing for anybody has no line, and one that only met a closed route is not told to the source.
            if !finish.unburn && !finish.lines.is_empty() {
                raise_outcome(db, finish.id)?;
            }
            for line in &finish.lines {
                write_line(db, line)?;
            }
            audit::append(db, &sealer, audit::of_finish(db, &about, n, &finish)?.as_slice())?;
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

    /// Deliveries that are planned for later than can be fall due now.
    pub async fn set_right(
        &self,
        destination: Name,
        now: Timestamp,
        lease_max: Timestamp,
        resend_max: Timestamp,
    ) -> Result<usize, StoreFault> {
        self.write(move |db| {
            db.execute(
                "UPDATE delivery SET next_at = ?2 WHERE head = 1 AND destination = ?1 AND next_at > ?2 AND (state = 'SCHEDULED'
                 OR (state = 'SUBMITTED' AND next_at > ?3) OR (state IN ('SCHEDULED_FOR_RESEND', 'WAITING_FOR_RECEIPT') AND next_at > ?4))",
                values![destination.as_str(), now, lease_max, resend_max],
            )
        })
        .await
    }
}

/// To be sent, for the first time or again.
const SENDS: &str = "receipt_by IS NULL";
/// Sent; the receipt is to be asked for.
const ASKS: &str = "receipt_by IS NOT NULL";
/// The worker that had it never wrote what came of it: it may have been sent.
pub(super) const UNANSWERED: &str = "unanswered";

struct Lease<'a> {
    destination: &'a Name,
    now: Timestamp,
    until: Timestamp,
    token: [u8; 16],
}

fn claim(db: &dyn Db, lease: &Lease<'_>, kind: &str, limit: usize) -> Result<Vec<Claimed>, StoreFault> {
    // Two replicas never wait for each other's rows: each takes others. What is taken is chosen once, and for good: left to
    // itself, PostgreSQL may choose anew for every row that it looks at, and the limit is none.
    let skip = if db.is_shared() { " FOR UPDATE SKIP LOCKED" } else { "" };
    let tried = if kind == SENDS {
        format!(
            "last_answer = CASE WHEN state = 'SUBMITTED' THEN '{UNANSWERED}' ELSE last_answer END, state = 'SUBMITTED', attempts = attempts + 1,"
        )
    } else {
        String::new()
    };
    let sql = format!(
        "WITH due AS MATERIALIZED
            (SELECT id FROM delivery WHERE head = 1 AND {kind} AND destination = ?1 AND next_at <= ?2 ORDER BY next_at, id LIMIT ?5{skip})
         UPDATE delivery SET {tried} lease_token = ?4, lease_until = ?3, next_at = ?3 WHERE id IN (SELECT id FROM due)
         RETURNING id, message_id, episode_id, attempts, released_at, document, content_hash, last_answer, tried_at,
            (SELECT key FROM event WHERE event.id = event_id), receipt_by, receipt_at, attempts - attempts_before, doubt, destination"
    );
    let rows = db.query(&sql, values![lease.destination.as_str(), lease.now, lease.until, lease.token, limit])?;
    let mut out = Vec::new();
    for row in rows {
        match claimed(db, &row, lease) {
            Ok(claimed) => out.push(claimed),
            // Nothing is wrong with the row; this process lacks what opens it.
            Err(StoreFault::NoKey) => return Err(StoreFault::NoKey),
            Err(_) => park_damaged(db, row.get(0).unwrap_or(0), lease.now)?,
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

fn claimed(db: &dyn Db, row: &Row, lease: &Lease<'_>) -> Result<Claimed, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "delivery" };
    let uuid = |column: usize| -> Result<Uuid, StoreFault> { Uuid::try_parse(&row.get::<String>(column)?).map_err(|_| damaged()) };
    Ok(Claimed {
        id: row.get(0)?,
        token: lease.token,
        until: lease.until,
        message: MessageId(uuid(1)?),
        episode: EpisodeId(uuid(2)?),
        attempt: row.get(3)?,
        turn: row.get(12)?,
        released_at: row.get(4)?,
        content: DOCUMENT.maybe(db, row, 5, &PLACE)?.unwrap_or_else(|| Personal::new(Vec::new())),
        hash: row.maybe(6)?.unwrap_or_default(),
        last_answer: row.maybe(7)?,
        tried_at: row.maybe(8)?,
        in_doubt: row.get(13)?,
        event_ref: Ref::parse(&row.get::<String>(9)?).ok_or_else(damaged)?,
        waiting: row
            .maybe(10)?
            .map(|until| Ok::<_, StoreFault>(Waiting { until, place: RECEIPT_AT.text(db, row, 11, &PLACE)? }))
            .transpose()?,
    })
}

/// Where a claimed row has what its values are sealed to.
const PLACE: [usize; 2] = [1, 14];

struct Settled {
    episode: String,
    destination: String,
    attempts: u32,
    /// As it was before.
    about: About,
}

fn settle(db: &dyn Db, sealer: &Sealer<'_>, finish: &Finish) -> Result<Option<Settled>, StoreFault> {
    let in_lane = finish.state.in_lane();
    let row = db.one(&format!("SELECT {} FROM delivery WHERE id = ?1", About::COLUMNS), values![finish.id])?;
    let Some(row) = row else { return Ok(None) };
    db.lock_episode(&row.get::<String>(2)?)?;
    let about = About::read(db, &row)?;
    let ask_at = finish.waiting.as_ref().and_then(|waiting| waiting.place.as_ref());
    let ask_at = sealer.maybe(&RECEIPT_AT, &[row.value(0), row.value(1)], ask_at)?;
    let found = db.one(
        "UPDATE delivery SET state = ?3, open = ?4, head = head * ?4, next_at = ?5, lease_until = NULL, lease_token = NULL, attempts = attempts - ?6,
            last_answer = ?7, code = ?8, findings = ?9, settled_at = ?10, tried_at = ?11, receipt_by = ?12, receipt_at = ?13, doubt = ?14 WHERE id = ?1 AND lease_token = ?2 RETURNING episode_id, destination, attempts",
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
            finish.waiting.as_ref().map(|waiting| waiting.until),
            ask_at,
            finish.in_doubt,
        ],
    )?;
    found.map(|row| Ok(Settled { episode: row.get(0)?, destination: row.get(1)?, attempts: row.get(2)?, about })).transpose()
}

/// `n` is the try's number.
pub(super) fn write_attempt(db: &dyn Db, sealer: &Sealer<'_>, delivery: i64, n: u32, attempt: &Attempt) -> Result<(), StoreFault> {
    let receipt = sealer.maybe(&RECEIPT, values![delivery, n, attempt.started_at], attempt.receipt.as_ref())?;
    db.execute(
        "INSERT INTO attempt (delivery_id, n, envelope_id, started_at, duration_ms, answer, code, http_status, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        values![
            delivery,
            n,
            attempt.envelope.map(|id| id.to_string()).unwrap_or_default(),
            attempt.started_at,
            attempt.duration_ms,
            attempt.answer,
            attempt.code,
            attempt.http_status,
            receipt,
        ],
    )?;
    Ok(())
}
