//! The heart: how lines go from where they begin to where they end.

mod backlog;
pub mod batch;
pub mod chunk;
pub mod context;
pub mod fanout;
pub mod handler;
pub mod mapped;
pub mod mark;
pub mod multiline;
pub mod pump;
pub mod queue;
pub mod reader;
pub mod recode;
pub mod records;
pub mod source;
