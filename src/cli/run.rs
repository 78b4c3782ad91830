//! `vardbro run`: signals, systemd, and the daemon.

use super::Ending;
use crate::config::{self, Settings};
use crate::daemon::{self, Order, Surroundings};
use crate::fault::{Code, Fault};
use crate::model::dice::SystemDice;
use crate::model::time::SystemClock;
use crate::oplog;
use sd_notify::NotifyState;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

pub(super) fn run(config: &Path) -> Result<Ending, Ending> {
    let settings = config::load(Some(config), std::env::vars().collect()).map_err(Ending::Faults)?;
    let log = output(&settings)?;
    oplog::start(&log, level(&settings));
    oplog::watch_panics(Arc::new(SystemClock));
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let (orders, received) = mpsc::channel(4);
        listen(orders)?;
        let surroundings = Surroundings { clock: Arc::new(SystemClock), dice: Arc::new(SystemDice), log, orders: received };
        daemon::run(&settings, surroundings, ready).await.map_err(Ending::Faults)
    });
    // A thread that hangs on a dead share must not keep the process.
    runtime.shutdown_background();
    served.map(|()| Ending::Clean)
}

/// Runs a future to its end on a runtime of its own.
pub(super) fn blocking<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Ending> {
    runtime()?.block_on(work).map_err(Ending::from)
}

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Ending> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|fault| Ending::Internal(Fault::with(Code::BugPanic, format!("no runtime ({})", fault.kind()))))
}

fn output(settings: &Settings) -> Result<oplog::Output, Ending> {
    match &settings.oplog.path {
        None => Ok(oplog::Output::stderr()),
        Some(path) => oplog::Output::file(path)
            .map_err(|fault| Ending::from(Fault::with(Code::CfgFile, format!("oplog.path: {} ({})", path.display(), fault.kind())))),
    }
}

fn level(settings: &Settings) -> oplog::Level {
    match settings.oplog.level {
        config::Level::Error => oplog::Level::Error,
        config::Level::Warn => oplog::Level::Warn,
        config::Level::Info => oplog::Level::Info,
        config::Level::Debug => oplog::Level::Debug,
    }
}

/// TERM and INT stop, HUP reloads.
fn listen(orders: mpsc::Sender<Order>) -> Result<(), Ending> {
    for (kind, order) in
        [(SignalKind::terminate(), Order::Stop), (SignalKind::interrupt(), Order::Stop), (SignalKind::hangup(), Order::Reload)]
    {
        let mut heard =
            signal(kind).map_err(|fault| Ending::Internal(Fault::with(Code::BugPanic, format!("no signals ({})", fault.kind()))))?;
        let orders = orders.clone();
        tokio::spawn(async move {
            while heard.recv().await.is_some() {
                if order == Order::Stop {
                    tell(&[NotifyState::Stopping]);
                }
                if orders.send(order).await.is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}

/// Tells systemd that we are ready, and from then on that the runtime is alive.
fn ready() {
    tell(&[NotifyState::Ready]);
    if let Some(limit) = sd_notify::watchdog_enabled() {
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(limit / 3);
            loop {
                beat.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }
}

fn tell(state: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(state);
}
