//! Words to values: one file per verb, each with its Args, how it is opened, how it runs, and its tests.

pub mod generate;
pub mod groups;
pub mod inputs;
pub mod net_groups;
pub mod outlet;
pub mod rotate;
pub mod run;
pub mod ship;
pub mod ship_http;
pub mod syslog;
pub mod tee;
pub mod watch;
