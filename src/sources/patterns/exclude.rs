//! A word of `--exclude`: files that are not meant, by their names or by their whole paths.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::PatternError;
use super::name::NamePattern;

/// One exclusion. It takes hidden files too, as grep's and tar's do: what shall not be read has to be named, not listed.
#[derive(Clone, Debug)]
pub struct Exclude {
    /// As it was given: a file that is really called so is meant, whatever the pattern says (E10).
    literal: Vec<u8>,
    pattern: NamePattern,
    /// Whether it had a slash, so that it tells of paths.
    is_path: bool,
}

impl Exclude {
    /// # Errors
    /// When it is no pattern.
    pub fn new(word: &Path) -> Result<Self, PatternError> {
        let fail = |why| PatternError::new(word.as_os_str(), why);
        let bytes = word.as_os_str().as_bytes();
        match bytes.last() {
            None => return Err(fail("it is empty")),
            Some(b'/') => return Err(fail("it ends in a slash, but files are excluded: say FOLDER/**")),
            Some(_) => {}
        }
        // A [ that is closed behind a slash is closed in another name.
        for name in bytes.split(|byte| *byte == b'/') {
            NamePattern::new(name).map_err(fail)?;
        }
        let is_path = bytes.contains(&b'/');
        let literal = if is_path { plain(word) } else { bytes.to_owned() };
        Ok(Self { pattern: NamePattern::new(&literal).map_err(fail)?, literal, is_path })
    }

    pub fn takes(&self, path: &Path) -> bool {
        if self.is_path {
            let path = plain(path);
            return path == self.literal || self.pattern.takes(&path);
        }
        let name = path.file_name().unwrap_or_default().as_bytes();
        name == self.literal || self.pattern.takes(name)
    }
}

/// The path without what says nothing: doubled slashes, and dots for the folder one is in.
fn plain(path: &Path) -> Vec<u8> {
    let components: Vec<&OsStr> = path.components().map(|component| component.as_os_str()).collect();
    let names = components.iter().map(|name| name.as_bytes()).filter(|name| *name != b"." && *name != b"/");
    let joined = names.collect::<Vec<_>>().join(&b'/');
    if path.is_absolute() { [b"/", &joined[..]].concat() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_slash_the_name_counts_and_with_one_the_whole_path() {
        for (exclude, path, taken) in [
            ("*.gz", "logs/a.log.gz", true),
            ("*.gz", ".a.gz", true),
            ("a.log", "a.log", true),
            ("a.log", "b/a.log", true),
            ("a.log", "a.log/b", false),
            ("app[1].log", "app1.log", true),
            ("app[1].log", "logs/app[1].log", true),
            ("logs/*.gz", "logs/a.gz", true),
            ("logs/*.gz", "logs/x/a.gz", false),
            ("logs/*.gz", "/logs/a.gz", false),
            ("./a.log", "a.log", true),
            ("logs//./a?log", "./logs/a.log", true),
            ("**/old/*", "old/a", true),
            ("**/old/*", "x/y/old/a", true),
            ("**/old/*", "x/y/older/a", false),
            ("logs/**", "logs/x/.y/a", true),
            ("logs/**", "logs.old/a", false),
            ("/var/log/[ab]*", "/var/log/a", true),
            ("/**/a", "/a", true),
            ("/**/a", "/x/a", true),
        ] {
            assert_eq!(Exclude::new(Path::new(exclude)).unwrap().takes(Path::new(path)), taken, "{exclude} {path}");
        }
    }

    #[test]
    fn names_that_are_not_utf_8_are_excluded_as_others_are() {
        let exclude = Exclude::new(Path::new("logs/?.log")).unwrap();
        assert!(exclude.takes(Path::new(OsStr::from_bytes(b"logs/\xff.log"))));
    }

    #[test]
    fn what_excludes_nothing_is_an_error() {
        for word in ["", "a[", "a[/]b", "logs/", "x**", "a/**b"] {
            assert!(Exclude::new(Path::new(word)).is_err(), "{word}");
        }
    }
}
