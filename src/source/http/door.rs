//! Where requests of a source come in: within its bounds, and into the queue that its thread takes batches from.

use super::bounds::{Bucket, Hash, Keys};
use super::{Settings, size};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, Form, RawEvent};
use aws_lc_rs::digest::{Context, SHA256, digest};
use std::fmt::Write as _;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

/// For a batch to become durable. What takes longer may still be stored; whoever sends it again hears so.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The way in of one source.
#[derive(Debug)]
pub struct Door {
    settings: Settings,
    queue: SyncSender<Waiting>,
    places: Arc<Semaphore>,
    bucket: Mutex<Bucket>,
    keys: Mutex<Keys>,
}

/// One of the requests that may be under way at once.
#[derive(Debug)]
pub struct PlaceInside {
    _permit: OwnedSemaphorePermit,
}

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// They come too fast; so long until the next may come.
    TooFast(Duration),
    /// Too many are under way, or what this one holds could not be stored in time.
    Busy,
    /// Its idempotency key came with another content before.
    KeyReused,
}

impl Door {
    pub(super) fn new(settings: Settings, queue: SyncSender<Waiting>) -> Self {
        let places = Arc::new(Semaphore::new(settings.in_flight));
        let bucket = Mutex::new(Bucket::new(settings.rate_per_s, Instant::now()));
        Self { settings, queue, places, bucket, keys: Mutex::default() }
    }

    pub fn name(&self) -> &Name {
        &self.settings.name
    }

    /// Largest body.
    pub fn max_bytes(&self) -> usize {
        self.settings.max_bytes
    }

    /// Lets a request in, if its source may send one now and there is a place.
    pub fn enter(&self) -> Result<PlaceInside, Refused> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.take(Instant::now()).map_err(Refused::TooFast)?;
        Arc::clone(&self.places).try_acquire_owned().map(|permit| PlaceInside { _permit: permit }).map_err(|_| Refused::Busy)
    }

    /// Hands a document in and waits until what became of its records is durable. `key` is the request's idempotency key.
    pub async fn hand_in(&self, place: PlaceInside, key: Option<&[u8]>, form: Form, body: Vec<u8>) -> Result<Vec<Answer>, Refused> {
        let content = content(form, &body);
        if let Some(key) = key {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if !keys.fits(hash(digest(&SHA256, key).as_ref()), content, Instant::now()) {
                return Err(Refused::KeyReused);
            }
        }
        let raw = RawEvent {
            source: self.settings.name.clone(),
            origin: Personal::new(origin(&content)),
            body: Ok(Personal::new(body)),
            form: Some(form),
            may_grow: false,
        };
        let (tell, told) = oneshot::channel();
        self.queue.try_send(Waiting { raw, reply: Reply { tell, _place: place } }).map_err(|_| Refused::Busy)?;
        match timeout(ANSWER_TIMEOUT, told).await {
            Ok(Ok(answers)) => Ok(answers),
            _ => Err(Refused::Busy),
        }
    }
}

/// A request that waits for its batch. It keeps its place also if whoever sent it has gone: the bound is on what is held.
#[derive(Debug)]
pub(super) struct Waiting {
    raw: RawEvent,
    reply: Reply,
}

/// Where the answer goes.
#[derive(Debug)]
pub(super) struct Reply {
    tell: oneshot::Sender<Vec<Answer>>,
    _place: PlaceInside,
}

impl Waiting {
    pub(super) fn size(&self) -> usize {
        self.raw.body.as_ref().map_or(0, size)
    }

    pub(super) fn part(self) -> (RawEvent, Reply) {
        (self.raw, self.reply)
    }
}

impl Reply {
    pub(super) fn tell(self, answers: Vec<Answer>) {
        // Whoever sent it may have gone; what is stored stands.
        let _ = self.tell.send(answers);
    }
}

fn content(form: Form, body: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[form as u8]);
    context.update(body);
    hash(context.finish().as_ref())
}

/// A request has no name that its sender knows: its content is its name, the same for a request that is sent again.
fn origin(content: &Hash) -> String {
    let mut origin = String::from("http-");
    for byte in &content[..12] {
        let _ = write!(origin, "{byte:02x}");
    }
    origin
}

fn hash(digest: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest);
    hash
}
