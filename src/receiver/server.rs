//! The receiver's network: HTTP with or without TLS. What a request means is [`Core`]'s business.

use super::core::{Core, Reply};
use super::script::Script;
use crate::fault::{Code, Fault};
use crate::model::dice::{Dice, SystemDice};
use crate::model::time::{Clock, SystemClock};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Longest message that is read.
const BODY_MAX: usize = 31 * 1024 * 1024;
/// Connections at a time; more wait in the kernel.
const CONNECTIONS_MAX: usize = 256;
/// For a handshake, and for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// For the rest of a request.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// What is in flight may finish for so long after a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

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
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
}

/// Files of the server's TLS.
#[derive(Debug, Clone)]
pub struct ServerTls {
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Issuers of clients. With it a client certificate is demanded.
    pub client_ca: Option<PathBuf>,
}

impl Options {
    /// On a free port of this machine, with its clock.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir,
            tls: None,
            script: Script::default(),
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
        let Options { listen, dir, tls, script, clock, dice } = options;
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(Fault::with(Code::CfgCertificate, "--listen without --cert and --key: 127.0.0.1 / ::1"));
        }
        let with_tls = tls.is_some();
        let opened = tokio::task::spawn_blocking(move || {
            let config = tls.as_ref().map(server_config).transpose()?;
            Ok::<_, Fault>((config, Core::open(&dir, dice, script)?))
        });
        let (config, core) = opened.await.map_err(|_| Fault::new(Code::BugPanic))??;
        let unusable = |fault: io::Error| Fault::with(Code::CfgValue, format!("--listen {listen} ({})", fault.kind()));
        let listener = TcpListener::bind(listen).await.map_err(unusable)?;
        let addr = listener.local_addr().map_err(unusable)?;
        let core = Arc::new(Mutex::new(core));
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().fallback(any(request)).with_state(Shared { core: core.clone(), clock });
        let task = tokio::spawn(accept(listener, config.map(TlsAcceptor::from), router, stopped));
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

fn server_config(files: &ServerTls) -> Result<Arc<ServerConfig>, Fault> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(|_| unusable(&files.cert))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for issuer in certificates(path)? {
                roots.add(issuer).map_err(|_| unusable(path))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|_| unusable(path))?)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|_| unusable(&files.key))?;
    let mut config = builder.with_single_cert(certificates(&files.cert)?, key).map_err(|_| unusable(&files.cert))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.ok().filter(|read| !read.is_empty()).ok_or_else(|| unusable(path))
}

fn unusable(path: &Path) -> Fault {
    Fault::with(Code::CfgCertificate, path.display().to_string())
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted,
            _ = stopped.changed() => break,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: they come back as connections end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
        connections.spawn(async move {
            let _place = place;
            connection(stream, tls, router, stopped).await;
        });
    }
    drop(listener);
    let _ = timeout(STOP_TIMEOUT, async { while connections.join_next().await.is_some() {} }).await;
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, router, stopped).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
                serve(stream, router, stopped).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let router = router.clone();
        async move {
            let Ok(response) = router.oneshot(request.map(Body::new)).await;
            // An error is the one way to end the connection without an answer.
            if response.extensions().get::<Hangup>().is_some() { Err(Hangup) } else { Ok(response) }
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// The script wants the connection closed.
#[derive(Debug, Clone, Copy)]
struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed without an answer")
    }
}

impl std::error::Error for Hangup {}

#[derive(Clone)]
struct Shared {
    core: Arc<Mutex<Core>>,
    clock: Arc<dyn Clock>,
}

async fn request(State(shared): State<Shared>, request: Request) -> Response {
    match *request.method() {
        Method::POST => {}
        Method::GET | Method::HEAD => return plain(StatusCode::OK, ABOUT),
        _ => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return response;
        }
    }
    if announced(request.headers()).is_some_and(|length| length > BODY_MAX as u64) {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "");
    }
    let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap_or("").to_owned());
    let body = match timeout(BODY_TIMEOUT, to_bytes(request.into_body(), BODY_MAX)).await {
        Ok(Ok(body)) => body,
        // Too long without saying so, or broken off: then nobody reads this.
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, ""),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, ""),
    };
    let taken = tokio::task::spawn_blocking(move || {
        let now = shared.clock.now();
        shared.core.lock().unwrap_or_else(PoisonError::into_inner).take(now, &body, key.as_deref())
    });
    let Ok(reply) = taken.await else { return plain(StatusCode::INTERNAL_SERVER_ERROR, "") };
    tokio::time::sleep(reply.delay).await;
    response(reply)
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
