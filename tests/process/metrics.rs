//! Figures and health of the real daemon: after a course that is known, with a route that is closed, a database that is down, a
//! full disk and a source that is gone. The figures are read by Prometheus' own readers (`scripts/test` installs them).

#![expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]

use super::database::Cluster;
use super::figures::EPISODES;
use super::world::{World, admission, planning, wait};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vardbro::fault::Code;

const PATIENCE: Duration = Duration::from_secs(30);
const QUICK: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 5";
const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

/// The address of a daemon's figures.
pub(crate) struct Watch(u16);

/// What came back.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port())
    }

    /// What is added to the configuration.
    pub(crate) fn config(&self, more: &str) -> String {
        format!("[metrics]\nlisten = \"127.0.0.1:{}\"\n{more}\n", self.0)
    }

    fn ask(&self, method: &str, path: &str, accept: &str) -> Heard {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0)).expect("a connection");
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: here\r\naccept: {accept}\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Heard { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Heard {
        self.ask("GET", path, "*/*")
    }

    /// Status, word and codes of health.
    fn health(&self, path: &str) -> (u16, String, Vec<String>) {
        let heard = self.get(path);
        let body: Value = serde_json::from_str(&heard.body).unwrap_or_else(|_| panic!("{heard:?}"));
        let reasons = body["reasons"].as_array().expect("reasons");
        for reason in reasons {
            assert!(["code", "text", "remedy"].iter().all(|key| reason[key].is_string()) && reason["stops"].is_boolean(), "{reason}");
        }
        let codes = reasons.iter().map(|reason| reason["code"].as_str().expect("a code").to_owned()).collect();
        (heard.status, body["status"].as_str().expect("a word").to_owned(), codes)
    }

    fn wait_for(&self, path: &str, expected: &(u16, &str, &[&str])) {
        wait(&format!("{path} to say {expected:?}"), PATIENCE, || {
            let (status, word, codes) = self.health(path);
            (status, word.as_str()) == (expected.0, expected.1) && codes == expected.2
        });
    }

    /// Every sample, by what stands before its value.
    fn samples(&self) -> BTreeMap<String, f64> {
        let heard = self.get("/metrics");
        assert_eq!(heard.status, 200, "{heard:?}");
        let lines = heard.body.lines().filter(|line| !line.starts_with('#'));
        let sample = |line: &str| {
            line.rsplit_once(' ').and_then(|(name, value)| Some((name.trim_end_matches("{}").to_owned(), value.parse().ok()?)))
        };
        lines.map(|line| sample(line).unwrap_or_else(|| panic!("no sample: {line}"))).collect()
    }

    fn wait_for_sample(&self, name: &str, value: f64) {
        wait(&format!("{name} to be {value}"), PATIENCE, || self.samples().get(name).is_some_and(|now| (now - value).abs() < 0.5));
    }
}

/// A world and the address of its figures.
fn watched(destination: &str, more: &str) -> (World, Watch) {
    let watch = Watch::new();
    // The disk of whoever runs the test may be as full as it likes.
    let more = if more.contains("disk_free_mb") { more.to_owned() } else { format!("{more}\ndisk_free_mb = 0") };
    let world = World::new(destination, &format!("{QUICK}\n{}", watch.config(&more)));
    (world, watch)
}

#[test]
fn the_figures_are_those_of_the_course_and_prometheus_reads_them() {
    let (world, watch) = watched("timeout_s = 2", "");
    let _receiver = world.receiver("[[answer]]\nreceipt = \"accepted\"\n[[answer]]\nreceipt = \"rejected\"\nreason = \"BV\"\n");
    let daemon = world.daemon();
    world.put("1.json", &admission("C-1", "E-1", 1));
    world.put("2.json", &planning("C-1", "E-2", 2));
    wait("the first message", PATIENCE, || world.in_state("ACCEPTED") == 1);
    world.put("3.json", &planning("C-1", "E-3", 3));
    world.put("4.json", &planning("C-1", "E-2", 2));
    world.put("5.json", "{\"no\": \"event\"}");
    wait("the second message", PATIENCE, || world.in_state("REJECTED") == 1);
    watch.wait_for_sample("vardbro_events_total{source=\"journal\",type=\"unreadable\",verdict=\"rejected\"}", 1.0);
    let samples = watch.samples();
    for (name, value) in [
        ("vardbro_events_total{source=\"journal\",type=\"R-IN\",verdict=\"accepted\"}", 1.0),
        ("vardbro_events_total{source=\"journal\",type=\"K-PU\",verdict=\"accepted\"}", 2.0),
        ("vardbro_events_total{source=\"journal\",type=\"K-PU\",verdict=\"duplicate\"}", 1.0),
        ("vardbro_messages_ended_total{destination=\"region\",state=\"ACCEPTED\"}", 1.0),
        ("vardbro_messages_ended_total{destination=\"region\",state=\"REJECTED\"}", 1.0),
        ("vardbro_messages_ended_total{destination=\"region\",state=\"EXPIRED\"}", 0.0),
        ("vardbro_delivery_attempts_total{destination=\"region\",answer=\"accepted\"}", 1.0),
        ("vardbro_delivery_attempts_total{destination=\"region\",answer=\"rejected\"}", 1.0),
        ("vardbro_delivery_attempt_duration_seconds_count{destination=\"region\"}", 2.0),
        ("vardbro_oldest_pending_age_seconds{destination=\"region\"}", 0.0),
        ("vardbro_receipts_overdue{destination=\"region\"}", 0.0),
        ("vardbro_route_open{destination=\"region\"}", 1.0),
        ("vardbro_source_up{source=\"journal\"}", 1.0),
        ("vardbro_alarms_open{alarm=\"route\"}", 0.0),
        ("vardbro_store_writable", 1.0),
        ("vardbro_store_commit_failures_total", 0.0),
    ] {
        assert_eq!(samples.get(name).copied(), Some(value), "{name} in {samples:#?}");
    }
    assert!(samples["vardbro_store_commit_duration_seconds_count"] > 4.0);
    assert!(samples["vardbro_store_size_bytes"] > 50_000.0 && samples["vardbro_store_disk_free_bytes"] > 0.0);
    assert!(
        samples["vardbro_certificate_not_after_timestamp_seconds{certificate=\"destination.region\"}"]
            > samples["process_start_time_seconds"]
    );
    read_by_others(&watch);
    assert_eq!(watch.health("/health/ready"), (200, "ready".to_owned(), vec![]));
    assert_eq!(watch.health("/health"), (200, "ready".to_owned(), vec![]));
    daemon.stop();
}

/// Judged by the readers of those whose format it is.
fn read_by_others(watch: &Watch) {
    let (old, new) = (watch.get("/metrics"), watch.ask("GET", "/metrics", OPENMETRICS));
    assert!(old.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{}", old.head);
    assert!(new.head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{}", new.head);
    if let Some(python) = python() {
        for (module, heard) in [("prometheus_client.parser", &old), ("prometheus_client.openmetrics.parser", &new)] {
            let script = format!(
                "import sys, json\nfrom {module} import text_string_to_metric_families as read\n\
                 print(json.dumps({{f.name: [f.type, f.documentation, len(f.samples)] for f in read(sys.stdin.read())}}))"
            );
            let said = run(Command::new(&python).args(["-c", &script]), &heard.body);
            let families: BTreeMap<String, (String, String, usize)> = serde_json::from_str(&said).expect("JSON");
            for entry in vardbro::metrics::LIST {
                let (kind, help, samples) = families.get(entry.name).unwrap_or_else(|| panic!("{} in {said}", entry.name));
                assert_eq!((kind.as_str(), help.trim_end_matches('.')), (entry.kind.word(), entry.en), "{}", entry.name);
                assert!(*samples > 0, "{}", entry.name);
            }
        }
    }
    if let Some(promtool) = promtool() {
        let said = run(Command::new(promtool).args(["check", "metrics"]), &old.body);
        assert_eq!(said, "", "promtool has something to say");
    }
}

fn run(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let out = child.wait_with_output().expect("its end");
    assert!(out.status.success(), "{}\n{input}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Python with Prometheus' own library.
fn python() -> Option<PathBuf> {
    let found = std::env::var_os("VARDBRO_TEST_FORMATS")
        .map_or_else(|| PathBuf::from("python3"), |folder| PathBuf::from(folder).join("bin/python"));
    let works = Command::new(&found).args(["-c", "import prometheus_client"]).output().is_ok_and(|out| out.status.success());
    installed("prometheus-client", works.then_some(found))
}

fn promtool() -> Option<PathBuf> {
    let works = Command::new("promtool").arg("--version").output().is_ok();
    installed("promtool", works.then(|| PathBuf::from("promtool")))
}

fn installed(what: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{what} is not installed");
        eprintln!("skipped: {what} is not installed");
    }
    found
}

#[test]
fn a_closed_route_is_told_and_does_not_take_the_daemon_out_of_use() {
    let (world, watch) = watched("timeout_s = 2", "route_closed_min = 0");
    let daemon = world.daemon();
    world.put("1.json", &admission("C-1", "E-1", 1));
    world.put("2.json", &planning("C-1", "E-2", 2));
    watch.wait_for("/health/ready", &(200, "degraded", &["VB-DLV-020"]));
    watch.wait_for("/health", &(503, "degraded", &["VB-DLV-020"]));
    let body: Value = serde_json::from_str(&watch.get("/health").body).expect("JSON");
    let reason = &body["reasons"][0];
    assert_eq!((reason["destination"].as_str(), reason["stops"].as_bool()), (Some("region"), Some(false)), "{reason}");
    assert!(reason["since"].is_string() && reason["cause"].as_str().is_some_and(|cause| cause.starts_with("VB-DLV-")), "{reason}");
    let entry = Code::DlvRouteClosed.entry();
    assert_eq!((reason["text"].as_str(), reason["remedy"].as_str()), (Some(entry.sv), Some(entry.do_sv)), "in the configured language");
    assert_eq!(watch.health("/health/live"), (200, "live".to_owned(), vec![]));
    watch.wait_for_sample("vardbro_route_open{destination=\"region\"}", 0.0);
    watch.wait_for_sample("vardbro_alarms_open{alarm=\"route\"}", 1.0);
    let samples = watch.samples();
    assert!(samples["vardbro_delivery_attempts_total{destination=\"region\",answer=\"routeDown\"}"] > 0.0, "{samples:#?}");
    let waiting = |samples: &BTreeMap<String, f64>| -> f64 {
        samples.iter().filter(|(name, _)| name.starts_with("vardbro_deliveries{")).map(|(_, count)| count).sum()
    };
    assert!((waiting(&samples) - 1.0).abs() < 0.5, "{samples:#?}");
    wait("the age to grow", PATIENCE, || watch.samples()["vardbro_oldest_pending_age_seconds{destination=\"region\"}"] >= 3.0);
    let _receiver = world.receiver("");
    watch.wait_for("/health", &(200, "ready", &[]));
    watch.wait_for_sample("vardbro_route_open{destination=\"region\"}", 1.0);
    watch.wait_for_sample("vardbro_alarms_open{alarm=\"route\"}", 0.0);
    watch.wait_for_sample("vardbro_oldest_pending_age_seconds{destination=\"region\"}", 0.0);
    assert!(waiting(&watch.samples()) < 0.5);
    daemon.stop();
}

#[test]
fn a_database_that_is_down_makes_the_daemon_not_ready_and_it_stays_live() {
    let Some(cluster) = Cluster::new() else { return };
    let watch = Watch::new();
    let world = World::on_postgres(&cluster.url(), &cluster.url(), "timeout_s = 2", &format!("{QUICK}\n{}", watch.config("")));
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    watch.wait_for("/health/ready", &(200, "ready", &[]));
    assert!(watch.samples()["vardbro_store_size_bytes"] > 1_000_000.0);
    cluster.crash();
    watch.wait_for("/health/ready", &(503, "notReady", &["VB-HLT-001"]));
    assert_eq!(watch.health("/health/live"), (200, "live".to_owned(), vec![]));
    let samples = watch.samples();
    assert!(samples["vardbro_store_writable"].abs() < 0.5);
    let unknown = ["vardbro_deliveries{", "vardbro_oldest_pending", "vardbro_store_size", "vardbro_alarms_open"];
    assert!(!samples.keys().any(|name| unknown.iter().any(|of| name.starts_with(of))), "what is not known is not told: {samples:#?}");
    cluster.start();
    watch.wait_for("/health/ready", &(200, "ready", &[]));
    daemon.stop();
}

#[test]
fn a_disk_that_is_almost_full_and_a_source_that_is_gone_are_told() {
    let (world, watch) = watched("timeout_s = 2", "disk_free_mb = 1000000");
    let daemon = world.daemon();
    watch.wait_for("/health/ready", &(503, "notReady", &["VB-HLT-002"]));
    fs::rename(world.path("in"), world.path("away")).expect("renamed");
    wait("the source to be missed", PATIENCE, || {
        let body: Value = serde_json::from_str(&watch.get("/health/ready").body).expect("JSON");
        body["reasons"].as_array().is_some_and(|reasons| reasons.iter().any(|reason| reason["source"] == "journal"))
    });
    watch.wait_for_sample("vardbro_source_up{source=\"journal\"}", 0.0);
    fs::rename(world.path("away"), world.path("in")).expect("renamed");
    watch.wait_for("/health/ready", &(503, "notReady", &["VB-HLT-002"]));
    watch.wait_for_sample("vardbro_source_up{source=\"journal\"}", 1.0);
    daemon.stop();
}

#[test]
fn only_what_is_there_is_answered_and_a_stopping_daemon_says_so() {
    let (world, watch) = watched("timeout_s = 2", "");
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 1500\n");
    let daemon = world.daemon();
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let heard = watch.ask(method, "/metrics", "*/*");
        assert!(heard.status == 405 && heard.head.contains("allow: get, head") && heard.body.contains("VB-HLT-005"), "{heard:?}");
    }
    for path in ["/", "/v1/events", "/v1/receipts", "/metrics/", "/health/other"] {
        assert_eq!(watch.get(path).status, 404, "{path}");
    }
    let head = watch.ask("HEAD", "/health/ready", "*/*");
    assert!(head.status == 200 && head.body.is_empty() && head.head.contains("cache-control: no-store"), "{head:?}");
    world.put("1.json", &admission("C-1", "E-1", 1));
    world.put("2.json", &planning("C-1", "E-2", 2));
    wait("the message to be under way", PATIENCE, || world.in_state("SUBMITTED") == 1);
    daemon.signal("TERM");
    let stopping = (503, "notReady".to_owned(), vec!["VB-HLT-003".to_owned()]);
    wait("the daemon to be stopping", Duration::from_secs(1), || watch.health("/health/ready") == stopping);
    assert_eq!(watch.health("/health/live"), (200, "live".to_owned(), vec![]));
    assert_eq!(daemon.end(PATIENCE), Some(0));
}

/// Eight who ask all the time: they are answered out of what is known, and deliveries go on as before.
#[test]
fn whoever_asks_all_the_time_does_not_slow_deliveries() {
    let files = 400;
    let course = |asking: usize| {
        let (world, watch) = watched("timeout_s = 2", "");
        let _receiver = world.receiver("");
        world.fill(0..files);
        let daemon = world.daemon();
        let (began, over, asked) = (Instant::now(), AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..asking {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        assert_eq!(watch.get("/metrics").status, 200);
                        asked.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(10));
                    }
                });
            }
            wait("all to be accepted", Duration::from_mins(1), || world.received().len() >= files - EPISODES);
            over.store(true, Ordering::Relaxed);
        });
        let took = began.elapsed();
        daemon.stop();
        println!("figures metrics: {files} files in {} ms, {} scrapes meanwhile", took.as_millis(), asked.into_inner());
        took
    };
    let (alone, asked) = (course(0), course(8));
    // Twice as long would be a fault; what is less than that is the machine's.
    assert!(asked < alone * 2 + Duration::from_secs(1), "{alone:?} alone, {asked:?} when asked");
}
