//! What is said on stderr, and what the exit code will be.
//!
//! One place remembers whether anything was lost. Messages are `loghand: what: why`. A stderr that nobody reads must
//! not stop the work: what does not fit there at once is left out.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Losses of one output are said at most this often; the rest is summed up.
const LOSS_INTERVAL: Duration = Duration::from_secs(60);

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: only what was lost or failed.
    Quiet,
    #[default]
    Normal,
    /// `-v`: what is being done, too.
    Verbose,
}

/// Says things on stderr and remembers losses; cheap to clone.
#[derive(Clone)]
pub struct Report(Arc<Inner>);

struct Inner {
    verbosity: Verbosity,
    failed: AtomicBool,
    losses: Mutex<HashMap<String, Loss>>,
}

struct Loss {
    unsaid: u64,
    why: String,
    said_at: Instant,
}

impl Report {
    pub fn new(verbosity: Verbosity) -> Self {
        Self(Arc::new(Inner { verbosity, failed: AtomicBool::new(false), losses: Mutex::default() }))
    }

    /// Something failed: said always, and the exit code becomes 1.
    pub fn error(&self, what: impl Display, why: impl Display) {
        self.fail();
        say(format_args!("{what}: {why}"));
    }

    /// Something that a person should know and that lost nothing; `-q` leaves it out.
    pub fn warn(&self, what: impl Display, why: impl Display) {
        if self.0.verbosity >= Verbosity::Normal {
            say(format_args!("{what}: {why}"));
        }
    }

    /// What is being done, for `-v`.
    pub fn note(&self, what: impl Display, why: impl Display) {
        if self.0.verbosity >= Verbosity::Verbose {
            say(format_args!("{what}: {why}"));
        }
    }

    /// `records` did not reach `output`. The first loss is said at once, later ones once a minute with their number.
    pub fn lost(&self, output: &str, records: u64, why: impl Display) {
        self.fail();
        let mut losses = self.0.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match losses.get_mut(output) {
            Some(loss) => {
                loss.unsaid += records;
                loss.why = why.to_string();
                if now.duration_since(loss.said_at) >= LOSS_INTERVAL {
                    loss.say(output);
                    loss.said_at = now;
                }
            }
            None => {
                let mut loss = Loss { unsaid: records, why: why.to_string(), said_at: now };
                loss.say(output);
                losses.insert(output.to_owned(), loss);
            }
        }
    }

    /// Says a message as it stands, however little is wanted.
    pub fn say(&self, message: impl Display) {
        say(format_args!("{message}"));
    }

    /// Makes the exit code 1 without a word.
    pub fn fail(&self) {
        self.0.failed.store(true, Ordering::Relaxed);
    }

    /// Says the losses that were summed up and not yet said; the last thing before the exit.
    pub fn close(&self) {
        let mut losses = self.0.losses.lock().unwrap_or_else(PoisonError::into_inner);
        for (output, loss) in losses.iter_mut() {
            loss.say(output);
        }
    }

    /// Whether something was lost or failed.
    pub fn failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }
}

impl Loss {
    fn say(&mut self, output: &str) {
        if self.unsaid > 0 {
            let lines = if self.unsaid == 1 { "line" } else { "lines" };
            say(format_args!("{output}: {} {lines} lost: {}", self.unsaid, self.why));
            self.unsaid = 0;
        }
    }
}

/// One message in one write, unless stderr would block: the log goes first.
fn say(message: std::fmt::Arguments<'_>) {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    if matches!(poll(&mut fds, Some(&at_once)), Ok(1)) {
        let message = message.to_string();
        let _ = stderr.lock().write_all(format!("loghand: {}\n", without_numbers(&message)).as_bytes());
    }
}

/// Leaves out Rust's "(os error 28)" behind the reason: a person is told it in words.
fn without_numbers(message: &str) -> String {
    const MARK: &str = " (os error ";
    let mut parts = message.split(MARK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => text.push_str(rest),
            _ => text.extend([MARK, part]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_number_is_left_out_and_nothing_else() {
        for (message, left) in [
            ("app.log: No space left on device (os error 28)", "app.log: No space left on device"),
            ("No such file (os error 2); told to stop (os error 4)", "No such file; told to stop"),
            ("an (os error x) file (os error 5", "an (os error x) file (os error 5"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(message), left);
        }
    }
}
