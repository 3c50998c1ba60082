//! What every handler is handed when it is opened.

use crate::clock::{Clock, Zone};
use crate::report::Report;
use crate::stop::{Stop, Waker};

/// The surroundings of a handler: time, voice, and how it is woken and stopped. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub clock: Clock,
    pub zone: Zone,
    pub report: Report,
    pub stop: Stop,
    /// Wakes whoever calls this handler's `tick`: the pump, or the thread behind a queue.
    pub waker: Waker,
    /// Lines of several files come in turns (they are followed), and not one file after the other.
    pub in_turns: bool,
}
