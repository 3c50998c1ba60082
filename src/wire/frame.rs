//! Where a message ends in a stream: line ends, NULs, SocketHandler's length of four bytes, or RFC 6587's octet count.

mod decoder;
mod encoder;

use thiserror::Error;

pub use decoder::{Decoder, Frame};
pub use encoder::Embedded;

/// How messages are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// A line feed behind each (RFC 6587, 3.4.2: non-transparent framing).
    #[default]
    Lines,
    /// A NUL behind each.
    Nul,
    /// Four bytes before each with its length, the most significant first (Python's `struct.pack('>L', …)`).
    Length,
    /// Its length in decimal digits and a space before each (RFC 6587, 3.4.1; RFC 5425).
    OctetCount,
}

impl Framing {
    /// What stands behind each message, for the framings that have such a thing.
    fn terminator(self) -> Option<u8> {
        match self {
            Self::Lines => Some(b'\n'),
            Self::Nul => Some(0),
            Self::Length | Self::OctetCount => None,
        }
    }
}

/// Bytes that are no frame, or a message that fits into none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// The length doesn't fit into four bytes.
    #[error("a message of {0} bytes has no room in a frame of at most 4294967295")]
    TooLong(usize),
    /// A length that is not waited for, whether it is true or not.
    #[error("a message of {length} bytes was announced, and at most {most} are taken")]
    Announced { length: u64, most: usize },
    /// Anything but digits and a space before the message.
    #[error("no octet count: a number and a space should stand before the message, not '{}'", .0.escape_ascii())]
    NoCount(Vec<u8>),
    /// The end of the stream within a message.
    #[error("the stream ended within a message")]
    Torn,
}

#[cfg(test)]
mod tests;
