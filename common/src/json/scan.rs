//! Walks over JSON text: white space, punctuation, strings, numbers, and values to be left alone.

use super::Unreadable;
use std::borrow::Cow;

/// How deep values may lie in each other. Declared types need a handful.
const DEEPEST: usize = 100;

#[derive(Debug)]
pub(super) struct Scan<'de> {
    text: &'de str,
    at: usize,
    pub(super) depth: usize,
}

impl<'de> Scan<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; it is not passed.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
        self.byte()
    }

    /// Nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), Unreadable> {
        if self.peek().is_none() { Ok(()) } else { Err(Unreadable) }
    }

    fn pass(&mut self, byte: u8) -> Result<(), Unreadable> {
        if self.peek() != Some(byte) {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    /// Enters an array or an object.
    pub(super) fn open(&mut self, bracket: u8) -> Result<(), Unreadable> {
        self.pass(bracket)?;
        self.depth += 1;
        if self.depth > DEEPEST { Err(Unreadable) } else { Ok(()) }
    }

    /// Whether another element follows, or the bracket that ends them, which is passed.
    pub(super) fn another(&mut self, bracket: u8, first: bool) -> Result<bool, Unreadable> {
        if self.peek() == Some(bracket) {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if !first {
            self.pass(b',')?;
            if self.peek() == Some(bracket) {
                return Err(Unreadable);
            }
        }
        Ok(true)
    }

    /// A field's name and the colon behind it.
    pub(super) fn name(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        let name = self.string()?;
        self.pass(b':')?;
        Ok(name)
    }

    pub(super) fn word(&mut self, word: &str) -> Result<(), Unreadable> {
        self.peek();
        if !self.text[self.at..].starts_with(word) {
            return Err(Unreadable);
        }
        self.at += word.len();
        Ok(())
    }

    /// A whole number: its sign and its size.
    pub(super) fn number(&mut self) -> Result<(bool, u64), Unreadable> {
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let start = self.at;
        let mut size: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            let digit = u64::from(digit - b'0');
            size =
                size.checked_mul(10).and_then(|size| size.checked_add(digit)).ok_or(Unreadable)?;
            self.at += 1;
        }
        let digits = &self.text[start..self.at];
        let zero_first = digits.len() > 1 && digits.starts_with('0');
        let goes_on = matches!(self.byte(), Some(b'.' | b'e' | b'E'));
        if digits.is_empty() || zero_first || goes_on {
            return Err(Unreadable);
        }
        Ok((negative, size))
    }

    /// A number of any kind, as near as a float gets.
    pub(super) fn float(&mut self) -> Result<f64, Unreadable> {
        self.peek();
        let start = self.at;
        self.any_number()?;
        let float: f64 = self.text[start..self.at].parse().map_err(|_| Unreadable)?;
        if float.is_finite() { Ok(float) } else { Err(Unreadable) }
    }

    /// Whether the number that comes is a whole one.
    pub(super) fn whole(&mut self) -> bool {
        self.peek();
        let start = self.at;
        let whole = self.number().is_ok();
        self.at = start;
        whole
    }

    /// A string; borrowed where nothing in it is escaped.
    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        self.pass(b'"')?;
        let mut owned: Option<String> = None;
        loop {
            let start = self.at;
            while !matches!(self.byte(), None | Some(b'"' | b'\\' | 0..0x20)) {
                self.at += 1;
            }
            // Both ends stand before an ASCII byte, or behind one.
            let plain = &self.text[start..self.at];
            let byte = self.byte().ok_or(Unreadable)?;
            self.at += 1;
            match (byte, &mut owned) {
                (b'"', None) => return Ok(Cow::Borrowed(plain)),
                (b'"', Some(owned)) => {
                    owned.push_str(plain);
                    return Ok(Cow::Owned(std::mem::take(owned)));
                }
                (b'\\', _) => {
                    let escaped = self.escaped()?;
                    let owned = owned.get_or_insert_with(String::new);
                    owned.push_str(plain);
                    owned.push(escaped);
                }
                _ => return Err(Unreadable),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Unreadable> {
        let byte = self.byte().ok_or(Unreadable)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(Unreadable),
        })
    }

    /// What stands behind `\u`: one unit, or a pair of surrogates.
    fn unicode(&mut self) -> Result<char, Unreadable> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Unreadable);
        }
        for byte in *b"\\u" {
            if self.byte() != Some(byte) {
                return Err(Unreadable);
            }
            self.at += 1;
        }
        let second = self.unit()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(Unreadable);
        }
        let point = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(point).ok_or(Unreadable)
    }

    fn unit(&mut self) -> Result<u32, Unreadable> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or(Unreadable)?;
            self.at += 1;
        }
        Ok(unit)
    }

    /// Passes a value and returns its text. It goes without recursion, so that no depth is too much
    /// for the stack; [`DEEPEST`] bounds it all the same.
    pub(super) fn skip(&mut self) -> Result<&'de str, Unreadable> {
        self.peek();
        let (start, outside) = (self.at, self.depth);
        // The bracket that ends what each level has opened.
        let mut ends: Vec<u8> = Vec::new();
        loop {
            let opened = match self.peek().ok_or(Unreadable)? {
                b'"' => self.skip_string().map(|()| None)?,
                b'[' => self.open(b'[').map(|()| Some(b']'))?,
                b'{' => self.open(b'{').map(|()| Some(b'}'))?,
                b't' => self.word("true").map(|()| None)?,
                b'f' => self.word("false").map(|()| None)?,
                b'n' => self.word("null").map(|()| None)?,
                _ => self.any_number().map(|()| None)?,
            };
            let mut first = opened.is_some();
            ends.extend(opened);
            // Passes the brackets that end here.
            while let Some(end) = ends.last() {
                if self.another(*end, first)? {
                    break;
                }
                ends.pop();
                first = false;
            }
            match ends.last() {
                None => break,
                Some(b'}') => {
                    self.peek();
                    self.skip_string()?;
                    self.pass(b':')?;
                }
                Some(_) => {}
            }
        }
        debug_assert_eq!(self.depth, outside);
        Ok(&self.text[start..self.at])
    }

    /// Passes a string. Half a surrogate pair is let through: a text nobody looks at does no harm.
    fn skip_string(&mut self) -> Result<(), Unreadable> {
        self.pass(b'"')?;
        loop {
            let byte = self.byte().ok_or(Unreadable)?;
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' if self.byte() == Some(b'u') => {
                    self.at += 1;
                    self.unit()?;
                }
                b'\\' => drop(self.escaped()?),
                0..0x20 => return Err(Unreadable),
                _ => {}
            }
        }
    }

    /// Passes a number, fractions and exponents included.
    fn any_number(&mut self) -> Result<(), Unreadable> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(Unreadable);
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<&'de str, Unreadable> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if start == self.at { Err(Unreadable) } else { Ok(&self.text[start..self.at]) }
    }
}
