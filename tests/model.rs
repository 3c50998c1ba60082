//! Random actions against a rotation that is a few lines long and lives in memory: after every step the folder holds
//! exactly what that says.
//!
//! Archives are deleted and compressed behind the writer's back, so the folder is looked at until it is as it should
//! be. What would show there only by chance happens while the log is closed. How much room compressed archives take is
//! not foreseen, so there only what must hold is checked, at each close.

mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use flate2::read::MultiGzDecoder;
use loghand::clock::{Clock, Zone};
use loghand::handlers::base_rotating::{BaseRotatingHandler, Rules};
use loghand::handlers::file::FileOptions;
use loghand::handlers::rotating_file::SizeRule;
use loghand::handlers::timed_rotating_file::TimeRule;
use loghand::progress::Progress;
use loghand::record::RecordInfo;
use loghand::report::{Report, Verbosity};
use loghand::rotation::archives::Layout;
use loghand::rotation::backups::Retention;
use loghand::rotation::budget::Budget;
use loghand::rotation::housekeeper::Duties;
use loghand::rotation::mover::Mover;
use loghand::rotation::naming::Naming;
use loghand::rotation::when::When;
use loghand::stop::{Stop, Waker};
use loghand::stream::batch::Batch;
use loghand::stream::context::Context;
use loghand::stream::handler::{Control, Handler};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

// What may happen

/// The flags.
#[derive(Clone, Debug)]
struct Setup {
    max_bytes: u64,
    when: Option<(char, u32)>,
    names: Names,
    count: u64,
    /// In seconds.
    max_age: Option<i64>,
    max_total: Option<u64>,
    compress: bool,
    delay_compress: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// `{base}.{n}`
    Chain,
    /// `{base}.{time}`
    Time,
    /// `{base}.{time}.{n}`
    TimeAndNumber,
}

#[derive(Clone, Debug)]
enum Step {
    /// A batch of lines of these lengths, the line end not counted.
    Lines(Vec<usize>),
    /// A batch of records of several lines.
    Records(Vec<Vec<usize>>),
    /// A line longer than memory, in pieces, with something between the first and the second.
    Long(Vec<usize>, Option<Signal>),
    /// A last line without a line end, and a restart.
    Torn(usize),
    /// The clock goes on, or back, by so many seconds.
    Clock(i64),
    Signal(Signal),
    Restart,
    /// Somebody puts this beside the log.
    Neighbour(&'static str),
    /// Somebody puts this where the next archive, or one a few numbers on, is to be.
    Obstacle(Obstacle, u64),
    /// Somebody takes the obstacles away.
    Clear,
    /// Somebody puts back an archive of long ago.
    Restore(u64),
    /// Somebody deletes an archive.
    Delete(usize),
}

#[derive(Clone, Copy, Debug)]
enum Signal {
    /// A deadline, or any other reason to wake.
    Tick,
    Rollover,
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Obstacle {
    Folder,
    DanglingLink,
    LinkToFile,
}

const NEIGHBOURS: [&str; 12] = [
    "app.log.0",
    "app.log.01",
    "app.log.-1",
    "app.log.1.bak",
    "app.log.1.gz.gz",
    "app.log.1.bz2",
    "app.logs.1",
    "xapp.log.1",
    ".app.log.1",
    ".app.log.swp",
    "app.log.2020-02-30",
    "app.log-20200101",
];

fn setups() -> impl Strategy<Value = Setup> {
    let max_bytes = prop_oneof![1 => Just(0u64), 4 => 1u64..120];
    let unit = prop::sample::select(vec!['M', 'H', 'D']);
    let when = prop::option::of((unit, 1u32..4));
    let names = prop::sample::select(vec![Names::Chain, Names::Chain, Names::Time, Names::TimeAndNumber]);
    let count = prop_oneof![1 => Just(0u64), 2 => 1u64..5];
    let max_age = prop::option::weighted(0.2, 60i64..200_000);
    let max_total = prop::option::weighted(0.35, 20u64..500);
    let compress = (prop::bool::weighted(0.3), any::<bool>());
    (max_bytes, when, names, count, max_age, max_total, compress).prop_map(
        |(max_bytes, when, names, count, max_age, max_total, (compress, delay_compress))| {
            let mut setup = Setup { max_bytes, when, names, count, max_age, max_total, compress, delay_compress };
            if setup.is_unforeseen() {
                setup.names = Names::Chain;
                setup.max_age = None;
                // A compressed file needs some room at all.
                setup.max_total = setup.max_total.map(|total| total + 150);
            }
            setup
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = || prop_oneof![1 => Just(0usize), 6 => 0usize..30, 1 => 30usize..200];
    let lines = || prop::collection::vec(length(), 1..8);
    let signal = || prop_oneof![Just(Signal::Tick), Just(Signal::Rollover), Just(Signal::Reopen)];
    let pieces = prop::collection::vec(1usize..40, 2..4);
    let clock = prop_oneof![
        4 => 0i64..60,
        4 => 60i64..7_200,
        2 => 7_200i64..200_000,
        1 => 200_000i64..30_000_000,
        1 => -300i64..0,
        1 => -400_000i64..0,
    ];
    let obstacle = prop_oneof![Just(Obstacle::Folder), Just(Obstacle::DanglingLink), Just(Obstacle::LinkToFile)];
    let step = prop_oneof![
        12 => lines().prop_map(Step::Lines),
        2 => prop::collection::vec(lines(), 1..4).prop_map(Step::Records),
        1 => (pieces, prop::option::of(signal())).prop_map(|(pieces, between)| Step::Long(pieces, between)),
        1 => length().prop_map(Step::Torn),
        6 => clock.prop_map(Step::Clock),
        3 => signal().prop_map(Step::Signal),
        2 => Just(Step::Restart),
        1 => prop::sample::select(NEIGHBOURS.to_vec()).prop_map(Step::Neighbour),
        1 => (obstacle, 0u64..3).prop_map(|(obstacle, ahead)| Step::Obstacle(obstacle, ahead)),
        1 => Just(Step::Clear),
        1 => (1u64..9).prop_map(Step::Restore),
        1 => (0usize..9).prop_map(Step::Delete),
    ];
    prop::collection::vec(step, 1..40)
}

impl Setup {
    /// Whether the room that archives take depends on how well they compress, and on when.
    fn is_unforeseen(&self) -> bool {
        self.compress && self.max_total.is_some()
    }

    /// Whether each record is to be seen in its file before the next comes: where age counts, because the file is to
    /// have the clock's time; and where a name is free again once its archive is deleted.
    fn one_by_one(&self) -> bool {
        let deletes = self.count > 0 || self.max_total.is_some();
        self.max_age.is_some() || (self.names != Names::Chain && deletes)
    }

    fn time_format(&self) -> &'static str {
        match self.when {
            None => "%Y-%m-%d_%H-%M-%S",
            Some(('M', _)) => "%Y-%m-%d_%H-%M",
            Some(('H', _)) => "%Y-%m-%d_%H",
            Some(_) => "%Y-%m-%d",
        }
    }

    /// The length of a period in seconds.
    fn period(&self) -> Option<i64> {
        self.when.map(|(unit, interval)| {
            let unit = match unit {
                'M' => 60,
                'H' => 3_600,
                _ => 86_400,
            };
            unit * i64::from(interval)
        })
    }
}

// What should come of it

/// The rotation in memory.
struct Model {
    setup: Setup,
    now: i64,
    current: Log,
    archives: BTreeMap<Rank, Log>,
    /// What is not ours: the names, and what stands there.
    foreign: BTreeMap<String, Foreign>,
    /// When the period ends, and when that was worked out.
    next: i64,
    since: i64,
    /// The file ends in mid-line.
    owed: bool,
    /// Every record that was ever written, without those that somebody else deleted.
    written: Vec<Vec<u8>>,
    /// Whether the clock went back, and whether an archive of long ago came back.
    set_back: bool,
    restored: bool,
    serial: usize,
}

/// What an archive is called: the time (or nothing) and the number (or 0 for none).
type Rank = (String, u64);

#[derive(Clone, Debug, Default)]
struct Log {
    records: Vec<Vec<u8>>,
    /// When it was last written.
    modified: i64,
    compressed: bool,
}

impl Log {
    fn bytes(&self) -> Vec<u8> {
        self.records.concat()
    }

    fn len(&self) -> u64 {
        self.records.iter().map(|record| record.len() as u64).sum()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    File,
    Obstacle,
}

impl Model {
    fn new(setup: Setup, now: i64) -> Self {
        let mut model = Self {
            setup,
            now,
            current: Log::default(),
            archives: BTreeMap::new(),
            foreign: BTreeMap::new(),
            next: 0,
            since: 0,
            owed: false,
            written: Vec::new(),
            set_back: false,
            restored: false,
            serial: 0,
        };
        model.open();
        model
    }

    /// A line that no other is like (or an empty one), with its line end.
    fn line(&mut self, length: usize) -> Vec<u8> {
        self.serial += 1;
        let word = format!("{}.", self.serial);
        let length = if length == 0 { 0 } else { length.max(word.len()) };
        let mut line: Vec<u8> = word.bytes().cycle().take(length).collect();
        line.push(b'\n');
        line
    }

    fn name(&self, (time, number): &Rank) -> String {
        match (time.is_empty(), number) {
            (true, number) => format!("app.log.{number}"),
            (false, 0) => format!("app.log.{time}"),
            (false, number) => format!("app.log.{time}.{number}"),
        }
    }

    fn ranks_oldest_first(&self) -> Vec<Rank> {
        let mut ranks: Vec<Rank> = self.archives.keys().cloned().collect();
        if self.setup.names == Names::Chain {
            ranks.reverse();
        }
        ranks
    }

    fn total(&self) -> u64 {
        self.current.len() + u64::from(self.owed) + self.archives.values().map(Log::len).sum::<u64>()
    }

    fn open(&mut self) {
        self.begin();
        self.owed = self.current.bytes().last().is_some_and(|last| *last != b'\n');
        self.keep_house();
    }

    /// The period begins with the file; an empty one's begins now.
    fn begin(&mut self) {
        let start = if self.current.records.is_empty() { self.now } else { self.current.modified.min(self.now) };
        self.schedule(start);
    }

    fn schedule(&mut self, from: i64) {
        self.since = self.now;
        if let Some(period) = self.setup.period() {
            self.next = from + period;
        }
    }

    fn roll_if_due(&mut self) {
        if self.setup.when.is_none() {
            return;
        }
        let set_back = self.since - self.now;
        if set_back > 0 && set_back > self.next - self.since {
            self.schedule(self.now);
        }
        if self.now >= self.next {
            self.roll();
            self.schedule(self.now);
        }
    }

    /// What an archive that is made now is named for.
    fn stamp(&self) -> String {
        let at = self.setup.period().map_or(self.now, |period| self.next - period);
        match self.setup.names {
            Names::Chain => String::new(),
            _ => instant(at).format(self.setup.time_format()).to_string(),
        }
    }

    /// The rank that an archive gets if it is made now, in a chain the number to which the first place leads.
    fn next_rank(&self) -> Rank {
        let time = self.stamp();
        if self.setup.names == Names::Chain {
            let number = (1..).find(|number| !self.is_foreign(&(time.clone(), *number))).unwrap();
            return (time, number);
        }
        let taken = (0..200).rev().find(|number| {
            let rank = (time.clone(), *number);
            self.archives.contains_key(&rank) || self.is_foreign(&rank)
        });
        let first = u64::from(self.setup.names == Names::TimeAndNumber);
        (time, taken.map_or(first, |number| number + 1))
    }

    fn is_foreign(&self, rank: &Rank) -> bool {
        self.foreign.contains_key(&self.name(rank))
    }

    fn roll(&mut self) {
        if self.current.records.is_empty() {
            return;
        }
        self.owed = false;
        let mut moved = std::mem::take(&mut self.current);
        let mut rank = self.next_rank();
        while let Some(pushed) = self.archives.insert(rank.clone(), moved) {
            // Only in a chain: it moves on to the next number that is not somebody else's.
            moved = pushed;
            rank.1 = (rank.1 + 1..).find(|number| !self.is_foreign(&(String::new(), *number))).unwrap();
        }
        self.keep_budget(0);
        self.keep_house();
    }

    /// Deletes what is too many or too old, compresses the rest.
    fn keep_house(&mut self) {
        let oldest_first = self.ranks_oldest_first();
        for (younger, rank) in oldest_first.iter().rev().enumerate() {
            let too_many = self.setup.count > 0 && younger as u64 >= self.setup.count;
            let too_old = self.setup.max_age.is_some_and(|age| self.now - self.archives[rank].modified > age);
            if too_many || too_old {
                self.archives.remove(rank);
            }
        }
        let youngest = self.ranks_oldest_first().pop();
        for (rank, log) in &mut self.archives {
            log.compressed |= self.setup.compress && !(self.setup.delay_compress && Some(rank) == youngest.as_ref());
        }
    }

    /// Makes room for `more` bytes.
    fn keep_budget(&mut self, more: u64) {
        let Some(limit) = self.setup.max_total.filter(|_| !self.setup.is_unforeseen()) else { return };
        while self.total() + more > limit && !self.archives.is_empty() {
            let oldest = self.ranks_oldest_first().remove(0);
            self.archives.remove(&oldest);
        }
    }

    /// `long`: longer than memory, so its length is not known when it begins.
    fn write(&mut self, record: Vec<u8>, long: bool) {
        self.roll_if_due();
        let length = self.current.len() + u64::from(self.owed) + record.len() as u64;
        if self.setup.max_bytes > 0 && (long || length > self.setup.max_bytes) {
            self.roll();
        }
        self.keep_budget(record.len() as u64);
        if std::mem::take(&mut self.owed)
            && let Some(torn) = self.current.records.last_mut()
        {
            torn.push(b'\n');
        }
        if self.current.records.is_empty() || !record.is_empty() {
            self.current.records.push(record.clone());
        }
        self.current.modified = self.now;
        self.written.push(record);
    }

    fn expected(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files: BTreeMap<String, Vec<u8>> = self
            .archives
            .iter()
            .map(|(rank, log)| (format!("{}{}", self.name(rank), if log.compressed { ".gz" } else { "" }), log.bytes()))
            .collect();
        files.insert("app.log".into(), self.current.bytes());
        for (name, kind) in &self.foreign {
            files.insert(
                name.clone(),
                if *kind == Foreign::File { name.clone().into() } else { b"(in the way)".into() },
            );
        }
        files
    }
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

// What comes of it

struct World {
    folder: tempfile::TempDir,
    clock: Clock,
    handler: Option<Box<dyn Handler>>,
    model: Model,
}

impl World {
    fn new(setup: Setup) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        // Far in the past: a file counts as made when it was last written, if that is earlier.
        let start = 1_577_836_830;
        let model = Model::new(setup, start);
        let clock = Clock::manual(instant(start));
        let mut world = Self { folder: folder.unwrap(), clock, handler: None, model };
        world.open();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&mut self) {
        let setup = &self.model.setup;
        let path = self.path("app.log");
        let when = setup.when.map(|(unit, interval)| {
            When::new(unit.to_string().parse().unwrap(), NonZeroU32::new(interval).unwrap(), None, Zone::utc())
        });
        let template = match setup.names {
            Names::Chain => "{base}.{n}",
            Names::Time => "{base}.{time}",
            Names::TimeAndNumber => "{base}.{time}.{n}",
        };
        let rules = Rules {
            size: SizeRule { max_bytes: setup.max_bytes },
            time: when.map(|when| TimeRule::new(when, self.clock.now())),
            mover: Mover::Rename,
            link: None,
            duties: Duties {
                layout: Layout::Renamed(Naming::new(&path, template, setup.time_format()).unwrap()),
                retention: Retention {
                    count: setup.count,
                    max_age: setup.max_age.map(|age| Duration::from_secs(age as u64)),
                },
                compress: setup.compress.then_some(6),
                delay_compress: setup.delay_compress,
                after_rotate: None,
                budget: Budget::new(setup.max_total),
                progress: Progress::hidden(),
            },
        };
        let context = Context {
            in_turns: false,
            clock: self.clock.clone(),
            zone: Zone::utc(),
            report: Report::new(Verbosity::Quiet),
            stop: Stop::never(),
            waker: Waker::new(|| ()),
        };
        let options = FileOptions { mend: true, ..FileOptions::default() };
        self.handler = Some(Box::new(BaseRotatingHandler::open(path, rules, options, context).unwrap()));
    }

    fn handler(&mut self) -> &mut dyn Handler {
        &mut **self.handler.as_mut().unwrap()
    }

    /// Writes it, lets the file be of the clock's time, and looks whether all is within the budget at this moment.
    fn emit(&mut self, batch: &Batch<'_>) -> TestCaseResult {
        self.handler().emit(batch).unwrap();
        let current = File::options().append(true).open(self.path("app.log")).unwrap();
        current.set_modified(self.clock.now().into()).unwrap();
        if let Some(limit) = self.model.setup.max_total.filter(|_| !self.model.setup.compress) {
            let files = self.sizes();
            let total: u64 = files.values().sum();
            prop_assert!(total <= limit || files.len() == 1, "{total} bytes where {limit} are allowed: {files:?}");
        }
        if self.model.setup.one_by_one() && batch.ends() { self.settle() } else { Ok(()) }
    }

    /// The files that are ours, temporary ones included.
    fn sizes(&self) -> BTreeMap<String, u64> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        let ours = entries.filter(|entry| !self.model.foreign.contains_key(entry.file_name().to_str().unwrap()));
        let sizes = ours.filter_map(|entry| {
            Some((entry.file_name().into_string().unwrap(), fs::symlink_metadata(entry.path()).ok()?.len()))
        });
        sizes.filter(|(_, length)| *length > 0).collect()
    }

    fn write_lines(&mut self, lengths: &[usize]) -> TestCaseResult {
        let lines: Vec<Vec<u8>> = lengths.iter().map(|length| self.model.line(*length)).collect();
        let at_once = if self.model.setup.one_by_one() { 1 } else { lines.len() };
        for lines in lines.chunks(at_once) {
            lines.iter().for_each(|line| self.model.write(line.clone(), false));
            self.emit(&Batch::plain(&lines.concat()))?;
        }
        Ok(())
    }

    fn write_records(&mut self, records: &[Vec<usize>]) -> TestCaseResult {
        let mut line_of =
            |lengths: &Vec<usize>| -> Vec<u8> { lengths.iter().flat_map(|length| self.model.line(*length)).collect() };
        let records: Vec<Vec<u8>> = records.iter().map(&mut line_of).collect();
        let at_once = if self.model.setup.one_by_one() { 1 } else { records.len() };
        for records in records.chunks(at_once) {
            let mut infos = Vec::new();
            let mut end = 0;
            for record in records {
                end += record.len();
                infos.push(RecordInfo { end, ..RecordInfo::default() });
                self.model.write(record.clone(), false);
            }
            self.emit(&Batch::structured(&records.concat(), &infos))?;
        }
        Ok(())
    }

    /// Whatever comes in its midst, a line is not torn.
    fn write_long(&mut self, lengths: &[usize], between: Option<Signal>) -> TestCaseResult {
        // Where age counts, the file would have another time than the clock's when it is rolled over.
        let between = between.filter(|_| self.model.setup.max_age.is_none());
        let line = self.model.line(lengths.iter().sum());
        self.model.write(line.clone(), true);
        let mut rest = &line[..];
        for (index, length) in lengths.iter().enumerate() {
            let last = index + 1 == lengths.len();
            let (piece, behind) = rest.split_at(if last { rest.len() } else { *length });
            rest = behind;
            // What could not be done in mid-line is done behind it; a tick waits for the next.
            match between {
                Some(signal @ (Signal::Rollover | Signal::Reopen)) if last => self.obey(signal),
                _ => {}
            }
            self.emit(&Batch::piece(piece, index == 0, last))?;
            if let Some(signal) = between.filter(|_| index == 0) {
                self.send(signal);
            }
        }
        Ok(())
    }

    fn send(&mut self, signal: Signal) {
        match signal {
            Signal::Tick => self.handler().tick().unwrap(),
            Signal::Rollover => self.handler().control(Control::Rollover).unwrap(),
            Signal::Reopen => self.handler().control(Control::Reopen).unwrap(),
        }
    }

    fn obey(&mut self, signal: Signal) {
        match signal {
            Signal::Tick => self.model.roll_if_due(),
            Signal::Rollover => self.model.roll(),
            Signal::Reopen => self.model.begin(),
        }
    }

    fn restart(&mut self) -> TestCaseResult {
        self.close()?;
        self.model.open();
        self.open();
        Ok(())
    }

    fn close(&mut self) -> TestCaseResult {
        self.handler.take().unwrap().close().unwrap();
        match self.model.setup.is_unforeseen() {
            true => self.take_over()?,
            false => same(&self.files(), &self.model.expected())?,
        }
        self.check()
    }

    fn perform(&mut self, step: &Step) -> TestCaseResult {
        let racing = self.model.setup.is_unforeseen();
        match step {
            Step::Lines(lengths) => self.write_lines(lengths)?,
            Step::Records(records) => self.write_records(records)?,
            Step::Long(lengths, between) => self.write_long(lengths, *between)?,
            Step::Torn(length) => {
                let mut line = self.model.line(*length);
                line.pop();
                if !line.is_empty() {
                    self.model.write(line.clone(), false);
                    self.emit(&Batch::plain(&line))?;
                }
                self.restart()?;
            }
            Step::Clock(seconds) => {
                let by_age = self.model.setup.max_age.is_some();
                if by_age {
                    self.close()?;
                }
                self.model.now += seconds;
                self.model.set_back |= *seconds < 0;
                self.clock.set(instant(self.model.now));
                if by_age {
                    self.model.open();
                    self.open();
                }
            }
            Step::Signal(signal) => {
                self.obey(*signal);
                self.send(*signal);
            }
            Step::Restart => self.restart()?,
            Step::Neighbour(name) => {
                if !self.model.foreign.contains_key(*name) {
                    fs::write(self.path(name), name).unwrap();
                    self.model.foreign.insert((*name).into(), Foreign::File);
                }
            }
            Step::Obstacle(obstacle, ahead) if !racing => {
                let (time, number) = self.model.next_rank();
                let rank = (time, number + ahead);
                let name = self.model.name(&rank);
                if !self.model.archives.contains_key(&rank) && !self.model.foreign.contains_key(&name) {
                    let path = self.path(&name);
                    match obstacle {
                        Obstacle::Folder => fs::create_dir(path).unwrap(),
                        Obstacle::DanglingLink => std::os::unix::fs::symlink("nowhere", path).unwrap(),
                        Obstacle::LinkToFile => std::os::unix::fs::symlink("/dev/null", path).unwrap(),
                    }
                    self.model.foreign.insert(name, Foreign::Obstacle);
                }
            }
            Step::Clear if !racing => {
                let cleared: Vec<String> = self
                    .model
                    .foreign
                    .iter()
                    .filter(|(_, kind)| **kind == Foreign::Obstacle)
                    .map(|(name, _)| name.clone())
                    .collect();
                for name in cleared {
                    let path = self.path(&name);
                    let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
                    self.model.foreign.remove(&name);
                }
            }
            Step::Restore(number) if !racing && self.model.setup.max_total.is_none() => {
                let rank = match self.model.setup.names {
                    Names::Chain => (String::new(), *number),
                    _ => {
                        let at = instant(self.model.now - *number as i64 * 10_000);
                        (at.format(self.model.setup.time_format()).to_string(), 1)
                    }
                };
                self.close()?;
                let name = self.model.name(&rank);
                if !self.model.archives.contains_key(&rank) && !self.model.foreign.contains_key(&name) {
                    let content = self.model.line(5);
                    fs::write(self.path(&name), &content).unwrap();
                    let file = File::options().append(true).open(self.path(&name)).unwrap();
                    file.set_modified(self.clock.now().into()).unwrap();
                    let log = Log { records: vec![content], modified: self.model.now, compressed: false };
                    self.model.archives.insert(rank, log);
                    self.model.restored = true;
                }
                self.model.open();
                self.open();
            }
            Step::Delete(index) if !racing => {
                let ranks = self.model.ranks_oldest_first();
                if let Some(rank) = ranks.get(index % ranks.len().max(1)) {
                    let log = self.model.archives.remove(rank).unwrap();
                    let suffix = if log.compressed { ".gz" } else { "" };
                    fs::remove_file(self.path(&format!("{}{suffix}", self.model.name(rank)))).unwrap();
                    let gone: BTreeSet<&[u8]> = log.records.iter().map(|record| record.trim_ascii_end()).collect();
                    self.model.written.retain(|record| !gone.contains(record.trim_ascii_end()));
                }
            }
            Step::Obstacle(..) | Step::Clear | Step::Restore(_) | Step::Delete(_) => {}
        }
        self.settle()
    }

    /// Looks until the folder is what the model says.
    fn settle(&mut self) -> TestCaseResult {
        if self.model.setup.is_unforeseen() {
            return Ok(());
        }
        let give_up = Instant::now() + Duration::from_secs(3);
        let expected = self.model.expected();
        loop {
            let files = self.files();
            if files == expected {
                return Ok(());
            }
            if Instant::now() > give_up {
                return same(&files, &expected);
            }
            std::thread::yield_now();
        }
    }

    /// Every name with its bytes, unpacked.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let own = !self.model.foreign.contains_key(&name);
            let Ok(metadata) = fs::symlink_metadata(entry.path()) else { continue };
            let content = match metadata.is_file() {
                true => fs::read(entry.path()).unwrap_or_default(),
                false => b"(in the way)".into(),
            };
            let mut unpacked = Vec::new();
            let packed =
                own && name.ends_with(".gz") && MultiGzDecoder::new(&content[..]).read_to_end(&mut unpacked).is_ok();
            files.insert(name, if packed { unpacked } else { content });
        }
        files
    }

    /// Where it is not foreseen what is deleted: the oldest, whole, and no more than there must be room for; and goes
    /// on with what is left.
    fn take_over(&mut self) -> TestCaseResult {
        let files = self.files();
        let mut expected = self.model.expected();
        for rank in self.model.ranks_oldest_first() {
            let name = self.model.name(&rank);
            let packed = format!("{name}.gz");
            let log = self.model.archives.get_mut(&rank).unwrap();
            expected.remove(if log.compressed { &packed } else { &name });
            log.compressed = files.contains_key(&packed);
            match log.compressed || files.contains_key(&name) {
                true => drop(expected.insert(if log.compressed { packed } else { name }, log.bytes())),
                false => drop(self.model.archives.remove(&rank)),
            }
        }
        same(&files, &expected)?;
        let sizes = self.sizes();
        let (total, limit) = (sizes.values().sum::<u64>(), self.model.setup.max_total.unwrap_or(u64::MAX));
        prop_assert!(total <= limit || sizes.len() == 1, "{total} bytes where {limit} are allowed: {sizes:?}");
        Ok(())
    }

    /// What holds whatever the model says, on the disk at rest.
    fn check(&self) -> TestCaseResult {
        let files = self.files();
        let model = &self.model;
        for log in model.archives.values() {
            prop_assert!(!log.records.is_empty(), "an empty archive");
        }
        for log in model.archives.values().chain([&model.current]) {
            let fits = model.setup.max_bytes == 0 || log.len() <= model.setup.max_bytes || log.records.len() == 1;
            prop_assert!(fits, "{} bytes in {} records", log.len(), log.records.len());
        }
        // Only then is the order of the archives the order in which they were written.
        let by_number = model.setup.names == Names::Chain && model.setup.max_age.is_none();
        if !model.restored && (!model.set_back || by_number) {
            let oldest_first = model.ranks_oldest_first().into_iter().map(|rank| {
                let suffix = if model.archives[&rank].compressed { ".gz" } else { "" };
                format!("{}{suffix}", model.name(&rank))
            });
            let lines = |bytes: &[u8]| -> Vec<String> {
                let text = String::from_utf8_lossy(bytes);
                text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
            };
            let kept: Vec<_> = oldest_first.chain(["app.log".into()]).flat_map(|name| lines(&files[&name])).collect();
            let written: Vec<_> = self.model.written.iter().flat_map(|record| lines(record)).collect();
            let last = &written[written.len().saturating_sub(kept.len())..];
            prop_assert_eq!(kept, last, "what is kept is not the last of what was written");
        }
        Ok(())
    }
}

fn same(disk: &BTreeMap<String, Vec<u8>>, model: &BTreeMap<String, Vec<u8>>) -> TestCaseResult {
    let shown = |files: &BTreeMap<String, Vec<u8>>| -> BTreeMap<String, String> {
        files.iter().map(|(name, content)| (name.clone(), String::from_utf8_lossy(content).into_owned())).collect()
    };
    prop_assert_eq!(shown(disk), shown(model), "the disk is left, the model right");
    Ok(())
}

#[test]
fn whatever_happens_the_folder_is_what_the_model_says() {
    random::check(400, &(setups(), steps()), |(setup, steps)| {
        let mut world = World::new(setup);
        world.settle()?;
        for step in &steps {
            world.perform(step)?;
        }
        world.close()
    });
}
