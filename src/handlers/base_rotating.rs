//! BaseRotatingHandler: a log file that is rolled over by size, by the clock, or both at once.
//!
//! Several processes may write one log. Each appends whole lines in single writes and holds a shared lock on the file
//! that it has open; every 100 ms at most, and before each rollover of its own, it looks whether the name still leads
//! there. Who rolls holds the roll lock and looks once more. Alone, a writer pays one stat(2) in 100 ms for this.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use chrono::{DateTime, FixedOffset, Utc};

use crate::alarm::Alarm;
use crate::backoff::Backoff;
use crate::inode::{self, FileId};
use crate::rotation::archives::Layout;
use crate::rotation::backups::{self, Room};
use crate::rotation::budget::Budget;
use crate::rotation::housekeeper::{Duties, Housekeeper};
use crate::rotation::link;
use crate::rotation::lock::RollLock;
use crate::rotation::mover::Mover;
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::stream::handler::{Control, Handler, Lost};

use super::file::FileOptions;
use super::log_file::LogFile;
use super::rotating_file::{Portion, SizeRule};
use super::timed_rotating_file::TimeRule;

/// How often it is looked whether the name still leads to the open file, while lines come.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// When and how a log is rolled over.
pub struct Rules {
    pub size: SizeRule,
    pub time: Option<TimeRule>,
    pub mover: Mover,
    /// A symlink that always leads to the current file.
    pub link: Option<PathBuf>,
    pub duties: Duties,
}

/// Python's RotatingFileHandler and TimedRotatingFileHandler in one.
pub struct BaseRotatingHandler {
    log: LogFile,
    size: SizeRule,
    time: Option<TimeRule>,
    mover: Mover,
    link: Option<PathBuf>,
    /// Which file the link leads to.
    linked: Option<FileId>,
    /// When the dated name changes next.
    renamed_at: Option<DateTime<Utc>>,
    /// Wakes when the clock on the wall says so, whatever became of the clock meanwhile.
    alarm: Option<Alarm>,
    keeper: Housekeeper,
    budget: Budget,
    context: Context,
    next_look: Instant,
    /// Somebody else writes to this file as well: ask for its length instead of counting.
    shared: bool,
    /// Since the last look.
    stranger_seen: bool,
    retry: Option<Retry>,
    /// Another process is rolling over: it is left alone for so long.
    busy_until: Option<Instant>,
    over_budget_said: bool,
    /// A line longer than memory has begun and not ended: nothing is rolled over or opened anew before it has.
    inside_line: bool,
    /// Signals that came meanwhile.
    put_off: Vec<Control>,
}

/// A rollover that failed.
struct Retry {
    at: Instant,
    backoff: Backoff,
}

impl BaseRotatingHandler {
    /// Opens the log `path` (for a dated layout, the name of now) and finishes what an earlier run left undone.
    ///
    /// # Errors
    /// When the file cannot be opened, or is a symlink or a folder: those are never moved.
    pub fn open(path: PathBuf, rules: Rules, mut options: FileOptions, context: Context) -> Result<Self> {
        let Rules { size, time, mover, link, duties } = rules;
        refuse_symlink(&path)?;
        options.claim = true;
        options.follow = true;
        let budget = duties.budget.clone();
        let now = context.clock.now();
        let renamed_at = match &duties.layout {
            Layout::Dated(pattern) => {
                options.mkdir = true;
                Some(pattern.next_change(now))
            }
            Layout::Renamed(_) => None,
        };
        let by_clock = (time.is_some() || renamed_at.is_some()) && context.clock.is_system();
        let alarm = by_clock.then(|| Alarm::new(context.waker.clone())).transpose()?;
        let keeper = Housekeeper::new(duties, path.clone(), context.clone());
        let log = LogFile::open(path, options, context.clone())?;
        let mut handler = Self {
            log,
            size,
            time,
            mover,
            link,
            linked: None,
            renamed_at,
            alarm,
            keeper,
            budget,
            context,
            next_look: Instant::now(),
            shared: false,
            stranger_seen: false,
            retry: None,
            busy_until: None,
            over_budget_said: false,
            inside_line: false,
            put_off: Vec::new(),
        };
        if let Err(error) = handler.keeper.begin() {
            handler.context.report.error(handler.log.name(), format_args!("its archives: {error:#}"));
        }
        handler.opened();
        handler.set_alarm();
        Ok(handler)
    }

    /// What follows from having opened a file.
    fn opened(&mut self) {
        if let Some(time) = &mut self.time {
            let emptied = match self.mover {
                Mover::Rename => None,
                // The same file goes on after it was copied, so its beginning says nothing: the last archive's does.
                _ => self.keeper.youngest().map(|archive| archive.modified.max(archive.created).into()),
            };
            time.begin(fs::metadata(self.log.path()).ok().as_ref(), emptied, self.context.clock.now());
        }
        self.update_link();
    }

    fn update_link(&mut self) {
        let Some(link) = &self.link else { return };
        let id = self.log.id();
        if id.is_some() && self.linked != id {
            // What fails is said once for each file.
            self.linked = id;
            if let Err(error) = link::point(link, self.log.path()) {
                self.context.report.error(link.display(), format_args!("{error:#}"));
            }
        }
    }

    fn set_alarm(&mut self) {
        if let Some(alarm) = &mut self.alarm {
            let empty = self.log.is_empty();
            let rollover = self.time.as_ref().filter(|_| !empty).map(TimeRule::next);
            let renaming = self.renamed_at.filter(|_| self.log.id().is_some());
            alarm.set([rollover, renaming].into_iter().flatten().min());
        }
    }

    /// Looks, not too often, whether the name still leads to the open file.
    fn look_if_due(&mut self) {
        let now = Instant::now();
        if now < self.next_look || self.log.id().is_none() {
            return;
        }
        self.next_look = now + LOOK_EVERY;
        if self.leads_elsewhere() {
            self.follow_name();
        } else {
            self.measure();
            self.shared = std::mem::take(&mut self.stranger_seen);
        }
    }

    fn leads_elsewhere(&self) -> bool {
        self.log.is_regular() && FileId::at(self.log.path()) != self.log.id()
    }

    /// If the file is longer or shorter than what we wrote makes it, we are not alone.
    fn measure(&mut self) {
        self.stranger_seen |= self.log.measure().unwrap_or(false);
    }

    /// Somebody else rolled over: goes on in the file that stands under the name now.
    fn follow_name(&mut self) {
        if refuse_symlink(self.log.path()).is_err() {
            return;
        }
        self.shared = true;
        self.log.sync_before_leaving();
        let Some(old) = self.log.release() else { return };
        if inode::is_deleted(&old) {
            self.context.report.warn(self.log.name(), "was deleted: going on in a new file");
        }
        match self.log.succeed(old) {
            Ok(()) => {
                self.opened();
                self.keeper.rolled(None, self.log.path());
            }
            // The old file is written on if anybody can still read it, and the name is looked at again soon.
            Err(error) => self.context.report.note(self.log.name(), error),
        }
    }

    /// Rolls over if the clock says so, before the next record.
    fn roll_if_due(&mut self) {
        if self.time.is_none() && self.renamed_at.is_none() {
            return;
        }
        let now = self.context.clock.now();
        if self.renamed_at.is_some_and(|at| now >= at) {
            self.change_name(now);
        }
        let Some(time) = &mut self.time else { return };
        if !time.is_due(now) {
            return;
        }
        let stamp = time.stamp();
        let rolled = self.log.is_empty() || !self.log.is_regular() || self.rollover(stamp);
        if rolled && let Some(time) = &mut self.time {
            time.advance(now);
        }
    }

    /// The dated name has changed: the next line opens the file of its own time.
    fn change_name(&mut self, now: DateTime<Utc>) {
        let Layout::Dated(pattern) = &self.keeper.duties().layout else { return };
        self.renamed_at = Some(pattern.next_change(now));
        let path = pattern.path_at(now);
        if path == self.log.path() {
            return;
        }
        self.log.sync_before_leaving();
        let id = self.log.id();
        drop(self.log.rename_to(path));
        self.keeper.rolled(id, self.log.path());
    }

    /// Rolls over unless that has just failed; says whether writing goes on in a new file.
    fn rollover(&mut self, stamp: DateTime<FixedOffset>) -> bool {
        if self.not_before().is_some_and(|at| Instant::now() < at) {
            return false;
        }
        match self.try_rollover(stamp) {
            Ok(true) => {
                if self.retry.take().is_some() {
                    self.context.report.warn(self.log.name(), "rolled over again");
                }
                true
            }
            Ok(false) => {
                // Waiting for the lock each time would slow the producer down.
                self.busy_until = Some(Instant::now() + LOOK_EVERY);
                false
            }
            Err(error) => {
                let longest = Duration::from_secs(30);
                let mut backoff = match self.retry.take() {
                    Some(retry) => retry.backoff,
                    None => {
                        let why = format_args!("cannot be rolled over, so it grows on: {error:#}");
                        self.context.report.error(self.log.name(), why);
                        Backoff::new(Duration::from_secs(1), 2.0, longest)
                    }
                };
                self.retry = Some(Retry { at: Instant::now() + backoff.advance(), backoff });
                false
            }
        }
    }

    /// When the next rollover may be tried, after one that could not be done.
    fn not_before(&self) -> Option<Instant> {
        self.retry.as_ref().map(|retry| retry.at).max(self.busy_until)
    }

    /// False when another process is in the middle of it.
    fn try_rollover(&mut self, stamp: DateTime<FixedOffset>) -> Result<bool> {
        let path = self.log.path().to_owned();
        let lock = match RollLock::take(&path) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The whole folder is gone, and the log with it.
                self.follow_name();
                return Ok(!self.leads_elsewhere());
            }
            Err(error) => return Err(anyhow!(error).context("no lock to do it under")),
        };
        if self.leads_elsewhere() {
            drop(lock);
            self.follow_name();
            refuse_symlink(&path)?;
            // Where others roll as fast as we look, it may lead elsewhere again.
            return Ok(!self.leads_elsewhere());
        }
        let id = self.move_away(&path, stamp)?;
        self.log.sync_before_leaving();
        let Some(old) = self.log.release() else { return Ok(false) };
        self.log.succeed(old)?;
        self.keeper.recount(&path, self.log.len());
        drop(lock);
        self.next_look = Instant::now() + LOOK_EVERY;
        self.update_link();
        self.keeper.rolled(id, &path);
        Ok(true)
    }

    /// Makes the file an archive; which one it is now, if there is one.
    fn move_away(&self, path: &Path, stamp: DateTime<FixedOffset>) -> Result<Option<FileId>> {
        let layout = &self.keeper.duties().layout;
        loop {
            let Room { target, taken, .. } =
                backups::make_room(layout, path, stamp).context("its archives cannot be moved")?;
            if let Some(taken) = taken {
                let why = format!("is taken, so the archive is called {}", target.display());
                self.context.report.warn(taken.display(), why);
            }
            if self.mover.archive(path, &target)? {
                self.context.report.note(self.log.name(), format_args!("rolled over to {}", target.display()));
                return Ok(FileId::at(&target));
            }
        }
    }

    /// Rolls over if it is due, or not empty and `force` says so, as for `--once`.
    pub fn roll_once(&mut self, force: bool) {
        self.roll_if_due();
        let full = self.size.max_bytes > 0 && self.log.len() >= self.size.max_bytes;
        let rolled = match (full || force) && self.log.is_regular() && !self.log.is_empty() {
            true => {
                let stamp = self.stamp_now();
                self.rollover(stamp)
            }
            false => self.busy_until.is_none(),
        };
        // Whatever else failed was said.
        if !rolled && self.retry.is_none() {
            self.context.report.error(self.log.name(), "another process is rolling it over, so it is left to that one");
        }
    }

    /// What the archive is named for when it is rolled over before its time.
    fn stamp_now(&self) -> DateTime<FixedOffset> {
        match &self.time {
            Some(time) => time.stamp(),
            None => self.context.zone.civil(self.context.clock.now()),
        }
    }

    fn keep_budget(&mut self, more: usize) {
        if !self.budget.is_bounded() {
            return;
        }
        // First reserve, then look: the compressor does the same, so the two cannot both take the last room.
        self.budget.set_current(self.log.len() + more as u64);
        if self.budget.excess() > 0 && !self.keeper.free() && !std::mem::replace(&mut self.over_budget_said, true) {
            self.context.report.warn(
                self.log.name(),
                "is larger than --max-total-bytes by itself: no line is dropped for it (see --max-bytes)",
            );
        }
    }
}

impl Handler for BaseRotatingHandler {
    fn emit(&mut self, batch: &Batch<'_>) -> Result<()> {
        if batch.starts() {
            self.look_if_due();
            // Before anything is opened: a dated name may have changed while no line came.
            self.roll_if_due();
        }
        // With --delay, or under a new dated name; what keeps it from being opened is waited out by the write.
        if self.log.id().is_none() && self.log.ensure_open().is_ok() {
            self.opened();
        }
        let mut rest = *batch;
        while !rest.is_empty() {
            if rest.starts() {
                self.roll_if_due();
            }
            if self.shared && rest.starts() {
                self.measure();
            }
            let len = if self.log.is_empty() { 0 } else { self.log.len() };
            let mut portion = self.size.portion(&rest, len, self.log.options().preamble.len() as u64);
            if portion == Portion::Rollover {
                let stamp = self.stamp_now();
                if self.rollover(stamp) {
                    continue;
                }
                // It cannot be rolled now; losing or holding lines would be worse than a file that is too long.
                portion = Portion::Write(rest.len());
            }
            let Portion::Write(length) = portion else { continue };
            let (now, later) = rest.split_at(length);
            self.keep_budget(now.len());
            let Self { log, keeper, .. } = self;
            log.write(&now, &mut || keeper.reclaim()).map_err(|error| match error.downcast::<Lost>() {
                Ok(lost) => Lost { records: lost.records + later.count(), ..lost }.into(),
                Err(other) => other,
            })?;
            self.update_link();
            rest = later;
        }
        self.set_alarm();
        self.inside_line = !batch.ends();
        if !self.inside_line {
            std::mem::take(&mut self.put_off).into_iter().try_for_each(|control| self.control(control))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.log.flush()
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        let synced = self.log.sync_at_close();
        let archived = self.log.id().is_some() && self.leads_elsewhere();
        drop(self.log.release());
        if archived {
            self.keeper.look_again();
        }
        self.keeper.close();
        synced
    }

    fn deadline(&self) -> Option<Instant> {
        let due = match (&self.time, self.log.is_empty() || self.inside_line) {
            // An empty file is not rolled over, so nothing is due.
            (Some(time), false) => {
                let at = self.context.clock.instant_of(time.next());
                Some(self.not_before().map_or(at, |not_before| not_before.max(at)))
            }
            _ => None,
        };
        let open = self.log.id().is_some() && !self.inside_line;
        let renamed = self.renamed_at.filter(|_| open).map(|at| self.context.clock.instant_of(at));
        [due, renamed, self.log.sync_deadline()].into_iter().flatten().min()
    }

    fn tick(&mut self) -> Result<()> {
        if !self.inside_line {
            self.roll_if_due();
            self.set_alarm();
        }
        self.log.sync_if_due()
    }

    fn control(&mut self, control: Control) -> Result<()> {
        if self.inside_line {
            if !self.put_off.contains(&control) {
                self.put_off.push(control);
            }
            return Ok(());
        }
        match control {
            Control::Reopen => {
                self.log.reopen()?;
                self.opened();
                Ok(())
            }
            Control::Rollover if self.log.is_regular() && !self.log.is_empty() => {
                self.retry = None;
                self.busy_until = None;
                let stamp = self.stamp_now();
                self.rollover(stamp);
                Ok(())
            }
            Control::Rollover => Ok(()),
        }
    }
}

/// A symlink is never moved or deleted, so a log that is one cannot be rolled.
fn refuse_symlink(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            let target = fs::read_link(path).unwrap_or_default();
            bail!(
                "{}: is a symlink, which is never rolled over: name the file itself ({})",
                path.display(),
                target.display()
            )
        }
        Ok(metadata) if metadata.is_dir() => bail!("{}: is a folder", path.display()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Zone};
    use crate::handlers::file::FileOptions;
    use crate::progress::Progress;
    use crate::report::{Report, Verbosity};
    use crate::rotation::backups::Retention;
    use crate::rotation::dated::DatedPath;
    use crate::rotation::naming::Naming;
    use crate::rotation::when::{Unit, When};
    use crate::stop::{Stop, Waker};
    use std::num::NonZeroU32;

    fn context(clock: &Clock) -> Context {
        Context {
            clock: clock.clone(),
            zone: Zone::utc(),
            report: Report::new(Verbosity::Quiet),
            stop: Stop::never(),
            waker: Waker::new(|| ()),
            in_turns: false,
        }
    }

    fn rules(layout: Layout, time: Option<TimeRule>, mover: Mover) -> Rules {
        let duties = Duties {
            layout,
            retention: Retention { count: 0, max_age: None },
            compress: None,
            delay_compress: false,
            after_rotate: None,
            budget: Budget::new(None),
            progress: Progress::hidden(),
        };
        Rules { size: SizeRule { max_bytes: 0 }, time, mover, link: None, duties }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort();
        names
    }

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    #[test]
    fn a_dated_period_without_a_line_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(at("2026-11-20T12:00:00Z"));
        let pattern = DatedPath::parse(&folder.path().join("%H.log"), Zone::utc()).unwrap().unwrap();
        let path = pattern.path_at(clock.now());
        let rules = rules(Layout::Dated(pattern), None, Mover::Rename);
        let mut handler = BaseRotatingHandler::open(path, rules, FileOptions::default(), context(&clock)).unwrap();
        handler.emit(&Batch::plain(b"one\n")).unwrap();
        for hour in 13..=15 {
            clock.set(at(&format!("2026-11-20T{hour}:00:00Z")));
            if hour < 15 {
                handler.tick().unwrap();
            }
        }
        handler.emit(&Batch::plain(b"two\n")).unwrap();
        Box::new(handler).close().unwrap();
        assert_eq!(names(folder.path()), ["12.log", "15.log"]);
    }

    #[test]
    fn a_file_that_is_copied_and_emptied_is_due_once_a_period() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        fs::write(&path, "one\n").unwrap();
        let begun = Utc::now();
        let minutes = |minutes| begun + chrono::TimeDelta::minutes(minutes);
        // The file goes on for ever, and each archive is as old as its last line.
        for (run, archives) in [(70, 1), (100, 1), (140, 2)] {
            let clock = Clock::manual(minutes(run));
            let layout = Layout::Renamed(Naming::new(&path, "{base}.{n}", "").unwrap());
            let when = When::new(Unit::Hour, NonZeroU32::MIN, None, Zone::utc());
            let rules = rules(layout, Some(TimeRule::new(when, clock.now())), Mover::CopyTruncate);
            let options = FileOptions::default();
            let mut handler = BaseRotatingHandler::open(path.clone(), rules, options, context(&clock)).unwrap();
            handler.roll_once(false);
            Box::new(handler).close().unwrap();
            assert_eq!(names(folder.path()).len() - 1, archives, "after {run} minutes");
            fs::write(&path, "more\n").unwrap();
            let archive = fs::File::options().write(true).open(folder.path().join("app.log.1")).unwrap();
            archive.set_modified(minutes(70).into()).unwrap();
        }
    }
}
