//! Who may roll: an exclusive lock on a side file, taken for the few system calls of a rollover and gone afterwards.
//!
//! The side file (`.app.log.lock`) is unlinked while it is still locked, so whoever got the lock of a file that has no
//! name any more opens it again. What a crash leaves behind is taken over and removed by the next rollover or start.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::inode::{self, FileId};

/// Others hold it for a few renames; this is long.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_micros(500);

/// The right to rename, number and delete the archives of one log.
pub struct RollLock {
    path: PathBuf,
    _file: File,
}

impl RollLock {
    /// Takes the lock; None when another process keeps it for long.
    ///
    /// # Errors
    /// When the side file cannot be made: then nothing could be renamed here either.
    pub fn take(log: &Path) -> io::Result<Option<Self>> {
        let path = side_file(log);
        let give_up = Instant::now() + LONGEST_WAIT;
        loop {
            let mut options = OpenOptions::new();
            options.write(true).create(true).mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
            let file = options.open(&path)?;
            if inode::lock_exclusive(&file)? {
                if FileId::at(&path) == Some(FileId::of(&file.metadata()?)) {
                    return Ok(Some(Self { path, _file: file }));
                }
                // Its last holder removed it between our open and our lock.
                continue;
            }
            if Instant::now() >= give_up {
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Whether a side file lies there, held or left behind.
    pub fn is_present(log: &Path) -> bool {
        side_file(log).symlink_metadata().is_ok()
    }
}

impl Drop for RollLock {
    fn drop(&mut self) {
        // Still locked: nobody else can have taken it over.
        let _ = fs::remove_file(&self.path);
    }
}

fn side_file(log: &Path) -> PathBuf {
    beside(log, "lock")
}

/// A hidden name beside `log`: `.app.log.ROLE`.
pub fn beside(log: &Path, role: &str) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(log.file_name().unwrap_or_default());
    name.push(".");
    name.push(role);
    log.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        let held = RollLock::take(&log).unwrap();
        assert!(held.is_some() && RollLock::is_present(&log));
        assert!(RollLock::take(&log).unwrap().is_none());
        drop(held);
        assert!(!RollLock::is_present(&log));
        assert!(RollLock::take(&log).unwrap().is_some());
    }

    #[test]
    fn what_a_crash_left_behind_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        fs::write(side_file(&log), "").unwrap();
        drop(RollLock::take(&log).unwrap().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
