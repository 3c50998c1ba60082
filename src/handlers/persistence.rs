//! Going on when a peer is away: what is said of it, how long to wait between the attempts, and when to give up.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::backoff::Backoff;
use crate::net::ending::Ending;
use crate::report::Report;
use crate::stream::handler::Lost;

/// When and for how long a failed step is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    pub backoff: Backoff,
    /// Lines that cannot be delivered for so long are given up; None: never.
    pub give_up_after: Option<Duration>,
}

/// The state of the attempts.
pub struct Persistence {
    retry: Retry,
    ending: Ending,
    name: String,
    report: Report,
    down: Option<Down>,
    /// Why something was lost since the last flush.
    loss: Option<String>,
    /// Left over at the end, to be counted in one sentence.
    left: u64,
    left_because: String,
}

/// Since when nothing works, and why.
struct Down {
    since: Instant,
    why: String,
    attempts: u32,
    /// Once lines are given up: no attempt before this.
    next: Option<Instant>,
}

impl Persistence {
    pub fn new(retry: Retry, ending: Ending, name: String, report: Report) -> Self {
        Self { retry, ending, name, report, down: None, loss: None, left: 0, left_because: String::new() }
    }

    /// How long an attempt may take.
    pub fn bound(&self) -> Duration {
        self.ending.bound(Duration::MAX)
    }

    /// Whether an attempt is of any use now: not at the very end, and not at once after one that was given up.
    pub fn may_try(&self) -> bool {
        let Some(down) = &self.down else { return true };
        !self.ending.is_over() && down.next.is_none_or(|next| Instant::now() >= next)
    }

    /// An attempt failed.
    pub fn failed(&mut self, error: &anyhow::Error) {
        let why = format!("{error:#}");
        match &mut self.down {
            Some(down) => down.why = why,
            None => self.down = Some(Down { since: Instant::now(), why, attempts: 0, next: None }),
        }
    }

    /// Everything was sent.
    pub fn went_well(&mut self) {
        let Some(down) = self.down.take() else { return };
        self.retry.backoff.reset();
        if down.attempts > 1 {
            self.report.warn(&self.name, "sending again");
        }
    }

    /// Waits for the next attempt; false when there is to be none, and what is at hand is lost.
    pub fn wait(&mut self) -> bool {
        let Some(down) = &mut self.down else { return true };
        if self.ending.is_over() {
            return false;
        }
        let gone = down.since.elapsed();
        let patience = self.retry.give_up_after.map(|most| most.saturating_sub(gone));
        if patience.is_some_and(|left| left.is_zero()) {
            if down.next.is_none_or(|next| Instant::now() >= next) {
                down.next = Some(Instant::now() + self.retry.backoff.advance_with_jitter());
            }
            return false;
        }
        down.attempts += 1;
        match down.attempts {
            // A peer that was restarted, or has closed an idle connection, is there at once: nothing to speak of.
            1 => return true,
            2 => self.report.warn(&self.name, format_args!("{}: trying again, the lines wait", down.why)),
            _ => {}
        }
        let wait = self.retry.backoff.advance_with_jitter();
        self.ending.wait(patience.map_or(wait, |left| wait.min(left)))
    }

    /// So many records are lost although the peer is there.
    pub fn lost(&mut self, records: u64, why: &str) {
        self.report.lost(&self.name, records, why);
        self.loss = Some(why.to_owned());
    }

    /// What an emit returns that lost so many records because there is to be no further attempt.
    ///
    /// # Errors
    /// Always.
    pub fn given_up(&mut self, records: u64) -> Result<()> {
        let why = self.down.as_ref().map_or("no attempt was made", |down| &down.why);
        if self.ending.is_over() {
            self.left += records;
            why.clone_into(&mut self.left_because);
            bail!(Lost { records: 0, why: why.to_owned() });
        }
        bail!(Lost { records, why: format!("{why}, and --give-up-after is over") });
    }

    /// Why something was lost since this was last asked.
    pub fn take_loss(&mut self) -> Option<String> {
        self.loss.take()
    }

    /// Says what was left at the end.
    pub fn close(&mut self) {
        if self.left > 0 {
            let why = format_args!("{}, and --drain-timeout is over", self.left_because);
            self.report.lost(&self.name, self.left, why);
        }
    }
}
