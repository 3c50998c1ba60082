//! Joins lines into records: a line that matches begins one, all others continue it (a traceback, an SQL statement).
//!
//! A record waits for the line that begins the next one, but neither for ever nor without bounds. Each file has a
//! record of its own, so that lines of several files that come in turns don't tear each other's apart.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use regex::bytes::Regex;

use crate::record::{Record, RecordInfo};
use crate::report::Report;

use super::batch::Batch;
use super::chunk::{Chunk, same_file};
use super::handler::{Control, Handler, Losses, report_failed};
use super::mark::Mark;

/// Bytes that the open records of several files have together at most.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What begins a record, and how much one may hold.
#[derive(Clone, Debug)]
pub struct MultilineOptions {
    pub begins: Regex,
    /// Lines in one record at most.
    pub lines: usize,
    /// Bytes in one record at most; a record goes on as soon as it has so many.
    pub bytes: usize,
    /// How long a record waits for its next line.
    pub wait: Duration,
    /// Lines of several files come in turns; else a line of another file says that the file before it has ended.
    pub in_turns: bool,
}

/// The name of a file; none for standard input.
type File = Option<Arc<[u8]>>;

/// A record that may go on.
struct Open {
    bytes: Vec<u8>,
    lines: usize,
    /// When its last line came.
    since: Instant,
    /// How many records were begun before it.
    number: u64,
}

/// A mark that waits for records to end.
struct Waiting {
    mark: Mark,
    /// It waits for those with lower numbers.
    number: u64,
    /// So many of them are open.
    open: usize,
    /// One of them is among the records that are to be handed on.
    ended: bool,
}

/// Hands whole records of several lines to `target`.
pub struct Multiline {
    options: MultilineOptions,
    target: Box<dyn Handler>,
    name: String,
    report: Report,
    /// Whole records, to be handed on together at the end of a batch.
    records: Chunk,
    open: HashMap<File, Open>,
    /// The bytes of all of `open`.
    held: usize,
    /// How many records were begun so far.
    begun: u64,
    /// No open record is due earlier; most often the next one is due later, as lines come.
    due: Option<Instant>,
    /// Within a line that comes in pieces, which are to stay together.
    inside_long: bool,
    /// The oldest first; a later one never waits for less.
    marks: VecDeque<Waiting>,
}

impl Multiline {
    /// `name` is what messages about marks that fail say.
    pub fn new(options: MultilineOptions, target: Box<dyn Handler>, name: String, report: Report) -> Self {
        Self {
            options,
            target,
            name,
            report,
            records: Chunk::new(),
            open: HashMap::new(),
            held: 0,
            begun: 0,
            due: None,
            inside_long: false,
            marks: VecDeque::new(),
        }
    }

    /// Takes lines of one file.
    fn take<'a>(&mut self, file: &File, lines: impl Iterator<Item = Record<'a>>) {
        let since = Instant::now();
        let mut open = self.remove(file).unwrap_or_else(|| Open { bytes: Vec::new(), lines: 0, since, number: 0 });
        open.since = since;
        for line in lines {
            if self.options.begins.is_match(line.message())
                || open.lines >= self.options.lines
                || open.bytes.len() + line.bytes.len() > self.options.bytes
            {
                self.end(file, &mut open);
            }
            if open.bytes.is_empty() {
                open.number = self.begun;
                self.begun += 1;
            }
            open.bytes.extend_from_slice(line.bytes);
            open.lines += 1;
        }
        self.held += open.bytes.len();
        self.due = self.due.or_else(|| since.checked_add(self.options.wait));
        self.open.insert(file.clone(), open);
        // How long one record may be is for its own option to say.
        while self.held > MOST_BYTES && self.open.len() > 1 {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.number).map(|(file, _)| file.clone());
            self.end_file(&oldest.unwrap_or_default());
        }
    }

    fn remove(&mut self, file: &File) -> Option<Open> {
        self.open.remove(file).inspect(|open| self.held -= open.bytes.len())
    }

    /// Ends the record in `open`, if there is one, and leaves its memory for the next.
    fn end(&mut self, file: &File, open: &mut Open) {
        if open.bytes.is_empty() {
            return;
        }
        open.lines = 0;
        for waiting in self.marks.iter_mut().filter(|waiting| open.number < waiting.number) {
            waiting.open -= 1;
            waiting.ended = true;
        }
        let info = RecordInfo { filename: file.clone(), ..RecordInfo::default() };
        self.records.push_with(info, |bytes| bytes.append(&mut open.bytes));
    }

    /// Ends what a file that was read before `file` has left.
    fn end_others(&mut self, file: &File) {
        if !self.options.in_turns
            && let Some(other) = self.open.keys().find(|other| *other != file).cloned()
        {
            self.end_file(&other);
        }
    }

    fn end_file(&mut self, file: &File) {
        if let Some(mut open) = self.remove(file) {
            self.end(file, &mut open);
        }
    }

    /// Ends the records whose last line came at `until` or before, in the order in which they began.
    fn end_all(&mut self, until: Instant) {
        let over = self.open.iter().filter(|(_, open)| open.since <= until);
        let mut over: Vec<(u64, File)> = over.map(|(file, open)| (open.number, file.clone())).collect();
        over.sort_unstable_by_key(|(number, _)| *number);
        for (_, file) in over {
            self.end_file(&file);
        }
        self.due = self.open.values().filter_map(|open| open.since.checked_add(self.options.wait)).min();
    }

    fn hand_on(&mut self) -> Result<()> {
        let mut losses = Losses::default();
        if !self.records.is_empty() {
            losses.note(&self.records.batch(), self.target.emit(&self.records.batch()));
            self.records.clear();
        }
        if losses.ended() {
            losses.held(self.open.len() as u64);
            self.open.clear();
            self.held = 0;
            self.due = None;
            self.marks.clear();
        }
        let handed_on = losses.into_result();
        if handed_on.is_err() {
            self.marks.retain(|waiting| !waiting.ended);
        }
        self.marks.iter_mut().for_each(|waiting| waiting.ended = false);
        while self.marks.front().is_some_and(|waiting| waiting.open == 0)
            && let Some(Waiting { mark, .. }) = self.marks.pop_front()
        {
            if let Err(error) = self.target.mark(mark) {
                report_failed(&self.report, &self.name, &error);
            }
        }
        handed_on
    }
}

impl Handler for Multiline {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        let mut lines = batch.records().peekable();
        self.inside_long = !batch.ends();
        if !batch.starts() || !batch.ends() {
            // A line beyond all bounds is a record by itself and is passed through.
            let file = lines.peek().and_then(|line| line.filename().cloned());
            self.end_others(&file);
            self.end_file(&file);
            let mut losses = Losses::default();
            losses.add(self.hand_on());
            losses.note(batch, self.target.emit(batch));
            return losses.into_result();
        }
        while let Some(first) = lines.peek() {
            let file = first.filename();
            self.end_others(&file.cloned());
            let of_file = std::iter::from_fn(|| lines.next_if(|line| same_file(line.filename(), file)));
            self.take(&file.cloned(), of_file);
        }
        self.hand_on()
    }

    fn notice(&mut self, notice: &Batch<'_>) -> Result<()> {
        // What would go on behind it may belong to a record whose beginning is missing.
        self.end_all(Instant::now());
        let mut losses = Losses::default();
        losses.add(self.hand_on());
        losses.add(self.target.notice(notice));
        losses.into_result()
    }

    fn flush(&mut self) -> Result<()> {
        self.end_all(Instant::now());
        self.hand_on()?;
        self.target.flush()
    }

    fn mark(&mut self, mark: Mark) -> Result<()> {
        if self.open.is_empty() {
            return self.target.mark(mark);
        }
        self.marks.push_back(Waiting { mark, number: self.begun, open: self.open.len(), ended: false });
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.end_all(Instant::now());
        let handed_on = self.hand_on();
        handed_on.and(self.target.close())
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.due.filter(|_| !self.inside_long);
        [own, self.target.deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self) -> Result<()> {
        let now = Instant::now();
        if !self.inside_long && self.due.is_some_and(|due| now >= due) {
            if let Some(until) = now.checked_sub(self.options.wait) {
                self.end_all(until);
            }
            self.hand_on()?;
        }
        self.target.tick()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        self.target.control(control)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use anyhow::bail;

    use crate::report::Verbosity;
    use crate::stop::Waker;
    use crate::stream::handler::{Ended, lost_records};
    use crate::stream::mark::Marked;

    use super::*;

    /// Fails once, with `failure`, and then takes what comes, behind the name of its file; a mark is a `|`.
    struct Target {
        failure: Option<anyhow::Error>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Handler for Target {
        fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
            if let Some(failure) = self.failure.take() {
                bail!(failure);
            }
            let mut taken = self.taken.lock().unwrap();
            for record in batch.records() {
                taken.extend_from_slice(record.filename().map_or(b"", |name| name));
                taken.extend_from_slice(record.bytes);
            }
            Ok(())
        }

        fn mark(&mut self, mark: Mark) -> Result<()> {
            self.taken.lock().unwrap().push(b'|');
            mark.delivered();
            Ok(())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }

        fn close(self: Box<Self>) -> Result<()> {
            Ok(())
        }
    }

    fn target(failure: Option<anyhow::Error>) -> (Multiline, Arc<Mutex<Vec<u8>>>) {
        let options = MultilineOptions {
            begins: Regex::new("^[a-z]").unwrap(),
            lines: 9,
            bytes: 99,
            wait: Duration::MAX,
            in_turns: true,
        };
        let taken = Arc::default();
        let target = Box::new(Target { failure, taken: Arc::clone(&taken) });
        (Multiline::new(options, target, "out".into(), Report::new(Verbosity::Quiet)), taken)
    }

    fn multiline(failure: anyhow::Error) -> (Multiline, Arc<Mutex<Vec<u8>>>) {
        target(Some(failure))
    }

    fn text(taken: &Mutex<Vec<u8>>) -> String {
        String::from_utf8(taken.lock().unwrap().clone()).unwrap()
    }

    /// Lines of the file of that name.
    fn emit(multiline: &mut Multiline, file: &str, lines: &str) {
        let file = Arc::from(file.as_bytes());
        multiline.emit(&Batch::plain(lines.as_bytes()).with_filename(Some(&file))).unwrap();
    }

    fn send_mark(multiline: &mut Multiline) -> Marked {
        let (marked, mark) = Marked::new(Waker::new(|| ()));
        multiline.mark(mark).unwrap();
        marked
    }

    #[test]
    fn records_of_several_lines_are_lost_as_records_and_the_open_one_stays() {
        let (mut multiline, taken) = multiline(anyhow::anyhow!("full"));
        let batch = Batch::plain(b"a\n 1\n 2\nb\n 1\nc\n");
        let error = multiline.emit(&batch).unwrap_err();
        assert_eq!(lost_records(&batch, &error), 2);
        Box::new(multiline).close().unwrap();
        assert_eq!(*taken.lock().unwrap(), b"c\n");
    }

    #[test]
    fn the_open_record_is_lost_with_an_output_that_ends() {
        let (mut multiline, _) = multiline(Ended::ReaderGone.into());
        let batch = Batch::plain(b"a\n 1\nb\n 1\n");
        assert_eq!(lost_records(&batch, &multiline.emit(&batch).unwrap_err()), 2);
    }

    #[test]
    fn a_line_in_pieces_is_handed_on_whatever_became_of_the_record_before_it() {
        let (mut multiline, taken) = multiline(anyhow::anyhow!("full"));
        multiline.emit(&Batch::plain(b"a\n 1\n")).unwrap();
        let piece = Batch::piece(b"b", true, false);
        let error = multiline.emit(&piece).unwrap_err();
        assert_eq!(lost_records(&piece, &error), 1);
        assert_eq!(*taken.lock().unwrap(), b"b");
    }

    #[test]
    fn lines_of_two_files_that_come_in_turns_stay_in_their_records() {
        let (mut multiline, taken) = target(None);
        for (file, lines) in [("A:", "a\n 1\n"), ("B:", "b\n 1\n"), ("A:", " 2\n"), ("B:", " 2\nc\n"), ("A:", " 3\n")] {
            emit(&mut multiline, file, lines);
        }
        multiline.emit(&Batch::plain(b"d\n")).unwrap();
        assert_eq!(text(&taken), "B:b\n 1\n 2\n");
        multiline.flush().unwrap();
        assert_eq!(text(&taken), "B:b\n 1\n 2\nA:a\n 1\n 2\n 3\nB:c\nd\n");
    }

    #[test]
    fn records_of_two_files_in_one_batch_are_told_apart() {
        let (mut multiline, taken) = target(None);
        let mut chunk = Chunk::new();
        for (file, line) in [("A:", "a\n"), ("B:", "b\n"), ("A:", " 1\n"), ("B:", " 1\n"), ("B:", " 2\n")] {
            let filename = Some(Arc::from(file.as_bytes()));
            chunk.push_with(RecordInfo { filename, ..RecordInfo::default() }, |bytes| bytes.extend(line.as_bytes()));
        }
        multiline.emit(&chunk.batch()).unwrap();
        Box::new(multiline).close().unwrap();
        assert_eq!(text(&taken), "A:a\n 1\nB:b\n 1\n 2\n");
    }

    #[test]
    fn each_record_waits_for_its_own_next_line() {
        let (mut multiline, taken) = target(None);
        multiline.options.wait = Duration::from_secs(60);
        emit(&mut multiline, "A:", "a\n");
        emit(&mut multiline, "B:", "b\n");
        let of = |file: &str| Some(Arc::from(file.as_bytes()));
        let since = multiline.open[&of("B:")].since;
        multiline.open.get_mut(&of("A:")).unwrap().since -= Duration::from_secs(60);
        multiline.due = Some(since);
        multiline.tick().unwrap();
        assert_eq!(text(&taken), "A:a\n");
        assert_eq!(multiline.deadline(), Some(since + Duration::from_secs(60)));
    }

    #[test]
    fn the_oldest_record_ends_when_all_together_are_too_long() {
        let (mut multiline, taken) = target(None);
        multiline.options.bytes = usize::MAX;
        let half = format!("a{}\n", "x".repeat(MOST_BYTES / 2));
        emit(&mut multiline, "A:", "a\n");
        emit(&mut multiline, "B:", &half);
        emit(&mut multiline, "C:", &half);
        // Even without A's, they are too long together.
        assert_eq!(text(&taken), format!("A:a\nB:{half}"));
        assert_eq!((multiline.open.len(), multiline.held), (1, half.len()));
        emit(&mut multiline, "C:", &half.replace('a', " "));
        assert_eq!(multiline.open.len(), 1, "one alone may be as long as its option says");
    }

    #[test]
    fn nothing_goes_between_the_pieces_of_a_long_line() {
        let (mut multiline, taken) = target(None);
        multiline.options.wait = Duration::ZERO;
        emit(&mut multiline, "A:", "a\n");
        multiline.emit(&Batch::piece(b"xx", true, false)).unwrap();
        multiline.tick().unwrap();
        assert_eq!(multiline.deadline(), None);
        multiline.emit(&Batch::piece(b"x\n", false, true)).unwrap();
        multiline.tick().unwrap();
        assert_eq!(text(&taken), "xxx\nA:a\n");
    }

    #[test]
    fn a_mark_waits_for_all_records_that_were_open_when_it_came_and_makes_none_hurry() {
        let (mut multiline, taken) = target(None);
        assert_eq!(send_mark(&mut multiline).outcome(), Some(true));
        emit(&mut multiline, "A:", "a\n");
        emit(&mut multiline, "B:", "b\n");
        let first = send_mark(&mut multiline);
        emit(&mut multiline, "A:", "a\n");
        let second = send_mark(&mut multiline);
        assert_eq!((first.outcome(), text(&taken).as_str()), (None, "|A:a\n"));
        emit(&mut multiline, "B:", " 1\nc\n");
        assert_eq!((first.outcome(), second.outcome()), (Some(true), None));
        Box::new(multiline).close().unwrap();
        assert_eq!((second.outcome(), text(&taken).as_str()), (Some(true), "|A:a\nB:b\n 1\n|A:a\nB:c\n|"));
    }

    #[test]
    fn a_mark_fails_with_a_record_it_waits_for_and_no_other() {
        for (failure, left_open) in [(anyhow::anyhow!("full"), 2), (Ended::ReaderGone.into(), 0)] {
            let (mut multiline, _) = multiline(failure);
            emit(&mut multiline, "A:", "a\n");
            let first = send_mark(&mut multiline);
            emit(&mut multiline, "B:", "b\n");
            let file = Arc::from(&b"A:"[..]);
            multiline.emit(&Batch::plain(b"a\n").with_filename(Some(&file))).unwrap_err();
            assert_eq!((first.outcome(), multiline.open.len()), (Some(false), left_open));
            let later = send_mark(&mut multiline);
            multiline.flush().unwrap();
            assert_eq!(later.outcome(), Some(true));
        }
    }
}
