//! Bytes to meaning and back: pure functions that know no socket, no file and no clock.

pub mod base64;
pub mod event;
pub mod form;
pub mod frame;
pub mod json;
pub mod log_record;
mod octal;
pub mod pickle;
#[cfg(test)]
mod python;
pub mod syslog;
mod timestamp;
