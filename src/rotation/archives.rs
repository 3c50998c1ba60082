//! Which archives a log has: found by reading names back with the pattern that made them, never by a glob.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::inode::FileId;

use super::dated::DatedPath;
use super::naming::{Archive, Naming, Stamp};

/// Where the archives of a log are, and what they are called.
#[derive(Clone, Debug)]
pub enum Layout {
    /// The log keeps its name; archives are named by a template (Python's way).
    Renamed(Naming),
    /// Every period has a file of its own name (cronolog's way), which may roll into numbered ones by size.
    Dated(DatedPath),
}

/// One archive on the disk.
#[derive(Clone, Debug)]
pub struct Found {
    pub path: PathBuf,
    pub stamp: Stamp,
    pub compressed: bool,
    /// Bytes on the disk.
    pub len: u64,
    /// When it was last written.
    pub modified: SystemTime,
    /// When the file was made, where the file system knows; else when it was last written.
    pub created: SystemTime,
    pub id: FileId,
}

impl Found {
    /// The archive at `path`, which `metadata` describes.
    pub fn new(path: PathBuf, stamp: Stamp, compressed: bool, metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Self {
            path,
            stamp,
            compressed,
            len: metadata.len(),
            modified,
            created: metadata.created().unwrap_or(modified),
            id: FileId::of(metadata),
        }
    }

    /// Whether the two are one archive: a plain file and its compressed twin.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        self.compressed != other.compressed && plain_name(&self.path) == plain_name(&other.path)
    }
}

impl Layout {
    /// The archives of the log that is now written at `current`, oldest first. Regular files only.
    ///
    /// # Errors
    /// When a folder cannot be read; a folder that does not exist holds no archives.
    pub fn scan(&self, current: &Path) -> io::Result<Vec<Found>> {
        match self {
            Self::Renamed(naming) => {
                let mut archives = Vec::new();
                each_name(naming.directory(), |name| archives.extend(naming.parse(name)))?;
                naming.oldest_first(&mut archives);
                Ok(archives.iter().filter_map(|archive| found(naming.path_of(archive), archive)).collect())
            }
            Self::Dated(pattern) => scan_dated(pattern, current),
        }
    }

    /// Puts archives into the order in which [`Layout::scan`] would find them; `archives` have just been given new names.
    pub fn sort(&self, archives: &mut [Found]) {
        // A dated layout's new archive is the youngest of the period that is the youngest.
        let Self::Renamed(naming) = self else { return };
        let parsed = archives.iter().filter_map(|found| naming.parse(found.path.file_name()?));
        let mut order: Vec<Archive> = parsed.collect();
        naming.oldest_first(&mut order);
        archives.sort_by_cached_key(|found| order.iter().position(|archive| naming.path_of(archive) == found.path));
    }

    /// How the file at `current` is named when it is rolled over.
    ///
    /// # Errors
    /// When `current` is not the name of a file.
    pub fn naming_for(&self, current: &Path) -> io::Result<Naming> {
        match self {
            Self::Renamed(naming) => Ok(naming.clone()),
            Self::Dated(_) => Naming::new(current, "{base}.{n}", "").map_err(io::Error::other),
        }
    }
}

/// The name that an archive gets when it is compressed.
pub fn with_gz(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    PathBuf::from(name)
}

fn plain_name(path: &Path) -> PathBuf {
    if path.extension() == Some(OsStr::new("gz")) { path.with_extension("") } else { path.to_owned() }
}

/// None for what is gone in the meantime or is no regular file: not ours.
fn found(path: PathBuf, archive: &Archive) -> Option<Found> {
    let metadata = fs::symlink_metadata(&path).ok()?;
    metadata.is_file().then(|| Found::new(path, archive.stamp, archive.compressed, &metadata))
}

/// Walks the folders that the pattern can have made, and no others.
fn scan_dated(pattern: &DatedPath, current: &Path) -> io::Result<Vec<Found>> {
    let mut folders = vec![pattern.root().to_owned()];
    for index in 0..pattern.component_count() - 1 {
        let mut inner = Vec::new();
        for folder in &folders {
            each_name(folder, |name| {
                if pattern.component_matches(index, name) && folder.join(name).is_dir() {
                    inner.push(folder.join(name));
                }
            })?;
        }
        folders = inner;
    }
    let mut dated = Vec::new();
    for folder in &folders {
        each_name(folder, |name| dated.extend(read_dated(pattern, current, folder, name)))?;
    }
    // Within a period the numbered ones came first, the highest number oldest.
    dated.sort_by_key(|(period, found)| {
        (*period, Reverse(found.stamp.number.unwrap_or(0)), found.path.clone(), found.compressed)
    });
    Ok(dated.into_iter().map(|(_, found)| found).collect())
}

/// `app.log`, `app.log.2`, and either with `.gz` behind it, when the pattern can have named `app.log`.
fn read_dated(
    pattern: &DatedPath,
    current: &Path,
    folder: &Path,
    name: &OsStr,
) -> Option<(Option<chrono::NaiveDateTime>, Found)> {
    let path = folder.join(name);
    let is_dated = |path: &Path| match pattern.tells_the_period() {
        true => pattern.parse_path(path).map(Some),
        // Names that come round again have no order, so only what was rolled away from the current one counts.
        false => (path == current).then_some(None),
    };
    let plain = plain_name(&path);
    let compressed = plain != path;
    if let Some(period) = is_dated(&plain) {
        let archive = Archive { name: name.to_owned(), stamp: Stamp::default(), compressed };
        return found(path, &archive).filter(|found| found.path != current).map(|found| (period, found));
    }
    let base = plain.with_extension("");
    let period = is_dated(&base)?;
    let archive = Naming::new(&base, "{base}.{n}", "").ok()?.parse(name)?;
    found(path, &archive).map(|found| (period, found))
}

/// Every name in `folder`; none if there is no such folder.
pub fn each_name(folder: &Path, mut take: impl FnMut(&OsStr)) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(entries) => {
            for entry in entries {
                take(&entry?.file_name());
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Zone;

    fn names(layout: &Layout, current: &Path, root: &Path) -> Vec<String> {
        let found = layout.scan(current).unwrap();
        found.iter().map(|found| found.path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_dated_tree_is_read_oldest_first_and_foreign_files_are_not_seen() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "2026/11/19/app.log.gz",
            "2026/11/20/app.log",
            "2026/11/20/app.log.1",
            "2026/11/20/app.log.2.gz",
            "2026/11/20/app.log.bak",
            "2026/11/20/other.log",
            "2026/13/20/app.log",
            "2025/12/31/app.log",
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x\n").unwrap();
        }
        let pattern = DatedPath::parse(&root.path().join("%Y/%m/%d/app.log"), Zone::utc()).unwrap().unwrap();
        let current = root.path().join("2026/11/20/app.log");
        assert_eq!(
            names(&Layout::Dated(pattern), &current, root.path()),
            ["2025/12/31/app.log", "2026/11/19/app.log.gz", "2026/11/20/app.log.2.gz", "2026/11/20/app.log.1"]
        );
    }

    #[test]
    fn folders_and_symlinks_in_an_archives_place_are_not_archives() {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("app.log");
        fs::write(root.path().join("app.log.1"), "x\n").unwrap();
        fs::create_dir(root.path().join("app.log.2")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("app.log.3")).unwrap();
        let layout = Layout::Renamed(Naming::new(&log, "{base}.{n}", "").unwrap());
        assert_eq!(names(&layout, &log, root.path()), ["app.log.1"]);
    }
}
