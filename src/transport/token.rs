//! The bearer token that a message service asks for: out of a file, or by client credentials, where our certificate is the secret.

use super::classify;
use super::link::{ANSWER_MAX, Link, bounded};
use crate::model::answer::{Answer, RouteFault};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Longest token.
const TOKEN_MAX: usize = 8 * 1024;
/// How long a token is used whose end is not told.
const UNTOLD: Duration = Duration::from_mins(1);
/// Longest use of a token, whatever is told.
const LONGEST: Duration = Duration::from_hours(24);

/// Where tokens come from.
#[derive(Debug, Clone)]
pub enum TokenSource {
    File(PathBuf),
    Client { url: Url, id: String, scope: Option<String> },
}

/// The token in use.
#[derive(Debug)]
pub(super) struct Tokens {
    source: TokenSource,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    // Marked sensitive: its `Debug` says nothing.
    token: HeaderValue,
    until: Option<Instant>,
}

impl Tokens {
    pub(super) fn new(source: TokenSource) -> Self {
        Self { source, held: Mutex::new(None) }
    }

    /// The token in use; a new one where it has ended or is the one that was `refused`. One is fetched at a time, and the others have it.
    pub(super) async fn get(&self, link: &Link, refused: Option<&HeaderValue>) -> Result<HeaderValue, Answer> {
        let mut held = self.held.lock().await;
        let usable = |held: &&Held| held.until.is_none_or(|until| Instant::now() < until) && Some(&held.token) != refused;
        if let Some(held) = held.as_ref().filter(usable) {
            return Ok(held.token.clone());
        }
        let fetched = match &self.source {
            TokenSource::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path).ok()).await.ok().flatten();
                Held { token: read.as_deref().and_then(header).ok_or(UNAUTHORISED)?, until: None }
            }
            TokenSource::Client { url, id, scope } => fetch(link, url, id, scope.as_deref()).await?,
        };
        Ok(held.insert(fetched).token.clone())
    }

    /// The next request brings a new one.
    pub(super) fn forget(&self) {
        if let Ok(mut held) = self.held.try_lock() {
            *held = None;
        }
    }
}

/// No token is to be had: as if the service had refused it.
const UNAUTHORISED: Answer = Answer::RouteDown { fault: RouteFault::Status(401), retry_after: None };

/// Client credentials by RFC 6749, the client known by its certificate (RFC 8705).
async fn fetch(link: &Link, url: &Url, id: &str, scope: Option<&str>) -> Result<Held, Answer> {
    let mut form = url.clone();
    form.query_pairs_mut().clear().append_pair("grant_type", "client_credentials").append_pair("client_id", id);
    if let Some(scope) = scope {
        form.query_pairs_mut().append_pair("scope", scope);
    }
    let request = link.client().post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let asked_at = Instant::now();
    let response =
        request.body(form.query().unwrap_or_default().to_owned()).send().await.map_err(|fault| match classify::failure(&fault) {
            // Nothing of the message has left: whatever became of the question, the way is closed.
            Answer::Lost => Answer::RouteDown { fault: RouteFault::Connect, retry_after: None },
            answer => answer,
        })?;
    let status = response.status().as_u16();
    if !response.status().is_success() {
        let fault = RouteFault::Status(if matches!(status, 429 | 500..) { 503 } else { 401 });
        return Err(Answer::RouteDown { fault, retry_after: None });
    }
    let body = bounded(response, ANSWER_MAX).await.map_err(|()| UNAUTHORISED)?;
    let answer: serde_json::Value = serde_json::from_slice(&body).map_err(|_| UNAUTHORISED)?;
    let is_bearer = answer["token_type"].as_str().is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
    let token = answer["access_token"].as_str().filter(|_| is_bearer).and_then(header).ok_or(UNAUTHORISED)?;
    // A tenth before its end, so that it does not end on the way.
    let lasts = answer["expires_in"].as_u64().map_or(UNTOLD, |seconds| Duration::from_secs(seconds).min(LONGEST)).mul_f64(0.9);
    Ok(Held { token, until: Some(asked_at + lasts) })
}

/// The header's value. What could not stand there is no token.
fn header(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let formed = (1..=TOKEN_MAX).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| formed)?;
    value.set_sensitive(true);
    Some(value)
}
