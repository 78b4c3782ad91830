//! A queue of RabbitMQ's (AMQP 0-9-1).
//!
//! **Guarantee.** That of every message server (`source/broker.rs`): acknowledged when durable. What a reader that died had in its
//! hands goes back to its place in the queue, and the consumer is exclusive: a second reader is not let in, so the order is the
//! queue's. A quorum queue knows no exclusive consumers and must be made with `x-single-active-consumer` instead. An answer counts as given when the server has confirmed it; one to a `reply_to` that is no longer there
//! goes nowhere. Not covered: a limit of deliveries that is set at the queue (`delivery-limit`) is the server's own, and what goes
//! beyond it never comes here.

use super::broker::{Answers, Broker, CALL_MAX, Held, Line, Origin, WAIT, kept};
use super::{Source, Teller};
use crate::config::{AmqpSettings, BrokerTls};
use crate::fault::Code;
use crate::model::name::Name;
use crate::model::personal::Personal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Acker, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, ErrorKind};
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

/// After the first message of a round: what comes within it comes along.
const MORE: Duration = Duration::from_millis(5);
/// Seconds after which either side takes a silent connection for lost.
const HEARTBEAT: u16 = 10;
/// By which an answer of ours is known.
const OUTCOME: &str = "vardbro.outcome";
const PERSISTENT: u8 = 2;

/// How a queue is read.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: Name,
    pub max_bytes: u64,
    pub amqp: AmqpSettings,
}

/// The source and what tells its answers.
pub fn open(settings: Settings) -> io::Result<(Box<dyn Source>, Box<dyn Teller>)> {
    let answers = Answers::<Amqp>::new(settings.clone())?;
    Ok((Box::new(Broker::<Amqp>::new(settings.name.clone(), settings)?), Box::new(answers)))
}

struct Amqp {
    settings: Settings,
    /// Closed when it is dropped.
    _connection: Connection,
    channel: Channel,
    /// None where only answers are given.
    consumer: Option<Consumer>,
}

impl Line for Amqp {
    type Settings = Settings;
    type Message = Acker;

    async fn connect(settings: Settings, reading: bool) -> Result<Self, Code> {
        let known = &settings.amqp;
        let (uri, tls) = tokio::task::block_in_place(|| files(known))?;
        let name = ConnectionProperties::default().with_connection_name("vardbro".into());
        let runtime = lapin::runtime::default_runtime().map_err(|_| Code::SrcBroker)?;
        let connection =
            Connection::connect_uri_with_config(uri, name, tls, runtime).await.map_err(|fault| refused(&fault, Code::SrcLogin))?;
        let channel = connection.create_channel().await.map_err(|_| Code::SrcBroker)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(|_| Code::SrcBroker)?;
        if let Some(queue) = &known.answer_queue {
            there(&channel, queue).await.map_err(|fault| refused(&fault, Code::SrcReply))?;
        }
        let mut consumer = None;
        if reading {
            let unusable = |fault: lapin::Error| refused(&fault, Code::SrcQueue);
            there(&channel, &known.queue).await.map_err(unusable)?;
            channel.basic_qos(known.prefetch, BasicQosOptions::default()).await.map_err(unusable)?;
            let alone = BasicConsumeOptions { exclusive: true, ..BasicConsumeOptions::default() };
            let reads = channel.basic_consume(known.queue.as_str().into(), "".into(), alone, FieldTable::default());
            consumer = Some(reads.await.map_err(unusable)?);
        }
        Ok(Self { settings, _connection: connection, channel, consumer })
    }

    async fn take(&mut self, hand: &mut Vec<Held<Self::Message>>) -> Result<bool, Code> {
        let consumer = self.consumer.as_mut().ok_or(Code::SrcQueue)?;
        let mut patience = if hand.is_empty() { WAIT } else { MORE };
        while hand.len() < usize::from(self.settings.amqp.prefetch) {
            let Ok(came) = tokio::time::timeout(patience, consumer.next()).await else { break };
            let delivery = came.ok_or(Code::SrcBroker)?.map_err(|_| Code::SrcBroker)?;
            hand.push(held(delivery, &self.settings));
            patience = MORE;
        }
        // A consumer that has ended is seen here also while the hand is full.
        if self.channel.status().connected() { Ok(true) } else { Err(Code::SrcBroker) }
    }

    async fn settle(&mut self, done: Vec<Self::Message>) -> Result<(), Code> {
        for message in done {
            message.ack(BasicAckOptions::default()).await.map_err(|_| Code::SrcBroker)?;
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the sender's own address, for its own answer")]
    async fn answer(&mut self, origin: &Personal<Origin>, text: &str) -> Result<(), Code> {
        let origin = origin.disclose();
        let ours = self.settings.amqp.answer_queue.as_ref();
        let Some(to) = ours.or(origin.to.as_ref()) else { return Ok(()) };
        let mut properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT)
            .with_type(OUTCOME.into());
        if let Some(correlation) = &origin.correlation {
            properties = properties.with_correlation_id(correlation.as_str().into());
        }
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = self.channel.basic_publish("".into(), to.as_str().into(), mandatory, text.as_bytes(), properties);
        match sent.await.map_err(|_| Code::SrcReply)?.await.map_err(|_| Code::SrcReply)? {
            Confirmation::Ack(None) => Ok(()),
            // Whoever asked is no longer there.
            Confirmation::Ack(Some(_)) if ours.is_none() => Ok(()),
            _ => Err(Code::SrcReply),
        }
    }
}

/// Whether a queue is there; nothing is made.
async fn there(channel: &Channel, queue: &str) -> Result<(), lapin::Error> {
    let ask = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), ask, FieldTable::default()).await.map(drop)
}

/// What the server has said no to, or that it did not answer.
fn refused(fault: &lapin::Error, code: Code) -> Code {
    if matches!(fault.kind(), ErrorKind::ProtocolError(_)) { code } else { Code::SrcBroker }
}

/// The address and what TLS needs. Read for each connection: they may have been renewed.
fn files(known: &AmqpSettings) -> Result<(AMQPUri, OwnedTLSConfig), Code> {
    let text = std::fs::read_to_string(&known.url_file).map_err(|_| Code::SrcLogin)?;
    let mut uri: AMQPUri = text.trim().parse().map_err(|_| Code::SrcLogin)?;
    let here = matches!(uri.authority.host.as_str(), "127.0.0.1" | "localhost" | "::1" | "[::1]");
    if uri.scheme == AMQPScheme::AMQP && !here && !known.tls.plain {
        return Err(Code::SrcLogin);
    }
    uri.query.heartbeat = uri.query.heartbeat.or(Some(HEARTBEAT));
    uri.query.connection_timeout = u64::try_from(CALL_MAX.as_millis()).ok();
    let tls = if uri.scheme == AMQPScheme::AMQPS { tls(&known.tls)? } else { OwnedTLSConfig::default() };
    Ok((uri, tls))
}

fn tls(known: &BrokerTls) -> Result<OwnedTLSConfig, Code> {
    let read = |path| std::fs::read_to_string(path).map_err(|_| Code::SrcLogin);
    let issuers = match &known.ca_file {
        Some(path) => read(path)?,
        None => rustls_native_certs::load_native_certs().certs.iter().fold(String::new(), |mut all, issuer| {
            let _ = writeln!(all, "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", STANDARD.encode(issuer));
            all
        }),
    };
    let identity = match known.cert_file.as_ref().zip(known.key_file.as_ref()) {
        Some((certificate, key)) => Some(OwnedIdentity::PKCS8 { pem: read(certificate)?.into(), key: read(key)?.into() }),
        None => None,
    };
    Ok(OwnedTLSConfig { identity, cert_chain: Some(issuers) })
}

fn held(delivery: Delivery, known: &Settings) -> Held<Acker> {
    let properties = &delivery.properties;
    let named = |field: &Option<ShortString>| field.as_ref().and_then(|text| kept(text.as_str()));
    let origin = Origin {
        sequence: None,
        // What it sent to the queue itself would come back.
        to: named(properties.reply_to()).filter(|to| *to != known.amqp.queue),
        correlation: named(properties.correlation_id()).or_else(|| named(properties.message_id())),
    };
    let content_type = named(properties.content_type());
    let ours = named(properties.kind()).as_deref() == Some(OUTCOME);
    Held::new(delivery.acker, origin, delivery.data, known.max_bytes, content_type.as_deref(), ours)
}
