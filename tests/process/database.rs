//! The database goes away, comes back, falls silent and is slow, under load.

#![expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]

use super::figures::{EPISODES, Feeder, files_in, lay, now};
use super::gate::{Gate, Mode};
use super::postgres::Schema;
use super::world::{World, wait};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use vardbro::fault::Code;
use vardbro::receiver::Certificates;
use vardbro::store::{Secret, Server, Store};

const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4";

/// A PostgreSQL of the test's own, which it may stop.
pub(super) struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    /// None where the programs of PostgreSQL's server are not installed, outside CI.
    pub(super) fn new() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "no PostgreSQL server in CI");
            eprintln!("skipped: no initdb is to be had");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let cluster = Self { folder: tempfile::tempdir().expect("a folder"), programs, port };
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(cluster.folder.path()).status().expect("chown").success());
        }
        cluster.run("initdb", &["-A", "trust", "-U", "postgres"]);
        cluster.start();
        Some(cluster)
    }

    /// From the next start on it is met over TLS alone.
    fn demand_tls(&self, certificates: &Certificates) {
        let data = self.folder.path().join("data");
        for (file, name) in [(&certificates.server_cert, "server.crt"), (&certificates.server_key, "server.key")] {
            fs::copy(file, data.join(name)).expect("copied");
            fs::set_permissions(data.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
            if is_root() {
                assert!(Command::new("chown").arg("postgres").arg(data.join(name)).status().expect("chown").success());
            }
        }
        fs::write(data.join("postgresql.auto.conf"), "ssl = on\n").expect("written");
        fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n").expect("written");
    }

    pub(super) fn start(&self) {
        let (log, options) = (self.folder.path().join("log"), format!("-p {} -k {} -h 127.0.0.1", self.port, self.folder.path().display()));
        self.run("pg_ctl", &["-w", "-l", &log.display().to_string(), "-o", &options, "start"]);
    }

    /// As in a crash: the next start begins with a recovery.
    pub(super) fn crash(&self) {
        self.run("pg_ctl", &["-m", "immediate", "stop"]);
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program, arguments).status().expect("the program").success(), "{program} {arguments:?}");
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let program = self.programs.join(program);
        // It does not run as root.
        let mut command = if is_root() { Command::new("runuser") } else { Command::new(&program) };
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        command.arg("-D").arg(self.folder.path().join("data")).args(arguments).current_dir("/");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub(super) fn url(&self) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname=postgres", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Also after a failure: no server is left behind.
        let _ = self.command("pg_ctl", &["-m", "immediate", "stop"]).status();
    }
}

fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.flatten().map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists())
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").expect("a process")) == 0
}

#[test]
fn a_database_that_wants_tls_is_met_over_tls_and_only_if_it_is_the_right_one() {
    let Some(cluster) = Cluster::new() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let certificates = Certificates::make(folder.path(), now()).expect("certificates");
    cluster.crash();
    cluster.demand_tls(&certificates);
    cluster.start();
    let open = |url: String, ca_file: Option<PathBuf>| {
        let server = Server { url: Secret(format!("{url} port={} user=postgres dbname=postgres", cluster.port)), ca_file };
        Store::open_postgres(server, &[7; 32]).map(drop).map_err(|fault| fault.code)
    };
    let ca = || Some(certificates.ca.clone());
    let right = "hostaddr=127.0.0.1 host=localhost sslmode=require".to_owned();
    assert_eq!(open(right.clone(), ca()), Ok(()));
    assert_eq!(open(right, None), Err(Code::CfgStore), "issued by nobody that the system knows");
    let elsewhere = "hostaddr=127.0.0.1 host=db.example.test".to_owned();
    assert_eq!(open(elsewhere.clone(), ca()), Err(Code::CfgStore), "another machine is met over TLS, and this is not it");
    assert_eq!(open(format!("{elsewhere} sslmode=disable"), ca()), Err(Code::CfgStore), "this database wants TLS");
    assert_eq!(open("host=127.0.0.1".to_owned(), ca()), Err(Code::CfgStore), "no TLS to this machine unless it is asked for");
}

#[test]
fn a_database_that_crashes_under_load_loses_nothing() {
    let Some(cluster) = Cluster::new() else { return };
    let world = World::on_postgres(&cluster.url(), &cluster.url(), "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    let crashes = 4;
    for crash in 1..=crashes {
        flow(&world, crash * 30);
        cluster.crash();
        std::thread::sleep(Duration::from_millis(700));
        cluster.start();
    }
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    daemon.stop();
    assert_eq!(world.count("event"), files);
    world.figures("PostgreSQL crashed and recovered", crashes, ended, EPISODES..files);
}

/// Waits until so many messages have arrived.
fn flow(world: &World, messages: usize) {
    wait("messages to flow", Duration::from_mins(1), || files_in(&world.path("receiver/messages")) >= messages);
}

#[test]
fn a_database_that_is_cut_off_under_load_loses_nothing() {
    let Some(schema) = Schema::new() else { return };
    let gate = Gate::new(&schema.url);
    let world = World::on_postgres(&schema.url, &gate.url, "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    let cuts = 5;
    for cut in 1..=cuts {
        flow(&world, cut * 30);
        gate.set(Mode::Shut);
        std::thread::sleep(Duration::from_millis(1_500));
        gate.set(Mode::Open);
    }
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    daemon.stop();
    assert_eq!(world.count("event"), files);
    world.figures("PostgreSQL cut off", cuts, ended, EPISODES..files);
}

#[test]
fn a_slow_database_delays_and_loses_nothing() {
    let Some(schema) = Schema::new() else { return };
    let gate = Gate::new(&schema.url);
    let world = World::on_postgres(&schema.url, &gate.url, "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(50));
    flow(&world, 30);
    gate.set(Mode::Slow);
    std::thread::sleep(Duration::from_secs(15));
    gate.set(Mode::Open);
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    daemon.stop();
    world.figures("PostgreSQL 50-200 ms away for 15 s", 1, ended, EPISODES..files);
}

/// As behind a firewall that forgets a connection: nothing comes any more, and nobody says so.
#[test]
fn a_database_that_falls_silent_is_given_up_and_called_anew() {
    let Some(schema) = Schema::new() else { return };
    let gate = Gate::new(&schema.url);
    let world = World::on_postgres(&schema.url, &gate.url, "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    flow(&world, 30);
    let ended = now();
    let silenced = gate.silence();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    daemon.stop();
    world.figures("PostgreSQL's connections fell silent", silenced, ended, EPISODES..files);
}

/// A stopped replica keeps its connection, and with it the locks of its transaction.
#[test]
fn a_replica_that_was_stopped_within_a_transaction_holds_up_nobody() {
    let Some(schema) = Schema::new() else { return };
    let world = World::on_postgres(&schema.url, &schema.url, "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 200\ntimes = 0");
    let late = world.replica("one");
    wait("the daemon to start", Duration::from_secs(20), || world.starts("one") > 0);
    (0..2 * EPISODES).for_each(|file| lay(&world.path("one"), file));
    wait("the files to be taken", Duration::from_mins(1), || files_in(&world.path("one/done")) == 2 * EPISODES);
    let within = format!("pg_stat_activity WHERE application_name = '{}' AND state = 'idle in transaction'", schema.name);
    let mut file = 2 * EPISODES;
    wait("it to be stopped within a transaction", Duration::from_mins(1), || {
        lay(&world.path("one"), file);
        file += 1;
        late.signal("STOP");
        std::thread::sleep(Duration::from_millis(20));
        let hit = world.count(&within) > 0 && world.count("delivery WHERE state = 'SUBMITTED'") > 0;
        if !hit {
            late.signal("CONT");
        }
        hit
    });
    // What it has not taken in yet the other one takes.
    fs::create_dir_all(world.path("two")).expect("a folder");
    move_all(&world.path("one"), &world.path("two"));
    let ended = now();
    let other = world.replica("two");
    world.settle(&(EPISODES..file), Duration::from_mins(1));
    late.signal("CONT");
    late.stop();
    other.stop();
    world.figures("SIGSTOP within a transaction, two replicas", 1, ended, EPISODES..file);
}

fn move_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        if entry.file_type().expect("a type").is_file() {
            fs::rename(entry.path(), to.join(entry.file_name())).expect("moved");
        }
    }
}
