//! Where the project lies and what its manifests declare.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::sh::{self, Outcome};

/// The project's root folder.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().unwrap_or(here).to_owned()
    })
}

/// A command of cargo's, at the root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// The part of `cargo metadata` that chores ask for.
pub(crate) struct Workspace {
    metadata: Value,
}

impl Workspace {
    pub(crate) fn read() -> Outcome<Self> {
        let text = sh::output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata =
            serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
        Ok(Self { metadata })
    }

    /// `target/`, unless the environment moves it.
    pub(crate) fn target(&self) -> PathBuf {
        match self.metadata["target_directory"].as_str() {
            Some(folder) => folder.into(),
            None => root().join("target"),
        }
    }

    /// The server, once it is built with `profile` ("debug" or "release").
    pub(crate) fn server(&self, profile: &str) -> PathBuf {
        let name = format!("holdfast{}", std::env::consts::EXE_SUFFIX);
        self.target().join(profile).join(name)
    }

    /// Options that switch the server's failpoints on for tests, if it has any.
    pub(crate) fn failpoints(&self) -> &'static [&'static str] {
        let backend = self.packages().find(|package| package["name"] == "holdfast-backend");
        match backend {
            Some(package) if package["features"].get("failpoints").is_some() => {
                &["--features", "holdfast-backend/failpoints"]
            }
            _ => &[],
        }
    }

    /// Every `(package, benchmark)`.
    pub(crate) fn benchmarks(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for package in self.packages() {
            for target in package["targets"].as_array().into_iter().flatten() {
                if target["kind"][0] == "bench" {
                    found.push((text(&package["name"]), text(&target["name"])));
                }
            }
        }
        found
    }

    fn packages(&self) -> impl Iterator<Item = &Value> {
        self.metadata["packages"].as_array().into_iter().flatten()
    }
}

/// The version of a dependency that `Cargo.lock` fixes.
pub(crate) fn locked_version(package: &str) -> Outcome<String> {
    let file = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&file).map_err(|error| format!("Cargo.lock: {error}"))?;
    version_in(&lock, package).ok_or_else(|| format!("Cargo.lock does not name {package}"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn the_lock_files_version_of_exactly_that_package_is_found() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen"), Some("0.2.130".into()));
        assert_eq!(version_in(lock, "wasm"), None);
    }
}
