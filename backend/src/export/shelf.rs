//! Where exports stand: which files there are, for how long, and how many.

use super::{
    apart,
    known::Known,
    part::{Part, synced},
    pieces::pieces,
};
use crate::limits::{EXPORT_READS, EXPORTS_KEPT};
use futures_util::Stream;
use holdfast_common::{id::JobId, time::Millis};
use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Where exports are kept, for how long, and how much of them.
#[derive(Debug, Clone)]
pub struct Exports {
    /// The folder, of which nobody else makes use. It is made when it is needed.
    pub folder: PathBuf,
    /// How long a file is kept.
    pub keep: Millis,
    /// Bytes of all files together.
    pub bytes: u64,
    /// How long a reader may take for each 512 KiB of a file.
    pub pace: Duration,
}

/// The folder of exports.
pub(crate) struct Shelf {
    exports: Exports,
    known: Known,
    /// Held while a file is begun: of two that want the last place one has it.
    begins: Mutex<()>,
    /// Turns to read a file: each is one more that is open.
    reads: Arc<Semaphore>,
}

/// A whole file.
pub(crate) struct Whole {
    file: File,
    pub(crate) bytes: u64,
    pace: Duration,
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

/// What more may be kept.
struct Left {
    bytes: u64,
    /// How far [all that is written](super::known::State::written) may come by that.
    until: u64,
}

impl Shelf {
    pub(crate) fn new(exports: Exports) -> Arc<Self> {
        let reads = Arc::new(Semaphore::new(EXPORT_READS));
        Arc::new(Self { exports, known: Known::default(), begins: Mutex::default(), reads })
    }

    pub(super) const fn keep(&self) -> Millis {
        self.exports.keep
    }

    /// How many more bytes may be kept; `None` where as many files or bytes as may be are.
    pub(crate) async fn room(self: &Arc<Self>) -> io::Result<Option<u64>> {
        let shelf = Arc::clone(self);
        apart(move || Ok(shelf.left()?.map(|left| left.bytes))).await
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
            let path = |whole| folder.join(Name { job, fence, whole }.written());
            let _alone = shelf.begins.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(left) = shelf.left()? else { return Ok(None) };
            let part = Part::begin(path(false), path(true), shelf.known.clone())?;
            Ok(Some(part.up_to(left.until)))
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
        let pace = self.exports.pace;
        apart(move || match File::open(path) {
            Ok(file) => {
                let bytes = file.metadata()?.len();
                Ok(Some(Whole { file, bytes, pace }))
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

    /// What is left beside all files; `None` where there is no room for one more.
    fn left(&self) -> io::Result<Option<Left>> {
        // Asked first: what has gone, or become whole, while the folder is listed may still be in the list.
        let known = self.known.now().clone();
        let mut files = self.files()?;
        files.retain(|Found { name, path, .. }| {
            let part = path.with_file_name(Name { whole: false, ..*name }.written());
            !known.parts.contains_key(&part) && !known.going.contains(path)
        });
        let whole: u64 = files.iter().map(|file| file.bytes).sum();
        let parts: u64 = known.parts.values().sum();
        let bytes = self.exports.bytes.saturating_sub(whole + parts);
        let others = files.len() + known.parts.len();
        let left = Left { bytes, until: known.written + bytes };
        Ok((bytes > 0 && others < EXPORTS_KEPT).then_some(left))
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
    /// Its content, piece by piece. `turn` is held until the last of it is on its way, nobody wants more,
    /// or who wants it is too slow: who takes less than [`EXPORT_PACE`](crate::limits::EXPORT_PACE) within
    /// the time for it, though there is more, gets no more.
    pub(crate) fn pieces(
        self,
        turn: OwnedSemaphorePermit,
    ) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
        pieces(self.file, self.bytes, turn, self.pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::part::NotWritten;

    fn few(folder: PathBuf) -> Exports {
        Exports { folder, keep: Millis(60_000), bytes: 1_000, pace: Duration::from_secs(30) }
    }

    #[tokio::test]
    async fn who_writes_late_changes_nothing_of_what_counts_and_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let shelf = Shelf::new(few(path.clone()));
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

    #[tokio::test]
    async fn those_that_are_written_at_once_have_together_no_more_bytes_than_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(few(folder.path().to_owned()));
        let [one, two, three] = [1, 2, 3].map(|n| JobId::from_bytes([n; 16]));
        let begin = async |job| shelf.begin(job, 1).await.unwrap().unwrap();
        let (mut big, mut small) = (begin(one).await, begin(two).await);
        big.write(&"x".repeat(600)).unwrap();
        small.write(&"x".repeat(300)).unwrap();
        let mut late = begin(three).await;
        assert!(matches!(late.write(&"x".repeat(101)), Err(NotWritten::Full)));
        late.write(&"x".repeat(50)).unwrap();
        assert!(matches!(small.write(&"x".repeat(51)), Err(NotWritten::Full)));
        late.finish().unwrap();
        assert_eq!(shelf.room().await.unwrap(), Some(50));
        // What does not become whole leaves its room to those that are being written.
        drop(big);
        small.write(&"x".repeat(650)).unwrap();
        assert!(matches!(small.write("x"), Err(NotWritten::Full)));
        assert_eq!((small.finish().unwrap(), shelf.room().await.unwrap()), (950, None));
    }

    #[tokio::test]
    async fn of_those_that_begin_at_once_at_the_last_place_one_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(few(folder.path().to_owned()));
        for fence in 1..EXPORTS_KEPT as u64 {
            let name = Name { job: JobId::NIL, fence, whole: true };
            fs::write(folder.path().join(name.written()), "x").unwrap();
        }
        let begin = |fence| shelf.begin(JobId::NIL, fence);
        let begun = futures_util::future::join_all((1_000..1_008).map(begin)).await;
        let parts: Vec<_> = begun.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(parts.len(), 1);
    }

    #[test]
    fn what_is_being_removed_takes_nothing_from_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let shelf = Shelf::new(few(path.clone()));
        let runtime =
            tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let mut part = runtime.block_on(shelf.begin(JobId::NIL, 1)).unwrap().unwrap();
        part.write(&"x".repeat(900)).unwrap();
        let left = || shelf.left().unwrap().map(|left| left.bytes);
        assert_eq!(left(), Some(100));
        // Nothing is removed until this thread is free.
        let (go, held) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || held.recv().is_ok());
        let inside = runtime.enter();
        drop(part);
        drop(inside);
        assert_eq!((shelf.files().unwrap().len(), left()), (1, Some(1_000)));
        drop(go);
        let next = runtime.block_on(shelf.begin(JobId::NIL, 2)).unwrap();
        assert!(next.is_some() && shelf.known.now().going.is_empty());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "of the first nothing is left");
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
