//! HTTPS with mutual TLS. Redirects are never followed; files are read again on [`Https::reload`].

use super::classify;
use super::{Envelope, Reply, Transport};
use crate::fault::{Code, Fault};
use crate::model::answer::{Answer, RouteFault};
use crate::model::name::Name;
use crate::model::personal::Personal;
use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, Proxy, Response, redirect, tls};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// A connection that cannot be made in this time will not be made.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const CONTENT_TYPE_XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

/// Files of a destination's TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    pub ca: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// A destination over HTTPS.
#[derive(Debug)]
pub struct Https {
    pub name: Name,
    url: String,
    files: TlsFiles,
    proxy: Option<String>,
    timeout: Duration,
    /// A success needs a receipt document.
    wants_receipt: bool,
    // Swapped whole: a new certificate behind an old connection pool would not be shown (TLS resumption keeps the old one).
    client: ArcSwap<Client>,
}

impl Https {
    pub fn new(
        name: Name,
        url: String,
        files: TlsFiles,
        proxy: Option<String>,
        timeout: Duration,
        wants_receipt: bool,
    ) -> Result<Self, Fault> {
        let client = build(&url, &files, proxy.as_deref(), timeout)?;
        Ok(Self { name, url, files, proxy, timeout, wants_receipt, client: ArcSwap::from_pointee(client) })
    }

    /// Reads certificate, key and issuers anew. On a fault the old ones stay.
    pub fn reload(&self) -> Result<(), Fault> {
        let client = build(&self.url, &self.files, self.proxy.as_deref(), self.timeout)?;
        self.client.store(std::sync::Arc::new(client));
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the document leaves for its receiver")]
    async fn post(&self, envelope: &Envelope) -> Result<Response, reqwest::Error> {
        let body = envelope.body.disclose();
        let digest = BASE64_STANDARD.encode(digest::digest(&digest::SHA256, body));
        let (trace, span) = (envelope.message.0.simple(), envelope.envelope.0.as_u64_pair().0);
        self.client
            .load()
            .post(&self.url)
            .header(CONTENT_TYPE, CONTENT_TYPE_XML)
            .header("idempotency-key", envelope.message.to_string())
            .header("content-digest", format!("sha-256=:{digest}:"))
            .header("traceparent", format!("00-{trace}-{span:016x}-01"))
            .body(body.clone())
            .send()
            .await
    }
}

impl Https {
    /// Where the connection broke without a word, one empty request more shows whether our certificate is the cause: so
    /// small a request is sent whole, and the server's alert is what comes back.
    async fn failure(&self, fault: &reqwest::Error) -> Answer {
        if classify::unsure(fault)
            && let Err(again) = self.client.load().head(&self.url).timeout(CONNECT_MAX.min(self.timeout / 2)).send().await
            && let certificate @ Answer::RouteDown { fault: RouteFault::ClientCertificate, .. } = classify::failure(&again)
        {
            return certificate;
        }
        classify::failure(fault)
    }
}

impl Transport for Https {
    async fn send(&self, envelope: Envelope) -> Reply {
        let response = match self.post(&envelope).await {
            Ok(response) => response,
            Err(fault) => return Reply { answer: self.failure(&fault).await, http_status: None, receipt: None },
        };
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let has_location = response.headers().contains_key(LOCATION);
        let body = match bounded(response).await {
            Ok(body) => body,
            // The status came, the rest did not: the receiver may have the message.
            Err(()) if (200..300).contains(&status) => {
                return Reply { answer: Answer::Lost, http_status: Some(status), receipt: None };
            }
            Err(()) => Vec::new(),
        };
        let answer = match status {
            300..=399 | 401 | 403 | 404 | 407 | 429 | 502..=504 => Answer::RouteDown { fault: RouteFault::Status(status), retry_after },
            202 if self.wants_receipt && (has_location || body.is_empty()) => Answer::Pending,
            _ => classify::answer(status, &body, &envelope, self.wants_receipt),
        };
        // The page of a gateway that is down is no receipt, and would be kept once a probe.
        let kept = !body.is_empty() && !matches!(answer, Answer::RouteDown { .. });
        let receipt = kept.then(|| Personal::new(body));
        Reply { answer, http_status: Some(status), receipt }
    }
}

fn build(url: &str, files: &TlsFiles, proxy: Option<&str>, timeout: Duration) -> Result<Client, Fault> {
    let mut builder = Client::builder()
        .user_agent(concat!("vardbro/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .tls_version_min(tls::Version::TLS_1_2)
        // Well within the whole, so that a connection that is not made is told from an answer that does not come.
        .connect_timeout(CONNECT_MAX.min(timeout / 2))
        .timeout(timeout)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_keepalive(Duration::from_secs(30))
        .https_only(url.starts_with("https:"))
        .no_proxy();
    if let Some(path) = &files.ca {
        let bundle = read(path)?;
        let issuers = Certificate::from_pem_bundle(&bundle).map_err(|_| unusable(path))?;
        if issuers.is_empty() {
            return Err(unusable(path));
        }
        builder = builder.tls_certs_only(issuers);
    }
    if let (Some(certificate), Some(key)) = (&files.certificate, &files.key) {
        let mut pem = read(certificate)?;
        pem.push(b'\n');
        pem.extend(read(key)?);
        builder = builder.identity(Identity::from_pem(&pem).map_err(|_| unusable(certificate))?);
    }
    if let Some(proxy) = proxy {
        builder = builder.proxy(Proxy::all(proxy).map_err(|_| Fault::with(Code::CfgValue, "proxy"))?);
    }
    builder
        .build()
        .map_err(|_| Fault::with(Code::CfgCertificate, files.certificate.as_ref().map_or_else(String::new, |p| p.display().to_string())))
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|fault| Fault::with(Code::CfgFile, format!("{} ({})", path.display(), fault.kind())))
}

fn unusable(path: &Path) -> Fault {
    Fault::with(Code::CfgCertificate, path.display().to_string())
}

/// The body, as far as we read it.
async fn bounded(mut response: Response) -> Result<Vec<u8>, ()> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| ())? {
        if body.len() + chunk.len() > ANSWER_MAX {
            // Whatever this is, it is no receipt; dropping the response ends the connection.
            return Ok(b"\0".to_vec());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Seconds, or a moment by the receiver's own clock, which its `Date` tells.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let moment = |text: &str| httpdate::parse_http_date(text).ok();
    moment(asked)?.duration_since(moment(text(DATE)?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_seconds_and_as_a_moment() {
        let headers = |asked: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(asked));
            headers.insert(DATE, HeaderValue::from_static("Tue, 10 Mar 2026 09:00:00 GMT"));
            headers
        };
        assert_eq!(retry_after(&headers("7")), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(&headers("Tue, 10 Mar 2026 09:00:30 GMT")), Some(Duration::from_secs(30)));
        for none in ["Tue, 10 Mar 2026 08:00:00 GMT", "soon", "-1", ""] {
            assert_eq!(retry_after(&headers(none)), None, "{none}");
        }
    }
}
