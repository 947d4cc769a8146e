//! A window that shows what would be taken over, and asks what to call it.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::keystore::{Put, State};
use crate::model::name::Name;
use crate::model::secret::KeyNames;
use crate::ops::connections::Connected;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::found::{End, Found, SignsIn, TakeKey, TakeLogin};
use crate::ops::keystore::{KeystoreReport, KeystoreStatus};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, line, row, rows_below};

use super::detail::fields;
use super::failure_view::{self, settled};
use super::keystore_setup::KeystoreSetup;
use super::unlock::Unlock;

/// Cells across, frame included.
const WIDTH: u16 = 76;
/// Cells across within the frame.
const INNER: u16 = WIDTH - 2;

/// Shows one thing that was found, and takes it over; the answer is that it is done.
#[derive(Debug)]
pub struct TakeOver {
    found: Found,
    form: Form<Only>,
    failure: Option<Failure>,
    is_working: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    Name,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Form(FormMove),
    Stop,
}

/// What the window is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    Looked(Outcome<Result<KeystoreReport, Failure>>),
    Opened(Option<()>),
    KeyTaken(Outcome<Result<Name, Failure>>),
    LoginTaken(Outcome<Result<Connected, Failure>>),
}

impl TakeOver {
    /// Offers `found`.
    pub fn new(found: Found) -> Self {
        let (label, name, help) = match &found {
            Found::Login(login) => ("Connection", &login.name, "how stacks name it"),
            Found::Key(key) => ("Secret", &key.name, "the name here and in ZenML"),
        };
        let field = Field::text(Only::Name, label).required().value(name).help(help);
        Self { found, form: Form::new([field]), failure: None, is_working: false }
    }

    fn is_working(&self) -> bool {
        self.is_working
    }

    fn submit(&mut self) -> Step<Self> {
        if self.is_working {
            return Step::none();
        }
        if let Err(error) = Name::parse(self.form.text(Only::Name)) {
            self.form.set_errors([(Only::Name, error.to_string())]);
            return Step::none();
        }
        self.failure = None;
        match &self.found {
            Found::Login(login) if !login.signs_in.is_kept() => self.take(),
            Found::Login(_) | Found::Key(_) => {
                Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked))
            }
        }
    }

    fn take(&mut self) -> Step<Self> {
        self.is_working = true;
        let name = self.form.text(Only::Name).trim().to_owned();
        match self.found.clone() {
            Found::Login(found) => {
                let job = TakeLogin { found, name, project: String::new() };
                Step::run(Effect::latest("take", job, Msg::LoginTaken))
            }
            Found::Key(found) => {
                // a secret that has this very key gets it once more, perhaps with a newer token
                let is_known = found.known.as_ref().is_some_and(|known| known.as_str() == name);
                let put = if is_known { Put::Update } else { Put::New };
                let job = TakeKey { found, name, key_names: KeyNames::default(), put };
                Step::run(Effect::exclusive("keystore", job, Msg::KeyTaken))
            }
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Looked(outcome) => match settled(outcome) {
                Ok(report) => match report.status.state {
                    State::Absent => {
                        return Step::push(KeystoreSetup::new(&report.remembered), Msg::Opened);
                    }
                    State::Locked => return Step::push(Unlock::new(), Msg::Opened),
                    State::Open | State::Session => return self.take(),
                },
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Opened(Some(())) => return self.take(),
            Msg::Opened(None) => self.form.notice("not taken over yet: ctrl-s asks again"),
            Msg::KeyTaken(outcome) => {
                self.is_working = false;
                match settled(outcome) {
                    Ok(name) => {
                        let said = format!("the secret {name} is kept in the keystore");
                        return Step::answer(None).then(Step::toast(Tone::Good, &said));
                    }
                    Err(failure) => self.failure = Some(failure),
                }
            }
            Msg::LoginTaken(outcome) => {
                self.is_working = false;
                match settled(outcome) {
                    Ok(connected) => {
                        let tone =
                            if connected.warnings.is_empty() { Tone::Good } else { Tone::Warning };
                        let said = connected.summary();
                        let answer = Some(connected.connection.name.clone());
                        return Step::answer(answer).then(Step::toast(tone, &said));
                    }
                    Err(failure) if failure.kind == FailureKind::Cancelled => {
                        self.form.notice("stopped");
                    }
                    Err(failure) => self.failure = Some(failure),
                }
            }
        }
        Step::none()
    }

    /// What would be taken, where from, and what becomes of it.
    fn preview(&self, theme: &Theme) -> Vec<Line<'static>> {
        let shown = |text: &str| visible(text).into_string();
        let copied = "sealed in the keystore; where it stands nothing is changed";
        let rows = match &self.found {
            Found::Login(login) => {
                let becomes = if login.signs_in.is_kept() {
                    "a connection; what signs in is sealed in the keystore, ZenML's files stay"
                } else {
                    "a connection; ZenML's files stay as they are"
                };
                let mut rows = vec![
                    ("leads to", shown(login.way.as_str())),
                    ("signs in by", login.signs_in.words()),
                    ("found in", login.origin.clone()),
                    ("becomes", becomes.to_owned()),
                ];
                if let SignsIn::Token(End::In(_) | End::Ago(_)) = login.signs_in {
                    let then = "zenml login, and take it over once more".to_owned();
                    rows.push(("after its end", then));
                }
                rows
            }
            Found::Key(key) => {
                let mut rows = vec![("access key", key.words()), ("found in", key.place.clone())];
                rows.extend(key.hint.map(|hint| ("note", hint.to_owned())));
                rows.push(("becomes", copied.to_owned()));
                rows
            }
        };
        fields(&rows, usize::from(INNER), theme)
    }
}

impl Screen for TakeOver {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Option<Name>;

    const NAME: &'static str = "take-over";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["esc"], Command::Stop, "stop").when(Self::is_working)];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Stop) => return Step::cancel("take"),
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => {
                self.failure = None;
                self.form.key(key)
            }
            Event::Paste(text) => self.form.paste(&text),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(_) | Event::Resize(_) | Event::Focus(_) => Said::Nothing,
        };
        match said {
            Said::Submit => return self.submit(),
            Said::Lines(..) => self.form.refuse_lines(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, "Take it over", true);
        let preview = self.preview(theme);
        let above = preview.len() + 1;
        for (index, text) in preview.into_iter().enumerate() {
            line(frame, row(inner, index), text);
        }
        let below = rows_below(inner, above);
        let form = self.form.height(inner.width);
        self.form.view(frame, Rect { height: below.height.min(cells(form)), ..below }, theme);
        let rest = rows_below(below, form);
        match &self.failure {
            Some(failure) => failure_view::view(frame, rest, theme, failure),
            None if self.is_working => {
                line(frame, rest, Line::styled("One moment \u{2026}", theme.muted()));
            }
            None => {}
        }
    }

    fn title(&self) -> String {
        "take it over".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn popup(&self) -> Option<Size> {
        let failure = self.failure.as_ref().map_or(0, |it| failure_view::height(it, INNER));
        let rows = self.preview(&Theme::default()).len() + 1 + self.form.height(INNER);
        Some(Size::new(WIDTH, cells(rows + failure.max(1) + 2)))
    }
}
