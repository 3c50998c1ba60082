//! A log file that is open for appending: what FileHandler, the rotating and the watching handlers have in common.
//!
//! This is what it is, and when it is forced to disk; `opening` is how it comes to be, `writing` how lines get in.

mod opening;
mod writing;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::inode::{self, FileId};
use crate::stream::context::Context;
use crate::stream::handler::Lost;

use super::file::{FileOptions, Fsync, Mode};

use opening::{is_passing, open_and_claim, open_for_append, torn_at};

/// A log file that is open for appending, or will be.
pub struct LogFile {
    path: PathBuf,
    name: String,
    options: FileOptions,
    context: Context,
    open: Option<Open>,
    /// Something failed and was said; what is over is said too.
    troubled: bool,
    /// The rest of a line whose beginning was dropped, or could not be written whole, is dropped as well.
    dropping_line: bool,
    /// Records were dropped since the last flush, which has to say so.
    dropped: bool,
    /// The file was so long when it ended in mid-line: if it still is, what comes next begins on a new one.
    torn_at: Option<u64>,
    /// Written and not yet forced to disk since.
    unsynced_since: Option<Instant>,
}

struct Open {
    file: File,
    id: FileId,
    /// Only regular files are ever rolled, truncated or measured.
    regular: bool,
    /// The length as far as we know: what we found plus what we wrote.
    len: u64,
}

impl LogFile {
    /// Opens the file now, unless `delay` says otherwise.
    ///
    /// # Errors
    /// When it cannot be opened; a full disk or a FIFO without a reader is waited for at the first line.
    pub fn open(path: PathBuf, options: FileOptions, context: Context) -> Result<Self> {
        let mut log = Self {
            name: path.display().to_string(),
            path,
            options,
            context,
            open: None,
            troubled: false,
            dropping_line: false,
            dropped: false,
            torn_at: None,
            unsynced_since: None,
        };
        if !log.options.delay {
            match log.try_open(log.options.mode) {
                Err(error) if is_passing(&error) => {}
                opened => opened.with_context(|| format!("{}: {}", log.name, log.advice()))?,
            }
            // What was begun anew is not begun anew a second time.
            log.options.mode = Mode::Append;
        }
        Ok(log)
    }

    fn advice(&self) -> &'static str {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder {
            Some(folder) if !folder.exists() => "its folder does not exist (--mkdir makes it)",
            _ => "cannot be opened",
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn options(&self) -> &FileOptions {
        &self.options
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The open file.
    pub fn file(&self) -> Option<&File> {
        self.open.as_ref().map(|open| &open.file)
    }

    /// Which file is open.
    pub fn id(&self) -> Option<FileId> {
        self.open.as_ref().map(|open| open.id)
    }

    /// Bytes that stand in the file before the next line, as far as we know, with the line end that a torn line is
    /// owed; 0 for what is no regular file.
    pub fn len(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.len + u64::from(self.torn_at.is_some()))
    }

    /// Whether no line is in the file yet.
    pub fn is_empty(&self) -> bool {
        self.len() <= self.options.preamble.len() as u64
    }

    /// Whether the open file is a regular one.
    pub fn is_regular(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.regular)
    }

    /// Asks the file for its length; says whether somebody else has written to it, or cut it.
    pub fn measure(&mut self) -> io::Result<bool> {
        let Some(open) = self.open.as_mut().filter(|open| open.regular) else { return Ok(false) };
        let known = std::mem::replace(&mut open.len, open.file.metadata()?.len());
        let changed = open.len != known;
        if changed && self.options.mend {
            // Another writer may have been killed, or run out of space, within a line.
            self.torn_at = torn_at(&self.path, open.id).unwrap_or(None);
        }
        Ok(changed)
    }

    /// Opens the file by its name if it is not open.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn ensure_open(&mut self) -> io::Result<()> {
        match self.open {
            Some(_) => Ok(()),
            None => self.try_open(self.options.mode),
        }
    }

    fn try_open(&mut self, mode: Mode) -> io::Result<()> {
        if self.options.mkdir
            && let Some(folder) = self.path.parent()
        {
            fs::create_dir_all(folder)?;
        }
        let file = match self.options.claim {
            true => open_and_claim(&self.path, mode)?,
            false => open_for_append(&self.path, mode, true)?,
        };
        self.adopt(file)?;
        self.options.mode = Mode::Append;
        Ok(())
    }

    /// Opens what stands under the name now, after `predecessor` was moved away, with its mode and owner.
    ///
    /// # Errors
    /// Those of open(2); `predecessor` is written on then, unless it has no name any more.
    pub fn succeed(&mut self, predecessor: File) -> io::Result<()> {
        let like = predecessor.metadata()?;
        if let Err(error) = self.try_open(Mode::Append) {
            if !inode::is_deleted(&predecessor) {
                self.adopt(predecessor)?;
            }
            return Err(error);
        }
        match self.file() {
            Some(file) if self.options.chmod.is_none() && self.options.chown.is_none() => {
                inode::copy_mode_and_owner(&like, file)
            }
            _ => Ok(()),
        }
    }

    /// Goes on with `file`.
    fn adopt(&mut self, file: File) -> io::Result<()> {
        if let Some(mode) = self.options.chmod {
            inode::set_mode(&file, mode)?;
        }
        if let Some(owner) = self.options.chown {
            inode::set_owner(&file, owner)?;
        }
        let metadata = file.metadata()?;
        let regular = metadata.is_file();
        let len = if regular { metadata.len() } else { 0 };
        let id = FileId::of(&metadata);
        let mend = self.options.mend && len > 0;
        self.torn_at = if mend { torn_at(&self.path, id).unwrap_or(None) } else { None };
        self.open = Some(Open { file, id, regular, len });
        Ok(())
    }

    /// Lets go of the open file, which stays as it is; the next line opens what then stands under the name.
    pub fn release(&mut self) -> Option<File> {
        self.open.take().map(|open| open.file)
    }

    /// Goes on under another name.
    pub fn rename_to(&mut self, path: PathBuf) -> Option<File> {
        self.name = path.display().to_string();
        self.path = path;
        self.release()
    }

    /// Opens the file by its name again (HUP): a new one if the old was moved away.
    ///
    /// # Errors
    /// When it cannot be opened now; the next line tries again.
    pub fn reopen(&mut self) -> Result<()> {
        self.sync_before_leaving();
        self.release();
        match self.ensure_open() {
            Err(error) if !is_passing(&error) => Err(error).context(self.advice()),
            _ => Ok(()),
        }
    }

    /// Forces what was written to the disk.
    pub fn sync(&mut self) -> Result<()> {
        self.unsynced_since = None;
        match &self.open {
            Some(open) if open.regular => {
                open.file.sync_data().with_context(|| format!("{}: cannot be forced to disk", self.name))
            }
            _ => Ok(()),
        }
    }

    /// Forces the file to disk if it is about to be closed and `--fsync` is anything but `never`.
    pub fn sync_at_close(&mut self) -> Result<()> {
        match self.options.fsync {
            Fsync::Never => Ok(()),
            _ => self.sync(),
        }
    }

    /// Everything written is delivered; what the `drop` policy dropped is not, and was reported then.
    ///
    /// # Errors
    /// As of a handler's flush.
    pub fn flush(&mut self) -> Result<()> {
        self.sync_at_close()?;
        match std::mem::take(&mut self.dropped) {
            true => bail!(Lost { records: 0, why: "dropped: no space".into() }),
            false => Ok(()),
        }
    }

    /// The same when writing goes on elsewhere: what fails is said, and is no reason to stay.
    pub fn sync_before_leaving(&mut self) {
        if let Err(error) = self.sync_at_close() {
            self.context.report.error(&self.name, format_args!("{error:#}"));
        }
    }

    /// When the next `--fsync INTERVAL` is due.
    pub fn sync_deadline(&self) -> Option<Instant> {
        match (self.options.fsync, self.unsynced_since) {
            (Fsync::Every(interval), Some(since)) => Some(since + interval),
            _ => None,
        }
    }

    /// Does the `--fsync INTERVAL` that is due.
    pub fn sync_if_due(&mut self) -> Result<()> {
        match self.sync_deadline() {
            Some(at) if Instant::now() >= at => self.sync(),
            _ => Ok(()),
        }
    }
}
