//! Bringing what is known of one log up to date, when its name or its files may lead elsewhere.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::inode::FileId;
use crate::sources::state::FileState;

use super::candidate::{Candidate, Packed};
use super::files::Files;
use super::generations::{self, Skipped};
use super::log::{self, Log, Tracked, shown};
use super::look::{Look, is_link};
use super::unpacking::is_packed;
use super::visit::{Visit, grouped};
use super::watching::{Interest, Key};

/// So often at most files that move meanwhile are looked at again, a millisecond apart.
const STEADY: usize = 30;

/// After so long they are looked at once more.
const UNSTEADY: Duration = Duration::from_millis(10);

/// And so often at most later, before they are taken as they seem to be.
const PATIENCE: u32 = 100;

impl Files {
    /// Finds out anew which files are a log's, for a visit: if they do not stand still, signals and timers, and the other
    /// logs, have their turn before the next attempt.
    pub(super) fn reconcile_in_visit(&mut self, key: Key, confirmed: bool) -> Visit {
        if self.reconcile(key, confirmed) {
            return Visit::Again;
        }
        self.wake_at(key, Instant::now() + UNSTEADY);
        Visit::Idle
    }

    /// Finds out anew which files are a log's. Says whether they stood still meanwhile.
    fn reconcile(&mut self, key: Key, confirmed: bool) -> bool {
        let mut look = Look::new(&self.logs);
        let steady = self.reconcile_with(key, confirmed, &[], &mut look);
        if let Some((log, watching)) = self.logs.get(&key).zip(self.watching.as_ref()) {
            for (place, interest) in interests(key, log) {
                watching.add_place(place, interest);
            }
        }
        steady
    }

    /// As [`Files::reconcile`]; `named` are archives that were asked for.
    pub(super) fn reconcile_with(&mut self, key: Key, confirmed: bool, named: &[PathBuf], look: &mut Look) -> bool {
        // Somebody may be in the middle of renaming a long chain, and what is asked by a name is then told of another file.
        for _ in 0..STEADY {
            if self.try_to_reconcile(key, confirmed, named, look, self.unsteady >= PATIENCE) {
                self.unsteady = 0;
                return true;
            }
            look.siblings.forget();
            std::thread::sleep(Duration::from_millis(1));
        }
        // Others have their turn, and then it is tried again.
        self.unsteady += 1;
        self.scan_soon();
        false
    }

    /// Looks once more when files that are being renamed may stand still.
    pub(super) fn scan_soon(&mut self) {
        let again = Instant::now() + UNSTEADY;
        self.scan_at = Some(self.scan_at.map_or(again, |planned| planned.min(again)));
    }

    /// Says whether the files stood still meanwhile, or, as the last attempt, takes them as they seem to be.
    fn try_to_reconcile(
        &mut self,
        key: Key,
        confirmed: bool,
        named: &[PathBuf],
        look: &mut Look,
        is_last: bool,
    ) -> bool {
        let Some(log) = self.logs.get(&key) else { return true };
        let (path, is_new, before) = (log.path.clone(), log.is_new(), log.state());
        let as_found = PathBuf::from(OsStr::from_bytes(&log.filename));
        let (mut candidates, complete) = self.candidates(key, &path, look);
        for candidate in &mut candidates {
            let name = candidate.place.file_name().unwrap_or_default();
            // It may have got its name only since the pattern was looked through.
            let is_named = || is_new && self.patterns.names(&as_found.with_file_name(name));
            candidate.named = named.contains(&candidate.place) || (!candidate.live && is_named());
        }
        if let Some(live) = candidates.last().filter(|candidate| candidate.live && !is_new) {
            self.take_over(key, &path, live.id, look);
        }
        let Some(mut log) = self.logs.remove(&key) else { return true };
        if !is_new {
            self.open_all(&mut log);
        }
        let others = &self.logs;
        let taken = |candidate: &Candidate| {
            let owner = look.ids.get(&candidate.id).filter(|owner| **owner != key);
            owner.and_then(|owner| others.get(owner)).is_some_and(|other| other.owns(candidate.id, &candidate.place))
        };
        // A new log's name alone is nothing that can be told wrongly.
        let may_move = !is_last && (!is_new || candidates.iter().any(|candidate| candidate.named));
        let outcome = generations::reconcile(&mut log, &candidates, confirmed && complete, taken, || {
            // A file that got an archive's name between the look at the archives and that at the log would be passed over
            // for ever: what came after it is known now.
            let live = candidates.last().filter(|candidate| candidate.live).map(|live| &live.place);
            may_move
                && (look.siblings.moved
                    || candidates.iter().any(Candidate::has_moved)
                    || ![Some(&path), live].into_iter().flatten().all(|place| look.siblings.are_the_same(place)))
        });
        if outcome.moved {
            self.logs.insert(key, log);
            return false;
        }
        if is_last {
            self.scan_soon();
        }
        for Skipped { bytes, why, .. } in &outcome.skipped {
            self.context.report.error(log.name(), format_args!("skipped {} bytes: {why}", grouped(*bytes)));
        }
        for place in &outcome.unreadable {
            self.context.report.error(shown(place), "skipped: only gzip can be unpacked here");
        }
        if !is_new {
            self.open_all(&mut log);
        }
        look.ids.extend(log.files.iter().map(|tracked| (tracked.state.id, key)));
        self.changed |= log.state() != before;
        self.logs.insert(key, log);
        self.push_turn(key);
        true
    }

    /// Whatever becomes of its name, a file that is open can be read and compared. What is missing is another one by now.
    fn open_all(&mut self, log: &mut Log) {
        let is_here = |tracked: &&mut Tracked| tracked.missing.is_none() && !tracked.state.gzip;
        let closed = log.files.iter_mut().filter(|tracked| tracked.file.is_none());
        for tracked in closed.filter(is_here).take(self.most_open.saturating_sub(self.open)) {
            self.open += usize::from(tracked.open().is_ok_and(|file| file.is_some()));
        }
    }

    /// A file that was read under another log's name until now, and bears this one's. A link's file is its own name's.
    fn take_over(&mut self, key: Key, path: &Path, id: FileId, look: &Look) {
        if is_link(path) {
            return;
        }
        let Some(owner) = look.ids.get(&id).copied().filter(|owner| *owner != key) else { return };
        let Some(other) = self.logs.get_mut(&owner) else { return };
        let Some(at) = other.files.iter().position(|tracked| tracked.state.id == id) else { return };
        let leads_there = fs::metadata(&other.path).is_ok_and(|metadata| FileId::of(&metadata) == id);
        if leads_there || !other.owns(id, path) {
            return;
        }
        let taken = other.files.remove(at);
        if let Some((tracked, log)) = taken.zip(self.logs.get_mut(&key)) {
            log.files.push_back(tracked);
        }
    }

    /// What may be a file of the log: its archives, and what its name leads to. False beside them when not all of it could
    /// be looked at.
    fn candidates(&mut self, key: Key, path: &Path, look: &mut Look) -> (Vec<Candidate>, bool) {
        let place = look.place_of(path);
        // Before the archives: what is renamed meanwhile is then seen twice, and not missed.
        let live = candidate(&place, true);
        let mut complete = true;
        let mut candidates = Vec::new();
        // A symlink's archives lie beside it, or beside the file that it leads to.
        let mut places = vec![look.beside(path)];
        if !places.contains(&place) {
            places.push(place);
        }
        for place in &places {
            match look.siblings.archives(place) {
                Ok(archives) => candidates.extend(archives),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    complete = false;
                    self.say(key, &format!("its archives cannot be looked for: {error}"));
                }
            }
        }
        // A file that was named otherwise by somebody, or is what a symlink led to.
        if let Some(log) = self.logs.get(&key) {
            for found in log.files.iter().filter_map(|tracked| candidate(&tracked.state.place, false)) {
                let is_there = candidates.iter().any(|other: &Candidate| other.id == found.id);
                if !is_there && log.find(found.id).is_some() {
                    candidates.push(found);
                }
            }
        }
        if let Some(live) = live {
            candidates.retain(|other| other.id != live.id);
            candidates.push(live);
        }
        (candidates, complete)
    }

    /// The logs of which a file has grown that was thought to be done, where nobody tells. Only the last one is looked at.
    pub(super) fn late(&self) -> Vec<Key> {
        let is_late = |log: &Log| log.done.back().is_some_and(|state| !state.gzip && has_grown(state));
        self.logs.iter().filter(|(_, log)| is_late(log)).map(|(key, _)| *key).collect()
    }

    /// Takes up files again that were thought to be done and have grown.
    pub(super) fn take_up_late(&mut self, key: Key) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        let has_moved = |state: &FileState| {
            let found = fs::metadata(&state.place).ok();
            !state.gzip && found.is_none_or(|found| !state.is(&found))
        };
        if log.done.iter().any(has_moved) {
            // It may have been renamed once more since it has grown.
            self.reconcile(key, false);
        }
        let Some(log) = self.logs.get_mut(&key) else { return };
        let (late, done): (Vec<_>, Vec<_>) = log.done.drain(..).partition(|state| !state.gzip && has_grown(state));
        log.done.extend(done);
        for state in late.into_iter().rev() {
            if let Some(watching) = &self.watching {
                watching.add_place(state.place.clone(), Interest { key, done: false });
            }
            // What was begun in mid-line is finished before.
            let at = usize::from(log.files.front().is_some_and(|front| front.inside.is_torn()));
            log.files.insert(at, Tracked { late: true, ..Tracked::new(state) });
        }
        self.push_turn(key);
    }
}

/// Where a log's files are, and what they are. A packed one does not grow.
pub(super) fn interests(key: Key, log: &Log) -> Vec<(PathBuf, Interest)> {
    let done = log.done.iter().filter(|state| !state.gzip).map(|state| (state.place.clone(), true));
    let files = log.files.iter().map(|tracked| (tracked.state.place.clone(), false));
    done.chain(files).map(|(place, done)| (place, Interest { key, done })).collect()
}

fn candidate(place: &Path, live: bool) -> Option<Candidate> {
    let metadata = fs::metadata(place).ok().filter(Metadata::is_file)?;
    let gzip = place.extension() == Some(OsStr::new("gz"));
    let packed = gzip && log::open(place).is_ok_and(|file| is_packed(&file).unwrap_or(false));
    Some(Candidate {
        place: place.to_owned(),
        id: FileId::of(&metadata),
        len: metadata.len(),
        born: metadata.created().ok(),
        modified: log::modified(&metadata),
        packed: if packed { Packed::Gzip } else { Packed::No },
        live,
        named: false,
        doubtful: false,
    })
}

/// Whether the file has more than was read, where it was found last.
fn has_grown(state: &FileState) -> bool {
    let found = fs::metadata(&state.place).ok();
    found.is_some_and(|found| state.is(&found) && found.len() > state.position.offset)
}
