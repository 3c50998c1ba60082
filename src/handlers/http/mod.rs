//! HTTPHandler: sends records to a web server, in batches, and again until it has taken them.
//!
//! Python's sends one request a record on a connection of its own and ignores the answer. Here an answer of 2xx is what
//! delivers a record, and nothing else.

mod batching;
mod body;
mod client;
mod courier;
mod dead_letters;
mod keys;
mod ledger;
mod policy;
mod worker;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Result, bail};
use tokio::sync::mpsc::Sender;

use crate::handlers::file::{FileHandler, FileOptions};
use crate::handlers::log_file::LogFile;
use crate::net::ending::Ending;
use crate::stop::Waker;
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::handler::{Ended, Handler, Lost};
use crate::stream::mark::{Mark, Marked};
use crate::wire::event::Event;

pub use batching::Limits;
pub use body::Body;
pub use client::Connecting;
pub use courier::Manner;
pub use keys::{KeyError, Keys};

use batching::Batcher;
use body::Sender as Origin;
use courier::Courier;
use dead_letters::DeadLetters;
use worker::Message;

/// Python's parameters of HTTPHandler, and ours.
pub struct HttpOptions {
    /// What messages call the server.
    pub name: String,
    pub manner: Manner,
    pub connecting: Connecting,
    pub limits: Limits,
    /// Takes what the server refuses.
    pub dead_letter: Option<PathBuf>,
    /// How long to go on at the end.
    pub ending: Ending,
    /// What every record has that doesn't say so itself.
    pub defaults: Event<'static>,
}

/// Python's HTTPHandler.
pub struct HttpHandler {
    batcher: Batcher,
    /// Behind what the batcher holds.
    marks: Vec<Mark>,
    /// None once it is closed.
    sender: Option<Sender<Message>>,
    worker: Option<JoinHandle<()>>,
    ending: Ending,
    context: Context,
}

impl HttpHandler {
    /// Opens the file for what is refused; the server is reached when the first batch is sent.
    ///
    /// # Errors
    /// When that file cannot be opened, or the client cannot be made.
    pub fn open(options: HttpOptions, context: Context) -> Result<Self> {
        let HttpOptions { name, manner, connecting, limits, dead_letter, ending, defaults } = options;
        let concurrency = connecting.connections;
        let file = dead_letter.map(|path| -> Result<_> {
            let log =
                LogFile::open(path.clone(), FileOptions { mend: true, ..FileOptions::default() }, context.clone())?;
            Ok((path.display().to_string(), FileHandler::new(log)))
        });
        let letters = DeadLetters::new(file.transpose()?, name.clone(), context.report.clone());
        let courier = Courier {
            client: client::client(connecting)?,
            manner,
            sender: Origin { defaults, started: context.clock.now() },
            letters: Mutex::new(letters),
            context: context.clone(),
            ending: ending.clone(),
            name,
            down: Mutex::default(),
            taken: Mutex::default(),
            left: Mutex::default(),
        };
        let (sender, worker) = worker::start(courier, concurrency)?;
        let batcher = Batcher::new(limits);
        Ok(Self { batcher, marks: Vec::new(), sender: Some(sender), worker: Some(worker), ending, context })
    }

    /// Waits until there is room.
    fn send(&self, message: Message) -> Result<()> {
        match self.sender.as_ref().map(|sender| sender.blocking_send(message)) {
            Some(Ok(())) => Ok(()),
            _ => bail!(Ended::Earlier),
        }
    }

    fn send_batch(&mut self) -> Result<()> {
        match self.batcher.cut() {
            Some(chunk) => {
                let marks = self.take_marks();
                self.send(Message::Batch(chunk, marks))
            }
            None => Ok(()),
        }
    }

    /// The marks go with the batch, unless they stand behind the beginning of a line that is still to come.
    fn take_marks(&mut self) -> Vec<Mark> {
        if self.batcher.is_empty() { std::mem::take(&mut self.marks) } else { Vec::new() }
    }

    /// Whether a batch would not have to wait.
    fn has_room(&self) -> bool {
        self.sender.as_ref().is_some_and(|sender| sender.capacity() > 0)
    }

    /// While the server is busy, a batch that is due goes on growing.
    fn send_if_due(&mut self) -> Result<()> {
        match self.batcher.due().is_some_and(|due| Instant::now() >= due) && self.has_room() {
            true => self.send_batch(),
            false => Ok(()),
        }
    }

    fn send_rest(&mut self) -> Result<()> {
        self.batcher.end_record();
        self.send_batch()
    }
}

impl Handler for HttpHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        let arrived = self.context.zone.civil(self.context.clock.now());
        let mut rest = *batch;
        while !rest.is_empty() {
            if self.batcher.is_full(rest.first_len()) {
                self.send_batch()?;
            }
            rest = self.batcher.take(&rest, arrived);
        }
        if self.batcher.is_full(0) { self.send_batch() } else { self.send_if_due() }
    }

    fn flush(&mut self) -> Result<()> {
        self.send_rest()?;
        let (answered, answer) = mpsc::channel();
        let (marked, mark) = Marked::new(Waker::new(move || {
            let _ = answered.send(());
        }));
        self.send(Message::Mark(mark))?;
        // The thread's end drops the mark, which answers as well.
        let _ = answer.recv();
        match marked.outcome() {
            Some(true) => Ok(()),
            // It was reported where it happened.
            _ => bail!(Lost { records: 0, why: "not everything was delivered".into() }),
        }
    }

    fn mark(&mut self, mark: Mark) -> Result<()> {
        if self.batcher.is_empty() {
            return self.send(Message::Mark(mark));
        }
        self.marks.push(mark);
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.ending.begin();
        self.send_rest()?;
        self.sender = None;
        match self.worker.take().map(JoinHandle::join) {
            Some(Err(_)) => bail!("the thread that sends has failed"),
            _ => Ok(()),
        }
    }

    /// Room for a batch that is due is told by the waker.
    fn deadline(&self) -> Option<Instant> {
        self.batcher.due().filter(|_| self.has_room())
    }

    fn tick(&mut self) -> Result<()> {
        self.send_if_due()
    }
}
