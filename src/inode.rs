//! What only Unix has: device and inode, modes and owners, advisory locks, and a rename that never overwrites.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::str::FromStr;

use nix::unistd::{Group, User};
use rustix::fs::{CWD, FlockOperation, Mode, RenameFlags, SeekFrom};
use thiserror::Error;

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    pub device: u64,
    pub inode: u64,
}

impl FileId {
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// The file that `path` leads to, symlinks not followed; None when there is none.
    pub fn at(path: &Path) -> Option<Self> {
        fs::symlink_metadata(path).ok().as_ref().map(Self::of)
    }
}

/// Takes the shared lock that says "somebody writes here". False when somebody is about to compress or delete it.
pub fn lock_shared(file: &File) -> io::Result<bool> {
    lock(file, FlockOperation::NonBlockingLockShared)
}

/// Takes the lock that says "nobody else may"; false when somebody holds one.
pub fn lock_exclusive(file: &File) -> io::Result<bool> {
    lock(file, FlockOperation::NonBlockingLockExclusive)
}

/// A file system without locks gives every lock: there, one writer alone is safe.
fn lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    use rustix::io::Errno;
    loop {
        return match rustix::fs::flock(file, operation) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(Errno::INTR) => continue,
            Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(true),
            Err(error) => Err(error.into()),
        };
    }
}

/// Renames without ever replacing what stands at `to`.
///
/// # Errors
/// `AlreadyExists` when something does; else what rename(2) says.
pub fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::io::Errno;
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(()),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
        Err(error) => return Err(error.into()),
    }
    // A file system that cannot promise it (NFS and its like): a hard link can be made only under a free name.
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Opens a file that must be a regular one, not through a symlink, and never waits (as a FIFO would make us).
pub fn open_regular(path: &Path) -> io::Result<File> {
    open_regular_as(path, OpenOptions::new().read(true))
}

/// The same for reading and writing.
pub fn open_regular_for_change(path: &Path) -> io::Result<File> {
    open_regular_as(path, OpenOptions::new().read(true).write(true))
}

fn open_regular_as(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits() as i32).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Whether there is no space, no quota, or no larger file allowed: it may well be otherwise a little later.
pub fn is_full(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(Errno::from_io_error(error), Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG))
}

/// Whether no name leads to the open file any more, so that nobody will read what is written there.
pub fn is_deleted(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// How long the file is if it ends in mid-line; None if it does not.
///
/// While somebody appends, the kernel shows how far it has come, which is in mid-line most of the time. Looking for a
/// hole waits for the write that is under way, so what has not grown by then is torn for good.
pub fn torn_at(file: &File) -> io::Result<Option<u64>> {
    use std::os::unix::fs::FileExt;
    loop {
        let len = file.metadata()?.len();
        let Some(last) = len.checked_sub(1) else { return Ok(None) };
        let mut byte = [0];
        if file.read_at(&mut byte, last)? == 1 && byte == *b"\n" {
            return Ok(None);
        }
        // Where nobody knows of holes, the two looks are all there is.
        let _ = rustix::fs::seek(file, SeekFrom::Hole(0));
        if file.metadata()?.len() == len {
            return Ok(Some(len));
        }
    }
}

/// An owner, a group, or both: `user`, `user:group`, `:group`, by name or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    user: Option<u32>,
    group: Option<u32>,
}

/// An owner that this machine does not know.
#[derive(Debug, Error)]
#[error("'{0}' is no owner here: USER, USER:GROUP or :GROUP, by name or number")]
pub struct UnknownOwner(String);

impl FromStr for Owner {
    type Err = UnknownOwner;

    fn from_str(text: &str) -> Result<Self, UnknownOwner> {
        let unknown = || UnknownOwner(text.to_owned());
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        if user.is_empty() && group.is_empty() {
            return Err(unknown());
        }
        let number = |name: &str, look_up: &dyn Fn(&str) -> Option<u32>| match name {
            "" => Ok(None),
            _ => name.parse().ok().or_else(|| look_up(name)).map(Some).ok_or_else(unknown),
        };
        Ok(Self {
            user: number(user, &|name| Some(User::from_name(name).ok()??.uid.as_raw()))?,
            group: number(group, &|name| Some(Group::from_name(name).ok()??.gid.as_raw()))?,
        })
    }
}

/// Gives `file` to `owner`.
pub fn set_owner(file: &File, owner: Owner) -> io::Result<()> {
    std::os::unix::fs::fchown(file, owner.user, owner.group)
}

/// Sets exactly these permission bits, whatever the umask.
pub fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?)
}

/// Gives `to` the mode and, as far as we may, the owner of the file that `like` describes.
pub fn copy_mode_and_owner(like: &Metadata, to: &File) -> io::Result<()> {
    let now = to.metadata()?;
    if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
        // Only root may give files away; the group may be one of ours.
        let owner = Owner { user: Some(like.uid()), group: Some(like.gid()) };
        if set_owner(to, owner).is_err() {
            let _ = set_owner(to, Owner { user: None, group: Some(like.gid()) });
        }
    }
    match like.mode() & 0o7777 {
        mode if mode == to.metadata()?.mode() & 0o7777 => Ok(()),
        mode => set_mode(to, mode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_names_or_numbers() {
        assert_eq!("0".parse::<Owner>().unwrap(), Owner { user: Some(0), group: None });
        assert_eq!("root:0".parse::<Owner>().unwrap(), Owner { user: Some(0), group: Some(0) });
        assert_eq!(":12".parse::<Owner>().unwrap(), Owner { user: None, group: Some(12) });
        assert!(":".parse::<Owner>().is_err());
        assert!("nobody-of-that-name".parse::<Owner>().is_err());
    }

    #[test]
    fn a_taken_name_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        assert_eq!(rename_no_replace(&from, &to).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        fs::remove_file(&to).unwrap();
        rename_no_replace(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "new");
    }
}
