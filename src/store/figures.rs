//! What stands in the store now, for whoever watches over it. A few statements over what is not settled; what is settled, and
//! grows, is never looked at.

use super::alarms;
use super::db::{Db, Row, values};
use super::read::{name, state};
use super::{Store, StoreFault};
use crate::alarm::Open;
use crate::fault::Code;
use crate::model::name::Name;
use crate::model::state::State;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Messages of a destination in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub destination: Name,
    pub state: State,
    pub count: u64,
    /// When the oldest of them entered the queue, where they are in it.
    pub oldest: Option<Timestamp>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    pub unsettled: Vec<Standing>,
    pub overdue: Vec<(Name, u64)>,
    /// Open, but for those of due times.
    pub alarms: Vec<Open>,
    /// How many of each kind are open.
    pub alarms_by_name: BTreeMap<String, u64>,
    pub bytes: u64,
    /// When the oldest event came in whose content is kept.
    pub oldest_content: Option<Timestamp>,
}

impl Figures {
    /// Of each destination, when the oldest message in its queue came there.
    pub fn oldest(&self) -> BTreeMap<&Name, Timestamp> {
        let mut out = BTreeMap::new();
        for (destination, at) in self.unsettled.iter().filter_map(|standing| Some((&standing.destination, standing.oldest?))) {
            out.entry(destination).and_modify(|known| *known = at.min(*known)).or_insert(at);
        }
        out
    }
}

impl Store {
    /// What stands now.
    pub fn figures(&self) -> Result<Figures, StoreFault> {
        self.read(|db| {
            let waiting = "SELECT destination, state, COUNT(*), MIN(released_at) FROM delivery WHERE open = 1 GROUP BY destination, state";
            let kept = "SELECT destination, state, COUNT(*), NULL FROM delivery WHERE state IN ('WITHHELD', 'HELD', 'PARKED') GROUP BY destination, state";
            let mut unsettled = db.list(waiting, values![], standing)?;
            unsettled.extend(db.list(kept, values![], standing)?);
            let overdue = "SELECT destination, COUNT(*) FROM delivery WHERE state = 'PARKED' AND code = ?1 GROUP BY destination";
            let overdue =
                db.list(overdue, values![Code::DlvReceiptOverdue.id()], |row| Ok((name(&row.get::<String>(0)?)?, row.get(1)?)))?;
            let named = |row: &Row| Ok((row.get(0)?, row.get(1)?));
            let alarms_by_name = db.list("SELECT name, COUNT(*) FROM alarm GROUP BY name", values![], named)?.into_iter().collect();
            let alarms = alarms::read(db, "name <> 'deadline'", alarms::ALARMS_MAX)?;
            let oldest = db.one("SELECT received_at FROM event WHERE purged_at IS NULL ORDER BY received_at, id LIMIT 1", &[])?;
            let oldest_content = oldest.map(|row| row.get(0)).transpose()?;
            Ok(Figures { unsettled, overdue, alarms, alarms_by_name, bytes: bytes(db)?, oldest_content })
        })
    }

    /// Writes, to see that it can be done. Each time the same row, and so that it has to reach the disk.
    pub async fn try_to_write(&self, at: Timestamp) -> Result<(), StoreFault> {
        let mark = at.as_millisecond().to_be_bytes();
        self.write(move |db| {
            let sql = "INSERT INTO meta (name, value) VALUES ('probe', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            db.execute(sql, values![mark]).map(drop)
        })
        .await
    }
}

fn standing(row: &Row) -> Result<Standing, StoreFault> {
    Ok(Standing { destination: name(&row.get::<String>(0)?)?, state: state(row, 1)?, count: row.get(2)?, oldest: row.maybe(3)? })
}

/// Of SQLite without what is still in its log.
fn bytes(db: &dyn Db) -> Result<u64, StoreFault> {
    let number = |sql: &str| db.one(sql, &[])?.map_or(Ok(0), |row| row.get::<u64>(0));
    if db.is_shared() {
        return number("SELECT pg_database_size(current_database())");
    }
    Ok(number("PRAGMA page_count")?.saturating_mul(number("PRAGMA page_size")?))
}
