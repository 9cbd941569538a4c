//! A reader and a log that comes to it in any pieces.

use crate::{cases, epoch, event, room};
use holdfast_common::{
    client::{Client, Input, Output, Principal, Snapshot, Write},
    codec,
    cursor::{Accept, Cursor, Head, Mark, ResetReason, check},
    frame::{Author, ClientFrame, Entries, Entry, ServerFrame, Welcome},
    id::{ConnectionId, EventId, PersonId, SessionId, WriterId},
    limits::Limits,
    time::{Instant, Timestamp},
};
use proptest::prelude::*;

/// The ids of a log, each of them another one.
fn log(most: u64) -> impl Strategy<Value = Vec<EventId>> {
    prop::collection::vec(0..2_u64, 1..=most as usize).prop_map(|bits| {
        let ids = bits.iter().enumerate();
        ids.map(|(at, bit)| event(at as u64 * 2 + bit + 1)).collect()
    })
}

/// The log's mark at an offset, as docs/protocol.md says it is made.
fn mark(ids: &[EventId], offset: u64) -> Mark {
    (1..=offset).fold(Mark::START, |mark, at| {
        let mut bytes = mark.0.to_be_bytes().to_vec();
        bytes.extend(at.to_be_bytes());
        bytes.extend(ids[at as usize - 1].as_bytes());
        let digest = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Mark(digest)
    })
}

fn cursor(ids: &[EventId], offset: u64) -> Cursor {
    Cursor { epoch: epoch(1), offset, mark: mark(ids, offset) }
}

fn entries(ids: &[EventId], from: u64, to: u64) -> Entries {
    let entry = |offset: u64| Entry {
        offset,
        mark: mark(ids, offset),
        id: ids[offset as usize - 1],
        kind: "message".to_owned(),
        from: Author { id: PersonId::NIL, name: String::new() },
        at: Timestamp(0),
        data: None,
    };
    Entries { room: room(1), epoch: epoch(1), entries: (from..=to).map(entry).collect() }
}

/// A part of the log, drawn as two offsets in any order.
fn piece(ids: &[EventId], (a, b): (u64, u64)) -> (u64, u64) {
    let fit = |at: u64| at % ids.len() as u64 + 1;
    (fit(a).min(fit(b)), fit(a).max(fit(b)))
}

/// A client that is online, and holds what it has written.
struct Reader {
    client: Client,
    held: Vec<u64>,
    closed: bool,
    hello: Option<Cursor>,
}

impl Reader {
    fn new() -> Self {
        let name = "Ada".to_owned();
        let snapshot = Snapshot {
            principal: Principal { person: PersonId::NIL, secret: "s".repeat(16), name },
            writer: WriterId::NIL,
            generation: 0,
            rows: Vec::new(),
            lanes: Vec::new(),
            cursors: Vec::new(),
            latest: Vec::new(),
        };
        let client = Client::new(snapshot, SessionId::NIL, 1);
        let mut reader = Self { client, held: Vec::new(), closed: false, hello: None };
        reader.feed(Input::Start);
        reader.welcomed();
        reader
    }

    fn welcomed(&mut self) {
        self.hello = None;
        self.feed(Input::Opened);
        self.hear(&ServerFrame::Welcome(Welcome {
            connection: ConnectionId::NIL,
            server: String::new(),
            now: Timestamp(0),
            limits: Limits::default(),
            lanes: Vec::new(),
            latest: Vec::new(),
        }));
        self.closed = false;
    }

    fn hear(&mut self, frame: &ServerFrame) {
        self.feed(Input::Frame(codec::write_server(frame)));
    }

    fn feed(&mut self, input: Input) {
        for output in self.client.handle(Instant(0), input) {
            match output {
                Output::Write(batch) => {
                    for write in &batch.writes {
                        if let Write::Entries { entries, cursor, .. } = write {
                            self.held.extend(entries.iter().map(|entry| entry.offset));
                            assert_eq!(self.held.last(), Some(&cursor.offset));
                        }
                    }
                    self.feed(Input::Written { token: batch.token, result: Ok(()) });
                }
                Output::Close(_) => self.closed = true,
                Output::Send(text) => {
                    let frame = codec::read_client(text.as_bytes()).unwrap().frame;
                    if let ClientFrame::Hello(hello) = frame {
                        self.hello = hello.rooms.first().map(|known| known.cursor);
                    }
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_log_that_comes_in_any_pieces_is_applied_once_and_in_order_or_a_gap_is_told(
        ids in log(12),
        pieces in prop::collection::vec((any::<u64>(), any::<u64>()), 0..24),
    ) {
        let mut reader = Reader::new();
        for drawn in pieces {
            let (from, to) = piece(&ids, drawn);
            let before = reader.held.len() as u64;
            reader.hear(&ServerFrame::Entries(entries(&ids, from, to)));
            // Told: the connection ends, and the next hello says from where it goes on.
            prop_assert_eq!(reader.closed, from > before + 1);
            let expected = if reader.closed { before } else { before.max(to) };
            prop_assert_eq!(&reader.held, &(1..=expected).collect::<Vec<_>>());
            if reader.closed {
                reader.feed(Input::Woke);
                reader.welcomed();
                let stands = (expected > 0).then(|| cursor(&ids, expected));
                prop_assert_eq!(reader.hello, stands);
            }
        }
        let next = reader.held.len() as u64 + 1;
        reader.hear(&ServerFrame::Entries(entries(&ids, next.min(ids.len() as u64), ids.len() as u64)));
        prop_assert_eq!(reader.held, (1..=ids.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn an_entry_is_taken_only_behind_the_very_log_that_was_read(
        (ids, others) in (log(8), log(8)),
        (at, offset) in (0..9_u64, 1..9_u64),
        other_epoch in prop::bool::weighted(0.2),
    ) {
        let at = at.min(ids.len() as u64);
        let offset = offset.min(others.len() as u64);
        let of = epoch(if other_epoch { 2 } else { 1 });
        let id = others[offset as usize - 1];
        let judged = cursor(&ids, at).accept(of, offset, id, mark(&others, offset));
        let same = at < offset && ids[..at as usize] == others[..at as usize];
        let expected = match offset {
            _ if other_epoch => Accept::Forked,
            _ if offset <= at => Accept::Known,
            _ if offset > at + 1 => Accept::Missing,
            _ if same => Accept::Next(cursor(&others, offset)),
            _ => Accept::Forked,
        };
        prop_assert_eq!(judged, expected);
    }

    #[test]
    fn a_cursor_goes_on_only_in_the_very_log_that_was_read(
        (ids, others) in (log(8), log(8)),
        (at, first) in (0..9_u64, 1..9_u64),
        other_epoch in prop::bool::weighted(0.2),
    ) {
        let at = at.min(ids.len() as u64);
        let end = others.len() as u64;
        let of = epoch(if other_epoch { 2 } else { 1 });
        let head = Head { epoch: of, offset: end, mark: mark(&others, end), first };
        // What was trimmed cannot be compared.
        let mark_at = (at + 1 >= first && at <= end).then(|| mark(&others, at));
        let expected = if other_epoch {
            Err(ResetReason::Epoch)
        } else if at > end {
            Err(ResetReason::Future)
        } else if at + 1 >= first && ids[..at as usize] != others[..at as usize] {
            Err(ResetReason::Forked)
        } else {
            Ok(())
        };
        prop_assert_eq!(check(&cursor(&ids, at), &head, mark_at), expected);
    }
}
