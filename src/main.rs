//! The command `osstack`: reads arguments, environment and clock, and hands them on.

use std::future::poll_fn;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;

use osstack::app::demo;
use osstack::app::open::{self, Face, Left};
use osstack::cli::args::{Cli, ColorWhen, Command, Misread};
use osstack::cli::output::{Form, Output};
use osstack::cli::session::{Machine, Session};
use osstack::cli::terminal::{ControllingTerminal, Terminal};
use osstack::cli::waiting::{AwaitedReader, Waiting};
use osstack::cli::{self, dumb_terminal, misread, no_screen};
use osstack::keystore::keyring;
use osstack::ops::failure::{Failure, FailureKind};
use osstack::ops::world::World;
use osstack::ports::clock::SystemClock;
use osstack::ports::entropy::SystemEntropy;
use osstack::ports::env::Env;
use osstack::ports::paths::Paths;
use osstack::ports::process;
use osstack::sandbox::zenml::ZenmlFaults;
use osstack::screens::found::DEMO;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    keep_memory_private();
    let env = environment();
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Misread { error, wants_json }) => {
            let mut output = output(&env, wants_json, ColorWhen::Never);
            return misread(&error, &mut output).into();
        }
    };
    let mut output = output(&env, cli.global.json, cli.global.color);
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.note(&format!("error: the system gives no threads: {error}; try again"));
            return ExitCode::FAILURE;
        }
    };
    let code = match cli.command {
        None => tui(&runtime, env, &mut output),
        Some(Command::Demo(args)) if args.has_screen() => {
            demo(&runtime, &args.zenml_faults, &env, &mut output)
        }
        Some(command) => runtime.block_on(command_line(command, env, output)),
    };
    // what still waits (a keyring, a name server) is not waited for
    runtime.shutdown_background();
    code
}

/// The terminal UI on the user's own files.
fn tui(runtime: &Runtime, env: Env, output: &mut Output) -> ExitCode {
    let face = Face::of(&env);
    let mut wanted = None;
    let code = with_screen(&env.clone(), output, || {
        let world = Arc::new(world(env)?);
        let left = runtime.block_on(open::run(world, face));
        let left = left.map_err(|error| demo::no_terminal(&error))?;
        wanted = left.wanted;
        Ok(left)
    });
    if wanted != Some(DEMO) {
        return code;
    }
    // a thread of this process still reads the terminal, and would take the demo's keys
    let error = process::become_self(&[DEMO]);
    let summary = format!("the demo cannot be started: {error}");
    let failure = Failure::new(FailureKind::File, summary).hint("start it by hand: osstack demo");
    output.failure(&failure);
    ExitCode::FAILURE
}

/// The terminal UI over a sandbox of its own.
fn demo(runtime: &Runtime, faults: &[String], env: &Env, output: &mut Output) -> ExitCode {
    let faults = match ZenmlFaults::of(faults) {
        Ok(faults) => faults,
        Err(error) => {
            let failure = Failure::new(FailureKind::Usage, error.to_string());
            output.failure(&failure);
            return failure.kind.exit_code().into();
        }
    };
    with_screen(env, output, || {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        runtime.block_on(demo::run(env, faults, clock, entropy))
    })
}

fn world(env: Env) -> Result<World, Failure> {
    let paths =
        Paths::find(&env).map_err(|error| Failure::new(FailureKind::Usage, error.to_string()))?;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    World::new(env, paths, clock, entropy, keyring::of_system())
}

/// Runs the screens where there is a terminal for them, and says what they left running.
fn with_screen(
    env: &Env,
    output: &mut Output,
    screens: impl FnOnce() -> Result<Left, Failure>,
) -> ExitCode {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let ended = match is_terminal {
        true if is_dumb(env) => Err(dumb_terminal()),
        true => screens(),
        false => Err(no_screen()),
    };
    match ended {
        Ok(left) => {
            for what in left.unfinished {
                output.note(&format!("warning: ended before it was done: {what}"));
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            output.failure(&failure);
            failure.kind.exit_code().into()
        }
    }
}

/// Runs a command. The first ctrl-c or SIGTERM asks it to stop and clean up, the second ends it.
async fn command_line(command: Command, env: Env, output: Output) -> ExitCode {
    let cancel = CancellationToken::new();
    let waiting = Waiting::new(cancel.clone());
    // caught before anything is said: whoever reads the first line may send one at once
    let signals = StopSignals::catch();
    #[expect(
        clippy::disallowed_methods,
        reason = "a full pipe on stdout blocks the command's task, which could hear no signal then"
    )]
    tokio::spawn(signals.pass_on(waiting.clone()));
    let machine = Machine {
        env,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        keyring: keyring::of_system(),
    };
    let stdin = Box::new(AwaitedReader::new(io::stdin(), waiting.clone()));
    let session = Session::new(machine, output, stdin, terminal(waiting), cancel);
    cli::run(command, session).await.into()
}

/// ctrl-c, SIGTERM and SIGHUP.
struct StopSignals(Vec<(SignalKind, Signal)>);

impl StopSignals {
    /// From now on; one that cannot be caught ends the process by itself.
    fn catch() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.into_iter().filter_map(|kind| Some((kind, signal(kind).ok()?))).collect())
    }

    async fn next(&mut self) -> SignalKind {
        poll_fn(|context| {
            let came = self
                .0
                .iter_mut()
                .find_map(|(kind, signal)| signal.poll_recv(context).is_ready().then_some(*kind));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Ends the process at the second signal; at the first, where the work cannot hear it.
    async fn pass_on(mut self, waiting: Waiting) {
        let mut last = self.next().await;
        if waiting.stop() {
            last = self.next().await;
        }
        // as a shell counts what a signal ended: 130 for ctrl-c
        std::process::exit(128 + last.as_raw_value());
    }
}

/// Keys must not reach a core file, another process of the user, or a file that others read.
fn keep_memory_private() {
    use rustix::process::{
        DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit, umask,
    };
    umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    // where the system refuses, it is no worse than without
    let _refused = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Variables that are no text cannot be any of ours.
fn environment() -> Env {
    Env::new(
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    )
}

fn is_dumb(env: &Env) -> bool {
    env.get("TERM") == Some("dumb")
}

fn output(env: &Env, json: bool, color: ColorWhen) -> Output {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let is_dumb = is_dumb(env);
    let colors = |is_terminal: bool| match color {
        ColorWhen::Always => true,
        ColorWhen::Never => false,
        ColorWhen::Auto => is_terminal && !is_dumb && env.get("NO_COLOR").is_none(),
    };
    let form = Form {
        json,
        answer_colors: colors(stdout.is_terminal()),
        message_colors: colors(stderr.is_terminal()),
        answer_is_seen: stdout.is_terminal(),
        messages_are_seen: stderr.is_terminal() && !is_dumb,
    };
    // on a terminal each line shows at once; a pipe takes whole buffers
    let answer: Box<dyn Write + Send> =
        if stdout.is_terminal() { Box::new(stdout) } else { Box::new(BufWriter::new(stdout)) };
    Output::new(answer, Box::new(stderr), form)
}

/// Somebody to ask: there is a terminal, and one of stdin and stderr is on it.
fn terminal(waiting: Waiting) -> Option<Box<dyn Terminal>> {
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return None;
    }
    let terminal = ControllingTerminal::open(waiting)?;
    Some(Box::new(terminal))
}
