//! What a set of rules means for an episode: its checklist, its numbers, and which rules are in force.
//!
//! The fold and the rules both look at it; it is read from the set's file and knows nothing of texts.

use super::bodies::Party;
use super::catalogue::EventType;
use super::checklist::{Checklist, Item, Stage, Statuses};
use super::event::Circumstance;
use super::shape::codes;
use jiff::civil::Date;
use std::collections::BTreeSet;

codes! {
    /// Which of the municipality's items K-HT waits for.
    ClBlock {
        All = "all": "alla kommunens punkter", "every municipal item";
        StagePOnly = "stage_P_only": "bara punkter som ska vara klara före hemtagningsbeskedet", "only the items due before the take-home notice";
        Warn = "warn": "inga; öppna punkter ger en varning", "none; open items give a warning";
    }
}

codes! {
    /// Which stays rule SIP-1 looks at.
    SipScope {
        SipRequired = "sip_required": "vårdtillfällen där källsystemet säger att en SIP på sjukhus behövs", "stays of which the source says that a SIP at the hospital is needed";
        Flagged = "flagged": "vårdtillfällen märkta med avancerad vård mellan vårdgivare", "stays flagged as advanced care between providers";
        All = "all": "alla vårdtillfällen", "every stay";
    }
}

/// A number that a municipality sets.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    pub name: &'static str,
    pub sv: &'static str,
    pub en: &'static str,
    pub min: u32,
    pub max: u32,
    pub get: fn(&Parameters) -> u32,
    pub set: fn(&mut Parameters, u32),
}

macro_rules! numbers {
    ($($name:ident $min:literal..=$max:literal = $sv:literal, $en:literal;)+) => {
        /// Numbers and choices that a municipality sets. The texts of a number are its documentation: see [`NUMBERS`].
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Parameters {
            pub cl_block: ClBlock,
            pub sip_scope: SipScope,
            /// Whether an admission notice that lacks a statutory field is answered with a K-AD that asks for it.
            pub ask_incomplete: bool,
            /// Whether the day of the notice itself counts as a day of a patient who is ready for discharge.
            pub count_day_zero: bool,
            /// Types of the region's that a person is to acknowledge.
            pub acknowledge: BTreeSet<EventType>,
            $(pub $name: u32,)+
        }

        /// Every number, with its bounds.
        pub const NUMBERS: &[Number] = &[$(Number {
            name: stringify!($name), sv: $sv, en: $en, min: $min, max: $max,
            get: |parameters| parameters.$name,
            set: |parameters, value| parameters.$name = value,
        }),+];
    };
}

numbers! {
    take_home_useful_h 1..=8784 = "Timmar som en tillbakahållen K-HT är till nytta; sedan går den ut", "Hours for which a withheld K-HT is of use; then it expires";
    order_wait_h 1..=8784 = "Timmar som ett meddelande väntar på det som det behöver; sedan går det ut", "Hours for which a message waits for what it needs; then it expires";
    alarm_again_h 1..=8784 = "Timmar mellan påminnelserna om ett larm som står kvar", "Hours between reminders of an alarm that stays open";
    warn_before_h 1..=8784 = "Timmar före en tidsgräns då det varnas", "Hours before a due time at which a warning is given";
    checklist_lead_h 1..=8784 = "Timmar före planerad utskrivning då det varnas för öppna punkter", "Hours before the planned discharge at which open items are warned of";
    request_sent_h 1..=8784 = "Timmar inom vilka en vårdbegäran (K-VB) ska ha kommit hit", "Hours within which a care request (K-VB) must have come here";
    not_admitted_h 1..=8784 = "Timmar efter vilka en vårdbegäran utan inskrivning avslutas", "Hours after which a care request without an admission is closed";
    admission_notice_h 1..=8784 = "Timmar inom vilka inskrivningsmeddelandet ska sändas (lagen: 24)", "Hours within which the admission notice must be sent (the law: 24)";
    planning_data_h 1..=8784 = "Timmar efter R-IN inom vilka K-PU ska gå", "Hours after R-IN within which K-PU must leave";
    take_home_answer_h 1..=8784 = "Timmar efter R-UK inom vilka K-HT ska gå", "Hours after R-UK within which K-HT must leave";
    sip_call_days 0..=366 = "Dagar efter R-UK då kallelsen till SIP senast ska sändas (lagen: 3)", "Days after R-UK by which the call to a SIP must be sent (the law: 3)";
    call_answer_weekdays 0..=60 = "Vardagar inom vilka en kallelse till SIP ska besvaras", "Weekdays within which a call to a SIP must be answered";
    call_ahead_weekdays 0..=60 = "Vardagar före mötet då kommunens kallelse till SIP senast ska gå", "Weekdays before the meeting by which the municipality's call to a SIP must leave";
    enrolment_weekdays 0..=60 = "Vardagar inom vilka in- eller utskrivning i hemsjukvården ska meddelas", "Weekdays within which an enrolment in home health care or its end must be told";
    after_weekdays 0..=60 = "Vardagar efter utskrivningen då punkter i skede E ska vara klara", "Weekdays after the discharge by which items of stage E must be done";
    payment_days 0..=366 = "Dagar efter utskrivningsklar då betalningsansvaret börjar (lagen: 3)", "Days after ready for discharge when the duty to pay begins (the law: 3)";
    payment_days_after_noon 0..=366 = "Dagar om underrättelsen sändes efter kl. 12.00 (lagen: 4)", "Days if the notice was sent after noon (the law: 4)";
    mean_threshold_tenths 1..=3660 = "Regionens medelvärdesmodell: gräns i tiondels dagar", "The region's model of the mean: threshold in tenths of a day";
    individual_days 1..=366 = "Dagar över vilka ett vårdtillfälle räknas för sig", "Days above which a stay is counted by itself";
    readmission_days 1..=366 = "Dagar efter utskrivning då en ny inskrivning är en återinskrivning", "Days after a discharge within which a new admission is a readmission";
}

#[expect(clippy::derivable_impls, reason = "the list of codes has no place for the attribute")]
impl Default for ClBlock {
    fn default() -> Self {
        Self::All
    }
}

#[expect(clippy::derivable_impls, reason = "the list of codes has no place for the attribute")]
impl Default for SipScope {
    fn default() -> Self {
        Self::SipRequired
    }
}

/// What a day costs from a day on (Lag (2017:612) 5 kap. 6 §).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    pub from: Date,
    /// Swedish kronor a day.
    pub sek: u32,
    pub source: String,
}

/// A set of rules as an episode sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Regime {
    pub checklist: Checklist,
    pub parameters: Parameters,
    /// Ids of the rules in force.
    pub rules: BTreeSet<&'static str>,
    /// In the order of their days.
    pub amounts: Vec<Amount>,
}

impl Regime {
    /// Whether the municipality may say that it can receive, going by the checklist.
    pub fn lets_receive(&self, statuses: &Statuses, known: &Circumstance) -> bool {
        self.holding_back(statuses, known).next().is_none()
    }

    /// The municipality's open items that K-HT waits for.
    pub fn holding_back<'a>(&'a self, statuses: &'a Statuses, known: &'a Circumstance) -> impl Iterator<Item = &'a Item> {
        let block = self.parameters.cl_block;
        let counts = move |item: &&Item| match block {
            ClBlock::All => item.stage != Stage::After,
            ClBlock::StagePOnly => item.stage == Stage::BeforeTakeHome,
            ClBlock::Warn => false,
        };
        self.checklist.open(Party::K, statuses, known).filter(counts)
    }

    pub fn has(&self, rule: &str) -> bool {
        self.rules.contains(rule)
    }

    /// What a day costs on a day. Amounts are set for a year (5 kap. 6 §): a year without a row has none.
    pub fn amount(&self, day: Date) -> Option<&Amount> {
        self.amounts.iter().rev().find(|amount| amount.from <= day && amount.from.year() == day.year())
    }
}
