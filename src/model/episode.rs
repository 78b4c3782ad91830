//! A care episode: the facts that events brought, and the state that follows from them.

use super::bodies::{CanReceive, ItemCode, ItemStatus, Party, Specialty};
use super::catalogue::EventType;
use super::checklist::Statuses;
use super::event::{Circumstance, ConsentStatus, IdType, Protection};
use super::ids::MessageId;
use super::shape::codes;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

codes! {
    /// How far an episode has come.
    Phase {
        New = "NY": "Ny", "New";
        Announced = "FORANMALD": "Föranmäld", "Announced by a care request";
        Admitted = "INSKRIVEN": "Inskriven", "Admitted";
        Planning = "PLANERING": "Planering pågår", "Planning";
        Ready = "UTSKRIVNINGSKLAR": "Utskrivningsklar", "Ready for discharge";
        TakeHomeConfirmed = "HEMTAGNING_BEKRAFTAD": "Hemtagning bekräftad", "Reception confirmed";
        Discharged = "UTSKRIVEN": "Utskriven", "Discharged";
        FollowUp = "UPPFOLJNING": "Uppföljning", "Follow-up";
        Outpatient = "OPPENVARD": "Öppenvård", "Outpatient care";
        Closed = "AVSLUTAD": "Avslutad", "Closed";
        Interrupted = "AVBRUTEN": "Avbruten", "Broken off";
        Voided = "MAKULERAD": "Makulerad", "Void";
    }
}

impl Phase {
    /// In inpatient care: admitted and not yet discharged.
    pub fn is_inpatient(self) -> bool {
        matches!(self, Self::Admitted | Self::Planning | Self::Ready | Self::TakeHomeConfirmed)
    }

    /// Nothing more is expected.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Interrupted | Self::Voided)
    }
}

codes! {
    /// How far the coordinated individual plan (SIP) has come.
    SipPhase {
        None = "INGEN": "Ingen", "None";
        Called = "KALLAD": "Kallad", "Called";
        Answered = "SVARAD": "Kallelsen besvarad", "Call answered";
        Made = "UPPRATTAD": "Upprättad", "Made";
        FollowedUp = "UPPFOLJD": "Uppföljd", "Followed up";
        Closed = "AVSLUTAD": "Avslutad", "Closed";
        Declined = "AVBOJD": "Avböjd av patienten", "Declined by the patient";
    }
}

codes! {
    /// How far the checklist of a stay has come.
    ChecklistPhase {
        Empty = "TOM": "Tom", "Empty";
        Started = "PAGAR": "Pågår", "Begun";
        CompleteK = "KOMPLETT_KOMMUN": "Kommunens punkter klara", "The municipality's items are done";
        CompleteAll = "KOMPLETT_ALLA": "Alla punkter klara", "Every item is done";
        Frozen = "FRYST": "Fryst vid utskrivning", "Frozen at the discharge";
    }
}

codes! {
    /// The municipality's duty to pay, always preliminary (Lag (2017:612) 5 kap.).
    PaymentPhase {
        NotApplicable = "EJ_AKTUELL": "Inte aktuell", "Not applicable";
        Running = "LOPER": "Löper", "Running";
        Stopped = "STOPPAD": "Stoppad", "Stopped";
        Triggered = "UTLOST": "Utlöst", "Triggered";
        Blocked = "OKLAR": "Oklar; en människa behöver bedöma", "Unclear; a person must judge";
    }
}

codes! {
    /// What keeps the duty to pay from being certain.
    PaymentBlock {
        NoNotice = "noNotice": "Inskrivningsmeddelande saknas", "No admission notice";
        LateNotice = "lateNotice": "Inskrivningsmeddelandet sändes för sent", "The admission notice was sent too late";
        NoCall = "noCall": "Kallelse till SIP saknas eller kom för sent", "No call to a SIP, or it came too late";
        OpenCare = "openCare": "Öppenvårdens insatser saknas eller är oklara", "Outpatient measures are missing or unclear";
    }
}

codes! {
    /// What somebody must do before a due time.
    ClockKind {
        PlanningData = "K-PU": "Planeringsunderlag från kommunen", "Municipal planning data";
        Acknowledge = "K-KV": "Kvittens av regionens meddelande", "Acknowledgement of the region's message";
        CallAnswer = "K-SV": "Svar på kallelse till SIP", "Answer to the call to a SIP";
        TakeHomeAnswer = "K-HT": "Besked om hemtagning", "Notice whether the municipality can receive";
        Risk = "K-RB": "Riskbedömning före utskrivningsdagen", "Risk assessment before the day of discharge";
        Plan = "K-SIP": "SIP före utskrivningsdagen", "Plan before the day of discharge";
        Checklist = "K-CL": "Kommunens punkter före utskrivning", "Municipal items before the discharge";
        AfterItems = "K-CL-E": "Punkter efter utskrivning", "Items after the discharge";
        FollowUp = "K-UF": "Uppföljning av SIP", "Follow-up of the plan";
        Enrolled = "K-HI": "Besked om inskrivning i hemsjukvård", "Notice of enrolment in home health care";
        EnrolmentEnded = "K-HA": "Besked om avslutad hemsjukvård", "Notice that home health care has ended";
        OwnCall = "K-KS": "Kommunens kallelse i god tid", "The municipality's call in good time";
        AdmissionNotice = "R-IN": "Inskrivningsmeddelande", "Admission notice";
        Estimate = "R-BU": "Beräknad utskrivning har passerat", "The estimated discharge has passed";
        RegionCall = "R-KS": "Regionens kallelse till SIP", "The region's call to a SIP";
        Contact = "R-FV": "Fast vårdkontakt före utskrivning", "Permanent care contact before the discharge";
        Information = "R-UI": "Information vid utskrivning", "Information at discharge";
        CentreAnswer = "R-OS": "Svar från vårdcentralen", "Answer from the health centre";
        Payment = "PAY-1": "Betalningsansvar börjar (preliminärt)", "The duty to pay begins (preliminary)";
    }
}

codes! {
    /// Where a due time stands at a moment.
    ClockStatus {
        Met = "met": "I tid", "In time";
        Late = "late": "För sent", "Late";
        Missed = "missed": "Uteblev", "Did not come";
        Running = "running": "Löper", "Running";
        Near = "near": "Snart", "Near";
        Overdue = "overdue": "Försenat", "Overdue";
    }
}

/// Who the patient is according to one event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    pub kind: IdType,
    /// The number in its normal form.
    pub number: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// What an event refers to: any of these may be known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Target {
    /// Keyed reference of an event of the same source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Keyed reference of the region's message id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl Target {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What one event means for its episode. Small, because the whole list is folded anew for each event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Keyed reference of the source event; a new version replaces the fact with the same one.
    pub event: String,
    pub system: String,
    /// The source's own id: the last word on the order of what happened at one moment.
    pub id: String,
    pub version: u32,
    pub kind: EventType,
    pub occurred_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Circumstance::is_empty")]
    pub circumstances: Circumstance,
    /// The unit that the event came from, to answer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    pub patient: Identity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<Protection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentStatus>,
    /// Keyed reference of the region's message id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_message: Option<String>,
    /// Keyed reference of the event that this one corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    #[serde(default, skip_serializing_if = "Target::is_empty")]
    pub target: Target,
    /// To whom its message was addressed: a later K-MK goes to the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<(String, Party)>,
    /// Its message ended without having left: nobody was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsent: bool,
    pub what: What,
}

/// The source's id may hold a person's number, so it is not shown.
impl std::fmt::Debug for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fact").field("event", &self.event).field("kind", &self.kind).field("what", &self.what).finish_non_exhaustive()
    }
}

impl Fact {
    /// Facts stand in this order: as they happened, then as they were sent, then as the source numbers them.
    pub fn order(&self) -> (Timestamp, Option<Timestamp>, Numbered<'_>) {
        (self.occurred_at, self.sent_at, Numbered(&self.id))
    }

    /// When the region sent it: the law's clocks run from there.
    pub fn sent(&self) -> Timestamp {
        self.sent_at.unwrap_or(self.occurred_at)
    }

    /// Whether `target` means this fact, in any of its versions.
    pub fn is_meant(&self, target: &Target) -> bool {
        let by_event = target.event.as_ref() == Some(&self.event);
        let by_region = target.region.is_some() && target.region == self.region_message;
        let message = |wanted: &String| (1..=self.version).any(|version| self.message(version).to_string() == *wanted);
        by_event || by_region || (self.kind.is_sent() && target.message.as_ref().is_some_and(message))
    }

    /// Id of the message that a version of the event gave rise to.
    pub fn message(&self, version: u32) -> MessageId {
        MessageId::of(&self.system, &self.id, self.kind.code(), version)
    }
}

/// A source's id in the order in which a source counts: `TRS-9` before `TRS-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered<'a>(&'a str);

impl Ord for Numbered<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (mut one, mut two) = (self.0, other.0);
        while !one.is_empty() && !two.is_empty() {
            let ((a, rest), (b, others)) = (run(one), run(two));
            // Of two numbers the one with more digits is the greater, once the noughts before it are gone.
            let number = |text: &str| (text.trim_start_matches('0').len(), text.trim_start_matches('0').to_owned());
            let both = a.starts_with(|c: char| c.is_ascii_digit()) && b.starts_with(|c: char| c.is_ascii_digit());
            let order = if both { number(a).cmp(&number(b)) } else { a.cmp(b) };
            if order.is_ne() {
                return order;
            }
            (one, two) = (rest, others);
        }
        // The same but for noughts before a number: any fixed order will do.
        one.len().cmp(&two.len()).then(self.0.cmp(other.0))
    }
}

impl PartialOrd for Numbered<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The digits, or the rest, that a text begins with, and what follows.
fn run(text: &str) -> (&str, &str) {
    let digit = text.starts_with(|c: char| c.is_ascii_digit());
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digit).unwrap_or(text.len()))
}

/// The part of a body that the fold looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    CareRequest,
    Admission {
        admitted_at: Timestamp,
        judged_at: Option<Timestamp>,
        estimate: Option<Timestamp>,
        specialty: Specialty,
        complete: bool,
    },
    Estimate {
        at: Timestamp,
    },
    Transfer {
        specialty: Specialty,
    },
    Ready {
        ready_at: Timestamp,
        open_care: Option<bool>,
        specialty: Option<Specialty>,
    },
    Planned {
        at: Timestamp,
    },
    Discharge {
        discharged_at: Timestamp,
    },
    Checklist {
        items: Vec<(String, Party, ItemStatus)>,
    },
    TakeHome {
        answer: CanReceive,
    },
    Call {
        meeting_at: Option<Timestamp>,
    },
    Plan {
        follow_up: Date,
    },
    Risk {
        on: Date,
    },
    FollowUp {
        next: Option<Date>,
        closed: bool,
    },
    Enrolled {
        on: Date,
    },
    EnrolmentEnded {
        on: Date,
    },
    Request {
        answer_by: Timestamp,
    },
    /// R-OS; whether it wants to know more.
    CentreAnswer {
        open: bool,
    },
    NotAdmitted,
    Interrupted {
        deceased: bool,
    },
    Other,
}

/// Something that did not go as it should have, without anything being stopped for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deviation {
    pub rule: &'static str,
    pub item: Option<ItemCode>,
    pub owners: Vec<Party>,
}

/// Something that is due, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub kind: ClockKind,
    /// The event that started it; two of one kind differ in this.
    pub of: String,
    /// Who must do it.
    pub owner: Party,
    pub warn_at: Timestamp,
    /// The last moment that is in time.
    pub due_at: Timestamp,
    pub met_at: Option<Timestamp>,
    /// When it stopped to matter without having been met.
    pub ended_at: Option<Timestamp>,
}

impl Due {
    pub fn status(&self, now: Timestamp) -> ClockStatus {
        match (self.met_at, self.ended_at) {
            (Some(met), _) if met <= self.due_at => ClockStatus::Met,
            (Some(_), _) => ClockStatus::Late,
            (None, Some(_)) => ClockStatus::Missed,
            (None, None) if now > self.due_at => ClockStatus::Overdue,
            (None, None) if now >= self.warn_at => ClockStatus::Near,
            (None, None) => ClockStatus::Running,
        }
    }

    /// Under which its alarm is kept.
    pub fn key(&self) -> String {
        format!("{} {}", self.kind.code(), self.of)
    }
}

/// The municipality's duty to pay for one stay, as far as it can be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub phase: PaymentPhase,
    /// The first day that would be paid for.
    pub starts_on: Option<Date>,
    /// Calendar days from the notice to the end, or to today.
    pub ready_days: Option<i32>,
    /// Days that the law's own model would charge.
    pub charged_days: i32,
    /// Kronor for these days; none where a day has no amount in the table.
    pub sek: Option<u64>,
    pub blocks: Vec<PaymentBlock>,
}

impl Default for Payment {
    fn default() -> Self {
        Self { phase: PaymentPhase::NotApplicable, starts_on: None, ready_days: None, charged_days: 0, sek: None, blocks: Vec::new() }
    }
}

/// What is known of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sip {
    pub phase: SipPhase,
    /// Called by the municipality itself, in outpatient care.
    pub own_call: bool,
    pub made_at: Option<Timestamp>,
    pub follow_up: Option<Date>,
}

impl Default for Sip {
    fn default() -> Self {
        Self { phase: SipPhase::None, own_call: false, made_at: None, follow_up: None }
    }
}

/// A notice of ready for discharge that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyNotice {
    pub sent_at: Timestamp,
    pub open_care: Option<bool>,
}

/// One stay in inpatient care, or the announcement of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The event that opened it.
    pub of: String,
    pub phase: Phase,
    pub opened_at: Timestamp,
    /// When it was broken off.
    pub ended_at: Option<Timestamp>,
    /// When the region sent the admission notice.
    pub notice_at: Option<Timestamp>,
    pub admitted_at: Option<Timestamp>,
    pub specialty: Option<Specialty>,
    /// The notice lacks something that the law demands.
    pub incomplete: bool,
    /// The notice was sent too late.
    pub late: bool,
    pub estimate: Option<Timestamp>,
    /// R-UM, the planned discharge.
    pub planned: Option<Timestamp>,
    pub ready: Option<ReadyNotice>,
    /// When notices of ready for discharge were withdrawn.
    pub withdrawn: Vec<Timestamp>,
    /// The region's first call to a SIP.
    pub call_at: Option<Timestamp>,
    pub discharged_at: Option<Timestamp>,
    /// The earliest day of a risk assessment.
    pub risk_on: Option<Date>,
    /// Discharge before, in the same case, if it was recent.
    pub readmitted_after: Option<Timestamp>,
    pub checklist: ChecklistPhase,
    /// Items that applied, by owner, and whether they were done; as of the discharge once there is one.
    pub items: Vec<(ItemCode, Party, bool)>,
    /// Whether plan and risk assessment are there, and in time where the patient has been discharged; none where rule
    /// SIP-1 does not look at this stay.
    pub sip_met: Option<bool>,
    pub payment: Payment,
    pub deviations: Vec<Deviation>,
    pub clocks: Vec<Due>,
}

impl Stay {
    /// When it ended, in whatever way.
    pub fn end(&self) -> Option<Timestamp> {
        self.discharged_at.or(self.ended_at)
    }

    /// When the patient leaves, as far as it is known.
    pub fn leaves_at(&self) -> Option<Timestamp> {
        self.discharged_at.or(self.planned).or(self.estimate)
    }
}

/// What follows from the facts at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpisodeState {
    pub phase: Phase,
    pub circumstances: Circumstance,
    pub statuses: Statuses,
    pub seen: BTreeSet<EventType>,
    /// Units to answer to, by party: what recipients an event without any gets.
    pub units: BTreeMap<Party, String>,
    /// The best number of the patient that is known.
    pub patient: Option<Identity>,
    /// Two numbers of one kind: the case may be about two persons.
    pub two_persons: bool,
    pub protected: Protection,
    pub consent: Option<ConsentStatus>,
    pub sip: Sip,
    /// Enrolled in home health care.
    pub enrolled: bool,
    /// Requests to the health centre without an answer.
    pub open_requests: usize,
    /// The stay that is under way, or the last one.
    pub stay: Option<Stay>,
    /// Stays before it, oldest first.
    pub earlier: Vec<Stay>,
    /// Clocks of outpatient care.
    pub clocks: Vec<Due>,
    /// Events that do not count, and what says so: a rule, or `void`, or `corrected`.
    pub ignored: BTreeMap<String, &'static str>,
    /// K-MK and R-MK whose target has not come.
    pub waiting: BTreeSet<String>,
    /// When time alone will change something.
    pub look_at: Option<Timestamp>,
}

/// Why a fact does not count.
pub const VOID: &str = "void";
pub const CORRECTED: &str = "corrected";

impl Default for EpisodeState {
    /// An episode of which nothing is known.
    fn default() -> Self {
        Self {
            phase: Phase::New,
            circumstances: Circumstance::new(),
            statuses: Statuses::new(),
            seen: BTreeSet::new(),
            units: BTreeMap::new(),
            patient: None,
            two_persons: false,
            protected: Protection::None,
            consent: None,
            sip: Sip::default(),
            enrolled: false,
            open_requests: 0,
            stay: None,
            earlier: Vec::new(),
            clocks: Vec::new(),
            ignored: BTreeMap::new(),
            waiting: BTreeSet::new(),
            look_at: None,
        }
    }
}

impl EpisodeState {
    pub fn stays(&self) -> impl Iterator<Item = &Stay> {
        self.earlier.iter().chain(&self.stay)
    }

    pub fn deviations(&self) -> impl Iterator<Item = &Deviation> {
        self.stays().flat_map(|stay| &stay.deviations)
    }

    pub fn clocks(&self) -> impl Iterator<Item = &Due> {
        self.stays().flat_map(|stay| &stay.clocks).chain(&self.clocks)
    }

    pub fn discharged_at(&self) -> Option<Timestamp> {
        self.stay.as_ref().and_then(|stay| stay.discharged_at)
    }
}
