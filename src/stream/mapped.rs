//! `Mapped`: turns each record into another one, or into none, on its way to a handler.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::record::Record;

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::{Control, Handler, Losses, Lost};
use super::mark::Mark;

/// What is done with each record.
pub trait Map: Send {
    /// Called before the records of each batch.
    fn begin(&mut self) {}

    /// Puts what becomes of `record` into `out`, or nothing. Of a record that is longer than memory only a part is
    /// here: then it does not both start and end here.
    fn map(&mut self, record: &Record<'_>, starts: bool, ends: bool, out: &mut Chunk);

    /// Why records could not be mapped since the last question, and were lost and reported: they were not delivered.
    fn take_loss(&mut self) -> Option<String> {
        None
    }

    /// Puts what becomes of a notice of loghand's own into `out`, whatever records are asked for.
    fn map_notice(&mut self, notice: &Record<'_>, out: &mut Chunk) {
        self.map(notice, true, true, out);
    }
}

/// A map in front of a handler.
pub struct Mapped<M> {
    map: M,
    out: Chunk,
    target: Box<dyn Handler>,
}

impl<M: Map> Mapped<M> {
    pub fn new(map: M, target: Box<dyn Handler>) -> Self {
        Self { map, out: Chunk::new(), target }
    }
}

impl<M: Map> Handler for Mapped<M> {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        // What the map leaves out is not lost if its target fails.
        let mut losses = Losses::default();
        self.out.clear();
        self.map.begin();
        let mut rest = *batch;
        while !rest.is_empty() {
            let (first, later) = rest.split_at(rest.first_len());
            if let Some(record) = first.records().next() {
                self.map.map(&record, first.starts(), first.ends(), &mut self.out);
            }
            rest = later;
        }
        if self.out.is_empty() {
            return Ok(());
        }
        // Whoever gave a piece of a long record gave nothing beside it.
        self.out.set_edges(batch.starts(), batch.ends());
        self.out.set_filename(batch.filename());
        losses.note(&self.out.batch(), self.target.emit(&self.out.batch()));
        losses.into_result()
    }

    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        self.out.clear();
        self.map.begin();
        for record in notice.records() {
            self.map.map_notice(&record, &mut self.out);
        }
        self.out.set_filename(notice.filename());
        self.target.notice(&self.out.batch())
    }

    fn flush(&mut self) -> Result<()> {
        let loss = self.map.take_loss();
        self.target.flush()?;
        match loss {
            Some(why) => bail!(Lost { records: 0, why }),
            None => Ok(()),
        }
    }

    fn mark(&mut self, mark: Mark) -> Result<()> {
        let loss = self.map.take_loss();
        self.target.mark(mark.clone())?;
        if loss.is_none() {
            mark.delivered();
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
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
