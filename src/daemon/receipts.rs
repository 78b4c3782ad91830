//! `POST /v1/receipts`: receipts that receivers send by themselves.
//!
//! The secret that is shown tells which destination it is: nobody settles another receiver's messages.

use crate::config::{DestinationSettings, Settings};
use crate::deliver::Policy;
use crate::deliver::late::{Refused, fits, weigh};
use crate::fault::{Code, Fault};
use crate::listen::{Listener, ServerTls};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::store::{Sent, Store, Weighed};
use crate::wire::receipt;
use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Longest receipt that is read.
const RECEIPT_MAX: usize = 64 * 1024;
/// For the whole of a receipt to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Seconds to wait where the store fails.
const BUSY_PAUSE: HeaderValue = HeaderValue::from_static("5");
/// Characters of a secret.
const TOKEN: std::ops::RangeInclusive<usize> = 32..=200;

/// Who may send receipts.
pub(super) struct Callers(ArcSwap<Vec<Caller>>);

struct Caller {
    destination: Name,
    /// SHA-256 of the secret.
    token: Vec<u8>,
    policy: Arc<Policy>,
}

impl Callers {
    pub(super) fn read(settings: &Settings) -> Result<Self, Fault> {
        Ok(Self(ArcSwap::from_pointee(callers(settings)?)))
    }

    /// Reads the secrets anew. On a fault the old ones stay.
    pub(super) fn reload(&self, settings: &Settings) -> Result<(), Fault> {
        self.0.store(Arc::new(callers(settings)?));
        Ok(())
    }

    /// The destination whose secret is shown.
    fn find(&self, headers: &HeaderMap) -> Option<(Name, Arc<Policy>)> {
        let shown = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?.trim();
        let shown = digest(&SHA256, shown.as_bytes());
        let callers = self.0.load();
        let caller = callers.iter().find(|caller| verify_slices_are_equal(&caller.token, shown.as_ref()).is_ok())?;
        Some((caller.destination.clone(), Arc::clone(&caller.policy)))
    }
}

fn callers(settings: &Settings) -> Result<Vec<Caller>, Fault> {
    let caller = |known: &DestinationSettings| {
        let path = known.callback_token_file.as_ref()?;
        let key = format!("destination.{}.callback_token_file: {}", known.name, path.display());
        Some(match std::fs::read_to_string(path) {
            Ok(text) if TOKEN.contains(&text.trim().len()) => Ok(Caller {
                destination: super::name(&known.name),
                token: digest(&SHA256, text.trim().as_bytes()).as_ref().to_vec(),
                policy: Arc::new(super::policy(settings, known)),
            }),
            Ok(_) => Err(Fault::with(Code::CfgValue, format!("{key}: expected 32 to 200 characters"))),
            Err(fault) => Err(Fault::with(Code::CfgFile, format!("{key} ({})", fault.kind()))),
        })
    };
    settings.destinations.iter().filter_map(caller).collect()
}

/// Takes the configured address, if there is one.
pub(super) async fn open(settings: &Settings) -> Result<Option<Listener>, Fault> {
    let Some(http) = &settings.http else { return Ok(None) };
    let tls =
        http.tls.as_ref().map(|(cert, key)| ServerTls { cert: cert.clone(), key: key.clone(), client_ca: http.client_ca_file.clone() });
    Listener::bind(http.listen, tls, "http.listen").await.map(Some)
}

/// Answers until it is told to stop.
pub(super) async fn serve(listener: Listener, callers: Arc<Callers>, store: Store, clock: Arc<dyn Clock>, stop: watch::Receiver<bool>) {
    let router = Router::new().fallback(any(request)).with_state(Desk { callers, store, clock });
    listener.serve(router, stop).await;
}

#[derive(Clone)]
struct Desk {
    callers: Arc<Callers>,
    store: Store,
    clock: Arc<dyn Clock>,
}

async fn request(Shared(desk): Shared<Desk>, request: Request) -> Response {
    let now = desk.clock.now();
    if request.uri().path() != "/v1/receipts" {
        return problem(StatusCode::NOT_FOUND, Code::RcvRequest);
    }
    if request.method() != Method::POST {
        let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, Code::RcvRequest);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let Some((destination, policy)) = desk.callers.find(request.headers()) else {
        Line::new(now, Level::Warn, Event::ReceiptRefused).code(Code::RcvToken).emit();
        let mut response = problem(StatusCode::UNAUTHORIZED, Code::RcvToken);
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    };
    let body = match timeout(BODY_TIMEOUT, to_bytes(request.into_body(), RECEIPT_MAX)).await {
        Ok(Ok(body)) => body.to_vec(),
        Ok(Err(_)) => return problem(StatusCode::PAYLOAD_TOO_LARGE, Code::RcvRequest),
        Err(_) => return problem(StatusCode::REQUEST_TIMEOUT, Code::RcvRequest),
    };
    let name = destination.clone();
    let taken = tokio::task::spawn_blocking(move || desk.take(destination, &policy, body)).await;
    match taken.unwrap_or(Err((StatusCode::INTERNAL_SERVER_ERROR, Code::BugPanic))) {
        Ok(answer) => reply(StatusCode::OK, &answer, "application/json"),
        Err((status, code)) => {
            let mut line = Line::new(now, Level::Warn, Event::ReceiptRefused).code(code);
            line.destination = Some(name);
            line.emit();
            problem(status, code)
        }
    }
}

impl Desk {
    fn take(&self, destination: Name, policy: &Arc<Policy>, body: Vec<u8>) -> Result<Value, (StatusCode, Code)> {
        let receipt = receipt::read(&body).map_err(|_| (StatusCode::BAD_REQUEST, Code::RcvUnreadable))?;
        let (message, now) = (receipt.message, self.clock.now());
        let (policy, sender) = (Arc::clone(policy), destination.clone());
        let weighing = move |sent: &Sent| {
            fits(sent, &receipt)?;
            Ok(weigh(sent, &receipt, &Personal::new(body), &sender, now, &policy))
        };
        let taken = self.store.take_receipt(message, destination, weighing);
        match taken.map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, Code::RcvBusy))? {
            Some(Ok(weighed)) => {
                weighed.line.iter().for_each(Line::emit);
                let result = match weighed {
                    Weighed { to: Some(_), .. } => "settled",
                    Weighed { code: Some(_), .. } => "contradicts",
                    _ => "known",
                };
                Ok(json!({"messageId": message.to_string(), "result": result}))
            }
            Some(Err(Refused::OtherContent)) => Err((StatusCode::CONFLICT, Code::RcvOtherContent)),
            Some(Err(Refused::NotSent)) | None => Err((StatusCode::NOT_FOUND, Code::RcvUnknown)),
        }
    }
}

fn problem(status: StatusCode, code: Code) -> Response {
    let entry = code.entry();
    let problem = json!({
        "status": status.as_u16(), "code": entry.id, "title": entry.en, "sv": entry.sv, "en": entry.en,
        "remedySv": entry.do_sv, "remedyEn": entry.do_en,
    });
    let mut response = reply(status, &problem, "application/problem+json");
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, BUSY_PAUSE);
    }
    response
}

fn reply(status: StatusCode, body: &Value, kind: &'static str) -> Response {
    let mut response = Response::new(Body::from(format!("{body}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
