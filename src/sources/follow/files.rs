//! `Files`: the source whose lines come from files, in turns.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::inode::FileId;
use crate::progress::Progress;
use crate::sources::checkpoint::{Checkpoint, Saved};
use crate::sources::patterns::Patterns;
use crate::sources::state::LogState;
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::mark::{Mark, Marked};
use crate::stream::source::{Source, Step};
use crate::units::ByteSize;

use super::log::Log;
use super::outputs::Outputs;
use super::unpacking::Unpacking;
use super::visit::{Out, Place, Visit};
use super::watching::{Key, Watching};
use super::window::Window;

/// A checkpoint is written this long after lines came, and as often while they come.
const CHECKPOINT: Duration = Duration::from_secs(1);

/// Logs that are looked at in one step before signals and timers have their turn.
const VISITS: usize = 64;

/// Descriptors that are left to others.
const OTHERS_DESCRIPTORS: usize = 64;

/// How files are read.
pub struct Options {
    pub patterns: Patterns,
    /// Files that are written to meanwhile: they, and their archives, are not read.
    pub outputs: Vec<PathBuf>,
    /// Files of the program's own: '*' may mean them, too, and nobody wants to read them or hear of it.
    pub own: Vec<PathBuf>,
    /// Goes on with what is appended, and with files that appear.
    pub follow: bool,
    /// Looks so often instead of being told.
    pub poll: Option<Duration>,
    /// Files that are there already are not read from their beginning.
    pub from_end: bool,
    /// Ends when no line has come for so long.
    pub until_idle: Option<Duration>,
    /// Hands on an unfinished line that has not grown for so long.
    pub partial_after: Option<Duration>,
    pub checkpoint: Option<(Checkpoint, Option<Saved>)>,
    /// Shows how far it has come.
    pub progress: bool,
}

/// Files as a source.
pub struct Files {
    pub(super) patterns: Patterns,
    pub(super) outputs: Outputs,
    pub(super) follow: bool,
    pub(super) from_end: bool,
    pub(super) partial_after: Option<Duration>,
    until_idle: Option<Duration>,
    pub(super) context: Context,
    pub(super) progress: Progress,
    pub(super) logs: BTreeMap<Key, Log>,
    pub(super) by_path: HashMap<PathBuf, Key>,
    pub(super) next_key: Key,
    pub(super) watching: Option<Watching>,
    pub(super) window: Window,
    /// The one packed file that is being read, and whose it is.
    pub(super) unpacking: Option<(FileId, Unpacking)>,
    /// What went over the window on its way.
    pub(super) text: Vec<u8>,
    /// The name that goes with what was lent last.
    filename: Arc<[u8]>,
    /// Logs that may have lines, in their turn.
    turn: VecDeque<Key>,
    pub(super) wakes: BTreeSet<(Instant, Key)>,
    /// When to look through the folders once more.
    pub(super) scan_at: Option<Instant>,
    /// And not before.
    pub(super) no_scan_before: Instant,
    pub(super) scans: u64,
    /// When they were looked through first, by the clock of the files.
    pub(super) begun: Option<SystemTime>,
    /// So often files did not stand still long enough to be told apart.
    pub(super) unsteady: u32,
    /// What was said of inputs and folders.
    pub(super) said: BTreeMap<String, String>,
    pub(super) turns: u64,
    pub(super) open: usize,
    pub(super) most_open: usize,
    /// When a line came last.
    last_line: Instant,
    /// A last line without an end, which gets one if something follows.
    held: Option<Held>,
    /// A part of a line was lent last, whose rest is to follow.
    midline: bool,
    /// What waits behind the held line, or behind the end of one that was cut.
    behind_held: Option<Out>,
    /// TERM came, or silence.
    pub(super) leaving: bool,
    /// TERM came, and nothing is followed.
    stopped: bool,
    over: bool,
    checkpoint: Option<Checkpoint>,
    /// Logs of an earlier run that are not read now; their positions are kept.
    pub(super) dormant: Vec<LogState>,
    pub(super) saved_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Something has changed since the last mark.
    pub(super) changed: bool,
    marked_at: Instant,
    marks: VecDeque<(Marked, Vec<LogState>)>,
    /// Something was lost while leaving: its lines are for the next run.
    lost_at_end: bool,
    save_failed: bool,
    /// What could not be written down.
    unsaved: Option<Vec<LogState>>,
}

/// A line without an end.
struct Held {
    bytes: Vec<u8>,
    starts: bool,
    filename: Arc<[u8]>,
}

impl Files {
    /// Looks for the files; nothing is read yet.
    pub fn open(options: Options, context: Context) -> Self {
        let now = Instant::now();
        let (checkpoint, saved) = match options.checkpoint {
            Some((checkpoint, saved)) => (Some(checkpoint), saved),
            None => (None, None),
        };
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(1024);
        let watching =
            options.follow.then(|| Watching::new(options.poll, context.waker.clone(), context.report.clone()));
        let mut files = Self {
            patterns: options.patterns,
            outputs: Outputs::new(&options.outputs, &options.own),
            follow: options.follow,
            from_end: options.from_end,
            partial_after: options.partial_after,
            until_idle: options.until_idle,
            context,
            progress: Progress::hidden(),
            logs: BTreeMap::new(),
            by_path: HashMap::new(),
            next_key: 0,
            watching,
            window: Window::default(),
            unpacking: None,
            text: Vec::new(),
            filename: Arc::from(&b""[..]),
            turn: VecDeque::new(),
            wakes: BTreeSet::new(),
            scan_at: None,
            no_scan_before: now,
            scans: 0,
            begun: None,
            unsteady: 0,
            said: BTreeMap::new(),
            turns: 0,
            open: 0,
            most_open: usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(OTHERS_DESCRIPTORS).clamp(16, 4096),
            last_line: now,
            held: None,
            midline: false,
            behind_held: None,
            leaving: false,
            stopped: false,
            over: false,
            checkpoint,
            dormant: Vec::new(),
            saved_at: saved.as_ref().map(|saved| saved.written),
            changed: true,
            marked_at: now,
            marks: VecDeque::new(),
            lost_at_end: false,
            save_failed: false,
            unsaved: None,
        };
        for state in saved.into_iter().flat_map(|saved| saved.logs) {
            files.restore(state);
        }
        files.scan();
        let total = files.unread();
        // Files of /proc have no sizes.
        if options.progress && !files.follow && total > 0 {
            files.progress = Progress::bytes(total, true);
        }
        // Where reading begins is known from now on, whatever happens.
        files.save_now();
        files
    }

    /// Whether reading ends at the end of what is there.
    pub(super) fn is_ending(&self) -> bool {
        self.leaving || !self.follow
    }

    /// Whether an unfinished last line is left to the next run.
    pub(super) fn keeps_unfinished(&self) -> bool {
        self.checkpoint.is_some()
    }

    /// Puts a log into the list of those that may have lines.
    pub(super) fn push_turn(&mut self, key: Key) {
        if let Some(log) = self.logs.get_mut(&key)
            && !std::mem::replace(&mut log.in_turn, true)
        {
            self.turn.push_back(key);
        }
    }

    /// Looks at a log again at that time, if not before.
    pub(super) fn wake_at(&mut self, key: Key, at: Instant) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        if log.wake.is_none_or(|wake| at < wake) {
            if let Some(wake) = log.wake.replace(at) {
                self.wakes.remove(&(wake, key));
            }
            self.wakes.insert((at, key));
        }
    }

    /// What it waited for does not matter any more.
    pub(super) fn forget_wake(&mut self, key: Key) {
        if let Some(wake) = self.logs.get_mut(&key).and_then(|log| log.wake.take()) {
            self.wakes.remove(&(wake, key));
        }
    }

    /// Finds out what has happened outside.
    fn look_around(&mut self) {
        let now = Instant::now();
        if let Some(watching) = &mut self.watching {
            let changes = watching.take(now);
            if changes.names {
                let at = now.max(self.no_scan_before);
                self.scan_at = Some(self.scan_at.map_or(at, |planned| planned.min(at)));
            }
            for key in changes.grown {
                self.push_turn(key);
            }
            let untold = if changes.untold { self.late() } else { Vec::new() };
            for key in changes.late.into_iter().chain(untold) {
                self.take_up_late(key);
            }
        }
        if self.scan_at.is_some_and(|at| now >= at) {
            self.scan_at = None;
            self.scan();
        }
        while let Some((at, key)) = self.wakes.first().copied().filter(|(at, _)| now >= *at) {
            self.wakes.remove(&(at, key));
            if let Some(log) = self.logs.get_mut(&key) {
                log.wake = None;
            }
            self.push_turn(key);
        }
        if !self.leaving && self.idle_deadline().is_some_and(|at| now >= at) && self.turn.is_empty() {
            self.leave();
        }
    }

    fn idle_deadline(&self) -> Option<Instant> {
        self.until_idle.filter(|_| self.follow && !self.leaving).map(|idle| self.last_line + idle)
    }

    /// Reads on until there is something to hand on, or nothing more to be had at present.
    fn find(&mut self) -> Option<Out> {
        for _ in 0..VISITS {
            if self.stopped && !self.is_torn() {
                return None;
            }
            let key = *self.turn.front()?;
            match self.visit(key) {
                Visit::Out(out) => {
                    // Nothing may come between the pieces of a line; else everybody has a turn, unless there is an order.
                    if out.ends && self.follow && !self.is_torn() && self.unpacking.is_none() {
                        self.turn.rotate_left(1);
                    }
                    self.last_line = Instant::now();
                    self.changed = true;
                    return Some(out);
                }
                Visit::Again => {}
                Visit::Later if self.follow => self.turn.rotate_left(1),
                Visit::Later => {}
                Visit::Idle => {
                    self.turn.pop_front();
                    if let Some(log) = self.logs.get_mut(&key) {
                        log.in_turn = false;
                    }
                }
            }
        }
        None
    }

    /// Whether a part of a line was handed on whose rest must follow.
    fn is_torn(&self) -> bool {
        let inside = |key: &Key| self.logs.get(key)?.files.front().map(|tracked| tracked.inside.is_torn());
        let packed = self.unpacking.as_ref().is_some_and(|(_, unpacking)| unpacking.is_torn());
        packed || self.turn.front().and_then(inside).unwrap_or(false)
    }

    fn is_over(&self) -> bool {
        (self.stopped && !self.is_torn())
            || (self.is_ending() && self.turn.is_empty() && self.wakes.is_empty() && self.scan_at.is_none())
    }

    /// What is still to be read, as far as sizes tell, in bytes.
    fn unread(&self) -> u64 {
        let tracked = self.logs.values().flat_map(|log| &log.files);
        tracked.map(|tracked| tracked.unread_on_disk()).sum()
    }

    /// Takes the answers to the marks that were sent, and writes down what was delivered.
    fn take_answers(&mut self) {
        while let Some(delivered) = self.marks.front().and_then(|(marked, _)| marked.outcome()) {
            let Some((_, state)) = self.marks.pop_front() else { return };
            self.lost_at_end |= self.is_ending() && !delivered;
            if delivered && !self.lost_at_end {
                self.save(&state);
            }
        }
    }

    fn states(&self) -> Vec<LogState> {
        self.logs.values().map(Log::state).chain(self.dormant.iter().cloned()).collect()
    }

    fn save_now(&mut self) {
        if self.checkpoint.is_some() {
            let states = self.states();
            self.save(&states);
        }
    }

    fn save(&mut self, states: &[LogState]) {
        let Some(checkpoint) = &mut self.checkpoint else { return };
        let saved = checkpoint.save(states, self.context.clock.now());
        let failed = saved.is_err();
        // Said once.
        if let Err(error) = saved
            && !self.save_failed
        {
            self.context.report.error("checkpoint", format_args!("cannot be written, and is tried again: {error}"));
        }
        self.save_failed = failed;
        self.unsaved = failed.then(|| states.to_vec());
        // It is tried again with the next mark.
        self.changed |= failed;
    }

    fn stash(&mut self, out: &Out) {
        let filename = Arc::clone(&out.filename);
        self.held = Some(Held { bytes: self.bytes_of(out).to_vec(), starts: out.starts, filename });
    }

    fn bytes_of(&self, out: &Out) -> &[u8] {
        match &out.place {
            Place::Window(lent) => self.window.bytes(lent),
            Place::Unpacked => self.unpacking.as_ref().map_or(&[], |(_, unpacking)| unpacking.lent()),
            Place::Text => &self.text,
        }
    }

    fn lend(&mut self, out: &Out) -> Step<'_> {
        self.midline = !out.ends;
        self.filename = Arc::clone(&out.filename);
        let batch = Batch::plain(self.bytes_of(out)).with_edges(out.starts, out.ends);
        Step::Lines(batch.with_filename(Some(&self.filename)))
    }

    /// Says where reading was given up, if anything is left that nobody will go on with.
    fn say_stopped(&mut self) {
        let left = self.unread();
        // The message would stand behind the bar.
        self.progress.finish();
        let why = format_args!("told to stop with {} unread", ByteSize(left));
        if left > 0 && self.keeps_unfinished() {
            self.context.report.warn("input", why);
        } else if left > 0 {
            self.context.report.error("input", why);
        }
    }
}

impl Source for Files {
    fn ready(&self) -> bool {
        !self.turn.is_empty() || self.held.is_some() || self.behind_held.is_some() || self.is_over()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn deadline(&self) -> Option<Instant> {
        let wake = self.wakes.first().map(|(at, _)| *at);
        let look = self.watching.as_ref().and_then(Watching::deadline);
        let mark =
            (self.checkpoint.is_some() && self.changed && self.marks.is_empty()).then(|| self.marked_at + CHECKPOINT);
        [wake, look, mark, self.scan_at, self.idle_deadline()].into_iter().flatten().min()
    }

    fn step(&mut self, _readable: bool) -> Step<'_> {
        self.take_answers();
        self.look_around();
        let out = self.behind_held.take().or_else(|| self.find());
        let Some(out) = out else {
            if !self.is_over() {
                return Step::Pending;
            }
            // The last line of all keeps what it lacks.
            let Some(held) = self.held.take().filter(|held| !held.bytes.is_empty()) else {
                self.over = true;
                self.progress.finish();
                return Step::End;
            };
            self.text = held.bytes;
            let out = Out { place: Place::Text, starts: held.starts, ends: true, open: false, filename: held.filename };
            return self.lend(&out);
        };
        if let Some(held) = self.held.take() {
            // Something follows, so the line gets an end.
            self.text = held.bytes;
            self.text.push(b'\n');
            let ended =
                Out { place: Place::Text, starts: held.starts, ends: true, open: false, filename: held.filename };
            self.behind_held = Some(out);
            return self.lend(&ended);
        }
        if self.midline && out.starts {
            // Its rest is gone, so that it gets an end.
            self.text = b"\n".to_vec();
            let filename = Arc::clone(&self.filename);
            let end = Out { place: Place::Text, starts: false, ends: true, open: false, filename };
            self.behind_held = Some(out);
            return self.lend(&end);
        }
        if out.open && self.is_ending() {
            self.stash(&out);
            return Step::Pending;
        }
        if out.open {
            self.text = self.bytes_of(&out).to_vec();
            self.text.push(b'\n');
            return self.lend(&Out { place: Place::Text, ..out });
        }
        self.lend(&out)
    }

    fn leave(&mut self) {
        self.leaving = true;
        self.stopped = !self.follow;
        if self.follow {
            self.scan_at = None;
            self.scan();
            // Nobody waits for the news of it.
            let keys: Vec<Key> = self.logs.keys().copied().collect();
            keys.into_iter().for_each(|key| self.take_up_late(key));
            self.end_waits();
        } else if !self.turn.is_empty() {
            self.say_stopped();
        }
    }

    fn mark(&mut self) -> Option<Mark> {
        self.checkpoint.as_ref()?;
        if !self.changed || self.held.is_some() || self.behind_held.is_some() {
            return None;
        }
        if !self.over && (!self.marks.is_empty() || self.marked_at.elapsed() < CHECKPOINT) {
            return None;
        }
        self.changed = false;
        self.marked_at = Instant::now();
        let (marked, mark) = Marked::new(self.context.waker.clone());
        self.marks.push_back((marked, self.states()));
        Some(mark)
    }

    fn close(&mut self) {
        self.take_answers();
        if let Some(states) = self.unsaved.take() {
            self.save(&states);
        }
        self.progress.finish();
    }
}
