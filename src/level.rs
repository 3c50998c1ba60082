//! The level of a record: Python's numbers and names.

/// How grave a record is, by Python's numbers (NOTSET 0 … CRITICAL 50; any number between is a level too).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i32);
