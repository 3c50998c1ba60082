//! A log file that is open for appending: what FileHandler, the rotating and the watching handlers have in common.
//!
//! How it is opened, one write(2) per batch, what happens while it cannot be written, when it is forced to disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::backoff::{Backoff, Patience};
use crate::inode::{self, FileId, is_full};
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::handler::{Ended, Lost};

use super::file::{FileOptions, Fsync, Mode, OnDiskFull};

/// Whoever compresses or deletes a file that still has our name is done by then.
const LONGEST_CLAIM: Duration = Duration::from_millis(200);

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

    /// Writes the batch with as few writes as the kernel allows (one), and by the policy when it cannot.
    ///
    /// `reclaim` frees space by deleting archives and says whether it did.
    ///
    /// # Errors
    /// [`Ended`] when the reader of a pipe went away; [`Lost`] when we were told to stop (TERM) before the lines could
    /// be written.
    pub fn write(&mut self, batch: &Batch<'_>, reclaim: &mut dyn FnMut() -> bool) -> Result<()> {
        if self.dropping_line && !batch.starts() {
            let (rest, next) = batch.split_at(batch.first_len());
            self.dropping_line = !rest.ends();
            if !next.is_empty() {
                self.write(&next, reclaim)?;
            }
            return Ok(());
        }
        self.dropping_line = false;
        let mut patience = None;
        let mut written = 0;
        while written < batch.len() {
            match self.write_once(&batch.bytes()[written..]) {
                Ok(length) => {
                    written += length;
                    self.over();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => bail!(Ended::ReaderGone),
                Err(error) => {
                    let full = is_full(&error);
                    if full && self.options.on_disk_full == OnDiskFull::Reclaim && reclaim() {
                        continue;
                    }
                    if full && self.options.on_disk_full == OnDiskFull::Drop {
                        self.drop_rest(batch, written, &error);
                        return Ok(());
                    }
                    if Errno::from_io_error(&error) == Some(Errno::STALE) {
                        self.release();
                    }
                    self.say_trouble(&error);
                    let patience =
                        patience.get_or_insert_with(|| Patience::new(Backoff::for_files(), &self.context.stop));
                    if !patience.wait() {
                        let kept = self.cut_back(batch, written);
                        bail!(lost_behind(batch, kept, format!("told to stop: {error}")));
                    }
                    written = self.resume_at(batch, written);
                }
            }
        }
        match self.options.fsync {
            Fsync::Always => {
                // The lines are written, and the next ones must be: this is said and is no reason to stop.
                if let Err(error) = self.sync() {
                    self.context.report.error(&self.name, format_args!("{error:#}"));
                }
            }
            Fsync::Every(_) if self.unsynced_since.is_none() => self.unsynced_since = Some(Instant::now()),
            _ => {}
        }
        Ok(())
    }

    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.ensure_open()?;
        let Some(open) = &mut self.open else { return Err(ErrorKind::NotFound.into()) };
        while let Some(len) = self.torn_at.take() {
            if open.regular && open.file.metadata()?.len() != len {
                // Others were faster, but may have been torn themselves.
                self.torn_at = torn_at(&self.path, open.id).unwrap_or(None);
                continue;
            }
            if let Err(error) = open.file.write_all(b"\n") {
                self.torn_at = Some(len);
                return Err(error);
            }
            open.len += 1;
        }
        if open.len == 0 && open.regular && !self.options.preamble.is_empty() {
            open.file.write_all(self.options.preamble)?;
            open.len = self.options.preamble.len() as u64;
        }
        let length = open.file.write(bytes)?;
        if length == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        if open.regular {
            open.len += length as u64;
        }
        Ok(length)
    }

    /// Where in the batch to go on after a wait: much may have happened to the file. A record of which only a part was
    /// written is written anew where that part is not the end of the file any more, or the file is another one.
    fn resume_at(&mut self, batch: &Batch<'_>, written: usize) -> usize {
        // What began in an earlier batch cannot be written anew.
        let whole = if batch.starts() { batch.fit(written as u64) } else { written };
        let elsewhere = self.leads_elsewhere();
        if written == 0 {
            match elsewhere {
                true => drop(self.release()),
                // Nothing of ours stands there, but others may have been cut off.
                false => drop(self.measure()),
            }
            return 0;
        }
        let Some(open) = self.open.as_mut().filter(|open| open.regular) else { return written };
        // Where our last write ended, and where the file ends: between them is what others wrote meanwhile.
        let (Ok(end), Ok(metadata)) = (rustix::fs::tell(&open.file), open.file.metadata()) else { return written };
        let others_wrote = self.options.claim && metadata.len() != end;
        if !others_wrote && !elsewhere {
            return written;
        }
        // If only the line end was missing, whoever came next may have put it there; else it may still be possible.
        let ended = batch.bytes()[written..].first() == Some(&b'\n')
            && match others_wrote {
                true => byte_at(&open.file, end) == Some(b'\n'),
                false => open.file.write_all(b"\n").is_ok(),
            };
        match elsewhere {
            true => drop(self.release()),
            false => {
                open.len = metadata.len();
                self.torn_at = inode::torn_at(&open.file).unwrap_or(None);
            }
        }
        if ended { written + 1 } else { whole }
    }

    /// Whether the name leads to another file than the open one, and we are to go where it leads.
    fn leads_elsewhere(&self) -> bool {
        let Some(open) = self.open.as_ref().filter(|open| open.regular && self.options.follow) else { return false };
        let found = match self.options.claim {
            true => FileId::at(&self.path),
            false => fs::metadata(&self.path).ok().as_ref().map(FileId::of),
        };
        found != Some(open.id)
    }

    fn say_trouble(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.troubled, true) {
            let hint = match is_full(error) {
                true => ": waiting for space, the producer waits too",
                false => ": trying again until it works, the producer waits",
            };
            self.context.report.warn(&self.name, format_args!("{error}{hint}"));
        }
    }

    fn over(&mut self) {
        if std::mem::take(&mut self.troubled) {
            self.context.report.warn(&self.name, "writing again");
        }
    }

    /// The `drop` policy: what was not written of the batch goes, from the last whole record on.
    fn drop_rest(&mut self, batch: &Batch<'_>, written: usize, error: &io::Error) {
        let kept = self.cut_back(batch, written);
        let lost = lost_behind(batch, kept, error.to_string());
        self.dropping_line = !batch.ends();
        self.troubled = true;
        self.context.report.lost(&self.name, lost.records, lost.why);
    }

    /// Takes a torn record at the end off the file again; returns how many bytes of the batch stay.
    fn cut_back(&mut self, batch: &Batch<'_>, written: usize) -> usize {
        let whole = batch.fit(written as u64);
        let torn = (written - whole) as u64;
        if torn == 0 {
            return written;
        }
        if let Some(open) = &mut self.open
            && open.regular
            && (whole > 0 || batch.starts())
            && open.file.metadata().is_ok_and(|metadata| metadata.len() == open.len)
            && open.file.set_len(open.len - torn).is_ok()
        {
            open.len -= torn;
        } else {
            let len = self.file().and_then(|file| file.metadata().ok()).map_or(0, |metadata| metadata.len());
            self.torn_at = Some(len);
        }
        whole
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

/// Opens `path` for appending. A FIFO is opened only when it has a reader (`ENXIO` else), so nothing waits here.
fn open_for_append(path: &Path, mode: Mode, follow_links: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    match mode {
        Mode::Append => {}
        Mode::Create => drop(options.create_new(true)),
        Mode::Truncate => {}
    }
    let there = fs::metadata(path);
    let fifo = there.as_ref().is_ok_and(|metadata| metadata.file_type().is_fifo());
    let mut flags = OFlags::empty();
    flags.set(OFlags::NONBLOCK, fifo);
    flags.set(OFlags::NOFOLLOW, !follow_links);
    options.custom_flags(flags.bits() as i32);
    // Where others write, too, it must be seen how far they came; who may not read can still write.
    let readable = !follow_links && there.as_ref().map_or(true, fs::Metadata::is_file);
    let opened = match options.clone().read(readable).open(path) {
        Err(error) if readable && error.kind() == ErrorKind::PermissionDenied => options.open(path),
        opened => opened,
    };
    let file = opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::LOOP) if !follow_links => io::Error::other("it has become a symlink, which is never followed here"),
        _ => error,
    })?;
    if fifo {
        rustix::io::ioctl_fionbio(&file, false)?;
    }
    if mode == Mode::Truncate && file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Opens `path` and locks what it opened, unless the name leads elsewhere by then: somebody has just rolled over.
fn open_and_claim(path: &Path, mut mode: Mode) -> io::Result<File> {
    let patience = Instant::now() + LONGEST_CLAIM;
    loop {
        let file = open_for_append(path, mode, false)?;
        mode = Mode::Append;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(file);
        }
        let claimed = inode::lock_shared(&file)?;
        let named = FileId::at(path) == Some(FileId::of(&metadata));
        // Some other program may lock it for good: that must not stop the log.
        if named && (claimed || Instant::now() >= patience) {
            return Ok(file);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// What is lost of a batch when only its first `kept` bytes were written.
fn lost_behind(batch: &Batch<'_>, kept: usize, why: String) -> Lost {
    let (_, rest) = batch.split_at(kept);
    // The rest of a record that began earlier is a loss, too.
    Lost { records: rest.count().max(u64::from(!rest.starts())), why }
}

/// One byte of the file, if it can be read.
fn byte_at(file: &File, at: u64) -> Option<u8> {
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).ok().map(|()| byte[0])
}

/// Where the file is torn, read through a second descriptor: the first one only appends.
fn torn_at(path: &Path, id: FileId) -> io::Result<Option<u64>> {
    let file = inode::open_regular(path)?;
    if FileId::of(&file.metadata()?) == id { inode::torn_at(&file) } else { Ok(None) }
}

/// Whether opening may well succeed a little later: no space, or a FIFO that nobody reads yet.
fn is_passing(error: &io::Error) -> bool {
    is_full(error) || Errno::from_io_error(error) == Some(Errno::NXIO)
}
