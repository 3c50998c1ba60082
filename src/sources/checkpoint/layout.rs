//! How the JSON lies on the lines: one file a line, so that it is both short and readable, and `grep` finds things in it.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// The outermost object has a line for each of its members, and a list for each of its elements; other objects lie on
/// one line.
#[derive(Default)]
pub struct Layout {
    /// Objects within objects.
    objects: usize,
    /// What begins a line.
    indent: usize,
}

impl Layout {
    fn new_line(&self, to: &mut (impl Write + ?Sized)) -> io::Result<()> {
        write!(to, "\n{:1$}", "", self.indent)
    }

    /// Between two members or elements.
    fn next(&self, to: &mut (impl Write + ?Sized), first: bool) -> io::Result<()> {
        if first { Ok(()) } else { to.write_all(b",") }
    }
}

impl Formatter for Layout {
    fn begin_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.objects += 1;
        if self.objects == 1 {
            self.indent += 2;
        }
        to.write_all(b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.objects -= 1;
        if self.objects == 0 {
            self.indent -= 2;
            self.new_line(to)?;
        }
        to.write_all(b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.next(to, first)?;
        match (self.objects, first) {
            (1, _) => self.new_line(to),
            (_, true) => Ok(()),
            (_, false) => to.write_all(b" "),
        }
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    fn begin_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.indent += 2;
        to.write_all(b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.indent -= 2;
        self.new_line(to)?;
        to.write_all(b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.next(to, first)?;
        self.new_line(to)
    }
}
