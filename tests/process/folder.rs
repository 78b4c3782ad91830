//! A folder whose changes nobody tells of, as on a network share; and one that gets what belongs to another environment.

use super::world::{World, admission, put_at, wait};
use std::fs;
use std::time::Duration;

/// The folder is another one than the daemon watches, as where a share has been mounted anew: only the clock finds its files.
#[test]
fn files_in_a_folder_that_tells_of_no_changes_are_taken() {
    let world = World::new("", "");
    let daemon = world.daemon();
    world.put("heard.json", &admission("HSL-1", "E-1", 1));
    wait("the file that is heard of", Duration::from_secs(20), || world.path("in/done/heard.json").exists());
    fs::rename(world.path("in"), world.path("in-before")).expect("renamed");
    fs::create_dir(world.path("in")).expect("a folder");
    for number in 2..5 {
        put_at(&world.path("in"), &format!("{number}.json"), &admission("HSL-1", &format!("E-{number}"), number));
    }
    wait("the files that nobody tells of", Duration::from_secs(20), || (2..5).all(|n| world.path(&format!("in/done/{n}.json")).exists()));
    assert_eq!(world.count("event"), 4);
    wait("their outcomes", Duration::from_secs(20), || world.path("in/outcome/4.json.outcome.json").exists());
    daemon.stop();
}

/// Test data in production and real data in a test are refused before anything of them is kept.
#[test]
fn test_persons_stay_out_of_production_and_all_others_out_of_a_test() {
    for (environment, refused, code) in [("production", "listed.json", "VB-CHK-021"), ("test", "other.json", "VB-CHK-022")] {
        let world = World::new("", "");
        let configuration = fs::read_to_string(world.path("vardbro.toml")).expect("a configuration");
        assert!(configuration.contains("environment = \"test\""), "{configuration}");
        let configuration = configuration.replacen(
            "environment = \"test\"",
            &format!("environment = \"{environment}\"\ntest_persons_file = \"persons.txt\""),
            1,
        );
        fs::write(world.path("vardbro.toml"), configuration).expect("a configuration");
        fs::write(world.path("persons.txt"), "195003072260\n").expect("a list");
        let daemon = world.daemon();
        let taken = if refused == "listed.json" { "other.json" } else { "listed.json" };
        world.put("other.json", &admission("HSL-1", "E-1", 1));
        world.put("listed.json", &admission("HSL-2", "E-2", 2).replace("193812217044", "195003072260"));
        let rejected = world.path(&format!("in/rejected/{refused}.reason.json"));
        wait("both are dealt with", Duration::from_secs(20), || rejected.exists() && world.path(&format!("in/done/{taken}")).exists());
        let reason = fs::read_to_string(rejected).expect("a reason");
        assert!(reason.contains(code) && reason.contains("patient.id"), "{reason}");
        assert_eq!(world.count("event"), 1);
        daemon.stop();
    }
}
