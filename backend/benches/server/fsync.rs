//! What the disk itself does: appends of 4 KiB, each with an fdatasync.

use crate::Outcome;
use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Appends and syncs a second on the disk that `folder` lies on.
pub(crate) fn rate(folder: &Path, length: Duration) -> Outcome<f64> {
    let path = folder.join("fsync-rate");
    let mut file = File::create(&path)?;
    let block = [7; 4096];
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < length {
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
