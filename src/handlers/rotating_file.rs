//! RotatingFileHandler: the rule that a file never grows beyond `maxBytes`.
//!
//! Python rolls when position and record together reach the limit; here they may reach it but not exceed it, counted in
//! the bytes that are written. A record longer than the limit is a file of its own.

use crate::stream::batch::Batch;

/// How much of a batch goes into the file as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portion {
    /// So many bytes, which are whole records.
    Write(usize),
    /// Not even the first record: the file must be rolled over before it.
    Rollover,
}

/// The size rule; `max_bytes` 0 never rolls.
#[derive(Clone, Copy, Debug)]
pub struct SizeRule {
    pub max_bytes: u64,
}

impl SizeRule {
    /// What to do with `batch` when the file holds `len` bytes; an empty one gets `preamble` bytes first.
    pub fn portion(&self, batch: &Batch<'_>, len: u64, preamble: u64) -> Portion {
        if self.max_bytes == 0 {
            return Portion::Write(batch.len());
        }
        if !batch.starts() {
            // The rest of a record that stands in this file already.
            return Portion::Write(batch.first_len());
        }
        if !batch.ends() && len > 0 {
            // A line of unknown length, longer than memory: it gets a file to itself.
            return Portion::Rollover;
        }
        let used = if len == 0 { preamble } else { len };
        match batch.fit(self.max_bytes.saturating_sub(used)) {
            0 if len > 0 => Portion::Rollover,
            0 => Portion::Write(batch.first_len()),
            fit => Portion::Write(fit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portion(max_bytes: u64, len: u64, batch: Batch<'_>) -> Portion {
        SizeRule { max_bytes }.portion(&batch, len, 0)
    }

    #[test]
    fn a_file_may_reach_its_limit_but_not_exceed_it() {
        let batch = Batch::plain(b"1234\n6789\n");
        assert_eq!(portion(10, 0, batch), Portion::Write(10));
        assert_eq!(portion(9, 0, batch), Portion::Write(5));
        assert_eq!(portion(10, 5, batch), Portion::Write(5));
        assert_eq!(portion(10, 6, batch), Portion::Rollover);
    }

    #[test]
    fn a_record_longer_than_the_limit_is_a_file_of_its_own() {
        let batch = Batch::plain(b"longer\nx\n");
        assert_eq!(portion(3, 2, batch), Portion::Rollover);
        assert_eq!(portion(3, 0, batch), Portion::Write(7));
        assert_eq!(portion(3, 7, batch.split_at(7).1), Portion::Rollover);
    }

    #[test]
    fn only_a_piece_at_a_line_start_may_cause_a_rollover() {
        assert_eq!(portion(3, 2, Batch::piece(b"beginning", true, false)), Portion::Rollover);
        assert_eq!(portion(3, 9, Batch::piece(b"middle", false, false)), Portion::Write(6));
        assert_eq!(portion(3, 15, Batch::piece(b"end\nnext\n", false, true)), Portion::Write(4));
    }

    #[test]
    fn no_limit_takes_everything() {
        assert_eq!(portion(0, 1 << 40, Batch::plain(b"x\ny\n")), Portion::Write(4));
    }
}
