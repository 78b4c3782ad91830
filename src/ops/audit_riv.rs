//! Rows of the audit log as log posts of the national log service (säkerhetstjänster, `urn:riv:ehr:log:1`), in the order and
//! under the names of its contract `StoreLog` 1.0: a file that can be handed to it, or read by what reads it.
//!
//! A post is about one patient, so rows about none have none. Those who run commands here have no HSA-id: the post names the
//! organisation's in its place, and the person by name.

use super::audit::actor;
use crate::model::ids::HsaId;
use crate::model::personal::Personal;
use crate::model::time::instant_text;
use crate::store::{AuditRow, Kind};
use quick_xml::escape::escape;
use serde_json::Value;
use std::fmt::Write as _;
use std::io;
use uuid::Uuid;

const SERVICE: &str = "urn:riv:ehr:log:store:StoreLogResponder:1";
const LOG: &str = "urn:riv:ehr:log:1";

pub(super) fn begin(out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<store:StoreLogRequest xmlns:store="{SERVICE}" xmlns:log="{LOG}">"#)
}

pub(super) fn end(out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "</store:StoreLogRequest>")
}

/// The log service's words for what was done, and why; none where nothing was done with a patient's data.
fn activity(kind: Kind) -> Option<(&'static str, &'static str)> {
    match kind {
        Kind::Disclosed | Kind::Printed => Some(("Utskrift", "Vård och behandling")),
        Kind::Asked => Some(("Läsa", "Administration")),
        Kind::Released | Kind::Resent | Kind::Resolved => Some(("Skriva", "Vård och behandling")),
        _ => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "goes into the export, and stays Personal until then")]
pub(super) fn post(row: &AuditRow, hsa_id: &HsaId, name: &str) -> Option<Personal<String>> {
    let body = row.body.disclose();
    let (kind, purpose) = activity(Kind::parse(&row.kind)?)?;
    let patient = body.pointer("/subject/patient/id").and_then(Value::as_str)?;
    let args: Vec<String> =
        [("message", row.message.as_deref()), ("destination", row.destination.as_deref()), ("outcome", text(body, "outcome"))]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
            .collect();
    let resource = format!("Meddelande {}", text(body, "type").unwrap_or_default());
    let mut out = String::new();
    let unit = |what: &str| {
        format!(
            "<log:{what}><log:{what}Id>{}</log:{what}Id><log:{what}Name>{}</log:{what}Name></log:{what}>",
            hsa_id.as_str(),
            escape(name)
        )
    };
    let owner = unit("CareProvider") + &unit("CareUnit");
    let _ = writeln!(out, "<store:Log><log:LogId>{}</log:LogId>", log_id(row)?);
    let _ =
        writeln!(out, "<log:System><log:SystemId>{}</log:SystemId><log:SystemName>vardbro</log:SystemName></log:System>", hsa_id.as_str());
    let _ = writeln!(
        out,
        "<log:Activity><log:ActivityType>{kind}</log:ActivityType><log:ActivityLevel>{}</log:ActivityLevel><log:ActivityArgs>{}</log:ActivityArgs><log:StartDate>{}</log:StartDate><log:Purpose>{purpose}</log:Purpose></log:Activity>",
        escape(&row.kind),
        escape(args.join("; ")),
        instant_text(row.at),
    );
    let _ = writeln!(
        out,
        "<log:User><log:UserId>{}</log:UserId><log:Name>{}</log:Name>{owner}</log:User>",
        hsa_id.as_str(),
        escape(actor(body))
    );
    let _ = writeln!(
        out,
        "<log:Resources><log:Resource><log:ResourceType>{}</log:ResourceType><log:Patient><log:PatientId>{}</log:PatientId></log:Patient>{owner}</log:Resource></log:Resources></store:Log>",
        escape(resource.trim_end()),
        escape(patient),
    );
    Some(Personal::new(out))
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// Made of the row: exported twice, it is the same post.
fn log_id(row: &AuditRow) -> Option<Uuid> {
    let digits = row.mac.get(..32)?;
    Some(Uuid::new_v8(u128::from_str_radix(digits, 16).ok()?.to_be_bytes()))
}
