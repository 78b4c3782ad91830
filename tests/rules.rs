//! Sets of rules: the shipped ones are whole, a broken one is pointed at, and the commands tell of both.

use std::path::Path;
use std::process::Command;
use vardbro::check::rules::{RuleFault, RuleId, Rules, page, shipped};
use vardbro::model::bodies::Party;
use vardbro::model::catalogue::{CATALOGUE, EventType, Needs};
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
sip_scope = "sip_required"
ask_incomplete = true
count_day_zero = false
acknowledge = ["R-IN"]
alarm_again_h = 24
warn_before_h = 4
checklist_lead_h = 4
request_sent_h = 2
not_admitted_h = 48
admission_notice_h = 24
planning_data_h = 24
take_home_answer_h = 24
sip_call_days = 3
call_answer_weekdays = 1
call_ahead_weekdays = 5
enrolment_weekdays = 1
after_weekdays = 1
payment_days = 3
payment_days_after_noon = 4
mean_threshold_tenths = 30
individual_days = 7
readmission_days = 30

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
    let effects: Vec<_> = rules.rules().iter().map(|rule| rule.effect.code()).collect();
    let expected = "withhold deviation deviation refuse refuse warn deviation warn hold hold withhold warn hold";
    assert_eq!(effects.join(" "), expected);
    let seen: Vec<_> = rules.regime.checklist.items.iter().filter(|item| !item.seen.is_empty()).map(|item| item.code.as_str()).collect();
    assert_eq!(seen, ["CL01", "CL04", "CL05", "CL16", "CL20", "CL21", "CL22", "CL25"]);
    let owners = |code: usize| rules.regime.checklist.items[code - 1].owners.clone();
    assert_eq!(owners(6), [Party::K, Party::Sv]);
    assert_eq!(owners(16), [Party::Sv, Party::K]);
    assert!(rules.regime.checklist.items.iter().any(|item| item.stage == Stage::BeforeDischarge));
}

/// The law's set holds what the law demands and the program's own safety, and asks for nothing that was agreed on.
#[test]
fn the_laws_set_is_the_laws() {
    let law = shipped().iter().find(|(name, _)| *name == "lagen/2026.1").map(|(_, text)| Rules::parse(text).expect("whole"));
    let law = law.expect("shipped");
    let ids: Vec<_> = law.rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["SIP-2", "SIP-3", "IN-1", "IN-2", "PAY-1", "PER-1", "PER-2", "ORD-1", "DUP-1", "LATE-1"]);
    assert!(law.regime.checklist.items.is_empty() && law.regime.parameters.acknowledge.is_empty() && !law.regime.parameters.ask_incomplete);
    assert_eq!(law.regime.amounts, vanersborg().regime.amounts);
    for rule in law.rules().iter().filter(|rule| ["PER-1", "PER-2", "ORD-1", "DUP-1", "LATE-1"].contains(&rule.id.as_str())) {
        assert!(rule.page.source.sv.contains("eget skydd") && rule.page.source.en.contains("own safety"), "{}", rule.id);
    }
}

#[test]
fn an_amount_holds_from_its_day() {
    let regime = vanersborg().regime;
    let sek = |day: jiff::civil::Date| regime.amount(day).map(|amount| amount.sek);
    assert_eq!(sek(jiff::civil::date(2018, 12, 31)), None);
    assert_eq!(sek(jiff::civil::date(2019, 1, 1)), Some(7800));
    assert_eq!(sek(jiff::civil::date(2022, 12, 31)), Some(9300));
    assert_eq!(sek(jiff::civil::date(2023, 1, 1)), Some(10500));
}

/// What may come after a case is closed, or opens one, is never held for that.
#[test]
fn late_events_wait_but_for_what_may_come_late() {
    let rules = vanersborg();
    let late = rules.rule("LATE-1").expect("there");
    let free: Vec<_> = CATALOGUE.iter().filter(|row| row.kind.is_sent() && !late.applies_to(row.kind)).map(|row| row.code).collect();
    assert_eq!(free, ["K-VB", "K-KV", "K-AD", "K-AV", "K-MK", "K-HI", "K-OB", "K-KS", "K-UF"]);
    assert!(!late.applies_to(EventType::RUt));
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
    assert_eq!((finding.code.as_str(), finding.effect, finding.layer), ("CHK-1", Effect::Withhold, Layer::Checklist));
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
    ("on = [\"K-HT\"]", "onn = [\"K-HT\"]", 37, 1, "“onn” is unknown"),
    ("\nwhy = ", "\nhow = { sv = \"e\", en = \"e\" }\nwhy = ", 44, 1, "“how” is unknown"),
    ("{ sv = \"b\",", "{ de = \"b\", sv = \"b\",", 44, 9, "“de” is unknown"),
    ("checklist_complete", "checklist_done", 35, 13, "“checklist_done” is unknown; choose among checklist_complete"),
    ("\"withhold\"", "\"block\"", 36, 10, "“block” is unknown; choose among refuse"),
    ("[\"K-HT\"]", "[\"K-HT\", \"K-XX\"]", 37, 15, "“K-XX” is unknown"),
    ("[\"K-HT\"]", "[\"K-HT\", \"R-UT\"]", 37, 15, "never blocked"),
    ("[\"K-HT\"]", "[]", 37, 6, "a list of at least one text"),
    ("[\"K-HT\"]", "\"K-HT\"", 37, 6, "a list of at least one text"),
    ("[\"K-HT\"]", "[\"K-HT\", \"K-HT\"]", 37, 15, "stands twice"),
    ("\"CHK-1\"", "\"CHK-99\"", 34, 6, "“CHK-99” is unknown"),
    ("Öppet: {items}", "Öppet: {item}", 38, 6, "unknown placeholder; allowed: {items}"),
    ("Open: {items}", "Open: {types}", 39, 6, "unknown placeholder"),
    ("\"Finish\"", "\"Finish {items}\"", 41, 9, "unknown placeholder"),
    ("do_sv = \"Gör klart\"\n", "", 33, 1, "“do_sv” is missing"),
    ("en = \"Open: {items}\"", "en = \" \"", 39, 6, "“en” is empty"),
    ("en = \"c\"", "en = 7", 45, 27, "“en” must be a text"),
    ("why = { sv = \"b\", en = \"b\" }\n", "", 42, 1, "“why” is missing"),
    ("why = { sv = \"b\", en = \"b\" }", "why = \"b\"", 44, 7, "“why” must be a table"),
    ("\"CL01\"", "\"CL1\"", 49, 8, "“CL1” is unknown"),
    ("[\"K\", \"SV\"]", "[\"K\", \"ÖV\"]", 50, 16, "“ÖV” is unknown; choose among SV, OV, K"),
    ("[\"K\", \"SV\"]", "[\"K\", \"K\"]", 50, 16, "stands twice"),
    ("stage = \"P\"", "stage = \"X\"", 51, 9, "“X” is unknown; choose among P, U, E"),
    ("\"homeHealthCare\"", "\"!homeCare\"", 52, 17, "“homeCare” is unknown; choose among homeHealthCare"),
    ("dischargeTo=home", "dischargeTo!=moon", 52, 35, "“moon” is unknown; choose among home"),
    ("dischargeTo=home", "dischargeTo", 52, 35, "needs a value"),
    ("\"homeHealthCare\"", "\"homeHealthCare=true\"", 52, 17, "yes or no"),
    (
        "{ all = [\"homeHealthCare\", \"dischargeTo=home\"] }",
        "{ all = [\"infection\"], any = [\"infection\"] }",
        52,
        8,
        "either all or any",
    ),
    ("{ all = [\"homeHealthCare\", \"dischargeTo=home\"] }", "{ al = [\"infection\"] }", 52, 10, "“al” is unknown"),
    ("sv = \"Samtycke\"\n", "", 48, 1, "“sv” is missing"),
    ("cl_block = \"all\"", "cl_block = \"some\"", 7, 12, "“some” is unknown; choose among all"),
    ("order_wait_h = 72", "order_wait_h = 0", 9, 16, "an integer from 1"),
    ("order_wait_h = 72", "order_wait_h = \"72\"", 9, 16, "an integer from 1"),
    ("order_wait_h = 72\n", "", 6, 1, "“order_wait_h” is missing"),
    ("\"small\"", "\"../small\"", 1, 8, "a short name"),
    ("version = \"2026.1\"\n", "", 1, 1, "“version” is missing"),
    ("stage = \"P\"", "stage = \"P", 51, 11, "Not valid TOML"),
    ("stage = \"P\"", "stage = \"P\"\nstage = \"U\"", 52, 1, "Not valid TOML"),
    // Every predicate looks at its own types; what it would never see must not be promised.
    ("checklist_complete\"", "region_items\"", 37, 7, "“region_items” cannot look at K-HT; choose among R-UT"),
    ("checklist_complete\"", "notice_complete\"", 37, 7, "“notice_complete” cannot look at K-HT; choose among R-IN"),
    ("checklist_complete\"", "payment\"", 37, 7, "“payment” cannot look at K-HT; choose among R-UK"),
    ("[\"K-HT\"]", "[\"K-HT\", \"K-PU\"]", 37, 15, "“checklist_complete” cannot look at K-PU; choose among K-HT"),
    ("on = [\"K-HT\"]\n", "", 33, 1, "“on” is missing: “checklist_complete” is not for every message"),
    (
        "checklist_complete\"\neffect = \"withhold\"\non = [\"K-HT\"]",
        "consent\"\neffect = \"warn\"\non = [\"K-SIP\", \"R-KS\"]",
        37,
        16,
        "“consent” cannot look at R-KS, only messages of the municipality's",
    ),
    ("checklist_complete\"\neffect = \"withhold\"\non = [\"K-HT\"]\n", "consent\"\neffect = \"refuse\"\n", 33, 1, "“on” is missing"),
    (
        "checklist_complete\"\neffect = \"withhold\"\non = [\"K-HT\"]",
        "episode_open\"\neffect = \"warn\"\non = [\"R-UT\"]",
        37,
        7,
        "“episode_open” cannot look at R-UT",
    ),
    ("stage = \"P\"", "stage = \"P\"\nseen = [\"R-FV\", \"K-CL\"]", 52, 17, "Only what comes from the region closes the region's share"),
    ("stage = \"P\"", "stage = \"P\"\nseen = [\"R-XX\"]", 52, 9, "“R-XX” is unknown"),
    ("acknowledge = [\"R-IN\"]", "acknowledge = [\"K-HT\"]", 13, 16, "Only what comes from the region is acknowledged"),
    ("acknowledge = [\"R-IN\"]", "acknowledge = [1]", 13, 15, "“acknowledge” must be a list of texts"),
    (
        "[[item]]",
        "[[amount]]\nfrom = \"2020-01-01\"\nsek = 8200\nsource = \"s\"\n[[amount]]\nfrom = \"2019-01-01\"\nsek = 7800\nsource = \"s\"\n[[item]]",
        53,
        8,
        "Amounts must stand in the order of their days",
    ),
    ("[[item]]", "[[amount]]\nfrom = \"2020-02-30\"\nsek = 8200\nsource = \"s\"\n[[item]]", 49, 8, "“2020-02-30” is unknown"),
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
    assert_eq!(places, [(58, 8, "“CL01” stands twice"), (67, 6, "“CHK-1” stands twice")]);
}

#[test]
fn all_faults_come_at_once_and_in_the_order_of_the_file() {
    let text = SMALL.replace("\"all\"", "\"some\"").replace("withhold", "block").replace("\"P\"", "\"X\"").replace("\"SV\"", "\"ÖV\"");
    let lines: Vec<_> = faults(&text).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [7, 36, 50, 51]);
}

#[test]
fn an_empty_file_lacks_everything() {
    assert_eq!(faults("").len(), 6);
}

#[test]
fn the_hash_is_of_the_bytes() {
    let one = Rules::parse(SMALL).expect("whole");
    let other = Rules::parse(&format!("{SMALL}# a comment\n")).expect("whole");
    assert_ne!(one.hash, other.hash);
}

// The commands.

fn vardbro(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
    for name in ["LANG", "LC_ALL", "LC_MESSAGES", "VARDBRO_CONFIG"] {
        command.env_remove(name);
    }
    let out = command.args(arguments).current_dir(folder).output().unwrap_or_else(|fault| panic!("{fault}"));
    (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned(), String::from_utf8_lossy(&out.stderr).into_owned())
}

/// A folder with a configuration and one more set of rules.
fn installation(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap_or_else(|fault| panic!("{fault}"));
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path())).unwrap_or_else(|fault| panic!("{fault}"));
        std::fs::write(path, text).unwrap_or_else(|fault| panic!("{fault}"));
    };
    write("rules/small/2026.1/rules.toml", rules);
    write("in/.keep", "");
    write(
        "vardbro.toml",
        "[organisation]\norg_number = \"212000-1538\"\nhsa_id = \"SE2120001538-T100\"\nname = \"Test\"\n\
         [store]\npath = \"vardbro.db\"\n\
         [source.journal]\nkind = \"directory\"\npath = \"in\"\n\
         [destination.region]\nurl = \"https://localhost/messages\"\nmode = \"shadow\"\n\
         [[recipient]]\nhsa_id = \"SE2321000131-T200\"\nparty = \"SV\"\n\
         [[route]]\nparty = \"SV\"\ndestination = \"region\"\n\
         [rules]\nuse = \"small/2026.1\"\ndir = \"rules\"\n",
    );
    folder
}

#[test]
fn the_sets_are_listed_and_shown_in_the_chosen_language() {
    let folder = installation(SMALL);
    let (code, text, _) = vardbro(folder.path(), &["rules", "list"]);
    assert_eq!(code, Some(0));
    let law = text.lines().find(|line| line.contains("lagen/2026.1")).expect("the law's");
    assert!(law.contains("rules: 10") && law.contains("items:  0") && law.contains("The law: what"), "{law}");
    assert!(text.contains("vanersborg/2026.1") && !text.contains("small/2026.1") && !text.contains('*'), "{text}");
    let (code, text, complaint) = vardbro(folder.path(), &["rules", "list", "--config", "vardbro.toml", "--lang", "sv"]);
    assert_eq!(code, Some(0), "{complaint}");
    assert!(
        text.contains("* small/2026.1") && text.contains("regler:  1") && text.contains("Liten") && text.contains("används: small/2026.1"),
        "{text}"
    );

    let (code, text, _) = vardbro(folder.path(), &["rules", "show", "vanersborg/2026.1", "--lang", "sv"]);
    assert_eq!(code, Some(0));
    for told in [
        "checklist_lead_h",
        "2023-01-01  10500",
        "LATE-1  hold",
        "CL21",
        "sedd med R-FV",
        "alla meddelanden",
        "homeHealthCare eller medicineHelp",
    ] {
        assert!(text.contains(told), "{told} in\n{text}");
    }
    assert!(!text.contains("every message") && !text.contains("Consent or harm"), "{text}");
    let (_, text, _) = vardbro(folder.path(), &["rules", "show", "vanersborg/2026.1", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((json["rules"][0]["id"].as_str(), json["rules"][0]["on"][0].as_str()), (Some("CHK-1"), Some("K-HT")));
    assert_eq!(json["items"].as_array().map(Vec::len), Some(26));
    assert_eq!(json["items"][20]["seen"][0], "R-FV");
    let (code, _, complaint) = vardbro(folder.path(), &["rules", "show", "none/1"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("VB-CFG-008") && complaint.contains("known: lagen/2026.1, vanersborg/2026.1"), "{complaint}");
}

#[test]
fn the_difference_of_two_sets_is_told() {
    let vanersborg = shipped()[0].1;
    let other = vanersborg.replacen("name = \"vanersborg\"", "name = \"small\"", 1);
    let folder = installation(&other);
    let diff = ["rules", "diff", "vanersborg/2026.1", "small/2026.1", "--config", "vardbro.toml"];
    assert_eq!(vardbro(folder.path(), &diff), (Some(0), "No difference.\n".to_owned(), String::new()));

    let changes = [
        ("order_wait_h = 72", "order_wait_h = 24"),
        ("sek = 9300", "sek = 9301"),
        ("effect = \"withhold\"", "effect = \"warn\""),
        ("do_en = \"Nothing. If", "do_en = \"Nothing at all. If"),
        ("owners = [\"SV\", \"OV\"]", "owners = [\"SV\"]"),
        ("seen = [\"R-FV\"]\n", ""),
        ("code = \"CL26\"", "code = \"CL27\""),
    ];
    let edited = changes.iter().fold(other, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let folder = installation(&edited);
    let (code, text, complaint) = vardbro(folder.path(), &diff);
    assert_eq!(code, Some(1), "{complaint}");
    for told in [
        "~ parameter order_wait_h\n    value\n      - 72\n      + 24\n",
        "~ amount 2022-01-01\n    sek\n      - 9300\n      + 9301\n",
        "~ rule CHK-1\n    effect\n      - withhold\n      + warn\n",
        "~ rule DUP-1\n    do_en\n",
        "~ item CL22\n    owners\n      - SV, OV\n      + SV\n",
        "~ item CL21\n    seen\n      - R-FV\n      + –\n",
        "- item CL26: The municipality's telephone number",
        "+ item CL27: The municipality's telephone number",
        "Added: 1. Removed: 1. Changed: 6.",
    ] {
        assert!(text.contains(told), "{told} in\n{text}");
    }
    let (code, text, _) = vardbro(folder.path(), &["rules", "diff", "vanersborg/2026.1", "lagen/2026.1", "--lang", "sv"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("- regel CHK-1: Öppen punkt") && text.contains("~ regel PAY-1\n    page.source.en"), "{text}");
}

#[test]
fn a_broken_set_stops_everything_that_needs_it_and_is_pointed_at() {
    let folder = installation(&SMALL.replacen("\"K-HT\"", "\"K-PU\"", 1).replacen("stage = \"P\"", "stage = \"X\"", 1));
    for arguments in [
        &["config", "check"][..],
        &["run"],
        &["rules", "list", "--config", "vardbro.toml"],
        &["rules", "show", "lagen/2026.1", "--config", "vardbro.toml"],
        &["rules", "diff", "lagen/2026.1", "small/2026.1", "--config", "vardbro.toml"],
    ] {
        let (code, text, complaint) = vardbro(folder.path(), arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {text}{complaint}");
        assert_eq!(text, "", "{arguments:?}");
        let whole = complaint.contains("rules/small/2026.1/rules.toml:37:7: “checklist_complete” cannot look at K-PU; choose among K-HT")
            && complaint.contains("rules/small/2026.1/rules.toml:51:9: “X” is unknown");
        assert!(whole && complaint.contains("VB-CFG-008"), "{arguments:?}: {complaint}");
    }
    // What needs no further set goes on.
    assert_eq!(vardbro(folder.path(), &["explain", "PAY-1"]).0, Some(0));
}

/// Every rule of every shipped set has its page, whichever set has it.
#[test]
fn explain_knows_every_rule() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for id in RuleId::KNOWN {
        let (code, text, _) = vardbro(here, &["explain", id, "--lang", "sv"]);
        assert_eq!(code, Some(0), "{id}");
        assert!(text.starts_with(id) && text.contains("Källa"), "{text}");
    }
}
