//! What clients of `holdfast-work.v1` send: read by the codec, taken by the server's machine.

mod desk;

use crate::PART;
use desk::Talk;
use holdfast_common::{codec::work as codec, frame::work::WorkClient};

const HELLO: &[u8] =
    include_bytes!("../../common/tests/golden/wire/work-v1/client/hello.frame").as_slice();

/// A part of two bytes is no frame: it says what the server does next, and with which number.
const DEED: usize = 2;

/// Each frame is read or has its code; what was read is written and read again as the same. A machine
/// that has just opened and one that was greeted take them all: each request is answered once, jobs are
/// pushed for credit, each lease is told of or handed back, and what is asked for and said has a bound.
///
/// # Panics
/// One of that is not so.
pub fn run(bytes: &[u8]) {
    let parts = || bytes.split(|byte| *byte == PART);
    parts().filter(|part| part.len() != DEED).for_each(same_again);
    for greeted in [false, true] {
        let mut talk = Talk::default();
        if greeted {
            talk.hear(HELLO);
            assert!(talk.is_greeted(), "the hello of this file is a good one");
        }
        for part in parts() {
            match *part {
                [deed, number] => talk.does(deed, number),
                _ => talk.hear(part),
            }
        }
        talk.ends();
    }
}

fn same_again(bytes: &[u8]) {
    let Ok(read) = codec::read_client(bytes) else { return };
    let head = match read.frame {
        WorkClient::Complete(_) => codec::write_client_beside(&read.frame, &read.brings),
        WorkClient::Fail(_) => codec::write_client_beside(&read.frame, &read.patience),
        _ => codec::write_client(&read.frame),
    };
    let mut written = head.into_bytes();
    if !read.payload.is_empty() {
        written.push(b'\n');
        written.extend(read.payload);
    }
    let again = codec::read_client(&written).expect("what was written is read");
    assert_eq!(again.frame, read.frame);
    assert_eq!(again.payload, read.payload);
    assert_eq!(format!("{:?}", again.brings), format!("{:?}", read.brings));
    assert_eq!(again.patience, read.patience);
}
