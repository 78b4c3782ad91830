//! What stands before a receiver and lies: TLS to the daemon, the real receiver behind it.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use vardbro::receiver::Certificates;

/// What is answered. Every second lie is told after the receiver has taken the message in, the others without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lie {
    Truth,
    /// The truth, late but in time.
    Slow,
    /// Nothing at all, for as long as the daemon waits.
    Silence,
    /// The truth, a byte at a time, and not whole within the time for an answer.
    Dribble,
    /// The connection ends.
    End,
    /// The connection is reset.
    Reset,
    FiveMegabytes,
    NotHttp,
    BrokenChunks,
    /// Says that it is longer than it is.
    TooLong,
    /// Says that it is shorter than it is: the rest looks like another answer.
    TooShort,
    HugeHeader,
    /// A gateway's page with a good status.
    Html,
    Empty,
    /// The receipt of another message.
    AnotherReceipt,
}

pub(crate) struct Front {
    state: Arc<State>,
}

struct State {
    /// The receiver, without TLS.
    behind: String,
    tls: Arc<ServerConfig>,
    lie: Mutex<Lie>,
    told: AtomicUsize,
    /// An answer that was true once.
    earlier: Mutex<Vec<u8>>,
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

impl Front {
    pub(crate) fn new(port: u16, certificates: &Certificates, behind: String) -> Self {
        let chain = CertificateDer::pem_file_iter(&certificates.server_cert).and_then(Iterator::collect).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(&certificates.server_key).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
        let tls = Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).expect("a pair"));
        let (lie, told, earlier) = (Mutex::new(Lie::Truth), AtomicUsize::new(0), Mutex::default());
        let state = Arc::new(State { behind, tls, lie, told, earlier });
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&serving);
                std::thread::spawn(move || serve(&state, client));
            }
        });
        Self { state }
    }

    /// From the next request on. Gives how many lies were told before.
    pub(crate) fn set(&self, lie: Lie) -> usize {
        *self.state.lie.lock().unwrap_or_else(PoisonError::into_inner) = lie;
        self.told()
    }

    pub(crate) fn told(&self) -> usize {
        self.state.told.load(Ordering::SeqCst)
    }
}

/// One connection; it ends where an answer says so or cannot be understood.
fn serve(state: &State, client: TcpStream) {
    let Ok(connection) = ServerConnection::new(Arc::clone(&state.tls)) else { return };
    let mut client = StreamOwned::new(connection, client);
    while let Some(request) = read_request(&mut client) {
        let lie = *state.lie.lock().unwrap_or_else(PoisonError::into_inner);
        let number = if lie == Lie::Truth { 0 } else { state.told.fetch_add(1, Ordering::SeqCst) };
        let truth = if matches!(lie, Lie::Truth | Lie::Slow | Lie::Dribble) || number % 2 == 0 { ask(state, &request) } else { Vec::new() };
        if !answer(state, &mut client, lie, &truth) {
            return;
        }
    }
}

/// Head and body.
fn read_request(client: &mut Tls) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut bytes = [0; 16 * 1024];
    loop {
        let read = client.read(&mut bytes).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&bytes[..read]);
        let Some(head) = request.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(Ok(0), |length| length.trim().parse());
        if request.len() >= head + 4 + length.unwrap_or(0) {
            return Some(request);
        }
    }
}

/// The receiver's answer, as it stands on the wire; empty where there is none.
fn ask(state: &State, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let Ok(mut receiver) = TcpStream::connect(&state.behind) else { return answer };
    let line = request.windows(2).position(|two| two == b"\r\n").unwrap_or(0);
    let asked = receiver.write_all(&request[..line]).and_then(|()| receiver.write_all(b"\r\nconnection: close"));
    if asked.and_then(|()| receiver.write_all(&request[line..])).is_ok() {
        let _ = receiver.read_to_end(&mut answer);
    }
    answer
}

fn body(answer: &[u8]) -> &[u8] {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(&[][..], |head| &answer[head + 4..])
}

fn with_length(length: usize, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Answers, and says whether the connection stays.
fn answer(state: &State, client: &mut Tls, lie: Lie, truth: &[u8]) -> bool {
    let mut earlier = state.earlier.lock().unwrap_or_else(PoisonError::into_inner);
    let said = match lie {
        Lie::Truth => {
            *earlier = body(truth).to_vec();
            truth.to_vec()
        }
        Lie::Slow => {
            drop(earlier);
            std::thread::sleep(Duration::from_millis(600));
            truth.to_vec()
        }
        Lie::Silence => {
            drop(earlier);
            // Ends when the daemon has had enough.
            let _ = client.read(&mut [0; 1]);
            return false;
        }
        Lie::Dribble => {
            drop(earlier);
            let dribbled = |byte: &u8| {
                std::thread::sleep(Duration::from_millis(20));
                client.write_all(&[*byte]).and_then(|()| client.flush()).is_ok()
            };
            return truth.iter().all(dribbled);
        }
        Lie::End => return false,
        Lie::Reset => {
            reset(client);
            return false;
        }
        Lie::FiveMegabytes => with_length(5 * 1024 * 1024, &vec![b'<'; 5 * 1024 * 1024]),
        Lie::NotHttp => b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        Lie::BrokenChunks => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n<?xml".to_vec(),
        Lie::TooLong => with_length(9_999, &earlier),
        Lie::TooShort => [with_length(5, b"<?xml"), with_length(earlier.len(), &earlier)].concat(),
        Lie::HugeHeader => [&b"HTTP/1.1 200 OK\r\nx: "[..], &vec![b'x'; 1024 * 1024], b"\r\n\r\n"].concat(),
        Lie::Html => with_length(55, b"<!DOCTYPE html><html><body>Just a moment</body></html>\n"),
        Lie::Empty => with_length(0, b""),
        Lie::AnotherReceipt => with_length(earlier.len(), &earlier),
    };
    let _ = client.write_all(&said).and_then(|()| client.flush());
    matches!(lie, Lie::TooShort | Lie::Html | Lie::Empty | Lie::AnotherReceipt)
}

/// Without the farewell of TCP: what the daemon may have read of the answer is gone as well.
fn reset(client: &Tls) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let _within = runtime.enter();
    let socket = client.sock.try_clone().and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
    if let Ok(socket) = socket.and_then(tokio::net::TcpStream::from_std) {
        let _ = socket.set_zero_linger();
    }
}
