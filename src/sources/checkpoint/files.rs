//! The files of a checkpoint: how one takes the place of the one before, and which of them can be read.
//!
//! Wherever a crash or a power cut falls, FILE is whole, or FILE.previous is (on a file system without hard links, where
//! FILE has no name for a moment).

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::inode;

use super::Saved;
use super::format::{self, Flaw};

/// Far more than a million files need. What is larger is something else, and not read into memory to see that.
const LONGEST: u64 = 1 << 30;

/// Their names, and what is known of the one that holds.
#[derive(Debug)]
pub struct Files {
    pub file: PathBuf,
    pub previous: PathBuf,
    pub lock: PathBuf,
    /// What is being saved. It may always have this name, as nobody without the lock saves.
    pub new: PathBuf,
    /// How long the file is as we read or wrote it; None when there is none.
    pub length: Option<u64>,
}

type Step = fn(&mut Files, &[u8]) -> io::Result<()>;

/// The steps of a save in their order, each of which may be the last before a crash.
pub const STEPS: [Step; 5] = [Files::write, Files::forget, Files::keep, Files::put, Files::settle];

impl Files {
    pub fn at(file: PathBuf) -> Self {
        let mut hidden = OsString::from(".");
        hidden.push(file.file_name().unwrap_or_default());
        let new = with_suffix(&file.with_file_name(hidden), ".new");
        let (previous, lock) = (with_suffix(&file, ".previous"), with_suffix(&file, ".lock"));
        Self { file, previous, lock, new, length: None }
    }

    /// Whether a checkpoint may be there, said more clearly than by the system call that would fail.
    pub fn may_be_at(file: &Path) -> io::Result<()> {
        let no = |why: &str| Err(io::Error::new(ErrorKind::InvalidInput, why));
        if file.file_name().is_none() {
            return no("that is no name for a file");
        }
        match fs::symlink_metadata(file) {
            Ok(metadata) if metadata.is_symlink() => {
                // A save puts a new file in its place, and what it led to would be the old one.
                no("a symlink, which a checkpoint must not be: name the file itself")
            }
            Ok(metadata) if !metadata.is_file() => no("not a regular file"),
            Err(error) if error.kind() == ErrorKind::NotFound && !folder(file).exists() => {
                no("its folder does not exist: make it first")
            }
            Err(error) if error.kind() == ErrorKind::NotADirectory => no("its folder is a file"),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes `text` the checkpoint, and the one that was it the previous.
    pub fn replace(&mut self, text: &[u8]) -> io::Result<()> {
        let done = STEPS.iter().try_for_each(|step| step(self, text));
        if done.is_err() {
            // The disk may be full because of it.
            let _ = fs::remove_file(&self.new);
        }
        done
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut file = match options.open(&self.new) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // A crash left it, or somebody laid a trap: in either case nothing is written through it.
                fs::remove_file(&self.new)?;
                options.open(&self.new)?
            }
            opened => opened?,
        };
        if let Some(like) = self.current() {
            // Somebody may have been allowed to read it.
            let _ = inode::copy_mode_and_owner(&like, &file);
        }
        file.write_all(text)?;
        file.sync_all()
    }

    fn forget(&mut self, _: &[u8]) -> io::Result<()> {
        match self.current().map(|_| fs::remove_file(&self.previous)) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn keep(&mut self, _: &[u8]) -> io::Result<()> {
        match self.current() {
            // Without hard links the file has to go without its name for a moment.
            Some(_) => fs::hard_link(&self.file, &self.previous).or_else(|_| fs::rename(&self.file, &self.previous)),
            None => Ok(()),
        }
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        fs::rename(&self.new, &self.file)?;
        self.length = Some(text.len() as u64);
        Ok(())
    }

    fn settle(&mut self, _: &[u8]) -> io::Result<()> {
        match File::open(folder(&self.file))?.sync_all() {
            // Some file systems cannot, and order their renames by themselves or not at all.
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
            settled => settled,
        }
    }

    /// The checkpoint that holds, if it is still there as we left it. If it was emptied meanwhile, say, the previous one
    /// is worth more and stays.
    fn current(&self) -> Option<fs::Metadata> {
        let metadata = fs::symlink_metadata(&self.file).ok()?;
        (metadata.is_file() && self.length == Some(metadata.len())).then_some(metadata)
    }
}

/// What a file holds.
pub enum Content {
    /// There is no file.
    None,
    /// A checkpoint, in so many bytes.
    Good(Saved, u64),
    Bad(Flaw),
}

/// Reads a checkpoint.
///
/// # Errors
/// When it cannot be read. What was read and makes no sense is no error.
pub fn read(path: &Path) -> io::Result<Content> {
    let file = match inode::open_regular(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::None),
        file => file?,
    };
    let mut text = Vec::new();
    if file.metadata()?.len() <= LONGEST {
        file.take(LONGEST).read_to_end(&mut text)?;
    } else {
        return Ok(Content::Bad(Flaw::TooLong));
    }
    Ok(match format::read(&text) {
        Ok(saved) => Content::Good(saved, text.len() as u64),
        Err(flaw) => Content::Bad(flaw),
    })
}

/// Gives it the first free of the names `.damaged`, `.damaged.2`, …, and tells which.
///
/// # Errors
/// When it cannot be renamed.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let mut aside = with_suffix(path, ".damaged");
    for number in 2_u64.. {
        match inode::rename_no_replace(path, &aside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            renamed => return renamed.map(|()| aside),
        }
        aside = with_suffix(path, &format!(".damaged.{number}"));
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
