//! Days pass: what is old goes by itself, the file shrinks, and what was seen once is known all the same.

use super::figures::{EPISODES, files_in};
use super::host::faketime;
use super::world::{VARDBRO, World, admission, wait};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::Duration;

const FILES: usize = 300;

/// Tokens stand at the end of a plan.
fn token(plan: &str) -> &str {
    plan.trim_end().rsplit(' ').next().expect("a token")
}

/// The region ends an episode.
fn broken_off(case: usize) -> String {
    let mut event: Value = serde_json::from_str(&admission(&format!("HSL-{case}"), &format!("Z-{case}"), 10_000)).expect("JSON");
    event["type"] = "R-AV".into();
    event["data"] = json!({"reasonCode": "moved", "at": event["occurredAt"]});
    event.to_string()
}

#[test]
fn days_pass_and_what_is_old_goes() {
    let Some(library) = faketime() else { return };
    let world = World::new("timeout_s = 2", "");
    let set = |days: u32| {
        fs::write(world.path("clock.new"), format!("+{days}d\n")).expect("written");
        fs::rename(world.path("clock.new"), world.path("clock")).expect("renamed");
    };
    let in_time = |program: &str| {
        let mut program = Command::new(program);
        program.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", world.path("clock"));
        // The wall clock alone: files are as old as they are, and what counts seconds goes on counting.
        program.envs([
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]);
        program
    };
    let pruned = |kind: &str| {
        let said = |line: &Value| {
            line["event"] == "store.purged" && line["reason"].as_str().is_some_and(|reason| reason.starts_with(&format!("{kind}-")))
        };
        world.oplog().iter().filter(|line| said(line)).count()
    };
    set(0);
    let receiver = world.receiver("");
    let daemon = world.daemon_by(in_time(VARDBRO));
    world.fill(0..FILES);
    (0..EPISODES).for_each(|case| world.put(&format!("z{case}.json"), &broken_off(case)));
    fs::write(world.path("in/broken.json"), "{").expect("written");
    world.settle(&(EPISODES..FILES), Duration::from_mins(2));
    wait("the files to be settled", Duration::from_mins(1), || files_in(&world.path("in/done")) == FILES + EPISODES);
    wait("the broken one", Duration::from_secs(30), || files_in(&world.path("in/rejected")) == 2);
    wait("the outcomes", Duration::from_secs(30), || world.count("event WHERE outcome_told < outcome") == 0);
    let size = || world.ask("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")[0].parse::<u64>().expect("a number");
    let full = size();

    // A month later. One episode is kept by hand.
    let held = world.ask("SELECT episode_id FROM delivery ORDER BY id LIMIT 1").remove(0);
    let of_held = format!("delivery WHERE episode_id = '{held}' AND document IS NOT NULL");
    let (kept, lane) = (world.count(&of_held), world.count(&format!("delivery WHERE episode_id = '{held}'")));
    let set_hold = world.vardbro(&["hold", "set", "--episode", &held, "--reason", "Begäran om utlämnande", "--by", "arkivarie"]);
    assert!(set_hold.contains(&held) && set_hold.contains("arkivarie"), "{set_hold}");
    set(31);
    wait("the content to go", Duration::from_mins(1), || pruned("content") > 0);
    wait("done/ to be empty", Duration::from_secs(30), || files_in(&world.path("in/done")) == 0);
    assert_eq!(world.count("delivery WHERE document IS NOT NULL"), kept, "only what is held has its content");
    assert_eq!((kept, world.count("event WHERE purged_at IS NULL AND length(body) > 0") > 0), (lane, true));
    assert_eq!(files_in(&world.path("in/rejected")), 2, "for 90 days");

    let message = world.ask("SELECT message_id FROM delivery WHERE purged_at IS NOT NULL LIMIT 1").remove(0);
    assert!(world.vardbro(&["--lang", "sv", "messages", "show", &message]).contains("Innehållet är gallrat"));
    let again = world.vardbro(&["--lang", "sv", "messages", "resend", &message, "--again"]);
    assert!(again.contains("Innehållet är gallrat"), "{again}");

    // Three months later the files that were refused go too.
    set(92);
    wait("rejected/ to be empty", Duration::from_mins(1), || files_in(&world.path("in/rejected")) == 0);
    wait("outcome/ to be empty", Duration::from_mins(1), || files_in(&world.path("in/outcome")) == 0);

    // Then the episodes, which are over, and the journal of that time: the file is a fraction of what it was.
    set(500);
    wait("the episodes to go", Duration::from_mins(1), || pruned("episodes") > 0 && pruned("journal") > 0);
    wait("the room to be given back", Duration::from_secs(30), || size() * 2 < full);
    println!("{full} bytes with everything, {} with one episode and memories", size());
    assert_eq!((world.count("episode"), world.count("event")), (1, FILES + EPISODES));

    // The same files again: nothing is new, nothing is sent.
    let arrived = world.received().len();
    world.fill(0..20);
    let duplicates = || world.oplog().iter().filter(|line| line["event"] == "event.duplicate").count();
    wait("the duplicates", Duration::from_secs(30), || duplicates() == 20);
    assert_eq!(world.received().len(), arrived);

    by_hand(&world, &held, &in_time);
    daemon.stop();
    drop(receiver);
}

/// What is held goes once it is not, by hand too and while the daemon runs.
fn by_hand(world: &World, held: &str, in_time: &dyn Fn(&str) -> Command) {
    let of_held = format!("delivery WHERE episode_id = '{held}' AND document IS NOT NULL");
    let kept = world.count(&of_held);
    let lifted = world.vardbro(&["hold", "lift", "1", "--by", "arkivarie"]);
    assert!(!lifted.contains(held), "{lifted}");
    let prune = |arguments: &[&str]| {
        let out = in_time(VARDBRO)
            .args(["--lang", "en", "store", "prune"])
            .args(arguments)
            .arg("--config")
            .arg(world.path("vardbro.toml"))
            .output();
        String::from_utf8(out.expect("the program").stdout).expect("text")
    };
    let plan = prune(&[]);
    assert!(plan.contains(&format!("content of messages and receipts: {kept}")), "{plan}");
    assert_eq!(world.count(&of_held), kept, "a plan does nothing");
    let done = prune(&["--confirm", token(&plan)]);
    assert!(done.contains(&format!("content of messages and receipts: {kept}")), "{done}");
    assert_eq!(world.count("delivery WHERE document IS NOT NULL"), 0);
    assert!(world.vardbro(&["messages", "show", "test-journal:E-45"]).contains("VB-RET-001"), "it was there, and what it said is gone");
    assert!(world.vardbro(&["--lang", "en", "store", "check"]).contains(" 0 damaged"));
}
