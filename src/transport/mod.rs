//! One transmission to a destination, and what is known afterwards.

mod classify;
mod https;

pub use https::{Https, TlsFiles};

use crate::model::answer::Answer;
use crate::model::ids::{EnvelopeId, MessageId};
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use std::future::Future;

/// What leaves the house: made from a sealed document only.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub message: MessageId,
    pub envelope: EnvelopeId,
    pub body: Personal<Vec<u8>>,
    /// What a receiver that has the message already shows.
    pub content_hash: ContentHash,
}

/// The answer, with what is kept of it.
#[derive(Debug, Clone)]
pub struct Reply {
    pub answer: Answer,
    pub http_status: Option<u16>,
    /// The body of the answer, bounded.
    pub receipt: Option<Personal<Vec<u8>>>,
}

/// A way to a destination. The daemon's is HTTPS; a simulation has its own.
pub trait Transport: Send + Sync + 'static {
    fn send(&self, envelope: Envelope) -> impl Future<Output = Reply> + Send;
}
