//! Other programs: the one place that starts them.
//!
//! A child sees a short list of variables, reads nothing, may say so much in so long, and does not
//! outlive whoever waits for it: dropping the future ends it with all that it started.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::env::Env;

/// What to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program: a path, or a name to be found on the `PATH`.
    pub path: PathBuf,
    /// Its arguments; anybody on this machine may read them, so never a secret.
    pub arguments: Vec<String>,
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
}

/// What a child sees of the environment: where programs, the home and temporary files are, and the
/// language. Keys of any cloud are not among them.
const VARIABLES: [&str; 7] =
    ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH"];

/// Runs `program` to its end.
pub async fn run(program: &Program, env: &Env, limits: Limits) -> Result<Ended, ProcessError> {
    let variables = VARIABLES.iter().filter_map(|name| Some((*name, env.get(name)?)));
    #[expect(clippy::disallowed_methods, reason = "the one place that starts children")]
    let mut child = Command::new(&program.path)
        .args(&program.arguments)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(ProcessError::Start)?;
    let mut group = Group::of(&child);
    let ended = tokio::time::timeout(limits.time, collect(&mut child, limits.output)).await;
    let ended = ended.map_err(|_elapsed| ProcessError::Slow(limits.time))??;
    group.0 = None;
    Ok(ended)
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
        Program { path: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] }
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
        let absent = Program { path: "/nowhere/python".into(), arguments: Vec::new() };
        assert!(matches!(run(&absent, &env(), LIMITS).await, Err(ProcessError::Start(_))));
    }
}
