//! `Chunk`: the owned, recycled twin of a `Batch`, for crossing a thread or for being kept a while.

use std::sync::Arc;

use crate::record::RecordInfo;

use super::batch::Batch;

/// Records that own their bytes. Cleared and filled again, it keeps its allocations.
#[derive(Clone, Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    /// How many bytes of records at the front were forgotten.
    head: usize,
    infos: Vec<RecordInfo>,
    structured: bool,
    starts: bool,
    ends: bool,
    filename: Option<Arc<[u8]>>,
}

impl Default for Chunk {
    fn default() -> Self {
        Self::new()
    }
}

impl Chunk {
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            head: 0,
            infos: Vec::new(),
            structured: false,
            starts: true,
            ends: true,
            filename: None,
        }
    }

    /// A copy of `batch`.
    pub fn of(batch: &Batch<'_>) -> Self {
        let mut chunk = Self::new();
        chunk.fill(batch);
        chunk
    }

    /// Forgets what it holds and takes a copy of `batch`.
    pub fn fill(&mut self, batch: &Batch<'_>) {
        self.clear();
        self.bytes.extend_from_slice(batch.bytes());
        if let Some((infos, origin)) = batch.infos() {
            self.structured = true;
            self.infos.extend(infos.iter().map(|info| RecordInfo { end: info.end - origin, ..info.clone() }));
        }
        self.starts = batch.starts();
        self.ends = batch.ends();
        self.filename = batch.filename().cloned();
    }

    /// Adds a copy of `batch` if both are plain, whole lines of one file and have no more than `most` bytes together;
    /// says whether.
    pub fn append(&mut self, batch: &Batch<'_>, most: usize) -> bool {
        let whole = self.starts && self.ends && batch.starts() && batch.ends() && self.bytes.ends_with(b"\n");
        let plain = !self.structured && batch.infos().is_none();
        let one_file = whole && plain && same_file(self.filename.as_ref(), batch.filename());
        let fits = one_file && self.bytes.len() + batch.len() <= most;
        if fits {
            self.bytes.extend_from_slice(batch.bytes());
        }
        fits
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.head = 0;
        self.infos.clear();
        self.structured = false;
        self.starts = true;
        self.ends = true;
        self.filename = None;
    }

    /// Writes one more record through `write` and describes it with `info`, whose `end` is set here.
    pub fn push_with(&mut self, info: RecordInfo, write: impl FnOnce(&mut Vec<u8>)) {
        debug_assert!(self.structured || self.bytes.is_empty());
        self.structured = true;
        write(&mut self.bytes);
        self.infos.push(RecordInfo { end: self.bytes.len(), ..info });
    }

    /// Marks the chunk as a part of one long record.
    pub fn set_edges(&mut self, starts: bool, ends: bool) {
        self.starts = starts;
        self.ends = ends;
    }

    /// Says what file its records were read from.
    pub fn set_filename(&mut self, filename: Option<&Arc<[u8]>>) {
        self.filename = filename.cloned();
    }

    /// What it holds.
    pub fn batch(&self) -> Batch<'_> {
        let batch = match self.structured {
            true => Batch::structured(&self.bytes, &self.infos),
            false => Batch::plain(&self.bytes),
        };
        batch.with_edges(self.starts, self.ends).with_filename(self.filename.as_ref()).split_at(self.head).1
    }

    /// Forgets the records in the first `length` bytes of what it holds.
    pub fn forget_front(&mut self, length: usize) {
        self.head += length;
    }

    pub fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that it holds on to, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Most often it is the very same name.
pub(super) fn same_file(one: Option<&Arc<[u8]>>, other: Option<&Arc<[u8]>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one == other,
        (one, other) => one.is_none() && other.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_a_split_batch_counts_its_ends_from_its_own_start() {
        let infos = [3, 6].map(|end| RecordInfo { end, ..RecordInfo::default() });
        let batch = Batch::structured(b"a\n\nb\n\n", &infos);
        let (_, tail) = batch.split_at(3);
        let chunk = Chunk::of(&tail);
        let texts: Vec<&[u8]> = chunk.batch().records().map(|record| record.bytes).collect();
        assert_eq!(texts, [b"b\n\n"]);
    }

    #[test]
    fn what_was_forgotten_at_the_front_is_not_seen_again() {
        let infos = [3, 6].map(|end| RecordInfo { end, ..RecordInfo::default() });
        for mut chunk in [Chunk::of(&Batch::structured(b"a\n\nb\n\n", &infos)), Chunk::of(&Batch::plain(b"a\n\nb\n\n"))]
        {
            chunk.set_edges(false, true);
            chunk.forget_front(3);
            assert!(chunk.batch().starts() && chunk.len() == 3);
            assert_eq!(Chunk::of(&chunk.batch()).batch().bytes(), chunk.batch().bytes());
        }
    }

    #[test]
    fn lines_of_two_files_are_not_joined() {
        let [one, same, other] = [&b"one"[..], b"one", b"other"].map(Arc::from);
        let line = Batch::plain(b"a\n");
        let mut chunk = Chunk::of(&line.with_filename(Some(&one)));
        assert!(chunk.append(&line.with_filename(Some(&one)), 99));
        assert!(chunk.append(&line.with_filename(Some(&same)), 99));
        assert!(!chunk.append(&line.with_filename(Some(&other)), 99));
        assert!(!chunk.append(&line, 99));
        assert_eq!((chunk.batch().filename(), chunk.len()), (Some(&one), 6));
        chunk.fill(&line);
        assert_eq!(chunk.batch().filename(), None, "a recycled chunk has forgotten it");
        assert!(!chunk.append(&line.with_filename(Some(&one)), 99));
    }
}
