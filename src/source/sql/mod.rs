//! A table or view of another system's database, read as an outbox.
//!
//! **Guarantee.** With a status column: every row whose status is null is taken, whenever it was committed and whatever its
//! place in the order; no place is remembered, so no gap can hide a row. Status and answer are written only after intake has said
//! that what the row holds is durable; a crash in between is met by the duplicate check when the row is read again. So no row is
//! lost and none counts twice. Rows are handed in in the order of the order column; a row that is committed late, behind one
//! that has been taken, comes after it.
//!
//! Without one nothing is written, and what was taken is remembered here: `window` says how. A row that becomes visible within
//! `overlap_s` of one behind it is taken at once, a later one when everything is read again (at the start and every `reread_h`).
//! Up to [`window::KEYS_MAX`] keys are remembered; what was forgotten is handed in again, and known again.
//!
//! A row that cannot be read, is too large or has no usable key is refused by itself. One whose answer cannot be written, or
//! that intake puts off, is left alone for a while and holds up no others. Between the replicas of one store nothing is claimed:
//! each may hand the row in, and the first one's answer stands. Two stores on one table would share its rows in no way.

mod answer;
mod link;
mod mariadb;
mod postgres;
mod record;
mod sqlite;
mod stuck;
mod table;
mod teller;
mod window;

pub use teller::Answers;

use self::answer::Written;
use self::link::{Failure, Link, Open, Value};
use self::stuck::Stuck;
use self::table::Head;
use self::window::Window;
use super::{Intake, Report, Source, Unavailable};
use crate::config::SqlSettings;
use crate::fault::{Code, Fault};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, Form, RawEvent, Verdict};
use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Most rows in one batch, and most bytes.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// Longest key.
const KEY_MAX: usize = 200;

/// A table being read.
pub struct Outbox {
    name: Name,
    poll: Duration,
    max_bytes: u64,
    /// One column is the record; else the row is one, in JSON.
    is_body: bool,
    link: Link,
    stuck: Stuck,
    /// There where nothing is written.
    window: Option<Window>,
    /// When to look again.
    due: Instant,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A row on its way.
struct Row {
    head: Head,
    /// As it is told.
    origin: String,
    body: Result<Vec<u8>, Code>,
}

impl Outbox {
    /// Does not ask for the database yet: it may come later.
    pub fn new(name: Name, settings: &SqlSettings, max_bytes: u64) -> Result<Self, Fault> {
        let window = settings.written.is_none().then(|| Window::new(settings.overlap, settings.reread));
        let link = Link::new(settings.clone(), max_bytes)?;
        let (poll, is_body) = (settings.poll, settings.body.is_some());
        Ok(Self { name, poll, max_bytes, is_body, link, stuck: Stuck::default(), window, due: Instant::now() })
    }

    /// The rows of one batch in their order, and whether there are more behind them.
    fn rows(&mut self) -> Result<(Vec<Row>, bool), Code> {
        let now = Instant::now();
        let from = self.window.as_mut().map(|window| window.next(now));
        let most = BATCH_ROWS + if from.is_none() { self.stuck.len() } else { 0 };
        let found = self.link.with(|open| {
            let (sql, values) = match &from {
                Some(from) => open.table.rows_from(from, most),
                None => (open.table.new_rows(most), Vec::new()),
            };
            open.db.query(&sql, &values)
        })?;
        let mut more = found.len() == most;
        let (mut heads, mut bytes, mut reached) = (Vec::new(), 0, None);
        for head in found.into_iter().filter_map(Head::of) {
            let wanted = self.is_wanted(&head, now);
            // What is too large is not read.
            bytes += if wanted && head.bytes <= self.max_bytes { head.bytes } else { 0 };
            if !heads.is_empty() && (bytes > BATCH_BYTES || heads.len() == BATCH_ROWS) {
                more = true;
                break;
            }
            reached = Some((head.order.clone(), head.key.clone()));
            if wanted {
                heads.push(head);
            }
        }
        let (asked, max_bytes) = (heads.len(), self.max_bytes);
        let rows = self.link.with(|open| records(open, heads, max_bytes))?;
        if let Some(window) = &mut self.window {
            if let Some((order, key)) = reached {
                window.reached(order, key);
            }
            // What could not be read now is met again.
            if rows.len() < asked {
                window.leave();
            }
        }
        Ok((rows, more))
    }

    /// A row that is left alone for now leaves its place open.
    fn is_wanted(&mut self, head: &Head, now: Instant) -> bool {
        let origin = origin(&head.key);
        if self.stuck.holds(&origin, now) {
            self.window.iter_mut().for_each(Window::leave);
            return false;
        }
        self.window.as_ref().is_none_or(|window| !window.knows(&origin))
    }

    fn raw(&self, row: &Row) -> RawEvent {
        let refused = |code: Code| Box::new(code.finding(Effect::Refuse, Layer::Syntax, None)) as Box<Finding>;
        // A key that cannot be used may be of any length.
        let origin = if row.body == Err(Code::SrcRowKey) { String::new() } else { row.origin.clone() };
        RawEvent {
            source: self.name.clone(),
            origin: Personal::new(origin),
            body: row.body.clone().map(Personal::new).map_err(refused),
            form: (!self.is_body).then_some(Form::Json),
            may_grow: false,
        }
    }

    /// Writes the answers down, where there is a place for them. False where nothing came of it.
    fn settle(&mut self, rows: &[Row], answers: &[Vec<Answer>], report: &mut dyn Report) -> Result<bool, Code> {
        let now = Instant::now();
        let (mut done, mut later) = (Vec::new(), Vec::new());
        for (row, answers) in rows.iter().zip(answers) {
            if answers.iter().any(|answer| answer.verdict == Verdict::Later) {
                later.push(row);
            } else {
                done.push((row, answer::first(answers)));
            }
        }
        let mut unwritten = Vec::new();
        if let Some(window) = &mut self.window {
            for (row, _) in &done {
                window.remember(row.origin.clone());
            }
            if !later.is_empty() {
                window.leave();
            }
        } else {
            unwritten = self.link.with(|open| write(open, &done))?;
        }
        if !unwritten.is_empty() {
            report.trouble(Code::SrcAnswer);
        }
        let settled = done.len() > unwritten.len();
        for (row, _) in done.iter().filter(|(row, _)| !unwritten.contains(&row.origin)) {
            self.stuck.free(&row.origin);
        }
        for origin in unwritten.into_iter().chain(later.into_iter().map(|row| row.origin.clone())) {
            self.stuck.hold(origin, now);
        }
        Ok(settled)
    }

    fn take(&mut self, intake: &mut dyn Intake, report: &mut dyn Report) -> Result<bool, Code> {
        let (rows, more) = self.rows()?;
        let mut settled = self.window.is_some();
        if !rows.is_empty() {
            let documents = rows.iter().map(|row| self.raw(row)).collect();
            let answers = intake.submit(documents).map_err(|Unavailable| Code::BugStore)?;
            settled |= self.settle(&rows, &answers, report)?;
        }
        if let (Some(window), false) = (&mut self.window, more) {
            window.ended(Instant::now());
        }
        Ok(settled && more)
    }
}

impl Source for Outbox {
    fn name(&self) -> &Name {
        &self.name
    }

    fn round(&mut self, intake: &mut dyn Intake, report: &mut dyn Report) -> Result<bool, Unavailable> {
        if Instant::now() < self.due {
            return Ok(false);
        }
        match self.take(intake, report) {
            Ok(true) => Ok(true),
            Ok(false) => {
                self.due = Instant::now() + self.poll;
                Ok(false)
            }
            Err(code) => {
                self.window.iter_mut().for_each(Window::broken);
                report.trouble(code);
                Err(Unavailable)
            }
        }
    }

    fn pause(&self) -> Option<Duration> {
        Some(self.due.saturating_duration_since(Instant::now()).max(Duration::from_millis(20)))
    }
}

fn origin(key: &Value) -> String {
    key.text().unwrap_or_default()
}

/// Whether a key can stand for its row wherever the row is told of.
fn key_fits(origin: &str) -> bool {
    (1..=KEY_MAX).contains(&origin.len()) && !origin.contains(['#', '~']) && !origin.contains(char::is_control)
}

fn records(open: &mut Open, heads: Vec<Head>, max_bytes: u64) -> Result<Vec<Row>, Failure> {
    let readable = |head: &&Head| head.bytes <= max_bytes && key_fits(&origin(&head.key));
    let keys: Vec<Value> = heads.iter().filter(readable).map(|head| head.key.clone()).collect();
    let mut found = match read(open, &keys) {
        // One that the database cannot give keeps it from giving the others.
        Err(Failure::Refused) if keys.len() > 1 => {
            let mut found = HashMap::new();
            for key in &keys {
                match read(open, std::slice::from_ref(key)) {
                    Ok(one) => found.extend(one),
                    Err(Failure::Refused) => drop(found.insert(origin(key), Err(Code::SrcUnreadable))),
                    Err(lost) => return Err(lost),
                }
            }
            found
        }
        read => read?,
    };
    let row = |head: Head| {
        let origin = origin(&head.key);
        let body = if !key_fits(&origin) {
            Err(Code::SrcRowKey)
        } else if head.bytes > max_bytes {
            Err(Code::SrcTooLarge)
        } else {
            // Gone, or grown, since its head was read.
            found.remove(&origin)?
        };
        Some(Row { head, origin, body })
    };
    Ok(heads.into_iter().filter_map(row).collect())
}

fn read(open: &mut Open, keys: &[Value]) -> Result<HashMap<String, Result<Vec<u8>, Code>>, Failure> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut found = HashMap::new();
    for mut row in open.db.query(&open.table.records(keys.len()), keys)? {
        let mut values = row.split_off(1);
        let body = if open.table.is_body {
            values.pop().map(record::body).ok_or(Code::SrcUnreadable)
        } else {
            record::object(&open.table.columns, values)
        };
        found.insert(row.first().map(origin).unwrap_or_default(), body);
    }
    Ok(found)
}

/// Writes all of them at once, or each by itself where the database does not take them all. Those that it does not take at all
/// come back.
fn write(open: &mut Open, done: &[(&Row, Written)]) -> Result<Vec<String>, Failure> {
    let Some(sql) = open.table.mark() else { return Ok(Vec::new()) };
    let mark = |open: &mut Open, row: &Row, status: &str, answer: String| {
        open.db.execute(&sql, &[Value::Text(status.to_owned()), Value::Text(answer), row.head.key.clone()])
    };
    open.db.control(open.table.begin())?;
    let all = done.iter().try_for_each(|(row, written)| mark(open, row, written.status, written.answer.clone()));
    match all.and_then(|()| open.db.control("COMMIT")) {
        Ok(()) => return Ok(Vec::new()),
        Err(Failure::Lost) => return Err(Failure::Lost),
        Err(Failure::Refused) => open.db.control("ROLLBACK")?,
    }
    let mut unwritten = Vec::new();
    for (row, written) in done {
        let done = mark(open, row, written.status, written.answer.clone());
        let done =
            done.or_else(|failure| if failure == Failure::Lost { Err(failure) } else { mark(open, row, written.status, written.short()) });
        match done {
            Ok(()) => {}
            Err(Failure::Refused) => unwritten.push(row.origin.clone()),
            Err(Failure::Lost) => return Err(Failure::Lost),
        }
    }
    Ok(unwritten)
}
