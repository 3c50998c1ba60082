//! The level of a record: Python's numbers and names, syslog's severities, and the words people use for both.
//!
//! Piped lines bring no `levelno` along, so [`recognise()`] looks where logs write it, and [`LevelRegex`] asks the
//! user where that is.

mod fields;
mod group;
mod header;

#[cfg(test)]
mod lines;
mod recognise;
mod words;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use regex::bytes::Regex;
use thiserror::Error;

pub use recognise::recognise;

/// How grave a record is, by Python's numbers (NOTSET 0 … CRITICAL 50; any number between is a level too).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(pub i32);

/// A level, or a pattern for levels, that could not be read, with what would be right.
#[derive(Debug, Error)]
pub enum LevelError {
    /// Neither a name nor a number.
    #[error(
        "'{0}' is no level: one of trace, debug, info, notice, warning, error, critical, \
         or a number such as Python's 30 for warning"
    )]
    Unknown(String),
    /// The pattern doesn't compile.
    #[error("the level pattern is no regular expression: {0}")]
    Pattern(#[from] regex::Error),
    /// The pattern doesn't say which part of it is the level.
    #[error("the level pattern '{0}' has no group named level: write (?<level>...) around the part that is the level")]
    NoGroup(String),
}

impl Level {
    /// Python's NOTSET.
    pub const NOTSET: Self = Self(0);
    /// Below Python's own levels; many other loggers have it.
    pub const TRACE: Self = Self(5);
    /// Python's DEBUG.
    pub const DEBUG: Self = Self(10);
    /// Python's INFO.
    pub const INFO: Self = Self(20);
    /// Between INFO and WARNING; syslog has it, Python hasn't.
    pub const NOTICE: Self = Self(25);
    /// Python's WARNING.
    pub const WARNING: Self = Self(30);
    /// Python's ERROR.
    pub const ERROR: Self = Self(40);
    /// Python's CRITICAL.
    pub const CRITICAL: Self = Self(50);

    /// Python's `getLevelName`: a number without a name of its own is `Level 35`.
    pub fn name(self) -> Cow<'static, str> {
        match self.fixed_name() {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("Level {}", self.0)),
        }
    }

    fn fixed_name(self) -> Option<&'static str> {
        Some(match self {
            Self::NOTSET => "NOTSET",
            Self::TRACE => "TRACE",
            Self::DEBUG => "DEBUG",
            Self::INFO => "INFO",
            Self::NOTICE => "NOTICE",
            Self::WARNING => "WARNING",
            Self::ERROR => "ERROR",
            Self::CRITICAL => "CRITICAL",
            _ => return None,
        })
    }

    /// The level of a syslog severity (RFC 5424: 0 emergency … 7 debug). Python has nothing above CRITICAL, so
    /// emergency and alert are that too.
    pub fn from_severity(severity: u8) -> Self {
        match severity {
            0..=2 => Self::CRITICAL,
            3 => Self::ERROR,
            4 => Self::WARNING,
            5 => Self::NOTICE,
            6 => Self::INFO,
            _ => Self::DEBUG,
        }
    }

    /// The syslog severity, as SysLogHandler's priority map has it for Python's names.
    ///
    /// Python sends every name it doesn't know as warning (4). Here only NOTSET goes that way; a number between two
    /// names takes the severity of the one below it.
    pub fn severity(self) -> u8 {
        match self.0 {
            0 => 4,
            50.. => 2,
            40.. => 3,
            30.. => 4,
            25.. => 5,
            20.. => 6,
            _ => 7,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fixed_name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.name()),
        }
    }
}

impl FromStr for Level {
    type Err = LevelError;

    /// A name or one of its usual aliases in any case, a number, or what [`Level::name`] makes of a number.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        words::name_or_number(text.trim().as_bytes()).ok_or_else(|| LevelError::Unknown(text.to_owned()))
    }
}

/// A user's own word on where a line carries its level: a regular expression with a group named `level`.
#[derive(Clone, Debug)]
pub struct LevelRegex {
    regex: Regex,
    group: usize,
}

impl LevelRegex {
    /// Compiles `pattern`, which must have a group named `level`.
    pub fn new(pattern: &str) -> Result<Self, LevelError> {
        let regex = Regex::new(pattern)?;
        let group = regex.capture_names().position(|name| name == Some("level"));
        let group = group.ok_or_else(|| LevelError::NoGroup(pattern.to_owned()))?;
        Ok(Self { regex, group })
    }

    /// The level that the group caught in `line`; None when nothing matched or what it caught is no level.
    pub fn find(&self, line: &[u8]) -> Option<Level> {
        let captures = self.regex.captures(line)?;
        words::name_or_number(captures.get(self.group)?.as_bytes().trim_ascii())
    }
}

impl FromStr for LevelRegex {
    type Err = LevelError;

    fn from_str(pattern: &str) -> Result<Self, LevelError> {
        Self::new(pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_python() {
        for (number, name) in [
            (0, "NOTSET"),
            (5, "TRACE"),
            (10, "DEBUG"),
            (20, "INFO"),
            (25, "NOTICE"),
            (30, "WARNING"),
            (40, "ERROR"),
            (50, "CRITICAL"),
            (35, "Level 35"),
            (-1, "Level -1"),
        ] {
            assert_eq!(Level(number).name(), name);
            assert_eq!(Level(number).to_string(), name);
            assert_eq!(name.parse::<Level>().unwrap(), Level(number), "what is printed can be read");
        }
        assert_eq!(format!("{:<9}|{:>9}", Level::INFO, Level(7)), "INFO     |  Level 7");
    }

    #[test]
    fn aliases_and_numbers_are_levels_in_any_case() {
        for (text, level) in [
            ("warn", Level::WARNING),
            ("Warning", Level::WARNING),
            ("FATAL", Level::CRITICAL),
            ("err", Level::ERROR),
            ("crit", Level::CRITICAL),
            ("alert", Level::CRITICAL),
            ("emerg", Level::CRITICAL),
            ("panic", Level::CRITICAL),
            ("trace", Level::TRACE),
            ("notice", Level::NOTICE),
            ("verbose", Level::DEBUG),
            ("notset", Level::NOTSET),
            (" 35 ", Level(35)),
        ] {
            assert_eq!(text.parse::<Level>().unwrap(), level, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_and_the_message_says_what_is_right() {
        for text in ["", "loud", "3.5", "level", "99999999999", "wärn"] {
            let message = text.parse::<Level>().unwrap_err().to_string();
            assert!(message.contains("warning, error, critical"), "{message}");
        }
    }

    #[test]
    fn severities_follow_syslog_and_come_back() {
        for severity in 2..=7 {
            assert_eq!(Level::from_severity(severity).severity(), severity);
        }
        assert_eq!(Level::from_severity(0), Level::CRITICAL);
        assert_eq!(Level(45).severity(), 3, "a number between two names is the lower one");
        assert_eq!(Level(70).severity(), 2);
        assert_eq!(Level::TRACE.severity(), 7);
        assert_eq!(Level::NOTSET.severity(), 4, "Python sends what it has no name for as warning");
        assert_eq!(Level(-5).severity(), 7);
    }

    #[test]
    fn a_pattern_says_where_the_level_is() {
        let pattern = LevelRegex::new(r"^\S+ sev:(?<level>\w+)").unwrap();
        assert_eq!(pattern.find(b"app sev:warn all fine"), Some(Level::WARNING));
        assert_eq!(pattern.find(b"app sev:40 \xff"), Some(Level::ERROR));
        assert_eq!(pattern.find(b"app sev:loud"), None, "an unknown word");
        assert_eq!(pattern.find(b"no match"), None);
        let optional: LevelRegex = "x(?P<level>E)?".parse().unwrap();
        assert_eq!(optional.find(b"x"), None, "the group took no part");
    }

    #[test]
    fn a_pattern_without_the_group_is_refused() {
        let message = LevelRegex::new("(ERROR|WARN)").unwrap_err().to_string();
        assert!(message.contains("(?<level>"), "{message}");
        assert!(LevelRegex::new("(?<level>").is_err());
    }
}
