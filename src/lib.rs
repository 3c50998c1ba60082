//! loghand: every handler of Python's logging, for the shell. The map, from the top layer down:

// A log filter must not end by a panic, and what it says goes through `report`; tests may do as they like.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)]

pub mod cli; // the verbs and the global flags; splits the words at `--`

pub mod cmd; // words to values: one file per verb

pub mod handlers; // where lines end: one file per Python class

pub mod sources; // where lines begin: stdin, files, checkpoints

pub mod rotation; // what moving log files means: schedules, names, backups, compression

pub mod net; // reaching a peer: targets, connections, TLS

pub mod wire; // bytes to meaning and back: frames, syslog, JSON, pickles, forms

pub mod stream; // the heart: batches, handlers, queues, the pump

pub mod alarm; // waking at a time of day
pub mod backoff; // waiting before another attempt
pub mod clock; // the time of day, handed in; zones
pub mod encoding; // other encodings than UTF-8, for files
pub mod format; // Python's Formatter
pub mod inode; // what only Unix has: identity, locks, modes
pub mod level; // Python's levels, and where lines carry them
pub mod progress; // how far long work has come
pub mod record; // one record and what is known of it
pub mod report; // what is said on stderr, and the exit code
pub mod stop; // signals, and the question whether to stop
pub mod units; // sizes and durations as people write them
