//! What stands around a body in the message: transmission, header and patient, as elements for the schema.
//!
//! The order here is the order in which [`super::xml`] writes.

use super::xsd::{Content, Element, Simple};
use crate::model::catalogue::{CATALOGUE, Origin};
use crate::model::event::{Consent, IdType, PersonName, Protection, Recipient, RefTo, Unit};
use crate::model::message::MessageStatus;
use crate::model::shape::{CodeValue, Field};

const MODES: &[CodeValue] = &[
    CodeValue {
        code: "production",
        sv: "Skarp drift: uppgifterna gäller en verklig person",
        en: "Production: the data is about a real person",
    },
    CodeValue { code: "test", sv: "Prov: får aldrig ligga till grund för vård", en: "Test: must never be acted upon" },
];

const CONFIDENTIAL: &[CodeValue] = &[CodeValue { code: "true", sv: "Sekretess gäller", en: "Confidential" }];

/// Simple types with a pattern.
pub(super) const SIMPLE: &[Simple] = &[
    Simple { name: "SchemaVersion", base: "xs:string", pattern: "1\\.[0-9]{1,3}", sv: "Schemats version", en: "Version of the schema" },
    Simple {
        name: "Uuid",
        base: "xs:string",
        pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        sv: "UUID med små bokstäver",
        en: "UUID in lower case",
    },
    Simple { name: "Hash", base: "xs:string", pattern: "[0-9a-f]{64}", sv: "SHA-256, hexadecimalt", en: "SHA-256 in hexadecimal" },
    Simple {
        name: "Instant",
        base: "xs:dateTime",
        pattern: "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z",
        sv: "Tidpunkt i UTC med millisekunder",
        en: "Instant in UTC with milliseconds",
    },
    Simple {
        name: "Day",
        base: "xs:date",
        pattern: "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        sv: "Svensk kalenderdag utan zon",
        en: "Swedish calendar day without zone",
    },
    Simple { name: "Bool", base: "xs:boolean", pattern: "true|false", sv: "Ja (true) eller nej (false)", en: "Yes (true) or no (false)" },
    Simple { name: "Number", base: "xs:positiveInteger", pattern: "[1-9][0-9]{0,17}", sv: "Heltal från 1", en: "Whole number from 1" },
    Simple { name: "HsaId", base: "xs:string", pattern: "SE[0-9]{10}-[A-Za-z0-9]{1,18}", sv: "HSA-id", en: "HSA-id" },
    Simple {
        name: "OrgNumber",
        base: "xs:string",
        pattern: "[0-9]{2}[2-9][0-9]{7}",
        sv: "Organisationsnummer, tio siffror",
        en: "Organisation number, ten digits",
    },
    Simple {
        name: "Phone",
        base: "xs:string",
        pattern: "([+\\-() ]*[0-9]){3,32}[+\\-() ]*",
        sv: "Telefonnummer: siffror, +, -, parenteser och blanktecken, minst tre siffror",
        en: "Telephone number: digits, +, -, brackets and blanks, three digits at least",
    },
    Simple {
        name: "PersonNumber",
        base: "xs:string",
        pattern: "[0-9]{8}([0-9]{4}|[KMX][0-9]{3}|[A-HJ-NPR-UX-Z]{2}[0-9A-HJ-NPR-UX-Z][0-9])",
        sv: "Tolv tecken utan skiljetecken: ÅÅÅÅMMDDNNNN, eller ett reservnummer av angivet slag",
        en: "Twelve characters without a separator: YYYYMMDDNNNN, or a reserve number of the named kind",
    },
];

fn named(name: &'static str, kind: &'static str, sv: &'static str, en: &'static str) -> Element {
    Element::one(name, Content::Named(kind), sv, en)
}

fn text(name: &'static str, max: usize, sv: &'static str, en: &'static str) -> Element {
    Element::one(name, Content::Text(max), sv, en)
}

fn codes(name: &'static str, values: &[CodeValue], sv: &'static str, en: &'static str) -> Element {
    Element::one(name, Content::Codes(values.to_vec()), sv, en)
}

fn group(name: &'static str, inner: Vec<Element>, sv: &'static str, en: &'static str) -> Element {
    Element::one(name, Content::Group(inner), sv, en)
}

fn fields(name: &'static str, fields: &[Field], sv: &'static str, en: &'static str) -> Element {
    group(name, fields.iter().map(Element::of).collect(), sv, en)
}

/// The whole document.
pub(super) fn message() -> Element {
    let transmission = vec![
        named("envelopeId", "Uuid", "Sändningens id, nytt för varje försök", "Id of the transmission, new for each attempt"),
        named("sentAt", "Instant", "När sändningen gjordes", "When it was sent"),
        named(
            "contentHash",
            "Hash",
            "SHA-256 över innehållets byte, från <content till </content>",
            "SHA-256 over the bytes of the content, from <content to </content>",
        ),
    ];
    group(
        "message",
        vec![
            group("transmission", transmission, "Uppgifter om just den här sändningen", "About this very transmission"),
            group(
                "content",
                vec![header(), patient(), body()],
                "Innehållet, oförändrat vid omsändning",
                "The content, unchanged when sent again",
            ),
        ],
        "Ett meddelande från kommunen om en vårdövergång",
        "A message from the municipality about a care transition",
    )
}

fn header() -> Element {
    let types: Vec<CodeValue> = sent_rows().map(|row| CodeValue { code: row.code, sv: row.sv, en: row.en }).collect();
    let inner = vec![
        named("messageId", "Uuid", "Meddelandets id, detsamma vid omsändning", "Id of the message, the same when sent again"),
        codes("messageType", &types, "Meddelandets typ", "Type of the message"),
        codes("status", MessageStatus::VALUES, "Nytt, ändrat eller makulerat", "New, changed or cancelled"),
        named("version", "Number", "Händelsens version, från 1", "Version of the event, from 1"),
        named("createdAt", "Instant", "När innehållet skrevs", "When the content was written"),
        named("eventTime", "Instant", "När det hände", "When it happened"),
        named("localDate", "Day", "Svensk kalenderdag för händelsen", "Swedish calendar day of the event"),
        codes("processingMode", MODES, "Skarp drift eller prov", "Production or test"),
        sender(),
        recipients(),
        text("caseId", 200, "Ärendets nummer i källsystemet", "Number of the case in the source system"),
        text("regionCaseId", 200, "Regionens ärendenummer", "The region's case number").optional(),
        named("episodeId", "Uuid", "Vårdtillfällets id", "Id of the care episode"),
        named(
            "sequenceNumber",
            "Number",
            "Löpnummer inom vårdtillfället; luckor får finnas",
            "Number within the episode; gaps are allowed",
        ),
        fields("inReplyTo", RefTo::FIELDS, "Vad meddelandet avser", "What the message refers to").optional(),
        named("replaces", "Uuid", "Meddelandet som det här ersätter", "The message that this one replaces").optional(),
        group(
            "source",
            vec![
                text("system", 100, "Källsystemets namn", "Name of the source system"),
                text("eventId", 200, "Händelsens id i källsystemet", "Id of the event in the source system"),
            ],
            "Varifrån händelsen kom",
            "Where the event came from",
        ),
        group(
            "rules",
            vec![
                text("name", 100, "Regelverkets namn och version", "Name and version of the rules"),
                named("hash", "Hash", "Regelverkets kontrollsumma", "Hash of the rules"),
            ],
            "Regelverket som meddelandet är prövat mot",
            "The rules by which the message was checked",
        ),
        fields("consent", Consent::FIELDS, "Patientens samtycke", "The patient's consent").optional(),
        codes("confidentiality", CONFIDENTIAL, "Sekretess", "Confidentiality"),
    ];
    group("header", inner, "Meddelandets huvud", "Header of the message")
}

fn sender() -> Element {
    let author = vec![named("hsaId", "HsaId", "HSA-id", "HSA-id").optional(), text("role", 100, "Roll", "Role").optional()];
    group(
        "sender",
        vec![
            named("orgNumber", "OrgNumber", "Kommunens organisationsnummer", "Organisation number of the municipality"),
            named("hsaId", "HsaId", "Avsändande enhets HSA-id", "HSA-id of the sending unit"),
            text("name", 200, "Avsändarens namn", "Name of the sender").optional(),
            fields("unit", Unit::FIELDS, "Enheten där händelsen skrevs", "The unit where the event was written").optional(),
            group("author", author, "Vem som skrev händelsen", "Who wrote the event").optional(),
        ],
        "Avsändare",
        "Sender",
    )
}

fn recipients() -> Element {
    let item = Recipient::FIELDS.iter().map(Element::of).collect();
    Element::list("recipients", 1, Content::Group(item), "Alla mottagare", "Every recipient")
}

fn patient() -> Element {
    let kinds = IdType::VALUES.iter().filter_map(|value| Some((IdType::parse(value.code)?.kind()?, value)));
    let roots: Vec<CodeValue> = kinds.map(|(kind, value)| CodeValue { code: kind.oid(), ..*value }).collect();
    let id = vec![
        codes("root", &roots, "Slag av nummer, som OID", "Kind of number, as an OID"),
        named("extension", "PersonNumber", "Numret", "The number"),
    ];
    group(
        "patient",
        vec![
            group("id", id, "Patientens nummer", "Number of the patient"),
            fields("name", PersonName::FIELDS, "Namn", "Name").optional(),
            text("address", 400, "Folkbokföringsadress; aldrig för skyddade personer", "Registered address; never for protected persons")
                .optional(),
            codes("protectedIdentity", Protection::VALUES, "Skyddade personuppgifter", "Protected personal data"),
        ],
        "Patienten",
        "The patient",
    )
}

fn body() -> Element {
    let bodies = sent_rows().map(|row| fields(row.element, row.fields, row.sv, row.en)).collect();
    Element::one("body", Content::Choice(bodies), "Innehåll, efter typ", "Content, by type")
}

fn sent_rows() -> impl Iterator<Item = &'static crate::model::catalogue::Row> {
    CATALOGUE.iter().filter(|row| row.origin == Origin::Municipality)
}
