//! Commands that a person gave to run at a rollover (`--rotator`, `--after-rotate`).

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A shell command that is handed file names as arguments and in its environment.
#[derive(Clone, Debug)]
pub struct Hook {
    command: String,
    log: std::path::PathBuf,
}

impl Hook {
    /// `log` is the file that is being rotated.
    pub fn new(command: String, log: &Path) -> Self {
        Self { command, log: log.to_owned() }
    }

    /// Python's `rotator(source, dest)`: moves one file to the other, in its own way.
    ///
    /// # Errors
    /// When the command cannot be started or fails.
    pub fn rotate(&self, source: &Path, destination: &Path) -> Result<()> {
        self.run(&[source.as_os_str(), destination.as_os_str()], |command| {
            command.env("LOGHAND_SOURCE", source).env("LOGHAND_DESTINATION", destination);
        })
    }

    /// Tells of an archive that has come to be.
    ///
    /// # Errors
    /// When the command cannot be started or fails.
    pub fn archived(&self, archive: &Path) -> Result<()> {
        self.run(&[archive.as_os_str()], |command| {
            command.env("LOGHAND_ARCHIVE", archive);
        })
    }

    fn run(&self, arguments: &[&OsStr], environment: impl FnOnce(&mut Command)) -> Result<()> {
        let mut command = Command::new("/bin/sh");
        // The names come behind the command as "$1", "$2": no name is ever read as shell text.
        command.arg("-c").arg(format!("{} \"$@\"", self.command)).arg("loghand").args(arguments);
        command.env("LOGHAND_FILE", &self.log).stdin(Stdio::null()).stdout(Stdio::null());
        environment(&mut command);
        let status = command.status().with_context(|| format!("'{}' cannot be started", self.command))?;
        if !status.success() {
            bail!("'{}' failed: {status}", self.command);
        }
        Ok(())
    }
}
