//! Signals, and the one question that everything which waits must ask: are we to stop?
//!
//! A signal handler only sets a flag and writes a byte into a pipe; the pump sleeps on that pipe beside its input, so
//! there is one wait for input, signals and timers. TERM has a second pipe that nobody empties: whoever waits for
//! something else (a full disk, a lock), in whichever thread, sleeps on that one and is woken for good.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};
use signal_hook::{flag, low_level};

/// What exit at the second INT or TERM says: lines may have been lost.
const LEFT_AT_ONCE: i32 = 1;

/// What INT (Ctrl-C) means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// Only the end of the input ends the work, as with `tee -i`: the producer's last words are still to come.
    WaitForEnd,
    /// The same as TERM: nobody but us is there to end.
    Stop,
}

/// The signals that have come and are not yet dealt with.
pub struct Signals {
    reopen: Arc<AtomicBool>,
    rollover: Arc<AtomicBool>,
    stop: Stop,
    wake: UnixStream,
    waker: Waker,
}

impl Signals {
    /// Takes over HUP, USR1, INT, TERM and XFSZ (a file size limit is an error of one write, not the end).
    pub fn install(interrupt: Interrupt) -> Result<Self> {
        let (wake, wake_sender) = pipe()?;
        let (stop_fd, stop_sender) = pipe()?;
        let reopen = Arc::new(AtomicBool::new(false));
        let rollover = Arc::new(AtomicBool::new(false));
        let stopping = Arc::new(AtomicBool::new(false));
        let interrupted = Arc::new(AtomicBool::new(false));

        let install = || -> io::Result<()> {
            // Order matters: the check for "a second time" must run before the flag is set.
            flag::register_conditional_shutdown(SIGTERM, LEFT_AT_ONCE, Arc::clone(&stopping))?;
            flag::register_conditional_shutdown(SIGINT, LEFT_AT_ONCE, Arc::clone(&stopping))?;
            flag::register_conditional_shutdown(SIGINT, LEFT_AT_ONCE, Arc::clone(&interrupted))?;
            flag::register(SIGTERM, Arc::clone(&stopping))?;
            low_level::pipe::register(SIGTERM, stop_sender.try_clone()?)?;
            flag::register(SIGINT, Arc::clone(&interrupted))?;
            if interrupt == Interrupt::Stop {
                flag::register(SIGINT, Arc::clone(&stopping))?;
                low_level::pipe::register(SIGINT, stop_sender)?;
            }
            flag::register(SIGHUP, Arc::clone(&reopen))?;
            flag::register(SIGUSR1, Arc::clone(&rollover))?;
            flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
            for signal in [SIGHUP, SIGUSR1, SIGTERM, SIGINT] {
                low_level::pipe::register(signal, wake_sender.try_clone()?)?;
            }
            Ok(())
        };
        // One that came when only its first action is registered would be swallowed.
        let held: SigSet = [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGINT].into_iter().collect();
        let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK).context("signals: cannot be held back")?;
        let installed = install();
        before.thread_set_mask().context("signals: cannot be let through")?;
        installed.context("signals: cannot be taken over")?;
        let stop = Stop { requested: stopping, seen: Arc::default(), fd: Some(Arc::new(stop_fd)) };
        // A full pipe wakes just as well.
        let waker = Waker::new(move || drop((&wake_sender).write(&[1])));
        Ok(Self { reopen, rollover, stop, wake, waker })
    }

    /// Signals that never come, and the token by which a test can tell it to stop.
    #[cfg(test)]
    pub fn never() -> (Self, Arc<AtomicBool>) {
        let (wake, sender) = pipe().unwrap();
        let requested = Arc::new(AtomicBool::new(false));
        let stop = Stop { requested: Arc::clone(&requested), ..Stop::never() };
        let waker = Waker::new(move || drop((&sender).write(&[1])));
        (Self { reopen: Arc::default(), rollover: Arc::default(), stop, wake, waker }, requested)
    }

    /// Whether HUP came since the last call.
    pub fn take_reopen(&self) -> bool {
        self.reopen.swap(false, Ordering::Relaxed)
    }

    /// Whether USR1 came since the last call.
    pub fn take_rollover(&self) -> bool {
        self.rollover.swap(false, Ordering::Relaxed)
    }

    /// The token to hand to whoever waits.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Wakes the pump from another thread.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Becomes readable when a signal came or somebody used the [`Waker`].
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Empties the pipe behind [`Signals::wake_fd`]; the flags say what came.
    pub fn clear_wake(&self) {
        let mut bytes = [0; 64];
        while matches!((&self.wake).read(&mut bytes), Ok(n) if n == bytes.len()) {}
    }
}

fn pipe() -> Result<(UnixStream, UnixStream)> {
    let (receiver, sender) = UnixStream::pair().context("signals: no pipe for them")?;
    receiver.set_nonblocking(true)?;
    sender.set_nonblocking(true)?;
    Ok((receiver, sender))
}

/// Ends the sleep of whoever calls a handler's `tick`, so that it asks its handlers again. Cheap to clone.
#[derive(Clone)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(wake))
    }

    /// Never blocks.
    pub fn wake(&self) {
        (self.0)();
    }
}

/// Whether the program was told to stop (TERM), for whoever waits; cheap to clone, good in any thread.
#[derive(Clone)]
pub struct Stop {
    requested: Arc<AtomicBool>,
    /// When somebody first saw that it was requested.
    seen: Arc<OnceLock<Instant>>,
    fd: Option<Arc<UnixStream>>,
}

impl Stop {
    /// A token that is never told to stop, for tests and for work that has no signals.
    pub fn never() -> Self {
        Self { requested: Arc::default(), seen: Arc::default(), fd: None }
    }

    /// Whether TERM came.
    pub fn requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// How long ago TERM came (was first asked for); None if it did not.
    pub fn elapsed(&self) -> Option<Duration> {
        self.requested().then(|| self.seen.get_or_init(Instant::now).elapsed())
    }

    /// Sleeps for `time`, or until told to stop; says whether it was told. Told already, it returns at once.
    pub fn wait(&self, time: Duration) -> bool {
        let Some(fd) = &self.fd else {
            std::thread::sleep(time);
            return self.requested();
        };
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.requested() || left.is_zero() {
                return self.requested();
            }
            let mut fds = [PollFd::new(&**fd, PollFlags::IN)];
            // An error is EINTR alone: look again at what is left.
            let _ = poll(&mut fds, timespec(left).as_ref());
        }
    }
}

/// A poll timeout; None (for ever) only where the duration is beyond what the kernel can count.
pub fn timespec(duration: Duration) -> Option<Timespec> {
    Timespec::try_from(duration).ok()
}
