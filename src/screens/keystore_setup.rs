//! A window that makes the keystore: asked when the first secret is saved.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use zeroize::Zeroizing;

use crate::base::secret_string::SecretString;
use crate::keystore::keyring::KeyringError;
use crate::ops::failure::Failure;
use crate::ops::keystore::{CreateKeystore, Protection};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};

use super::failure_view::{self, settled};

const WIDTH: u16 = 72;
/// Cells inside the frame.
const INNER: u16 = WIDTH - 2;
const WHY: &str = "This is the first secret on this machine. It is kept sealed, in a keystore that \
    only you can open. How shall osstack open it next time?";

/// Asks how the keystore is kept, and makes it; the answer is `()`, and it is open then.
#[derive(Debug)]
pub struct KeystoreSetup {
    form: Form<Ask>,
    ways: Vec<Way>,
    /// Why the system keyring is not among the ways.
    no_keyring: Option<String>,
    failure: Option<Failure>,
    spinner: Spinner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Way,
    Passphrase,
    Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Passphrase,
    Keyring,
    Session,
}

impl Way {
    fn label(self) -> &'static str {
        match self {
            Self::Passphrase => "ask for a passphrase at every start",
            Self::Keyring => "let the system keyring remember",
            Self::Session => "for this session only",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Passphrase => "nothing but the passphrase opens it: it cannot be recovered",
            Self::Keyring => {
                "it opens by itself while you are logged in; the passphrase opens it elsewhere"
            }
            Self::Session => "nothing is written to disk: secrets are gone when osstack ends",
        }
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Form(FormMove),
}

/// What the window is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Created(Outcome<Result<(), Failure>>),
}

impl KeystoreSetup {
    /// Asks; `keyring` is whether the system keyring answers
    /// ([`KeystoreReport::remembered`](crate::ops::keystore::KeystoreReport)).
    pub fn new(keyring: &Result<bool, KeyringError>) -> Self {
        let mut ways = vec![Way::Passphrase, Way::Keyring, Way::Session];
        if keyring.is_err() {
            ways.retain(|way| *way != Way::Keyring);
        }
        let labels = ways.iter().map(|way| way.label());
        let mut setup = Self {
            form: Form::new([
                Field::choice(Ask::Way, "Open it", labels),
                Field::secret(Ask::Passphrase, "Passphrase")
                    .required()
                    .help("four words or more are easy to keep and hard to guess"),
                Field::secret(Ask::Again, "The same again").required(),
            ]),
            ways,
            no_keyring: keyring.as_ref().err().map(ToString::to_string),
            failure: None,
            spinner: Spinner::default(),
        };
        setup.adapt();
        setup
    }

    fn way(&self) -> Way {
        self.ways.get(self.form.chosen(Ask::Way)).copied().unwrap_or(Way::Passphrase)
    }

    /// Fits help and fields to the way chosen.
    fn adapt(&mut self) {
        let way = self.way();
        self.form.set_help(Ask::Way, way.help());
        for field in [Ask::Passphrase, Ask::Again] {
            self.form.show(field, way != Way::Session);
        }
    }

    fn submit(&mut self) -> Step<Self> {
        if self.spinner.is_running() {
            return Step::none();
        }
        let passphrase = self.form.secret(Ask::Passphrase);
        let protection = match self.way() {
            Way::Session => Protection::SessionOnly,
            _ if self.refuse(&passphrase) => return Step::none(),
            Way::Passphrase => Protection::Passphrase(passphrase),
            Way::Keyring => Protection::PassphraseAndKeyring(passphrase),
        };
        self.failure = None;
        self.spinner.start();
        Step::run(Effect::exclusive("keystore", CreateKeystore { protection }, Msg::Created))
    }

    /// Puts errors under the two fields where they do not hold one passphrase.
    fn refuse(&mut self, passphrase: &SecretString) -> bool {
        let error = if passphrase.is_empty() {
            (Ask::Passphrase, "type a passphrase, or keep secrets for this session only")
        } else if self.form.secret(Ask::Again) != *passphrase {
            (Ask::Again, "the two differ: type the same again (ctrl-r shows it)")
        } else {
            return false;
        };
        self.form.set_errors([error]);
        true
    }

    /// Rows of the form; the window grows before any field is scrolled away.
    fn form_rows(&self) -> usize {
        self.form.height(INNER).max(5)
    }

    fn heading(&self) -> Vec<String> {
        let room = usize::from(INNER);
        let mut lines = wrap(WHY, room);
        if let Some(reason) = &self.no_keyring {
            lines.extend(wrap(&format!("The system keyring cannot remember it: {reason}."), room));
        }
        lines.push(String::new());
        lines
    }
}

impl Screen for KeystoreSetup {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "keystore-setup";
    const KEYS: &'static [Bind<Self>] = &[];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&Zeroizing::new(text)),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Tick(now) => {
                self.form.tick(now);
                self.spinner.tick(now);
                Said::Nothing
            }
            Event::Msg(Msg::Created(outcome)) => {
                self.spinner.stop();
                match settled(outcome) {
                    Ok(()) => return Step::answer(()),
                    Err(failure) => self.failure = Some(failure),
                }
                Said::Nothing
            }
            Event::Resize(_) | Event::Focus(_) => Said::Nothing,
        };
        match said {
            Said::Changed(Ask::Way) => self.adapt(),
            Said::Submit => return self.submit(),
            Said::Lines(..) => self.form.refuse_lines(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, "A keystore for your access keys", true);
        let heading = self.heading();
        let below = rows_below(inner, heading.len());
        for (index, text) in heading.into_iter().enumerate() {
            line(frame, row(inner, index), Line::raw(text));
        }
        let form = self.form_rows();
        let place = Rect { height: below.height.min(cells(form)), ..below };
        self.form.view(frame, place, theme);
        let rest = rows_below(below, form);
        match &self.failure {
            Some(failure) => failure_view::view(frame, rest, theme, failure),
            None if self.spinner.sign(theme).is_empty() => {}
            None => line(frame, rest, Line::raw(format!("{} sealing", self.spinner.sign(theme)))),
        }
    }

    fn title(&self) -> String {
        "make the keystore".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn wants_tick(&self) -> bool {
        self.form.wants_tick() || self.spinner.is_running()
    }

    fn popup(&self) -> Option<Size> {
        let failure = self.failure.as_ref().map_or(0, |it| failure_view::height(it, INNER));
        let rows = self.heading().len() + self.form_rows() + failure.max(3);
        Some(Size::new(WIDTH, cells(rows + 2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyring_is_offered_only_where_it_answers() {
        let with = KeystoreSetup::new(&Ok(false));
        assert!(with.ways.contains(&Way::Keyring) && with.no_keyring.is_none());
        let without = KeystoreSetup::new(&Err(KeyringError::Locked));
        assert!(!without.ways.contains(&Way::Keyring));
        assert!(without.heading().join(" ").contains("the OS keyring is locked"));
    }

    #[test]
    fn nothing_is_made_of_two_that_differ() {
        let mut setup = KeystoreSetup::new(&Ok(false));
        setup.form.set_secret(Ask::Passphrase, &SecretString::new("one".into()));
        setup.form.set_secret(Ask::Again, &SecretString::new("two".into()));
        assert_eq!(format!("{:?}", setup.submit()), "[]");
        setup.form.set_secret(Ask::Again, &SecretString::new("one".into()));
        let step = format!("{:?}", setup.submit());
        assert!(step.contains("create keystore") && !step.contains("one"), "{step}");
    }
}
