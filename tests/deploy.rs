//! What lies in `deploy/` works: the unit is valid and closed, the sample loads, the container file names what there is.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "helpers of tests, outside the functions that clippy knows as such")]

use std::path::{Path, PathBuf};
use std::process::Command;
use vardbro::config::{self, Environment, Mode, Way};
use vardbro::fault::Code;
use vardbro::model::state::State;

/// Most exposure that `systemd-analyze security` may find, of 10.
const EXPOSURE_MAX: f64 = 2.5;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn deploy(name: &str) -> String {
    std::fs::read_to_string(root().join("deploy").join(name)).expect("a file of deploy/")
}

/// The unit with a program that this machine has; nothing where systemd is not installed.
fn unit(dir: &Path) -> Option<PathBuf> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: systemd-analyze is not here");
        return None;
    }
    let text = deploy("vardbro.service");
    let here = text.replace("ExecStart=/usr/bin/vardbro", "ExecStart=/bin/true");
    assert_ne!(text, here, "the unit does not start /usr/bin/vardbro");
    let path = dir.join("vardbro.service");
    std::fs::write(&path, here).expect("written");
    Some(path)
}

#[test]
fn the_unit_is_valid() {
    let dir = tempfile::tempdir().expect("a folder");
    let Some(path) = unit(dir.path()) else { return };
    let done = Command::new("systemd-analyze").arg("verify").arg(&path).output().expect("systemd-analyze");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && !told.contains("vardbro.service"), "{told}");
}

#[test]
fn the_unit_is_closed() {
    let dir = tempfile::tempdir().expect("a folder");
    let Some(path) = unit(dir.path()) else { return };
    let done = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(&path)
        .env("SYSTEMD_COLORS", "0")
        .output()
        .expect("systemd-analyze");
    let told = String::from_utf8_lossy(&done.stdout);
    let verdict = told.lines().rev().find(|line| line.contains("exposure level")).unwrap_or_default();
    println!("{verdict}");
    let score = verdict.rsplit_once(": ").and_then(|(_, score)| score.split(' ').next()).and_then(|score| score.parse::<f64>().ok());
    let open: Vec<&str> = told.lines().filter(|line| line.starts_with('✗')).collect();
    let closed = score.is_some_and(|score| score <= EXPOSURE_MAX);
    assert!(closed, "{verdict}\n{}\n{}", open.join("\n"), String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_unit_starts_the_daemon_and_waits_longer_than_its_grace() {
    let text = deploy("vardbro.service");
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    assert_eq!(value("ExecStart="), "/usr/bin/vardbro run --config /etc/vardbro/vardbro.toml");
    assert_eq!(value("Type="), "notify");
    assert!(value("ExecReload=").contains("-HUP"));
    assert!(value("WatchdogSec=").parse::<u64>().is_ok());
    let sample = config::load(Some(&root().join("deploy/vardbro.toml")), Vec::new()).expect("the sample loads");
    let stop: u64 = value("TimeoutStopSec=").parse().expect("seconds");
    assert!(stop > sample.shutdown_grace.as_secs() + 10, "{stop}");
}

#[test]
fn the_sample_loads_and_sends_nothing_until_it_is_changed() {
    let sample = config::load(Some(&root().join("deploy/vardbro.toml")), Vec::new()).expect("the sample loads");
    assert_eq!(sample.environment, Environment::Test);
    assert!(sample.destinations.iter().all(|destination| destination.mode == Mode::Shadow));
    assert!(deploy("vardbro.service").contains("StateDirectory=vardbro\n"));
    assert!(sample.store_path.starts_with("/var/lib/vardbro"));
    assert!(!sample.store_key_files.is_empty(), "the sample seals its store");
    let key = "vardbro store new-key /etc/vardbro/store.key";
    assert!(["vardbro.toml", "vardbro.service"].iter().all(|file| deploy(file).contains(key)), "and says how its key is made");
    let in_place = |way: &Way| matches!(way, Way::Directory(directory) if directory.path.starts_with("/var/lib/vardbro"));
    assert!(sample.sources.iter().all(|source| in_place(&source.way)));
}

#[test]
fn the_sample_tells_its_figures_to_this_machine_alone() {
    let sample = config::load(Some(&root().join("deploy/vardbro.toml")), Vec::new()).expect("the sample loads");
    let metrics = sample.metrics.expect("figures are on");
    assert!(metrics.http.listen.ip().is_loopback());
    assert!(deploy("prometheus/prometheus.yml").contains(&format!("targets: [\"{}\"]", metrics.http.listen)));
}

#[test]
fn prometheus_takes_the_rules_and_the_configuration() {
    for (what, file) in [("rules", "vardbro.rules.yml"), ("config", "prometheus.yml")] {
        let done = Command::new("promtool").args(["check", what, file]).current_dir(root().join("deploy/prometheus")).output();
        let Ok(done) = done else {
            assert!(std::env::var_os("CI").is_none(), "promtool is not installed");
            println!("skipped: promtool is not installed");
            return;
        };
        assert!(done.status.success(), "{file}: {}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn the_rules_ask_for_figures_labels_states_and_commands_that_there_are() {
    let text = deploy("prometheus/vardbro.rules.yml");
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    let known: Vec<String> = vardbro::metrics::LIST.iter().map(vardbro::metrics::Entry::shown).collect();
    let mut asked = 0;
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")) {
        for name in line.split(|c| !word(c)).filter(|name| name.starts_with("vardbro_")) {
            asked += 1;
            assert!(known.iter().any(|known| known == name), "{name}");
        }
        for state in line.split("state=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(State::parse(state).is_some(), "{state}");
        }
    }
    assert!(asked > 8, "{asked}");
    for code in text.split("vardbro explain ").skip(1).filter_map(|rest| rest.split(['"', ';']).next()) {
        assert!(Code::parse(code).is_some(), "{code}");
    }
}

#[test]
fn the_container_is_built_from_what_there_is_and_runs_the_daemon() {
    let text = deploy("Containerfile");
    for line in text.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let words: Vec<&str> = line.split(' ').collect();
        if !words[0].starts_with("--from=") {
            for from in &words[..words.len() - 1] {
                assert!(root().join(from).exists(), "{from} is not in the tree");
            }
        }
    }
    let list = |key: &str| -> Vec<String> {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the line");
        serde_json::from_str(line).expect("a list, no shell")
    };
    assert_eq!(list("ENTRYPOINT "), ["/usr/bin/vardbro"]);
    assert_eq!(list("CMD "), ["run", "--config", "/etc/vardbro/vardbro.toml"]);
    assert!(text.lines().filter_map(|line| line.strip_prefix("RUN ")).all(|run| run.starts_with('[')), "no shell");
    let user = text.lines().rev().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    assert!(!user.starts_with('0') && user != "root");
    assert!(text.contains("COPY deploy/vardbro.toml /etc/vardbro/vardbro.toml"));
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let wanted = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).expect("a version").trim_matches('"');
    assert!(text.contains(&format!("rust:{wanted}-")), "the container builds with another Rust than {wanted}");
}

#[test]
fn the_readme_s_first_configuration_loads_and_may_run() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let block = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a configuration");
    let settings = config::parse(block, Path::new("try"), Vec::new()).expect("it loads");
    settings.require_for_run().expect("nothing is missing");
}

#[test]
fn every_file_that_the_texts_name_is_there() {
    for name in ["README.md", "README.sv.md", "ARCHITECTURE.md"] {
        let text = std::fs::read_to_string(root().join(name)).expect("a text");
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let named = text.split('`').skip(1).step_by(2).filter(|word| word.starts_with("deploy/") || word.starts_with("schemas/vardbro"));
        let code = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.contains('/') && word.rsplit_once('.').is_some_and(|(_, ending)| ending == "rs"));
        for path in linked
            .chain(named)
            .map(str::to_owned)
            .chain(code.map(|path| if path.starts_with("tests/") { path.to_owned() } else { format!("src/{path}") }))
        {
            assert!(root().join(&path).exists(), "{name} names {path}");
        }
    }
}
