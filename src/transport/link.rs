//! The way to a destination: client, certificates, what a connection that fails says. Files are read again on [`Link::reload`].

use super::{Knocked, classify};
use crate::fault::{Code, Fault};
use crate::model::answer::{Answer, RouteFault};
use crate::model::personal::Personal;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, Identity, Proxy, Response, Url, redirect, tls};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Longest answer that is read, and kept.
pub(super) const ANSWER_MAX: usize = 64 * 1024;
/// Longest address that a receiver may give for a receipt.
const PLACE_MAX: usize = 2_000;
/// A connection that cannot be made in this time will not be made.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Files of a destination's TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    pub ca: Option<PathBuf>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// Where a destination is and how it is met.
#[derive(Clone)]
pub struct Endpoint {
    pub url: Url,
    /// Where any message can be looked up; with [`MessageId::PLACEHOLDER`] in it.
    pub lookup_url: Option<String>,
    pub files: TlsFiles,
    pub proxy: Option<Url>,
    pub timeout: Duration,
    /// A success needs a receipt document.
    pub wants_receipt: bool,
}

/// A way that is open.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) endpoint: Endpoint,
    // Swapped whole: a new certificate behind an old connection pool would not be shown (TLS resumption keeps the old one).
    client: ArcSwap<Client>,
}

impl std::fmt::Debug for Endpoint {
    /// Addresses may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("files", &self.files).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(endpoint: Endpoint) -> Result<Self, Fault> {
        let client = build(&endpoint)?;
        Ok(Self { endpoint, client: ArcSwap::from_pointee(client) })
    }

    /// Reads certificate, key and issuers anew. On a fault the old ones stay.
    pub(super) fn reload(&self) -> Result<(), Fault> {
        self.client.store(Arc::new(build(&self.endpoint)?));
        Ok(())
    }

    /// Asks with an empty question whether the receiver is there; no message is sent.
    pub(super) async fn knock(&self) -> Knocked {
        let asked = self.client().head(self.endpoint.url.clone()).timeout(CONNECT_MAX.min(self.endpoint.timeout)).send().await;
        match asked {
            Ok(response) => {
                let status = response.status().as_u16();
                Knocked { answer: Answer::Unexpected { status }, status: Some(status), date: date(response.headers()) }
            }
            Err(fault) => Knocked { answer: classify::failure(&fault), status: None, date: None },
        }
    }

    pub(super) fn client(&self) -> Arc<Client> {
        self.client.load_full()
    }

    /// Where the connection broke without a word, one empty request more shows whether our certificate is the cause: so
    /// small a request is sent whole, and the server's alert is what comes back.
    pub(super) async fn failure(&self, fault: &reqwest::Error) -> Answer {
        if classify::unsure(fault)
            && let Err(again) =
                self.client().head(self.endpoint.url.clone()).timeout(CONNECT_MAX.min(self.endpoint.timeout / 2)).send().await
            && let certificate @ Answer::RouteDown { fault: RouteFault::ClientCertificate, .. } = classify::failure(&again)
        {
            return certificate;
        }
        classify::failure(fault)
    }

    /// Where the receiver says that the receipt will be. Only with itself: nobody else is told our certificate and what we ask.
    pub(super) fn place(&self, headers: &HeaderMap) -> Option<Personal<String>> {
        let place = headers.get(LOCATION)?.to_str().ok().filter(|place| place.len() <= PLACE_MAX)?;
        let url = self.endpoint.url.join(place).ok()?;
        (url.origin() == self.endpoint.url.origin()).then(|| Personal::new(place.to_owned()))
    }
}

pub(super) fn build(endpoint: &Endpoint) -> Result<Client, Fault> {
    let Endpoint { url, files, proxy, timeout, .. } = endpoint;
    let mut builder = Client::builder()
        .user_agent(concat!("vardbro/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .tls_version_min(tls::Version::TLS_1_2)
        // Well within the whole, so that a connection that is not made is told from an answer that does not come.
        .connect_timeout(CONNECT_MAX.min(*timeout / 2))
        .timeout(*timeout)
        .pool_idle_timeout(Duration::from_mins(1))
        .tcp_keepalive(Duration::from_secs(30))
        .https_only(url.scheme() == "https")
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
        builder = builder.proxy(Proxy::all(proxy.clone()).map_err(|_| Fault::with(Code::CfgValue, "proxy"))?);
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
pub(super) async fn bounded(mut response: Response, max: usize) -> Result<Vec<u8>, ()> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| ())? {
        if body.len() + chunk.len() > max {
            // Whatever this is, it is no receipt; dropping the response ends the connection.
            return Ok(b"\0".to_vec());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Seconds, or a moment by the receiver's own clock, which its `Date` tells.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let moment = |text: &str| httpdate::parse_http_date(text).ok();
    moment(asked)?.duration_since(moment(text(DATE)?)?).ok()
}

/// What the receiver's own clock says.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()?;
    Timestamp::try_from(date).ok()
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
