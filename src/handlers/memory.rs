//! MemoryHandler: holds records until there are enough of them or one is grave enough, then hands them on.
//!
//! With `OnCapacity::Forget` it is a flight recorder: the last records before something grave, and nothing else.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::level::Level;
use crate::record::Record;
use crate::report::Report;
use crate::stream::batch::Batch;
use crate::stream::handler::{Control, Handler};

use super::buffering::Buffer;

/// Memory is bounded in bytes, too: beyond this the buffer counts as full.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What a full buffer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnCapacity {
    /// Hands its records on (Python).
    #[default]
    Flush,
    /// Forgets the oldest.
    Forget,
}

/// Python's parameters of MemoryHandler, and ours.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOptions {
    /// Records that fit; 0 hands on each at once.
    pub capacity: usize,
    pub flush_level: Level,
    pub flush_on_close: bool,
    pub flush_interval: Option<Duration>,
    pub on_capacity: OnCapacity,
}

/// What becomes of the pieces to come of a record that is longer than a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GoesOn {
    /// They follow its beginning into the buffer.
    Held,
    /// They follow its beginning to the target.
    HandedOn,
    /// Its beginning was forgotten, or it was cut.
    LeftOut,
}

/// Python's MemoryHandler.
pub struct MemoryHandler {
    options: MemoryOptions,
    buffer: Buffer,
    target: Box<dyn Handler>,
    /// When the oldest record came, for `flush_interval`.
    since: Option<Instant>,
    goes_on: GoesOn,
    name: String,
    report: Report,
}

impl MemoryHandler {
    pub fn new(options: MemoryOptions, target: Box<dyn Handler>, name: String, report: Report) -> Self {
        Self { options, buffer: Buffer::default(), target, since: None, goes_on: GoesOn::LeftOut, name, report }
    }

    /// Hands on everything; `ends` says whether the last record is complete.
    fn hand_on(&mut self, ends: bool) -> Result<()> {
        self.since = None;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let target = &mut self.target;
        self.buffer.drain(|batch| target.emit(&batch.with_edges(true, ends)))
    }

    /// The rest of a record that is longer than memory should be.
    fn hold(&mut self, rest: &Batch<'_>) {
        while self.buffer.len() > 1 && self.buffer.bytes() + rest.len() > MOST_BYTES {
            self.buffer.forget_oldest();
        }
        if self.buffer.bytes() + rest.len() <= MOST_BYTES {
            self.buffer.extend_last(rest.bytes());
        } else {
            self.buffer.extend_last(b"\n");
            self.goes_on = GoesOn::LeftOut;
            self.report.lost(&self.name, 1, "the end of a line that is longer than the buffer may be");
        }
    }

    fn take(&mut self, record: &Record<'_>, ends: bool) -> Result<()> {
        self.buffer.push(record);
        let level = record.info.and_then(|info| info.level);
        let grave = level.is_some_and(|level| level >= self.options.flush_level);
        let hand_on = match self.options.on_capacity {
            // A line longer than memory is handed on as it comes, behind what came before it.
            OnCapacity::Flush => {
                grave || !ends || self.buffer.len() >= self.options.capacity || self.buffer.bytes() >= MOST_BYTES
            }
            OnCapacity::Forget => {
                let most = self.options.capacity + usize::from(grave);
                while self.buffer.len() > most || (self.buffer.len() > 1 && self.buffer.bytes() > MOST_BYTES) {
                    self.buffer.forget_oldest();
                }
                grave
            }
        };
        self.goes_on = match hand_on {
            true => GoesOn::HandedOn,
            false if self.buffer.is_empty() => GoesOn::LeftOut,
            false => GoesOn::Held,
        };
        if hand_on { self.hand_on(ends) } else { Ok(()) }
    }
}

impl Handler for MemoryHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        let mut batch = *batch;
        if !batch.starts() {
            let (rest, next) = batch.split_at(batch.first_len());
            match self.goes_on {
                GoesOn::Held => self.hold(&rest),
                GoesOn::HandedOn => self.target.emit(&rest)?,
                GoesOn::LeftOut => {}
            }
            batch = next;
        }
        let mut records = batch.records().peekable();
        while let Some(record) = records.next() {
            let ends = records.peek().is_some() || batch.ends();
            self.take(&record, ends)?;
        }
        if self.since.is_none() && !self.buffer.is_empty() {
            self.since = Some(Instant::now());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.options.on_capacity == OnCapacity::Flush {
            self.hand_on(true)?;
        }
        self.target.flush()
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        let handed_on = if self.options.flush_on_close { self.hand_on(true) } else { Ok(()) };
        handed_on.and(self.target.close())
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.options.flush_interval.and_then(|interval| Some(self.since? + interval));
        [own, self.target.deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self) -> Result<()> {
        if let (Some(interval), Some(since)) = (self.options.flush_interval, self.since)
            && since.elapsed() >= interval
        {
            self.hand_on(true)?;
        }
        self.target.tick()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.target.control(control)
    }
}
