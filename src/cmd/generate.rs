//! `loghand generate` (hidden): manual pages and shell completions, from the definition of the flags.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap_complete::Shell;

use crate::cli;

/// Write manual pages and shell completions below a folder
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The folder that gets man/ and completions/
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl Args {
    /// Writes man/loghand.1, a page per verb, and completions/ for bash, zsh, fish and PowerShell.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn run(&self) -> Result<()> {
        for (name, bytes) in files()? {
            let path = self.folder.join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            }
            fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

fn files() -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut command = cli::command();
    command.build();
    let mut pages = vec![(command.clone(), "loghand".to_owned())];
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
        let name = format!("loghand-{}", verb.get_name());
        pages.push((verb.clone().version(env!("CARGO_PKG_VERSION")), name));
    }
    for (page, name) in pages {
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text)?;
        files.push((format!("man/{name}.1"), text));
    }
    for (shell, name) in [
        (Shell::Bash, "loghand.bash"),
        (Shell::Zsh, "_loghand"),
        (Shell::Fish, "loghand.fish"),
        (Shell::PowerShell, "_loghand.ps1"),
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "loghand", &mut text);
        files.push((format!("completions/{name}"), text));
    }
    Ok(files)
}
