//! `osstack man`: the pages of man(1), made of the words of `--help`.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use serde_json::json;

use super::args::{self, Cli};
use super::session::{Session, Stop};
use crate::base::atomic_file::{self, Options};
use crate::base::visible::visible;
use crate::ops::failure::{Failure, FailureKind};

/// Pages are for everybody who may read the folder.
const PUBLIC: Options = Options { mode: 0o644, dir_mode: 0o755, backups: 0 };

pub(super) fn run(args: &args::Man, session: &mut Session) -> Result<(), Stop> {
    let mut whole = Cli::command();
    // a subcommand knows the words before it only then
    whole.build();
    if let Some(folder) = &args.out {
        let mut pages = Vec::new();
        gather(&whole, &mut pages);
        for (name, page) in &pages {
            let random = session.machine.entropy.next_u64();
            atomic_file::write(&folder.join(name), page, random, &PUBLIC)?;
        }
        let sentence = format!("wrote {} pages to {}", pages.len(), shown(folder));
        return session.output.done(&sentence, json!({ "pages": pages.len() }));
    }
    let mut command = &whole;
    for word in &args.command {
        let found = command.find_subcommand(word).filter(|found| is_shown(found));
        command = found.ok_or_else(|| {
            let summary = format!("{} has no command '{}'", command.get_name(), visible(word));
            Failure::new(FailureKind::Usage, summary).hint("osstack --help lists them")
        })?;
    }
    session.output.bytes(&page(command))
}

fn shown(folder: &Path) -> String {
    visible(&folder.to_string_lossy()).into_string()
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

/// The page of `command` and those of all below it, each with its file's name.
fn gather(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let man = Man::new(command.clone());
    pages.push((man.get_filename(), page(command)));
    for below in command.get_subcommands().filter(|below| is_shown(below)) {
        gather(below, pages);
    }
}

fn page(command: &Command) -> Vec<u8> {
    let mut page = Vec::new();
    // a vector takes whatever is written
    let _always = Man::new(command.clone()).render(&mut page);
    page
}
