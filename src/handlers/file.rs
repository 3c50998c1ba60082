//! FileHandler: appends lines to a file. Its parameters are those of every handler that writes one.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::inode::Owner;
use crate::stream::batch::Batch;
use crate::stream::handler::{Control, Handler};

use super::log_file::LogFile;

/// Python's `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `a`: go on at the end.
    #[default]
    Append,
    /// `w`: begin with an empty file.
    Truncate,
    /// `x`: the file must not exist.
    Create,
}

/// When written lines are forced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    #[default]
    Never,
    /// When a file is rolled over or closed.
    Rollover,
    /// So long after a write at the latest.
    Every(Duration),
    /// After every batch.
    Always,
}

/// What happens to lines when there is no space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDiskFull {
    /// Wait and try again: the producer waits too, nothing is lost.
    #[default]
    Wait,
    /// Drop what does not fit, and count it.
    Drop,
    /// Delete the oldest of the own archives, then wait.
    Reclaim,
}

/// How a log file is opened and kept.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    pub mode: Mode,
    /// Open at the first line only.
    pub delay: bool,
    /// Exact permission bits; without them the umask decides.
    pub chmod: Option<u32>,
    pub chown: Option<Owner>,
    /// Make missing folders.
    pub mkdir: bool,
    pub fsync: Fsync,
    pub on_disk_full: OnDiskFull,
    /// What every file begins with: a byte order mark, or nothing.
    pub preamble: &'static [u8],
    /// Begin on a new line where a killed writer left the file in mid-line.
    pub mend: bool,
    /// Go on under the name when it leads elsewhere by then, also while waiting for the old file.
    pub follow: bool,
    /// Hold a shared lock on the open file, so that nobody compresses or deletes it under us (for logs that
    /// are rolled, which are never opened through a symlink).
    pub claim: bool,
}

/// Python's FileHandler.
pub struct FileHandler {
    log: LogFile,
}

impl FileHandler {
    pub fn new(log: LogFile) -> Self {
        Self { log }
    }
}

impl Handler for FileHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.log.write(batch, &mut || false)
    }

    fn flush(&mut self) -> Result<()> {
        self.log.flush()
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.log.sync_at_close()
    }

    fn deadline(&self) -> Option<Instant> {
        self.log.sync_deadline()
    }

    fn tick(&mut self) -> Result<()> {
        self.log.sync_if_due()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        match control {
            Control::Reopen => self.log.reopen(),
            Control::Rollover => Ok(()),
        }
    }
}
