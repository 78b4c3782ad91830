//! Records of one or several episodes, one after the other, through all that `vardbro check` does: map, fold, rules, wire and seal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use vardbro::check::rules::{Rules, shipped};
use vardbro::fault::Code;
use vardbro::intake::{Desk, Routing, Trial};
use vardbro::model::bodies::Party;
use vardbro::model::event::Recipient;
use vardbro::model::ids::{HsaId, OrgNumber};
use vardbro::model::name::Name;
use vardbro::model::time::local_day;
use vardbro::wire::Sender;
use vardbro_fuzz::{DEPTH, Message, now, sound};

/// Between two records.
const BETWEEN: u8 = 0x1E;
const RECORDS_MAX: usize = 8;

static RULES: LazyLock<Vec<Arc<Rules>>> =
    LazyLock::new(|| shipped().iter().map(|(_, text)| Arc::new(Rules::parse(text).expect("shipped rules"))).collect());

fn desk(rules: &Arc<Rules>) -> Desk {
    let unit = HsaId::parse("SE2321000131-T200").expect("an HSA-id");
    Desk {
        sets: [(rules.name.clone(), Arc::clone(rules))].into(),
        rules: Arc::clone(rules),
        routing: Routing {
            routes: Vec::new(),
            defaults: vec![Recipient { hsa_id: unit.clone(), party: Party::Sv }],
            destinations: [(Name::unnamed(), false)].into(),
        },
        sender: Sender { org_number: OrgNumber::parse("2120001538").expect("a number"), hsa_id: unit, name: "Testkommunen".to_owned() },
        production: false,
        persons: None,
    }
}

fuzz_target!(|bytes: &[u8]| {
    // The first byte picks the rules.
    let Some((first, records)) = bytes.split_first() else { return };
    let rules = &RULES[usize::from(*first) % RULES.len()];
    let mut trial = Trial::new(desk(rules), Box::new(Message));
    for record in records.split(|b| *b == BETWEEN).take(RECORDS_MAX) {
        let tried = match vardbro::map::read(record, DEPTH, local_day(now())) {
            Ok(mapped) => trial.event(mapped, now()),
            Err(findings) => {
                assert!(!findings.is_empty(), "no event and no reason");
                sound(record, &findings);
                continue;
            }
        };
        sound(record, &tried.findings);
        let codes: Vec<&str> = tried.findings.iter().map(|finding| finding.code.as_str()).collect();
        // A message that the rules let leave is valid, and nothing is ever our own fault.
        assert!(!codes.iter().any(|code| *code == Code::OutSchema.id() || code.starts_with("VB-BUG")), "{:?}", tried.findings);
    }
});
