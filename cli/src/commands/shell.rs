//! `completions` and `man`: made from the same declaration as the parser.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::arguments::Cli;
use crate::failure::Failure;
use crate::output::{print, write_folder};

/// Prints a completion script.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lapwing", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the main man page, or writes all into a folder.
pub(crate) fn man(folder: Option<&Path>) -> Result<(), Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = folder else { return print(&String::from_utf8_lossy(&page(&command)?)) };
    let pages = pages(&command)?;
    write_folder(folder, pages.iter().map(|(name, page)| (name.as_str(), page.as_slice())))
}

fn pages(command: &clap::Command) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    // clap names the page of a subcommand by its whole path: `lapwing-show-machine`.
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut found = vec![(format!("{name}.1"), page(command)?)];
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        found.extend(pages(sub)?);
    }
    Ok(found)
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(|error| Failure::Io(format!("man page: {error}")))?;
    Ok(page)
}
