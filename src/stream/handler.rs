//! `Handler`: what ends lines (Python's `logging.Handler`: emit, flush, close), and wakes for what is due.

use std::time::Instant;

use anyhow::Result;
use thiserror::Error;

use super::batch::Batch;

/// A signal that concerns the handlers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// HUP: close the files and open them again by their names.
    Reopen,
    /// USR1: roll over now.
    Rollover,
}

/// Where lines end.
pub trait Handler: Send {
    /// Takes the records. It may keep them in flight; `Err` says that some of these are lost for good (see [`Lost`]).
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()>;

    /// Returns Ok only when everything emitted so far is delivered.
    fn flush(&mut self) -> Result<()>;

    /// Delivers what is left and lets go of everything.
    fn close(self: Box<Self>) -> Result<()>;

    /// When [`Handler::tick`] wants to be called at the latest, if nothing is emitted until then.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Does what is due. It is also called when somebody used the waker; nothing may be due then.
    fn tick(&mut self) -> Result<()> {
        Ok(())
    }

    /// Obeys a signal, if it means anything here.
    fn control(&mut self, _control: Control) -> Result<()> {
        Ok(())
    }
}

/// So many records of a batch were lost, and why; without it an error means all of them.
#[derive(Debug, Error)]
#[error("{why}")]
pub struct Lost {
    pub records: u64,
    pub why: String,
}

/// How many records of `batch` are lost when a handler's emit failed with `error`.
pub fn lost_records(batch: &Batch<'_>, error: &anyhow::Error) -> u64 {
    error.downcast_ref::<Lost>().map_or_else(|| batch.count(), |lost| lost.records)
}

/// This output has ended: there is no use in trying again.
#[derive(Debug, Error)]
pub enum Ended {
    #[error("its reader went away")]
    ReaderGone,
    /// Behind its queue, where it was said why.
    #[error("it has ended")]
    Earlier,
    /// Of several outputs none is left; each was reported when it ended.
    #[error("every output has ended")]
    All,
}
