//! Where lines begin, as `handlers` is where they end: standard input, files, and what was read of them before.

pub mod checkpoint;
pub mod patterns;
pub mod position;
pub mod state;
pub mod stdin;
