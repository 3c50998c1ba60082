//! What is said on stderr, and what the exit code will be.
//!
//! One place remembers whether anything was lost. Messages are `loghand: what: why`. A stderr that nobody reads must
//! not stop the work: what does not fit there at once is left out.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::stop::Waker;

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
    /// Wakes whoever calls [`Report::tick`].
    waker: OnceLock<Waker>,
}

struct Loss {
    unsaid: u64,
    why: String,
    said_at: Instant,
}

impl Report {
    pub fn new(verbosity: Verbosity) -> Self {
        Self(Arc::new(Inner {
            verbosity,
            failed: AtomicBool::new(false),
            losses: Mutex::default(),
            waker: OnceLock::new(),
        }))
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
        if records == 0 {
            return;
        }
        let mut losses = self.losses();
        let now = Instant::now();
        let Some(loss) = losses.get_mut(output) else {
            let mut loss = Loss { unsaid: records, why: why.to_string(), said_at: now };
            loss.say(output);
            losses.insert(output.to_owned(), loss);
            return;
        };
        let waiting = loss.unsaid > 0;
        loss.unsaid += records;
        loss.why = why.to_string();
        loss.say_if_due(output, now);
        let to_wake = !waiting && loss.unsaid > 0;
        drop(losses);
        if to_wake && let Some(waker) = self.0.waker.get() {
            waker.wake();
        }
    }

    /// `waker` makes somebody ask for the [`Report::deadline`] anew.
    pub fn set_waker(&self, waker: Waker) {
        let _ = self.0.waker.set(waker);
    }

    /// When losses that were summed up are to be said, if there are any.
    pub fn deadline(&self) -> Option<Instant> {
        self.losses().values().filter_map(Loss::due).min()
    }

    /// Says the losses that are due at `now`.
    pub fn tick(&self, now: Instant) {
        for (output, loss) in self.losses().iter_mut() {
            loss.say_if_due(output, now);
        }
    }

    fn losses(&self) -> MutexGuard<'_, HashMap<String, Loss>> {
        self.0.losses.lock().unwrap_or_else(PoisonError::into_inner)
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
        for (output, loss) in self.losses().iter_mut() {
            loss.say(output);
        }
    }

    /// Whether something was lost or failed.
    pub fn failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }
}

impl Loss {
    fn due(&self) -> Option<Instant> {
        (self.unsaid > 0).then(|| self.said_at + LOSS_INTERVAL)
    }

    fn say_if_due(&mut self, output: &str, now: Instant) {
        if self.due().is_some_and(|due| now >= due) {
            self.say(output);
            self.said_at = now;
        }
    }

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
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn losses_that_are_summed_up_are_due_when_the_minute_is_over_and_wake_once() {
        let report = Report::new(Verbosity::Normal);
        let woken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&woken);
        report.set_waker(Waker::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        report.lost("app.log", 1, "said at once");
        assert_eq!((report.deadline(), woken.load(Ordering::Relaxed)), (None, 0));
        let before = Instant::now();
        report.lost("app.log", 2, "summed up");
        report.lost("app.log", 3, "summed up");
        let due = report.deadline().unwrap();
        assert!(due <= before + LOSS_INTERVAL);
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        report.tick(due - Duration::from_nanos(1));
        assert_eq!(report.deadline(), Some(due));
        report.tick(due);
        assert_eq!(report.deadline(), None);
        assert_eq!(report.losses()["app.log"].said_at, due);
    }

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
