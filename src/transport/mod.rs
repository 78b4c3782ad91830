//! One transmission to a destination, and what is known afterwards.

mod classify;
mod https;

pub use classify::{Got, sent as answer_to, verdict as answer_of};
pub use https::{Endpoint, Https, TlsFiles};

use crate::model::answer::Answer;
use crate::model::ids::{EnvelopeId, MessageId};
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use jiff::Timestamp;
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

/// A question for the receipt of a message that the receiver has, or may have.
#[derive(Debug, Clone)]
pub struct Question {
    pub message: MessageId,
    pub content_hash: ContentHash,
    /// Where the receiver said that it would be; else where any message can be looked up.
    pub place: Option<Personal<String>>,
}

/// The answer, with what is kept of it.
#[derive(Debug, Clone)]
pub struct Reply {
    pub answer: Answer,
    pub http_status: Option<u16>,
    /// The body of the answer, bounded.
    pub receipt: Option<Personal<Vec<u8>>>,
    /// Where the receipt can be asked for, with [`Answer::Pending`].
    pub place: Option<Personal<String>>,
}

impl Reply {
    /// An answer of which nothing is kept.
    pub fn bare(answer: Answer, http_status: Option<u16>) -> Self {
        Self { answer, http_status, receipt: None, place: None }
    }
}

/// What a receiver shows that is asked nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knocked {
    /// Why it cannot be reached; any answer with a status where it can.
    pub answer: Answer,
    pub status: Option<u16>,
    /// The time by its own clock, without fractions of a second.
    pub date: Option<Timestamp>,
}

/// A way to a destination. The daemon's is HTTPS; a simulation has its own.
pub trait Transport: Send + Sync + 'static {
    fn send(&self, envelope: Envelope) -> impl Future<Output = Reply> + Send;
    /// Changes nothing at the receiver, so it can be asked as often as one likes.
    fn ask(&self, question: Question) -> impl Future<Output = Reply> + Send;
    /// Whether any message can be looked up there by its id.
    fn looks_up(&self) -> bool;
}
