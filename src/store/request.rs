//! What operators ask the daemon for: written by the command, done by the daemon, kept as a record of who did what.

use super::queue::timestamp;
use super::{Store, StoreFault};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// A request that is not done.
#[derive(Debug, Clone)]
pub struct Asked {
    pub id: i64,
    pub at: Timestamp,
    pub by: String,
    /// JSON of ours.
    pub action: String,
}

/// A request and what came of it.
#[derive(Debug, Clone)]
pub struct RequestRow {
    pub id: i64,
    pub at: Timestamp,
    pub by: String,
    pub action: String,
    pub done_at: Option<Timestamp>,
    /// JSON of ours.
    pub outcome: Option<String>,
}

impl Store {
    /// Leaves a request for the daemon, also from another process.
    pub fn ask(&self, at: Timestamp, by: &str, action: &str) -> Result<i64, StoreFault> {
        self.read(|db| {
            db.execute("INSERT INTO request (at, asked_by, action) VALUES (?1, ?2, ?3)", params![at.as_millisecond(), by, action])?;
            Ok(db.last_insert_rowid())
        })
    }

    /// Requests that wait, oldest first.
    pub fn asked(&self, limit: usize) -> Result<Vec<Asked>, StoreFault> {
        self.read(|db| {
            let mut statement =
                db.prepare_cached("SELECT id, at, asked_by, action FROM request WHERE done_at IS NULL ORDER BY id LIMIT ?1")?;
            let rows = statement
                .query_map([i64::try_from(limit).unwrap_or(1)], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?)))?;
            let mut out = Vec::new();
            for row in rows {
                let (id, at, by, action) = row?;
                out.push(Asked { id, at: timestamp(at)?, by, action });
            }
            Ok(out)
        })
    }

    pub fn request(&self, id: i64) -> Result<Option<RequestRow>, StoreFault> {
        self.read(|db| {
            let row = db
                .prepare_cached("SELECT at, asked_by, action, done_at, outcome FROM request WHERE id = ?1")?
                .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get::<_, Option<i64>>(3)?, row.get(4)?)))
                .optional()?;
            let Some((at, by, action, done_at, outcome)) = row else { return Ok(None) };
            Ok(Some(RequestRow { id, at: timestamp(at)?, by, action, done_at: done_at.map(timestamp).transpose()?, outcome }))
        })
    }
}
