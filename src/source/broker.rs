//! What sources that read from a message server have in common: messages that are held until they are durable, answers, and
//! the way back after a lost connection.
//!
//! **Guarantee.** A message is acknowledged only after what it holds is durable in the store, and a refused one only after its
//! reasons have been given, where somebody is to be told; a crash in between is met by the duplicate check when it comes again.
//! So none is lost and none counts twice. Messages are handed to intake in the order of the stream or queue, one hand at a time:
//! what is not taken stays in the hand, before all that comes later. However often a message has come, it is never thrown away.

use super::{Intake, News, Report, Source, Teller, Unavailable, reason_text};
use crate::fault::Code;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, Form, RawEvent, Verdict};
use serde::{Deserialize, Serialize};
use std::io;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// How long one round waits for something to come.
pub(super) const WAIT: Duration = Duration::from_millis(800);
/// For making a connection, and for anything that is asked over it.
const CONNECT_MAX: Duration = Duration::from_secs(8);
pub(super) const CALL_MAX: Duration = Duration::from_secs(5);
/// Pauses before a lost connection is made again: doubled from the first to the last.
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest reply address and correlation id that are kept.
const ADDRESS_MAX: usize = 255;

/// What a message that came says of where its answers go. The store keeps it as the event's origin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Its place in a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    /// What the sender knows it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) correlation: Option<String>,
}

/// A message that has come and is not acknowledged.
pub(super) struct Held<M> {
    /// By which the server knows this delivery.
    pub(super) message: M,
    pub(super) origin: Personal<Origin>,
    pub(super) body: Result<Personal<Vec<u8>>, Box<Finding>>,
    pub(super) form: Option<Form>,
    /// An answer of ours that came back: answering it would never end.
    pub(super) ours: bool,
}

impl<M> Held<M> {
    pub(super) fn new(message: M, origin: Origin, body: Vec<u8>, max_bytes: u64, content_type: Option<&str>, ours: bool) -> Self {
        let refuse = |code: Code| Err(Box::new(code.finding(Effect::Refuse, Layer::Syntax, None)));
        let body = if ours {
            refuse(Code::SrcEcho)
        } else if body.len() as u64 > max_bytes {
            refuse(Code::SrcTooLarge)
        } else {
            Ok(Personal::new(body))
        };
        Self { message, origin: Personal::new(origin), body, form: content_type.and_then(form), ours }
    }
}

/// A connection to a message server. What fails ends it.
pub(super) trait Line: Send + Sized + 'static {
    type Settings: Clone + Send + 'static;
    /// What a delivery is acknowledged by.
    type Message: Send;

    /// Connects; to read messages as well, or to give answers only.
    fn connect(settings: Self::Settings, reading: bool) -> impl Future<Output = Result<Self, Code>> + Send;

    /// Takes what has come into the hand, in order, and waits [`WAIT`] for it where the hand is empty. Whether all that the server
    /// has given out is in the hand: only then nothing of it can overtake what is not.
    fn take(&mut self, hand: &mut Vec<Held<Self::Message>>) -> impl Future<Output = Result<bool, Code>> + Send;

    /// Acknowledges.
    fn settle(&mut self, done: Vec<Self::Message>) -> impl Future<Output = Result<(), Code>> + Send;

    /// Gives an answer, and waits until the server has it. Where nobody is to be told there is nothing to do.
    fn answer(&mut self, origin: &Personal<Origin>, text: &str) -> impl Future<Output = Result<(), Code>> + Send;
}

/// A thread beside our own on which a connection lives also while we do not look at it: the server wants to hear of it.
struct Aside(Option<Runtime>);

impl Aside {
    fn new() -> io::Result<Self> {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("source-io").enable_all().build().map(Some).map(Self)
    }

    fn runtime(&self) -> Result<&Runtime, Code> {
        self.0.as_ref().ok_or(Code::SrcBroker)
    }

    /// What takes too long has failed.
    fn wait<T>(&self, patience: Duration, work: impl Future<Output = Result<T, Code>>) -> Result<T, Code> {
        self.runtime()?.block_on(async { tokio::time::timeout(patience, work).await.unwrap_or(Err(Code::SrcBroker)) })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // It may be dropped within another runtime, where waiting is not allowed.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// When a lost connection is made again.
#[derive(Debug, Clone, Copy)]
struct Lost {
    code: Code,
    pause: Duration,
    until: Instant,
}

impl Lost {
    fn after(before: Option<Self>, code: Code) -> Self {
        let pause = before.map_or(PAUSE_FIRST, |before| (before.pause * 2).min(PAUSE_MAX));
        Self { code, pause, until: Instant::now() + pause }
    }
}

enum Link<L> {
    None,
    Coming(JoinHandle<Result<L, Code>>),
    Up(L),
}

/// A message server being read.
pub(super) struct Broker<L: Line> {
    name: Name,
    settings: L::Settings,
    aside: Aside,
    link: Link<L>,
    hand: Vec<Held<L::Message>>,
    lost: Option<Lost>,
}

/// Why a round ended early.
enum Ended {
    Link(Code),
    Intake,
}

impl From<Code> for Ended {
    fn from(code: Code) -> Self {
        Self::Link(code)
    }
}

impl<L: Line> Broker<L> {
    pub(super) fn new(name: Name, settings: L::Settings) -> io::Result<Self> {
        Ok(Self { name, settings, aside: Aside::new()?, link: Link::None, hand: Vec::new(), lost: None })
    }

    /// The connection, once it is there. A new one is waited for in short rounds, so that the source can be stopped meanwhile.
    fn line(&mut self) -> Result<Option<&mut L>, Code> {
        if matches!(self.link, Link::None) {
            if let Some(lost) = self.lost.filter(|lost| Instant::now() < lost.until) {
                return Err(lost.code);
            }
            let connecting = L::connect(self.settings.clone(), true);
            let connecting = async { tokio::time::timeout(CONNECT_MAX, connecting).await.unwrap_or(Err(Code::SrcBroker)) };
            self.link = Link::Coming(self.aside.runtime()?.spawn(connecting));
        }
        if let Link::Coming(connecting) = &mut self.link {
            let runtime = self.aside.runtime()?;
            let Ok(connected) = runtime.block_on(async { tokio::time::timeout(WAIT, connecting).await }) else {
                return self.lost.map_or(Ok(None), |lost| Err(lost.code));
            };
            match connected.unwrap_or(Err(Code::SrcBroker)) {
                Ok(line) => self.link = Link::Up(line),
                Err(code) => {
                    self.lose(code);
                    return Err(code);
                }
            }
        }
        match &mut self.link {
            Link::Up(line) => Ok(Some(line)),
            _ => Ok(None),
        }
    }

    /// What is in the hand comes again: the server has heard nothing of it.
    fn lose(&mut self, code: Code) {
        self.link = Link::None;
        self.hand.clear();
        self.lost = Some(Lost::after(self.lost, code));
    }

    fn take(&mut self, intake: &mut dyn Intake) -> Result<bool, Ended> {
        if self.line()?.is_none() {
            return Ok(false);
        }
        let Link::Up(line) = &mut self.link else { return Ok(false) };
        let all = self.aside.wait(CALL_MAX + WAIT, line.take(&mut self.hand))?;
        self.lost = None;
        if !all || self.hand.is_empty() {
            return Ok(false);
        }
        let answers = intake.submit(self.hand.iter().map(|held| raw(&self.name, held)).collect()).map_err(|_| Ended::Intake)?;
        let mut done = Vec::new();
        for (held, answers) in std::mem::take(&mut self.hand).into_iter().zip(answers) {
            if answers.iter().any(|answer| answer.verdict == Verdict::Later) {
                self.hand.push(held);
                continue;
            }
            // The reasons first: nobody would hear of a refused message that is gone.
            if !held.ours && refused(&answers) {
                self.aside.wait(CALL_MAX, line.answer(&held.origin, &reason_text(&answers)))?;
            }
            done.push(held.message);
        }
        let settled = !done.is_empty();
        if settled {
            self.aside.wait(CALL_MAX, line.settle(done))?;
        }
        Ok(settled)
    }
}

impl<L: Line> Source for Broker<L> {
    fn name(&self) -> &Name {
        &self.name
    }

    fn round(&mut self, intake: &mut dyn Intake, report: &mut dyn Report) -> Result<bool, Unavailable> {
        match self.take(intake) {
            Ok(more) => Ok(more),
            Err(Ended::Intake) => Err(Unavailable),
            Err(Ended::Link(code)) => {
                if matches!(self.link, Link::Up(_)) {
                    self.lose(code);
                }
                report.trouble(code);
                Err(Unavailable)
            }
        }
    }

    /// It has waited at the server; what cannot be taken yet is not asked about all the time.
    fn pause(&self) -> Option<Duration> {
        Some(if self.hand.is_empty() { Duration::ZERO } else { WAIT })
    }
}

/// Gives the answers that come later, over a connection of its own.
pub(super) struct Answers<L: Line> {
    settings: L::Settings,
    aside: Aside,
    line: Option<L>,
    lost: Option<Lost>,
}

impl<L: Line> Answers<L> {
    pub(super) fn new(settings: L::Settings) -> io::Result<Self> {
        Ok(Self { settings, aside: Aside::new()?, line: None, lost: None })
    }

    fn say(&mut self, origin: &Personal<Origin>, text: &str) -> Result<(), Code> {
        if let Some(lost) = self.lost.filter(|lost| Instant::now() < lost.until) {
            return Err(lost.code);
        }
        let mut line = match self.line.take() {
            Some(line) => line,
            None => self.aside.wait(CALL_MAX, L::connect(self.settings.clone(), false))?,
        };
        self.aside.wait(CALL_MAX, line.answer(origin, text))?;
        self.line = Some(line);
        Ok(())
    }
}

impl<L: Line> Teller for Answers<L> {
    fn tell(&mut self, news: &News) -> io::Result<()> {
        let told = self.say(&origin(&news.origin), &news.outcome);
        self.lost = told.err().map(|code| match self.lost {
            Some(lost) if Instant::now() < lost.until => lost,
            before => Lost::after(before, code),
        });
        told.map_err(|_| io::ErrorKind::NotConnected.into())
    }
}

fn refused(answers: &[Answer]) -> bool {
    answers.iter().any(|answer| matches!(answer.verdict, Verdict::Rejected(_)))
}

#[expect(clippy::disallowed_methods, reason = "becomes the event's origin, which is personal as well")]
fn raw<M>(source: &Name, held: &Held<M>) -> RawEvent {
    // Nothing in it that JSON does not have.
    let origin = serde_json::to_string(held.origin.disclose()).unwrap_or_default();
    RawEvent { source: source.clone(), origin: Personal::new(origin), body: held.body.clone(), form: held.form, may_grow: false }
}

/// An event that came another way, when the source was of another kind, has no address of ours. Behind it stands the record's
/// number, where the message held many.
#[expect(clippy::disallowed_methods, reason = "the sender's own address, for its own answer")]
fn origin(text: &Personal<String>) -> Personal<Origin> {
    let first = serde_json::Deserializer::from_str(text.disclose()).into_iter().next();
    Personal::new(first.and_then(Result::ok).unwrap_or_default())
}

/// A reply address or correlation id, if it is short enough to be kept.
pub(super) fn kept(text: &str) -> Option<String> {
    (1..=ADDRESS_MAX).contains(&text.len()).then(|| text.to_owned())
}

/// The form that a content type means.
fn form(content_type: &str) -> Option<Form> {
    let kind = content_type.split(';').next()?.trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" | "text/json" => Some(Form::Json),
        "application/x-ndjson" | "application/ndjson" => Some(Form::Ndjson),
        "application/xml" | "text/xml" => Some(Form::Xml),
        "text/csv" => Some(Form::Csv),
        other if other.ends_with("+json") => Some(Form::Json),
        other if other.ends_with("+xml") => Some(Form::Xml),
        _ => None,
    }
}
