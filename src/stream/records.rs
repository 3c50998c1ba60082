//! Python's `Handler.handle`: looks into each record, passes on those of the wanted level, and formats them.
//!
//! This is where a batch stops being plain, so it stands in a line's way only when a flag needs it.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;

use crate::clock::Clock;
use crate::format::{FormatContext, Template};

use crate::level::{Level, LevelRegex, recognise};
use crate::record::{Record, RecordInfo};

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::{Control, Handler};

/// What is asked of every record.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Pass on this level and above.
    pub level: Option<Level>,
    /// The level of records that show none.
    pub default_level: Level,
    /// Where to look for the level, instead of everywhere.
    pub level_regex: Option<LevelRegex>,
    pub format: Option<Template>,
    /// What ends a record instead of its line end.
    pub terminator: Option<Vec<u8>>,
    /// The logger's name for records that have none.
    pub name: Option<Arc<str>>,
    /// Somebody behind this wants to know the levels (a MemoryHandler).
    pub annotate: bool,
}

/// Filter and Formatter in front of `target`.
pub struct Records {
    options: RecordOptions,
    format_context: FormatContext,
    clock: Clock,
    chunk: Chunk,
    /// Whether the record that goes on in the next batch is passed on.
    passing: bool,
    target: Box<dyn Handler>,
}

impl Records {
    pub fn new(options: RecordOptions, format_context: FormatContext, clock: Clock, target: Box<dyn Handler>) -> Self {
        Self { options, format_context, clock, chunk: Chunk::new(), passing: true, target }
    }

    fn level_of(&self, record: &Record<'_>) -> Level {
        let known = record.info.and_then(|info| info.level);
        let found = known.or_else(|| match &self.options.level_regex {
            Some(regex) => regex.find(record.message()),
            None => recognise(record.message()),
        });
        found.unwrap_or(self.options.default_level)
    }

    /// Puts a record (or the part of it that is here) into the chunk, if it passes.
    fn take(&mut self, record: &Record<'_>, starts: bool, ends: bool) {
        let mut level = None;
        if starts {
            if self.options.level.is_some() || self.options.format.is_some() || self.options.annotate {
                level = Some(self.level_of(record));
            }
            self.passing = self.options.level.is_none_or(|least| level.is_some_and(|level| level >= least));
        }
        if !self.passing {
            return;
        }
        let mut info = RecordInfo { level, ..record.info.cloned().unwrap_or_default() };
        if info.name.is_none() {
            info.name.clone_from(&self.options.name);
        }
        let Self { options, format_context, chunk, .. } = self;
        let described = Record { bytes: record.bytes, info: Some(&info) };
        let formatted = options.format.as_mut().filter(|_| starts);
        let terminator = options.terminator.as_deref();
        let write = |out: &mut Vec<u8>| {
            let reshaped = formatted.is_some() || terminator.is_some();
            match formatted {
                Some(template) => template.render(&described, format_context, out),
                None if reshaped => out.extend_from_slice(described.message()),
                None => out.extend_from_slice(described.bytes),
            }
            // A formatted record always ends; one that is passed on as it is may lack its last line end.
            if reshaped && ends {
                out.extend_from_slice(terminator.unwrap_or(b"\n"));
            }
        };
        chunk.push_with(info.clone(), write);
    }
}

impl Handler for Records {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        if self.options.format.is_some() {
            self.format_context.now = self.clock.now();
        }
        self.chunk.clear();
        let mut rest = *batch;
        while !rest.is_empty() {
            let (first, later) = rest.split_at(rest.first_len());
            if let Some(record) = first.records().next() {
                self.take(&record, first.starts(), first.ends());
            }
            rest = later;
        }
        if self.chunk.is_empty() {
            return Ok(());
        }
        // Whoever gave a piece of a long record gave nothing beside it.
        self.chunk.set_edges(batch.starts(), batch.ends());
        self.target.emit(&self.chunk.batch())
    }

    fn flush(&mut self) -> Result<()> {
        self.target.flush()
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
