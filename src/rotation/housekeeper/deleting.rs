//! Deleting archives: what is surplus, what the budget wants back, what a full disk wants back.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};

use crate::inode::FileId;
use crate::rotation::archives::Found;
use crate::rotation::backups::{self, oldest_of};
use crate::rotation::lock::RollLock;

use super::{Duties, Housekeeper, file_name};

impl Housekeeper {
    /// Deletes what is too many, too old, or beyond the budget.
    pub(super) fn prune(&self, current: &Path) {
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

    /// Deletes the oldest archives until the budget is kept; says whether it is.
    pub fn free(&self) -> bool {
        let budget = &self.0.duties.budget;
        let now = self.0.context.clock.now().into();
        self.delete(|archives| {
            // What has to go anyway goes first, and may be enough.
            let mut gone = self.0.duties.retention.surplus(archives, now);
            let freed = gone.iter().map(|archive| archive.len).sum();
            let others = archives.iter().filter(|archive| !gone.iter().any(|gone| gone.id == archive.id));
            let more = oldest_of(others, budget.excess().saturating_sub(freed));
            gone.extend(more);
            gone
        });
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
    pub(super) fn delete(&self, choose: impl FnOnce(&[Found]) -> Vec<&Found>) -> usize {
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
                            self.state().forget(archive.id);
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

    pub(super) fn changing(&self) -> MutexGuard<'_, ()> {
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_undeletable(&self, archive: &Found, error: &io::Error) {
        if self.state().undeletable.insert(archive.id) {
            self.0.context.report.error(archive.path.display(), format_args!("cannot be deleted: {error}"));
        }
    }
}
