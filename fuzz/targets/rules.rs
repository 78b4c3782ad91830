//! A municipality's own file of rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vardbro::check::rules::{self, Rules};
use vardbro::model::finding::Place;
use vardbro_fuzz::within;

fuzz_target!(|text: &str| {
    let set = match Rules::parse(text) {
        Ok(set) => set,
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            assert!(faults.is_sorted_by_key(|fault| (fault.line, fault.column)));
            for fault in faults {
                assert!(!fault.sv.is_empty() && !fault.en.is_empty());
                within(text.as_bytes(), Place { line: fault.line, column: fault.column });
            }
            return;
        }
    };
    // The set's name becomes a path.
    assert!(set.name.split('/').count() == 2 && !set.name.split('/').any(|part| part.is_empty() || part.contains("..")), "{}", set.name);
    let items: Vec<_> = set.regime.checklist.items.iter().collect();
    for rule in set.rules() {
        let finding = set.finding(rule.id.as_str(), &items);
        assert!(finding.code == rule.id.as_str() && !finding.sv.trim().is_empty() && !finding.en.trim().is_empty(), "{finding:?}");
        let (sv, en) = rules::page(rule);
        assert!(!sv.trim().is_empty() && !en.trim().is_empty());
    }
    assert!(!rules::reference(&set).is_empty() && !rules::parameters(&set.regime.parameters).is_empty());
    assert_eq!(Rules::parse(text).as_ref(), Ok(&set), "read in two ways");
});
