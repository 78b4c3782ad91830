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
    /// The message that this one takes the place of.
    pub replaces: Option<MessageId>,
    pub event: CareEvent,
    /// Who shall have it; never empty.
    pub recipients: Vec<Recipient>,
    /// What the episode knows of the message.
    pub standing: Standing,
}

/// How a message stands in its episode, as far as only the episode can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The event does not count, by this rule.
    pub discounted: Option<&'static str>,
    /// What it voids has not come.
    pub lacks_target: bool,
    /// It came after the end of its episode.
    pub late: bool,
}
