//! The ways out for alarms: each gives its notices by itself, in order, and none of them holds up anything else.
//!
//! A notice is given at least once, under the same id each time. What cannot be given waits, and all behind it; after a day it is
//! given up, and so is at once what the receiver refuses for good.

use super::command::Command;
use crate::config::Settings;
use crate::fault::{Code, Fault};
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line, Reason};
use crate::store::{Store, StoreFault, WaitingNotice};
use crate::transport::{Webhook, WebhookFault};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// For one try.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Who has not said by then what came of a try has died.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// Longest pause between two tries.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(5);
/// After that nobody wants to hear it.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// How often to look for notices: replicas write them as well.
const LOOK: Duration = Duration::from_secs(1);

/// A way out, and how it fares.
pub(in crate::daemon) struct Output {
    name: &'static str,
    way: Way,
    /// The last try failed.
    failing: bool,
}

enum Way {
    Webhook(Box<Webhook>),
    Command(Command),
}

/// Why a notice was not given.
struct Failure {
    reason: Reason,
    is_final: bool,
}

/// Those that are configured. From now on notices are written for them.
pub(in crate::daemon) async fn outputs(settings: &Settings, store: &Store) -> Result<Vec<Output>, Fault> {
    let mut out = Vec::new();
    if let Some(known) = &settings.alarms.webhook {
        let webhook = Webhook::new(known.url.url().clone(), known.ca_file.clone(), known.token_file.clone(), TIMEOUT)?;
        out.push(Output { name: "webhook", way: Way::Webhook(Box::new(webhook)), failing: false });
    }
    if let Some((program, arguments)) = &settings.alarms.command {
        let command = Command { program: program.clone(), arguments: arguments.clone(), timeout: TIMEOUT };
        out.push(Output { name: "command", way: Way::Command(command), failing: false });
    }
    store.set_outputs(out.iter().map(|output| output.name).collect()).await?;
    Ok(out)
}

impl Output {
    pub(in crate::daemon) async fn run(mut self, store: Store, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            // Where the store fails, the notice stays, and is given once more than needed at worst.
            if matches!(self.next(&store, clock.as_ref()).await, Ok(true)) {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Gives the first notice that waits. Whether there may be more to do at once.
    async fn next(&mut self, store: &Store, clock: &dyn Clock) -> Result<bool, StoreFault> {
        let (reader, name) = (store.clone(), self.name);
        if !tokio::task::spawn_blocking(move || reader.has_notices(name)).await.map_err(|_| StoreFault::Stopped)?? {
            return Ok(false);
        }
        let now = clock.now();
        let Some(notice) = store.take_notice(self.name, now, now + LEASE, now + PAUSE_MAX * 2).await? else { return Ok(false) };
        let given = self.give(&notice).await;
        let now = clock.now();
        match given {
            Ok(()) => {
                self.failing = false;
                store.drop_notice(notice.id).await?;
            }
            Err(failure) => {
                self.tell(&failure, now);
                if failure.is_final || now.duration_since(notice.at) > AGE_MAX {
                    Line::new(now, Level::Error, Event::NoticeDropped).code(Code::AlmDropped).emit();
                    store.drop_notice(notice.id).await?;
                } else {
                    store.put_off_notice(notice.id, now + pause(notice.tries)).await?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn give(&self, notice: &WaitingNotice) -> Result<(), Failure> {
        match &self.way {
            Way::Webhook(webhook) => webhook.post(&notice.notice_id, notice.body.clone()).await.map_err(|fault| Failure {
                reason: match fault {
                    WebhookFault::Status(status) => Reason::Http(status),
                    WebhookFault::Unreachable => Reason::Word("webhook-unreachable"),
                },
                is_final: fault.is_final(),
            }),
            Way::Command(command) => {
                command.give(notice.body.as_bytes()).await.map_err(|why| Failure { reason: Reason::Word(why), is_final: false })
            }
        }
    }

    /// Once, until it works again.
    fn tell(&mut self, failure: &Failure, now: Timestamp) {
        if !std::mem::replace(&mut self.failing, true) {
            let mut line = Line::new(now, Level::Warn, Event::NoticeFailed).code(Code::AlmOutput);
            line.reason = Some(failure.reason);
            line.emit();
        }
    }
}

/// Doubled with each try.
fn pause(tries: u32) -> SignedDuration {
    let seconds = 1_i64.checked_shl(tries.saturating_sub(1).min(16)).unwrap_or(i64::MAX);
    SignedDuration::from_secs(seconds).min(PAUSE_MAX)
}
