//! What people read about rules: the page of one rule, and the reference of a set.

use super::{Rule, Rules, Texts, blocks};
use crate::model::bodies::Party;
use crate::model::checklist::{Condition, Item, Stage, Term};
use crate::model::regime::{ClBlock, NUMBERS, Parameters, SipScope};
use crate::model::shape::CodeValue;
use std::fmt::Write as _;

/// What a rule without types is for: messages where it blocks, else events.
const EVERY_SV: [&str; 2] = ["alla meddelanden", "alla händelser"];
const EVERY_EN: [&str; 2] = ["every message", "every event"];

/// The page of a rule in Swedish and English, as `vardbro explain` shows it.
pub fn page(rule: &Rule) -> (String, String) {
    (one_language(rule, true), one_language(rule, false))
}

fn one_language(rule: &Rule, swedish: bool) -> String {
    let say = |texts: &Texts| if swedish { texts.sv.clone() } else { texts.en.clone() };
    let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
    let (effect_sv, effect_en) = rule.effect.texts();
    let shown = say(&rule.text).replace("{items}", "…").replace("{types}", "…");
    let parts = [
        (word("Gäller", "Applies to"), types(rule, if swedish { EVERY_SV } else { EVERY_EN })),
        (word("Verkan", "Effect"), word(effect_sv, effect_en).to_owned()),
        (word("Vad", "What"), say(&rule.page.what)),
        (word("Varför", "Why"), say(&rule.page.why)),
        (word("Källa", "Source"), say(&rule.page.source)),
        (word("Exempel", "Example"), say(&rule.page.example)),
        (word("Att göra", "What to do"), say(&rule.remedy)),
    ];
    let mut out = format!("{}: {shown}\n", rule.id);
    for (name, text) in parts {
        let _ = write!(out, "\n{name}\n  {}\n", text.trim());
    }
    out
}

fn types(rule: &Rule, [message, event]: [&str; 2]) -> String {
    let every = if blocks(rule.effect) { message } else { event };
    rule.on.as_ref().map_or(every.to_owned(), |kinds| {
        let codes: Vec<_> = kinds.iter().map(|kind| kind.code()).collect();
        codes.join(", ")
    })
}

/// The reference page of a set, in Markdown.
pub fn reference(rules: &Rules) -> String {
    let mut out = format!(
        "# Rules · Regler: {}\n\n\
         This page is made from the file of rules; do not edit it. Sidan görs av regelfilen; ändra den inte här.\n\n\
         {} · {}\n\nSource · Källa: {}\n\nSHA-256: `{}`\n\n",
        rules.name, rules.title.en, rules.title.sv, rules.source, rules.hash
    );
    out.push_str("`[A]` marks our own choice. `[A]` märker det som är vårt eget val.\n");
    parameters(&rules.regime.parameters, &mut out);
    for rule in rules.rules() {
        rule_section(rule, &mut out);
    }
    checklist(&rules.regime.checklist.items, &mut out);
    out
}

fn parameters(values: &Parameters, out: &mut String) {
    out.push_str("\n## Parameters · Parametrar\n\n| Name | Value | English | Svenska |\n|---|---|---|---|\n");
    let choose = |values: &[CodeValue]| values.iter().map(|value| value.code).collect::<Vec<_>>().join(", ");
    let (block, scope) = (values.cl_block.texts(), values.sip_scope.texts());
    let (blocks, scopes) = (choose(ClBlock::VALUES), choose(SipScope::VALUES));
    let _ = writeln!(
        out,
        "| `cl_block` | {} | K-HT waits for: {} (choose among {blocks}) | K-HT väntar på: {} (välj bland {blocks}) |\n\
         | `sip_scope` | {} | SIP-1 looks at: {} (choose among {scopes}) | SIP-1 ser till: {} (välj bland {scopes}) |\n\
         | `ask_incomplete` | {} | An admission notice that lacks a statutory field is answered with a K-AD | Ett inskrivningsmeddelande utan en lagstadgad uppgift besvaras med en K-AD |\n\
         | `count_day_zero` | {} | The day of the notice counts as a day of its own | Underrättelsens dag räknas som en dag |\n\
         | `acknowledge` | {} | Types that a person is to acknowledge | Typer som en människa ska kvittera |",
        values.cl_block.code(),
        block.1,
        block.0,
        values.sip_scope.code(),
        scope.1,
        scope.0,
        values.ask_incomplete,
        values.count_day_zero,
        values.acknowledge.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", "),
    );
    for number in NUMBERS {
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", number.name, (number.get)(values), number.en, number.sv);
    }
}

fn rule_section(rule: &Rule, out: &mut String) {
    let (effect_sv, effect_en) = rule.effect.texts();
    let _ = write!(
        out,
        "\n## {}\n\nPredicate · Predikat: `{}` · Effect · Verkan: `{}` ({effect_en} · {effect_sv}) · On · Gäller: {}\n\n\
         | | English | Svenska |\n|---|---|---|\n",
        rule.id,
        rule.predicate.code(),
        rule.effect.code(),
        types(rule, ["every message · alla meddelanden", "every event · alla händelser"])
    );
    let rows = [
        ("Finding · Anmärkning", &rule.text),
        ("What to do · Att göra", &rule.remedy),
        ("What · Vad", &rule.page.what),
        ("Why · Varför", &rule.page.why),
        ("Source · Källa", &rule.page.source),
        ("Example · Exempel", &rule.page.example),
    ];
    for (name, texts) in rows {
        let _ = writeln!(out, "| {name} | {} | {} |", cell(&texts.en), cell(&texts.sv));
    }
}

fn checklist(items: &[Item], out: &mut String) {
    out.push_str(
        "\n## Checklist · Checklista\n\n\
         Owner · Ägare: K municipality · kommun, SV inpatient care · slutenvård, OV the region's outpatient care · öppenvård.\n\
         Stage · Skede: P before the take-home notice · före hemtagningsbeskedet, U before discharge · före utskrivning, \
         E within one weekday after · inom en vardag efter.\n\
         Required · Krävs: what no event has said counts as true · det som ingen händelse har sagt räknas som sant.\n\n\
         | Code | English | Svenska | Owner | Stage | Required | Source |\n|---|---|---|---|---|---|---|\n",
    );
    for item in items {
        let owners: Vec<_> = item.owners.iter().copied().map(Party::code).collect();
        let stage = match item.stage {
            Stage::BeforeTakeHome => "P",
            Stage::BeforeDischarge => "U",
            Stage::After => "E",
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {stage} | {} | {} |",
            item.code.as_str(),
            cell(&item.en),
            cell(&item.sv),
            owners.join(", "),
            condition(&item.when),
            cell(&item.source)
        );
    }
}

fn condition(when: &Condition) -> String {
    let list = |terms: &[Term], word: &str| {
        let terms: Vec<_> = terms.iter().map(term).collect();
        terms.join(word)
    };
    match when {
        Condition::Always => "always · alltid".to_owned(),
        Condition::All(terms) => list(terms, " and "),
        Condition::Any(terms) => list(terms, " or "),
    }
}

/// As the file writes it.
fn term(term: &Term) -> String {
    match (term.equals, term.value.as_str()) {
        (true, "true") => format!("`{}`", term.name),
        (false, "true") => format!("`!{}`", term.name),
        (true, value) => format!("`{}={value}`", term.name),
        (false, value) => format!("`{}!={value}`", term.name),
    }
}

/// A text as one cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}
