//! `Batch`: a borrowed view of whole records, the unit in which everything moves.
//!
//! Most batches are plain: bytes that nobody has looked into. Where somebody knows more (a multi-line record, a
//! recognised level), one `RecordInfo` per record says so and where it ends. A line too long for memory comes in
//! pieces: batches that do not start, or do not end, at a record's edge.

use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use crate::record::{Record, RecordInfo};

/// A copyable view of records in order. It never allocates.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    infos: Option<&'a [RecordInfo]>,
    /// How far this view begins behind the bytes that `infos` counts from.
    origin: usize,
    starts: bool,
    ends: bool,
    filename: Option<&'a Arc<[u8]>>,
}

impl<'a> Batch<'a> {
    /// Whole lines; the last may lack its line end, at the end of the input alone.
    pub fn plain(bytes: &'a [u8]) -> Self {
        Self::piece(bytes, true, true)
    }

    /// Records of which more is known: each info's `end` is where its record ends, the last at `bytes.len()`.
    pub fn structured(bytes: &'a [u8], infos: &'a [RecordInfo]) -> Self {
        debug_assert_eq!(infos.last().map_or(0, |info| info.end), bytes.len());
        Self { infos: Some(infos), ..Self::plain(bytes) }
    }

    /// A part of one long record.
    pub fn piece(bytes: &'a [u8], starts: bool, ends: bool) -> Self {
        Self { bytes, infos: None, origin: 0, starts, ends, filename: None }
    }

    /// The same records, of which the last goes on in the next batch, or the first began in an earlier one.
    pub fn with_edges(self, starts: bool, ends: bool) -> Self {
        Self { starts, ends, ..self }
    }

    /// The same records, read from this file; a record that knows better is believed.
    pub fn with_filename(self, filename: Option<&'a Arc<[u8]>>) -> Self {
        Self { filename, ..self }
    }

    /// The file that the records were read from, as the bytes of its name.
    pub fn filename(&self) -> Option<&'a Arc<[u8]>> {
        self.filename
    }

    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether the first byte begins a record. Only there may a rollover fall.
    pub fn starts(&self) -> bool {
        self.starts
    }

    /// Whether the last byte ends a record.
    pub fn ends(&self) -> bool {
        self.ends
    }

    pub(super) fn infos(&self) -> Option<(&'a [RecordInfo], usize)> {
        self.infos.map(|infos| (infos, self.origin))
    }

    /// How many records begin in this batch.
    pub fn count(&self) -> u64 {
        let begun = match self.infos {
            Some(infos) => infos.len(),
            None => {
                memchr_iter(b'\n', self.bytes).count() + usize::from(self.bytes.last().is_some_and(|b| *b != b'\n'))
            }
        };
        begun.saturating_sub(usize::from(!self.starts && !self.bytes.is_empty())) as u64
    }

    /// The length of the first record (of its part that is here).
    pub fn first_len(&self) -> usize {
        match self.infos {
            Some(infos) => infos.first().map_or(0, |info| info.end - self.origin),
            None => memchr(b'\n', self.bytes).map_or(self.bytes.len(), |at| at + 1),
        }
    }

    /// How many bytes of whole records fit into `room` bytes.
    pub fn fit(&self, room: u64) -> usize {
        if self.bytes.len() as u64 <= room {
            return self.bytes.len();
        }
        let room = room as usize;
        match self.infos {
            Some(infos) => {
                let whole = infos.partition_point(|info| info.end - self.origin <= room);
                whole.checked_sub(1).map_or(0, |last| infos[last].end - self.origin)
            }
            None => memrchr(b'\n', &self.bytes[..room]).map_or(0, |at| at + 1),
        }
    }

    /// The length of the records that hold the first `least` bytes.
    pub fn reach(&self, least: usize) -> usize {
        if least == 0 || least >= self.bytes.len() {
            return least.min(self.bytes.len());
        }
        match self.infos {
            Some(infos) => {
                let last = infos.partition_point(|info| info.end - self.origin < least);
                infos.get(last).map_or(self.bytes.len(), |info| info.end - self.origin)
            }
            None => memchr(b'\n', &self.bytes[least - 1..]).map_or(self.bytes.len(), |at| least + at),
        }
    }

    /// The records before and behind `at`, which is where a record ends (as [`Batch::fit`] and [`Batch::first_len`] say).
    pub fn split_at(&self, at: usize) -> (Self, Self) {
        let (head, tail) = self.bytes.split_at(at);
        let edge = |bytes: &[u8], other: bool| if bytes.is_empty() { true } else { other };
        let (head_infos, tail_infos) = match self.infos {
            Some(infos) => {
                let (head, tail) = infos.split_at(infos.partition_point(|info| info.end - self.origin <= at));
                (Some(head), Some(tail))
            }
            None => (None, None),
        };
        let before = Self {
            bytes: head,
            infos: head_infos,
            origin: self.origin,
            starts: edge(head, self.starts),
            ends: if tail.is_empty() { self.ends } else { true },
            filename: self.filename,
        };
        let behind = Self {
            bytes: tail,
            infos: tail_infos,
            origin: self.origin + at,
            starts: if head.is_empty() { self.starts } else { true },
            ends: edge(tail, self.ends),
            filename: self.filename,
        };
        (before, behind)
    }

    /// The records one by one.
    pub fn records(&self) -> Records<'a> {
        Records { rest: *self }
    }
}

/// Iterates the records of a batch.
pub struct Records<'a> {
    rest: Batch<'a>,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (first, rest) = self.rest.split_at(self.rest.first_len());
        self.rest = rest;
        Some(Record { bytes: first.bytes, info: first.infos.and_then(<[RecordInfo]>::first), file: first.filename })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(batch: &Batch<'_>) -> Vec<String> {
        batch.records().map(|record| String::from_utf8_lossy(record.bytes).into_owned()).collect()
    }

    fn infos(ends: &[usize]) -> Vec<RecordInfo> {
        ends.iter().map(|end| RecordInfo { end: *end, ..RecordInfo::default() }).collect()
    }

    #[test]
    fn plain_lines_are_records_with_their_line_ends() {
        let batch = Batch::plain(b"one\n\ntwo\r\nlast");
        assert_eq!(texts(&batch), ["one\n", "\n", "two\r\n", "last"]);
        assert_eq!(batch.count(), 4);
    }

    #[test]
    fn whole_records_alone_fit() {
        let batch = Batch::plain(b"12\n4567\n90\n");
        for (room, fits) in [(0, 0), (2, 0), (3, 3), (7, 3), (8, 8), (10, 8), (11, 11), (u64::MAX, 11)] {
            assert_eq!(batch.fit(room), fits, "room {room}");
        }
    }

    #[test]
    fn the_records_that_hold_so_many_bytes_are_whole() {
        let infos = infos(&[8, 11]);
        let plain = Batch::plain(b"12\n4567\n90\n");
        let structured = Batch::structured(b"12\n4567\n90\n", &infos);
        for (least, lines, records) in
            [(0, 0, 0), (1, 3, 8), (3, 3, 8), (4, 8, 8), (8, 8, 8), (9, 11, 11), (99, 11, 11)]
        {
            assert_eq!((plain.reach(least), structured.reach(least)), (lines, records), "{least} bytes");
        }
    }

    #[test]
    fn a_record_of_several_lines_is_never_cut_inside() {
        let infos = infos(&[8, 11]);
        let batch = Batch::structured(b"12\n4567\n90\n", &infos);
        assert_eq!(batch.fit(7), 0);
        assert_eq!(batch.fit(10), 8);
        assert_eq!(batch.first_len(), 8);
        let (head, tail) = batch.split_at(8);
        assert_eq!((texts(&head), texts(&tail)), (vec!["12\n4567\n".into()], vec!["90\n".into()]));
        assert_eq!((tail.first_len(), tail.fit(2), tail.fit(3), tail.count()), (3, 0, 3, 1));
    }

    #[test]
    fn pieces_keep_their_open_edges_when_split() {
        let piece = Batch::piece(b"tail of a long line\nnext\n", false, true);
        let (head, tail) = piece.split_at(piece.first_len());
        assert!(!head.starts() && head.ends());
        assert!(tail.starts() && tail.ends());
        assert_eq!((head.count(), tail.count(), piece.count()), (0, 1, 1));
    }

    #[test]
    fn a_records_own_filename_goes_before_that_of_its_batch() {
        let (own, whole): (Arc<[u8]>, Arc<[u8]>) = (Arc::from(&b"own.log"[..]), Arc::from(&b"all.log"[..]));
        let infos = [
            RecordInfo { end: 2, filename: Some(Arc::clone(&own)), ..RecordInfo::default() },
            RecordInfo { end: 4, ..RecordInfo::default() },
            RecordInfo { end: 6, ..RecordInfo::default() },
        ];
        let batch = Batch::structured(b"1\n2\n3\n", &infos).with_filename(Some(&whole)).with_edges(true, false);
        let (head, tail) = batch.split_at(4);
        let names: Vec<_> = head.records().chain(tail.records()).map(|record| record.to_info().filename).collect();
        assert_eq!(names, [Some(own), Some(Arc::clone(&whole)), Some(whole)]);
        assert_eq!(Batch::plain(b"1\n").records().next().unwrap().filename(), None);
    }
}
