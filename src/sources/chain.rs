//! Several sources, one after the other.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use crate::stream::source::{Source, Step};

/// Reads each source to its end before the next. None of them sends marks.
pub struct Chain {
    sources: Vec<Box<dyn Source>>,
    at: usize,
}

impl Chain {
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        Self { sources, at: 0 }
    }

    fn current(&self) -> Option<&dyn Source> {
        self.sources.get(self.at).map(|source| &**source)
    }
}

impl Source for Chain {
    fn ready(&self) -> bool {
        self.current().is_none_or(Source::ready)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.current()?.fd()
    }

    fn deadline(&self) -> Option<Instant> {
        self.current()?.deadline()
    }

    fn step(&mut self, readable: bool) -> Step<'_> {
        let Some(source) = self.sources.get_mut(self.at) else { return Step::End };
        match source.step(readable) {
            Step::End => {
                self.at += 1;
                Step::Pending
            }
            step => step,
        }
    }

    fn leave(&mut self) {
        // What has not begun is not begun any more.
        self.sources.truncate(self.at + 1);
        if let Some(source) = self.sources.get_mut(self.at) {
            source.leave();
        }
    }

    fn close(&mut self) {
        for source in &mut self.sources {
            source.close();
        }
    }
}
