//! A log that is read: its name, and the files that bore it one after the other.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::inode::FileId;
use crate::sources::state::{FileState, LogState};

use super::window::Inside;

/// So many files that were read to their end are remembered for each log, and so many more while they are there: a
/// pattern may name them, and would find them new again.
const REMEMBERED: usize = 8;
const REMEMBERED_WHILE_THERE: usize = 64;

/// A file that was renamed is read so long at its end after its successor has got its first line: not all of its
/// writers may have noticed at once.
pub const GRACE: Duration = Duration::from_millis(250);

/// One log.
pub struct Log {
    /// Its name from the root on, so that it is the same log wherever the program is started.
    pub path: PathBuf,
    /// Its name as the pattern found it, to go with its lines.
    pub filename: Arc<[u8]>,
    /// The oldest first. All but the last have been replaced under the log's name.
    pub files: VecDeque<Tracked>,
    /// What was read to its end, the oldest first.
    pub done: VecDeque<FileState>,
    /// It was rotated by copying it the last time (copytruncate): nobody writes to what it was copied to.
    pub copied: bool,
    /// What came later is to be read, whatever it is called; what came until then and is not known is not.
    pub since: Option<SystemTime>,
    /// What is wrong with it, once it was said.
    pub said: Option<String>,
    /// It stands in the list of those that may have lines.
    pub in_turn: bool,
    /// When it wants to be looked at, whatever happens.
    pub wake: Option<Instant>,
    /// Since when it has neither a name nor a file.
    pub gone: Option<Instant>,
}

impl Log {
    pub fn new(path: PathBuf, as_found: &Path) -> Self {
        let filename = Arc::from(as_found.as_os_str().as_encoded_bytes());
        let (files, done) = (VecDeque::new(), VecDeque::new());
        Self {
            path,
            filename,
            files,
            done,
            copied: false,
            since: None,
            said: None,
            in_turn: false,
            wake: None,
            gone: None,
        }
    }

    /// A log as it was left the last time. Where its files are by now is yet to be found out.
    pub fn restored(state: LogState) -> Self {
        let files = state.files.into_iter().map(Tracked::new).collect();
        let as_found = state.path.clone();
        Self { files, done: state.done.into(), since: state.since, ..Self::new(state.path, &as_found) }
    }

    /// It was found again, perhaps by another path to the same name.
    pub fn found_as(&mut self, as_found: &Path) {
        if *self.filename != *as_found.as_os_str().as_encoded_bytes() {
            self.filename = Arc::from(as_found.as_os_str().as_encoded_bytes());
        }
    }

    pub fn state(&self) -> LogState {
        LogState {
            path: self.path.clone(),
            since: self.since,
            files: self.files.iter().map(|tracked| tracked.state.clone()).collect(),
            done: self.done.iter().cloned().collect(),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        shown_bytes(&self.filename)
    }

    /// Whether nothing is known of it yet.
    pub fn is_new(&self) -> bool {
        self.files.is_empty() && self.done.is_empty()
    }

    /// The first file was read to its end, and nothing more is expected in it.
    pub fn front_is_done(&mut self) {
        if let Some(tracked) = self.files.pop_front() {
            // From now on only the packed one can be met again.
            let position = tracked.state.position;
            let packed = tracked.packed_as.map(|state| FileState { position, ..state });
            self.remember(packed.unwrap_or(tracked.state));
        }
    }

    pub fn remember(&mut self, state: FileState) {
        self.done.push_back(state);
        if self.done.len() > REMEMBERED {
            let gone = self.done.iter().position(|state| FileId::at(&state.place) != Some(state.id));
            if let Some(at) = gone.or((self.done.len() > REMEMBERED_WHILE_THERE).then_some(0)) {
                // Nor is it read again now that nobody knows it any more, when it is packed neither.
                let forgotten = self.done.remove(at).map(|state| state.modified);
                self.since = self.since.max(forgotten);
            }
        }
    }

    /// Whether what stands at `path` with this identity is one of the log's files. An inode is used again once its file is
    /// deleted, which cannot be while that is open.
    pub fn owns(&self, id: FileId, path: &Path) -> bool {
        let is_open = |tracked: &Tracked| tracked.state.id == id && tracked.file.is_some() && !tracked.overwritten;
        let still_fits = |state: &FileState| match state.position.offset {
            // Nothing tells but its place.
            0 => fs::symlink_metadata(&state.place).is_ok_and(|found| state.is(&found)),
            _ if state.gzip => fs::metadata(path).is_ok_and(|metadata| modified(&metadata) == state.modified),
            _ => open(path).is_ok_and(|file| state.position.fits(&file).unwrap_or(false)),
        };
        self.files.iter().any(is_open) || self.find(id).is_some_and(still_fits)
    }

    /// The state of the file with this identity, if it is one of the log's.
    pub fn find(&self, id: FileId) -> Option<&FileState> {
        let tracked = self.files.iter().map(|tracked| &tracked.state).find(|state| state.id == id);
        tracked.or_else(|| self.done.iter().find(|state| state.id == id))
    }
}

/// A file of a log of which something may be unread.
pub struct Tracked {
    pub state: FileState,
    /// Open, unless it was idle while others needed descriptors.
    pub file: Option<File>,
    pub inside: Inside,
    /// Whether the log's name leads to it.
    pub live: bool,
    /// It was cut or overwritten: what was unread in it is gone from it.
    pub overwritten: bool,
    /// What it was packed to before it was deleted; its descriptor may have more.
    pub packed_as: Option<FileState>,
    /// Since when it is not to be found.
    pub missing: Option<Instant>,
    /// It was done, and has grown since.
    pub late: bool,
    /// Since when nothing but late lines are waited for in it.
    pub at_end: Option<Instant>,
    /// So often it could not be read.
    pub failures: u32,
    /// How long the unfinished line was when it last grew, and when that was.
    pub unfinished: Option<(u64, Instant)>,
    /// Where reading ends, once everything is to end.
    pub limit: Option<u64>,
    /// When it was last read, in turns.
    pub used: u64,
}

impl Tracked {
    pub fn new(state: FileState) -> Self {
        Self {
            state,
            file: None,
            inside: Inside::default(),
            live: false,
            overwritten: false,
            packed_as: None,
            missing: None,
            late: false,
            failures: 0,
            at_end: None,
            unfinished: None,
            limit: None,
            used: 0,
        }
    }

    /// Opens it where it was last found. None when another file, or none, is there.
    ///
    /// # Errors
    /// What keeps it from being opened.
    pub fn open(&mut self) -> io::Result<Option<&File>> {
        if self.file.is_none() {
            let file = match open(&self.state.place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?,
            };
            if !self.state.is(&file.metadata()?) {
                return Ok(None);
            }
            self.file = Some(file);
        }
        Ok(self.file.as_ref())
    }

    /// How many bytes of it are still to be read, as far as is known.
    pub fn unread_on_disk(&self) -> u64 {
        let read = if self.state.gzip { 0 } else { self.state.position.offset };
        fs::metadata(&self.state.place).map_or(0, |metadata| metadata.len().saturating_sub(read))
    }
}

/// Opens a file to read it, through symlinks, and never waits (as a FIFO would make us).
pub fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

pub fn modified(metadata: &Metadata) -> SystemTime {
    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A name as messages show it: on one line, whatever is in it.
pub fn shown(path: &Path) -> String {
    shown_bytes(path.as_os_str().as_encoded_bytes())
}

fn shown_bytes(name: &[u8]) -> String {
    let mut text = String::new();
    for part in name.utf8_chunks() {
        for c in part.valid().chars() {
            if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
        }
        text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}
