//! Events that another system posts over HTTP.
//!
//! **Guarantee.** A request is answered with 2xx only after what it holds is durable in the store, or known there since before.
//! Whoever hears anything else, or nothing, sends the same again: the duplicate check makes it one. What of a batch is refused
//! is told record by record and keeps nothing else back. Requests of a source that wait together are stored together, in the
//! order in which they came whole; whoever wants order between two waits for the first one's answer. The memory of
//! idempotency keys is this process's own and bounded: it finds a sender's mistake, and no promise rests on it.
//!
//! What listens and answers is the daemon's (`daemon/http`); here are the bounds at the door and the batches behind it.

mod bounds;
mod door;

pub use door::{Door, PlaceInside, Refused};

use super::{Intake, News, Report, Source, Teller, Unavailable};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::RawEvent;
use door::Waiting;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Most requests in one batch, and most bytes.
const BATCH_REQUESTS: usize = 256;
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long a round waits for the first request.
const WAIT: Duration = Duration::from_secs(1);

/// Bounds of a source.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: Name,
    pub max_bytes: usize,
    pub rate_per_s: f64,
    /// Requests being read, waiting or being stored.
    pub in_flight: usize,
}

/// Both sides of a source: where requests come in, and what takes them to intake.
pub fn open(settings: Settings) -> (Door, Http) {
    // No more can wait than have a place; a request keeps its place until it is answered.
    let (queue, waiting) = sync_channel(settings.in_flight);
    let name = settings.name.clone();
    (Door::new(settings, queue), Http { name, waiting })
}

/// Takes the requests that wait, a batch at a time.
#[derive(Debug)]
pub struct Http {
    name: Name,
    waiting: Receiver<Waiting>,
}

impl Http {
    /// What waits, as much as goes into one batch.
    fn batch(&self) -> Vec<Waiting> {
        let Ok(first) = self.waiting.recv_timeout(WAIT) else { return Vec::new() };
        let mut bytes = first.size();
        let mut batch = vec![first];
        while batch.len() < BATCH_REQUESTS && bytes < BATCH_BYTES {
            let Ok(next) = self.waiting.try_recv() else { break };
            bytes += next.size();
            batch.push(next);
        }
        batch
    }
}

impl Source for Http {
    fn name(&self) -> &Name {
        &self.name
    }

    fn round(&mut self, intake: &mut dyn Intake, _: &mut dyn Report) -> Result<bool, Unavailable> {
        let (raws, waiting): (Vec<RawEvent>, Vec<_>) = self.batch().into_iter().map(Waiting::part).unzip();
        if raws.is_empty() {
            return Ok(false);
        }
        // Where intake fails the replies are dropped with the batch: each who waits hears that it shall be sent again.
        let answers = intake.submit(raws)?;
        for (reply, answers) in waiting.into_iter().zip(answers) {
            reply.tell(answers);
        }
        Ok(false)
    }

    fn pause(&self) -> Option<Duration> {
        // It waits in its rounds.
        Some(Duration::ZERO)
    }
}

/// Outcomes are looked up by whoever posted (`GET /v1/events/…`); nothing is sent.
#[derive(Debug)]
pub struct LookedUp;

impl Teller for LookedUp {
    fn tell(&mut self, _: &News) -> io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "counts the bytes, shows none")]
fn size(body: &Personal<Vec<u8>>) -> usize {
    body.disclose().len()
}
