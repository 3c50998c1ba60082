//! The flag groups of the verbs that send over the network.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::backoff::Backoff;
use crate::cli::Usage;
use crate::handlers::persistence::Retry;
use crate::net::ending::Ending;
use crate::stream::context::Context;
use crate::units::Span;

/// Reaching the peer, and going on when it is away.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// How long connecting may take, and each write
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: Span,
    /// Ask a silent TCP peer so often whether it is there; 0 never asks
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub keep_alive: Span,
    /// The wait before the second attempt; a peer that only restarted is tried at once
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub retry_start: Span,
    /// How much longer each further wait is
    #[arg(long, value_name = "FACTOR", default_value = "2")]
    pub retry_factor: f64,
    /// The longest wait between attempts
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub retry_max: Span,
    /// Lose lines (counted and said) once the peer was away for so long [default: wait for ever]
    #[arg(long, value_name = "DURATION")]
    pub give_up_after: Option<Span>,
    /// At the end of the input, or at TERM, deliver what is left for so long; what then is left is counted and said
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub drain_timeout: Span,
}

impl ConnectionArgs {
    /// Looks for values that cannot be meant.
    ///
    /// # Errors
    /// [`Usage`] for the first of them.
    pub fn check(&self) -> Result<()> {
        if !(1.0..=1e6).contains(&self.retry_factor) {
            return Err(Usage("--retry-factor takes a number from 1 up, as in 2 or 1.5".into()).into());
        }
        for (flag, span) in [("--timeout", self.timeout), ("--retry-start", self.retry_start)] {
            if span.0.is_zero() {
                return Err(Usage(format!("{flag} takes more than nothing, as in 1s")).into());
            }
        }
        Ok(())
    }

    pub fn retry(&self) -> Retry {
        let start = self.retry_start.0.min(self.retry_max.0.max(Duration::from_millis(1)));
        Retry {
            backoff: Backoff::new(start, self.retry_factor, self.retry_max.0.max(start)),
            give_up_after: self.give_up_after.map(|span| span.0),
        }
    }

    pub fn ending(&self, context: &Context) -> Ending {
        Ending::new(context.stop.clone(), self.drain_timeout.0)
    }

    pub fn keep_alive(&self) -> Option<Duration> {
        Some(self.keep_alive.0).filter(|time| !time.is_zero())
    }
}
