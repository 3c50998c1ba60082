//! Integers and floats as Python writes them.

use std::io::Write;

use super::spec::{Align, Convert, Spec};

#[derive(Clone, Copy, Debug)]
pub enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// Python's `str()`, which for numbers is `repr()`.
    pub fn print(self, out: &mut Vec<u8>) {
        // Writing into a vector cannot fail, here and below.
        let start = out.len();
        let _ = match self {
            Self::Int(number) => write!(out, "{number}"),
            Self::Float(number) if number != 0.0 && !(1e-4..1e16).contains(&number.abs()) => {
                let _ = write!(out, "{number:e}");
                let decimals = decimals(&out[start..]);
                out.truncate(start);
                let written = write!(out, "{number:.decimals$e}");
                python_exponent(out, start, false);
                written
            }
            Self::Float(number) => {
                let _ = write!(out, "{number:?}");
                let decimals = decimals(&out[start..]);
                out.truncate(start);
                write!(out, "{number:.decimals$}")
            }
        };
    }

    /// Appends the number as `spec` (which isn't one for text) wants it. `scratch` is a buffer to reuse.
    pub fn write(self, spec: &Spec, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        scratch.clear();
        let negative = self.digits(spec, scratch);
        let sign = if negative { Some(b'-') } else { spec.sign };
        let prefix: &[u8] = match spec.convert {
            Convert::Hex { upper: false } if spec.alternate => b"0x",
            Convert::Hex { upper: true } if spec.alternate => b"0X",
            Convert::Octal if spec.alternate => b"0o",
            Convert::Binary if spec.alternate => b"0b",
            _ => b"",
        };
        let before = usize::from(sign.is_some()) + prefix.len();
        if let Some(mark) = spec.group {
            let zeros = spec.align == Align::Inside && spec.fill == '0';
            let step = if spec.is_based() { 4 } else { 3 };
            group(scratch, mark, step, if zeros { spec.width.saturating_sub(before) } else { 0 });
        }
        let pad = spec.width.saturating_sub(before + scratch.len());
        let (left, inside) = match spec.align {
            Align::Left => (0, 0),
            Align::Right => (pad, 0),
            Align::Center => (pad / 2, 0),
            Align::Inside => (0, pad),
        };
        super::text::fill(out, spec.fill, left);
        out.extend(sign);
        out.extend_from_slice(prefix);
        super::text::fill(out, spec.fill, inside);
        out.extend_from_slice(scratch);
        super::text::fill(out, spec.fill, pad - left - inside);
    }

    /// Writes the digits without a sign; whether there should be a minus.
    fn digits(self, spec: &Spec, out: &mut Vec<u8>) -> bool {
        let decimals = spec.precision.unwrap_or(6);
        let float = self.float();
        let size = float.abs();
        let _ = match spec.convert {
            Convert::Int | Convert::Hex { .. } | Convert::Octal | Convert::Binary => {
                let number = match self {
                    Self::Int(number) => number,
                    Self::Float(number) => number as i64,
                };
                integer(number.unsigned_abs(), spec, out);
                return number < 0;
            }
            Convert::Fixed => write!(out, "{size:.decimals$}"),
            Convert::Percent => write!(out, "{:.decimals$}%", size * 100.0),
            Convert::Exponent { upper } => {
                let written = write!(out, "{size:.decimals$e}");
                python_exponent(out, 0, upper);
                written
            }
            Convert::General { upper, point } => {
                general(size, decimals.max(1), upper, point, spec.alternate, out);
                Ok(())
            }
            Convert::Float | Convert::Str | Convert::Repr | Convert::Ascii => {
                Self::Float(size).print(out);
                Ok(())
            }
        };
        if spec.alternate && !out.contains(&b'.') {
            out.insert(out.iter().take_while(|b| b.is_ascii_digit()).count(), b'.');
        }
        float.is_sign_negative()
    }
}

impl Spec {
    fn is_based(&self) -> bool {
        matches!(self.convert, Convert::Hex { .. } | Convert::Octal | Convert::Binary)
    }
}

fn integer(number: u64, spec: &Spec, out: &mut Vec<u8>) {
    let fewest = spec.precision.unwrap_or(1);
    let _ = match spec.convert {
        Convert::Hex { upper: false } => write!(out, "{number:0fewest$x}"),
        Convert::Hex { upper: true } => write!(out, "{number:0fewest$X}"),
        Convert::Octal => write!(out, "{number:0fewest$o}"),
        Convert::Binary => write!(out, "{number:0fewest$b}"),
        _ => write!(out, "{number:0fewest$}"),
    };
}

/// `g`: so many digits in all, with an exponent where the number is very small or too long, trailing zeros dropped.
fn general(size: f64, digits: usize, upper: bool, point: bool, keep: bool, out: &mut Vec<u8>) {
    let _ = write!(out, "{size:.*e}", digits - 1);
    let exponent = match out.iter().rposition(|b| *b == b'e') {
        Some(e) => std::str::from_utf8(&out[e + 1..]).ok().and_then(|text| text.parse::<i64>().ok()).unwrap_or(0),
        None => 0,
    };
    let most = digits as i64 - i64::from(point);
    if exponent < -4 || exponent >= most {
        if let (false, Some(e)) = (keep, out.iter().rposition(|b| *b == b'e')) {
            let kept = significant(&out[..e]);
            out.drain(kept..e);
        }
        python_exponent(out, 0, upper);
    } else {
        out.clear();
        let decimals = usize::try_from(digits as i64 - 1 - exponent).unwrap_or(0);
        let _ = write!(out, "{size:.decimals$}");
        if !keep {
            out.truncate(significant(out));
        }
        if point && !out.contains(&b'.') {
            out.extend_from_slice(b".0");
        }
    }
}

/// How many digits stand behind the point. The shortest text for a float is asked for only to learn that: where two are
/// as short and as near, Rust takes the upper and Python the even one, as rounding to so many digits does.
fn decimals(number: &[u8]) -> usize {
    let point = number.iter().position(|b| *b == b'.').map_or(number.len(), |at| at + 1);
    number[point..].iter().take_while(|b| b.is_ascii_digit()).count()
}

/// The length of a decimal number without the zeros that end its fraction.
fn significant(number: &[u8]) -> usize {
    if !number.contains(&b'.') {
        return number.len();
    }
    let zeros = number.iter().rev().take_while(|b| **b == b'0').count();
    let length = number.len() - zeros;
    length - usize::from(number[length - 1] == b'.')
}

/// Turns Rust's `1e9` after `start` into Python's `1e+09`.
fn python_exponent(out: &mut Vec<u8>, start: usize, upper: bool) {
    let Some(e) = out[start..].iter().rposition(|b| *b == b'e').map(|e| start + e) else { return };
    if upper {
        out[e] = b'E';
    }
    if out.get(e + 1) != Some(&b'-') {
        out.insert(e + 1, b'+');
    }
    if out.len() == e + 3 {
        out.insert(e + 2, b'0');
    }
}

/// Puts `mark` between every `step` digits of the whole part, which zeros first bring to a total length of `width`.
fn group(number: &mut Vec<u8>, mark: u8, step: usize, width: usize) {
    let hex = step == 4;
    let whole = number.iter().take_while(|b| b.is_ascii_digit() || (hex && b.is_ascii_hexdigit())).count();
    let rest = number.len() - whole;
    let mut digits = whole;
    while digits + (digits - 1) / step + rest < width {
        digits += 1;
    }
    number.splice(..0, std::iter::repeat_n(b'0', digits - whole));
    let mut at = digits;
    while at > step {
        at -= step;
        number.insert(at, mark);
    }
}
