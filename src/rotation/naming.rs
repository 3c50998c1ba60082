//! What the archives of a log are called, and which files are archives of it (Python's `namer`, `rotation_filename`
//! and `getFilesToDelete`).
//!
//! A template writes the names and reads them back. A file that the template could not have named is not an archive,
//! however much it looks like one, so nothing of somebody else's is ever moved or deleted, and no name is a glob.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, FixedOffset};
use thiserror::Error;

use super::fields::{self, Field, FormatError};
use super::pattern::{Pattern, Piece, file_name, read_number};

const GZ: &[u8] = b".gz";

/// A template that cannot name archives, with what would be right.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NamingError {
    #[error("'{}' names no file", .0.display())]
    NoFile(PathBuf),
    #[error("'{0}' would call every archive the same: it needs {{n}} or {{time}}")]
    Constant(String),
    #[error("'{0}' has a brace that is not closed or not opened: {{{{ and }}}} stand for braces")]
    Brace(String),
    #[error("'{{{0}}}' is no field: use {{base}}, {{stem}}, {{ext}}, {{n}}, {{time}} or {{time:FORMAT}}")]
    Field(String),
    #[error("'{0}' has {{n}} or {{time}} twice: once is enough")]
    Twice(String),
    #[error("'{0}' has a field in its directory: only the name of the file may hold fields")]
    Directory(String),
    #[error("'{0}' holds a slash: a time is part of a file's name")]
    Slash(String),
    #[error("'{0}' leaves open which period an archive is of: begin with the year (%Y), then go down without a gap")]
    Order(String),
    #[error("'{0}' puts two numbers side by side: write something between them that is no digit")]
    Blur(String),
    #[error("'{template}' could call an archive '{}', which is the log itself", .log.display())]
    Itself { template: String, log: PathBuf },
    #[error("'{format}': {error}")]
    Format { format: String, error: FormatError },
}

/// What tells the archives of a log apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The start of the period; what was read from a name has it as exactly as the name does, and with the offset zero
    /// where the name does not say it.
    pub time: Option<DateTime<FixedOffset>>,
    /// The number, from 1; None or 0 where nothing had to be numbered.
    pub number: Option<u64>,
}

/// A file that was recognised as an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its name in [`Naming::directory`].
    pub name: OsString,
    pub stamp: Stamp,
    /// Whether the name ends in the `.gz` that compression appends.
    pub compressed: bool,
}

/// How the archives of one log are called.
#[derive(Clone, Debug)]
pub struct Naming {
    directory: PathBuf,
    pattern: Pattern,
    has_number: bool,
    has_time: bool,
}

impl Naming {
    /// Archives of `log` by `template`; `{time}` without a format is written as `default_time_format`.
    ///
    /// The template's fields are `{base}` (app.log), `{stem}` (app), `{ext}` (.log), `{n}`, `{time}` and
    /// `{time:FORMAT}`; what stands before its last slash is a directory, relative to that of the log.
    pub fn new(log: &Path, template: &str, default_time_format: &str) -> Result<Self, NamingError> {
        let base = log.file_name().ok_or_else(|| NamingError::NoFile(log.to_owned()))?.as_encoded_bytes();
        let tokens = tokens(template).ok_or_else(|| NamingError::Brace(template.to_owned()))?;
        let (folder, name) = split_directory(template, tokens)?;
        let mut pieces = Vec::new();
        let (mut times, mut numbers) = (0, 0);
        for token in name {
            let field = match token {
                Token::Text(text) => {
                    pieces.push(Piece::Text(text.into_bytes()));
                    continue;
                }
                Token::Field(field) => field,
            };
            let (stem, ext) = split_extension(base);
            match field.split_once(':').map_or((field, None), |(name, format)| (name, Some(format))) {
                ("base", None) => pieces.push(Piece::Text(base.to_vec())),
                ("stem", None) => pieces.push(Piece::Text(stem.to_vec())),
                ("ext", None) => pieces.push(Piece::Text(ext.to_vec())),
                ("n", None) => {
                    numbers += 1;
                    pieces.push(Piece::Number);
                }
                ("time", format) => {
                    times += 1;
                    pieces.extend(time_pieces(format.unwrap_or(default_time_format))?);
                }
                _ => return Err(NamingError::Field(field.to_owned())),
            }
        }
        if times == 0 && numbers == 0 {
            return Err(NamingError::Constant(template.to_owned()));
        }
        if times > 1 || numbers > 1 {
            return Err(NamingError::Twice(template.to_owned()));
        }
        let pattern = Pattern::new(pieces).ok_or_else(|| NamingError::Blur(template.to_owned()))?;
        let directory = log.parent().unwrap_or(Path::new("")).join(&folder);
        let naming = Self { directory, pattern, has_number: numbers > 0, has_time: times > 0 };
        if may_be_beside_the_log(&folder) && naming.parse(OsStr::new(&file_name(base.to_vec()))).is_some() {
            return Err(NamingError::Itself { template: template.to_owned(), log: log.to_owned() });
        }
        Ok(naming)
    }

    /// The directory in which the archives lie.
    pub fn directory(&self) -> &Path {
        if self.directory.as_os_str().is_empty() { Path::new(".") } else { &self.directory }
    }

    /// Whether archives are only numbered: Python's chain, in which every rollover moves each archive one on and 1 is
    /// the youngest.
    pub fn is_chain(&self) -> bool {
        self.has_number && !self.has_time
    }

    /// Whether the template has `{n}`. Without it a number is appended where two archives have the same time.
    pub fn has_number(&self) -> bool {
        self.has_number
    }

    /// Whether the template has `{time}`.
    pub fn has_time(&self) -> bool {
        self.has_time
    }

    /// The path of the archive with this stamp. What the template needs and the stamp lacks is 1 or 1970; what the
    /// stamp has and the template does not is left out, except for a number above 0 beside `{time}`.
    pub fn path(&self, stamp: &Stamp) -> PathBuf {
        self.directory.join(file_name(self.name(stamp)))
    }

    /// The path of the same archive once it is compressed.
    pub fn compressed_path(&self, stamp: &Stamp) -> PathBuf {
        let mut name = self.name(stamp);
        name.extend(GZ);
        self.directory.join(file_name(name))
    }

    /// The path of an archive that was found.
    pub fn path_of(&self, archive: &Archive) -> PathBuf {
        self.directory.join(&archive.name)
    }

    /// The archive that `name` is, if this log's template could have named it.
    pub fn parse(&self, name: &OsStr) -> Option<Archive> {
        let bytes = name.as_encoded_bytes();
        let archive = |stamp, compressed| Archive { name: name.to_owned(), stamp, compressed };
        match self.read(bytes) {
            Some(stamp) => Some(archive(stamp, false)),
            None => self.read(bytes.strip_suffix(GZ)?).map(|stamp| archive(stamp, true)),
        }
    }

    /// Sorts archives from the oldest to the youngest: by time and number, and down a chain.
    pub fn oldest_first(&self, archives: &mut [Archive]) {
        let number = |archive: &Archive| archive.stamp.number.unwrap_or(0);
        archives.sort_by(|one, other| {
            let by_number = if self.is_chain() {
                number(other).cmp(&number(one))
            } else {
                one.stamp.time.cmp(&other.stamp.time).then(number(one).cmp(&number(other)))
            };
            by_number.then_with(|| one.name.cmp(&other.name))
        });
    }

    fn name(&self, stamp: &Stamp) -> Vec<u8> {
        let number = stamp.number.unwrap_or(0);
        let mut name = Vec::new();
        self.pattern.write(&stamp.time.unwrap_or_default(), number.max(1), &mut name);
        if !self.has_number && number > 0 {
            name.extend(format!(".{number}").into_bytes());
        }
        name
    }

    fn read(&self, name: &[u8]) -> Option<Stamp> {
        let (reading, number, rest) = self.pattern.read(name)?;
        let number = match rest {
            [] => number,
            [b'.', serial @ ..] if !self.has_number => Some(read_number(serial)?),
            _ => return None,
        };
        let time = if self.has_time { Some(reading.time()?) } else { None };
        let stamp = Stamp { time, number };
        // Writing it again finds every contradiction: a 30th of February, a Monday that was a Tuesday.
        (self.name(&stamp) == name).then_some(stamp)
    }
}

enum Token<'a> {
    Text(String),
    Field(&'a str),
}

/// Text and fields in their order; None if the braces do not match.
fn tokens(template: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let (text, from) = rest.split_at(brace);
        tokens.push(Token::Text(text.to_owned()));
        if from.starts_with("{{") || from.starts_with("}}") {
            tokens.push(Token::Text(from[..1].to_owned()));
            rest = &from[2..];
        } else {
            let (field, after) = from.strip_prefix('{')?.split_once('}')?;
            tokens.push(Token::Field(field));
            rest = after;
        }
    }
    tokens.push(Token::Text(rest.to_owned()));
    Some(tokens)
}

/// The directory of a template, and the tokens of the name behind its last slash.
fn split_directory<'a>(template: &str, tokens: Vec<Token<'a>>) -> Result<(PathBuf, Vec<Token<'a>>), NamingError> {
    let mut directory = String::new();
    let mut name = Vec::new();
    for token in tokens {
        match token {
            Token::Text(text) => match text.rfind('/') {
                Some(slash) => {
                    for token in name.drain(..) {
                        let Token::Text(text) = token else { return Err(NamingError::Directory(template.to_owned())) };
                        directory.push_str(&text);
                    }
                    directory.push_str(&text[..=slash]);
                    name.push(Token::Text(text[slash + 1..].to_owned()));
                }
                None => name.push(Token::Text(text)),
            },
            field => name.push(field),
        }
    }
    Ok((PathBuf::from(directory), name))
}

fn time_pieces(format: &str) -> Result<Vec<Piece>, NamingError> {
    let wrong = |error| NamingError::Format { format: format.to_owned(), error };
    if format.contains('/') {
        return Err(NamingError::Slash(format.to_owned()));
    }
    let pieces = fields::parse_format(format.as_bytes(), fields::OF_ARCHIVES).map_err(wrong)?;
    let field = |piece: &Piece| if let Piece::Field(field) = piece { Some(*field) } else { None };
    let fields: Vec<Field> = pieces.iter().filter_map(field).collect();
    fields::check_weeks(&fields).map_err(wrong)?;
    if fields::tell_the_period(&fields) { Ok(pieces) } else { Err(NamingError::Order(format.to_owned())) }
}

/// Splits a file name before its last dot, unless only dots stand before that (Python's `os.path.splitext`).
fn split_extension(base: &[u8]) -> (&[u8], &[u8]) {
    let dot = base.iter().rposition(|byte| *byte == b'.').filter(|dot| base[..*dot].iter().any(|byte| *byte != b'.'));
    base.split_at(dot.unwrap_or(base.len()))
}

/// Whether a template's directory may be the one of the log: only one that leads further down certainly is not.
fn may_be_beside_the_log(folder: &Path) -> bool {
    let down = folder.components().any(|part| matches!(part, Component::Normal(_)));
    let up = folder.is_absolute() || folder.components().any(|part| part == Component::ParentDir);
    up || !down
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{NaiveDateTime, TimeDelta, TimeZone};
    use proptest::prelude::*;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    const SECONDS: &str = "%Y-%m-%d_%H-%M-%S";

    fn naming(log: &str, template: &str) -> Naming {
        Naming::new(Path::new(log), template, "%Y-%m-%d").unwrap()
    }

    fn error(log: &str, template: &str) -> String {
        Naming::new(Path::new(log), template, "%Y-%m-%d").unwrap_err().to_string()
    }

    fn time(text: &str) -> Option<DateTime<FixedOffset>> {
        Some(text.parse().unwrap())
    }

    fn numbered(number: u64) -> Stamp {
        Stamp { time: None, number: Some(number) }
    }

    fn at(text: &str) -> Stamp {
        Stamp { time: time(text), number: None }
    }

    /// The archives among `names`, oldest first.
    fn archives<'a>(naming: &Naming, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut archives: Vec<Archive> = names.into_iter().filter_map(|name| naming.parse(OsStr::new(name))).collect();
        naming.oldest_first(&mut archives);
        archives.into_iter().map(|archive| archive.name.into_string().unwrap()).collect()
    }

    #[test]
    fn the_usual_templates_give_the_names_of_python() {
        let noon = "2026-11-20T12:00:00+01:00";
        for (template, stamp, path) in [
            ("{base}.{n}", numbered(3), "logs/app.log.3"),
            ("{base}.{time}", at(noon), "logs/app.log.2026-11-20"),
            ("{base}.{time}", Stamp { number: Some(2), ..at(noon) }, "logs/app.log.2026-11-20.2"),
            ("{base}.{time}.{n}", Stamp { number: Some(2), ..at(noon) }, "logs/app.log.2026-11-20.2"),
            ("{stem}-{time:%Y%m%d-%H%M%S}{ext}", at(noon), "logs/app-20261120-120000.log"),
            ("archive/{base}.{n}", numbered(1), "logs/archive/app.log.1"),
            ("/srv/{stem}/{n}", numbered(1), ""),
            ("/srv/old/{stem}{{{n}}}", numbered(1), "/srv/old/app{1}"),
            ("{base}.{time:%s}", at(noon), "logs/app.log.1795172400"),
            ("{base}.{time:%G-W%V}", at(noon), "logs/app.log.2026-W47"),
            ("{base}.{time:%F%z.%f}", at(noon), ""),
            ("{base}.{time:%F%z}", at(noon), "logs/app.log.2026-11-20+0100"),
        ] {
            match Naming::new(Path::new("logs/app.log"), template, "%Y-%m-%d") {
                Ok(naming) => {
                    assert_eq!(naming.path(&stamp), Path::new(path), "{template}");
                    assert_eq!(naming.compressed_path(&stamp), Path::new(&format!("{path}.gz")), "{template}");
                }
                Err(error) => assert_eq!(path, "", "{error}"),
            }
        }
    }

    #[test]
    fn archives_lie_beside_the_log_or_where_the_template_says() {
        for (log, template, directory) in [
            ("app.log", "{base}.{n}", "."),
            ("logs/app.log", "{base}.{n}", "logs"),
            ("logs/app.log", "../old/{base}.{n}", "logs/../old"),
            ("logs/app.log", "/srv/{base}.{n}", "/srv"),
        ] {
            assert_eq!(naming(log, template).directory(), Path::new(directory));
        }
    }

    #[test]
    fn extensions_are_split_as_python_splits_them() {
        for (base, stem, ext) in [
            ("app.log", "app", ".log"),
            ("a.b.log", "a.b", ".log"),
            ("app", "app", ""),
            (".profile", ".profile", ""),
            ("..a.log", "..a", ".log"),
            ("app.", "app", "."),
        ] {
            assert_eq!(split_extension(base.as_bytes()), (stem.as_bytes(), ext.as_bytes()), "{base}");
        }
    }

    #[test]
    fn what_looks_like_an_archive_but_could_not_be_named_so_is_none() {
        let chain = naming("app.log", "{base}.{n}");
        for name in [
            "app.log",
            "app.log.",
            "app.log.0",
            "app.log.01",
            "app.log.1x",
            "app.log.x1",
            "app.log.+1",
            "app.log.1.tmp",
            "app.log.1.gz.gz",
            "app.log.gz",
            "app.log.1.2",
            "xapp.log.1",
            "app_log.1",
            "app.log.b.1",
            "app.log-20261120",
            "app.log.2026-11-20",
            "app.log.99999999999999999999",
            "app.log.1\n",
            "app.log.１",
            "",
        ] {
            assert_eq!(chain.parse(OsStr::new(name)), None, "{name}");
        }
        let dated = naming("app.log", "{base}.{time}");
        for name in [
            "app.log.2026-13-40",
            "app.log.2026-02-30",
            "app.log.2026-11-2",
            "app.log.2026-11-20.0",
            "app.log.2026-11-20.01",
            "app.log.2026-11-20.1.2",
            "app.log.2026-11-20.c",
            "app.log.12026-11-20",
            "app.log.2026-11-20_10",
            "app.log.1",
            "app.log.20261120",
            "app.log.0000-01-01",
        ] {
            assert_eq!(dated.parse(OsStr::new(name)), None, "{name}");
        }
    }

    #[test]
    fn an_archive_is_read_back_with_its_stamp() {
        let chain = naming("app.log", "{base}.{n}");
        let archive = chain.parse(OsStr::new("app.log.12.gz")).unwrap();
        assert_eq!((archive.stamp, archive.compressed), (numbered(12), true));
        assert_eq!(chain.path_of(&archive), Path::new("app.log.12.gz"));
        let dated = naming("app.log", "{base}.{time}");
        let archive = dated.parse(OsStr::new("app.log.2026-11-20.3")).unwrap();
        assert_eq!(archive.stamp, Stamp { time: time("2026-11-20T00:00:00Z"), number: Some(3) });
        assert!(!archive.compressed);
        assert!(chain.is_chain() && chain.has_number() && !chain.has_time());
        assert!(!dated.is_chain() && !dated.has_number() && dated.has_time());
    }

    #[test]
    fn a_chain_is_old_where_its_numbers_are_large() {
        let names = ["app.log.2", "app.log.10.gz", "app.log", "app.log.1", "app.log.9.gz"];
        let chain = naming("app.log", "{base}.{n}");
        assert_eq!(archives(&chain, names), ["app.log.10.gz", "app.log.9.gz", "app.log.2", "app.log.1"]);
    }

    #[test]
    fn times_are_compared_as_times_and_then_by_number() {
        let dated = naming("app.log", "{base}.{time:%d-%m-%Y}");
        assert_eq!(
            archives(
                &dated,
                ["app.log.01-02-2026", "app.log.31-12-2025.10", "app.log.31-12-2025.2", "app.log.31-12-2025"]
            ),
            ["app.log.31-12-2025", "app.log.31-12-2025.2", "app.log.31-12-2025.10", "app.log.01-02-2026"]
        );
        let epoch = naming("app.log", "{base}.{time:%s}");
        assert_eq!(
            archives(&epoch, ["app.log.1000000000", "app.log.999999999"]),
            ["app.log.999999999", "app.log.1000000000"]
        );
        let zoned = naming("app.log", "{base}.{time:%F_%H%z}");
        assert_eq!(
            archives(&zoned, ["app.log.2012-11-04_01-0500", "app.log.2012-11-04_01-0400"]),
            ["app.log.2012-11-04_01-0400", "app.log.2012-11-04_01-0500"]
        );
    }

    /// CPython's `test_compute_files_to_delete`: five logs with five ways to name archives, in one directory.
    #[test]
    fn five_naming_schemes_side_by_side_keep_to_their_own() {
        let start: NaiveDateTime = "2026-11-20T23:59:40".parse().unwrap();
        let times: Vec<String> =
            (0..10).map(|step| (start + TimeDelta::seconds(step * 5)).format(SECONDS).to_string()).collect();
        let schemes = [
            ("a.b.log", "{base}.{time}", "a.b.log.", ""),
            ("a.b.c.log", "{base}.{time}", "a.b.c.log.", ""),
            ("d.e.log", "{stem}.{time}{ext}", "d.e.", ".log"),
            ("d.e.f.log", "{stem}.{time}{ext}", "d.e.f.", ".log"),
            ("g.log", "{stem}{time}.oldlog", "g", ".oldlog"),
        ];
        let names = |prefix: &str, suffix: &str| -> Vec<String> {
            times.iter().map(|time| format!("{prefix}{time}{suffix}")).collect()
        };
        let folder: Vec<String> =
            schemes.iter().rev().flat_map(|(_, _, prefix, suffix)| names(prefix, suffix)).rev().collect();
        for (log, template, prefix, suffix) in schemes {
            let naming = Naming::new(Path::new(log), template, SECONDS).unwrap();
            assert_eq!(archives(&naming, folder.iter().map(String::as_str)), names(prefix, suffix), "{log}");
        }
    }

    /// CPython's `test_compute_files_to_delete_same_filename_different_extensions`.
    #[test]
    fn logs_whose_names_begin_alike_keep_to_their_own() {
        let folder = ["a.log.2026-11-20", "a.log.b.2026-11-20", "a.log.2026-11-20.c", "a.log", "a.log.b"];
        assert_eq!(archives(&naming("a.log", "{base}.{time}"), folder), ["a.log.2026-11-20"]);
        assert_eq!(archives(&naming("a.log.b", "{base}.{time}"), folder), ["a.log.b.2026-11-20"]);
        assert_eq!(archives(&naming("a.log", "{base}.{n}"), ["a.log.b.1", "a.log.1"]), ["a.log.1"]);
    }

    #[test]
    fn names_that_mean_something_elsewhere_are_only_names_here() {
        for base in ["a*[b]?.log", "{n}.log", "100%d.log", "%Y", "a\nb", "-rf", "日誌.log", "a.log.7"] {
            let naming = naming(base, "{base}.{n}");
            assert_eq!(naming.path(&numbered(2)), Path::new(&format!("{base}.2")));
            assert_eq!(archives(&naming, ["ab.log.1", &format!("{base}.2"), base]), [format!("{base}.2")]);
        }
        let base = OsStr::from_bytes(b"caf\xe9\xff.log");
        let naming = Naming::new(Path::new(base), "{stem}.{n}{ext}", "%F").unwrap();
        let path = naming.path(&numbered(4));
        assert_eq!(path.as_os_str().as_bytes(), b"caf\xe9\xff.4.log");
        assert_eq!(naming.parse(path.as_os_str()).unwrap().stamp, numbered(4));
    }

    #[test]
    fn a_date_beside_the_epoch_is_read_by_the_offset_that_fits_both() {
        let naming = naming("app.log", "{base}-{time:%Y%m%d-%s}");
        for text in ["2026-11-20T23:30:00-05:00", "2026-11-20T00:10:00+13:45", "2026-11-20T12:00:00Z"] {
            let path = naming.path(&at(text));
            let archive = naming.parse(path.as_os_str()).unwrap();
            assert_eq!(archive.stamp.time, time(text));
            assert_eq!(naming.path(&archive.stamp), path);
        }
        assert_eq!(naming.parse(OsStr::new("app.log-20261120-1000000000")), None);
    }

    #[test]
    fn templates_that_cannot_work_say_what_would() {
        for (template, says) in [
            ("{base}", "needs {n} or {time}"),
            ("{base.{n}", "use {base}, {stem}"),
            ("{base}.{n", "not closed"),
            ("}{n}", "not opened"),
            ("{name}.{n}", "'{name}' is no field"),
            ("{n:03}", "'{n:03}' is no field"),
            ("{base}.{n}.{n}", "twice"),
            ("{time}/{n}", "field in its directory"),
            ("{n}/", "field in its directory"),
            ("{base}.{time:%Y/%m}", "slash"),
            ("{base}.{time:%H}", "begin with the year"),
            ("{base}.{time:}", "begin with the year"),
            ("{base}.{time:%e}", "'%e' is no field"),
            ("{base}.{time:%Y-%V}", "use %G with %V"),
            ("{n}{time:%s}", "side by side"),
            ("{n}0{time:%Y%m%s}", "side by side"),
        ] {
            assert!(error("app.log", template).contains(says), "{template}: {}", error("app.log", template));
        }
        assert!(error("..", "{n}").contains("names no file"));
    }

    #[test]
    fn no_template_may_name_the_log_itself() {
        for (log, template) in [("1", "{n}"), ("2026-11-20.log", "{time}.log"), ("7.gz", "./{n}"), ("1", "../logs/{n}")]
        {
            assert!(error(log, template).contains("which is the log itself"), "{log} {template}");
        }
        naming("2026-11-20.log", "old/{time}.log");
    }

    fn base() -> impl Strategy<Value = Vec<u8>> {
        let piece =
            prop::sample::select(vec![&b"a"[..], b".", b"1", b"0", b"{n}", b"%Y", b"\xff", b".gz", b".log", b"-"]);
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }

    fn template() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{base}",
            "{stem}",
            "{ext}",
            "{n}",
            "{time}",
            "{time:%Y%m%d-%H%M%S}",
            "{time:%s}",
            "{time:%y%j_%s}",
            "{time:%G%V}",
            "{time:%Y%U}",
            "{time:%b%Y}",
            "{time:%F_%H%z}",
            "{time:%Y%m%d%H%M%S%f}",
            ".",
            "-",
            "0",
            "1",
            "{{",
            "}}",
            "x/",
            ".gz",
            "+",
        ]);
        prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn what_was_written_is_read_back(
            base in base(), template in template(), seconds in 0i64..4_000_000_000, micros in 0u32..1_000_000,
            quarters in -48i32..=56, number in 0u64..1_000,
        ) {
            let log = Path::new("logs").join(OsString::from_vec(base));
            let Ok(naming) = Naming::new(&log, &template, "%Y-%m-%d") else { return Ok(()) };
            let offset = FixedOffset::east_opt(quarters * 900).unwrap();
            let time = offset.timestamp_opt(seconds, micros * 1_000).unwrap();
            let stamp = Stamp { time: Some(time), number: Some(number) };
            for (path, compressed) in [(naming.path(&stamp), false), (naming.compressed_path(&stamp), true)] {
                let archive = naming.parse(path.file_name().unwrap()).unwrap();
                prop_assert_eq!(archive.compressed, compressed);
                prop_assert_eq!(naming.path_of(&archive), path);
                prop_assert_eq!(naming.path(&archive.stamp), naming.path(&stamp));
                let numbered = naming.has_number() || number > 0;
                let expected = numbered.then_some(if naming.has_number() { number.max(1) } else { number });
                prop_assert_eq!(archive.stamp.number, expected);
                prop_assert_eq!(archive.stamp.time.is_some(), naming.has_time());
                if template.contains("%f") {
                    prop_assert_eq!(archive.stamp.time.unwrap().naive_local(), time.naive_local());
                }
                if template.contains("%s") {
                    prop_assert_eq!(archive.stamp.time.unwrap().timestamp(), seconds);
                }
            }
            let log_itself = naming.directory() == Path::new("logs") && naming.parse(log.file_name().unwrap()).is_some();
            prop_assert!(!log_itself);
        }

        #[test]
        fn a_name_from_anywhere_is_an_archive_only_if_it_could_have_been_written(
            name in prop::collection::vec(prop::sample::select(b"ap.log0123456789-_gz+T\xff".to_vec()), 0..24),
            like in "app\\.log\\.[0-9]{1,4}(-[0-9]{2}-[0-9]{2})?(\\.[0-9]{1,2})?(\\.gz)?",
            template in template(),
        ) {
            let Ok(naming) = Naming::new(Path::new("app.log"), &template, "%Y-%m-%d") else { return Ok(()) };
            for name in [OsString::from_vec(name), like.into()] {
                if let Some(archive) = naming.parse(&name) {
                    let path = if archive.compressed { naming.compressed_path(&archive.stamp) } else { naming.path(&archive.stamp) };
                    prop_assert_eq!(path.file_name(), Some(name.as_os_str()));
                }
            }
        }

        #[test]
        fn templates_from_anywhere_never_panic(log in ".*", template in ".*", format in "[%a-zA-Z{}/]*") {
            let _ = Naming::new(Path::new(&log), &template, &format);
            let _ = Naming::new(Path::new(&log), "{base}.{time}", &format);
        }
    }
}
