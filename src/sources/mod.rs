//! Where lines begin, as `handlers` is where they end: standard input, files, and what was read of them before.

pub mod archive_name;
pub mod chain;
pub mod checkpoint;
pub mod follow;
pub mod patterns;
pub mod position;
pub mod state;
pub mod stdin;
