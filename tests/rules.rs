//! Sets of rules: the shipped ones are whole, a broken one is pointed at, and the reference page is fresh.

use std::path::PathBuf;
use vardbro::check::rules::{RuleFault, RuleId, Rules, page, reference, shipped};
use vardbro::model::bodies::Party;
use vardbro::model::catalogue::{EventType, Needs};
use vardbro::model::checklist::Stage;
use vardbro::model::finding::{Effect, Layer};
use vardbro::model::regime::ClBlock;

/// The smallest set; the broken ones below count its lines.
const SMALL: &str = r#"name = "small"
version = "2026.1"
title = { sv = "Liten", en = "Small" }
source = "[A]"

[parameters]
cl_block = "all"
take_home_useful_h = 72
order_wait_h = 72

[[rule]]
id = "CHK-1"
predicate = "checklist_complete"
effect = "withhold"
on = ["K-HT"]
sv = "Öppet: {items}"
en = "Open: {items}"
do_sv = "Gör klart"
do_en = "Finish"
[rule.page]
what = { sv = "a", en = "a" }
why = { sv = "b", en = "b" }
source = { sv = "c", en = "c" }
example = { sv = "d", en = "d" }

[[item]]
code = "CL01"
owners = ["K", "SV"]
stage = "P"
when = { all = ["homeHealthCare", "dischargeTo=home"] }
sv = "Samtycke"
en = "Consent"
source = "[A]"
"#;

fn vanersborg() -> Rules {
    let (name, text) = shipped()[0];
    assert_eq!(name, "vanersborg/2026.1");
    Rules::parse(text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

#[test]
fn the_shipped_sets_are_whole_and_named_as_they_say() {
    for (name, text) in shipped() {
        let rules = Rules::parse(text).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert_eq!(rules.name, *name);
        assert_eq!(rules.hash.len(), 64);
    }
}

#[test]
fn vanersborg_has_its_items_rules_and_parameters() {
    let rules = vanersborg();
    let codes: Vec<_> = rules.regime.checklist.items.iter().map(|item| item.code.as_str().to_owned()).collect();
    let expected: Vec<_> = (1..=26).map(|n| format!("CL{n:02}")).collect();
    assert_eq!(codes, expected);
    let ids: Vec<_> = rules.rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, RuleId::KNOWN);
    assert_eq!(rules.regime.parameters.cl_block, ClBlock::All);
    assert_eq!((rules.regime.parameters.take_home_useful_h, rules.regime.parameters.order_wait_h), (72, 72));
    let effects: Vec<_> = rules.rules().iter().map(|rule| rule.effect).collect();
    assert_eq!(effects, [Effect::Withhold, Effect::Hold, Effect::Withhold, Effect::Warn]);
    let owners = |code: usize| rules.regime.checklist.items[code - 1].owners.clone();
    assert_eq!(owners(6), [Party::K, Party::Sv]);
    assert_eq!(owners(16), [Party::Sv, Party::K]);
    assert!(rules.regime.checklist.items.iter().any(|item| item.stage == Stage::BeforeDischarge));
}

#[test]
fn a_rule_without_types_is_for_every_message_and_blocks_nothing_of_the_regions() {
    let rules = vanersborg();
    let protected = rules.rule("PER-1").expect("there");
    assert!(protected.applies_to(EventType::KPu) && !protected.applies_to(EventType::RIn));
    let duplicate = rules.rule("DUP-1").expect("there");
    assert!(duplicate.applies_to(EventType::KPu) && duplicate.applies_to(EventType::RIn));
    let checklist = rules.rule("CHK-1").expect("there");
    assert!(checklist.applies_to(EventType::KHt) && !checklist.applies_to(EventType::KPu));
    assert!(rules.rule("XXX-9").is_none());
}

#[test]
fn a_finding_names_its_items_and_their_owners_in_both_languages() {
    let mut rules = vanersborg();
    let items = [&rules.regime.checklist.items[1], &rules.regime.checklist.items[15]];
    let finding = rules.finding("CHK-1", &items);
    assert_eq!((finding.code.as_str(), finding.effect, finding.layer), ("CHK-1", Effect::Withhold, Layer::Rules));
    assert!(finding.sv.ends_with("CL02 Aktuell läkemedelslista mottagen och kontrollerad; CL16 Hemresa bokad, mottagare på plats"));
    assert!(
        finding.en.ends_with("CL02 Current list of medicines received and checked; CL16 Transport home booked, somebody there to receive")
    );
    assert_eq!(finding.owner, [Party::Sv, Party::K]);
    rules.regime.parameters.cl_block = ClBlock::Warn;
    assert_eq!(rules.finding("CHK-1", &[]).effect, Effect::Warn);
    assert_eq!(rules.finding("PER-1", &[]).effect, Effect::Hold);
}

#[test]
fn a_finding_names_what_must_come_first() {
    let rules = vanersborg();
    let finding = rules.finding_of_needs("ORD-1", EventType::KHt.row().needs);
    assert!(finding.en.ends_with("R-IN Admission notice or R-UK Notice of ready for discharge"), "{}", finding.en);
    assert!(finding.sv.ends_with("R-IN Inskrivningsmeddelande eller R-UK Underrättelse om utskrivningsklar"), "{}", finding.sv);
    let any = rules.finding_of_needs("ORD-1", Needs::AnyFromRegion);
    assert!(any.sv.ends_with("någon händelse från regionen") && any.en.ends_with("any event of the region's"));
}

#[test]
fn every_rule_has_a_page_in_both_languages() {
    for rule in vanersborg().rules() {
        let (sv, en) = page(rule);
        assert!(sv.contains("Varför") && en.contains("Why"), "{}", rule.id);
        assert!(!sv.contains('{') && !en.contains('{'), "{}", rule.id);
    }
}

fn faults(text: &str) -> Vec<RuleFault> {
    Rules::parse(text).err().unwrap_or_default()
}

/// What is replaced in the small set, by what; then line and column of the one fault, and a part of its text.
const BROKEN: &[(&str, &str, usize, usize, &str)] = &[
    ("source = \"[A]\"\n\n", "source = \"[A]\"\ncolour = 1\n\n", 5, 1, "“colour” is unknown"),
    ("order_wait_h = 72\n", "order_wait_h = 72\nwait = 1\n", 10, 1, "“wait” is unknown"),
    ("on = [\"K-HT\"]", "onn = [\"K-HT\"]", 15, 1, "“onn” is unknown"),
    ("\nwhy = ", "\nhow = { sv = \"e\", en = \"e\" }\nwhy = ", 22, 1, "“how” is unknown"),
    ("{ sv = \"b\",", "{ de = \"b\", sv = \"b\",", 22, 9, "“de” is unknown"),
    ("checklist_complete", "checklist_done", 13, 13, "“checklist_done” is unknown; choose among checklist_complete"),
    ("\"withhold\"", "\"block\"", 14, 10, "“block” is unknown; choose among refuse"),
    ("[\"K-HT\"]", "[\"K-HT\", \"K-XX\"]", 15, 15, "“K-XX” is unknown"),
    ("[\"K-HT\"]", "[\"K-HT\", \"R-UT\"]", 15, 15, "never blocked"),
    ("[\"K-HT\"]", "[]", 15, 6, "a list of at least one text"),
    ("[\"K-HT\"]", "\"K-HT\"", 15, 6, "a list of at least one text"),
    ("[\"K-HT\"]", "[\"K-HT\", \"K-HT\"]", 15, 15, "stands twice"),
    ("\"CHK-1\"", "\"CHK-99\"", 12, 6, "“CHK-99” is unknown"),
    ("Öppet: {items}", "Öppet: {item}", 16, 6, "unknown placeholder; allowed: {items}"),
    ("Open: {items}", "Open: {types}", 17, 6, "unknown placeholder"),
    ("\"Finish\"", "\"Finish {items}\"", 19, 9, "unknown placeholder"),
    ("do_sv = \"Gör klart\"\n", "", 11, 1, "“do_sv” is missing"),
    ("en = \"Open: {items}\"", "en = \" \"", 17, 6, "“en” is empty"),
    ("en = \"c\"", "en = 7", 23, 27, "“en” must be a text"),
    ("why = { sv = \"b\", en = \"b\" }\n", "", 20, 1, "“why” is missing"),
    ("why = { sv = \"b\", en = \"b\" }", "why = \"b\"", 22, 7, "“why” must be a table"),
    ("\"CL01\"", "\"CL1\"", 27, 8, "“CL1” is unknown"),
    ("[\"K\", \"SV\"]", "[\"K\", \"ÖV\"]", 28, 16, "“ÖV” is unknown; choose among SV, OV, K"),
    ("[\"K\", \"SV\"]", "[\"K\", \"K\"]", 28, 16, "stands twice"),
    ("stage = \"P\"", "stage = \"X\"", 29, 9, "“X” is unknown; choose among P, U, E"),
    ("\"homeHealthCare\"", "\"!homeCare\"", 30, 17, "“homeCare” is unknown; choose among homeHealthCare"),
    ("dischargeTo=home", "dischargeTo!=moon", 30, 35, "“moon” is unknown; choose among home"),
    ("dischargeTo=home", "dischargeTo", 30, 35, "needs a value"),
    ("\"homeHealthCare\"", "\"homeHealthCare=true\"", 30, 17, "yes or no"),
    (
        "{ all = [\"homeHealthCare\", \"dischargeTo=home\"] }",
        "{ all = [\"infection\"], any = [\"infection\"] }",
        30,
        8,
        "either all or any",
    ),
    ("{ all = [\"homeHealthCare\", \"dischargeTo=home\"] }", "{ al = [\"infection\"] }", 30, 10, "“al” is unknown"),
    ("sv = \"Samtycke\"\n", "", 26, 1, "“sv” is missing"),
    ("cl_block = \"all\"", "cl_block = \"some\"", 7, 12, "“some” is unknown; choose among all"),
    ("order_wait_h = 72", "order_wait_h = 0", 9, 16, "an integer from 1"),
    ("order_wait_h = 72", "order_wait_h = \"72\"", 9, 16, "an integer from 1"),
    ("order_wait_h = 72\n", "", 6, 1, "“order_wait_h” is missing"),
    ("\"small\"", "\"../small\"", 1, 8, "a short name"),
    ("version = \"2026.1\"\n", "", 1, 1, "“version” is missing"),
    ("stage = \"P\"", "stage = \"P", 29, 11, "Not valid TOML"),
    ("stage = \"P\"", "stage = \"P\"\nstage = \"U\"", 30, 1, "Not valid TOML"),
];

#[test]
fn every_fault_has_its_place_and_both_languages() {
    Rules::parse(SMALL).expect("whole");
    let mut missed = Vec::new();
    for (from, to, line, column, part) in BROKEN {
        assert!(SMALL.contains(from), "{from}");
        let found = faults(&SMALL.replacen(from, to, 1));
        assert!(found.iter().all(|f| !f.sv.is_empty() && f.sv != f.en), "{to}");
        if !found.iter().any(|f| (f.line, f.column) == (*line, *column) && f.en.contains(part)) {
            let places: Vec<_> = found.iter().map(ToString::to_string).collect();
            missed.push(format!("{to}: expected {line}:{column} {part}, found {places:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_rule_or_item_may_stand_once() {
    let rule = &SMALL[SMALL.find("[[rule]]").expect("there")..SMALL.find("[[item]]").expect("there")];
    let item = &SMALL[SMALL.find("[[item]]").expect("there")..];
    let found = faults(&format!("{SMALL}\n{item}\n{rule}"));
    let places: Vec<_> = found.iter().map(|f| (f.line, f.column, f.en.as_str())).collect();
    assert_eq!(places, [(36, 8, "“CL01” stands twice"), (45, 6, "“CHK-1” stands twice")]);
}

#[test]
fn all_faults_come_at_once_and_in_the_order_of_the_file() {
    let text = SMALL.replace("\"all\"", "\"some\"").replace("withhold", "block").replace("\"P\"", "\"X\"").replace("\"SV\"", "\"ÖV\"");
    let lines: Vec<_> = faults(&text).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [7, 14, 28, 29]);
}

#[test]
fn an_empty_file_lacks_everything() {
    assert_eq!(faults("").len(), 7);
}

#[test]
fn the_hash_is_of_the_bytes() {
    let one = Rules::parse(SMALL).expect("whole");
    let other = Rules::parse(&format!("{SMALL}# a comment\n")).expect("whole");
    assert_ne!(one.hash, other.hash);
}

#[test]
fn the_reference_page_is_fresh() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let made = reference(&vanersborg());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, &made).expect("written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == made, "docs/rules.md is stale: run UPDATE=1 cargo nextest run --test rules");
}
