//! How lines get into a log file: one write(2) for a batch, and by the policy when that cannot be.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::time::Instant;

use anyhow::{Result, bail};
use rustix::io::Errno;

use crate::backoff::{Backoff, Patience};
use crate::handlers::file::{Fsync, OnDiskFull};
use crate::inode::{self, FileId, is_full};
use crate::stream::batch::Batch;
use crate::stream::handler::{Ended, Lost};

use super::LogFile;
use super::opening::torn_at;

impl LogFile {
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
        self.dropped = true;
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
