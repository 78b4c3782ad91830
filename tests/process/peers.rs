//! Failures that were seen in programs of this kind, each as a test under the failure's name.

use super::figures::{EPISODES, Feeder, lay, message_of, now};
use super::gate::{Gate, Mode};
use super::postgres::Schema;
use super::world::{World, wait};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// The connection goes just when a COMMIT passes: before it arrives, after it was done but not told, or nobody knows. An
/// event that is half in would meet its resend as a duplicate, and nobody would deliver it.
#[test]
fn the_store_is_down_at_the_moment_of_commit() {
    let Some(schema) = Schema::new() else { return };
    let gate = Gate::new(&schema.url);
    let world = World::on_postgres(&schema.url, &gate.url, "timeout_s = 1", "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    gate.set(Mode::CutCommits(5));
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    wait("the cuts", Duration::from_mins(2), || gate.cuts() >= 45);
    gate.set(Mode::Open);
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    wait("the files to be taken", Duration::from_secs(20), || super::figures::files_in(&world.path("in/done")) == files);
    assert_eq!(world.count("event"), files);
    assert_eq!(world.count("delivery"), files - EPISODES);
    let transmissions = world.received().len();
    // Every event again: all of them duplicates, and not one is sent.
    (0..files).for_each(|file| lay(&world.path("in"), file));
    wait("the duplicates", Duration::from_mins(1), || super::figures::files_in(&world.path("in/done")) == 2 * files);
    daemon.stop();
    assert_eq!((world.count("event"), world.count("delivery"), world.received().len()), (files, files - EPISODES, transmissions));
    world.figures("the store is down at the moment of COMMIT", gate.cuts(), ended, EPISODES..files);
}

/// A refusal without a receipt, and one with.
#[test]
fn a_400_from_the_receiver_is_never_dropped() {
    let world = World::new("timeout_s = 2", "[retry]\nbase_s = 0.2\nlease_s = 6");
    let (bare, told) = (EPISODES, EPISODES + 1);
    let script = format!(
        "[[answer]]\nstatus = 400\nmatch = \"{}\"\n[[answer]]\nreceipt = \"rejected\"\nreason = \"BV\"\nstatus = 400\nmatch = \"{}\"",
        message_of(bare),
        message_of(told)
    );
    let _receiver = world.receiver(&script);
    let daemon = world.daemon();
    // The refused ones, and after them one more in each episode.
    world.fill(0..3 * EPISODES);
    let rest = EPISODES + 2..3 * EPISODES;
    wait("the others", Duration::from_mins(1), || world.count("delivery WHERE state = 'ACCEPTED'") == rest.len());
    for (file, code) in [(bare, "VB-DLV-013"), (told, "VB-DLV-012")] {
        let outcome = world.path(&format!("in/outcome/{file:06}.json.outcome.json"));
        wait("the outcome", Duration::from_secs(20), || {
            fs::read_to_string(&outcome).is_ok_and(|text| text.contains("\"REJECTED\"") && text.contains(code))
        });
        let shown = world.vardbro(&["messages", "show", &message_of(file)]);
        assert!(shown.contains("REJECTED") && shown.contains(code) && shown.contains("HTTP 400"), "{shown}");
        let kept = world.count(&format!(
            "delivery WHERE state = 'REJECTED' AND code = '{code}' AND message_id = '{}' AND LENGTH(document) > 500",
            message_of(file)
        ));
        assert_eq!(kept, 1, "the document is kept");
    }
    daemon.stop();
    let sent = |file: usize| world.received().iter().filter(|line| line["messageId"] == message_of(file).as_str()).count();
    assert_eq!((sent(bare), sent(told)), (1, 1), "sent once");
    let followers: BTreeSet<usize> = [bare + EPISODES, told + EPISODES].into();
    assert!(followers.iter().all(|file| sent(*file) == 1), "the next of the episode goes on");
    world.figures("400 from the receiver", 2, now(), rest);
}

/// State, count and time of the one delivery.
fn schedule(world: &World) -> String {
    world.ask("SELECT state, attempts, next_at, last_answer FROM delivery").pop().unwrap_or_default()
}

#[test]
fn a_kill_after_the_first_failed_attempt_keeps_the_retry_schedule() {
    let world = World::new("timeout_s = 1", "[retry]\nbase_s = 6\nlease_s = 4");
    let receiver = world.receiver("[[answer]]\nstatus = 500\ntimes = 0");
    let daemon = world.daemon();
    lay(&world.path("in"), 0);
    lay(&world.path("in"), EPISODES);
    wait("the first attempt", Duration::from_secs(20), || schedule(&world).starts_with("SCHEDULED_FOR_RESEND|1|"));
    let planned = schedule(&world);
    daemon.kill();
    drop(receiver);
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let killed = now();
    assert_eq!(schedule(&world), planned, "as it was planned");
    let at: i64 = planned.split('|').nth(2).and_then(|at| at.parse().ok()).expect("a time");
    world.settle(&(EPISODES..EPISODES + 1), Duration::from_mins(1));
    daemon.stop();
    assert_eq!(world.ask("SELECT attempts FROM delivery"), ["2"]);
    let second = world.received()[1]["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("an instant");
    assert!(second.as_millisecond() >= at, "not before its time");
    world.figures("kill -9 after the first failed attempt", 1, killed, EPISODES..EPISODES + 1);
}
