//! Notices that wait to be given, in the order in which they came about, for each way out by itself.

use super::db::{Db, values};
use super::{Store, StoreFault};
use crate::alarm::{OUTPUTS, Ring, notice};
use jiff::Timestamp;

/// A notice that is ours until `next_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub id: i64,
    /// The same on each try.
    pub notice_id: String,
    pub at: Timestamp,
    /// JSON of ours.
    pub body: String,
    /// With this one.
    pub tries: u32,
}

impl Store {
    /// From now on notices are written for these ways out, and no others; what waits for others is dropped.
    pub async fn set_outputs(&self, outputs: Vec<&'static str>) -> Result<(), StoreFault> {
        self.write(move |db| {
            for known in OUTPUTS {
                if outputs.contains(&known) {
                    db.execute("INSERT INTO output (name) VALUES (?1) ON CONFLICT DO NOTHING", values![known])?;
                } else {
                    db.execute("DELETE FROM output WHERE name = ?1", values![known])?;
                    db.execute("DELETE FROM notice WHERE output = ?1", values![known])?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Whether anything waits for a way out: asked often, and answered by an index.
    pub fn has_notices(&self, output: &str) -> Result<bool, StoreFault> {
        self.read(|db| Ok(db.one("SELECT 1 FROM notice WHERE output = ?1 LIMIT 1", values![output])?.is_some()))
    }

    /// The first that waits, until `until`; none where it is another's or its time has not come. A time beyond `latest` is from a
    /// clock that went ahead.
    pub async fn take_notice(
        &self,
        output: &'static str,
        now: Timestamp,
        until: Timestamp,
        latest: Timestamp,
    ) -> Result<Option<Waiting>, StoreFault> {
        self.write(move |db| {
            let sql = "SELECT id, notice_id, at, body, tries, next_at FROM notice WHERE output = ?1 ORDER BY id LIMIT 1";
            let Some(row) = db.one(sql, values![output])? else { return Ok(None) };
            let (id, tries, next_at): (i64, u32, Timestamp) = (row.get(0)?, row.get(4)?, row.get(5)?);
            if next_at > now && next_at <= latest {
                return Ok(None);
            }
            let sql = "UPDATE notice SET next_at = ?3, tries = tries + 1 WHERE id = ?1 AND tries = ?2";
            let ours = db.execute(sql, values![id, tries, until])? == 1;
            Ok(ours.then_some(Waiting { id, notice_id: row.get(1)?, at: row.get(2)?, body: row.get(3)?, tries: tries + 1 }))
        })
        .await
    }

    /// It has been given, or is given up.
    pub async fn drop_notice(&self, id: i64) -> Result<(), StoreFault> {
        self.write(move |db| db.execute("DELETE FROM notice WHERE id = ?1", values![id]).map(drop)).await
    }

    /// It is tried again at that time.
    pub async fn put_off_notice(&self, id: i64, next_at: Timestamp) -> Result<(), StoreFault> {
        self.write(move |db| db.execute("UPDATE notice SET next_at = ?2 WHERE id = ?1", values![id, next_at]).map(drop)).await
    }

    /// How many wait for a way out whose first has been tried so often; none where it has not.
    pub fn stuck_notices(&self, output: &str, tries: u32) -> Result<u64, StoreFault> {
        let sql = "SELECT COUNT(*), MAX(tries) FROM notice WHERE output = ?1";
        self.read(|db| {
            let Some(row) = db.one(sql, values![output])? else { return Ok(0) };
            Ok(if row.maybe::<u32>(1)?.is_some_and(|most| most >= tries) { row.get(0)? } else { 0 })
        })
    }
}

/// Once for each way out.
pub(super) fn write_notice(db: &dyn Db, ring: &Ring) -> Result<(), StoreFault> {
    let outputs = db.list("SELECT name FROM output ORDER BY name", values![], |row| row.get::<String>(0))?;
    if outputs.is_empty() {
        return Ok(());
    }
    let (id, body) = notice(ring);
    for output in outputs {
        db.execute(
            "INSERT INTO notice (output, notice_id, at, body, next_at) VALUES (?1, ?2, ?3, ?4, ?3)",
            values![output, id.to_string(), ring.at, body.to_string()],
        )?;
    }
    Ok(())
}
