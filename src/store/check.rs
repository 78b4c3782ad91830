//! Looks at everything the store holds, page by page, and says what does not hold together. Changes nothing.

use super::audit::{self, Breach};
use super::db::{Db, Row, Value, values};
use super::seal::{ACTION, Column, DOCUMENT, EPISODE_BODY, EVENT_BODY, EVENT_ORIGIN, MAIL_BODY, RECEIPT, RECEIPT_AT, SUBJECT};
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
        Unopened = "sealed": "ett krypterat värde i raden går inte att öppna: det är skadat eller flyttat dit", "a sealed value of the row does not open: it is damaged, or was moved there";
        NotTheContent = "content": "dokumentet stämmer inte med sin kontrollsumma", "the document does not match its hash";
        NoDocument = "document": "raden väntar på att sändas men har inget dokument", "the row waits to be sent and has no document";
        NotInItsLane = "lane": "tillståndet och platsen i kön stämmer inte överens", "the state and the place in the lane disagree";
        NoHead = "head": "kön har ingen eller fel rad först, så inget i den sänds", "the lane has none or the wrong one at its head, so nothing in it is sent";
        NeverDue = "due": "raden står först i sin kö men blir aldrig aktuell", "the row is at the head of its lane and never falls due";
        NoLease = "lease": "raden sägs vara under sändning men ingen har den", "the row is said to be on its way and nobody has it";
        SameNumber = "number": "två rader i samma kö har samma nummer", "two rows of a lane have the same number";
        Lonely = "event": "händelsen som raden hör till saknas", "the event that the row belongs to is missing";
        Chain = "chain": "åtkomstloggens kedja håller inte från och med raden (`vardbro audit verify`)", "the audit log's chain does not hold from this row on (`vardbro audit verify`)";
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
            looked.events = walk(db, EVENTS, |row| tell(&mut looked.damaged, "event", row, event(db, row)))?;
            looked.episodes = episodes(db, &mut looked)?;
            looked.deliveries = walk(db, DELIVERIES, |row| tell(&mut looked.damaged, "delivery", row, delivery(db, row)))?;
            walk(db, REQUESTS, |row| tell(&mut looked.damaged, "request", row, opened(db, row, &[(&ACTION, 1, &[0])])))?;
            attempts(db, &mut looked)?;
            mails(db, &mut looked)?;
            lanes(db, &mut looked)?;
            chain(db, &mut looked)?;
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

const EVENTS: &str = "SELECT id, key, kind, episode_id, source, findings, body, hash, origin, version, purged_at FROM event WHERE id > ?1 ORDER BY id LIMIT ?2";
const DELIVERIES: &str =
    "SELECT id, message_id, destination, episode_id, kind, state, findings, open, head, sequence, document, content_hash,
    next_at, lease_until, (SELECT COUNT(*) FROM event WHERE event.id = event_id), receipt_at, subject, purged_at FROM delivery WHERE id > ?1 ORDER BY id LIMIT ?2";

const REQUESTS: &str = "SELECT id, action FROM request WHERE id > ?1 ORDER BY id LIMIT ?2";

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

/// Whether the values at these places open, each of a row that is named by what stands at others.
fn opened(db: &dyn Db, row: &Row, columns: &[(&Column, usize, &[usize])]) -> Result<Option<Damage>, StoreFault> {
    for (column, at, of) in columns {
        match column.open(db, row, *at, of) {
            Ok(_) => {}
            Err(StoreFault::Damaged { .. }) => return Ok(Some(Damage::Unopened)),
            Err(fault) => return Err(fault),
        }
    }
    Ok(None)
}

/// They have no number of their own: they are told of by their delivery's.
fn attempts(db: &dyn Db, looked: &mut Looked) -> Result<(), StoreFault> {
    let columns = "SELECT delivery_id, n, started_at, receipt FROM attempt";
    let first = format!("{columns} ORDER BY delivery_id, n, started_at LIMIT ?1");
    let next = format!("{columns} WHERE (delivery_id, n, started_at) > (?1, ?2, ?3) ORDER BY delivery_id, n, started_at LIMIT ?4");
    let mut rows = db.query(&first, values![PAGE])?;
    while let Some(last) = rows.last() {
        let after = [last.value(0), last.value(1), last.value(2), Value::from(PAGE)];
        for row in &rows {
            tell(&mut looked.damaged, "attempt", row, opened(db, row, &[(&RECEIPT, 3, &[0, 1, 2])]));
        }
        rows = db.query(&next, &after)?;
    }
    Ok(())
}

fn event(db: &dyn Db, row: &Row) -> Result<Option<Damage>, StoreFault> {
    let of: &[usize] = &[1, 9];
    if let Some(damage) = opened(db, row, &[(&EVENT_ORIGIN, 8, of), (&EVENT_BODY, 6, of)])? {
        return Ok(Some(damage));
    }
    let readable = Ref::parse(&row.get::<String>(1)?).is_some()
        && EventType::parse(&row.get::<String>(2)?).is_some()
        && uuid(row, 3)?
        && Name::parse(&row.get::<String>(4)?).is_some()
        && super::read::findings(&row.get::<String>(5)?).is_ok()
        && EVENT_BODY.open(db, row, 6, of)?.map_or(row.maybe::<i64>(10)?.is_some(), |body| json(&body))
        && row.get::<Vec<u8>>(7)?.len() == 32;
    Ok((!readable).then_some(Damage::Unreadable))
}

fn mails(db: &dyn Db, looked: &mut Looked) -> Result<(), StoreFault> {
    let mut after = String::new();
    loop {
        let rows = db.query("SELECT id, body FROM mail WHERE id > ?1 ORDER BY id LIMIT ?2", values![&after, PAGE])?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.get(0)?;
        for row in &rows {
            if let Some(damage) = opened(db, row, &[(&MAIL_BODY, 1, &[0])])? {
                looked.damaged.push(Damaged { table: "mail", row: row.get(0).unwrap_or_default(), damage });
            }
        }
    }
}

fn episodes(db: &dyn Db, looked: &mut Looked) -> Result<u64, StoreFault> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let rows = db.query("SELECT id, phase, body FROM episode WHERE id > ?1 ORDER BY id LIMIT ?2", values![&after, PAGE])?;
        let Some(last) = rows.last() else { return Ok(count) };
        after = last.get(0)?;
        for row in &rows {
            count += 1;
            if let Some(damage) = episode(db, row).unwrap_or(Some(Damage::Unreadable)) {
                looked.damaged.push(Damaged { table: "episode", row: row.get(0).unwrap_or_default(), damage });
            }
        }
    }
}

fn episode(db: &dyn Db, row: &Row) -> Result<Option<Damage>, StoreFault> {
    if let Some(damage) = opened(db, row, &[(&EPISODE_BODY, 2, &[0])])? {
        return Ok(Some(damage));
    }
    let body = EPISODE_BODY.open(db, row, 2, &[0])?.unwrap_or_default();
    let readable = uuid(row, 0)? && Phase::parse(&row.get::<String>(1)?).is_some() && json(&body);
    Ok((!readable).then_some(Damage::Unreadable))
}

fn delivery(db: &dyn Db, row: &Row) -> Result<Option<Damage>, StoreFault> {
    let of: &[usize] = &[1, 2];
    if let Some(damage) = opened(db, row, &[(&DOCUMENT, 10, of), (&RECEIPT_AT, 15, of), (&SUBJECT, 16, of)])? {
        return Ok(Some(damage));
    }
    let state = State::parse(&row.get::<String>(5)?);
    let readable = uuid(row, 1)?
        && Name::parse(&row.get::<String>(2)?).is_some()
        && uuid(row, 3)?
        && EventType::parse(&row.get::<String>(4)?).is_some()
        && super::read::findings(&row.get::<String>(6)?).is_ok();
    let Some(state) = state.filter(|_| readable) else { return Ok(Some(Damage::Unreadable)) };
    let (open, head, number): (bool, bool, Option<i64>) = (row.get(7)?, row.get(8)?, row.maybe(9)?);
    let (document, hash): (Option<Vec<u8>>, Option<Vec<u8>>) = (DOCUMENT.open(db, row, 10, of)?, row.maybe(11)?);
    let (next_at, lease): (Option<i64>, Option<i64>) = (row.maybe(12)?, row.maybe(13)?);
    let purged = row.maybe::<i64>(17)?.is_some() && state.is_end() && document.is_none();
    let same = purged || document.as_deref().map(|document| ContentHash::of(document).as_bytes().to_vec()) == hash;
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

/// A store in which nothing was logged has nothing that could be broken.
fn chain(db: &dyn Db, looked: &mut Looked) -> Result<(), StoreFault> {
    let broken = audit::walk(db, None)?.broken.filter(|broken| broken.breach != Breach::Empty);
    looked.damaged.extend(broken.map(|broken| Damaged { table: "audit", row: broken.n.to_string(), damage: Damage::Chain }));
    Ok(())
}
