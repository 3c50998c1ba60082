//! Compressing an archive so that a crash at any moment leaves either the plain file or the whole compressed one: the
//! compressed copy is written, forced to disk and named before the plain file goes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::inode::{self, FileId};
use crate::progress::Progress;

use super::archives::Found;
use super::temporary::Temporary;

/// Bytes that are read, compressed and written at a time.
const BLOCK: usize = 256 * 1024;

/// Why there is no compressed copy.
pub enum Stopped {
    /// Somebody writes to the file.
    Busy,
    /// Another file stands under the name by now, or none.
    Moved,
    /// The one who was asked before each block said no.
    Refused,
    Failed(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Writes a compressed copy of `source` beside it, complete and on the disk, and gives the source, locked. `may_add` is
/// asked when the source is locked, with 0, and before every write of so many bytes.
///
/// # Errors
/// See [`Stopped`]; nothing is left behind then.
pub fn compress(
    source: &Found,
    log: &OsStr,
    level: u32,
    may_add: &mut dyn FnMut(u64) -> bool,
    progress: &Progress,
) -> Result<(Temporary, File), Stopped> {
    let mut input = match inode::open_regular(&source.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Stopped::Moved),
        input => input?,
    };
    let before = input.metadata()?;
    if FileId::of(&before) != source.id {
        return Err(Stopped::Moved);
    }
    if !inode::lock_exclusive(&input)? {
        return Err(Stopped::Busy);
    }
    if !may_add(0) {
        return Err(Stopped::Refused);
    }
    let mut copy = Temporary::create(&source.path, log)?;
    let mut write_out = |bytes: &mut Vec<u8>| {
        if !may_add(bytes.len() as u64) {
            return Err(Stopped::Refused);
        }
        copy.file().write_all(bytes)?;
        bytes.clear();
        Ok(())
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(2 * BLOCK), Compression::new(level));
    let mut block = vec![0; BLOCK];
    let mut read_bytes = 0;
    loop {
        let length = match input.read(&mut block) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        read_bytes += length as u64;
        encoder.write_all(&block[..length])?;
        progress.advance(length as u64);
        if encoder.get_ref().len() >= BLOCK {
            write_out(encoder.get_mut())?;
        }
    }
    encoder.try_finish()?;
    write_out(encoder.get_mut())?;
    if read_bytes != input.metadata()?.len() {
        return Err(Stopped::Busy);
    }
    inode::copy_mode_and_owner(&before, copy.file())?;
    copy.file().set_modified(before.modified()?)?;
    copy.file().sync_all()?;
    Ok((copy, input))
}

/// Whether `compressed` holds exactly what `plain` holds: then a crash fell between the rename and the deletion.
///
/// # Errors
/// When the plain one cannot be read.
pub fn is_twin(mut plain: &File, compressed: &File) -> io::Result<bool> {
    let mut unpacked = MultiGzDecoder::new(io::BufReader::new(compressed));
    let (mut a, mut b) = (vec![0; BLOCK], vec![0; BLOCK]);
    loop {
        let length = plain.read(&mut a)?;
        if length == 0 {
            return Ok(matches!(unpacked.read(&mut b), Ok(0)));
        }
        match unpacked.read_exact(&mut b[..length]) {
            Ok(()) if a[..length] == b[..length] => {}
            _ => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotation::naming::Stamp;
    use std::fs;
    use std::path::Path;

    fn found(path: &Path) -> Found {
        Found::new(path.to_owned(), Stamp::default(), false, &fs::metadata(path).unwrap())
    }

    #[test]
    fn a_compressed_copy_unpacks_to_the_same_bytes_and_keeps_time_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("app.log.1");
        let text = "a line of text\n".repeat(100_000);
        fs::write(&source, &text).unwrap();
        let file = File::open(&source).unwrap();
        inode::set_mode(&file, 0o640).unwrap();
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        File::options().write(true).open(&source).unwrap().set_modified(old).unwrap();

        let target = folder.path().join("app.log.1.gz");
        let outcome = compress(&found(&source), OsStr::new("app.log"), 6, &mut |_| true, &Progress::hidden());
        let Ok((copy, _)) = outcome else { panic!("stopped") };
        copy.keep_as(&target).unwrap();
        assert!(is_twin(&File::open(&source).unwrap(), &File::open(&target).unwrap()).unwrap());
        let metadata = fs::metadata(&target).unwrap();
        assert_eq!(metadata.modified().unwrap(), old);
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);

        fs::write(&source, text + "more\n").unwrap();
        assert!(!is_twin(&File::open(&source).unwrap(), &File::open(&target).unwrap()).unwrap());
    }

    #[test]
    fn a_file_that_somebody_writes_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("app.log.1");
        fs::write(&source, "x\n").unwrap();
        let writer = File::options().append(true).open(&source).unwrap();
        assert!(inode::lock_shared(&writer).unwrap());
        let outcome = compress(&found(&source), OsStr::new("app.log"), 6, &mut |_| true, &Progress::hidden());
        assert!(matches!(outcome, Err(Stopped::Busy)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
