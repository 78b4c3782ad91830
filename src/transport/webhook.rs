//! Notices of alarms, posted to whoever watches.

use super::link::{Endpoint, TlsFiles, build};
use crate::fault::{Code, Fault};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use std::path::PathBuf;
use std::time::Duration;

/// Where notices are posted to.
pub struct Webhook {
    url: Url,
    client: Client,
    token_file: Option<PathBuf>,
}

/// Why one was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFault {
    /// Nobody answered, or the token could not be read.
    Unreachable,
    Status(u16),
}

impl std::fmt::Debug for Webhook {
    /// An address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

impl Webhook {
    pub fn new(url: Url, ca: Option<PathBuf>, token_file: Option<PathBuf>, timeout: Duration) -> Result<Self, Fault> {
        let files = TlsFiles { ca, ..TlsFiles::default() };
        let client = build(&Endpoint { url: url.clone(), lookup_url: None, files, proxy: None, timeout, wants_receipt: false })?;
        let webhook = Self { url, client, token_file };
        webhook.token().map_err(|()| Fault::with(Code::CfgFile, "alarms.webhook_token_file"))?;
        Ok(webhook)
    }

    /// Anything in the two hundreds is a yes. The answer's body is not read.
    pub async fn post(&self, id: &str, body: String) -> Result<(), WebhookFault> {
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").header("idempotency-key", id);
        if let Some(token) = self.token().map_err(|()| WebhookFault::Unreachable)? {
            request = request.header(AUTHORIZATION, token);
        }
        let response = request.body(body).send().await.map_err(|_| WebhookFault::Unreachable)?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(WebhookFault::Status(status.as_u16())) }
    }

    /// Read each time: notices are few, and a new secret is used at once.
    fn token(&self) -> Result<Option<HeaderValue>, ()> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let text = std::fs::read_to_string(file).map_err(drop)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", text.trim())).map_err(drop)?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl WebhookFault {
    /// It is no use to post the same once more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Status(400 | 413 | 415 | 422))
    }
}
