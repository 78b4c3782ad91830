//! What is old goes: first content, then rows. A batch is a transaction of its own; a crash between two leaves nothing half.
//!
//! Nothing goes that has not come to its end, nothing of an episode that still runs beyond the content of its ended messages, and
//! nothing under a legal hold. An event outlives all that came of it as a tombstone, so that it is known again when it comes again.

mod rows;

use super::audit::{self, Audit, Who};
use super::commit::write_line;
use super::db::{Db, values};
use super::handle::within_transaction;
use super::seal::Sealer;
use super::{Store, StoreFault};
use crate::model::ids::EpisodeId;
use crate::model::shape::codes;
use crate::oplog::{Line, Reason};
use jiff::Timestamp;
use rows::{Place, Rows, batch, rows};
use std::collections::BTreeMap;

/// Pages of a SQLite file that are given back at once.
const PAGES: u32 = 256;

codes! {
    /// What goes, in the order in which it does: each makes the next possible.
    Kind {
        Content = "content": "innehåll i meddelanden och kvitton", "content of messages and receipts";
        Events = "events": "innehåll i händelser", "content of events";
        Episodes = "episodes": "avslutade ärenden med sina leveranser och försök", "ended episodes with their deliveries and attempts";
        Tombstones = "tombstones": "minnen av händelser", "memories of events";
        Journal = "journal": "rader i journalen", "lines of the journal";
        Reasons = "reasons": "vad driften har bett om, i ord", "what operators asked for, in words";
        Requests = "requests": "begäranden från driften", "requests of operators";
        Holds = "holds": "hävda gallringsstopp", "legal holds that were lifted";
        Files = "files": "filer i done, rejected och outcome", "files in done, rejected and outcome";
    }
}

/// The kinds that stand in the database, in order.
const KINDS: [Kind; 8] =
    [Kind::Content, Kind::Events, Kind::Episodes, Kind::Tombstones, Kind::Journal, Kind::Reasons, Kind::Requests, Kind::Holds];

/// What lies before which moment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    pub now: Timestamp,
    /// Content of what was accepted by its receiver.
    pub accepted: Timestamp,
    /// Content of what came to another end.
    pub ended: Timestamp,
    /// Episodes that are over, with everything about their messages.
    pub metadata: Timestamp,
    pub journal: Timestamp,
    pub tombstones: Timestamp,
    pub audit: Timestamp,
}

/// How much has gone, of each kind.
pub type Tally = BTreeMap<&'static str, u64>;

/// What would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub kind: Kind,
    pub count: u64,
    /// When the oldest of it came to its end.
    pub oldest: Option<Timestamp>,
}

/// A run over the store, batch by batch.
#[derive(Debug)]
pub struct Purge {
    before: Before,
    /// Where it stands: a place in [`KINDS`], and the last row.
    kind: usize,
    after: Option<Place>,
}

impl Store {
    /// What would go now, as far as can be said without its going: what a first run empties, a later one may delete.
    pub fn due(&self, before: &Before) -> Result<Vec<Due>, StoreFault> {
        self.read(|db| {
            let count = |kind: Kind| {
                let Rows { table, age, due, values, .. } = rows(db, kind, before)?;
                let row = db.one(&format!("SELECT COUNT(*), MIN(t.{age}) FROM {table} AS t WHERE {due}"), &values)?;
                let (count, oldest) = row.map_or(Ok((0, None)), |row| Ok::<_, StoreFault>((row.get(0)?, row.maybe(1)?)))?;
                Ok(Due { kind, count, oldest })
            };
            KINDS.into_iter().map(count).collect()
        })
    }

    /// Whether it is this process's turn: nobody has begun a run since a moment. Of several, one hears yes.
    pub fn may_purge(&self, now: Timestamp, since: Timestamp) -> Result<bool, StoreFault> {
        let mark = |at: Timestamp| at.as_millisecond().max(0).to_be_bytes();
        self.write_anyhow(move |db| {
            let known: Option<[u8; 8]> = db.one("SELECT value FROM meta WHERE name = 'purged'", &[])?.map(|row| row.get(0)).transpose()?;
            // A clock that was set back must not put it off.
            if known.is_some_and(|known| known > mark(since) && known <= mark(now)) {
                return Ok(false);
            }
            let Some(known) = known else {
                let sql = "INSERT INTO meta (name, value) VALUES ('purged', ?1) ON CONFLICT DO NOTHING";
                return Ok(db.execute(sql, values![mark(now)])? == 1);
            };
            Ok(db.execute("UPDATE meta SET value = ?1 WHERE name = 'purged' AND value = ?2", values![mark(now), known])? == 1)
        })
    }

    /// The highest number that was given out in the lanes of an episode whose rows are gone; none where it never was, or is there.
    pub fn last_number_of_purged(&self, episode: EpisodeId) -> Result<Option<u64>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT COUNT(*), COALESCE(MAX(last_number), 0) FROM event WHERE episode_id = ?1 AND fate IS NOT NULL";
            let row = db.one(sql, values![episode.to_string()])?;
            let (count, number): (u64, u64) = row.map_or(Ok((0, 0)), |row| Ok::<_, StoreFault>((row.get(0)?, row.get(1)?)))?;
            Ok((count > 0).then_some(number))
        })
    }

    /// In the writer's next group where this process has one, else by itself.
    fn write_anyhow<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Db) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        if self.writes() { self.write_blocking(work) } else { self.read(|db| within_transaction(db, || work(db))) }
    }
}

impl Purge {
    pub fn new(before: Before) -> Self {
        Self { before, kind: 0, after: None }
    }

    /// One batch, and how much went of its kind; none when everything has been gone through. For a thread that may wait.
    pub fn step(&mut self, store: &Store) -> Result<Option<(Kind, u64)>, StoreFault> {
        let Some(kind) = KINDS.get(self.kind).copied() else { return Ok(None) };
        let (before, after) = (self.before, self.after.clone());
        let (gone, last) = store.write_anyhow(move |db| {
            let (gone, last) = batch(db, kind, &before, after)?;
            add(db, kind, gone)?;
            Ok((gone, last))
        })?;
        if last.is_none() {
            self.kind += 1;
        }
        self.after = last;
        Ok(Some((kind, gone)))
    }

    /// Counts what went elsewhere into the run.
    pub fn count(store: &Store, kind: Kind, gone: u64) -> Result<(), StoreFault> {
        if gone == 0 { Ok(()) } else { store.write_anyhow(move |db| add(db, kind, gone)) }
    }

    /// Gives back a little of the room that a SQLite file has to spare. False when there is none left, or the database sees to it.
    pub fn give_back(store: &Store) -> Result<bool, StoreFault> {
        store.write_anyhow(|db| {
            if db.is_shared() {
                return Ok(false);
            }
            let spare = |db: &dyn Db| db.one("PRAGMA freelist_count", &[])?.map_or(Ok(0), |row| row.get::<u32>(0));
            let before = spare(db)?;
            // It gives back a page each time that it is asked for a row.
            db.query(&format!("PRAGMA incremental_vacuum({PAGES})"), &[])?;
            let left = spare(db)?;
            Ok(left > 0 && left < before)
        })
    }

    /// Ends the run: journal and audit log are told of it, and of one before that was cut off. `line` tells that there was one; what comes
    /// back is what was told.
    pub fn end(store: &Store, line: &Line, who: &Who) -> Result<Vec<Line>, StoreFault> {
        let (line, who) = (line.clone(), who.clone());
        store.write_anyhow(move |db| {
            let tally = tally(db)?;
            db.execute("DELETE FROM meta WHERE name = 'purging'", &[])?;
            let counted = |(kind, count): (&&'static str, &u64)| Line { reason: Some(Reason::Counted(kind, *count)), ..line.clone() };
            let mut lines: Vec<Line> = tally.iter().map(counted).collect();
            if lines.is_empty() {
                lines.push(Line { reason: Some(Reason::Count(0)), ..line.clone() });
            }
            lines.iter().try_for_each(|line| write_line(db, line))?;
            let told = Audit::new(line.at, audit::Kind::Retention, who);
            let told = tally.iter().fold(told, |told, (kind, count)| told.tell(kind, *count));
            audit::append(db, &Sealer::hold(db)?, &[told])?;
            Ok(lines)
        })
    }
}

/// Adds to what the run has done so far; it stands beside the rows, so that a run that is cut off is told of by the next.
fn add(db: &dyn Db, kind: Kind, gone: u64) -> Result<(), StoreFault> {
    if gone == 0 {
        return Ok(());
    }
    let mut tally = tally(db)?;
    *tally.entry(kind.code()).or_default() += gone;
    let json = serde_json::to_vec(&tally).unwrap_or_default();
    let sql = "INSERT INTO meta (name, value) VALUES ('purging', ?1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    db.execute(sql, values![json]).map(drop)
}

fn tally(db: &dyn Db) -> Result<Tally, StoreFault> {
    let lock = if db.is_shared() { " FOR UPDATE" } else { "" };
    let row = db.one(&format!("SELECT value FROM meta WHERE name = 'purging'{lock}"), &[])?;
    let known: BTreeMap<String, u64> =
        row.map(|row| row.get::<Vec<u8>>(0)).transpose()?.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    Ok(known.into_iter().filter_map(|(kind, count)| Some((Kind::parse(&kind)?.code(), count))).collect())
}
