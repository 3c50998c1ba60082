//! A record as a JSON object, in the one schema that everything here writes and reads.
//!
//! `time level name message message_base64 host app pid facility msgid structured_data file line function thread
//! exception filename peer dialect extra`, in that order; what is not known is left out.

mod reading;
mod writing;

pub use reading::{JsonError, read};
pub use writing::write;

#[cfg(test)]
mod tests;
