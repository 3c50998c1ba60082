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
    fn came(&self) -> SystemTime {
        self.born.filter(|_| self.packed == Packed::No).unwrap_or(self.modified)
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

/// What became of a log's files.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Bytes that were seen and can never be read, and why.
    pub skipped: Vec<Skipped>,
    /// Unread files that are packed in a way that cannot be unpacked here.
    pub unreadable: Vec<PathBuf>,
    /// Candidates do not stand any more where they were found. Nothing was done: who is who cannot be told.
    pub moved: bool,
}

/// Bytes that can never be read.
#[derive(Debug)]
pub struct Skipped {
    pub bytes: u64,
    pub why: &'static str,
    /// Nothing of the file was read.
    all: bool,
}

/// Who a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    File(usize),
    Done(usize),
    /// It has nothing that this file, which is open, has not: somebody copied or packed that.
    Copy(usize),
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
    notice_overwriting(log, candidates);
    let mut owners: Vec<Option<Known>> = vec![None; candidates.len()];
    by_identity(log, candidates, &mut owners);
    copies_of_open(log, candidates, &mut owners);
    by_content(log, candidates, &mut owners);
    done_by_content(log, candidates, &mut owners);
    by_order(log, candidates, &mut owners);
    as_replacement(log, candidates, &mut owners);
    let mut unread: Vec<usize> = match first_sight {
        true => {
            // It may have been rotated before anybody saw it; but what is old was only brought here.
            let is_new = |found: &Candidate, since| found.came().min(found.modified) > since && !found.doubtful;
            let came_since = |found: &Candidate| log.since.is_some_and(|since| is_new(found, since));
            let is_wanted = |found: &Candidate| found.live || found.named || came_since(found);
            (0..candidates.len()).filter(|index| is_wanted(&candidates[*index])).collect()
        }
        false => unread(log, candidates, &owners),
    };
    // A log that nobody has opened yet may be copied just now, to be emptied then.
    let new_live = candidates.last().filter(|live| live.live && owners.last() == Some(&None));
    if let Some(file) = new_live.and_then(|live| open(live).ok().flatten()) {
        unread.retain(|at| candidates[*at].live || !is_copy(&candidates[*at], &file).unwrap_or(false));
    }
    // One that is cut in between has neither its own content nor a copy of it.
    let mut outcome = Outcome { moved: moved() || notice_overwriting(log, candidates), ..Outcome::default() };
    if outcome.moved {
        return outcome;
    }
    if first_sight || log.since.is_none() {
        // An archive may be packed later, and has then the time of its last line.
        let last = |found: &Candidate| if found.live { found.came() } else { found.came().max(found.modified) };
        log.since = candidates.iter().map(last).max();
    }
    // What was cut while nobody had it open, as between two runs, is still the same file by its inode.
    let was_cut = |tracked: &&Tracked| tracked.overwritten || tracked.file.is_none();
    let cut = log.files.iter().filter(was_cut).map(|tracked| tracked.state.id).collect::<Vec<_>>();
    // A file of which nothing was read may have been copied before it was cut.
    let may_be_copied = unread.iter().any(|index| !candidates[*index].live && owners[*index].is_none());
    settle(log, candidates, &owners, confirmed, &mut outcome);
    outcome.skipped.retain(|skipped| !(skipped.all && may_be_copied));
    for index in unread {
        let candidate = &candidates[index];
        // One that was renamed meanwhile may be known: it was not there to be compared.
        if owners[index].is_some() || taken(candidate) || candidate.has_moved() {
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
            born: candidate.born,
            modified: candidate.modified,
            gzip: candidate.packed == Packed::Gzip,
            cut: cut.contains(&candidate.id),
            position: Position { seen, ..Position::default() },
        };
        log.copied &= !candidate.live || state.cut;
        log.files.push_back(Tracked { live: candidate.live, ..Tracked::new(state) });
    }
    // The oldest first, whoever was found how; but what was begun in mid-line is finished before.
    if let Some(torn) = log.files.iter().position(|tracked| tracked.inside.is_torn()) {
        let torn = log.files.remove(torn);
        torn.into_iter().for_each(|torn| log.files.push_front(torn));
    } else {
        let place_of = |state: &FileState| candidates.iter().position(|found| found.id == state.id);
        let mut last = 0;
        let mut age = |tracked: &Tracked| {
            let packed = || tracked.packed_as.as_ref().and_then(place_of);
            // One without a name stays behind the one before it.
            last = place_of(&tracked.state).or_else(packed).map_or(last, |at| at + 1);
            last
        };
        let ages: Vec<usize> = log.files.iter().map(&mut age).collect();
        let mut files: Vec<(usize, Tracked)> = ages.into_iter().zip(log.files.drain(..)).collect();
        files.sort_by_key(|(age, _)| *age);
        log.files.extend(files.into_iter().map(|(_, tracked)| tracked));
    }
    outcome
}

/// A file may be cut and have its copy beside it before anybody came to read on in it. Says whether there is one of which
/// that was not known.
fn notice_overwriting(log: &mut Log, candidates: &[Candidate]) -> bool {
    let mut any = false;
    for tracked in log.files.iter_mut().filter(|tracked| !tracked.state.gzip) {
        let FileState { id, position, .. } = &tracked.state;
        let fits = tracked.file.as_ref().map(|file| position.fits(file));
        // Of a file of which nothing was read, only its length can tell.
        let shorter =
            position.head.bytes == 0 && candidates.iter().any(|found| found.id == *id && found.len < position.seen);
        let overwritten = shorter || matches!(fits, Some(Ok(false)));
        any |= overwritten && !tracked.overwritten;
        tracked.overwritten |= overwritten;
    }
    any
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

/// A short one is believed to be a copy only if it is younger than the file: it may be the same words at the beginning
/// of an older one.
fn is_copy(candidate: &Candidate, file: &File) -> io::Result<bool> {
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

/// The candidates that came after everything that is known, or after the log was seen first: all that was there then and is
/// not known was not to be read.
fn unread(log: &Log, candidates: &[Candidate], owners: &[Option<Known>]) -> Vec<usize> {
    let known = youngest_known(candidates, owners);
    // Whose number is it in web.2.log? The log's own only if one of its files got such a name before.
    let doubtful_known = (0..candidates.len()).any(|at| owners[at].is_some() && candidates[at].doubtful);
    // What stands in a file of the log that was cut is as new as the cut.
    let states = || log.files.iter().map(|tracked| &tracked.state).chain(&log.done);
    let began_anew = |candidate: &Candidate| {
        states().any(|state| state.id == candidate.id && !state.gzip && state.is_born_with(candidate.born))
    };
    let is_unread = |at: &usize| {
        let candidate = &candidates[*at];
        let younger = known.is_some_and(|known| *at > known)
            || log.since.is_some_and(|since| candidate.came() > since)
            || owners[*at].is_none() && began_anew(candidate);
        candidate.live || (younger && (!candidate.doubtful || doubtful_known))
    };
    (0..candidates.len()).filter(is_unread).collect()
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
        let has_more = match candidate.packed {
            Packed::No => candidate.len > state.position.offset,
            _ => candidate.id != state.id && !fits(&state.position, candidate, true),
        };
        move_to(&mut state, candidate);
        if candidate.live || has_more {
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
                // Where the other one ends is not where this one does.
                tracked.limit = None;
                // A long line of which a part was lent goes on in the copy.
                if !tracked.inside.is_torn() || candidate.packed != Packed::No {
                    tracked.inside = Default::default();
                }
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
        let orphan = tracked.file.as_ref().is_some_and(inode::is_deleted);
        if let Some(candidate) = found(Known::Copy(index)).filter(|_| orphan) {
            // From then on only this can be met again.
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
            files.push_back(tracked);
            continue;
        }
        let unread = tracked.state.position.unread();
        if !tracked.overwritten {
            // It may only have been away: on a disk that comes back, in a folder that is renamed back.
            log.done.push_back(tracked.state.clone());
        }
        if unread > 0 {
            let why = if tracked.overwritten { "truncated before read" } else { "deleted before read" };
            let all = tracked.state.position.offset == 0;
            // What was copied after it was last written to is or was read there.
            let is_copy =
                |found: &Candidate| !found.live && found.len >= unread && found.modified >= tracked.state.modified;
            let was_read =
                |state: &FileState| state.position.offset >= unread && state.modified >= tracked.state.modified;
            let is_copied = candidates.iter().any(is_copy) || log.done.iter().any(was_read);
            if !(all && tracked.overwritten && is_copied) {
                outcome.skipped.push(Skipped { bytes: unread, why, all });
            }
        }
    }
    log.files = files;
}

fn move_to(state: &mut FileState, candidate: &Candidate) {
    state.id = candidate.id;
    state.place.clone_from(&candidate.place);
    state.born = candidate.born;
    state.modified = candidate.modified;
    state.gzip = candidate.packed == Packed::Gzip;
    // Of a file of which nothing was read, it is not known whether it was cut meanwhile.
    if !state.gzip && state.position.offset > 0 {
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
