//! The receiver's network: HTTP with or without TLS. What a request means is [`Core`]'s business, or [`Service`]'s where it is SDK's.

use super::core::{Core, Reply};
use super::script::Script;
use super::sdk::{Service, Wish};
use crate::fault::{Code, Fault};
use crate::listen::{Hangup, Listener, ServerTls};
use crate::model::dice::{Dice, SystemDice};
use crate::model::ids::MessageId;
use crate::model::time::{Clock, SystemClock};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use reqwest::Url;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

/// Longest message that is read.
const BODY_MAX: usize = 31 * 1024 * 1024;
/// For the rest of a request.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// Where receipts are to be had, by the message's id.
const RECEIPTS: &str = "/receipts/";
/// Digg's API, wherever it begins.
const MESSAGES: &str = "/sdk/messages";
/// Where its tokens are to be had.
const TOKEN: &str = "/token";
/// How often a receipt is sent that nobody takes, and the pause between.
const CALLS_MAX: u32 = 120;
const CALL_PAUSE: Duration = Duration::from_millis(500);

const ABOUT: &str = "Vårdbro reference receiver: POST messages here, receipts come back. For tests and demonstrations only.\n\
                     Vårdbros referensmottagare: POST:a meddelanden hit så kommer kvitton. Bara för test och demonstration.\n";

/// How the receiver is started.
#[derive(Clone)]
pub struct Options {
    pub listen: SocketAddr,
    pub dir: PathBuf,
    /// Without it the address must be one of this machine's own.
    pub tls: Option<ServerTls>,
    pub script: Script,
    /// Where receipts that come later are sent; else they are to be asked for.
    pub callback: Option<Callback>,
    /// How long tokens of SDK's API are good, which `/token` gives; without it none is asked for.
    pub token_s: Option<u32>,
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
}

/// Where receipts are sent that come later.
#[derive(Clone)]
pub struct Callback {
    url: Url,
    token: String,
    client: reqwest::Client,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback").finish_non_exhaustive()
    }
}

impl Callback {
    /// `issuers` is PEM, for a server that the system does not know.
    pub fn new(url: &str, token: &str, issuers: Option<&[u8]>) -> Result<Self, Fault> {
        let unusable = || Fault::with(Code::CfgValue, "--callback");
        let mut builder =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(10)).no_proxy();
        if let Some(issuers) = issuers {
            let issuers = reqwest::Certificate::from_pem_bundle(issuers).map_err(|_| Fault::with(Code::CfgCertificate, "--callback-ca"))?;
            builder = builder.tls_certs_only(issuers);
        }
        let client = builder.build().map_err(|_| unusable())?;
        Ok(Self { url: Url::parse(url).map_err(|_| unusable())?, token: token.trim().to_owned(), client })
    }
}

impl Options {
    /// On a free port of this machine, with its clock.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir,
            tls: None,
            script: Script::default(),
            callback: None,
            token_s: None,
            clock: Arc::new(SystemClock),
            dice: Arc::new(SystemDice),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("listen", &self.listen).field("dir", &self.dir).field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// The receiver.
#[derive(Debug)]
pub struct Receiver;

/// A receiver that runs. It stops when this is dropped; [`Running::stop`] also waits for what is in flight.
#[derive(Debug)]
pub struct Running {
    pub addr: SocketAddr,
    tls: bool,
    core: Arc<Mutex<Core>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Starts listening. Must be called within a tokio runtime.
    pub async fn start(options: Options) -> Result<Running, Fault> {
        let Options { listen, dir, tls, script, callback, token_s, clock, dice } = options;
        let open = move || Ok::<_, Fault>((Service::open(&dir, Arc::clone(&dice), token_s)?, Core::open(&dir, dice, script)?));
        let (service, core) = tokio::task::spawn_blocking(open).await.map_err(|_| Fault::new(Code::BugPanic))??;
        let with_tls = tls.is_some();
        let listener = Listener::bind(listen, tls, "--listen").await?;
        let addr = listener.addr;
        let core = Arc::new(Mutex::new(core));
        let (stop, stopped) = watch::channel(false);
        let service = Arc::new(Mutex::new(service));
        let shared = Shared { core: core.clone(), service, callback: callback.map(Arc::new), clock };
        let router = Router::new().fallback(any(request)).with_state(shared);
        let task = tokio::spawn(listener.serve(router, stopped));
        Ok(Running { addr, tls: with_tls, core, stop, task })
    }
}

impl Running {
    /// Where messages go.
    pub fn url(&self) -> String {
        format!("{}://{}/", if self.tls { "https" } else { "http" }, self.addr)
    }

    /// From now on these answers; what is being answered keeps its own.
    pub fn set_script(&self, script: Script) {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).set_script(script);
    }

    /// Lets what is in flight finish, for a few seconds.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

#[derive(Clone)]
struct Shared {
    core: Arc<Mutex<Core>>,
    /// The message service, before the core.
    service: Arc<Mutex<Service>>,
    callback: Option<Arc<Callback>>,
    clock: Arc<dyn Clock>,
}

async fn request(State(shared): State<Shared>, request: Request) -> Response {
    if request.uri().path().contains(MESSAGES) || request.uri().path() == TOKEN {
        return sdk(shared, request).await;
    }
    match *request.method() {
        Method::POST => {}
        Method::GET if request.uri().path().starts_with(RECEIPTS) => return asked(&shared, request.uri().path()),
        Method::GET | Method::HEAD => return plain(StatusCode::OK, ABOUT),
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return response;
        }
    }
    let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap_or("").to_owned());
    let body = match whole(request).await {
        Ok(body) => body,
        Err(status) => return plain(status, ""),
    };
    let taking = shared.clone();
    let taken = tokio::task::spawn_blocking(move || {
        let now = taking.clock.now();
        taking.core.lock().unwrap_or_else(PoisonError::into_inner).take(now, &body, key.as_deref())
    });
    let Ok(reply) = taken.await else { return plain(StatusCode::INTERNAL_SERVER_ERROR, "") };
    let later = reply.later;
    tokio::time::sleep(reply.delay).await;
    let mut response = response(reply);
    if let Some((message, after)) = later {
        if shared.callback.is_some() {
            tokio::spawn(call_back(shared, message, after));
        } else if let Ok(place) = HeaderValue::from_str(&format!("{RECEIPTS}{message}")) {
            response.headers_mut().insert(LOCATION, place);
        }
    }
    response
}

/// The body, as far as a message may be long.
async fn whole(request: Request) -> Result<Bytes, StatusCode> {
    if announced(request.headers()).is_some_and(|length| length > BODY_MAX as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match timeout(BODY_TIMEOUT, to_bytes(request.into_body(), BODY_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        // Too long without saying so, or broken off: then nobody reads this.
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// A request by Digg's API, or for a token.
async fn sdk(shared: Shared, request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = url_pairs(request.uri().query().unwrap_or_default());
    let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let place = path.split_once(MESSAGES).map(|(_, rest)| rest.trim_start_matches('/').to_owned());
    let wish = match (method, place) {
        (Method::POST, None) => match whole(request).await {
            Ok(body) => Wish::Token(url_pairs(&String::from_utf8_lossy(&body))),
            Err(status) => return plain(status, ""),
        },
        (Method::POST, Some(id)) if id.is_empty() => match whole(request).await {
            Ok(body) => Wish::Send(body.to_vec()),
            // The API has no other word for it.
            Err(_) => Wish::Send(Vec::new()),
        },
        (Method::GET, Some(id)) if id.is_empty() => Wish::List(query),
        (Method::GET, Some(id)) => Wish::Look(id),
        (Method::DELETE, Some(id)) if !id.is_empty() => Wish::Delete(id),
        (_, place) => {
            let allowed = if place.is_some_and(|id| !id.is_empty()) { "GET, DELETE" } else { "GET, POST" };
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return response;
        }
    };
    let answered = tokio::task::spawn_blocking(move || {
        let now = shared.clock.now();
        let token = token.as_deref().and_then(|token| token.strip_prefix("Bearer "));
        let mut service = shared.service.lock().unwrap_or_else(PoisonError::into_inner);
        let mut core = shared.core.lock().unwrap_or_else(PoisonError::into_inner);
        service.answer(&mut core, now, token, wish)
    });
    let Ok(answer) = answered.await else { return plain(StatusCode::INTERNAL_SERVER_ERROR, "") };
    tokio::time::sleep(answer.delay).await;
    let mut response = plain(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "");
    if answer.drop {
        response.extensions_mut().insert(Hangup);
    }
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if let Some(body) = answer.body {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::from(body.to_string());
    }
    response
}

/// What a query or a form says.
fn url_pairs(text: &str) -> Vec<(String, String)> {
    let mut url = Url::parse("http://localhost/").ok();
    if let Some(url) = &mut url {
        url.set_query(Some(text).filter(|text| !text.is_empty()));
    }
    url.iter().flat_map(|url| url.query_pairs().into_owned()).collect()
}

/// Answers where the receipt of a message is asked for.
fn asked(shared: &Shared, path: &str) -> Response {
    let id = path.strip_prefix(RECEIPTS).and_then(|id| Uuid::try_parse(id).ok());
    let Some(id) = id else { return plain(StatusCode::NOT_FOUND, "") };
    response(shared.core.lock().unwrap_or_else(PoisonError::into_inner).ask(shared.clock.now(), MessageId(id)))
}

/// Sends a receipt when its time has come, a few times if it must be.
async fn call_back(shared: Shared, message: MessageId, after: Duration) {
    let Some(callback) = shared.callback else { return };
    tokio::time::sleep(after).await;
    for _ in 0..CALLS_MAX {
        let reply = shared.core.lock().unwrap_or_else(PoisonError::into_inner).ask(shared.clock.now(), message);
        let request = callback.client.post(callback.url.clone()).bearer_auth(&callback.token);
        let sent = request.header("content-type", "application/xml; charset=utf-8").body(reply.body.unwrap_or_default()).send().await;
        if sent.is_ok_and(|answer| !answer.status().is_server_error()) {
            return;
        }
        tokio::time::sleep(CALL_PAUSE).await;
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn response(reply: Reply) -> Response {
    let mut response = plain(StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "");
    if reply.drop.is_some() {
        response.extensions_mut().insert(Hangup);
    }
    if response.status().is_redirection() {
        response.headers_mut().insert(LOCATION, HeaderValue::from_static("/elsewhere"));
    }
    if let Some(seconds) = reply.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if let Some(body) = reply.body {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
        *response.body_mut() = Body::from(body);
    }
    response
}
