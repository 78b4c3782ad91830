//! A message as a receiver reads it: scan, frame and schema.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vardbro::seal::Validator;
use vardbro::wire::Unreadable;
use vardbro::wire::xml::{read, transmission};
use vardbro_fuzz::{Message, now};

/// How our own documents begin. Others may declare on the way what their content needs.
const OURS: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<message xmlns=\"urn:vardbro:message:1\" schemaVersion=\"1.0\">";

fuzz_target!(|bytes: &[u8]| {
    let received = read(bytes);
    // The schema takes a hundred times as long as reading: it is asked where the two may differ, and now and then.
    let close = matches!(received, Err(Unreadable::Missing(_) | Unreadable::Twice(_) | Unreadable::Value(_)));
    let seldom = bytes.iter().fold(0_u8, |sum, b| sum.wrapping_mul(31).wrapping_add(*b)) < 8;
    let valid = (close || seldom) && Message.validate(bytes).is_empty();
    assert!(!valid || received.is_ok(), "valid by the schema, and unreadable: {received:?}");
    let Ok(received) = received else { return };
    let content = bytes.get(received.content.clone()).expect("the content lies in the document");
    assert!(content.starts_with(b"<") && content.ends_with(b">"), "not an element");
    let holds = received.hash_holds(bytes);
    if !bytes.starts_with(OURS) {
        return;
    }
    // Sent again: the same content in a new transmission is the same message.
    let again = transmission(content, received.declared_hash, received.envelope_id, now());
    let read_again = read(&again).expect("what we write we read");
    assert_eq!(&again[read_again.content.clone()], content);
    assert_eq!(read_again.hash_holds(&again), holds);
    assert_eq!(
        (read_again.message_id, read_again.episode_id, read_again.kind, read_again.sequence),
        (received.message_id, received.episode_id, received.kind, received.sequence)
    );
    assert!(!valid || Message.validate(&again).is_empty(), "no longer valid when sent again");
});
