//! `docs/codes.md`.

use super::cell;
use crate::fault::{Code, Entry, Remedy};
use std::fmt::Write as _;

/// Families of codes: prefix, English, Swedish.
const FAMILIES: &[(&str, &str, &str)] = &[
    ("CFG", "configuration and start", "konfiguration och start"),
    ("SRC", "the source and its files", "källan och dess filer"),
    ("MAP", "reading of an event", "läsning av en händelse"),
    ("CHK", "checks of content", "kontroll av innehåll"),
    ("OUT", "writing, routing and schema", "skrivning, vägval och schema"),
    ("DLV", "delivery", "leverans"),
    ("RCV", "receipts that come by themselves", "kvitton som skickas hit"),
    ("OPS", "operators' commands", "driftens kommandon"),
    ("STO", "backup, restore, export", "säkerhetskopia, återställning, export"),
    ("RET", "retention", "gallring"),
    ("FIX", "fixtures and what is expected of them", "fixturer och vad som väntas av dem"),
    ("ALM", "alarms", "larm"),
    ("AUD", "audit log", "åtkomstlogg"),
    ("HLT", "health", "hälsa"),
    ("DOC", "examination of the installation", "undersökning av installationen"),
    ("BUG", "internal faults", "interna fel"),
];

/// The reference of codes, in Markdown.
pub fn codes() -> String {
    let mut out = String::from(
        "# Codes · Koder\n\n\
         Made from `src/fault/codes.rs`; do not edit. A code is never renumbered and never reused. Rules have ids of their own (`CHK-1`): \
         [rules/](rules/). `vardbro explain CODE` shows either.\n\n\
         Görs av `src/fault/codes.rs`; ändra inte här. En kod byter aldrig nummer och återanvänds aldrig. Regler har egna id (`CHK-1`): \
         [rules/](rules/). `vardbro explain KOD` visar båda.\n\n\
         | Family | English | Svenska | Codes |\n|---|---|---|---|\n",
    );
    for (prefix, en, sv) in FAMILIES {
        let count = of_family(prefix).count();
        if count > 0 {
            let _ = writeln!(out, "| [`VB-{prefix}`](#vb-{}) | {en} | {sv} | {count} |", prefix.to_lowercase());
        }
    }
    for (prefix, en, sv) in FAMILIES {
        if of_family(prefix).next().is_some() {
            let _ = write!(out, "\n## VB-{prefix}\n\n{} · {}\n", capital(en), capital(sv));
        }
        for entry in of_family(prefix) {
            section(entry, &mut out);
        }
    }
    out
}

fn section(entry: &Entry, out: &mut String) {
    let (who_en, who_sv) = who(entry.remedy);
    let _ = write!(
        out,
        "\n### {}\n\n\
         | | English | Svenska |\n|---|---|---|\n\
         | Meaning · Betydelse | {} | {} |\n\
         | What to do · Att göra | {} | {} |\n\
         | Who acts · Vem | {who_en} | {who_sv} |\n\n\
         Since · Sedan {}\n",
        entry.id,
        capital(&cell(entry.en)),
        capital(&cell(entry.sv)),
        cell(entry.do_en),
        cell(entry.do_sv),
        entry.since
    );
}

fn who(remedy: Remedy) -> (&'static str, &'static str) {
    match remedy {
        Remedy::Sender => ("whoever answers for the source system and its export", "den som svarar för källsystemet och dess export"),
        Remedy::Operator => ("whoever runs the program", "den som driver programmet"),
        Remedy::Retry => ("nobody: it is tried again by itself", "ingen: det prövas igen av sig självt"),
        Remedy::Bug => ("the program's developers", "programmets utvecklare"),
    }
}

fn of_family(prefix: &str) -> impl Iterator<Item = &'static Entry> {
    Code::ALL.iter().filter(move |entry| entry.id.split('-').nth(1) == Some(prefix))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_belongs_to_a_family_and_stands_on_the_page() {
        let page = codes();
        for entry in Code::ALL {
            assert!(page.contains(&format!("\n### {}\n", entry.id)), "{} is not on the page", entry.id);
        }
    }
}
