//! The operations log: every line that the program writes about its work, as JSON, and nothing personal.
//!
//! A line's fields are types that cannot hold a person's data: ids, codes, counts, keyed references. There is no field
//! for free text. The same lines stand in the journal. No other module may name `tracing`.

mod output;
mod schema;

pub use output::{Output, start, watch_panics};
pub use schema::schema;

use crate::fault::Code;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::shape::codes;
use crate::model::state::State;
use crate::model::time::instant_text;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Version of the line's format, `schemas/oplog/oplog-1.schema.json`.
pub const FORMAT: u32 = 1;

codes! {
    /// What a line tells.
    Event {
        DaemonStarted = "daemon.started": "Tjänsten har startat", "The daemon has started";
        DaemonStopping = "daemon.stopping": "Tjänsten avslutar det som pågår", "The daemon finishes what is in flight";
        DaemonStopped = "daemon.stopped": "Tjänsten har stannat", "The daemon has stopped";
        CertificatesLoaded = "certificates.loaded": "Certifikat inlästa", "Certificates loaded";
        CertificatesKept = "certificates.kept": "Nya certifikat dög inte; de gamla används", "New certificates were unusable; the old ones stay";
        MappingLoaded = "mapping.loaded": "Mappning inläst", "Mapping loaded";
        MappingKept = "mapping.kept": "Ny mappning dög inte; den gamla används", "A new mapping was unusable; the old one stays";
        DestinationGone = "destination.gone": "Meddelanden väntar på en destination som saknas", "Messages wait for a destination that is missing";
        SourceRefused = "source.refused": "En begäran från en källa togs inte emot", "A source's request was not taken";
        SourceFault = "source.fault": "Källan kan inte läsas", "The source cannot be read";
        EventAccepted = "event.accepted": "Händelse mottagen", "Event accepted";
        EventDuplicate = "event.duplicate": "Händelsen är redan mottagen", "The event was accepted before";
        EventRejected = "event.rejected": "Händelse avvisad", "Event rejected";
        EpisodeDeviation = "episode.deviation": "Avvikelse i ärendet", "Deviation in the episode";
        MessageReleased = "message.released": "Meddelande i kö", "Message in the queue";
        MessageWithheld = "message.withheld": "Meddelande hålls tillbaka", "Message withheld";
        MessageHeld = "message.held": "Meddelande väntar på en människa", "Message held for a person";
        MessageRefused = "message.refused": "Meddelande stoppat av våra regler", "Message refused by our rules";
        MessageSuperseded = "message.superseded": "Meddelande ersatt", "Message superseded";
        MessageWithdrawn = "message.withdrawn": "Meddelande återtaget", "Message withdrawn";
        MessageExpired = "message.expired": "Meddelande för gammalt", "Message expired";
        MessageResent = "message.resent": "Meddelande sänds om för hand", "Message sent again by hand";
        MessageResolved = "message.resolved": "Meddelande avslutat för hand", "Message closed by hand";
        MessageShadowed = "message.shadowed": "Meddelande färdigt men inte sänt (skuggläge)", "Message ready but not sent (shadow mode)";
        DeadlineNear = "deadline.near": "Tidsgräns närmar sig", "Due time is near";
        DeadlinePassed = "deadline.passed": "Tidsgräns passerad", "Due time has passed";
        DeadlineStill = "deadline.still": "Fortfarande försenat", "Still overdue";
        DeadlineClosed = "deadline.closed": "Tidsgränsen gäller inte längre", "The due time no longer matters";
        RulesMoved = "rules.moved": "Ärendet har flyttats till en annan regelversion", "The case has been moved to another version of the rules";
        ListPrinted = "list.printed": "En lista med personuppgifter har skrivits ut", "A list with personal data has been printed";
        RequestDone = "request.done": "Begäran från driften är utförd", "The operator's request is done";
        RequestRefused = "request.refused": "Begäran från driften kunde inte utföras", "The operator's request could not be done";
        DeliveryAttempt = "delivery.attempt": "Försök att sända", "Attempt to send";
        DeliveryAccepted = "delivery.accepted": "Mottagaren har meddelandet", "The receiver has the message";
        DeliveryRejected = "delivery.rejected": "Mottagaren avvisade meddelandet", "The receiver rejected the message";
        DeliveryResend = "delivery.resend": "Sänds igen", "To be sent again";
        DeliveryWaiting = "delivery.waiting": "Väntar på kvitto", "Waiting for the receipt";
        ReceiptContradicted = "receipt.contradicted": "Ett senare kvitto säger emot det första", "A later receipt contradicts the first";
        ReceiptRefused = "receipt.refused": "Ett kvitto togs inte emot", "A receipt was not taken";
        DeliveryParked = "delivery.parked": "Meddelande parkerat", "Message parked";
        AlarmOpened = "alarm.opened": "Larm öppnat", "Alarm opened";
        AlarmWorse = "alarm.worse": "Larmet har blivit värre", "The alarm has become worse";
        AlarmStill = "alarm.still": "Larmet står kvar", "The alarm is still open";
        AlarmClosed = "alarm.closed": "Larm stängt", "Alarm closed";
        NoticeFailed = "notice.failed": "Larm kunde inte sägas; försöket görs om", "A notice could not be given; it is tried again";
        NoticeDropped = "notice.dropped": "Larm som inte kunde sägas är uppgivet", "A notice that could not be given is given up";
        MailFailed = "mail.failed": "Mejl kunde inte sändas; försöket görs om", "A mail could not be sent; it is tried again";
        MailDropped = "mail.dropped": "Mejl som inte kunde sändas är uppgivna", "Mails that could not be sent are given up";
        StoreFault = "store.fault": "Databasen svarade med fel", "The store answered with a fault";
        StoreRestored = "store.restored": "Databasen är återställd från en säkerhetskopia", "The store was restored from a backup";
        AuditAnchor = "audit.anchor": "Åtkomstloggens senaste rad, att jämföra med", "The audit log's last row, to compare with";
        StoreRekeyed = "store.rekeyed": "Databasen är krypterad med en ny nyckel", "The store was sealed with a new key";
        StorePurged = "store.purged": "Gallring utförd", "What was old has gone";
        HoldSet = "hold.set": "Gallringsstopp infört", "A legal hold was set";
        HoldLifted = "hold.lifted": "Gallringsstopp hävt", "A legal hold was lifted";
        ReceiverMessage = "receiver.message": "Mottagaren tog emot ett meddelande", "The receiver took in a message";
        Panic = "panic": "Internt fel", "Internal fault";
    }
}

codes! {
    /// How loud a line is.
    Level {
        Error = "error": "Fel", "Error";
        Warn = "warn": "Varning", "Warning";
        Info = "info": "Upplysning", "Information";
        Debug = "debug": "Felsökning", "Debug";
    }
}

/// One line.
///
/// ```
/// use vardbro::{fault::Code, model::time::parse_instant, oplog::{Event, Level, Line, Reason}};
/// let mut line = Line::new(parse_instant("2026-03-10T09:00:00Z").unwrap(), Level::Info, Event::EventAccepted);
/// line.reason = Some(Reason::Count(2));
/// assert!(line.code(Code::DlvLost).json().contains("count-2"));
/// ```
/// A text has no way in, and neither has personal data:
/// ```compile_fail,E0308
/// use vardbro::{model::time::parse_instant, oplog::{Event, Level, Line}};
/// let mut line = Line::new(parse_instant("2026-03-10T09:00:00Z").unwrap(), Level::Info, Event::EventAccepted);
/// line.event_ref = Some(String::from("TRS-2026-000123"));
/// ```
/// ```compile_fail,E0308
/// use vardbro::{model::{personal::Personal, time::parse_instant}, oplog::{Event, Level, Line}};
/// let mut line = Line::new(parse_instant("2026-03-10T09:00:00Z").unwrap(), Level::Info, Event::EventAccepted);
/// line.patient_ref = Some(Personal::new(String::from("193812217044")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    pub level: Level,
    pub event: Event,
    /// A code of ours or a rule's id.
    pub code: Option<&'static str>,
    pub message_id: Option<MessageId>,
    /// Keyed reference of the source event, or of the file where the event could not be read.
    pub event_ref: Option<Ref>,
    pub episode_id: Option<EpisodeId>,
    pub destination: Option<Name>,
    /// The source, where the line is about one.
    pub source: Option<Name>,
    pub state: Option<State>,
    pub attempt: Option<u32>,
    pub duration_ms: Option<u64>,
    /// A word of ours that narrows the code down: `http-503`, `SV`.
    pub reason: Option<Reason>,
    pub patient_ref: Option<Ref>,
    /// Where in our own code, for an internal fault.
    pub place: Option<CodePlace>,
}

/// A word that narrows a code down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    Word(&'static str),
    /// An HTTP status.
    Http(u16),
    /// How many.
    Count(u64),
    /// How many of what.
    Counted(&'static str, u64),
    /// An item of the checklist, by its number.
    Item(u8),
    /// A row of the audit log: its number and the beginning of its code.
    Anchor(i64, [u8; 12]),
}

/// File and line of our own source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodePlace {
    file: String,
    line: u32,
}

impl From<&std::panic::Location<'_>> for CodePlace {
    fn from(place: &std::panic::Location<'_>) -> Self {
        Self { file: place.file().to_owned(), line: place.line() }
    }
}

impl Reason {
    /// None where the code is not in hexadecimal digits, or in too few.
    pub fn anchor(n: i64, code: &str) -> Option<Self> {
        let byte = |at: usize| u8::from_str_radix(code.get(2 * at..2 * at + 2)?, 16).ok();
        let mut out = [0; 12];
        for (at, to) in out.iter_mut().enumerate() {
            *to = byte(at)?;
        }
        Some(Self::Anchor(n, out))
    }

    pub fn text(self) -> String {
        match self {
            Self::Word(word) => word.to_owned(),
            Self::Http(status) => format!("http-{status}"),
            Self::Count(count) => format!("count-{count}"),
            Self::Counted(word, count) => format!("{word}-{count}"),
            Self::Item(item) => format!("CL{item:02}"),
            Self::Anchor(n, code) => code.iter().fold(format!("{n}:"), |out, byte| format!("{out}{byte:02x}")),
        }
    }
}

impl Line {
    pub fn new(at: Timestamp, level: Level, event: Event) -> Self {
        Self {
            at,
            level,
            event,
            code: None,
            message_id: None,
            event_ref: None,
            episode_id: None,
            destination: None,
            source: None,
            state: None,
            attempt: None,
            duration_ms: None,
            reason: None,
            patient_ref: None,
            place: None,
        }
    }

    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.code = Some(code.id());
        self
    }

    /// The line as it stands in the log.
    pub fn json(&self) -> String {
        let mut out = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                out.insert(name.to_owned(), value);
            }
        };
        put("ts", Some(instant_text(self.at).into()));
        put("level", Some(self.level.code().into()));
        put("event", Some(self.event.code().into()));
        put("code", self.code.map(Into::into));
        put("message_id", self.message_id.map(|id| id.to_string().into()));
        put("event_ref", self.event_ref.as_ref().map(|r| r.as_str().into()));
        put("episode_id", self.episode_id.map(|id| id.to_string().into()));
        put("destination", self.destination.as_ref().map(|name| name.as_str().into()));
        put("source", self.source.as_ref().map(|name| name.as_str().into()));
        put("state", self.state.map(|state| state.code().into()));
        put("attempt", self.attempt.map(Into::into));
        put("duration_ms", self.duration_ms.map(Into::into));
        put("reason", self.reason.map(|reason| reason.text().into()));
        put("patient_ref", self.patient_ref.as_ref().map(|r| r.as_str().into()));
        put("place", self.place.as_ref().map(|place| format!("{}:{}", place.file, place.line).into()));
        put("version", Some(env!("CARGO_PKG_VERSION").into()));
        Value::Object(out).to_string()
    }

    /// Writes the line to the log. What must survive goes to the journal as well, in the transaction it tells of.
    pub fn emit(&self) {
        let line = self.json();
        match self.level {
            Level::Error => tracing::error!(target: "oplog", line),
            Level::Warn => tracing::warn!(target: "oplog", line),
            Level::Info => tracing::info!(target: "oplog", line),
            Level::Debug => tracing::debug!(target: "oplog", line),
        }
    }
}
