//! Alarms that are open. The row decides: whoever changes it tells of it, and nobody else does. Row, line and notices are one write.

use super::commit::write_line;
use super::db::{Db, Row, values};
use super::notices::write_notice;
use super::read::name;
use super::{Store, StoreFault};
use crate::alarm::{Alarm, Kind, Open, Ring, Rung, Subject};
use crate::model::name::Name;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Most alarms that are read.
pub(super) const ALARMS_MAX: usize = 1_000;

impl Store {
    /// Tells what nobody has told yet, and gives back that.
    pub async fn tell_alarms(&self, mut told: Vec<Ring>) -> Result<Vec<Ring>, StoreFault> {
        // In one order in every process, so that two never wait for each other.
        told.sort_by(|a, b| (a.alarm.kind, &a.alarm.subject).cmp(&(b.alarm.kind, &b.alarm.subject)));
        self.write(move |db| {
            let mut out = Vec::new();
            for ring in told {
                let Some(ring) = apply(db, ring)? else { continue };
                if let Some(line) = ring.line() {
                    write_line(db, &line)?;
                }
                write_notice(db, &ring)?;
                out.push(ring);
            }
            Ok(out)
        })
        .await
    }

    /// Notes that alarms stand at this moment.
    pub async fn see_alarms(&self, mut seen: Vec<Alarm>, now: Timestamp) -> Result<(), StoreFault> {
        seen.sort_by(|a, b| (a.kind, &a.subject).cmp(&(b.kind, &b.subject)));
        self.write(move |db| {
            for alarm in seen {
                db.execute(
                    "UPDATE alarm SET seen_at = ?3, figure = ?4 WHERE name = ?1 AND subject = ?2",
                    values![alarm.kind.name(), alarm.subject.as_str(), now, alarm.figure],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Alarms that are open, without those of due times, which may be many.
    pub fn alarms(&self) -> Result<Vec<Open>, StoreFault> {
        self.read(|db| read(db, "name <> 'deadline'", ALARMS_MAX))
    }

    /// Every alarm that is open, the oldest first.
    pub fn alarms_of_all_kinds(&self, limit: usize) -> Result<Vec<Open>, StoreFault> {
        self.read(|db| read(db, "1 = 1", limit))
    }

    /// Messages of each source that our rules have refused since a moment.
    pub fn refused_since(&self, since: Timestamp) -> Result<BTreeMap<Name, u64>, StoreFault> {
        let sql = "SELECT event.source, COUNT(*) FROM delivery JOIN event ON event.id = delivery.event_id
             WHERE delivery.state = 'REFUSED' AND delivery.settled_at > ?1 GROUP BY event.source";
        self.read(|db| Ok(db.list(sql, values![since], |row| Ok((name(&row.get::<String>(0)?)?, row.get(1)?)))?.into_iter().collect()))
    }

    /// Notes when sources were heard of, if later than what is known. One that is new is heard of now.
    pub async fn hear_of(&self, sources: Vec<(Name, Option<Timestamp>)>, now: Timestamp) -> Result<(), StoreFault> {
        self.write(move |db| {
            for (source, heard) in sources {
                let sql = "INSERT INTO heard (source, at) VALUES (?1, ?2) ON CONFLICT (source) DO NOTHING";
                db.execute(sql, values![source.as_str(), heard.unwrap_or(now)])?;
                if let Some(at) = heard {
                    db.execute("UPDATE heard SET at = ?2 WHERE source = ?1 AND at < ?2", values![source.as_str(), at])?;
                }
            }
            Ok(())
        })
        .await
    }

    pub fn heard(&self) -> Result<BTreeMap<Name, Timestamp>, StoreFault> {
        let read = |row: &Row| Ok((name(&row.get::<String>(0)?)?, row.get(1)?));
        self.read(|db| Ok(db.list("SELECT source, at FROM heard", values![], read)?.into_iter().collect()))
    }
}

/// Changes the row. None where somebody else has, or where there is nothing to change.
fn apply(db: &dyn Db, ring: Ring) -> Result<Option<Ring>, StoreFault> {
    let Ring { rung, alarm, at, .. } = &ring;
    let (kind, subject) = (alarm.kind.name(), alarm.subject.as_str());
    match rung {
        Rung::Opened => {
            let rows = db.execute(
                "INSERT INTO alarm (name, subject, code, opened_at, told_at, seen_at, step, figure) VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
                values![kind, subject, &alarm.cause, *at, alarm.step, alarm.figure],
            )?;
            Ok((rows == 1).then_some(ring))
        }
        Rung::Worse | Rung::Still => {
            let rows = db.execute(
                "UPDATE alarm SET told_at = ?3, seen_at = ?3, step = ?4, figure = ?5 WHERE name = ?1 AND subject = ?2 AND told_at = ?6",
                values![kind, subject, *at, alarm.step, alarm.figure, ring.told_at.unwrap_or(ring.since)],
            )?;
            Ok((rows == 1).then_some(ring))
        }
        Rung::Closed => {
            let closed = match ring.told_at {
                Some(told) => db.one(
                    "DELETE FROM alarm WHERE name = ?1 AND subject = ?2 AND told_at = ?3 RETURNING opened_at",
                    values![kind, subject, told],
                )?,
                None => db.one("DELETE FROM alarm WHERE name = ?1 AND subject = ?2 RETURNING opened_at", values![kind, subject])?,
            };
            closed.map(|row| Ok(Ring { since: row.get(0)?, ..ring })).transpose()
        }
    }
}

/// A due time's alarm follows its episode, in whose transaction this is: what stands there is told, whatever the row says.
pub(super) fn follow(db: &dyn Db, ring: &Ring) -> Result<(), StoreFault> {
    let Ring { rung, alarm, at, since, .. } = ring;
    let place = values![alarm.kind.name(), alarm.subject.as_str()];
    if *rung == Rung::Closed {
        db.execute("DELETE FROM alarm WHERE name = ?1 AND subject = ?2", place)?;
    } else {
        db.execute(
            "INSERT INTO alarm (name, subject, code, opened_at, told_at, seen_at, step) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)
             ON CONFLICT (name, subject) DO UPDATE SET told_at = excluded.told_at, seen_at = excluded.seen_at, step = excluded.step",
            values![alarm.kind.name(), alarm.subject.as_str(), &alarm.cause, *since, *at, alarm.step],
        )?;
    }
    write_notice(db, ring)
}

pub(super) fn read(db: &dyn Db, which: &str, limit: usize) -> Result<Vec<Open>, StoreFault> {
    let sql = format!(
        "SELECT name, subject, code, step, figure, opened_at, told_at, seen_at FROM alarm WHERE {which} ORDER BY opened_at, name, subject LIMIT ?1"
    );
    let rows = db.query(&sql, values![limit])?;
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        // A kind that this program does not know is a newer one's.
        let Some(kind) = Kind::parse(&row.get::<String>(0)?) else { continue };
        let (subject, cause) = (Subject::kept(row.get(1)?), row.get(2)?);
        let alarm = Alarm { kind, subject, cause, step: row.get(3)?, figure: row.maybe(4)? };
        out.push(Open { alarm, opened_at: row.get(5)?, told_at: row.get(6)?, seen_at: row.get(7)? });
    }
    Ok(out)
}
