//! Compressing an archive so that a crash at any moment leaves either the plain file or the whole compressed one.
//!
//! The temporary file is written, forced to disk and renamed before the plain file goes; it is locked while somebody
//! works on it, so a temporary file without a lock is a crash's and may be cleared away.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::inode::{self, FileId};
use crate::progress::Progress;

use super::archives::each_name;

/// Bytes that are read, compressed and written at a time.
const BLOCK: usize = 256 * 1024;

/// A compressed copy that is complete and on disk, but has no name of an archive yet.
pub struct Compressed {
    path: PathBuf,
    file: File,
    /// Its length in bytes.
    pub len: u64,
    kept: bool,
}

/// Why there is no compressed copy.
pub enum Stopped {
    /// Somebody writes to the file, or it is gone.
    Busy,
    /// The one who was asked before each block said no.
    Refused,
    Failed(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Writes a compressed copy of `source` beside it. `may_add` is asked before every block of so many bytes.
///
/// # Errors
/// See [`Stopped`]; nothing is left behind then.
pub fn compress(
    source: &Path,
    log: &OsStr,
    level: u32,
    may_add: &mut dyn FnMut(u64) -> bool,
    progress: &Progress,
) -> Result<(Compressed, File), Stopped> {
    let mut input = match inode::open_regular(source) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Stopped::Busy),
        input => input?,
    };
    if !inode::lock_exclusive(&input)? {
        return Err(Stopped::Busy);
    }
    let before = input.metadata()?;
    let mut compressed = Compressed::create(source, log)?;
    let mut encoder = GzEncoder::new(Vec::with_capacity(BLOCK), Compression::new(level));
    let mut block = vec![0; BLOCK];
    let mut read_bytes = 0;
    loop {
        let length = match input.read(&mut block) {
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            break;
        }
        read_bytes += length as u64;
        progress.advance(length as u64);
        encoder.write_all(&block[..length])?;
        if encoder.get_ref().len() >= BLOCK {
            compressed.append(encoder.get_mut(), may_add)?;
        }
    }
    encoder.try_finish()?;
    compressed.append(encoder.get_mut(), may_add)?;
    if read_bytes != input.metadata()?.len() {
        return Err(Stopped::Busy);
    }
    inode::copy_mode_and_owner(&before, &compressed.file)?;
    compressed.file.set_modified(before.modified()?)?;
    compressed.file.sync_all()?;
    Ok((compressed, input))
}

impl Compressed {
    fn create(source: &Path, log: &OsStr) -> io::Result<Self> {
        loop {
            let path = temporary(source, log);
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let compressed = Self { path, file, len: 0, kept: false };
            // Whoever clears leftovers may have taken it for one before it was locked.
            let locked = inode::lock_exclusive(&compressed.file)?;
            if locked && FileId::at(&compressed.path) == Some(FileId::of(&compressed.file.metadata()?)) {
                return Ok(compressed);
            }
        }
    }

    fn append(&mut self, bytes: &mut Vec<u8>, may_add: &mut dyn FnMut(u64) -> bool) -> Result<(), Stopped> {
        if !may_add(bytes.len() as u64) {
            return Err(Stopped::Refused);
        }
        self.file.write_all(bytes)?;
        self.len += bytes.len() as u64;
        bytes.clear();
        Ok(())
    }

    /// Gives it the name of an archive.
    ///
    /// # Errors
    /// `AlreadyExists` when the name is taken.
    pub fn keep_as(mut self, path: &Path) -> io::Result<()> {
        inode::rename_no_replace(&self.path, path)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Compressed {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The temporary files in `folder` that belong to `log` and that nobody works on any more.
///
/// # Errors
/// When the folder cannot be read.
pub fn leftovers(folder: &Path, log: &OsStr) -> io::Result<Vec<PathBuf>> {
    let prefix = temporary_prefix(log);
    let mut left = Vec::new();
    each_name(folder, |name| {
        let middle =
            name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes()).and_then(|rest| rest.strip_suffix(b".tmp"));
        if middle.is_some_and(|middle| middle.iter().all(|b| b.is_ascii_digit() || *b == b'-')) {
            left.push(folder.join(name));
        }
    })?;
    Ok(left)
}

/// Deletes a temporary file unless somebody works on it.
///
/// # Errors
/// When it cannot be deleted.
pub fn clear(leftover: &Path) -> io::Result<()> {
    let file = match inode::open_regular(leftover) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if inode::lock_exclusive(&file)? { fs::remove_file(leftover) } else { Ok(()) }
}

/// Whether `compressed` holds exactly what `plain` holds: then a crash fell between the rename and the deletion.
///
/// # Errors
/// When one of the two cannot be read.
pub fn is_twin(plain: &Path, compressed: &Path) -> io::Result<bool> {
    let mut plain = io::BufReader::with_capacity(BLOCK, inode::open_regular(plain)?);
    let mut unpacked = MultiGzDecoder::new(io::BufReader::new(inode::open_regular(compressed)?));
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

/// A hidden name beside `archive` that no other file has; what is left under such a name is cleared at the next start.
pub fn temporary(archive: &Path, log: &OsStr) -> PathBuf {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mut name = temporary_prefix(log);
    name.push(format!("{}-{serial}.tmp", std::process::id()));
    archive.with_file_name(name)
}

fn temporary_prefix(log: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(log);
    prefix.push(".");
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let Ok((compressed, _)) = compress(&source, OsStr::new("app.log"), 6, &mut |_| true, &Progress::hidden())
        else {
            panic!("stopped")
        };
        compressed.keep_as(&target).unwrap();
        assert!(is_twin(&source, &target).unwrap());
        let metadata = fs::metadata(&target).unwrap();
        assert_eq!(metadata.modified().unwrap(), old);
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn afile_that_somebody_writes_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("app.log.1");
        fs::write(&source, "x\n").unwrap();
        let writer = File::options().append(true).open(&source).unwrap();
        assert!(inode::lock_shared(&writer).unwrap());
        assert!(matches!(
            compress(&source, OsStr::new("app.log"), 6, &mut |_| true, &Progress::hidden()),
            Err(Stopped::Busy)
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_orphaned_temporaryfiles_of_this_log_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".app.log.12-0.tmp", ".app.log.x.tmp", ".app.log.lock", "app.log.1", ".other.log.1-1.tmp"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let left = leftovers(folder.path(), OsStr::new("app.log")).unwrap();
        assert_eq!(left, [folder.path().join(".app.log.12-0.tmp")]);
        clear(&left[0]).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }
}
