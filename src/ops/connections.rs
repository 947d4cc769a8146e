//! Connections to `ZenML`: which there are, signing in, what is at the other end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::failure::{Failure, FailureKind};
use super::world::{World, absent, blocking};
use crate::base::atomic_file;
use crate::base::job::{Context, Job, Nothing};
use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::catalog::{Catalog, Put};
use crate::keystore::Keystore;
use crate::model::connection::{Connection, ConnectionDraft, ServerUrl, SignIn, Way};
use crate::model::name::Name;
use crate::zenml::command;
use crate::zenml::remote::Remote;
use crate::zenml::rest::{self, DevicePoll, ServerInfo, Tokens, User};

/// The connection that is meant: the one that is named; where none is, the only one there is.
pub fn connection_of<'a>(
    catalog: &'a Catalog,
    name: Option<&str>,
) -> Result<&'a Connection, Failure> {
    let known: Vec<&str> =
        catalog.connections().iter().map(|connection| connection.name.as_str()).collect();
    match (name, catalog.connections()) {
        (Some(name), _) => {
            catalog.connection(name).ok_or_else(|| absent("ZenML connection", name, &known))
        }
        (None, [only]) => Ok(only),
        (None, []) => {
            let summary = "no ZenML is known yet";
            Err(Failure::new(FailureKind::NotFound, summary).hint("osstack zenml login URL"))
        }
        (None, _) => {
            let summary = format!("there are several ZenML connections: {}", known.join(", "));
            Err(Failure::new(FailureKind::Usage, summary).hint("name one: --connection NAME"))
        }
    }
}

impl World {
    /// The ZenML behind the connection `name`; behind the only one, where none is named.
    pub async fn zenml(&self, name: Option<&str>) -> Result<Remote, Failure> {
        let catalog = self.catalog().await?;
        let connection = connection_of(&catalog, name)?;
        self.remote(connection).await
    }

    /// The ZenML behind `connection`, whichever way it is reached.
    pub async fn remote(&self, connection: &Connection) -> Result<Remote, Failure> {
        if let Some(remote) = self.zenml_clients().get(connection) {
            return Ok(remote);
        }
        let remote = match &connection.way {
            Way::Command(path) => Remote::Command(self.command(path)),
            Way::Server(url) => Remote::Server(self.server(connection, url).await?),
        };
        self.zenml_clients().keep(connection.clone(), remote.clone());
        Ok(remote)
    }

    /// A client of the server at `url`, with what signs in there.
    async fn server(
        &self,
        connection: &Connection,
        url: &ServerUrl,
    ) -> Result<rest::Client, Failure> {
        let keystore = Arc::clone(&self.keystore);
        let name = connection.name.to_string();
        let kept = blocking(move || keystore.sign_in(&name)).await?;
        let kept = match kept {
            Ok(kept) => kept,
            // a server may want no sign-in at all
            Err(crate::keystore::Error::Absent) => None,
            Err(_) if self.keystore.state() == crate::keystore::State::Absent => None,
            Err(error) => return Err(error.into()),
        };
        let is_exchanged = kept.as_ref().is_some_and(is_exchanged);
        let client = self.client_of(connection, url, kept);
        if is_exchanged {
            client.keep_tokens(self.tokens(connection, url)).await;
        }
        Ok(client)
    }

    fn client_of(
        &self,
        connection: &Connection,
        url: &ServerUrl,
        sign_in: Option<SignIn>,
    ) -> rest::Client {
        rest::Client::new(
            &self.network,
            Arc::clone(&self.clock),
            Arc::clone(&self.entropy),
            url.clone(),
            sign_in,
            connection.project.clone(),
        )
    }

    /// Where the access token of `connection` is kept.
    fn tokens(&self, connection: &Connection, url: &ServerUrl) -> Box<dyn Tokens> {
        let keystore = Arc::clone(&self.keystore);
        let path = self.paths.access_token(connection.name.as_str());
        Box::new(SealedToken { keystore, path, url: url.to_string() })
    }

    /// Forgets the access token of the connection `name`: what signs in there is another from now.
    async fn forget_token(&self, name: &Name) -> Result<(), Failure> {
        let path = self.paths.access_token(name.as_str());
        Ok(blocking(move || atomic_file::remove(&path)).await??)
    }

    /// The `zenml` command at `path`.
    pub(super) fn command(&self, path: &str) -> command::Client {
        command::Client::new(path, &self.env, command::LIMITS)
    }
}

/// Whether signing in brings a token; one that is all there is lies in the keystore already.
fn is_exchanged(sign_in: &SignIn) -> bool {
    matches!(sign_in, SignIn::ApiKey(_) | SignIn::Password { .. })
}

/// The access token of one connection, in a sealed file.
struct SealedToken {
    keystore: Arc<Keystore>,
    path: PathBuf,
    url: String,
}

impl Tokens for SealedToken {
    fn known(&self) -> BoxFuture<'_, Option<SecretString>> {
        let (keystore, path, url) =
            (Arc::clone(&self.keystore), self.path.clone(), self.url.clone());
        Box::pin(async move {
            let read = blocking(move || keystore.access_token(&path, &url)).await;
            // what cannot be read is as good as ended
            read.ok()?.ok()?
        })
    }

    fn learned(&self, token: SecretString) -> BoxFuture<'_, ()> {
        let (keystore, path, url) =
            (Arc::clone(&self.keystore), self.path.clone(), self.url.clone());
        Box::pin(async move {
            // one that is not kept costs the next run a sign-in, and no more
            let _not_kept = blocking(move || keystore.put_access_token(&path, &url, &token)).await;
        })
    }
}

/// All connections, without what signs in.
#[derive(Debug)]
pub struct ListConnections;

impl Job<World> for ListConnections {
    type Item = Nothing;
    type Out = Result<Vec<Connection>, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        Ok(context.world.catalog().await?.connections().to_vec())
    }
}

/// How a new connection is to be signed in to.
pub enum SignInWith {
    /// With what is at hand.
    Known(SignIn),
    /// The user confirms on a page; that page is reported.
    Browser,
    /// Nothing: a server without sign-in, or a command.
    Nothing,
}

impl std::fmt::Debug for SignInWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(sign_in) => write!(f, "{sign_in:?}"),
            Self::Browser => f.write_str("browser"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

/// What a sign-in by browser shows on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPage {
    /// The page, whole.
    pub page: String,
    /// What the page shows too.
    pub user_code: String,
}

/// Signs in, and keeps the connection and what signs in once the server took it. A connection of
/// that name is replaced.
#[derive(Debug)]
pub struct Connect {
    /// The connection.
    pub draft: ConnectionDraft,
    /// How.
    pub with: SignInWith,
}

/// A connection that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// The server.
    pub server: ServerInfo,
    /// Who is signed in.
    pub user: User,
    /// What to know, whole sentences.
    pub warnings: Vec<String>,
}

impl Connected {
    /// Who is where, and what to know, in whole sentences.
    pub fn summary(&self) -> String {
        let Self { connection, server, user, warnings } = self;
        let (name, user) = (&connection.name, visible(&user.name));
        let said = format!("{name} is {}, signed in as {user}.", server.title());
        std::iter::once(&said).chain(warnings).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl Job<World> for Connect {
    type Item = OpenPage;
    type Out = Result<Connected, Failure>;

    async fn run(self, context: Context<World, OpenPage>) -> Self::Out {
        let world = &context.world;
        let connection = self.draft.validate()?;
        let url = match &connection.way {
            Way::Server(url) => url,
            Way::Command(path) => return by_command(world, path, &connection).await,
        };
        let client = |sign_in| world.client_of(&connection, url, sign_in);
        let sign_in = match self.with {
            SignInWith::Known(sign_in) => Some(sign_in),
            SignInWith::Nothing => None,
            SignInWith::Browser => Some(by_browser(&context, &client(None)).await?),
        };
        let trial = client(sign_in.as_ref().map(SignIn::duplicate));
        let server = trial.info().await?.clone();
        let user = trial.current_user().await?;
        if let Some(project) = &connection.project {
            let known = trial.projects().await?;
            let known: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
            if !known.contains(&project.as_str()) {
                return Err(absent("project", project, &known));
            }
        }
        let mut warnings = server.warnings();
        if url.is_readable_on_the_way() {
            warnings.push(format!(
                "{url} is plain http: keys and secrets can be read on the way; use https where \
                 the server has it."
            ));
        }
        // only now: until the server took this sign-in, the token of the former one holds
        world.forget_token(&connection.name).await?;
        let is_exchanged = sign_in.as_ref().is_some_and(is_exchanged);
        if let Some(sign_in) = sign_in {
            let (keystore, name) = (Arc::clone(&world.keystore), connection.name.clone());
            blocking(move || keystore.put_sign_in(&name, sign_in)).await??;
        }
        save(world, &connection).await?;
        if is_exchanged {
            trial.keep_tokens(world.tokens(&connection, url)).await;
        }
        world.zenml_clients().keep(connection.clone(), Remote::Server(trial));
        Ok(Connected { connection, server, user, warnings })
    }
}

/// Keeps the command once it answered, under its whole path: the one that is meant stays the one
/// that is meant, whatever the folder and the `PATH` are next time.
async fn by_command(
    world: &World,
    path: &str,
    connection: &Connection,
) -> Result<Connected, Failure> {
    let command = world.command(path);
    let whole = std::path::absolute(command.path()).ok();
    let whole = whole.as_deref().and_then(std::path::Path::to_str).unwrap_or(path);
    let way = Way::Command(whole.to_owned());
    let connected =
        greeted(&Remote::Command(command), Connection { way, ..connection.clone() }).await?;
    save(world, &connected.connection).await?;
    Ok(connected)
}

pub(super) async fn save(world: &World, connection: &Connection) -> Result<(), Failure> {
    let (path, random) = world.catalog_edit();
    let connection = connection.clone();
    blocking(move || {
        Catalog::edit(&path, random, |edit| edit.put_connection(&connection, Put::Replace))
    })
    .await??;
    Ok(())
}

/// The device flow: shows the page, and asks until the user has confirmed there.
async fn by_browser(
    context: &Context<World, OpenPage>,
    client: &rest::Client,
) -> Result<SignIn, Failure> {
    let code = client.start_device().await?;
    let page = OpenPage { page: code.page.clone(), user_code: code.user_code.clone() };
    context.report(page).await;
    let interval = Duration::from_secs(code.interval);
    let mut left = code.expires_in;
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = context.cancel.cancelled() => return Err(Failure::cancelled()),
        }
        if let DevicePoll::Done(sign_in) = client.poll_device(&code).await? {
            return Ok(sign_in);
        }
        left = left.saturating_sub(code.interval);
        if left == 0 {
            let summary = "nobody confirmed on the page in time";
            return Err(Failure::new(FailureKind::Credentials, summary).hint("try again"));
        }
    }
}

/// Forgets a connection and what signs in there; `ZenML` hears nothing of it.
#[derive(Debug)]
pub struct Disconnect {
    /// Its name; the only one where none is given.
    pub name: Option<String>,
}

impl Job<World> for Disconnect {
    type Item = Nothing;
    type Out = Result<Connection, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let world = &context.world;
        let catalog = world.catalog().await?;
        let connection = connection_of(&catalog, self.name.as_deref())?.clone();
        let (keystore, name) = (Arc::clone(&world.keystore), connection.name.clone());
        if keystore.state() != crate::keystore::State::Absent {
            blocking(move || keystore.forget_sign_in(&name)).await??;
        }
        world.forget_token(&connection.name).await?;
        let (path, random) = world.catalog_edit();
        let name = connection.name.to_string();
        blocking(move || Catalog::edit(&path, random, |edit| edit.delete_connection(&name)))
            .await??;
        world.zenml_clients().clear();
        Ok(connection)
    }
}

/// What is at the other end of a connection.
#[derive(Debug)]
pub struct Greet {
    /// Its name; the only one where none is given.
    pub name: Option<String>,
}

impl Job<World> for Greet {
    type Item = Nothing;
    type Out = Result<Connected, Failure>;

    async fn run(self, context: Context<World, Nothing>) -> Self::Out {
        let catalog = context.world.catalog().await?;
        let connection = connection_of(&catalog, self.name.as_deref())?.clone();
        let remote = context.world.remote(&connection).await?;
        greeted(&remote, connection).await
    }
}

async fn greeted(remote: &Remote, connection: Connection) -> Result<Connected, Failure> {
    let server = remote.info().await?;
    let user = remote.current_user().await?;
    let warnings = server.warnings();
    Ok(Connected { connection, server, user, warnings })
}

/// An API key or password as it was typed, without the blanks a paste brings.
pub fn typed(text: &SecretString) -> SecretString {
    SecretString::new(text.expose().trim().to_owned())
}
