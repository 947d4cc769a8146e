//! What this machine has already and osstack can take over: a `zenml login`.
//!
//! Looking copies no value: what is found is described, and read again when it is taken, so that
//! no list on a screen and no line of a log can hold one. The files of others stay as they are.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::connections::{Connect, Connected, OpenPage, SignInWith, save};
use super::failure::{Failure, FailureKind};
use super::world::{World, blocking};
use crate::base::job::{Context, Job, Nothing};
use crate::base::units;
use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::connection::{Connection, ConnectionDraft, SignIn, Way};
use crate::model::name::Name;
use crate::zenml::login::{self, At, Login};

/// What ZenML calls the project that every server has.
const DEFAULT_PROJECT: &str = "default";

/// How often a free name is sought with a number behind it.
const MOST_NUMBERS: u32 = 1000;

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

/// When something ends, as seen from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody said.
    Unknown,
    /// After so long.
    In(Duration),
    /// So long ago.
    Ago(Duration),
}

impl End {
    pub(super) fn of(end: Option<OffsetDateTime>, now: OffsetDateTime) -> Self {
        let Some(end) = end else { return Self::Unknown };
        match Duration::try_from(end - now) {
            Ok(left) if !left.is_zero() => Self::In(left),
            _ => Self::Ago(Duration::try_from(now - end).unwrap_or_default()),
        }
    }

    /// `that ends in 4 h 59 min`; nothing where the end is not known.
    pub fn words(self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::In(left) => format!("that ends in {}", units::left(left)),
            Self::Ago(age) => format!("that ended {}", units::ago(age)),
        }
    }
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
    let name = known.as_ref().map_or_else(|| free_name(connections, name), Name::to_string);
    let origin = login.origin.clone();
    let found = FoundLogin { origin, way, signs_in, known, name };
    Ok((SeenLogin { login: Some(found), remarks }, Some(login)))
}

/// `name`, or the first of `name-2`, `name-3`, … that no connection has.
fn free_name(connections: &[Connection], name: &str) -> String {
    let numbered = (2..MOST_NUMBERS).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let is_free = |name: &String| connections.iter().all(|one| one.name.as_str() != name);
    names.find(is_free).unwrap_or_else(|| name.to_owned())
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
    type Item = OpenPage;
    type Out = Result<Connected, Failure>;

    async fn run(self, context: Context<World, OpenPage>) -> Self::Out {
        let world = Arc::clone(&context.world);
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
        let mut connected = Connect { draft, with }.run(context).await?;
        if let Some(id) = login.active_project.filter(|_| !names_project) {
            follow_project(&world, &mut connected, &id).await?;
        }
        Ok(connected)
    }
}

/// Shows the project that is active in `zenml`, where the server knows it and it is not the one
/// that is shown anyway.
async fn follow_project(world: &World, connected: &mut Connected, id: &str) -> Result<(), Failure> {
    if !connected.connection.way.is_server() {
        return Ok(());
    }
    let projects = world.zenml_of(&connected.connection).await?.projects().await?;
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
