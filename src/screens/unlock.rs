//! A window that asks for the keystore's passphrase.
//!
//! Whoever is told that the keystore is locked asks for it by `when_locked`, and runs the job
//! again on its answer.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use zeroize::Zeroizing;

use crate::base::secret_string::SecretString;
use crate::base::visible::visible;
use crate::keystore::{KeySource, Loose, State};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::{KeystoreReport, KeystoreStatus, TightenKeystore, UnlockKeystore};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, line, row, rows_below};

use super::failure_view::{self, settled};

/// The longest wait after a wrong passphrase.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Asks for the passphrase until the keystore is open; the answer is `()`. Where the environment
/// or the OS keyring opens it, or it is open already, it answers by itself.
#[derive(Debug)]
pub struct Unlock {
    form: Form<Only>,
    /// What stands in the way, as far as the last try or the first look told.
    failure: Option<Failure>,
    /// Files others may open were found: unlocking is refused until they are private.
    loose: Vec<Loose>,
    wrong: u32,
    wait: Wait,
    spinner: Spinner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    Passphrase,
}

/// Whether a next try has to wait: after the first wrong one a second, then two, four, eight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    No,
    /// For so long from the next tick on.
    Asked(Duration),
    Until {
        end: Duration,
        now: Duration,
    },
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Form(FormMove),
    MakePrivate,
}

/// What the window is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Looked(Outcome<Result<KeystoreReport, Failure>>),
    TriedUnasked(Outcome<Result<Option<KeySource>, Failure>>),
    Tried(Outcome<Result<Option<KeySource>, Failure>>),
    MadePrivate(Outcome<Result<Vec<Loose>, Failure>>),
}

impl Default for Unlock {
    fn default() -> Self {
        Self::new()
    }
}

impl Unlock {
    /// Asks for the passphrase.
    pub fn new() -> Self {
        let passphrase =
            Field::secret(Only::Passphrase, "Passphrase").help("ctrl-r shows it for 10 seconds");
        Self {
            form: Form::new([passphrase]),
            failure: None,
            loose: Vec::new(),
            wrong: 0,
            wait: Wait::No,
            spinner: Spinner::default(),
        }
    }

    fn look() -> Step<Self> {
        Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked))
    }

    fn submit(&mut self) -> Step<Self> {
        let passphrase = self.form.secret(Only::Passphrase);
        if self.wait != Wait::No || self.spinner.is_running() {
            return Step::none();
        }
        if passphrase.is_empty() {
            self.form.set_error(Only::Passphrase, Some("type the passphrase".into()));
            return Step::none();
        }
        self.failure = None;
        self.spinner.start();
        Step::run(Effect::exclusive("keystore", UnlockKeystore::Passphrase(passphrase), Msg::Tried))
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Looked(outcome) => return self.looked(settled(outcome)),
            Msg::TriedUnasked(outcome) => match settled(outcome) {
                Ok(_) => return Step::answer(()),
                // nothing was set and nothing is remembered: that is what the window is for
                Err(failure) if failure.kind == FailureKind::Locked => {}
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Tried(outcome) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(_) => return Step::answer(()),
                    Err(failure) if failure.kind == FailureKind::Credentials => {
                        self.wait = Wait::Asked(wait_after(self.wrong));
                        self.wrong += 1;
                        self.form.set_secret(Only::Passphrase, &SecretString::new(String::new()));
                        self.form.set_error(Only::Passphrase, Some(failure.summary));
                    }
                    Err(failure) => self.failure = Some(failure),
                }
            }
            Msg::MadePrivate(outcome) => match settled(outcome) {
                Ok(_) => {
                    self.failure = None;
                    self.loose.clear();
                    return Self::look();
                }
                Err(failure) => self.failure = Some(failure),
            },
        }
        Step::none()
    }

    fn looked(&mut self, looked: Result<KeystoreReport, Failure>) -> Step<Self> {
        match looked {
            Ok(KeystoreReport { status, .. }) => match status.state {
                State::Open | State::Session => return Step::answer(()),
                State::Absent => {
                    let summary = "there is no keystore yet: it is made with the first secret";
                    let failure = Failure::new(FailureKind::NotFound, summary);
                    self.failure = Some(failure.hint("esc, then 3 Secrets and n"));
                }
                State::Locked if status.loose.is_empty() => {
                    return Step::run(Effect::latest(
                        "unasked",
                        UnlockKeystore::Unasked,
                        Msg::TriedUnasked,
                    ));
                }
                State::Locked => self.loose = status.loose,
            },
            Err(failure) => self.failure = Some(failure),
        }
        Step::none()
    }

    fn tick(&mut self, now: Duration) {
        self.form.tick(now);
        self.spinner.tick(now);
        self.wait = match self.wait {
            Wait::Asked(span) => Wait::Until { end: now + span, now },
            Wait::Until { end, .. } if now < end => Wait::Until { end, now },
            Wait::Until { .. } | Wait::No => Wait::No,
        };
    }

    /// What goes on, in the line under the form.
    fn state_line(&self, theme: &Theme) -> String {
        match self.wait {
            _ if !self.spinner.sign(theme).is_empty() => {
                format!("{} opening {}", self.spinner.sign(theme), theme.ellipsis())
            }
            Wait::No => String::new(),
            Wait::Asked(span) => format!("the next try in {} s", span.as_secs()),
            Wait::Until { end, now } => {
                let left = end.saturating_sub(now).as_secs_f32().ceil();
                format!("the next try in {left} s")
            }
        }
    }

    /// What stands in the way, under the form.
    fn trouble(&self) -> Option<Failure> {
        let first = self.loose.first().map(|loose| {
            let path = visible(&loose.path.to_string_lossy());
            let summary = format!("others may open {path} (mode {:03o})", loose.mode);
            Failure::new(FailureKind::File, summary).hint("ctrl-p makes all of it private")
        });
        first.or_else(|| self.failure.clone())
    }
}

/// Where a job failed because the keystore is locked, asks for the passphrase, and says `again`
/// once it is open: the message that runs the job once more. Other failures are the caller's.
pub(super) fn when_locked<S: Screen<World = World>>(
    failure: &Failure,
    again: impl FnOnce() -> S::Msg + Send + 'static,
) -> Option<Step<S>> {
    let is_locked = failure.kind == FailureKind::Locked;
    is_locked.then(|| Step::ask(Unlock::new(), |()| again()))
}

/// One second after the first wrong try, then twice as long each time.
fn wait_after(wrong: u32) -> Duration {
    Duration::from_secs(1 << wrong.min(3)).min(LONGEST_WAIT)
}

impl Screen for Unlock {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "unlock";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["ctrl-p"], Command::MakePrivate, "make private")
            .when(|unlock| !unlock.loose.is_empty())];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn start(&mut self) -> Step<Self> {
        Self::look()
    }

    fn resumed(&mut self) -> Step<Self> {
        Self::look()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Command(Command::MakePrivate) => {
                return Step::run(Effect::exclusive("keystore", TightenKeystore, Msg::MadePrivate));
            }
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&Zeroizing::new(text)),
            Event::Tick(now) => {
                self.tick(now);
                Said::Nothing
            }
            Event::Msg(msg) => return self.hear(msg),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Resize(_) | Event::Focus(_) => Said::Nothing,
        };
        match said {
            Said::Submit => return self.submit(),
            Said::Lines(..) => self.form.refuse_lines(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, "The keystore is locked", true);
        line(frame, row(inner, 0), Line::raw("Access keys are sealed on this machine."));
        let below = rows_below(inner, 2);
        let rows = self.form.height(inner.width).max(3);
        self.form.view(frame, Rect { height: below.height.min(cells(rows)), ..below }, theme);
        let rest = rows_below(below, rows);
        line(frame, rest, Line::styled(self.state_line(theme), theme.warn()));
        if let Some(failure) = self.trouble() {
            failure_view::view(frame, rest, theme, &failure);
        }
    }

    fn title(&self) -> String {
        "unlock the keystore".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn wants_tick(&self) -> bool {
        self.form.wants_tick() || self.spinner.is_running() || self.wait != Wait::No
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(66, 13))
    }
}
