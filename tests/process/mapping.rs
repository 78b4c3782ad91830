//! A system's own export through a mapping, in a real daemon: batches, refused records, a new mapping by SIGHUP.

use super::world::{World, wait};
use serde_json::Value;
use std::fs;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const HEAD: &str = "id;kind;time;case;person;text\n";
const MAPPING: &str = r#"name = "ours"
revision = "1"
format = "csv"
[all]
eventId = "id"
system = { value = "ours" }
occurredAt = { from = "time", convert = "local-time" }
[all.episodeRef]
caseId = "case"
[all.patient]
id = "person"
idType = { value = "personnummer" }
[[event]]
type = "R-IN"
when = { from = "kind", is = "IN" }
[event.data]
admittedAt = { from = "time", convert = "local-time" }
ward = { hsaId = { value = "SE2321000131-T200" }, name = { value = "Avdelning 1" }, specialty = { value = "somatik" } }
[[event]]
type = "K-AD"
when = { from = "kind", is = "NOTE" }
[event.data]
category = { value = "other" }
text = "text"
"#;

fn row(id: &str, kind: &str, minute: u32, person: &str) -> String {
    format!("{id};{kind};2026-03-10 09:{minute:02};C-1;{person};Marked text {id}\n")
}

fn reason(world: &World, name: &str) -> Option<Value> {
    let text = fs::read_to_string(world.path(&format!("in/rejected/{name}.reason.json"))).ok()?;
    serde_json::from_str(&text).ok()
}

#[test]
fn a_csv_export_goes_through_record_by_record() {
    let world = World::new("", "[[recipient]]\nparty = \"SV\"\nhsa_id = \"SE2321000131-T200\"");
    fs::write(world.path("ours.toml"), MAPPING).expect("a mapping");
    let configuration = fs::read_to_string(world.path("vardbro.toml")).expect("a configuration");
    let configuration = configuration.replacen("kind = \"directory\"", "kind = \"directory\"\nmapping = \"ours.toml\"", 1);
    assert!(configuration.contains("ours.toml"));
    fs::write(world.path("vardbro.toml"), configuration).expect("a configuration");
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    let person = "193812217044";
    let batch = [
        HEAD,
        &row("1", "IN", 0, person),
        &row("2", "NOTE", 1, person),
        &row("3", "NOTE", 2, "193812217045"),
        &row("4", "NOTE", 3, person),
    ];
    world.put("export.csv", &batch.concat());
    // The admission gives rise to a question of its own.
    wait("two notes are accepted", PATIENCE, || world.in_state("ACCEPTED") == 3);
    let told = reason(&world, "export.csv").expect("a reason");
    assert_eq!((&told["verdict"], &told["taken"]), (&"partly".into(), &3.into()));
    let refused = &told["records"][0];
    assert_eq!((refused["line"].as_u64(), refused["findings"][0]["code"].as_str()), (Some(4), Some("VB-MAP-024")), "{told:#}");
    assert_eq!(refused["findings"][0]["mapping"], 11, "{told:#}");
    // Outcomes go back record by record.
    wait("an outcome", PATIENCE, || world.path("in/outcome/export.csv#3.outcome.json").exists());

    // The whole file again, corrected: what was taken is known, what was refused is taken now.
    world.put("export.csv", &batch.concat().replace("193812217045", person));
    wait("the third note is accepted", PATIENCE, || world.in_state("ACCEPTED") == 4);
    assert!(world.path("in/done/export.csv").exists());

    // A mapping with a fault changes nothing; a good one holds from the next file on, and makes nothing new of what was read.
    fs::write(world.path("ours.toml"), MAPPING.replace("text = \"text\"", "txet = \"text\"")).expect("a mapping");
    daemon.signal("HUP");
    wait("the fault is told", PATIENCE, || {
        world.oplog().iter().any(|line| line["event"] == "mapping.kept" && line["code"] == "VB-CFG-013")
    });
    let second = MAPPING
        .replace("revision = \"1\"", "revision = \"2\"")
        .replace("text = \"text\"", "text = { from = \"text\", convert = \"upper\" }");
    fs::write(world.path("ours.toml"), second).expect("a mapping");
    daemon.signal("HUP");
    wait("the mapping is loaded", PATIENCE, || world.oplog().iter().any(|line| line["event"] == "mapping.loaded"));
    world.put("next.csv", &[HEAD, &row("4", "NOTE", 3, person), &row("5", "NOTE", 4, person)].concat());
    wait("the fourth note is accepted", PATIENCE, || world.in_state("ACCEPTED") == 5);
    let list = world.vardbro(&["messages", "list"]);
    assert_eq!(list.lines().count(), 5, "one message for each note and the question: {list}");
    let mapping = |row: &str| {
        let id = row.split_whitespace().nth(2).expect("an id");
        let shown: Value = serde_json::from_str(&world.vardbro(&["messages", "show", id, "--format", "json"])).expect("JSON");
        shown["mapping"].as_str().expect("a mapping").split(' ').next().expect("a name").to_owned()
    };
    let mut mappings: Vec<String> = list.lines().map(mapping).collect();
    mappings.sort();
    assert_eq!(mappings, ["ours/1", "ours/1", "ours/1", "ours/1", "ours/2"]);
    daemon.stop();
    let log = fs::read_to_string(world.path("oplog.ndjson")).unwrap_or_default();
    assert!(!log.contains("Marked") && !log.contains("381221"), "{log}");
}
