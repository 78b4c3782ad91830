//! What operators ask the daemon for: written by the command, done by the daemon, kept as a record of who did what.

use super::db::{Db, Row, values};
use super::handle::within_transaction;
use super::seal::{ACTION, Sealer};
use super::{Store, StoreFault};
use crate::model::personal::Personal;
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
        let action = Personal::new(action.to_owned());
        self.read(|db| within_transaction(db, || write(db, at, by, &action)))
    }

    /// Requests that wait, oldest first.
    pub fn asked(&self, limit: usize) -> Result<Vec<Asked>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT id, at, asked_by, action FROM request WHERE done_at IS NULL ORDER BY id LIMIT ?1";
            db.list(sql, values![limit], |row| {
                Ok(Asked { id: row.get(0)?, at: row.get(1)?, by: row.get(2)?, action: action(db, row, (3, 0))? })
            })
        })
    }

    pub fn request(&self, id: i64) -> Result<Option<RequestRow>, StoreFault> {
        self.read(|db| {
            let row = db.one("SELECT at, asked_by, action, done_at, outcome, id FROM request WHERE id = ?1", values![id])?;
            row.map(|row| {
                Ok(RequestRow {
                    id,
                    at: row.get(0)?,
                    by: row.get(1)?,
                    action: action(db, &row, (2, 5))?,
                    done_at: row.maybe(3)?,
                    outcome: row.maybe(4)?,
                })
            })
            .transpose()
        })
    }
}

/// Its number is a part of what its action is sealed to, and is there only once it is written.
fn write(db: &dyn Db, at: Timestamp, by: &str, action: &Personal<String>) -> Result<i64, StoreFault> {
    let sealer = Sealer::hold(db)?;
    let row = db.one("INSERT INTO request (at, asked_by, action) VALUES (?1, ?2, '') RETURNING id", values![at, by])?;
    let id: i64 = row.ok_or(StoreFault::Stopped)?.get(0)?;
    db.execute("UPDATE request SET action = ?2 WHERE id = ?1", &[id.into(), sealer.seal(&ACTION, values![id], action)?])?;
    Ok(id)
}

/// What stands at the first place of a row, of the request whose number stands at the second. What is damaged asks for nothing
/// that anybody knows: it is refused, and the others are met.
fn action(db: &dyn Db, row: &Row, (at, id): (usize, usize)) -> Result<String, StoreFault> {
    match ACTION.open(db, row, at, &[id]) {
        Ok(bytes) => Ok(String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()),
        Err(StoreFault::Damaged { .. }) => Ok(String::new()),
        Err(fault) => Err(fault),
    }
}
