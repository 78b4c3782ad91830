//! `docs/wires.md`: where every field of every message lands.

use super::cell;
use crate::model::catalogue::{CATALOGUE, Origin};
use crate::model::event::CareEvent;
use crate::model::shape::{Card, Field, Shape};
use std::fmt::Write as _;

/// The fields around the content, as the event has them: where they stand in our document, in the frame of SDK's, and in its text.
/// A path that ends in a point stands for all below it.
const AROUND: &[(&str, &str, &str, &str)] = &[
    ("eventId", "header/source/eventId", "messageId (made of it)", "Händelsens id i källsystemet"),
    ("system", "header/source/system", "messageId (made of it)", "Källsystem"),
    ("type", "header/messageType", "label", "rubriken"),
    ("occurredAt", "header/eventTime, header/localDate", "", "Hände, Svensk kalenderdag"),
    ("sentAt", "", "", ""),
    (
        "episodeRef.caseId",
        "header/caseId; header/episodeId (made of it)",
        "sender/attention/reference; conversationId",
        "Kommunens ärendenummer",
    ),
    ("episodeRef.regionCaseId", "header/regionCaseId", "recipient/attention/reference", "Regionens ärendenummer"),
    ("patient.id", "patient/id/extension", "", "Nummer"),
    ("patient.idType", "patient/id/root", "", "Slag av nummer"),
    ("patient.name.", "patient/name", "", "Förnamn, Efternamn"),
    ("patient.address", "patient/address", "", "Folkbokföringsadress"),
    ("patient.protected", "patient/protectedIdentity", "", "Skyddade personuppgifter"),
    ("author.hsaId", "header/sender/author/hsaId", "", "Skrivet av, HSA-id"),
    ("author.role", "header/sender/author/role", "", "Skrivet av, roll"),
    ("author.unit.", "header/sender/unit", "", "enhetens HSA-id och namn"),
    ("consent.", "header/consent", "", "samtyckets uppgifter"),
    ("recipients.", "header/recipients/item", "", "Mottagare"),
    ("refTo.messageId", "header/inReplyTo/messageId", "refToMessageId", "Vårt meddelandes id"),
    ("refTo.eventId", "header/inReplyTo/eventId", "", "Händelsens id i källsystemet"),
    ("refTo.regionMessageId", "header/inReplyTo/regionMessageId", "refToMessageId, if a UUID", "Regionens meddelandes id"),
    ("regionMessageId", "", "", ""),
    ("corrects", "header/replaces, header/status", "refToMessageId; label", "Ersätter meddelande, Status"),
    ("cancels", "", "", ""),
    ("circumstances.", "", "", ""),
];

/// The page, in Markdown.
pub fn wires() -> String {
    let mut out = String::from(
        "# Wires · Format\n\n\
         Made from the catalogue and `src/report/docs/wires.rs`; do not edit. Where every field of an event lands in each wire. Our document (`xml`) lies as a \
         file in SDK's message (`sdk`), so what stands in the column of XML is there as well; beside it is what a person reads in the text, \
         and what the frame says.\n\n\
         Görs av katalogen och `src/report/docs/wires.rs`; ändra inte här. Var varje fält i en händelse hamnar i varje format. Vårt dokument (`xml`) ligger som \
         fil i SDK-meddelandet (`sdk`), så det som står i kolumnen för XML finns även där; bredvid står vad en människa läser i texten, \
         och vad kuvertet säger.\n\n\
         ## Every message · Varje meddelande\n\n\
         A field that stands nowhere stays with the municipality: the rules or the region's events use it. · Ett fält som inte står någonstans stannar i kommunen: \
         reglerna eller regionens händelser använder det.\n\n\
         | Field | `xml`: message/content/… | `sdk`: frame | `sdk`: text |\n|---|---|---|---|\n",
    );
    for (field, xml, frame, text) in AROUND {
        let code = |text: &str| if text.is_empty() { "–".to_owned() } else { format!("`{text}`") };
        let said = if text.is_empty() { "–" } else { text };
        let _ = writeln!(out, "| `{}` | {} | {} | {said} |", field.trim_end_matches('.'), code(xml), code(frame));
    }
    for row in CATALOGUE.iter().filter(|row| row.origin == Origin::Municipality) {
        let _ =
            write!(out, "\n## {} {} · {}\n\n| Field | `xml`: message/content/… | `sdk`: text |\n|---|---|---|\n", row.code, row.en, row.sv);
        rows("data", &format!("body/{}", row.element), row.fields, &mut out);
    }
    out
}

fn rows(field_path: &str, xml_path: &str, fields: &[Field], out: &mut String) {
    for field in fields {
        let many = matches!(field.card, Card::List { .. } | Card::OptionalList);
        let (brackets, item) = if many { ("[]", "/item") } else { ("", "") };
        let (path, xml) = (format!("{field_path}.{}{brackets}", field.name), format!("{xml_path}/{}{item}", field.name));
        let _ = writeln!(out, "| `{path}` | `{xml}` | {} |", cell(field.sv));
        if let Shape::Group(inner) = field.shape {
            rows(&path, &xml, inner, out);
        }
    }
}

/// The paths of an event's own fields that no line of the page is about.
pub fn unplaced() -> Vec<String> {
    let mut paths = Vec::new();
    leaves("", &CareEvent::fields(), &mut paths);
    let placed = |path: &str| AROUND.iter().any(|(known, ..)| if known.ends_with('.') { path.starts_with(known) } else { path == *known });
    paths.retain(|path| path != CareEvent::DATA && !placed(path));
    paths
}

fn leaves(prefix: &str, fields: &[Field], out: &mut Vec<String>) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        match field.shape {
            Shape::Group(inner) if !inner.is_empty() => leaves(&format!("{path}."), inner, out),
            _ => out.push(path),
        }
    }
}
