//! Reading files, once or for ever, whatever becomes of them meanwhile.
//!
//! `files` is the source; `scan` finds out which logs there are, `known` which files bear their names (`siblings`,
//! `candidate`, `matching`, `generations`), `visit` reads one log a little further (`window`; `packed`, `unpacking`), `watching` tells when to look again.

mod candidate;
mod files;
mod generations;
mod known;
mod log;
mod look;
mod matching;
mod outputs;
mod packed;
mod scan;
mod siblings;
mod unpacking;
mod visit;
mod watching;
mod window;

pub use files::{Files, Options};
