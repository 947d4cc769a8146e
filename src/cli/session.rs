//! What one run of the command line holds: output, the person, the world.

use std::ffi::OsStr;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::output::Output;
use super::terminal::Terminal;
use crate::base::job::{Context, Job};
use crate::base::secret_string::SecretString;
use crate::keystore::keyring::Keyring;
use crate::keystore::{State, WAYS, passphrase_from_env};
use crate::model::stack::Stack;
use crate::ops::bookmarks;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::UnlockKeystore;
use crate::ops::location::Location;
use crate::ops::objects::Place;
use crate::ops::residency::CrossBorder;
use crate::ops::secret_source::needs_no_keystore;
use crate::ops::world::World;
use crate::ports::clock::SharedClock;
use crate::ports::entropy::SharedEntropy;
use crate::ports::env::Env;
use crate::ports::paths::Paths;

/// How often a wrong passphrase may be typed.
const TRIES: usize = 3;

/// Why a command ends early.
#[derive(Debug)]
pub enum Stop {
    /// It failed.
    Failure(Box<Failure>),
    /// Nobody reads stdout any more.
    Closed,
    /// All is said; this is the exit code.
    Code(u8),
}

impl<F: Into<Failure>> From<F> for Stop {
    fn from(failure: F) -> Self {
        Self::Failure(Box::new(failure.into()))
    }
}

/// What the world is made of, the first time a command needs it.
#[derive(Debug)]
pub struct Machine {
    /// The variables the process was started with.
    pub env: Env,
    /// Time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// What may remember the keystore's identity.
    pub keyring: Arc<dyn Keyring>,
}

/// A catalog of somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The file.
    pub file: PathBuf,
    /// Whether it may run programs, and use the keystore.
    pub is_trusted: bool,
}

/// One run.
pub struct Session {
    /// Answers and messages.
    pub output: Output,
    /// What the process was given.
    pub machine: Machine,
    /// Cancelled when the person stops it.
    pub cancel: CancellationToken,
    /// A catalog that is not the user's own.
    pub foreign: Option<Foreign>,
    /// What is piped in.
    pub stdin: Box<dyn Read + Send>,
    terminal: Option<Box<dyn Terminal>>,
    world: Option<Arc<World>>,
}

impl Session {
    /// A session with `terminal` to ask at, where somebody is there.
    pub fn new(
        machine: Machine,
        output: Output,
        stdin: Box<dyn Read + Send>,
        terminal: Option<Box<dyn Terminal>>,
        cancel: CancellationToken,
    ) -> Self {
        Self { output, machine, cancel, foreign: None, stdin, terminal, world: None }
    }

    /// The services, made at the first call.
    pub fn world(&mut self) -> Result<Arc<World>, Stop> {
        if let Some(world) = &self.world {
            return Ok(Arc::clone(world));
        }
        let Machine { env, clock, entropy, keyring } = &self.machine;
        let paths = Paths::find(env).map_err(|error| {
            let failure = Failure::new(FailureKind::Usage, error.to_string());
            Stop::from(failure)
        })?;
        let paths = match &self.foreign {
            Some(foreign) => paths.with_catalog(&foreign.file),
            None => paths,
        };
        let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
        let world = World::new(env.clone(), paths, clock, entropy, Arc::clone(keyring))?;
        let world = Arc::new(if self.is_strangers() { world.of_a_stranger() } else { world });
        self.world = Some(Arc::clone(&world));
        Ok(world)
    }

    /// Whether the catalog is somebody else's and not trusted.
    pub fn is_strangers(&self) -> bool {
        self.foreign.as_ref().is_some_and(|foreign| !foreign.is_trusted)
    }

    /// Says which buckets lie elsewhere than their stores say.
    pub fn say_healed(&mut self) {
        let healed = self.world.as_ref().map(|world| world.healed()).unwrap_or_default();
        for healed in healed {
            self.output.note(&format!("note: {healed}"));
        }
    }

    /// A place as it is typed, by a bookmark too.
    pub async fn location(&mut self, text: &OsStr) -> Result<Location, Stop> {
        Ok(bookmarks::location(&*self.world()?, text).await?)
    }

    /// Runs `job` for its answer alone.
    pub async fn run<J: Job<World>>(&mut self, job: J) -> Result<J::Out, Stop> {
        self.follow(job, |_, _| Ok(())).await
    }

    /// Runs `job`, showing each item. Where an item cannot be shown the job is told to stop, and
    /// awaited, so that it leaves nothing behind.
    pub async fn follow<J: Job<World>>(
        &mut self,
        job: J,
        mut show: impl FnMut(&mut Output, J::Item) -> Result<(), Stop>,
    ) -> Result<J::Out, Stop> {
        let (items, mut reported) = mpsc::channel(16);
        let cancel = self.cancel.child_token();
        let context = Context::new(self.world()?, cancel.clone(), items);
        let mut work = Box::pin(job.run(context));
        let mut stopped = None;
        let answer = loop {
            tokio::select! {
                biased;
                Some(item) = reported.recv() => {
                    let shown = match stopped {
                        None => show(&mut self.output, item),
                        Some(_) => Ok(()),
                    };
                    if let Err(stop) = shown {
                        cancel.cancel();
                        stopped = Some(stop);
                    }
                }
                answer = &mut work => break answer,
            }
        };
        // what was reported with the answer at hand
        while let (None, Ok(item)) = (&stopped, reported.try_recv()) {
            stopped = show(&mut self.output, item).err();
        }
        stopped.map_or(Ok(answer), Err)
    }

    /// Whether somebody can be asked.
    pub fn is_interactive(&self) -> bool {
        self.terminal.is_some()
    }

    /// Asks for a line.
    pub fn ask(&mut self, question: &str) -> Result<String, Stop> {
        let terminal = self.terminal.as_mut().ok_or_else(nobody)?;
        terminal.ask(question).map_err(unreadable)?.ok_or_else(cancelled)
    }

    /// Asks for a line that is not seen.
    pub fn ask_hidden(&mut self, question: &str) -> Result<SecretString, Stop> {
        let terminal = self.terminal.as_mut().ok_or_else(nobody)?;
        terminal.ask_hidden(question).map_err(unreadable)?.ok_or_else(cancelled)
    }

    /// Asks for yes; everything else is no.
    pub fn confirm(&mut self, question: &str) -> Result<bool, Stop> {
        let answer = self.ask(&format!("{question} [y/N] "))?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks before `what` goes, unless `yes`. Without a terminal the command itself is the word.
    pub fn confirm_deletion(&mut self, what: &str, yes: bool) -> Result<(), Stop> {
        if yes || !self.is_interactive() || self.confirm(&format!("Delete {what}?"))? {
            return Ok(());
        }
        Err(cancelled())
    }

    /// Changes of a protected stack want its name typed, or `--yes`.
    pub fn confirm_protected(&mut self, stack: &Stack, yes: bool) -> Result<(), Stop> {
        if !stack.protected || yes {
            return Ok(());
        }
        let name = stack.name.as_str();
        if !self.is_interactive() {
            let failure =
                Failure::new(FailureKind::Usage, format!("the stack {name} is protected"));
            return Err(failure.hint("add --yes to change it all the same").into());
        }
        let typed = self.ask(&format!("{name} is protected. Type its name to change it: "))?;
        if typed.trim() == name { Ok(()) } else { Err(cancelled()) }
    }

    /// Asks before the data of `place` crosses a border, unless `is_allowed`. Needs the keystore.
    pub async fn cross_border(&mut self, place: &Place, is_allowed: bool) -> Result<(), Stop> {
        let cross = |is_allowed| CrossBorder { place: place.clone(), is_allowed };
        let failure = match self.run(cross(is_allowed)).await? {
            Err(failure) if failure.kind == FailureKind::Border => failure,
            other => return Ok(other?),
        };
        if !self.is_interactive() {
            return Err(failure.into());
        }
        self.output.note(&failure.summary);
        if !self.confirm("Let it cross?")? {
            return Err(cancelled());
        }
        Ok(self.run(cross(true)).await??)
    }

    /// Opens the keystore where there is one: a ZenML may want no sign-in, and a plan no secret.
    pub async fn open_any_keystore(&mut self) -> Result<(), Stop> {
        if self.world()?.keystore.status().state == State::Absent {
            return Ok(());
        }
        self.open_keystore().await
    }

    /// Opens the keystore: with what the environment or the keyring gives, else by asking.
    pub async fn open_keystore(&mut self) -> Result<(), Stop> {
        let state = self.world()?.keystore.status().state;
        if matches!(state, State::Open | State::Session) {
            return Ok(());
        }
        match self.run(UnlockKeystore::Unasked).await? {
            Ok(_) => return Ok(()),
            Err(failure) if failure.kind == FailureKind::Locked && self.is_interactive() => {}
            Err(failure) => return Err(failure.into()),
        }
        let mut tries = 1;
        loop {
            let passphrase = self.ask_hidden("Passphrase of the keystore: ")?;
            match self.run(UnlockKeystore::Passphrase(passphrase)).await? {
                Ok(_) => return Ok(()),
                Err(failure) if failure.kind == FailureKind::Credentials && tries < TRIES => {
                    self.output.note(&failure.summary);
                    tries += 1;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// The same for what needs the key of a store and nothing else: nobody is asked where the keys
    /// of all stores lie elsewhere.
    pub async fn open_for_stores(&mut self) -> Result<(), Stop> {
        let catalog = self.world()?.catalog().await;
        if catalog.is_ok_and(|catalog| needs_no_keystore(&catalog)) {
            return Ok(());
        }
        self.open_keystore().await
    }

    /// The passphrase the keystore has: from the environment, else asked.
    pub fn present_passphrase(&mut self) -> Result<SecretString, Stop> {
        match passphrase_from_env(&self.machine.env)? {
            Some(passphrase) => Ok(passphrase),
            None if self.is_interactive() => self.ask_hidden("Passphrase of the keystore: "),
            None => Err(passphrase_needed("the keystore needs its passphrase")),
        }
    }

    /// A passphrase for something new: from the environment, else asked twice.
    pub fn chosen_passphrase(&mut self, what: &str) -> Result<SecretString, Stop> {
        match passphrase_from_env(&self.machine.env)? {
            Some(passphrase) => Ok(passphrase),
            None if self.is_interactive() => self.ask_twice(what),
            None => Err(passphrase_needed(&format!("{what} needs a passphrase"))),
        }
    }

    /// Asks for a passphrase, and once more.
    pub fn ask_twice(&mut self, what: &str) -> Result<SecretString, Stop> {
        let first = self.ask_hidden(&format!("Passphrase for {what}: "))?;
        if first.is_empty() {
            let failure = Failure::new(FailureKind::Usage, "an empty passphrase protects nothing");
            return Err(failure.hint("choose one of some words").into());
        }
        if self.ask_hidden("The same again: ")? == first {
            return Ok(first);
        }
        let failure = Failure::new(FailureKind::Usage, "the two passphrases differ");
        Err(failure.hint("nothing was changed: try again").into())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("interactive", &self.is_interactive())
            .finish_non_exhaustive()
    }
}

/// A passphrase is needed, and nobody is there: exit code 3, naming the ways.
fn passphrase_needed(what: &str) -> Stop {
    Failure::new(FailureKind::Locked, what).hint(WAYS).into()
}

fn nobody() -> Stop {
    let failure = Failure::new(FailureKind::Locked, "there is no terminal to ask at");
    failure.hint("run it on a terminal, or give the value as --help says").into()
}

fn cancelled() -> Stop {
    Failure::new(FailureKind::Cancelled, "stopped").hint("nothing was changed").into()
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err hands it over")]
fn unreadable(error: std::io::Error) -> Stop {
    let failure = Failure::new(FailureKind::File, format!("the terminal cannot be read: {error}"));
    failure.hint("run it on another terminal").into()
}
