//! What waits in a queue, in order, and what goes when there is too much of it.
//!
//! A record is dropped whole or not at all, as far as it still waits, also when it came in pieces; a note stays where
//! records were dropped.

use std::collections::VecDeque;

use super::batch::Batch;
use super::chunk::Chunk;
use super::handler::Control;
use super::mark::Mark;

/// What the consumer is told.
pub enum Message {
    Lines(Chunk),
    /// So many records were dropped at this place in the stream. `torn`: the beginning of the first of them was taken
    /// before, and is to be ended.
    Dropped {
        records: u64,
        torn: bool,
    },
    Control(Control),
    /// Answer [`Queue::answer`] when everything before was delivered.
    Flush,
    /// To be handed on behind everything before.
    Mark(Mark),
    Close,
    /// The deadline passed, or somebody woke the queue.
    Wake,
}

/// Emptied chunks up to this capacity are kept for the next batch.
const SPARE_CAPACITY: usize = 1 << 20;
const SPARES: usize = 4;
/// Small batches are joined to chunks of up to so many bytes.
const JOINED: usize = 64 << 10;

/// The messages that wait.
#[derive(Default)]
pub(super) struct Backlog {
    messages: VecDeque<Message>,
    /// Bytes of lines waiting.
    waiting: usize,
    /// The record that goes on in the next batch is dropped, and counted already.
    dropping: bool,
    spare: Vec<Chunk>,
}

/// How many records are lost with `batch`, the one that began before it among them.
fn records_of(batch: &Batch<'_>) -> u64 {
    batch.count() + u64::from(!batch.starts())
}

impl Backlog {
    /// Whether so many bytes more are at most `limit`; whatever its size, one batch may wait alone.
    pub(super) fn fits(&self, length: usize, limit: usize) -> bool {
        self.waiting == 0 || self.waiting + length <= limit
    }

    /// Puts a batch at the end, however much waits; returns how many records were dropped: none.
    pub(super) fn put_all(&mut self, batch: &Batch<'_>) -> u64 {
        let batch = self.behind_dropped(*batch);
        self.put(&batch);
        0
    }

    /// Puts as much of a batch at the end as fits; returns how many records did not.
    pub(super) fn put_what_fits(&mut self, batch: &Batch<'_>, limit: usize) -> u64 {
        let batch = self.behind_dropped(*batch);
        if batch.is_empty() || self.fits(batch.len(), limit) {
            self.put(&batch);
            return 0;
        }
        let room = limit.saturating_sub(self.waiting) as u64;
        let (head, rest) = batch.split_at(batch.fit(room));
        // If a record goes on here, there is nothing before its rest.
        self.put(&head);
        let (at, torn) = if rest.starts() { (self.messages.len(), false) } else { self.drop_begun() };
        let dropped = records_of(&rest);
        self.dropping = !rest.ends();
        self.note_drop(dropped, torn, at);
        dropped
    }

    /// Puts a batch at the end and drops the oldest records for it; returns how many.
    pub(super) fn put_and_drop_oldest(&mut self, batch: &Batch<'_>, limit: usize) -> u64 {
        let mut batch = self.behind_dropped(*batch);
        let mut dropped = 0;
        while !batch.is_empty() && !self.fits(batch.len(), limit) {
            let needed = self.waiting + batch.len() - limit;
            let Some(lost) = self.drop_oldest(needed) else { break };
            dropped += lost;
            batch = self.behind_dropped(batch);
        }
        self.put(&batch);
        dropped
    }

    /// Puts a message that is no lines at the end.
    pub(super) fn put_message(&mut self, message: Message) {
        self.messages.push_back(message);
    }

    /// Takes the oldest message.
    pub(super) fn take(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        if let Message::Lines(chunk) = &message {
            self.waiting -= chunk.len();
        }
        Some(message)
    }

    /// Gives away everything, with how many records that are.
    pub(super) fn clear(&mut self) -> (u64, VecDeque<Message>) {
        self.waiting = 0;
        let messages = std::mem::take(&mut self.messages);
        let left = messages.iter().map(|message| match message {
            Message::Lines(chunk) => chunk.batch().count(),
            _ => 0,
        });
        (left.sum(), messages)
    }

    /// `batch` without the rest of a record that is dropped.
    fn behind_dropped<'a>(&mut self, batch: Batch<'a>) -> Batch<'a> {
        if !self.dropping || batch.is_empty() {
            return batch;
        }
        if batch.starts() {
            self.dropping = false;
            return batch;
        }
        let (rest, next) = batch.split_at(batch.first_len());
        self.dropping = !rest.ends();
        next
    }

    fn put(&mut self, batch: &Batch<'_>) {
        if batch.is_empty() {
            return;
        }
        self.waiting += batch.len();
        // One chunk for each of many short lines would take many times their memory.
        if let Some(Message::Lines(last)) = self.messages.back_mut()
            && last.append(batch, JOINED)
        {
            return;
        }
        let mut chunk = self.spare.pop().unwrap_or_default();
        chunk.fill(batch);
        self.messages.push_back(Message::Lines(chunk));
    }

    /// Drops the oldest records, which hold `needed` bytes if there are as many, and says how many they are. A record
    /// that goes on goes whole, as far as it is here; its rest is dropped when it comes.
    fn drop_oldest(&mut self, needed: usize) -> Option<u64> {
        let (at, oldest) = self.lines_from(0)?;
        let batch = oldest.batch();
        let (gone, left) = batch.split_at(batch.reach(needed));
        let (records, torn, mut open) = (records_of(&gone), !gone.starts(), !gone.ends());
        let (length, emptied) = (gone.len(), left.is_empty());
        self.cut_front(at, length, emptied);
        let mut from = at;
        while open && let Some((next_at, next)) = self.lines_from(from) {
            let batch = next.batch();
            let (rest, left) = batch.split_at(batch.first_len());
            open = !rest.ends();
            let (length, emptied) = (rest.len(), left.is_empty());
            self.cut_front(next_at, length, emptied);
            from = next_at;
        }
        self.dropping = open;
        // Where its beginning was: a mark behind that must not pass for delivered.
        self.note_drop(records, torn, at);
        Some(records)
    }

    /// The first lines at or behind `from`.
    fn lines_from(&self, from: usize) -> Option<(usize, &Chunk)> {
        self.messages.iter().enumerate().skip(from).find_map(|(at, message)| match message {
            Message::Lines(chunk) => Some((at, chunk)),
            _ => None,
        })
    }

    fn cut_front(&mut self, at: usize, length: usize, emptied: bool) {
        self.waiting -= length;
        if emptied {
            if let Some(Message::Lines(chunk)) = self.messages.remove(at) {
                self.recycle(chunk);
            }
        } else if let Some(Message::Lines(chunk)) = self.messages.get_mut(at) {
            chunk.forget_front(length);
        }
    }

    /// Takes back what waits of the record that has begun and not ended; says where it waited, and whether its
    /// beginning was taken already.
    fn drop_begun(&mut self) -> (usize, bool) {
        let mut place = self.messages.len();
        while let Some(at) = self.messages.iter().rposition(|message| matches!(message, Message::Lines(_)))
            && let Some(Message::Lines(last)) = self.messages.get_mut(at)
            && !last.batch().ends()
        {
            let batch = last.batch();
            let begun = batch.records().last().map_or(0, |record| record.bytes.len());
            let before = batch.len() - begun;
            let starts = before > 0 || batch.starts();
            self.waiting -= begun;
            if before > 0 {
                *last = Chunk::of(&batch.split_at(before).0);
                place = at + 1;
            } else if let Some(Message::Lines(chunk)) = self.messages.remove(at) {
                self.recycle(chunk);
                place = at;
            }
            if starts {
                return (place, false);
            }
        }
        (place, true)
    }

    /// Leaves a note of `records` dropped at `at`, joined to one that stands there already.
    fn note_drop(&mut self, records: u64, torn: bool, at: usize) {
        for near in [at.checked_sub(1), Some(at)].into_iter().flatten() {
            if let Some(Message::Dropped { records: noted, torn: noted_torn }) = self.messages.get_mut(near) {
                *noted += records;
                *noted_torn |= torn;
                return;
            }
        }
        self.messages.insert(at, Message::Dropped { records, torn });
    }

    /// Takes an emptied chunk back, so that its memory serves the next batch.
    pub(super) fn recycle(&mut self, mut chunk: Chunk) {
        if self.spare.len() < SPARES && chunk.capacity() <= SPARE_CAPACITY {
            chunk.clear();
            self.spare.push(chunk);
        }
    }

    /// The memory that waits, in bytes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let held = self.messages.iter().map(|message| match message {
            Message::Lines(chunk) => size_of::<Message>() + chunk.capacity(),
            _ => size_of::<Message>(),
        });
        held.sum()
    }
}
