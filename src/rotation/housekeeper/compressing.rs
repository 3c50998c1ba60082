//! Replacing archives by their compressed twins.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::inode::{self, FileId};
use crate::rotation::archives::{Found, with_gz};
use crate::rotation::backups::oldest_of;
use crate::rotation::compress::{self, Stopped};
use crate::rotation::lock::RollLock;
use crate::rotation::temporary::{self, Temporary};

use super::{Duties, Housekeeper, file_name};

/// Between two attempts to get a lock that others keep for long.
const PAUSE: Duration = Duration::from_millis(50);
/// For such a lock, when there is nothing else to wait for.
const LAST_WAIT: Duration = Duration::from_secs(5);

impl Housekeeper {
    /// Replaces an archive by its compressed twin; the twin's identity, if there is one now.
    pub(super) fn compress(&self, archive: &Found) -> Result<Option<FileId>> {
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
            Err(Stopped::Failed(error)) if inode::is_full(&error) => {
                self.put_off(archive, &error);
                Ok(None)
            }
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
                self.state().left_plain.insert(archive.id);
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
        let Some(lock) = self.roll_lock(current)? else {
            self.state().in_use.insert(id);
            return Ok(None);
        };
        let archives = self.0.duties.layout.scan(current)?;
        let Some(archive) = archives.iter().find(|archive| archive.id == id) else { return Ok(None) };
        let twin = with_gz(&archive.path);
        match compressed.keep_as(&twin) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                anyhow::bail!("{} is in the way", twin.display())
            }
            kept => kept?,
        }
        // Deleting takes its time on a large file, and a rollover may wait for the lock.
        let aside = temporary::set_aside(&archive.path, &file_name(current))
            .with_context(|| archive.path.display().to_string())?;
        drop(lock);
        match fs::remove_file(&aside) {
            // Whoever started in this moment took it for a leftover.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.with_context(|| format!("{}: cannot be deleted", aside.display()))?,
        }
        self.0.context.report.note(twin.display(), "compressed");
        Ok(FileId::at(&twin))
    }

    /// Deletes the plain file beside its compressed twin: a crash came between the last two steps of an earlier run.
    /// Others may be at work on the two as well, and both may move up the chain while they are compared.
    fn replace_by_twin(&self, current: &Path, archive: &Found) -> Result<Option<FileId>> {
        let Some(lock) = self.roll_lock(current)? else {
            self.state().in_use.insert(archive.id);
            return Ok(None);
        };
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
                self.state().left_plain.insert(archive.id);
                return Ok(None);
            }
            anyhow::bail!("{} is in the way", twin.display());
        }
        drop(plain);
        self.delete(|archives| archives.iter().filter(|found| found.id == archive.id).collect());
        Ok(Some(id))
    }

    /// The disk is full: it is tried again at the next request, and said once.
    fn put_off(&self, archive: &Found, error: &io::Error) {
        let mut state = self.state();
        state.in_use.insert(archive.id);
        if state.short_of_space.insert(archive.id) {
            self.0.context.report.say(format_args!("{}: not compressed: {error}", archive.path.display()));
        }
    }

    /// The roll lock, however long others keep it; None when told to stop meanwhile, or when nothing but this keeps the
    /// program from its end: what is left is for the next start.
    fn roll_lock(&self, current: &Path) -> io::Result<Option<RollLock>> {
        let mut give_up = None;
        loop {
            if let Some(lock) = RollLock::take(current)? {
                return Ok(Some(lock));
            }
            if self.state().closing {
                let give_up = *give_up.get_or_insert_with(|| Instant::now() + LAST_WAIT);
                if Instant::now() >= give_up {
                    return Ok(None);
                }
            }
            if self.0.context.stop.wait(PAUSE) {
                return Ok(None);
            }
        }
    }
}
