//! Findings: what is wrong or remarkable, with code, place and remedy in both languages, and never a value.

use super::bodies::Party;
use super::shape::codes;
use serde::{Deserialize, Serialize};

codes! {
    /// Which layer of the checks speaks.
    Layer {
        Syntax = "syntax": "Syntax", "Syntax";
        Form = "form": "Form", "Form";
        Rules = "rules": "Regler", "Rules";
        Checklist = "checklist": "Checklista", "Checklist";
        Schema = "schema": "Schema", "Schema";
        Delivery = "delivery": "Leverans", "Delivery";
    }
}

codes! {
    /// What a finding does to the message, gravest first.
    Effect {
        Refuse = "refuse": "stoppar", "refuses";
        Withhold = "withhold": "håller tillbaka tills det stämmer", "withholds until it holds";
        Hold = "hold": "väntar på en människa", "holds for a person";
        Deviation = "deviation": "noteras som avvikelse", "is noted as a deviation";
        Warn = "warn": "varnar", "warns";
    }
}

/// One finding. Its texts are made from the catalogue of codes and from names of our own; nothing is copied from the
/// record, so a finding may be logged, stored in clear and sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `VB-MAP-004`, or a rule's id.
    pub code: String,
    pub effect: Effect,
    pub layer: Layer,
    /// Path of our own field names, `data.items[3].status`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<String>,
    /// Line and column in the source, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<Place>,
    /// Line in the mapping that made the value, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mapping: Option<usize>,
    pub sv: String,
    pub en: String,
    /// What to do about it.
    pub remedy_sv: String,
    pub remedy_en: String,
    /// Who owns the matter, for checklist items.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub owner: Vec<Party>,
}

/// A place in a text, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    /// The place of a byte offset.
    pub fn of(bytes: &[u8], at: usize) -> Self {
        let before = &bytes[..at.min(bytes.len())];
        let line = before.split(|&b| b == b'\n').count();
        let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
        // A byte that continues a UTF-8 character does not begin a column.
        let column = before[start..].iter().filter(|&&b| b & 0xC0 != 0x80).count() + 1;
        Self { line, column }
    }
}
