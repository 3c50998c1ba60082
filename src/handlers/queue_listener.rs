//! QueueListener: takes lines out of a queue, in a thread of its own, and hands them to a handler.

use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::report::Report;
use crate::stream::batch::Batch;
use crate::stream::handler::{Ended, Handler, lost_records};
use crate::stream::queue::{Message, Queue};

/// Python's QueueListener.
pub struct QueueListener {
    queue: Queue,
    handler: Box<dyn Handler>,
    name: String,
    report: Report,
}

impl QueueListener {
    pub fn new(queue: Queue, handler: Box<dyn Handler>, name: String, report: Report) -> Self {
        Self { queue, handler, name, report }
    }

    /// Starts the thread. It ends at `Message::Close`, after the handler is closed.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn start(mut self) -> Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("queue".into())
            .spawn(move || {
                self.listen();
                let Self { queue, handler, name, report } = self;
                if let Err(error) = handler.close() {
                    report.error(name, format_args!("{error:#}"));
                }
                queue.abandon();
            })
            .context("a queue needs a thread")
    }

    fn listen(&mut self) {
        let mut ended = false;
        loop {
            let deadline = if ended { None } else { self.handler.deadline() };
            let message = self.queue.pop(deadline);
            let outcome = match message {
                Message::Lines(chunk) if ended => {
                    self.report.lost(&self.name, chunk.batch().count(), "it has ended");
                    self.queue.recycle(chunk);
                    Ok(())
                }
                Message::Lines(chunk) => {
                    if let Err(error) = self.handler.emit(&chunk.batch()) {
                        if !matches!(error.downcast_ref(), Some(Ended::All)) {
                            let records = lost_records(&chunk.batch(), &error);
                            self.report.lost(&self.name, records, format_args!("{error:#}"));
                        }
                        ended = error.is::<Ended>();
                    }
                    self.queue.recycle(chunk);
                    Ok(())
                }
                Message::Dropped { records, torn } => {
                    let lines = if records == 1 { "line" } else { "lines" };
                    let notice = format!("loghand: {records} {lines} dropped here: the queue was full\n");
                    let line_end = Batch::piece(b"\n", false, true);
                    let ended = if torn { self.handler.emit(&line_end) } else { Ok(()) };
                    ended.and_then(|()| self.handler.emit(&Batch::plain(notice.as_bytes())))
                }
                Message::Control(control) => self.handler.control(control),
                Message::Flush => {
                    let outcome = self.handler.flush();
                    self.queue.answer();
                    outcome
                }
                Message::Wake => self.handler.tick(),
                Message::Close => return,
            };
            let due = deadline.is_some_and(|at| Instant::now() >= at);
            if let Err(error) = outcome.and_then(|()| if due { self.handler.tick() } else { Ok(()) }) {
                self.report.error(&self.name, format_args!("{error:#}"));
            }
        }
    }
}
