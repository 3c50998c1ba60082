//! Making room for one more archive, and letting the oldest go (Python's `backupCount`, and bounds by age and bytes).
//!
//! Nothing is ever overwritten: the chain shifts from its far end with renames that fail on a taken name, and what
//! stands in the way and is none of ours is stepped over. Nothing is deleted while somebody still writes to it.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, FixedOffset};

use crate::inode::{self, FileId};

use super::archives::{Found, Layout, each_name, with_gz};
use super::compress;
use super::naming::{Naming, Stamp};
use super::temporary;

/// Which archives are kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// At most so many; 0 keeps all.
    pub count: u64,
    /// None that was last written longer ago.
    pub max_age: Option<Duration>,
}

impl Retention {
    /// Which of `archives` (oldest first) are too many or too old.
    pub fn surplus<'a>(&self, archives: &'a [Found], now: SystemTime) -> Vec<&'a Found> {
        // A log and its half-replaced compressed twin are one archive.
        let mut kept = 0;
        let mut younger: Option<&Found> = None;
        let mut surplus = Vec::new();
        for archive in archives.iter().rev() {
            kept += u64::from(!younger.is_some_and(|younger| younger.is_twin_of(archive)));
            younger = Some(archive);
            let too_many = self.count > 0 && kept > self.count;
            let too_old =
                self.max_age.is_some_and(|age| now.duration_since(archive.modified).is_ok_and(|passed| passed > age));
            if too_many || too_old {
                surplus.push(archive);
            }
        }
        surplus.reverse();
        surplus
    }
}

/// The oldest of `archives` whose lengths come to `excess` bytes.
pub fn oldest_of<'a>(archives: impl IntoIterator<Item = &'a Found>, excess: u64) -> Vec<&'a Found> {
    let mut freed = 0;
    archives
        .into_iter()
        .take_while(|archive| {
            let wanted = freed < excess;
            freed += archive.len;
            wanted
        })
        .collect()
}

/// The room for one more archive.
pub struct Room {
    /// The name that is free, or will be after the moves.
    pub target: PathBuf,
    /// What moves up the chain, the oldest first.
    pub moves: Vec<(PathBuf, PathBuf)>,
    /// The name that would have been the first choice, if something else stands there.
    pub taken: Option<PathBuf>,
}

/// Finds the name for the file that is about to be rolled over; `time` is what a name with a time in it shows.
///
/// # Errors
/// When the folder cannot be read.
pub fn find_room(layout: &Layout, current: &Path, time: DateTime<FixedOffset>) -> io::Result<Room> {
    let naming = layout.naming_for(current)?;
    match naming.is_chain() {
        true => Ok(room_in_chain(&naming)),
        false => free_name(&naming, time),
    }
}

/// Finds the name and frees it. Call it under the roll lock.
///
/// # Errors
/// When the folder cannot be read or made, or an archive cannot be renamed.
pub fn make_room(layout: &Layout, current: &Path, time: DateTime<FixedOffset>) -> io::Result<Room> {
    fs::create_dir_all(layout.naming_for(current)?.directory())?;
    let room = find_room(layout, current, time)?;
    for (from, to) in &room.moves {
        // A crash left a plain file beside its compressed twin: moved one after the other, they could be parted by
        // another crash, and every line would be there twice.
        let twin = with_gz(from);
        if room.moves.iter().any(|(other, _)| *other == twin) && is_twin(from, &twin).unwrap_or(false) {
            fs::remove_file(from)?;
            continue;
        }
        match inode::rename_no_replace(from, to) {
            // Deleted by hand in this moment: there is nothing left to move.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            renamed => renamed?,
        }
    }
    Ok(room)
}

/// Whether the two files hold the same, one of them compressed.
///
/// # Errors
/// When one of them is no regular file, or cannot be read.
pub fn is_twin(plain: &Path, compressed: &Path) -> io::Result<bool> {
    compress::is_twin(&inode::open_regular(plain)?, &inode::open_regular(compressed)?)
}

/// Python's chain: `.1` is the youngest, and everything moves up one place as far as the first free one.
fn room_in_chain(naming: &Naming) -> Room {
    let names = |number| {
        let stamp = Stamp { time: None, number: Some(number) };
        [naming.path(&stamp), naming.compressed_path(&stamp)]
    };
    let mut places = Vec::new();
    let mut taken = None;
    for number in 1.. {
        let there = names(number).map(|path| fs::symlink_metadata(path).ok());
        if there.iter().flatten().any(|metadata| !metadata.is_file()) {
            // Somebody's folder or symlink: not ours to move, so this number is not ours to use.
            taken.get_or_insert(number);
            continue;
        }
        places.push(number);
        if there.iter().all(Option::is_none) {
            break;
        }
    }
    let mut moves = Vec::new();
    for pair in places.windows(2).rev() {
        let exists = |path: &PathBuf| fs::symlink_metadata(path).is_ok();
        moves.extend(names(pair[0]).into_iter().zip(names(pair[1])).filter(|(from, _)| exists(from)));
    }
    let [target, _] = names(places[0]);
    let taken = taken.filter(|taken| *taken < places[0]).map(|taken| names(taken)[0].clone());
    Room { target, moves, taken }
}

/// A name with a time: the next free number behind it, whoever has taken the others.
fn free_name(naming: &Naming, time: DateTime<FixedOffset>) -> io::Result<Room> {
    let stamp = |number| Stamp { time: Some(time), number };
    let first = if naming.has_number() { Some(1) } else { None };
    let mut number = first;
    let mut highest = None;
    // Numbers grow with time, so look beyond the highest that this time has, not for the first gap.
    let wanted = naming.path(&stamp(None));
    each_name(naming.directory(), |name| {
        if let Some(archive) = naming.parse(name)
            && naming.path(&Stamp { number: None, ..archive.stamp }) == wanted
        {
            highest = highest.max(Some(archive.stamp.number.unwrap_or(0)));
        }
    })?;
    if let Some(highest) = highest {
        number = Some(highest + 1);
    }
    loop {
        let path = naming.path(&stamp(number));
        let taken =
            [&path, &naming.compressed_path(&stamp(number))].into_iter().any(|path| fs::symlink_metadata(path).is_ok());
        if !taken {
            let clash = number != first && !naming.has_number();
            let taken = clash.then(|| naming.path(&stamp(first)));
            return Ok(Room { target: path, moves: Vec::new(), taken });
        }
        number = Some(number.unwrap_or(0) + 1);
    }
}

/// Takes an archive out of the log's names, unless somebody still writes to it; where it is now, to be deleted.
/// `unwritten` says that we hold its lock ourselves.
///
/// Call it under the roll lock: only there do names and files belong together. Deleting itself may take long and needs
/// no lock; what a crash leaves is cleared at the next start.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(archive: &Found, log: &OsStr, unwritten: bool) -> io::Result<Option<PathBuf>> {
    match inode::open_regular(&archive.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // Not readable for us is no reason to keep it for ever.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(error) => return Err(error),
        Ok(file) => {
            if FileId::of(&file.metadata()?) != archive.id || !(unwritten || inode::lock_exclusive(&file)?) {
                return Ok(None);
            }
        }
    }
    temporary::set_aside(&archive.path, log).map(Some)
}
