//! Signing in at a ZenML server.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use zeroize::Zeroizing;

use crate::base::visible::visible;
use crate::keystore::State;
use crate::model::connection::{ConnectionDraft, SignIn};
use crate::ops::connections::{Connect, Connected, OpenPage, SignInWith, typed};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::{KeystoreReport, KeystoreStatus};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, rows_below};

use super::failure_view::{self, marked, settled};
use super::keystore_setup::KeystoreSetup;
use super::unlock::Unlock;

/// How a server is signed in to, in the order of the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    ApiKey,
    Password,
    Browser,
    Nothing,
}

impl How {
    const ALL: [Self; 4] = [Self::ApiKey, Self::Password, Self::Browser, Self::Nothing];

    fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "API key",
            Self::Password => "user and password",
            Self::Browser => "confirm in the browser",
            Self::Nothing => "the server asks nobody",
        }
    }
}

/// Asks for a server and for what signs in there; the answer is the connection's name.
#[derive(Debug)]
pub struct ConnectionForm {
    form: Form<Ask>,
    /// The page to confirm on, while the server waits for that.
    page: Option<OpenPage>,
    failure: Option<Failure>,
    connecting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Url,
    Name,
    How,
    Key,
    User,
    Password,
    Project,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Form(FormMove),
    Stop,
}

/// What the form is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Looked(Outcome<Result<KeystoreReport, Failure>>),
    Opened(Option<()>),
    Page(OpenPage),
    Connected(Outcome<Result<Connected, Failure>>),
}

impl ConnectionForm {
    /// A new connection; one of the same name is replaced.
    pub fn new() -> Self {
        let mut form = Form::new([
            Field::text(Ask::Url, "Server URL")
                .required()
                .help("as the browser or zenml status shows it: https://zenml.example.com"),
            Field::text(Ask::Name, "Connection name")
                .required()
                .value("prod")
                .help("how stacks name it; one of that name is replaced"),
            Field::choice(Ask::How, "Sign in by", How::ALL.map(|how| how.label().to_owned())),
            Field::secret(Ask::Key, "API key")
                .required()
                .help("ZENKEY_\u{2026} of a service account; ctrl-r shows it for 10 s"),
            Field::text(Ask::User, "User").required(),
            Field::secret(Ask::Password, "Password"),
            Field::section("More", false),
            Field::text(Ask::Project, "Project")
                .help("whose runs and artifacts are shown; empty for the server's default"),
        ]);
        form.show(Ask::User, false);
        form.show(Ask::Password, false);
        Self { form, page: None, failure: None, connecting: false }
    }

    fn how(&self) -> How {
        How::ALL.get(self.form.chosen(Ask::How)).copied().unwrap_or(How::ApiKey)
    }

    fn adapt(&mut self) {
        let how = self.how();
        self.form.show(Ask::Key, how == How::ApiKey);
        self.form.show(Ask::User, how == How::Password);
        self.form.show(Ask::Password, how == How::Password);
    }

    fn draft(&self) -> ConnectionDraft {
        let text = |ask| self.form.text(ask).to_owned();
        ConnectionDraft {
            name: text(Ask::Name),
            url: text(Ask::Url),
            command: String::new(),
            project: text(Ask::Project),
        }
    }

    fn submit(&mut self) -> Step<Self> {
        if self.connecting {
            return Step::none();
        }
        let mut errors = Vec::new();
        for problem in self.draft().validate().err().unwrap_or_default() {
            let ask = if problem.field == "url" { Ask::Url } else { Ask::Name };
            errors.push((ask, problem.message));
        }
        match self.how() {
            How::ApiKey if self.form.secret(Ask::Key).is_empty() => {
                errors.push((Ask::Key, "the API key is needed".to_owned()));
            }
            How::Password if self.form.text(Ask::User).trim().is_empty() => {
                errors.push((Ask::User, "the user's name is needed".to_owned()));
            }
            _ => {}
        }
        if !errors.is_empty() {
            self.form.set_errors(errors);
            return Step::none();
        }
        self.failure = None;
        if self.how() == How::Nothing {
            return self.connect();
        }
        // asked first: a browser's confirmation must not be lost for want of a place to keep it
        Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked))
    }

    fn connect(&mut self) -> Step<Self> {
        let with = match self.how() {
            How::ApiKey => SignInWith::Known(SignIn::ApiKey(typed(&self.form.secret(Ask::Key)))),
            How::Password => SignInWith::Known(SignIn::Password {
                user: self.form.text(Ask::User).trim().to_owned(),
                password: self.form.secret(Ask::Password),
            }),
            How::Browser => SignInWith::Browser,
            How::Nothing => SignInWith::Nothing,
        };
        self.connecting = true;
        let job = Connect { draft: self.draft(), with };
        Step::run(Effect::latest_stream("connect", job, Msg::Page, Msg::Connected))
    }

    fn is_connecting(&self) -> bool {
        self.connecting
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Looked(outcome) => match settled(outcome) {
                Ok(report) => match report.status.state {
                    State::Absent => {
                        return Step::push(KeystoreSetup::new(&report.remembered), Msg::Opened);
                    }
                    State::Locked => return Step::push(Unlock::new(), Msg::Opened),
                    State::Open | State::Session => return self.connect(),
                },
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Opened(Some(())) => return self.connect(),
            Msg::Opened(None) => self.form.notice("not signed in yet: ctrl-s asks again"),
            Msg::Page(page) => self.page = Some(page),
            Msg::Connected(outcome) => {
                self.connecting = false;
                self.page = None;
                match settled(outcome) {
                    Ok(connected) => {
                        let said = connected.summary();
                        let tone =
                            if connected.warnings.is_empty() { Tone::Good } else { Tone::Warning };
                        let name = connected.connection.name.to_string();
                        return Step::answer(name).then(Step::toast(tone, &said));
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

    fn key(&mut self, key: KeyEvent) -> Said<Ask> {
        self.failure = None;
        self.form.key(key)
    }

    /// What stands below the form.
    fn below(&self, room: usize, theme: &Theme) -> Vec<ratatui::text::Line<'static>> {
        if let Some(page) = &self.page {
            let said = format!(
                "Open {} and compare the code {}; this waits until you have confirmed there.",
                visible(&page.page),
                visible(&page.user_code)
            );
            return marked(theme.sign(Tone::Neutral), theme.key(), &said, room);
        }
        match &self.failure {
            Some(failure) => failure_view::lines(failure, room, theme),
            None if self.connecting => {
                marked(theme.sign(Tone::Neutral), theme.muted(), "Asking the server \u{2026}", room)
            }
            None => Vec::new(),
        }
    }
}

impl Default for ConnectionForm {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen for ConnectionForm {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = String;

    const NAME: &'static str = "connection-form";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["esc"], Command::Stop, "stop").when(Self::is_connecting)];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Stop) => return Step::cancel("connect"),
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => self.key(key),
            Event::Paste(text) => self.form.paste(&Zeroizing::new(text)),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Tick(now) => {
                self.form.tick(now);
                Said::Nothing
            }
            Event::Msg(msg) => return self.hear(msg),
            Event::Resize(_) | Event::Focus(_) => Said::Nothing,
        };
        match said {
            Said::Changed(Ask::How) => self.adapt(),
            Said::Lines(..) => self.form.refuse_lines(),
            Said::Submit => return self.submit(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let below = self.below(usize::from(inner.width), theme);
        if below.is_empty() {
            return self.form.view(frame, inner, theme);
        }
        let form = usize::from(inner.height).saturating_sub(below.len() + 1);
        self.form.view(frame, Rect { height: cells(form), ..inner }, theme);
        let place = rows_below(inner, form + 1);
        frame.render_widget(ratatui::widgets::Paragraph::new(below), place);
    }

    fn title(&self) -> String {
        "Sign in at a ZenML server".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn is_dirty(&self) -> bool {
        self.form.is_dirty()
    }

    fn wants_tick(&self) -> bool {
        self.form.wants_tick()
    }
}
