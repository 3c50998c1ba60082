//! A verb as an outlet: its handler, behind the layers that its flags ask for.
//!
//! From the producer's side: queue, multi-line records, filter and format, buffer, encoding, handler.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use crate::cli::Outlet;
use crate::format::FormatContext;
use crate::handlers::memory::MemoryHandler;
use crate::handlers::queue::QueueHandler;
use crate::handlers::queue_listener::QueueListener;
use crate::stop::Waker;
use crate::stream::context::Context;
use crate::stream::handler::Handler;
use crate::stream::mapped::Mapped;
use crate::stream::multiline::Multiline;
use crate::stream::queue::Queue;
use crate::stream::recode::Recode;
use crate::stream::records::Records;

use super::groups::{BufferArgs, FileArgs, QueueArgs, RecordArgs};

/// The flag groups that every outlet takes.
#[derive(Clone, Debug, clap::Args)]
pub struct OutletArgs {
    #[command(flatten)]
    pub records: RecordArgs,
    #[command(flatten)]
    pub buffer: BufferArgs,
    #[command(flatten)]
    pub queue: QueueArgs,
}

impl Outlet {
    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Self::Tee(args) => args.output_name(),
            Self::Rotate(args) => args.output_name(),
            Self::Watch(args) => args.output_name(),
            Self::Ship(args) => args.output_name(),
            Self::Syslog(args) => args.output_name(),
        }
    }

    /// The files that it writes to, as far as their names are known.
    pub fn outputs(&self) -> Vec<PathBuf> {
        match self {
            Self::Tee(args) => args.outputs(),
            Self::Rotate(args) => args.outputs(),
            Self::Watch(args) => args.outputs(),
            Self::Ship(args) => args.outputs(),
            Self::Syslog(args) => args.outputs(),
        }
    }

    /// Looks for flags that cannot be, and opens nothing.
    ///
    /// # Errors
    /// [`crate::cli::Usage`] if there are any.
    pub fn check(&self, context: &Context) -> Result<()> {
        match self {
            Self::Tee(args) => args.outlet.check(),
            Self::Rotate(args) => args.check(context),
            Self::Watch(args) => args.outlet.check(),
            Self::Ship(args) => args.check(),
            Self::Syslog(args) => args.check(),
        }
    }

    /// Opens everything; `behind_dashes` gives it a queue of its own.
    ///
    /// # Errors
    /// [`crate::cli::Usage`] for flags that cannot be; else what cannot be opened.
    pub fn open(&self, context: &Context, behind_dashes: bool) -> Result<Box<dyn Handler>> {
        match self {
            Self::Tee(args) => args.open(context, behind_dashes),
            Self::Rotate(args) => args.open(context, behind_dashes),
            Self::Watch(args) => args.open(context, behind_dashes),
            Self::Ship(args) => args.open(context),
            Self::Syslog(args) => args.open(context),
        }
    }
}

impl OutletArgs {
    /// See [`Outlet::check`].
    pub fn check(&self) -> Result<()> {
        self.buffer.options()?;
        self.records.options(false)?;
        Ok(())
    }

    /// Puts the layers in front of the handler that `open` opens.
    ///
    /// # Errors
    /// [`crate::cli::Usage`] for flags that contradict each other, and what `open` says.
    pub fn layer(
        &self,
        name: &str,
        context: &Context,
        behind_dashes: bool,
        open: impl FnOnce(&Context) -> Result<Box<dyn Handler>>,
    ) -> Result<Box<dyn Handler>> {
        self.layer_knowing(false, name, context, behind_dashes, open)
    }

    /// As [`OutletArgs::layer`]; `levels` says that the handler wants to know each record's level.
    ///
    /// # Errors
    /// The same.
    pub fn layer_knowing(
        &self,
        levels: bool,
        name: &str,
        context: &Context,
        behind_dashes: bool,
        open: impl FnOnce(&Context) -> Result<Box<dyn Handler>>,
    ) -> Result<Box<dyn Handler>> {
        let buffer = self.buffer.options()?;
        let records = self.records.options(levels || buffer.is_some())?;
        let layers = |context: &Context| -> Result<Box<dyn Handler>> {
            let report = &context.report;
            let mut handler = open(context)?;
            if let Some(options) = buffer {
                handler = Box::new(MemoryHandler::new(options, handler, name.to_owned(), report.clone()));
            }
            if let Some(options) = records {
                let mut format = FormatContext::new(context.clock.now());
                format.zone = context.zone.clone();
                if options.format.is_some() {
                    let host = rustix::system::uname();
                    format.hostname = Arc::from(&*host.nodename().to_string_lossy());
                }
                handler = Box::new(Mapped::new(Records::new(options, format, context.clock.clone()), handler));
            }
            if let Some(options) = self.records.multiline(context.in_turns) {
                handler = Box::new(Multiline::new(options, handler, name.to_owned(), report.clone()));
            }
            Ok(handler)
        };
        let Some((size, on_full)) = self.queue.options(behind_dashes) else { return layers(context) };
        let queue = Queue::new(size);
        let waker = queue.clone();
        let inner = Context { waker: Waker::new(move || waker.wake()), ..context.clone() };
        let report = context.report.clone();
        let listener = QueueListener::new(queue.clone(), layers(&inner)?, name.to_owned(), report.clone()).start()?;
        Ok(Box::new(QueueHandler::new(queue, on_full, listener, name.to_owned(), report)))
    }
}

/// Puts the encoding in front of a file.
pub fn encoded(files: &FileArgs, name: &str, context: &Context, handler: Box<dyn Handler>) -> Box<dyn Handler> {
    match files.encoding {
        Some(encoding) => {
            let recode = Recode::new(encoding, files.errors, name.to_owned(), context.report.clone());
            Box::new(Mapped::new(recode, handler))
        }
        None => handler,
    }
}
