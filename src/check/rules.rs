//! A set of rules as data: what is demanded, what failing it does, and what people are told.
//!
//! Reads and describes sets; which rule holds for a message is not decided here. A set with any fault is not used at all.

mod page;
mod read;

pub use crate::datafile::DataFault as RuleFault;
pub use page::{Parameter, applies_to, condition, owners, page, parameters, reference, seen, stage};

use crate::fault::Code;
use crate::model::bodies::Party;
use crate::model::catalogue::{EventType, Needs};
use crate::model::checklist::Item;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::regime::{ClBlock, Regime};
use crate::model::shape::codes;
use std::fmt;

codes! {
    /// What a rule looks at. Each is code; which rules use it, and to what effect, is data.
    Predicate {
        ChecklistComplete = "checklist_complete": "kommunens punkter i checklistan är klara", "the municipality's checklist items are done";
        RegionItems = "region_items": "regionens punkter i checklistan är klara vid utskrivningen", "the region's checklist items are done at the discharge";
        SipBeforeDischarge = "sip_before_discharge": "SIP och riskbedömning finns före utskrivningsdagen", "plan and risk assessment exist before the day of discharge";
        Consent = "consent": "patienten har lämnat samtycke", "the patient has given consent";
        CallOutsideStay = "call_outside_stay": "patienten är inte inskriven i slutenvård", "the patient is not in inpatient care";
        NoticeComplete = "notice_complete": "inskrivningsmeddelandet har det som lagen kräver", "the admission notice holds what the law demands";
        NoticeInTime = "notice_in_time": "inskrivningsmeddelandet sändes i tid", "the admission notice was sent in time";
        Payment = "payment": "kommunen har inget betalningsansvar", "the municipality has no duty to pay";
        ProtectedPerson = "protected_person": "patientens personuppgifter är inte skyddade", "the patient's personal data are not protected";
        OnePerson = "one_person": "ärendet gäller en och samma person", "the case is about one and the same person";
        Preconditions = "preconditions": "det som ska ha hänt först har hänt", "what must have happened first has happened";
        Duplicate = "duplicate": "händelsen har inte kommit förut", "the event has not come before";
        EpisodeOpen = "episode_open": "ärendet är inte avslutat", "the case is not closed";
    }
}

/// The types that a predicate can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every event.
    Events,
    /// Every message.
    Messages,
    /// Messages that the rule must name.
    NamedMessages,
    /// Some of these; the rule must name them.
    Named(&'static [EventType]),
}

impl Predicate {
    pub const fn reach(self) -> Reach {
        match self {
            Self::ChecklistComplete => Reach::Named(&[EventType::KHt]),
            Self::RegionItems => Reach::Named(&[EventType::RUt]),
            Self::SipBeforeDischarge => Reach::Named(&[EventType::RUk, EventType::RUt]),
            Self::CallOutsideStay => Reach::Named(&[EventType::KKs]),
            Self::NoticeComplete | Self::NoticeInTime => Reach::Named(&[EventType::RIn]),
            Self::Payment => Reach::Named(&[EventType::RUk]),
            Self::Consent => Reach::NamedMessages,
            Self::ProtectedPerson | Self::OnePerson | Self::Preconditions | Self::EpisodeOpen => Reach::Messages,
            Self::Duplicate => Reach::Events,
        }
    }
}

/// Id of a rule. Every id that a set may use is listed here, so that a log can name it without copying from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(&'static str);

impl RuleId {
    pub const KNOWN: &'static [&'static str] =
        &["CHK-1", "CHK-2", "SIP-1", "SIP-2", "SIP-3", "IN-1", "IN-2", "PAY-1", "PER-1", "PER-2", "ORD-1", "DUP-1", "LATE-1"];

    pub fn parse(text: &str) -> Option<Self> {
        Self::KNOWN.iter().find(|known| **known == text).map(|known| Self(known))
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// One text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    pub sv: String,
    pub en: String,
}

/// What `vardbro explain` tells of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub what: Texts,
    pub why: Texts,
    pub source: Texts,
    pub example: Texts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: RuleId,
    pub predicate: Predicate,
    pub effect: Effect,
    /// The types it applies to; `None` is every message, and every event of the region's too where it blocks nothing.
    pub on: Option<Vec<EventType>>,
    /// The sentence of the finding. `{items}` or `{types}` may stand in it.
    pub text: Texts,
    pub remedy: Texts,
    pub page: Page,
}

impl Rule {
    pub fn applies_to(&self, kind: EventType) -> bool {
        self.on.as_ref().map_or(kind.is_sent() || !blocks(self.effect), |kinds| kinds.contains(&kind))
    }
}

/// Whether an effect keeps a message from leaving. What the region originates is never blocked.
fn blocks(effect: Effect) -> bool {
    matches!(effect, Effect::Refuse | Effect::Withhold | Effect::Hold)
}

/// One version of a set of rules. It has no faults: only [`Rules::parse`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// `vanersborg/2026.1`.
    pub name: String,
    /// SHA-256 of the file's bytes in hexadecimal.
    pub hash: String,
    pub title: Texts,
    pub source: String,
    pub regime: Regime,
    list: Vec<Rule>,
}

/// The sets inside the binary, as name and text; where one must be picked without a configuration, the first is.
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    &[
        ("vanersborg/2026.1", include_str!("../../schemas/rules/vanersborg/2026.1/rules.toml")),
        ("lagen/2026.1", include_str!("../../schemas/rules/lagen/2026.1/rules.toml")),
    ]
}

impl Rules {
    /// Reads a file of rules; every fault is told at once.
    pub fn parse(text: &str) -> Result<Self, Vec<RuleFault>> {
        read::rules(text)
    }

    pub fn rules(&self) -> &[Rule] {
        &self.list
    }

    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.list.iter().find(|rule| rule.id.as_str() == id)
    }

    /// What rule `id` says; `items` are the checklist items that it says it of. The effect is the rule's own: who asks
    /// at another time than the rule has in mind (open items at R-UT are a deviation) sets another.
    pub fn finding(&self, id: &str, items: &[&Item]) -> Finding {
        let list = |text: fn(&Item) -> &str| {
            let lines: Vec<_> = items.iter().map(|item| format!("{} {}", item.code.as_str(), text(item))).collect();
            lines.join("; ")
        };
        let mut finding = self.filled(id, "{items}", &list(|item| &item.sv), &list(|item| &item.en));
        let mut owner: Vec<Party> = items.iter().flat_map(|item| item.owners.iter().copied()).collect();
        owner.sort_unstable();
        owner.dedup();
        finding.owner = owner;
        finding
    }

    /// What rule `id` says of a message whose needs have not been seen.
    pub fn finding_of_needs(&self, id: &str, needs: Needs) -> Finding {
        let list = |or: &str, any: &str, target: &str, text: fn(EventType) -> &'static str| match needs {
            Needs::Nothing => String::new(),
            Needs::AnyFromRegion => any.to_owned(),
            Needs::Target => target.to_owned(),
            Needs::AnyOf(kinds) => {
                let names: Vec<_> = kinds.iter().map(|kind| format!("{} {}", kind.code(), text(*kind))).collect();
                names.join(or)
            }
        };
        let sv = list(" eller ", "någon händelse från regionen", "det som makuleras", |kind| kind.texts().0);
        let en = list(" or ", "any event of the region's", "what is voided", |kind| kind.texts().1);
        self.filled(id, "{types}", &sv, &en)
    }

    fn filled(&self, id: &str, placeholder: &str, sv: &str, en: &str) -> Finding {
        let Some(rule) = self.rule(id) else {
            // A rule that the set lacks never fails, so nobody who is right asks for its finding.
            return Code::BugPanic.finding(Effect::Warn, Layer::Rules, None);
        };
        let warns = rule.predicate == Predicate::ChecklistComplete && self.regime.parameters.cl_block == ClBlock::Warn;
        let of_items = matches!(rule.predicate, Predicate::ChecklistComplete | Predicate::RegionItems);
        Finding {
            code: rule.id.as_str().to_owned(),
            effect: if warns { Effect::Warn } else { rule.effect },
            layer: if of_items { Layer::Checklist } else { Layer::Rules },
            path: None,
            place: None,
            mapping: None,
            sv: rule.text.sv.replace(placeholder, sv),
            en: rule.text.en.replace(placeholder, en),
            remedy_sv: rule.remedy.sv.clone(),
            remedy_en: rule.remedy.en.clone(),
            owner: Vec::new(),
        }
    }
}
