//! The care-transition event: what every source record becomes.

use super::bodies::{CanReceive, Destination, ItemStatus, Party};
use super::catalogue::{Body, EventType};
use super::ids::{HsaId, MessageId};
use super::node::Node;
use super::person::{PersonId, PersonIdKind};
use super::shape::{Card, Field, List, Part, ProblemKind, Reader, Shape, Sink, Text, codes, group};
use super::time::local_day;
use jiff::{Timestamp, civil::Date};
use std::collections::BTreeMap;

codes! {
    /// Protection of a person's data in the population register.
    Protection {
        None = "none": "Ingen", "None";
        Sekretessmarkering = "sekretessmarkering": "Sekretessmarkering", "Confidentiality flag";
        SkyddadFolkbokforing = "skyddadFolkbokforing": "Skyddad folkbokföring", "Protected population registration";
    }
}

codes! {
    /// Kind of number that identifies the patient.
    IdType {
        Personnummer = "personnummer": "Personnummer", "Personal number";
        Samordningsnummer = "samordningsnummer": "Samordningsnummer", "Coordination number";
        Nrid = "nrid": "Nationellt reservnummer", "National reserve number";
        ReservnummerVgr = "reservnummerVgr": "Reservnummer i Västra Götaland", "Reserve number of Västra Götaland";
        Other = "other": "Annat", "Other";
    }
}

impl IdType {
    /// The kind of number, where we can read it: what is of no known kind cannot be checked, nor named by an OID.
    pub const fn kind(self) -> Option<PersonIdKind> {
        match self {
            Self::Personnummer => Some(PersonIdKind::Personnummer),
            Self::Samordningsnummer => Some(PersonIdKind::Samordningsnummer),
            Self::Nrid => Some(PersonIdKind::Nrid),
            Self::ReservnummerVgr => Some(PersonIdKind::ReservnummerVgr),
            Self::Other => None,
        }
    }
}

codes! {
    /// State of the patient's consent.
    ConsentStatus {
        Given = "given": "Samtycke lämnat", "Consent given";
        Menprovning = "menprovning": "Menprövning gjord", "Assessed as not harmful (menprövning)";
        NotGiven = "not_given": "Samtycke ej lämnat", "Consent not given";
        NotRequired = "not_required": "Krävs inte", "Not required";
    }
}

codes! {
    /// Which municipality answers for the patient's costs (Lag (2017:612) 5 kap. 2 §).
    PayingMunicipality {
        Registered = "registered": "Folkbokförd här", "Registered here";
        PlacedByUs = "placedByUs": "Placerad av oss, folkbokförd i annan kommun", "Placed by us, registered elsewhere";
        PlacedByOther = "placedByOther": "Folkbokförd här, placerad av annan kommun", "Registered here, placed by another municipality";
        Other = "other": "Annan kommun", "Another municipality";
        Fictive = "fictive": "Fiktiv kommun (folkbokförd utanför länet)", "Fictive municipality (registered outside the county)";
        None = "none": "Ingen kommunenhet vald", "No municipal unit chosen";
    }
}

impl PayingMunicipality {
    pub fn is_us(self) -> bool {
        matches!(self, Self::Registered | Self::PlacedByUs)
    }
}

group! {
    /// The source's case.
    EpisodeRef {
        case_id "caseId": Text<200> = "Ärendets nummer i källsystemet", "Number of the case in the source system";
        region_case_id "regionCaseId": Option<Text<200>> = "Regionens ärendenummer", "The region's case number";
    }
}

group! {
    /// A person's name.
    PersonName {
        given "given": Text<200> = "Förnamn", "Given name";
        family "family": Text<200> = "Efternamn", "Family name";
    }
}

group! {
    /// The patient as the source wrote it, the number in its twelve characters.
    PatientRecord {
        id "id": Text<40> = "Patientens nummer", "Number of the patient";
        id_type "idType": IdType = "Slag av nummer", "Kind of number";
        name "name": Option<PersonName> = "Namn", "Name";
        address "address": Option<Text<400>> = "Folkbokföringsadress; lämnar aldrig för skyddade personer", "Registered address; never leaves for protected persons";
        protected "protected": Option<Protection> = "Skyddade personuppgifter; ingen om inget sägs", "Protected personal data; none where nothing is said";
    }
}

group! {
    /// A unit with its name.
    Unit {
        hsa_id "hsaId": HsaId = "Enhetens HSA-id", "HSA-id of the unit";
        name "name": Option<Text<200>> = "Enhetens namn", "Name of the unit";
    }
}

group! {
    /// Who wrote the event.
    Author {
        hsa_id "hsaId": Option<HsaId> = "HSA-id", "HSA-id";
        role "role": Option<Text<100>> = "Roll", "Role";
        unit "unit": Option<Unit> = "Enhet", "Unit";
    }
}

group! {
    /// The patient's consent.
    Consent {
        status "status": ConsentStatus = "Samtycke", "Consent";
        recorded_at "recordedAt": Option<Timestamp> = "När det dokumenterades", "When it was recorded";
        basis "basis": Option<Text<200>> = "Grund", "Basis";
    }
}

group! {
    /// A unit that shall have the message.
    Recipient {
        hsa_id "hsaId": HsaId = "Mottagande enhets HSA-id", "HSA-id of the receiving unit";
        party "party": Party = "Part", "Party";
    }
}

group! {
    /// What the event refers to.
    RefTo {
        message_id "messageId": Option<MessageId> = "Vårt meddelandes id", "Id of a message of ours";
        event_id "eventId": Option<Text<200>> = "Händelsens id i källsystemet", "Id of the event in the source system";
        region_message_id "regionMessageId": Option<Text<200>> = "Regionens meddelandes id", "Id of the region's message";
    }
}

group! {
    /// What the conditions of the checklist look at. What no event has said is unknown, and unknown counts as true.
    Circumstances {
        home_health_care "homeHealthCare": Option<bool> = "Hemsjukvård", "Home health care";
        home_services "homeServices": Option<bool> = "Insats enligt SoL eller LSS", "Service under the social services act or the disability act";
        medicine_help "medicineHelp": Option<bool> = "Hjälp med läkemedel", "Help with medicines";
        dose_packaging "dosePackaging": Option<bool> = "Dosdispenserade läkemedel", "Dose-dispensed medicines";
        aids_needed "aidsNeeded": Option<bool> = "Behov av hjälpmedel", "Aids needed";
        lives_alone "livesAlone": Option<bool> = "Bor ensam", "Lives alone";
        discharge_to "dischargeTo": Option<Destination> = "Utskrivs till", "Discharged to";
        relative_exists "relativeExists": Option<bool> = "Närstående finns", "There is a next of kin";
        guardian_exists "guardianExists": Option<bool> = "God man eller ställföreträdare finns", "There is a guardian";
        infection "infection": Option<bool> = "Smitta eller särskild utrustning", "Infection or special equipment";
        palliative "palliative": Option<bool> = "Palliativ vård", "Palliative care";
        medication_changed "medicationChanged": Option<bool> = "Läkemedel har ändrats", "Medication changed";
        adl_changed "adlChanged": Option<bool> = "ADL-förmågan har ändrats", "Activities of daily living changed";
        advanced_care "advancedCare": Option<bool> = "Avancerad vård mellan vårdgivare", "Advanced care between providers";
        hospital_sip "hospitalSip": Option<bool> = "SIP på sjukhus", "SIP at the hospital";
        municipality "municipality": Option<PayingMunicipality> = "Betalande kommun", "Paying municipality";
        both_providers_needed "bothProvidersNeeded": Option<bool> = "Insatser från båda huvudmännen", "Both providers needed";
    }
}

/// The names under which circumstances stand in an episode.
pub type Circumstance = BTreeMap<String, String>;

impl Circumstances {
    /// What is known, as name and code.
    pub fn known(&self) -> Circumstance {
        struct Pairs(Circumstance);
        impl Sink for Pairs {
            fn open(&mut self, _: &'static str) {}
            fn open_list(&mut self, _: &'static str) {}
            fn close(&mut self, _: &'static str) {}
            fn text(&mut self, name: &'static str, value: &str) {
                self.0.insert(name.to_owned(), value.to_owned());
            }
            fn bool(&mut self, name: &'static str, value: bool) {
                self.0.insert(name.to_owned(), value.to_string());
            }
        }
        let mut pairs = Pairs(BTreeMap::new());
        self.write("circumstances", &mut pairs);
        pairs.0
    }
}

group! {
    /// Everything of the event but its `data`.
    Head {
        event_id "eventId": Text<200> = "Händelsens id i källsystemet", "Id of the event in the source system";
        system "system": Text<100> = "Källsystemets namn", "Name of the source system";
        kind "type": EventType = "Händelsens typ", "Type of the event";
        occurred_at "occurredAt": Timestamp = "När det hände", "When it happened";
        sent_at "sentAt": Option<Timestamp> = "När regionen sände meddelandet; lagens tider räknas därifrån", "When the region sent it; the law's clocks run from it";
        episode_ref "episodeRef": EpisodeRef = "Ärende", "Case";
        patient "patient": PatientRecord = "Patient", "Patient";
        author "author": Option<Author> = "Upphov", "Author";
        consent "consent": Option<Consent> = "Samtycke", "Consent";
        recipients "recipients": Option<List<Recipient, 0>> = "Mottagare; annars ärendets, annars konfigurationens", "Recipients; else the episode's, else the configuration's";
        ref_to "refTo": Option<RefTo> = "Avser", "Refers to";
        region_message_id "regionMessageId": Option<Text<200>> = "Regionens meddelande-id", "The region's message id";
        corrects "corrects": Option<Text<200>> = "Id på den händelse som rättas", "Id of the event that is corrected";
        cancels "cancels": Option<Text<200>> = "Id på den händelse som återtas", "Id of the event that is withdrawn";
        circumstances "circumstances": Option<Circumstances> = "Omständigheter", "Circumstances";
    }
}

/// The patient, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    pub id: PersonId,
    pub name: Option<PersonName>,
    pub address: Option<Text<400>>,
    pub protected: Protection,
}

/// A well-formed event. What it means for its episode is decided further on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareEvent {
    pub head: Head,
    pub patient: Patient,
    pub body: Body,
}

impl CareEvent {
    /// Name of the field that holds the body.
    pub const DATA: &'static str = "data";

    /// The fields of the event, `data` last; its own fields depend on the type.
    pub fn fields() -> Vec<Field> {
        let mut fields = Head::FIELDS.to_vec();
        fields.push(Field {
            name: Self::DATA,
            card: Card::One,
            shape: Shape::Group(&[]),
            sv: "Innehåll, efter typ",
            en: "Content, by type",
        });
        fields
    }

    /// Reads an event and collects everything that is wrong with it.
    pub fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        if !r.expect_map(node, &Self::fields()) {
            return None;
        }
        let head = Head::read_fields(node, r);
        let patient = head.as_ref().and_then(|head| Self::patient(node, &head.patient, r));
        let kind = node.get("type").and_then(Self::known_type);
        let body = match (node.get(Self::DATA), kind) {
            (Some(data), Some(kind)) => r.within(Self::DATA, |r| {
                let body = Body::read(kind, data, r)?;
                cross_check(&body, data, r);
                not_yet(&body, data, r);
                Some(body)
            }),
            (None, _) => r.within(Self::DATA, |r| r.problem(node.at, ProblemKind::Missing)),
            (Some(_), None) => None,
        };
        if let Some(head) = &head {
            has_happened(head.occurred_at, "occurredAt", node, r);
        }
        let mut event = Self { head: head?, patient: patient?, body: body? };
        // Settled when the record is taken in: read in another century, a short form is another person.
        event.head.patient.id = Text(event.patient.id.number().clone());
        r.problems.is_empty().then_some(event)
    }

    /// Writes the canonical event.
    pub fn write(&self, out: &mut dyn Sink) {
        out.open("event");
        self.head.write_fields(out);
        self.body.write(Self::DATA, out);
        out.close("event");
    }

    fn known_type(node: &Node) -> Option<EventType> {
        EventType::read(node, &mut Reader::new(Date::MIN))
    }

    #[expect(clippy::disallowed_methods, reason = "reads the number in order to type it")]
    fn patient(node: &Node, record: &PatientRecord, r: &mut Reader) -> Option<Patient> {
        let place = |name| node.get("patient").and_then(|patient| patient.get(name)).map_or(node.at, |field| field.at);
        let at = place("id");
        let today = r.today;
        let id = r.within("patient", |r| {
            let Some(kind) = record.id_type.kind() else {
                return r.within("idType", |r| r.problem(place("idType"), ProblemKind::UnsupportedIdType));
            };
            let read = PersonId::parse(kind, record.id.0.disclose(), today);
            r.within("id", |r| read.map_err(|fault| r.problem::<()>(at, ProblemKind::Person(fault))).ok())
        })?;
        let protected = record.protected.unwrap_or(Protection::None);
        // The address of a protected person goes no further than this line.
        let address = record.address.clone().filter(|_| protected == Protection::None);
        Some(Patient { id, name: record.name.clone(), address, protected })
    }
}

/// What has happened lies no more than a day ahead: clocks may differ, years must not.
fn has_happened(at: Timestamp, name: &'static str, node: &Node, r: &mut Reader) {
    let latest = r.today.tomorrow().unwrap_or(Date::MAX);
    if local_day(at) > latest {
        let place = node.get(name).map_or(node.at, |field| field.at);
        r.within(name, |r| r.problem::<()>(place, ProblemKind::Future));
    }
}

/// The times in a body that tell of what has happened.
fn not_yet(body: &Body, data: &Node, r: &mut Reader) {
    match body {
        Body::RIn(notice) => has_happened(notice.admitted_at, "admittedAt", data, r),
        Body::RUk(ready) => has_happened(ready.ready_at, "readyAt", data, r),
        Body::RAu(withdrawn) => has_happened(withdrawn.withdrawn_at, "withdrawnAt", data, r),
        Body::RUt(discharged) => has_happened(discharged.discharged_at, "dischargedAt", data, r),
        Body::RDo(deceased) => has_happened(deceased.deceased_at, "deceasedAt", data, r),
        _ => {}
    }
}

/// What one field alone cannot tell.
fn cross_check(body: &Body, data: &Node, r: &mut Reader) {
    let missing = |r: &mut Reader, name: &'static str, at: usize| r.within(name, |r| r.problem::<()>(at, ProblemKind::Missing));
    match body {
        Body::KHt(take_home) => {
            if take_home.answer == CanReceive::Can && take_home.from.is_none() {
                missing(r, "from", data.at);
            }
            if take_home.answer == CanReceive::Cannot && take_home.obstacle_code.is_none() {
                missing(r, "obstacleCode", data.at);
            }
        }
        Body::KCl(update) => {
            for (place, item) in update.items.0.iter().enumerate() {
                if item.status == ItemStatus::EjAktuell && item.reason.is_none() {
                    let at = data.get("items").and_then(|items| items.item(place)).map_or(data.at, |item| item.at);
                    r.within("items", |r| r.at_index(place, |r| missing(r, "reason", at)));
                }
            }
        }
        _ => {}
    }
}
