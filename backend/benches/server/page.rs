//! What a first visit loads, compressed as the server sends it.

use crate::Outcome;
use std::path::Path;

pub(crate) fn run() -> Outcome<()> {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    let mut total = 0;
    println!("first load (brotli)");
    for file in std::fs::read_dir(&dist)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".br") {
            let size = file.metadata()?.len();
            total += size;
            println!("{size:>10} {name}");
        }
    }
    println!("{total:>10} in all");
    Ok(())
}
