//! Tells a handler behind a queue that the lines have come to their end, before the queue can.

use std::time::Instant;

use anyhow::Result;

use crate::net::ending::Ending;
use crate::stream::batch::Batch;
use crate::stream::handler::{Control, Handler};
use crate::stream::mark::Mark;

/// Stands in front of the queue.
pub struct Draining {
    ending: Ending,
    target: Box<dyn Handler>,
}

impl Draining {
    pub fn new(ending: Ending, target: Box<dyn Handler>) -> Self {
        Self { ending, target }
    }
}

impl Handler for Draining {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        self.target.emit(batch)
    }

    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        self.target.notice(notice)
    }

    fn flush(&mut self) -> Result<()> {
        self.target.flush()
    }

    fn mark(&mut self, mark: Mark) -> Result<()> {
        self.target.mark(mark)
    }

    fn close(self: Box<Self>) -> Result<()> {
        self.ending.begin();
        self.target.close()
    }

    fn deadline(&self) -> Option<Instant> {
        self.target.deadline()
    }

    fn tick(&mut self) -> Result<()> {
        self.target.tick()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.target.control(control)
    }
}
