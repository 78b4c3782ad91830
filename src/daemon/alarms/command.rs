//! A program of the operator's that is given a notice on standard input.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;

/// All that it finds in its environment.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(super) struct Command {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) timeout: Duration,
}

impl Command {
    /// It has been told if the program ends with 0 in time, whatever it says; else a word of why not.
    pub(super) async fn give(&self, notice: &[u8]) -> Result<(), &'static str> {
        let mut command = tokio::process::Command::new(&self.program);
        command.args(&self.arguments).env_clear().env("PATH", PATH).current_dir("/");
        // What it says goes nowhere: it could fill a disk, or hold a secret of its own. In a group of its own, it ends with all that
        // it has started.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|_| "command-not-started")?;
        let ended = tokio::time::timeout(self.timeout, tell(&mut child, notice)).await;
        match ended {
            Ok(Some(true)) => Ok(()),
            Ok(_) => Err("command-failed"),
            Err(_) => {
                kill_group(&child);
                let _ = child.kill().await;
                Err("command-timeout")
            }
        }
    }
}

/// Whether it ended well. One that does not read all of it may do so.
async fn tell(child: &mut Child, notice: &[u8]) -> Option<bool> {
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(notice).await;
        let _ = input.write_all(b"\n").await;
    }
    child.wait().await.ok().map(|status| status.success())
}

fn kill_group(child: &Child) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}
