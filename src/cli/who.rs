//! Who gives a command, and the row that the audit log has of it before anything is shown.

use super::Ending;
use crate::fault::{Code, Fault};
use crate::model::personal::Personal;
use crate::store::{Audit, Store, StoreFault, Who};
use clap::Args;

/// Longest name and reason that are kept.
const TEXT_MAX: usize = 200;
/// As the kernel has it where nobody has logged in.
const NOBODY: u32 = u32::MAX;

/// Who asks, and why.
#[derive(Debug, Args)]
pub(super) struct Asking {
    /// Who asks; else the user of the terminal. The log also has the user that the command runs as
    #[arg(long)]
    by: Option<String>,
    /// Why; kept in the audit log
    #[arg(long)]
    reason: Option<String>,
}

impl Asking {
    pub(super) fn who(&self) -> Who {
        who(self.by.as_deref())
    }

    /// The row with the reason, where one was given.
    pub(super) fn tell(&self, audit: Audit) -> Audit {
        match &self.reason {
            Some(reason) => audit.tell("reason", bounded(reason)),
            None => audit,
        }
    }
}

/// The user that runs the command, by the name that they give or the terminal has.
pub(super) fn who(by: Option<&str>) -> Who {
    let login = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
    Who { name: Personal::new(name(by)), uid: Some(rustix::process::getuid().as_raw()), login: login.filter(|uid| *uid != NOBODY) }
}

pub(super) fn name(by: Option<&str>) -> String {
    let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    bounded(&by.map(str::to_owned).or_else(user).unwrap_or_else(|| "unknown".to_owned()))
}

fn bounded(text: &str) -> String {
    text.chars().take(TEXT_MAX).collect()
}

/// Writes the rows of what is about to be shown. Where they cannot be written, nothing is shown.
pub(super) fn audited(store: &Store, rows: &[Audit]) -> Result<(), Ending> {
    store.audit(rows).map_err(|fault| match fault {
        StoreFault::NoKey | StoreFault::Unsealed => fault.into(),
        fault => Fault::with(Code::AudUnwritten, fault.to_string()).into(),
    })
}
