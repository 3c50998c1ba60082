//! How a log file is opened: never through a symlink where it is rolled, never waiting for a FIFO's reader.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::handlers::file::Mode;
use crate::inode::{self, FileId, is_full};

/// Whoever compresses or deletes a file that still has our name is done by then.
const LONGEST_CLAIM: Duration = Duration::from_millis(200);

/// Opens `path` for appending. A FIFO is opened only when it has a reader (`ENXIO` else), so nothing waits here.
pub(super) fn open_for_append(path: &Path, mode: Mode, follow_links: bool) -> io::Result<File> {
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
pub(super) fn open_and_claim(path: &Path, mut mode: Mode) -> io::Result<File> {
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

/// Where the file is torn, read through a second descriptor: the first one only appends.
pub(super) fn torn_at(path: &Path, id: FileId) -> io::Result<Option<u64>> {
    let file = inode::open_regular(path)?;
    if FileId::of(&file.metadata()?) == id { inode::torn_at(&file) } else { Ok(None) }
}

/// Whether opening may well succeed a little later: no space, or a FIFO that nobody reads yet.
pub(super) fn is_passing(error: &io::Error) -> bool {
    is_full(error) || Errno::from_io_error(error) == Some(Errno::NXIO)
}
