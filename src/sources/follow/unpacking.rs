//! Files that gzip packed, read as the text that was in them. A position in one counts unpacked bytes, and what stands
//! before it can only be found by unpacking from the beginning.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use crate::progress::Progress;
use crate::sources::position::{PRINT, Position, Print};
use crate::stream::reader::LineReader;
use crate::stream::source::Step;

/// Bytes that are unpacked at a time on the way to a position.
const BLOCK: usize = 64 * 1024;

type Decoder = MultiGzDecoder<BufReader<Counted>>;

/// A packed file on its way through memory.
pub struct Unpacking {
    lines: LineReader<Decoder>,
    trail: Trail,
    /// What was lent last.
    lent: Vec<u8>,
    torn: bool,
}

/// What one step brought.
pub enum Unpacked {
    /// Lines are in [`Unpacking::lent`].
    Lines {
        starts: bool,
        ends: bool,
        /// The last line lacks its line end.
        open: bool,
    },
    Pending,
    End,
}

impl Unpacking {
    /// Unpacks up to `offset`.
    ///
    /// # Errors
    /// When the file cannot be read, is not packed, or holds less.
    pub fn open(file: File, offset: u64, progress: Progress) -> io::Result<Self> {
        let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(BLOCK, Counted { file, progress }));
        let trail = Trail::up_to(&mut decoder, offset)?;
        if trail.taken < offset {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(Self { lines: LineReader::new(decoder), trail, lent: Vec::new(), torn: false })
    }

    /// Unpacks a little more, and moves `position` behind it where a line ends.
    ///
    /// # Errors
    /// As the decoder's. With `finish`, what it could unpack is lent in further steps.
    pub fn step(&mut self, position: &mut Position) -> io::Result<Unpacked> {
        let step = self.lines.step()?;
        let unpacked = take(step, &mut self.trail, &mut self.lent, position);
        Ok(self.end_torn(unpacked, position))
    }

    /// What is left when nothing more can be unpacked.
    pub fn finish(&mut self, position: &mut Position) -> Unpacked {
        let unpacked = take(self.lines.finish(), &mut self.trail, &mut self.lent, position);
        self.end_torn(unpacked, position)
    }

    /// A line of which the last piece has been lent as if more came is ended by an empty one.
    fn end_torn(&mut self, unpacked: Unpacked, position: &mut Position) -> Unpacked {
        match unpacked {
            Unpacked::Lines { ends, .. } => self.torn = !ends,
            Unpacked::End if std::mem::take(&mut self.torn) => {
                self.lent.clear();
                *position = self.trail.position();
                return Unpacked::Lines { starts: false, ends: true, open: true };
            }
            _ => {}
        }
        unpacked
    }

    /// Whether a part of a line was lent whose rest must follow.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    pub fn lent(&self) -> &[u8] {
        &self.lent
    }
}

fn take(step: Step<'_>, trail: &mut Trail, lent: &mut Vec<u8>, position: &mut Position) -> Unpacked {
    let batch = match step {
        Step::Lines(batch) => batch,
        Step::Pending => return Unpacked::Pending,
        Step::End => return Unpacked::End,
    };
    lent.clear();
    lent.extend_from_slice(batch.bytes());
    trail.take(lent);
    if batch.ends() {
        let at = trail.position();
        *position = Position { seen: position.seen.max(at.seen), ..at };
    }
    let open = batch.ends() && !lent.ends_with(b"\n");
    Unpacked::Lines { starts: batch.starts(), ends: batch.ends(), open }
}

/// Whether the packed `file` holds what was read up to `position`, and, for `exactly`, nothing more.
///
/// # Errors
/// When it cannot be read; a file that is not packed, or is torn before the position, just does not fit.
pub fn fits(file: File, position: &Position, exactly: bool) -> io::Result<bool> {
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(BLOCK, file));
    let mut check = || -> io::Result<bool> {
        // Most others differ in their first bytes.
        let mut head = Trail::up_to(&mut decoder, position.head.bytes)?;
        if head.position().head != position.head {
            return Ok(false);
        }
        if let Some(behind) = position.head.bytes.checked_sub(position.offset).filter(|behind| *behind > 0) {
            // More was seen of it than was handed on.
            let before = Print::of(&head.head[..(position.head.bytes - behind) as usize]);
            return Ok(!exactly && before == position.before);
        }
        head.go_on(&mut decoder, position.offset - position.head.bytes)?;
        let here = head.taken == position.offset && head.position().before == position.before;
        Ok(here && (!exactly || decoder.read(&mut [0])? == 0))
    };
    no_if_torn(check())
}

/// Whether the packed `file` holds the beginning of `plain`, and not just nothing.
///
/// # Errors
/// As [`fits`].
pub fn is_beginning_of(file: File, plain: &File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(BLOCK, file));
    let (mut ours, mut theirs) = (vec![0; BLOCK], vec![0; BLOCK]);
    let mut at = 0;
    let mut compare = || -> io::Result<bool> {
        loop {
            let length = decoder.read(&mut ours)?;
            if length == 0 {
                return Ok(at > 0);
            }
            plain.read_exact_at(&mut theirs[..length], at)?;
            if ours[..length] != theirs[..length] {
                return Ok(false);
            }
            at += length as u64;
        }
    };
    no_if_torn(compare())
}

/// A file that is not packed, or ends too early, just is not what was looked for.
fn no_if_torn(result: io::Result<bool>) -> io::Result<bool> {
    match result {
        Err(error)
            if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            Ok(false)
        }
        result => result,
    }
}

/// Whether `file` begins as gzip's files do.
///
/// # Errors
/// When it cannot be read.
pub fn is_packed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let mut magic = [0; 2];
    Ok(file.read_at(&mut magic, 0)? == 2 && magic == [0x1f, 0x8b])
}

/// The first and the last bytes of what went by.
#[derive(Default)]
struct Trail {
    head: Vec<u8>,
    tail: Vec<u8>,
    taken: u64,
}

impl Trail {
    fn up_to(source: &mut impl Read, length: u64) -> io::Result<Self> {
        let mut trail = Self::default();
        trail.go_on(source, length)?;
        Ok(trail)
    }

    /// Takes `length` bytes more, or as many as there are.
    fn go_on(&mut self, source: &mut impl Read, length: u64) -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        let mut left = length;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(BLOCK);
            match source.read(&mut block[..most]) {
                Ok(0) => break,
                Ok(read) => {
                    self.take(&block[..read]);
                    left -= read as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        const MOST: usize = PRINT as usize;
        self.taken += bytes.len() as u64;
        let missing = (MOST - self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(MOST)..]);
        let surplus = self.tail.len().saturating_sub(MOST);
        self.tail.drain(..surplus);
    }

    fn position(&self) -> Position {
        Position { offset: self.taken, seen: self.taken, head: Print::of(&self.head), before: Print::of(&self.tail) }
    }
}

/// Tells how far it has come in the packed file.
struct Counted {
    file: File,
    progress: Progress,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> File {
        let mut encoder = GzEncoder::new(tempfile::tempfile().unwrap(), Compression::fast());
        encoder.write_all(text).unwrap();
        let mut file = encoder.finish().unwrap();
        io::Seek::rewind(&mut file).unwrap();
        file
    }

    fn plain(text: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file
    }

    #[test]
    fn a_position_in_the_plain_file_is_found_in_the_packed_one() {
        let text: Vec<u8> = (0..10_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        for offset in [0, 7, 1023, 1024, 1025, 60_000, text.len()] {
            let position = Position::at(&plain(&text), offset as u64).unwrap();
            assert!(fits(packed(&text), &position, false).unwrap(), "{offset}");
            assert_eq!(fits(packed(&text), &position, true).unwrap(), offset == text.len(), "{offset}");
            let mut unpacking = Unpacking::open(packed(&text), offset as u64, Progress::hidden()).unwrap();
            let mut rest = Vec::new();
            let mut reached = position;
            loop {
                match unpacking.step(&mut reached).unwrap() {
                    Unpacked::Lines { .. } => rest.extend_from_slice(unpacking.lent()),
                    Unpacked::Pending => {}
                    Unpacked::End => break,
                }
            }
            assert!(rest == text[offset..]);
            assert_eq!(reached, Position::at(&plain(&text), text.len() as u64).unwrap());
        }
    }

    #[test]
    fn other_files_do_not_fit() {
        let text = b"one\ntwo\nthree\n";
        let position = Position::at(&plain(text), 8).unwrap();
        for other in [&b""[..], b"one\n", b"onf\ntwo\nthree\n", b"one\ntwp\nthree\n"] {
            assert!(!fits(packed(other), &position, false).unwrap());
        }
        assert!(!fits(plain(text), &position, false).unwrap(), "not packed at all");
    }
}
