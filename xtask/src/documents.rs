//! What the documents say about the code, held against it.

use std::fs;
use std::path::Path;

use crate::files;
use crate::workspace::root;

const TESTS: [&str; 4] = ["common", "backend", "frontend/src", "e2e/tests"];

/// All of the sources that hold tests, as one text.
fn sources() -> String {
    let mut all = String::new();
    for folder in TESTS {
        gather(&root().join(folder), &mut all);
    }
    all
}

fn gather(path: &Path, all: &mut String) {
    if path.is_dir() {
        for entry in files::entries(path).expect("a folder of the project can be read") {
            gather(&entry, all);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "ts") {
        all.push_str(&fs::read_to_string(path).expect("a source is text"));
    }
}

#[test]
fn every_test_that_an_invariant_names_is_there() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("there is one");
    let sources = sources();
    let lines = document.lines().filter(|line| line.starts_with("| **I"));
    let mut names = 0;
    for line in lines {
        let guards = line.rsplit('|').nth(1).unwrap_or_default();
        let functions = guards.split('`').skip(1).step_by(2).filter(|name| !name.contains('.'));
        for name in functions {
            assert!(sources.contains(&format!("fn {name}(")), "no test is called {name}");
            names += 1;
        }
        for title in guards.split('"').skip(1).step_by(2) {
            assert!(sources.contains(&format!("\"{title}\"")), "no test has the title {title}");
            names += 1;
        }
    }
    assert!(names > 30, "only {names} tests were found in the table");
}
