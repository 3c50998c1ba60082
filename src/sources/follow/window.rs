//! `Window`: the one buffer through which all plain files are read, and which lends whole lines from where pread(2) put
//! them.
//!
//! Nothing of a file stays in memory between two looks: a line that has no end yet is read again once it has grown, and
//! one that is longer than memory is first searched for its end and then lent in pieces. So thousands of files cost
//! one buffer, and no line of one file ever lies inside a line of another.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use memchr::{memchr, memrchr};
use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::sources::position::{PRINT, Position, Print};
use crate::stream::reader::LONGEST_WHOLE_LINE;

/// Bytes that one look reads, unless a line is longer.
const READ: usize = 256 * 1024;

/// Memory is shared out in pieces of this size.
const PAGE: usize = 4096;

/// One look searches so many bytes for the end of a long line before others have their turn.
const SEARCH: usize = 16 * 1024 * 1024;

/// The buffer.
#[derive(Default)]
pub struct Window {
    buffer: Vec<u8>,
    /// Where the bytes that were read last begin in it.
    base: usize,
}

/// What one look found.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// Whole lines, or a part of a long one.
    Lines(Lent),
    /// So many NULs were passed over.
    Hole(u64),
    /// The end of a long line is still searched for.
    Searching,
    /// There are no more whole lines at present.
    End,
    /// What was read before does not stand there any more.
    Changed,
    /// It does, but so many bytes behind it do not, which were seen.
    Cut(u64),
}

/// Bytes of the window. They stand until the next look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lent {
    range: Range<usize>,
    pub starts: bool,
    pub ends: bool,
    /// The last line lacks its line end.
    pub open: bool,
}

/// How far a look may go.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// No byte of the file from here on is taken.
    pub limit: u64,
    /// A line without an end is lent, too.
    pub finish: bool,
}

/// Where reading stands inside a line.
#[derive(Debug, Default)]
pub struct Inside {
    /// Before this there is no line end, counted from the line's beginning.
    searched: u64,
    long: Option<Long>,
}

/// A long line that is lent in pieces.
#[derive(Clone, Copy, Debug)]
struct Long {
    at: u64,
    end: u64,
    /// Of what was lent of it last, to see that it still stands there.
    before: Print,
    /// Whether it has a line end.
    ended: bool,
}

impl Inside {
    /// Whether a part of a line was lent, whose rest must follow before anything else.
    pub fn is_torn(&self) -> bool {
        self.long.is_some()
    }
}

impl Window {
    pub fn bytes(&self, lent: &Lent) -> &[u8] {
        &self.read_bytes()[lent.range.clone()]
    }

    /// Takes a look at what follows `position`, which is moved behind what is lent.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn look(
        &mut self,
        file: &File,
        position: &mut Position,
        inside: &mut Inside,
        until: Until,
    ) -> io::Result<Look> {
        if inside.is_torn() {
            return self.piece(file, position, inside);
        }
        let before = position.before.bytes as usize;
        let start = position.offset.saturating_sub(position.before.bytes);
        let allowed = until.limit.saturating_sub(position.offset);
        // Of a line that is known to be long, only what stands before it is looked at again.
        let known_long = inside.searched >= position.offset + LONGEST_WHOLE_LINE as u64;
        let mut room = if known_long { 0 } else { READ };
        loop {
            let most = before + usize::try_from(allowed).unwrap_or(usize::MAX).min(room);
            let end = self.read(file, start, most)?;
            if end < before || !position.before.is_of(&self.read_bytes()[..before]) {
                return Ok(Look::Changed);
            }
            if known_long {
                let length = file.metadata()?.len();
                if length >= inside.searched {
                    return self.search(file, position, inside, until);
                }
                // It was cut inside the line, and what stands there now may be another.
                *inside = Inside::default();
                return self.look(file, position, inside, until);
            }
            let is_all = end < most;
            if start == 0 && (is_all || end as u64 > position.head.bytes) {
                if position.offset == 0 && !position.head.begins(&self.read_bytes()[..end]) {
                    return Ok(Look::Changed);
                }
                // What is not handed on yet tells as well which file it is.
                position.head = Print::of(&self.read_bytes()[..end.min(PRINT as usize)]);
            }
            let length = end - before;
            let ends_at = position.offset + length as u64;
            if is_all && ends_at < position.seen.min(until.limit) {
                let gone = position.seen - ends_at;
                if position.offset == 0 {
                    // Nothing tells whether what stands there now is what stood there.
                    return Ok(Look::Changed);
                }
                position.seen = ends_at;
                *inside = Inside::default();
                return Ok(Look::Cut(gone));
            }
            position.seen = position.seen.max(ends_at);
            let fresh = &self.read_bytes()[before..end];
            if let Some(at) = memrchr(b'\n', fresh) {
                let lent = before..before + at + 1;
                self.advance(position, start, &lent);
                *inside = Inside::default();
                return Ok(Look::Lines(Lent { range: lent, starts: true, ends: true, open: false }));
            }
            if fresh.len() < room {
                if fresh.is_empty() || !until.finish {
                    return Ok(Look::End);
                }
                let lent = before..end;
                self.advance(position, start, &lent);
                *inside = Inside::default();
                return Ok(Look::Lines(Lent { range: lent, starts: true, ends: true, open: true }));
            }
            if room >= LONGEST_WHOLE_LINE {
                inside.searched = position.offset + fresh.len() as u64;
                return self.search(file, position, inside, until);
            }
            room = LONGEST_WHOLE_LINE;
        }
    }

    /// Passes over the NULs from `position` on: a hole that a writer left who did not notice that his file was cut.
    /// Gives their number, and whether something else follows them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn skip_hole(&mut self, file: &File, position: &mut Position) -> io::Result<(u64, bool)> {
        let mut at = position.offset;
        let mut data_follows = false;
        for _ in 0..SEARCH / READ {
            // A hole of any size is one call; where the file system knows of none, its NULs are read.
            at = match rustix::fs::seek(file, SeekFrom::Data(at)) {
                Ok(data) => data.max(at),
                Err(Errno::NXIO) => file.metadata()?.len().max(at),
                Err(_) => at,
            };
            let length = self.read(file, at, READ)?;
            match self.read_bytes()[..length].iter().position(|byte| *byte != 0) {
                Some(nuls) => {
                    at += nuls as u64;
                    data_follows = true;
                    break;
                }
                None => at += length as u64,
            }
            if length == 0 {
                break;
            }
        }
        let skipped = at - position.offset;
        if skipped > 0 {
            *position = Position { seen: position.seen.max(at), ..Position::at(file, at)? };
        }
        Ok((skipped, data_follows))
    }

    fn read_bytes(&self) -> &[u8] {
        &self.buffer[self.base..]
    }

    /// Fills the buffer from its beginning; gives how many bytes there are, fewer than `most` at the file's end alone.
    fn read(&mut self, file: &File, at: u64, most: usize) -> io::Result<usize> {
        if self.buffer.len() < most + PAGE {
            self.buffer.resize(most + PAGE, 0);
        }
        // The kernel copies faster what lies in memory as it lies in its pages.
        self.base = (at as usize).wrapping_sub(self.buffer.as_ptr() as usize) % PAGE;
        let buffer = &mut self.buffer[self.base..];
        let mut end = 0;
        while end < most {
            match file.read_at(&mut buffer[end..most], at + end as u64) {
                Ok(0) => break,
                Ok(read) => end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(end)
    }

    /// Moves `position` behind `lent`; the buffer begins at `start` of the file.
    fn advance(&self, position: &mut Position, start: u64, lent: &Range<usize>) {
        position.offset = start + lent.end as u64;
        position.before = Print::of(&self.read_bytes()[lent.end.saturating_sub(PRINT as usize)..lent.end]);
    }

    /// Looks for the end of a line that is longer than memory should be.
    fn search(&mut self, file: &File, position: &mut Position, inside: &mut Inside, until: Until) -> io::Result<Look> {
        for _ in 0..SEARCH / READ {
            let at = inside.searched;
            let most = usize::try_from(until.limit.saturating_sub(at)).unwrap_or(usize::MAX).min(READ);
            let length = self.read(file, at, most)?;
            position.seen = position.seen.max(at + length as u64);
            if let Some(end) = memchr(b'\n', &self.read_bytes()[..length]) {
                inside.long =
                    Some(Long { at: position.offset, end: at + end as u64 + 1, before: position.before, ended: true });
                return self.piece(file, position, inside);
            }
            inside.searched = at + length as u64;
            if length < READ {
                if !until.finish {
                    return Ok(Look::End);
                }
                inside.long =
                    Some(Long { at: position.offset, end: inside.searched, before: position.before, ended: false });
                return self.piece(file, position, inside);
            }
        }
        Ok(Look::Searching)
    }

    /// The next piece of a long line.
    fn piece(&mut self, file: &File, position: &mut Position, inside: &mut Inside) -> io::Result<Look> {
        let Some(Long { at, end, before, .. }) = inside.long else { return Ok(Look::Searching) };
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(LONGEST_WHOLE_LINE);
        let starts = at == position.offset;
        let skip = before.bytes as usize;
        let read = self.read(file, at.saturating_sub(before.bytes), skip + length)?;
        let stands = read == skip + length && before.is_of(&self.read_bytes()[..skip]);
        let Some(long) = inside.long.as_mut().filter(|_| stands) else {
            // It was cut meanwhile. What was lent of it goes on in a copy, or gets an end.
            if starts {
                *inside = Inside::default();
            }
            return Ok(Look::Changed);
        };
        long.at += length as u64;
        let last = (skip + length).saturating_sub(PRINT as usize)..skip + length;
        long.before = Print::of(&self.buffer[self.base..][last]);
        let ends = long.at == long.end;
        let open = ends && !long.ended;
        if ends {
            match Position::at(file, long.end) {
                Ok(behind) => *position = Position { seen: position.seen.max(behind.offset), ..behind },
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
            *inside = Inside::default();
        }
        Ok(Look::Lines(Lent { range: skip..skip + length, starts, ends, open }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::path::PathBuf;

    use super::*;

    struct Stage {
        _folder: tempfile::TempDir,
        path: PathBuf,
        file: File,
        window: Window,
        position: Position,
        inside: Inside,
    }

    impl Stage {
        fn new(text: impl AsRef<[u8]>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            fs::write(&path, text).unwrap();
            let file = File::open(&path).unwrap();
            let (window, position, inside) = (Window::default(), Position::default(), Inside::default());
            Self { _folder: folder, path, file, window, position, inside }
        }

        fn append(&self, text: &str) {
            OpenOptions::new().append(true).open(&self.path).unwrap().write_all(text.as_bytes()).unwrap();
        }

        fn look(&mut self, finish: bool) -> Look {
            let until = Until { limit: u64::MAX, finish };
            self.window.look(&self.file, &mut self.position, &mut self.inside, until).unwrap()
        }

        /// What is lent until there is no more, and how the last line ended.
        fn all(&mut self, finish: bool) -> (Vec<u8>, usize, bool) {
            let (mut bytes, mut lends, mut open) = (Vec::new(), 0, false);
            loop {
                match self.look(finish) {
                    Look::Lines(lent) => {
                        bytes.extend_from_slice(self.window.bytes(&lent));
                        open = lent.open;
                        lends += 1;
                    }
                    Look::Searching => {}
                    Look::End => return (bytes, lends, open),
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn whole_lines_are_lent_and_the_rest_waits() {
        let mut stage = Stage::new("one\ntwo\nthr");
        assert_eq!(stage.all(false), (b"one\ntwo\n".to_vec(), 1, false));
        assert_eq!((stage.position.offset, stage.position.unread()), (8, 3));
        stage.append("ee\nfo");
        assert_eq!(stage.all(false).0, b"three\n");
        assert_eq!(stage.all(true), (b"fo".to_vec(), 1, true));
        assert_eq!(stage.position, Position::at(&stage.file, 16).unwrap());
    }

    #[test]
    fn a_limit_is_kept() {
        let mut stage = Stage::new("one\ntwo\nthree\n");
        let until = Until { limit: 10, finish: false };
        let Look::Lines(lent) = stage.window.look(&stage.file, &mut stage.position, &mut stage.inside, until).unwrap()
        else {
            panic!()
        };
        assert_eq!(stage.window.bytes(&lent), b"one\ntwo\n");
        let end = stage.window.look(&stage.file, &mut stage.position, &mut stage.inside, until).unwrap();
        assert_eq!(end, Look::End);
    }

    #[test]
    fn what_was_cut_or_overwritten_is_noticed() {
        for other in ["", "o", "x\n", "XXXXXXXXXXXXXX\n", "onf\ntwo\nand more\n"] {
            let mut stage = Stage::new("one\ntwo\n");
            stage.all(false);
            let handle = OpenOptions::new().write(true).truncate(true).open(&stage.path).unwrap();
            (&handle).write_all(other.as_bytes()).unwrap();
            assert_eq!(stage.look(false), Look::Changed, "{other:?}");
        }
    }

    #[test]
    fn lines_of_every_length_are_lent_once_and_in_bounded_memory() {
        for length in [READ - 1, READ, READ + 1, LONGEST_WHOLE_LINE - 1, LONGEST_WHOLE_LINE, LONGEST_WHOLE_LINE + 1] {
            let text = format!("a\n{}\nb\n", "x".repeat(length));
            let mut stage = Stage::new(&text);
            assert_eq!(stage.all(false).0, text.as_bytes());
            assert_eq!(stage.position, Position::at(&stage.file, text.len() as u64).unwrap());
        }
        let text = format!("a\n{}\nb\n", "x".repeat(40 << 20));
        let mut stage = Stage::new(&text);
        let (bytes, lends, _) = stage.all(false);
        assert!(bytes == text.as_bytes() && lends == 43, "{lends} batches, {} bytes", bytes.len());
        assert!(stage.window.buffer.len() <= LONGEST_WHOLE_LINE + PRINT as usize + PAGE);
    }

    #[test]
    fn a_long_line_without_an_end_waits_for_it_unread() {
        let mut stage = Stage::new(format!("a\n{}", "x".repeat(5 << 20)));
        assert_eq!(stage.all(false).0, b"a\n");
        assert_eq!(stage.all(false).0, b"");
        stage.append("y\n");
        let (bytes, lends, _) = stage.all(false);
        assert!(bytes.ends_with(b"xy\n") && bytes.len() == (5 << 20) + 2 && lends == 6);
        stage.append(&"z".repeat(2 << 20));
        let (bytes, _, open) = stage.all(true);
        assert!(bytes.len() == 2 << 20 && open);
    }

    #[test]
    fn a_long_line_that_is_cut_while_it_is_lent_is_not_gone_on_with() {
        for other in ["new\n".to_owned(), format!("{}\n", "y".repeat(9 << 20))] {
            let mut stage = Stage::new(format!("{}\n", "x".repeat(5 << 20)));
            assert!(matches!(stage.look(false), Look::Lines(Lent { starts: true, ends: false, .. })));
            fs::write(&stage.path, &other).unwrap();
            assert_eq!(stage.look(false), Look::Changed);
            assert!(stage.position.offset == 0 && stage.inside.is_torn());
        }
    }

    #[test]
    fn a_hole_is_passed_over_however_large() {
        let mut stage = Stage::new("");
        let file = OpenOptions::new().write(true).open(&stage.path).unwrap();
        file.set_len(1 << 40).unwrap();
        assert_eq!(stage.window.skip_hole(&stage.file, &mut stage.position).unwrap(), (1 << 40, false));
        stage.append("\0\0line\n");
        assert_eq!(stage.window.skip_hole(&stage.file, &mut stage.position).unwrap(), (2, true));
        assert_eq!(stage.all(false).0, b"line\n");
    }
}
