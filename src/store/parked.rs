//! What operators' lists of unsent messages are made from.

use super::db::values;
use super::read::{DELIVERY_COLUMNS, delivery};
use super::seal::{DOCUMENT, EVENT_BODY};
use super::{DeliveryRow, Store, StoreFault};
use crate::model::ids::MessageId;
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use jiff::Timestamp;

/// Which deliveries a person is to deal with.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub states: Vec<State>,
    pub code: Option<String>,
    pub destination: Option<String>,
    /// That ended, or for want of an end began, at this moment or later.
    pub since: Option<Timestamp>,
    /// That began at this moment or before.
    pub until: Option<Timestamp>,
    pub limit: usize,
}

/// What was to be sent, or is to be made of.
#[derive(Debug, Clone)]
pub struct Written {
    /// None where it has not been released, or has been purged.
    pub document: Option<Personal<Vec<u8>>>,
    /// None where it has been purged.
    pub event: Option<Personal<Vec<u8>>>,
}

impl Store {
    /// Deliveries in some states, oldest first, and how many there are beyond the limit.
    pub fn wanted(&self, wanted: &Wanted) -> Result<(Vec<DeliveryRow>, u64), StoreFault> {
        self.read(|db| {
            let states: Vec<String> = wanted.states.iter().map(|state| format!("'{}'", state.code())).collect();
            let within = format!(
                "state IN ({}) AND (CAST(?1 AS TEXT) IS NULL OR code = ?1) AND (CAST(?2 AS TEXT) IS NULL OR destination = ?2)
                 AND (CAST(?3 AS BIGINT) IS NULL OR COALESCE(settled_at, created_at) >= ?3) AND (CAST(?4 AS BIGINT) IS NULL OR created_at <= ?4)",
                states.join(", ")
            );
            let (code, destination) = (wanted.code.as_deref(), wanted.destination.as_deref());
            let sql = format!("SELECT {DELIVERY_COLUMNS} FROM delivery WHERE {within} ORDER BY id LIMIT ?5");
            let rows = db.list(&sql, values![code, destination, wanted.since, wanted.until, wanted.limit], delivery)?;
            let sql = format!("SELECT COUNT(*) FROM delivery WHERE {within}");
            let all = db.one(&sql, values![code, destination, wanted.since, wanted.until])?;
            let all: u64 = all.map_or(Ok(0), |row| row.get(0))?;
            let beyond = all.saturating_sub(rows.len() as u64);
            Ok((rows, beyond))
        })
    }

    /// A message's delivery to one destination.
    pub fn delivery_to(&self, message: MessageId, destination: &Name) -> Result<Option<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let sql = format!("SELECT {DELIVERY_COLUMNS} FROM delivery WHERE message_id = ?1 AND destination = ?2");
            db.one(&sql, values![message.to_string(), destination.as_str()])?.map(|row| delivery(&row)).transpose()
        })
    }

    /// The reference of a delivery's event, and the event's newest version.
    pub fn newest_version(&self, event: i64) -> Result<Option<(Ref, u32)>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT key, (SELECT MAX(version) FROM event AS every WHERE every.key = event.key) FROM event WHERE id = ?1";
            let row = db.one(sql, values![event])?;
            row.map(|row| {
                let key = Ref::parse(&row.get::<String>(0)?).ok_or(StoreFault::Damaged { table: "event" })?;
                Ok((key, row.get(1)?))
            })
            .transpose()
        })
    }

    /// A delivery's document and its event.
    pub fn written(&self, delivery: i64) -> Result<Option<Written>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT d.document, e.body, d.message_id, d.destination, e.key, e.version FROM delivery d JOIN event e ON e.id = d.event_id WHERE d.id = ?1";
            let row = db.one(sql, values![delivery])?;
            row.map(|row| {
                let (document, event) = (DOCUMENT.maybe(db, &row, 0, &[2, 3])?, EVENT_BODY.maybe(db, &row, 1, &[4, 5])?);
                Ok(Written { document, event })
            })
            .transpose()
        })
    }
}
