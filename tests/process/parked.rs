//! What a person sends again after a receiver that answered 500 for too long.

use crate::world::{World, admission, at, message, wait};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// One more than one command sends again.
const PARKED: usize = 101;

fn note(number: usize) -> String {
    message("K-PM", &format!("C-{number}"), &format!("m-{number}"), 60, &json!({"category": "other", "text": at(0)}))
}

fn token(plan: &str) -> String {
    plan.rsplit("--confirm ").next().expect("a token").trim().to_owned()
}

#[test]
fn a_hundred_parked_are_sent_again_and_the_rest_after_a_restart() {
    let world = World::new("max_attempts = 2\nin_flight = 8", "[retry]\nbase_s = 0.1");
    let receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 0");
    let daemon = world.daemon();
    for number in 0..PARKED {
        world.put(&format!("a-{number}.json"), &admission(&format!("C-{number}"), &format!("r-{number}"), 0));
        world.put(&format!("b-{number}.json"), &note(number));
    }
    wait("all to be parked", Duration::from_mins(2), || world.in_state("PARKED") == PARKED);
    drop(receiver);
    let receiver = world.receiver("");
    let way = ["messages", "resend", "--state", "PARKED", "--code", "VB-DLV-016"];
    let plan = world.vardbro(&way);
    assert!(plan.starts_with("Messages to send again: 100\n") && plan.contains("Left for another run: 1\n"), "{plan}");
    assert!(plan.contains("of which may have arrived: 100"), "{plan}");
    let sent = world.received().len();
    let stale = world.vardbro(&[&way[..], &["--limit", "99", "--confirm", &token(&plan)]].concat());
    assert!(stale.contains("VB-OPS-003") && world.in_state("PARKED") == PARKED, "{stale}");
    let said = world.vardbro(&[&way[..], &["--confirm", &token(&plan), "--reason", "the region has mended it"]].concat());
    assert!(said.starts_with("In the queue again: 100\n"), "{said}");
    wait("them to be accepted", Duration::from_mins(1), || world.in_state("ACCEPTED") == 100);
    assert_eq!(world.in_state("PARKED"), 1);
    let ids: BTreeSet<String> = world.received()[sent..].iter().map(|line| line["messageId"].to_string()).collect();
    assert_eq!((ids.len(), world.received().len() - sent), (100, 100), "each once");

    // The last one while the daemon is away; it leaves when there is one again.
    daemon.kill();
    let plan = world.vardbro(&way);
    let said = world.vardbro(&[&way[..], &["--confirm", &token(&plan)]].concat());
    assert!(said.starts_with("In the queue again: 1\n") && said.contains("not running"), "{said}");
    assert_eq!((world.in_state("SCHEDULED"), world.received().len() - sent), (1, 100));
    let daemon = world.daemon();
    wait("the last one", Duration::from_secs(30), || world.in_state("ACCEPTED") == PARKED);
    daemon.stop();
    drop(receiver);
    let checked = world.vardbro(&["store", "check"]);
    assert!(!checked.contains('✗') && world.received().len() - sent == PARKED, "{checked}");
}
