//! How fast `vardbro check` is: 10,000 events and 10,000 documents beside `xmllint --schema` on the same documents, one file, and how
//! memory grows from 1,000 files to 100,000. `cargo bench --bench check`.
//!
//! Files are made in the folder for temporary files; each command is run as a process, three times, and the median is told.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark stops when something is wrong, and prints what it measured")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 10_000;
const ROUNDS: usize = 3;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join("fixtures").join(name)).expect("a fixture")
}

/// Many files of one text, each with a number of its own in the place of `number`.
fn fill(folder: &Path, ending: &str, text: &str, number: &str, count: usize) {
    for place in 0..count {
        // A hundred in a folder, as people keep them.
        let below = folder.join(format!("{:04}", place / 100));
        fs::create_dir_all(&below).expect("a folder");
        let of_its_own = text.replace(number, &format!("{:0width$}", place, width = number.len()));
        fs::write(below.join(format!("{place:06}.{ending}")), of_its_own).expect("written");
    }
}

/// Seconds, and the most memory in kB, of the median run.
fn run(mut command: Command) -> (Duration, u64) {
    let mut runs: Vec<(Duration, u64)> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
            let (status, mut peak) = (format!("/proc/{}/status", child.id()), 0);
            while child.try_wait().expect("a process").is_none() {
                peak = peak.max(peak_kb(&status));
                std::thread::sleep(Duration::from_micros(500));
            }
            (begun.elapsed(), peak)
        })
        .collect();
    runs.sort();
    runs[ROUNDS / 2]
}

fn peak_kb(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn check(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
    command.arg("check").arg(folder);
    command
}

fn xmllint(folder: &Path) -> Command {
    let mut command = Command::new("sh");
    let schema = root().join("schemas/vardbro-message-1.xsd");
    let each = format!("find {} -name '*.xml' -print0 | xargs -0 xmllint --noout --schema {}", folder.display(), schema.display());
    command.args(["-c", &each]);
    command
}

fn told(what: &str, files: usize, (took, peak): (Duration, u64)) {
    let rate = files as u128 * 1_000_000 / took.as_micros().max(1);
    println!("| {what} | {files} | {} ms | {rate} | {} MB |", took.as_millis(), peak / 1024);
}

fn main() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = |name: &str| place.path().join(name);
    let event = read("types/K-PU.json").replace("TRS-2026-000", "TRS-2026-0");
    let id = event.split("\"eventId\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id").to_owned();
    let event = event.replace(&id, "TRS-2026-000000");
    let document = read("01-home-with-home-health-care/out/03-K-PU.xml");
    let broken = event.replace("\"ordinary\"", "\"castle\"").replace("+01:00", "");
    println!("| what | files | took | files/s | memory at most |\n|---|---|---|---|---|");
    fs::write(folder("one.json"), &event).expect("written");
    told("one event", 1, run(check(&folder("one.json"))));
    fs::write(folder("one.xml"), &document).expect("written");
    told("one document", 1, run(check(&folder("one.xml"))));
    fill(&folder("events"), "json", &event, "000000", FILES);
    told("events", FILES, run(check(&folder("events"))));
    fill(&folder("documents"), "xml", &document, "e099ec6c", FILES);
    told("documents", FILES, run(check(&folder("documents"))));
    if Command::new("xmllint").arg("--version").output().is_ok() {
        told("documents, xmllint --schema", FILES, run(xmllint(&folder("documents"))));
    }
    fill(&folder("few"), "json", &broken, "000000", FILES / 10);
    told("events with faults", FILES / 10, run(check(&folder("few"))));
    fill(&folder("many"), "json", &broken, "000000", FILES * 10);
    told("events with faults", FILES * 10, run(check(&folder("many"))));
}
