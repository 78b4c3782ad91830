//! The thread that takes records in, and the port through which sources reach it.

use crate::fault::Code;
use crate::intake::Intake;
use crate::model::finding::{Effect, Layer};
use crate::model::raw::{RawEvent, Verdict};
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::source::{self, Unavailable};
use crate::store::StoreFault;
use jiff::Timestamp;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Batches that may wait.
const QUEUE_MAX: usize = 16;
/// How often to look for what operators ask and for what time has changed.
const IDLE: Duration = Duration::from_secs(1);

/// What the thread is asked to do.
pub(super) enum Task {
    Batch { records: Vec<RawEvent>, reply: oneshot::Sender<Result<Vec<Verdict>, Unavailable>> },
    Wake { reply: oneshot::Sender<Option<Timestamp>> },
}

/// A source's way in.
#[derive(Clone)]
pub(super) struct Port(mpsc::Sender<Task>);

impl source::Intake for Port {
    fn submit(&mut self, records: Vec<RawEvent>) -> Result<Vec<Verdict>, Unavailable> {
        let (reply, verdicts) = oneshot::channel();
        self.0.blocking_send(Task::Batch { records, reply }).map_err(|_| Unavailable)?;
        verdicts.blocking_recv().map_err(|_| Unavailable)?
    }
}

/// Starts the thread. It ends when the last port is gone.
pub(super) fn start(mut intake: Intake) -> std::io::Result<(Port, JoinHandle<()>)> {
    let (tasks, mut queue) = mpsc::channel(QUEUE_MAX);
    let thread = std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
        while let Some(task) = queue.blocking_recv() {
            match task {
                // Nobody may be waiting for the answer any more; what was committed stands.
                Task::Batch { records, reply } => {
                    let _ = reply.send(batch(&mut intake, &records));
                }
                Task::Wake { reply } => {
                    // Neither keeps the other from its work.
                    guarded(&mut intake, Intake::serve);
                    let next = guarded(&mut intake, Intake::wake);
                    let _ = reply.send(next.flatten());
                }
            }
        }
    })?;
    Ok((Port(tasks), thread))
}

/// What panics here is met again with the next call.
fn guarded<T>(intake: &mut Intake, work: fn(&mut Intake) -> Result<T, StoreFault>) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(|| work(intake))) {
        Ok(Ok(done)) => Some(done),
        Ok(Err(fault)) => {
            report(intake, fault);
            None
        }
        Err(_) => None,
    }
}

/// A record that makes the program panic is refused by itself, so that it does not hold the others for ever.
fn batch(intake: &mut Intake, records: &[RawEvent]) -> Result<Vec<Verdict>, Unavailable> {
    if let Ok(done) = attempt(intake, records) {
        return done;
    }
    let mut verdicts = Vec::with_capacity(records.len());
    for record in records {
        match attempt(intake, std::slice::from_ref(record)) {
            Ok(done) => verdicts.extend(done?),
            Err(Panicked) => verdicts.push(Verdict::Rejected(vec![Code::BugPanic.finding(Effect::Refuse, Layer::Rules, None)])),
        }
    }
    Ok(verdicts)
}

struct Panicked;

fn attempt(intake: &mut Intake, records: &[RawEvent]) -> Result<Result<Vec<Verdict>, Unavailable>, Panicked> {
    // A batch holds nothing over from one call to the next; what a panic leaves behind is dropped.
    match catch_unwind(AssertUnwindSafe(|| intake.batch(records))) {
        Ok(done) => Ok(done.map_err(|fault| {
            report(intake, fault);
            Unavailable
        })),
        Err(_) => Err(Panicked),
    }
}

fn report(intake: &Intake, _: StoreFault) {
    Line::new(intake.clock.now(), Level::Error, Event::StoreFault).code(Code::BugStore).emit();
}

/// Asks for what operators want done and for what time has changed.
pub(super) async fn wake(port: Port, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let (reply, next) = oneshot::channel();
        if port.0.send(Task::Wake { reply }).await.is_err() {
            return;
        }
        let next = next.await.ok().flatten();
        let pause = next.map_or(IDLE, |at| {
            Duration::try_from(at.duration_since(clock.now())).unwrap_or_default().clamp(Duration::from_millis(100), IDLE)
        });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}
