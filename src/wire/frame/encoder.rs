//! Framing what is sent.

use memchr::memchr;

use super::{FrameError, Framing};
use crate::wire::octal;

/// What becomes of a frame's own terminator (a line feed, a NUL) within a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Embedded {
    /// It becomes `#012` or `#000`, as rsyslog writes control characters, so that one message stays one frame.
    #[default]
    Escape,
    /// It stays, and the receiver takes what follows for another message (what RFC 6587, 3.4.2, warns of). For lines of
    /// text, where that is what is wanted.
    Leave,
}

impl Framing {
    /// Appends a frame with what `content` appends. After an error `out` is as it was.
    pub fn encode(
        self,
        embedded: Embedded,
        out: &mut Vec<u8>,
        content: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), FrameError> {
        let start = out.len();
        if self == Self::Length {
            out.extend_from_slice(&[0; 4]);
        }
        let begin = out.len();
        content(out);
        let length = out.len() - begin;
        match self {
            Self::Lines | Self::Nul => {
                let terminator = self.terminator().unwrap_or_default();
                if embedded == Embedded::Escape {
                    escape(terminator, begin, out);
                }
                out.push(terminator);
            }
            Self::Length => match u32::try_from(length) {
                Ok(length) => out[start..begin].copy_from_slice(&length.to_be_bytes()),
                Err(_) => {
                    out.truncate(start);
                    return Err(FrameError::TooLong(length));
                }
            },
            Self::OctetCount => {
                // The count is known last and stands first: messages are short, and moving one is cheaper than a second
                // buffer.
                let count = format!("{length} ");
                out.extend_from_slice(count.as_bytes());
                out[start..].rotate_right(count.len());
            }
        }
        Ok(())
    }
}

/// Replaces each `byte` from `begin` on by its octal number.
fn escape(byte: u8, begin: usize, out: &mut Vec<u8>) {
    let Some(first) = memchr(byte, &out[begin..]).map(|at| begin + at) else { return };
    let rest = out.split_off(first);
    for (index, part) in rest.split(|other| *other == byte).enumerate() {
        if index > 0 {
            out.extend_from_slice(&octal::escape(byte));
        }
        out.extend_from_slice(part);
    }
}
