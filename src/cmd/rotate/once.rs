//! `rotate --once`: rolls over what is due and leaves, for cron.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::Usage;
use crate::handlers::base_rotating::BaseRotatingHandler;
use crate::progress::Progress;
use crate::rotation::naming::{Naming, Stamp};
use crate::stream::context::Context;
use crate::stream::handler::Handler;

use super::Args;

/// One run over files and patterns.
pub struct Once(Args);

impl Once {
    /// # Errors
    /// [`Usage`] when nothing says what is due.
    pub fn new(args: Args) -> Result<Self> {
        if args.max_bytes.is_none() && args.when.is_none() && args.max_total_bytes.is_none() && !args.force {
            return Err(Usage("--once: say what is due, by --max-bytes, --when or --force".into()).into());
        }
        Ok(Self(args))
    }

    /// Rolls over each file that is due; one that cannot be is reported, and the others go on.
    ///
    /// # Errors
    /// [`Usage`] for a pattern or flags that cannot be.
    pub fn run(&self, context: &Context, show_progress: bool) -> Result<()> {
        let context = Context { zone: self.0.zone(context), ..context.clone() };
        let files = self.files(&context)?;
        let total = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|metadata| metadata.len()).sum();
        let progress = Progress::bytes(total, show_progress && self.0.compress.is_some());
        for file in &files {
            if context.stop.requested() {
                bail!("told to stop: the files from {} on are left as they are", file.display());
            }
            match self.roll(file, &context, &progress) {
                Err(error) if error.is::<Usage>() => return Err(error),
                Err(error) => {
                    context.report.fail();
                    context.report.say(format_args!("{error:#}"));
                }
                Ok(()) => {}
            }
        }
        progress.finish();
        Ok(())
    }

    fn roll(&self, file: &Path, context: &Context, progress: &Progress) -> Result<()> {
        match fs::symlink_metadata(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => bail!("{}: there is no such file", file.display()),
            Err(error) => return super::describe(file, Err(error)),
            Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => {
                bail!("{}: is not a regular file, which alone can be rolled over", file.display())
            }
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => {
                // Its archives are looked after all the same: the last run may have been killed.
                context.report.note(file.display(), "is empty, so it is not rolled over");
            }
            Ok(_) => {}
        }
        let log = self.0.log(&literal(file), context, progress)?;
        let mut handler = BaseRotatingHandler::open(log.path, log.rules, self.0.file.options(), context.clone())?;
        handler.roll_once(self.0.force);
        Box::new(handler).close()
    }

    /// The files that are meant: paths as they are, patterns as far as they lead to logs and not to archives.
    pub(super) fn files(&self, context: &Context) -> Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = Vec::new();
        for path in &self.0.paths {
            let text = path.to_str().filter(|text| text.contains(['*', '?', '[']));
            let pattern = match text {
                // A file that is really called so is meant, not the pattern.
                Some(text) if fs::symlink_metadata(path).is_err() => text,
                _ => {
                    files.push(path.clone());
                    continue;
                }
            };
            let found = glob::glob(pattern).map_err(|error| Usage(format!("'{pattern}' is no pattern: {error}")))?;
            let mut entries = Vec::new();
            for entry in found {
                match entry {
                    Ok(file) => entries.push(file),
                    Err(error) => context.report.error(error.path().display(), error.error()),
                }
            }
            let before = files.len();
            files.extend(entries.iter().filter(|file| self.is_log(file, &entries)).cloned());
            if files.len() == before {
                context.report.note(pattern, "leads to no log");
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Whether a file that a pattern found, one of `entries`, is a log of its own: a regular file that is no archive.
    fn is_log(&self, file: &Path, entries: &[PathBuf]) -> bool {
        if !fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file()) {
            return false;
        }
        let Some(name) = file.file_name() else { return false };
        let text = name.as_encoded_bytes();
        if text.starts_with(b".") || is_stamped(text) {
            return false;
        }
        // Every beginning of the name that ends before a separator may be the log that it is an archive of, as it is
        // or with the name's extension.
        let extension = text.iter().rposition(|byte| *byte == b'.').map_or(&b""[..], |dot| &text[dot..]);
        for at in (1..text.len()).filter(|at| matches!(text[*at], b'.' | b'-' | b'_')) {
            for extension in [&b""[..], extension] {
                let log = file.with_file_name(OsStr::from_bytes(&[&text[..at], extension].concat()));
                if log != file && log.exists() && self.is_archive_of(file, &log, &NEIGHBOURS) {
                    return false;
                }
            }
        }
        // A namer may put anything before the name, and archives into another folder.
        let is_own = |log: &PathBuf| {
            let stem = log.file_stem().unwrap_or_default().as_encoded_bytes();
            log != file && memchr::memmem::find(text, stem).is_some() && self.is_archive_of(file, log, &[])
        };
        self.0.namer.is_none() || !entries.iter().any(is_own)
    }

    /// Whether archives of `log` are called so, by these flags or by one of `templates`.
    fn is_archive_of(&self, file: &Path, log: &Path, templates: &[&str]) -> bool {
        let (folder, name) = (file.parent(), file.file_name().unwrap_or_default());
        templates.iter().copied().chain(self.0.namer.as_deref()).any(|template| {
            let naming = Naming::new(log, template, "%Y-%m-%d");
            naming.is_ok_and(|naming| {
                let beside = naming.path(&Stamp::default());
                beside.parent() == folder && naming.parse(name).is_some()
            })
        })
    }
}

/// What archives beside a log are called by Python, by logrotate, and by us.
const NEIGHBOURS: [&str; 8] = [
    "{base}.{n}",
    "{base}.{time:%Y-%m-%d}",
    "{base}.{time:%Y-%m-%d_%H}",
    "{base}.{time:%Y-%m-%d_%H-%M}",
    "{base}.{time:%Y-%m-%d_%H-%M-%S}",
    "{base}-{time:%Y%m%d}",
    "{base}-{time:%Y%m%d%H}",
    "{base}-{time:%s}",
];

/// What archives are called by multilog, svlogd and s6-log, whatever their log is: @, 24 hexadecimal digits, a state.
fn is_stamped(name: &[u8]) -> bool {
    match name.split_first_chunk::<25>() {
        Some(([b'@', digits @ ..], state)) => {
            digits.iter().all(u8::is_ascii_hexdigit) && (state.is_empty() || state.starts_with(b"."))
        }
        _ => false,
    }
}

/// The path as a FILE that holds no fields: a file that exists is called as it is called.
pub(super) fn literal(file: &Path) -> PathBuf {
    let doubled = |byte: &u8| std::iter::repeat_n(*byte, if *byte == b'%' { 2 } else { 1 });
    OsString::from_vec(file.as_os_str().as_encoded_bytes().iter().flat_map(doubled).collect()).into()
}
