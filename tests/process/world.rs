//! A folder with a real daemon and a real receiver in it, over real TLS, both of them processes that can be killed.

use jiff::Timestamp;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use vardbro::model::time::{Clock, SystemClock};
use vardbro::receiver::Certificates;

pub(crate) const VARDBRO: &str = env!("CARGO_BIN_EXE_vardbro");

pub(crate) struct World {
    folder: TempDir,
    pub(crate) certificates: Certificates,
    /// Where the receiver is looked for.
    pub(crate) port: u16,
    /// The way to the PostgreSQL that holds the store; else it is a file of SQLite's.
    pub(crate) database: Option<String>,
}

/// Killed when it goes out of scope.
pub(crate) struct Process(pub(crate) Child);

/// The key of every world's store: two may share one.
pub(crate) const KEY: u8 = 0x5e;

/// Writes a key of one repeated byte as the product takes it.
pub(crate) fn put_key(file: &Path, byte: u8) {
    fs::write(file, format!("{byte:02x}").repeat(32)).expect("written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("set");
}

impl World {
    /// With a folder as its source. Its store is sealed. What is given is added to the configuration's destination, and to its end.
    pub(crate) fn new(destination: &str, rest: &str) -> Self {
        Self::reading("kind = \"directory\"\npath = \"in\"\nstill_s = 0", destination, rest)
    }

    /// With another source.
    pub(crate) fn reading(source: &str, destination: &str, rest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let certificates = Certificates::make(folder.path(), SystemClock.now()).expect("certificates");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        fs::create_dir_all(folder.path().join("in")).expect("a folder");
        put_key(&folder.path().join("store.key"), KEY);
        let rest = if rest.contains("[store]\n") {
            rest.replace("[store]\n", "[store]\nkey_files = [\"store.key\"]\n")
        } else {
            format!("[store]\nkey_files = [\"store.key\"]\n{rest}")
        };
        // What stands for the receiver's port in a test's own words.
        let destination = destination.replace("PORT", &port.to_string());
        let config = format!(
            r#"
environment = "test"
[organisation]
org_number = "2120001538"
hsa_id = "SE2120001538-T100"
name = "Vänersborgs kommun"
[source.journal]
{source}
[destination.region]
url = "https://localhost:{port}/messages"
ca_file = "{ca}"
cert_file = "{cert}"
key_file = "{key}"
{destination}
[oplog]
path = "oplog.ndjson"
level = "debug"
{rest}
"#,
            ca = certificates.ca.display(),
            cert = certificates.client_cert.display(),
            key = certificates.client_key.display(),
        );
        fs::write(folder.path().join("vardbro.toml"), config).expect("written");
        Self { folder, certificates, port, database: None }
    }

    /// A world whose store is in PostgreSQL. The daemons come to it by `url`, the test directly.
    pub(crate) fn on_postgres(direct: &str, url: &str, destination: &str, rest: &str) -> Self {
        // A replica may read a message before the other has read the admission that tells whom it is for.
        let recipient = "[[recipient]]\nparty = \"SV\"\nhsa_id = \"SE2321000131-T200\"";
        let mut world = Self::new(destination, &format!("[store]\nurl_file = \"url\"\n{rest}\n{recipient}"));
        fs::write(world.path("url"), url).expect("written");
        world.database = Some(direct.to_owned());
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the daemon and waits until it says that it has started.
    pub(crate) fn daemon(&self) -> Process {
        self.daemon_by(Command::new(VARDBRO))
    }

    /// The same by a command that ends in the program: with a limit, with something loaded before it.
    pub(crate) fn daemon_by(&self, program: Command) -> Process {
        let before = self.starts("oplog");
        let mut child = self.spawn_by(program, "vardbro");
        wait("the daemon to start", Duration::from_secs(20), || self.starts("oplog") > before || child.has_ended());
        assert!(self.starts("oplog") > before, "{}", fs::read_to_string(self.path("stderr.txt")).unwrap_or_default());
        child
    }

    /// Starts a replica: the same configuration with a source folder and a log of its own.
    pub(crate) fn replica(&self, name: &str) -> Process {
        fs::create_dir_all(self.path(name)).expect("a folder");
        let config = fs::read_to_string(self.path("vardbro.toml")).expect("the configuration");
        let config = config.replace("path = \"in\"", &format!("path = \"{name}\"")).replace("oplog.ndjson", &format!("{name}.ndjson"));
        fs::write(self.path(&format!("{name}.toml")), config).expect("written");
        self.spawn_by(Command::new(VARDBRO), name)
    }

    /// Starts the daemon on a configuration and waits for nothing.
    pub(crate) fn spawn_by(&self, mut program: Command, configuration: &str) -> Process {
        let stderr = fs::File::options().create(true).append(true).open(self.path("stderr.txt")).expect("a file");
        let config = self.path(&format!("{configuration}.toml"));
        Process(program.args(["run", "--config"]).arg(config).stderr(stderr).stdout(Stdio::null()).spawn().expect("the daemon"))
    }

    /// How often a log tells of a start.
    pub(crate) fn starts(&self, log: &str) -> usize {
        fs::read_to_string(self.path(&format!("{log}.ndjson"))).unwrap_or_default().matches("\"daemon.started\"").count()
    }

    /// Starts the receiver on the world's port, with a script.
    pub(crate) fn receiver(&self, script: &str) -> Process {
        self.receiver_with(script, &[])
    }

    /// The same with more arguments.
    pub(crate) fn receiver_with(&self, script: &str, arguments: &[&str]) -> Process {
        let c = &self.certificates;
        let mut program = Command::new(VARDBRO);
        program.args(["receiver", "--listen", &format!("127.0.0.1:{}", self.port)]);
        program.arg("--cert").arg(&c.server_cert).arg("--key").arg(&c.server_key).arg("--client-ca").arg(&c.ca).args(arguments);
        self.receiver_by(program, script).0
    }

    /// Starts the receiver without TLS, for something that stands before it, and says where it listens.
    pub(crate) fn plain_receiver(&self) -> (Process, String) {
        let mut program = Command::new(VARDBRO);
        program.args(["receiver", "--listen", "127.0.0.1:0"]);
        let (receiver, url) = self.receiver_by(program, "");
        (receiver, url.trim_start_matches("http://").to_owned())
    }

    fn receiver_by(&self, mut program: Command, script: &str) -> (Process, String) {
        let file = self.path("script.toml");
        fs::write(&file, script).expect("written");
        program.arg("--dir").arg(self.path("receiver")).arg("--script").arg(&file).stdout(Stdio::piped());
        program.stderr(fs::File::options().create(true).append(true).open(self.path("receiver.txt")).expect("a file"));
        let mut child = program.spawn().expect("the receiver");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the receiver did not start: {line:?}"));
        (Process(child), url.to_owned())
    }

    /// Puts a file into the source folder by renaming it in.
    pub(crate) fn put(&self, name: &str, content: &str) {
        self.put_into("in", name, content);
    }

    pub(crate) fn put_into(&self, folder: &str, name: &str, content: &str) {
        put_at(&self.path(folder), name, content);
    }

    /// Changes a text of the configuration.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let file = self.path("vardbro.toml");
        let text = fs::read_to_string(&file).expect("the configuration");
        assert!(text.contains(from), "{from}");
        fs::write(file, text.replace(from, to)).expect("written");
    }

    pub(crate) fn oplog(&self) -> Vec<Value> {
        lines(&self.path("oplog.ndjson"))
    }

    /// What the receiver has seen, in order.
    pub(crate) fn received(&self) -> Vec<Value> {
        lines(&self.path("receiver/received.ndjson"))
    }

    /// How many deliveries are in a state.
    pub(crate) fn in_state(&self, state: &str) -> usize {
        self.vardbro(&["messages", "list", "--state", state, "--limit", "100000"]).lines().count()
    }

    /// Runs a command of the program on this world's configuration.
    pub(crate) fn vardbro(&self, arguments: &[&str]) -> String {
        let out = Command::new(VARDBRO).args(arguments).arg("--config").arg(self.path("vardbro.toml")).output().expect("the program");
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    }
}

pub(crate) fn put_at(folder: &Path, name: &str, content: &str) {
    fs::create_dir_all(folder).expect("a folder");
    let beside = folder.join(format!("{name}.tmp"));
    fs::write(&beside, content).expect("written");
    fs::rename(&beside, folder.join(name)).expect("renamed");
}

/// Whole lines only: the last one may be in the making.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not a line of JSON: {line}"))).collect()
}

/// Whatever a test was about: every line that was logged follows the published schema, and every document that was sent
/// the published XSD.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let schema: Value = serde_json::from_str(&vardbro::oplog::schema()).expect("a schema");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for file in ["oplog.ndjson", "one.ndjson", "two.ndjson", "receiver.txt"] {
            for line in lines(&self.path(file)) {
                assert!(validator.is_valid(&line), "{line}");
            }
        }
        self.assert_documents_valid();
    }
}

impl World {
    /// Judged by a validator that is not ours.
    #[expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]
    fn assert_documents_valid(&self) {
        let xsd = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/vardbro-message-1.xsd");
        let documents: Vec<PathBuf> =
            fs::read_dir(self.path("receiver/messages")).map_or_else(|_| Vec::new(), |d| d.flatten().map(|e| e.path()).collect());
        // No command line holds them all.
        for documents in documents.chunks(5_000) {
            match Command::new("xmllint").args(["--nonet", "--noout", "--schema", xsd]).args(documents).output() {
                Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr)),
                Err(_) if std::env::var_os("CI").is_none() => eprintln!("skipped: xmllint is not installed"),
                Err(fault) => panic!("xmllint: {fault}"),
            }
        }
    }
}

impl Process {
    /// As the power goes: nothing is finished, nothing is told.
    pub(crate) fn kill(mut self) {
        self.0.kill().expect("killed");
        let _ = self.0.wait();
    }

    /// Tells it to end, and sees that it ends well.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        assert_eq!(self.end(Duration::from_secs(30)), Some(0));
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().expect("kill").success());
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_some()
    }

    /// Waits for the end and gives the exit code.
    pub(crate) fn end(mut self, patience: Duration) -> Option<i32> {
        let mut ended = None;
        wait("the process to end", patience, || {
            ended = self.0.try_wait().expect("a child");
            ended.is_some()
        });
        ended.and_then(|status| status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something holds, and fails when it does not within the patience.
pub(crate) fn wait(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < patience, "waited {} s for {what}", patience.as_secs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(crate) fn at(second: i64) -> String {
    Timestamp::from_second(1_773_100_000 + second).expect("an instant").to_string()
}

/// A notice from the region that opens an episode.
pub(crate) fn admission(case: &str, event: &str, second: i64) -> String {
    format!(
        r#"{{"eventId":"{event}","system":"test-journal","type":"R-IN","occurredAt":"{at}","sentAt":"{at}","episodeRef":{{"caseId":"{case}"}},
 "patient":{{"id":"193812217044","idType":"personnummer","name":{{"given":"Greta","family":"Almqvist"}},"address":"Edsgatan 12"}},
 "author":{{"unit":{{"hsaId":"SE2321000131-T200"}}}},"data":{{"admittedAt":"{at}","estimatedDischargeAt":"{at}","ward":{{"hsaId":"SE2321000131-T200","name":"Avdelning 5","specialty":"somatik"}}}}}}"#,
        at = at(second)
    )
}

/// A message of the municipality's.
pub(crate) fn planning(case: &str, event: &str, second: i64) -> String {
    format!(
        r#"{{"eventId":"{event}","system":"test-journal","type":"K-PU","occurredAt":"{at}","episodeRef":{{"caseId":"{case}"}},
 "patient":{{"id":"193812217044","idType":"personnummer"}},
 "data":{{"services":[{{"kind":"HSJV","extent":"2 ggr/dag"}}],"adlBefore":"Går med rollator","housing":"ordinary",
  "nurse":{{"hsaId":"SE2120001538-T101","phone":"0521-000000"}}}}}}"#,
        at = at(second)
    )
}

/// A message of the municipality's with a body of the caller's.
pub(crate) fn message(kind: &str, case: &str, event: &str, second: i64, data: &Value) -> String {
    let at = at(second);
    serde_json::json!({"eventId": event, "system": "test-journal", "type": kind, "occurredAt": at, "episodeRef": {"caseId": case},
        "patient": {"id": "193812217044", "idType": "personnummer"}, "data": data})
    .to_string()
}
