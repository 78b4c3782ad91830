//! `docs/messages.md`.

use super::{DEMANDS, cell};
use crate::model::catalogue::{CATALOGUE, Needs, Origin, Row};
use crate::model::event::CareEvent;
use crate::model::shape::{Card, CodeValue, Field, LIST_MAX, Shape};
use std::fmt::Write as _;

/// The reference of types and fields, in Markdown.
pub fn messages() -> String {
    let mut out = String::from(
        "# Events and messages · Händelser och meddelanden\n\n\
         Made from `src/model/catalogue.rs`, `event.rs` and `bodies/`; do not edit. A source gives one event a file, as JSON in UTF-8. \
         An event of the municipality's (`K-`) becomes a message; an event of the region's (`R-`) changes the episode and is never sent. \
         The same as a schema: `schemas/event/event-1.schema.json`; the message on the wire: `schemas/vardbro-message-1.xsd`. \
         The codes are ours and not those of any other system. `[A]` marks our own choice.\n\n\
         Görs av `src/model/catalogue.rs`, `event.rs` och `bodies/`; ändra inte här. En källa lämnar en händelse per fil, som JSON i UTF-8. \
         En händelse hos kommunen (`K-`) blir ett meddelande; en händelse hos regionen (`R-`) ändrar ärendet och sänds aldrig. \
         Detsamma som schema: `schemas/event/event-1.schema.json`; meddelandet som det sänds: `schemas/vardbro-message-1.xsd`. \
         Koderna är våra egna och inte något annat systems. `[A]` märker det som är vårt eget val.\n\n\
         | Type | English | Svenska | Becomes a message · Blir meddelande |\n|---|---|---|---|\n",
    );
    for row in CATALOGUE {
        let sent = if row.origin == Origin::Municipality { "yes · ja" } else { "no · nej" };
        let _ = writeln!(out, "| [`{}`](#{}) | {} | {} | {sent} |", row.code, row.code.to_lowercase(), row.en, row.sv);
    }
    let _ = write!(
        out,
        "\nA field that is not listed is refused, so is one that stands twice. `null` is the same as leaving an optional field out. \
         A list holds at most {LIST_MAX} items. Texts hold no control characters other than tab and line feed, and are not blank.\n\n\
         Ett fält som inte finns här avvisas, liksom ett som står två gånger. `null` är detsamma som att utelämna ett frivilligt fält. \
         En lista har högst {LIST_MAX} poster. Texter har inga styrtecken utom tabb och radbrytning, och är inte tomma.\n\n\
         ## Every event · Varje händelse\n\n",
    );
    table(&CareEvent::fields(), &mut out);
    out.push_str(
        "\nA patient number of the kind `other` is refused.\n\n\
         Ett patientnummer av slaget `other` avvisas.\n",
    );
    for row in CATALOGUE {
        section(row, &mut out);
    }
    out
}

fn section(row: &Row, out: &mut String) {
    let (from_en, from_sv) = match row.origin {
        Origin::Municipality => ("from the municipality; sent", "från kommunen; sänds"),
        Origin::Region => ("from the region; never sent", "från regionen; sänds aldrig"),
    };
    let (needs_en, needs_sv) = needs(row.needs);
    let receivers = |swedish: bool| {
        let names: Vec<String> = row
            .receivers
            .iter()
            .map(|party| {
                let (sv, en) = party.texts();
                format!("`{}` {}", party.code(), if swedish { sv } else { en })
            })
            .collect();
        names.join(", ")
    };
    let _ = write!(
        out,
        "\n## {}\n\n{} · {}\n\nElement: `{}`\n\n\
         | | English | Svenska |\n|---|---|---|\n\
         | Direction · Riktning | {from_en} | {from_sv} |\n\
         | Receivers · Mottagare | {} | {} |\n\
         | Trigger · Utlöses av | {} | {} |\n\
         | Deadline · Tid | {} | {} |\n\
         | Needs first · Kräver | {needs_en} | {needs_sv} |\n\n\
         Source · Källa: {}\n\n",
        row.code,
        row.en,
        row.sv,
        row.element,
        receivers(false),
        receivers(true),
        cell(row.trigger_en),
        cell(row.trigger_sv),
        cell(row.deadline_en),
        cell(row.deadline_sv),
        row.source
    );
    table(row.fields, out);
    for demand in DEMANDS.iter().filter(|demand| demand.kind == row.kind) {
        let (field, code, wanted) = (demand.field, demand.code, demand.needs);
        let _ = write!(out, "\n`{wanted}` is required where `{field}` is `{code}`. · `{wanted}` krävs när `{field}` är `{code}`.\n");
    }
}

fn needs(needs: Needs) -> (String, String) {
    match needs {
        Needs::Nothing => ("nothing".to_owned(), "ingenting".to_owned()),
        Needs::Target => ("the event that it voids".to_owned(), "händelsen som den makulerar".to_owned()),
        Needs::AnyFromRegion => {
            ("any event of the region's in the episode".to_owned(), "någon händelse från regionen i ärendet".to_owned())
        }
        Needs::AnyOf(kinds) => {
            let codes: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.code())).collect();
            (format!("{} in the episode", codes.join(" or ")), format!("{} i ärendet", codes.join(" eller ")))
        }
    }
}

fn table(fields: &[Field], out: &mut String) {
    out.push_str("| Field | How often | Kind | English | Svenska |\n|---|---|---|---|---|\n");
    rows("", fields, out);
}

fn rows(prefix: &str, fields: &[Field], out: &mut String) {
    for field in fields {
        let many = matches!(field.card, Card::List { .. } | Card::OptionalList);
        let path = format!("{prefix}{}{}", field.name, if many { "[]" } else { "" });
        let _ = writeln!(out, "| `{path}` | {} | {} | {} | {} |", often(field.card), kind(field.shape), cell(field.en), cell(field.sv));
        if let Shape::Group(inner) = field.shape {
            rows(&format!("{path}."), inner, out);
        }
    }
}

fn often(card: Card) -> String {
    match card {
        Card::One => "1".to_owned(),
        Card::Optional => "0..1".to_owned(),
        Card::List { min } => format!("list · lista, {min}..{LIST_MAX}"),
        Card::OptionalList => format!("0..1 list · lista, 0..{LIST_MAX}"),
    }
}

fn kind(shape: Shape) -> String {
    match shape {
        Shape::Text { max } => format!("text, max {max}"),
        Shape::Phone => "telephone · telefon, max 32".to_owned(),
        Shape::Bool => "`true` / `false`".to_owned(),
        Shape::Instant => "RFC 3339 with zone · med zon".to_owned(),
        Shape::Day => "day · dag, `YYYY-MM-DD`".to_owned(),
        Shape::HsaId => "HSA-id".to_owned(),
        Shape::Uuid => "UUID".to_owned(),
        Shape::Code(values) => code_list(values),
        Shape::Group([]) => "object, by type · objekt, efter typ".to_owned(),
        Shape::Group(_) => "object · objekt".to_owned(),
    }
}

fn code_list(values: &[CodeValue]) -> String {
    let lines: Vec<String> = values.iter().map(|value| format!("`{}` {} · {}", value.code, cell(value.en), cell(value.sv))).collect();
    lines.join("<br>")
}
