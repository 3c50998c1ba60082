//! The pump: joins one source to one handler, with one wait for input, signals and timers.

use std::io;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, poll};

use crate::report::Report;
use crate::stop::{Signals, timespec};

use super::batch::Batch;
use super::handler::{Control, Handler, ended, report_lost};
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
                Step::End => return Ok(()),
            }
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
