//! The PRI part of a message: `<` facility × 8 + severity `>` (RFC 5424, 6.2.1; SysLogHandler's `encodePriority`).

use super::{Facility, Severity};

/// Facility and severity, as they stand before every message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pri {
    pub facility: Facility,
    pub severity: Severity,
}

impl Pri {
    /// The number between the angle brackets, 0 to 191.
    pub fn value(self) -> u8 {
        self.facility.code() * 8 + self.severity.code()
    }

    /// The PRI of a number; None above 191.
    pub fn from_value(value: u8) -> Option<Self> {
        Some(Self { facility: Facility::new(value / 8)?, severity: Severity::new(value % 8)? })
    }

    /// Reads a `<PRI>` at the start of `line`: what it says, and the rest. As strict as the grammar (no leading
    /// zeros), because what only looks like one is a part of the text.
    pub fn take(line: &[u8]) -> Option<(Self, &[u8])> {
        let inside = line.strip_prefix(b"<")?;
        let close = inside.iter().take(4).position(|byte| *byte == b'>')?;
        let (digits, rest) = (&inside[..close], &inside[close + 1..]);
        let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) && (close == 1 || digits[0] != b'0');
        let value = std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()?;
        Some((Self::from_value(value)?, rest))
    }

    /// The same with `facility` where none was given: a program that writes `<3>` (sd-daemon(3), `logger
    /// --prio-prefix`) means no facility by the kernel's zero.
    pub fn or_facility(self, facility: Facility) -> Self {
        if self.facility == Facility::KERN { Self { facility, ..self } } else { self }
    }

    /// Appends `<PRI>`.
    pub fn write(self, out: &mut Vec<u8>) {
        let value = self.value();
        out.push(b'<');
        if value >= 100 {
            out.push(b'0' + value / 100);
        }
        if value >= 10 {
            out.push(b'0' + value / 10 % 10);
        }
        out.extend_from_slice(&[b'0' + value % 10, b'>']);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pri_is_read_as_it_is_written() {
        for value in 0..=191 {
            let pri = Pri::from_value(value).unwrap();
            assert_eq!(pri.value(), value);
            let mut out = Vec::new();
            pri.write(&mut out);
            assert_eq!(out, format!("<{value}>").into_bytes());
            out.extend_from_slice(b" rest");
            assert_eq!(Pri::take(&out), Some((pri, &b" rest"[..])));
        }
        assert_eq!(Pri::from_value(192), None);
    }

    #[test]
    fn what_only_looks_like_a_pri_is_text() {
        for line in
            ["", "<", "<>", "<1", "<192>x", "<1000>x", "<01>x", "<00>x", "<+1>x", "<a>x", " <1>x", "<1 >x", "1>"]
        {
            assert_eq!(Pri::take(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn a_program_that_gives_no_facility_gets_the_usual_one() {
        let (pri, rest) = Pri::take(b"<3>disk failed").unwrap();
        assert_eq!((pri.or_facility(Facility::USER).value(), rest), (11, &b"disk failed"[..]));
        let (pri, _) = Pri::take(b"<165>x").unwrap();
        assert_eq!(pri.or_facility(Facility::USER), pri);
    }
}
