//! Receipts that come by themselves: weighed against what was sent, and written, in one transaction.

use super::commit::{findings_json, promote, raise_outcome, write_line};
use super::db::{Db, values};
use super::queue::write_attempt;
use super::seal::Sealer;
use super::{Attempt, Store, StoreFault, audit};
use crate::model::finding::Finding;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::receipt::ContentHash;
use crate::model::state::State;
use crate::oplog::Line;
use jiff::Timestamp;
use uuid::Uuid;

/// Most tries and receipts that are kept of one delivery; a receiver may send the same again and again.
const KEPT_MAX: u32 = 1_000;

/// A delivery, as far as a receipt is weighed against it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub state: State,
    pub episode: EpisodeId,
    pub event_ref: Ref,
    /// It has left at least once, or may have.
    pub has_left: bool,
    pub hash: Option<ContentHash>,
}

/// What a receipt does to a delivery.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// Its new state; None where it only is kept beside.
    pub to: Option<State>,
    /// When it falls due again, where it stays in its lane.
    pub next_at: Option<Timestamp>,
    pub code: Option<&'static str>,
    pub findings: Vec<Finding>,
    /// None where nothing is kept.
    pub attempt: Option<Attempt>,
    pub at: Timestamp,
    pub line: Option<Line>,
}

impl Store {
    /// Weighs a receipt by `weigh` and writes what follows, unless it refuses. Whoever has the delivery under way then changes
    /// nothing any more. None where there is no such delivery. For a thread that may wait.
    pub fn take_receipt<E: Send + 'static>(
        &self,
        message: MessageId,
        destination: Name,
        weigh: impl FnOnce(&Sent) -> Result<Weighed, E> + Send + 'static,
    ) -> Result<Option<Result<Weighed, E>>, StoreFault> {
        let taken = self.write_blocking(move |db| {
            let key = values![message.to_string(), destination.as_str()];
            let Some(row) = db.one("SELECT episode_id FROM delivery WHERE message_id = ?1 AND destination = ?2", key)? else {
                return Ok(None);
            };
            let episode: String = row.get(0)?;
            db.lock_episode(&episode)?;
            let sealer = Sealer::hold(db)?;
            let Some((id, attempts, sent)) = sent(db, message, &destination)? else { return Ok(None) };
            let weighed = weigh(&sent);
            if let Ok(weighed) = &weighed {
                write(db, &sealer, (id, attempts), (&episode, destination.as_str()), weighed)?;
            }
            Ok(Some(weighed))
        });
        let taken = taken?;
        self.ring();
        Ok(taken)
    }
}

fn sent(db: &dyn Db, message: MessageId, destination: &Name) -> Result<Option<(i64, u32, Sent)>, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "delivery" };
    let row = db.one(
        "SELECT id, state, episode_id, attempts, last_answer, content_hash, (SELECT key FROM event WHERE event.id = event_id), doubt
         FROM delivery WHERE message_id = ?1 AND destination = ?2",
        values![message.to_string(), destination.as_str()],
    )?;
    row.map(|row| {
        let (attempts, last_answer, hash): (u32, Option<String>, Option<Vec<u8>>) = (row.get(3)?, row.maybe(4)?, row.maybe(5)?);
        let sent = Sent {
            state: State::parse(&row.get::<String>(1)?).ok_or_else(damaged)?,
            episode: Uuid::try_parse(&row.get::<String>(2)?).map(EpisodeId).map_err(|_| damaged())?,
            event_ref: Ref::parse(&row.get::<String>(6)?).ok_or_else(damaged)?,
            has_left: attempts > 0 || last_answer.is_some() || (row.get(7)? && hash.is_some()),
            hash: hash.as_deref().and_then(ContentHash::from_bytes),
        };
        Ok((row.get(0)?, attempts, sent))
    })
    .transpose()
}

fn write(db: &dyn Db, sealer: &Sealer<'_>, (id, attempts): (i64, u32), lane: (&str, &str), weighed: &Weighed) -> Result<(), StoreFault> {
    if let Some(to) = weighed.to {
        let in_lane = to.in_lane();
        db.execute(
            "UPDATE delivery SET state = ?2, open = ?3, head = head * ?3, next_at = ?4, lease_until = NULL,
                lease_token = NULL, last_answer = ?5, code = ?6, findings = ?7, settled_at = ?8, receipt_by = NULL, receipt_at = NULL, doubt = doubt * ?3 WHERE id = ?1",
            values![
                id,
                to.code(),
                in_lane,
                weighed.next_at.filter(|_| in_lane),
                weighed.attempt.as_ref().map(|attempt| attempt.answer),
                weighed.code,
                findings_json(&weighed.findings),
                to.is_end().then_some(weighed.at),
            ],
        )?;
        if !in_lane {
            promote(db, lane.0, lane.1)?;
        }
        raise_outcome(db, id)?;
    }
    let kept: u32 = db.one("SELECT COUNT(*) FROM attempt WHERE delivery_id = ?1", values![id])?.map_or(Ok(0), |row| row.get(0))?;
    if let Some(attempt) = weighed.attempt.as_ref().filter(|_| kept < KEPT_MAX) {
        let mut attempt = attempt.clone();
        if is_purged(db, id)? {
            attempt.receipt = None;
        }
        write_attempt(db, sealer, id, attempts, &attempt)?;
        if let Some(line) = &weighed.line {
            write_line(db, line)?;
        }
        audit::append(db, sealer, audit::of_receipt(db, id, weighed.at, &attempt)?.as_slice())?;
    }
    Ok(())
}

/// A receipt that comes after the content has gone is counted, and its own content not kept.
fn is_purged(db: &dyn Db, id: i64) -> Result<bool, StoreFault> {
    Ok(db.one("SELECT 1 FROM delivery WHERE id = ?1 AND purged_at IS NOT NULL", values![id])?.is_some())
}
