//! The build tools that come from crates.io: pinned, and installed once per user.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;
use crate::sh::{self, Outcome};
use crate::workspace::{locked_version, root};

/// A program from crates.io.
struct Tool {
    program: &'static str,
    package: &'static str,
    version: String,
    /// Whether the package's own lock file is what it is known to build with.
    locked: bool,
    minutes: u32,
}

/// The folders that hold the build tools; what Trunk starts it looks for on PATH.
pub(crate) struct Tools {
    path: OsString,
}

impl Tools {
    /// Installs what is missing.
    pub(crate) fn get() -> Outcome<Self> {
        let mut folders = vec![root().join("node_modules/.bin")];
        for tool in pinned()? {
            let folder = match tool.found() {
                Some(folder) => folder,
                None => tool.install()?,
            };
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&inherited));
        let path = std::env::join_paths(folders).map_err(|error| format!("PATH: {error}"))?;
        Ok(Self { path })
    }

    /// `program` at the project's root, with every build tool on its PATH.
    pub(crate) fn command(&self, program: &str) -> Command {
        let full = files::which_in(program, &self.path).unwrap_or_else(|| program.into());
        let mut command = Command::new(full);
        command.current_dir(root()).env("PATH", &self.path);
        command
    }
}

fn pinned() -> Outcome<[Tool; 2]> {
    Ok([
        // The newest that builds with this project's compiler.
        Tool {
            program: "trunk",
            package: "trunk",
            version: "0.21.14".into(),
            locked: true,
            minutes: 10,
        },
        // The program and the crate refuse each other unless their versions are equal.
        Tool {
            program: "wasm-bindgen",
            package: "wasm-bindgen-cli",
            version: locked_version("wasm-bindgen")?,
            locked: false,
            minutes: 4,
        },
    ])
}

impl Tool {
    /// The folder that holds this very version.
    fn found(&self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.extend(cargo_home().map(|home| home.join("bin")));
        folders.extend(own_folder().map(|own| own.join("bin")));
        folders.into_iter().find(|folder| self.version_in(folder).as_ref() == Some(&self.version))
    }

    fn version_in(&self, folder: &Path) -> Option<String> {
        let program = files::which_in(self.program, folder.as_os_str())?;
        let said = sh::output(Command::new(program).arg("--version")).ok()?;
        said.split_whitespace().nth(1).map(str::to_owned)
    }

    fn install(&self) -> Outcome<PathBuf> {
        let home = self.home()?;
        let what = format!(
            "installing {} {}, once per user, about {} minutes",
            self.package, self.version, self.minutes
        );
        sh::step(&what, || sh::run(&mut self.installation(&home)))?;
        Ok(home.join("bin"))
    }

    fn installation(&self, home: &Path) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["install", self.package, "--version", &self.version]);
        command.arg("--root").arg(home);
        if self.locked {
            command.arg("--locked");
        }
        // Not the project's folder, whose settings are not meant for other people's programs.
        command.current_dir(home.parent().unwrap_or(home));
        command
    }

    /// Cargo's own folder, where `trunk serve` by hand finds it as well; but another version that
    /// someone put there for their own work is left alone.
    fn home(&self) -> Outcome<PathBuf> {
        let cargo = cargo_home()
            .filter(|home| files::which_in(self.program, home.join("bin").as_os_str()).is_none());
        let home = cargo
            .or_else(own_folder)
            .ok_or("neither CARGO_HOME nor HOME is set: there is no folder for the build tools")?;
        std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        Ok(home)
    }
}

fn cargo_home() -> Option<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => Some(home.into()),
        None => std::env::home_dir().map(|home| home.join(".cargo")),
    }
}

fn own_folder() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".cache/holdfast/tools"))
}
