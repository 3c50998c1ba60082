//! How a log file becomes an archive (BaseRotatingHandler.rotate, and its `rotator`).

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use anyhow::{Result, anyhow, bail};

use crate::inode::{self, FileId};

use super::hooks::Hook;
use super::temporary::Temporary;

/// One of three ways.
pub enum Mover {
    Rename,
    /// Python's `rotator`.
    Command(Hook),
    /// For programs that keep the file open and cannot be told to open it anew.
    CopyTruncate,
}

impl Mover {
    /// Makes the file at `log` the archive `target`; false when that name was taken in the meantime.
    ///
    /// # Errors
    /// When it cannot be moved, or a rotator left it where it was.
    pub fn archive(&self, log: &Path, target: &Path) -> Result<bool> {
        let moved = match self {
            Self::Rename => inode::rename_no_replace(log, target),
            Self::CopyTruncate => copy_truncate(log, target),
            Self::Command(rotator) => {
                let before = FileId::at(log);
                rotator.rotate(log, target)?;
                // A rotator that copies must at least empty what it copied.
                match fs::symlink_metadata(log) {
                    Ok(left) if Some(FileId::of(&left)) == before && left.len() > 0 => {
                        bail!("--rotator left it where it is")
                    }
                    _ => Ok(()),
                }
            }
        };
        match moved {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(anyhow!("{}: {}", target.display(), error)),
        }
    }
}

/// Copies to a temporary file, gives the copy its name, and empties the original: the very file that was copied, whatever
/// stands under its name by then.
fn copy_truncate(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = inode::open_regular_for_change(from)?;
    let mut copy = Temporary::create(to, from.file_name().unwrap_or_default())?;
    let metadata = source.metadata()?;
    // Until nothing new came while the last of it was copied: what comes after that is lost.
    while io::copy(&mut source, copy.file())? > 0 {}
    inode::copy_mode_and_owner(&metadata, copy.file())?;
    copy.file().set_modified(metadata.modified()?)?;
    copy.file().sync_all()?;
    copy.keep_as(to)?;
    source.set_len(0)
}
