//! Which files bore a log's name, in which order, and how far each was read: found out anew whenever the name leads to
//! another file, or the file to another content.
//!
//! A file is known by its inode, if it still has what was read of it; else by its content alone, which is how it is
//! found again once it was copied or packed. What nobody knows and is younger than what was read is a generation that
//! came and went unseen.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crate::inode::{self, FileId};
use crate::sources::position::Position;
use crate::sources::state::FileState;

use super::log::{self, Log, Tracked};
use super::unpacking;

/// A file under the log's own name is believed to be a copy of the one before it (an editor's, a backup's) if so many
/// of its first bytes are the same: fewer are easily the same words at the beginning of every file.
const SURE: u64 = 256;

/// File systems and archivers keep times at least this exactly.
const TIME_GRAIN: Duration = Duration::from_secs(1);

/// A file that may be one of the log's.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub place: PathBuf,
    pub id: FileId,
    /// Its length, in bytes as they are on the disk.
    pub len: u64,
    pub modified: SystemTime,
    pub packed: Packed,
    /// Whether the log's name leads to it.
    pub live: bool,
    /// Whether it is to be read though nothing of the log was read before.
    pub named: bool,
}

impl Candidate {
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

/// What became of a log's files.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Bytes that were seen and can never be read, and why.
    pub skipped: Vec<(u64, &'static str)>,
    /// Unread files that are packed in a way that cannot be unpacked here.
    pub unreadable: Vec<PathBuf>,
    /// Something was not found. It may have been on its way from one name to another, so it is to be looked for again.
    pub missing: bool,
    /// Candidates do not stand any more where they were found. Nothing was done: who is who cannot be told.
    pub moved: bool,
}

/// Who a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    File(usize),
    Done(usize),
    /// What this file was packed to, which is still open because it may get late lines.
    Packed(usize),
}

/// Brings `log` up to date. `candidates` are its archives, the oldest first, and at the end what its name leads to.
/// `taken` says which files belong to other logs. Once `confirmed`, what is not found is given up. `moved` is asked
/// when everything was looked at: whether any of it stands somewhere else by now.
pub fn reconcile(
    log: &mut Log,
    candidates: &[Candidate],
    confirmed: bool,
    taken: impl Fn(&Candidate) -> bool,
    moved: impl FnOnce() -> bool,
) -> Outcome {
    let first_sight = log.is_new();
    let mut owners: Vec<Option<Known>> = vec![None; candidates.len()];
    by_identity(log, candidates, &mut owners);
    by_content(log, candidates, &mut owners);
    packed_while_open(log, candidates, &mut owners);
    done_by_content(log, candidates, &mut owners);
    by_order(log, candidates, &mut owners);
    as_replacement(log, candidates, &mut owners);
    let unread = match first_sight {
        true => (0..candidates.len()).filter(|index| candidates[*index].live || candidates[*index].named).collect(),
        false => unread(log, candidates, &owners),
    };
    let mut outcome = Outcome { moved: moved(), ..Outcome::default() };
    if outcome.moved {
        return outcome;
    }
    // What was cut while nobody had it open, as between two runs, is still the same file by its inode.
    let was_cut = |tracked: &&Tracked| tracked.overwritten || tracked.file.is_none();
    let cut = log.files.iter().filter(was_cut).map(|tracked| tracked.state.id).collect::<Vec<_>>();
    settle(log, candidates, &owners, confirmed, &mut outcome);
    for index in unread {
        let candidate = &candidates[index];
        if owners[index].is_some() || taken(candidate) {
            continue;
        }
        if candidate.packed == Packed::Otherwise {
            outcome.unreadable.push(candidate.place.clone());
            continue;
        }
        // How long the text in a packed one is shows only when it is unpacked.
        let seen = if candidate.packed == Packed::Gzip { 0 } else { candidate.len };
        let state = FileState {
            id: candidate.id,
            place: candidate.place.clone(),
            modified: candidate.modified,
            gzip: candidate.packed == Packed::Gzip,
            cut: candidate.live && cut.contains(&candidate.id),
            position: Position { seen, ..Position::default() },
        };
        log.copied &= !candidate.live || state.cut;
        log.files.push_back(Tracked { live: candidate.live, ..Tracked::new(state) });
    }
    // What bears the name is the youngest, also when it was known before what is found only now.
    if let Some(live) = log.files.iter().position(|tracked| tracked.live)
        && let Some(tracked) = log.files.remove(live)
    {
        log.files.push_back(tracked);
    }
    outcome
}

fn by_identity(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (candidate, owner) in candidates.iter().zip(owners) {
        let is_it = |state: &FileState| {
            state.id == candidate.id && state.gzip == (candidate.packed == Packed::Gzip) && still_fits(state, candidate)
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

/// Files of which neither a descriptor nor an inode is left: found under other names by what was read of them.
fn by_content(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (index, tracked) in log.files.iter().enumerate() {
        let lost = tracked.overwritten || tracked.file.is_none();
        // Of a file of which nothing was read, nothing is known.
        if !lost || owners.contains(&Some(Known::File(index))) || tracked.state.position.offset == 0 {
            continue;
        }
        let fits = |candidate: &Candidate| {
            is_as_young(candidate, &tracked.state)
                && (!candidate.live || tracked.state.position.offset >= SURE)
                && fits(&tracked.state.position, candidate, false)
        };
        let free = (0..candidates.len()).find(|at| owners[*at].is_none() && fits(&candidates[*at]));
        if let Some(at) = free {
            owners[at] = Some(Known::File(index));
        }
    }
}

/// Files that were packed and deleted while they are still read: by their descriptors, since late lines are nowhere else.
fn packed_while_open(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (index, tracked) in log.files.iter().enumerate() {
        let orphan = tracked.file.as_ref().filter(|file| !tracked.overwritten && inode::is_deleted(file));
        let Some(orphan) = orphan.filter(|_| !owners.contains(&Some(Known::File(index)))) else { continue };
        let holds_its_beginning = |candidate: &Candidate| {
            let packed = open(candidate).ok().flatten();
            packed.is_some_and(|packed| unpacking::is_beginning_of(packed, orphan).unwrap_or(false))
        };
        let is_it = |candidate: &Candidate| {
            let known = tracked.packed_as.as_ref();
            let same = known.is_some_and(|known| (known.id, known.modified) == (candidate.id, candidate.modified));
            candidate.packed == Packed::Gzip
                && (same || is_as_young(candidate, &tracked.state) && holds_its_beginning(candidate))
        };
        if let Some(at) = (0..candidates.len()).find(|at| owners[*at].is_none() && is_it(&candidates[*at])) {
            owners[at] = Some(Known::Packed(index));
        }
    }
}

/// Files that were read to their end and then packed or copied. They matter only if they would pass for unread ones.
fn done_by_content(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for at in 0..candidates.len() {
        if owners[at].is_some()
            || candidates[at].live
            || youngest_known(candidates, owners).is_some_and(|known| at < known)
        {
            continue;
        }
        let is_it = |index: &usize| {
            let state = &log.done[*index];
            !owners.contains(&Some(Known::Done(*index)))
                && state.position.offset > 0
                && is_as_young(&candidates[at], state)
                && fits(&state.position, &candidates[at], true)
        };
        let found = (0..log.done.len()).find(is_it);
        owners[at] = found.map(Known::Done);
    }
}

/// Files that were packed before anything was read of them: nothing tells who they are but between whom they stand.
fn by_order(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    for (index, tracked) in log.files.iter().enumerate() {
        let untouched = tracked.state.position.offset == 0 && tracked.file.is_none() && !tracked.overwritten;
        if !untouched || owners.contains(&Some(Known::File(index))) {
            continue;
        }
        let at = |known: &Option<Known>, is_before: bool| match known {
            Some(Known::File(other)) => (*other < index) == is_before,
            Some(Known::Done(_) | Known::Packed(_)) => is_before,
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

/// A new file under the log's name that begins with all that was read of the old one, which has no name any more:
/// somebody edited it, and its lines are not to be read again.
fn as_replacement(log: &Log, candidates: &[Candidate], owners: &mut [Option<Known>]) {
    let Some((live, owner)) = candidates.last().zip(owners.last()).filter(|(live, _)| live.live) else { return };
    if owner.is_some() || live.packed != Packed::No {
        return;
    }
    let last = log.files.len().checked_sub(1);
    let known = match last.map(|last| (last, &log.files[last])) {
        Some((last, tracked)) => {
            let orphan = tracked.file.as_ref().filter(|file| !tracked.overwritten && inode::is_deleted(file));
            let same = orphan.is_some_and(|file| {
                let offset = tracked.state.position.offset;
                offset >= SURE && same_beginning(file, live, offset)
            });
            (same && !owners.contains(&Some(Known::File(last)))).then_some(Known::File(last))
        }
        None => {
            let last = log.done.len().checked_sub(1);
            let known = last.filter(|last| {
                let position = &log.done[*last].position;
                !owners.contains(&Some(Known::Done(*last))) && position.offset >= SURE && fits(position, live, false)
            });
            known.map(Known::Done)
        }
    };
    if let Some(owner) = owners.last_mut() {
        *owner = known;
    }
}

/// The candidates that are younger than everything that is known.
fn unread(log: &Log, candidates: &[Candidate], owners: &[Option<Known>]) -> Vec<usize> {
    let known = youngest_known(candidates, owners);
    let same_live = owners.last().is_some_and(|owner| *owner == log.files.len().checked_sub(1).map(Known::File));
    let states = log.files.iter().map(|tracked| &tracked.state).chain(&log.done);
    let newest = states.map(|state| state.modified).max();
    let is_unread = |at: &usize| {
        let candidate = &candidates[*at];
        let younger = match known {
            Some(known) => *at > known,
            // Nothing has happened to the log, so nothing came after it.
            None if same_live => false,
            None => newest.is_none_or(|newest| candidate.modified >= newest),
        };
        candidate.live || (younger && !is_copy(log, candidate))
    };
    (0..candidates.len()).filter(is_unread).collect()
}

/// Somebody's copy of what is being read, under a name that looks like an archive's. If the original is about to be
/// emptied (copytruncate), the copy will be known by what was read of that.
fn is_copy(log: &Log, candidate: &Candidate) -> bool {
    log.files.iter().any(|tracked| {
        let position = &tracked.state.position;
        if tracked.overwritten || position.head.bytes < SURE {
            return false;
        }
        // It may not be finished.
        let is_beginning = || {
            candidate.packed == Packed::No
                && (position.head.bytes..=position.offset).contains(&candidate.len)
                && tracked.file.as_ref().is_some_and(|file| same_beginning(file, candidate, candidate.len))
        };
        is_beginning() || fits(position, candidate, false)
    })
}

fn youngest_known(candidates: &[Candidate], owners: &[Option<Known>]) -> Option<usize> {
    (0..candidates.len()).rev().find(|at| owners[*at].is_some() && !candidates[*at].live)
}

fn is_as_young(candidate: &Candidate, state: &FileState) -> bool {
    candidate.modified.checked_add(TIME_GRAIN).is_none_or(|latest| latest > state.modified)
}

/// Puts the log's files where they were found; what was not found is kept if it is open, or waited for.
fn settle(log: &mut Log, candidates: &[Candidate], owners: &[Option<Known>], confirmed: bool, outcome: &mut Outcome) {
    let found = |known: Known| owners.iter().position(|owner| *owner == Some(known)).map(|at| &candidates[at]);
    let mut files = VecDeque::new();
    // Lines that came late, behind the end of a file that was thought to be done.
    let mut done = VecDeque::new();
    for (index, mut state) in std::mem::take(&mut log.done).into_iter().enumerate() {
        let Some(candidate) = found(Known::Done(index)) else {
            done.push_back(state);
            continue;
        };
        move_to(&mut state, candidate);
        if candidate.live || (candidate.packed == Packed::No && candidate.len > state.position.offset) {
            files.push_back(Tracked { live: candidate.live, ..Tracked::new(state) });
        } else {
            done.push_back(state);
        }
    }
    log.done = done;
    for (index, mut tracked) in std::mem::take(&mut log.files).into_iter().enumerate() {
        if let Some(candidate) = found(Known::File(index)) {
            if candidate.id != tracked.state.id {
                tracked.file = None;
                tracked.inside = Default::default();
                // It was copied whole before it was overwritten.
                log.copied |= std::mem::replace(&mut tracked.overwritten, false);
            }
            move_to(&mut tracked.state, candidate);
            tracked.live = candidate.live;
            tracked.missing = None;
            files.push_back(tracked);
            continue;
        }
        tracked.live = false;
        if let Some(candidate) = found(Known::Packed(index)) {
            let mut packed = tracked.state.clone();
            move_to(&mut packed, candidate);
            tracked.packed_as = Some(packed);
        }
        if !tracked.overwritten && tracked.file.is_some() {
            files.push_back(tracked);
            continue;
        }
        if !tracked.overwritten && !confirmed {
            tracked.missing.get_or_insert_with(Instant::now);
            outcome.missing = true;
            files.push_back(tracked);
            continue;
        }
        let unread = tracked.state.position.unread();
        if unread > 0 {
            outcome
                .skipped
                .push((unread, if tracked.overwritten { "truncated before read" } else { "deleted before read" }));
        }
    }
    log.files = files;
}

fn move_to(state: &mut FileState, candidate: &Candidate) {
    state.id = candidate.id;
    state.place.clone_from(&candidate.place);
    state.modified = candidate.modified;
    state.gzip = candidate.packed == Packed::Gzip;
    if !state.gzip {
        state.position.seen = state.position.seen.max(candidate.len);
    }
}

/// Whether the candidate holds what was read up to `position`; for `exactly`, and nothing more. What cannot be read
/// does not.
fn fits(position: &Position, candidate: &Candidate, exactly: bool) -> bool {
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
fn same_beginning(file: &File, candidate: &Candidate, length: u64) -> bool {
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
fn open(candidate: &Candidate) -> io::Result<Option<File>> {
    let file = log::open(&candidate.place)?;
    Ok((FileId::of(&file.metadata()?) == candidate.id).then_some(file))
}
