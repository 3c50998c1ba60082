//! loghand: every handler of Python's logging, for the shell.

pub mod clock;
pub mod level;
pub mod record;
pub mod rotation;
pub mod units;
