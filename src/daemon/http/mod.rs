//! `[http]`: events that sources post and receipts that receivers send, at one address.
//!
//! The secret that is shown tells who it is: a source for `/v1/events`, a destination for `/v1/receipts`. Here is what both
//! have in common.

mod answers;
mod callers;
mod events;
mod hush;
mod receipts;

pub(super) use callers::Callers;

use crate::config::Settings;
use crate::fault::{Code, Fault};
use crate::listen::{Listener, ServerTls};
use crate::metrics::Metrics;
use crate::model::time::Clock;
use crate::store::Store;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State as Shared};
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::any;
use hush::Hush;
use hyper::body::Frame;
use serde_json::{Value, json};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// For the whole of a body to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Of a body that nobody wants.
const PASSED_MAX: usize = 16 * 1024 * 1024;
const PASSED_TIMEOUT: Duration = Duration::from_secs(3);

/// Takes the configured address, if there is one.
pub(super) async fn open(settings: &Settings) -> Result<Option<Listener>, Fault> {
    let Some(http) = &settings.http else { return Ok(None) };
    let tls =
        http.tls.as_ref().map(|(cert, key)| ServerTls { cert: cert.clone(), key: key.clone(), client_ca: http.client_ca_file.clone() });
    Listener::bind(http.listen, tls, "http.listen").await.map(Some)
}

/// Answers until it is told to stop.
pub(super) async fn serve(listener: Listener, desk: Desk, stop: watch::Receiver<bool>) {
    listener.serve(Router::new().fallback(any(request)).with_state(desk), stop).await;
}

#[derive(Clone)]
pub(super) struct Desk {
    callers: Arc<Callers>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    hush: Arc<Hush>,
}

impl Desk {
    pub(super) fn new(callers: &Arc<Callers>, store: &Store, clock: &Arc<dyn Clock>, metrics: &Arc<Metrics>) -> Self {
        let (callers, clock, metrics) = (Arc::clone(callers), Arc::clone(clock), Arc::clone(metrics));
        Self { callers, store: store.clone(), clock, metrics, hush: Arc::default() }
    }
}

async fn request(Shared(desk): Shared<Desk>, request: Request) -> Response {
    match request.uri().path() {
        receipts::PATH => receipts::request(desk, request).await,
        events::PATH => events::posted(desk, request).await,
        path if path.starts_with(events::ONE) => events::asked(desk, request).await,
        _ => problem(StatusCode::NOT_FOUND, Code::SrcRequest),
    }
}

/// The whole body, if it comes in time and is not too large.
async fn whole(headers: &HeaderMap, body: &mut Body, max: usize) -> Result<Vec<u8>, StatusCode> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(frame) = frame(body).await {
            // Broken off: nobody reads this answer.
            let data = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data().unwrap_or_default();
            if bytes.len() + data.len() > max {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    timeout(BODY_TIMEOUT, reading).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

/// Reads past what is still being sent, some of it: whoever is writing hears no answer on a connection that is cut off.
async fn pass_over(body: &mut Body) {
    let mut left = PASSED_MAX;
    let reading = async {
        while left > 0
            && let Some(Ok(frame)) = frame(body).await
        {
            left = left.saturating_sub(frame.data_ref().map_or(1, |data| data.len().max(1)));
        }
    };
    let _ = timeout(PASSED_TIMEOUT, reading).await;
}

async fn frame(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
    poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await
}

/// What stands in every answer that is no success (RFC 9457).
fn told(status: StatusCode, code: Code) -> Value {
    let entry = code.entry();
    json!({
        "status": status.as_u16(), "code": entry.id, "title": entry.en, "sv": entry.sv, "en": entry.en,
        "remedySv": entry.do_sv, "remedyEn": entry.do_en,
    })
}

pub(super) fn problem(status: StatusCode, code: Code) -> Response {
    reply(status, &told(status, code), "application/problem+json")
}

/// For whoever shows no secret that is known.
fn unauthorised(code: Code) -> Response {
    let mut response = problem(StatusCode::UNAUTHORIZED, code);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

pub(super) fn not_allowed(code: Code, allowed: &'static str) -> Response {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, code);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A problem that passes by itself.
fn later(status: StatusCode, code: Code, after: Duration) -> Response {
    let mut response = problem(status, code);
    let seconds = after.as_secs_f64().ceil().max(1.0);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_str(&format!("{seconds}")).unwrap_or(HeaderValue::from_static("1")));
    response
}

pub(super) fn reply(status: StatusCode, body: &Value, kind: &'static str) -> Response {
    let mut response = Response::new(Body::from(format!("{body}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
