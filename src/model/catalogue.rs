//! The catalogue: every type of event and message, in one place.
//!
//! The event schema, the XSD bodies, the reference pages and the routing all read these rows. A new type is a row here,
//! a group in `bodies/` and fixtures.

use super::bodies::{
    Acknowledgement, AdmissionNotice, CallReply, CareRequest, CentreAnswer, CentreRequest, ChecklistUpdate, ContactAppointed, Deceased,
    DischargeInformation, DischargePlanned, Discharged, Enrolment, EnrolmentEnd, FollowUp, Interruption, Leave, MunicipalCall, NewEstimate,
    Note, Party, PlanPart, PlanningData, ReadyForDischarge, ReadyWithdrawn, RegionalCall, RiskAssessment, TakeHome, Voiding, WardTransfer,
};
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
    /// What its `refTo` or `cancels` names.
    Target,
}

/// What opens a case; each of these shows that there is one.
const OPENING: &[EventType] =
    &[EventType::KVb, EventType::RIn, EventType::RUk, EventType::RUt, EventType::KHi, EventType::KOb, EventType::KKs, EventType::ROs];

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
    KVb "K-VB" "careRequest" CareRequest {
        sv: "Vårdbegäran", en: "Request for care", origin: Municipality, receivers: [Sv, Ov], needs: Needs::Nothing,
        trigger: "Kommunen sänder en person till sjukhus", "The municipality sends a person to hospital",
        deadline: "När personen åker, senast 2 timmar efter", "At departure, at most 2 hours later",
        source: "Practice (vårdbegäran in the KLARA SVPL guide); content and deadline [A]",
    }
    KPu "K-PU" "planningData" PlanningData {
        sv: "Planeringsunderlag från kommun", en: "Municipal planning data", origin: Municipality, receivers: [Sv, Ov],
        needs: Needs::AnyOf(&[EventType::RIn, EventType::RUk]),
        trigger: "Inskrivningsmeddelandet är kvitterat", "The admission notice has been acknowledged",
        deadline: "24 timmar efter R-IN", "24 hours after R-IN",
        source: "Lag (2017:612) 2 kap. 6 § (planning starts); content and deadline [A]",
    }
    KPm "K-PM" "planningNote" Note {
        sv: "Planeringsmeddelande", en: "Planning note", origin: Municipality, receivers: [Sv, Ov], needs: Needs::AnyOf(&[EventType::RIn, EventType::RUk]),
        trigger: "En anteckning är märkt för regionen", "A note is marked for the region",
        deadline: "När som helst under planeringen", "Any time during the planning",
        source: "[A]",
    }
    KSv "K-SV" "callReply" CallReply {
        sv: "Svar på kallelse till SIP", en: "Answer to the call to a SIP", origin: Municipality, receivers: [Ov], needs: Needs::AnyOf(&[EventType::RKs]),
        trigger: "Svaret på kallelsen är registrerat", "The answer to the call has been recorded",
        deadline: "En vardag efter R-KS", "One weekday after R-KS",
        source: "Lag (2017:612) 4 kap. 1 § (the municipality takes part); content and deadline [A]",
    }
    KSip "K-SIP" "planPart" PlanPart {
        sv: "SIP, kommunens del", en: "Municipal part of the SIP", origin: Municipality, receivers: [Sv, Ov], needs: Needs::AnyOf(&[EventType::RKs, EventType::KKs]),
        trigger: "Kommunens del av planen är beslutad", "The municipality has decided on its part of the plan",
        deadline: "Enligt kallelsen; utan dröjsmål", "As the call says; without delay",
        source: "Lag (2017:612) 4 kap. 1-2 §§; hälso- och sjukvårdslagen (2017:30) 16 kap. 4 §",
    }
    KRb "K-RB" "riskAssessment" RiskAssessment {
        sv: "Riskbedömning", en: "Assessment of risks", origin: Municipality, receivers: [Sv, Ov], needs: Needs::AnyOf(&[EventType::RIn, EventType::RUk]),
        trigger: "Bedömningen är signerad", "The assessment has been signed",
        deadline: "Före utskrivningsdagen", "Before the day of discharge",
        source: "Local action plan, Vänersborg 2024-2025 (assessment before the day of discharge); content [A]",
    }
    KCl "K-CL" "checklist" ChecklistUpdate {
        sv: "Checklista, kommunens punkter", en: "Municipal checklist status", origin: Municipality, receivers: [Sv, Ov],
        needs: Needs::AnyOf(&[EventType::RIn, EventType::RUk]),
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
    KAd "K-AD" "administrativeNote" Note {
        sv: "Administrativt meddelande", en: "Administrative note", origin: Municipality, receivers: [Sv, Ov], needs: Needs::AnyOf(OPENING),
        trigger: "En anteckning är märkt som administrativ", "A note is marked as administrative",
        deadline: "–", "–",
        source: "Practice (administrativt meddelande in the KLARA SVPL guide); content [A]",
    }
    KAv "K-AV" "interruption" Interruption {
        sv: "Avbrott i processen", en: "Process broken off", origin: Municipality, receivers: [Sv, Ov], needs: Needs::AnyOf(OPENING),
        trigger: "Kommunen vet att processen inte fortsätter", "The municipality knows that the process does not go on",
        deadline: "Genast", "At once",
        source: "Practice (avbrott i processen in the KLARA SVPL guide); content [A]",
    }
    KMk "K-MK" "voiding" Voiding {
        sv: "Makulering", en: "Message is void", origin: Municipality, receivers: [Sv, Ov], needs: Needs::Target,
        trigger: "Ett meddelande har visat sig vara fel", "A message has turned out to be wrong",
        deadline: "Genast", "At once",
        source: "Practice (felsänt meddelande in the KLARA SVPL guide); content [A]",
    }
    KHi "K-HI" "enrolment" Enrolment {
        sv: "Inskriven i hemsjukvård", en: "Enrolled in home health care", origin: Municipality, receivers: [Ov], needs: Needs::Nothing,
        trigger: "Personen har skrivits in i hemsjukvården", "The person was enrolled in home health care",
        deadline: "Nästa vardag", "The next weekday",
        source: "Practice (the listed health centre is told); content and deadline [A]",
    }
    KHa "K-HA" "enrolmentEnd" EnrolmentEnd {
        sv: "Avslutad i hemsjukvård", en: "Home health care ended", origin: Municipality, receivers: [Ov], needs: Needs::Nothing,
        trigger: "Personen har skrivits ut från hemsjukvården", "The home health care has ended",
        deadline: "Nästa vardag", "The next weekday",
        source: "[A]",
    }
    KOb "K-OB" "centreRequest" CentreRequest {
        sv: "Begäran till vårdcentral", en: "Request to the health centre", origin: Municipality, receivers: [Ov], needs: Needs::Nothing,
        trigger: "En sjuksköterska begär kontakt, bedömning eller ordination", "A nurse asks for contact, assessment or a prescription",
        deadline: "Akut: ring först, aldrig bara meddelande", "Acute: telephone first, never a message only",
        source: "Regional guideline for the outpatient process, 2023 (a need of coordination); content [A]",
    }
    KKs "K-KS" "municipalCall" MunicipalCall {
        sv: "Kallelse till SIP från kommun", en: "Municipal call to a SIP", origin: Municipality, receivers: [Sv, Ov], needs: Needs::Nothing,
        trigger: "Kommunen har bokat en SIP i öppenvården", "The municipality has booked a SIP in outpatient care",
        deadline: "Fem vardagar före mötet", "Five weekdays before the meeting",
        source: "Hälso- och sjukvårdslagen (2017:30) 16 kap. 4 §; deadline [A]",
    }
    KUf "K-UF" "followUp" FollowUp {
        sv: "Uppföljning av SIP", en: "Follow-up of a SIP", origin: Municipality, receivers: [Sv, Ov], needs: Needs::AnyOf(&[EventType::KSip]),
        trigger: "Planen är uppföljd", "The plan has been followed up",
        deadline: "På uppföljningsdagen", "On the day of the follow-up",
        source: "[A]",
    }
    RIn "R-IN" "admissionNotice" AdmissionNotice {
        sv: "Inskrivningsmeddelande", en: "Admission notice", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten har skrivits in och kan behöva insatser efteråt", "The patient was admitted and may need services afterwards",
        deadline: "24 timmar efter inskrivning eller senare bedömning", "24 hours after the admission or the later judgement",
        source: "Lag (2017:612) 2 kap. 1-3 §§",
    }
    RBu "R-BU" "newEstimate" NewEstimate {
        sv: "Ändrad beräknad utskrivning", en: "Changed estimate of the discharge", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Den beräknade tidpunkten för utskrivning har ändrats", "The estimated time of discharge has changed",
        deadline: "Så snart det är möjligt", "As soon as possible",
        source: "Lag (2017:612) 2 kap. 4 §",
    }
    RFv "R-FV" "contactAppointed" ContactAppointed {
        sv: "Fast vårdkontakt utsedd", en: "Permanent care contact appointed", origin: Region, receivers: [K, Sv], needs: Needs::Nothing,
        trigger: "Öppenvårdens enhet har utsett en fast vårdkontakt", "The outpatient unit has appointed a permanent care contact",
        deadline: "Före utskrivningen", "Before the discharge",
        source: "Lag (2017:612) 2 kap. 5 §; content [A]",
    }
    RPm "R-PM" "regionPlanningNote" Note {
        sv: "Planeringsmeddelande från regionen", en: "Planning note from the region", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "Avdelningen eller öppenvården har något att säga om planeringen", "The ward or the outpatient unit has something to say about the planning",
        deadline: "–", "–",
        source: "[A]",
    }
    RKs "R-KS" "regionalCall" RegionalCall {
        sv: "Kallelse till SIP", en: "Call to a SIP", origin: Region, receivers: [K, Sv], needs: Needs::Nothing,
        trigger: "Patienten behöver insatser från både region och kommun", "The patient needs services from both region and municipality",
        deadline: "Tre dagar efter R-UK", "Three days after R-UK",
        source: "Lag (2017:612) 4 kap. 1 och 3 §§; content [A]",
    }
    RUk "R-UK" "readyForDischarge" ReadyForDischarge {
        sv: "Underrättelse om utskrivningsklar", en: "Notice of ready for discharge", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Behandlande läkare har bedömt att patienten inte längre behöver slutenvård", "The treating physician judged that inpatient care is no longer needed",
        deadline: "Så snart som möjligt", "As soon as possible",
        source: "Lag (2017:612) 1 kap. 3 §, 3 kap. 1 §",
    }
    RAu "R-AU" "readyWithdrawn" ReadyWithdrawn {
        sv: "Återtagen utskrivningsklar", en: "Ready for discharge withdrawn", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten är inte längre utskrivningsklar", "The patient is no longer ready for discharge",
        deadline: "–", "–",
        source: "Lag (2017:612) 1 kap. 3 § (the judgement that no longer holds); message and content [A]",
    }
    RUm "R-UM" "dischargePlanned" DischargePlanned {
        sv: "Utskrivningsmeddelande", en: "Notice of the planned discharge", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Tiden för utskrivningen är planerad", "The time of the discharge has been planned",
        deadline: "–", "–",
        source: "Termbank of Socialstyrelsen (utskrivningsmeddelande); content [A]",
    }
    RUi "R-UI" "dischargeInformation" DischargeInformation {
        sv: "Information vid utskrivning", en: "Information at discharge", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten skrivs ut", "The patient is discharged",
        deadline: "Samma dag som utskrivningen", "The day of the discharge",
        source: "Lag (2017:612) 3 kap. 2 §; the fields [A]",
    }
    RUt "R-UT" "discharged" Discharged {
        sv: "Utskriven", en: "Discharged", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten har lämnat slutenvården", "The patient has left inpatient care",
        deadline: "–", "–",
        source: "[A]",
    }
    RMb "R-MB" "regionNote" Note {
        sv: "Meddelande till vård och omsorg", en: "Note to the municipal care", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "Regionen har något att säga, till exempel att personen inte skrevs in", "The region has something to say, such as that the person was not admitted",
        deadline: "–", "–",
        source: "Practice (KLARA SVPL guide); content [A]",
    }
    RAv "R-AV" "regionInterruption" Interruption {
        sv: "Avbrott från regionen", en: "Process broken off by the region", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "Regionen vet att processen inte fortsätter", "The region knows that the process does not go on",
        deadline: "–", "–",
        source: "Practice (avbrott i processen in the KLARA SVPL guide); content [A]",
    }
    RMk "R-MK" "regionVoiding" Voiding {
        sv: "Makulering från regionen", en: "Message of the region is void", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "Ett meddelande från regionen har visat sig vara fel", "A message of the region has turned out to be wrong",
        deadline: "–", "–",
        source: "Practice (felsänt meddelande in the KLARA SVPL guide); content [A]",
    }
    RAk "R-AK" "regionAcknowledgement" Acknowledgement {
        sv: "Kvittens från regionen", en: "Acknowledgement by a person of the region", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "En användare i regionen har kvitterat", "A user of the region has acknowledged",
        deadline: "–", "–",
        source: "Practice: messages are acknowledged by each unit; content [A]",
    }
    ROs "R-OS" "centreAnswer" CentreAnswer {
        sv: "Svar från vårdcentral", en: "Answer from the health centre", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "Vårdcentralen svarar eller informerar", "The health centre answers or informs",
        deadline: "När K-OB önskar svar", "When K-OB wants the answer",
        source: "Regional guideline for the outpatient process, 2023 (transfer of information); content [A]",
    }
    RPe "R-PE" "leave" Leave {
        sv: "Permission", en: "Leave", origin: Region, receivers: [K], needs: Needs::Nothing,
        trigger: "Patienten har permission", "The patient is on leave",
        deadline: "–", "–",
        source: "[A]",
    }
    RFl "R-FL" "wardTransfer" WardTransfer {
        sv: "Omflyttning", en: "Transfer to another ward", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten har flyttats till en annan avdelning", "The patient has been moved to another ward",
        deadline: "–", "–",
        source: "[A]",
    }
    RDo "R-DO" "deceased" Deceased {
        sv: "Avliden", en: "Deceased", origin: Region, receivers: [K, Ov], needs: Needs::Nothing,
        trigger: "Patienten har avlidit", "The patient has died",
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
