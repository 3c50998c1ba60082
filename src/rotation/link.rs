//! A symlink that always leads to the file that is being written (rotatelogs' -L, cronolog's -S).

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::lock::beside;

/// Lets the symlink `link` lead to `file`, in one step; anything else that stands there is left alone.
///
/// # Errors
/// When something else stands there, or the link cannot be made.
pub fn point(link: &Path, file: &Path) -> Result<()> {
    match fs::symlink_metadata(link) {
        Ok(metadata) if !metadata.is_symlink() => bail!("is no symlink, so it is left as it is"),
        _ => {}
    }
    let target = match (link.parent(), file.parent()) {
        (Some(a), Some(b)) if a == b => PathBuf::from(file.file_name().unwrap_or_default()),
        _ => std::path::absolute(file)?,
    };
    let temporary = beside(link, "link");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let linked: io::Result<()> =
        std::os::unix::fs::symlink(target, &temporary).and_then(|()| fs::rename(&temporary, link));
    linked.context("the link cannot be made")
}
