//! Several sources, one after the other.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use memchr::memrchr;

use crate::stream::batch::Batch;
use crate::stream::source::{Source, Step};

/// Reads each source to its end before the next. None of them sends marks.
pub struct Chain {
    sources: Vec<Box<dyn Source>>,
    at: usize,
    /// A last line without an end, which gets one if another source has something to say.
    held: Option<Owned>,
    /// What waits behind it.
    behind: Option<Owned>,
    /// What is lent.
    lent: Owned,
    /// A piece was lent whose line goes on.
    torn: bool,
}

/// Lines that their source has not to keep any more.
#[derive(Default)]
struct Owned {
    bytes: Vec<u8>,
    starts: bool,
    ends: bool,
    filename: Option<Arc<[u8]>>,
}

impl Chain {
    pub fn new(sources: Vec<Box<dyn Source>>) -> Self {
        Self { sources, at: 0, held: None, behind: None, lent: Owned::default(), torn: false }
    }

    fn current(&self) -> Option<&dyn Source> {
        self.sources.get(self.at).map(|source| &**source)
    }
}

impl Owned {
    fn of(batch: &Batch<'_>) -> Self {
        let filename = batch.filename().cloned();
        Self { bytes: batch.bytes().to_vec(), starts: batch.starts(), ends: batch.ends(), filename }
    }

    fn batch(&self) -> Batch<'_> {
        let batch = Batch::plain(&self.bytes).with_edges(self.starts, self.ends);
        batch.with_filename(self.filename.as_ref())
    }
}

impl Source for Chain {
    fn ready(&self) -> bool {
        self.behind.is_some() || self.current().is_none_or(Source::ready)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.current()?.fd()
    }

    fn deadline(&self) -> Option<Instant> {
        self.current()?.deadline()
    }

    fn step(&mut self, readable: bool) -> Step<'_> {
        if let Some(behind) = self.behind.take() {
            self.lent = behind;
            return Step::Lines(self.lent.batch());
        }
        let is_last = self.at + 1 >= self.sources.len();
        let Some(source) = self.sources.get_mut(self.at) else {
            // The last line of all keeps what it lacks.
            let Some(held) = self.held.take().filter(|held| !held.bytes.is_empty()) else { return Step::End };
            self.lent = held;
            return Step::Lines(self.lent.batch());
        };
        let batch = match source.step(readable) {
            Step::Lines(batch) => batch,
            Step::Pending => return Step::Pending,
            Step::End => {
                self.at += 1;
                if std::mem::take(&mut self.torn) {
                    // Its last piece came as if there were more.
                    self.held = Some(Owned { ends: true, ..Owned::default() });
                }
                return Step::Pending;
            }
        };
        self.torn = !batch.ends();
        let is_open = !is_last && batch.ends() && !batch.is_empty() && !batch.bytes().ends_with(b"\n");
        if self.held.is_none() && !is_open {
            return Step::Lines(batch);
        }
        let whole = if is_open { memrchr(b'\n', batch.bytes()).map_or(0, |at| at + 1) } else { batch.len() };
        let (whole, open) = batch.split_at(whole);
        let whole = (!whole.is_empty()).then(|| Owned::of(&whole));
        let open = (!open.is_empty()).then(|| Owned::of(&open));
        // Something follows what was held, so that gets an end.
        let mut ended = std::mem::replace(&mut self.held, open);
        if let Some(ended) = &mut ended {
            ended.bytes.push(b'\n');
        }
        let (first, second) = match (ended, whole) {
            (None, whole) => (whole, None),
            (ended, whole) => (ended, whole),
        };
        self.behind = second;
        let Some(first) = first else { return Step::Pending };
        self.lent = first;
        Step::Lines(self.lent.batch())
    }

    fn leave(&mut self) {
        // What has not begun is not begun any more, and says so.
        self.sources.iter_mut().skip(self.at).for_each(|source| source.leave());
        self.sources.truncate(self.at + 1);
    }

    fn close(&mut self) {
        for source in &mut self.sources {
            source.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lends what it was given, and ends.
    struct Given(Vec<(&'static str, bool, bool)>);

    impl Source for Given {
        fn ready(&self) -> bool {
            true
        }

        fn fd(&self) -> Option<BorrowedFd<'_>> {
            None
        }

        fn deadline(&self) -> Option<Instant> {
            None
        }

        fn step(&mut self, _readable: bool) -> Step<'_> {
            if self.0.is_empty() {
                return Step::End;
            }
            let (text, starts, ends) = self.0.remove(0);
            Step::Lines(Batch::piece(text.as_bytes(), starts, ends))
        }

        fn leave(&mut self) {}
    }

    /// What comes out: a `|` is where a record begins.
    fn chained(sources: &[&[(&'static str, bool, bool)]]) -> String {
        let given = sources.iter().map(|lends| Box::new(Given(lends.to_vec())) as Box<dyn Source>);
        let mut chain = Chain::new(given.collect());
        let mut text = String::new();
        loop {
            match chain.step(true) {
                Step::Lines(batch) => {
                    let mark = if batch.starts() { "|" } else { "" };
                    text += &format!("{mark}{}", String::from_utf8_lossy(batch.bytes()));
                }
                Step::Pending => {}
                Step::End => return text,
            }
        }
    }

    #[test]
    fn only_the_last_line_of_all_lacks_its_end() {
        let whole = |text| (text, true, true);
        assert_eq!(chained(&[&[whole("a\nb")], &[whole("c\nd")]]), "|a\n|b\n|c\nd");
        assert_eq!(chained(&[&[whole("a")], &[], &[whole("b")], &[]]), "|a\n|b");
        assert_eq!(chained(&[&[whole("a\n")], &[whole("b\n")]]), "|a\n|b\n");
        assert_eq!(chained(&[&[], &[]]), "");
    }

    #[test]
    fn a_long_line_without_an_end_gets_one_behind_its_last_piece() {
        let long = [("aa", true, false), ("aa", false, true)];
        assert_eq!(chained(&[&long, &[("b", true, true)]]), "|aaaa\n|b");
        assert_eq!(chained(&[&long, &[]]), "|aaaa");
        assert_eq!(chained(&[&[("aa", true, false), ("a\nb", false, true)], &long]), "|aaa\n|b\n|aaaa");
    }
}
