//! Which files bore a log's name, in which order, and how far each was read: found out anew whenever the name leads to
//! another file, or the file to another content.
//!
//! What nobody knows and came after the log was seen first is a generation that came and went unseen.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::inode;
use crate::sources::position::Position;
use crate::sources::state::FileState;

use super::candidate::{Candidate, Packed, fits, is_copy, open};
use super::log::{Log, Tracked};
use super::matching::{Known, who_is_who};

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
    if !first_sight && log.since.is_none() {
        let states = log.files.iter().map(|tracked| &tracked.state).chain(&log.done);
        log.since = states.map(|state| state.modified).max();
    }
    notice_overwriting(log, candidates);
    let owners = who_is_who(log, candidates);
    let mut unread: Vec<usize> = match first_sight {
        true => {
            // It may have been rotated before anybody saw it.
            let is_new = |found: &Candidate, since| found.came_after(since) && !found.doubtful;
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
        let position = Position { seen, ..Position::default() };
        let state = FileState { cut: cut.contains(&candidate.id), ..candidate.state(position) };
        log.copied &= !candidate.live || state.cut;
        log.files.push_back(Tracked { live: candidate.live, ..Tracked::new(state) });
    }
    if first_sight {
        note_what_was_there(log, candidates);
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

/// What the log has had before it was seen first is not to be read, whatever becomes of it.
fn note_what_was_there(log: &mut Log, candidates: &[Candidate]) {
    let live = candidates.last().filter(|found| found.live);
    if log.is_new() {
        // Its file was renamed meanwhile: it will be an archive at the next look.
        let just_before = live.and_then(|live| live.came().checked_sub(Duration::from_nanos(1)));
        log.since = log.since.or(just_before);
        return;
    }
    // An archive may be packed later, and has then the time of its last line.
    let last = |found: &Candidate| if found.live { found.came() } else { found.came().max(found.modified) };
    log.since = candidates.iter().map(last).max();
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

/// The candidates that came after everything that is known, or after the log was seen first: all that was there then and is
/// not known was not to be read.
fn unread(log: &Log, candidates: &[Candidate], owners: &[Option<Known>]) -> Vec<usize> {
    let known = youngest_known(candidates, owners);
    // Whose number is it in web.2.log? The log's own only if one of its files got such a name before.
    let doubtful_known = (0..candidates.len()).any(|at| owners[at].is_some() && candidates[at].doubtful);
    // What stands in a file of the log that was cut is as new as the cut.
    let states = || log.files.iter().map(|tracked| &tracked.state).chain(&log.done);
    let began_anew = |candidate: &Candidate| {
        let is_same = |state: &FileState| state.id == candidate.id && state.is_born_with(candidate.born);
        candidate.packed == Packed::No && states().any(|state| !state.gzip && is_same(state))
    };
    let is_unread = |at: &usize| {
        let candidate = &candidates[*at];
        let younger = known.is_some_and(|known| *at > known)
            || log.since.is_some_and(|since| candidate.came_after(since))
            || owners[*at].is_none() && began_anew(candidate);
        candidate.live || (younger && (!candidate.doubtful || doubtful_known))
    };
    (0..candidates.len()).filter(is_unread).collect()
}

fn youngest_known(candidates: &[Candidate], owners: &[Option<Known>]) -> Option<usize> {
    (0..candidates.len()).rev().find(|at| owners[*at].is_some() && !candidates[*at].live)
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
