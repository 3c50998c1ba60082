//! NullHandler: takes everything and does nothing.

use anyhow::Result;

use crate::stream::batch::Batch;
use crate::stream::handler::Handler;

/// Python's NullHandler.
pub struct NullHandler;

impl Handler for NullHandler {
    fn emit(&mut self, _batch: &Batch<'_>) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
