//! What the program writes while it reads: a line must not come back to where it came from, for ever.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use crate::inode::FileId;
use crate::sources::archive_name::readings;

/// Files that are not to be read.
pub struct Outputs {
    /// Without symlinks in them, as far as they are there.
    paths: Vec<PathBuf>,
    own: Vec<PathBuf>,
    /// What stdout and stderr lead to.
    streams: Vec<FileId>,
}

impl Outputs {
    pub fn new(paths: &[PathBuf], own: &[PathBuf]) -> Self {
        let ids = [rustix::fs::fstat(rustix::stdio::stdout()), rustix::fs::fstat(rustix::stdio::stderr())];
        let regular = |stat: &rustix::fs::Stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
        let streams = ids.into_iter().flatten().filter(regular);
        Self {
            paths: paths.iter().map(|path| plain(path)).collect(),
            own: own.iter().map(|path| plain(path)).collect(),
            streams: streams.map(|stat| FileId { device: stat.st_dev, inode: stat.st_ino }).collect(),
        }
    }

    /// Whether the file is one of the program's own, of which there is nothing to say.
    pub fn is_own(&self, path: &Path) -> bool {
        !self.own.is_empty() && self.own.contains(&plain(path))
    }

    /// Whether the file, or the log whose archive it seems to be, is written to.
    pub fn has(&self, path: &Path, metadata: &Metadata) -> bool {
        if self.streams.contains(&FileId::of(metadata)) {
            return true;
        }
        if self.paths.is_empty() {
            return false;
        }
        let path = plain(path);
        let is_archive = || {
            let bases = path.file_name().map(readings).unwrap_or_default();
            bases.into_iter().any(|reading| self.paths.contains(&path.with_file_name(reading.base)))
        };
        self.paths.contains(&path) || is_archive()
    }
}

fn plain(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()).join(path.file_name().unwrap_or_default())
}
