//! Questions, at a terminal of the test's own.

use std::io::{Read, Write};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

use super::bench::Bench;

/// The program at a terminal.
pub(crate) struct Talk {
    child: Box<dyn Child + Send + Sync>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    shown: Vec<u8>,
    /// What was shown before the last answer.
    answered: usize,
}

impl Talk {
    pub(crate) fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in bench.variables() {
            command.env(name, value);
        }
        let child = pty.slave.spawn_command(command).unwrap();
        let reader = pty.master.try_clone_reader().unwrap();
        let writer = pty.master.take_writer().unwrap();
        Self { child, reader, writer, shown: Vec::new(), answered: 0 }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    fn read_until(&mut self, question: &str) -> bool {
        let mut buffer = [0; 1024];
        while !String::from_utf8_lossy(&self.shown[self.answered..]).contains(question) {
            match self.reader.read(&mut buffer) {
                // a pty whose other side is gone answers EIO
                Ok(0) | Err(_) => return false,
                Ok(count) => self.shown.extend_from_slice(&buffer[..count]),
            }
        }
        true
    }

    /// Reads until `question` stands there.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, question: &str) {
        assert!(self.read_until(question), "no {question:?} in {}", self.text());
    }

    /// Types `answer` when `question` stands there.
    #[track_caller]
    pub(crate) fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.answered = self.shown.len();
        self.writer.write_all(answer.as_bytes()).unwrap();
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// All that was shown, and the exit code.
    pub(crate) fn end(mut self) -> (String, u32) {
        self.read_until("\u{0}never shown");
        let code = self.child.wait().unwrap().exit_code();
        (self.text(), code)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ended = self.child.kill();
    }
}

/// Runs the program at a terminal: when a question stands there, its answer is typed. Answers all
/// that was shown, and the exit code.
#[track_caller]
pub(crate) fn talk(bench: &Bench, arguments: &[&str], answers: &[(&str, &str)]) -> (String, u32) {
    let mut talk = Talk::start(bench, arguments);
    for (question, answer) in answers {
        talk.answer(question, answer);
    }
    talk.end()
}

#[test]
fn values_are_asked_for_and_not_shown() {
    let bench = Bench::empty();
    let (shown, code) = talk(
        &bench,
        &["secret", "create", "s"],
        &[
            ("AccessKey ID: ", "LTAI5tExampleExample0001\r"),
            ("not shown): ", "canary-secret-value\r"),
        ],
    );
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("LTAI5tExampleExample0001") && !shown.contains("canary"), "{shown}");
    let (shown, code) = talk(&bench, &["secret", "get", "s", "--reveal"], &[]);
    assert_eq!(code, 0);
    assert!(shown.contains("canary-secret-value"), "{shown}");
}

#[test]
fn no_is_no_and_ctrl_c_leaves_things_as_they_are() {
    let bench = Bench::furnished();
    let delete = ["stack", "delete", "demo_stack"];
    let (shown, code) = talk(&bench, &delete, &[("[y/N] ", "n\r")]);
    assert_eq!(code, 1, "{shown}");
    let (shown, code) = talk(&bench, &delete, &[("[y/N] ", "\u{3}")]);
    assert_eq!(code, 1, "{shown}");
    bench.run(&["stack", "describe", "demo_stack"]).ok();
    let (shown, code) = talk(&bench, &delete, &[("[y/N] ", "y\r")]);
    assert_eq!(code, 0, "{shown}");
}

#[test]
fn taken_names_are_asked_about_at_the_end() {
    let bench = Bench::furnished();
    bench.write("a", "new");
    bench.write("b", "new");
    let (a, b) = (bench.path("a"), bench.path("b"));
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    bench.run(&["cp", a, "scratch_store:a"]).ok();
    bench.write("a", "newer");
    let cp = ["cp", a, b, "scratch_store:"];
    let (shown, code) = talk(&bench, &cp, &[("1 name is taken", "y\r")]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(bench.run(&["cat", "scratch_store:a"]).ok().out, "newer");
    assert_eq!(bench.run(&["cat", "scratch_store:b"]).ok().out, "new");
}
