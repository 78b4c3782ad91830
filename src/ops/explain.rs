//! The page of a code or a rule.

use crate::check::rules::{self, Rules};
use crate::fault::{Code, Remedy};
use std::fmt::Write as _;

/// The page; `None` where no code and no rule is called so. A rule is taken from the first set that has it.
pub fn explain(wanted: &str, sets: &[Rules], swedish: bool) -> Option<String> {
    if let Some(code) = Code::parse(wanted) {
        return Some(code_page(code, swedish));
    }
    let wanted = wanted.to_uppercase();
    let rule = sets.iter().find_map(|rules| rules.rule(&wanted))?;
    let (sv, en) = rules::page(rule);
    Some(if swedish { sv } else { en })
}

fn code_page(code: Code, swedish: bool) -> String {
    let entry = code.entry();
    let mut out = String::new();
    let (title, remedy) = if swedish { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
    let who = match (entry.remedy, swedish) {
        (Remedy::Sender, true) => "Källsystemet eller dess mappning",
        (Remedy::Sender, false) => "The source system or its mapping",
        (Remedy::Operator, true) => "Driften",
        (Remedy::Operator, false) => "Operations",
        (Remedy::Retry, true) => "Ingen: det prövas igen av sig självt",
        (Remedy::Retry, false) => "Nobody: it is tried again by itself",
        (Remedy::Bug, true) => "Vi som skriver programmet",
        (Remedy::Bug, false) => "We who write the program",
    };
    let (what, act, by, since) =
        if swedish { ("Vad", "Gör så här", "Vem", "Sedan version") } else { ("What", "What to do", "Who", "Since version") };
    let _ = writeln!(out, "{}\n\n{what}: {title}\n{act}: {remedy}\n{by}: {who}\n{since}: {}", entry.id, entry.since);
    out
}
