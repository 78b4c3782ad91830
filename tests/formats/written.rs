//! A folder with every kind of finding, and what the program writes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ends of names that formats must take care of.
pub(crate) const HARD: &[&str] =
    &["med blank å.json", "50%,a;b.json", "\"citat\" & <tag>'.json", "kolon: a::b.json", "ny\nrad.json", "日本.json"];

pub(crate) struct Written {
    pub(crate) status: i32,
    pub(crate) json: String,
    pub(crate) junit: String,
    pub(crate) sarif: String,
    pub(crate) github: String,
    pub(crate) gitlab: String,
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_vardbro"))
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl Written {
    /// Of our own fixtures that have something wrong, some that have not, and copies under names that are hard to write.
    pub(crate) fn of(language: &str) -> Self {
        Self::of_folder(language, |folder| {
            let fixtures = root().join("fixtures");
            for name in [
                "bad",
                "types",
                "02-checklist-incomplete",
                "12b-protected-registration",
                "35-references-that-do-not-hold",
                "01-home-with-home-health-care",
            ] {
                copy(&fixtures.join(name), &folder.join(name));
            }
            // A message with a letter changed, and one with an element that is not in the schema.
            let message = fixtures.join("01-home-with-home-health-care/out");
            let message = fs::read_dir(message).expect("a folder").flatten().next().expect("a message").path();
            let text = fs::read_to_string(message).expect("a message");
            fs::write(folder.join("changed.xml"), text.replacen('a', "b", 1)).expect("written");
            fs::write(folder.join("unknown-element.xml"), text.replacen("</", "<Nonsense/></", 1)).expect("written");
            for name in HARD {
                fs::copy(fixtures.join("bad/three-faults.json"), folder.join(name)).expect("copied");
            }
        })
    }

    pub(crate) fn of_folder(language: &str, fill: impl FnOnce(&Path)) -> Self {
        let temp = tempfile::tempdir().expect("a folder");
        let fixtures = temp.path().join("fixtures");
        fs::create_dir(&fixtures).expect("a folder");
        fill(&fixtures);
        let mut command = Command::new(program());
        command.args(["check", "fixtures", "--lang", language, "--notes", "--format", "json"]);
        for form in ["junit", "sarif", "github", "gitlab"] {
            command.args(["--output", &format!("{form}={form}.out")]);
        }
        let out = command.current_dir(temp.path()).output().expect("the program");
        let complaint = String::from_utf8_lossy(&out.stderr);
        let left =
            |form: &str| fs::read_to_string(temp.path().join(format!("{form}.out"))).unwrap_or_else(|_| panic!("{form}: {complaint}"));
        Self {
            status: out.status.code().unwrap_or(-1),
            json: String::from_utf8(out.stdout).expect("UTF-8"),
            junit: left("junit"),
            sarif: left("sarif"),
            github: left("github"),
            gitlab: left("gitlab"),
        }
    }

    pub(crate) fn all(&self) -> [(&str, &str); 5] {
        [("json", &self.json), ("junit", &self.junit), ("sarif", &self.sarif), ("github", &self.github), ("gitlab", &self.gitlab)]
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let to = to.join(entry.file_name());
        // What is expected is not found; here it shall be.
        if entry.file_name() == "expect.toml" || entry.file_name() == "case.toml" {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}
