//! Takes the oldest rows of the audit log away once they have been kept as long as they must, and leaves a chain that holds.

use super::super::db::{Db, values};
use super::super::handle::within_transaction;
use super::super::{Store, StoreFault};
use super::chain::Span;
use super::verify::{follows, page};
use super::{Audit, Kind, Who};
use jiff::Timestamp;

/// Rows of one transaction.
const PAGE: i64 = 500;

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    pub rows: u64,
    /// The first row that is not what it was. It stays, with all that comes after: what is removed cannot be looked into any more.
    pub broken: Option<i64>,
}

impl Store {
    /// Removes the rows from before `before`, from the first one on up to the first that is younger, page by page. Where the
    /// new beginning is stands in the store under its key, so that what is left can be verified.
    pub fn purge_audit(&self, before: Timestamp, at: Timestamp, who: &Who) -> Result<Purged, StoreFault> {
        let mut purged = Purged::default();
        loop {
            let (rows, broken) = self.read(|db| within_transaction(db, || remove(db, before)))?;
            purged.rows += rows;
            purged.broken = broken;
            if rows == 0 || broken.is_some() {
                break;
            }
        }
        if purged != Purged::default() {
            let told = Audit::new(at, Kind::Purged, who.clone()).tell("rows", purged.rows).tell("before", before.to_string());
            self.audit(&[match purged.broken {
                Some(n) => told.tell("stoppedAt", n),
                None => told,
            }])?;
        }
        Ok(purged)
    }
}

/// A page, and the broken row that it ends before.
fn remove(db: &dyn Db, before: Timestamp) -> Result<(u64, Option<i64>), StoreFault> {
    let mut span = Span::lock(db)?;
    let from = span.ends.start;
    let mut to = from;
    let mut broken = None;
    for row in page(db, from.n, PAGE)? {
        let n: i64 = row.get(0)?;
        let young = row.get::<i64>(1).is_ok_and(|at| at >= before.as_millisecond());
        if young || to.n == span.ends.head.n {
            break;
        }
        match follows(db, &row, &to.mac)? {
            Some(end) if n == to.n + 1 => to = end,
            _ => {
                broken = Some(to.n + 1);
                break;
            }
        }
    }
    if to == from {
        return Ok((0, broken));
    }
    let rows = db.execute("DELETE FROM audit WHERE n > ?1 AND n <= ?2", values![from.n, to.n])?;
    span.ends.start = to;
    span.write(db)?;
    Ok((u64::try_from(rows).unwrap_or(u64::MAX), broken))
}
