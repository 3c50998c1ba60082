//! Whether the lines have come to their end, for whoever waits for a peer: from then on it may take so long, and no
//! longer.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::stop::Stop;

/// The longest sleep before a look at TERM, which has no way to wake who waits here.
const GLANCE: Duration = Duration::from_millis(50);

/// Shared by the side that learns of the end and the one that delivers; cheap to clone.
#[derive(Clone)]
pub struct Ending {
    inner: Arc<(Mutex<Option<Instant>>, Condvar)>,
    stop: Stop,
    grace: Duration,
}

impl Ending {
    /// `grace` is how long delivering may go on after the end, or after TERM.
    pub fn new(stop: Stop, grace: Duration) -> Self {
        Self { inner: Arc::default(), stop, grace }
    }

    /// No more lines come.
    pub fn begin(&self) {
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        self.inner.1.notify_all();
    }

    /// How long delivering may go on; None while there is no end.
    pub fn left(&self) -> Option<Duration> {
        let ended = self.inner.0.lock().unwrap_or_else(PoisonError::into_inner).map(|at| at.elapsed());
        ended.max(self.stop.elapsed()).map(|gone| self.grace.saturating_sub(gone))
    }

    /// Whether that time is over.
    pub fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// How long one attempt may take, if it could take `most`.
    pub fn bound(&self, most: Duration) -> Duration {
        self.left().map_or(most, |left| most.min(left)).max(Duration::from_millis(1))
    }

    /// Sleeps, at most until the time is over; false when it is. The end of the lines is worth another attempt at once.
    pub fn wait(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        let ended_before = self.left().is_some();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.is_over() {
                return false;
            }
            if left.is_zero() || (!ended_before && self.left().is_some()) {
                return true;
            }
            let guard = self.inner.0.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.inner.1.wait_timeout(guard, left.min(GLANCE)));
        }
    }
}
