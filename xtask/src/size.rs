//! What a first visit loads, weighed against a budget: people come on bad lines.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files;
use crate::page;
use crate::sh::Outcome;

/// A page, and what its first load may weigh.
struct Page {
    name: &'static str,
    /// Its folder within the built page. What another page has in a folder of this one is not its own.
    folder: &'static str,
    /// Bytes over the wire, compressed by brotli.
    budget: u64,
}

const PAGES: [Page; 2] = [
    Page { name: "rooms", folder: "", budget: 300_000 },
    Page { name: "queues", folder: "board", budget: 175_000 },
];

/// What the browser fetches before the page works.
const FIRST_LOAD: [&str; 6] = ["css", "html", "js", "wasm", "woff", "woff2"];

/// Builds the pages if need be, and weighs them.
pub(crate) fn run() -> Outcome<()> {
    let above = print(&page::build()?)?;
    if above.is_empty() { Ok(()) } else { Err(above.join("; ")) }
}

/// A line for each file of the first loads; returns what is above its budget.
pub(crate) fn print(dist: &Path) -> Outcome<Vec<String>> {
    let mut above = Vec::new();
    for Page { name, folder, budget } in PAGES {
        let mut total = 0;
        for file in first_load(&dist.join(folder))? {
            let bytes = compressed(&file)?;
            total += bytes;
            let file = file.strip_prefix(dist).unwrap_or(&file).display();
            println!("{bytes:>9}  {file}");
        }
        println!("{total:>9}  first load of {name}, brotli (budget {budget})");
        if total > budget {
            let much = total - budget;
            above.push(format!("the first load of {name} is {total} bytes: {much} too many"));
        }
    }
    Ok(above)
}

fn first_load(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::entries(folder)? {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        let is_page = PAGES.iter().any(|page| path.file_name() == Some(page.folder.as_ref()));
        if is_page {
            continue;
        }
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
