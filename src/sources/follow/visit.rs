//! Reading one log a little further, and what to do at the end of each of its files.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::inode;

use super::files::Files;
use super::log::{self, GRACE, Log, Tracked, shown};
use super::watching::{Interest, Key};
use super::window::{Lent, Look, Until};

/// A file that was deleted and has no successor is kept open so long at its end.
const DELETED: Duration = Duration::from_secs(60);

/// And its name is looked for so often meanwhile: if its folder was deleted, too, nobody tells of a new one, for the open
/// file keeps the kernel from telling of the end of the old one.
const DELETED_LOOK: Duration = Duration::from_secs(1);

/// What is nowhere to be found is looked for again so much later, and then given up.
const CONFIRM: Duration = Duration::from_millis(250);

/// A file that cannot be read is tried so often while others wait behind it.
const TRIES: u32 = 3;

/// What marks a line that was handed on before it was finished (`--partial-after`).
const PARTIAL: &[u8] = b" [partial]";

/// What a visit came to.
pub(super) enum Visit {
    /// Something to hand on.
    Out(Out),
    /// Look at this log once more.
    Again,
    /// The others first, then this log once more.
    Later,
    /// Nothing more at present.
    Idle,
}

/// Something to hand on.
pub(super) struct Out {
    pub place: Place,
    pub starts: bool,
    pub ends: bool,
    /// The last line lacks its line end.
    pub open: bool,
    pub filename: Arc<[u8]>,
}

/// Where the bytes are.
pub(super) enum Place {
    Window(Lent),
    Unpacked,
    Text,
}

impl Files {
    /// Reads on in the first file of a log.
    pub(super) fn visit(&mut self, key: Key) -> Visit {
        self.turns += 1;
        let turn = self.turns;
        let Some(log) = self.logs.get_mut(&key) else { return Visit::Idle };
        let Some(front) = log.files.front_mut() else { return Visit::Idle };
        front.used = turn;
        if let Some(since) = front.missing {
            let again_at = since + CONFIRM;
            if Instant::now() < again_at {
                self.wake_at(key, again_at);
                return Visit::Idle;
            }
            return self.reconcile_in_visit(key, true);
        }
        if front.state.gzip {
            return self.visit_packed(key);
        }
        let was_closed = front.file.is_none();
        match front.open() {
            Ok(Some(_)) => {}
            Ok(None) => {
                return self.reconcile_in_visit(key, false);
            }
            Err(error) => return self.cannot_open(key, &error),
        }
        if was_closed {
            self.open += 1;
            if self.open > self.most_open {
                self.close_idle();
            }
        }
        match self.look(key, false) {
            Ok(Look::Lines(lent)) => self.lines(key, lent),
            Ok(Look::Hole(nuls)) => {
                self.say_hole(key, nuls);
                Visit::Again
            }
            Ok(Look::Cut(bytes)) => {
                self.say_cut(key, bytes);
                Visit::Again
            }
            Ok(Look::Searching) => Visit::Later,
            Ok(Look::End) => self.at_end(key),
            Ok(Look::Changed) if self.has_no_length(key) => Visit::Idle,
            Ok(Look::Changed) => self.changed(key),
            Err(error) => self.cannot_read(key, &error),
        }
    }

    /// One look at the first file; `finish` takes its last line as it is.
    fn look(&mut self, key: Key, finish: bool) -> io::Result<Look> {
        let leaving = self.leaving;
        let Some((log, window)) = self.logs.get_mut(&key).zip(Some(&mut self.window)) else { return Ok(Look::End) };
        let Some(front) = log.files.front_mut() else { return Ok(Look::End) };
        let Tracked { state, file: Some(file), inside, limit, .. } = front else { return Ok(Look::End) };
        if leaving && limit.is_none() {
            *limit = Some(file.metadata()?.len());
        }
        if state.cut && !inside.is_torn() {
            if !state.position.fits(file)? {
                return Ok(Look::Changed);
            }
            let (nuls, data_follows) = window.skip_hole(file, &mut state.position)?;
            state.cut = !data_follows;
            if nuls > 0 {
                return Ok(Look::Hole(nuls));
            }
        }
        window.look(file, &mut state.position, inside, Until { limit: limit.unwrap_or(u64::MAX), finish })
    }

    fn lines(&mut self, key: Key, lent: Lent) -> Visit {
        let length = self.window.bytes(&lent).len() as u64;
        self.progress.advance(length);
        let Some(log) = self.logs.get_mut(&key) else { return Visit::Idle };
        // Once there is a successor, nobody may keep its lines waiting by writing to the old file.
        let is_last = log.files.len() == 1;
        if let Some(front) = log.files.front_mut() {
            front.at_end = front.at_end.filter(|_| !is_last);
            front.unfinished = None;
        }
        let filename = Arc::clone(&log.filename);
        let Lent { starts, ends, open, .. } = lent;
        Visit::Out(Out { place: Place::Window(lent), starts, ends, open, filename })
    }

    /// The first file has no more whole lines.
    fn at_end(&mut self, key: Key) -> Visit {
        let (ending, keeps_unfinished) = (self.is_ending(), self.keeps_unfinished());
        let Some(log) = self.logs.get_mut(&key) else { return Visit::Idle };
        let successor = log.files.get_mut(1).map(|next| {
            let length = length(next);
            if !next.state.gzip {
                next.state.position.seen = next.state.position.seen.max(length);
            }
            (next.live, length)
        });
        let copied = log.copied;
        let Some(front) = log.files.front_mut() else { return Visit::Idle };
        let now = Instant::now();
        if front.live {
            if ending {
                return if keeps_unfinished { Visit::Idle } else { self.finish_line(key) };
            }
            return self.wait_for_the_end_of_a_line(key, now);
        }
        let deleted = front.file.as_ref().is_some_and(inode::is_deleted);
        let unfinished = front.state.position.unread() > 0;
        let leaving = self.leaving && self.follow;
        let waits = match successor {
            // What still comes, be it the rest of its last line, is for the next run.
            None if ending && keeps_unfinished && !deleted => return Visit::Idle,
            // Its writer may be in the middle of a line, and the next one stands in another file.
            Some((true, _)) if leaving && unfinished && !deleted && !copied => {
                front.limit = None;
                Some(GRACE)
            }
            _ if ending => None,
            // Its successor has been replaced itself, so all its writers have gone.
            Some((false, _)) => None,
            // Its writers write to its successor, and while it is waited for they may fill that and empty it once more.
            Some((true, _)) if copied || front.late => None,
            Some((true, 0)) => return Visit::Idle,
            Some((true, _)) => Some(GRACE),
            // Nobody would tell that it has grown, or was deleted.
            None if deleted || inode::FileId::at(&front.state.place) != Some(front.state.id) => Some(DELETED),
            None => return Visit::Idle,
        };
        if let Some(time) = waits {
            let until = *front.at_end.get_or_insert(now) + time;
            if now < until {
                self.wake_at(key, until);
                if successor.is_none() {
                    self.scan_at.get_or_insert(now + DELETED_LOOK);
                }
                return Visit::Idle;
            }
        }
        // Nobody will finish its last line any more.
        match self.finish_line(key) {
            Visit::Idle => {}
            out => return out,
        }
        if let Some(log) = self.logs.get_mut(&key) {
            if log.files.front().is_some_and(|front| front.file.is_some()) {
                self.open = self.open.saturating_sub(1);
            }
            let place = log.files.front().map(|front| front.state.place.clone());
            log.front_is_done();
            // A deleted file's place is its successor's.
            let place = place.filter(|place| log.files.iter().all(|other| other.state.place != *place));
            self.changed = true;
            if let Some((place, watching)) = place.zip(self.watching.as_ref()) {
                watching.add_place(place, Interest { key, done: true });
                // A line that came just now was told of as if the file were still being read. Once all is to end, what
                // came since is for the next run.
                if !ending {
                    self.take_up_late(key);
                }
            }
        }
        Visit::Again
    }

    /// Hands on what there is of the last line.
    fn finish_line(&mut self, key: Key) -> Visit {
        match self.look(key, true) {
            Ok(Look::Lines(lent)) => self.lines(key, lent),
            Ok(Look::Searching) => Visit::Later,
            Ok(Look::Changed) => self.changed(key),
            Ok(Look::Cut(bytes)) => {
                self.say_cut(key, bytes);
                Visit::Later
            }
            Ok(Look::Hole(_) | Look::End) => Visit::Idle,
            Err(error) => self.cannot_read(key, &error),
        }
    }

    /// An unfinished line waits, unless it was told not to (`--partial-after`).
    fn wait_for_the_end_of_a_line(&mut self, key: Key, now: Instant) -> Visit {
        let Some(after) = self.partial_after else { return Visit::Idle };
        let Some(front) = self.logs.get_mut(&key).and_then(|log| log.files.front_mut()) else { return Visit::Idle };
        let unread = front.state.position.unread();
        if unread == 0 {
            return Visit::Idle;
        }
        let since = match front.unfinished {
            Some((length, since)) if length == unread => since,
            _ => now,
        };
        front.unfinished = Some((unread, since));
        if now < since + after {
            self.wake_at(key, since + after);
            return Visit::Idle;
        }
        match self.finish_line(key) {
            Visit::Out(out) if out.open => {
                if let Place::Window(lent) = &out.place {
                    self.text = self.window.bytes(lent).to_vec();
                }
                self.text.extend_from_slice(PARTIAL);
                self.text.push(b'\n');
                Visit::Out(Out { place: Place::Text, open: false, ..out })
            }
            other => other,
        }
    }

    /// Whether it is one of the kernel's (/proc), made up at each look: what was read of it once is all there is.
    fn has_no_length(&self, key: Key) -> bool {
        let file = self.logs.get(&key).and_then(|log| log.files.front()?.file.as_ref());
        !self.follow && file.is_some_and(|file| file.metadata().is_ok_and(|metadata| metadata.len() == 0))
    }

    /// The file has not what was read of it any more, or, on a network, only seems not to have it.
    fn changed(&mut self, key: Key) -> Visit {
        let Some(front) = self.logs.get_mut(&key).and_then(|log| log.files.front_mut()) else { return Visit::Idle };
        let again = log::open(&front.state.place).ok();
        let same = again.filter(|file| file.metadata().is_ok_and(|found| front.state.is(&found)));
        if let Some(file) = same {
            let whole = file.metadata().is_ok_and(|found| found.len() >= front.state.position.seen);
            let fits = whole && front.state.position.fits(&file).unwrap_or(false);
            front.file = Some(file);
            if fits && !front.inside.is_torn() {
                return Visit::Later;
            }
        }
        front.overwritten = true;
        self.reconcile_in_visit(key, false)
    }

    pub(super) fn cannot_open(&mut self, key: Key, error: &io::Error) -> Visit {
        if matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE)) && self.close_idle() {
            return Visit::Again;
        }
        self.fails(key, &error.to_string())
    }

    fn cannot_read(&mut self, key: Key, error: &io::Error) -> Visit {
        if matches!(Errno::from_io_error(error), Some(Errno::STALE)) {
            // A network file system lost sight of it: it is opened by its name again.
            if let Some(front) = self.logs.get_mut(&key).and_then(|log| log.files.front_mut()) {
                front.file = None;
            }
            return self.reconcile_in_visit(key, false);
        }
        self.fails(key, &format!("cannot be read: {error}"))
    }

    /// What fails is tried again; but if something younger waits behind it, not for ever.
    fn fails(&mut self, key: Key, why: &str) -> Visit {
        let ending = self.is_ending();
        let Some(front) = self.logs.get_mut(&key).and_then(|log| log.files.front_mut()) else { return Visit::Idle };
        front.failures += 1;
        let (live, tried) = (front.live, front.failures);
        if live && ending {
            self.say(key, why);
            return Visit::Idle;
        }
        if live || (!ending && tried <= TRIES) {
            self.say(key, why);
            self.wake_at(key, Instant::now() + Duration::from_secs(1 << tried.min(6)));
            return Visit::Idle;
        }
        let (place, unread) = (shown(&front.state.place), grouped(front.state.position.unread()));
        self.context.report.error(place, format_args!("skipped {unread} bytes: {why}"));
        if let Some(log) = self.logs.get_mut(&key) {
            log.front_is_done();
        }
        self.changed = true;
        Visit::Again
    }

    /// Says once what is wrong with a log.
    pub(super) fn say(&mut self, key: Key, why: &str) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        if log.said.as_deref() != Some(why) {
            self.context.report.error(log.name(), why);
            log.said = Some(why.to_owned());
        }
    }

    fn say_hole(&mut self, key: Key, nuls: u64) {
        if let Some(log) = self.logs.get(&key) {
            let why = format_args!(
                "skipped {} NUL bytes: it was cut while its writer went on at its old place",
                grouped(nuls)
            );
            self.context.report.warn(log.name(), why);
        }
        self.changed = true;
    }

    fn say_cut(&mut self, key: Key, bytes: u64) {
        if let Some(log) = self.logs.get(&key) {
            let why = format_args!("skipped {} bytes: truncated before read", grouped(bytes));
            self.context.report.error(log.name(), why);
        }
        self.changed = true;
    }

    /// Closes the files that were read longest ago; they are found again. Says whether there were any.
    fn close_idle(&mut self) -> bool {
        let turn = self.turns;
        let mut used: Vec<u64> = Vec::new();
        let is_idle = |tracked: &Tracked| {
            let may_go = tracked.used < turn && !tracked.inside.is_torn() && !tracked.overwritten;
            may_go && tracked.file.as_ref().is_some_and(|file| !inode::is_deleted(file))
        };
        let all = |log: &Log| {
            log.files.iter().filter(|tracked| is_idle(tracked)).map(|tracked| tracked.used).collect::<Vec<_>>()
        };
        used.extend(self.logs.values().flat_map(all));
        used.sort_unstable();
        // A quarter at once, so that it need not be done for each.
        let Some(last) = used.get(used.len() / 4).copied() else { return false };
        let mut open = 0;
        for tracked in self.logs.values_mut().flat_map(|log| &mut log.files) {
            if tracked.used <= last && is_idle(tracked) {
                tracked.file = None;
            }
            open += usize::from(tracked.file.is_some());
        }
        self.open = open;
        true
    }

    /// Whatever was waited for is not waited for any more, and what is written from now on is for the next run.
    pub(super) fn end_waits(&mut self) {
        // Of a younger file no line is taken that was written after a late one in an older file, which is not taken.
        for tracked in self.logs.values_mut().flat_map(|log| log.files.iter_mut().rev()) {
            if !tracked.state.gzip && tracked.limit.is_none() {
                tracked.limit = Some(length(tracked));
            }
        }
        let keys: Vec<Key> = self.logs.keys().copied().collect();
        for key in keys {
            self.forget_wake(key);
            self.push_turn(key);
        }
    }
}

/// How long a file is by now.
fn length(tracked: &Tracked) -> u64 {
    let found = match &tracked.file {
        Some(file) => file.metadata(),
        None => std::fs::metadata(&tracked.state.place),
    };
    // Its place may be another's by now.
    let own = found.ok().filter(|found| tracked.state.is(found));
    own.map_or(tracked.state.position.seen, |found| found.len())
}

/// A number with its thousands apart, as in 1,234.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1234, "1,234"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }
}
