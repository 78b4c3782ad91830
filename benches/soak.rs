//! A day and a half of operation in minutes: the daemon with a folder, a sealed SQLite store and the reference receiver as a process
//! of its own; a clock that runs fast, and retention in hours. Every hour by that clock it prints what grows, and at the end whether
//! memory and files are flat.
//!
//!     cargo bench --bench soak                   # 36 hours in 4 minutes
//!     HOURS=72 HOUR_S=10 EPISODES=400 cargo bench --bench soak

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench speaks to whoever runs it")]

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vardbro::config::{Settings, Way};
use vardbro::daemon::{self, Order, Surroundings};
use vardbro::model::dice::SystemDice;
use vardbro::model::time::Clock;
use vardbro::oplog;

/// A stay that is broken off: two messages, and the episode is over.
const STAY: [&str; 4] = ["R-IN", "K-PM", "K-AD", "R-AV"];
const MESSAGES: u32 = 2;
/// One file in so many is broken.
const BROKEN: u32 = 40;

/// Begins now and runs faster.
struct Fast {
    base: Timestamp,
    began: Instant,
    factor: f64,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        let passed = self.began.elapsed().mul_f64(self.factor);
        self.base + SignedDuration::try_from(passed).unwrap_or_default()
    }
}

/// Ends with the bench.
struct Receiver(Child);

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is looked at every hour.
struct Sample {
    rss: u64,
    file: u64,
    log: u64,
    rows: [u64; 5],
    files: usize,
    oplog: u64,
}

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    let (hours, seconds, episodes) = (number("HOURS", 36), number("HOUR_S", 7), number("EPISODES", 60));
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let settings = settings(root, port);
    let _receiver = Receiver(
        Command::new(env!("CARGO_BIN_EXE_vardbro"))
            .args(["receiver", "--listen", &format!("127.0.0.1:{port}"), "--dir"])
            .arg(root.join("receiver"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a receiver"),
    );
    let hour = Duration::from_secs(seconds.into());
    let clock = Arc::new(Fast { base: now(), began: Instant::now(), factor: 3600.0 / hour.as_secs_f64() });
    let log = oplog::Output::file(&root.join("oplog.ndjson")).expect("a log");
    oplog::start(&log, oplog::Level::Info);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (orders, received) = tokio::sync::mpsc::channel(1);
    let surroundings = Surroundings { clock: Arc::clone(&clock) as Arc<dyn Clock>, dice: Arc::new(SystemDice), log, orders: received };
    let daemon = runtime.spawn(async move { daemon::run(&settings, surroundings, || ()).await });

    println!(
        "{hours} hours of {seconds} s, {episodes} episodes an hour: {} events, {} messages an hour",
        episodes * u32::try_from(STAY.len()).expect("few"),
        episodes * MESSAGES
    );
    println!("content 2 h, episodes and journal 4 h, memories of events 8 h, files 3 h");
    println!(
        "{:>4} {:>7} {:>8} {:>7} {:>7} {:>9} {:>9} {:>8} {:>8} {:>6} {:>7}",
        "hour", "RSS kB", "file kB", "WAL kB", "events", "deliveries", "attempts", "journal", "episodes", "files", "oplog B"
    );
    let examples: Vec<Value> = STAY.iter().map(|kind| example(kind)).collect();
    let mut samples: Vec<Sample> = Vec::new();
    for at in 0..hours {
        for episode in 0..episodes {
            let due = clock.began + hour * at + hour * episode / episodes;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            lay(root, &examples, at * episodes + episode, clock.now());
        }
        let sample = look(root);
        let wrote = sample.oplog - samples.last().map_or(0, |before| before.oplog);
        let [events, deliveries, attempts, journal, cases] = sample.rows;
        let (rss, file, log, files) = (sample.rss, sample.file / 1024, sample.log / 1024, sample.files);
        let each = wrote / u64::from(episodes * MESSAGES);
        println!(
            "{:>4} {rss:>7} {file:>8} {log:>7} {events:>7} {deliveries:>9} {attempts:>9} {journal:>8} {cases:>8} {files:>6} {each:>7}",
            at + 1
        );
        samples.push(sample);
    }
    let laid = hours * episodes * MESSAGES;
    let arrived = || fs::read_dir(root.join("receiver/messages")).map_or(0, |entries| u32::try_from(entries.count()).unwrap_or(u32::MAX));
    let patience = Instant::now() + Duration::from_mins(1);
    while arrived() < laid && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(200));
    }
    runtime.block_on(async {
        let _ = orders.send(Order::Stop).await;
        daemon.await.expect("no panic").expect("a daemon that ran");
    });
    let arrived = arrived();
    println!("{arrived} of {laid} messages arrived");
    let flat = verdict(&samples);
    println!("{}", per_row(root));
    assert!(flat && arrived == laid, "not flat, or not all arrived");
}

/// The last quarter against all before it: what grows without end is greatest there, however it goes up and down within an hour.
fn verdict(samples: &[Sample]) -> bool {
    let (earlier, last) = samples.split_at(samples.len() * 3 / 4);
    let mut flat = true;
    for (what, of) in [
        ("memory", &(|sample: &Sample| sample.rss) as &dyn Fn(&Sample) -> u64),
        ("file", &|sample| sample.file / 1024),
        ("WAL", &|sample| sample.log / 1024),
        ("rows", &|sample| sample.rows.iter().sum()),
        ("files", &|sample| sample.files as u64),
    ] {
        let most = |part: &[Sample]| part.iter().map(of).max().unwrap_or(0);
        let (before, after) = (most(earlier), most(last));
        let holds = after * 100 <= before * 105;
        println!("{what}: at most {before} in three quarters of the time, {after} in the last: {}", if holds { "flat" } else { "GROWS" });
        flat &= holds;
    }
    flat
}

fn settings(root: &Path, port: u16) -> Settings {
    fs::create_dir_all(root.join("in")).expect("a folder");
    fs::write(root.join("key"), "5e".repeat(32)).expect("written");
    fs::set_permissions(root.join("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
    let text = format!(
        "environment = \"test\"\n[organisation]\norg_number = \"2120001538\"\nhsa_id = \"SE2120001538-T100\"\nname = \"Vänersborgs kommun\"\n\
         [source.journal]\nkind = \"directory\"\npath = \"in\"\nstill_s = 0\n[destination.region]\nurl = \"http://127.0.0.1:{port}/messages\"\n\
         [store]\npath = \"vardbro.db\"\nkey_files = [\"key\"]\n"
    );
    fs::write(root.join("vardbro.toml"), text).expect("written");
    let mut settings = vardbro::config::load(Some(&root.join("vardbro.toml")), Vec::new()).expect("a configuration");
    // Shorter than a configuration may say: the course of years in hours.
    let kept = &mut settings.retention;
    (kept.accepted, kept.ended) = (Duration::from_hours(2), Duration::from_hours(2));
    (kept.metadata, kept.journal, kept.rejected) = (Duration::from_hours(4), Duration::from_hours(4), Duration::from_hours(3));
    kept.tombstones = Duration::from_hours(8);
    for source in &mut settings.sources {
        if let Way::Directory(directory) = &mut source.way {
            directory.done_age = Duration::from_hours(3);
        }
    }
    settings
}

#[expect(clippy::disallowed_methods, reason = "the moment at which the fast clock begins")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn example(kind: &str) -> Value {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/types/{kind}.json"));
    serde_json::from_slice(&fs::read(file).expect("an example")).expect("JSON")
}

/// The events of an episode, as files in their order.
fn lay(root: &Path, examples: &[Value], episode: u32, at: Timestamp) {
    let put = |name: String, content: &[u8]| {
        let beside = root.join("in.tmp");
        fs::write(&beside, content).expect("written");
        fs::rename(beside, root.join("in").join(name)).expect("renamed");
    };
    for (step, known) in (0_i64..).zip(examples) {
        let mut event = known.clone();
        (event["eventId"], event["episodeRef"]["caseId"]) = (format!("{episode}-{step}").into(), format!("C-{episode}").into());
        let at = (at + SignedDuration::from_millis(step)).to_string();
        (event["occurredAt"], event["sentAt"]) = (at.clone().into(), at.into());
        for name in ["corrects", "cancels", "refTo"] {
            event.as_object_mut().expect("an object").remove(name);
        }
        put(format!("{episode:08}-{step}.json"), event.to_string().as_bytes());
    }
    if episode.is_multiple_of(BROKEN) {
        put(format!("{episode:08}-9.json"), b"{\"eventId\":");
    }
}

fn look(root: &Path) -> Sample {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    let size = |name: &str| fs::metadata(root.join(name)).map_or(0, |meta| meta.len());
    let db = read(root);
    let count =
        |table: &str| db.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).map_or(0, i64::unsigned_abs);
    Sample {
        rss,
        file: size("vardbro.db"),
        log: size("vardbro.db-wal"),
        rows: ["event", "delivery", "attempt", "journal", "episode"].map(count),
        files: ["done", "rejected", "outcome"].map(|name| fs::read_dir(root.join("in").join(name)).map_or(0, Iterator::count)).iter().sum(),
        oplog: size("oplog.ndjson"),
    }
}

fn read(root: &Path) -> Connection {
    let db = Connection::open_with_flags(root.join("vardbro.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    db.busy_timeout(Duration::from_secs(10)).expect("a time-out");
    db
}

/// What the memory of an event costs on disk, with its indexes: the one thing that grows for years.
fn per_row(root: &Path) -> String {
    let db = read(root);
    let sql =
        "SELECT AVG(LENGTH(key) + LENGTH(hash) + LENGTH(kind) + LENGTH(episode_id) + LENGTH(source) + LENGTH(findings) + LENGTH(mapping)
                 + LENGTH(fate) + 40 + LENGTH(key) * 2 + LENGTH(hash) + LENGTH(episode_id) + 48) FROM event WHERE fate IS NOT NULL";
    let bytes: Option<f64> = db.query_row(sql, [], |row| row.get(0)).expect("an answer");
    format!("the memory of an event takes about {:.0} bytes with its indexes", bytes.unwrap_or(0.0))
}
