//! The template itself: parsed once, rendered once per record without an allocation.

use chrono::{DateTime, Utc};

use super::asctime::Asctime;
use super::number::Number;
use super::spec::{Convert, Spec};
use super::{Field, FormatContext, FormatError, text};
use crate::record::Record;

/// A parsed `--format`. It keeps the second it last wrote, so rendering needs it mutable.
#[derive(Clone, Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    asctime: Asctime,
    scratch: Vec<u8>,
    shown: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Vec<u8>),
    Field(Field, Spec),
}

impl Template {
    /// Reads a template: in the percent style if `%(` is in it, else in the brace style. `\n`, `\t` and `\\` in its text
    /// are what they are in Python's source, since a shell passes them on as typed.
    ///
    /// `datefmt` is strftime as chrono knows it: `%f` is nanoseconds and `%3f` milliseconds there, and `%Z` is an
    /// offset. None and an empty one mean Python's default.
    pub fn parse(template: &str, datefmt: Option<&str>) -> Result<Self, FormatError> {
        let pieces = if template.contains("%(") { percent(template) } else { brace(template) }?;
        if !pieces.iter().any(|piece| matches!(piece, Piece::Field(..))) {
            return Err(FormatError::NoField(template.to_owned()));
        }
        Ok(Self { pieces, asctime: Asctime::parse(datefmt)?, scratch: Vec::new(), shown: Vec::new() })
    }

    /// Appends `record` to `out`, without the record's line end: whoever writes the line ends it (Python's
    /// `terminator`). What the record knows of its time, level, name and file goes
    /// before what `context` says.
    pub fn render(&mut self, record: &Record<'_>, context: &FormatContext, out: &mut Vec<u8>) {
        let Self { pieces, asctime, scratch, shown } = self;
        for piece in pieces {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Field(field, spec) => match value(*field, record, context, asctime) {
                    Value::Text(value) => put_text(value, spec, scratch, out),
                    Value::Level(level) => put_text(level.name().as_bytes(), spec, scratch, out),
                    Value::Number(number) if spec.is_text() => {
                        shown.clear();
                        number.print(shown);
                        text::write(shown, spec, out);
                    }
                    Value::Number(number) => number.write(spec, scratch, out),
                },
            }
        }
    }
}

enum Value<'a> {
    Text(&'a [u8]),
    Level(crate::level::Level),
    Number(Number),
}

fn value<'a>(field: Field, record: &Record<'a>, context: &'a FormatContext, asctime: &'a mut Asctime) -> Value<'a> {
    let info = record.info;
    let time = || info.and_then(|info| info.time).map_or(context.now, |time| time.to_utc());
    let level = || info.and_then(|info| info.level).unwrap_or(context.default_level);
    match field {
        Field::Asctime => Value::Text(asctime.show(time(), &context.zone).as_bytes()),
        Field::Created => Value::Number(Number::Float(nanos(time()) as f64 / 1e9)),
        Field::Msecs => Value::Number(Number::Float(f64::from(time().timestamp_subsec_millis().min(999)))),
        Field::RelativeCreated => Value::Number(Number::Float((nanos(time()) - nanos(context.started)) as f64 / 1e6)),
        Field::LevelName => Value::Level(level()),
        Field::LevelNo => Value::Number(Number::Int(level().0.into())),
        Field::Name => Value::Text(info.and_then(|info| info.name.as_deref()).unwrap_or(&context.name).as_bytes()),
        Field::Message => Value::Text(record.message()),
        Field::Hostname => Value::Text(context.hostname.as_bytes()),
        Field::Process => Value::Number(Number::Int(context.process.into())),
        Field::ProcessName => Value::Text(context.process_name.as_bytes()),
        Field::Filename => Value::Text(record.filename().unwrap_or(&context.filename)),
    }
}

/// Nanoseconds since the epoch; more than 64 bits for the years chrono has.
fn nanos(time: DateTime<Utc>) -> i128 {
    i128::from(time.timestamp()) * 1_000_000_000 + i128::from(time.timestamp_subsec_nanos())
}

fn put_text(value: &[u8], spec: &Spec, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    if matches!(spec.convert, Convert::Repr | Convert::Ascii) {
        scratch.clear();
        text::quote(value, spec.convert, scratch);
        text::write(scratch, spec, out);
    } else if spec.width == 0 && spec.precision.is_none() {
        out.extend_from_slice(value);
    } else {
        text::write(value, spec, out);
    }
}

/// Collects the pieces of a template; neighbouring text is one piece.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).as_bytes();
        match self.0.last_mut() {
            Some(Piece::Literal(text)) => text.extend_from_slice(bytes),
            _ => self.0.push(Piece::Literal(bytes.to_vec())),
        }
    }

    /// The text before the next of `marks`, its escapes interpreted; what remains begins with the mark.
    fn literal_until<'t>(&mut self, template: &'t str, marks: &[char]) -> &'t str {
        let mut chars = template.chars();
        loop {
            let rest = chars.as_str();
            match chars.next() {
                None => return rest,
                Some(c) if marks.contains(&c) => return rest,
                Some('\\') => {
                    let (escaped, known) = match chars.clone().next() {
                        Some('n') => ('\n', true),
                        Some('t') => ('\t', true),
                        Some('\\') => ('\\', true),
                        _ => ('\\', false),
                    };
                    if known {
                        chars.next();
                    }
                    self.literal(escaped);
                }
                Some(c) => self.literal(c),
            }
        }
    }
}

fn syntax(at: &str, why: &'static str) -> FormatError {
    FormatError::Syntax { at: at.chars().take(30).collect(), why }
}

fn percent(template: &str) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Pieces::default();
    let mut rest = template;
    loop {
        rest = pieces.literal_until(rest, &['%']);
        if rest.is_empty() {
            return Ok(pieces.0);
        }
        if let Some(after) = rest.strip_prefix("%%") {
            pieces.literal('%');
            rest = after;
            continue;
        }
        let Some(inside) = rest.strip_prefix("%(") else {
            return Err(syntax(rest, "a percent sign is written %%, a field %(name)s"));
        };
        let Some((name, after)) = inside.split_once(')') else {
            return Err(syntax(rest, "the field's name has no closing parenthesis"));
        };
        let field = Field::parse(name)?;
        let (spec, length) = Spec::percent(after, field.kind()).map_err(|why| FormatError::Spec {
            field: name.to_owned(),
            spec: after.split_inclusive(char::is_alphabetic).next().unwrap_or_default().to_owned(),
            why,
        })?;
        pieces.0.push(Piece::Field(field, spec));
        rest = &after[length..];
    }
}

fn brace(template: &str) -> Result<Vec<Piece>, FormatError> {
    let mut pieces = Pieces::default();
    let mut rest = template;
    loop {
        rest = pieces.literal_until(rest, &['{', '}']);
        if rest.is_empty() {
            return Ok(pieces.0);
        }
        if rest.starts_with("{{") || rest.starts_with("}}") {
            pieces.literal(if rest.starts_with('{') { '{' } else { '}' });
            rest = &rest[2..];
            continue;
        }
        let Some(inside) = rest.strip_prefix('{') else {
            return Err(syntax(rest, "a closing brace is written }}"));
        };
        let Some((inside, after)) = inside.split_once('}') else {
            return Err(syntax(rest, "the field has no closing brace; an opening brace alone is written {{"));
        };
        if inside.contains('{') {
            return Err(syntax(rest, "a field cannot hold another"));
        }
        let (head, spec) = inside.split_once(':').unwrap_or((inside, ""));
        let (name, conversion) = head.split_once('!').map_or((head, None), |(name, how)| (name, Some(how)));
        if name.is_empty() {
            return Err(syntax(rest, "a field has a name, as in {message}"));
        }
        let field = Field::parse(name)?;
        let spec = Spec::brace(conversion, spec, field.kind()).map_err(|why| FormatError::Spec {
            field: name.to_owned(),
            spec: inside[name.len()..].to_owned(),
            why,
        })?;
        pieces.0.push(Piece::Field(field, spec));
        rest = after;
    }
}
