//! The part of the system that a message is about: SysLogHandler's names for the codes of RFC 5424, table 1.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// One of the 24 facilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facility(u8);

/// A facility that there is not, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is no facility: {known}, or a number from 0 to 23", known = known())]
pub struct FacilityError(String);

/// By their codes, as SysLogHandler calls them. util-linux's `security` is `auth` (4); Python's, and RFC 5424's
/// "log audit", is 13.
const NAMES: [&str; 24] = [
    "kern",
    "user",
    "mail",
    "daemon",
    "auth",
    "syslog",
    "lpr",
    "news",
    "uucp",
    "cron",
    "authpriv",
    "ftp",
    "ntp",
    "security",
    "console",
    "solaris-cron",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
];

fn known() -> String {
    NAMES.join(", ")
}

impl Facility {
    /// What the kernel says; from a program it means that none was given (sd-daemon(3)).
    pub const KERN: Self = Self(0);
    /// The default of SysLogHandler, of logger and of syslog(3).
    pub const USER: Self = Self(1);

    /// The facility of a code; None above 23.
    pub fn new(code: u8) -> Option<Self> {
        (usize::from(code) < NAMES.len()).then_some(Self(code))
    }

    /// 0 to 23.
    pub fn code(self) -> u8 {
        self.0
    }

    /// Python's name.
    pub fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Facility {
    type Err = FacilityError;

    /// A name in any case, or a code.
    fn from_str(text: &str) -> Result<Self, FacilityError> {
        let word = text.trim();
        let named = NAMES.iter().position(|name| name.eq_ignore_ascii_case(word));
        let code = match named {
            Some(code) => u8::try_from(code).ok(),
            None if word.eq_ignore_ascii_case("solcron") => Some(15),
            None => word.parse().ok().filter(|_| word.bytes().all(|byte| byte.is_ascii_digit())),
        };
        code.and_then(Self::new).ok_or_else(|| FacilityError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::python;

    #[test]
    fn names_and_codes_are_those_of_python() {
        let script = "import json, logging.handlers as h; print(json.dumps(h.SysLogHandler.facility_names))";
        let Some(answer) = python::ask(script, b"") else { return };
        let names: std::collections::BTreeMap<String, u8> = serde_json::from_slice(&answer).unwrap();
        assert!(names.len() >= 20, "{names:?}");
        for (name, code) in names {
            assert_eq!(name.parse::<Facility>().unwrap().code(), code, "{name}");
        }
    }

    #[test]
    fn a_facility_is_printed_as_it_is_read() {
        for code in 0..24 {
            let facility = Facility::new(code).unwrap();
            assert_eq!(facility.to_string().parse::<Facility>().unwrap(), facility);
            assert_eq!(code.to_string().parse::<Facility>().unwrap(), facility);
            assert_eq!(facility.name().to_uppercase().parse::<Facility>().unwrap(), facility);
        }
        assert_eq!("solcron".parse::<Facility>().unwrap().code(), 15);
        assert_eq!(Facility::USER.name(), "user");
        assert_eq!(Facility::KERN.name(), "kern");
    }

    #[test]
    fn nonsense_is_refused_and_the_message_says_what_is_right() {
        for text in ["", "24", "256", "-1", "+1", "local8", "usr"] {
            let message = text.parse::<Facility>().unwrap_err().to_string();
            assert!(message.contains("local7, or a number"), "{message}");
        }
        assert_eq!(Facility::new(24), None);
    }
}
