//! Taking frames out of a stream as it comes: that one is incomplete is an ordinary result, and no length is believed
//! beyond what the caller takes.

use memchr::memchr;

use super::{FrameError, Framing};

/// The most digits of an octet count: a message of a gigabyte and more is a mistake.
const DIGITS: usize = 9;

/// A message, or a piece of one that is longer than was wanted in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    pub content: &'a [u8],
    /// How many bytes of the input it took, to be passed over before the next call.
    pub used: usize,
    /// Whether the content begins a message.
    pub starts: bool,
    /// Whether it ends one.
    pub ends: bool,
}

/// Reads one stream.
#[derive(Clone, Debug)]
pub struct Decoder {
    framing: Framing,
    most: usize,
    /// How many bytes at the start of the input are known to hold no terminator.
    searched: usize,
    /// A message has begun and not ended; of an octet-counted one this many bytes are still to come.
    within: Option<usize>,
}

impl Decoder {
    /// A reader of `framing` that lends at most `most` (and at least one) bytes of a message at a time. Longer messages
    /// come in pieces, except those behind a length of four bytes: a piece of a pickle is worth nothing, so a longer one
    /// is an error.
    pub fn new(framing: Framing, most: usize) -> Self {
        Self { framing, most: most.max(1), searched: 0, within: None }
    }

    /// The most bytes that must be buffered for a message, its frame included.
    pub fn capacity(&self) -> usize {
        let frame = match self.framing {
            Framing::Lines | Framing::Nul => 1,
            Framing::Length => 4,
            Framing::OctetCount => DIGITS + 1,
        };
        self.most.saturating_add(frame)
    }

    /// The first message in `input`; None when it takes more bytes. Then the next call gets the same bytes with more
    /// behind them. After an error nothing can be told of the rest of the stream.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<Option<Frame<'a>>, FrameError> {
        match self.framing {
            Framing::Lines => Ok(self.terminated(b'\n', input)),
            Framing::Nul => Ok(self.terminated(0, input)),
            Framing::Length => self.length(input),
            Framing::OctetCount => self.octet_count(input),
        }
    }

    /// What the end of the stream makes of `rest`, the bytes in which [`next`](Self::next) found no message: the last
    /// line without its terminator, or nothing, or an error.
    pub fn end<'a>(&mut self, rest: &'a [u8]) -> Result<Option<Frame<'a>>, FrameError> {
        let starts = self.within.take().is_none();
        match self.framing {
            _ if rest.is_empty() && starts => Ok(None),
            Framing::Lines | Framing::Nul => {
                self.searched = 0;
                Ok(Some(Frame { content: rest, used: rest.len(), starts, ends: true }))
            }
            Framing::Length | Framing::OctetCount => Err(FrameError::Torn),
        }
    }

    fn terminated<'a>(&mut self, terminator: u8, input: &'a [u8]) -> Option<Frame<'a>> {
        let from = self.searched.min(input.len());
        let starts = self.within.is_none();
        let end = memchr(terminator, &input[from..]).map(|at| from + at);
        match end.filter(|end| *end <= self.most) {
            Some(end) => {
                (self.searched, self.within) = (0, None);
                Some(Frame { content: &input[..end], used: end + 1, starts, ends: true })
            }
            None if input.len() > self.most => {
                (self.searched, self.within) = (0, Some(0));
                Some(Frame { content: &input[..self.most], used: self.most, starts, ends: false })
            }
            None => {
                self.searched = input.len();
                None
            }
        }
    }

    fn length<'a>(&self, input: &'a [u8]) -> Result<Option<Frame<'a>>, FrameError> {
        let Some((length, behind)) = input.split_first_chunk::<4>() else { return Ok(None) };
        let announced = u32::from_be_bytes(*length);
        let length = usize::try_from(announced).ok().filter(|length| *length <= self.most);
        let length = length.ok_or(FrameError::Announced { length: announced.into(), most: self.most })?;
        let whole = |content| Frame { content, used: 4 + length, starts: true, ends: true };
        Ok(behind.get(..length).map(whole))
    }

    fn octet_count<'a>(&mut self, input: &'a [u8]) -> Result<Option<Frame<'a>>, FrameError> {
        let (before, length) = match self.within {
            Some(left) => (0, left),
            None => match count(input)? {
                Some((length, before)) => (before, length),
                None => return Ok(None),
            },
        };
        let piece = length.min(self.most);
        let Some(content) = input[before..].get(..piece) else { return Ok(None) };
        let starts = self.within.is_none();
        let ends = piece == length;
        self.within = (!ends).then_some(length - piece);
        Ok(Some(Frame { content, used: before + piece, starts, ends }))
    }
}

/// MSG-LEN and how many bytes it takes with its space; None as long as it is incomplete.
fn count(input: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    let digits = input.iter().take(DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let wrong = |length: usize| FrameError::NoCount(input[..length].to_vec());
    // Zero alone is not in the grammar either, but does no harm.
    if digits > 1 && input[0] == b'0' {
        return Err(wrong(2));
    }
    if digits > DIGITS {
        return Err(wrong(digits));
    }
    match input.get(digits) {
        None => Ok(None),
        Some(b' ') if digits > 0 => {
            let number = std::str::from_utf8(&input[..digits]).ok().and_then(|text| text.parse().ok());
            number.map(|length| Some((length, digits + 1))).ok_or_else(|| wrong(digits))
        }
        Some(_) => Err(wrong(digits + 1)),
    }
}
