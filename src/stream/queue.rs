//! A bounded queue of chunks between two threads (Python's `queue.Queue` between QueueHandler and QueueListener).
//!
//! It is bounded in bytes, not in records: a record can be of any length, and memory is what must not run out.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::Control;

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

/// What the consumer is told.
pub enum Message {
    Lines(Chunk),
    /// So many records were dropped at this place in the stream.
    Dropped(u64),
    Control(Control),
    /// Answer [`Queue::answer`] when everything before was delivered.
    Flush,
    Close,
    /// The deadline passed, or somebody woke the queue.
    Wake,
}

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
    messages: VecDeque<Message>,
    /// Bytes of lines waiting.
    waiting: usize,
    spare: Vec<Chunk>,
    woken: bool,
    answers: u64,
    /// The consumer is gone: nothing will ever be taken again.
    dead: bool,
}

/// Emptied chunks up to this capacity are kept for the next batch.
const SPARE_CAPACITY: usize = 1 << 20;
const SPARES: usize = 4;

impl Queue {
    /// A queue that holds `limit` bytes of lines at most; one batch larger than that may stand in it alone.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, state: Mutex::default(), changed: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a batch in; returns how many records were dropped for it.
    pub fn push(&self, batch: &Batch<'_>, on_full: OnFull) -> u64 {
        let mut state = self.state();
        let fits = |state: &State, length: usize| state.waiting == 0 || state.waiting + length <= self.0.limit;
        let mut batch = *batch;
        let mut dropped = 0;
        match on_full {
            OnFull::Block => {
                while !fits(&state, batch.len()) && !state.dead {
                    state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
            OnFull::DropNewest => {
                if !fits(&state, batch.len()) {
                    let room = self.0.limit.saturating_sub(state.waiting) as u64;
                    let (head, rest) = batch.split_at(batch.fit(room));
                    dropped = rest.count();
                    batch = head;
                }
            }
            OnFull::DropOldest => {
                while !fits(&state, batch.len()) {
                    let Some(at) = state.messages.iter().position(|message| matches!(message, Message::Lines(_)))
                    else {
                        break;
                    };
                    let Some(Message::Lines(oldest)) = state.messages.remove(at) else { break };
                    state.waiting -= oldest.len();
                    let lost = oldest.batch().count();
                    dropped += lost;
                    state.note_drop(lost, at);
                    state.recycle(oldest);
                }
            }
        }
        if state.dead {
            return batch.count() + dropped;
        }
        if !batch.is_empty() {
            let mut chunk = state.spare.pop().unwrap_or_default();
            chunk.fill(&batch);
            state.waiting += chunk.len();
            state.messages.push_back(Message::Lines(chunk));
        }
        if dropped > 0 && on_full == OnFull::DropNewest {
            let end = state.messages.len();
            state.note_drop(dropped, end);
        }
        self.0.changed.notify_all();
        dropped
    }

    /// Puts a message that is no lines at the end.
    pub fn send(&self, message: Message) {
        self.state().messages.push_back(message);
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
            if let Some(message) = state.messages.pop_front() {
                if let Message::Lines(chunk) = &message {
                    state.waiting -= chunk.len();
                    self.0.changed.notify_all();
                }
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
        self.state().recycle(chunk);
    }

    /// The consumer's answer to `Flush`.
    pub fn answer(&self) {
        self.state().answers += 1;
        self.0.changed.notify_all();
    }

    /// Waits until everything that was put in before is delivered; false when the consumer is gone.
    pub fn flush(&self) -> bool {
        let mut state = self.state();
        let asked = state.answers;
        state.messages.push_back(Message::Flush);
        self.0.changed.notify_all();
        while state.answers == asked && !state.dead {
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.dead
    }

    /// The consumer leaves: whoever waits is let go.
    pub fn abandon(&self) {
        self.state().dead = true;
        self.0.changed.notify_all();
    }
}

impl State {
    /// Leaves a note of `records` dropped at `at`, joined to one that stands there already.
    fn note_drop(&mut self, records: u64, at: usize) {
        for near in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            if let Some(Message::Dropped(count)) = self.messages.get_mut(near) {
                *count += records;
                return;
            }
        }
        self.messages.insert(at, Message::Dropped(records));
    }

    fn recycle(&mut self, mut chunk: Chunk) {
        if self.spare.len() < SPARES && chunk.capacity() <= SPARE_CAPACITY {
            chunk.clear();
            self.spare.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &Queue) -> Vec<String> {
        queue.send(Message::Close);
        let mut seen = Vec::new();
        loop {
            match queue.pop(None) {
                Message::Lines(chunk) => seen.push(String::from_utf8_lossy(chunk.batch().bytes()).into_owned()),
                Message::Dropped(count) => seen.push(format!("-{count}")),
                Message::Close => return seen,
                _ => {}
            }
        }
    }

    #[test]
    fn the_newest_lines_are_dropped_from_where_they_do_not_fit() {
        let queue = Queue::new(8);
        assert_eq!(queue.push(&Batch::plain(b"aaa\n"), OnFull::DropNewest), 0);
        assert_eq!(queue.push(&Batch::plain(b"b\nccc\nd\n"), OnFull::DropNewest), 2);
        assert_eq!(queue.push(&Batch::plain(b"eeeeee\n"), OnFull::DropNewest), 1);
        assert_eq!(drain(&queue), ["aaa\n", "b\n", "-3"]);
    }

    #[test]
    fn the_oldest_lines_make_room_and_leave_a_note() {
        let queue = Queue::new(8);
        for line in [b"aaa\n", b"bbb\n", b"ccc\n", b"ddd\n"] {
            queue.push(&Batch::plain(line), OnFull::DropOldest);
        }
        assert_eq!(drain(&queue), ["-2", "ccc\n", "ddd\n"]);
    }

    #[test]
    fn one_batch_larger_than_the_queue_passes_alone() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(&Batch::plain(b"longer\n"), OnFull::Block), 0);
        assert_eq!(drain(&queue), ["longer\n"]);
    }

    #[test]
    fn an_abandoned_queue_lets_its_producer_go() {
        let queue = Queue::new(2);
        queue.push(&Batch::plain(b"one\n"), OnFull::Block);
        let other = queue.clone();
        let producer = std::thread::spawn(move || other.push(&Batch::plain(b"two\n"), OnFull::Block));
        queue.abandon();
        assert_eq!(producer.join().unwrap(), 1);
        assert!(!queue.flush());
    }
}
