//! A stream of NATS JetStream, read through a durable pull consumer.
//!
//! **Guarantee.** That of every message server (`source/broker.rs`): acknowledged when durable, and the acknowledgement confirmed by
//! the server. The consumer may have given out messages that are in nobody's hands, because their reader died or the connection
//! broke; the server gives them out again only after a while, and newer ones before. So nothing is handed on before all that
//! the consumer has given out is in our hand. An answer counts as given when the stream of `answer_subject` has it; one to a
//! `Reply-To` header when the server has it, whoever listens. Not covered: two readers of one consumer keep no order.

use super::broker::{Answers, Broker, CALL_MAX, Held, Line, Origin, WAIT, kept};
use super::{Source, Teller};
use crate::config::NatsSettings;
use crate::fault::Code;
use crate::model::name::{Name, subject};
use crate::model::personal::Personal;
use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, Consumer, Info, pull};
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, HeaderMap, Message};
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;
use std::io;
use std::time::{Duration, Instant};

/// How long a consumer of our own making waits before it gives out again what was not acknowledged.
const ACK_WAIT: Duration = Duration::from_secs(5);
/// Most unacknowledged messages of a consumer that others have made.
const PENDING_MAX: i64 = 10_000;
/// How long messages may be in other hands before the operator hears of it.
const OTHERS_MAX: Duration = Duration::from_mins(1);

const REPLY_TO: &str = "Reply-To";
const CORRELATION: &str = "Correlation-Id";
const CONTENT_TYPE: &str = "Content-Type";
const SEQUENCE: &str = "Vardbro-Sequence";

/// How a stream is read.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: Name,
    pub max_bytes: u64,
    pub nats: NatsSettings,
}

/// The source and what tells its answers.
pub fn open(settings: Settings) -> io::Result<(Box<dyn Source>, Box<dyn Teller>)> {
    let answers = Answers::<Nats>::new(settings.clone())?;
    Ok((Box::new(Broker::<Nats>::new(settings.name.clone(), settings)?), Box::new(answers)))
}

struct Nats {
    settings: Settings,
    client: Client,
    jetstream: Context,
    /// None where only answers are given.
    consumer: Option<Consumer<pull::Config>>,
    /// Since when the consumer has given out what is not in our hand.
    others: Option<Instant>,
}

impl Line for Nats {
    type Settings = Settings;
    type Message = jetstream::Message;

    async fn connect(settings: Settings, reading: bool) -> Result<Self, Code> {
        let client = connect(&settings.nats).await?;
        let jetstream = jetstream::ContextBuilder::new().timeout(CALL_MAX).ack_timeout(CALL_MAX).build(client.clone());
        let consumer = if reading { Some(consumer(&jetstream, &settings.nats).await?) } else { None };
        Ok(Self { settings, client, jetstream, consumer, others: None })
    }

    async fn take(&mut self, hand: &mut Vec<Held<Self::Message>>) -> Result<bool, Code> {
        let consumer = self.consumer.as_ref().ok_or(Code::SrcConsumer)?;
        if self.client.connection_state() != State::Connected {
            return Err(Code::SrcBroker);
        }
        // What others have let go is asked for also where there is no more room.
        let room = usize::from(self.settings.nats.prefetch).saturating_sub(hand.len()).max(usize::from(self.others.is_some()));
        let mut came = Vec::new();
        if room > 0 {
            came = collect(consumer.fetch().max_messages(room).messages().await.map_err(|_| Code::SrcBroker)?).await?;
        }
        if came.is_empty() && (hand.is_empty() || self.others.is_some()) {
            let next = consumer.batch().max_messages(1).expires(WAIT).messages().await.map_err(|_| Code::SrcBroker)?;
            came = collect(next).await?;
            if let Some(rest) = room.checked_sub(1).filter(|rest| *rest > 0 && !came.is_empty()) {
                came.extend(collect(consumer.fetch().max_messages(rest).messages().await.map_err(|_| Code::SrcBroker)?).await?);
            }
        }
        for message in came {
            put(hand, held(message, self.settings.max_bytes));
        }
        if hand.is_empty() {
            self.others = None;
            return Ok(true);
        }
        let given_out = consumer.get_info().await.map_err(|_| Code::SrcBroker)?.num_ack_pending;
        if given_out <= hand.len() {
            self.others = None;
            return Ok(true);
        }
        let since = *self.others.get_or_insert_with(Instant::now);
        if since.elapsed() > OTHERS_MAX { Err(Code::SrcHeld) } else { Ok(false) }
    }

    async fn settle(&mut self, done: Vec<Self::Message>) -> Result<(), Code> {
        try_join_all(done.iter().map(jetstream::Message::double_ack)).await.map(drop).map_err(|_| Code::SrcBroker)
    }

    #[expect(clippy::disallowed_methods, reason = "the sender's own address, for its own answer")]
    async fn answer(&mut self, origin: &Personal<Origin>, text: &str) -> Result<(), Code> {
        let origin = origin.disclose();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/json");
        headers.insert(SEQUENCE, origin.sequence.unwrap_or_default().to_string());
        if let Some(correlation) = &origin.correlation {
            headers.insert(CORRELATION, correlation.as_str());
        }
        let body = text.to_owned().into();
        if let Some(subject) = &self.settings.nats.answer_subject {
            let sent = self.jetstream.publish_with_headers(subject.clone(), headers, body).await.map_err(|_| Code::SrcReply)?;
            return sent.await.map(drop).map_err(|_| Code::SrcReply);
        }
        let Some(to) = &origin.to else { return Ok(()) };
        // The server does one thing after the other: when we hear ourselves, it has the answer.
        let here = self.client.new_inbox();
        let mut echo = self.client.subscribe(here.clone()).await.map_err(|_| Code::SrcReply)?;
        self.client.publish_with_headers(to.clone(), headers, body).await.map_err(|_| Code::SrcReply)?;
        self.client.publish(here, "".into()).await.map_err(|_| Code::SrcReply)?;
        echo.next().await.map(drop).ok_or(Code::SrcReply)
    }
}

async fn connect(known: &NatsSettings) -> Result<Client, Code> {
    // Whoever holds the connection makes a new one when it is lost.
    let mut options = ConnectOptions::new().name("vardbro").max_reconnects(1).request_timeout(Some(CALL_MAX)).connection_timeout(CALL_MAX);
    if let Some(file) = &known.credentials_file {
        options = options.credentials_file(file).await.map_err(|_| Code::SrcLogin)?;
    }
    if let Some(file) = &known.token_file {
        let token = tokio::task::block_in_place(|| std::fs::read_to_string(file)).map_err(|_| Code::SrcLogin)?;
        options = options.token(token.trim().to_owned());
    }
    if let Some(file) = &known.tls.ca_file {
        options = options.add_root_certificates(file.clone());
    }
    if let Some((certificate, key)) = known.tls.cert_file.as_ref().zip(known.tls.key_file.as_ref()) {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    let options = options.require_tls(known.url.starts_with("tls://"));
    options.connect(known.url.as_str()).await.map_err(|fault| match fault.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => Code::SrcLogin,
        _ => Code::SrcBroker,
    })
}

/// The consumer, made where it is not there, if nothing can be lost by it.
async fn consumer(jetstream: &Context, known: &NatsSettings) -> Result<Consumer<pull::Config>, Code> {
    let stream = jetstream.get_stream_no_info(&known.stream).await.map_err(|_| Code::SrcQueue)?;
    let info = match stream.consumer_info(&known.consumer).await {
        Ok(info) => info,
        Err(fault) if fault.kind() == ConsumerInfoErrorKind::NotFound => {
            let made = pull::Config {
                durable_name: Some(known.consumer.clone()),
                description: Some("Vardbro".to_owned()),
                ack_policy: AckPolicy::Explicit,
                ack_wait: ACK_WAIT,
                max_deliver: -1,
                max_ack_pending: i64::from(known.prefetch),
                filter_subject: known.subject.clone().unwrap_or_default(),
                ..pull::Config::default()
            };
            return stream.create_consumer(made).await.map_err(|_| Code::SrcQueue);
        }
        Err(fault) if matches!(fault.kind(), ConsumerInfoErrorKind::TimedOut | ConsumerInfoErrorKind::Request) => {
            return Err(Code::SrcBroker);
        }
        Err(_) => return Err(Code::SrcQueue),
    };
    if !fits(&info, known) {
        return Err(Code::SrcConsumer);
    }
    stream.get_consumer(&known.consumer).await.map_err(|_| Code::SrcConsumer)
}

fn fits(info: &Info, known: &NatsSettings) -> bool {
    let config = &info.config;
    config.deliver_subject.is_none()
        && config.ack_policy == AckPolicy::Explicit
        && config.max_deliver <= 0
        && (1..=PENDING_MAX).contains(&config.max_ack_pending)
        && !config.headers_only
        && known.subject.as_ref().is_none_or(|subject| *subject == config.filter_subject)
}

async fn collect(mut batch: pull::Batch) -> Result<Vec<jetstream::Message>, Code> {
    let all = async {
        let mut came = Vec::new();
        while let Some(message) = batch.next().await {
            came.push(message.map_err(|_| Code::SrcBroker)?);
        }
        Ok(came)
    };
    tokio::time::timeout(CALL_MAX / 2, all).await.unwrap_or(Err(Code::SrcBroker))
}

/// In the order of the stream. What has come again takes the place of what came before: it is acknowledged by the last delivery.
fn put(hand: &mut Vec<Held<jetstream::Message>>, held: Held<jetstream::Message>) {
    let key = |held: &Held<jetstream::Message>| sequence(&held.message);
    match hand.binary_search_by_key(&key(&held), key) {
        Ok(place) => hand[place] = held,
        Err(place) => hand.insert(place, held),
    }
}

fn sequence(message: &jetstream::Message) -> u64 {
    message.info().map_or(0, |info| info.stream_sequence)
}

fn held(mut message: jetstream::Message, max_bytes: u64) -> Held<jetstream::Message> {
    let named = |name: &str| header(&message, name).map(str::to_owned);
    let origin = Origin {
        sequence: Some(sequence(&message)),
        to: named(REPLY_TO).filter(|to| subject(to).is_some() && !to.contains(['*', '>'])),
        correlation: named(CORRELATION).or_else(|| named("Nats-Msg-Id")).as_deref().and_then(kept),
    };
    let (content_type, ours) = (named(CONTENT_TYPE), named(SEQUENCE).is_some());
    let body = std::mem::take(&mut message.message.payload);
    Held::new(message, origin, body.into(), max_bytes, content_type.as_deref(), ours)
}

fn header<'m>(message: &'m Message, name: &str) -> Option<&'m str> {
    message.headers.as_ref()?.get(name).map(async_nats::HeaderValue::as_str)
}
