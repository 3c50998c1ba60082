//! Bytes to meaning and back: pure functions that know no socket, no file and no clock.

pub mod event;
pub mod frame;
#[cfg(test)]
mod python;
pub mod syslog;
mod timestamp;
