//! A message: one event of the municipality's on its way to the region.

use super::event::{CareEvent, Recipient};
use super::ids::{EpisodeId, MessageId};
use super::shape::codes;

codes! {
    /// Whether a message is the first of its kind, replaces one or withdraws one.
    MessageStatus {
        New = "new": "Ny", "New";
        Changed = "changed": "Ändrad", "Changed";
        Cancelled = "cancelled": "Makulerad", "Cancelled";
    }
}

/// A message that no rule has looked at yet.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: MessageId,
    pub episode: EpisodeId,
    /// Version of the source event, 1 upwards.
    pub version: u32,
    pub status: MessageStatus,
    /// The message of the version before.
    pub replaces: Option<MessageId>,
    pub event: CareEvent,
    /// Who shall have it; never empty.
    pub recipients: Vec<Recipient>,
}
