//! The walk through the folders that a pattern leads to.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::word::Part;

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// What several patterns share: a folder is read once for all of them.
#[derive(Debug, Default)]
pub struct Walk {
    listings: HashMap<PathBuf, Rc<[Entry]>>,
    /// Where something may appear or vanish.
    pub folders: BTreeSet<PathBuf>,
    pub errors: Vec<(PathBuf, io::Error)>,
}

#[derive(Debug)]
struct Entry {
    name: OsString,
    /// Symlinks not followed.
    kind: FileType,
}

impl Walk {
    /// What may match: literal names may not exist, and what a symlink leads to was not looked at. Not in order.
    pub fn candidates(&mut self, parts: &[Part]) -> Vec<PathBuf> {
        let mut candidates = Vec::new();
        // Two `**` can come to the same folder by many ways.
        let mut seen = HashSet::new();
        let mut todo = vec![(PathBuf::new(), 0)];
        while let Some((folder, at)) = todo.pop() {
            let is_last = at + 1 == parts.len();
            match &parts[at] {
                Part::Literal(path) if is_last => {
                    let path = folder.join(path);
                    self.watch_for(&path);
                    self.watch_for_target(&path);
                    candidates.push(path);
                }
                Part::Literal(path) => todo.push((folder.join(path), at + 1)),
                Part::Name(name) => {
                    let entries = self.list(&folder);
                    let matching = entries.iter().filter(|entry| name.lists(entry.name.as_bytes()));
                    for Entry { name, kind } in matching {
                        let path = folder.join(name);
                        if is_last && (kind.is_file() || kind.is_symlink()) {
                            if kind.is_symlink() {
                                self.watch_for_target(&path);
                            }
                            candidates.push(path);
                        } else if !is_last && (kind.is_dir() || kind.is_symlink() && path.is_dir()) {
                            todo.push((path, at + 1));
                        }
                    }
                }
                Part::Folders => {
                    if seen.insert((folder.clone(), at)) {
                        let entries = self.list(&folder);
                        let inner = entries.iter().filter(|entry| entry.kind.is_dir());
                        let shown = inner.filter(|entry| !entry.name.as_bytes().starts_with(b"."));
                        todo.extend(shown.map(|entry| (folder.join(&entry.name), at)));
                        todo.push((folder, at + 1));
                    }
                }
            }
        }
        candidates
    }

    /// Notes where `path` appears or vanishes: in its folder, or in the deepest above it that there is.
    pub fn watch_for(&mut self, path: &Path) {
        if let Some(folder) = path.parent() {
            self.watch(folder);
        }
    }

    /// Notes where what a symlink at `path` leads to appears or vanishes (as in Kubernetes, where every log is a link to
    /// one that is rotated elsewhere).
    pub fn watch_for_target(&mut self, path: &Path) {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let Ok(target) = fs::read_link(&path) else { return };
            path = path.parent().unwrap_or(Path::new("")).join(target);
            self.watch_for(&path);
        }
    }

    fn watch(&mut self, folder: &Path) {
        let folders = folder.ancestors().map(or_here);
        self.folders.extend(folders.into_iter().find(|folder| folder.is_dir()).map(plain).map(Path::to_owned));
    }

    /// The names in `folder`, but for `.` and `..`.
    fn list(&mut self, folder: &Path) -> Rc<[Entry]> {
        if let Some(entries) = self.listings.get(folder) {
            return Rc::clone(entries);
        }
        let mut entries = Vec::new();
        match fs::read_dir(or_here(folder)) {
            Err(error) => {
                self.watch(folder);
                if !is_absence(&error) {
                    self.errors.push((or_here(folder).to_owned(), error));
                }
            }
            Ok(listing) => {
                self.folders.insert(plain(or_here(folder)).to_owned());
                for entry in listing {
                    match entry.and_then(|entry| Ok(Entry { kind: entry.file_type()?, name: entry.file_name() })) {
                        Ok(entry) => entries.push(entry),
                        // It vanished while its folder was read.
                        Err(error) if is_absence(&error) => {}
                        Err(error) => {
                            self.errors.push((or_here(folder).to_owned(), error));
                            break;
                        }
                    }
                }
            }
        }
        // In order here, so that hardly anything is left to be sorted later.
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let entries: Rc<[Entry]> = entries.into();
        self.listings.insert(folder.to_owned(), Rc::clone(&entries));
        entries
    }
}

/// Whether it only says that there is nothing.
pub fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The path without a dot for the folder one is in before it: two ways to write one path.
pub fn plain(path: &Path) -> &Path {
    or_here(path.strip_prefix(".").unwrap_or(path))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}
