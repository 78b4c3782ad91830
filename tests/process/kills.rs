//! Killed and stopped at any moment: what comes after goes on where the store stands, and a late worker changes nothing.

use super::figures::{EPISODES, Feeder, Random, files_in, lay, now};
use super::postgres::Schema;
use super::world::{Process, VARDBRO, World, wait};
use std::process::Command;
use std::time::Duration;

const KILLS: usize = 100;
const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 4";

/// Lets a life last for some part of a second; of four lives one may end before it has begun.
fn live(world: &World, log: &str, starts: usize, random: &mut Random) {
    if random.below(4) > 0 {
        wait("the daemon to start", Duration::from_secs(20), || world.starts(log) > starts);
    }
    std::thread::sleep(random.pause(20..400));
}

#[test]
fn a_hundred_kills_under_load_lose_nothing() {
    let world = World::new("timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let mut random = Random::new();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    for kill in 0..KILLS {
        let (starts, arrived) = (world.starts("oplog"), files_in(&world.path("receiver/messages")));
        let daemon = world.spawn_by(Command::new(VARDBRO), "vardbro");
        if kill % 8 == 0 {
            // So short a life may find all lanes under the leases of those before it; now and then one lives to deliver.
            wait("a message to arrive", Duration::from_secs(30), || files_in(&world.path("receiver/messages")) > arrived);
        }
        live(&world, "oplog", starts, &mut random);
        daemon.kill();
    }
    let daemon = world.daemon();
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(2));
    daemon.stop();
    assert_eq!(files_in(&world.path("in/done")), files);
    assert_eq!(world.count("event"), files);
    world.figures("kill -9", KILLS, ended, EPISODES..files);
}

/// Two replicas on one PostgreSQL, each with a folder of its own and both delivering; one or the other is killed.
#[test]
fn a_hundred_kills_of_two_replicas_in_turn_lose_nothing() {
    let Some(schema) = Schema::new() else { return };
    let world = World::on_postgres(&schema.url, &schema.url, "timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let mut random = Random::new();
    let names = ["one", "two"];
    let feeder = Feeder::start(&world, &names, Duration::from_millis(20));
    let mut replicas = names.map(|name| Some(world.replica(name)));
    for kill in 0..KILLS {
        let which = kill % 2;
        replicas[which].take().expect("a replica").kill();
        let starts = world.starts(names[which]);
        replicas[which] = Some(world.replica(names[which]));
        live(&world, names[which], starts, &mut random);
    }
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(2));
    replicas.into_iter().flatten().for_each(Process::stop);
    assert_eq!(world.count("event"), files);
    world.figures("kill -9, two replicas in turn", KILLS, ended, EPISODES..files);
}

/// Everything that a late worker could spoil.
fn fates(world: &World) -> Vec<String> {
    world.ask("SELECT message_id, state, attempts, last_answer, tried_at, settled_at FROM delivery ORDER BY id")
}

/// A replica is stopped with messages in flight, the other one carries all of them on, and the first one wakes.
#[test]
fn a_replica_that_was_stopped_past_its_lease_changes_nothing_when_it_wakes() {
    let Some(schema) = Schema::new() else { return };
    let world = World::on_postgres(&schema.url, &schema.url, "timeout_s = 1", BOUNDS);
    let receiver = world.receiver("[[answer]]\ndelay_ms = 400\ntimes = 0");
    let late = world.replica("one");
    (0..240).for_each(|file| lay(&world.path("one"), file));
    wait("the daemon to start", Duration::from_secs(20), || world.starts("one") > 0);
    wait("the files to be taken", Duration::from_mins(1), || files_in(&world.path("one/done")) == 240);
    wait("messages in flight", Duration::from_secs(20), || world.count("delivery WHERE state = 'SUBMITTED'") > 0);
    late.signal("STOP");
    let in_flight = world.count("delivery WHERE state = 'SUBMITTED'");
    assert!(in_flight > 0, "nothing was in flight");
    drop(receiver);
    let _receiver = world.receiver("");
    let other = world.replica("two");
    world.settle(&(EPISODES..240), Duration::from_mins(1));
    let (before, ended) = (fates(&world), now());
    late.signal("CONT");
    // It ends when what it had in flight has its answer, and has tried to write that.
    late.stop();
    assert_eq!(fates(&world), before);
    other.stop();
    world.figures("SIGSTOP past the lease, two replicas", in_flight, ended, EPISODES..240);
}

/// Alone on its store, the one that wakes meets its own leases, long past.
#[test]
fn a_daemon_that_was_stopped_past_its_leases_goes_on() {
    let world = World::new("timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 200\ntimes = 0");
    let daemon = world.daemon();
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    let mut in_flight = 0;
    let mut ended = now();
    for _ in 0..3 {
        wait("messages in flight", Duration::from_secs(20), || world.count("delivery WHERE state = 'SUBMITTED'") > 4);
        daemon.signal("STOP");
        in_flight += world.count("delivery WHERE state = 'SUBMITTED'");
        std::thread::sleep(Duration::from_secs(5));
        daemon.signal("CONT");
        ended = now();
    }
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    daemon.stop();
    world.figures("SIGSTOP past the leases, three times", in_flight, ended, EPISODES..files);
}
