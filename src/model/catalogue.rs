//! The catalogue: every type of event and message, in one place.
//!
//! The event schema, the XSD bodies, the reference pages and the routing all read these rows. A new type is a row here,
//! a group in `bodies.rs` and fixtures.

use super::bodies::{Acknowledgement, AdmissionNotice, ChecklistUpdate, Discharged, Party, PlanningData, ReadyForDischarge, TakeHome};
use super::node::Node;
use super::shape::{Field, Part, Reader, Sink};

/// Who originates a type, and so what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An event of the region's: it changes the episode and starts clocks; it is never sent.
    Region,
    /// An event of the municipality's: it gives rise to a message.
    Municipality,
}

/// What must have been seen in the episode before a message may leave (rule ORD-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    /// One of these events.
    AnyOf(&'static [EventType]),
    /// Any event of the region's.
    AnyFromRegion,
}

/// One row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub kind: EventType,
    /// Code in events, documents and logs, ASCII.
    pub code: &'static str,
    /// Name of the body's element in the XSD.
    pub element: &'static str,
    pub sv: &'static str,
    pub en: &'static str,
    pub origin: Origin,
    /// The parties that normally have it.
    pub receivers: &'static [Party],
    pub needs: Needs,
    pub trigger_sv: &'static str,
    pub trigger_en: &'static str,
    pub deadline_sv: &'static str,
    pub deadline_en: &'static str,
    /// Paragraph of the law, agreement or practice; `[A]` marks our own choice.
    pub source: &'static str,
    pub fields: &'static [Field],
}

macro_rules! catalogue {
    ($($variant:ident $code:literal $element:literal $body:ident {
        sv: $sv:literal, en: $en:literal, origin: $origin:ident, receivers: [$($receiver:ident),*], needs: $needs:expr,
        trigger: $trigger_sv:literal, $trigger_en:literal, deadline: $deadline_sv:literal, $deadline_en:literal, source: $source:literal,
    })+) => {
        super::shape::codes! {
            /// Type of an event or message.
            EventType { $($variant = $code: $sv, $en;)+ }
        }

        /// Every type, in the order in which people list them.
        pub const CATALOGUE: &[Row] = &[$(Row {
            kind: EventType::$variant, code: $code, element: $element, sv: $sv, en: $en, origin: Origin::$origin,
            receivers: &[$(Party::$receiver),*], needs: $needs, trigger_sv: $trigger_sv, trigger_en: $trigger_en,
            deadline_sv: $deadline_sv, deadline_en: $deadline_en, source: $source, fields: $body::FIELDS,
        }),+];

        /// The content of an event, by type.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body { $(#[doc = $en] $variant($body)),+ }

        impl Body {
            pub fn read(kind: EventType, node: &Node, r: &mut Reader) -> Option<Self> {
                match kind { $(EventType::$variant => $body::read(node, r).map(Self::$variant)),+ }
            }

            pub fn write(&self, name: &'static str, out: &mut dyn Sink) {
                match self { $(Self::$variant(body) => body.write(name, out)),+ }
            }
        }
    };
}

catalogue! {
    KPu "K-PU" "planningData" PlanningData {
        sv: "Planeringsunderlag från kommun", en: "Municipal planning data", origin: Municipality, receivers: [Sv, Ov],
        needs: Needs::AnyOf(&[EventType::RIn]),
        trigger: "Inskrivningsmeddelandet är kvitterat", "The admission notice has been acknowledged",
        deadline: "24 timmar efter R-IN", "24 hours after R-IN",
        source: "Lag (2017:612) 2 kap. 6 § (planning starts); content and deadline [A]",
    }
    KCl "K-CL" "checklist" ChecklistUpdate {
        sv: "Checklista, kommunens punkter", en: "Municipal checklist status", origin: Municipality, receivers: [Sv, Ov],
        needs: Needs::AnyOf(&[EventType::RIn]),
        trigger: "En punkt i checklistan har ändrats", "An item of the checklist changed",
        deadline: "Alla kommunens punkter före utskrivning (CHK-1)", "All municipal items before discharge (CHK-1)",
        source: "Local action plan, Vänersborg 2024-2025 (checklist before discharge); content [A]",
    }
    KHt "K-HT" "takeHome" TakeHome {
        sv: "Besked om hemtagning", en: "Notice whether the municipality can receive", origin: Municipality, receivers: [Sv, Ov],
        needs: Needs::AnyOf(&[EventType::RIn, EventType::RUk]),
        trigger: "Kommunen har beslutat om den kan ta emot", "The municipality has decided whether it can receive",
        deadline: "Så snart det är beslutat efter R-UK", "As soon as decided after R-UK",
        source: "[A]",
    }
    KKv "K-KV" "acknowledgement" Acknowledgement {
        sv: "Kvittens", en: "Acknowledgement by a person", origin: Municipality, receivers: [Sv, Ov],
        needs: Needs::AnyFromRegion,
        trigger: "En användare har kvitterat", "A user has acknowledged",
        deadline: "Samma dag, annars nästa vardag kl. 12", "The same day, else the next weekday at noon",
        source: "Practice: the inbox is read daily; deadline [A]",
    }
    RIn "R-IN" "admissionNotice" AdmissionNotice {
        sv: "Inskrivningsmeddelande", en: "Admission notice", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten har skrivits in och kan behöva insatser efteråt", "The patient was admitted and may need services afterwards",
        deadline: "24 timmar efter inskrivning eller senare bedömning", "24 hours after the admission or the later judgement",
        source: "Lag (2017:612) 2 kap. 1-3 §§",
    }
    RUk "R-UK" "readyForDischarge" ReadyForDischarge {
        sv: "Underrättelse om utskrivningsklar", en: "Notice of ready for discharge", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Behandlande läkare har bedömt att patienten inte längre behöver slutenvård", "The treating physician judged that inpatient care is no longer needed",
        deadline: "Så snart som möjligt", "As soon as possible",
        source: "Lag (2017:612) 1 kap. 3 §, 3 kap. 1 §",
    }
    RUt "R-UT" "discharged" Discharged {
        sv: "Utskriven", en: "Discharged", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten har lämnat slutenvården", "The patient has left inpatient care",
        deadline: "–", "–",
        source: "[A]",
    }
}

impl EventType {
    /// The type's row.
    pub fn row(self) -> &'static Row {
        // CATALOGUE and the enum come from one list, in one order.
        &CATALOGUE[self as usize]
    }

    pub fn is_sent(self) -> bool {
        self.row().origin == Origin::Municipality
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_finds_its_own_row() {
        for row in CATALOGUE {
            assert_eq!(row.kind.row().code, row.code);
            assert_eq!(row.code.starts_with("K-"), row.origin == Origin::Municipality, "{}", row.code);
        }
    }
}
