//! A receiver's answer as XML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vardbro::seal::Validator;
use vardbro::wire::receipt::{read, write};
use vardbro_fuzz::Receipt;

fuzz_target!(|bytes: &[u8]| {
    let receipt = read(bytes);
    let faults = Receipt.validate(bytes);
    assert!(!faults.is_empty() || receipt.is_ok(), "valid by the schema, and unreadable: {receipt:?}");
    let Ok(receipt) = receipt else { return };
    let written = write(&receipt);
    assert_eq!(read(&written).as_ref(), Ok(&receipt), "another receipt when written and read");
    assert_eq!(Receipt.validate(&written), [], "we write what is not valid");
});
