//! What a panic says is lost on purpose: it may quote a record. Where in our code it happened is kept.
//!
//! Alone in its file, for the hook belongs to the whole process.

use std::fs;
use std::sync::Arc;
use vardbro::model::time::SystemClock;
use vardbro::oplog::{self, Level, Output};

#[test]
fn a_panic_ends_in_a_line_without_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("oplog.ndjson");
    oplog::start(&Output::file(&log).expect("a file"), Level::Debug);
    oplog::watch_panics(Arc::new(SystemClock));
    let ended = std::panic::catch_unwind(|| panic!("ZZMARK 193812217044"));
    assert!(ended.is_err());
    let text = fs::read_to_string(&log).expect("a log");
    assert!(text.contains(r#""event":"panic""#) && text.contains("VB-BUG-001") && text.contains("tests/panic.rs"), "{text}");
    assert!(!text.contains("ZZMARK") && !text.contains("1938"), "{text}");
}
