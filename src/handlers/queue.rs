//! QueueHandler: puts lines into a bounded queue, so that slow work happens in another thread.

use std::thread::JoinHandle;

use anyhow::{Result, bail};

use crate::report::Report;
use crate::stream::batch::Batch;
use crate::stream::handler::{Control, Ended, Handler};
use crate::stream::mark::Mark;
use crate::stream::queue::{Message, OnFull, Queue};

/// Python's QueueHandler; the other end is a [`super::queue_listener::QueueListener`].
pub struct QueueHandler {
    queue: Queue,
    on_full: OnFull,
    listener: Option<JoinHandle<()>>,
    name: String,
    report: Report,
}

impl QueueHandler {
    /// `name` is what messages about drops say; `listener` is joined at the close.
    pub fn new(queue: Queue, on_full: OnFull, listener: JoinHandle<()>, name: String, report: Report) -> Self {
        Self { queue, on_full, listener: Some(listener), name, report }
    }
}

impl Handler for QueueHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        let Ok(dropped) = self.queue.push(batch, self.on_full) else { bail!(Ended::Earlier) };
        if dropped > 0 {
            self.report.lost(&self.name, dropped, "the queue was full");
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        match self.queue.flush() {
            true => Ok(()),
            false => bail!("not everything behind the queue was delivered"),
        }
    }

    /// It waits in the queue behind what it marks, and nobody waits for it.
    fn mark(&mut self, mark: Mark) -> Result<()> {
        self.queue.send(Message::Mark(mark));
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.queue.send(Message::Close);
        match self.listener.take().map(JoinHandle::join) {
            Some(Err(_)) => bail!("the thread behind the queue has failed"),
            _ => Ok(()),
        }
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.queue.send(Message::Control(control));
        Ok(())
    }
}
