//! The files, and the manifest that keeps them from being changed.

use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// One at a time: tests of other threads add to it too.
static MANIFEST: Mutex<()> = Mutex::new(());

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn adding() -> bool {
    std::env::var("HOLDFAST_GOLDEN").is_ok_and(|value| value == "add")
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the file at `path` holds. Where files are added, a missing one is made of `text`.
pub fn file(path: &str, text: &str) -> String {
    let full = root().join(path);
    if adding() {
        add(path, &full, text);
    }
    let bytes = fs::read(&full).unwrap_or_else(|error| {
        panic!("common/tests/golden/{path} ({error}) is missing; it would hold\n{text}")
    });
    String::from_utf8(bytes).expect("a golden file is UTF-8")
}

fn add(path: &str, full: &Path, text: &str) {
    let _one = MANIFEST.lock().expect("no test panics while it adds");
    if full.exists() {
        return;
    }
    fs::create_dir_all(full.parent().expect("it stands in a folder")).expect("a folder is made");
    fs::write(full, text).expect("a golden file is written");
    let mut manifest = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(root().join("manifest.sha256"))
        .expect("the manifest is opened");
    writeln!(manifest, "{}  {path}", sum(text.as_bytes())).expect("the manifest is written");
}

/// The names without their endings of the files in `folder`.
pub fn stems(folder: &str) -> Vec<String> {
    let mut stems: Vec<String> = fs::read_dir(root().join(folder))
        .expect("the folder is there")
        .map(|file| {
            let path = file.expect("the folder can be read").path();
            path.file_stem().expect("a file has a name").to_string_lossy().into_owned()
        })
        .collect();
    stems.sort();
    stems
}

fn all(folder: &str, found: &mut BTreeMap<String, String>) {
    for file in fs::read_dir(root().join(folder)).expect("the folder is there") {
        let file = file.expect("the folder can be read");
        let path = format!("{folder}/{}", file.file_name().to_string_lossy());
        if file.path().is_dir() {
            all(&path, found);
        } else {
            found.insert(path, sum(&fs::read(file.path()).expect("a file can be read")));
        }
    }
}

#[test]
fn a_committed_golden_file_never_changes() {
    if adding() {
        return; // Files are being added; the next run looks at them.
    }
    let manifest = fs::read_to_string(root().join("manifest.sha256")).expect("there is one");
    let kept: BTreeMap<String, String> = manifest
        .lines()
        .map(|line| {
            let (sum, path) = line.split_once("  ").expect("a line is a sum and a path");
            (path.to_owned(), sum.to_owned())
        })
        .collect();
    assert_eq!(kept.len(), manifest.lines().count(), "the manifest names a file twice");
    let mut found = BTreeMap::new();
    all("wire", &mut found);
    all("stored", &mut found);
    for (path, sum) in &kept {
        assert_eq!(
            found.get(path),
            Some(sum),
            "{path}: a committed golden file never changes: add a folder for a new version"
        );
    }
    for (path, sum) in &found {
        assert!(kept.contains_key(path), "a new golden file needs its line:\n{sum}  {path}");
    }
}
