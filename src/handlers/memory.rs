//! MemoryHandler: holds records until there are enough of them or one is grave enough, then hands them on.
//!
//! With `OnCapacity::Forget` it is a flight recorder: the last records before something grave, and nothing else.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::level::Level;
use crate::record::Record;
use crate::report::Report;
use crate::stream::batch::Batch;
use crate::stream::handler::{Control, Handler, Losses, report_failed};
use crate::stream::mark::Mark;

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
    /// How many records ever came.
    came: u64,
    /// Marks behind records that are held, the oldest first: how many records came before each.
    marks: VecDeque<(u64, Mark)>,
    name: String,
    report: Report,
}

impl MemoryHandler {
    pub fn new(options: MemoryOptions, target: Box<dyn Handler>, name: String, report: Report) -> Self {
        Self {
            options,
            buffer: Buffer::default(),
            target,
            since: None,
            goes_on: GoesOn::LeftOut,
            came: 0,
            marks: VecDeque::new(),
            name,
            report,
        }
    }

    /// Hands on everything; `ends` says whether the last record is complete. An error says how many were lost.
    fn hand_on(&mut self, ends: bool) -> Result<()> {
        self.since = None;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let target = &mut self.target;
        let handed_on = self.buffer.drain(|batch| {
            let batch = batch.with_edges(true, ends);
            let mut losses = Losses::default();
            losses.note(&batch, target.emit(&batch));
            losses.into_result()
        });
        if handed_on.is_err() {
            self.marks.clear();
        }
        self.pass_marks();
        handed_on
    }

    /// Passes on the marks before which nothing is held any more.
    fn pass_marks(&mut self) {
        let gone = self.came - self.buffer.len() as u64;
        while self.marks.front().is_some_and(|(before, _)| *before <= gone)
            && let Some((_, mark)) = self.marks.pop_front()
        {
            if let Err(error) = self.target.mark(mark) {
                report_failed(&self.report, &self.name, &error);
            }
        }
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
        self.came += 1;
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
        let mut losses = Losses::default();
        let mut batch = *batch;
        if !batch.starts() {
            let (rest, next) = batch.split_at(batch.first_len());
            match self.goes_on {
                GoesOn::Held => self.hold(&rest),
                GoesOn::HandedOn => losses.note(&rest, self.target.emit(&rest)),
                GoesOn::LeftOut => {}
            }
            batch = next;
        }
        let mut records = batch.records().peekable();
        while let Some(record) = records.next() {
            let ends = records.peek().is_some() || batch.ends();
            losses.add(self.take(&record, ends));
        }
        if losses.ended() {
            // Nobody is there to hand the rest on to.
            if self.options.flush_on_close {
                losses.held(self.buffer.len() as u64);
            }
            self.buffer.drain(|_| ());
            self.marks.clear();
        }
        // Those behind what was forgotten.
        self.pass_marks();
        self.since = if self.buffer.is_empty() { None } else { self.since.or_else(|| Some(Instant::now())) };
        losses.into_result()
    }

    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        // The grave record for which the buffer exists may be among what was dropped.
        let mut losses = Losses::default();
        losses.add(self.hand_on(true));
        losses.add(self.target.notice(notice));
        losses.into_result()
    }

    fn flush(&mut self) -> Result<()> {
        if self.options.on_capacity == OnCapacity::Flush {
            self.hand_on(true)?;
        }
        self.target.flush()
    }

    fn mark(&mut self, mark: Mark) -> Result<()> {
        if self.buffer.is_empty() {
            return self.target.mark(mark);
        }
        self.marks.push_back((self.came, mark));
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        let handed_on = if self.options.flush_on_close { self.hand_on(true) } else { Ok(()) };
        // What is still held is forgotten because somebody asked for it: that is no loss.
        self.buffer.drain(|_| ());
        self.pass_marks();
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use anyhow::bail;

    use crate::record::RecordInfo;
    use crate::report::Verbosity;
    use crate::stop::Waker;
    use crate::stream::chunk::Chunk;
    use crate::stream::handler::{Ended, ended, lost_records};
    use crate::stream::mark::Marked;

    use super::*;

    /// Fails as told, batch by batch, and then takes what comes; a mark is a `|`.
    struct Target {
        failures: Vec<&'static str>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Handler for Target {
        fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
            match self.failures.is_empty() {
                true => self.taken.lock().unwrap().extend_from_slice(batch.bytes()),
                false => match self.failures.remove(0) {
                    "ended" => bail!(Ended::ReaderGone),
                    why => bail!(why),
                },
            }
            Ok(())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }

        fn mark(&mut self, mark: Mark) -> Result<()> {
            self.taken.lock().unwrap().push(b'|');
            mark.delivered();
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }
    }

    fn memory(
        capacity: usize,
        on_capacity: OnCapacity,
        failures: &[&'static str],
    ) -> (MemoryHandler, Arc<Mutex<Vec<u8>>>) {
        let taken = Arc::default();
        let options = MemoryOptions {
            capacity,
            flush_level: Level::ERROR,
            flush_on_close: true,
            flush_interval: None,
            on_capacity,
        };
        let target = Target { failures: failures.to_vec(), taken: Arc::clone(&taken) };
        let report = Report::new(Verbosity::Normal);
        (MemoryHandler::new(options, Box::new(target), "out".into(), report), taken)
    }

    #[test]
    fn what_is_lost_in_the_middle_of_a_batch_is_counted_and_the_rest_is_taken() {
        let (mut memory, taken) = memory(2, OnCapacity::Flush, &["first", "second"]);
        let batch = Batch::plain(b"1\n2\n3\n4\n5\n6\n7\n");
        let error = memory.emit(&batch).unwrap_err();
        assert_eq!((error.to_string().as_str(), lost_records(&batch, &error)), ("first", 4));
        assert_eq!(memory.buffer.len(), 1);
        Box::new(memory).close().unwrap();
        assert_eq!(*taken.lock().unwrap(), b"5\n6\n7\n");
    }

    #[test]
    fn what_was_held_is_lost_with_an_output_that_ends() {
        let (mut memory, taken) = memory(2, OnCapacity::Flush, &["ended"]);
        let batch = Batch::plain(b"1\n2\n3\n");
        let error = memory.emit(&batch).unwrap_err();
        assert_eq!((ended(&error), lost_records(&batch, &error)), (Some(Ended::ReaderGone), 3));
        Box::new(memory).close().unwrap();
        assert_eq!(*taken.lock().unwrap(), b"");
    }

    #[test]
    fn a_line_that_is_longer_than_the_buffer_may_be_is_cut_and_ends_there() {
        let (mut memory, taken) = memory(1, OnCapacity::Forget, &[]);
        let piece = vec![b'x'; MOST_BYTES / 2 + 1];
        memory.emit(&Batch::piece(&piece, true, false)).unwrap();
        memory.emit(&Batch::piece(&piece, false, false)).unwrap();
        memory.emit(&Batch::piece(b"x\n", false, true)).unwrap();
        let mut grave = Chunk::new();
        let error = RecordInfo { level: Some(Level::ERROR), ..RecordInfo::default() };
        grave.push_with(error, |bytes| bytes.extend_from_slice(b"e\n"));
        memory.emit(&grave.batch()).unwrap();
        let taken = taken.lock().unwrap();
        assert_eq!((taken.len(), &taken[piece.len() - 1..]), (piece.len() + 3, &b"x\ne\n"[..]));
        assert!(memory.report.failed());
    }

    fn send_mark(memory: &mut MemoryHandler) -> Marked {
        let (marked, mark) = Marked::new(Waker::new(|| ()));
        memory.mark(mark).unwrap();
        marked
    }

    #[test]
    fn a_mark_waits_for_the_records_before_it_and_makes_nobody_hurry() {
        let (mut memory, taken) = memory(3, OnCapacity::Flush, &[]);
        assert_eq!(send_mark(&mut memory).outcome(), Some(true));
        memory.emit(&Batch::plain(b"1\n2\n")).unwrap();
        let marked = send_mark(&mut memory);
        assert_eq!((marked.outcome(), taken.lock().unwrap().as_slice()), (None, &b"|"[..]));
        memory.emit(&Batch::plain(b"3\n4\n")).unwrap();
        let later = send_mark(&mut memory);
        assert_eq!((marked.outcome(), later.outcome()), (Some(true), None));
        memory.flush().unwrap();
        assert_eq!((later.outcome(), taken.lock().unwrap().as_slice()), (Some(true), &b"|1\n2\n3\n|4\n|"[..]));
    }

    #[test]
    fn a_mark_fails_with_the_records_before_it() {
        for why in ["full", "ended"] {
            let (mut memory, _) = memory(2, OnCapacity::Flush, &[why]);
            memory.emit(&Batch::plain(b"1\n")).unwrap();
            let marked = send_mark(&mut memory);
            memory.emit(&Batch::plain(b"2\n")).unwrap_err();
            assert_eq!(marked.outcome(), Some(false), "{why}");
        }
    }

    #[test]
    fn a_mark_goes_on_once_what_was_before_it_is_forgotten() {
        let (mut memory, taken) = memory(2, OnCapacity::Forget, &[]);
        memory.emit(&Batch::plain(b"1\n2\n")).unwrap();
        let marked = send_mark(&mut memory);
        memory.emit(&Batch::plain(b"3\n")).unwrap();
        assert_eq!(marked.outcome(), None);
        memory.emit(&Batch::plain(b"4\n")).unwrap();
        assert_eq!((marked.outcome(), taken.lock().unwrap().as_slice()), (Some(true), &b"|"[..]));
    }

    #[test]
    fn a_mark_is_passed_on_at_the_close_whether_records_are_handed_on_or_forgotten() {
        for (flush_on_close, left) in [(true, &b"1\n|"[..]), (false, b"|")] {
            let (mut memory, taken) = memory(2, OnCapacity::Forget, &[]);
            memory.options.flush_on_close = flush_on_close;
            memory.emit(&Batch::plain(b"1\n")).unwrap();
            let marked = send_mark(&mut memory);
            Box::new(memory).close().unwrap();
            assert_eq!((marked.outcome(), taken.lock().unwrap().as_slice()), (Some(true), left));
        }
    }
}
