//! The reference receiver's script.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vardbro::model::finding::Place;
use vardbro::receiver::Script;
use vardbro_fuzz::within;

fuzz_target!(|text: &str| {
    let Err(fault) = Script::parse(text, "s.toml") else { return };
    let detail = fault.detail.expect("what is wrong");
    let mut numbers = detail.strip_prefix("s.toml:").expect("where").split(':').map_while(|part| part.parse().ok());
    let (Some(line), Some(column)) = (numbers.next(), numbers.next()) else { panic!("no place: {detail}") };
    within(text.as_bytes(), Place { line, column });
});
