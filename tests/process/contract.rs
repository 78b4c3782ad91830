//! The published description of `[http]` against the daemon: a tool of others makes requests of it, good and bad, and judges
//! the answers (schemathesis; `scripts/test` installs it).

#![expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]

use super::http::{Posted, TOKEN};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const RECEIVER: &str = "the-secret-of-the-receiver-that-sends-receipts";

/// Checks that cannot hold: a schema knows no check digits and no calendar, so an event that it makes may be refused (422).
const NOT_ASKED: &str = "positive_data_acceptance";

/// Cases that are made from the description's own bounds, and those that are thrown. The tool cannot throw events: their schema has
/// a condition for each type, and it does not make data for such.
const DERIVED: &str = "examples,coverage,stateful";
const ALL: &str = "examples,coverage,fuzzing,stateful";

#[test]
fn the_daemon_does_what_its_description_says() {
    let Some(tool) = tool() else { return };
    let posted = Posted::new("rate_per_s = 10000", |_| String::new(), "callback_token_file = \"receiver-token\"");
    fs::write(posted.world.path("receiver-token"), RECEIVER).expect("written");
    let daemon = posted.world.daemon();
    for (operation, token, phases) in [("postEvents", TOKEN, DERIVED), ("getEvent", TOKEN, ALL), ("postReceipt", RECEIVER, ALL)] {
        let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/openapi.json");
        let out = Command::new(&tool)
            .args(["run", schema, "--url", &format!("http://127.0.0.1:{}", posted.port), "--include-operation-id", operation])
            .args(["--header", &format!("Authorization: Bearer {token}"), "--exclude-checks", NOT_ASKED])
            .args(["--max-examples", "30", "--seed", "1", "--request-timeout", "20", "--no-color", "--phases", phases])
            .current_dir(posted.world.path(""))
            .output()
            .expect("schemathesis");
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success(), "{operation}\n{said}{}", String::from_utf8_lossy(&out.stderr));
        println!("{said}");
    }
    assert!(!posted.world.oplog().iter().any(|line| line["event"] == "panic"));
    daemon.stop();
}

/// The program, where there is one. Where all must run it must be there.
pub(crate) fn tool() -> Option<PathBuf> {
    let given = std::env::var_os("VARDBRO_TEST_SCHEMATHESIS").map(PathBuf::from);
    let tool = given.unwrap_or_else(|| "schemathesis".into());
    if Command::new(&tool).arg("--version").output().is_ok_and(|out| out.status.success()) {
        return Some(tool);
    }
    assert!(std::env::var_os("CI").is_none(), "schemathesis is not installed");
    eprintln!("skipped: schemathesis is not installed");
    None
}
