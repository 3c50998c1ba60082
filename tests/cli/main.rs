//! The real binary, as its users meet it: a module per verb and per group of flags.

mod harness;
mod signals;
mod tee;
