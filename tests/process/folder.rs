//! A folder whose changes nobody tells of, as on a network share.

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
