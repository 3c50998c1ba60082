//! The pump: joins one source to one handler, with one wait for input, signals and timers.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, poll};

use crate::report::Report;
use crate::stop::{Signals, timespec};

use super::batch::Batch;
use super::handler::{Control, Handler, ended, report_failed, report_lost};
use super::source::{Source, Step};

/// Pumps `source` into `handler` until the source ends, which TERM makes it do, or every output has; neither is closed.
pub struct Pump<'a, S: ?Sized> {
    source: &'a mut S,
    handler: &'a mut dyn Handler,
    signals: &'a Signals,
    report: &'a Report,
    /// TERM came, and the source knows.
    leaving: bool,
}

impl<'a, S: Source + ?Sized> Pump<'a, S> {
    pub fn new(source: &'a mut S, handler: &'a mut dyn Handler, signals: &'a Signals, report: &'a Report) -> Self {
        Self { source, handler, signals, report, leaving: false }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Only when waiting itself fails; losses are reported where they happen.
    pub fn run(mut self) -> Result<()> {
        loop {
            let readable = self.wait()?;
            // Before the lines that came at the same time: a signal that was sent first is obeyed first.
            if self.obey_signals() {
                // What there is to read is known only now.
                continue;
            }
            match self.source.step(readable) {
                Step::Lines(batch) => {
                    if !deliver(self.handler, &batch, self.report) {
                        return Ok(());
                    }
                }
                Step::Pending => {}
                Step::End => {
                    self.send_mark();
                    return Ok(());
                }
            }
            self.send_mark();
        }
    }

    fn send_mark(&mut self) {
        if let Some(mark) = self.source.mark()
            && let Err(error) = self.handler.mark(mark)
        {
            report_failed(self.report, "output", &error);
        }
    }

    /// Says whether TERM came just now.
    fn obey_signals(&mut self) -> bool {
        for (came, control) in
            [(self.signals.take_reopen(), Control::Reopen), (self.signals.take_rollover(), Control::Rollover)]
        {
            if came && let Err(error) = self.handler.control(control) {
                self.report.error("signal", format_args!("{error:#}"));
            }
        }
        let told = !self.leaving && self.signals.stop().requested();
        if told {
            self.leaving = true;
            self.source.leave();
        }
        told
    }

    /// Sleeps until there is input, of which it says whether it is readable, or something else to look at. A source
    /// that needs no wait is no reason to leave signals and timers waiting, so it looks at them then, too.
    fn wait(&mut self) -> Result<bool> {
        let deadline = self.handler.deadline();
        let timeout = if self.source.ready() {
            timespec(Duration::ZERO)
        } else {
            let until = [deadline, self.source.deadline(), self.report.deadline()].into_iter().flatten().min();
            until.map(|at| at.saturating_duration_since(Instant::now())).and_then(timespec)
        };
        let (readable, woken) = {
            let wake = self.signals.wake_fd();
            let input = self.source.fd();
            // Without an input the second place is not looked at.
            let mut fds = [wake, input.unwrap_or(wake)].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
            match poll(&mut fds[..1 + usize::from(input.is_some())], timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
            (!fds[1].revents().is_empty(), !fds[0].revents().is_empty())
        };
        if woken {
            self.signals.clear_wake();
        }
        if (woken || deadline.is_some_and(|at| Instant::now() >= at))
            && let Err(error) = self.handler.tick()
        {
            self.report.error("timer", format_args!("{error:#}"));
        }
        self.report.tick(Instant::now());
        Ok(readable)
    }
}

/// False when nobody takes lines any more.
fn deliver(handler: &mut dyn Handler, batch: &Batch<'_>, report: &Report) -> bool {
    match handler.emit(batch) {
        Ok(()) => true,
        Err(error) if ended(&error).is_some() => {
            report.fail();
            false
        }
        Err(error) => {
            report_lost(report, "output", batch, &error);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::os::fd::BorrowedFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use anyhow::bail;

    use crate::report::Verbosity;
    use crate::stop::Waker;
    use crate::stream::handler::Ended;
    use crate::stream::mark::{Mark, Marked};

    use super::*;

    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Act {
        Line(&'static str),
        Mark,
        Term,
        /// Nothing can be had until the waker is used.
        Sleep,
    }

    /// Acts as told, and sends one mark more at its end.
    struct Script {
        acts: VecDeque<Act>,
        term: Arc<AtomicBool>,
        waker: Waker,
        ended: bool,
        left: usize,
        marks: Vec<Marked>,
    }

    impl Source for Script {
        fn ready(&self) -> bool {
            self.acts.front() != Some(&Act::Sleep)
        }

        fn fd(&self) -> Option<BorrowedFd<'_>> {
            None
        }

        fn deadline(&self) -> Option<Instant> {
            None
        }

        fn step(&mut self, readable: bool) -> Step<'_> {
            assert!(!readable, "there is no descriptor");
            let act = self.acts.pop_front();
            if self.acts.front() == Some(&Act::Sleep) {
                self.waker.wake();
            }
            match act {
                Some(Act::Line(line)) => return Step::Lines(Batch::plain(line.as_bytes())),
                Some(Act::Term) => self.term.store(true, Ordering::Relaxed),
                Some(Act::Sleep | Act::Mark) => {}
                None => {
                    self.ended = true;
                    return Step::End;
                }
            }
            Step::Pending
        }

        fn leave(&mut self) {
            self.left += 1;
        }

        fn mark(&mut self) -> Option<Mark> {
            match self.acts.front() {
                Some(Act::Mark) => drop(self.acts.pop_front()),
                None if self.ended => {}
                _ => return None,
            }
            let (marked, mark) = Marked::new(Waker::new(|| ()));
            self.marks.push(marked);
            Some(mark)
        }
    }

    /// Writes down what comes: a `|` for a mark, a `t` for a tick.
    #[derive(Default)]
    struct Target {
        seen: String,
        due: Option<Instant>,
        ends_at: Option<&'static str>,
    }

    impl Handler for Target {
        fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
            let text = std::str::from_utf8(batch.bytes()).unwrap();
            if self.ends_at == Some(text) {
                bail!(Ended::All);
            }
            self.seen.push_str(text);
            Ok(())
        }

        fn flush(&mut self) -> Result<()> {
            self.seen.push('|');
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }

        fn deadline(&self) -> Option<Instant> {
            self.due
        }

        fn tick(&mut self) -> Result<()> {
            self.due = None;
            self.seen.push('t');
            Ok(())
        }
    }

    fn pump(acts: &[Act], target: &mut Target) -> Script {
        let (signals, term) = Signals::never();
        let mut source = Script {
            acts: acts.iter().copied().collect(),
            term,
            waker: signals.waker().clone(),
            ended: false,
            left: 0,
            marks: Vec::new(),
        };
        Pump::new(&mut source, target, &signals, &Report::new(Verbosity::Quiet)).run().unwrap();
        source
    }

    #[test]
    fn marks_are_sent_behind_the_lines_before_them_and_the_last_one_at_the_end() {
        let mut target = Target::default();
        let source = pump(&[Act::Line("a\n"), Act::Mark, Act::Line("b\n"), Act::Line("c\n")], &mut target);
        assert_eq!(target.seen, "a\n|b\nc\n|");
        assert!(source.marks.iter().all(|marked| marked.outcome() == Some(true)));
    }

    #[test]
    fn the_handler_ticks_when_it_is_due_although_the_source_never_waits() {
        let mut target = Target { due: Some(Instant::now()), ..Target::default() };
        pump(&[Act::Line("a\n"), Act::Line("b\n")], &mut target);
        assert_eq!(target.seen, "ta\nb\n|");
    }

    #[test]
    fn a_source_without_a_descriptor_is_woken() {
        let mut target = Target::default();
        pump(&[Act::Line("a\n"), Act::Sleep, Act::Line("b\n")], &mut target);
        assert_eq!(target.seen, "a\ntb\n|");
    }

    #[test]
    fn term_is_said_once_and_what_the_source_still_brings_is_delivered() {
        let mut target = Target::default();
        let source = pump(&[Act::Line("a\n"), Act::Term, Act::Line("b\n"), Act::Line("c\n")], &mut target);
        assert_eq!((target.seen.as_str(), source.left), ("a\nb\nc\n|", 1));
    }

    #[test]
    fn no_mark_follows_when_every_output_has_ended() {
        let mut target = Target { ends_at: Some("b\n"), ..Target::default() };
        let source = pump(&[Act::Line("a\n"), Act::Line("b\n"), Act::Mark, Act::Line("c\n")], &mut target);
        assert_eq!((target.seen.as_str(), source.marks.len()), ("a\n", 0));
    }
}
