//! How records become batches: so many, so long, or so late, and a line that comes in pieces is put together first.

use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset};

use crate::record::RecordInfo;
use crate::stream::batch::Batch;
use crate::stream::chunk::Chunk;

/// When a batch is complete.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Records in a batch at most.
    pub records: usize,
    /// Bytes of lines in a batch at most. A line longer than this is a batch of its own; what comes in pieces because it
    /// is longer than memory should be is cut into lines of about this size.
    pub bytes: usize,
    /// How long the first record of a batch waits for others.
    pub wait: Duration,
}

/// Gathers records to batches.
pub struct Batcher {
    limits: Limits,
    chunk: Chunk,
    records: usize,
    /// When the first record of the batch came.
    since: Option<Instant>,
    /// A line of which more is to come.
    begun: Option<(RecordInfo, Vec<u8>)>,
}

impl Batcher {
    pub fn new(limits: Limits) -> Self {
        Self { limits, chunk: Chunk::new(), records: 0, since: None, begun: None }
    }

    /// Takes the first record, or piece of one, of `batch`, and returns the rest. `arrived` is the time of records that
    /// came without one.
    pub fn take<'b>(&mut self, batch: &Batch<'b>, arrived: DateTime<FixedOffset>) -> Batch<'b> {
        let (first, rest) = batch.split_at(batch.first_len());
        let Some(record) = first.records().next() else { return rest };
        let ends = !rest.is_empty() || batch.ends();
        if first.starts() {
            self.end_record();
        }
        match &mut self.begun {
            Some((_, bytes)) => bytes.extend_from_slice(record.bytes),
            None => {
                let mut info = record.to_info();
                info.time.get_or_insert(arrived);
                match ends {
                    true => self.push(info, record.bytes),
                    false => self.begun = Some((info, record.bytes.to_vec())),
                }
            }
        }
        if ends || self.begun.as_ref().is_some_and(|(_, bytes)| bytes.len() >= self.limits.bytes) {
            self.end_record();
        }
        rest
    }

    /// Ends the line that has begun, however much of it is still to come.
    pub fn end_record(&mut self) {
        if let Some((info, bytes)) = self.begun.take() {
            self.push(info, &bytes);
        }
    }

    fn push(&mut self, info: RecordInfo, bytes: &[u8]) {
        self.since.get_or_insert_with(Instant::now);
        self.chunk.push_with(info, |out| out.extend_from_slice(bytes));
        self.records += 1;
    }

    /// Whether the batch is complete. So that none becomes longer than it may, it is asked before a record of `next`
    /// bytes, too.
    pub fn is_full(&self, next: usize) -> bool {
        let more = self.chunk.len() + self.begun.as_ref().map_or(0, |(_, bytes)| bytes.len()) + next;
        self.records >= self.limits.records
            || self.chunk.len() >= self.limits.bytes
            || (self.records > 0 && more > self.limits.bytes)
    }

    /// When the batch has waited long enough.
    pub fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.limits.wait)
    }

    /// Whether there is neither a record nor the beginning of one.
    pub fn is_empty(&self) -> bool {
        self.records == 0 && self.begun.is_none()
    }

    /// The records of the batch, if there are any; the next one begins.
    pub fn cut(&mut self) -> Option<Chunk> {
        self.since = None;
        (std::mem::take(&mut self.records) > 0).then(|| std::mem::take(&mut self.chunk))
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    fn batches(limits: Limits, pieces: &[(&str, bool, bool)]) -> Vec<Vec<String>> {
        let mut batcher = Batcher::new(limits);
        let mut cut = Vec::new();
        let mut note = |chunk: Option<Chunk>| {
            let texts = |chunk: Chunk| -> Vec<String> {
                let records = chunk.batch().records().map(|r| String::from_utf8_lossy(r.bytes).into_owned());
                records.collect()
            };
            cut.extend(chunk.map(texts));
        };
        for (text, starts, ends) in pieces {
            let mut rest = Batch::piece(text.as_bytes(), *starts, *ends);
            while !rest.is_empty() {
                if batcher.is_full(rest.first_len()) {
                    note(batcher.cut());
                }
                rest = batcher.take(&rest, Utc::now().fixed_offset());
            }
        }
        batcher.end_record();
        note(batcher.cut());
        cut
    }

    const WIDE: Limits = Limits { records: 99, bytes: 999, wait: Duration::ZERO };

    #[test]
    fn a_batch_ends_at_the_record_that_fills_it() {
        let lines = [("1\n2\n3\n", true, true), ("4\n5\n", true, true)];
        assert_eq!(
            batches(Limits { records: 2, ..WIDE }, &lines),
            [vec!["1\n", "2\n"], vec!["3\n", "4\n"], vec!["5\n"]]
        );
        assert_eq!(batches(Limits { bytes: 5, ..WIDE }, &lines), [vec!["1\n", "2\n"], vec!["3\n", "4\n"], vec!["5\n"]]);
        let long = [("1\n", true, true), ("long line\n2\n", true, true)];
        assert_eq!(batches(Limits { bytes: 5, ..WIDE }, &long), [["1\n"], ["long line\n"], ["2\n"]]);
    }

    #[test]
    fn a_line_in_pieces_is_put_together_or_cut_where_it_is_too_long() {
        let pieces = [("1\nab", true, false), ("cd", false, false), ("ef\n2\n", false, true)];
        assert_eq!(batches(WIDE, &pieces), [["1\n", "abcdef\n", "2\n"]]);
        assert_eq!(
            batches(Limits { bytes: 4, ..WIDE }, &pieces),
            [vec!["1\n"], vec!["abcd"], vec!["ef\n"], vec!["2\n"]]
        );
    }

    #[test]
    fn what_has_begun_at_the_end_is_a_record() {
        assert_eq!(batches(WIDE, &[("ab", true, false)]), [["ab"]]);
        assert_eq!(batches(WIDE, &[("ab", true, false), ("c\n", true, true)]), [["ab", "c\n"]]);
    }
}
