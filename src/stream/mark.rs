//! Marks: how a source learns that what it lent has arrived, without waiting for it.
//!
//! A mark travels in order with the records, through buffers and queues, and once to each of several outlets. It is
//! answered when everything emitted before it was delivered by all of them; until then nobody may say that it was.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::stop::Waker;

/// The sender's end.
#[derive(Debug)]
pub struct Marked(Arc<OnceLock<bool>>);

impl Marked {
    /// A mark to send, and where its answer arrives; `waker` is used when it has.
    pub fn new(waker: Waker) -> (Self, Mark) {
        let outcome = Arc::default();
        let holders = Holders { failed: AtomicBool::new(false), outcome: Arc::clone(&outcome), waker };
        (Self(outcome), Mark { holders: Arc::new(holders), delivered: false })
    }

    /// None: still under way. True: everything before it was delivered everywhere. False: something of it was lost, or
    /// somebody dropped the mark without an answer.
    pub fn outcome(&self) -> Option<bool> {
        self.0.get().copied()
    }
}

/// What travels. A clone goes another way, and all of them must arrive: one that is dropped has failed.
pub struct Mark {
    holders: Arc<Holders>,
    delivered: bool,
}

impl Mark {
    /// Everything before it was delivered, on this way.
    pub fn delivered(mut self) {
        self.delivered = true;
    }
}

impl Clone for Mark {
    fn clone(&self) -> Self {
        Self { holders: Arc::clone(&self.holders), delivered: false }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if !self.delivered {
            self.holders.failed.store(true, Ordering::Relaxed);
        }
    }
}

/// What all clones hold together: it goes with the last of them.
struct Holders {
    failed: AtomicBool,
    outcome: Arc<OnceLock<bool>>,
    waker: Waker,
}

impl Drop for Holders {
    fn drop(&mut self) {
        // The count of holders orders what they stored before they let go.
        let _ = self.outcome.set(!*self.failed.get_mut());
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn a_mark_is_answered_once_by_the_last_of_its_holders() {
        let woken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&woken);
        let (marked, mark) = Marked::new(Waker::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        let clones = [mark.clone(), mark.clone()];
        mark.delivered();
        let [first, last] = clones;
        first.delivered();
        assert_eq!((marked.outcome(), woken.load(Ordering::Relaxed)), (None, 0));
        last.delivered();
        assert_eq!((marked.outcome(), woken.load(Ordering::Relaxed)), (Some(true), 1));
    }

    #[test]
    fn a_mark_that_anybody_drops_has_failed() {
        for dropped in 0..3 {
            let (marked, mark) = Marked::new(Waker::new(|| ()));
            for (at, holder) in [mark.clone(), mark.clone(), mark].into_iter().enumerate() {
                if at == dropped { drop(holder) } else { holder.delivered() }
            }
            assert_eq!(marked.outcome(), Some(false));
        }
    }
}
