//! The thread that takes records in, and the port through which sources reach it.

use super::sources::Standing;
use crate::fault::Code;
use crate::intake::Intake;
use crate::map::{Document, Limits, Mapping};
use crate::metrics::{Metrics, UNREADABLE};
use crate::model::finding::{Effect, Layer};
use crate::model::raw::{Answer, Incoming, RawEvent, Verdict};
use crate::model::time::{Clock, local_day};
use crate::oplog::{Event, Level, Line};
use crate::source::{self, Unavailable};
use crate::store::StoreFault;
use arc_swap::ArcSwap;
use jiff::Timestamp;
use jiff::civil::Date;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Batches that may wait.
const QUEUE_MAX: usize = 16;
/// Events in one transaction.
const BATCH_MAX: usize = 256;
/// How often to look for what operators ask and for what time has changed.
const IDLE: Duration = Duration::from_secs(1);

/// What the thread is asked to do.
pub(super) enum Task {
    Batch { records: Vec<Incoming>, reply: oneshot::Sender<Result<Vec<Verdict>, Unavailable>> },
    Wake { reply: oneshot::Sender<Option<Timestamp>> },
}

/// The way in.
#[derive(Clone)]
pub(super) struct Port(mpsc::Sender<Task>);

/// Tells whether the thread lives, without keeping it alive.
pub(super) struct Pulse(mpsc::WeakSender<Task>);

impl Pulse {
    pub(super) fn beats(&self) -> bool {
        self.0.upgrade().is_some_and(|tasks| !tasks.is_closed())
    }
}

impl Port {
    pub(super) fn pulse(&self) -> Pulse {
        Pulse(self.0.downgrade())
    }

    fn batch(&self, records: Vec<Incoming>) -> Result<Vec<Verdict>, Unavailable> {
        let (reply, verdicts) = oneshot::channel();
        self.0.blocking_send(Task::Batch { records, reply }).map_err(|_| Unavailable)?;
        verdicts.blocking_recv().map_err(|_| Unavailable)?
    }
}

/// A source's way in: its documents are read on its own thread, by its own mapping.
pub(super) struct SourcePort {
    pub(super) port: Port,
    /// Read anew on SIGHUP; a document that has been read goes on as it is.
    pub(super) mapping: Arc<ArcSwap<Mapping>>,
    pub(super) limits: Limits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) standing: Arc<Standing>,
}

impl source::Intake for SourcePort {
    fn submit(&mut self, batch: Vec<RawEvent>) -> Result<Vec<Vec<Answer>>, Unavailable> {
        let mapping = self.mapping.load_full();
        let today = local_day(self.clock.now());
        let mut documents: Vec<Document> = batch.iter().map(|raw| self.read(raw, &mapping, today)).collect();
        drop(batch);
        let counts: Vec<usize> = documents.iter().map(Document::len).collect();
        let mut incoming = documents.iter_mut().flat_map(Document::incoming).peekable();
        let mut verdicts = Vec::new();
        while incoming.peek().is_some() {
            verdicts.extend(self.port.batch(incoming.by_ref().take(BATCH_MAX).collect())?);
        }
        drop(incoming);
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Accepted)) {
            self.standing.hear(self.clock.now());
        }
        let mut verdicts = verdicts.into_iter();
        Ok(documents.into_iter().zip(counts).map(|(document, count)| document.answers(verdicts.by_ref().take(count))).collect())
    }
}

impl SourcePort {
    /// A document that makes the program panic is refused by itself.
    fn read(&self, raw: &RawEvent, mapping: &Mapping, today: Date) -> Document {
        catch_unwind(AssertUnwindSafe(|| Document::read(raw, mapping, self.limits, today))).unwrap_or_else(|_| {
            let body = Err(Box::new(Code::BugPanic.finding(Effect::Refuse, Layer::Syntax, None)));
            Document::read(&RawEvent { body, ..raw.clone() }, &Mapping::canonical(), self.limits, today)
        })
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
                    let verdicts = batch(&mut intake, &records);
                    count(&intake.metrics, &records, &verdicts);
                    let _ = reply.send(verdicts);
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

/// Each event that is answered; what its source keeps and hands in again is none.
fn count(metrics: &Metrics, records: &[Incoming], verdicts: &Result<Vec<Verdict>, Unavailable>) {
    for (record, verdict) in records.iter().zip(verdicts.iter().flatten()) {
        let kind = record.read.as_ref().map_or(UNREADABLE, |read| read.event.head.kind.code());
        let word = match verdict {
            Verdict::Accepted => "accepted",
            Verdict::Duplicate => "duplicate",
            Verdict::Rejected(_) => "rejected",
            Verdict::Later => continue,
        };
        metrics.events.count([record.source.as_str(), kind, word]);
    }
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
fn batch(intake: &mut Intake, records: &[Incoming]) -> Result<Vec<Verdict>, Unavailable> {
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

fn attempt(intake: &mut Intake, records: &[Incoming]) -> Result<Result<Vec<Verdict>, Unavailable>, Panicked> {
    // A batch holds nothing over from one call to the next; what a panic leaves behind is dropped.
    match catch_unwind(AssertUnwindSafe(|| intake.batch(records))) {
        Ok(done) => Ok(done.map_err(|fault| {
            report(intake, fault);
            Unavailable
        })),
        Err(_) => Err(Panicked),
    }
}

fn report(intake: &Intake, fault: StoreFault) {
    Line::new(intake.clock.now(), Level::Error, Event::StoreFault).code(fault.code()).emit();
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
