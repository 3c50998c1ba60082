//! Joins lines into records: a line that matches begins one, all others continue it (a traceback, an SQL statement).
//!
//! A record waits for the line that begins the next one, but neither for ever nor without bounds.

use std::time::{Duration, Instant};

use anyhow::Result;
use regex::bytes::Regex;

use crate::record::RecordInfo;

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::{Control, Handler, Losses};

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
        let mut losses = Losses::default();
        losses.note(&self.records.batch(), self.target.emit(&self.records.batch()));
        self.records.clear();
        if losses.ended() && !self.open.is_empty() {
            losses.held(1);
            self.open.clear();
            self.open_lines = 0;
            self.since = None;
        }
        losses.into_result()
    }
}

impl Handler for Multiline {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        if !batch.starts() || !batch.ends() {
            // A line beyond all bounds is a record by itself and is passed through.
            self.end_record();
            let mut losses = Losses::default();
            losses.add(self.hand_on());
            losses.note(batch, self.target.emit(batch));
            return losses.into_result();
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

    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        // What would go on behind it may belong to a record whose beginning is missing.
        self.end_record();
        let mut losses = Losses::default();
        losses.add(self.hand_on());
        losses.add(self.target.notice(notice));
        losses.into_result()
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use anyhow::bail;

    use crate::stream::handler::{Ended, lost_records};

    use super::*;

    /// Fails once, with `failure`, and then takes what comes.
    struct Target {
        failure: Option<anyhow::Error>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Handler for Target {
        fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
            if let Some(failure) = self.failure.take() {
                bail!(failure);
            }
            self.taken.lock().unwrap().extend_from_slice(batch.bytes());
            Ok(())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }
    }

    fn multiline(failure: anyhow::Error) -> (Multiline, Arc<Mutex<Vec<u8>>>) {
        let options =
            MultilineOptions { begins: Regex::new("^[a-z]").unwrap(), lines: 9, bytes: 99, wait: Duration::MAX };
        let taken = Arc::default();
        (Multiline::new(options, Box::new(Target { failure: Some(failure), taken: Arc::clone(&taken) })), taken)
    }

    #[test]
    fn records_of_several_lines_are_lost_as_records_and_the_open_one_stays() {
        let (mut multiline, taken) = multiline(anyhow::anyhow!("full"));
        let batch = Batch::plain(b"a\n 1\n 2\nb\n 1\nc\n");
        let error = multiline.emit(&batch).unwrap_err();
        assert_eq!(lost_records(&batch, &error), 2);
        Box::new(multiline).close().unwrap();
        assert_eq!(*taken.lock().unwrap(), b"c\n");
    }

    #[test]
    fn the_open_record_is_lost_with_an_output_that_ends() {
        let (mut multiline, _) = multiline(Ended::ReaderGone.into());
        let batch = Batch::plain(b"a\n 1\nb\n 1\n");
        assert_eq!(lost_records(&batch, &multiline.emit(&batch).unwrap_err()), 2);
    }

    #[test]
    fn a_line_in_pieces_is_handed_on_whatever_became_of_the_record_before_it() {
        let (mut multiline, taken) = multiline(anyhow::anyhow!("full"));
        multiline.emit(&Batch::plain(b"a\n 1\n")).unwrap();
        let piece = Batch::piece(b"b", true, false);
        let error = multiline.emit(&piece).unwrap_err();
        assert_eq!(lost_records(&piece, &error), 1);
        assert_eq!(*taken.lock().unwrap(), b"b");
    }
}
