//! `Source`: what begins lines, as a handler ends them; the pump joins the two.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::batch::Batch;
use super::mark::Mark;

/// What one step brought.
pub enum Step<'a> {
    /// Whole lines, or a piece of a very long one.
    Lines(Batch<'a>),
    /// No line end yet, or nothing to read now.
    Pending,
    /// The input has ended and everything was lent.
    End,
}

/// Where lines begin. It says on stderr itself what it cannot read.
pub trait Source {
    /// Whether a step can bring something without waiting.
    fn ready(&self) -> bool;

    /// What becomes readable when there may be something; a source without one is woken by the waker.
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// When it wants a step at the latest.
    fn deadline(&self) -> Option<Instant>;

    /// Takes one step. `readable` says whether its descriptor is. It is also called when nothing is due.
    fn step(&mut self, readable: bool) -> Step<'_>;

    /// TERM came: what is there already is still to be read, then [`Step::End`].
    fn leave(&mut self);

    /// A mark to send behind what was lent so far, when it is time for one; asked after every step, the last one too.
    fn mark(&mut self) -> Option<Mark> {
        None
    }

    /// After the handler was closed, so that every mark has been answered.
    fn close(&mut self) {}
}
