//! The housekeeper: compresses, deletes and runs hooks behind the writer's back, in threads that are started when
//! there is something to do.
//!
//! A request says only "look again"; what is to be done is read from the folder itself. So a restart finishes what a
//! crash left, and several processes may keep house for one log: each file is locked by whoever works on it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result};

use crate::inode::{self, FileId};
use crate::progress::Progress;
use crate::stream::context::Context;

use super::archives::{Found, Layout, with_gz};
use super::backups::{self, Retention};
use super::budget::Budget;
use super::compress::{self, Stopped};
use super::hooks::Hook;
use super::lock::RollLock;
use super::temporary::{self, Temporary};

/// More threads than this do not help: the writer and its producer want the machine too.
const MOST_THREADS: usize = 2;
/// Background threads give way to the program whose log this is.
const NICENESS: i32 = 5;

/// What is to be done with archives.
#[derive(Clone, Debug)]
pub struct Duties {
    pub layout: Layout,
    pub retention: Retention,
    /// gzip's level 1 to 9.
    pub compress: Option<u32>,
    /// Leave the youngest archive uncompressed: its writer may not have let go yet.
    pub delay_compress: bool,
    pub after_rotate: Option<Hook>,
    pub budget: Budget,
    /// Advances by the bytes that are read for compression.
    pub progress: Progress,
}

/// Keeps house for one log; cheap to clone.
#[derive(Clone)]
pub struct Housekeeper(Arc<Shared>);

struct Shared {
    duties: Duties,
    context: Context,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while archives are deleted or replaced, until the budget knows: who finds it exceeded waits for that first,
    /// and deletes nothing for bytes that are about to be gone.
    changing: Mutex<()>,
    /// Held from a look at the archives until the budget knows of it: no later look is overwritten by an earlier one.
    counting: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// The file that is being written now.
    current: PathBuf,
    /// Somebody asked to look, and nobody has looked since.
    asked: bool,
    /// What the threads are working on.
    busy: HashSet<FileId>,
    /// What is being compressed, and whether it is locked for that: then it has no writer and may be deleted.
    compressing: HashMap<FileId, bool>,
    /// What somebody still writes to: tried again at the next request.
    in_use: HashSet<FileId>,
    /// What cannot be done and is not tried again.
    hopeless: HashSet<FileId>,
    /// What was rolled over and has not been told to the hook yet.
    untold: Vec<FileId>,
    closing: bool,
    threads: Vec<JoinHandle<()>>,
    /// Threads that have not ended.
    alive: usize,
}

/// One piece of work.
enum Chore {
    Compress(Found),
    Tell(Found),
}

impl Housekeeper {
    pub fn new(duties: Duties, current: PathBuf, context: Context) -> Self {
        let state = State { current, ..State::default() };
        Self(Arc::new(Shared {
            duties,
            context,
            state: Mutex::new(state),
            changed: Condvar::new(),
            changing: Mutex::new(()),
            counting: Mutex::new(()),
        }))
    }

    pub fn duties(&self) -> &Duties {
        &self.0.duties
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clears what a crash left behind and begins what it left undone. Cheap when there is nothing of the kind.
    ///
    /// # Errors
    /// When the folder cannot be read or the roll lock not be taken.
    pub fn begin(&self) -> Result<()> {
        let current = self.state().current.clone();
        let archives = self.count(&current)?;
        if RollLock::is_present(&current) {
            drop(RollLock::take(&current)?);
        }
        let mut folders: Vec<&Path> = archives.iter().filter_map(|archive| archive.path.parent()).collect();
        let naming = self.0.duties.layout.naming_for(&current)?;
        folders.push(naming.directory());
        folders.sort();
        folders.dedup();
        for folder in folders {
            temporary::clear_leftovers(folder, &file_name(&current))
                .with_context(|| format!("{}: leftovers", folder.display()))?;
        }
        let twins = archives.windows(2).any(|pair| pair[0].is_twin_of(&pair[1]));
        let compressible = self.0.duties.compress.is_some() && archives.iter().any(|archive| !archive.compressed);
        let surplus = !self.0.duties.retention.surplus(&archives, self.0.context.clock.now().into()).is_empty();
        if twins || compressible || surplus {
            self.look_again();
        }
        Ok(())
    }

    /// Something was rolled over from `current`'s name: `archive` is the file that was. The log goes on at `current`.
    pub fn rolled(&self, archive: Option<FileId>, current: &Path) {
        {
            let mut state = self.state();
            state.current = current.to_owned();
            if self.0.duties.after_rotate.is_some() {
                state.untold.extend(archive);
            }
        }
        self.look_again();
    }

    /// A file has just become an archive, and the one at `current` has `len` bytes: the budget has to know before another
    /// byte is written. Call it under the roll lock.
    pub fn recount(&self, current: &Path, len: u64) {
        let budget = &self.0.duties.budget;
        if budget.is_bounded() {
            budget.set_current(len);
            // What cannot be counted now is counted by whoever looks next.
            let _ = self.count(current);
        }
    }

    /// Looks through the archives soon, in another thread.
    pub fn look_again(&self) {
        let mut state = self.state();
        state.asked = true;
        if state.alive == 0 {
            self.start_thread(&mut state);
        }
        self.0.changed.notify_all();
    }

    fn start_thread(&self, state: &mut State) {
        let keeper = self.clone();
        match thread::Builder::new().name("housekeeper".into()).spawn(move || keeper.work()) {
            Ok(thread) => {
                state.threads.push(thread);
                state.alive += 1;
            }
            Err(error) => self.0.context.report.error("housekeeping", error),
        }
    }

    /// Waits until everything is done; told to stop (TERM), only until what was begun is done.
    pub fn close(&self) {
        loop {
            let threads = {
                let mut state = self.state();
                state.closing = true;
                self.0.changed.notify_all();
                std::mem::take(&mut state.threads)
            };
            if threads.is_empty() {
                return;
            }
            for thread in threads {
                if thread.join().is_err() {
                    self.0.context.report.error("housekeeping", "a thread has failed");
                }
            }
        }
    }

    /// Deletes the oldest archives until the budget is kept; says whether it is.
    pub fn free(&self) -> bool {
        let budget = &self.0.duties.budget;
        self.delete(|archives| oldest_of(archives, budget.excess()));
        budget.excess() == 0
    }

    /// Deletes the oldest archive that can be deleted (for space on a full disk); says whether one was.
    pub fn reclaim(&self) -> bool {
        (1..).find_map(|count| {
            let mut tried = 0;
            let gone = self.delete(|archives| {
                tried = archives.len();
                archives.iter().take(count).collect()
            });
            (gone > 0 || tried <= count).then_some(gone > 0)
        }) == Some(true)
    }

    /// Deletes those archives that `choose` chooses; returns how many are gone.
    fn delete(&self, choose: impl FnOnce(&[Found]) -> Vec<&Found>) -> usize {
        let current = self.state().current.clone();
        let log = file_name(&current);
        let budget = &self.0.duties.budget;
        let mut aside = Vec::new();
        let _changing = self.changing();
        match RollLock::take(&current) {
            Ok(Some(_lock)) => {
                let Ok(archives) = self.count(&current) else { return 0 };
                for archive in choose(&archives) {
                    let unwritten = self.is_locked_by_us(archive.id);
                    match backups::set_aside(archive, &log, unwritten) {
                        Ok(Some(path)) => {
                            budget.add_temporary(archive.len);
                            aside.push((archive.path.clone(), path, archive.len));
                        }
                        Ok(None) => {}
                        Err(error) => self.say_undeletable(archive, &error),
                    }
                }
            }
            // Somebody else is at it, or nothing can be renamed here anyway.
            _ => return 0,
        }
        for (path, aside, _) in &aside {
            match fs::remove_file(aside) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    self.0.context.report.error(aside.display(), format_args!("cannot be deleted: {error}"));
                }
                _ => self.0.context.report.note(path.display(), "deleted"),
            }
        }
        let _ = self.count(&current);
        budget.remove_temporary(aside.iter().map(|(_, _, len)| len).sum());
        aside.len()
    }

    /// Whether it is being compressed; waits for the moment in which that begins.
    fn is_locked_by_us(&self, archive: FileId) -> bool {
        let mut state = self.state();
        while state.compressing.get(&archive) == Some(&false) {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.compressing.contains_key(&archive)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_undeletable(&self, archive: &Found, error: &io::Error) {
        if self.state().hopeless.insert(archive.id) {
            self.0.context.report.error(archive.path.display(), format_args!("cannot be deleted: {error}"));
        }
    }

    /// The archives as they are now; the budget learns their sum.
    fn count(&self, current: &Path) -> io::Result<Vec<Found>> {
        let _counting = self.0.counting.lock().unwrap_or_else(PoisonError::into_inner);
        let archives = self.0.duties.layout.scan(current)?;
        self.0.duties.budget.set_archived(archives.iter().map(|archive| archive.len).sum());
        Ok(archives)
    }

    fn work(&self) {
        // Of the calling thread alone, on Linux; where it is not allowed, nothing is lost.
        let _ = rustix::process::nice(NICENESS);
        let mut state = self.state();
        loop {
            if !state.asked {
                if state.closing {
                    state.alive -= 1;
                    return;
                }
                state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.asked = false;
            state.in_use.clear();
            let current = state.current.clone();
            drop(state);
            self.prune(&current);
            while let Some((chore, more)) = self.next_chore(&current) {
                if more {
                    self.help();
                }
                self.perform(&chore);
                // What was surplus while it was worked on, and what has become so: the log may roll faster than this.
                self.prune(&current);
            }
            state = self.state();
        }
    }

    /// A second thread, when there is more to do than one can.
    fn help(&self) {
        let mut state = self.state();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        if state.alive < MOST_THREADS.min(cores) {
            state.asked = true;
            self.start_thread(&mut state);
        } else if !state.asked && state.busy.len() < state.alive {
            state.asked = true;
            self.0.changed.notify_all();
        }
    }

    /// Deletes what is too many, too old, or beyond the budget.
    fn prune(&self, current: &Path) {
        let Duties { retention, budget, .. } = &self.0.duties;
        let now = self.0.context.clock.now().into();
        let is_surplus = |archives: &[Found]| !retention.surplus(archives, now).is_empty();
        if self.count(current).is_ok_and(|archives| is_surplus(&archives)) {
            self.delete(|archives| retention.surplus(archives, now));
        }
        if budget.excess() > 0 {
            self.free();
        }
    }

    /// Takes the oldest thing that is to be done; the second value says whether there is more.
    fn next_chore(&self, current: &Path) -> Option<(Chore, bool)> {
        let archives = self.0.duties.layout.scan(current).ok()?;
        let mut state = self.state();
        if self.0.context.stop.requested() && state.closing {
            return None;
        }
        let youngest = archives.last().map(|archive| archive.id);
        // What a crash left half done is finished, whether we compress or not.
        let twins = archives.windows(2).filter(|pair| pair[0].is_twin_of(&pair[1]));
        let twins: Vec<FileId> = twins.flatten().map(|archive| archive.id).collect();
        let is_compressible = |archive: &Found| {
            let wanted =
                self.0.duties.compress.is_some() && !(self.0.duties.delay_compress && Some(archive.id) == youngest);
            !archive.compressed && (wanted || twins.contains(&archive.id))
        };
        let mut chores = archives
            .into_iter()
            .filter(|archive| {
                [&state.busy, &state.in_use, &state.hopeless].iter().all(|set| !set.contains(&archive.id))
            })
            .filter_map(|archive| match is_compressible(&archive) {
                true => Some(Chore::Compress(archive)),
                false => state.untold.contains(&archive.id).then_some(Chore::Tell(archive)),
            });
        let chore = chores.next()?;
        let more = chores.next().is_some();
        drop(chores);
        let (Chore::Compress(archive) | Chore::Tell(archive)) = &chore;
        state.busy.insert(archive.id);
        Some((chore, more))
    }

    fn perform(&self, chore: &Chore) {
        match chore {
            Chore::Compress(archive) => {
                let outcome = self.compress(archive);
                let mut state = self.state();
                state.busy.remove(&archive.id);
                match outcome {
                    Ok(Some(id)) => {
                        if let Some(untold) = state.untold.iter_mut().find(|untold| **untold == archive.id) {
                            *untold = id;
                        }
                    }
                    Ok(None) => {}
                    Err(error) => {
                        state.hopeless.insert(archive.id);
                        let report = &self.0.context.report;
                        report.error(archive.path.display(), format_args!("not compressed: {error:#}"));
                    }
                }
            }
            Chore::Tell(archive) => {
                {
                    let mut state = self.state();
                    state.untold.retain(|untold| *untold != archive.id);
                    state.busy.remove(&archive.id);
                }
                if let Some(hook) = &self.0.duties.after_rotate
                    && let Err(error) = hook.archived(&archive.path)
                {
                    self.0.context.report.error(archive.path.display(), format_args!("{error:#}"));
                }
            }
        }
    }

    /// Replaces an archive by its compressed twin; the twin's identity, if there is one now.
    fn compress(&self, archive: &Found) -> Result<Option<FileId>> {
        let Duties { compress: level, budget, progress, .. } = &self.0.duties;
        let current = self.state().current.clone();
        let log = file_name(&current);

        if with_gz(&archive.path).exists() {
            return self.replace_by_twin(&current, archive);
        }

        self.state().compressing.insert(archive.id, false);
        let mut temporary = 0;
        let mut may_add = |bytes: u64| {
            // It is locked now, so it can have no writer any more.
            if self.state().compressing.insert(archive.id, true) == Some(false) {
                self.0.changed.notify_all();
            }
            budget.add_temporary(bytes);
            if budget.excess() > 0 {
                // Nothing younger goes for its sake.
                self.delete(|archives| {
                    let older = archives.iter().position(|found| found.id == archive.id).unwrap_or(0);
                    oldest_of(&archives[..older], budget.excess())
                });
            }
            let fits = budget.excess() == 0;
            match fits {
                true => temporary += bytes,
                false => budget.remove_temporary(bytes),
            }
            fits
        };
        let outcome = compress::compress(archive, &log, level.unwrap_or(6), &mut may_add, progress);
        if outcome.is_err() {
            self.state().compressing.remove(&archive.id);
            self.0.changed.notify_all();
        }
        let _changing = self.changing();
        let replaced = match outcome {
            Ok((compressed, _source)) => self.replace(&current, archive.id, compressed),
            Err(Stopped::Failed(error)) => Err(error.into()),
            // It stands elsewhere now, where the next look finds it.
            Err(Stopped::Moved) => Ok(None),
            Err(_) if FileId::at(&archive.path) != Some(archive.id) => Ok(None),
            Err(Stopped::Busy) => {
                // Its writer lets go sooner or later, and the next rollover or start finds it.
                self.state().in_use.insert(archive.id);
                Ok(None)
            }
            Err(Stopped::Refused) => {
                self.state().hopeless.insert(archive.id);
                self.0.context.report.warn(archive.path.display(), "not compressed: no room in --max-total-bytes");
                Ok(None)
            }
        };
        self.state().compressing.remove(&archive.id);
        let _ = self.count(&current);
        budget.remove_temporary(temporary);
        replaced
    }

    /// Puts the compressed copy where the file with `id` now stands: it may have moved up the chain meanwhile.
    fn replace(&self, current: &Path, id: FileId, compressed: Temporary) -> Result<Option<FileId>> {
        let Some(lock) = self.roll_lock(current)? else { return Ok(None) };
        let archives = self.0.duties.layout.scan(current)?;
        let Some(archive) = archives.iter().find(|archive| archive.id == id) else { return Ok(None) };
        let twin = with_gz(&archive.path);
        match compressed.keep_as(&twin) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                anyhow::bail!("{} is in the way", twin.display())
            }
            kept => kept?,
        }
        fs::remove_file(&archive.path).with_context(|| format!("{}: cannot be deleted", archive.path.display()))?;
        drop(lock);
        self.0.context.report.note(twin.display(), "compressed");
        Ok(FileId::at(&twin))
    }

    /// Deletes the plain file beside its compressed twin: a crash came between the last two steps of an earlier run.
    /// Others may be at work on the two as well, and both may move up the chain while they are compared.
    fn replace_by_twin(&self, current: &Path, archive: &Found) -> Result<Option<FileId>> {
        let Some(lock) = self.roll_lock(current)? else { return Ok(None) };
        let twin = with_gz(&archive.path);
        let (Some(id), true) = (FileId::at(&twin), FileId::at(&archive.path) == Some(archive.id)) else {
            return Ok(None);
        };
        let plain = inode::open_regular(&archive.path)?;
        // A folder or a symlink there is nobody's twin.
        let compressed = inode::open_regular(&twin).with_context(|| format!("{} is in the way", twin.display()))?;
        drop(lock);
        if !inode::lock_exclusive(&plain)? {
            self.state().in_use.insert(archive.id);
            return Ok(None);
        }
        if !compress::is_twin(&plain, &compressed).unwrap_or(false) {
            if self.0.duties.compress.is_none() {
                self.state().hopeless.insert(archive.id);
                return Ok(None);
            }
            anyhow::bail!("{} is in the way", twin.display());
        }
        drop(plain);
        self.delete(|archives| archives.iter().filter(|found| found.id == archive.id).collect());
        Ok(Some(id))
    }

    /// The roll lock, however long others keep it; None when told to stop meanwhile.
    fn roll_lock(&self, current: &Path) -> io::Result<Option<RollLock>> {
        loop {
            match RollLock::take(current)? {
                Some(lock) => return Ok(Some(lock)),
                None if self.0.context.stop.requested() => return Ok(None),
                None => {}
            }
        }
    }
}

/// The oldest of `archives` whose lengths come to `excess` bytes.
fn oldest_of<'a>(archives: impl IntoIterator<Item = &'a Found>, excess: u64) -> Vec<&'a Found> {
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

fn file_name(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}
