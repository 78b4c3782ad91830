//! Mails to those who keep a source: what of theirs does not leave, and what is overdue.
//!
//! What is to be mailed stands in the store, written with what it tells of. It is sent at least once, under the same `Message-ID`
//! each time. A source's mails go in order; what cannot be sent waits, and is given up after a day.

mod text;

use crate::config::{Language, Settings};
use crate::fault::{Code, Fault};
use crate::model::name::Name;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line, Reason};
use crate::store::{Store, StoreFault};
use crate::transport::{Letter, Mailer};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// For one try.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Who has not said by then what came of a try has died.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// Longest pause between two tries.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(5);
/// After that nobody wants to read it.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// How often to look for mails: replicas write them as well.
const LOOK: Duration = Duration::from_secs(1);

/// Sends what waits.
struct Post {
    mailer: Mailer,
    /// Sources and who is mailed of them.
    sources: Vec<(Name, Vec<String>)>,
    language: Language,
    /// The last try failed.
    failing: bool,
}

/// From now on mails are written for those sources that anybody is mailed of, and sent.
pub(super) async fn start(
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    stopped: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(), Fault> {
    let mailed = settings.sources.iter().filter(|source| !source.mail_to.is_empty());
    let sources: Vec<_> = mailed.map(|source| (super::name(&source.name), source.mail_to.clone())).collect();
    store.set_mailed(sources.iter().map(|(name, _)| name.clone()).collect()).await?;
    if let Some(mail) = settings.mail.as_ref().filter(|_| !sources.is_empty()) {
        let post = Post { mailer: Mailer::new(mail.clone(), TIMEOUT)?, sources, language: settings.language, failing: false };
        tasks.spawn(post.run(store.clone(), Arc::clone(clock), stopped.clone()));
    }
    Ok(())
}

impl Post {
    async fn run(mut self, store: Store, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let mut more = false;
            for place in 0..self.sources.len() {
                // Where the store fails, the mail stays, and is sent once more than needed at worst.
                more |= !*stop.borrow() && matches!(self.next(place, &store, clock.as_ref()).await, Ok(true));
            }
            if more {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Sends the first mail of a source that waits. Whether there may be more to do at once.
    async fn next(&mut self, place: usize, store: &Store, clock: &dyn Clock) -> Result<bool, StoreFault> {
        let Some((source, to)) = self.sources.get(place).cloned() else { return Ok(false) };
        let (reader, name, now) = (store.clone(), source.clone(), clock.now());
        let found = tokio::task::spawn_blocking(move || reader.next_mail(&name, now, now + PAUSE_MAX * 2));
        let Some(mail) = found.await.map_err(|_| StoreFault::Stopped)?? else { return Ok(false) };
        if !store.lease_mail(&mail, now + LEASE).await? {
            return Ok(false);
        }
        let (subject, body) = text::write(&mail, self.language == Language::Sv);
        let sent = self.mailer.send(Letter { id: &mail.id, to: &to, at: now, subject, body }).await;
        let now = clock.now();
        let Err(why) = sent else {
            self.failing = false;
            store.mail_given(&mail, now).await?;
            return Ok(true);
        };
        self.tell(why, &source, clock);
        let given_up = store.put_off_mail(&source, now + pause(mail.tries), now - AGE_MAX).await?;
        if given_up > 0 {
            let mut line = Line::new(now, Level::Error, Event::MailDropped).code(Code::AlmMailDropped);
            (line.source, line.reason) = (Some(source), Some(Reason::Count(given_up)));
            line.emit();
        }
        Ok(false)
    }

    /// Once, until it works again.
    fn tell(&mut self, why: &'static str, source: &Name, clock: &dyn Clock) {
        if !std::mem::replace(&mut self.failing, true) {
            let mut line = Line::new(clock.now(), Level::Warn, Event::MailFailed).code(Code::AlmOutput);
            (line.source, line.reason) = (Some(source.clone()), Some(Reason::Word(why)));
            line.emit();
        }
    }
}

/// Doubled with each try.
fn pause(tries: u32) -> SignedDuration {
    let seconds = 1_i64.checked_shl(tries.min(16)).unwrap_or(i64::MAX);
    SignedDuration::from_secs(seconds).min(PAUSE_MAX)
}
