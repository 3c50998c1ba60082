//! Walks over the header of a line of text in search of its level.
//!
//! What headers are made of (times, bracketed groups, numbers, logger names, tags that end in a colon) is passed over,
//! and a level is taken only between such pieces. The first ordinary word begins the message and ends the search, so
//! that "no ERROR found" has no level. How sure a word must look depends on what stood before it.

use std::ops::ControlFlow::{self, Break, Continue};

use memchr::{memchr, memmem};

use super::recognise::fixed_start;
use super::{Level, fields, group, words};

/// How many pieces a header may have.
const PIECES: usize = 16;

/// The level in the header of `text`, which is the beginning of `line`.
pub fn level(text: &[u8], line: &[u8]) -> Option<Level> {
    let mut walk =
        Walk { text, line, at: 0, stamped: false, syslog: false, numbers: 0, names: 0, before: Before::Start };
    for _ in 0..PIECES {
        if let Break(level) = walk.step() {
            return level;
        }
    }
    None
}

/// What stands directly before the piece that is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Time,
    Number,
    Group,
    Tag,
    Name,
    Dash,
    Pipe,
    Tab,
    /// The date of redis, whose level is a single sign.
    Redis,
}

type Step = ControlFlow<Option<Level>>;

struct Walk<'a> {
    /// The part of the line in which a header is looked for.
    text: &'a [u8],
    /// The whole line, for fields that are longer.
    line: &'a [u8],
    at: usize,
    /// A time or a group went before: this is a log line, not a sentence.
    stamped: bool,
    /// The time is written as syslog does, which puts a host and a tag behind it.
    syslog: bool,
    numbers: u8,
    names: u8,
    before: Before,
}

impl Walk<'_> {
    fn peek(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b' ')
    }

    /// The piece up to the next blank.
    fn token(&self) -> &[u8] {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(rest.len());
        &rest[..end]
    }

    fn past(&mut self, length: usize, before: Before) -> Step {
        self.at += length;
        self.before = before;
        Continue(())
    }

    fn step(&mut self) -> Step {
        while let Some(blank @ (b' ' | b'\t')) = self.text.get(self.at) {
            if *blank == b'\t' && self.before != Before::Start {
                self.before = Before::Tab;
            }
            self.at += 1;
        }
        let Some(&first) = self.text.get(self.at) else { return Break(None) };
        let second = self.peek(self.at + 1);
        if self.before == Before::Redis && matches!(first, b'#' | b'*' | b'-' | b'.') && second == b' ' {
            return Break(Some(match first {
                b'#' => Level::WARNING,
                b'*' => Level::NOTICE,
                _ => Level::DEBUG,
            }));
        }
        match first {
            b'{' if second == b'"' => Break(fields::json(&self.line[self.at..])),
            b'[' => self.group(b']'),
            b'(' => self.group(b')'),
            b'<' => self.group(b'>'),
            b'{' => self.group(b'}'),
            b'|' => self.past(1, Before::Pipe),
            b'-' if self.before == Before::Start => Break(None),
            b'-' if matches!(second, b' ' | b'-') || self.before == Before::Dash => self.past(1, Before::Dash),
            b'#' if second == b'#' || second == b'<' => self.past(1, self.before),
            b'0'..=b'9' => self.number(),
            b'+' | b'-' if second.is_ascii_digit() && self.stamped => self.number(),
            b'@' if self.token().len() == 25 => {
                self.stamped = true;
                self.past(25, Before::Time)
            }
            b'%' if self.stamped => Break(fixed_start(&self.text[self.at..])),
            b'A'..=b'Z' | b'a'..=b'z' | b'/' | b'.' | b'_' => self.word(),
            _ => Break(None),
        }
    }

    /// A group in brackets, braces or parentheses: it is the level, holds it, or is passed over.
    fn group(&mut self, close: u8) -> Step {
        let inside = &self.text[self.at + 1..];
        let Some(length) = memchr(close, inside) else { return Break(None) };
        let inside = &inside[..length];
        // Markdown's [text](error) and HTML's <b><error> are no headers; [a][error] is Envoy's.
        let apart = close == b']' || self.at == 0 || self.peek(self.at - 1) == b' ';
        if let Some(level) = group::level(inside, close).filter(|_| apart) {
            return Break(Some(level));
        }
        self.stamped |= close == b']' || inside.first().is_some_and(u8::is_ascii_digit);
        let mut end = length + 2;
        if matches!(self.peek(self.at + end), b':' | b',') {
            end += 1;
        }
        self.past(end, Before::Group)
    }

    /// A time, a date, an address, a process id: anything that begins with a digit and holds no words.
    fn number(&mut self) -> Step {
        let text = self.text;
        let mut end = self.at + 1;
        let (mut marks, mut zone) = (0, false);
        loop {
            match text.get(end) {
                Some(b'0'..=b'9' | b'+' | b'#' | b'_') => end += 1,
                Some(b':' | b'-' | b'/' | b'.' | b',') => {
                    marks += 1;
                    end += 1;
                }
                Some(b'A'..=b'Z' | b'a'..=b'z') => {
                    let run = letters(&text[end..]);
                    zone |= words::is_zone(run);
                    let ok = run == b"T" || zone || (words::is_calendar(run) && marks > 0);
                    if !ok {
                        break;
                    }
                    end += run.len();
                }
                _ => break,
            }
        }
        let length = end - self.at;
        let token = &text[self.at..end];
        if text.get(end).is_some_and(u8::is_ascii_alphabetic) && matches!(text[end - 1], b'0'..=b'9' | b':') {
            let whole = self.token();
            if matches!(whole, [.., b':', b'M' | b'S' | b'C' | b'X']) && length + 1 == whole.len() {
                self.stamped = true;
                return self.past(length + 1, Before::Redis);
            }
            if whole.len() >= 6 && whole.iter().all(u8::is_ascii_hexdigit) {
                return self.past(whole.len(), Before::Number);
            }
            if text[end - 1] != b':' {
                return Break(None);
            }
        }
        if marks >= 2 || length >= 10 || (marks > 0 && (zone || token.contains(&b':') && length >= 4)) {
            self.syslog |= token.contains(&b'T');
            self.stamped = true;
            let before = if self.before == Before::Redis { Before::Redis } else { Before::Time };
            return self.past(length, before);
        }
        self.numbers = self.numbers.saturating_add(1);
        let before = if self.before == Before::Redis { Before::Redis } else { Before::Number };
        self.past(length, before)
    }

    fn word(&mut self) -> Step {
        let run = letters(&self.text[self.at..]);
        let next = self.text.get(self.at + run.len()).copied();
        if let Some(level) = self.level_word(run, next) {
            return Break(Some(level));
        }
        if run.len() == 1
            && let Some(level) = self.letter(run[0])
        {
            return Break(Some(level));
        }
        let token = self.token();
        if let Some(equals) = memchr(b'=', token)
            && token[..equals].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@'))
        {
            return Break(fields::logfmt(&self.line[self.at..]));
        }
        let length = token.len();
        let blank = matches!(next, None | Some(b' ' | b',' | b'.'));
        if words::is_calendar(run) && blank && length <= 4 {
            let after = self.peek_past(length);
            if !after.is_ascii_digit() && !words::is_calendar(letters(&self.text[self.next_piece(length)..])) {
                return Break(None);
            }
            self.syslog = true;
            let before = if self.before == Before::Redis { Before::Redis } else { Before::Time };
            return self.past(length, before);
        }
        if self.before == Before::Time && next.is_none_or(|b| !b.is_ascii_alphanumeric()) && words::is_zone(run) {
            return self.past(run.len(), Before::Time);
        }
        if run == b"PHP" && self.stamped {
            return Break(fixed_start(&self.text[self.at..]));
        }
        if matches!(token, b"stdout" | b"stderr") && self.stamped && self.before == Before::Time {
            return self.container(length);
        }
        self.name(run, length)
    }

    /// The level that a word is here, if its dress and its neighbours say that it is one.
    fn level_word(&self, run: &[u8], next: Option<u8>) -> Option<Level> {
        let end = self.at + run.len();
        let after = self.peek(end + 1);
        if let Some(level) = words::capitals(run) {
            let follow = self.text[end..].iter().copied().find(|b| *b != b' ').unwrap_or(b' ');
            let closed = matches!(next, None | Some(b' ' | b'\t' | b':' | b'|' | b',' | b'[' | b']'));
            if !closed || follow == b'=' {
                return None;
            }
            let strong = matches!(next, Some(b':' | b'|' | b'[')) || follow == b'|';
            let certain = match self.before {
                Before::Start if words::is_everyday(run) => strong || after == b' ' || follow == b'[',
                Before::Start | Before::Pipe | Before::Tab => true,
                Before::Dash => strong || self.stamped || follow == b'-',
                // "total: 5, ERROR: 3" is no header.
                Before::Number => self.stamped || strong && self.names == 0,
                _ => strong || self.stamped,
            };
            return certain.then_some(level);
        }
        match next {
            Some(b':') if run == b"LOG" && after == b' ' => Some(Level::INFO),
            Some(b':') if run == b"fail" && after == b' ' && self.before == Before::Start => Some(Level::ERROR),
            // The words of nine letters and more (emergency, information) are more often prose.
            Some(b':') if matches!(after, b' ' | b'\t') && run.len() < 9 => words::named(run),
            // rustc: error[E0308]:
            Some(b'[') if memmem::find(self.token(), b"]:").is_some() => words::named(run),
            Some(b' ') if after == b'e' && self.text[end..].starts_with(b" error: ") => {
                run.eq_ignore_ascii_case(b"fatal").then_some(Level::CRITICAL)
            }
            // Monolog: channel.ERROR:
            Some(b'.') if self.stamped => {
                let token = self.token();
                let level = letters(token.get(run.len() + 1..)?);
                (token.get(run.len() + 1 + level.len()) == Some(&b':')).then(|| words::capitals(level))?
            }
            _ => self.between_separators(run, end).then(|| words::named(run))?,
        }
    }

    /// Whether the word up to `end` stands alone between two tabs, two pipes, or two dashes of a stamped line.
    fn between_separators(&self, run: &[u8], end: usize) -> bool {
        if run.len() < 3 {
            return false;
        }
        let rest = &self.text[end..];
        match self.before {
            Before::Tab => rest.is_empty() || rest[0] == b'\t',
            Before::Pipe => rest.iter().find(|b| **b != b' ') == Some(&b'|'),
            Before::Dash => self.stamped && rest.trim_ascii_start().starts_with(b"- ") && rest[0] == b' ',
            _ => false,
        }
    }

    /// A level in one letter, in the few formats that have it.
    fn letter(&self, letter: u8) -> Option<Level> {
        let rest = &self.text[self.at + 1..];
        let level = words::letter(letter)?;
        let found = match *rest.first()? {
            // apt
            b':' => self.before == Before::Start && matches!(letter, b'E' | b'W') && rest.get(1) == Some(&b' '),
            // Ruby: E, [2026-…
            b',' => self.before == Before::Start && rest.starts_with(b", ["),
            // Telegraf: E!
            b'!' => self.stamped && rest.get(1) == Some(&b' '),
            // logcat, brief: E/Tag( 123):
            b'/' => self.before == Before::Start && memchr(b'(', rest).is_some_and(|n| is_pid_group(&rest[n..])),
            // logcat: time, process, thread, letter, tag
            b' ' if self.before == Before::Number => {
                self.stamped && self.numbers >= 2 && memmem::find(rest, b": ").is_some()
            }
            // mongod before 4.4: time, letter, COMPONENT, [context]
            b' ' if self.before == Before::Time => {
                let component = rest.trim_ascii_start();
                let length = component.iter().take_while(|b| b.is_ascii_uppercase() || **b == b'-').count();
                length > 0 && component[length..].trim_ascii_start().starts_with(b"[")
            }
            // glog and klog: E1120 12:00:00.123456, with the year in front of the day in some
            b'0'..=b'9' => {
                let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                self.before == Before::Start
                    && matches!(digits, 4 | 6 | 8)
                    && matches!(rest[digits..], [b' ', b'0'..=b'2', b'0'..=b'9', b':', ..])
            }
            _ => false,
        };
        found.then_some(level)
    }

    /// What a container runtime puts before a line: `stdout F `. What follows is a line of its own.
    fn container(&mut self, length: usize) -> Step {
        let rest = &self.text[self.at + length..];
        if !(rest.starts_with(b" F ") || rest.starts_with(b" P ")) {
            return Break(None);
        }
        self.stamped = false;
        self.past(length + 3, Before::Start)
    }

    /// A word that is no level: a tag, a logger's name, a host; or the beginning of the message.
    fn name(&mut self, run: &[u8], length: usize) -> Step {
        let token = &self.text[self.at..self.at + length];
        self.names += 1;
        if self.names > 4 {
            return Break(None);
        }
        if token.ends_with(b":") {
            self.stamped |= token.ends_with(b"]:");
            return self.past(length, Before::Tag);
        }
        if let Some(colon) = memchr(b':', token).filter(|_| self.before == Before::Start || self.stamped) {
            // root:ERROR:message
            let rest = letters(&token[colon + 1..]);
            if token.get(colon + 1 + rest.len()) == Some(&b':')
                && let Some(level) = words::capitals(rest)
            {
                return Break(Some(level));
            }
        }
        let after = self.peek_past(length);
        if token.ends_with(b"|") || after == b'|' && (self.stamped || self.before == Before::Start) {
            return self.past(length - usize::from(token.ends_with(b"|")), Before::Name);
        }
        if after == b'-' && self.text[self.next_piece(length)..].starts_with(b"- ") {
            return self.past(length, Before::Name);
        }
        let is_name = token.ends_with(b"]")
            || run == b"main"
            || self.names <= 2 && token.iter().any(|b| matches!(b, b'.' | b'_' | b'-' | b'@' | b'/' | b'0'..=b'9'));
        if self.stamped && is_name && !matches!(token.last(), Some(b'.' | b',')) {
            return self.past(length, Before::Name);
        }
        // A host is any word, but after it comes the tag of the program.
        if self.before == Before::Time && self.stamped && self.tag_follows(length) {
            return self.past(length, Before::Name);
        }
        Break(None)
    }

    fn tag_follows(&self, length: usize) -> bool {
        let rest = &self.text[self.next_piece(length)..];
        let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
        match rest[..end].strip_suffix(b":") {
            Some(tag) => tag.ends_with(b"]") || (self.syslog && words::named(tag).is_none()),
            None => false,
        }
    }

    fn next_piece(&self, length: usize) -> usize {
        let from = self.at + length;
        from + self.text[from..].iter().take_while(|b| **b == b' ').count()
    }

    fn peek_past(&self, length: usize) -> u8 {
        self.peek(self.next_piece(length))
    }
}

/// The letters that `text` begins with.
pub(super) fn letters(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|b| b.is_ascii_alphabetic()).count()]
}

/// Whether `text` begins with a process id in parentheses and a colon.
fn is_pid_group(text: &[u8]) -> bool {
    let inside = text.iter().skip(1).take_while(|b| b.is_ascii_digit() || **b == b' ').count();
    text[1 + inside..].starts_with(b"):")
}
