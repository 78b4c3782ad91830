//! Gives a store another key, or its first one, while daemons may be at work.
//!
//! First the store is told which key seals from now on; whoever writes reads it there. Then what is sealed with another key, or
//! not at all, is sealed anew, a page at a time: a crash leaves a store that reads as before, and whoever begins again goes on.

use super::audit::{self, Audit, Kind, Who};
use super::backup::Vacant;
use super::commit::write_line;
use super::db::{Db, Value};
use super::handle::{Connection, unusable, within_transaction};
use super::keys::{KeyId, Keys, StoreKey};
use super::seal::{self, COLUMNS, Column, Form, Sealer, Seals};
use super::{Place, Store, StoreFault, named, postgres, sqlite};
use crate::fault::{Code, Fault};
use crate::oplog::{Line, Reason};
use std::sync::Arc;

/// Rows of one transaction: a row may hold a megabyte, and the daemon waits as long.
const PAGE: usize = 50;
/// Most times that everything is gone through; each time but the first meets only rows that others held.
const ROUNDS_MAX: u32 = 100;

/// A store that is being given a key.
pub struct Rekey {
    db: Connection,
    /// What the connection lives by.
    _store: Store,
    keys: Keys,
    place: Place,
    /// Where it stands: a column of [`COLUMNS`], and the last row.
    column: usize,
    after: Vec<Value>,
    rounds: u32,
    done: Rekeyed,
}

impl std::fmt::Debug for Rekey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rekey").field("column", &self.column).field("done", &self.done).finish_non_exhaustive()
    }
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rekeyed {
    pub resealed: u64,
    /// Values that no key opens.
    pub damaged: u64,
    /// Some stood unsealed until now.
    pub was_plain: bool,
    /// Nothing of what stood there is left in the file. Not where a daemon has it, and not in PostgreSQL.
    pub compacted: bool,
}

impl Rekey {
    /// From now on the first key seals. A store that is not sealed yet must be nobody else's meanwhile.
    pub fn begin(place: &Place, keys: &Keys) -> Result<Self, Fault> {
        let first = keys.ring.first().ok_or_else(|| Fault::with(Code::CfgMissing, "store.key_files"))?;
        let store = match Store::open_at_to_read(place, keys) {
            Err(fault) if fault.code == Code::CfgStoreUnsealed => {
                seal_first(place, keys)?;
                Store::open_at_to_read(place, keys)?
            }
            opened => opened?,
        };
        if let Place::File(path) = place
            && !sqlite::holder_has(path, first.id)?
        {
            return Err(Fault::with(Code::StoDaemonKey, path.display().to_string()));
        }
        let db = store.connection()?;
        if !db.is_shared() {
            // What is written over is gone from the file.
            db.batch("PRAGMA secure_delete = ON")?;
        }
        switch(db.as_ref(), first)?;
        let done = Rekeyed { was_plain: db.seals().form() == Form::Both, ..Rekeyed::default() };
        Ok(Self { db, _store: store, keys: keys.clone(), place: place.clone(), column: 0, after: Vec::new(), rounds: 0, done })
    }

    /// Seals a page anew. False when everything has been gone through.
    pub fn step(&mut self) -> Result<bool, StoreFault> {
        let Some(column) = COLUMNS.get(self.column) else { return Ok(false) };
        let first = self.keys.ring.first().ok_or(StoreFault::NoKey)?;
        let db = self.db.as_ref();
        let rows = next(db, column, first, &self.after)?;
        if rows.is_empty() {
            self.column += 1;
        } else {
            let page = within_transaction(db, || reseal(db, column, &rows))?;
            self.done.resealed += page.resealed;
            self.done.damaged += page.damaged;
        }
        self.after = rows.into_iter().next_back().unwrap_or_default();
        Ok(true)
    }

    /// Takes the other keys' names from the store, where nothing is sealed with them any more. Else None: then there are steps
    /// left. `line` and the audit log tell of it.
    pub fn end(&mut self, line: &Line, who: &Who) -> Result<Option<Rekeyed>, Fault> {
        let first = self.keys.ring.first().ok_or(StoreFault::NoKey)?;
        let db = self.db.as_ref();
        let mut left = 0;
        for column in COLUMNS {
            left += count(db, column, first)?;
        }
        if left > self.done.damaged {
            self.rounds += 1;
            if self.rounds > ROUNDS_MAX {
                return Err(Fault::with(Code::StoInUse, format!("{left} values")));
            }
            (self.column, self.done.damaged) = (0, 0);
            return Ok(None);
        }
        let mut line = line.clone();
        line.reason = Some(Reason::Count(self.done.resealed));
        within_transaction(db, || {
            let ids = named::named_for_update(db)?;
            // Somebody else has begun to give it yet another key: that is theirs to end.
            if ids.first() == Some(&first.id) {
                let (secret, _) = named::reference(db, db.seals().keys())?;
                named::rename(db, first, &secret, Form::Sealed, &[first.id])?;
            }
            write_line(db, &line)?;
            let told = Audit::new(line.at, Kind::Rekeyed, who.clone()).tell("resealed", self.done.resealed);
            audit::append(db, &Sealer::hold(db)?, &[told])
        })?;
        line.emit();
        self.done.compacted = compact(db, &self.place);
        Ok(Some(self.done))
    }
}

/// The next rows whose value stands under another key; read beside the work, however many there are that do not.
fn next(db: &dyn Db, column: &Column, key: &StoreKey, after: &[Value]) -> Result<Vec<Vec<Value>>, StoreFault> {
    let Column { table, row, .. } = column;
    let names = row.join(", ");
    let from = if after.is_empty() { String::new() } else { format!("AND ({names}) > ({})", places(row.len())) };
    let sql = format!("SELECT {names} FROM {table} WHERE {} {from} ORDER BY {names} LIMIT {PAGE}", other(column));
    let values: Vec<Value> = [seal::header_in(column, key)].into_iter().chain(after.iter().cloned()).collect();
    db.list(&sql, &values, |answer| Ok((0..row.len()).map(|at| answer.value(at)).collect()))
}

/// What became of a page.
#[derive(Default)]
struct Page {
    resealed: u64,
    damaged: u64,
}

fn reseal(db: &dyn Db, column: &Column, rows: &[Vec<Value>]) -> Result<Page, StoreFault> {
    let sealer = Sealer::hold(db)?;
    let mut page = Page::default();
    let Some(header) = sealer.header(column) else { return Ok(page) };
    // What another transaction has is left to the next round: who waits for nobody stops nobody.
    let lock = if db.is_shared() { " FOR NO KEY UPDATE SKIP LOCKED" } else { "" };
    let Column { table, name, row, .. } = column;
    let this = format!("({}) = ({})", row.join(", "), places(row.len()));
    let select = format!("SELECT {name} FROM {table} WHERE {} AND {this}{lock}", other(column));
    let update = format!("UPDATE {table} SET {name} = ?1 WHERE {this}");
    for row in rows {
        let with = |first: &Value| -> Vec<Value> { [first].into_iter().chain(row).cloned().collect() };
        let Some(answer) = db.one(&select, &with(&header))? else { continue };
        if let Some(value) = sealer.reseal(db, column, row, answer.value(0))? {
            db.execute(&update, &with(&value))?;
            page.resealed += 1;
        } else {
            page.damaged += 1;
        }
    }
    Ok(page)
}

/// Values that do not begin as the first placeholder says.
fn other(column: &Column) -> String {
    let (name, length) = (column.name, seal::header_length(column));
    format!("length({name}) > 0 AND substr({name}, 1, {length}) <> ?1")
}

/// Placeholders from the second on.
fn places(count: usize) -> String {
    (2..2 + count).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ")
}

fn count(db: &dyn Db, column: &Column, key: &StoreKey) -> Result<u64, StoreFault> {
    let sql = format!("SELECT COUNT(*) FROM {} WHERE {}", column.table, other(column));
    db.one(&sql, &[seal::header_in(column, key)])?.map_or(Ok(0), |row| row.get(0))
}

/// The store's own key from now on. Whoever is writing under the other one is waited for.
fn switch(db: &dyn Db, first: &StoreKey) -> Result<(), StoreFault> {
    within_transaction(db, || {
        let ids = named::named_for_update(db)?;
        if ids.first() == Some(&first.id) {
            return Ok(());
        }
        let (secret, form) = named::reference(db, db.seals().keys())?;
        let others = ids.into_iter().filter(|id| *id != first.id);
        named::rename(db, first, &secret, form, &[first.id].into_iter().chain(others).collect::<Vec<KeyId>>())
    })
}

/// A store that began plain has a key from now on. Whoever has it open knows of none, and would write and read past it.
fn seal_first(place: &Place, keys: &Keys) -> Result<(), Fault> {
    let seals = Arc::new(Seals::new(keys.clone()));
    let name = |db: &dyn Db| {
        within_transaction(db, || {
            let first = keys.ring.first().ok_or(StoreFault::NoKey)?;
            let (secret, _) = named::reference(db, &keys.unsealing())?;
            named::rename(db, first, &secret, Form::Both, &[first.id])
        })
    };
    match place {
        Place::File(path) => {
            let _vacant = Vacant::take(path)?;
            let db = sqlite::connect(path, &seals);
            db.and_then(|db| name(db.as_ref())).map_err(|fault| unusable(&path.display().to_string(), fault))
        }
        Place::Postgres(server) => postgres::alone(server, seals, name),
    }
}

/// Writes the file anew, so that nothing is left in it of what stood there before. Where somebody has it, it is left as it is.
fn compact(db: &dyn Db, place: &Place) -> bool {
    let Place::File(path) = place else { return false };
    let Ok(_vacant) = Vacant::take(path) else { return false };
    db.batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").is_ok()
}
