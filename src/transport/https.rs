//! Our own wire over HTTPS with mutual TLS. Redirects are never followed.

use super::classify::{self, Got};
use super::link::{ANSWER_MAX, Endpoint, Link, bounded, date, retry_after};
use super::{Envelope, Question, Reply, Transport};
use crate::fault::Fault;
use crate::model::answer::Answer;
use crate::model::ids::MessageId;
use crate::model::name::Name;
use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Response, Url};

const CONTENT_TYPE_XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

/// A destination over HTTPS.
#[derive(Debug)]
pub struct Https {
    pub name: Name,
    pub(super) link: Link,
}

impl Https {
    pub fn new(name: Name, endpoint: Endpoint) -> Result<Self, Fault> {
        Ok(Self { name, link: Link::new(endpoint)? })
    }

    /// Reads certificate, key and issuers anew. On a fault the old ones stay.
    pub fn reload(&self) -> Result<(), Fault> {
        self.link.reload()
    }

    #[expect(clippy::disallowed_methods, reason = "the document leaves for its receiver")]
    async fn post(&self, envelope: &Envelope) -> Result<Response, reqwest::Error> {
        let body = envelope.body.disclose();
        let digest = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, body));
        let (trace, span) = (envelope.message.0.simple(), envelope.envelope.0.as_u64_pair().0);
        self.link
            .client()
            .post(self.link.endpoint.url.clone())
            .header(CONTENT_TYPE, CONTENT_TYPE_XML)
            .header("idempotency-key", envelope.message.to_string())
            .header("content-digest", format!("sha-256=:{digest}:"))
            .header("traceparent", format!("00-{trace}-{span:016x}-01"))
            .body(body.clone())
            .send()
            .await
    }
}

impl Transport for Https {
    async fn send(&self, envelope: Envelope) -> Reply {
        let response = match self.post(&envelope).await {
            Ok(response) => response,
            Err(fault) => return Reply::bare(self.link.failure(&fault).await, None),
        };
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let has_location = response.headers().contains_key(LOCATION);
        let place = self.link.place(response.headers());
        let date = date(response.headers());
        let body = match bounded(response, ANSWER_MAX).await {
            Ok(body) => body,
            // The status came, the rest did not: the receiver may have the message.
            Err(()) if (200..300).contains(&status) => {
                return Reply { date, ..Reply::bare(Answer::Lost, Some(status)) };
            }
            Err(()) => Vec::new(),
        };
        let got = Got { status, body: &body, retry_after, has_location };
        let answer = classify::sent(got, envelope.message, envelope.content_hash, self.link.endpoint.wants_receipt);
        Reply { place, date, ..Reply::with(answer, status, body) }
    }

    #[expect(clippy::disallowed_methods, reason = "the receiver is asked where it said")]
    async fn ask(&self, question: Question) -> Reply {
        let at = match &question.place {
            Some(place) => self.link.endpoint.url.join(place.disclose()).ok(),
            None => self
                .link
                .endpoint
                .lookup_url
                .as_ref()
                .and_then(|url| Url::parse(&url.replace(MessageId::PLACEHOLDER, &question.message.to_string())).ok()),
        };
        // Was checked when it was taken in.
        let Some(at) = at else { return Reply::bare(Answer::Unexpected { status: 0 }, None) };
        let response = match self.link.client().get(at).header(ACCEPT, CONTENT_TYPE_XML).send().await {
            Ok(response) => response,
            Err(fault) => return Reply::bare(classify::failure(&fault), None),
        };
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let date = date(response.headers());
        let Ok(body) = bounded(response, ANSWER_MAX).await else { return Reply::bare(Answer::Lost, Some(status)) };
        let answer = classify::asked(Got { status, body: &body, retry_after, has_location: false }, &question);
        Reply { date, ..Reply::with(answer, status, body) }
    }

    fn looks_up(&self) -> bool {
        self.link.endpoint.lookup_url.is_some()
    }
}
