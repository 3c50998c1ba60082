//! Joins lines into records: a line that matches begins one, all others continue it (a traceback, an SQL statement).
//!
//! A record waits for the line that begins the next one, but neither for ever nor without bounds.

use std::time::{Duration, Instant};

use anyhow::Result;
use regex::bytes::Regex;

use crate::record::RecordInfo;

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::{Control, Handler};

/// What begins a record, and how much one may hold.
#[derive(Clone, Debug)]
pub struct MultilineOptions {
    pub begins: Regex,
    /// Lines in one record at most.
    pub lines: usize,
    /// Bytes in one record at most; a record goes on as soon as it has so many.
    pub bytes: usize,
    /// How long a record waits for its next line.
    pub wait: Duration,
}

/// Hands whole records of several lines to `target`.
pub struct Multiline {
    options: MultilineOptions,
    target: Box<dyn Handler>,
    /// Whole records, to be handed on together at the end of a batch.
    records: Chunk,
    /// The record that is still open.
    open: Vec<u8>,
    open_lines: usize,
    since: Option<Instant>,
}

impl Multiline {
    pub fn new(options: MultilineOptions, target: Box<dyn Handler>) -> Self {
        Self { options, target, records: Chunk::new(), open: Vec::new(), open_lines: 0, since: None }
    }

    fn end_record(&mut self) {
        self.since = None;
        self.open_lines = 0;
        if !self.open.is_empty() {
            let open = &mut self.open;
            self.records.push_with(RecordInfo::default(), |bytes| bytes.append(open));
        }
    }

    fn hand_on(&mut self) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let handed_on = self.target.emit(&self.records.batch());
        self.records.clear();
        handed_on
    }
}

impl Handler for Multiline {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        if !batch.starts() || !batch.ends() {
            // A line beyond all bounds is a record by itself and is passed through.
            self.end_record();
            self.hand_on()?;
            return self.target.emit(batch);
        }
        for line in batch.records() {
            if self.options.begins.is_match(line.message())
                || self.open_lines >= self.options.lines
                || self.open.len() + line.bytes.len() > self.options.bytes
            {
                self.end_record();
            }
            self.open.extend_from_slice(line.bytes);
            self.open_lines += 1;
        }
        self.since = (!self.open.is_empty()).then(Instant::now);
        self.hand_on()
    }

    fn flush(&mut self) -> Result<()> {
        self.end_record();
        self.hand_on()?;
        self.target.flush()
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.end_record();
        let handed_on = self.hand_on();
        handed_on.and(self.target.close())
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.since.map(|since| since + self.options.wait);
        [own, self.target.deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self) -> Result<()> {
        if self.since.is_some_and(|since| since.elapsed() >= self.options.wait) {
            self.end_record();
            self.hand_on()?;
        }
        self.target.tick()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.target.control(control)
    }
}
