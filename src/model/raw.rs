//! What passes between a source and intake.

use super::finding::Finding;
use super::name::Name;
use super::personal::Personal;

/// A record as a source has it: whole, bounded, and not yet looked at.
#[derive(Debug, Clone)]
pub struct RawEvent {
    pub source: Name,
    /// What the source calls it: a file's name.
    pub origin: Personal<String>,
    /// The bytes, or why there are none.
    pub body: Result<Personal<Vec<u8>>, Box<Finding>>,
    /// The source may still be writing it: where it breaks off, wait and read it again.
    pub may_grow: bool,
}

/// What intake made of a record. Told only once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its fate from here on is in the store.
    Accepted,
    /// It was accepted before.
    Duplicate,
    /// It cannot be an event, for all these reasons.
    Rejected(Vec<Finding>),
    /// Nothing was recorded, and the source keeps it: it breaks off and may still grow, or its episode cannot be read.
    Later,
}
