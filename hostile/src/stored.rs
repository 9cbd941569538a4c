//! What a browser's database holds, whoever wrote it: an older page, a newer one, a broken disk.

use crate::page::Page;
use holdfast_common::{client::Input, id::WriterId};
use holdfast_frontend::link::Trial;

const WELCOME: &str = include_str!("../../common/tests/golden/wire/v1/server/welcome.frame");

/// Whatever its values are, a database is read, and what could not be read of the outbox is told. A
/// page starts from it, shows every room and goes online; and so it does once it is mended, when
/// nothing is said to be damaged any more.
///
/// # Panics
/// One of that is not so.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(db) = Trial::of_lines(&text) else { return };
    let read = db.read().expect("a database in memory is read");
    let rows = text.lines().filter_map(|line| {
        let mut parts = line.strip_prefix("outbox\t")?.split('\t');
        parts.next()?.parse::<u64>().ok()
    });
    let rows: std::collections::BTreeSet<u64> = rows.collect();
    let lost = read.damage.as_ref().is_some_and(|what| what.contains("outbox"));
    assert_eq!(read.loaded.rows.len() < rows.len(), lost, "{:?}", read.damage);
    if read.damage.is_some() {
        db.mend(WriterId::from_bytes([9; 16])).expect("a database in memory is mended");
        let mended = db.read().expect("a database in memory is read");
        if mended.snapshot.is_some() {
            assert_eq!(mended.damage, None, "it was {:?}", read.damage);
        }
    }
    let Some(mut page) = Page::start(db) else { return };
    page.show();
    if page.wants {
        page.connected = true;
        page.feed(Input::Opened);
        page.feed(Input::Frame(WELCOME.to_owned()));
        page.show();
    }
}
