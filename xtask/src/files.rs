//! The file system, as far as chores need it.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::sh::Outcome;
use crate::workspace::root;

/// The full path of `program`, if PATH has it.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    which_in(program, &env::var_os("PATH")?)
}

/// The full path of `program`, if `path`, which is written like PATH, has it.
pub(crate) fn which_in(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|folder| folder.join(format!("{program}{}", env::consts::EXE_SUFFIX)))
        .find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

/// What lies in `folder`, in the order of names.
pub(crate) fn entries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(told)? {
        found.push(entry.map_err(told)?.path());
    }
    found.sort();
    Ok(found)
}

/// Held while a chore writes what two must not write at once; the other one waits.
pub(crate) fn lock(name: &str) -> Outcome<File> {
    let folder = root().join("target/xtask");
    let file = folder.join(format!("{name}.lock"));
    let open = || {
        fs::create_dir_all(&folder)?;
        let file = File::create(&file)?;
        if file.try_lock().is_err() {
            println!("waiting for another chore to finish with: {name}");
            file.lock()?;
        }
        Ok(file)
    };
    open().map_err(|error: std::io::Error| format!("{}: {error}", file.display()))
}
