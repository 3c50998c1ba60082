//! One process at a time: a lock on a side file that stays, since the checkpoint itself is another file after every save.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process;

use crate::inode;

/// Takes the lock for as long as the file is open; else tells the number of the process that has it, if it wrote one.
///
/// # Errors
/// When the side file cannot be made or opened.
pub fn take(path: &Path) -> io::Result<Result<File, Option<u32>>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false);
    let mut file = options.mode(0o600).custom_flags(flags.bits() as i32).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    if !inode::lock_exclusive(&file)? {
        let mut number = String::new();
        let read = (&mut file).take(16).read_to_string(&mut number);
        return Ok(Err(read.ok().and_then(|_| number.trim_end().parse().ok())));
    }
    // Only for the second one's message: on a full disk it is a lock all the same.
    let _ = file.set_len(0).and_then(|()| file.write_all(format!("{}\n", process::id()).as_bytes()));
    Ok(Ok(file))
}
