//! Bytes of a record to an event, and the hash that tells its versions apart.
#![no_main]

use aws_lc_rs::digest::{SHA256, digest};
use libfuzzer_sys::fuzz_target;
use vardbro::map;
use vardbro_fuzz::{DEPTH, TODAY, sound};

fuzz_target!(|bytes: &[u8]| {
    let mapped = match map::read(bytes, DEPTH, TODAY) {
        Ok(mapped) => mapped,
        Err(findings) => {
            assert!(!findings.is_empty() && findings.len() <= 100, "{} findings", findings.len());
            sound(bytes, &findings);
            return;
        }
    };
    let kept = map::to_json(&mapped.event);
    let again = map::read(&kept, DEPTH, TODAY).expect("what we write we read");
    assert_eq!(again.event, mapped.event, "the store would change the event");
    assert_eq!(map::to_json(&again.event), kept, "written in two ways");
    assert_eq!(map::reread(&kept, TODAY).as_ref(), Some(&mapped.event));

    // Another reader and another writer come to the same hash, and so does the record with other blanks in it.
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let value: serde_json::Value = serde_json::from_slice(text).expect("what we read is JSON");
    let canonical = serde_json_canonicalizer::to_vec(&value).expect("canonical");
    assert_eq!(digest(&SHA256, &canonical).as_ref(), mapped.hash, "another canonical form");
    let airy = serde_json::to_vec_pretty(&value).expect("JSON");
    let airy = map::read(&airy, DEPTH, TODAY).expect("the same record");
    assert_eq!((airy.hash, airy.event), (mapped.hash, mapped.event), "blanks change the event");
});
