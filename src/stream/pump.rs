//! The pump: joins one input to one handler, with one wait for input, signals and timers.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, poll};

use crate::report::Report;
use crate::stop::{Signals, timespec};

use super::batch::Batch;
use super::handler::{Control, Handler, ended, report_lost};
use super::reader::{LineReader, Step};

/// After TERM, a line that has begun may take this long to come to its end.
const LINE_GRACE: Duration = Duration::from_secs(2);

/// Pumps `input` into `handler` until the input ends or TERM says so; the handler is not closed.
///
/// TERM takes what is in the pipe and the rest of the line that has begun, and not a byte more: the producer may have
/// begun the next line with the same write. An input that cannot be read any more is
/// reported and ends the work as its end does.
pub struct Pump<'a, R> {
    input: LineReader<R>,
    handler: &'a mut dyn Handler,
    signals: &'a Signals,
    report: &'a Report,
    leave: Option<Leave>,
}

/// What is still to be done once TERM came.
struct Leave {
    /// The reader's total when all that stood in the pipe at that moment is read.
    drained_at: u64,
    /// When the unfinished line is given up.
    give_up: Instant,
}

impl<'a, R: Read + AsFd> Pump<'a, R> {
    pub fn new(input: R, handler: &'a mut dyn Handler, signals: &'a Signals, report: &'a Report) -> Self {
        Self { input: LineReader::new(input), handler, signals, report, leave: None }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// Only when waiting itself fails; losses are reported where they happen.
    pub fn run(mut self) -> Result<()> {
        loop {
            let ready = self.input.has_lines() || self.wait()?;
            // Before the lines that came at the same time: a signal that was sent first is obeyed first.
            if self.obey_signals() {
                // What stands in the pipe is known only now.
                continue;
            }
            if let Some(leave) = &self.leave {
                let drained = !ready || self.input.total() >= leave.drained_at;
                if drained && !self.input.has_lines() && (!self.input.inside_line() || Instant::now() >= leave.give_up)
                {
                    self.finish();
                    return Ok(());
                }
            }
            if !ready {
                continue;
            }
            // Byte by byte to the end of the line, once only its rest is waited for.
            let most =
                self.leave.as_ref().map_or(u64::MAX, |leave| leave.drained_at.saturating_sub(self.input.total()));
            let step = self.input.step_at_most(usize::try_from(most.max(1)).unwrap_or(usize::MAX));
            match step {
                Ok(Step::Lines(batch)) => {
                    if !deliver(self.handler, &batch, self.report) {
                        return Ok(());
                    }
                }
                Ok(Step::Pending) => {}
                Ok(Step::End) => return Ok(()),
                Err(error) => {
                    self.report.error("stdin", error);
                    self.finish();
                    return Ok(());
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Step::Lines(batch) = self.input.finish() {
            deliver(self.handler, &batch, self.report);
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
        let told = self.leave.is_none() && self.signals.stop().requested();
        if told {
            let waiting = match is_pipe(self.input.input()) {
                true => rustix::io::ioctl_fionread(self.input.input()).unwrap_or(0),
                false => 0,
            };
            let drained_at = self.input.total() + waiting;
            self.leave = Some(Leave { drained_at, give_up: Instant::now() + LINE_GRACE });
        }
        told
    }

    /// Sleeps until there is input (true), or something else to look at (false).
    fn wait(&mut self) -> Result<bool> {
        let deadline = self.handler.deadline();
        let leave =
            self.leave.as_ref().map(|leave| if self.input.inside_line() { leave.give_up } else { Instant::now() });
        let until = [deadline, leave, self.report.deadline()].into_iter().flatten().min();
        let timeout = until.map(|at| at.saturating_duration_since(Instant::now())).and_then(timespec);
        let (readable, woken) = {
            let input = self.input.input();
            let wake = self.signals.wake_fd();
            let mut fds = [PollFd::new(input, PollFlags::IN), PollFd::new(&wake, PollFlags::IN)];
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
            (!fds[0].revents().is_empty(), !fds[1].revents().is_empty())
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

/// Whether `fd` is a pipe, a FIFO or a socket: something with a producer at its other end.
pub fn is_pipe(fd: impl AsFd) -> bool {
    use rustix::fs::FileType;
    rustix::fs::fstat(fd)
        .is_ok_and(|stat| matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::Socket))
}
