//! The real binary, as its users meet it: a module per verb and per group of flags.

mod buffer;
mod chains;
mod checkpoint;
mod docs;
mod files;
mod follow;
mod harness;
mod http_peers;
mod http_server;
mod input;
mod once;
mod peer;
mod queue;
mod records;
mod rotate;
mod ship;
mod ship_http;
mod signals;
mod syslog;
mod tee;
mod usage;
mod watch;
