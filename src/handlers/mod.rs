//! Where lines end: one file per Python class, named as it is without "Handler".

pub mod assembly;
pub mod base_rotating;
pub mod buffering;
pub mod datagram;
pub mod draining;
pub mod file;
pub mod http;
pub mod log_file;
pub mod memory;
pub mod null;
pub mod payload;
pub mod persistence;
pub mod queue;
pub mod queue_listener;
pub mod rotating_file;
pub mod socket;
pub mod stream;
pub mod syslog;
pub mod timed_rotating_file;
pub mod watched_file;
