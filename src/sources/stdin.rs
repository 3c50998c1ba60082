//! Standard input, be it a pipe, a terminal or a file.
//!
//! TERM takes what is in the pipe and the rest of the line that has begun, and not a byte more: the producer may have
//! begun the next line with the same write. What cannot be read any more is reported and ends the input as its end
//! does.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::report::Report;
use crate::stream::reader::LineReader;
use crate::stream::source::{Source, Step};

/// After TERM, a line that has begun may take this long to come to its end.
const LINE_GRACE: Duration = Duration::from_secs(2);

/// What the pipe that we read from should hold, in bytes: four times what it holds by default.
const PIPE_SIZE: usize = 256 * 1024;

/// The lines of standard input.
pub struct Stdin {
    lines: LineReader<Descriptor>,
    report: Report,
    leave: Option<Leave>,
}

/// What is still to be done once TERM came.
struct Leave {
    /// The reader's total when all that stood in the pipe at that moment is read.
    drained_at: u64,
    /// When the unfinished line is given up.
    give_up: Instant,
}

/// The descriptor itself: Rust's own stdin would copy every byte into a buffer of its own first.
struct Descriptor;

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

impl Stdin {
    pub fn new(report: Report) -> Self {
        let stdin = rustix::stdio::stdin();
        if is_pipe(stdin) && rustix::pipe::fcntl_getpipe_size(stdin).is_ok_and(|size| size < PIPE_SIZE) {
            // More slack for the producer and fewer changes between the two; where it is not allowed, it goes as well.
            let _ = rustix::pipe::fcntl_setpipe_size(stdin, PIPE_SIZE);
        }
        Self { lines: LineReader::new(Descriptor), report, leave: None }
    }
}

impl Source for Stdin {
    fn ready(&self) -> bool {
        self.lines.has_lines()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(rustix::stdio::stdin())
    }

    fn deadline(&self) -> Option<Instant> {
        self.leave.as_ref().map(|leave| if self.lines.inside_line() { leave.give_up } else { Instant::now() })
    }

    fn step(&mut self, readable: bool) -> Step<'_> {
        let ready = readable || self.lines.has_lines();
        if let Some(leave) = &self.leave {
            let drained = !ready || self.lines.total() >= leave.drained_at;
            if drained && !self.lines.has_lines() && (!self.lines.inside_line() || Instant::now() >= leave.give_up) {
                return self.lines.finish();
            }
        }
        if !ready {
            return Step::Pending;
        }
        // Byte by byte to the end of the line, once only its rest is waited for.
        let most = self.leave.as_ref().map_or(u64::MAX, |leave| leave.drained_at.saturating_sub(self.lines.total()));
        if let Err(error) = self.lines.read_at_most(usize::try_from(most.max(1)).unwrap_or(usize::MAX)) {
            self.report.error("stdin", error);
            return self.lines.finish();
        }
        self.lines.lend()
    }

    fn leave(&mut self) {
        let stdin = rustix::stdio::stdin();
        let waiting = if is_pipe(stdin) { rustix::io::ioctl_fionread(stdin).unwrap_or(0) } else { 0 };
        let drained_at = self.lines.total() + waiting;
        self.leave = Some(Leave { drained_at, give_up: Instant::now() + LINE_GRACE });
    }
}

/// Whether `fd` is a pipe, a FIFO or a socket: something with a producer at its other end.
pub fn is_pipe(fd: impl AsFd) -> bool {
    use rustix::fs::FileType;
    rustix::fs::fstat(fd)
        .is_ok_and(|stat| matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::Socket))
}
