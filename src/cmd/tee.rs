//! `loghand tee`: lines to stdout or stderr, to files, and to any further outlets.

use std::path::PathBuf;

use anyhow::Result;

use crate::cli::Outlet;
use crate::handlers::file::FileHandler;
use crate::handlers::log_file::LogFile;
use crate::handlers::null::NullHandler;
use crate::handlers::stream::{Stream, StreamHandler};
use crate::stream::context::Context;
use crate::stream::fanout::Fanout;
use crate::stream::handler::Handler;

use super::groups::FileArgs;
use super::outlet::{OutletArgs, encoded};
use super::run::may_be_closed;

/// Copy lines to stdout, to files, and to any outlets behind -- (StreamHandler, FileHandler, NullHandler)
///
/// Files are appended to unless --mode says otherwise; 'null:' is a file that takes everything. A stdout whose reader
/// goes away ends that output alone. Bytes go through as they are.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  make 2>&1 | loghand tee build.log
  app | loghand tee --capacity 500 --on-capacity forget        (quiet runs stay quiet, errors bring their context)
  app | loghand tee -- rotate app.log --max-bytes 10M -- tee --no-stdout errors.log --level error")]
pub struct Args {
    /// Files to append to
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Copy to stderr instead of stdout
    #[arg(long, conflicts_with = "no_stdout")]
    pub stderr: bool,
    /// Copy to neither stdout nor stderr
    #[arg(long)]
    pub no_stdout: bool,
    #[command(flatten)]
    pub outlet: OutletArgs,
    #[command(flatten)]
    pub file: FileArgs,
}

impl Args {
    pub fn output_name(&self) -> String {
        match self.files.first() {
            Some(file) if self.no_stdout => file.display().to_string(),
            _ => self.stream_name().to_owned(),
        }
    }

    /// See [`Outlet::outputs`].
    pub fn outputs(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    fn stream_name(&self) -> &'static str {
        if self.stderr { "stderr" } else { "stdout" }
    }

    /// Opens stdout and the files as one outlet.
    ///
    /// # Errors
    /// When none of the outputs can be opened; as long as one can, the others are reported and left out.
    pub fn open(&self, context: &Context, behind_dashes: bool) -> Result<Box<dyn Handler>> {
        self.outlet.layer(&self.output_name(), context, behind_dashes, |context| {
            let mut outputs: Vec<(String, Box<dyn Handler>)> = Vec::new();
            if !self.no_stdout {
                let stream = if self.stderr { Stream::Stderr } else { Stream::Stdout };
                let descriptor = if self.stderr { rustix::stdio::stderr() } else { rustix::stdio::stdout() };
                if may_be_closed(descriptor) {
                    context.report.warn(self.stream_name(), "is closed, or /dev/null: nobody sees what goes there");
                }
                outputs.push((self.stream_name().to_owned(), Box::new(StreamHandler::new(stream))));
            }
            let mut failed = None;
            for file in &self.files {
                let name = file.display().to_string();
                if file.as_os_str() == "null:" {
                    outputs.push((name, Box::new(NullHandler)));
                    continue;
                }
                match LogFile::open(file.clone(), self.file.options(), context.clone()) {
                    Ok(log) => {
                        let handler = encoded(&self.file, &name, context, Box::new(FileHandler::new(log)));
                        outputs.push((name, handler));
                    }
                    Err(error) => {
                        context.report.fail();
                        if let Some(earlier) = failed.replace(error) {
                            context.report.say(format_args!("{earlier:#}"));
                        }
                    }
                }
            }
            match (outputs.len(), failed) {
                (0, Some(error)) => return Err(error),
                (_, Some(error)) => context.report.say(format_args!("{error:#}")),
                _ => {}
            }
            // One output needs nobody to share with.
            if outputs.len() == 1
                && let Some((_, handler)) = outputs.pop()
            {
                return Ok(handler);
            }
            let mut fanout = Fanout::new(context.report.clone());
            for (name, handler) in outputs {
                fanout.add(name, handler);
            }
            Ok(Box::new(fanout))
        })
    }

    /// Looks for flags that cannot be, here and behind the dashes, and opens nothing.
    ///
    /// # Errors
    /// [`crate::cli::Usage`] if there are any.
    pub fn check(&self, outlets: &[Outlet], context: &Context) -> Result<()> {
        self.outlet.check()?;
        outlets.iter().try_for_each(|outlet| outlet.check(context))
    }

    /// Opens this and the outlets behind it, which were checked.
    ///
    /// # Errors
    /// When nothing can be opened. As long as one outlet can, the others are reported and left out.
    pub fn open_with(self, outlets: Vec<Outlet>, context: &Context) -> Result<Box<dyn Handler>> {
        let own = (!self.no_stdout || !self.files.is_empty()).then(|| (self.output_name(), self.open(context, false)));
        let others = outlets.into_iter().map(|outlet| (outlet.name(), outlet.open(context, true)));
        let mut fanout = Fanout::new(context.report.clone());
        let (mut open, mut failed) = (0, None);
        for (name, opened) in own.into_iter().chain(others) {
            match opened {
                Ok(handler) => {
                    fanout.add(name, handler);
                    open += 1;
                }
                Err(error) => {
                    context.report.fail();
                    if let Some(earlier) = failed.replace(error) {
                        context.report.say(format_args!("{earlier:#}"));
                    }
                }
            }
        }
        match (open, failed) {
            (0, Some(error)) => return Err(error),
            (_, Some(error)) => context.report.say(format_args!("{error:#}")),
            _ => {}
        }
        Ok(Box::new(fanout))
    }
}
