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
}

/// `osstack zenml login`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("how").args(["api_key_file", "api_key_stdin", "username", "device", "no_sign_in"]))]
pub struct Login {
    /// The server's URL, as the browser or `zenml status` shows it
    #[arg(required_unless_present = "command")]
    pub url: Option<String>,
    /// The zenml command of an environment, for a local database, which has no server: its path,
    /// or a name on the PATH
    #[arg(long, value_name = "PATH", conflicts_with_all = ["url", "how", "project"])]
    pub command: Option<String>,
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
