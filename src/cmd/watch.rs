//! `loghand watch`: appends to a file that another program moves, deletes or truncates.

use std::path::PathBuf;

use anyhow::Result;

use crate::handlers::file::FileOptions;
use crate::handlers::watched_file::WatchedFileHandler;
use crate::stream::context::Context;
use crate::stream::handler::Handler;

use super::groups::FileArgs;
use super::outlet::{OutletArgs, encoded};

/// Append lines to a file that somebody else rotates (WatchedFileHandler)
///
/// When the name leads to another file, or to none, the file is opened anew: before the next line, and while no lines
/// come as well. No line is lost in between. HUP reopens at once.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  app | loghand watch /var/log/app.log          (logrotate may rename it; no postrotate script is needed)
  nohup app 2>&1 | loghand watch app.log &")]
pub struct Args {
    /// The file to append to
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    #[command(flatten)]
    pub outlet: OutletArgs,
    #[command(flatten)]
    pub file: FileArgs,
}

impl Args {
    pub fn output_name(&self) -> String {
        self.path.display().to_string()
    }

    /// See [`crate::cli::Outlet::outputs`].
    pub fn outputs(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }

    /// Opens the file and begins to watch its folder.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(&self, context: &Context, behind_dashes: bool) -> Result<Box<dyn Handler>> {
        let name = self.output_name();
        self.outlet.layer(&name, context, behind_dashes, |context| {
            let options = FileOptions { mend: self.file.encoding.is_none(), follow: true, ..self.file.options() };
            let handler = WatchedFileHandler::open(self.path.clone(), options, context.clone())?;
            Ok(encoded(&self.file, &name, context, Box::new(handler)))
        })
    }
}
