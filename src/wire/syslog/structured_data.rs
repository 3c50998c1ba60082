//! STRUCTURED-DATA (RFC 5424, 6.3): `[id name="value" other="…"][id2]`, read from text as people type it.

use std::fmt::{self, Write};
use std::str::FromStr;

use thiserror::Error;

use crate::wire::octal;

/// The longest SD-NAME.
const NAME: usize = 32;

/// Structured data in its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructuredData(String);

/// Text that is no structured data, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the structured data is broken at '{at}': {why}, as in [origin@32473 ip=\"192.0.2.1\"]")]
pub struct StructuredDataError {
    at: String,
    why: &'static str,
}

impl StructuredData {
    /// Reads elements side by side, or `-` for none.
    ///
    /// What a value may not hold as it is gets its backslash (`]`, and a backslash that escapes nothing: 6.3.3 takes it
    /// for itself); control characters, which would break frames of lines, are escaped as in a message.
    pub fn parse(text: &str) -> Result<Self, StructuredDataError> {
        let mut rest = text.trim();
        if rest == "-" {
            return Ok(Self(rest.to_owned()));
        }
        let mut data = String::with_capacity(rest.len());
        let mut ids = Vec::new();
        loop {
            let inside = rest.strip_prefix('[').ok_or_else(|| broken(rest, "an element begins with ["))?;
            let (id, behind) = name(inside)?;
            if ids.contains(&id) {
                return Err(broken(rest, "each id may stand there once"));
            }
            ids.push(id);
            data.push('[');
            data.push_str(id);
            rest = parameters(behind, &mut data)?;
            data.push(']');
            if rest.is_empty() {
                return Ok(Self(data));
            }
        }
    }

    /// As it stands in a message.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StructuredData {
    type Err = StructuredDataError;

    fn from_str(text: &str) -> Result<Self, StructuredDataError> {
        Self::parse(text)
    }
}

impl fmt::Display for StructuredData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broken(at: &str, why: &'static str) -> StructuredDataError {
    StructuredDataError { at: at.chars().take(30).collect(), why }
}

/// An SD-NAME and what stands behind it.
fn name(text: &str) -> Result<(&str, &str), StructuredDataError> {
    let end = text.find(|c: char| !c.is_ascii_graphic() || matches!(c, '=' | ']' | '"')).unwrap_or(text.len());
    if !(1..=NAME).contains(&end) {
        return Err(broken(text, "a name has 1 to 32 printable ASCII characters without = ] \" and spaces"));
    }
    Ok(text.split_at(end))
}

/// Appends the parameters of an element; what stands behind its closing bracket.
fn parameters<'t>(mut rest: &'t str, data: &mut String) -> Result<&'t str, StructuredDataError> {
    loop {
        let next = rest.trim_start_matches(' ');
        if let Some(behind) = next.strip_prefix(']') {
            return Ok(behind);
        }
        if next.len() == rest.len() {
            return Err(broken(rest, "a space or ] must follow"));
        }
        let (name, behind) = name(next)?;
        let quoted = behind.strip_prefix("=\"").ok_or_else(|| broken(next, "a parameter is written name=\"value\""))?;
        // Writing into a string cannot fail, here and below.
        let _ = write!(data, " {name}=\"");
        rest = value(quoted, data).ok_or_else(|| broken(next, "the value has no closing quote"))?;
        data.push('"');
    }
}

/// Appends a value; what stands behind its closing quote, None without one.
fn value<'t>(text: &'t str, data: &mut String) -> Option<&'t str> {
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some(chars.as_str()),
            ']' => data.push_str(r"\]"),
            '\\' => match chars.clone().next()? {
                escaped @ ('"' | '\\' | ']') => {
                    chars.next();
                    data.push('\\');
                    data.push(escaped);
                }
                _ => data.push_str(r"\\"),
            },
            control if control.is_ascii_control() && control != '\t' => {
                data.extend(octal::escape(control as u8).map(char::from));
            }
            c => data.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_stays_as_it_is() {
        for text in [
            "-",
            "[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]",
            "[a@1 iut=\"3\"][b@1 class=\"high\"]",
            "[timeQuality]",
            r#"[a v="\"quoted\" \] \\ é日"]"#,
            "[a v=\"\" v=\"again\"]",
        ] {
            assert_eq!(StructuredData::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_meant_is_escaped() {
        for (text, data) in [
            (" [a  v=\"1\"  ] ", "[a v=\"1\"]"),
            (r#"[a v="x]y" w="C:\temp"]"#, r#"[a v="x\]y" w="C:\\temp"]"#),
            ("[a v=\"two\nlines\0\"]", "[a v=\"two#012lines#000\"]"),
        ] {
            assert_eq!(StructuredData::parse(text).unwrap().as_str(), data);
        }
    }

    #[test]
    fn what_is_broken_is_refused_and_the_message_says_where() {
        for (text, at, why) in [
            ("", "", "begins with ["),
            ("a=1", "a=1", "begins with ["),
            ("[]", "]", "1 to 32"),
            ("[a", "", "a space or ]"),
            ("[a b]", "b]", "name=\"value\""),
            ("[a b=1]", "b=1]", "name=\"value\""),
            ("[a b=\"1]", "b=\"1]", "closing quote"),
            ("[a b=\"1\"c=\"2\"]", "c=\"2\"]", "a space or ]"),
            ("[a b=\"1\"] [c]", " [c]", "begins with ["),
            ("[é]", "é]", "1 to 32"),
            ("[a][a]", "[a]", "once"),
            ("[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1 to 32"),
        ] {
            let error = StructuredData::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}");
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
