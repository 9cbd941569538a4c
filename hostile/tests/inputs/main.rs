//! Each target stands the inputs that it sets out from, those that fuzzing has found, and what becomes
//! of both when they are changed at random.
//!
//! `PROPTEST_CASES=5000 cargo test -p holdfast-hostile` tries more of the last.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod changes;

use changes::{Change, Changed};
use holdfast_hostile::{TARGETS, Target};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

/// Cases of each target where nothing else is said.
const CASES: u32 = 48;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The lines of `fuzz/targets.txt`: a target's name, and the folders that it sets out from.
fn lines() -> Vec<(String, Vec<PathBuf>)> {
    let text = fs::read_to_string(root().join("fuzz/targets.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap().to_owned();
        (name, words.map(|folder| root().join(folder)).collect())
    });
    lines.collect()
}

/// The files of these folders, in the order of their names.
fn files(folders: &[PathBuf]) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for folder in folders {
        // A target of which nothing was found has no folder.
        for file in fs::read_dir(folder).into_iter().flatten() {
            let path = file.unwrap().path();
            files.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

fn regressions(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    files(&[root().join("fuzz/regressions").join(target)])
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let lines = lines();
    let folders = &lines.iter().find(|(name, _)| name == target).unwrap().1;
    let seeds = files(folders);
    assert!(!seeds.is_empty(), "{target} sets out from nothing");
    seeds.into_iter().chain(regressions(target)).map(|(_, bytes)| bytes).collect()
}

#[test]
fn each_target_is_in_the_list_that_the_fuzzer_goes_by_and_has_its_way_in() {
    let listed: Vec<String> = lines().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, TARGETS.map(|(name, _)| name));
    for name in listed {
        assert!(root().join(format!("fuzz/targets/{name}.rs")).exists(), "{name}");
    }
}

#[test]
fn each_target_stands_what_it_sets_out_from_and_what_was_found() {
    for (name, target) in TARGETS {
        for bytes in seeds(name) {
            target(&bytes);
        }
        for (path, bytes) in regressions(name) {
            let stood = panic::catch_unwind(AssertUnwindSafe(|| target(&bytes)));
            assert!(stood.is_ok(), "{} is back", path.display());
        }
    }
}

/// Tries inputs made of a target's seeds; a failing one is made small before it is shown.
fn stands(name: &str, between: u8) {
    let target: Target = TARGETS.iter().find(|(it, _)| *it == name).unwrap().1;
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let seeds = seeds(name);
    let part = (any::<prop::sample::Index>(), prop::collection::vec(any::<Change>(), 0..4));
    let parts = prop::collection::vec(part, 1..6).prop_map(move |parts| {
        let parts = parts.into_iter().map(|(at, changes)| {
            let seed = at.get(&seeds).clone();
            changes.iter().fold(seed, |bytes, change| change.of(bytes))
        });
        Changed(parts.collect::<Vec<_>>().join(&between))
    });
    // What has no form at all is tried as well.
    let input = prop_oneof![
        9 => parts,
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Changed),
    ];
    let run = TestRunner::new(config).run(&input, |Changed(bytes)| {
        target(&bytes);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_server_stands_whatever_frames_a_client_sends() {
    stands("client_frames", 0);
}

#[test]
fn a_server_stands_whatever_frames_a_client_of_jobs_sends() {
    stands("work_frames", 0);
}

#[test]
fn a_page_stands_whatever_frames_a_server_sends() {
    stands("server_frames", 0);
}

#[test]
fn a_server_stands_whatever_is_asked_by_http() {
    stands("http", 0);
}

#[test]
fn a_page_stands_whatever_is_stored_in_its_browser() {
    stands("stored", b'\n');
}

#[test]
fn a_page_stands_any_address_and_any_text() {
    stands("addresses", b'/');
}
