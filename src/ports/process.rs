//! Other programs: the one place that starts them.
//!
//! A child sees a short list of variables, reads nothing or one text that has no name on disk, may
//! say so much in so long, and does not outlive whoever waits for it: dropping the future ends it
//! with all that it started. One that answers many questions is a [`Dialog`].

mod dialog;
mod unnamed;

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::env::Env;
use crate::base::secret_string::SecretString;

pub use dialog::Dialog;

/// What to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program: a path, or a name to be found on the `PATH`.
    pub path: PathBuf,
    /// Its arguments; anybody on this machine may read them, so never a secret.
    pub arguments: Vec<String>,
    /// What it sees of the environment beyond what every child does.
    pub surroundings: Surroundings,
}

/// Variables of one kind of child; never one that may hold a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Names of variables that are passed on.
    pub passed: &'static [&'static str],
    /// Variables that are set.
    pub set: &'static [(&'static str, &'static str)],
}

/// How long and how loud a child may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From start to end.
    pub time: Duration,
    /// Bytes, of stdout and of stderr each.
    pub output: usize,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; nothing where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

/// Why a child did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("cannot be started: {0}")]
    Start(#[source] io::Error),
    /// What it says could not be read.
    #[error("cannot be heard: {0}")]
    Read(#[source] io::Error),
    /// It took longer than allowed.
    #[error("did not end within {} s", .0.as_secs())]
    Slow(Duration),
    /// It said more than allowed.
    #[error("said more than {0} bytes")]
    Loud(usize),
    /// It ended in the middle of a [`Dialog`].
    #[error("ended without an answer")]
    Mute,
}

/// What a child sees of the environment: where programs, the home and temporary files are, and the
/// language. Keys of any cloud are not among them.
const VARIABLES: [&str; 7] =
    ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"];

/// Goes on as this very program with other arguments, in the same process and environment.
/// Answers only where that cannot be.
pub fn become_self(arguments: &[&str]) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    match std::env::current_exe() {
        #[expect(clippy::disallowed_methods, reason = "the one place that starts programs")]
        Ok(program) => std::process::Command::new(program).args(arguments).exec(),
        Err(error) => error,
    }
}

/// Runs `program` to its end.
pub async fn run(program: &Program, env: &Env, limits: Limits) -> Result<Ended, ProcessError> {
    to_its_end(program, env, limits, Stdio::null()).await
}

/// The same, where `input` is the file at the child's stdin. It has no name on disk and goes with
/// the child; `/dev/stdin` is a regular file then, which a pipe is not.
pub async fn run_with(
    program: &Program,
    env: &Env,
    limits: Limits,
    input: &SecretString,
) -> Result<Ended, ProcessError> {
    let input = unnamed::holding(input.expose().as_bytes()).map_err(ProcessError::Start)?;
    to_its_end(program, env, limits, Stdio::from(input)).await
}

async fn to_its_end(
    program: &Program,
    env: &Env,
    limits: Limits,
    stdin: Stdio,
) -> Result<Ended, ProcessError> {
    let mut command = prepared(program, env);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(ProcessError::Start)?;
    // the parent's end of what the child reads
    drop(command);
    let mut group = Group::of(&child);
    let ended = tokio::time::timeout(limits.time, collect(&mut child, limits.output)).await;
    let ended = ended.map_err(|_elapsed| ProcessError::Slow(limits.time))??;
    group.0 = None;
    Ok(ended)
}

/// A command that sees what it may see, and ends with all that it starts.
fn prepared(program: &Program, env: &Env) -> Command {
    let Surroundings { passed, set } = program.surroundings;
    let names = VARIABLES.iter().chain(passed);
    let variables = names.filter_map(|name| Some((*name, env.get(name)?)));
    #[expect(clippy::disallowed_methods, reason = "the one place that starts children")]
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(variables)
        .envs(set.iter().copied())
        .process_group(0)
        .kill_on_drop(true);
    command
}

async fn collect(child: &mut Child, most: usize) -> Result<Ended, ProcessError> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(read(stdout, most), read(stderr, most))?;
    let code = child.wait().await.map_err(ProcessError::Read)?.code();
    Ok(Ended { code, stdout, stderr })
}

async fn read(from: Option<impl AsyncRead + Unpin>, most: usize) -> Result<Vec<u8>, ProcessError> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let one_more = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        from.take(one_more).read_to_end(&mut bytes).await.map_err(ProcessError::Read)?;
    }
    if bytes.len() > most { Err(ProcessError::Loud(most)) } else { Ok(bytes) }
}

/// The child and all that it started, ended on drop unless the child has ended by itself.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // gone already is as good
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(20), output: 1000 };

    fn sh(script: &str) -> Program {
        Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            surroundings: Surroundings::default(),
        }
    }

    fn env() -> Env {
        let variables = [("PATH", "/usr/bin:/bin"), ("OSS_ACCESS_KEY_SECRET", "canary")];
        Env::new(variables.map(|(name, value)| (name.into(), value.into())))
    }

    #[tokio::test]
    async fn hears_both_and_knows_the_code() {
        let ended = run(&sh("echo out; echo err >&2; exit 3"), &env(), LIMITS).await.unwrap();
        let heard = Ended { code: Some(3), stdout: "out\n".into(), stderr: "err\n".into() };
        assert_eq!(ended, heard);
    }

    #[tokio::test]
    async fn keys_stay_here() {
        let ended = run(&sh("env"), &env(), LIMITS).await.unwrap();
        let seen = String::from_utf8(ended.stdout).unwrap();
        assert!(seen.contains("PATH=/usr/bin:/bin") && !seen.contains("canary"), "{seen}");
    }

    #[tokio::test]
    async fn some_children_see_more() {
        let surroundings =
            Surroundings { passed: &["ZENML_CONFIG_PATH", "ABSENT"], set: &[("NO_COLOR", "1")] };
        let env = Env::new([("ZENML_CONFIG_PATH".into(), "/z".into())]);
        let program = Program { surroundings, ..sh("echo $ZENML_CONFIG_PATH$NO_COLOR${ABSENT-}") };
        assert_eq!(run(&program, &env, LIMITS).await.unwrap().stdout, b"/z1\n");
    }

    #[tokio::test]
    async fn what_it_reads_is_a_file_that_can_be_opened_again_and_has_no_name() {
        let script = "[ -f /dev/stdin ] && cat /dev/stdin && cat /dev/stdin; \
                      readlink /proc/self/fd/0; cat /proc/$$/cmdline /proc/$$/environ";
        let input = SecretString::new("canary-read\n".into());
        let ended = run_with(&sh(script), &env(), LIMITS, &input).await.unwrap();
        let heard = String::from_utf8(ended.stdout).unwrap();
        let rest = heard.strip_prefix("canary-read\ncanary-read\n").unwrap();
        assert!(!rest.contains("canary"), "{rest}");
        if cfg!(target_os = "linux") {
            assert!(rest.starts_with("/memfd:"), "{rest}");
        }
    }

    #[tokio::test]
    async fn what_says_too_much_is_ended() {
        let loud = run(&sh("while :; do echo more; done"), &env(), LIMITS).await;
        assert!(matches!(loud, Err(ProcessError::Loud(1000))), "{loud:?}");
        let loud = run(&sh("while :; do echo more >&2; done"), &env(), LIMITS).await;
        assert!(matches!(loud, Err(ProcessError::Loud(1000))), "{loud:?}");
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended() {
        let limits = Limits { time: Duration::from_millis(50), ..LIMITS };
        let slow = run(&sh("sleep 600"), &env(), limits).await;
        assert!(matches!(slow, Err(ProcessError::Slow(_))), "{slow:?}");
    }

    #[tokio::test]
    async fn whoever_stops_waiting_ends_it_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe").display().to_string();
        run(&sh(&format!("mkfifo '{pipe}'")), &env(), LIMITS).await.unwrap();
        let program = sh(&format!("(exec 9>'{pipe}'; sleep 600) & wait"));
        let env = env();
        let mut child = Box::pin(run(&program, &env, LIMITS));
        // opens once the grandchild has the other end
        let open = tokio::task::spawn_blocking(move || std::fs::File::open(pipe).unwrap());
        let mut reader = tokio::select! {
            reader = open => reader.unwrap(),
            ended = &mut child => panic!("{ended:?}"),
        };
        drop(child);
        // ends once nobody has it any more
        let read = move || std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
        assert_eq!(tokio::task::spawn_blocking(read).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_is_not_there_is_said() {
        let absent = Program { path: "/nowhere/python".into(), ..sh("") };
        assert!(matches!(run(&absent, &env(), LIMITS).await, Err(ProcessError::Start(_))));
    }
}
