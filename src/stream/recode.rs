//! Writes records in another encoding than the one they came in.

use std::time::Instant;

use anyhow::Result;

use crate::encoding::{Encoding, Errors};
use crate::record::RecordInfo;
use crate::report::Report;

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::{Control, Handler};

/// `--encoding` and `--errors` in front of a file.
pub struct Recode {
    encoding: Encoding,
    errors: Errors,
    target: Box<dyn Handler>,
    chunk: Chunk,
    /// The beginning of a character at the end of a piece, whose rest comes with the next.
    carried: Vec<u8>,
    /// The rest of a record that cannot be encoded is left out, too.
    dropping: bool,
    name: String,
    report: Report,
}

impl Recode {
    pub fn new(encoding: Encoding, errors: Errors, target: Box<dyn Handler>, name: String, report: Report) -> Self {
        Self { encoding, errors, target, chunk: Chunk::new(), carried: Vec::new(), dropping: false, name, report }
    }

    fn take(&mut self, bytes: &[u8], info: Option<&RecordInfo>, starts: bool, ends: bool) {
        if self.dropping && !starts {
            return;
        }
        let mut text = std::mem::take(&mut self.carried);
        text.extend_from_slice(bytes);
        if !ends {
            self.carried = text.split_off(text.len() - cut_character(&text));
        }
        let Self { encoding, errors, chunk, .. } = self;
        let mut encoded = Ok(());
        let mut out = Vec::new();
        encoded = encoded.and_then(|()| encoding.encode(&text, *errors, &mut out));
        self.dropping = encoded.is_err();
        match encoded {
            Ok(()) => chunk.push_with(info.cloned().unwrap_or_default(), |bytes| bytes.append(&mut out)),
            Err(error) => self.report.lost(&self.name, 1, error),
        }
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

impl Handler for Recode {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.chunk.clear();
        let mut rest = *batch;
        while !rest.is_empty() {
            let (first, later) = rest.split_at(rest.first_len());
            if let Some(record) = first.records().next() {
                self.take(record.bytes, record.info, first.starts(), first.ends());
            }
            rest = later;
        }
        if self.chunk.is_empty() {
            return Ok(());
        }
        self.chunk.set_edges(batch.starts(), batch.ends());
        self.target.emit(&self.chunk.batch())
    }

    fn flush(&mut self) -> Result<()> {
        self.target.flush()
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.target.close()
    }

    fn deadline(&self) -> Option<Instant> {
        self.target.deadline()
    }

    fn tick(&mut self) -> Result<()> {
        self.target.tick()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.target.control(control)
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
