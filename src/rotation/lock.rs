//! Who may roll: an exclusive lock on a side file, taken for the few system calls of a rollover and gone afterwards.
//!
//! The side file (`.app.log.lock`) is unlinked while it is still locked, so whoever got the lock of a file that has no
//! name any more opens it again. What a crash leaves behind is taken over and removed by the next rollover or start.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::inode::{self, FileId};

/// Others hold it for a few renames; this is long.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
/// Between two looks, at first and at last.
const PAUSES: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(5));
/// A side file that we may not open and that is older than this was not just made, but left behind.
const NEW: Duration = Duration::from_secs(60);

/// The right to rename, number and delete the archives of one log.
pub struct RollLock {
    path: PathBuf,
    _file: File,
}

impl RollLock {
    /// Takes the lock; None when another process keeps it for long.
    ///
    /// # Errors
    /// When the side file cannot be made: then nothing could be renamed here either. Or when one lies there that we may
    /// not open, and has for long.
    pub fn take(log: &Path) -> io::Result<Option<Self>> {
        let path = side_file(log);
        let give_up = Instant::now() + LONGEST_WAIT;
        let (mut pause, longest) = PAUSES;
        loop {
            match open(&path, log)? {
                Some(file) if inode::lock_exclusive(&file)? => {
                    if FileId::at(&path) == Some(FileId::of(&file.metadata()?)) {
                        return Ok(Some(Self { path, _file: file }));
                    }
                    // Its last holder removed it between our open and our lock.
                    continue;
                }
                _ => {}
            }
            if Instant::now() >= give_up {
                return Ok(None);
            }
            thread::sleep(pause);
            pause = longest.min(pause * 2);
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

/// Opens the side file, and makes it if need be, for whoever may write the log; None when somebody else has it who did
/// not make it for us.
fn open(path: &Path, log: &Path) -> io::Result<Option<File>> {
    let no_link = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    loop {
        match OpenOptions::new().write(true).create_new(true).custom_flags(no_link).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                if let Ok(like) = fs::metadata(log) {
                    // What we may not give away is still a lock for us.
                    let _ = inode::copy_mode_and_owner(&like, &file);
                }
                return Ok(Some(file));
            }
        }
        match OpenOptions::new().write(true).custom_flags(no_link).open(path) {
            // Its holder has just removed it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => match age(path) {
                None => {}
                // Another user's, or not yet given our group.
                Some(age) if age < NEW => return Ok(None),
                Some(_) => {
                    let why = format!("{}: {error}: left behind, so remove it", path.display());
                    return Err(io::Error::new(error.kind(), why));
                }
            },
            opened => return opened.map(Some),
        }
    }
}

/// How long ago it was made, which may be still to come; None when it is gone.
fn age(path: &Path) -> Option<Duration> {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    Some(modified.elapsed().unwrap_or_default())
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
    fn whoever_may_write_the_log_may_open_the_side_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        fs::write(&log, "x\n").unwrap();
        fs::set_permissions(&log, fs::Permissions::from_mode(0o664)).unwrap();
        let _held = RollLock::take(&log).unwrap().unwrap();
        assert_eq!(fs::metadata(side_file(&log)).unwrap().permissions().mode() & 0o777, 0o664);
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
