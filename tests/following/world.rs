//! The folder in which it all happens, and the truth of what stands where.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use chrono::{Days, NaiveDate};
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use crate::run::Run;
use crate::steps::{LOGS, Pattern, Setup, Step};

pub struct World {
    _folder: TempDir,
    pub root: PathBuf,
    pub setup: Setup,
    pub lines: Vec<Line>,
    pub texts: Vec<Text>,
    /// Which text stands under which name, compressed or not.
    pub names: BTreeMap<String, usize>,
    pub logs: [LogTruth; LOGS],
    pub run: Option<Run>,
    pub runs: usize,
    /// What the present run has put out.
    pub came: Came,
    /// How many bytes were said to be skipped.
    pub skipped: u64,
    pub killed: bool,
    story: Vec<String>,
}

/// One line that was written, or its beginning.
pub struct Line {
    pub log: usize,
    pub generation: usize,
    /// Without a line end.
    pub bytes: Vec<u8>,
    pub finished: bool,
    /// Its file had been replaced when it came.
    pub late: bool,
    /// Nobody can know that it is to be read.
    pub excused: bool,
    /// It stood there before `--from end`.
    pub forbidden: bool,
    /// Loghand has surely seen it, be it unfinished.
    pub seen: bool,
    pub delivered: bool,
    /// No later run may deliver it.
    pub covered: bool,
}

/// What stands, or stood, in a file.
#[derive(Clone, Default)]
pub struct Text {
    pub log: usize,
    pub generation: usize,
    pub bytes: Vec<u8>,
    /// Its lines and where they end.
    pub lines: Vec<(u64, usize)>,
    /// Its last line has no end, and the one before it was written in the same call.
    pub open_behind: Option<Option<usize>>,
    pub excused: bool,
    pub copy: bool,
}

#[derive(Default)]
pub struct LogTruth {
    pub generations: usize,
    /// Loghand knows that there is such a log.
    pub known: bool,
    pub archives: u64,
}

#[derive(Default)]
pub struct Came {
    pub lines: HashSet<usize>,
    /// The last line of each log, and of each of its generations.
    pub last: BTreeMap<(usize, Option<usize>), usize>,
}

const LINKS: [&str; 2] = ["logs/y.log", "logs/z.log"];

impl World {
    pub fn new(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        for inner in ["logs", "data"] {
            fs::create_dir(root.join(inner)).unwrap();
        }
        Self {
            _folder: folder,
            root,
            story: vec![format!("{setup:?}")],
            setup,
            lines: Vec::new(),
            texts: Vec::new(),
            names: BTreeMap::new(),
            logs: Default::default(),
            run: None,
            runs: 0,
            came: Came::default(),
            skipped: 0,
            killed: false,
        }
    }

    pub fn story(&self) -> String {
        let mut story = self.story.join("\n");
        for run in 0..self.runs {
            let said = fs::read_to_string(self.root.join(format!("err.{run}"))).unwrap_or_default();
            story += &format!("\nrun {run} said:\n{said}");
        }
        story + &fs::read_to_string(self.root.join("positions")).unwrap_or_default()
    }

    pub fn tell(&mut self, what: impl Into<String>) {
        self.story.push(what.into());
    }

    pub fn take(&mut self, step: &Step) -> Result<(), String> {
        self.tell(format!("{step:?}"));
        match *step {
            Step::Lines { log, ref lengths, at_once } => self.append(self.log(log), lengths, at_once, None),
            Step::Begin { log, ref lengths, rest } => self.append(self.log(log), lengths, true, Some(rest)),
            Step::Rotate { log, finish, create, keep } => self.rotate(self.log(log), finish, create, keep),
            Step::CopyTruncate { log, looked_at } => return self.copy_and_truncate(self.log(log), looked_at),
            Step::Gzip { log, which, temporary, looked_at } => {
                return self.gzip(self.log(log), which, temporary, looked_at);
            }
            Step::Late { log, ref lengths } => self.late(self.log(log), lengths),
            Step::Edit { log } => self.edit(self.log(log)),
            Step::HardLink => self.toggle(LINKS[1]),
            Step::Symlink => self.toggle(LINKS[0]),
            Step::Truncate { log, regrows } => self.truncate(self.log(log), regrows),
            Step::Delete { log } => self.delete(self.log(log)),
            Step::DeleteOldest { log } => self.delete_oldest(self.log(log)),
            Step::Quiesce => return self.quiesce(),
            Step::Stop { restart } => {
                self.stop()?;
                return if restart { self.start() } else { Ok(()) };
            }
            Step::Kill { restart } => {
                self.kill()?;
                return if restart { self.start() } else { Ok(()) };
            }
            Step::Start => return self.start(),
        }
        Ok(())
    }

    fn log(&self, log: usize) -> usize {
        if self.setup.pattern == Pattern::Literal { 0 } else { log }
    }

    pub fn is_linked(&self, log: usize) -> bool {
        self.setup.linked && log == LOGS - 1
    }

    /// Where the log's lines are written.
    pub fn live_name(&self, log: usize) -> String {
        match self.is_linked(log) {
            true => format!("data/{}", self.logs[log].archives),
            false => format!("{}.log", log_path(log)),
        }
    }

    pub fn live(&self, log: usize) -> Option<usize> {
        self.names.get(&self.live_name(log)).copied()
    }

    /// The log's archives by their names, the oldest first.
    fn archives(&self, log: usize) -> Vec<String> {
        let prefix = format!("{}.log", log_path(log));
        let live = self.live_name(log);
        let mut archives: Vec<String> = match self.is_linked(log) {
            true => self.names.keys().filter(|name| name.starts_with("data/") && **name != live).cloned().collect(),
            false => self.names.keys().filter(|name| name.starts_with(&prefix) && **name != live).cloned().collect(),
        };
        archives.sort_by_key(|name| self.texts[self.names[name]].generation);
        archives
    }

    fn new_text(&mut self, log: usize) -> usize {
        let generation = self.logs[log].generations;
        self.logs[log].generations += 1;
        self.texts.push(Text { log, generation, ..Text::default() });
        self.texts.len() - 1
    }

    /// Makes an empty file where the log's lines are to be written.
    fn create(&mut self, log: usize) -> usize {
        let name = self.live_name(log);
        File::create_new(self.root.join(&name)).unwrap();
        let text = self.new_text(log);
        self.names.insert(name, text);
        if self.is_linked(log) {
            let hidden = self.root.join("logs/.new");
            symlink(self.root.join(self.live_name(log)), &hidden).unwrap();
            fs::rename(hidden, self.root.join(format!("{}.log", log_path(log)))).unwrap();
        }
        text
    }

    /// Writes into a file, and into its text.
    fn write(&mut self, name: &str, lengths: &[usize], at_once: bool, begin: Option<usize>, late: bool) {
        let text = self.names[name];
        let Text { log, generation, excused, .. } = self.texts[text];
        let mut file = OpenOptions::new().append(true).open(self.root.join(name)).unwrap();
        let mut bytes = Vec::new();
        if self.texts[text].open_behind.take().is_some() {
            let (_, line) = self.texts[text].lines.pop().unwrap();
            bytes = b" and the rest;".to_vec();
            self.lines[line].bytes.extend_from_slice(&bytes);
            self.lines[line].finished = true;
            // Its beginning alone was.
            self.lines[line].seen = false;
            self.lines[line].late |= late;
            bytes.push(b'\n');
            self.texts[text].bytes.extend_from_slice(&bytes);
            let end = self.texts[text].bytes.len() as u64;
            self.texts[text].lines.push((end, line));
        }
        for (at, length) in lengths.iter().chain(&begin).enumerate() {
            let finished = at < lengths.len();
            if !at_once {
                file.write_all(&std::mem::take(&mut bytes)).unwrap();
            }
            let line = self.lines.len();
            let mut words = format!("{line} of {}.log {} ", log_path(log), "x".repeat(*length)).into_bytes();
            if finished {
                words.push(b';');
            }
            bytes.extend_from_slice(&words);
            let known = &mut self.texts[text];
            known.bytes.extend_from_slice(&words);
            if finished {
                bytes.push(b'\n');
                known.bytes.push(b'\n');
            } else {
                let before = known.lines.last().filter(|_| at > 0 && at_once && known.bytes.len() < 4096);
                known.open_behind = Some(before.map(|(_, line)| *line));
            }
            known.lines.push((known.bytes.len() as u64, line));
            self.lines.push(Line {
                log,
                generation,
                bytes: words,
                finished,
                late,
                excused,
                forbidden: false,
                seen: false,
                delivered: false,
                covered: false,
            });
        }
        file.write_all(&bytes).unwrap();
    }

    fn append(&mut self, log: usize, lengths: &[usize], at_once: bool, begin: Option<usize>) {
        if self.live(log).is_none() {
            self.create(log);
        }
        self.write(&self.live_name(log), lengths, at_once, begin, false);
    }

    /// What is renamed before anybody knew the log is nobody's.
    fn excuse_unknown(&mut self, log: usize, text: usize) {
        let linked = self.is_linked(log);
        let known = if linked {
            self.texts[text].lines.iter().any(|(_, line)| self.lines[*line].seen)
        } else {
            self.logs[log].known
        };
        if !known && (linked || self.setup.pattern != Pattern::Archives) {
            self.excuse(text);
        }
    }

    pub fn excuse(&mut self, text: usize) {
        self.texts[text].excused = true;
        for (_, line) in &self.texts[text].lines {
            self.lines[*line].excused = true;
        }
    }

    fn rotate(&mut self, log: usize, finish: bool, create: bool, keep: Option<usize>) {
        let Some(text) = self.live(log) else { return };
        self.excuse_unknown(log, text);
        if self.is_linked(log) {
            if finish && self.texts[text].open_behind.is_some() {
                self.write(&self.live_name(log), &[], true, None, false);
            }
            self.logs[log].archives += 1;
            self.create(log);
            return;
        }
        let archive = self.make_room(log, keep);
        self.rename(&self.live_name(log), &archive);
        if finish && self.texts[text].open_behind.is_some() {
            self.write(&archive, &[], true, None, false);
        }
        // An archive that is found alone passes for a log of its own, and stays one.
        if create || (self.setup.pattern == Pattern::Archives && !self.logs[log].known) {
            self.create(log);
        }
    }

    /// Gives the name of the next archive, which is free.
    fn make_room(&mut self, log: usize, keep: Option<usize>) -> String {
        let base = format!("{}.log", log_path(log));
        self.logs[log].archives += 1;
        let archives = self.archives(log);
        let too_many = keep.map_or(0, |keep| (archives.len() + 1).saturating_sub(keep));
        for name in &archives[..too_many.min(archives.len())] {
            // What is unread may still be lost only where that is expected.
            let text = &self.texts[self.names[name]];
            if text.lines.iter().all(|(_, line)| self.lines[*line].seen || self.lines[*line].excused) {
                self.unlink(name);
            }
        }
        if self.setup.dated[log] {
            let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(self.logs[log].archives);
            return format!("{base}-{}", day.format("%Y%m%d"));
        }
        for name in self.archives(log) {
            let tag = name.strip_prefix(&base).unwrap();
            let (number, packed) = match tag.strip_suffix(".gz") {
                Some(number) => (number, ".gz"),
                None => (tag, ""),
            };
            let number: u32 = number[1..].parse().unwrap();
            self.rename(&name, &format!("{base}.{}{packed}", number + 1));
        }
        format!("{base}.1")
    }

    fn rename(&mut self, from: &str, to: &str) {
        assert!(!self.root.join(to).exists(), "{to} is there");
        fs::rename(self.root.join(from), self.root.join(to)).unwrap();
        let text = self.names.remove(from).unwrap();
        self.names.insert(to.to_owned(), text);
    }

    fn unlink(&mut self, name: &str) {
        fs::remove_file(self.root.join(name)).unwrap();
        self.names.remove(name);
    }

    fn copy_and_truncate(&mut self, log: usize, looked_at: bool) -> Result<(), String> {
        let Some(text) = self.live(log).filter(|_| !self.is_linked(log)) else { return Ok(()) };
        self.excuse_unknown(log, text);
        let archive = self.make_room(log, None);
        fs::copy(self.root.join(self.live_name(log)), self.root.join(&archive)).unwrap();
        self.texts.push(Text { copy: true, ..self.texts[text].clone() });
        self.names.insert(archive, self.texts.len() - 1);
        if looked_at && self.run.as_ref().is_some_and(|run| run.follows) {
            self.quiesce()?;
        }
        self.cut(log);
        Ok(())
    }

    /// Cuts the log's file, under all its names.
    fn cut(&mut self, log: usize) {
        let Some(old) = self.live(log) else { return };
        let file = OpenOptions::new().write(true).open(self.root.join(self.live_name(log))).unwrap();
        file.set_len(0).unwrap();
        let new = self.new_text(log);
        for text in self.names.values_mut().filter(|text| **text == old) {
            *text = new;
        }
    }

    fn truncate(&mut self, log: usize, regrows: bool) {
        let Some(text) = self.live(log) else { return };
        let length = self.texts[text].bytes.len();
        self.cut(log);
        if regrows {
            self.append(log, &[length + 1], true, None);
        }
    }

    fn delete(&mut self, log: usize) {
        if self.live(log).is_some() && !self.is_linked(log) {
            self.unlink(&self.live_name(log));
        }
    }

    fn delete_oldest(&mut self, log: usize) {
        if let Some(oldest) = self.archives(log).first() {
            self.unlink(&oldest.clone());
        }
    }

    fn gzip(&mut self, log: usize, which: usize, temporary: bool, looked_at: bool) -> Result<(), String> {
        // As gzip does: not what has other names.
        let has_other_names = |name: &String| self.names.values().filter(|text| **text == self.names[name]).count() > 1;
        let plain = |name: &String| !name.ends_with(".gz") && !has_other_names(name) && !name.starts_with("data/");
        let archives: Vec<String> = self.archives(log).into_iter().filter(plain).collect();
        let Some(name) = archives.len().checked_sub(1 + which).map(|at| archives[at].clone()) else { return Ok(()) };
        let packed = format!("{name}.gz");
        let place = if temporary { "logs/.packing".to_owned() } else { packed.clone() };
        let text = self.names[&name];
        let lines = &self.texts[text].lines;
        let read = lines.iter().filter(|(_, line)| self.lines[*line].seen).map(|(end, _)| *end).max();
        // Of a short one to which lines came late it cannot be told that it is the same.
        if read.is_some_and(|read| read < 256 && read < self.texts[text].bytes.len() as u64) {
            return Ok(());
        }
        let mut encoder = GzEncoder::new(File::create_new(self.root.join(&place)).unwrap(), Compression::fast());
        for part in self.texts[text].bytes.chunks(self.texts[text].bytes.len() / 2 + 1) {
            encoder.write_all(part).unwrap();
            encoder.flush().unwrap();
        }
        let modified = fs::metadata(self.root.join(&name)).unwrap().modified().unwrap();
        encoder.finish().unwrap().set_times(FileTimes::new().set_modified(modified)).unwrap();
        if temporary {
            fs::rename(self.root.join(place), self.root.join(&packed)).unwrap();
        }
        self.names.insert(packed, text);
        if looked_at && self.run.as_ref().is_some_and(|run| run.follows) {
            self.quiesce()?;
        }
        self.unlink(&name);
        Ok(())
    }

    fn late(&mut self, log: usize, lengths: &[usize]) {
        let Some(name) = self.archives(log).pop().filter(|name| !name.ends_with(".gz")) else { return };
        let text = &self.texts[self.names[&name]];
        // Its writers stay away once the line is lost for them.
        if text.copy || self.is_linked(log) || (text.open_behind.is_some() && self.live(log).is_some()) {
            return;
        }
        self.write(&name, lengths, true, None, true);
    }

    fn edit(&mut self, log: usize) {
        let name = self.live_name(log);
        let Some(old) = self.live(log).filter(|_| !self.is_linked(log)) else { return };
        let text = &self.texts[old];
        let is_read = text.lines.iter().all(|(_, line)| self.lines[*line].seen && self.lines[*line].finished);
        let names = self.names.values().filter(|text| **text == old).count();
        // Of a shorter one it cannot be told that it is the same.
        if !is_read || text.bytes.len() < 256 || names > 1 {
            return;
        }
        self.texts.push(text.clone());
        let new = self.texts.len() - 1;
        let hidden = "logs/.edited".to_owned();
        fs::write(self.root.join(&hidden), &self.texts[new].bytes).unwrap();
        self.names.insert(hidden.clone(), new);
        self.write(&hidden, &[7], true, None, false);
        fs::rename(self.root.join(&hidden), self.root.join(&name)).unwrap();
        self.names.remove(&hidden);
        self.names.insert(name, new);
    }

    /// Whether a file with another name can be known to be the log's.
    fn is_known(&self, text: usize) -> bool {
        let lines = &self.texts[text].lines;
        !lines.is_empty() && lines.iter().all(|(_, line)| self.lines[*line].seen)
    }

    /// A second name for the first log comes, or goes.
    fn toggle(&mut self, link: &str) {
        let path = self.root.join(link);
        if fs::symlink_metadata(&path).is_ok() {
            fs::remove_file(path).unwrap();
            self.names.remove(link);
        } else if link == LINKS[0] {
            symlink("a.log", path).unwrap();
        } else if let Some(text) = self.live(0).filter(|text| self.is_known(*text)) {
            fs::hard_link(self.root.join(self.live_name(0)), path).unwrap();
            self.names.insert(link.to_owned(), text);
        }
    }
}

fn log_path(log: usize) -> &'static str {
    ["logs/a", "logs/b", "logs/c"][log]
}
