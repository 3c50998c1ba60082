//! What the rows together must show, and whether they did.

use std::io::{self, Write};

/// One goal and how far it was reached.
#[derive(Debug)]
pub struct Target {
    pub what: &'static str,
    pub limit: String,
    pub reached: String,
    pub met: bool,
}

impl Target {
    /// `value` must not be below `limit`.
    pub fn at_least(what: &'static str, limit: f64, value: f64) -> Self {
        Self { what, limit: format!(">= {limit:.2}"), reached: format!("{value:.2}"), met: value >= limit }
    }

    /// `value` must not be above `limit`.
    pub fn at_most(what: &'static str, limit: f64, value: f64) -> Self {
        Self { what, limit: format!("<= {limit:.2}"), reached: format!("{value:.2}"), met: value <= limit }
    }

    /// Nothing may have gone wrong.
    pub fn intact(what: &'static str, fault: Option<String>) -> Self {
        let met = fault.is_none();
        Self { what, limit: "ok".to_owned(), reached: fault.unwrap_or_else(|| "ok".to_owned()), met }
    }
}

/// The list at the very end.
pub fn summary(out: &mut impl Write, targets: &[Target]) -> io::Result<()> {
    writeln!(out, "## target / reached\n")?;
    for target in targets {
        let verdict = if target.met { "met   " } else { "MISSED" };
        writeln!(out, "- {verdict} {}: {} / {}", target.what, target.limit, target.reached)?;
    }
    Ok(())
}
