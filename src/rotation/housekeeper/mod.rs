//! The housekeeper: compresses, deletes and runs hooks behind the writer's back, in threads that are started when
//! there is something to do.
//!
//! A request says only "look again"; what is to be done is read from the folder itself. So a restart finishes what a
//! crash left, and several processes may keep house for one log: each file is locked by whoever works on it.

mod compressing;
mod deleting;

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
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
}

fn file_name(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}
