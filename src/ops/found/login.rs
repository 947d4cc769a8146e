//! The `zenml login` of this user.

use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::super::connections::{Connect, Connected, SignInWith, save};
use super::super::failure::{Failure, FailureKind};
use super::super::world::{World, blocking};
use super::{End, free_name};
use crate::base::job::{Context, Job, Nothing};
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::connection::{ConnectionDraft, SignIn, Way};
use crate::model::name::Name;
use crate::zenml::login::{self, At, Login};
use crate::zenml::remote::Remote;

/// What ZenML calls the project that every server has.
const DEFAULT_PROJECT: &str = "default";

/// The `zenml login` of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLogin {
    /// What says so, showable.
    pub origin: String,
    /// Where it leads.
    pub way: Way,
    /// What signs in there.
    pub signs_in: SignsIn,
    /// The connection that leads there already.
    pub known: Option<Name>,
    /// What to call it: as it is known, else after its host.
    pub name: String,
}

/// What signs in, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignsIn {
    /// The key of a service account.
    ApiKey,
    /// This user's password.
    Password(String),
    /// A token.
    Token(End),
    /// Nothing is kept: some servers ask nobody, and a command needs nothing.
    Nothing,
}

impl SignsIn {
    fn of(sign_in: Option<&SignIn>, now: OffsetDateTime) -> Self {
        match sign_in {
            None => Self::Nothing,
            Some(SignIn::ApiKey(_)) => Self::ApiKey,
            Some(SignIn::Password { user, .. }) => Self::Password(user.clone()),
            Some(SignIn::Token { expires_at, .. }) => Self::Token(End::of(*expires_at, now)),
        }
    }

    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Password(_) => "password",
            Self::Token(_) => "token",
            Self::Nothing => "nothing",
        }
    }

    /// As a sentence goes on after "signs in by", showable.
    pub fn words(&self) -> String {
        match self {
            Self::ApiKey => "an API key".to_owned(),
            Self::Password(user) => format!("user name and password of {}", visible(user)),
            Self::Token(end) => format!("a token {}", end.words()).trim_end().to_owned(),
            Self::Nothing => "nothing that is kept".to_owned(),
        }
    }

    /// Whether a keystore is needed to take it.
    pub fn is_kept(&self) -> bool {
        *self != Self::Nothing
    }
}

/// What a look came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenLogin {
    /// Nothing where ZenML was never used, or nothing can be said of it.
    pub login: Option<FoundLogin>,
    /// What was there and gives nothing: whole sentences, showable, that end in what to do.
    pub remarks: Vec<String>,
}

/// Looks whether this user has signed in with `zenml login`, or has a `zenml` without a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindLogin;

impl Job<World> for FindLogin {
    type Item = Nothing;
    type Out = Result<SeenLogin, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        // a broken catalog is said where it is shown; looking goes on without it
        let catalog = context.world.catalog().await.ok();
        let (seen, _) = look(&context.world, catalog.as_ref()).await?;
        Ok(seen)
    }
}

/// What is there, described, and the thing itself.
async fn look(
    world: &Arc<World>,
    catalog: Option<&Catalog>,
) -> Result<(SeenLogin, Option<Login>), Failure> {
    let of_disk = Arc::clone(world);
    let login::Read { login, mut remarks } = blocking(move || login::read(&of_disk.env)).await?;
    let Some(login) = login else { return Ok((SeenLogin { login: None, remarks }, None)) };
    let (way, signs_in, name) = match &login.at {
        At::Server { url, sign_in } => {
            let signs_in = SignsIn::of(sign_in.as_ref(), world.clock.now());
            (Way::Server(url.clone()), signs_in, url.short_name())
        }
        At::Database => {
            let command = world.command("zenml");
            let Some(path) = command.path().to_str().filter(|_| command.path().is_file()) else {
                remarks.push(format!(
                    "{} leads to a database without a server, and no zenml is on the PATH: \
                     activate its environment, or osstack zenml login --command PATH",
                    login.origin
                ));
                return Ok((SeenLogin { login: None, remarks }, None));
            };
            (Way::Command(path.to_owned()), SignsIn::Nothing, "zenml")
        }
    };
    let connections = catalog.map(Catalog::connections).unwrap_or_default();
    let known = connections.iter().find(|one| one.way == way).map(|one| one.name.clone());
    let is_taken = |name: &str| connections.iter().any(|one| one.name.as_str() == name);
    let name = known.as_ref().map_or_else(|| free_name(name, is_taken), Name::to_string);
    let origin = login.origin.clone();
    let found = FoundLogin { origin, way, signs_in, known, name };
    Ok((SeenLogin { login: Some(found), remarks }, Some(login)))
}

/// Makes a `zenml login` a connection: what signs in there is copied into the keystore once the
/// server took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeLogin {
    /// As it was shown. What is there by now must lead to the same place by the same means.
    pub found: FoundLogin,
    /// What the connection is to be called.
    pub name: String,
    /// The project whose runs are shown; empty for the one that is active in `zenml`.
    pub project: String,
}

impl Job<World> for TakeLogin {
    type Item = Nothing;
    type Out = Result<Connected, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = context.world;
        let (seen, login) = look(&world, None).await?;
        let same = seen.login.filter(|now| {
            now.way == self.found.way && now.signs_in.as_str() == self.found.signs_in.as_str()
        });
        let (Some(_), Some(login)) = (same, login) else {
            let summary = "the zenml login is another by now than the one that was shown";
            return Err(Failure::new(FailureKind::Conflict, summary)
                .hint("look again: osstack zenml login --found"));
        };
        let mut draft = ConnectionDraft {
            name: self.name,
            project: self.project,
            ..ConnectionDraft::default()
        };
        match &self.found.way {
            Way::Server(url) => draft.url = url.to_string(),
            Way::Command(path) => draft.command.clone_from(path),
        }
        let names_project = !draft.project.trim().is_empty();
        let sign_in = match login.at {
            At::Server { sign_in, .. } => sign_in,
            At::Database => None,
        };
        let with = sign_in.map_or(SignInWith::Nothing, SignInWith::Known);
        // only a sign-in by browser reports anything
        let (pages, _none) = mpsc::channel(1);
        let connecting = Context::new(Arc::clone(&world), context.cancel, pages);
        let mut connected = Connect { draft, with }.run(connecting).await?;
        if let Some(id) = login.active_project.filter(|_| !names_project) {
            follow_project(&world, &mut connected, &id).await?;
        }
        Ok(connected)
    }
}

/// Shows the project that is active in `zenml`, where the server knows it and it is not the one
/// that is shown anyway.
async fn follow_project(world: &World, connected: &mut Connected, id: &str) -> Result<(), Failure> {
    let Remote::Server(server) = world.remote(&connected.connection).await? else { return Ok(()) };
    let projects = server.projects().await?;
    match projects.into_iter().find(|project| project.id == id) {
        Some(project) if project.name == DEFAULT_PROJECT => {}
        Some(project) => {
            connected.connection.project = Some(project.name);
            save(world, &connected.connection).await?;
        }
        None => connected.warnings.push(
            "the project that is active in zenml is not on this server: name one with --project"
                .to_owned(),
        ),
    }
    Ok(())
}
