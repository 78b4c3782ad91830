//! A webhook of the test's own: HTTP over TCP or TLS, which keeps what it is sent.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use vardbro::receiver::Certificates;

/// What was posted, and with which key and secret.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) notice: Value,
    pub(crate) key: String,
    pub(crate) secret: String,
}

/// Listens until the test ends.
pub(crate) struct Hook {
    pub(crate) port: u16,
    posted: Arc<Mutex<Vec<Posted>>>,
    status: Arc<AtomicU16>,
}

impl Hook {
    pub(crate) fn new(certificates: Option<&Certificates>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let hook =
            Self { port: listener.local_addr().expect("an address").port(), posted: Arc::default(), status: Arc::new(AtomicU16::new(204)) };
        let (posted, status) = (Arc::clone(&hook.posted), Arc::clone(&hook.status));
        let tls = certificates.map(server);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = match &tls {
                    None => serve(stream, &posted, &status),
                    Some(tls) => {
                        let connection = ServerConnection::new(Arc::clone(tls)).expect("a connection");
                        serve(StreamOwned::new(connection, stream), &posted, &status)
                    }
                };
                drop(served);
            }
        });
        hook
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What was posted and taken.
    pub(crate) fn taken(&self) -> Vec<Posted> {
        self.posted.lock().expect("whole").clone()
    }
}

fn server(certificates: &Certificates) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(&certificates.server_cert).expect("a file").map(|one| one.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_file(&certificates.server_key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    Arc::new(config.with_no_client_auth().with_single_cert(chain, key).expect("a pair"))
}

/// One request, and then the connection is closed.
fn serve(stream: impl Read + Write, posted: &Mutex<Vec<Posted>>, status: &AtomicU16) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut length, mut key, mut secret) = (0, String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().expect("a length"),
            "idempotency-key" => value.trim().clone_into(&mut key),
            "authorization" => value.trim().clone_into(&mut secret),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let status = status.load(Ordering::SeqCst);
    if status == 204 {
        posted.lock().expect("whole").push(Posted { notice: serde_json::from_slice(&body).expect("JSON"), key, secret });
    }
    write!(stream.get_mut(), "HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    stream.get_mut().flush()
}
