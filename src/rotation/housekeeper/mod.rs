//! The housekeeper: compresses, deletes and runs hooks behind the writer's back, in threads that are started when
//! there is something to do.
//!
//! A request says only "look again"; what is to be done is read from the folder itself. So a restart finishes what a
//! crash left, and several processes may keep house for one log: each file is locked by whoever works on it.

mod compressing;
mod deleting;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result};

use crate::inode::FileId;
use crate::progress::Progress;
use crate::stream::context::Context;

use super::archives::{Found, Layout};
use super::backups::Retention;
use super::budget::Budget;
use super::hooks::Hook;
use super::lock::RollLock;
use super::temporary;

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
    /// What somebody still writes to, or a full disk keeps from being compressed: tried again at the next request.
    in_use: HashSet<FileId>,
    /// What is not compressed in this run, because it cannot be or because its plain name was told.
    left_plain: HashSet<FileId>,
    /// What could not be compressed for want of space, so far: said once, and a failure if it stays so.
    short_of_space: HashSet<FileId>,
    /// What could not be deleted, which was said.
    undeletable: HashSet<FileId>,
    /// What was rolled over and has not been told to the hook yet.
    untold: Vec<FileId>,
    closing: bool,
    threads: Vec<JoinHandle<()>>,
    /// Threads that have not ended.
    alive: usize,
}

impl State {
    /// The file is gone; the next one that is made may have its number.
    fn forget(&mut self, gone: FileId) {
        self.untold.retain(|untold| *untold != gone);
        for set in [&mut self.in_use, &mut self.left_plain, &mut self.short_of_space, &mut self.undeletable] {
            set.remove(&gone);
        }
    }

    /// Forgets what is not among `archives` any more. What is still to be told stays: a name that moves up the chain
    /// may be missed by a look, and a hook must not miss its archive.
    fn forget_all_but(&mut self, archives: &[Found]) {
        let there: HashSet<FileId> = archives.iter().map(|archive| archive.id).collect();
        for set in [&mut self.left_plain, &mut self.short_of_space, &mut self.undeletable] {
            set.retain(|id| there.contains(id));
        }
    }
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
        let budget = &self.0.duties.budget;
        budget.set_current(fs::metadata(&current).map_or(0, |metadata| metadata.len()));
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
        if twins || compressible || surplus || budget.excess() > 0 {
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

    /// The youngest archive.
    pub fn youngest(&self) -> Option<Found> {
        let current = self.state().current.clone();
        self.0.duties.layout.scan(&current).ok()?.pop()
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

    /// Waits until everything is done; told to stop (TERM), nothing more is compressed, but what is new is still told.
    pub fn close(&self) {
        {
            let mut state = self.state();
            state.closing = true;
            if !state.untold.is_empty() {
                // What was waiting to be compressed, and will not be.
                state.asked = true;
                if state.alive == 0 {
                    self.start_thread(&mut state);
                }
            }
            self.0.changed.notify_all();
        }
        loop {
            let threads = std::mem::take(&mut self.state().threads);
            if threads.is_empty() {
                break;
            }
            for thread in threads {
                if thread.join().is_err() {
                    self.0.context.report.error("housekeeping", "a thread has failed");
                }
            }
        }
        if !self.state().short_of_space.is_empty() {
            self.0.context.report.fail();
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
            if let Ok(archives) = self.0.duties.layout.scan(&current) {
                self.state().forget_all_but(&archives);
            }
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

    /// Takes the oldest thing that is to be done; the second value says whether there is more.
    fn next_chore(&self, current: &Path) -> Option<(Chore, bool)> {
        let archives = self.0.duties.layout.scan(current).ok()?;
        let mut state = self.state();
        let stopped = state.closing && self.0.context.stop.requested();
        // Nobody will look again, so what is not compressed now is not compressed in this run.
        let last_look = state.closing && !state.asked;
        let youngest = archives.last().map(|archive| archive.id);
        // What a crash left half done is finished, whether we compress or not.
        let twins = archives.windows(2).filter(|pair| pair[0].is_twin_of(&pair[1]));
        let twins: Vec<FileId> = twins.flatten().map(|archive| archive.id).collect();
        let wanted = self.0.duties.compress.is_some();
        let delayed = |archive: &Found| self.0.duties.delay_compress && Some(archive.id) == youngest;
        let chore_for = |archive: Found| {
            if state.busy.contains(&archive.id) {
                return None;
            }
            let to_compress = !archive.compressed && (wanted || twins.contains(&archive.id));
            let left = stopped || state.left_plain.contains(&archive.id);
            if to_compress && !left {
                let is_twin = twins.contains(&archive.id);
                if !state.in_use.contains(&archive.id) && (is_twin || !delayed(&archive)) {
                    return Some(Chore::Compress(archive));
                }
                if !last_look {
                    return None;
                }
            }
            state.untold.contains(&archive.id).then_some(Chore::Tell(archive))
        };
        let mut chores = archives.into_iter().filter_map(chore_for);
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
                        state.short_of_space.remove(&archive.id);
                        if let Some(untold) = state.untold.iter_mut().find(|untold| **untold == archive.id) {
                            *untold = id;
                        }
                    }
                    Ok(None) => {}
                    Err(error) => {
                        state.left_plain.insert(archive.id);
                        let report = &self.0.context.report;
                        report.error(archive.path.display(), format_args!("not compressed: {error:#}"));
                    }
                }
            }
            Chore::Tell(archive) => {
                {
                    let mut state = self.state();
                    state.untold.retain(|untold| *untold != archive.id);
                    if !archive.compressed {
                        // What it was told is called stays true, as far as this run goes.
                        state.left_plain.insert(archive.id);
                    }
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
}

fn file_name(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Zone};
    use crate::report::{Report, Verbosity};
    use crate::rotation::naming::Naming;
    use crate::stop::{Stop, Waker};

    fn keeper(log: &Path) -> Housekeeper {
        let duties = Duties {
            layout: Layout::Renamed(Naming::new(log, "{base}.{n}", "").unwrap()),
            retention: Retention { count: 1, max_age: None },
            compress: Some(6),
            delay_compress: false,
            after_rotate: None,
            budget: Budget::new(None),
            progress: Progress::hidden(),
        };
        let context = Context {
            clock: Clock::system(),
            zone: Zone::utc(),
            report: Report::new(Verbosity::Quiet),
            stop: Stop::never(),
            waker: Waker::new(|| ()),
            in_turns: false,
        };
        Housekeeper::new(duties, log.to_owned(), context)
    }

    #[test]
    fn what_could_not_be_deleted_is_compressed_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        fs::write(folder.path().join("app.log.1"), "x\n").unwrap();
        let keeper = keeper(&log);
        let id = FileId::at(&folder.path().join("app.log.1")).unwrap();
        keeper.state().undeletable.insert(id);
        assert!(matches!(keeper.next_chore(&log), Some((Chore::Compress(archive), false)) if archive.id == id));
    }

    #[test]
    fn the_number_of_a_file_that_is_gone_says_nothing_of_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        for name in ["app.log.1", "app.log.2"] {
            fs::write(folder.path().join(name), "x\n").unwrap();
        }
        let keeper = keeper(&log);
        let [young, old] = ["app.log.1", "app.log.2"].map(|name| FileId::at(&folder.path().join(name)).unwrap());
        let known = |id| {
            let state = keeper.state();
            [&state.left_plain, &state.undeletable, &state.in_use, &state.short_of_space].map(|set| set.contains(&id))
        };
        for id in [young, old] {
            let mut state = keeper.state();
            state.left_plain.insert(id);
            state.undeletable.insert(id);
            state.in_use.insert(id);
            state.short_of_space.insert(id);
        }
        // We delete it ourselves.
        keeper.prune(&log);
        assert_eq!((known(old), known(young)), ([false; 4], [true; 4]));
        // Somebody else does.
        fs::remove_file(folder.path().join("app.log.1")).unwrap();
        keeper.look_again();
        keeper.close();
        assert_eq!(known(young), [false; 4]);
    }
}
