//! The machine fails: no space on the disk, no file descriptors, a clock that jumps, a folder that is flooded.

#![expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]

use super::figures::{EPISODES, Feeder, files_in, lay_among, now};
use super::world::{VARDBRO, World, wait};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const BOUNDS: &str = "[retry]\nbase_s = 0.2\ncap_s = 1\nlease_s = 5";

/// A small disk in a folder, gone when it goes out of scope.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// None where it may not be mounted, outside CI.
    pub(super) fn new(folder: PathBuf, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(&folder).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"]).arg(&folder).output();
        if mounted.is_ok_and(|out| out.status.success()) {
            return Some(Self(folder));
        }
        assert!(std::env::var_os("CI").is_none(), "a tmpfs cannot be mounted in CI");
        eprintln!("skipped: mounting a tmpfs is not permitted here");
        None
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all the space that is left.
    pub(super) fn fill(&self) {
        let mut file = fs::File::options().create(true).append(true).open(self.ballast()).expect("a file");
        for bytes in [64 * 1024, 4096, 512, 1] {
            while file.write_all(&vec![0; bytes]).is_ok() {}
        }
    }

    pub(super) fn free(&self) {
        fs::remove_file(self.ballast()).expect("removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn faults(world: &World) -> usize {
    world.oplog().iter().filter(|line| line["event"] == "store.fault").count()
}

/// Store, source folder and outcomes on one disk that runs full, three times.
#[test]
fn a_full_disk_under_load_loses_nothing() {
    let world = World::new("timeout_s = 1", &format!("[store]\npath = \"disk/vardbro.db\"\n{BOUNDS}"));
    let Some(disk) = Disk::new(world.path("disk"), 48) else { return };
    fs::create_dir(world.path("disk/in")).expect("a folder");
    fs::remove_dir(world.path("in")).expect("removed");
    std::os::unix::fs::symlink(world.path("disk/in"), world.path("in")).expect("linked");
    // The tests ask for the database by this name.
    std::os::unix::fs::symlink(world.path("disk/vardbro.db"), world.path("vardbro.db")).expect("linked");
    let _receiver = world.receiver("");
    let files = 800;
    world.fill(0..files);
    let daemon = world.daemon();
    let times = 3;
    for time in 1..=times {
        wait("files to be taken", Duration::from_mins(1), || files_in(&world.path("in/done")) >= time * 200);
        let before = faults(&world);
        disk.fill();
        wait("the store to fail", Duration::from_secs(30), || {
            // What was given back meanwhile is taken as well.
            disk.fill();
            faults(&world) > before + 1
        });
        std::thread::sleep(Duration::from_secs(1));
        let said = world.vardbro(&["messages", "list"]);
        assert!(said.contains(" region "), "it can be looked at meanwhile: {said}");
        disk.free();
    }
    let ended = now();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    wait("the files to be settled", Duration::from_secs(30), || files_in(&world.path("in/done")) == files);
    wait("the outcomes", Duration::from_secs(30), || {
        (EPISODES..files).all(|file| {
            fs::read_to_string(world.path(&format!("in/outcome/{file:06}.json.outcome.json")))
                .is_ok_and(|text| text.contains("\"ACCEPTED\""))
        })
    });
    daemon.stop();
    assert_eq!(world.count("event"), files);
    world.figures("disk full", times, ended, EPISODES..files);
}

/// The source's folder is on a full disk, the store is not: a refused file waits for its reason to be written.
#[test]
fn a_refused_file_on_a_full_disk_is_moved_when_there_is_room() {
    let world = World::new("timeout_s = 1", BOUNDS);
    let Some(disk) = Disk::new(world.path("in"), 1) else { return };
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    // The last that there is room for.
    fs::write(world.path("in/refused.tmp"), "{\"no\": \"event\"}").expect("written");
    disk.fill();
    fs::rename(world.path("in/refused.tmp"), world.path("in/refused.json")).expect("renamed");
    wait("the trouble to be told", Duration::from_secs(20), || world.oplog().iter().any(|line| line["event"] == "source.fault"));
    disk.free();
    wait("the file to be moved", Duration::from_secs(30), || {
        world.path("in/rejected/refused.json").exists() && world.path("in/rejected/refused.json.reason.json").exists()
    });
    daemon.stop();
}

/// Sixty-four descriptors in all, and as many transmissions allowed at once.
#[test]
fn sixty_four_open_files_are_enough() {
    let world = World::new("timeout_s = 1\nin_flight = 64", BOUNDS);
    let _receiver = world.receiver("[[answer]]\ndelay_ms = 200\ntimes = 0");
    let files = 600;
    world.fill(0..files);
    let mut program = Command::new("prlimit");
    program.args(["--nofile=64:64", VARDBRO]);
    let began = now();
    let daemon = world.daemon_by(program);
    world.settle(&(EPISODES..files), Duration::from_mins(2));
    wait("the files to be settled", Duration::from_secs(30), || files_in(&world.path("in/done")) == files);
    daemon.stop();
    assert_eq!(files_in(&world.path("in/rejected")), 0);
    assert_eq!(world.count("event"), files);
    world.figures("64 open files, 64 transmissions at once", 1, began, EPISODES..files);
}

/// The limit falls below what is open, in the middle of the work: no file can be opened, and none is to blame for that.
#[test]
fn no_file_is_refused_for_want_of_descriptors() {
    let world = World::new("timeout_s = 1", BOUNDS);
    let _receiver = world.receiver("");
    let files = 800;
    world.fill(0..files);
    let daemon = world.daemon();
    let limit = |to: u32| {
        let pid = daemon.0.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={to}:4096")]).status();
        assert!(status.expect("prlimit").success());
    };
    wait("files to be taken", Duration::from_mins(1), || files_in(&world.path("in/done")) > 0);
    limit(8);
    // What has been read goes on; the next batch cannot be read.
    wait("trouble", Duration::from_mins(1), || {
        files_in(&world.path("in/rejected")) > 0 || world.oplog().iter().any(|line| line["event"] == "source.fault")
    });
    limit(1024);
    let ended = now();
    world.settle(&(EPISODES..files), Duration::from_mins(2));
    wait("the files to be settled", Duration::from_secs(30), || files_in(&world.path("in/done")) == files);
    daemon.stop();
    assert_eq!(files_in(&world.path("in/rejected")), 0);
    world.figures("no descriptors to be had", 1, ended, EPISODES..files);
}

/// What lets a process see another time than the others do.
pub(crate) fn faketime() -> Option<PathBuf> {
    let places = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib64/faketime", "/usr/lib/faketime"];
    let found = places.iter().map(|place| Path::new(place).join("libfaketimeMT.so.1")).find(|library| library.exists());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "no libfaketime in CI");
    if found.is_none() {
        eprintln!("skipped: libfaketime is not installed (package faketime)");
    }
    found
}

/// The wall clock alone: what counts seconds goes on counting.
#[test]
fn a_clock_that_jumps_forward_two_hours_and_back_one_delays_nothing() {
    let Some(library) = faketime() else { return };
    let world = World::new("timeout_s = 1", BOUNDS);
    let clock = world.path("clock");
    let set = |hours: u32| {
        fs::write(world.path("clock.new"), format!("+{hours}h\n")).expect("written");
        fs::rename(world.path("clock.new"), &clock).expect("renamed");
    };
    set(0);
    // Slow enough that something is in flight at every moment, and at times it fails.
    let failing = "[[answer]]\nstatus = 500\n[[answer]]\ndelay_ms = 100\ntimes = 7\n".repeat(40);
    let receiver = world.receiver(&format!("{failing}[[answer]]\ndelay_ms = 100\ntimes = 0"));
    let mut program = Command::new(VARDBRO);
    program.env("LD_PRELOAD", &library).env("FAKETIME_TIMESTAMP_FILE", &clock);
    program.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("DONT_FAKE_MONOTONIC", "1")]);
    let daemon = world.daemon_by(program);
    let feeder = Feeder::start(&world, &["in"], Duration::from_millis(20));
    let flow = |messages: usize| {
        let before = files_in(&world.path("receiver/messages"));
        wait("messages to flow", Duration::from_secs(40), || files_in(&world.path("receiver/messages")) > before + messages);
    };
    flow(60);
    set(2);
    flow(60);
    set(1);
    flow(60);
    // Back with the way closed: it is tried again all the same.
    set(2);
    drop(receiver);
    wait("the alarm", Duration::from_secs(30), || {
        world.oplog().iter().any(|line| line["event"] == "alarm.opened" && line["code"] == "VB-DLV-020")
    });
    set(1);
    let _receiver = world.receiver("");
    let ended = now();
    let files = feeder.stop();
    world.settle(&(EPISODES..files), Duration::from_mins(1));
    daemon.stop();
    world.figures("clock 2 h forward, 1 h back, twice", 4, ended, EPISODES..files);
}

/// Two thousand, so that it stays within a minute in a build for development; the hundred thousand with `FULL=1`.
#[test]
fn a_hundred_thousand_files_at_once() {
    let full = std::env::var_os("FULL").is_some();
    let files = if full { 100_000 } else { 2_000 };
    println!("{files} files{}", if full { "" } else { "; a hundred thousand with FULL=1" });
    let world = World::new("timeout_s = 10\nin_flight = 32", "");
    let _receiver = world.receiver("");
    // As many to an episode as a long stay in hospital has.
    let episodes = files / 20;
    (0..files).for_each(|file| lay_among(&world.path("in"), file, episodes));
    let began = now();
    let daemon = world.daemon();
    world.settle(&(episodes..files), Duration::from_mins(if full { 60 } else { 4 }));
    wait("the files to be settled", Duration::from_mins(1), || files_in(&world.path("in/done")) == files);
    daemon.stop();
    assert_eq!(world.count("event"), files);
    world.figures(&format!("{files} files at once"), 1, began, episodes..files);
}
