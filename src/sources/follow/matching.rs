//! Who is who: which of the files that were found is which of those that are known of a log.
//!
//! A file is known by its inode, if it still has what was read of it; else by its content alone, which is how it is
//! found again once it was copied or packed.

use std::io;
use std::time::Duration;

use crate::inode;
use crate::sources::state::FileState;

use super::candidate::{Candidate, Packed, SURE, fits, is_copy, open, same_beginning};
use super::log::{Log, Tracked};

/// File systems and archivers keep times at least this exactly.
const TIME_GRAIN: Duration = Duration::from_secs(1);

/// Who a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    File(usize),
    Done(usize),
    /// It has nothing that this file, which is open, has not: somebody copied or packed that.
    Copy(usize),
}

/// What is known of each candidate.
pub fn who_is_who(log: &Log, candidates: &[Candidate]) -> Vec<Option<Known>> {
    let mut owners = vec![None; candidates.len()];
    by_identity(log, candidates, &mut owners);
    copies_of_open(log, candidates, &mut owners);
    by_content(log, candidates, &mut owners);
    done_by_content(log, candidates, &mut owners);
    by_order(log, candidates, &mut owners);
    as_replacement(log, candidates, &mut owners);
    owners
}

fn by_identity(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (candidate, owner) in candidates.iter().zip(owners) {
        let is_it = |state: &FileState| {
            state.id == candidate.id
                && state.is_born_with(candidate.born)
                && state.gzip == (candidate.packed == Packed::Gzip)
                && still_fits(state, candidate)
        };
        let file = log.files.iter().position(|tracked| !tracked.overwritten && is_it(&tracked.state));
        *owner = file.map(Known::File).or_else(|| log.done.iter().position(is_it).map(Known::Done));
    }
}

fn still_fits(state: &FileState, candidate: &Candidate) -> bool {
    if matches!(open(candidate), Err(error) if error.kind() == io::ErrorKind::PermissionDenied) {
        // It may be readable again tomorrow, and is not to be read from its beginning then.
        return true;
    }
    // Nobody changes what is packed, and unpacking takes long.
    match state.gzip {
        true => state.modified == candidate.modified || fits(&state.position, candidate, false),
        false => fits(&state.position, candidate, false),
    }
}

/// Archives that hold nothing but the beginning of a file that is open: somebody copied it, or packed and deleted it while
/// it is read by its descriptor, as late lines are nowhere else. A copy may not be finished.
fn copies_of_open(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (candidate, owner) in
        candidates.iter().zip(owners).filter(|(candidate, owner)| !candidate.live && owner.is_none())
    {
        let is_copy_of = |tracked: &Tracked| {
            let known = tracked.packed_as.as_ref();
            known.is_some_and(|known| (known.id, known.modified) == (candidate.id, candidate.modified))
                || tracked.file.as_ref().is_some_and(|file| is_copy(candidate, file).unwrap_or(false))
        };
        let original = log.files.iter().position(|tracked| {
            !tracked.overwritten && !tracked.state.gzip && is_as_young(candidate, &tracked.state) && is_copy_of(tracked)
        });
        *owner = original.map(Known::Copy);
    }
}

/// Files whose inode is gone, or has another content: found under other names by what was read of them. One that is open
/// may have been replaced under its name by an editor, whose lines are not to be read again.
fn by_content(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (index, tracked) in log.files.iter().enumerate() {
        let position = &tracked.state.position;
        // Of a file of which nothing was seen, nothing is known.
        if owners.contains(&Some(Known::File(index))) || position.head.bytes == 0 {
            continue;
        }
        let own = tracked.file.as_ref().filter(|_| !tracked.overwritten && !tracked.state.gzip);
        let is_it = |candidate: &Candidate| {
            let sure = !candidate.live || position.offset >= SURE;
            sure && is_as_young(candidate, &tracked.state)
                && match own {
                    // What it was replaced by may have been renamed or packed before anybody looked.
                    Some(file) if !candidate.live && !inode::is_deleted(file) => false,
                    Some(_) if position.offset < SURE => false,
                    Some(file) if candidate.packed == Packed::No => same_beginning(file, candidate, position.offset),
                    _ => fits(position, candidate, false),
                }
        };
        let free = (0..candidates.len()).find(|at| owners[*at].is_none() && is_it(&candidates[*at]));
        if let Some(at) = free {
            owners[at] = Some(Known::File(index));
        }
    }
}

/// Files that were read to their end and then packed or copied, and would pass for unread ones.
fn done_by_content(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for at in 0..candidates.len() {
        if owners[at].is_some() || candidates[at].live {
            continue;
        }
        let is_it = |index: &usize| {
            let state = &log.done[*index];
            !owners.contains(&Some(Known::Done(*index)))
                && state.position.offset > 0
                && is_as_young(&candidates[at], state)
                && (fits(&state.position, &candidates[at], true)
                    || is_sure(&candidates[at], state) && fits(&state.position, &candidates[at], false))
        };
        let found = (0..log.done.len()).find(is_it);
        owners[at] = found.map(Known::Done);
    }
}

/// Files that were packed before anything was read of them: nothing tells who they are but between whom they stand.
fn by_order(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (index, tracked) in log.files.iter().enumerate() {
        let untouched = tracked.state.position.head.bytes == 0 && tracked.file.is_none() && !tracked.overwritten;
        if !untouched || owners.contains(&Some(Known::File(index))) {
            continue;
        }
        let at = |known: &Option<Known>, is_before: bool| match known {
            Some(Known::File(other)) => (*other < index) == is_before,
            Some(Known::Done(_) | Known::Copy(_)) => is_before,
            None => false,
        };
        let from = owners.iter().rposition(|known| at(known, true)).map_or(0, |at| at + 1);
        let to = owners.iter().position(|known| at(known, false)).unwrap_or(candidates.len());
        let is_it = |at: &usize| {
            let candidate = &candidates[*at];
            owners[*at].is_none()
                && !candidate.live
                && candidate.packed == Packed::Gzip
                && is_as_young(candidate, &tracked.state)
                && !log.done.iter().any(|state| state.position.offset > 0 && fits(&state.position, candidate, true))
        };
        if let Some(at) = (from..to).find(is_it) {
            owners[at] = Some(Known::File(index));
        }
    }
}

/// Whether a candidate with more than was read can be the same file, to which a line came late before it was packed.
fn is_sure(candidate: &Candidate, state: &FileState) -> bool {
    let mut packed = state.place.clone().into_os_string();
    packed.push(".gz");
    state.position.offset >= SURE || candidate.place.as_os_str() == packed
}

/// A new file under the log's name that begins with all that was read of the one before, and done: an editor's, too.
fn as_replacement(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    let Some((live, owner)) = candidates.last().zip(owners.last()).filter(|(live, _)| live.live) else { return };
    if owner.is_some() || live.packed != Packed::No || !log.files.is_empty() {
        return;
    }
    let last = log.done.len().checked_sub(1);
    let known = last.map(Known::Done).filter(|known| !owners.contains(&Some(*known)));
    let position = log.done.back().map(|state| state.position);
    let same = position.is_some_and(|position| position.offset >= SURE && fits(&position, live, false));
    if let Some(owner) = owners.last_mut() {
        *owner = known.filter(|_| same);
    }
}

fn is_as_young(candidate: &Candidate, state: &FileState) -> bool {
    candidate.modified.checked_add(TIME_GRAIN).is_none_or(|latest| latest > state.modified)
}
