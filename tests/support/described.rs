//! JSON against Digg's description of its API, judged by what schemathesis judges with.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Each file follows the description's schema. Without the description or the judge a test says that it is skipped; in CI it fails.
#[expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]
pub(crate) fn follow(schema: &str, files: &[PathBuf]) {
    let description = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/sdk/sdk-api-restful.yml");
    let tool = std::env::var_os("VARDBRO_TEST_SCHEMATHESIS").map(PathBuf::from);
    let python = tool.as_deref().and_then(Path::parent).map(|folder| folder.join("python"));
    let python = python.filter(|python| python.exists() && description.exists());
    let Some(python) = python else {
        assert!(std::env::var_os("CI").is_none(), "Digg's description or schemathesis is missing");
        eprintln!("skipped: Digg's description or schemathesis is not here");
        return;
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/openapi.py");
    let out = Command::new(python).arg(script).arg(description).arg(schema).args(files).output().expect("python");
    assert!(out.status.success(), "{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
}
