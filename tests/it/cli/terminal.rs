//! Questions, at a terminal of the test's own.

use std::io::{Read, Write};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::bench::Bench;

/// The program at a terminal: what it shows is read until `question` stands there, then `answer`
/// is typed. Answers all that was shown, and the exit code.
pub(crate) fn talk(bench: &Bench, arguments: &[&str], answers: &[(&str, &str)]) -> (String, u32) {
    let size = PtySize { rows: 24, cols: 100, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
    command.args(arguments);
    command.env_clear();
    for (name, value) in bench.variables() {
        command.env(name, value);
    }
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let (mut reader, mut writer) =
        (pty.master.try_clone_reader().unwrap(), pty.master.take_writer().unwrap());
    let mut shown = Vec::new();
    let mut read_until = |question: &str, from: usize, shown: &mut Vec<u8>| {
        let mut buffer = [0; 1024];
        while !String::from_utf8_lossy(&shown[from..]).contains(question) {
            match reader.read(&mut buffer) {
                // a pty whose other side is gone answers EIO
                Ok(0) | Err(_) => return false,
                Ok(count) => shown.extend_from_slice(&buffer[..count]),
            }
        }
        true
    };
    let mut from = 0;
    for (question, answer) in answers {
        let text = |shown: &[u8]| String::from_utf8_lossy(shown).into_owned();
        assert!(read_until(question, from, &mut shown), "no {question:?} in {}", text(&shown));
        from = shown.len();
        writer.write_all(answer.as_bytes()).unwrap();
    }
    read_until("\u{0}never shown", from, &mut shown);
    let code = child.wait().unwrap().exit_code();
    (String::from_utf8_lossy(&shown).into_owned(), code)
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
