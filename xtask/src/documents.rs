//! What the documents say about the code, held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::files;
use crate::workspace::root;

const TESTS: [&str; 6] =
    ["common", "backend", "frontend/src", "hostile/tests", "e2e/tests", "chaos/src"];

/// All of the sources that hold tests.
fn sources() -> Vec<String> {
    let mut all = Vec::new();
    for folder in TESTS {
        gather(&root().join(folder), &mut all);
    }
    all
}

fn gather(path: &Path, all: &mut Vec<String>) {
    if path.is_dir() {
        for entry in files::entries(path).expect("a folder of the project can be read") {
            gather(&entry, all);
        }
    } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "ts") {
        all.push(fs::read_to_string(path).expect("a source is text"));
    }
}

/// The macros that make a test for each engine of each fact they list.
const CONTRACTS: [&str; 2] = ["contract! {", "contract_of_jobs! {"];

/// The names of a Rust source's test functions: those with the attribute, and those of which one of
/// the macros makes a test for each engine.
fn tests(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut attribute = false;
    let mut of_macro = None;
    for line in source.lines() {
        match (of_macro, line) {
            (None, _) if CONTRACTS.contains(&line) || line == "on_every_engine! {" => {
                of_macro = Some(line);
            }
            (Some(_), "}") => of_macro = None,
            (Some(of), _) if CONTRACTS.contains(&of) => names.extend(line.split_whitespace()),
            // Deeper functions are helpers within a test.
            (Some(_), _) => names.extend(line.strip_prefix("    async fn ").and_then(name)),
            (None, _) => {
                let line = line.trim_start();
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    attribute = true;
                } else if !line.starts_with("#[") && !line.starts_with("//") {
                    let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                    names.extend(function.and_then(name).filter(|_| attribute));
                    attribute = false;
                }
            }
        }
    }
    names
}

/// What stands before the parameters.
fn name(function: &str) -> Option<&str> {
    function.split_once('(').map(|(name, _)| name)
}

#[test]
fn a_function_without_the_attribute_is_a_test_only_in_a_macro_of_tests() {
    let source = "
fn plain() {}

#[test]
#[should_panic]
/// Said in between.
fn with_more_between() {
    fn within() {}
}

    #[tokio::test(flavor = \"multi_thread\")]
    async fn waits() {}

#[cfg(test)]
fn only_built_for_tests() {}

#[test]
const NO_FUNCTION: u8 = 1;
fn behind_something_else() {}

contract! {
    one_of_the_contract
}

contract_of_jobs! {
    one_of_the_jobs
}

async fn plain_again() {}

on_every_engine! {
    async fn on_each(rig) {
        async fn helper() {}
    }
}

fn last() {}
";
    let run = ["with_more_between", "waits", "one_of_the_contract", "one_of_the_jobs", "on_each"];
    assert_eq!(tests(source), BTreeSet::from(run));
}

/// The rows of tables whose label is this letter and a number, by it: what stands in the last cell.
fn rows(document: &str, letter: char) -> BTreeMap<&str, &str> {
    let mut rows = BTreeMap::new();
    for line in document.lines() {
        let Some((label, rest)) = line.strip_prefix("| ").and_then(|row| row.split_once(" | "))
        else {
            continue;
        };
        let label = label.trim_matches('*');
        let number = label.strip_prefix(letter).unwrap_or_default();
        if number.parse::<u32>().is_ok() {
            let last = rest.rsplit('|').nth(1).unwrap_or_default().trim();
            assert!(rows.insert(label, last).is_none(), "{label} stands twice");
        }
    }
    rows
}

#[test]
fn a_row_of_a_table_is_found_by_its_label_with_what_stands_last_in_it() {
    let document = "
J1 to J3 are promised.
| | what |
|---|---|
| J1 | one |
| **J2** | two | `a_test`, \"a title\" |
| **I2** | of another letter | |
| **Jx** | no number | |
";
    let (one, two) = ("one", "`a_test`, \"a title\"");
    assert_eq!(rows(document, 'J'), BTreeMap::from([("J1", one), ("J2", two)]));
    assert_eq!(guards(two), (vec!["a_test"], vec!["a title"]));
    assert_eq!(guards(one), (vec![], vec![]));
}

/// The tests that a row names: functions, and titles.
fn guards(row: &str) -> (Vec<&str>, Vec<&str>) {
    let functions = row.split('`').skip(1).step_by(2).filter(|name| !name.contains('.'));
    (functions.collect(), row.split('"').skip(1).step_by(2).collect())
}

#[test]
fn every_test_that_an_invariant_names_is_there() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("there is one");
    let sources = sources();
    let tests: BTreeSet<&str> = sources.iter().flat_map(|source| tests(source)).collect();
    let (of_all, of_queues) = (rows(&document, 'I'), rows(&document, 'J'));
    assert!(of_all.len() >= 11, "only {} invariants were found", of_all.len());
    for (label, row) in of_all.into_iter().chain(of_queues) {
        let (functions, titles) = guards(row);
        assert!(functions.len() + titles.len() > 0, "no test guards {label}");
        for name in functions {
            assert!(tests.contains(name), "no test is called {name}");
        }
        for title in titles {
            let quoted = format!("\"{title}\"");
            let found = sources.iter().any(|source| source.contains(&quoted));
            assert!(found, "no test has the title {title}");
        }
    }
}

#[test]
fn every_line_that_is_promised_of_queues_is_an_invariant_with_its_tests() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("there is one");
    let (promise, invariants) = (read("docs/queues.md"), read("ARCHITECTURE.md"));
    let (promised, guarded) = (rows(&promise, 'J'), rows(&invariants, 'J'));
    assert!(promised.len() >= 12, "only {} lines of the promise were found", promised.len());
    assert_eq!(promised.keys().collect::<Vec<_>>(), guarded.keys().collect::<Vec<_>>());
}

/// What may stand before a name where it is declared.
const DECLARED: [&str; 8] =
    ["fn ", "macro_rules! ", "pub struct ", "pub trait ", "pub enum ", "    ", "\"", "mod "];

/// Whether one of the sources, tests apart, declares it: a function, a type, a variant, a word of the
/// wire, or an option.
fn is_declared(name: &str, sources: &[String]) -> bool {
    sources.iter().any(|source| {
        let mut found = source.match_indices(name);
        found.any(|(at, _)| {
            let (before, after) = (&source[..at], &source[at + name.len()..]);
            let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            ends && DECLARED.iter().any(|word| before.ends_with(word))
        })
    })
}

#[test]
fn what_is_said_to_those_who_know_socket_io_is_on_one_screen_and_names_what_there_is() {
    let document = fs::read_to_string(root().join("docs/from-socketio.md")).expect("there is one");
    assert!(document.lines().count() <= 50, "one screen of lines");
    for line in document.lines() {
        assert!(line.chars().count() <= 150, "wider than a screen: {line}");
    }
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    let mut sources = Vec::new();
    for folder in ["common/src", "backend/src", "frontend/src"] {
        gather(&root().join(folder), &mut sources);
    }
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        for word in cells[1].split('`').skip(1).step_by(2) {
            if let Some(option) = word.strip_prefix("--") {
                let field = option.replace('-', "_");
                let found = [option, &field].iter().any(|name| is_declared(name, &sources));
                assert!(found, "{word} is no option: {row}");
                continue;
            }
            let parts = word.split(|c: char| !c.is_alphanumeric() && c != '_');
            for part in parts.filter(|part| part.len() > 2) {
                assert!(is_declared(part, &sources), "{part} is nowhere: {row}");
            }
        }
    }
}

/// The lines without what they are indented by.
fn bare(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).collect()
}

#[test]
fn the_rust_of_the_document_of_queues_is_of_an_example_that_is_compiled_and_tested() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("there is one");
    let (document, example) = (read("docs/queues.md"), read("examples/packing/src/main.rs"));
    let blocks: Vec<&str> = document.split("```rust\n").skip(1).collect();
    assert_eq!(blocks.len(), 4);
    let example = bare(&example);
    for block in blocks {
        let block = block.split_once("\n```").expect("it ends").0;
        // Between declarations the example may have more.
        for part in block.split("\n\n").map(bare) {
            let stands = example.windows(part.len()).any(|lines| lines == part);
            assert!(stands, "{}", part.join("\n"));
        }
    }
}
