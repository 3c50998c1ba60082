//! Writes records in another encoding than the one they came in.

use crate::encoding::{Encoding, Errors};
use crate::record::Record;
use crate::report::Report;

use super::chunk::Chunk;
use super::mapped::Map;

/// `--encoding` and `--errors`.
pub struct Recode {
    encoding: Encoding,
    errors: Errors,
    /// The beginning of a character at the end of a piece, whose rest comes with the next.
    carried: Vec<u8>,
    /// The rest of a record that cannot be encoded is left out, too.
    dropping: bool,
    loss: Option<String>,
    /// What messages about records that cannot be encoded say.
    name: String,
    report: Report,
}

impl Recode {
    pub fn new(encoding: Encoding, errors: Errors, name: String, report: Report) -> Self {
        Self { encoding, errors, carried: Vec::new(), dropping: false, loss: None, name, report }
    }
}

impl Map for Recode {
    fn map(&mut self, record: &Record<'_>, starts: bool, ends: bool, out: &mut Chunk) {
        if self.dropping && !starts {
            return;
        }
        let mut text = std::mem::take(&mut self.carried);
        text.extend_from_slice(record.bytes);
        if !ends {
            self.carried = text.split_off(text.len() - cut_character(&text));
        }
        let mut encoded = Vec::new();
        let outcome = self.encoding.encode(&text, self.errors, &mut encoded);
        self.dropping = outcome.is_err();
        match outcome {
            Ok(()) => out.push_with(record.to_info(), |bytes| bytes.append(&mut encoded)),
            Err(error) => {
                self.report.lost(&self.name, 1, &error);
                self.loss = Some(error.to_string());
            }
        }
    }

    fn take_loss(&mut self) -> Option<String> {
        self.loss.take()
    }
}

/// How many bytes at the end are a character's beginning.
fn cut_character(text: &[u8]) -> usize {
    let tail = &text[text.len().saturating_sub(3)..];
    match std::str::from_utf8(tail) {
        Err(error) if error.error_len().is_none() => tail.len() - error.valid_up_to(),
        // The tail may begin inside a character; look at what is behind its first boundary.
        Err(_) => (1..tail.len())
            .find_map(|skip| match std::str::from_utf8(&tail[skip..]) {
                Err(error) if error.error_len().is_none() => Some(tail.len() - skip - error.valid_up_to()),
                _ => None,
            })
            .unwrap_or(0),
        Ok(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_is_carried_over() {
        for (text, carried) in [("a", 0), ("é", 0), ("€", 0), ("😀", 0)] {
            assert_eq!(cut_character(text.as_bytes()), carried, "{text}");
        }
        assert_eq!(cut_character(&"aé".as_bytes()[..2]), 1);
        assert_eq!(cut_character(&"a€".as_bytes()[..3]), 2);
        assert_eq!(cut_character(&"aa😀".as_bytes()[..5]), 3);
        assert_eq!(cut_character(&"😀é".as_bytes()[..5]), 1);
    }
}
