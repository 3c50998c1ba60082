//! A file that may be one of a log's, and whether it holds what was read, or is a copy.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::inode::FileId;
use crate::sources::position::Position;
use crate::sources::state::FileState;

use super::log;
use super::unpacking;

/// A file under the log's own name is believed to be a copy of the one before it (an editor's, a backup's) if so many
/// of its first bytes are the same: fewer are easily the same words at the beginning of every file.
pub const SURE: u64 = 256;

/// A file that may be one of the log's.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub place: PathBuf,
    pub id: FileId,
    /// Its length, in bytes as they are on the disk.
    pub len: u64,
    /// When it was made, where the file system keeps that.
    pub born: Option<SystemTime>,
    pub modified: SystemTime,
    pub packed: Packed,
    /// Whether the log's name leads to it.
    pub live: bool,
    /// Whether it is to be read though nothing of the log was read before.
    pub named: bool,
    /// Whether its name may as well be that of another log.
    pub doubtful: bool,
}

impl Candidate {
    /// When it became what it is: a plain file is made, and what packs one keeps the time when that was last written.
    pub fn came(&self) -> SystemTime {
        self.born.filter(|_| self.packed == Packed::No).unwrap_or(self.modified)
    }

    /// Whether it became what it is later, and has lines from later: what is older may have been brought here, or
    /// unpacked.
    pub fn came_after(&self, time: SystemTime) -> bool {
        self.came() > time && self.modified >= time
    }

    /// Its state when it was read so far.
    pub fn state(&self, position: Position) -> FileState {
        FileState {
            id: self.id,
            place: self.place.clone(),
            born: self.born,
            modified: self.modified,
            gzip: self.packed == Packed::Gzip,
            cut: false,
            position,
        }
    }

    /// Whether its name leads to another file, or to none, by now.
    pub fn has_moved(&self) -> bool {
        fs::metadata(&self.place).map_or(true, |metadata| FileId::of(&metadata) != self.id)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    No,
    Gzip,
    /// In a way that cannot be unpacked here.
    Otherwise,
}

/// A short one is believed to be a copy only if it is younger than the file: it may be the same words at the beginning
/// of an older one.
pub fn is_copy(candidate: &Candidate, file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    let sure = candidate.len >= SURE || metadata.created().is_ok_and(|created| candidate.modified >= created);
    Ok(match candidate.packed {
        Packed::No => {
            let alike = candidate.len > 0 && candidate.len <= metadata.len();
            alike && sure && same_beginning(file, candidate, candidate.len)
        }
        Packed::Gzip => match open(candidate)? {
            Some(packed) => sure && unpacking::is_beginning_of(packed, file)?,
            None => false,
        },
        Packed::Otherwise => false,
    })
}

/// Whether the candidate holds what was read up to `position`; for `exactly`, and nothing more. What cannot be read
/// does not.
pub fn fits(position: &Position, candidate: &Candidate, exactly: bool) -> bool {
    let Ok(Some(file)) = open(candidate) else { return false };
    match candidate.packed {
        Packed::No => {
            let length = if exactly { candidate.len == position.offset } else { candidate.len >= position.offset };
            length && position.fits(&file).unwrap_or(false)
        }
        Packed::Gzip => unpacking::fits(file, position, exactly).unwrap_or(false),
        Packed::Otherwise => false,
    }
}

/// Whether the first `length` bytes of both are the same.
pub fn same_beginning(file: &File, candidate: &Candidate, length: u64) -> bool {
    const BLOCK: u64 = 64 * 1024;
    let compare = || -> io::Result<bool> {
        let Some(other) = open(candidate)? else { return Ok(false) };
        let mut at = 0;
        let (mut ours, mut theirs) = (vec![0; BLOCK as usize], vec![0; BLOCK as usize]);
        while at < length {
            let most = (length - at).min(BLOCK) as usize;
            file.read_exact_at(&mut ours[..most], at)?;
            other.read_exact_at(&mut theirs[..most], at)?;
            if ours[..most] != theirs[..most] {
                return Ok(false);
            }
            at += most as u64;
        }
        Ok(true)
    };
    compare().unwrap_or(false)
}

/// Opens it, unless another file stands there by now.
pub fn open(candidate: &Candidate) -> io::Result<Option<File>> {
    let file = log::open(&candidate.place)?;
    Ok((FileId::of(&file.metadata()?) == candidate.id).then_some(file))
}
