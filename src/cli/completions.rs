//! `osstack completions`: what a shell offers after `osstack` and the tab key.

use clap::CommandFactory as _;

use super::args::{Cli, Completions};
use super::session::{Session, Stop};

pub(super) fn run(args: &Completions, session: &mut Session) -> Result<(), Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "osstack", &mut script);
    session.output.bytes(&script)
}
