//! One transmission to a destination, and what is known afterwards.

mod classify;
mod clock;
mod https;
mod link;
mod mail;
mod sdk;
mod token;
mod webhook;

pub use classify::{Got, sent as answer_to, verdict as answer_of};
pub use clock::skew;
pub use https::Https;
pub use link::{Endpoint, TlsFiles};
pub use mail::{Letter, Mailer};
pub use sdk::Sdk;
pub use token::TokenSource;
pub use webhook::{Webhook, WebhookFault};

use crate::fault::Fault;
use crate::model::answer::Answer;
use crate::model::ids::{EnvelopeId, MessageId};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use jiff::Timestamp;
use std::future::Future;

/// What leaves the house: made from a sealed document only.
#[derive(Debug, Clone)]
pub struct Envelope {
    pub message: MessageId,
    pub envelope: EnvelopeId,
    /// The document. Another wire than ours puts a frame of its own around it.
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
    /// What the receiver's clock said.
    pub date: Option<Timestamp>,
}

impl Reply {
    /// An answer of which nothing is kept.
    pub fn bare(answer: Answer, http_status: Option<u16>) -> Self {
        Self { answer, http_status, receipt: None, place: None, date: None }
    }

    /// The page of a gateway that is down is no receipt, and would be kept once a probe.
    fn with(answer: Answer, status: u16, body: Vec<u8>) -> Self {
        let kept = !body.is_empty() && !matches!(answer, Answer::RouteDown { .. });
        Self { receipt: kept.then(|| Personal::new(body)), ..Self::bare(answer, Some(status)) }
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

/// A destination by its wire.
#[derive(Debug)]
pub enum Way {
    Xml(Box<Https>),
    Sdk(Box<Sdk>),
}

impl Way {
    pub fn name(&self) -> &Name {
        match self {
            Self::Xml(https) => &https.name,
            Self::Sdk(sdk) => &sdk.name,
        }
    }

    /// Asks with an empty question whether the receiver is there; no message is sent.
    pub async fn knock(&self) -> Knocked {
        match self {
            Self::Xml(https) => https.link.knock().await,
            Self::Sdk(sdk) => sdk.link.knock().await,
        }
    }

    /// Reads certificates, keys and tokens anew. On a fault the old ones stay.
    pub fn reload(&self) -> Result<(), Fault> {
        match self {
            Self::Xml(https) => https.reload(),
            Self::Sdk(sdk) => sdk.reload(),
        }
    }
}

impl Transport for Way {
    async fn send(&self, envelope: Envelope) -> Reply {
        match self {
            Self::Xml(https) => https.send(envelope).await,
            Self::Sdk(sdk) => sdk.send(envelope).await,
        }
    }

    async fn ask(&self, question: Question) -> Reply {
        match self {
            Self::Xml(https) => https.ask(question).await,
            Self::Sdk(sdk) => sdk.ask(question).await,
        }
    }

    fn looks_up(&self) -> bool {
        match self {
            Self::Xml(https) => https.looks_up(),
            Self::Sdk(sdk) => sdk.looks_up(),
        }
    }
}
