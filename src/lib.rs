//! loghand: every handler of Python's logging, for the shell.

pub mod clock;
pub mod format;
pub mod level;
pub mod record;
pub mod units;
