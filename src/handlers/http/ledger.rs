//! What is under way, in the order in which it came: a mark is answered when everything before it has been.

use std::collections::VecDeque;

use crate::stream::mark::Mark;

enum Entry {
    UnderWay,
    /// Whether all of it was delivered.
    Done(bool),
    Mark(Mark),
}

/// The batches and marks that are not dealt with yet.
#[derive(Default)]
pub struct Ledger {
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: usize,
    /// Something was lost since the last mark.
    lost: bool,
}

impl Ledger {
    /// A batch begins; the number is for [`Ledger::done`].
    pub fn begin(&mut self) -> usize {
        self.entries.push_back(Entry::UnderWay);
        self.first + self.entries.len() - 1
    }

    /// A batch has ended; `delivered` says whether nothing of it was lost.
    pub fn done(&mut self, number: usize, delivered: bool) {
        if let Some(entry) = number.checked_sub(self.first).and_then(|at| self.entries.get_mut(at)) {
            *entry = Entry::Done(delivered);
        }
        self.settle();
    }

    /// A mark stands behind everything that began.
    pub fn mark(&mut self, mark: Mark) {
        self.entries.push_back(Entry::Mark(mark));
        self.settle();
    }

    fn settle(&mut self) {
        while !matches!(self.entries.front(), None | Some(Entry::UnderWay)) {
            self.first += 1;
            match self.entries.pop_front() {
                Some(Entry::Done(delivered)) => self.lost |= !delivered,
                Some(Entry::Mark(mark)) if !std::mem::take(&mut self.lost) => mark.delivered(),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::stop::Waker;
    use crate::stream::mark::Marked;

    use super::*;

    #[test]
    fn a_mark_waits_for_all_before_it_in_whatever_order_they_end() {
        let mut ledger = Ledger::default();
        let (one, two) = (ledger.begin(), ledger.begin());
        let (first, mark) = Marked::new(Waker::new(|| ()));
        ledger.mark(mark);
        let three = ledger.begin();
        let (second, mark) = Marked::new(Waker::new(|| ()));
        ledger.mark(mark);
        ledger.done(three, true);
        ledger.done(two, true);
        assert_eq!((first.outcome(), second.outcome()), (None, None));
        ledger.done(one, true);
        assert_eq!((first.outcome(), second.outcome()), (Some(true), Some(true)));
    }

    #[test]
    fn what_is_lost_fails_the_next_mark_alone() {
        let mut ledger = Ledger::default();
        let one = ledger.begin();
        let marks = [(); 2].map(|()| Marked::new(Waker::new(|| ())));
        let [first, second] = marks.map(|(marked, mark)| {
            ledger.mark(mark);
            marked
        });
        ledger.done(one, false);
        assert_eq!((first.outcome(), second.outcome()), (Some(false), Some(true)));
    }
}
