//! TimedRotatingFileHandler: the rule that a file holds one period of the clock.
//!
//! The period is the file's own, so restarts and short-lived jobs roll when they should (python/cpython#84649): it
//! begins when the file was made, not when it was last written. Each check also looks whether the clock was set.

use std::fs::Metadata;

use chrono::{DateTime, FixedOffset, Utc};

use crate::rotation::when::When;

/// The time rule.
#[derive(Clone, Debug)]
pub struct TimeRule {
    when: When,
    /// When the file's period ends.
    next: DateTime<Utc>,
    /// The time of day when that was worked out.
    since: DateTime<Utc>,
}

impl TimeRule {
    pub fn new(when: When, now: DateTime<Utc>) -> Self {
        let next = when.next_after(now);
        Self { when, next, since: now }
    }

    /// Begins with a file that is there already; an empty one's period begins now. `emptied` is when it was last
    /// emptied, if it is a file that goes on after that.
    pub fn begin(&mut self, file: Option<&Metadata>, emptied: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        let start = file.filter(|file| file.len() > 0).and_then(first_written).unwrap_or(now);
        self.next = self.when.next_after(emptied.map_or(start, |emptied| start.max(emptied)).min(now));
        self.since = now;
    }

    /// Whether the period is over.
    pub fn is_due(&mut self, now: DateTime<Utc>) -> bool {
        if now < self.since && self.since - now > self.next - self.since {
            // The clock was set back by more than a period: do not wait for a day in a wrong future.
            self.advance(now);
        }
        now >= self.next
    }

    /// The next period begins.
    pub fn advance(&mut self, now: DateTime<Utc>) {
        self.next = self.when.next_after(now);
        self.since = now;
    }

    /// When the period ends.
    pub fn next(&self) -> DateTime<Utc> {
        self.next
    }

    /// The schedule itself.
    pub fn when(&self) -> &When {
        &self.when
    }

    /// What the file's archive is named for: the beginning of its period.
    pub fn stamp(&self) -> DateTime<FixedOffset> {
        self.when.period_start(self.next)
    }
}

/// When the file was made, or last written if that is earlier: a copied or restored file keeps only the latter.
fn first_written(file: &Metadata) -> Option<DateTime<Utc>> {
    let modified = file.modified().ok()?;
    Some(file.created().map_or(modified, |created| created.min(modified)).into())
}
