//! Making room for one more archive, and letting the oldest go (Python's `backupCount`, and bounds by age and bytes).
//!
//! Nothing is ever overwritten: the chain shifts from its far end with renames that fail on a taken name, and what
//! stands in the way and is none of ours is stepped over. Nothing is deleted while somebody still writes to it.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, FixedOffset};

use crate::inode;

use super::archives::{Found, Layout, each_name};
use super::naming::{Naming, Stamp};

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

/// Finds the name for the file that is about to be rolled over, and frees it. Call it under the roll lock.
///
/// `time` is what a name with a time in it shows. The second value says which name was taken, if the first choice was.
///
/// # Errors
/// When the folder cannot be read or an archive cannot be renamed.
pub fn make_room(
    layout: &Layout,
    current: &Path,
    time: DateTime<FixedOffset>,
) -> io::Result<(PathBuf, Option<PathBuf>)> {
    let naming = layout.naming_for(current)?;
    fs::create_dir_all(naming.directory())?;
    match naming.is_chain() {
        true => shift_chain(&naming),
        false => free_name(&naming, time),
    }
}

/// Python's chain: `.1` is the youngest, everything moves up one place as far as the first free one.
fn shift_chain(naming: &Naming) -> io::Result<(PathBuf, Option<PathBuf>)> {
    let stamp = |number| Stamp { time: None, number: Some(number) };
    let mut places = Vec::new();
    let mut taken = None;
    let mut number = 1;
    loop {
        let path = naming.path(&stamp(number));
        let members = [path.clone(), naming.compressed_path(&stamp(number))]
            .into_iter()
            .filter_map(|path| Some((fs::symlink_metadata(&path).ok()?.is_file(), path)))
            .collect::<Vec<_>>();
        number += 1;
        if members.iter().any(|(regular, _)| !regular) {
            // Somebody's folder or symlink: not ours to move, so this number is not ours to use.
            taken.get_or_insert(path);
            continue;
        }
        let free = members.is_empty();
        places.push((number - 1, members));
        if free {
            break;
        }
    }
    for pair in places.windows(2).rev() {
        let (from, to) = (&pair[0], &pair[1]);
        for (_, path) in &from.1 {
            let plain = naming.path(&stamp(from.0));
            let target = if *path == plain { naming.path(&stamp(to.0)) } else { naming.compressed_path(&stamp(to.0)) };
            match inode::rename_no_replace(path, &target) {
                // Deleted by hand in this moment: there is nothing left to move.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                renamed => renamed?,
            }
        }
    }
    let first = places.first().map_or(1, |place| place.0);
    Ok((naming.path(&stamp(first)), taken.filter(|_| first > 1)))
}

/// A name with a time: the next free number behind it, whoever has taken the others.
fn free_name(naming: &Naming, time: DateTime<FixedOffset>) -> io::Result<(PathBuf, Option<PathBuf>)> {
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
            return Ok((path, clash.then(|| naming.path(&stamp(first)))));
        }
        number = Some(number.unwrap_or(0) + 1);
    }
}

/// Deletes one archive, unless somebody still writes to it; says whether it is gone.
///
/// # Errors
/// When it cannot be deleted.
pub fn delete(archive: &Found) -> io::Result<bool> {
    match inode::open_regular(&archive.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        // Not readable for us is no reason to keep it for ever.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(error) => return Err(error),
        Ok(file) => {
            if inode::FileId::of(&file.metadata()?) != archive.id || !inode::lock_exclusive(&file)? {
                return Ok(false);
            }
        }
    }
    match fs::remove_file(&archive.path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(true),
    }
}
