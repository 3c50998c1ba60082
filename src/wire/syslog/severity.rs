//! How grave a message is by syslog's count: SysLogHandler's priority names for the codes of RFC 5424, table 2.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::level::Level;

/// One of the eight severities; the least number is the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(u8);

/// A severity that there is not, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is no priority: emerg, alert, crit, err, warning, notice, info, debug, or a number from 0 to 7")]
pub struct SeverityError(String);

/// By their codes, as syslog(3) and Python call them first.
const NAMES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

impl Severity {
    pub const WARNING: Self = Self(4);
    /// logger's default.
    pub const NOTICE: Self = Self(5);
    pub const INFO: Self = Self(6);

    /// The severity of a code; None above 7.
    pub fn new(code: u8) -> Option<Self> {
        (usize::from(code) < NAMES.len()).then_some(Self(code))
    }

    /// 0 (emergency) to 7 (debug).
    pub fn code(self) -> u8 {
        self.0
    }

    /// syslog(3)'s name.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }

    /// Python's level for it.
    pub fn level(self) -> Level {
        Level::from_severity(self.0)
    }
}

/// Python's `mapPriority`; levels between its own are mapped as [`Level::severity`] says.
impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        Self(level.severity().min(7))
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = SeverityError;

    /// One of Python's names in any case, or a code.
    fn from_str(text: &str) -> Result<Self, SeverityError> {
        let word = text.trim().to_ascii_lowercase();
        let code = match word.as_str() {
            "panic" => Some(0),
            "critical" => Some(2),
            "error" => Some(3),
            "warn" => Some(4),
            _ => match NAMES.iter().position(|name| *name == word) {
                Some(code) => u8::try_from(code).ok(),
                None => word.parse().ok().filter(|_| word.len() == 1),
            },
        };
        code.and_then(Self::new).ok_or_else(|| SeverityError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::wire::python;

    #[test]
    fn names_and_the_map_from_levels_are_those_of_python() {
        let script = "import json, logging, logging.handlers as h; s = h.SysLogHandler; \
                      print(json.dumps([s.priority_names, {n: s.priority_names[s.mapPriority(s, n)] \
                      for n in ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'NOTSET']}]))";
        let Some(answer) = python::ask(script, b"") else { return };
        let [names, levels]: [BTreeMap<String, u8>; 2] = serde_json::from_slice(&answer).unwrap();
        assert!(names.len() >= 12, "{names:?}");
        for (name, code) in names {
            assert_eq!(name.parse::<Severity>().unwrap().code(), code, "{name}");
        }
        for (level, code) in levels {
            assert_eq!(Severity::from(level.parse::<Level>().unwrap()).code(), code, "{level}");
        }
    }

    #[test]
    fn a_severity_is_printed_as_it_is_read() {
        for code in 0..8 {
            let severity = Severity::new(code).unwrap();
            assert_eq!(severity.to_string().parse::<Severity>().unwrap(), severity);
            assert_eq!(code.to_string().parse::<Severity>().unwrap(), severity);
        }
        assert_eq!(Severity::new(8), None);
        assert_eq!("Warn".parse(), Ok(Severity::WARNING));
        assert_eq!(Severity::from(Level::NOTICE), Severity::NOTICE);
        assert_eq!(Severity::from(Level(35)), Severity::WARNING);
        assert_eq!(Severity::INFO.level(), Level::INFO);
    }

    #[test]
    fn nonsense_is_refused_and_the_message_says_what_is_right() {
        for text in ["", "8", "+1", "-1", "01", "loud"] {
            let message = text.parse::<Severity>().unwrap_err().to_string();
            assert!(message.contains("or a number from 0 to 7"), "{message}");
        }
    }
}
