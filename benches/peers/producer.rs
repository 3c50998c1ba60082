//! The program that logs: it writes a buffer into the pipe and feels how long the other end makes it wait.

use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

/// Below this gap a sleep comes back too late to keep the pace, so the producer spins on its core instead.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// How the input is cut into writes, and how fast they follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bytes per `write()`.
    pub chunk: usize,
    /// From one write to the next; zero is as fast as it goes. The schedule is absolute: what a stall has held up
    /// follows at once, as it does with a program that has work queued.
    pub gap: Duration,
}

impl Pace {
    /// As fast as it goes, `chunk` bytes per write.
    pub const fn full(chunk: usize) -> Self {
        Self { chunk, gap: Duration::ZERO }
    }

    /// `per_second` bytes a second, `chunk` bytes per write.
    pub fn bytes_per_second(chunk: usize, per_second: f64) -> Self {
        Self { chunk, gap: Duration::from_secs_f64(chunk as f64 / per_second) }
    }
}

/// What the producer met.
#[derive(Clone, Copy, Debug)]
pub struct Fed {
    /// Bytes that went into the pipe; short of the input if the contender left early.
    pub bytes: usize,
    /// The longest single write.
    pub stall: Duration,
}

/// Writes `input` at `pace`. A pipe nobody reads any more ends the feeding, not the benchmark.
pub fn feed(pipe: &mut impl Write, input: &[u8], pace: Pace) -> std::io::Result<Fed> {
    let start = Instant::now();
    let mut due = start;
    let mut before = start;
    let mut fed = Fed { bytes: 0, stall: Duration::ZERO };
    for chunk in input.chunks(pace.chunk) {
        if !pace.gap.is_zero() {
            before = wait_until(due);
            due += pace.gap;
        }
        match pipe.write_all(chunk) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            other => other?,
        }
        // One look at the clock per write: the end of this one is the beginning of the next.
        let after = Instant::now();
        fed.stall = fed.stall.max(after - before);
        fed.bytes += chunk.len();
        before = after;
    }
    Ok(fed)
}

fn wait_until(due: Instant) -> Instant {
    loop {
        let now = Instant::now();
        match due.checked_duration_since(now) {
            None | Some(Duration::ZERO) => return now,
            Some(rest) if rest >= SHORTEST_SLEEP => std::thread::sleep(rest),
            Some(_) => std::hint::spin_loop(),
        }
    }
}
