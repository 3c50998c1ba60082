//! Reads back what a contender wrote, oldest file first, and compares it with the input byte by byte.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::bufread::MultiGzDecoder;

use crate::contenders::{Contender, Layout};

/// What became of the input.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub files: usize,
    /// Every file ends at a line end.
    pub whole_lines: bool,
    /// Bytes of the compressed files, and of the text in them.
    pub packed: u64,
    pub unpacked: u64,
}

/// Compares what `contender` left in `dir` with `input`; an error says where they part.
pub fn check(dir: &Path, contender: &Contender, input: &[u8]) -> Result<Found> {
    let mut found = Found { whole_lines: true, ..Found::default() };
    let mut rest = input;
    for path in oldest_first(dir, contender.layout)? {
        let before = rest.len();
        let last = compare(&path, &mut rest, &mut found)?;
        let length = (before - rest.len()) as u64;
        found.files += 1;
        found.whole_lines &= matches!(last, None | Some(b'\n'));
        if let Some(max) = contender.strict {
            ensure!(matches!(last, None | Some(b'\n')), "{} ends amid a line", path.display());
            ensure!(length <= max, "{} holds {length} bytes, {max} are allowed", path.display());
        }
    }
    ensure!(rest.is_empty(), "{} of {} bytes are missing", rest.len(), input.len());
    Ok(found)
}

/// Takes the file's text off the front of `rest`; the answer is its last byte.
fn compare(path: &Path, rest: &mut &[u8], found: &mut Found) -> Result<Option<u8>> {
    let named = || path.display().to_string();
    let mut plain = BufReader::with_capacity(1 << 18, File::open(path).with_context(named)?);
    // By its magic, not its name: peers name compressed files as they like, and no line here begins so.
    let compressed = plain.fill_buf().with_context(named)?.starts_with(&[0x1f, 0x8b]);
    let start = rest.len();
    let last = if compressed {
        let last = compare_text(&mut MultiGzDecoder::new(plain), rest).with_context(named)?;
        found.packed += fs::metadata(path).with_context(named)?.len();
        found.unpacked += (start - rest.len()) as u64;
        last
    } else {
        compare_text(&mut plain, rest).with_context(named)?
    };
    Ok(last)
}

fn compare_text(text: &mut impl Read, rest: &mut &[u8]) -> Result<Option<u8>> {
    let mut buffer = vec![0; 1 << 18];
    let mut last = None;
    let mut at = 0;
    loop {
        let length = text.read(&mut buffer)?;
        let Some((&end, _)) = buffer[..length].split_last() else {
            return Ok(last);
        };
        let Some(tail) = rest.strip_prefix(&buffer[..length]) else {
            bail!("differs from the input in the {length} bytes from {at} on");
        };
        *rest = tail;
        last = Some(end);
        at += length;
    }
}

fn oldest_first(dir: &Path, layout: Layout) -> Result<Vec<PathBuf>> {
    let dir = if let Layout::Stamped(inner) = layout { dir.join(inner) } else { dir.to_owned() };
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let names = match layout {
        Layout::Single(name) => vec![name.to_owned()],
        Layout::Sorted(prefix) => names.into_iter().filter(|name| name.starts_with(prefix)).collect(),
        Layout::Numbered(base) => {
            let mut names = by_number(names, base)?;
            names.reverse();
            names
        }
        Layout::Counting(base) => by_number(names, base)?,
        Layout::Stamped(_) => {
            let newest = "current".to_owned();
            names.into_iter().filter(|name| name.starts_with('@')).chain([newest]).collect()
        }
    };
    Ok(names.into_iter().map(|name| dir.join(name)).collect())
}

/// `base`, `base.1`, `base.2.gz` …; any other name in the directory is an error: nothing may be left lying about.
fn by_number(names: Vec<String>, base: &str) -> Result<Vec<String>> {
    let mut numbered = Vec::new();
    for name in names {
        let number = if name == base {
            Some(0)
        } else {
            let number = name.strip_prefix(base).and_then(|rest| rest.strip_prefix('.'));
            number.and_then(|rest| rest.strip_suffix(".gz").unwrap_or(rest).parse::<u32>().ok())
        };
        let number = number.with_context(|| format!("{name} should not be there"))?;
        numbered.push((number, name));
    }
    numbered.sort();
    Ok(numbered.into_iter().map(|(_, name)| name).collect())
}
