//! A file name as text with fields in it, written and read by the same pieces, so that a name is recognised exactly if
//! it could have been written. Names are bytes: what is not UTF-8, or means something to a shell, is text like any other.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use chrono::{DateTime, FixedOffset};

use super::civil;
use super::fields::{Field, Reading};

/// A part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Field(Field),
    /// A number of as many digits as it needs.
    Number,
}

impl Piece {
    /// How many digits it certainly begins with, and whether that is all of it.
    fn leading_digits(&self) -> (usize, bool) {
        match self {
            Self::Text(text) => {
                let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (digits, digits == text.len())
            }
            Self::Field(field) if field.is_digits() => (field.width().unwrap_or(0), true),
            Self::Field(_) => (0, false),
            Self::Number => (0, true),
        }
    }

    fn takes_any_digits(&self) -> bool {
        matches!(self, Self::Number | Self::Field(Field::Epoch))
    }
}

/// The pieces of a name in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    /// None if two numbers of any length have nothing but digits between them, so that nobody could tell them apart.
    pub(super) fn new(pieces: Vec<Piece>) -> Option<Self> {
        let mut after_number = false;
        for piece in &pieces {
            if piece.takes_any_digits() {
                if after_number {
                    return None;
                }
                after_number = true;
            } else if has_certain_end(piece) {
                after_number = false;
            }
        }
        Some(Self(pieces))
    }

    pub(super) fn write(&self, time: &DateTime<FixedOffset>, number: u64, out: &mut Vec<u8>) {
        // Beyond the years of four digits a name could not be read back.
        let time = time.to_utc().clamp(civil::FIRST, civil::LAST).with_timezone(time.offset());
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend(text),
                Piece::Field(field) => field.write(&time, out),
                Piece::Number => out.extend(number.to_string().into_bytes()),
            }
        }
    }

    /// What was read from the start of `name`, the number if there is one, and the rest of `name`.
    pub(super) fn read<'a>(&self, name: &'a [u8]) -> Option<(Reading, Option<u64>, &'a [u8])> {
        let mut reading = Reading::default();
        let mut number = None;
        let mut rest = name;
        for (index, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => rest = rest.strip_prefix(text.as_slice())?,
                Piece::Field(field) => {
                    let width = field.width().or_else(|| self.digits_of(index, rest))?;
                    let (text, after) = rest.split_at_checked(width)?;
                    reading.push(*field, field.read(text)?);
                    rest = after;
                }
                Piece::Number => {
                    let (text, after) = rest.split_at_checked(self.digits_of(index, rest)?)?;
                    number = Some(read_number(text)?);
                    rest = after;
                }
            }
        }
        Some((reading, number, rest))
    }

    /// How many of the digits at the start of `rest` belong to the piece at `index`: all but those that must follow it.
    fn digits_of(&self, index: usize, rest: &[u8]) -> Option<usize> {
        let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut following = 0;
        for piece in &self.0[index + 1..] {
            let (digits, all) = piece.leading_digits();
            following += digits;
            if !all {
                break;
            }
        }
        run.checked_sub(following)
    }
}

/// Whether the digits before the piece, or in it, end in it for certain.
fn has_certain_end(piece: &Piece) -> bool {
    !piece.leading_digits().1
}

/// A number that was written without leading zeros.
pub(super) fn read_number(digits: &[u8]) -> Option<u64> {
    let canonical = digits.iter().all(u8::is_ascii_digit) && digits.first().is_some_and(|first| *first != b'0');
    std::str::from_utf8(digits).ok().filter(|_| canonical)?.parse().ok()
}

/// The file name that these bytes are.
pub(super) fn file_name(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}
