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
        // The names are the shell's arguments "$1", "$2": no name is ever read as shell text.
        let script = match uses_arguments(&self.command) {
            true => self.command.clone(),
            false => format!("{} \"$@\"", self.command),
        };
        command.arg("-c").arg(script).arg("loghand").args(arguments);
        command.env("LOGHAND_FILE", &self.log).stdin(Stdio::null()).stdout(Stdio::null());
        environment(&mut command);
        let status = command.status().with_context(|| format!("'{}' cannot be started", self.command))?;
        if !status.success() {
            bail!("'{}' failed: {status}", self.command);
        }
        Ok(())
    }
}

/// Whether a shell command says itself where its arguments go: $1, $@, $* or ${1…}, but not '$1' or \$1, which are
/// meant for somebody else (awk, say).
fn uses_arguments(command: &str) -> bool {
    let mut chars = command.chars().peekable();
    let (mut literal, mut quoted) = (false, false);
    while let Some(c) = chars.next() {
        match c {
            '\'' if !quoted => literal = !literal,
            _ if literal => {}
            '"' => quoted = !quoted,
            '\\' => drop(chars.next()),
            '$' => {
                chars.next_if_eq(&'{');
                if chars.peek().is_some_and(|c| matches!(c, '1'..='9' | '@' | '*')) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::uses_arguments;

    #[test]
    fn a_command_that_uses_its_arguments_is_not_given_them_again() {
        for uses in
            [r#"mv "$1" "$2""#, "cp $1 x", r#"f() { mv "$@"; }; f "$@""#, "x ${1%.log}", "x ${1}", "x $*", "x '$1' $2"]
        {
            assert!(uses_arguments(uses), "{uses}");
        }
        for uses_not in
            ["mv", "cat; mv", "awk '{ print $1 }'", r"echo \$1", r#"echo "\$1""#, "x $HOME", "x $$ $? $# $0", "x $"]
        {
            assert!(!uses_arguments(uses_not), "{uses_not}");
        }
        // A quote within the other quotes is a letter.
        assert!(uses_arguments(r#"echo "it's $1""#));
        assert!(!uses_arguments(r#"echo '"' '$1'"#));
    }
}
