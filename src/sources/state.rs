//! What is known of the files that are read, in the form in which a checkpoint keeps it.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::inode::FileId;

use super::position::Position;

/// One file, whatever it is called by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    pub id: FileId,
    /// Where it was last found.
    pub place: PathBuf,
    /// When it was made, where the file system keeps that: an inode is used again, but not with this.
    pub born: Option<SystemTime>,
    /// When it was last written, as far as was seen.
    pub modified: SystemTime,
    /// Whether `offset` counts the bytes that gzip unpacks to.
    pub gzip: bool,
    /// The file began anew after it was cut, so that NULs at its beginning are a hole that its writer left (E2).
    pub cut: bool,
    pub position: Position,
}

impl FileState {
    /// Whether what was found is this file, as far as can be told without reading it.
    pub fn is(&self, found: &Metadata) -> bool {
        self.id == FileId::of(found) && self.is_born_with(found.created().ok())
    }

    /// Whether a file with the same inode that was made then may be this one.
    pub fn is_born_with(&self, born: Option<SystemTime>) -> bool {
        self.born.zip(born).is_none_or(|(one, other)| one == other)
    }
}

/// One log: a name, and the files that bore it one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogState {
    pub path: PathBuf,
    /// What came later is to be read, whatever it is called; what came until then and is not listed here is not.
    pub since: Option<SystemTime>,
    /// What is still to be read, the oldest first. The last one bears the log's name, unless the log is gone.
    pub files: Vec<FileState>,
    /// What was read to its end, the oldest first.
    pub done: Vec<FileState>,
}
