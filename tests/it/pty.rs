//! The program in a real terminal: however it ends, the terminal is given back.

#[cfg(feature = "pictures")]
mod pictures;
mod terminal;

use std::sync::Arc;
use std::time::Duration;

use osstack::app::shell::{Options, Shell, Tab};
use osstack::base::job::{Context, Job, Nothing};
use osstack::tui::effect::{Effect, Outcome};
use osstack::tui::event_loop::{self, QUEUE};
use osstack::tui::keymap::Bind;
use osstack::tui::screen::{Event, Screen, Step};
use osstack::tui::terminal::{Session, read_input};
use osstack::tui::theme::Theme;
use portable_pty::CommandBuilder;
use ratatui::Frame;
use ratatui::layout::Rect;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::sync::mpsc;

use terminal::Terminal;

/// On the first frame where there is no stack yet.
const WELCOME: &str = "A stack takes three steps";
/// What a panic says; it might as well be a secret.
const CANARY: &str = "canary-payload";
/// Set for the test binary that runs as a child of this one.
const IS_CHILD: &str = "OSSTACK_TEST_IS_CHILD";

/// osstack on a home where nothing is yet, with its first frame drawn.
fn osstack() -> (Terminal, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
    let mut terminal = Terminal::run(command, &[("OSSTACK_HOME", home.path().to_str().unwrap())]);
    terminal.wait_until_taken(WELCOME);
    (terminal, home)
}

#[test]
fn the_terminal_is_given_back_at_the_end() {
    let (mut terminal, _home) = osstack();
    terminal.send("q");
    assert_eq!(terminal.end().code, Some(0));
}

#[test]
fn the_demo_takes_the_terminal_over() {
    let (mut terminal, _home) = osstack();
    terminal.send("d");
    // whichever tab it begins with, what it is stands in the top line; over a list the cursor shows
    terminal.wait_for("sandbox");
    // the keys are the demo's alone
    terminal.send("2");
    terminal.wait_for("scratch_store");
    terminal.send("q");
    assert_eq!(terminal.end().code, Some(0));
}

#[test]
fn the_terminal_is_given_back_on_sigterm() {
    let (terminal, _home) = osstack();
    terminal.signal(Signal::TERM);
    assert!(terminal.end().code.is_some(), "it ends by itself and is not killed");
}

#[test]
fn the_terminal_is_given_back_on_sigint_and_sighup() {
    for signal in [Signal::INT, Signal::HUP] {
        let (terminal, _home) = osstack();
        terminal.signal(signal);
        assert!(terminal.end().code.is_some(), "{signal:?}");
    }
}

/// A question of the command line blocks its task: the first signal has to do.
#[test]
fn the_terminal_is_given_back_on_sigterm_while_a_question_stands() {
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
    command.args(["secret", "create", "s"]);
    let mut terminal = Terminal::run(command, &[("OSSTACK_HOME", home.path().to_str().unwrap())]);
    terminal.wait_for("AccessKey ID: ");
    terminal.send("LTAI5tExampleExample0001\r");
    terminal.wait_for("not shown): ");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end().code, Some(143));
}

#[test]
fn it_ends_with_its_terminal() {
    let (terminal, _home) = osstack();
    terminal.hang_up(Duration::from_secs(1));
}

#[test]
fn the_terminal_is_given_back_while_it_is_suspended() {
    let (mut terminal, _home) = osstack();
    for _ in 0..2 {
        terminal.signal(Signal::TSTP);
        terminal.wait_until_stopped();
        terminal.expect_given_back();
        terminal.expect_modes();
        terminal.signal(Signal::CONT);
        terminal.wait_until_taken(WELCOME);
    }
    terminal.send("q");
    assert_eq!(terminal.end().code, Some(0));
}

#[test]
fn half_an_escape_sequence_holds_nothing_up() {
    let (mut terminal, _home) = osstack();
    terminal.send("\x1b[");
    terminal.signal(Signal::TERM);
    assert!(terminal.end().code.is_some());

    let (mut terminal, _home) = osstack();
    terminal.send("\x1b[");
    // the first one ends the sequence, which means nothing
    terminal.send("qq");
    assert_eq!(terminal.end().code, Some(0));
}

#[test]
fn a_click_is_understood_from_the_first_frame_on() {
    let (mut terminal, _home) = osstack();
    // "Secrets" in the top line, in the terms of SGR mouse reports
    terminal.send("\x1b[<0;34;1M\x1b[<0;34;1m");
    terminal.wait_until(|screen| !screen.contents().contains(WELCOME));
    terminal.send("q");
    assert_eq!(terminal.end().code, Some(0));
}

#[test]
fn a_new_size_keeps_what_was_typed() {
    let (mut terminal, _home) = osstack();
    terminal.send("3n");
    terminal.wait_for("AccessKey");
    terminal.send("alibaba_secret\t\t");
    terminal.send("\x1b[200~canary-pasted\x1b[201~");
    terminal.wait_for("•••");
    for (columns, rows) in [(120, 40), (50, 12), (10, 3), (80, 24)] {
        terminal.resize(columns, rows);
        let is_small = columns < 40;
        let expected = if is_small { "osstack" } else { "alibaba_secret" };
        terminal.wait_until(|screen| {
            let footer = screen.rows(0, columns).last().unwrap_or_default();
            screen.contents().contains(expected) && (is_small || !footer.trim().is_empty())
        });
    }
    terminal.signal(Signal::TERM);
    let left = terminal.end();
    assert!(!String::from_utf8_lossy(&left.bytes).contains("canary"), "never shown");
}

#[test]
fn a_dumb_terminal_is_told_what_to_set_or_do_instead() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["demo"]] {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
        command.args(arguments);
        let home = home.path().to_str().unwrap();
        let variables = [("TERM", "dumb"), ("OSSTACK_HOME", home)];
        let left = Terminal::run(command, &variables).end();
        let said = String::from_utf8_lossy(&left.bytes);
        assert_eq!(left.code, Some(2), "{said}");
        assert!(said.contains("TERM=dumb") && said.contains("TERM=xterm-256color"), "{said}");
        assert!(said.contains("osstack --help") && !said.contains('\x1b'), "{said}");
    }
}

/// This test binary on a terminal, as a program with a screen that panics when told.
fn faulty() -> Terminal {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "pty::child_that_panics", "--ignored", "--nocapture"]);
    command.args(["--color", "never"]);
    let mut terminal = Terminal::run(command, &[(IS_CHILD, "1")]);
    terminal.wait_until_taken("all is well");
    terminal
}

#[test]
fn the_terminal_is_given_back_after_a_panic() {
    for key in ["u", "v"] {
        let mut terminal = faulty();
        terminal.send(key);
        let left = terminal.end();
        let said = String::from_utf8_lossy(&left.bytes);
        assert_ne!(left.code, Some(0));
        assert!(
            said.contains("stopped because of a fault in osstack at tests/it/pty.rs"),
            "{said}"
        );
        assert!(!said.contains(CANARY), "{said}");
    }
}

#[test]
fn a_job_that_panics_costs_its_answer_alone() {
    let mut terminal = faulty();
    terminal.send("j");
    terminal.wait_until_taken("a fault in osstack at tests/it/pty.rs");
    terminal.send("q");
    let left = terminal.end();
    assert_eq!(left.code, Some(0));
    assert!(!String::from_utf8_lossy(&left.bytes).contains(CANARY));
}

#[test]
#[ignore = "the other tests run it as a program of its own"]
fn child_that_panics() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let mut session = Session::enter(true, || Duration::ZERO).unwrap();
        let mut screen = session.terminal().unwrap();
        let tabs = [Tab::new("Faulty", Faulty::default())];
        let mut shell = Shell::new(Arc::new(()), sender.clone(), tabs, Options::default());
        read_input(sender).unwrap();
        event_loop::run(&mut screen, &mut shell, &mut queue, &mut session).await.unwrap();
    });
    runtime.shutdown_background();
}

/// A screen with a fault in every place.
#[derive(Debug, Default)]
struct Faulty {
    in_view: bool,
    said: String,
}

#[derive(Clone, Copy, Debug)]
enum Command {
    Update,
    View,
    Job,
}

#[derive(Debug)]
struct Fault;

impl Job<()> for Fault {
    type Item = Nothing;
    type Out = ();

    async fn run(self, _context: Context<(), Nothing>) {
        panic!("{CANARY}");
    }
}

impl Screen for Faulty {
    type World = ();
    type Command = Command;
    type Msg = Outcome<()>;
    type Answer = ();

    const NAME: &'static str = "faulty";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["u"], Command::Update, "panic in update"),
        Bind::new(&["v"], Command::View, "panic in view"),
        Bind::new(&["j"], Command::Job, "panic in a job"),
    ];

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Update) => panic!("{CANARY}"),
            Event::Command(Command::View) => self.in_view = true,
            Event::Command(Command::Job) => {
                return Step::run(Effect::latest("fault", Fault, |outcome| outcome));
            }
            Event::Msg(outcome) => self.said = outcome.or_reason().unwrap_err(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, _theme: &Theme) {
        assert!(!self.in_view, "{CANARY}");
        frame.render_widget(format!("all is well {}", self.said), area);
    }
}
