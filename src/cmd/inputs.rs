//! Where a verb's lines come from: stdin, or files, once or for ever.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};

use crate::cli::Usage;
use crate::sources::chain::Chain;
use crate::sources::checkpoint::{Checkpoint, CheckpointError, Saved};
use crate::sources::follow::{Files, Options};
use crate::sources::patterns::Patterns;
use crate::sources::stdin::Stdin;
use crate::stream::context::Context;
use crate::stream::source::Source;
use crate::units::Span;

use super::run::may_be_closed;

// A verb that reads: its own flags, and those that say what it reads. What is documented here would be its help.
#[derive(Clone, Debug, Args)]
pub struct Reading<A: Args> {
    #[command(flatten)]
    pub verb: A,
    #[command(flatten)]
    pub input: InputArgs,
}

// Files instead of stdin. Documented so, it would be the verb's help.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// Read this file, or the files that this pattern names, instead of stdin (- is stdin); repeatable
    ///
    /// Patterns are quoted, as in --input '/var/log/app/*.log'; ** stands for any number of folders. Files are read in
    /// the order of their names, the archives of a log (app.log.1, app.log-20261120.gz) before it, the oldest first.
    /// What gzip packed is read as text.
    #[arg(long, value_name = "PATH|GLOB")]
    pub input: Vec<PathBuf>,
    /// Leave out files whose names, or, with a slash in it, whose paths match this pattern; repeatable
    #[arg(long, value_name = "GLOB", requires = "input")]
    pub exclude: Vec<PathBuf>,
    /// Go on with what is appended to the files, with the files that replace them, and with new ones
    #[arg(long, requires = "input")]
    pub follow: bool,
    /// Remember in this file how far was read, and go on there the next time
    ///
    /// It advances when lines were delivered, so after a crash some come twice, but none is missing. Beside it lie
    /// FILE.previous and FILE.lock.
    #[arg(long, value_name = "FILE", requires = "input")]
    pub checkpoint: Option<PathBuf>,
    /// Where to begin in files that the checkpoint does not know
    #[arg(long, value_name = "WHERE", default_value = "start", requires = "input")]
    pub from: FromChoice,
    /// Leave when no line has come for so long
    #[arg(long, value_name = "DURATION", requires = "follow")]
    pub until_idle: Option<Span>,
    /// Hand on an unfinished last line, marked ' [partial]', when it has not grown for so long; else it waits
    #[arg(long, value_name = "DURATION", requires = "follow")]
    pub partial_after: Option<Span>,
    /// Look so often instead of being told of changes [where nobody tells, as on NFS: every second]
    #[arg(long, value_name = "DURATION", requires = "follow")]
    pub poll: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FromChoice {
    /// At the first line
    Start,
    /// Behind the last whole line of files that are there already
    End,
}

impl InputArgs {
    /// Whether files are read, and not stdin.
    pub fn is_given(&self) -> bool {
        !self.input.is_empty()
    }

    /// Looks at the flags, and takes hold of the checkpoint; nothing else is touched. `outputs` are the files that are
    /// written to.
    ///
    /// # Errors
    /// [`Usage`] for flags that cannot be, and for a checkpoint that another process uses; else when the checkpoint
    /// cannot be used.
    pub fn prepare(self, outputs: &[PathBuf], context: &Context) -> Result<Input> {
        let is_stdin = |word: &PathBuf| word == Path::new("-");
        if self.input.iter().any(is_stdin) && (self.follow || self.checkpoint.is_some()) {
            return Err(Usage("--input -: stdin is neither followed nor has a checkpoint".into()).into());
        }
        for (flag, span) in [("--poll", self.poll), ("--until-idle", self.until_idle)] {
            if span.is_some_and(|span| span.0.is_zero()) {
                return Err(Usage(format!("{flag} takes more than nothing, as in 1s")).into());
            }
        }
        let parse = |words: &[PathBuf]| -> Result<Patterns> {
            Patterns::new(words, &self.exclude).map_err(|error| Usage(format!("--input: {error}")).into())
        };
        let patterns = self.input.split(is_stdin).map(parse).collect::<Result<Vec<_>>>()?;
        if let Some(path) = &self.checkpoint {
            refuse_log_as_checkpoint(path, &patterns, outputs)?;
        }
        let checkpoint = self.checkpoint.as_ref().map(|path| open_checkpoint(path, context)).transpose()?;
        Ok(Input { args: self, patterns, checkpoint })
    }
}

/// What is to be read.
pub struct Input {
    args: InputArgs,
    /// Between two of them stands stdin.
    patterns: Vec<Patterns>,
    checkpoint: Option<(Checkpoint, Option<Saved>)>,
}

impl Input {
    /// Opens it. `progress` says whether a bar may be shown, `outputs` what is written meanwhile.
    pub fn open(mut self, outputs: &[PathBuf], progress: bool, context: &Context) -> Box<dyn Source> {
        if !self.args.is_given() {
            return stdin(context);
        }
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        for (at, patterns) in std::mem::take(&mut self.patterns).into_iter().enumerate() {
            if at > 0 {
                sources.push(stdin(context));
            }
            if !patterns.is_empty() {
                let options = self.options(patterns, outputs, progress);
                sources.push(Box::new(Files::open(options, context.clone())));
            }
        }
        match sources.pop() {
            Some(source) if sources.is_empty() => source,
            last => {
                sources.extend(last);
                Box::new(Chain::new(sources))
            }
        }
    }

    fn options(&mut self, patterns: Patterns, outputs: &[PathBuf], progress: bool) -> Options {
        let own = self.args.checkpoint.iter().flat_map(|path| Checkpoint::paths(path));
        Options {
            patterns,
            outputs: outputs.to_vec(),
            own: own.collect(),
            follow: self.args.follow,
            poll: self.args.poll.map(|span| span.0),
            from_end: self.args.from == FromChoice::End,
            until_idle: self.args.until_idle.map(|span| span.0),
            partial_after: self.args.partial_after.map(|span| span.0),
            checkpoint: self.checkpoint.take(),
            progress,
        }
    }
}

fn stdin(context: &Context) -> Box<dyn Source> {
    if may_be_closed(rustix::stdio::stdin()) {
        context.report.warn("stdin", "is closed, or /dev/null: there is nothing to read");
    }
    Box::new(Stdin::new(context.report.clone()))
}

/// What is no checkpoint is set aside, which must not happen to a log by a slip of the pen.
fn refuse_log_as_checkpoint(checkpoint: &Path, patterns: &[Patterns], outputs: &[PathBuf]) -> Result<()> {
    let Ok(file) = fs::canonicalize(checkpoint) else { return Ok(()) };
    let is_it = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == file);
    let refuse = |why: &str| Err(Usage(format!("--checkpoint: {}: {why}", checkpoint.display())).into());
    if outputs.iter().any(|output| is_it(output)) {
        return refuse("lines are written to it, so it cannot be the checkpoint");
    }
    if Checkpoint::may_be(&file) {
        return Ok(());
    }
    match patterns.iter().flat_map(|patterns| patterns.scan().found).any(|found| is_it(&found.path)) {
        true => refuse("lines are read from it, so it cannot be the checkpoint"),
        false => Ok(()),
    }
}

fn open_checkpoint(path: &Path, context: &Context) -> Result<(Checkpoint, Option<Saved>)> {
    Checkpoint::open(path.to_owned(), &context.report).map_err(|error| match error {
        CheckpointError::InUse { .. } => Usage(format!("--checkpoint: {error}")).into(),
        CheckpointError::Unusable { .. } => anyhow!("--checkpoint: {error}"),
    })
}
