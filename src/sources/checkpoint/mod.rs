//! Where the positions of files are kept over restarts (`--checkpoint FILE`): in FILE, and the ones before in
//! FILE.previous. One process at a time has them, by a lock on FILE.lock.
//!
//! The price of a checkpoint that is lost is every line once more, so one is never overwritten: the new one is whole and
//! on the disk before it takes the name, and what cannot be read is set aside and said.

mod escape;
mod files;
mod format;
mod instant;
mod layout;
mod lock;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use thiserror::Error;

use crate::report::Report;

use super::state::LogState;
use files::{Content, Files};
use format::Flaw;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// When it was saved.
    pub written: DateTime<Utc>,
    pub logs: Vec<LogState>,
}

/// Why there is no checkpoint to be had.
#[derive(Debug, Error)]
pub enum CheckpointError {
    #[error("{}: in use by another loghand{}: each needs a checkpoint of its own", path.display(), process(*by))]
    InUse {
        path: PathBuf,
        /// The process that has it, where it could be learned.
        by: Option<u32>,
    },
    #[error("{}: {why}", path.display())]
    Unusable { path: PathBuf, why: io::Error },
}

fn process(number: Option<u32>) -> String {
    number.map(|number| format!(" (process {number})")).unwrap_or_default()
}

/// The right to read and save the positions that are kept in one file; it ends when this is dropped.
#[derive(Debug)]
pub struct Checkpoint {
    files: Files,
    /// As text, here to be used again: it is as long every time.
    text: Vec<u8>,
    _lock: File,
}

impl Checkpoint {
    /// Takes the lock and reads what is there; None when nothing was saved before, or nothing that can be read.
    ///
    /// # Errors
    /// When another process has it, or when it could not be read or saved here. A damaged one is no error: it is set
    /// aside, and the one before serves.
    pub fn open(path: PathBuf, report: &Report) -> Result<(Self, Option<Saved>), CheckpointError> {
        Files::may_be_at(&path).map_err(unusable(&path))?;
        let mut files = Files::at(path);
        let lock = match lock::take(&files.lock).map_err(unusable(&files.lock))? {
            Ok(lock) => lock,
            Err(by) => return Err(CheckpointError::InUse { path: files.file, by }),
        };
        let saved = match files::read(&files.file).map_err(unusable(&files.file))? {
            Content::Good(saved, length) => {
                files.length = Some(length);
                Some(saved)
            }
            Content::None => fall_back(&files, None, report)?,
            Content::Bad(flaw) => fall_back(&files, Some(flaw), report)?,
        };
        Ok((Self { files, text: Vec::new(), _lock: lock }, saved))
    }

    /// The files of the checkpoint at `path`.
    pub fn paths(path: &Path) -> [PathBuf; 4] {
        let Files { file, previous, lock, new, .. } = Files::at(path.to_owned());
        [file, previous, lock, new]
    }

    /// Whether what lies there could be one, whole or not, by how it begins; what is empty or cannot be read could.
    pub fn may_be(path: &Path) -> bool {
        // Opening a FIFO would wait for its writer.
        if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            return true;
        }
        let mut first = [0];
        let length = File::open(path).and_then(|mut file| file.read(&mut first));
        !length.is_ok_and(|length| length > 0 && first[0] != b'{')
    }

    /// Saves them at once or not at all; when it returns Ok, they are on the disk.
    ///
    /// # Errors
    /// When they cannot be written. What was saved before is still there then.
    pub fn save(&mut self, logs: &[LogState], now: DateTime<Utc>) -> io::Result<()> {
        self.text.clear();
        format::write(&mut self.text, logs, now)?;
        self.files.replace(&self.text)
    }
}

/// The previous checkpoint in place of the last, which is missing or has a flaw.
fn fall_back(files: &Files, flaw: Option<Flaw>, report: &Report) -> Result<Option<Saved>, CheckpointError> {
    let Files { file, previous, .. } = files;
    let (saved, older_flaw) = match files::read(previous).map_err(unusable(previous))? {
        Content::None => (None, None),
        Content::Good(saved, _) => (Some(saved), None),
        Content::Bad(flaw) => (None, Some(flaw)),
    };
    let instead = match &saved {
        Some(Saved { written, .. }) => {
            let written = written.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!("{}, written at {written}, serves instead", previous.display())
        }
        None => "every file is read anew as if for the first time".to_owned(),
    };
    if flaw.is_none() && saved.is_some() {
        report.note(file.display(), format_args!("missing: {instead}"));
    }
    for (path, flaw) in [(file, flaw), (previous, older_flaw)] {
        let Some(flaw) = flaw else { continue };
        let aside = files::set_aside(path).map_err(|why| {
            let why = format!("{flaw}, and it cannot be set aside: {why}");
            unusable(path)(io::Error::new(ErrorKind::InvalidData, why))
        })?;
        report.warn(path.display(), format_args!("{flaw}; set aside as {}; {instead}", aside.display()));
    }
    Ok(saved)
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    |why| CheckpointError::Unusable { path, why }
}

#[cfg(test)]
mod states;
#[cfg(test)]
mod tests;
