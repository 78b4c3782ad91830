//! The support file: what helps whoever is asked for help, and nothing about anybody. It holds only what has no room for a
//! person's data: readings, settings without secrets, lines of the operations log and the journal, counts.

use super::{Examiner, Reading, as_json, as_text, stored};
use crate::config::Settings;
use crate::fault::Fault;
use crate::ops;
use crate::store::{Filter, NewFile, Store, StoreFault, unwritten};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use tar::{Builder, Header};

/// The end of the log that is packed.
const LOG_MAX: u64 = 4 << 20;
const MASKED: &str = "***";
/// Lines of the journal that are packed.
const LINES_MAX: usize = 5_000;

/// Writes the file, a tar archive packed with gzip, as a new one that only its owner may read.
pub fn pack(examiner: &Examiner<'_>, readings: &[Reading], to: &Path) -> Result<(), Fault> {
    let failed = |fault: io::Error| unwritten(to, &fault);
    let mut archive = Builder::new(GzEncoder::new(NewFile::at(to)?, Compression::default()));
    for (name, text) in contents(examiner, readings) {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(examiner.clock.now().as_second()).unwrap_or(0));
        archive.append_data(&mut header, format!("vardbro-support/{name}"), text.as_bytes()).map_err(failed)?;
    }
    archive.into_inner().and_then(GzEncoder::finish).map_err(failed)?.put()
}

/// Each file's name and text. What cannot be had is left out: why stands among the readings.
fn contents(examiner: &Examiner<'_>, readings: &[Reading]) -> Vec<(&'static str, String)> {
    let settings = examiner.settings;
    let mut out = vec![
        ("doctor.sv.txt", as_text(readings, true)),
        ("doctor.en.txt", as_text(readings, false)),
        ("doctor.json", as_json(readings)),
        ("machine.json", machine()),
        ("settings.toml", without_mail_addresses(settings).show()),
        ("guarantees.txt", ops::guarantees(settings, false)),
    ];
    out.extend(settings.oplog.path.as_deref().and_then(|path| end_of(path).ok()).map(|text| ("oplog.ndjson", text)));
    if let Ok(store) = stored::open(examiner) {
        out.extend(journal(&store).ok().map(|text| ("journal.ndjson", text)));
        out.extend(figures(&store).ok().map(|text| ("figures.json", text)));
    }
    out
}

/// Whose mail addresses they are is nobody's business who is asked for help.
fn without_mail_addresses(settings: &Settings) -> Settings {
    let mut shown = settings.clone();
    for address in shown.sources.iter_mut().flat_map(|source| &mut source.mail_to) {
        MASKED.clone_into(address);
    }
    if let Some(mail) = &mut shown.mail {
        MASKED.clone_into(&mut mail.from);
        if let Some((user, _)) = &mut mail.user {
            MASKED.clone_into(user);
        }
    }
    shown
}

fn machine() -> String {
    let system = rustix::system::uname();
    let told = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    // Not the machine's own name: it may be a person's.
    let told = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "system": told(system.sysname()),
        "release": told(system.release()),
        "architecture": told(system.machine()),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
    });
    format!("{told:#}\n")
}

/// The last lines of the log, those of ours alone.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(LOG_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LOG_MAX).read_to_end(&mut bytes)?;
    let ours = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|line| line.get("event").is_some() && line.get("ts").is_some());
    Ok(lines(String::from_utf8_lossy(&bytes).lines().filter(ours)))
}

fn journal(store: &Store) -> Result<String, StoreFault> {
    let rows = store.journal(&Filter { limit: LINES_MAX, ..Filter::default() })?;
    Ok(lines(rows.iter().map(|row| row.line.as_str())))
}

fn lines<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.fold(String::new(), |mut out, line| {
        let _ = writeln!(out, "{line}");
        out
    })
}

fn figures(store: &Store) -> Result<String, StoreFault> {
    let (events, deliveries) = store.size()?;
    let figures = store.figures()?;
    let unsettled = figures.unsettled.iter().map(
        |known| json!({"destination": known.destination.as_str(), "state": known.state, "count": known.count, "oldest": known.oldest}),
    );
    let alarms =
        figures.alarms.iter().map(|open| json!({"name": open.alarm.kind.name(), "code": open.alarm.cause, "openedAt": open.opened_at}));
    let told = json!({
        "events": events,
        "deliveries": deliveries,
        "bytes": figures.bytes,
        "unsettled": unsettled.collect::<Vec<_>>(),
        "alarms": alarms.collect::<Vec<_>>(),
    });
    Ok(format!("{told:#}\n"))
}
