//! The archives that lie beside logs, whoever rotated them, as candidates for what is unread.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::inode::FileId;
use crate::rotation::archives::each_name;
use crate::sources::archive_name::{Compression, Order, readings, sort_oldest_first};

use super::candidate::{Candidate, Packed};
use super::log;
use super::unpacking::is_packed;

/// A folder that changes is read so many times at most until it stands still.
const LOOKS: usize = 5;

/// Listings of folders, by the logs that the names in them may be archives of.
#[derive(Default)]
pub struct Siblings {
    folders: HashMap<PathBuf, Listing>,
    /// A name has gone since its folder was listed: what bore it may have another one by now.
    pub moved: bool,
}

/// Of each log the names, with what they tell, and whether they may as well be other logs'.
type Listing = HashMap<OsString, Vec<(OsString, Order, Packed, bool)>>;

impl Siblings {
    /// The archives of the log that stands, or stood, at `place`, the oldest first.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub fn archives(&mut self, place: &Path) -> io::Result<Vec<Candidate>> {
        let (Some(folder), Some(base)) = (place.parent(), place.file_name()) else { return Ok(Vec::new()) };
        if !self.folders.contains_key(folder) {
            self.folders.insert(folder.to_owned(), list(folder)?);
        }
        let names = self.folders.get(folder).and_then(|listing| listing.get(base)).map_or(&[][..], Vec::as_slice);
        let is_there = |name: &OsStr| names.iter().any(|(other, ..)| other == name);
        let mut found: Vec<(&Order, Candidate)> = Vec::new();
        for (name, order, packed, doubtful) in names {
            // While the plain file is there, its packed twin is still being written.
            if *packed != Packed::No && is_there(Path::new(name).with_extension("").as_os_str()) {
                continue;
            }
            let place = folder.join(name);
            let metadata = match fs::symlink_metadata(&place) {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.moved |= error.kind() == io::ErrorKind::NotFound;
                    continue;
                }
            };
            if !metadata.is_file() {
                continue;
            }
            let id = FileId::of(&metadata);
            // On its way from one name to another it may have been seen under both.
            if found.iter().any(|(_, other)| other.id == id) {
                continue;
            }
            let modified = log::modified(&metadata);
            // s6-log's and svlogd's processors may pack, and leave the name as it is; others name what they did not pack.
            let packed = match packed {
                Packed::Otherwise => Packed::Otherwise,
                _ if log::open(&place).is_ok_and(|file| is_packed(&file).unwrap_or(false)) => Packed::Gzip,
                _ => Packed::No,
            };
            let (len, doubtful) = (metadata.len(), *doubtful);
            let born = metadata.created().ok();
            let candidate = Candidate { place, id, len, born, modified, packed, live: false, named: false, doubtful };
            found.push((order, candidate));
        }
        sort_oldest_first(&mut found, |(order, candidate)| (order, candidate.modified));
        Ok(found.into_iter().map(|(_, candidate)| candidate).collect())
    }

    /// Looks anew the next time.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether the archives of the log at `place` still bear the names that were looked at.
    pub fn are_the_same(&self, place: &Path) -> bool {
        let (Some(folder), Some(base)) = (place.parent(), place.file_name()) else { return true };
        let Some(known) = self.folders.get(folder) else { return true };
        list(folder).is_ok_and(|now| now.get(base).map(Vec::as_slice) == known.get(base).map(Vec::as_slice))
    }
}

/// Reads the folder until it gives the same twice: one in which files are being renamed may leave some out.
fn list(folder: &Path) -> io::Result<Listing> {
    let names = || -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        each_name(folder, |name| names.push(name.to_owned()))?;
        names.sort_unstable();
        Ok(names)
    };
    let mut found = names()?;
    for _ in 1..LOOKS {
        let again = names()?;
        if again == found {
            break;
        }
        found = again;
    }
    let mut listing = Listing::new();
    for name in found {
        for reading in readings(&name) {
            let packed = match reading.compressed {
                None => Packed::No,
                Some(Compression::Gzip) => Packed::Gzip,
                Some(Compression::Other) => Packed::Otherwise,
            };
            let doubtful = reading.is_doubtful(&name);
            listing.entry(reading.base).or_default().push((name.clone(), reading.order, packed, doubtful));
        }
    }
    Ok(listing)
}
