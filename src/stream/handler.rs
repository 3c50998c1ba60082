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
    /// Takes the records. It may keep them in flight; `Err` says that some of these were lost for good.
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

/// This output has ended: there is no use in trying again.
#[derive(Debug, Error)]
pub enum Ended {
    #[error("its reader went away")]
    ReaderGone,
    /// Of several outputs none is left; each was reported when it ended.
    #[error("every output has ended")]
    All,
}
