//! Which files `--input` and `--exclude` name.
//!
//! The glob crate matches the names, but the walk is ours: the crate's own leaves out names that are not UTF-8 without a
//! word, and does not say which folders would have to be watched for more.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

mod exclude;
mod name;
mod walk;
mod word;

use exclude::Exclude;
use walk::{Walk, is_absence, plain};
use word::{Part, Word};

/// A word that is no pattern and no file's name.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("'{}' is no pattern: {why}", .word.display())]
pub struct PatternError {
    word: OsString,
    why: &'static str,
}

impl PatternError {
    fn new(word: &OsStr, why: &'static str) -> Self {
        Self { word: word.to_owned(), why }
    }
}

/// Which files are meant.
#[derive(Clone, Debug)]
pub struct Patterns {
    inputs: Vec<Word>,
    excludes: Vec<Exclude>,
}

/// What was meant at one time.
#[derive(Debug, Default)]
pub struct Scan {
    /// In the order of the inputs, and within one in that of the paths, component by component; a path only once.
    pub found: Vec<Found>,
    /// Every folder in which a match may appear or vanish. For a part of a path that does not exist, the deepest folder
    /// above it that does.
    pub folders: BTreeSet<PathBuf>,
    /// The inputs that lead to nothing, or only to what is excluded.
    pub empty: Vec<usize>,
    /// Folders that could not be read; one that does not exist is no error.
    pub errors: Vec<(PathBuf, io::Error)>,
}

/// A file that is meant: a regular one, unless it was named literally.
#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    /// The first input that names it.
    pub input: usize,
    /// Whether any input names it literally, not by a wildcard.
    pub named: bool,
    /// Symlinks followed.
    pub metadata: io::Result<Metadata>,
}

impl Patterns {
    /// A word of `inputs` that is a file's name stands for that file, also with wildcards in it. Excludes win over
    /// inputs; one with a slash is matched against the path as it was found, one without against the file's name.
    ///
    /// # Errors
    /// When a word is no pattern, nor, of the inputs, the name of a file.
    pub fn new(inputs: &[PathBuf], excludes: &[PathBuf]) -> Result<Self, PatternError> {
        Ok(Self {
            inputs: inputs.iter().map(|word| Word::new(word)).collect::<Result<_, _>>()?,
            excludes: excludes.iter().map(|word| Exclude::new(word)).collect::<Result<_, _>>()?,
        })
    }

    /// Whether no file is meant at all.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The input with this number, as it was given.
    pub fn input(&self, number: usize) -> &Path {
        self.inputs.get(number).map_or(Path::new(""), |word| &word.path)
    }

    /// Whether a walk would find a file at `path`, written as the walk writes it.
    pub fn names(&self, path: &Path) -> bool {
        let is_meant = |word: &Word| word.parts.as_ref().is_some_and(|parts| leads_to(parts, path));
        self.inputs.iter().any(is_meant) && !self.excludes.iter().any(|exclude| exclude.takes(path))
    }

    /// Looks through the folders: each is read once, and each match looked at once.
    pub fn scan(&self) -> Scan {
        let mut walk = Walk::default();
        let mut found: Vec<Found> = Vec::new();
        let mut places: HashMap<PathBuf, usize> = HashMap::new();
        let mut empty = Vec::new();
        for (input, word) in self.inputs.iter().enumerate() {
            // As a name it may appear even where the pattern does not look.
            walk.watch_for(&word.path);
            let pattern = word.pattern();
            let named = pattern.is_none();
            let mut paths = match pattern {
                Some(parts) => walk.candidates(parts),
                None => {
                    walk.watch_for_target(&word.path);
                    vec![word.path.clone()]
                }
            };
            paths.sort();
            let mut any = false;
            for path in paths {
                if self.excludes.iter().any(|exclude| exclude.takes(&path)) {
                    continue;
                }
                let key = plain(&path);
                if let Some(place) = places.get(key) {
                    found[*place].named |= named;
                    any = true;
                } else if let Some(metadata) = look(&path, named) {
                    places.insert(key.to_owned(), found.len());
                    found.push(Found { path, input, named, metadata });
                    any = true;
                }
            }
            if !any {
                empty.push(input);
            }
        }
        Scan { found, folders: walk.folders, empty, errors: walk.errors }
    }
}

/// Whether the parts of a pattern lead to just this path.
fn leads_to(parts: &[Part], path: &Path) -> bool {
    let Some((part, behind)) = parts.split_first() else { return path.as_os_str().is_empty() };
    if let Part::Literal(literal) = part {
        return path.strip_prefix(literal).is_ok_and(|rest| leads_to(behind, rest));
    }
    let mut components = path.components();
    let Some(first) = components.next().map(|first| first.as_os_str().as_bytes()) else { return false };
    let rest = components.as_path();
    match part {
        Part::Name(name) => name.lists(first) && leads_to(behind, rest),
        _ => leads_to(behind, path) || (!first.starts_with(b".") && leads_to(parts, rest)),
    }
}

/// None when there is nothing, or nothing that a wildcard may mean.
fn look(path: &Path, named: bool) -> Option<io::Result<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => (named || metadata.is_file()).then_some(Ok(metadata)),
        // A symlink that leads in a circle leads nowhere, as one does whose target is gone.
        Err(error) if is_absence(&error) || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            None
        }
        Err(error) => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests;
