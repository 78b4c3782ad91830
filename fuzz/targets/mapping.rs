//! A mapping file, a form feed, and a document that it reads. The shipped mappings are among the seeds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vardbro::map::{Limits, compile, to_json};
use vardbro::model::finding::Place;
use vardbro_fuzz::{DEPTH, TODAY, within};

const BETWEEN: u8 = 0x0C;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == BETWEEN);
    let Some(Ok(text)) = parts.next().map(std::str::from_utf8) else { return };
    let mapping = match compile(text, &|_| None) {
        Ok(mapping) => mapping,
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            for fault in faults {
                assert!(!fault.sv.is_empty() && !fault.en.is_empty());
                within(text.as_bytes(), Place { line: fault.line, column: fault.column });
            }
            return;
        }
    };
    let document = parts.next().unwrap_or_default();
    let limits = Limits { depth: DEPTH, records: 1_000 };
    for record in mapping.read(document, None, limits, TODAY) {
        match record.events {
            Ok(events) => events.iter().for_each(|mapped| assert!(!to_json(&mapped.event).is_empty())),
            Err(findings) => assert!(!findings.is_empty(), "no event and no reason"),
        }
    }
    // What explains says the same.
    let _ = mapping.explain(document, None, limits, TODAY);
});
