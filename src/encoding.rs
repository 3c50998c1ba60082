//! `--encoding` and `--errors`: files in another encoding than UTF-8 (Python's FileHandler parameters).
//!
//! Lines come as bytes that are meant to be UTF-8. What is not, and what the file's encoding has no character for, is
//! treated as Python's error handlers of the same names do.

use std::fmt::Write as _;
use std::str::FromStr;

use encoding_rs::EncoderResult;
use thiserror::Error;

/// An encoding by a name that Python knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    scheme: Scheme,
    /// Begins every file with a byte order mark.
    marked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Utf8,
    Utf16 { big: bool },
    Utf32 { big: bool },
    Ascii,
    Latin1,
    Legacy(&'static encoding_rs::Encoding),
}

/// Python's error handlers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Errors {
    /// The record is dropped, and counted.
    Strict,
    /// The character is left out.
    Ignore,
    /// It becomes U+FFFD, or '?' where there is none.
    Replace,
    /// It becomes \xNN, \uNNNN or \UNNNNNNNN.
    #[default]
    Backslashreplace,
    /// It becomes &#NNN;
    Xmlcharrefreplace,
}

/// No encoding has this name.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "'{0}' is no encoding that is known here: utf-8, utf-8-sig, utf-16, utf-16-le, latin-1, ascii, cp1252, shift_jis …"
)]
pub struct UnknownEncoding(String);

/// The record cannot be written in this encoding, and `strict` was asked for.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0} cannot be encoded")]
pub struct Unencodable(String);

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        let plain = name.trim().to_ascii_lowercase().replace('_', "-");
        let (scheme, marked) = match plain.as_str() {
            "utf-8" | "utf8" | "u8" => (Scheme::Utf8, false),
            "utf-8-sig" => (Scheme::Utf8, true),
            "utf-16" | "utf16" => (Scheme::Utf16 { big: false }, true),
            "utf-16-le" | "utf-16le" => (Scheme::Utf16 { big: false }, false),
            "utf-16-be" | "utf-16be" => (Scheme::Utf16 { big: true }, false),
            "utf-32" | "utf32" => (Scheme::Utf32 { big: false }, true),
            "utf-32-le" | "utf-32le" => (Scheme::Utf32 { big: false }, false),
            "utf-32-be" | "utf-32be" => (Scheme::Utf32 { big: true }, false),
            "ascii" | "us-ascii" | "646" => (Scheme::Ascii, false),
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => (Scheme::Latin1, false),
            _ => {
                let legacy = encoding_rs::Encoding::for_label(name.trim().as_bytes())
                    .or_else(|| encoding_rs::Encoding::for_label(plain.as_bytes()))
                    .filter(|legacy| legacy.output_encoding() == *legacy)
                    .ok_or_else(|| UnknownEncoding(name.to_owned()))?;
                (Scheme::Legacy(legacy), false)
            }
        };
        Ok(Self { scheme, marked })
    }
}

impl Encoding {
    /// What every file begins with: a byte order mark, or nothing.
    pub fn preamble(self) -> &'static [u8] {
        match (self.marked, self.scheme) {
            (true, Scheme::Utf8) => b"\xef\xbb\xbf",
            (true, Scheme::Utf16 { .. }) => b"\xff\xfe",
            (true, Scheme::Utf32 { .. }) => b"\xff\xfe\0\0",
            _ => b"",
        }
    }

    /// Appends `text` in this encoding.
    ///
    /// # Errors
    /// With `strict`, when a part of it cannot be encoded; `out` is as it was then.
    pub fn encode(self, text: &[u8], errors: Errors, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        let before = out.len();
        let encoded = text.utf8_chunks().try_for_each(|chunk| {
            self.encode_str(chunk.valid(), errors, out)?;
            match errors {
                _ if chunk.invalid().is_empty() => Ok(()),
                Errors::Strict => Err(Unencodable(format!("byte {:#04x}", chunk.invalid()[0]))),
                Errors::Ignore => Ok(()),
                Errors::Replace => self.encode_str("\u{fffd}", errors, out),
                Errors::Backslashreplace | Errors::Xmlcharrefreplace => {
                    let escaped: String = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")).collect();
                    self.encode_str(&escaped, errors, out)
                }
            }
        });
        encoded.inspect_err(|_| out.truncate(before))
    }

    fn encode_str(self, text: &str, errors: Errors, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        let narrow = |limit: u32, out: &mut Vec<u8>| {
            text.chars().try_for_each(|c| match u32::from(c) < limit {
                true => {
                    out.push(c as u8);
                    Ok(())
                }
                false => self.replace(c, errors, out),
            })
        };
        match self.scheme {
            Scheme::Utf8 => out.extend_from_slice(text.as_bytes()),
            Scheme::Utf16 { big } => {
                out.extend(
                    text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }),
                );
            }
            Scheme::Utf32 { big } => {
                let bytes = |c: char| if big { u32::from(c).to_be_bytes() } else { u32::from(c).to_le_bytes() };
                out.extend(text.chars().flat_map(bytes));
            }
            Scheme::Ascii => narrow(0x80, out)?,
            Scheme::Latin1 => narrow(0x100, out)?,
            Scheme::Legacy(legacy) => {
                let mut encoder = legacy.new_encoder();
                let mut rest = text;
                loop {
                    let room =
                        encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len() * 8);
                    out.reserve(room);
                    let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, out, true);
                    rest = &rest[read..];
                    match result {
                        EncoderResult::InputEmpty => break,
                        EncoderResult::OutputFull => {}
                        EncoderResult::Unmappable(c) => self.replace(c, errors, out)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what stands for a character that the encoding does not have: ASCII, which all of them do.
    fn replace(self, c: char, errors: Errors, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        let mut text = String::new();
        let code = u32::from(c);
        let written = match errors {
            Errors::Strict => return Err(Unencodable(format!("character {c:?}"))),
            Errors::Ignore => Ok(()),
            Errors::Replace => write!(text, "?"),
            Errors::Backslashreplace if code < 0x100 => write!(text, "\\x{code:02x}"),
            Errors::Backslashreplace if code < 0x10000 => write!(text, "\\u{code:04x}"),
            Errors::Backslashreplace => write!(text, "\\U{code:08x}"),
            Errors::Xmlcharrefreplace => write!(text, "&#{code};"),
        };
        debug_assert!(written.is_ok());
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(name: &str, errors: Errors, text: &[u8]) -> Result<Vec<u8>, Unencodable> {
        let mut out = Vec::new();
        name.parse::<Encoding>().unwrap().encode(text, errors, &mut out)?;
        Ok(out)
    }

    #[test]
    fn what_an_encoding_lacks_is_replaced_as_python_does() {
        let text = "é€😀".as_bytes();
        for (errors, expected) in [
            (Errors::Ignore, &b"\xe9"[..]),
            (Errors::Replace, b"\xe9??"),
            (Errors::Backslashreplace, b"\xe9\\u20ac\\U0001f600"),
            (Errors::Xmlcharrefreplace, b"\xe9&#8364;&#128512;"),
        ] {
            assert_eq!(encoded("latin-1", errors, text).unwrap(), expected, "{errors:?}");
        }
        assert!(encoded("latin-1", Errors::Strict, text).is_err());
        assert_eq!(encoded("ascii", Errors::Backslashreplace, "é".as_bytes()).unwrap(), b"\\xe9");
        assert_eq!(encoded("cp1252", Errors::Backslashreplace, text).unwrap(), b"\xe9\x80\\U0001f600");
        assert_eq!(encoded("shift_jis", Errors::Replace, "ログé".as_bytes()).unwrap(), b"\x83\x8d\x83O?");
    }

    #[test]
    fn wide_encodings_take_every_character() {
        assert_eq!(encoded("utf-16-le", Errors::Strict, "a\u{1f600}\n".as_bytes()).unwrap(), b"a\0\x3d\xd8\0\xde\n\0");
        assert_eq!(encoded("UTF_32_BE", Errors::Strict, b"a").unwrap(), b"\0\0\0a");
        assert_eq!("utf-16".parse::<Encoding>().unwrap().preamble(), b"\xff\xfe");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_shown_or_refused() {
        assert_eq!(encoded("utf-8", Errors::Backslashreplace, b"a\xff\xc3b").unwrap(), b"a\\xff\\xc3b");
        assert_eq!(encoded("utf-8", Errors::Replace, b"a\xff").unwrap(), "a\u{fffd}".as_bytes());
        assert!(encoded("utf-8", Errors::Strict, b"a\xff").is_err());
        assert!("utf-99".parse::<Encoding>().is_err());
    }
}
