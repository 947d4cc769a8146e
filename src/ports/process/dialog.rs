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
/// Whoever stops waiting for an answer leaves it to come: the next one to ask hears it first, and
/// throws it away. One that failed answers nothing any more that could be trusted: drop it.
pub struct Dialog {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    limits: Limits,
    /// What is not written yet of the questions.
    unsent: Vec<u8>,
    /// Answers that are still to come.
    awaited: usize,
    /// What has come of the next line.
    line: Zeroizing<Vec<u8>>,
    /// Bytes of whole lines since the last answer.
    heard: usize,
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
            (Some(stdin), Some(stdout)) => Ok(Self {
                stdin,
                stdout: BufReader::new(stdout),
                limits,
                unsent: Vec::new(),
                awaited: 0,
                line: Zeroizing::default(),
                heard: 0,
                _group: group,
                _child: child,
            }),
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
        self.unsent.extend(question.bytes().chain([b'\n']));
        self.awaited += 1;
        self.send().await;
        loop {
            let answer = self.hear(mark).await?;
            self.awaited -= 1;
            if self.awaited == 0 {
                return Ok(answer);
            }
        }
    }

    /// One that has ended takes no questions; what is left of its words may still say why.
    async fn send(&mut self) {
        while !self.unsent.is_empty() {
            match self.stdin.write(&self.unsent).await {
                Ok(sent) if sent > 0 => drop(self.unsent.drain(..sent)),
                _ => self.unsent.clear(),
            }
        }
        let _mute = self.stdin.flush().await;
    }

    /// The next answer. Whoever stops listening within a line loses nothing of it.
    async fn hear(&mut self, mark: &str) -> Result<Zeroizing<Vec<u8>>, ProcessError> {
        let most = self.limits.output;
        loop {
            let left = most.saturating_sub(self.heard + self.line.len());
            let mut bounded = (&mut self.stdout).take(u64::try_from(left).unwrap_or(u64::MAX));
            let read = bounded.read_until(b'\n', &mut self.line).await;
            let read = read.map_err(ProcessError::Read)?;
            if self.line.last() != Some(&b'\n') {
                let is_cut = read >= left;
                return Err(if is_cut { ProcessError::Loud(most) } else { ProcessError::Mute });
            }
            let line = std::mem::take(&mut self.line);
            self.heard += line.len();
            if let Some(answer) = line.strip_prefix(mark.as_bytes()) {
                self.heard = 0;
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
    use futures_util::FutureExt as _;
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

    /// The child answers the first question once it has the second, in pieces.
    #[tokio::test]
    async fn who_stops_waiting_takes_no_answer_from_the_next() {
        let script = "read -r one; echo noise; printf 'answer:to '; read -r two; echo \"$one\"; \
                      echo \"answer:to $two\"; read -r three; echo \"answer:to $three\"";
        let mut dialog = started(script, 1000);
        assert!(dialog.ask("one", "answer:").now_or_never().is_none());
        while !dialog.line.ends_with(b"to ") {
            let _part = dialog.send().now_or_never();
            assert!(dialog.hear("answer:").now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        for question in ["two", "three"] {
            let answer = dialog.ask(question, "answer:").await.unwrap();
            assert_eq!(*answer, format!("to {question}").into_bytes());
        }
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
