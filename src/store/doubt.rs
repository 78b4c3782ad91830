//! What a restore leaves in doubt: messages that may have left in a life that the store has forgotten.
//!
//! Everything that had no end in the backup is marked, and whatever comes in later of what happened before the restore. What
//! is marked is looked up before it is sent, or set aside where the receiver cannot be asked (`deliver/attempt.rs`).

use super::audit::{self, Audit, Kind, Who};
use super::backup::Vacant;
use super::commit::write_line;
use super::db::{Db, values};
use super::keys::Keys;
use super::seal::Sealer;
use super::{Place, Store, StoreFault, postgres};
use crate::fault::{Code, Fault};
use crate::model::time::instant_text;
use crate::oplog::{Line, Reason};
use jiff::Timestamp;

/// A restore, as the store remembers it.
#[derive(Debug, Clone)]
pub struct Restored {
    pub at: Timestamp,
    /// When the backup was made, where it says so.
    pub backup_at: Option<Timestamp>,
    /// What happened before this may have been sent already.
    pub doubt_until: Timestamp,
    pub line: Line,
    pub who: Who,
}

/// Opens a store that has been put back by other means, where nobody else has it.
pub fn open_alone(place: &Place, keys: impl Into<Keys>) -> Result<Store, Fault> {
    match place {
        Place::File(path) => drop(Vacant::take(path)?),
        Place::Postgres(server) if postgres::others(server)? > 0 => return Err(Fault::with(Code::StoInUse, "PostgreSQL")),
        Place::Postgres(_) => {}
    }
    Store::open_at(place, keys)
}

/// In a store that has been entered.
pub(super) fn mark(db: &dyn Db, restored: &Restored) -> Result<u64, StoreFault> {
    // What was rejected may have been sent again by hand, and taken.
    let marked = db.execute("UPDATE delivery SET doubt = 1 WHERE settled_at IS NULL OR state = 'REJECTED'", values![])?;
    db.execute(
        "INSERT INTO restored (at, backup_at, doubt_until) VALUES (?1, ?2, ?3)",
        values![restored.at, restored.backup_at, restored.doubt_until],
    )?;
    let marked = u64::try_from(marked).unwrap_or(u64::MAX);
    let mut line = restored.line.clone();
    line.reason = Some(Reason::Count(marked));
    write_line(db, &line)?;
    let told = Audit::new(restored.at, Kind::Restored, restored.who.clone()).tell("inDoubt", marked);
    let told = match restored.backup_at {
        Some(at) => told.tell("backupAt", instant_text(at)),
        None => told,
    };
    audit::append(db, &Sealer::hold(db)?, &[told])?;
    Ok(marked)
}

/// In seconds since 1970: more messages than seconds no episode has, and a later restore begins higher, whichever backup it is of.
pub(super) fn numbers_from(db: &dyn Db) -> Result<u64, StoreFault> {
    let latest: Option<i64> = db.one("SELECT MAX(at) FROM restored", values![])?.map(|row| row.maybe(0)).transpose()?.flatten();
    Ok(latest.map_or(0, |at| u64::try_from(at / 1_000).unwrap_or(0)))
}

impl Store {
    /// Marks it as restored. Gives how many deliveries are in doubt.
    pub fn mark_restored(&self, restored: Restored) -> Result<u64, StoreFault> {
        self.write_blocking(move |db| mark(db, &restored))
    }

    /// How many events and deliveries it holds.
    pub fn size(&self) -> Result<(u64, u64), StoreFault> {
        self.read(|db| {
            let sql = "SELECT (SELECT COUNT(*) FROM event), (SELECT COUNT(*) FROM delivery)";
            db.one(sql, values![])?.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    /// Deliveries of which nobody knows yet whether they had left before a restore.
    pub fn doubts(&self) -> Result<u64, StoreFault> {
        self.read(|db| {
            let sql = "SELECT (SELECT COUNT(*) FROM delivery WHERE doubt = 1 AND settled_at IS NULL)
                 + (SELECT COUNT(*) FROM delivery WHERE state = 'PARKED' AND doubt = 0 AND code = ?1)";
            db.one(sql, values![Code::StoDoubt.id()])?.map_or(Ok(0), |row| row.get(0))
        })
    }
}
