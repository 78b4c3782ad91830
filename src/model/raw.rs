//! What passes between a source, the mapping and intake.

use super::event::CareEvent;
use super::finding::{Finding, Place};
use super::name::Name;
use super::personal::Personal;

/// A document as a source has it: one record or many, whole, bounded, and not yet looked at.
#[derive(Debug, Clone)]
pub struct RawEvent {
    pub source: Name,
    /// What the source calls it: a file's name, a row's key. Outcomes go back under it.
    pub origin: Personal<String>,
    /// The bytes, or why there are none.
    pub body: Result<Personal<Vec<u8>>, Box<Finding>>,
    /// What the source says that the bytes are; the mapping's own format where it says nothing.
    pub form: Option<Form>,
    /// The source may still be writing it: where it breaks off, wait and read it again.
    pub may_grow: bool,
}

/// Form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    /// One JSON object a line.
    Ndjson,
    Xml,
    Csv,
}

/// An event read from a record.
#[derive(Debug, Clone)]
pub struct Mapped {
    pub event: CareEvent,
    /// SHA-256 of the source record as canonical JSON (RFC 8785), before any mapping: a new mapping makes no new version.
    pub hash: [u8; 32],
}

/// One record of a document, read.
#[derive(Debug, Clone)]
pub struct Record {
    /// Where it begins; none where the document is the record.
    pub place: Option<Place>,
    /// The events that it gives, or everything that is wrong with it.
    pub events: Result<Vec<Mapped>, Vec<Finding>>,
}

/// One event on its way into intake, or why it is none.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub source: Name,
    pub origin: Personal<String>,
    pub read: Result<Mapped, Vec<Finding>>,
    /// Name, revision and hash of the mapping that made it.
    pub mapping: String,
    pub may_grow: bool,
}

/// What intake made of an event. Told only once it is durable.
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

/// What became of one record of a document: the last word of its events, the worst first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where the record begins; none where the document is the record.
    pub place: Option<Place>,
    pub events: Vec<EventName>,
    pub verdict: Verdict,
}

/// What a source calls an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    pub system: Personal<String>,
    pub id: Personal<String>,
}
