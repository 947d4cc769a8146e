//! Where osstack's files lie.

use std::path::{Path, PathBuf};

use super::env::Env;

/// The three folders, and the files in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `stacks.toml`.
    pub config: PathBuf,
    /// `secrets.age`, `identity.age`.
    pub data: PathBuf,
    /// What is made anew: the certificate of a sandbox.
    pub state: PathBuf,
    /// A catalog elsewhere.
    other_catalog: Option<PathBuf>,
}

/// There is neither `OSSTACK_HOME` nor a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no home folder: set HOME, or OSSTACK_HOME to a folder for osstack's files")]
pub struct NoHome;

impl Paths {
    /// All below one folder.
    pub fn below(home: &Path) -> Self {
        Self {
            config: home.join("config"),
            data: home.join("data"),
            state: home.join("state"),
            other_catalog: None,
        }
    }

    /// Below `OSSTACK_HOME`, else where the platform keeps such files.
    pub fn find(env: &Env) -> Result<Self, NoHome> {
        if let Some(home) = env.path("OSSTACK_HOME") {
            return Ok(Self::below(&home));
        }
        let platform = directories::ProjectDirs::from("", "", "osstack").ok_or(NoHome)?;
        Ok(Self {
            config: platform.config_dir().to_owned(),
            data: platform.data_dir().to_owned(),
            state: platform.state_dir().unwrap_or(platform.data_local_dir()).to_owned(),
            other_catalog: None,
        })
    }

    /// The same with `catalog` in place of the user's own.
    #[must_use]
    pub fn with_catalog(self, catalog: &Path) -> Self {
        Self { other_catalog: Some(catalog.to_owned()), ..self }
    }

    /// Whether the catalog is not the user's own.
    pub fn has_other_catalog(&self) -> bool {
        self.other_catalog.is_some()
    }

    /// The catalog.
    pub fn catalog(&self) -> PathBuf {
        self.other_catalog.clone().unwrap_or_else(|| self.config.join("stacks.toml"))
    }

    /// What osstack made in the `ZenML` of a connection, and the commits under way there.
    pub fn commits(&self, connection: &str) -> PathBuf {
        self.state.join("commits").join(format!("{connection}.json"))
    }

    /// The access token that the last sign-in at the `ZenML` of a connection brought, sealed.
    pub fn access_token(&self, connection: &str) -> PathBuf {
        self.state.join("tokens").join(format!("{connection}.age"))
    }

    /// Transfers that have not come to their end.
    pub fn transfers(&self) -> PathBuf {
        self.state.join("transfers")
    }

    /// The sealed secrets.
    pub fn secrets(&self) -> PathBuf {
        self.data.join("secrets.age")
    }

    /// The identity that opens them, sealed with the passphrase.
    pub fn identity(&self) -> PathBuf {
        self.data.join("identity.age")
    }
}
