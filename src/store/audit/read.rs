//! What is read from the audit log.

use super::super::db::{Db, Row, values};
use super::super::export::hex;
use super::super::seal::AUDIT_BODY;
use super::super::{Store, StoreFault};
use super::Kind;
use super::chain::Mac;
use crate::model::keyed::Ref;
use crate::model::personal::Personal;
use jiff::Timestamp;
use serde_json::Value;

/// A row of the log, opened.
#[derive(Debug, Clone)]
pub struct AuditRow {
    pub n: i64,
    pub at: Timestamp,
    /// A [`Kind`]'s code, also one that a later program wrote.
    pub kind: String,
    pub message: Option<String>,
    pub destination: Option<String>,
    pub episode: Option<String>,
    /// Keyed reference.
    pub patient: Option<String>,
    /// Who did it, whom it is about, what was said.
    pub body: Personal<Value>,
    pub mac: String,
}

/// Which rows are meant.
#[derive(Debug, Clone, Default)]
pub struct AuditWanted {
    /// Only rows after this one.
    pub after: i64,
    pub since: Option<Timestamp>,
    /// Only rows from before this moment.
    pub until: Option<Timestamp>,
    pub kind: Option<Kind>,
    /// What is about this person: under this number, or in an episode that has known it.
    pub patient: Option<Ref>,
    pub episode: Option<String>,
    pub limit: usize,
}

/// A delivery that has left, or may have, and of which the log says nothing.
#[derive(Debug, Clone)]
pub struct Tried {
    pub message: String,
    pub destination: String,
    pub episode: String,
    pub kind: String,
    pub state: String,
    pub attempts: u32,
    pub tried_at: Option<Timestamp>,
    pub content_hash: Option<String>,
}

const WHERE: &str = "n > ?1 AND (CAST(?2 AS BIGINT) IS NULL OR at >= ?2) AND (CAST(?3 AS BIGINT) IS NULL OR at < ?3)
     AND (CAST(?4 AS TEXT) IS NULL OR kind = ?4)";
/// By the two ways to a person, each by its index.
const ABOUT: &str = "n IN (SELECT n FROM audit WHERE patient = ?6
     UNION SELECT n FROM audit WHERE episode_id IN (SELECT episode_id FROM episode_patient WHERE patient = ?6)
     UNION SELECT n FROM audit WHERE episode_id = ?7)";
const COLUMNS: &str = "n, at, kind, message_id, destination, episode_id, patient, body, mac";

impl Store {
    /// Rows in their order.
    pub fn audit_rows(&self, wanted: &AuditWanted) -> Result<Vec<AuditRow>, StoreFault> {
        self.read(|db| {
            let about = wanted.patient.is_some() || wanted.episode.is_some();
            let about = if about { format!("AND {ABOUT}") } else { "AND CAST(?6 AS TEXT) IS NULL AND CAST(?7 AS TEXT) IS NULL".to_owned() };
            let sql = format!("SELECT {COLUMNS} FROM audit WHERE {WHERE} {about} ORDER BY n LIMIT ?5");
            let (kind, patient) = (wanted.kind.map(Kind::code), wanted.patient.as_ref().map(Ref::as_str));
            let values = values![wanted.after, wanted.since, wanted.until, kind, wanted.limit, patient, wanted.episode.as_deref()];
            db.list(&sql, values, |answer| row(db, answer))
        })
    }

    /// The last rows, in their order.
    pub fn audit_tail(&self, wanted: &AuditWanted) -> Result<Vec<AuditRow>, StoreFault> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM audit WHERE {WHERE} ORDER BY n DESC LIMIT ?5");
            let kind = wanted.kind.map(Kind::code);
            let mut rows =
                db.list(&sql, values![wanted.after, wanted.since, wanted.until, kind, wanted.limit], |answer| row(db, answer))?;
            rows.reverse();
            Ok(rows)
        })
    }

    /// What left before there was a log, or is on its way this moment.
    pub fn tried_untold(&self, patient: Option<&Ref>, episode: Option<&str>, limit: usize) -> Result<Vec<Tried>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT message_id, destination, episode_id, kind, state, attempts, tried_at, content_hash FROM delivery
                 WHERE (episode_id IN (SELECT episode_id FROM episode_patient WHERE patient = ?1) OR episode_id = ?2) AND attempts > 0
                 AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.episode_id = delivery.episode_id AND audit.message_id = delivery.message_id
                    AND audit.destination = delivery.destination AND audit.kind = 'disclosed') ORDER BY id LIMIT ?3";
            db.list(sql, values![patient.map(Ref::as_str), episode, limit], |row| {
                Ok(Tried {
                    message: row.get(0)?,
                    destination: row.get(1)?,
                    episode: row.get(2)?,
                    kind: row.get(3)?,
                    state: row.get(4)?,
                    attempts: row.get(5)?,
                    tried_at: row.maybe(6)?,
                    content_hash: row.maybe::<Vec<u8>>(7)?.map(|hash| hex(&hash)),
                })
            })
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "stays personal")]
fn row(db: &dyn Db, row: &Row) -> Result<AuditRow, StoreFault> {
    let body = AUDIT_BODY.get(db, row, 7, &[0])?;
    let body = serde_json::from_slice(body.disclose()).map_err(|_| StoreFault::Damaged { table: "audit" })?;
    Ok(AuditRow {
        n: row.get(0)?,
        at: row.get(1)?,
        kind: row.get(2)?,
        message: row.maybe(3)?,
        destination: row.maybe(4)?,
        episode: row.maybe(5)?,
        patient: row.maybe(6)?,
        body: Personal::new(body),
        mac: hex(&row.get::<Mac>(8)?),
    })
}
