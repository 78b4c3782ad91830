//! Writes into a row what becomes of what it held, each time that changes.

use super::answer::{self, place};
use super::link::{Failure, Link, Open, Value};
use crate::config::SqlSettings;
use crate::fault::Fault;
use crate::source::{News, Teller};
use std::fmt;
use std::io;

/// Writes outcomes into a source's rows, over a connection of its own.
pub struct Answers {
    /// None where nothing is written.
    link: Option<Link>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

impl Answers {
    pub fn new(settings: &SqlSettings) -> Result<Self, Fault> {
        let link = settings.written.is_some().then(|| Link::new(settings.clone(), 0)).transpose()?;
        Ok(Self { link })
    }
}

impl Teller for Answers {
    #[expect(clippy::disallowed_methods, reason = "the row's own key, in the database of the system that gave it")]
    fn tell(&mut self, news: &News) -> io::Result<()> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let (key, part) = place(news.origin.disclose());
        match link.with(|open| tell(open, key, part, &news.outcome)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
            Err(_) => Err(io::ErrorKind::Other.into()),
        }
    }
}

/// False where it cannot be told now: the source has not written the first answer yet, or the row is locked.
fn tell(open: &mut Open, key: &str, part: Option<&str>, outcome: &str) -> Result<bool, Failure> {
    let (Some(read), Some(write)) = (open.table.answer(), open.table.answer_again()) else { return Ok(true) };
    let key = open.table.key(key);
    open.db.control(open.table.begin())?;
    let row = match open.db.query(&read, std::slice::from_ref(&key)) {
        Ok(mut rows) => rows.pop(),
        Err(failure) => return given_up(open, failure),
    };
    let Some(row) = row else {
        // The row is gone; there is nobody to tell.
        return open.db.control("ROLLBACK").map(|()| true);
    };
    let mut row = row.iter().map(Value::text);
    let (status, before) = (row.next().flatten(), row.next().flatten());
    let Some(status) = status else { return given_up(open, Failure::Refused) };
    let written = answer::again(&status, before.as_deref(), part, outcome);
    let text = |text: &str| Value::Text(text.to_owned());
    let long = open.db.execute(&write, &[text(written.status), text(&written.answer), key.clone()]);
    match long.and_then(|()| open.db.control("COMMIT")) {
        Err(Failure::Refused) => {}
        done => return done.map(|()| true),
    }
    // It may be too long for the column.
    open.db.control("ROLLBACK")?;
    let short = open.db.execute(&write, &[text(written.status), text(&written.short()), key]);
    if short == Err(Failure::Refused) { Ok(false) } else { short.map(|()| true) }
}

fn given_up(open: &mut Open, failure: Failure) -> Result<bool, Failure> {
    if failure == Failure::Lost {
        return Err(failure);
    }
    open.db.control("ROLLBACK").map(|()| false)
}
