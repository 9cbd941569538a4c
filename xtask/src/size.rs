//! What a first visit loads, weighed against a budget: people come on bad lines.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files;
use crate::page;
use crate::sh::Outcome;

/// Bytes over the wire, compressed by brotli.
const BUDGET: u64 = 300_000;

/// What the browser fetches before the page works.
const FIRST_LOAD: [&str; 6] = ["css", "html", "js", "wasm", "woff", "woff2"];

/// Builds the page if need be, and weighs it.
pub(crate) fn run() -> Outcome<()> {
    let total = print(&page::build()?)?;
    if total > BUDGET {
        return Err(format!("the first load is {total} bytes: {} too many", total - BUDGET));
    }
    Ok(())
}

/// A line for each file of the first load; returns their sum.
pub(crate) fn print(dist: &Path) -> Outcome<u64> {
    let mut total = 0;
    for file in first_load(dist)? {
        let bytes = compressed(&file)?;
        total += bytes;
        let name = file.strip_prefix(dist).unwrap_or(&file).display();
        println!("{bytes:>9}  {name}");
    }
    println!("{total:>9}  first load, brotli (budget {BUDGET})");
    Ok(total)
}

fn first_load(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::entries(folder)? {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        if path.is_dir() {
            found.extend(first_load(&path)?);
        } else if FIRST_LOAD.contains(&extension) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Fonts have no `.br` beside them, since they are packed already.
fn compressed(file: &Path) -> Outcome<u64> {
    let mut brotli = file.as_os_str().to_owned();
    brotli.push(".br");
    fs::metadata(&brotli)
        .or_else(|_| fs::metadata(file))
        .map(|meta| meta.len())
        .map_err(|error| format!("{}: {error}", file.display()))
}
