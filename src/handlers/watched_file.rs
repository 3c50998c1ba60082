//! WatchedFileHandler: appends to a file that another program moves, deletes or truncates.
//!
//! Before each batch the name is looked up, as Python does; after it, a file that has lost its last name gets its
//! lines a second time under the new one, because nobody could ever read the first. A file that was moved is written on
//! for a moment, in which its mover may make the new one. While no lines come, a watch on the folder (or a look now and
//! then, where it cannot be watched) opens the file anew.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use notify::{Config, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher};

use crate::inode::{self, FileId};
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::handler::{Control, Handler};

use super::file::FileOptions;
use super::log_file::LogFile;

/// How often the name is looked up where the folder cannot be watched.
const POLL: Duration = Duration::from_secs(1);

/// How long a file that was moved away is written on before a new one is made. Who moved it often makes the new one
/// himself, and logrotate's `create` fails when somebody else was faster.
const OTHERS_FIRST: Duration = Duration::from_millis(20);

/// Python's WatchedFileHandler.
pub struct WatchedFileHandler {
    log: LogFile,
    watch: Watch,
    /// The folder that is watched: a name may lead to another one later.
    folder: Option<FileId>,
    /// Since when the name leads nowhere, while the file stands under another one.
    moved: Option<Instant>,
}

enum Watch {
    /// Kept for its thread, which wakes us.
    Folder {
        _watcher: RecommendedWatcher,
    },
    Poll {
        next: Instant,
    },
}

impl WatchedFileHandler {
    /// Opens the file and begins to watch its folder.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: PathBuf, options: FileOptions, context: Context) -> Result<Self> {
        let log = LogFile::open(path, options, context.clone())?;
        let mut handler = Self { log, watch: Watch::Poll { next: Instant::now() + POLL }, folder: None, moved: None };
        handler.watch();
        Ok(handler)
    }

    /// Watches the folder that the name leads to now, unless it is watched already.
    fn watch(&mut self) {
        let found = id_of_folder(self.log.path());
        if found.is_none() || found == self.folder {
            return;
        }
        self.watch = match watch_folder(self.log.path(), self.log.context()) {
            Ok(watcher) => Watch::Folder { _watcher: watcher },
            Err(error) => {
                let why = format_args!("looking every second, no watching here: {error}");
                self.log.context().report.warn(self.log.name(), why);
                Watch::Poll { next: Instant::now() + POLL }
            }
        };
        self.folder = found;
    }

    /// Python's reopenIfNeeded.
    fn reopen_if_needed(&mut self) -> Result<()> {
        let Some(id) = self.log.id() else { return Ok(()) };
        match fs::metadata(self.log.path()) {
            Ok(found) if FileId::of(&found) == id => {
                self.moved = None;
                Ok(())
            }
            Err(error) if error.kind() != ErrorKind::NotFound => Ok(()),
            Err(_) if self.may_be_made_by_others() => Ok(()),
            _ => {
                self.moved = None;
                self.log.sync_before_leaving();
                self.log.release();
                // What fails here is tried again with the next line, which waits for it.
                let _ = self.log.ensure_open();
                self.watch();
                Ok(())
            }
        }
    }

    /// Whether the file alone was moved, a moment ago.
    fn may_be_made_by_others(&mut self) -> bool {
        !self.is_orphan()
            && id_of_folder(self.log.path()) == self.folder
            && self.moved.get_or_insert_with(Instant::now).elapsed() < OTHERS_FIRST
    }

    /// Whether the open file has no name any more, so that nobody will read it.
    fn is_orphan(&self) -> bool {
        self.log.is_regular() && self.log.file().is_some_and(inode::is_deleted)
    }
}

/// Wakes the pump when the name is made, moved or deleted. What is written into files wakes nobody.
fn watch_folder(path: &Path, context: &Context) -> notify::Result<RecommendedWatcher> {
    let name = path.file_name().map(ToOwned::to_owned);
    let waker = context.waker.clone();
    let concerns_us = move |event: &notify::Event| {
        event.need_rescan() || event.paths.iter().any(|path| path.file_name() == name.as_deref())
    };
    let wake = move |event: notify::Result<notify::Event>| {
        if event.as_ref().map_or(true, &concerns_us) {
            waker.wake();
        }
    };
    let kinds = EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::MODIFY_NAME;
    let mut watcher = RecommendedWatcher::new(wake, Config::default().with_event_kinds(kinds))?;
    watcher.watch(folder_of(path), RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

fn id_of_folder(path: &Path) -> Option<FileId> {
    fs::metadata(folder_of(path)).ok().as_ref().map(FileId::of)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl Handler for WatchedFileHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        if batch.starts() {
            self.reopen_if_needed()?;
        }
        self.log.write(batch, &mut || false)?;
        while self.is_orphan() {
            self.log.release();
            self.log.write(batch, &mut || false)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.log.flush()
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.log.sync_at_close()
    }

    fn deadline(&self) -> Option<Instant> {
        let look = match &self.watch {
            Watch::Folder { .. } => None,
            Watch::Poll { next } => Some(*next),
        };
        let make = self.moved.map(|since| since + OTHERS_FIRST);
        [look, make, self.log.sync_deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self) -> Result<()> {
        if let Watch::Poll { next } = &mut self.watch {
            *next = Instant::now() + POLL;
        }
        self.reopen_if_needed()?;
        self.log.sync_if_due()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        match control {
            Control::Reopen => self.log.reopen(),
            Control::Rollover => Ok(()),
        }
    }
}
