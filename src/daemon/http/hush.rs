//! Log lines of refused requests, which anybody who reaches the address can cause: so many a minute and no more.

use crate::fault::Code;
use crate::model::name::Name;
use crate::oplog::{Event, Level, Line, Reason};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// From one line to the next of the same code and party.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// What has been told lately: of whom, when last, and how often it was kept quiet since. Bounded: codes are few, and so are
/// sources and destinations.
#[derive(Debug, Default)]
pub(super) struct Hush(Mutex<HashMap<About, (Timestamp, u64)>>);

type About = (Code, Option<Name>);

impl Hush {
    /// Tells of a refusal, unless the same has been told within the last minute; then it is counted in the next line.
    pub(super) fn refused(&self, now: Timestamp, event: Event, code: Code, source: Option<&Name>, destination: Option<&Name>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = told.entry((code, source.or(destination).cloned()));
        let (last, quiet) = entry.or_insert((Timestamp::MIN, 0));
        // A clock that was set back silences nothing for long.
        if now >= *last && now.duration_since(*last) < PAUSE {
            *quiet += 1;
            return;
        }
        let mut line = Line::new(now, Level::Warn, event).code(code);
        line.reason = (*quiet > 0).then(|| Reason::Count(*quiet + 1));
        line.source = source.cloned();
        line.destination = destination.cloned();
        (*last, *quiet) = (now, 0);
        drop(told);
        line.emit();
    }
}
