//! `rotate --once`: rolls over what is due and leaves, for cron.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::Usage;
use crate::handlers::base_rotating::BaseRotatingHandler;
use crate::progress::Progress;
use crate::rotation::naming::Naming;
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
        let log = self.0.log(file, context, progress)?;
        let mut handler = BaseRotatingHandler::open(log.path, log.rules, self.0.file.options(), context.clone())?;
        handler.roll_once(self.0.force);
        Box::new(handler).close()
    }

    /// The files that are meant: paths as they are, patterns as far as they lead to logs and not to archives.
    fn files(&self, context: &Context) -> Result<Vec<PathBuf>> {
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
            let before = files.len();
            for entry in found {
                match entry {
                    Ok(file) if self.is_log(&file)? => files.push(file),
                    Ok(_) => {}
                    Err(error) => context.report.error(error.path().display(), error.error()),
                }
            }
            if files.len() == before {
                context.report.note(pattern, "leads to no log");
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Whether a file that a pattern found is a log of its own: a regular file that is no archive of another.
    fn is_log(&self, file: &Path) -> Result<bool> {
        if !fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file()) {
            return Ok(false);
        }
        let Some(name) = file.file_name() else { return Ok(false) };
        if name.as_encoded_bytes().starts_with(b".") {
            return Ok(false);
        }
        // Every beginning of the name that ends before a separator may be the log that it is an archive of.
        let text = name.as_encoded_bytes();
        for at in (1..text.len()).filter(|at| matches!(text[*at], b'.' | b'-' | b'_')) {
            let Ok(base) = std::str::from_utf8(&text[..at]) else { continue };
            let log = file.with_file_name(base);
            if log.exists() && self.namings(&log)?.iter().any(|naming| naming.parse(name).is_some()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The names that archives of `log` have by these flags, and those that its neighbours by other flags have.
    fn namings(&self, log: &Path) -> Result<Vec<Naming>> {
        let own = self.0.namer.as_deref();
        let templates = ["{base}.{n}", "{base}.{time}", "{base}-{time:%Y%m%d}"].into_iter().chain(own);
        Ok(templates.filter_map(|template| Naming::new(log, template, "%Y-%m-%d").ok()).collect())
    }
}
