//! A child that answers a line with a line, as often as it is asked.

use std::fmt;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use zeroize::Zeroizing;

use super::{Group, Limits, ProcessError, Program, prepared};
use crate::ports::env::Env;

/// A child that runs until this is dropped. What it says to stderr is not heard.
///
/// Whoever stops waiting for an answer drops the dialog as well: the next answer would be to the
/// question before. The same goes for one that failed.
pub struct Dialog {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    limits: Limits,
    // ended before the child is waited for: as long as it is not, nobody else has its number
    _group: Group,
    _child: Child,
}

impl Dialog {
    /// Starts `program`; `limits` are those of one answer.
    pub fn start(program: &Program, env: &Env, limits: Limits) -> Result<Self, ProcessError> {
        let mut command = prepared(program, env);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(ProcessError::Start)?;
        let group = Group::of(&child);
        match (child.stdin.take(), child.stdout.take()) {
            (Some(stdin), Some(stdout)) => {
                let stdout = BufReader::new(stdout);
                Ok(Self { stdin, stdout, limits, _group: group, _child: child })
            }
            _ => Err(ProcessError::Mute),
        }
    }

    /// Asks in one line; answers the next line that begins with `mark`, without it. Other lines
    /// are what somebody else in that child had to say.
    pub async fn ask(
        &mut self,
        question: &str,
        mark: &str,
    ) -> Result<Zeroizing<Vec<u8>>, ProcessError> {
        let time = self.limits.time;
        let answer = tokio::time::timeout(time, self.answer(question, mark)).await;
        answer.map_err(|_elapsed| ProcessError::Slow(time))?
    }

    async fn answer(
        &mut self,
        question: &str,
        mark: &str,
    ) -> Result<Zeroizing<Vec<u8>>, ProcessError> {
        let line = format!("{question}\n");
        // one that has ended takes no questions; what is left of its words may still say why
        let _mute = self.stdin.write_all(line.as_bytes()).await;
        let _mute = self.stdin.flush().await;
        let mut left = self.limits.output;
        loop {
            let mut line = Zeroizing::new(Vec::new());
            let most = u64::try_from(left).unwrap_or(u64::MAX);
            let mut bounded = (&mut self.stdout).take(most);
            let read = bounded.read_until(b'\n', &mut line).await.map_err(ProcessError::Read)?;
            if line.last() != Some(&b'\n') {
                let is_cut = read >= left;
                let most = self.limits.output;
                return Err(if is_cut { ProcessError::Loud(most) } else { ProcessError::Mute });
            }
            left = left.saturating_sub(read);
            if let Some(answer) = line.strip_prefix(mark.as_bytes()) {
                return Ok(Zeroizing::new(answer.trim_ascii_end().to_vec()));
            }
        }
    }
}

impl fmt::Debug for Dialog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialog").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::process::Surroundings;
    use std::time::Duration;

    fn started(script: &str, output: usize) -> Dialog {
        let program = Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            surroundings: Surroundings::default(),
        };
        let limits = Limits { time: Duration::from_secs(20), output };
        Dialog::start(&program, &Env::default(), limits).unwrap()
    }

    #[tokio::test]
    async fn one_child_answers_many_questions() {
        let script = "echo hello; while read -r it; do echo noise; echo \"answer:$$ $it\"; done";
        let mut dialog = started(script, 1000);
        let mut answers = Vec::new();
        for question in ["one", "two"] {
            let answer = dialog.ask(question, "answer:").await.unwrap();
            answers.push(String::from_utf8(answer.to_vec()).unwrap());
        }
        let (first, second) = (&answers[0], &answers[1]);
        assert!(first.ends_with(" one") && second.ends_with(" two"), "{answers:?}");
        assert_eq!(first.split(' ').next(), second.split(' ').next());
    }

    #[tokio::test]
    async fn what_does_not_answer_is_told_apart() {
        let silent = started("read -r it", 1000).ask("one", "answer:").await;
        assert!(matches!(silent, Err(ProcessError::Mute)), "{silent:?}");
        let half = started("printf answer:half", 1000).ask("one", "answer:").await;
        assert!(matches!(half, Err(ProcessError::Mute)), "{half:?}");
        let loud = started("while :; do echo more; done", 1000).ask("one", "answer:").await;
        assert!(matches!(loud, Err(ProcessError::Loud(1000))), "{loud:?}");
        let mut slow = started("sleep 600", 1000);
        slow.limits.time = Duration::from_millis(50);
        let slow = slow.ask("one", "answer:").await;
        assert!(matches!(slow, Err(ProcessError::Slow(_))), "{slow:?}");
    }
}
