//! `LineReader`: a rolling buffer that lends whole lines straight from where read(2) put them.
//!
//! One call is one read(2): as soon as it brought a line end, all whole lines are lent (latency and throughput in one).
//! A line that outgrows the buffer is passed on in pieces, so memory is bounded whatever comes.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr, memrchr};

use super::batch::Batch;
use super::source::Step;

/// The buffer to begin with, in bytes.
const CAPACITY: usize = 256 * 1024;
/// Lines up to this length are whole records; longer ones come in pieces of it.
pub const LONGEST_WHOLE_LINE: usize = 1024 * 1024;
/// There is always room for this much; a pipe gives no more at once, unless somebody enlarged it.
const LEAST_ROOM: usize = 64 * 1024;
/// An unfinished line of up to this length is moved to the front at once, so that the same memory, which the cache
/// still holds, takes the next read.
const CHEAP_MOVE: usize = 4 * 1024;

/// Reads lines from `R`.
pub struct LineReader<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the bytes begin that were not lent yet.
    start: usize,
    /// Where the whole lines among them end.
    whole: usize,
    /// Where they end.
    end: usize,
    /// Within a line of which pieces were lent already.
    inside_long: bool,
    ended: bool,
    total: u64,
}

impl<R: Read> LineReader<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; CAPACITY],
            start: 0,
            whole: 0,
            end: 0,
            inside_long: false,
            ended: false,
            total: 0,
        }
    }

    /// The input itself, to wait on.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// How many bytes were read so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether lines can be lent without reading.
    pub fn has_lines(&self) -> bool {
        self.whole > self.start || self.ended
    }

    /// Whether the last byte that was read lies inside a line.
    pub fn inside_line(&self) -> bool {
        self.end > self.whole || (self.inside_long && self.end == self.start)
    }

    /// Lends what is there, else reads once.
    ///
    /// # Errors
    /// Those of the input's read, EINTR and EAGAIN aside.
    pub fn step(&mut self) -> io::Result<Step<'_>> {
        self.read_at_most(usize::MAX)?;
        Ok(self.lend())
    }

    /// Reads once, and no more than `most` bytes, unless there is something to lend already.
    ///
    /// # Errors
    /// As of [`LineReader::step`].
    pub fn read_at_most(&mut self, most: usize) -> io::Result<()> {
        if self.has_lines() {
            return Ok(());
        }
        self.make_room();
        let until = self.buffer.len().min(self.end.saturating_add(most));
        match self.input.read(&mut self.buffer[self.end..until]) {
            Ok(0) => self.ended = true,
            Ok(read) => {
                let fresh = self.end;
                self.end += read;
                self.total += read as u64;
                if let Some(at) = memrchr(b'\n', &self.buffer[fresh..self.end]) {
                    self.whole = fresh + at + 1;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Gives what is left, finished or not, as the end of the input does.
    pub fn finish(&mut self) -> Step<'_> {
        self.ended = true;
        self.lend()
    }

    /// Lends what there is, without a read.
    pub fn lend(&mut self) -> Step<'_> {
        let from = self.start;
        if self.whole > from {
            if self.inside_long {
                // The end of the long line goes alone, so that what follows is a batch of whole records again.
                let length = memchr(b'\n', &self.buffer[from..self.whole]).map_or(self.whole - from, |at| at + 1);
                self.inside_long = false;
                self.start = from + length;
                return Step::Lines(Batch::piece(&self.buffer[from..self.start], false, true));
            }
            self.start = self.whole;
            return Step::Lines(Batch::plain(&self.buffer[from..self.whole]));
        }
        if self.ended {
            if self.end == from {
                return Step::End;
            }
            let starts = !self.inside_long;
            self.inside_long = false;
            self.start = self.end;
            self.whole = self.end;
            return Step::Lines(Batch::piece(&self.buffer[from..self.end], starts, true));
        }
        if self.end - from >= LONGEST_WHOLE_LINE {
            let starts = !self.inside_long;
            self.inside_long = true;
            self.start = self.end;
            self.whole = self.end;
            return Step::Lines(Batch::piece(&self.buffer[from..self.end], starts, false));
        }
        Step::Pending
    }

    fn make_room(&mut self) {
        let unfinished = self.end - self.start;
        if unfinished <= CHEAP_MOVE || self.buffer.len() - self.end < LEAST_ROOM {
            self.buffer.copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = unfinished;
        }
        if self.buffer.len() - self.end < LEAST_ROOM {
            let doubled = (self.buffer.len() * 2).min(LONGEST_WHOLE_LINE + LEAST_ROOM);
            self.buffer.resize(doubled, 0);
        }
        self.whole = self.start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its parts one read at a time.
    struct Parts(Vec<Vec<u8>>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let take = self.0[0].len().min(buffer.len());
            buffer[..take].copy_from_slice(&self.0[0][..take]);
            match take == self.0[0].len() {
                true => drop(self.0.remove(0)),
                false => drop(self.0[0].drain(..take)),
            }
            Ok(take)
        }
    }

    /// Every batch as (bytes, starts, ends).
    fn all(parts: &[&[u8]]) -> Vec<(Vec<u8>, bool, bool)> {
        let mut reader = LineReader::new(Parts(parts.iter().map(|part| part.to_vec()).collect()));
        let mut batches = Vec::new();
        loop {
            match reader.step().unwrap() {
                Step::Lines(batch) => batches.push((batch.bytes().to_vec(), batch.starts(), batch.ends())),
                Step::Pending => {}
                Step::End => return batches,
            }
        }
    }

    #[test]
    fn a_line_waits_for_its_end_and_then_all_whole_lines_go() {
        let batches = all(&[b"a\nb\nc", b"d\n", b"", b"never read"]);
        assert_eq!(batches, [(b"a\nb\n".to_vec(), true, true), (b"cd\n".to_vec(), true, true)]);
    }

    #[test]
    fn a_missing_last_line_end_stays_missing() {
        assert_eq!(all(&[b"a\nlast"]), [(b"a\n".to_vec(), true, true), (b"last".to_vec(), true, true)]);
    }

    #[test]
    fn a_line_can_be_ended_without_taking_what_is_behind_it() {
        let mut reader = LineReader::new(Parts(vec![b"a\nb".to_vec(), b"egun\nnext".to_vec()]));
        assert!(matches!(reader.step(), Ok(Step::Lines(_))) && reader.inside_line());
        while reader.inside_line() {
            reader.read_at_most(1).unwrap();
            reader.lend();
        }
        assert_eq!((reader.total(), reader.input().0.as_slice()), (8, &[b"next".to_vec()][..]));
    }

    #[test]
    fn a_line_of_the_longest_length_stays_whole() {
        let mut line = vec![b'x'; LONGEST_WHOLE_LINE - 1];
        line.push(b'\n');
        assert_eq!(all(&[&line, b"y\n"])[0], (line, true, true));
    }

    #[test]
    fn a_longer_line_comes_in_marked_pieces_and_memory_stays_bounded() {
        let line = vec![b'x'; 5 * LONGEST_WHOLE_LINE];
        let batches = all(&[b"a\n", &line, b"end\nb\n"]);
        assert_eq!(batches[0], (b"a\n".to_vec(), true, true));
        let pieces = &batches[1..batches.len() - 1];
        assert!(pieces[0].1 && pieces[1..].iter().all(|piece| !piece.1), "one piece starts the line");
        assert!(pieces[pieces.len() - 1].2 && pieces[..pieces.len() - 1].iter().all(|piece| !piece.2));
        assert_eq!(pieces.iter().map(|piece| piece.0.len()).sum::<usize>(), line.len() + 4);
        assert!(pieces.iter().all(|piece| piece.0.len() <= LONGEST_WHOLE_LINE + LEAST_ROOM));
        assert_eq!(batches[batches.len() - 1], (b"b\n".to_vec(), true, true));
    }

    #[test]
    fn a_long_line_without_an_end_ends_with_the_input() {
        let line = vec![b'x'; 2 * LONGEST_WHOLE_LINE + 17];
        let batches = all(&[&line]);
        assert_eq!(batches.iter().map(|batch| batch.0.len()).sum::<usize>(), line.len());
        assert!(batches.last().unwrap().2);
    }
}
