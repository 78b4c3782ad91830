//! The programs of others, and how they are asked.

use crate::written::program;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder into which `scripts/test` has put them.
pub(crate) struct Tools(PathBuf);

impl Tools {
    /// Where they are. Where all must run they must be there.
    pub(crate) fn find() -> Option<Self> {
        let folder = std::env::var_os("VARDBRO_TEST_FORMATS").map(PathBuf::from);
        let there = folder.filter(|folder| folder.join("junit-10.xsd").exists() && folder.join("node_modules").exists());
        if there.is_none() {
            assert!(std::env::var_os("CI").is_none(), "the readers of other formats are not installed");
            eprintln!("skipped: the readers of other formats are not installed (scripts/test does it)");
        }
        there.map(Self)
    }

    /// A program of Python.
    pub(crate) fn python(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }

    /// A file of a package of Node.
    pub(crate) fn node(&self, package: &str) -> String {
        self.0.join("node_modules").join(package).display().to_string()
    }

    /// What the validator of SARIF's makers finds, by the schema, by their rules and by those of GitHub's code scanning.
    pub(crate) fn sarif(&self, log: &str) -> Vec<Value> {
        let folder = laid("log.sarif", log);
        let tool = PathBuf::from(self.node("@microsoft/sarif-multitool-linux")).join("Sarif.Multitool");
        let (_, said) = run(tool, &["validate", "log.sarif", "--rule-kind", "Sarif;Ghas", "--output", "found.sarif"], folder.path());
        let found = fs::read_to_string(folder.path().join("found.sarif")).unwrap_or_else(|_| panic!("no result: {said}"));
        let found: Value = serde_json::from_str(found.trim_start_matches('\u{feff}')).expect("JSON");
        found["runs"][0]["results"].as_array().expect("results").clone()
    }

    /// The issues that `sarif-tools` makes of a log.
    pub(crate) fn issues(&self, log: &str) -> Value {
        let folder = laid("log.sarif", log);
        let (done, said) = run(self.python("sarif"), &["codeclimate", "--output", "issues.json", "log.sarif"], folder.path());
        assert!(done, "{said}");
        serde_json::from_str(&fs::read_to_string(folder.path().join("issues.json")).expect("issues")).expect("JSON")
    }

    /// Whether a list of issues has the types that a package for GitLab's form declares.
    pub(crate) fn types(&self, issues: &str) -> (bool, String) {
        let typed =
            format!("import {{ Issue }} from \"{}/index.js\";\nexport const issues: Issue[] = {issues};\n", self.node("codeclimate-types"));
        let folder = laid("issues.ts", &typed);
        let compiler = self.node("typescript/bin/tsc");
        let options = ["--noEmit", "--strict", "--module", "nodenext", "--moduleResolution", "nodenext", "issues.ts"];
        run("node", &[&[compiler.as_str()], &options[..]].concat(), folder.path())
    }

    /// Whether `xmllint` takes a report by the schema of Jenkins.
    pub(crate) fn xsd(&self, report: &str) -> (bool, String) {
        let folder = laid("junit.xml", report);
        let schema = self.0.join("junit-10.xsd").display().to_string();
        run("xmllint", &["--noout", "--nonet", "--schema", &schema, "junit.xml"], folder.path())
    }

    /// What `junitparser` reads.
    pub(crate) fn junit(&self, report: &str) -> Value {
        let folder = laid("junit.xml", report);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/junit.py");
        said(run(self.python("python"), &[script, "junit.xml"], folder.path()))
    }

    /// The commands for GitHub, read back, and as its own library writes them.
    pub(crate) fn commands(&self, lines: &str) -> Value {
        let folder = laid("commands", lines);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/github.mjs");
        let library = self.node("@actions/core/lib/core.js");
        said(run("node", &[script, &library, "commands"], folder.path()))
    }
}

fn said((done, said): (bool, String)) -> Value {
    assert!(done, "{said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn laid(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), text).expect("written");
    folder
}

/// Whether it went well, and what it said.
pub(crate) fn run(program: impl AsRef<Path>, arguments: &[&str], folder: &Path) -> (bool, String) {
    let (code, told) = coded(Command::new(program.as_ref()).args(arguments).current_dir(folder));
    (code == Some(0), told)
}

/// How a program ended, and what it said. Our own is found by its name.
pub(crate) fn coded(command: &mut Command) -> (Option<i32>, String) {
    let ours = program().parent().expect("a folder").as_os_str().to_owned();
    let known = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::join_paths(std::iter::once(PathBuf::from(ours)).chain(std::env::split_paths(&known))).expect("a list of folders");
    command.env("PATH", paths).env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1").env("PYTHONUTF8", "1");
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (out.status.code(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}
