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
            let path = new_name(archive, log);
            let file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file?,
            };
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

/// Gives `archive` a hidden name, to be deleted from there; what is left under such a name is cleared at the next start.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(archive: &Path, log: &OsStr) -> io::Result<PathBuf> {
    loop {
        let aside = new_name(archive, log);
        match inode::rename_no_replace(archive, &aside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            renamed => return renamed.map(|()| aside),
        }
    }
}

/// A hidden name beside `archive` that this process has not used yet. Another one may have: on a shared volume there are
/// as many processes of one number as there are containers.
fn new_name(archive: &Path, log: &OsStr) -> PathBuf {
    let mut name = prefix(log);
    name.push(format!("{}.tmp", mark()));
    archive.with_file_name(name)
}

/// Digits that no other call in this process gives.
pub fn mark() -> String {
    format!("{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed))
}

static SERIAL: AtomicU64 = AtomicU64::new(0);

/// Whether it is what [`mark`] gives, here or elsewhere.
pub fn is_mark(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-')
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
        if middle.is_some_and(is_mark) {
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
    fn names_that_another_process_of_our_number_took_are_stepped_over() {
        let folder = tempfile::tempdir().unwrap();
        let (archive, log) = (folder.path().join("app.log.1"), OsStr::new("app.log"));
        fs::write(&archive, "x").unwrap();
        let next = SERIAL.load(Ordering::Relaxed);
        let taken = |serial| folder.path().join(format!(".app.log.{}-{serial}.tmp", std::process::id()));
        (next..next + 100).for_each(|serial| fs::write(taken(serial), "another's").unwrap());
        let aside = set_aside(&archive, log).unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), "x");
        assert!(!archive.exists());
        let next = SERIAL.load(Ordering::Relaxed);
        (next..next + 100).for_each(|serial| fs::write(taken(serial), "another's").unwrap());
        Temporary::create(&archive, log).unwrap();
    }

    #[test]
    fn it_goes_when_nobody_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        drop(Temporary::create(&folder.path().join("app.log.1"), OsStr::new("app.log")).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
