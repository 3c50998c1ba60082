//! A word of `--input`, taken apart into what is walked and what is matched.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::PatternError;
use super::name::{NamePattern, is_wild};

/// What one step of a walk does.
#[derive(Clone, Debug)]
pub enum Part {
    /// Goes there, through symlinks too.
    Literal(PathBuf),
    /// Goes to, or finds, what is called so.
    Name(NamePattern),
    /// Goes to any depth, also none: `**`.
    Folders,
}

/// One word.
#[derive(Clone, Debug)]
pub struct Word {
    pub path: PathBuf,
    /// None when it can only be the name of a file.
    pub parts: Option<Vec<Part>>,
}

impl Word {
    /// # Errors
    /// When it is no pattern, and no file is called so.
    pub fn new(path: &Path) -> Result<Self, PatternError> {
        let bytes = path.as_os_str().as_bytes();
        let parts = match is_wild(bytes) {
            true => match parts(path) {
                Err(_) if fs::symlink_metadata(path).is_ok() => None,
                parts => Some(parts.map_err(|why| PatternError::new(path.as_os_str(), why))?),
            },
            false if bytes.is_empty() => return Err(PatternError::new(path.as_os_str(), "it is empty")),
            false => None,
        };
        Ok(Self { path: path.to_owned(), parts })
    }

    /// What is to be matched; None when the word is the name of a file, be it only since just now (E10).
    pub fn pattern(&self) -> Option<&[Part]> {
        self.parts.as_deref().filter(|_| fs::symlink_metadata(&self.path).is_err())
    }
}

fn parts(path: &Path) -> Result<Vec<Part>, &'static str> {
    if path.as_os_str().as_bytes().ends_with(b"/") {
        return Err("it ends in a slash, so it can only lead to folders");
    }
    let mut parts = Vec::new();
    for component in path.components() {
        let name: &OsStr = component.as_os_str();
        match (component, parts.last_mut()) {
            (Component::Normal(_), Some(Part::Folders)) if name == "**" => {}
            (Component::Normal(_), _) if name == "**" => parts.push(Part::Folders),
            (Component::Normal(_), _) if is_wild(name.as_bytes()) => {
                parts.push(Part::Name(NamePattern::new(name.as_bytes())?));
            }
            (_, Some(Part::Literal(path))) => path.push(name),
            _ => parts.push(Part::Literal(name.into())),
        }
    }
    if matches!(parts.last(), Some(Part::Folders)) {
        // Whoever says "everything below" means files.
        parts.push(Part::Name(NamePattern::new(b"*")?));
    }
    Ok(parts)
}
