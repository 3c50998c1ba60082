//! A bounded queue of chunks between two threads (Python's `queue.Queue` between QueueHandler and QueueListener).
//!
//! It is bounded in bytes, not in records: a record can be of any length, and memory is what must not run out.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::backlog::Backlog;
use super::batch::Batch;
use super::chunk::Chunk;

pub use super::backlog::Message;

/// What happens to a batch that finds the queue full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFull {
    /// The producer waits; nothing is lost.
    #[default]
    Block,
    /// The batch that came is dropped, as far as it does not fit.
    DropNewest,
    /// The oldest chunks make room.
    DropOldest,
}

/// The consumer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abandoned;

/// The queue; cheap to clone, one end as good as the other.
#[derive(Clone)]
pub struct Queue(Arc<Shared>);

struct Shared {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    backlog: Backlog,
    woken: bool,
    answers: u64,
    /// What the last answer was.
    delivered: bool,
    /// The consumer is gone: nothing will ever be taken again.
    dead: bool,
}

impl Queue {
    /// A queue that holds `limit` bytes of lines at most; one batch larger than that may stand in it alone.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, state: Mutex::default(), changed: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a batch in; returns how many records were dropped for it.
    ///
    /// # Errors
    /// When the consumer is gone: nothing of the batch is taken, and nothing ever will be.
    pub fn push(&self, batch: &Batch<'_>, on_full: OnFull) -> Result<u64, Abandoned> {
        let limit = self.0.limit;
        let mut state = self.state();
        if on_full == OnFull::Block {
            while !state.backlog.fits(batch.len(), limit) && !state.dead {
                state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        if state.dead {
            return Err(Abandoned);
        }
        let dropped = match on_full {
            OnFull::Block => state.backlog.put_all(batch),
            OnFull::DropNewest => state.backlog.put_what_fits(batch, limit),
            OnFull::DropOldest => state.backlog.put_and_drop_oldest(batch, limit),
        };
        self.0.changed.notify_all();
        Ok(dropped)
    }

    /// Puts a message that is no lines at the end.
    pub fn send(&self, message: Message) {
        let mut state = self.state();
        if !state.dead {
            state.backlog.put_message(message);
        }
        self.0.changed.notify_all();
    }

    /// Makes the consumer's next [`Queue::pop`] return at once.
    pub fn wake(&self) {
        self.state().woken = true;
        self.0.changed.notify_all();
    }

    /// Takes the oldest message, or `Wake` at `deadline`. The chunk before goes back by [`Queue::recycle`].
    pub fn pop(&self, deadline: Option<Instant>) -> Message {
        let mut state = self.state();
        loop {
            if let Some(message) = state.backlog.take() {
                self.0.changed.notify_all();
                return message;
            }
            if std::mem::take(&mut state.woken) {
                return Message::Wake;
            }
            state = match deadline {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Message::Wake;
                    }
                    self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Gives an emptied chunk back, so that its memory serves the next batch.
    pub fn recycle(&self, chunk: Chunk) {
        self.state().backlog.recycle(chunk);
    }

    /// The consumer's answer to `Flush`: whether everything before it was delivered.
    pub fn answer(&self, delivered: bool) {
        let mut state = self.state();
        state.answers += 1;
        state.delivered = delivered;
        drop(state);
        self.0.changed.notify_all();
    }

    /// Waits until everything that was put in before is dealt with; says whether it was delivered. It is not when the
    /// consumer is gone.
    pub fn flush(&self) -> bool {
        let mut state = self.state();
        let asked = state.answers;
        if !state.dead {
            state.backlog.put_message(Message::Flush);
        }
        self.0.changed.notify_all();
        while state.answers == asked && !state.dead {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.dead && state.delivered
    }

    /// The consumer leaves: whoever waits is let go. Returns how many records were still waiting.
    pub fn abandon(&self) -> u64 {
        let mut state = self.state();
        state.dead = true;
        let (left, messages) = state.backlog.clear();
        drop(state);
        self.0.changed.notify_all();
        // Only now: a mark that is dropped wakes somebody, who may use this queue.
        drop(messages);
        left
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use crate::record::RecordInfo;
    use crate::stop::Waker;
    use crate::stream::mark::Marked;

    use super::*;

    fn drain(queue: &Queue) -> Vec<String> {
        queue.send(Message::Close);
        let mut seen = Vec::new();
        loop {
            match queue.pop(None) {
                Message::Lines(chunk) => seen.push(String::from_utf8_lossy(chunk.batch().bytes()).into_owned()),
                Message::Dropped { records, torn: false } => seen.push(format!("-{records}")),
                Message::Dropped { records, torn: true } => seen.push(format!("torn -{records}")),
                Message::Mark(_) => seen.push("|".into()),
                Message::Close => return seen,
                _ => {}
            }
        }
    }

    fn send_mark(queue: &Queue) -> Marked {
        let (marked, mark) = Marked::new(Waker::new(|| ()));
        queue.send(Message::Mark(mark));
        marked
    }

    #[test]
    fn the_newest_lines_are_dropped_from_where_they_do_not_fit() {
        let queue = Queue::new(8);
        assert_eq!(queue.push(&Batch::plain(b"aaa\n"), OnFull::DropNewest), Ok(0));
        assert_eq!(queue.push(&Batch::plain(b"b\nccc\nd\n"), OnFull::DropNewest), Ok(2));
        assert_eq!(queue.push(&Batch::plain(b"eeeeee\n"), OnFull::DropNewest), Ok(1));
        assert_eq!(drain(&queue), ["aaa\nb\n", "-3"]);
    }

    #[test]
    fn the_oldest_lines_make_room_and_leave_a_note() {
        let queue = Queue::new(8);
        for line in [b"aaa\n", b"bbb\n", b"ccc\n", b"ddd\n"] {
            queue.push(&Batch::plain(line), OnFull::DropOldest).unwrap();
        }
        assert_eq!(drain(&queue), ["-2", "ccc\nddd\n"]);
    }

    fn beginning(bytes: &[u8]) -> Batch<'_> {
        Batch::piece(bytes, true, false)
    }

    fn middle(bytes: &[u8]) -> Batch<'_> {
        Batch::piece(bytes, false, false)
    }

    fn end(bytes: &[u8]) -> Batch<'_> {
        Batch::piece(bytes, false, true)
    }

    fn push_all(queue: &Queue, on_full: OnFull, batches: &[Batch<'_>]) -> u64 {
        batches.iter().map(|batch| queue.push(batch, on_full).unwrap()).sum()
    }

    #[test]
    fn a_long_line_whose_beginning_finds_no_room_is_dropped_whole() {
        let queue = Queue::new(6);
        let first = [Batch::plain(b"aaa\n"), beginning(b"xxx")];
        assert_eq!(push_all(&queue, OnFull::DropNewest, &first), 1);
        queue.pop(None);
        // There would be room now.
        let rest = [middle(b"yy"), middle(b"yy"), end(b"z\n"), Batch::plain(b"b\n")];
        assert_eq!(push_all(&queue, OnFull::DropNewest, &rest), 0);
        assert_eq!(drain(&queue), ["-1", "b\n"]);
    }

    #[test]
    fn a_long_line_whose_rest_finds_no_room_takes_its_waiting_beginning_with_it() {
        let queue = Queue::new(6);
        let batches = [Batch::plain(b"a\n"), beginning(b"xx"), middle(b"yy"), middle(b"z"), end(b"z\n"), end(b"z\n")];
        assert_eq!(push_all(&queue, OnFull::DropNewest, &batches[..5]), 1);
        assert_eq!(queue.push(&Batch::plain(b"bbb\n"), OnFull::DropNewest), Ok(0));
        assert_eq!(drain(&queue), ["a\n", "-1", "bbb\n"]);
    }

    #[test]
    fn a_long_line_whose_beginning_was_taken_already_is_to_be_ended() {
        let queue = Queue::new(3);
        queue.push(&beginning(b"xx"), OnFull::DropNewest).unwrap();
        queue.pop(None);
        let rest = [middle(b"yy"), middle(b"yy"), end(b"z\n"), Batch::plain(b"b\n")];
        assert_eq!(push_all(&queue, OnFull::DropNewest, &rest), 1);
        assert_eq!(drain(&queue), ["torn -1", "b\n"]);
    }

    #[test]
    fn the_oldest_long_line_goes_with_all_of_its_pieces() {
        let queue = Queue::new(8);
        let batches = [beginning(b"xxx"), middle(b"yyy"), end(b"z\n"), Batch::plain(b"b\n")];
        assert_eq!(push_all(&queue, OnFull::DropOldest, &batches), 1);
        assert_eq!(drain(&queue), ["-1", "b\n"]);
    }

    #[test]
    fn the_oldest_long_line_goes_with_what_is_still_to_come_of_it() {
        let queue = Queue::new(4);
        let batches = [beginning(b"xxx"), middle(b"yyy"), middle(b"yyy"), end(b"z\n"), Batch::plain(b"b\n")];
        assert_eq!(push_all(&queue, OnFull::DropOldest, &batches), 1);
        assert_eq!(drain(&queue), ["-1", "b\n"]);
    }

    #[test]
    fn the_oldest_long_line_whose_beginning_was_taken_already_is_to_be_ended() {
        let queue = Queue::new(4);
        queue.push(&beginning(b"xxx"), OnFull::DropOldest).unwrap();
        queue.pop(None);
        let rest = [middle(b"yyy"), end(b"z\n"), Batch::plain(b"b\n"), Batch::plain(b"cc\n")];
        assert_eq!(push_all(&queue, OnFull::DropOldest, &rest), 2);
        assert_eq!(drain(&queue), ["torn -2", "cc\n"]);
    }

    #[test]
    fn short_lines_are_joined_so_that_they_take_no_more_memory_than_they_have_bytes() {
        for on_full in [OnFull::Block, OnFull::DropNewest, OnFull::DropOldest] {
            let queue = Queue::new(1 << 20);
            let dropped: u64 = (0..500_000).map(|_| queue.push(&Batch::plain(b"\n\n"), on_full).unwrap()).sum();
            assert_eq!(dropped, 0);
            let held = queue.state().backlog.memory();
            assert!(held <= 2 << 20, "{held} bytes of memory");
        }
    }

    #[test]
    fn only_whole_lines_are_joined() {
        let queue = Queue::new(99);
        let infos = [RecordInfo { end: 2, ..RecordInfo::default() }];
        let batches = [
            Batch::plain(b"a\n"),
            beginning(b"x"),
            end(b"y\n"),
            Batch::structured(b"b\n", &infos),
            Batch::plain(b"c\n"),
            Batch::plain(b"d"),
            Batch::plain(b"e\n"),
        ];
        push_all(&queue, OnFull::Block, &batches);
        assert_eq!(drain(&queue), ["a\n", "x", "y\n", "b\n", "c\nd", "e\n"]);
    }

    #[test]
    fn a_chunk_that_loses_lines_at_its_front_does_not_grow_at_its_end_for_ever() {
        let queue = Queue::new(8);
        let dropped: u64 = (0..100_000).map(|_| queue.push(&Batch::plain(b"a\n"), OnFull::DropOldest).unwrap()).sum();
        assert_eq!(dropped, 100_000 - 4);
        let held = queue.state().backlog.memory();
        assert!(held <= 65 << 10, "{held} bytes of memory");
        assert_eq!(drain(&queue).concat(), "-99996a\na\na\na\n");
    }

    #[test]
    fn one_batch_larger_than_the_queue_passes_alone() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(&Batch::plain(b"longer\n"), OnFull::Block), Ok(0));
        assert_eq!(drain(&queue), ["longer\n"]);
    }

    #[test]
    fn an_abandoned_queue_lets_its_producer_go() {
        let queue = Queue::new(2);
        queue.push(&Batch::plain(b"one\n"), OnFull::Block).unwrap();
        let other = queue.clone();
        let producer = std::thread::spawn(move || other.push(&Batch::plain(b"two\n"), OnFull::Block));
        assert_eq!(queue.abandon(), 1);
        assert_eq!(producer.join().unwrap(), Err(Abandoned));
        assert_eq!(queue.push(&Batch::plain(b"three\n"), OnFull::DropOldest), Err(Abandoned));
        assert!(!queue.flush());
    }

    #[test]
    fn a_mark_keeps_its_place_among_the_lines() {
        let queue = Queue::new(99);
        queue.push(&Batch::plain(b"one\n"), OnFull::Block).unwrap();
        let marked = send_mark(&queue);
        queue.push(&Batch::plain(b"two\n"), OnFull::Block).unwrap();
        assert_eq!(marked.outcome(), None);
        assert_eq!(drain(&queue), ["one\n", "|", "two\n"]);
    }

    #[test]
    fn what_is_dropped_before_a_mark_is_noted_before_it() {
        let queue = Queue::new(4);
        queue.push(&Batch::plain(b"one\n"), OnFull::DropOldest).unwrap();
        send_mark(&queue);
        queue.push(&Batch::plain(b"two\n"), OnFull::DropOldest).unwrap();
        assert_eq!(drain(&queue), ["-1", "|", "two\n"]);
    }

    #[test]
    fn a_long_line_around_a_mark_is_noted_where_it_began_to_be_lost() {
        for on_full in [OnFull::DropNewest, OnFull::DropOldest] {
            let queue = Queue::new(6);
            queue.push(&beginning(b"xxx"), on_full).unwrap();
            send_mark(&queue);
            assert_eq!(push_all(&queue, on_full, &[middle(b"yyy"), end(b"z\n"), Batch::plain(b"b\n")]), 1);
            assert_eq!(drain(&queue), ["-1", "|", "b\n"], "{on_full:?}");
        }
    }

    #[test]
    fn an_abandoned_queue_fails_the_marks_that_waited_and_those_that_come() {
        let queue = Queue::new(9);
        let other = queue.clone();
        // Whoever is woken may use the queue.
        let (waited, mark) = Marked::new(Waker::new(move || other.wake()));
        queue.send(Message::Mark(mark));
        queue.abandon();
        let late = send_mark(&queue);
        assert_eq!([waited.outcome(), late.outcome()], [Some(false); 2]);
    }

    /// What a consumer has seen: every line whole and in its place, or counted by the note at that place.
    #[derive(Default)]
    struct Seen {
        text: String,
        lines: u64,
        dropped: u64,
    }

    impl Seen {
        fn take(&mut self, message: &Message) {
            match message {
                Message::Lines(chunk) => {
                    let batch = chunk.batch();
                    assert_eq!(batch.starts(), self.text.is_empty(), "{:?} behind {:?}", batch, self.text);
                    self.text.push_str(std::str::from_utf8(batch.bytes()).unwrap());
                    assert_eq!(batch.ends(), self.text.ends_with('\n'));
                    while let Some((line, rest)) = self.text.split_once('\n') {
                        assert!(line.starts_with(&format!("{:04}", self.lines)) && line.ends_with('.'), "{line}");
                        self.text = rest.to_owned();
                        self.lines += 1;
                    }
                }
                Message::Dropped { records, torn } => {
                    assert_eq!(*torn, !self.text.is_empty());
                    self.text.clear();
                    self.lines += records;
                    self.dropped += records;
                }
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_dropped_lines_stay_whole_and_the_notes_are_exact(
            oldest: bool,
            limit in 1_usize..60,
            steps in vec((0_usize..4, 1_usize..12, 0_usize..3), 1..60),
        ) {
            let on_full = if oldest { OnFull::DropOldest } else { OnFull::DropNewest };
            let queue = Queue::new(limit);
            let (mut seen, mut id, mut dropped) = (Seen::default(), 0, 0);
            // Begun and not ended yet.
            let mut inside = false;
            for (what, size, pops) in steps {
                let filler = "x".repeat(size);
                let text = match (inside, what) {
                    (true, 0) => ".\n".to_owned(),
                    (true, 1) => { id += 1; format!(".\n{id:04}{filler}.\n") }
                    (true, _) => filler,
                    (false, 0) => format!("{id:04}{filler}"),
                    (false, _) => (0..what).map(|more| format!("{:04}{filler}.\n", id + more)).collect(),
                };
                let ends = text.ends_with('\n');
                dropped += queue.push(&Batch::piece(text.as_bytes(), !inside, ends), on_full).unwrap();
                id += match (inside, what) {
                    (true, 0 | 1) => 1,
                    (false, 1..) => what,
                    _ => 0,
                };
                inside = !ends;
                for _ in 0..pops {
                    queue.wake();
                    seen.take(&queue.pop(None));
                }
            }
            if inside {
                dropped += queue.push(&end(b".\n"), on_full).unwrap();
                id += 1;
            }
            queue.send(Message::Close);
            loop {
                match queue.pop(None) {
                    Message::Close => break,
                    message => seen.take(&message),
                }
            }
            prop_assert_eq!((seen.dropped, seen.lines, seen.text), (dropped, id as u64, String::new()));
        }
    }
}
