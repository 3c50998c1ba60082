//! Which logs there are, and which files bear their names.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use memchr::memrchr;

use crate::inode::FileId;
use crate::sources::archive_name::readings;
use crate::sources::patterns::Found;
use crate::sources::position::Position;
use crate::sources::state::{FileState, LogState};

use super::files::Files;
use super::known::interests;
use super::log::{self, Log, Tracked, shown};
use super::look::{Look, is_link};
use super::watching::{Interest, Key};

/// A log whose name and files are gone is forgotten so much later.
const FORGET: Duration = Duration::from_secs(600);

/// File systems take their times from a clock that moves on so often at least: a new file may look this much older.
const TICK: Duration = Duration::from_millis(20);

/// How far back the beginning of a last line is looked for (`--from end`).
const LAST_LINE: u64 = 1024 * 1024;

/// A file that is to be read.
struct Input {
    /// From the root on.
    path: PathBuf,
    as_found: PathBuf,
    is_link: bool,
    metadata: Metadata,
}

impl Files {
    /// Takes up a log where an earlier run left it.
    pub(super) fn restore(&mut self, state: LogState) {
        self.add(Log::restored(state));
    }

    fn add(&mut self, log: Log) -> Key {
        let key = self.next_key;
        self.next_key += 1;
        self.by_path.insert(log.path.clone(), key);
        self.logs.insert(key, log);
        key
    }

    /// Looks through the folders.
    pub(super) fn scan(&mut self) {
        let begun = Instant::now();
        self.scans += 1;
        self.begun.get_or_insert_with(file_time);
        let scan = self.patterns.scan();
        let mut look = Look::new(&self.logs);
        for (folder, error) in &scan.errors {
            self.say_of(&shown(folder), &error.to_string());
        }
        if !self.follow && self.scans == 1 {
            for input in &scan.empty {
                let input = shown(self.patterns.input(*input));
                self.say_of(&input, "no such file");
            }
        }
        let files: Vec<Input> = scan.found.into_iter().filter_map(|found| self.regular(found)).collect();
        let archives = self.archives(&files);
        let paths: HashSet<PathBuf> = files.iter().map(|input| input.path.clone()).collect();
        let mut named: HashMap<PathBuf, Vec<PathBuf>> = HashMap::new();
        let mut seen: HashSet<Key> = HashSet::new();
        let mut new: HashSet<FileId> = HashSet::new();
        let mut logs: Vec<(Key, Metadata)> = Vec::new();
        let mut contested: Vec<(Key, Key, FileId)> = Vec::new();
        // A file that is found by its own name is not read by that of a link to it.
        let own: HashSet<FileId> =
            files.iter().filter(|file| !file.is_link).map(|file| FileId::of(&file.metadata)).collect();
        for Input { path, as_found, is_link, metadata } in files {
            if let Some(base) = archives.get(&path) {
                named.entry(base.clone()).or_default().push(look.place_of(&path));
                continue;
            }
            let id = FileId::of(&metadata);
            let key = match (self.by_path.get(&path), look.ids.get(&id)) {
                (Some(key), _) => *key,
                // A log of an earlier run, by another path to its name this time.
                (None, Some(key)) if self.is_only_name(*key, id, &paths) => *key,
                // The same file under another name, be it a second one or its new one.
                (None, Some(key)) if new.contains(&id) || self.logs.get(key).is_some_and(|log| log.owns(id, &path)) => {
                    let (key, place) = (*key, look.place_of(&path));
                    self.found_at(key, id, place);
                    continue;
                }
                (None, _) if is_link && own.contains(&id) => continue,
                // Renamed since it was found: under this name stands another one, or none.
                (None, Some(_)) if fs::metadata(&path).map_or(true, |metadata| FileId::of(&metadata) != id) => {
                    self.scan_soon();
                    continue;
                }
                (None, other) => {
                    let since = self.begun.filter(|_| self.scans > 1);
                    let (key, other) = (self.add(Log { since, ..Log::new(path, &as_found) }), other.copied());
                    contested.extend(other.map(|other| (key, other, id)));
                    key
                }
            };
            if let Some(log) = self.logs.get_mut(&key) {
                log.found_as(&as_found);
            }
            // Whose it was until now counts, whatever name it bears.
            look.ids.entry(id).or_insert(key);
            new.insert(id);
            seen.insert(key);
            logs.push((key, metadata));
        }
        for (key, metadata) in logs {
            let path = self.logs.get(&key).map(|log| log.path.clone()).unwrap_or_default();
            let named = named.remove(&path).unwrap_or_default();
            self.check(key, &metadata, &named, &mut look);
        }
        self.check_vanished(&seen, &mut look);
        for (key, other, id) in contested {
            self.give_back(key, other, id);
        }
        self.publish(&scan.folders, &mut look);
        // Where there is much to look through, names that come and go all the time must not take all the time.
        self.no_scan_before = Instant::now() + 4 * begun.elapsed();
    }

    /// Leaves out what is not to be read, and says why.
    fn regular(&mut self, found: Found) -> Option<Input> {
        let name = shown(&found.path);
        match &found.metadata {
            Ok(_) if !found.named && self.outputs.is_own(&found.path) => {}
            Err(error) => self.say_of(&name, &error.to_string()),
            Ok(metadata) if metadata.is_dir() => {
                self.say_of(&name, &format!("is a folder: name the files in it, as in '{name}/*.log'"));
            }
            Ok(metadata) if !metadata.is_file() => {
                self.say_of(
                    &name,
                    &format!("is no regular file: what comes from a pipe is read with --input - < {name}"),
                );
            }
            Ok(metadata) if self.outputs.is_own(&found.path) || self.outputs.has(&found.path, metadata) => {
                let why = "is not read: this program writes to it";
                // Who names it has not got what he asked for; who means all files would have to leave it out by hand.
                if found.named { self.say_of(&name, why) } else { self.warn_of(&name, why) }
            }
            Ok(metadata) => {
                let metadata = metadata.clone();
                self.said.remove(&name);
                let path = from_root(&found.path);
                return Some(Input { is_link: is_link(&path), path, as_found: found.path, metadata });
            }
        }
        None
    }

    /// Says once what is wrong.
    fn say_of(&mut self, what: &str, why: &str) {
        if self.said.get(what).map(String::as_str) != Some(why) {
            self.context.report.error(what, why);
            self.said.insert(what.to_owned(), why.to_owned());
        }
    }

    fn warn_of(&mut self, what: &str, why: &str) {
        if self.said.insert(what.to_owned(), why.to_owned()).as_deref() != Some(why) {
            self.context.report.warn(what, why);
        }
    }

    /// Which of the found files are archives of others: by their names, if those others are logs.
    fn archives(&self, files: &[Input]) -> HashMap<PathBuf, PathBuf> {
        let paths: HashSet<&Path> = files.iter().map(|input| input.path.as_path()).collect();
        let mut archives = HashMap::new();
        for Input { path, .. } in files {
            let Some(name) = path.file_name().filter(|name| may_be_archive(name)) else { continue };
            let is_log = |base: &PathBuf| paths.contains(base.as_path()) || self.by_path.contains_key(base);
            // One that may as well be a log by itself is read as one: a file is known wherever it is renamed to.
            let certain = readings(name).into_iter().filter(|reading| !reading.is_doubtful(name));
            let bases = certain.map(|reading| path.with_file_name(reading.base));
            // What has been a log so far stays one.
            if !self.by_path.contains_key(path)
                && let Some(base) = { bases }.find(is_log)
            {
                archives.insert(path.clone(), base);
            }
        }
        archives
    }

    /// Leaves a new log again if its file has turned out to be one of another log's.
    fn give_back(&mut self, key: Key, other: Key, id: FileId) {
        let is_it = |tracked: &Tracked| tracked.state.id == id && tracked.missing.is_none() && !tracked.overwritten;
        if self.logs.get(&other).is_some_and(|log| log.files.iter().any(is_it))
            && let Some(log) = self.logs.remove(&key)
        {
            self.by_path.remove(&log.path);
        }
    }

    /// Whether a log whose own path was not asked for still has this file there.
    fn is_only_name(&self, key: Key, id: FileId, asked: &HashSet<PathBuf>) -> bool {
        self.logs.get(&key).is_some_and(|log| {
            let leads_there = || fs::metadata(&log.path).is_ok_and(|metadata| FileId::of(&metadata) == id);
            !asked.contains(&log.path) && leads_there()
        })
    }

    /// A file of a log was found under another name, where it may still grow, and is found again once it was closed.
    fn found_at(&mut self, key: Key, id: FileId, place: PathBuf) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        let mut states = log.files.iter_mut().map(|tracked| &mut tracked.state).chain(&mut log.done);
        if let Some(state) = states.find(|state| state.id == id)
            && FileId::at(&state.place) != Some(id)
        {
            state.place = place;
        }
    }

    /// Looks whether a log's name still leads to the file that is read.
    fn check(&mut self, key: Key, metadata: &Metadata, named: &[PathBuf], look: &mut Look) {
        let first = self.scans == 1;
        let Some(log) = self.logs.get_mut(&key) else { return };
        log.gone = None;
        let id = FileId::of(metadata);
        if log.said.take().is_some() {
            // What was wrong may have been mended.
            self.push_turn(key);
        }
        let Some(log) = self.logs.get_mut(&key) else { return };
        // What was done may have grown while nobody looked.
        let settled = (!first || log.done.is_empty()) && log.files.iter().all(|tracked| tracked.live);
        if settled
            && let Some(live) = log.files.back_mut()
            && live.state.is(metadata)
        {
            // Whether it was cut is seen when it is read.
            let touched = live.state.modified != log::modified(metadata) || live.state.position.seen != metadata.len();
            // How long it is counts only where it is read, and so known to be the same: it may have been cut.
            live.state.modified = log::modified(metadata);
            if touched {
                self.push_turn(key);
            }
            return;
        }
        // A packed file that was read.
        let read = |state: &FileState| state.gzip && state.id == id && state.modified == log::modified(metadata);
        if log.files.is_empty() && log.done.back().is_some_and(read) {
            return;
        }
        let is_new = log.is_new();
        self.reconcile_with(key, false, named, look);
        if is_new && first && self.from_end && self.was_there(metadata) {
            self.go_to_end(key);
        }
    }

    /// Whether a file without a position was there when positions were written down last: else it is new, and
    /// `--from end` is not meant for it.
    fn was_there(&self, metadata: &Metadata) -> bool {
        let before = |saved: SystemTime| metadata.created().is_ok_and(|created| created + TICK <= saved);
        self.saved_at.is_none_or(|saved| before(saved.into()))
    }

    /// Logs whose names lead nowhere.
    fn check_vanished(&mut self, seen: &HashSet<Key>, look: &mut Look) {
        let vanished: Vec<Key> = self.logs.keys().filter(|key| !seen.contains(key)).copied().collect();
        for key in vanished {
            let Some(log) = self.logs.get_mut(&key) else { continue };
            if self.scans == 1 && fs::symlink_metadata(&log.path).is_ok() {
                // It is there, but nobody asked for it this time.
                let path = log.path.clone();
                self.by_path.remove(&path);
                self.dormant.extend(self.logs.remove(&key).map(|log| log.state()));
                continue;
            }
            if log.files.is_empty() {
                let since = *log.gone.get_or_insert_with(Instant::now);
                let written = log.done.iter().map(|state| state.modified).max();
                let long_ago = written.is_none_or(|written| written.elapsed().is_ok_and(|time| time > FORGET));
                // As long as its archives are there, they are not to be found new.
                let is_there = |state: &FileState| FileId::at(&state.place) == Some(state.id);
                let any_left = log.done.iter().any(is_there);
                if !any_left && (since.elapsed() > FORGET || (self.scans == 1 && long_ago)) {
                    let path = log.path.clone();
                    self.by_path.remove(&path);
                    self.logs.remove(&key);
                    self.changed = true;
                    continue;
                }
                // A file may have come and been renamed before anybody looked.
            }
            self.reconcile_with(key, false, &[], look);
        }
    }

    /// Tells the watch what is of interest.
    fn publish(&mut self, folders: &BTreeSet<PathBuf>, look: &mut Look) {
        if self.watching.is_none() {
            return;
        }
        let mut watched: BTreeSet<PathBuf> = BTreeSet::new();
        for folder in folders {
            watched.extend(fs::canonicalize(folder));
            watched.extend(folders_of_links(folder));
        }
        let mut places = HashMap::new();
        let keys: Vec<(Key, PathBuf)> = self.logs.iter().map(|(key, log)| (*key, log.path.clone())).collect();
        for (key, path) in keys {
            let place = look.place_of(&path);
            watched.extend(place.parent().map(Path::to_owned));
            let interests = self.logs.get(&key).map(|log| interests(key, log)).unwrap_or_default();
            watched.extend(interests.iter().filter_map(|(place, _)| place.parent().map(Path::to_owned)));
            places.extend(interests);
            places.insert(place, Interest { key, done: false });
        }
        let Some(watching) = &mut self.watching else { return };
        watching.set_places(places);
        if watching.set_folders(&watched) {
            // What happened in a folder before it was watched is yet to be seen.
            self.scan_at = Some(Instant::now());
        }
    }

    /// Leaves out what a new log holds already (`--from end`).
    fn go_to_end(&mut self, key: Key) {
        let Some(log) = self.logs.get_mut(&key) else { return };
        let (live, archives): (VecDeque<_>, _) = log.files.drain(..).partition(|tracked| tracked.live);
        log.files = live;
        for tracked in &mut log.files {
            tracked.go_to_end();
        }
        // Their lines are old, but for those that come late.
        for mut tracked in Vec::from(archives).into_iter().filter(|tracked| !tracked.state.gzip) {
            let at_end = |file: &File| Position::at(file, file.metadata()?.len());
            if let Ok(Some(position)) = tracked.open().and_then(|file| file.map(at_end).transpose()) {
                log.remember(FileState { position, ..tracked.state });
            }
        }
    }
}

impl Tracked {
    fn go_to_end(&mut self) {
        let at_end = self.open().and_then(|file| file.map(position_of_last_line).transpose());
        if let Ok(Some(position)) = at_end {
            self.state.position = position;
        }
        // Thousands may be found at once.
        self.file = None;
    }
}

/// A path that is the same wherever the program is started: `..` depends on where its folder leads, so it is followed.
fn from_root(path: &Path) -> PathBuf {
    let last_up = path.components().collect::<Vec<_>>().iter().rposition(|part| *part == Component::ParentDir);
    if let Some(last_up) = last_up {
        let up: PathBuf = path.components().take(last_up + 1).collect();
        let rest: PathBuf = path.components().skip(last_up + 1).collect();
        if let Ok(folder) = fs::canonicalize(up) {
            return folder.join(rest);
        }
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The time that a file gets that is made now: Linux takes it from a clock that moves on some hundred times a second.
fn file_time() -> SystemTime {
    #[cfg(target_os = "linux")]
    {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(ClockId::RealtimeCoarse);
        let since = Duration::try_from(time).unwrap_or_default();
        SystemTime::UNIX_EPOCH + since
    }
    #[cfg(not(target_os = "linux"))]
    SystemTime::now()
}

/// Whether a name can be an archive's at all: all of them have a digit in them, or end in .old.
fn may_be_archive(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.iter().any(u8::is_ascii_digit) || bytes.windows(4).any(|part| part == b".old")
}

/// The folders in which the symlinks of a path stand: one that is made to lead elsewhere changes what the path means.
fn folders_of_links(path: &Path) -> Vec<PathBuf> {
    let links = path.ancestors().filter(|part| is_link(part));
    links
        .filter_map(|link| {
            fs::canonicalize(link.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
                .ok()
        })
        .collect()
}

/// Where the last line begins; one that is very long is left out.
fn position_of_last_line(file: &File) -> io::Result<Position> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LAST_LINE);
    let mut bytes = vec![0; (length - from) as usize];
    file.read_exact_at(&mut bytes, from)?;
    let offset = match memrchr(b'\n', &bytes) {
        Some(at) => from + at as u64 + 1,
        None if from == 0 => 0,
        None => length,
    };
    Ok(Position { seen: length, ..Position::at(file, offset)? })
}
