//! A symlink that always leads to the file that is being written (rotatelogs' -L, cronolog's -S).

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::archives::each_name;
use super::lock::beside;
use super::temporary::{is_mark, mark};

/// What a link that is not in its place yet is called: `.current.log.PID-SERIAL.link`.
const ROLE: &str = "link";

/// How often the link is made anew when somebody clears it away half made.
const ATTEMPTS: usize = 10;

/// Lets the symlink `link` lead to `file`, in one step; anything else that stands there is left alone. Several writers may
/// do so at once.
///
/// # Errors
/// When something else stands there, or the link cannot be made.
pub fn point(link: &Path, file: &Path) -> Result<()> {
    let target = match (link.parent(), file.parent()) {
        (Some(a), Some(b)) if a == b => PathBuf::from(file.file_name().unwrap_or_default()),
        _ => std::path::absolute(file)?,
    };
    let leads_there = || fs::read_link(link).is_ok_and(|now| now == target);
    if leads_there() {
        return Ok(());
    }
    match fs::symlink_metadata(link) {
        Ok(metadata) if !metadata.is_symlink() => bail!("is no symlink, so it is left as it is"),
        _ => {}
    }
    clear_leftovers(link);
    let mut outcome = Ok(());
    for _ in 0..ATTEMPTS {
        let temporary = beside(link, &format!("{}.{ROLE}", mark()));
        outcome = symlink(&target, &temporary).and_then(|()| {
            fs::rename(&temporary, link).inspect_err(|error| {
                if error.kind() != ErrorKind::NotFound {
                    let _ = fs::remove_file(&temporary);
                }
            })
        });
        match &outcome {
            // Another writer took it for a leftover, or one of another container has the name.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) && !leads_there() => {}
            Err(_) if leads_there() => return Ok(()),
            _ => break,
        }
    }
    outcome.context("the link cannot be made")
}

/// Removes what a crash left half made. What another writer is just making goes as well, and it makes it once more.
fn clear_leftovers(link: &Path) {
    let (prefix, suffix) = (beside(link, ""), format!(".{ROLE}"));
    let prefix = prefix.file_name().unwrap_or_default().as_encoded_bytes();
    let folder = link.parent().unwrap_or(Path::new(""));
    let _ = each_name(folder, |name| {
        let middle = name.as_encoded_bytes().strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix.as_bytes()));
        if middle.is_some_and(is_mark) && folder.join(name).is_symlink() {
            let _ = fs::remove_file(folder.join(name));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_writers_make_one_link_and_none_fails() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("current.log");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for n in 0..100 {
                        point(&link, &folder.path().join(format!("app-{n}.log"))).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("app-99.log"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_crash_left_half_made_goes_and_what_is_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink("app.log", path(".current.log.12-0.link")).unwrap();
        symlink("app.log", path(".current.log.x.link")).unwrap();
        fs::write(path(".current.log.12-1.link"), "a file").unwrap();
        point(&path("current.log"), &path("app.log")).unwrap();
        assert!(!path(".current.log.12-0.link").is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_link_that_leads_there_already_is_not_made_anew() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let (link, log) = (folder.path().join("current.log"), folder.path().join("app.log"));
        let inode = || fs::symlink_metadata(&link).unwrap().ino();
        point(&link, &log).unwrap();
        let before = inode();
        fs::hard_link(&link, folder.path().join("keeps its number")).unwrap();
        point(&link, &log).unwrap();
        assert_eq!(inode(), before);
    }
}
