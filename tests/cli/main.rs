//! The real binary, as its users meet it: a module per verb and per group of flags.

mod files;
mod harness;
mod once;
mod rotate;
mod signals;
mod tee;
