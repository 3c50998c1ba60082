//! QueueListener: takes lines out of a queue, in a thread of its own, and hands them to a handler.

use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::report::Report;
use crate::stream::batch::Batch;
use crate::stream::handler::{Ended, Handler, ended, report_failed, report_lost};
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

    /// Starts the thread. It ends at `Message::Close`, or when the handler has ended, after the handler is closed.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn start(self) -> Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("queue".into())
            .spawn(move || {
                let Self { queue, mut handler, name, report } = self;
                let leaving = Leaving { queue, name, report };
                leaving.listen(&mut *handler);
                if let Err(error) = handler.close() {
                    report_failed(&leaving.report, &leaving.name, &error);
                }
            })
            .context("a queue needs a thread")
    }
}

/// Lets the producer go when the thread leaves, be it by a panic, and counts what it leaves behind.
struct Leaving {
    queue: Queue,
    name: String,
    report: Report,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let left = self.queue.abandon();
        if left > 0 {
            self.report.lost(&self.name, left, Ended::Earlier);
        }
    }
}

impl Leaving {
    fn listen(&self, handler: &mut dyn Handler) {
        // Since the last flush or mark; a tick, too, may lose what was kept in flight.
        let mut undelivered = false;
        loop {
            let deadline = handler.deadline();
            let outcome = match self.queue.pop(deadline) {
                Message::Lines(chunk) => {
                    if let Err(error) = handler.emit(&chunk.batch()) {
                        report_lost(&self.report, &self.name, &chunk.batch(), &error);
                        undelivered = true;
                        if ended(&error).is_some() {
                            return;
                        }
                    }
                    self.queue.recycle(chunk);
                    Ok(())
                }
                Message::Dropped { records, torn } => {
                    undelivered = true;
                    let lines = if records == 1 { "line" } else { "lines" };
                    let notice = format!("loghand: {records} {lines} dropped here: the queue was full\n");
                    let line_end = Batch::piece(b"\n", false, true);
                    let finished = if torn { handler.emit(&line_end) } else { Ok(()) };
                    finished.and_then(|()| handler.notice(&Batch::plain(notice.as_bytes())))
                }
                Message::Control(control) => handler.control(control).inspect_err(|_| undelivered = true),
                Message::Flush => {
                    let outcome = handler.flush();
                    let before = !std::mem::take(&mut undelivered);
                    self.queue.answer(before && outcome.is_ok());
                    outcome
                }
                Message::Mark(mark) => {
                    let outcome = handler.mark(mark.clone());
                    if !std::mem::take(&mut undelivered) {
                        mark.delivered();
                    }
                    outcome
                }
                Message::Wake => handler.tick().inspect_err(|_| undelivered = true),
                Message::Close => return,
            };
            let due = deadline.is_some_and(|at| Instant::now() >= at);
            let mut tick = || if due { handler.tick().inspect_err(|_| undelivered = true) } else { Ok(()) };
            if let Err(error) = outcome.and_then(|()| tick()) {
                report_failed(&self.report, &self.name, &error);
                if ended(&error).is_some() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use crate::report::Verbosity;
    use crate::stop::Waker;
    use crate::stream::mark::Marked;
    use crate::stream::queue::{Abandoned, OnFull};

    use super::*;

    struct Loses;

    impl Handler for Loses {
        fn emit(&mut self, _batch: &Batch<'_>) -> Result<()> {
            anyhow::bail!("told to, by a test")
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_flush_is_no_success_when_lines_before_it_were_lost() {
        let queue = Queue::new(99);
        let report = Report::new(Verbosity::Quiet);
        let mut fanout = Box::new(crate::stream::fanout::Fanout::new(report.clone()));
        fanout.add("out", Box::new(Loses));
        fanout.emit(&Batch::plain(b"one\n")).unwrap();
        assert!(fanout.flush().is_err());
        assert!(fanout.flush().is_ok(), "nothing was lost since");

        let thread = QueueListener::new(queue.clone(), Box::new(Loses), "out".into(), report).start().unwrap();
        queue.push(&Batch::plain(b"one\n"), OnFull::Block).unwrap();
        assert!(!queue.flush());
        assert!(queue.flush(), "nothing was lost since");
        queue.send(Message::Close);
        thread.join().unwrap();
    }

    /// Sends a mark and waits for its answer.
    fn answer(queue: &Queue) -> Option<bool> {
        let (sender, woken) = mpsc::channel();
        let (marked, mark) = Marked::new(Waker::new(move || sender.send(()).unwrap()));
        queue.send(Message::Mark(mark));
        woken.recv().unwrap();
        marked.outcome()
    }

    #[test]
    fn a_mark_fails_once_when_lines_before_it_were_lost_or_dropped() {
        for lose in [
            |queue: &Queue| assert_eq!(queue.push(&Batch::plain(b"one\n"), OnFull::Block), Ok(0)),
            |queue: &Queue| queue.send(Message::Dropped { records: 1, torn: false }),
        ] {
            let queue = Queue::new(99);
            let report = Report::new(Verbosity::Quiet);
            let thread = QueueListener::new(queue.clone(), Box::new(Loses), "out".into(), report).start().unwrap();
            assert_eq!(answer(&queue), Some(true));
            lose(&queue);
            assert_eq!([answer(&queue), answer(&queue)], [Some(false), Some(true)]);
            queue.send(Message::Close);
            thread.join().unwrap();
            assert_eq!(answer(&queue), Some(false), "nobody is there to answer");
        }
    }

    struct Panics;

    impl Handler for Panics {
        fn emit(&mut self, _batch: &Batch<'_>) -> Result<()> {
            panic!("told to, by a test");
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_listener_that_panics_lets_its_producer_go() {
        let queue = Queue::new(2);
        let report = Report::new(Verbosity::Normal);
        let listener = QueueListener::new(queue.clone(), Box::new(Panics), "out".into(), report);
        let thread = listener.start().unwrap();
        let pushed = [(); 3].map(|()| queue.push(&Batch::plain(b"one\n"), OnFull::Block));
        assert_eq!(pushed[2], Err(Abandoned));
        assert!(thread.join().is_err());
    }
}
