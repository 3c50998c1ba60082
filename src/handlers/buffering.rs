//! BufferingHandler: records in memory, in order, until somebody wants them or they are forgotten.
//!
//! All bytes lie in one allocation; forgetting moves a mark, and now and then what is left moves to the front.

use std::collections::VecDeque;

use crate::record::{Record, RecordInfo};
use crate::stream::batch::Batch;

/// The buffer of Python's BufferingHandler.
#[derive(Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// Where the oldest record begins in `bytes`.
    head: usize,
    /// `end` counts from the first byte that ever was in `bytes[0]`, see `base`.
    infos: VecDeque<RecordInfo>,
    /// How many bytes were removed before `bytes[0]`.
    base: usize,
}

impl Buffer {
    /// How many records are held.
    pub fn len(&self) -> usize {
        self.infos.len()
    }

    pub fn is_empty(&self) -> bool {
        self.infos.is_empty()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Adds a record at the end.
    pub fn push(&mut self, record: &Record<'_>) {
        self.bytes.extend_from_slice(record.bytes);
        let end = self.base + self.bytes.len();
        self.infos.push_back(RecordInfo { end, ..record.to_info() });
    }

    /// Adds to the last record, of which only a part had come.
    pub fn extend_last(&mut self, bytes: &[u8]) {
        if let Some(last) = self.infos.back_mut() {
            self.bytes.extend_from_slice(bytes);
            last.end = self.base + self.bytes.len();
        }
    }

    /// Forgets the oldest record.
    pub fn forget_oldest(&mut self) {
        if let Some(oldest) = self.infos.pop_front() {
            self.head = oldest.end - self.base;
        }
        if self.head > self.bytes.len() / 2 {
            self.bytes.drain(..self.head);
            self.base += self.head;
            self.head = 0;
        }
    }

    /// Hands all records to `take` and forgets them.
    pub fn drain<T>(&mut self, take: impl FnOnce(&Batch<'_>) -> T) -> T {
        let offset = self.base + self.head;
        for info in &mut self.infos {
            info.end -= offset;
        }
        let taken = take(&Batch::structured(&self.bytes[self.head..], self.infos.make_contiguous()));
        self.bytes.clear();
        self.infos.clear();
        self.head = 0;
        self.base = 0;
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_last_records_survive_any_number_of_forgotten_ones() {
        let mut buffer = Buffer::default();
        for number in 0..1000 {
            buffer.push(&Record { bytes: format!("line {number}\n").as_bytes(), info: None, file: None });
            if buffer.len() > 3 {
                buffer.forget_oldest();
            }
        }
        assert!(buffer.bytes.len() < 100, "forgotten bytes are given back");
        let text = buffer.drain(|batch| batch.records().map(|record| record.bytes.to_vec()).collect::<Vec<_>>());
        assert_eq!(text, [b"line 997\n", b"line 998\n", b"line 999\n"]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn records_of_several_files_keep_the_names_of_their_files() {
        let mut buffer = Buffer::default();
        let files = [&b"one.log"[..], b"other.log"].map(Arc::from);
        for file in &files {
            buffer.push(&Record { bytes: b"line\n", info: None, file: Some(file) });
        }
        let names = buffer.drain(|batch| batch.records().map(|record| record.filename().cloned()).collect::<Vec<_>>());
        assert_eq!(names, files.map(Some));
    }
}
