//! Looks at everything the store holds, page by page, and says what does not hold together. Changes nothing.

use super::db::{Db, Row, values};
use super::{Store, StoreFault};
use crate::model::catalogue::EventType;
use crate::model::episode::Phase;
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::receipt::ContentHash;
use crate::model::shape::codes;
use crate::model::state::State;
use uuid::Uuid;

/// Rows that are read at once.
const PAGE: i64 = 500;
/// Most that is told; after so many the rest says nothing new.
const TOLD_MAX: usize = 1_000;

codes! {
    /// What is wrong with a row.
    Damage {
        Unreadable = "unreadable": "raden kan inte läsas", "the row cannot be read";
        NotTheContent = "content": "dokumentet stämmer inte med sin kontrollsumma", "the document does not match its hash";
        NoDocument = "document": "raden väntar på att sändas men har inget dokument", "the row waits to be sent and has no document";
        NotInItsLane = "lane": "tillståndet och platsen i kön stämmer inte överens", "the state and the place in the lane disagree";
        NoHead = "head": "kön har ingen eller fel rad först, så inget i den sänds", "the lane has none or the wrong one at its head, so nothing in it is sent";
        NeverDue = "due": "raden står först i sin kö men blir aldrig aktuell", "the row is at the head of its lane and never falls due";
        NoLease = "lease": "raden sägs vara under sändning men ingen har den", "the row is said to be on its way and nobody has it";
        SameNumber = "number": "två rader i samma kö har samma nummer", "two rows of a lane have the same number";
        Lonely = "event": "händelsen som raden hör till saknas", "the event that the row belongs to is missing";
        File = "file": "databasfilen är skadad", "the database's file is damaged";
    }
}

/// A row that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    pub table: &'static str,
    /// Its number, or an episode's id; nothing personal.
    pub row: String,
    pub damage: Damage,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    pub events: u64,
    pub episodes: u64,
    pub deliveries: u64,
    pub damaged: Vec<Damaged>,
}

impl Store {
    /// Everything that can be said of the rows by themselves. What an episode's facts come to is its reader's business.
    pub fn check(&self) -> Result<Looked, StoreFault> {
        self.read(|db| {
            let mut looked = Looked::default();
            if !db.is_shared() {
                file(db, &mut looked)?;
            }
            looked.events = walk(db, EVENTS, |row| tell(&mut looked.damaged, "event", row, event(row)))?;
            looked.episodes = episodes(db, &mut looked)?;
            looked.deliveries = walk(db, DELIVERIES, |row| tell(&mut looked.damaged, "delivery", row, delivery(row)))?;
            lanes(db, &mut looked)?;
            looked.damaged.truncate(TOLD_MAX);
            Ok(looked)
        })
    }
}

fn file(db: &dyn Db, looked: &mut Looked) -> Result<(), StoreFault> {
    for row in db.query("PRAGMA integrity_check(20)", &[])? {
        // Its words may quote a value; that there are some is enough.
        if row.get::<String>(0)? != "ok" {
            looked.damaged.push(Damaged { table: "–", row: "–".to_owned(), damage: Damage::File });
        }
    }
    Ok(())
}

const EVENTS: &str = "SELECT id, key, kind, episode_id, source, findings, body, hash FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
const DELIVERIES: &str =
    "SELECT id, message_id, destination, episode_id, kind, state, findings, open, head, sequence, document, content_hash,
    next_at, lease_until, (SELECT COUNT(*) FROM event WHERE event.id = event_id) FROM delivery WHERE id > ?1 ORDER BY id LIMIT ?2";

/// Reads a table by its numbers; gives how many rows there were.
fn walk(db: &dyn Db, sql: &str, mut look: impl FnMut(&Row)) -> Result<u64, StoreFault> {
    let (mut after, mut count) = (i64::MIN, 0);
    loop {
        let rows = db.query(sql, values![after, PAGE])?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = last.get(0)?;
        count += rows.len() as u64;
        rows.iter().for_each(&mut look);
    }
}

fn tell(damaged: &mut Vec<Damaged>, table: &'static str, row: &Row, found: Result<Option<Damage>, StoreFault>) {
    if let Some(damage) = found.unwrap_or(Some(Damage::Unreadable)) {
        damaged.push(Damaged { table, row: row.get::<i64>(0).map_or_else(|_| "?".to_owned(), |id| id.to_string()), damage });
    }
}

fn uuid(row: &Row, column: usize) -> Result<bool, StoreFault> {
    Ok(Uuid::try_parse(&row.get::<String>(column)?).is_ok())
}

fn json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

fn event(row: &Row) -> Result<Option<Damage>, StoreFault> {
    let readable = Ref::parse(&row.get::<String>(1)?).is_some()
        && EventType::parse(&row.get::<String>(2)?).is_some()
        && uuid(row, 3)?
        && Name::parse(&row.get::<String>(4)?).is_some()
        && super::read::findings(&row.get::<String>(5)?).is_ok()
        && json(&row.get::<Vec<u8>>(6)?)
        && row.get::<Vec<u8>>(7)?.len() == 32;
    Ok((!readable).then_some(Damage::Unreadable))
}

fn episodes(db: &dyn Db, looked: &mut Looked) -> Result<u64, StoreFault> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let rows = db.query("SELECT id, phase, body FROM episode WHERE id > ?1 ORDER BY id LIMIT ?2", values![&after, PAGE])?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = last.get(0)?;
        for row in &rows {
            count += 1;
            let readable =
                (|| Ok::<_, StoreFault>(uuid(row, 0)? && Phase::parse(&row.get::<String>(1)?).is_some() && json(&row.get::<Vec<u8>>(2)?)))(
                );
            if !readable.unwrap_or(false) {
                looked.damaged.push(Damaged { table: "episode", row: row.get(0).unwrap_or_default(), damage: Damage::Unreadable });
            }
        }
    }
}

fn delivery(row: &Row) -> Result<Option<Damage>, StoreFault> {
    let state = State::parse(&row.get::<String>(5)?);
    let readable = uuid(row, 1)?
        && Name::parse(&row.get::<String>(2)?).is_some()
        && uuid(row, 3)?
        && EventType::parse(&row.get::<String>(4)?).is_some()
        && super::read::findings(&row.get::<String>(6)?).is_ok();
    let Some(state) = state.filter(|_| readable) else { return Ok(Some(Damage::Unreadable)) };
    let (open, head, number): (bool, bool, Option<i64>) = (row.get(7)?, row.get(8)?, row.maybe(9)?);
    let (document, hash): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.maybe(10)?, row.maybe(11)?);
    let (next_at, lease): (Option<i64>, Option<i64>) = (row.maybe(12)?, row.maybe(13)?);
    let same = document.as_deref().map(|document| ContentHash::of(document).as_bytes().to_vec()) == hash;
    Ok(if row.get::<i64>(14)? == 0 {
        Some(Damage::Lonely)
    } else if !same {
        Some(Damage::NotTheContent)
    } else if open && document.is_none() {
        Some(Damage::NoDocument)
    } else if open != state.in_lane() || (head && !open) || (open && number.is_none()) {
        Some(Damage::NotInItsLane)
    } else if head && next_at.is_none() {
        Some(Damage::NeverDue)
    } else if state == State::Submitted && lease.is_none() {
        Some(Damage::NoLease)
    } else {
        None
    })
}

/// Each lane has its first at its head, and a number once.
fn lanes(db: &dyn Db, looked: &mut Looked) -> Result<(), StoreFault> {
    let heads = "SELECT MIN(id) FROM delivery AS one WHERE open = 1 GROUP BY episode_id, destination
         HAVING SUM(head) <> 1 OR MIN(CASE WHEN head = 1 THEN sequence END) <> MIN(sequence) LIMIT 1000";
    let twice =
        "SELECT MAX(id) FROM delivery WHERE sequence IS NOT NULL GROUP BY episode_id, destination, sequence HAVING COUNT(*) > 1 LIMIT 1000";
    for (sql, damage) in [(heads, Damage::NoHead), (twice, Damage::SameNumber)] {
        for row in db.query(sql, &[])? {
            looked.damaged.push(Damaged { table: "delivery", row: row.get::<i64>(0)?.to_string(), damage });
        }
    }
    Ok(())
}
