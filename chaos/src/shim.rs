//! Libraries that are laid under the server: built here, from `shim/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds one beside the data. Where that cannot be done, the reason in one line.
pub(crate) fn build(name: &str, source: &str, beside: &Path) -> Result<PathBuf, String> {
    if !cfg!(target_os = "linux") {
        return Err("a library can be laid under a program in this way on Linux alone".into());
    }
    let (file, library) = (beside.join(format!("{name}.c")), beside.join(format!("{name}.so")));
    fs::write(&file, source).map_err(|error| error.to_string())?;
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .args([&library, &file])
        .output()
        .map_err(|error| format!("there is no C compiler: {error}"))?;
    if !built.status.success() {
        let why = String::from_utf8_lossy(&built.stderr).replace('\n', " ");
        return Err(format!("shim/{name}.c cannot be built: {why}"));
    }
    Ok(library)
}
