//! What lies in `deploy/ci` and `.pre-commit-hooks.yaml` is what build servers read, and does what it says, as far as they run here;
//! and editors read the schemas as its page says.

use crate::outside::{Tools, coded, run};
use crate::written::{program, root};
use std::fs;
use std::path::Path;
use std::process::Command;

const GOOD: &str = "fixtures/demo/01-r-in.json";
const BAD: &str = "fixtures/bad/three-faults.json";

/// A repository of somebody who keeps fixtures.
fn repository(fixtures: &[&str]) -> tempfile::TempDir {
    let temp = tempfile::tempdir().expect("a folder");
    fs::create_dir(temp.path().join("fixtures")).expect("a folder");
    for fixture in fixtures {
        let from = root().join(fixture);
        fs::copy(&from, temp.path().join("fixtures").join(from.file_name().expect("a name"))).expect("copied");
    }
    temp
}

fn git(folder: &Path) {
    let author = ["-c", "user.name=Test", "-c", "user.email=test@vardbro.example", "-c", "commit.gpgsign=false"];
    for arguments in [&["init", "--quiet"][..], &["remote", "add", "origin", "https://git.example/test/test.git"], &["add", "--all"]] {
        let (done, said) = run("git", arguments, folder);
        assert!(done, "{said}");
    }
    let (done, said) = run("git", &[&author[..], &["commit", "--quiet", "--message", "Test"]].concat(), folder);
    assert!(done, "{said}");
}

#[test]
fn every_file_is_of_its_server_s_form() {
    let Some(tools) = Tools::find() else { return };
    let check = tools.python("check-jsonschema");
    for (schema, name, key) in [
        ("vendor.github-actions", "action.yml", "using:"),
        ("vendor.github-workflows", "github-workflow.yml", "runs-on:"),
        ("vendor.gitlab-ci", "gitlab-ci.yml", "script:"),
    ] {
        let text = fs::read_to_string(root().join("deploy/ci").join(name)).expect("a file of deploy/ci");
        let temp = tempfile::tempdir().expect("a folder");
        for (text, good) in [(text.clone(), true), (text.replacen(key, "nonsense:", 1), false)] {
            fs::write(temp.path().join(name), text).expect("written");
            let (taken, said) = run(&check, &["--builtin-schema", schema, name], temp.path());
            assert_eq!(taken, good, "{name}: {said}");
        }
    }
    let (taken, said) = run(tools.python("pre-commit"), &["validate-manifest", ".pre-commit-hooks.yaml"], &root());
    assert!(taken, "{said}");
}

/// An auditor of others looks for what lets a stranger's change run with our rights. That actions of others are named by a tag
/// is for who copies the example.
#[test]
fn the_action_and_its_example_are_safe_against_strangers() {
    let Some(tools) = Tools::find() else { return };
    let temp = tempfile::tempdir().expect("a folder");
    fs::write(temp.path().join("zizmor.yml"), "rules:\n  unpinned-uses:\n    disable: true\n").expect("written");
    let settings = temp.path().join("zizmor.yml").display().to_string();
    let audit = ["--offline", "--config", &settings, "deploy/ci/action.yml", "deploy/ci/github-workflow.yml"];
    let (clean, said) = run(tools.python("zizmor"), &audit, &root());
    assert!(clean, "{said}");
    let action = fs::read_to_string(root().join("deploy/ci/action.yml")).expect("the action");
    fs::write(temp.path().join("action.yml"), action.replace("run: bash", "run: echo ${{ inputs.paths }}; bash")).expect("written");
    let (clean, said) = run(tools.python("zizmor"), &["--offline", "action.yml"], temp.path());
    assert!(!clean && said.contains("template-injection"), "the auditor sees what is wrong: {said}");
}

/// The action's own script, as the composite step calls it.
fn action(folder: &Path, paths: &str, arguments: &str) -> (Option<i32>, String, String) {
    let answers = folder.join("answers");
    let mut command = Command::new("bash");
    command.arg(root().join("deploy/ci/check.sh")).current_dir(folder);
    command.env("VARDBRO_BINARY", program()).env("VARDBRO_PATHS", paths).env("VARDBRO_ARGUMENTS", arguments);
    command.env("VARDBRO_SARIF", "vardbro.sarif").env("VARDBRO_LANGUAGE", "sv").env("GITHUB_OUTPUT", &answers);
    let (code, said) = coded(&mut command);
    (code, said, fs::read_to_string(&answers).unwrap_or_default())
}

#[test]
fn the_action_annotates_writes_sarif_and_passes_the_exit_code_on() {
    let temp = repository(&[GOOD, BAD]);
    let (code, said, answers) = action(temp.path(), "fixtures/three-faults.json\n  fixtures/01-r-in.json\n\n", "");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("::error title=VB-MAP-"), "{said}");
    assert_eq!(answers, "sarif=vardbro.sarif\n");
    let sarif = fs::read_to_string(temp.path().join("vardbro.sarif")).expect("the file");
    assert!(sarif.contains("fixtures/three-faults.json"));
    let (code, said, _) = action(temp.path(), "fixtures/01-r-in.json", "--rules=vanersborg/2026.1");
    assert_eq!(code, Some(0), "{said}");
    let (code, said, _) = action(temp.path(), "not-there", "");
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn the_hook_stops_a_commit_with_a_bad_event() {
    let Some(tools) = Tools::find() else { return };
    let hooks = tempfile::tempdir().expect("a folder");
    fs::copy(root().join(".pre-commit-hooks.yaml"), hooks.path().join(".pre-commit-hooks.yaml")).expect("copied");
    git(hooks.path());
    for (fixtures, good) in [(&[GOOD][..], true), (&[GOOD, BAD], false)] {
        let temp = repository(fixtures);
        git(temp.path());
        let mut command = Command::new(tools.python("pre-commit"));
        command.arg("try-repo").arg(hooks.path()).args(["vardbro-check-system", "--all-files", "--verbose"]);
        let (code, said) = coded(command.current_dir(temp.path()).env("PRE_COMMIT_HOME", hooks.path().join("home")));
        assert_eq!(code, Some(i32::from(!good)), "{said}");
        assert_eq!(said.contains("three-faults.json:5:17: "), !good, "{said}");
    }
}

/// The job of the template, by a program that runs GitLab's jobs on one machine.
#[test]
fn the_job_for_gitlab_runs_and_leaves_its_reports() {
    let Some(tools) = Tools::find() else { return };
    for (fixtures, good) in [(&[GOOD][..], true), (&[GOOD, BAD], false)] {
        let temp = repository(fixtures);
        fs::copy(root().join("deploy/ci/gitlab-ci.yml"), temp.path().join(".gitlab-ci.yml")).expect("copied");
        git(temp.path());
        let mut command = Command::new("node");
        command.arg(tools.node("gitlab-ci-local/src/index.js")).args(["--force-shell-executor", "vardbro-check"]);
        let (code, said) = coded(command.current_dir(temp.path()).env("HOME", temp.path()));
        assert_eq!(code == Some(0), good, "{said}");
        let left =
            |name: &str| fs::read_to_string(temp.path().join(".gitlab-ci-local/artifacts/vardbro-check").join(name)).expect("a report");
        assert_eq!(left("vardbro-codequality.json").contains("\"VB-MAP-011\""), !good);
        assert!(tools.xsd(&left("vardbro-junit.xml")).0);
    }
}

/// Taplo is what editors ask about TOML.
#[test]
fn an_editor_finds_a_misspelt_key_by_the_line_in_the_page() {
    let Some(tools) = Tools::find() else { return };
    let page = fs::read_to_string(root().join("deploy/ci/README.md")).expect("the page");
    let line = page.lines().find(|line| line.starts_with("#:schema ")).expect("the line");
    let temp = tempfile::tempdir().expect("a folder");
    fs::create_dir(temp.path().join("schemas")).expect("a folder");
    fs::copy(root().join("schemas/config.schema.json"), temp.path().join("schemas/config.schema.json")).expect("copied");
    let sample = fs::read_to_string(root().join("deploy/vardbro.toml")).expect("the sample");
    for (text, good) in [(sample.clone(), true), (sample.replacen("\norg_number", "\norg_nummer", 1), false)] {
        fs::write(temp.path().join("vardbro.toml"), format!("{line}\n{text}")).expect("written");
        let (taken, said) = run(tools.python("taplo"), &["lint", "vardbro.toml"], temp.path());
        assert_eq!(taken, good, "{said}");
    }
}
