//! `osstack check` and `osstack lint`.

use std::path::PathBuf;

use clap::Args;

/// `osstack check`.
#[derive(Args, Debug)]
pub struct Check {
    /// A stack or a store: NAME, stack/NAME or store/NAME
    #[arg(required_unless_present_any = ["all", "file"])]
    pub name: Option<String>,
    /// Every store of the catalog
    #[arg(long, conflicts_with = "name")]
    pub all: bool,
    /// Check what this file describes in place of your own catalog: NAME, --all, or without either
    /// every stack in it and the stores beside them. For a runner that has no keystore: the file
    /// says where its secrets are ([secret.NAME] source = "env")
    #[arg(long, value_name = "STACKS.TOML", conflicts_with_all = ["fix", "history"])]
    pub file: Option<PathBuf>,
    /// The file may use your keystore and the profiles of other tools, run the programs it names,
    /// and have requests signed for any address
    #[arg(long, requires = "file")]
    pub trust: bool,
    /// Write what was found into this file too, as JUnit has it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fix", "history"])]
    pub junit: Option<PathBuf>,
    /// Mend what osstack can mend, after showing what changes, and check again
    #[arg(long)]
    pub fix: bool,
    /// Do not ask before a fix
    #[arg(long, short, requires = "fix")]
    pub yes: bool,
    /// How former checks ended, the newest first; nothing is checked
    #[arg(long, conflicts_with_all = ["all", "fix"])]
    pub history: bool,
    /// Measure how fast bytes go there and back; moves up to 16 MiB
    #[arg(long)]
    pub rate: bool,
    /// Look at the Python that runs pipelines too: its path, a virtual environment, or auto
    #[arg(long, value_name = "PATH|auto")]
    pub python: Option<PathBuf>,
}

/// `osstack lint`.
#[derive(Args, Debug)]
pub struct Lint {
    /// What `zenml artifact-store describe` or `zenml stack export` shows, JSON of the REST API,
    /// or the register command; - is stdin
    pub file: PathBuf,
    /// Look at the Python that runs it too: its path, a virtual environment, or auto
    #[arg(long, value_name = "PATH|auto")]
    pub python: Option<PathBuf>,
}
