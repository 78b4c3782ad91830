//! What operators ask the daemon for: written by the command, done by the daemon, kept as a record of who did what.

use super::db::values;
use super::{Store, StoreFault};
use jiff::Timestamp;

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
            let row = db.one("INSERT INTO request (at, asked_by, action) VALUES (?1, ?2, ?3) RETURNING id", values![at, by, action])?;
            row.ok_or(StoreFault::Stopped)?.get(0)
        })
    }

    /// Requests that wait, oldest first.
    pub fn asked(&self, limit: usize) -> Result<Vec<Asked>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT id, at, asked_by, action FROM request WHERE done_at IS NULL ORDER BY id LIMIT ?1";
            db.list(sql, values![limit], |row| Ok(Asked { id: row.get(0)?, at: row.get(1)?, by: row.get(2)?, action: row.get(3)? }))
        })
    }

    pub fn request(&self, id: i64) -> Result<Option<RequestRow>, StoreFault> {
        self.read(|db| {
            let row = db.one("SELECT at, asked_by, action, done_at, outcome FROM request WHERE id = ?1", values![id])?;
            row.map(|row| {
                Ok(RequestRow { id, at: row.get(0)?, by: row.get(1)?, action: row.get(2)?, done_at: row.maybe(3)?, outcome: row.maybe(4)? })
            })
            .transpose()
        })
    }
}
