//! Where events come from. A source hands whole records to intake through a port, settles them once intake says that
//! they are durable, and hears every later change of fate.

pub mod directory;

use crate::fault::Code;
use crate::model::raw::{RawEvent, Verdict};

/// Hands records to intake and waits until what becomes of them is durable. An error means that nothing was stored and
/// the same records shall be handed in again.
pub trait Intake: Send {
    fn submit(&mut self, batch: Vec<RawEvent>) -> Result<Vec<Verdict>, Unavailable>;
}

/// Intake cannot take anything now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// Tells the operator that a source has trouble.
pub trait Report: Send {
    fn trouble(&mut self, code: Code);
}
