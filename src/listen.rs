//! Listening: HTTP with or without TLS, with bounds on connections and waiting. What a request means is its caller's business.

use crate::fault::{Code, Fault};
use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// Connections at a time; more wait in the kernel.
const CONNECTIONS_MAX: usize = 256;
/// For a handshake, and for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// What is in flight may finish for so long after a stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Files of the server's TLS.
#[derive(Debug, Clone)]
pub struct ServerTls {
    pub cert: PathBuf,
    pub key: PathBuf,
    /// Issuers of clients. With it a client certificate is demanded.
    pub client_ca: Option<PathBuf>,
}

/// An address that is taken.
#[derive(Debug)]
pub struct Listener {
    pub addr: SocketAddr,
    socket: TcpListener,
    tls: Option<Arc<Tls>>,
}

/// The server's TLS, which can be read anew while it answers.
#[derive(Debug)]
pub struct Tls {
    files: ServerTls,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads certificate, key and issuers anew, for the next connection. On a fault the old ones stay.
    pub fn reload(&self) -> Result<(), Fault> {
        self.config.store(server_config(&self.files)?);
        Ok(())
    }
}

impl Listener {
    /// Takes an address; `key` is what faults call it. Without TLS it must be one of this machine's own.
    pub async fn bind(listen: SocketAddr, tls: Option<ServerTls>, key: &str) -> Result<Self, Fault> {
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(Fault::with(Code::CfgCertificate, format!("{key} without a certificate: 127.0.0.1 / ::1")));
        }
        let with = |files: ServerTls| Ok::<_, Fault>(Arc::new(Tls { config: ArcSwap::new(server_config(&files)?), files }));
        let tls = tls.map(with).transpose()?;
        let unusable = |fault: std::io::Error| Fault::with(Code::CfgValue, format!("{key} {listen} ({})", fault.kind()));
        let socket = TcpListener::bind(listen).await.map_err(unusable)?;
        let addr = socket.local_addr().map_err(unusable)?;
        Ok(Self { addr, socket, tls })
    }

    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Answers until `stopped` turns, and then for a few seconds what is in flight.
    pub async fn serve(self, router: Router, stopped: watch::Receiver<bool>) {
        accept(self.socket, self.tls, router, stopped).await;
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

async fn accept(listener: TcpListener, tls: Option<Arc<Tls>>, router: Router, mut stopped: watch::Receiver<bool>) {
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

async fn connection(stream: TcpStream, tls: Option<Arc<Tls>>, router: Router, stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, router, stopped).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HEAD_TIMEOUT, TlsAcceptor::from(tls.config.load_full()).accept(stream)).await {
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

/// Put into a response's extensions, it closes the connection without an answer.
#[derive(Debug, Clone, Copy)]
pub struct Hangup;

impl std::fmt::Display for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed without an answer")
    }
}

impl std::error::Error for Hangup {}
