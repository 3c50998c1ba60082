//! How long to wait before a failed step is tried again, and when to give up.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

use crate::stop::Stop;

/// After TERM, a step that fails is tried for this long and no longer.
const GRACE: Duration = Duration::from_secs(5);

/// Growing waits: `start`, then `factor` times as long each time, up to `max`.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    start: Duration,
    factor: f64,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub fn new(start: Duration, factor: f64, max: Duration) -> Self {
        Self { start, factor, max, next: start }
    }

    /// For files: a tenth of a second, doubled up to a second; asking the kernel again costs next to nothing.
    pub fn for_files() -> Self {
        Self::new(Duration::from_millis(100), 2.0, Duration::from_secs(1))
    }

    /// The wait before the next attempt.
    pub fn advance(&mut self) -> Duration {
        let wait = self.next;
        let next = Duration::try_from_secs_f64(wait.as_secs_f64() * self.factor);
        self.next = next.map_or(self.max, |next| next.min(self.max));
        wait
    }

    /// The same for peers that many others may wait for: between a half of it and all of it.
    pub fn advance_with_jitter(&mut self) -> Duration {
        // Every state has random keys of its own.
        let random = RandomState::new().hash_one(0) as u32;
        self.advance().mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
    }

    /// The step went well: the next failure begins anew.
    pub fn reset(&mut self) {
        self.next = self.start;
    }
}

/// Waits between the attempts of one step that must succeed.
pub struct Patience {
    backoff: Backoff,
    stop: Stop,
}

impl Patience {
    pub fn new(backoff: Backoff, stop: &Stop) -> Self {
        Self { backoff, stop: stop.clone() }
    }

    /// Sleeps before the next attempt; false when TERM came and the time of grace is over.
    pub fn wait(&mut self) -> bool {
        let wait = self.backoff.advance();
        if !self.stop.requested() && !self.stop.wait(wait) {
            return true;
        }
        let left = GRACE.saturating_sub(self.stop.elapsed().unwrap_or(GRACE));
        thread::sleep(wait.min(left));
        !left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), 2.0, Duration::from_secs(5));
        let waits: Vec<u64> = (0..5).map(|_| backoff.advance().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.advance(), Duration::from_secs(1));
    }
}
