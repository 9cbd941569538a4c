//! Where exports stand: which files there are, for how long, and how many.

use super::{
    apart,
    part::{Part, synced},
};
use crate::limits::{EXPORT_READS, EXPORTS_KEPT};
use futures_util::{Stream, stream};
use holdfast_common::{id::JobId, time::Millis};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read as _},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are read of a file at once.
const PIECE: usize = 64 * 1024;

/// Where exports are kept, for how long, and how much of them.
#[derive(Debug, Clone)]
pub struct Exports {
    /// The folder, of which nobody else makes use. It is made when it is needed.
    pub folder: PathBuf,
    /// How long a file is kept.
    pub keep: Millis,
    /// Bytes of all files together.
    pub bytes: u64,
}

/// The folder of exports.
pub(crate) struct Shelf {
    exports: Exports,
    /// Turns to read a file: each is one more that is open.
    reads: Arc<Semaphore>,
}

/// A whole file.
pub(crate) struct Whole {
    file: File,
    pub(crate) bytes: u64,
}

/// A file's name: a job, the lease under which it was written, and whether it is whole. So who writes late
/// writes another file than the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name {
    job: JobId,
    fence: u64,
    whole: bool,
}

impl Name {
    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let (job, fence) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let whole = match parts.next()? {
            "jsonl" => true,
            "part" => false,
            _ => return None,
        };
        let found = Self { job, fence, whole };
        // What is not called so to the letter is somebody else's.
        (found.written() == name).then_some(found)
    }

    fn written(self) -> String {
        let kind = if self.whole { "jsonl" } else { "part" };
        format!("{}.{}.{kind}", self.job, self.fence)
    }
}

/// A file that there is.
struct Found {
    name: Name,
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

impl Shelf {
    pub(crate) fn new(exports: Exports) -> Arc<Self> {
        Arc::new(Self { exports, reads: Arc::new(Semaphore::new(EXPORT_READS)) })
    }

    pub(super) const fn keep(&self) -> Millis {
        self.exports.keep
    }

    /// How many more bytes may be kept; `None` where as many files or bytes as may be are.
    pub(crate) async fn room(self: &Arc<Self>) -> io::Result<Option<u64>> {
        let shelf = Arc::clone(self);
        apart(move || shelf.left()).await
    }

    /// Begins the file of a job's lease; `None` where there is no room for one.
    pub(super) async fn begin(
        self: &Arc<Self>,
        job: JobId,
        fence: u64,
    ) -> io::Result<Option<Part>> {
        let shelf = Arc::clone(self);
        apart(move || {
            let folder = &shelf.exports.folder;
            if !folder.is_dir() {
                fs::create_dir_all(folder)?;
                synced(folder.parent())?;
            }
            let Some(most) = shelf.left()? else { return Ok(None) };
            let path = |whole| folder.join(Name { job, fence, whole }.written());
            Part::begin(path(false), path(true), most).map(Some)
        })
        .await
    }

    /// The whole file of a job's lease, if it is still kept.
    pub(crate) async fn open(
        self: &Arc<Self>,
        job: JobId,
        fence: u64,
    ) -> io::Result<Option<Whole>> {
        let path = self.exports.folder.join(Name { job, fence, whole: true }.written());
        apart(move || match File::open(path) {
            Ok(file) => {
                let bytes = file.metadata()?.len();
                Ok(Some(Whole { file, bytes }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// A turn to read a file; `None` where as many as may be are read.
    pub(crate) fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.reads).try_acquire_owned().ok()
    }

    /// Removes what was kept for long enough, and what a later lease of its job has written anew. At the
    /// start nobody writes, so that what is not whole goes then, too.
    pub(super) async fn sweep(self: &Arc<Self>, at_start: bool) -> io::Result<()> {
        let shelf = Arc::clone(self);
        apart(move || {
            let files = shelf.files()?;
            let mut newest = HashMap::<JobId, u64>::new();
            for Name { job, fence, .. } in files.iter().map(|file| file.name) {
                newest.entry(job).and_modify(|it| *it = fence.max(*it)).or_insert(fence);
            }
            let keep = Duration::from_millis(shelf.exports.keep.0);
            for Found { name, path, written, .. } in files {
                let over = written.elapsed().is_ok_and(|age| age >= keep);
                let late = newest.get(&name.job).is_some_and(|newest| name.fence < *newest);
                let goes = if name.whole { over || late } else { at_start || late };
                if goes && let Err(error) = fs::remove_file(&path) {
                    tracing::warn!(%error, file = %path.display(), "an export could not be removed");
                }
            }
            Ok(())
        })
        .await
    }

    fn left(&self) -> io::Result<Option<u64>> {
        let files = self.files()?;
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let left = self.exports.bytes.saturating_sub(bytes);
        Ok((left > 0 && files.len() < EXPORTS_KEPT).then_some(left))
    }

    fn files(&self) -> io::Result<Vec<Found>> {
        let listed = match fs::read_dir(&self.exports.folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files = Vec::new();
        for entry in listed {
            let entry = entry?;
            let Some(name) = entry.file_name().to_str().and_then(Name::parse) else { continue };
            // It may have gone since it was listed.
            let Ok(about) = entry.metadata() else { continue };
            let (path, bytes) = (entry.path(), about.len());
            files.push(Found { name, path, bytes, written: about.modified()? });
        }
        Ok(files)
    }
}

impl Whole {
    /// Its content, piece by piece, each read when the one before it is on its way. `turn` is held until
    /// it has all been read, or nobody wants more.
    pub(crate) fn pieces(
        self,
        turn: OwnedSemaphorePermit,
    ) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
        stream::try_unfold((self.file, turn), |(mut file, turn)| async move {
            apart(move || {
                let mut piece = vec![0; PIECE];
                let length = file.read(&mut piece)?;
                piece.truncate(length);
                Ok((length > 0).then_some((piece, (file, turn))))
            })
            .await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_writes_late_changes_nothing_of_what_counts_and_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let shelf =
            Shelf::new(Exports { folder: path.clone(), keep: Millis(60_000), bytes: 1_000 });
        let job = JobId::NIL;
        let mut late = shelf.begin(job, 1).await.unwrap().unwrap();
        let mut part = shelf.begin(job, 2).await.unwrap().unwrap();
        late.write("late").unwrap();
        part.write("counts").unwrap();
        assert_eq!(part.finish().unwrap(), 6);
        assert_eq!(late.finish().unwrap(), 4);
        shelf.sweep(false).await.unwrap();
        assert!(shelf.open(job, 1).await.unwrap().is_none());
        assert_eq!(shelf.open(job, 2).await.unwrap().unwrap().bytes, 6);
        fs::write(path.join(format!("{job}.3.part")), "killed").unwrap();
        shelf.sweep(true).await.unwrap();
        let left: Vec<_> = fs::read_dir(&path).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert!(
            left.is_empty(),
            "a later lease has begun, so the one before did not count: {left:?}"
        );
    }

    #[test]
    fn a_file_is_called_by_its_job_and_lease_and_nothing_else_is_touched() {
        let name = Name { job: JobId::NIL, fence: 7, whole: false };
        assert_eq!(Name::parse(&name.written()), Some(name));
        let job = JobId::NIL;
        for other in ["", "notes.txt", ".7.part", "x.7.jsonl", &format!("{job}.07.jsonl")] {
            assert_eq!(Name::parse(other), None, "{other}");
        }
        for end in ["jsonl", "7.txt", "7.jsonl.gz", "-7.part", "7."] {
            assert_eq!(Name::parse(&format!("{job}.{end}")), None, "{end}");
        }
    }
}
