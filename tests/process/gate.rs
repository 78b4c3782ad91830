//! A gate on the way to PostgreSQL or a message server: it can be slow, fall silent, cut what passes, and cut just when a COMMIT passes.

use super::figures::Random;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a gate does with what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    /// Nobody gets through; those who are in are cut.
    Shut,
    /// Each request takes between 50 and 200 ms more.
    Slow,
    /// Of so many COMMITs one is cut: before it arrives, after it was answered, or as it goes.
    CutCommits(usize),
}

/// A way to the database, through a port of its own.
pub(crate) struct Gate {
    /// The connection string that leads through the gate.
    pub(crate) url: String,
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    mode: Mutex<Mode>,
    random: Mutex<Random>,
    connections: Mutex<Vec<Connection>>,
    commits: AtomicUsize,
    cuts: AtomicUsize,
}

/// Both ends, and whether it has fallen silent.
struct Connection {
    client: TcpStream,
    server: TcpStream,
    fate: Arc<Mutex<Fate>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    /// What comes is taken and goes nowhere, and nobody is told.
    Silent,
    /// The next answer is the last thing that happens, and it does not arrive.
    Doomed,
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// Before the database of a connection string.
    pub(crate) fn new(direct: &str) -> Self {
        let named = |name: &str| direct.split(' ').find_map(|part| part.strip_prefix(name));
        let database = format!("{}:{}", named("host=").expect("a host"), named("port=").unwrap_or("5432"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            mode: Mutex::new(Mode::Open),
            random: Mutex::new(Random::new()),
            connections: Mutex::default(),
            commits: AtomicUsize::new(0),
            cuts: AtomicUsize::new(0),
        });
        let kept = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *held(&kept.mode) != Mode::Shut
                    && let Ok(server) = TcpStream::connect(&database)
                {
                    carry(&kept, client, server);
                }
            }
        });
        let rest: Vec<&str> = direct.split(' ').filter(|part| !part.starts_with("host=") && !part.starts_with("port=")).collect();
        Self { url: format!("host=127.0.0.1 port={port} {}", rest.join(" ")), port, state }
    }

    pub(crate) fn set(&self, mode: Mode) {
        *held(&self.state.mode) = mode;
        if mode == Mode::Shut {
            held(&self.state.connections).drain(..).for_each(|connection| cut(&connection.client, &connection.server));
        }
    }

    /// All connections that there are fall silent for good; new ones pass.
    pub(crate) fn silence(&self) -> usize {
        let connections = std::mem::take(&mut *held(&self.state.connections));
        for connection in &connections {
            *held(&connection.fate) = Fate::Silent;
        }
        let silenced = connections.len();
        // Kept open: closing them would tell.
        std::mem::forget(connections);
        silenced
    }

    /// How many COMMITs were cut.
    pub(crate) fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

fn cut(client: &TcpStream, server: &TcpStream) {
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

fn carry(state: &Arc<State>, client: TcpStream, server: TcpStream) {
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let fate = Arc::new(Mutex::new(Fate::Lives));
    let (Ok(c), Ok(s)) = (client.try_clone(), server.try_clone()) else { return };
    held(&state.connections).push(Connection { client: c, server: s, fate: Arc::clone(&fate) });
    let (up, fate_up) = (Arc::clone(state), Arc::clone(&fate));
    std::thread::spawn(move || {
        requests(&up, &client, &server, &fate_up);
        cut(&client, &server);
    });
    std::thread::spawn(move || {
        answers(&client_too, &server_too, &fate);
        cut(&client_too, &server_too);
    });
}

fn requests(state: &State, mut client: &TcpStream, mut server: &TcpStream, fate: &Mutex<Fate>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = client.read(&mut bytes) {
        let request = &bytes[..read];
        if *held(fate) == Fate::Silent {
            continue;
        }
        let mode = *held(&state.mode);
        if mode == Mode::Slow {
            let pause = held(&state.random).pause(50..200);
            std::thread::sleep(pause);
        }
        // It is asked for by itself, so it comes by itself.
        if let Mode::CutCommits(every) = mode
            && request.ends_with(b"COMMIT\0")
            && state.commits.fetch_add(1, Ordering::SeqCst) % every == every - 1
        {
            match state.cuts.fetch_add(1, Ordering::SeqCst) % 3 {
                0 => return,
                1 => *held(fate) = Fate::Doomed,
                _ => {
                    let _ = server.write_all(request);
                    return;
                }
            }
        }
        if server.write_all(request).is_err() {
            return;
        }
    }
    // A silent connection stays as it is, whatever its ends do.
    while *held(fate) == Fate::Silent {
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn answers(mut client: &TcpStream, mut server: &TcpStream, fate: &Mutex<Fate>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = server.read(&mut bytes) {
        let known = *held(fate);
        match known {
            Fate::Lives if client.write_all(&bytes[..read]).is_err() => return,
            Fate::Lives | Fate::Silent => {}
            Fate::Doomed => return,
        }
    }
    while *held(fate) == Fate::Silent {
        std::thread::sleep(Duration::from_secs(1));
    }
}
