//! Goes through the chain of the audit log from its first row to its last, and says where it does not hold.

use super::super::db::{Db, Row, values};
use super::super::export::hex;
use super::super::seal::AUDIT_BODY;
use super::super::{Store, StoreFault};
use super::chain::{End, Ends, Link, Mac, Standing};
use crate::model::shape::codes;

/// Rows that are read at once.
const PAGE: i64 = 500;
/// Fewest digits of a code by which a row is known: 96 bits.
const DIGITS_MIN: usize = 24;

codes! {
    /// How a chain does not hold.
    Breach {
        Empty = "empty": "loggen är tom: inget har loggats, eller så har någon kastat den", "the log is empty: nothing was logged, or somebody has thrown it away";
        Ends = "ends": "uppgiften om var loggen börjar och slutar är ändrad eller borttagen", "what tells where the log begins and ends was changed or removed";
        Changed = "changed": "raden är ändrad, eller hör inte hit", "the row was changed, or does not belong here";
        Missing = "missing": "raden saknas", "the row is missing";
        Added = "added": "raden är tillagd efter loggens slut", "the row was added after the log's end";
        Anchor = "anchor": "raden är inte den som antecknades", "the row is not the one that was noted";
        AnchorAhead = "anchor-ahead": "loggen slutar före den antecknade raden: den är avkortad, eller återställd från en säkerhetskopia", "the log ends before the row that was noted: it was cut off, or restored from a backup";
        AnchorGone = "anchor-gone": "den antecknade raden är gallrad; anteckna en senare", "the row that was noted has been removed by retention; note a later one";
    }
}

/// A row of the log that somebody noted elsewhere: `1042:5c0f…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub n: i64,
    /// The row's code in lower-case hexadecimal, or the beginning of it.
    pub mac: String,
}

impl Anchor {
    pub fn parse(text: &str) -> Option<Self> {
        let (n, mac) = text.split_once(':')?;
        let formed = (DIGITS_MIN..=64).contains(&mac.len()) && mac.bytes().all(|b| b.is_ascii_hexdigit());
        let n = n.parse().ok().filter(|n| *n > 0)?;
        formed.then(|| Self { n, mac: mac.to_ascii_lowercase() })
    }

    fn of(end: End) -> Self {
        Self { n: end.n, mac: hex(&end.mac) }
    }

    fn is(&self, end: End) -> bool {
        self.n == end.n && hex(&end.mac).starts_with(&self.mac)
    }
}

/// Where a chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    pub n: i64,
    pub breach: Breach,
}

/// What was gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub rows: u64,
    /// Number of the last row that retention has removed; 0 where it has removed none.
    pub removed: i64,
    /// The last row; to be noted elsewhere. None where the ends are not what they were.
    pub head: Option<Anchor>,
    /// The first place where it does not hold.
    pub broken: Option<Broken>,
}

impl Store {
    /// The whole chain at one moment, and whether a row that was noted before is still in it.
    pub fn verify_audit(&self, anchor: Option<&Anchor>) -> Result<Verified, StoreFault> {
        self.read(|db| {
            db.batch(if db.is_shared() { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" })?;
            let walked = walk(db, anchor);
            db.batch("ROLLBACK")?;
            walked
        })
    }

    /// The last row as it stands, to be noted elsewhere.
    pub fn audit_head(&self) -> Result<Option<Anchor>, StoreFault> {
        self.read(|db| match Ends::read(db)? {
            Standing::Sound(ends) => Ok(Some(Anchor::of(ends.head))),
            Standing::Unbegun | Standing::Broken => Ok(None),
        })
    }
}

pub(in crate::store) fn walk(db: &dyn Db, anchor: Option<&Anchor>) -> Result<Verified, StoreFault> {
    let ends = match Ends::read(db)? {
        Standing::Sound(ends) => ends,
        Standing::Unbegun | Standing::Broken => {
            let rows: u64 = db.one("SELECT COUNT(*) FROM audit", values![])?.map_or(Ok(0), |row| row.get(0))?;
            let unbegun = rows == 0 && Ends::read(db)? == Standing::Unbegun;
            let breach = if unbegun { Breach::Empty } else { Breach::Ends };
            return Ok(Verified { rows, removed: 0, head: None, broken: Some(Broken { n: 0, breach }) });
        }
    };
    let mut walk = Walk { at: ends.start, rows: 0, anchored: anchor.is_none_or(|anchor| anchor.is(ends.start)) };
    let broken = walk.rows(db, ends, anchor)?.or_else(|| {
        let anchor = anchor.filter(|_| !walk.anchored)?;
        let breach = if anchor.n > ends.head.n {
            Breach::AnchorAhead
        } else if anchor.n < ends.start.n {
            Breach::AnchorGone
        } else {
            Breach::Anchor
        };
        Some(Broken { n: anchor.n, breach })
    });
    Ok(Verified { rows: walk.rows, removed: ends.start.n, head: Some(Anchor::of(ends.head)), broken })
}

struct Walk {
    /// The row before the next one.
    at: End,
    rows: u64,
    /// The row that was noted has been met.
    anchored: bool,
}

impl Walk {
    fn rows(&mut self, db: &dyn Db, ends: Ends, anchor: Option<&Anchor>) -> Result<Option<Broken>, StoreFault> {
        let broken = |n, breach| Ok(Some(Broken { n, breach }));
        // What stands before the first row is as little of the log as what stands after the last.
        if let Some(row) = db.one("SELECT n FROM audit WHERE n <= ?1 OR n > ?2 ORDER BY n LIMIT 1", values![ends.start.n, ends.head.n])? {
            return broken(row.get(0)?, Breach::Added);
        }
        loop {
            let rows = page(db, self.at.n, PAGE)?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let next = self.at.n + 1;
                if row.get::<i64>(0)? != next {
                    return broken(next, Breach::Missing);
                }
                let Some(end) = follows(db, &row, &self.at.mac)? else { return broken(next, Breach::Changed) };
                self.at = end;
                self.rows += 1;
                self.anchored |= anchor.is_some_and(|anchor| anchor.is(end));
            }
        }
        if self.at.n < ends.head.n { broken(self.at.n + 1, Breach::Missing) } else { Ok(end(self.at, ends.head)) }
    }
}

fn end(at: End, head: End) -> Option<Broken> {
    (at != head).then_some(Broken { n: head.n, breach: Breach::Changed })
}

/// The next rows of the log, as [`follows`] reads them.
pub(super) fn page(db: &dyn Db, after: i64, limit: i64) -> Result<Vec<Row>, StoreFault> {
    let sql = "SELECT n, at, kind, message_id, destination, episode_id, patient, body, mac FROM audit WHERE n > ?1 ORDER BY n LIMIT ?2";
    db.query(sql, values![after, limit])
}

/// The row's end, where it is what came after a row of this code. A value that cannot be read is a changed one.
pub(super) fn follows(db: &dyn Db, row: &Row, before: &Mac) -> Result<Option<End>, StoreFault> {
    match end_of(db, row, before) {
        Err(StoreFault::Damaged { .. }) => Ok(None),
        end => end,
    }
}

fn end_of(db: &dyn Db, row: &Row, before: &Mac) -> Result<Option<End>, StoreFault> {
    let kind: String = row.get(2)?;
    let texts = (row.maybe::<String>(3)?, row.maybe::<String>(4)?, row.maybe::<String>(5)?, row.maybe::<String>(6)?);
    let body = AUDIT_BODY.get(db, row, 7, &[0])?;
    let link = Link {
        n: row.get(0)?,
        at: row.get(1)?,
        kind: &kind,
        message: texts.0.as_deref(),
        destination: texts.1.as_deref(),
        episode: texts.2.as_deref(),
        patient: texts.3.as_deref(),
        body: &body,
    };
    let mac = link.mac(db.seals().chain()?, before);
    Ok((row.get::<Mac>(8)? == mac).then_some(End { n: link.n, mac }))
}
