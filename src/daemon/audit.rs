//! What the audit log has of the daemon itself, and what the operations log has of the audit log: now and then the last row's
//! number and code, so that a place outside the store knows of them.

use crate::check::rules::Rules;
use crate::config::Settings;
use crate::model::receipt::ContentHash;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line, Reason};
use crate::store::{Audit, Kind, Store, StoreFault, Who};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two anchors.
const PAUSE: Duration = Duration::from_hours(24);

/// With what the daemon starts: its version, and what its configuration and rules come to.
pub(super) fn started(settings: &Settings, rules: &Rules, clock: &dyn Clock) -> Audit {
    let config = ContentHash::of(settings.show().as_bytes());
    let config = config.as_bytes().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    });
    Audit::new(clock.now(), Kind::Started, Who::daemon())
        .tell("version", env!("CARGO_PKG_VERSION"))
        .tell("configSha256", config)
        .tell("rules", rules.name.as_str())
        .tell("rulesSha256", rules.hash.as_str())
}

/// Tells of the start and, in the end, of the stop. A store that fails is told of in the operations log, and stops nothing.
pub(super) async fn keep(store: Store, started: Audit, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
    write(&store, started, clock.as_ref()).await;
    while !*stop.borrow() {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => anchor(&store, clock.as_ref()).await,
            _ = stop.changed() => {}
        }
    }
    write(&store, Audit::new(clock.now(), Kind::Stopped, Who::daemon()), clock.as_ref()).await;
}

async fn write(store: &Store, row: Audit, clock: &dyn Clock) {
    let beside = store.clone();
    let written = tokio::task::spawn_blocking(move || beside.audit(&[row])).await;
    match written {
        Ok(Err(fault)) => report(fault, clock),
        _ => anchor(store, clock).await,
    }
}

async fn anchor(store: &Store, clock: &dyn Clock) {
    let beside = store.clone();
    match tokio::task::spawn_blocking(move || beside.audit_head()).await {
        Ok(Ok(Some(head))) => {
            let mut line = Line::new(clock.now(), Level::Info, Event::AuditAnchor);
            line.reason = Reason::anchor(head.n, &head.mac);
            line.emit();
        }
        Ok(Err(fault)) => report(fault, clock),
        _ => {}
    }
}

fn report(fault: StoreFault, clock: &dyn Clock) {
    Line::new(clock.now(), Level::Error, Event::StoreFault).code(fault.code()).emit();
}
