//! `loghand rotate`: lines to a file that is rolled over by size, by the clock, or both.

mod once;
mod plan;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::NaiveTime;
use clap::builder::ArgPredicate;

use crate::cli::Usage;
use crate::clock::Zone;
use crate::handlers::base_rotating::{BaseRotatingHandler, Rules};
use crate::handlers::file::FileOptions;
use crate::handlers::rotating_file::SizeRule;
use crate::handlers::timed_rotating_file::TimeRule;
use crate::progress::Progress;
use crate::rotation::archives::Layout;
use crate::rotation::backups::Retention;
use crate::rotation::budget::Budget;
use crate::rotation::dated::DatedPath;
use crate::rotation::hooks::Hook;
use crate::rotation::housekeeper::Duties;
use crate::rotation::mover::Mover;
use crate::rotation::naming::Naming;
use crate::rotation::when::{Unit, When, parse_at_time};
use crate::stream::context::Context;
use crate::stream::handler::Handler;
use crate::units::{ByteSize, Span, parse_number, parse_positive};

use super::groups::FileArgs;
use super::outlet::{OutletArgs, encoded};

pub use once::Once;
pub use plan::Plan;

/// Write lines to a file that rolls over by size, by the clock, or both (RotatingFileHandler, TimedRotatingFileHandler)
///
/// The file never exceeds --max-bytes and is never cut within a line; a line longer than that is a file of its own. An
/// empty file is never rolled over. Archives are called as Python calls them: app.log.1 (the youngest) and so on by
/// size, app.log.2026-11-20 by the clock, app.log.2026-11-20.1 by both. No archive is ever overwritten, and none but
/// its own is ever deleted. Any number of processes may write to one file.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  app | loghand rotate app.log --max-bytes 10M --backup-count 5 --compress
  app | loghand rotate app.log --when midnight --max-bytes 100M --max-total-bytes 2G
  app | loghand rotate 'logs/%Y/%m/%d/app.log' --mkdir --link current.log
  loghand rotate --once '/var/log/app/*.log' --max-bytes 10M --compress --delay-compress      (from cron)
  loghand rotate app.log --when W6 --plan")]
pub struct Args {
    /// The log file; with --once, files and patterns ('*.log')
    ///
    /// Fields of strftime in it (logs/%Y/%m/%d/app.log) make a new file for each period instead of renaming; missing
    /// folders are made. %% is a percent sign.
    #[arg(value_name = "FILE", required = true)]
    pub paths: Vec<PathBuf>,

    /// Roll over before the file exceeds this size
    #[arg(long, value_name = "SIZE", help_heading = "Rollover")]
    pub max_bytes: Option<ByteSize>,
    /// Roll over by the clock: S, M, H, D (seconds … days since the file began), midnight, W0 (Monday) … W6
    #[arg(long, value_name = "UNIT", help_heading = "Rollover")]
    pub when: Option<Unit>,
    /// So many units make a period
    #[arg(
        long,
        value_name = "N",
        default_value = "1",
        requires = "when",
        value_parser = parse_positive::<NonZeroU32>,
        help_heading = "Rollover"
    )]
    pub interval: NonZeroU32,
    /// The time of day for midnight and W0 … W6
    #[arg(long, value_name = "HH:MM[:SS]", value_parser = parse_at_time, requires = "when", help_heading = "Rollover")]
    pub at_time: Option<NaiveTime>,
    /// Reckon and name in UTC instead of local time
    #[arg(long, help_heading = "Rollover")]
    pub utc: bool,

    /// Keep so many archives; 0 keeps all
    #[arg(
        long,
        value_name = "N",
        default_value = "10",
        value_parser = parse_number::<u64>,
        default_value_if("max_total_bytes", ArgPredicate::IsPresent, "0"),
        help_heading = "Archives"
    )]
    pub backup_count: u64,
    /// Delete archives last written longer ago (looked at when the program starts and at each rollover)
    #[arg(long, value_name = "DURATION", help_heading = "Archives")]
    pub max_age: Option<Span>,
    /// All files together never exceed this, the current one and temporary ones included: the oldest archives go first
    ///
    /// Without --max-bytes the file is rolled over at a tenth of it; without --backup-count nothing else counts.
    #[arg(long, value_name = "SIZE", help_heading = "Archives")]
    pub max_total_bytes: Option<ByteSize>,
    /// How archives are called, by fields in braces: base, stem, ext, n, time, time:%Y%m%d-%H%M%S
    ///
    /// For app.log, base is app.log, stem is app, ext is .log. With n alone the archives are a chain in which 1 is the
    /// youngest; with time they keep their names. A folder may stand before it, as in 'old/{stem}-{time:%Y%m%d}{ext}'.
    #[arg(long, value_name = "TEMPLATE", help_heading = "Archives")]
    pub namer: Option<String>,
    /// Move the file by this command instead of renaming it; the writer waits for it
    ///
    /// Source and destination are $1 and $2 of the command; the names are appended, unless the command uses $1 and $2.
    #[arg(long, value_name = "COMMAND", conflicts_with = "copy_truncate", help_heading = "Archives")]
    pub rotator: Option<String>,
    /// Run this command for each new archive, when it is compressed if it is to be
    ///
    /// The name is $1 of the command; it is appended, unless the command uses $1. An archive that is still not
    /// compressed at the end (the youngest, with --delay-compress) or that cannot be is told with its plain name.
    #[arg(long, value_name = "COMMAND", help_heading = "Archives")]
    pub after_rotate: Option<String>,
    /// Compress archives in the background: gzip, or gzip:LEVEL (1 to 9, 6 if not given)
    #[arg(
        long,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "gzip",
        value_parser = parse_compress,
        help_heading = "Archives"
    )]
    pub compress: Option<u32>,
    /// Leave the youngest archive uncompressed until the next rollover
    #[arg(long, requires = "compress", help_heading = "Archives")]
    pub delay_compress: bool,
    /// Keep a symlink that leads to the current file
    #[arg(long, value_name = "PATH", help_heading = "Archives")]
    pub link: Option<PathBuf>,

    /// Read nothing: roll over what is due, and leave
    // An emptied log is lost, and one that is not opened cannot be rolled over.
    #[arg(long, conflicts_with_all = ["mode", "delay"], help_heading = "Without a pipe")]
    pub once: bool,
    /// With --once: roll over whatever is not empty
    #[arg(long, requires = "once", help_heading = "Without a pipe")]
    pub force: bool,
    /// With --once: copy the file and empty it, for programs that cannot reopen (lines written in between are lost)
    #[arg(long, requires = "once", help_heading = "Without a pipe")]
    pub copy_truncate: bool,
    /// Change nothing: print what would be rolled over, named and deleted, and the next rollovers
    #[arg(long, help_heading = "Without a pipe")]
    pub plan: bool,

    #[command(flatten)]
    pub outlet: OutletArgs,
    #[command(flatten)]
    pub file: FileArgs,
}

/// What a call of the verb is for.
pub enum Mode {
    Pipe,
    Once(Once),
    Plan(Plan),
}

impl Args {
    pub fn output_name(&self) -> String {
        self.paths.first().map(|path| path.display().to_string()).unwrap_or_default()
    }

    /// See [`crate::cli::Outlet::outputs`].
    pub fn outputs(&self) -> Vec<PathBuf> {
        self.paths.clone()
    }

    /// # Errors
    /// [`Usage`] for several files where one is meant, and where lines come that nobody would read.
    pub fn mode(&self, reads_files: bool) -> Result<Mode> {
        if reads_files && (self.once || self.plan) {
            return Err(Usage("--once and --plan read no lines, so --input has no place there".into()).into());
        }
        if self.plan {
            return Ok(Mode::Plan(Plan::new(self.clone())));
        }
        if self.once {
            return Ok(Mode::Once(Once::new(self.clone())?));
        }
        self.single_path()?;
        Ok(Mode::Pipe)
    }

    fn single_path(&self) -> Result<&Path> {
        match &self.paths[..] {
            [path] => Ok(path),
            _ => Err(Usage("one FILE takes the lines; several go with --once".into()).into()),
        }
    }

    /// See [`crate::cli::Outlet::check`].
    pub fn check(&self, context: &Context) -> Result<()> {
        if self.once || self.plan {
            return Err(Usage("--once and --plan read no lines, so they are no outlet".into()).into());
        }
        self.log(self.single_path()?, context, &Progress::hidden())?;
        self.outlet.check()
    }

    /// Opens the file.
    ///
    /// # Errors
    /// [`Usage`] for flags that cannot be; else when the file cannot be opened.
    pub fn open(&self, context: &Context, behind_dashes: bool) -> Result<Box<dyn Handler>> {
        let path = self.single_path()?;
        let context = Context { zone: self.zone(context), ..context.clone() };
        let log = self.log(path, &context, &Progress::hidden())?;
        let name = self.output_name();
        self.outlet.layer(&name, &context, behind_dashes, |context| {
            let options = FileOptions { mend: self.file.encoding.is_none(), ..self.file.options() };
            let handler = BaseRotatingHandler::open(log.path, log.rules, options, context.clone())?;
            Ok(encoded(&self.file, &name, context, Box::new(handler)))
        })
    }

    fn zone(&self, context: &Context) -> Zone {
        if self.utc { Zone::utc() } else { context.zone.clone() }
    }

    /// The file that is written now, and by which rules it is rolled over.
    fn log(&self, path: &Path, context: &Context, progress: &Progress) -> Result<Log> {
        let when = self.when.map(|unit| When::new(unit, self.interval, self.at_time, context.zone.clone()));
        let max_total = self.max_total_bytes.map(|size| size.0);
        let max_bytes = self.max_bytes.map_or(max_total.map_or(0, |total| total / 10), |size| size.0);
        let dated = DatedPath::parse(path, context.zone.clone()).map_err(|error| Usage(format!("FILE: {error}")))?;
        let (path, layout) = match dated {
            Some(pattern) => {
                if self.namer.is_some() || when.is_some() {
                    let why = "a dated FILE says by itself when a new one begins: leave out --when and --namer";
                    return Err(Usage(why.into()).into());
                }
                (pattern.path_at(context.clock.now()), Layout::Dated(pattern))
            }
            None => {
                let path = DatedPath::plain(path).map_err(|error| Usage(format!("FILE: {error}")))?;
                let template = self.namer.as_deref().unwrap_or(match (&when, max_bytes) {
                    (None, _) => "{base}.{n}",
                    (Some(_), 0) => "{base}.{time}",
                    (Some(_), _) => "{base}.{time}.{n}",
                });
                let suffix = when.as_ref().map_or("%Y-%m-%d_%H-%M-%S", When::suffix);
                let naming =
                    Naming::new(&path, template, suffix).map_err(|error| Usage(format!("--namer: {error}")))?;
                (path, Layout::Renamed(naming))
            }
        };
        let duties = Duties {
            layout,
            retention: Retention { count: self.backup_count, max_age: self.max_age.map(|span| span.0) },
            compress: self.compress,
            delay_compress: self.delay_compress,
            after_rotate: self.after_rotate.clone().map(|command| Hook::new(command, &path)),
            budget: Budget::new(max_total),
            progress: progress.clone(),
        };
        let mover = match (&self.rotator, self.copy_truncate) {
            (Some(command), _) => Mover::Command(Hook::new(command.clone(), &path)),
            (None, true) => Mover::CopyTruncate,
            (None, false) => Mover::Rename,
        };
        let rules = Rules {
            size: SizeRule { max_bytes },
            time: when.map(|when| TimeRule::new(when, context.clock.now())),
            mover,
            link: self.link.clone(),
            duties,
        };
        Ok(Log { path, rules })
    }
}

struct Log {
    path: PathBuf,
    rules: Rules,
}

fn parse_compress(text: &str) -> Result<u32, String> {
    let level = match text.split_once(':') {
        None if text == "gzip" => Some(6),
        Some(("gzip", level)) => level.parse().ok().filter(|level| (1..=9).contains(level)),
        _ => None,
    };
    level.ok_or_else(|| format!("'{text}' is no way to compress: gzip, or gzip:LEVEL with 1 (fast) to 9 (small)"))
}

/// The path of each archive or log that a person is told of.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn describe<T>(path: &Path, result: std::io::Result<T>) -> Result<T> {
    result.with_context(|| shown(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compress_takes_a_level() {
        assert_eq!(parse_compress("gzip"), Ok(6));
        assert_eq!(parse_compress("gzip:9"), Ok(9));
        for wrong in ["gzip:0", "gzip:10", "zstd", "", "9"] {
            assert!(parse_compress(wrong).is_err(), "{wrong}");
        }
    }
}
