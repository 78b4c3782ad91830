//! The message as a text in Swedish, for whoever opens it in an inbox. Made of the document itself, so that it cannot say anything else.

use super::super::readable::{Line, lines, minute};
use crate::model::bodies::Party;
use crate::model::catalogue::EventType;
use crate::model::event::{Consent, IdType, PersonName, Protection, RefTo, Unit};
use crate::model::message::MessageStatus;
use crate::model::shape::Field;
use serde_json::Value;
use std::fmt::Write as _;

/// The whole text.
pub(super) fn text(kind: EventType, content: &Value) -> String {
    let header = &content["header"];
    let mut out = Page(String::new());
    out.line(0, kind.texts().0, Some(&format!("({})", kind.code())));
    if header["processingMode"] == "test" {
        out.line(0, "PROV: får aldrig ligga till grund för vård", None);
    }
    out.heading("Patient");
    patient(&content["patient"], &mut out);
    out.heading("Innehåll");
    out.fields(kind.row().fields, &content["body"][kind.row().element]);
    out.heading("Om meddelandet");
    about(header, &mut out);
    out.said("Avsändare", &header["sender"]["name"]);
    out.said("Avsändarens organisationsnummer", &header["sender"]["orgNumber"]);
    out.said("Avsändarens HSA-id", &header["sender"]["hsaId"]);
    out.fields(Unit::FIELDS, &header["sender"]["unit"]);
    out.said("Skrivet av, roll", &header["sender"]["author"]["role"]);
    out.said("Skrivet av, HSA-id", &header["sender"]["author"]["hsaId"]);
    for recipient in header["recipients"].as_array().into_iter().flatten() {
        let party = recipient["party"].as_str().and_then(Party::parse).map_or("", |party| party.texts().0);
        out.line(0, "Mottagare:", Some(&format!("{} {party}", recipient["hsaId"].as_str().unwrap_or_default())));
    }
    out.0
}

fn patient(patient: &Value, out: &mut Page) {
    out.said("Nummer", &patient["id"]["extension"]);
    if let Some(kind) = patient["id"]["root"].as_str().and_then(kind_of) {
        out.line(0, "Slag av nummer:", Some(kind));
    }
    out.fields(PersonName::FIELDS, &patient["name"]);
    out.said("Folkbokföringsadress", &patient["address"]);
    if let Some(protection) = patient["protectedIdentity"].as_str().and_then(Protection::parse).filter(|found| *found != Protection::None) {
        out.line(0, "Skyddade personuppgifter:", Some(protection.texts().0));
    }
}

/// The name of a kind of number.
fn kind_of(oid: &str) -> Option<&'static str> {
    let is = |code| IdType::parse(code).and_then(IdType::kind).is_some_and(|kind| kind.oid() == oid);
    IdType::VALUES.iter().find(|value| is(value.code)).map(|value| value.sv)
}

fn about(header: &Value, out: &mut Page) {
    let status = header["status"].as_str().and_then(MessageStatus::parse).map(|status| status.texts().0);
    out.line(0, "Status:", status);
    out.said("Version", &header["version"]);
    out.said("Ersätter meddelande", &header["replaces"]);
    out.moment("Hände", &header["eventTime"]);
    out.said("Svensk kalenderdag", &header["localDate"]);
    out.moment("Skrivet", &header["createdAt"]);
    out.said("Kommunens ärendenummer", &header["caseId"]);
    out.said("Regionens ärendenummer", &header["regionCaseId"]);
    out.fields(RefTo::FIELDS, &header["inReplyTo"]);
    out.fields(Consent::FIELDS, &header["consent"]);
    out.said("Meddelandets id", &header["messageId"]);
    out.said("Vårdtillfällets id", &header["episodeId"]);
    out.said("Löpnummer inom vårdtillfället", &header["sequenceNumber"]);
    out.said("Källsystem", &header["source"]["system"]);
    out.said("Händelsens id i källsystemet", &header["source"]["eventId"]);
    out.said("Prövat mot regelverket", &header["rules"]["name"]);
}

/// A text in the making.
struct Page(String);

impl Page {
    /// What goes over several lines goes on below its label.
    fn line(&mut self, depth: usize, label: &str, said: Option<&str>) {
        let indent = depth * 2;
        let _ = match said {
            None => writeln!(self.0, "{:indent$}{label}", ""),
            Some(said) => {
                writeln!(self.0, "{:indent$}{label} {}", "", said.replace('\n', &format!("\n{:indent$}", "", indent = indent + 2)))
            }
        };
    }

    fn heading(&mut self, name: &str) {
        let _ = writeln!(self.0, "\n{}", name.to_uppercase());
    }

    fn said(&mut self, label: &str, value: &Value) {
        if let Some(said) = value.as_str() {
            self.line(0, &format!("{label}:"), Some(said));
        }
    }

    fn moment(&mut self, label: &str, value: &Value) {
        if let Some(at) = value.as_str().and_then(|at| at.parse().ok()) {
            self.line(0, &format!("{label}:"), Some(&minute(at)));
        }
    }

    fn fields(&mut self, fields: &[Field], content: &Value) {
        for Line { depth, label, said } in lines(fields, content, true) {
            self.line(depth, &label, said.as_deref());
        }
    }
}
