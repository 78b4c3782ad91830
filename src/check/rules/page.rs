//! What people read about rules: the page of one rule, and the reference of a set.

use super::{Rule, Rules, Texts, blocks};
use crate::model::bodies::Party;
use crate::model::catalogue::EventType;
use crate::model::checklist::{Condition, Item, Stage, Term};
use crate::model::regime::{Amount, ClBlock, NUMBERS, Parameters, SipScope};
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
        (word("Gäller", "Applies to"), applies_to(rule, swedish)),
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
    rule.on.as_ref().map_or(every.to_owned(), |kinds| codes(kinds.iter().copied()))
}

/// The types that a rule is for, in one language.
pub fn applies_to(rule: &Rule, swedish: bool) -> String {
    types(rule, if swedish { EVERY_SV } else { EVERY_EN })
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
    parameter_table(&rules.regime.parameters, &mut out);
    amount_table(&rules.regime.amounts, &mut out);
    for rule in rules.rules() {
        rule_section(rule, &mut out);
    }
    checklist(&rules.regime.checklist.items, &mut out);
    out
}

/// One value that a set gives, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: &'static str,
    pub value: String,
    pub sv: String,
    pub en: String,
}

/// Every parameter of a set, in the order in which people read them.
pub fn parameters(values: &Parameters) -> Vec<Parameter> {
    let one = |name: &'static str, value: String, sv: String, en: String| Parameter { name, value, sv, en };
    let choose = |values: &[CodeValue]| values.iter().map(|value| value.code).collect::<Vec<_>>().join(", ");
    let ((block_sv, block_en), (scope_sv, scope_en)) = (values.cl_block.texts(), values.sip_scope.texts());
    let (blocks, scopes) = (choose(ClBlock::VALUES), choose(SipScope::VALUES));
    let mut out = vec![
        one(
            "cl_block",
            values.cl_block.code().to_owned(),
            format!("K-HT väntar på: {block_sv} (välj bland {blocks})"),
            format!("K-HT waits for: {block_en} (choose among {blocks})"),
        ),
        one(
            "sip_scope",
            values.sip_scope.code().to_owned(),
            format!("SIP-1 ser till: {scope_sv} (välj bland {scopes})"),
            format!("SIP-1 looks at: {scope_en} (choose among {scopes})"),
        ),
        one(
            "ask_incomplete",
            values.ask_incomplete.to_string(),
            "Ett inskrivningsmeddelande utan en lagstadgad uppgift besvaras med en K-AD".to_owned(),
            "An admission notice that lacks a statutory field is answered with a K-AD".to_owned(),
        ),
        one(
            "count_day_zero",
            values.count_day_zero.to_string(),
            "Underrättelsens dag räknas som en dag".to_owned(),
            "The day of the notice counts as a day of its own".to_owned(),
        ),
        one(
            "acknowledge",
            codes(values.acknowledge.iter().copied()),
            "Typer som en människa ska kvittera".to_owned(),
            "Types that a person is to acknowledge".to_owned(),
        ),
    ];
    out.extend(NUMBERS.iter().map(|number| one(number.name, (number.get)(values).to_string(), number.sv.to_owned(), number.en.to_owned())));
    out
}

fn codes(kinds: impl Iterator<Item = EventType>) -> String {
    let codes: Vec<_> = kinds.map(EventType::code).collect();
    if codes.is_empty() { "–".to_owned() } else { codes.join(", ") }
}

fn parameter_table(values: &Parameters, out: &mut String) {
    out.push_str("\n## Parameters · Parametrar\n\n| Name | Value | English | Svenska |\n|---|---|---|---|\n");
    for one in parameters(values) {
        let _ = writeln!(out, "| `{}` | {} | {} | {} |", one.name, one.value, one.en, one.sv);
    }
}

fn amount_table(amounts: &[Amount], out: &mut String) {
    if amounts.is_empty() {
        return;
    }
    out.push_str(
        "\n## Amounts · Belopp\n\n\
         What a day costs (Lag (2017:612) 5 kap. 6 §). Years without a row, and every year after the last one, are not known here: \
         later amounts must be filled in from the year's regulation before any sum is relied on.\n\n\
         Vad ett dygn kostar (lag (2017:612) 5 kap. 6 §). År utan rad, och alla år efter den sista, är inte kända här: \
         senare belopp måste fyllas i från årets föreskrift innan någon summa används.\n\n\
         | From · Från | SEK a day · kr per dygn | Source · Källa |\n|---|---|---|\n",
    );
    for amount in amounts {
        let _ = writeln!(out, "| {} | {} | {} |", amount.from, amount.sek, cell(&amount.source));
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
    if items.is_empty() {
        out.push_str("\n## Checklist · Checklista\n\nThis set has none. Regelverket har ingen.\n");
        return;
    }
    out.push_str(
        "\n## Checklist · Checklista\n\n\
         Owner · Ägare: K municipality · kommun, SV inpatient care · slutenvård, OV the region's outpatient care · öppenvård.\n\
         Stage · Skede: P before the take-home notice · före hemtagningsbeskedet, U before discharge · före utskrivning, \
         E within one weekday after · inom en vardag efter.\n\
         Required · Krävs: what no event has said counts as true · det som ingen händelse har sagt räknas som sant.\n\
         Seen · Sedd: events that close the region's share of the item, our own choice [A] · händelser som gör klart regionens del av punkten, vårt eget val [A].\n\n\
         | Code | English | Svenska | Owner | Stage | Required | Seen | Source |\n|---|---|---|---|---|---|---|---|\n",
    );
    for item in items {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            item.code.as_str(),
            cell(&item.en),
            cell(&item.sv),
            owners(item),
            stage(item),
            condition(&item.when, ["always · alltid", "and", "or"]),
            seen(item),
            cell(&item.source)
        );
    }
}

/// The parties that own an item.
pub fn owners(item: &Item) -> String {
    item.owners.iter().copied().map(Party::code).collect::<Vec<_>>().join(", ")
}

/// The stage of an item as the file writes it.
pub fn stage(item: &Item) -> &'static str {
    match item.stage {
        Stage::BeforeTakeHome => "P",
        Stage::BeforeDischarge => "U",
        Stage::After => "E",
    }
}

/// The events that close the region's share of an item.
pub fn seen(item: &Item) -> String {
    codes(item.seen.iter().copied())
}

/// When an item is required, with the words for always, and, or.
pub fn condition(when: &Condition, [always, and, or]: [&str; 3]) -> String {
    let list = |terms: &[Term], word: &str| terms.iter().map(term).collect::<Vec<_>>().join(&format!(" {word} "));
    match when {
        Condition::Always => always.to_owned(),
        Condition::All(terms) => list(terms, and),
        Condition::Any(terms) => list(terms, or),
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
