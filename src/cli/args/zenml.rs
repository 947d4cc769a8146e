//! Connections to ZenML.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

/// `osstack zenml …`.
#[derive(Debug, Subcommand)]
pub enum Zenml {
    /// Sign in at a server, and keep how: sealed in the keystore; or name a zenml command
    Login(Login),
    /// Forget a connection and what signs in there
    Logout {
        /// The connection; the only one where none is named
        name: Option<String>,
    },
    /// What is at the other end, and who is signed in
    Status {
        /// The connection; the only one where none is named
        name: Option<String>,
    },
    /// All connections
    List,
    /// What a ZenML has, and taking it over into the catalog
    Import(Import),
}

/// `osstack zenml import`.
#[derive(Args, Debug)]
pub struct Import {
    /// What is taken over: the NAME of a stack, or TYPE/NAME (artifact-store/NAME); nothing lists
    /// what there is
    pub things: Vec<String>,
    /// Every stack and every artifact store that is on OSS and not in the catalog
    #[arg(long, conflicts_with = "things")]
    pub all: bool,
    /// The ZenML connection, where there are several
    #[arg(long, value_name = "NAME")]
    pub connection: Option<String>,
    /// The secret of an artifact store that names none
    #[arg(long, short)]
    pub secret: Option<String>,
    /// Replace entries of the catalog and secrets that say something else
    #[arg(long)]
    pub overwrite: bool,
    /// Do not ask, though a stack that is replaced is protected
    #[arg(long, short)]
    pub yes: bool,
}

/// `osstack zenml login`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("how").args(["api_key_file", "api_key_stdin", "username", "device", "no_sign_in"]))]
pub struct Login {
    /// The server's URL, as the browser or `zenml status` shows it
    #[arg(required_unless_present_any = ["command", "found"])]
    pub url: Option<String>,
    /// The zenml command of an environment, for a local database, which has no server: its path,
    /// or a name on the PATH
    #[arg(long, value_name = "PATH", conflicts_with_all = ["url", "how", "project"])]
    pub command: Option<String>,
    /// Take over what `zenml login` left on this machine, after showing what it is: the server
    /// and what signs in there, or the zenml command where there is no server. ZenML's own files
    /// stay as they are
    #[arg(long, conflicts_with_all = ["url", "command", "how"])]
    pub found: bool,
    /// Do not ask before taking it over
    #[arg(long, short, requires = "found")]
    pub yes: bool,
    /// What to call it; else the first part of the host's name
    #[arg(long)]
    pub name: Option<String>,
    /// The project whose runs and artifacts are shown; else the server's default
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,
    /// The key of a service account (ZENKEY_…), from this file
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// The key of a service account, from stdin
    #[arg(long)]
    pub api_key_stdin: bool,
    /// Sign in as this user; the password is asked for
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// The user's password, from this file
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// Confirm on a page in the browser, as `zenml login` does
    #[arg(long)]
    pub device: bool,
    /// The server asks nobody to sign in
    #[arg(long)]
    pub no_sign_in: bool,
}
