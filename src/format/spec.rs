//! What may stand between a field and its end: flags, width, precision and type, in both of Python's grammars.

use super::Type;

/// Wider than any line for eyes, and what the standard library can format.
const MOST: usize = 65_535;

/// How a value is dressed. The two grammars end in the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    pub convert: Convert,
    pub fill: char,
    pub align: Align,
    /// `+` or a space in front of what isn't negative.
    pub sign: Option<u8>,
    /// `#`.
    pub alternate: bool,
    pub width: usize,
    /// Characters of a text, decimals of a float, the fewest digits of an integer.
    pub precision: Option<usize>,
    /// `,` or `_` between thousands.
    pub group: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
    Center,
    /// Fill between the sign and the digits.
    Inside,
}

/// What becomes of the value before it is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convert {
    /// `str()`.
    Str,
    /// `repr()`.
    Repr,
    /// `ascii()`.
    Ascii,
    /// Cut to an integer, in base 10.
    Int,
    Hex {
        upper: bool,
    },
    Octal,
    Binary,
    /// `f`.
    Fixed,
    /// `e`.
    Exponent {
        upper: bool,
    },
    /// `g`; `point` keeps a decimal, as a float without a type does in the brace style.
    General {
        upper: bool,
        point: bool,
    },
    /// `%`, a hundredfold with a sign.
    Percent,
    /// A float as Python prints it.
    Float,
}

impl Spec {
    /// What a field without a spec has.
    pub const PLAIN: Self = Self {
        convert: Convert::Str,
        fill: ' ',
        align: Align::Right,
        sign: None,
        alternate: false,
        width: 0,
        precision: None,
        group: None,
    };

    /// The percent style: what follows `%(field)`. Returns the spec and the length of its text.
    pub(super) fn percent(text: &str, kind: Type) -> Result<(Self, usize), &'static str> {
        let bytes = text.as_bytes();
        let mut spec = Self::PLAIN;
        let mut at = 0;
        let mut zero = false;
        loop {
            match bytes.get(at) {
                Some(b'-') => spec.align = Align::Left,
                Some(b'+') => spec.sign = Some(b'+'),
                Some(b' ') => spec.sign = spec.sign.or(Some(b' ')),
                Some(b'0') => zero = true,
                Some(b'#') => spec.alternate = true,
                _ => break,
            }
            at += 1;
        }
        if bytes.get(at) == Some(&b'*') {
            return Err("a width of * takes its number from arguments, and a template has none");
        }
        spec.width = number(text, &mut at)?.unwrap_or(0);
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            spec.precision = Some(number(text, &mut at)?.unwrap_or(0));
        }
        if matches!(bytes.get(at), Some(b'h' | b'l' | b'L')) {
            at += 1;
        }
        let Some(&letter) = bytes.get(at) else { return Err("it ends before its type, such as s or d") };
        spec.convert = match letter {
            b's' => Convert::Str,
            b'r' => Convert::Repr,
            b'a' => Convert::Ascii,
            b'd' | b'i' | b'u' if kind != Type::Text => Convert::Int,
            b'x' | b'X' if kind == Type::Int => Convert::Hex { upper: letter == b'X' },
            b'o' if kind == Type::Int => Convert::Octal,
            b'f' | b'F' if kind != Type::Text => Convert::Fixed,
            b'e' | b'E' if kind != Type::Text => Convert::Exponent { upper: letter == b'E' },
            b'g' | b'G' if kind != Type::Text => Convert::General { upper: letter == b'G', point: false },
            b'd' | b'i' | b'u' | b'f' | b'F' | b'e' | b'E' | b'g' | b'G' => return Err("a text takes s, r or a"),
            b'x' | b'X' | b'o' => return Err("only an integer takes x or o"),
            _ => return Err("the types are s r a d i u x X o e E f F g G"),
        };
        if spec.is_text() {
            spec.sign = None;
        } else if zero && spec.align != Align::Left {
            spec.fill = '0';
            spec.align = Align::Inside;
        }
        Ok((spec, at + 1))
    }

    /// The brace style: the conversion after `!` and the spec after `:`.
    pub(super) fn brace(conversion: Option<&str>, text: &str, kind: Type) -> Result<Self, &'static str> {
        let mut spec = Self::PLAIN;
        let kind = if conversion.is_some() { Type::Text } else { kind };
        let text_convert = match conversion {
            None | Some("s") => Convert::Str,
            Some("r") => Convert::Repr,
            Some("a") => Convert::Ascii,
            Some(_) => return Err("the conversions are !s, !r and !a"),
        };
        if kind == Type::Text {
            spec.align = Align::Left;
        }
        let mut rest = text;
        let mut chars = text.chars();
        let (first, second) = (chars.next(), chars.next());
        let (mut filled, mut aligned) = (false, false);
        if let (Some(fill), Some(align)) = (first, second.and_then(align)) {
            (spec.fill, spec.align) = (fill, align);
            (filled, aligned) = (true, true);
            rest = chars.as_str();
        } else if let Some(align) = first.and_then(align) {
            spec.align = align;
            aligned = true;
            rest = &text[1..];
        }
        let bytes = rest.as_bytes();
        let mut at = 0;
        let mut take = |wanted: &[u8]| {
            let found = bytes.get(at).copied().filter(|b| wanted.contains(b));
            at += usize::from(found.is_some());
            found
        };
        let sign = take(b"+- ");
        spec.sign = sign.filter(|sign| *sign != b'-');
        spec.alternate = take(b"#").is_some();
        if !filled && take(b"0").is_some() {
            spec.fill = '0';
            if !aligned && kind != Type::Text {
                spec.align = Align::Inside;
            }
        }
        spec.width = number(rest, &mut at)?.unwrap_or(0);
        if let Some(group @ (b',' | b'_')) = bytes.get(at) {
            spec.group = Some(*group);
            at += 1;
        }
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            spec.precision = Some(number(rest, &mut at)?.ok_or("a precision is a number")?);
        }
        spec.convert = match (&rest[at..], kind) {
            ("" | "s", Type::Text) => text_convert,
            (_, Type::Text) => return Err("a text takes the type s, or none"),
            ("" | "d", Type::Int) => Convert::Int,
            ("x", Type::Int) => Convert::Hex { upper: false },
            ("X", Type::Int) => Convert::Hex { upper: true },
            ("o", Type::Int) => Convert::Octal,
            ("b", Type::Int) => Convert::Binary,
            ("", Type::Float) if spec.precision.is_some() => Convert::General { upper: false, point: true },
            ("", Type::Float) => Convert::Float,
            ("f" | "F", _) => Convert::Fixed,
            ("e", _) => Convert::Exponent { upper: false },
            ("E", _) => Convert::Exponent { upper: true },
            ("g", _) => Convert::General { upper: false, point: false },
            ("G", _) => Convert::General { upper: true, point: false },
            ("%", _) => Convert::Percent,
            (_, Type::Int) => return Err("an integer takes the types d x X o b, or e E f F g G % as a float"),
            (_, Type::Float) => return Err("a float takes the types e E f F g G %, or none"),
        };
        spec.check(sign.is_some())?;
        Ok(spec)
    }

    fn check(&self, signed: bool) -> Result<(), &'static str> {
        if self.is_text() {
            if signed || self.alternate || self.group.is_some() {
                return Err("a text has no sign, no # and no thousands");
            }
            if self.align == Align::Inside {
                return Err("a text has no sign that = could pad after");
            }
        }
        if self.precision.is_some() && self.is_integer() {
            return Err("an integer has no precision");
        }
        if self.group == Some(b',') && self.is_integer() && self.convert != Convert::Int {
            return Err("only decimal digits are grouped with a comma");
        }
        Ok(())
    }

    pub fn is_text(&self) -> bool {
        matches!(self.convert, Convert::Str | Convert::Repr | Convert::Ascii)
    }

    fn is_integer(&self) -> bool {
        matches!(self.convert, Convert::Int | Convert::Hex { .. } | Convert::Octal | Convert::Binary)
    }
}

fn align(sign: char) -> Option<Align> {
    Some(match sign {
        '<' => Align::Left,
        '>' => Align::Right,
        '^' => Align::Center,
        '=' => Align::Inside,
        _ => return None,
    })
}

fn number(text: &str, at: &mut usize) -> Result<Option<usize>, &'static str> {
    let digits = text[*at..].bytes().take_while(u8::is_ascii_digit).count();
    let number = &text[*at..*at + digits];
    *at += digits;
    if number.is_empty() {
        return Ok(None);
    }
    match number.parse() {
        Ok(number) if number <= MOST => Ok(Some(number)),
        _ => Err("a width or precision is at most 65535"),
    }
}
