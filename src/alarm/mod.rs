//! Alarms: what somebody shall look at, told once when it begins, again while it lasts, and once when it is over.
//!
//! One list has every kind. What stands now is found elsewhere; what follows from it and from the alarms that are open is decided
//! in [`ring`], and what is told to others of it is written in [`notice`]. No clock, no store.

mod notice;
mod ring;

pub use notice::{notice, schema, subject_text, title};
pub use ring::{Found, Look, Rings, ring};

use crate::fault::Code;
use crate::model::ids::EpisodeId;
use crate::model::name::Name;
use crate::model::shape::codes;
use crate::oplog::{Event, Level, Line, Reason};
use jiff::Timestamp;

codes! {
    /// What an alarm is about.
    About {
        Destination = "destination": "destination", "destination";
        Source = "source": "källa", "source";
        Certificate = "certificate": "certifikat", "certificate";
        Store = "store": "databas", "store";
        Output = "output": "larmutgång", "way out for alarms";
        Episode = "episode": "ärende", "episode";
    }
}

codes! {
    /// What its figure counts.
    Unit {
        Messages = "messages": "meddelanden", "messages";
        Notices = "notices": "larm", "notices";
        Seconds = "seconds": "s", "s";
        Days = "days": "dagar", "days";
        Megabytes = "megabytes": "MB", "MB";
    }
}

codes! {
    /// What is told of an alarm.
    Rung {
        Opened = "opened": "Larm", "Alarm";
        Worse = "worse": "Larm, nu värre", "Alarm, worse now";
        Still = "still": "Larmet står kvar", "The alarm is still open";
        Closed = "closed": "Larmet är över", "The alarm is over";
    }
}

/// All there is to know of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// As it stands in the store, in notices and as a label of the figures.
    pub name: &'static str,
    pub about: About,
    pub code: Code,
    pub unit: Option<Unit>,
    /// Told again while it lasts. What has steps is told with each of them instead.
    pub reminds: bool,
    /// When it is open; with the key of the configuration that it goes by.
    pub en: &'static str,
    pub sv: &'static str,
}

macro_rules! kinds {
    ($($variant:ident $name:literal $about:ident $code:ident $unit:expr, $reminds:literal { $en:literal, $sv:literal })+) => {
        /// A kind of alarm.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $(#[doc = $en] $variant),+ }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),+];

            pub const fn entry(self) -> Entry {
                match self { $(Kind::$variant => Entry {
                    name: $name, about: About::$about, code: Code::$code, unit: $unit, reminds: $reminds, en: $en, sv: $sv,
                }),+ }
            }
        }
    };
}

kinds! {
    Route "route" Destination DlvRouteClosed None, true {
        "the way to the destination is closed; told at once", "vägen till destinationen är stängd; sägs genast" }
    Pending "pending" Destination AlmPending Some(Unit::Seconds), true {
        "the oldest message in its queue has waited longer than `alarms.pending_h`",
        "det äldsta meddelandet i dess kö har väntat längre än `alarms.pending_h`" }
    Parked "parked" Destination AlmParked Some(Unit::Messages), true {
        "messages are parked, for another reason than a receipt that is overdue",
        "meddelanden är parkerade, av annat skäl än att kvittot är försenat" }
    Receipts "receipts" Destination AlmReceipts Some(Unit::Messages), true {
        "messages are parked since their receipt did not come within `receipt_deadline_h`",
        "meddelanden är parkerade för att kvittot inte kom inom `receipt_deadline_h`" }
    Refused "refused" Source AlmRefused Some(Unit::Messages), true {
        "our rules have refused messages of the source within the last `alarms.refused_h`",
        "våra regler har stoppat meddelanden från källan under de senaste `alarms.refused_h`" }
    Silent "silent" Source AlmSilent Some(Unit::Seconds), true {
        "no new event has come from the source for `silent_h`; off unless that is given",
        "ingen ny händelse har kommit från källan på `silent_h`; av om den inte anges" }
    Certificate "certificate" Certificate AlmCertificate Some(Unit::Days), false {
        "a certificate in use ends within 60 days; told again at 30 and 7 days, and when it has ended",
        "ett certifikat som används upphör inom 60 dagar; sägs igen vid 30 och 7 dagar, och när det har upphört" }
    Disk "disk" Store AlmDisk Some(Unit::Megabytes), true {
        "less than `alarms.disk_free_mb` is left on the disk of a SQLite database",
        "mindre än `alarms.disk_free_mb` är kvar på en SQLite-databas disk" }
    Clock "clock" Destination AlmClock Some(Unit::Seconds), true {
        "the clock here and the receiver's (`Date` of its answers) differ by more than `alarms.clock_skew_s`",
        "klockan här och mottagarens (`Date` i dess svar) skiljer sig mer än `alarms.clock_skew_s`" }
    Output "output" Output AlmOutput Some(Unit::Notices), true {
        "a notice of an alarm, or a mail, has been tried in vain three times",
        "ett larm eller ett mejl har förgäves försökt sändas tre gånger" }
    Deadline "deadline" Episode ChkDeadline None, true {
        "a due time of an episode is near, and then passed; by the rules of the episode, also how often it is told again",
        "en tidsgräns i ett ärende närmar sig, och passeras sedan; enligt ärendets regler, även hur ofta det sägs igen" }
}

impl Kind {
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// What one alarm is about: a name of the configuration or an id of ours, so nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(String);

impl Subject {
    /// A due time of an episode, by its key.
    pub fn due(episode: EpisodeId, key: &str) -> Self {
        Self(format!("{episode} {key}"))
    }

    /// A table of the configuration: `http`, `destination.NAME`.
    pub fn table(table: &str) -> Self {
        Self(table.to_owned())
    }

    /// As it stands in the store.
    pub fn kept(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Name> for Subject {
    fn from(name: &Name) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl From<&'static str> for Subject {
    fn from(word: &'static str) -> Self {
        Self(word.to_owned())
    }
}

/// An alarm as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    pub kind: Kind,
    pub subject: Subject,
    /// A code that narrows it down, else the kind's own.
    pub cause: String,
    /// How bad it is, from 0, where it gets worse in steps.
    pub step: u32,
    pub figure: Option<i64>,
}

impl Alarm {
    pub fn new(kind: Kind, subject: impl Into<Subject>) -> Self {
        Self { kind, subject: subject.into(), cause: kind.entry().code.id().to_owned(), step: 0, figure: None }
    }
}

/// An alarm that is open, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub alarm: Alarm,
    pub opened_at: Timestamp,
    pub told_at: Timestamp,
    /// When it was last seen to stand.
    pub seen_at: Timestamp,
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    pub rung: Rung,
    pub alarm: Alarm,
    pub at: Timestamp,
    /// When the alarm opened.
    pub since: Timestamp,
    /// When it was last told, where that was looked at: if somebody else has told it meanwhile, nothing is told.
    pub told_at: Option<Timestamp>,
}

impl Ring {
    /// What needs no look at what was told before.
    pub fn of(rung: Rung, alarm: Alarm, at: Timestamp) -> Self {
        Self { rung, alarm, at, since: at, told_at: None }
    }

    /// Its line in the log and the journal. A due time has lines of its own.
    pub fn line(&self) -> Option<Line> {
        let Alarm { kind, subject, cause, figure, step } = &self.alarm;
        let loud = if *kind == Kind::Certificate && *step < ring::LAST_DAYS { Level::Warn } else { Level::Error };
        let (event, level) = match self.rung {
            Rung::Opened => (Event::AlarmOpened, loud),
            Rung::Worse => (Event::AlarmWorse, loud),
            Rung::Still => (Event::AlarmStill, Level::Warn),
            Rung::Closed => (Event::AlarmClosed, Level::Info),
        };
        let mut line = Line::new(self.at, level, event).code(kind.entry().code);
        let narrower = Code::parse(cause).filter(|code| *code != kind.entry().code);
        line.reason = match (narrower, figure.and_then(|figure| u64::try_from(figure).ok())) {
            _ if self.rung == Rung::Closed => None,
            (Some(code), _) => Some(Reason::Word(code.id())),
            (None, count) => count.map(Reason::Count),
        };
        match kind.entry().about {
            About::Destination => line.destination = Name::parse(subject.as_str()),
            About::Source => line.source = Name::parse(subject.as_str()),
            About::Certificate => match subject.as_str().strip_prefix("destination.") {
                Some(name) => line.destination = Name::parse(name),
                None => line.reason = word(subject.as_str(), &["http", "metrics"]),
            },
            About::Output => line.reason = word(subject.as_str(), &[OUTPUTS[0], OUTPUTS[1], MAIL]),
            About::Store => {}
            About::Episode => return None,
        }
        Some(line)
    }
}

/// The ways out, by the names that they have in the store.
pub const OUTPUTS: [&str; 2] = ["webhook", "command"];
/// What those who keep a source are told by; alarms are not.
pub const MAIL: &str = "mail";

fn word(text: &str, words: &[&'static str]) -> Option<Reason> {
    words.iter().find(|word| **word == text).map(|word| Reason::Word(word))
}
