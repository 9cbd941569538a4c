//! The machine with a desk behind it, which answers as the bytes say.

use holdfast_common::{
    codec::work as codec,
    consumer::Output,
    error::Code,
    frame::work::Sub,
    job::Place,
    limits::Limits,
    proof::{Desk, Fate},
    time::Millis,
};

/// A job where there may be one.
const WELL: Fate = Fate::More(1);

#[derive(Default)]
pub(super) struct Talk(Desk);

impl Talk {
    pub(super) fn is_greeted(&self) -> bool {
        self.0.watched.machine.holder().is_some()
    }

    /// A frame has come. It waits in the socket while none is taken.
    pub(super) fn hear(&mut self, frame: &[u8]) {
        let desk = &mut self.0;
        while desk.watched.machine.full() && !desk.open.is_empty() {
            desk.answer(0, WELL);
        }
        desk.now = desk.now + Millis(3);
        let was_over = desk.watched.is_over();
        let closes = desk.hear(frame);
        if was_over {
            assert_eq!(closes, None);
        } else if frame.len() > Limits::default().frame_bytes() {
            assert_eq!(closes, Some(Code::FrameTooLarge));
        } else if codec::read_client(frame).is_err() {
            assert_eq!(closes, Some(Code::BadFrame));
        }
        if let Some((_, Output::Greet(_))) = desk.open.back() {
            desk.answer(desk.open.len() - 1, WELL);
        }
    }

    /// Something else happens.
    pub(super) fn does(&mut self, deed: u8, number: u8) {
        let (sub, first) = (Sub::from(number % 8), u16::from(number));
        let place = |n: u8| Place::ALL[usize::from(n) % Place::ALL.len()];
        let desk = &mut self.0;
        match deed % 16 {
            0..=5 => {
                let fate = match deed % 6 {
                    1 => Fate::Refused,
                    2 => Fate::Late,
                    3 => Fate::Done,
                    _ => WELL,
                };
                desk.answer(usize::from(number), fate);
            }
            // A claim may still get some for one that has ended.
            6 | 7 => desk.push(sub, number / 8),
            8 => desk.missed(),
            9 => {
                let count = if number.is_multiple_of(8) { 300 } else { 3 };
                desk.moves(first..first + count, place(number / 8), place(number));
            }
            10 => desk.figures(),
            11..=13 => desk.flushed(),
            14 if number == u8::MAX => desk.drains(),
            14 if number == u8::MAX - 1 => desk.goes(),
            _ => desk.later(Millis(u64::from(number) * 20)),
        }
    }

    /// The desk answers all that is left, the socket takes all of it, and then it ends.
    pub(super) fn ends(&mut self) {
        self.0.ends(WELL);
    }
}
