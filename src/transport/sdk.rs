//! Digg's API between a message service and its clients: a message is posted, and then asked about until its receipt is there.

use super::classify;
use super::link::{ANSWER_MAX, Endpoint, Link, bounded, retry_after};
use super::token::{TokenSource, Tokens};
use super::{Envelope, Question, Reply, Transport};
use crate::fault::Fault;
use crate::model::answer::{Answer, RouteFault};
use crate::model::finding::Effect;
use crate::model::ids::MessageId;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use crate::model::state::{ReceiptReason, ReceiptStatus};
use crate::wire::sdk::api::{self, Known, Status};
use crate::wire::sdk::{MAX_BYTES, Parties, letter};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, Response};
use std::time::Duration;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Longest answer to a look-up: a service may give the whole message back, and as JSON that is a little longer.
const LOOKED_MAX: usize = MAX_BYTES + 1_000_000;

/// A recipient over a message service of SDK's.
#[derive(Debug)]
pub struct Sdk {
    pub name: Name,
    pub(super) link: Link,
    parties: Parties,
    tokens: Option<Tokens>,
}

/// What came back.
struct Heard {
    status: u16,
    retry_after: Option<Duration>,
    place: Option<Personal<String>>,
    /// None where it broke off.
    body: Option<Vec<u8>>,
}

impl Sdk {
    /// The endpoint's address is that of the messages: `…/sdk/messages`.
    pub fn new(name: Name, endpoint: Endpoint, parties: Parties, tokens: Option<TokenSource>) -> Result<Self, Fault> {
        Ok(Self { name, link: Link::new(endpoint)?, parties, tokens: tokens.map(Tokens::new) })
    }

    /// Reads certificate, key and issuers anew, and takes a new token. On a fault the old certificates stay.
    pub fn reload(&self) -> Result<(), Fault> {
        if let Some(tokens) = &self.tokens {
            tokens.forget();
        }
        self.link.reload()
    }

    /// One request. Where the token is refused, once more with a new one.
    async fn call(&self, request: impl Fn(&Client) -> RequestBuilder) -> Result<Heard, Answer> {
        let mut refused = None;
        loop {
            let mut request = request(&self.link.client()).header(ACCEPT, JSON);
            let token = match &self.tokens {
                Some(tokens) => Some(tokens.get(&self.link, refused.as_ref()).await?),
                None => None,
            };
            if let Some(token) = &token {
                request = request.header(AUTHORIZATION, token.clone());
            }
            let response = match request.send().await {
                Ok(response) => response,
                Err(fault) => return Err(self.link.failure(&fault).await),
            };
            if response.status() == 401 && token.is_some() && refused.is_none() {
                refused = token;
                continue;
            }
            return Ok(self.heard(response).await);
        }
    }

    async fn heard(&self, response: Response) -> Heard {
        let status = response.status().as_u16();
        let (retry_after, place) = (retry_after(response.headers()), self.link.place(response.headers()));
        Heard { status, retry_after, place, body: bounded(response, LOOKED_MAX).await.ok() }
    }

    #[expect(clippy::disallowed_methods, reason = "the message leaves for its receiver")]
    async fn post(&self, envelope: &Envelope) -> Reply {
        let Ok(body) = letter(&envelope.body, &self.parties).and_then(|letter| api::write(&letter)) else {
            return Reply::bare(Answer::Unfit, None);
        };
        let url = &self.link.endpoint.url;
        let heard = self.call(|client| client.post(url.clone()).header(CONTENT_TYPE, JSON).body(body.disclose().clone())).await;
        let heard = match heard {
            Ok(heard) => heard,
            Err(answer) => return Reply::bare(answer, None),
        };
        let Heard { status, retry_after, place, body } = heard;
        match status {
            // From here on it is asked about where the service says, else by its id: the service itself says that it has it.
            201 | 202 => {
                let place = place.or_else(|| Some(Personal::new(self.place_of(envelope.message)?.to_string())));
                Reply { place, ..Reply::bare(Answer::Pending { retry_after }, Some(status)) }
            }
            // Perhaps because it is there already: then an earlier try has its answer here.
            400 | 409 => {
                let found = self.look_up(envelope.message, envelope.content_hash, None).await;
                match found.answer {
                    Answer::Absent if status == 400 => Reply::with(Answer::Refused { status }, status, body.unwrap_or_default()),
                    Answer::Absent => Reply::with(Answer::Conflict { proved: false }, status, body.unwrap_or_default()),
                    Answer::RouteDown { .. } | Answer::ServerError { .. } => Reply::bare(Answer::Lost, Some(status)),
                    _ => found,
                }
            }
            404 => Reply::bare(Answer::RouteDown { fault: RouteFault::Status(status), retry_after }, Some(status)),
            200..=299 => Reply::with(Answer::BadReceipt, status, body.unwrap_or_default()),
            _ => Reply::with(classify::failed(status, retry_after), status, body.unwrap_or_default()),
        }
    }

    async fn look_up(&self, message: MessageId, hash: ContentHash, place: Option<&str>) -> Reply {
        let at = match place {
            Some(place) => self.link.endpoint.url.join(place).ok(),
            None => self.place_of(message),
        };
        // Was checked when it was taken in.
        let Some(at) = at else { return Reply::bare(Answer::Unexpected { status: 0 }, None) };
        let Heard { status, retry_after, body, .. } = match self.call(|client| client.get(at.clone())).await {
            Ok(heard) => heard,
            Err(answer) => return Reply::bare(answer, None),
        };
        let Some(mut body) = body else { return Reply::bare(Answer::Lost, Some(status)) };
        let known = if status == 200 { api::known(&body, &self.parties) } else { None };
        let answer = match (status, &known) {
            (404 | 410, _) => Answer::Absent,
            (_, Some(known)) => weighed(known, message, hash, place.is_some()),
            (200..=299, None) => Answer::BadReceipt,
            _ => classify::failed(status, retry_after),
        };
        if body.len() > ANSWER_MAX {
            // Our own message come back; what it says of itself is known now.
            body.clear();
        }
        // What shows our content is asked about as ours from now on.
        let ours = known.is_some_and(|known| known.content_hash == Some(hash)) && answer == (Answer::Pending { retry_after: None });
        Reply { place: ours.then(|| Personal::new(at.to_string())), ..Reply::with(answer, status, body) }
    }

    /// Where a message is looked up by its id.
    fn place_of(&self, message: MessageId) -> Option<reqwest::Url> {
        let mut url = self.link.endpoint.url.clone();
        url.path_segments_mut().ok()?.pop_if_empty().push(&self.parties.id(message).to_string());
        Some(url)
    }

    /// Several requests are one try, and have its time together.
    async fn in_time(&self, work: impl Future<Output = Reply>) -> Reply {
        tokio::time::timeout(self.link.endpoint.timeout, work).await.unwrap_or(Reply::bare(Answer::Lost, None))
    }
}

/// What a status says of our message. `ours`: the service itself said that it took it in; else it must show our content.
fn weighed(known: &Known, message: MessageId, hash: ContentHash, ours: bool) -> Answer {
    if known.message != message || !known.is_to {
        return if known.message == message { Answer::Conflict { proved: false } } else { Answer::ForeignReceipt };
    }
    let shown = known.content_hash;
    let receipt = |status| Answer::Receipt {
        status,
        retryable: false,
        reason: known.codes.iter().find_map(|code| ReceiptReason::parse(code)),
        findings: known.codes.iter().map(|code| classify::remark(code, Effect::Refuse)).collect(),
    };
    match known.status {
        _ if shown.is_some_and(|shown| shown != hash) => Answer::Conflict { proved: false },
        Status::Accepted if !ours && shown.is_none() => Answer::Conflict { proved: false },
        Status::Accepted => Answer::Receipt { status: ReceiptStatus::Accepted, retryable: false, reason: None, findings: Vec::new() },
        Status::Rejected => receipt(ReceiptStatus::Rejected),
        Status::MessageExchangeError | Status::Error => Answer::Undelivered,
        // Fetched, or a receipt sent, says of a message that we sent only that it is on its way to its receipt.
        _ => Answer::Pending { retry_after: None },
    }
}

impl Transport for Sdk {
    async fn send(&self, envelope: Envelope) -> Reply {
        self.in_time(self.post(&envelope)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the receiver is asked where it said")]
    async fn ask(&self, question: Question) -> Reply {
        let place = question.place.as_ref().map(|place| place.disclose().as_str());
        self.in_time(self.look_up(question.message, question.content_hash, place)).await
    }

    fn looks_up(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn known(status: Status, shown: Option<&[u8]>) -> Known {
        let message = MessageId(Uuid::from_bytes([7; 16]));
        Known { message, status, content_hash: shown.map(ContentHash::of), is_to: true, codes: vec!["BV", "too-long"] }
    }

    fn weigh(known: &Known, ours: bool) -> Answer {
        weighed(known, MessageId(Uuid::from_bytes([7; 16])), ContentHash::of(b"ours"), ours)
    }

    #[test]
    fn every_status_of_the_services_has_its_meaning() {
        for value in Status::VALUES {
            let answer = weigh(&known(Status::parse(value.code).expect("a status"), None), true);
            match value.code {
                "ACCEPTED" => assert!(matches!(answer, Answer::Receipt { status: ReceiptStatus::Accepted, .. })),
                "MESSAGE_EXCHANGE_ERROR" | "ERROR" => assert_eq!(answer, Answer::Undelivered),
                "REJECTED" => {
                    let Answer::Receipt { status: ReceiptStatus::Rejected, retryable: false, reason, findings } = answer else {
                        panic!("{answer:?}")
                    };
                    assert_eq!((reason, findings.len()), (Some(ReceiptReason::Bv), 2));
                }
                code => assert_eq!(answer, Answer::Pending { retry_after: None }, "{code}"),
            }
        }
    }

    #[test]
    fn a_message_that_is_only_found_must_show_our_content_and_our_recipient() {
        let accepted = |shown| known(Status::Accepted, shown);
        let conflict = Answer::Conflict { proved: false };
        assert_eq!(weigh(&accepted(None), false), conflict);
        assert!(matches!(weigh(&accepted(Some(b"ours")), false), Answer::Receipt { .. }));
        assert_eq!(weigh(&accepted(Some(b"another")), true), conflict);
        assert_eq!(weigh(&Known { is_to: false, ..accepted(Some(b"ours")) }, true), conflict);
        let foreign = Known { message: MessageId(Uuid::nil()), ..accepted(Some(b"ours")) };
        assert_eq!(weigh(&foreign, true), Answer::ForeignReceipt);
    }
}
