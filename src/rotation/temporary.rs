//! Files that are not archives yet, or any more: hidden beside the archives, and gone sooner or later whatever happens.
//!
//! A temporary file is locked while somebody works on it, so one without a lock is a crash's and may be cleared away.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::inode::{self, FileId};

use super::archives::each_name;

/// A file of ours that goes when it is dropped, unless it got the name of an archive.
pub struct Temporary {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Temporary {
    /// Makes and locks an empty file beside `archive` for the log called `log`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(archive: &Path, log: &OsStr) -> io::Result<Self> {
        loop {
            let path = unused_name(archive, log);
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            let temporary = Self { path, file, kept: false };
            // Whoever clears leftovers may have taken it for one before it was locked.
            let locked = inode::lock_exclusive(&temporary.file)?;
            if locked && FileId::at(&temporary.path) == Some(FileId::of(&temporary.file.metadata()?)) {
                return Ok(temporary);
            }
        }
    }

    pub fn file(&mut self) -> &mut File {
        &mut self.file
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

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A hidden name beside `archive` that no other file has; what is left under such a name is cleared at the next start.
pub fn unused_name(archive: &Path, log: &OsStr) -> PathBuf {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mut name = prefix(log);
    name.push(format!("{}-{serial}.tmp", std::process::id()));
    archive.with_file_name(name)
}

/// Deletes the temporary files in `folder` that belong to `log` and that nobody works on any more.
///
/// # Errors
/// When the folder cannot be read, or one of them not be deleted.
pub fn clear_leftovers(folder: &Path, log: &OsStr) -> io::Result<()> {
    let prefix = prefix(log);
    let mut left = Vec::new();
    each_name(folder, |name| {
        let middle = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        let middle = middle.and_then(|rest| rest.strip_suffix(b".tmp"));
        if middle.is_some_and(|middle| middle.iter().all(|b| b.is_ascii_digit() || *b == b'-')) {
            left.push(folder.join(name));
        }
    })?;
    left.iter().try_for_each(|leftover| clear(leftover))
}

fn clear(leftover: &Path) -> io::Result<()> {
    let file = match inode::open_regular(leftover) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if !inode::lock_exclusive(&file)? {
        return Ok(());
    }
    match fs::remove_file(leftover) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn prefix(log: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(log);
    prefix.push(".");
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orphaned_temporary_files_of_this_log_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".app.log.12-0.tmp", ".app.log.x.tmp", ".app.log.lock", "app.log.1", ".other.log.1-1.tmp"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let _in_work = Temporary::create(&folder.path().join("app.log.1"), OsStr::new("app.log")).unwrap();
        clear_leftovers(folder.path(), OsStr::new("app.log")).unwrap();
        assert!(!folder.path().join(".app.log.12-0.tmp").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }

    #[test]
    fn it_goes_when_nobody_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        drop(Temporary::create(&folder.path().join("app.log.1"), OsStr::new("app.log")).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
