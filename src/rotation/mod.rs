//! What rotating log files means: when it is time, and what the files are called. Knows names and times, not lines.

mod civil;
pub mod dated;
pub mod fields;
pub mod naming;
mod pattern;
pub mod when;
