//! A message in a wire, to be looked at: what a document of ours becomes, or an event as it would be written first thing.

use crate::config::Wire;
use crate::fault::Code;
use crate::intake::Desk;
use crate::map::{Limits, Mapping};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::personal::Personal;
use crate::model::time::local_day;
use crate::wire::sdk::{self, Parties};
use crate::wire::xml;
use jiff::Timestamp;

/// One document for each message that the file is or gives.
pub fn render(bytes: &[u8], desk: &Desk, wire: Wire, parties: &Parties, now: Timestamp) -> Result<Vec<Personal<Vec<u8>>>, Vec<Finding>> {
    let documents = if xml::read(bytes).is_ok() { vec![Personal::new(bytes.to_vec())] } else { sketches(bytes, desk, now)? };
    let framed = |document: Personal<Vec<u8>>| match wire {
        Wire::Xml => Ok(document),
        Wire::Sdk => match sdk::letter(&document, parties) {
            Ok(letter) => Ok(sdk::write(&letter)),
            Err(_) => Err(refused(Code::OutNotADocument)),
        },
    };
    documents.into_iter().map(framed).collect()
}

fn sketches(bytes: &[u8], desk: &Desk, now: Timestamp) -> Result<Vec<Personal<Vec<u8>>>, Vec<Finding>> {
    let (mut documents, mut findings) = (Vec::new(), Vec::new());
    Mapping::canonical().each(bytes, None, Limits::default(), local_day(now), &mut |record| match record.events {
        Ok(events) => {
            for event in events.into_iter().filter(|mapped| mapped.event.head.kind.is_sent()) {
                match desk.sketch(&event.event, now) {
                    Ok(document) => documents.push(document),
                    Err(found) => findings.extend(found),
                }
            }
        }
        Err(found) => findings.extend(found),
    });
    if documents.is_empty() && findings.is_empty() {
        findings = refused(Code::OutNotADocument);
    }
    if findings.is_empty() { Ok(documents) } else { Err(findings) }
}

fn refused(code: Code) -> Vec<Finding> {
    vec![code.finding(Effect::Refuse, Layer::Syntax, None)]
}
