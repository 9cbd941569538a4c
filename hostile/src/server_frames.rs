//! What servers send: read by the codec, taken by a client, its database and the view.

use crate::{PART, page::Page};
use holdfast_common::{
    client::{Input, Output, Show, Write},
    codec,
    error::Code,
};
use holdfast_frontend::link::Trial;

const WELCOME: &str = include_str!("../../common/tests/golden/wire/v1/server/welcome.frame");
const HELD: &str = include_str!("../seeds/stored/held.tsv");

/// Each frame is read, is of a later version, or ends the connection with a code; what was read is
/// written and read again as the same. A client takes them all, whether it was welcomed before or not,
/// whether its database commits at once or late: what it sends a server reads, what it writes follows,
/// and the page that is loaded anew from its database is whole.
///
/// # Panics
/// One of that is not so.
pub fn run(bytes: &[u8]) {
    let frames: Vec<String> = bytes
        .split(|byte| *byte == PART)
        .map(|frame| String::from_utf8_lossy(frame).into_owned())
        .collect();
    frames.iter().for_each(|text| same_again(text));
    for (welcomed, late) in [(true, false), (true, true), (false, false)] {
        take(&frames, welcomed, late);
    }
}

fn same_again(text: &str) {
    let Ok(Some(read)) = codec::read_server(text) else { return };
    let written = codec::write_server(&read);
    let again = codec::read_server(&written).expect("what was written is read");
    assert_eq!(format!("{:?}", Some(read)), format!("{again:?}"));
}

fn take(frames: &[String], welcomed: bool, late: bool) {
    let db = Trial::of_lines(HELD).expect("the lines of this folder are values");
    let mut page = Page::start(db).expect("there is a principal among them");
    for text in frames {
        connect(&mut page, welcomed);
        page.holds = late;
        hear(&mut page, text);
    }
    page.holds = false;
    while page.commit() {}
    page.show();
    let read = page.db.read().expect("a database in memory is read");
    assert_eq!(read.damage, None, "what was written is read");
    let mut anew = Page::start(page.db).expect("the principal is still there");
    anew.show();
}

/// Has a connection, if the client wants one at all.
fn connect(page: &mut Page, welcomed: bool) {
    page.holds = false;
    while page.commit() {}
    page.come_back();
    if std::mem::take(&mut page.wants) {
        page.connected = true;
        page.feed(Input::Opened);
        if welcomed {
            page.feed(Input::Frame(WELCOME.to_owned()));
        }
    }
}

fn hear(page: &mut Page, text: &str) {
    if !page.connected {
        return; // A hostile frame has made it give up for good: it stays with its person.
    }
    let told = page.feed(Input::Frame(text.to_owned()));
    match codec::read_server(text) {
        Ok(Some(_)) => {}
        Ok(None) => assert!(told.is_empty(), "a frame of a later version: {told:?}"),
        Err(_) => {
            let coded =
                |it: &Output| matches!(it, Output::Close(it) if *it == Code::BadFrame.number());
            assert!(told.iter().any(coded), "{told:?}");
            let shown = |it: &Output| matches!(it, Output::Show(Show::Link(_)) | Output::Close(_));
            let raised = |it: &Write| matches!(it, Write::Generation(_));
            let comes_back = |it: &Output| match it {
                Output::Connect => true,
                Output::Write(batch) => batch.writes.iter().all(raised),
                _ => false,
            };
            assert!(told.iter().all(|it| shown(it) || comes_back(it)), "{told:?}");
        }
    }
}
