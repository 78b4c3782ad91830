//! A receiver that is slow, silent, breaks off, or talks nonsense: what it has it gets again under the same id, and what
//! it does not say clearly does not count.

use super::figures::{EPISODES, now};
use super::front::{Front, Lie};
use super::world::{World, admission, message, planning, wait};
use std::time::Duration;

/// Messages under each lie: two in each of twenty episodes.
const MESSAGES: usize = 40;

#[test]
fn whatever_the_receiver_says_nothing_is_lost_and_nothing_is_believed_that_is_no_receipt() {
    let world = World::new("timeout_s = 1.5", "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 5");
    let (_receiver, behind) = world.plain_receiver();
    let front = Front::new(world.port, &world.certificates, behind);
    let daemon = world.daemon();
    world.fill(0..EPISODES + 1);
    world.settle(&(EPISODES..EPISODES + 1), Duration::from_secs(20));
    let mut first = EPISODES + 1;
    let lies = [
        Lie::Slow,
        Lie::Silence,
        Lie::Dribble,
        Lie::End,
        Lie::Reset,
        Lie::FiveMegabytes,
        Lie::NotHttp,
        Lie::BrokenChunks,
        Lie::TooLong,
        Lie::TooShort,
        Lie::HugeHeader,
        Lie::Html,
        Lie::Empty,
        Lie::AnotherReceipt,
    ];
    for lie in lies {
        let before = front.set(lie);
        let files = first..first + MESSAGES;
        world.fill(files.clone());
        wait("the lies to be told", Duration::from_secs(30), || front.told() >= before + 24);
        if !matches!(lie, Lie::Slow) {
            let settled = files.clone().filter(|file| world.settled(*file)).count();
            assert_eq!(settled, 0, "{lie:?} was taken for a receipt");
        }
        let told = front.set(Lie::Truth) - before;
        let ended = now();
        world.settle(&files, Duration::from_mins(1));
        world.figures(&format!("receiver: {lie:?}"), told, ended, files.clone());
        first = files.end;
    }
    daemon.stop();
    // None of it says that the way is closed.
    assert!(!world.oplog().iter().any(|line| line["event"] == "alarm.opened" || line["event"] == "delivery.parked"));
}

/// Two destinations, one of which hangs: the other one's messages do not wait for it.
#[test]
fn a_destination_that_hangs_does_not_slow_another() {
    let world = World::new("timeout_s = 20", "[retry]\nlease_s = 60");
    let (_other, address) = world.plain_receiver();
    let file = world.path("vardbro.toml");
    let routed = format!(
        "\n[destination.other]\nurl = \"http://{address}/\"\n[[route]]\ntype = \"K-PM\"\ndestination = \"other\"\n[[route]]\nparty = \"SV\"\ndestination = \"region\"\n"
    );
    let config = std::fs::read_to_string(&file).expect("the configuration");
    std::fs::write(&file, config + &routed).expect("written");
    // Nobody answers at the first: it listens and says nothing.
    let _silent = world.receiver("[[answer]]\ndelay_ms = 600000\ntimes = 0");
    let daemon = world.daemon();
    let cases = 20;
    for n in 0..cases {
        let case = format!("HSL-{n}");
        world.put(&format!("{n}-1.json"), &admission(&case, &format!("E-{n}-1"), 1));
        world.put(&format!("{n}-2.json"), &planning(&case, &format!("E-{n}-2"), 2));
        let note = serde_json::json!({"category": "medicineDispenser", "text": "Anhörig nås på dagtid."});
        world.put(&format!("{n}-3.json"), &message("K-PM", &case, &format!("E-{n}-3"), 3, &note));
    }
    wait("the other destination's messages", Duration::from_secs(30), || {
        world.count("delivery WHERE destination = 'other' AND state = 'ACCEPTED'") == cases
    });
    assert_eq!(world.count("delivery WHERE destination = 'region' AND state = 'ACCEPTED'"), 0);
    daemon.kill();
}
