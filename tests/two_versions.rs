//! Two versions of one set of rules side by side.

use std::path::Path;
use vardbro::intake::Action;
use vardbro::model::raw::Verdict;
use vardbro::model::time::Clock;
use vardbro::store::Filter;

#[path = "support/world.rs"]
#[expect(dead_code, reason = "shared with the stories, which use more of it")]
mod world;

/// An episode keeps the one that it began with until it is moved on purpose.
#[test]
fn an_episode_keeps_the_version_that_it_began_with() {
    let mut world = world::World::new("vanersborg/2026.1", "2026-03-12T11:00:00+01:00".parse().expect("a time"));
    let event = |kind: &str, case: &str| {
        let text = std::fs::read_to_string(world::fixtures().join(format!("types/{kind}.json"))).expect("an example");
        let mut event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (event["eventId"], event["episodeRef"]["caseId"]) = (format!("{kind}-{case}").into(), case.into());
        event["occurredAt"] = "2026-03-12T10:00:00+01:00".into();
        event.to_string().into_bytes()
    };
    let hand_in = |world: &mut world::World, case: &str| {
        for kind in ["R-IN", "K-HT"] {
            assert_eq!(world.hand_in(&format!("{kind}-{case}.json"), event(kind, case)), Verdict::Accepted, "{kind}");
        }
        world.settle();
    };
    let notices = |world: &world::World| -> Vec<(String, String)> {
        let mut rows = world.store.deliveries(&Filter { limit: 10, ..Filter::default() }).expect("a working store");
        rows.retain(|row| row.kind == "K-HT");
        rows.iter().rev().map(|row| (row.rules.clone(), row.state.code().to_owned())).collect()
    };
    hand_in(&mut world, "A");

    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("vanersborg/2026.2")).expect("a folder");
    let text = std::fs::read_to_string(world::fixtures().join("../schemas/rules/vanersborg/2026.1/rules.toml")).expect("the rules");
    let next = text.replacen("version = \"2026.1\"", "version = \"2026.2\"", 1).replacen("cl_block = \"all\"", "cl_block = \"warn\"", 1);
    std::fs::write(folder.path().join("vanersborg/2026.2/rules.toml"), next).expect("written");
    let config = std::fs::read_to_string(world::fixtures().join("vardbro.toml")).expect("a configuration");
    let env = [("RULES__USE", "vanersborg/2026.2".to_owned()), ("RULES__DIR", folder.path().display().to_string())];
    let env = env.into_iter().map(|(key, value)| (format!("VARDBRO__{key}"), value)).collect();
    let settings = vardbro::config::parse(&config, Path::new("."), env).expect("a configuration");
    world.intake.desk = vardbro::daemon::desk(&settings).expect("a desk");
    hand_in(&mut world, "B");
    let told = |rules: &str, state: &str| (format!("vanersborg/{rules}"), state.to_owned());
    assert_eq!(notices(&world), [told("2026.1", "WITHHELD"), told("2026.2", "ACCEPTED")]);
    assert_eq!(world.store.rules_in_use().expect("a working store").len(), 2);

    let (id, _) = world
        .store
        .episodes(None, 10)
        .expect("a working store")
        .into_iter()
        .find(|(_, row)| row.rules.ends_with("2026.1"))
        .expect("the first");
    let action = Action::Move { episode: id.to_string(), from: "vanersborg/2026.1".to_owned(), to: "vanersborg/2026.2".to_owned() };
    let request = world.store.ask(world.clock.now(), "test", &serde_json::to_string(&action).expect("JSON")).expect("a working store");
    world.intake.serve().expect("a working store");
    world.settle();
    assert!(world.store.request(request).expect("a working store").and_then(|row| row.done_at).is_some());
    assert_eq!(notices(&world)[0].1, "ACCEPTED", "it was looked at again");
}
