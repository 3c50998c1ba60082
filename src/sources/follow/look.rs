//! What one look through the folders finds out once: where paths lead, what lies there, and whose the known files are.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use crate::inode::FileId;

use super::log::Log;
use super::siblings::Siblings;
use super::watching::Key;

/// One look.
pub struct Look {
    pub siblings: Siblings,
    /// Whose file it is, as far as inodes tell.
    pub ids: HashMap<FileId, Key>,
    /// Folders without symlinks in their paths.
    folders: HashMap<PathBuf, PathBuf>,
}

impl Look {
    pub fn new(logs: &BTreeMap<Key, Log>) -> Self {
        let mut ids = HashMap::new();
        for (key, log) in logs {
            let tracked = log.files.iter().map(|tracked| tracked.state.id);
            ids.extend(tracked.chain(log.done.iter().map(|state| state.id)).map(|id| (id, *key)));
        }
        Self { siblings: Siblings::default(), ids, folders: HashMap::new() }
    }

    /// The folder of `path`, without symlinks in it.
    pub fn folder(&mut self, path: &Path) -> PathBuf {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if let Some(known) = self.folders.get(folder) {
            return known.clone();
        }
        let found = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        self.folders.insert(folder.to_owned(), found.clone());
        found
    }

    /// Where a path leads, without symlinks in it.
    pub fn place_of(&mut self, path: &Path) -> PathBuf {
        if is_link(path)
            && let Ok(place) = fs::canonicalize(path)
        {
            return place;
        }
        self.beside(path)
    }

    /// The path itself, without symlinks in its folder.
    pub fn beside(&mut self, path: &Path) -> PathBuf {
        self.folder(path).join(path.file_name().unwrap_or_default())
    }
}

pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_symlink())
}
