//! How far a file was read, and what tells later whether it is still the same file: prints of its first bytes and of
//! those just before the position. An inode alone does not tell: it is used again (E4), cut, or overwritten (E3).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use xxhash_rust::xxh3::xxh3_64;

/// A print covers this many bytes, or as many as there are.
pub const PRINT: u64 = 1024;

/// A hash (XXH3, 64 bits) of so many bytes. It stands in files, so it must never change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Print {
    /// How many bytes it covers; of none it says nothing.
    pub bytes: u64,
    pub hash: u64,
}

impl Print {
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, hash: if bytes.is_empty() { 0 } else { xxh3_64(bytes) } }
    }

    /// Whether it is the print of the first of these bytes.
    pub fn begins(&self, bytes: &[u8]) -> bool {
        usize::try_from(self.bytes).ok().and_then(|length| bytes.get(..length)).is_some_and(|first| self.is_of(first))
    }

    /// Whether it is the print of just these bytes.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        *self == Self::of(bytes)
    }
}

/// How far one file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Everything before this byte was handed on; a line begins here.
    pub offset: u64,
    /// The length of the file when it was last seen; never less than `offset`.
    pub seen: u64,
    /// Of the first bytes, as many as were seen.
    pub head: Print,
    /// Of the bytes just before `offset`.
    pub before: Print,
}

impl Position {
    /// How many bytes were seen and not handed on.
    pub fn unread(&self) -> u64 {
        self.seen.saturating_sub(self.offset)
    }

    /// Whether `file` still has what was read of it where it was.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn fits(&self, file: &File) -> io::Result<bool> {
        // What was seen behind the position may have been cut off since.
        let cut_behind =
            || Ok::<_, io::Error>(self.head.bytes > self.offset && file.metadata()?.len() < self.head.bytes);
        let head = has(file, 0, self.head)? || (self.offset > 0 && cut_behind()?);
        Ok(head && has(file, self.offset.saturating_sub(self.before.bytes), self.before)?)
    }

    /// The position at `offset` of `file`.
    ///
    /// # Errors
    /// When it cannot be read; `UnexpectedEof` when it is shorter.
    pub fn at(file: &File, offset: u64) -> io::Result<Self> {
        let length = offset.min(PRINT);
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, 0)?;
        let head = Print::of(&bytes);
        file.read_exact_at(&mut bytes, offset - length)?;
        Ok(Self { offset, seen: offset, head, before: Print::of(&bytes) })
    }
}

fn has(file: &File, at: u64, print: Print) -> io::Result<bool> {
    let mut bytes = vec![0; print.bytes as usize];
    match file.read_exact_at(&mut bytes, at) {
        Ok(()) => Ok(print.is_of(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_position_fits_the_file_it_was_taken_from_and_that_grown_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let long = "a line of text\n".repeat(1000);
        for text in ["", "x\n", &long] {
            fs::write(&path, text).unwrap();
            let position = Position::at(&File::open(&path).unwrap(), text.len() as u64).unwrap();
            fs::write(&path, format!("{text}more\n")).unwrap();
            assert!(position.fits(&File::open(&path).unwrap()).unwrap());
            for other in [format!("y{text}"), text[..text.len() / 2].to_owned()] {
                fs::write(&path, other).unwrap();
                assert_eq!(position.fits(&File::open(&path).unwrap()).unwrap(), text.is_empty());
            }
        }
    }
}
