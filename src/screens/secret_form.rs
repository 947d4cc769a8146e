//! The form of an access key: a new one, or other values for one that is there.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use zeroize::Zeroizing;

use crate::keystore::{Put, State, Summary};
use crate::model::name::Name;
use crate::model::secret::{
    Credentials, KeyNames, SecretDraft, id_hint, secret_hint, split_pasted,
};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::keystore::{KeystoreReport, KeystoreStatus};
use crate::ops::secrets::{FoundSecret, GetSecret, SaveSecret};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, rows_below};

use super::failure_view::{self, settled};
use super::keystore_setup::KeystoreSetup;
use super::policy::PolicyForm;
use super::unlock::{Unlock, when_locked};

const KEY_NAMES: [KeyNames; 2] = [KeyNames::Oss, KeyNames::Aws];

/// Asks for an access key and keeps it; the answer is the secret's name. The first one makes the
/// keystore, by [`KeystoreSetup`].
#[derive(Debug)]
pub struct SecretForm {
    form: Form<Ask>,
    /// The secret that gets other values.
    replaces: Option<Name>,
    /// Its values so far: where id and secret are left alone they stay.
    former: Option<Credentials>,
    failure: Option<Failure>,
    saving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Name,
    Id,
    Secret,
    Token,
    Ends,
    KeyNames,
}

impl Ask {
    fn of(field: &str) -> Option<Self> {
        Some(match field {
            "name" => Self::Name,
            "access_key_id" => Self::Id,
            "secret_access_key" => Self::Secret,
            "session_token" => Self::Token,
            "expires_at" => Self::Ends,
            _ => return None,
        })
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Form(FormMove),
    Policy,
}

/// What the form is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Read(Outcome<Result<FoundSecret, Failure>>),
    OpenedToRead,
    Saved(Outcome<Result<Name, Failure>>),
    Looked(Outcome<Result<KeystoreReport, Failure>>),
    Opened(Option<()>),
}

impl SecretForm {
    /// A new secret.
    pub fn new() -> Self {
        Self::of(None)
    }

    /// Other values for `secret`. Its id is shown, its secret never; left empty, it stays.
    pub fn edit(secret: &Summary) -> Self {
        let mut edit = Self::of(Some(secret.name.clone()));
        let at = KEY_NAMES.iter().position(|names| *names == secret.key_names);
        edit.form.set_text(Ask::Name, secret.name.as_str());
        edit.form.set_chosen(Ask::KeyNames, at.unwrap_or(0));
        edit.form.show(Ask::Name, false);
        edit.form.set_help(Ask::Secret, "empty keeps the one there is; ctrl-r shows what is typed");
        edit.form.focus(Ask::Id);
        edit
    }

    fn of(replaces: Option<Name>) -> Self {
        let form = Form::new([
            Field::text(Ask::Name, "ZenML secret name")
                .required()
                .help("for example alibaba_secret: the name here and in ZenML"),
            Field::text(Ask::Id, "AccessKey ID").required().help(
                "begins with LTAI; two pasted lines or the console's AccessKey.csv fill both",
            ),
            Field::secret(Ask::Secret, "AccessKey secret")
                .required()
                .help("30 characters, shown once by the console; ctrl-r shows it for 10 s"),
            Field::secret(Ask::Token, "Session token")
                .help("of a temporary key (STS.\u{2026}) only; else leave it empty"),
            Field::text(Ask::Ends, "Token ends")
                .help("as STS says it (Expiration), 2026-11-27T20:00:00Z; empty if not known")
                .hidden(),
            Field::section("More", false),
            Field::choice(
                Ask::KeyNames,
                "Key names",
                KEY_NAMES.map(|names| {
                    let [id, secret, _] = names.names();
                    format!("{id}, {secret}")
                }),
            )
            .help("as ZenML stores them; versions before 0.93 read the aws_ names alone"),
        ]);
        Self { form, replaces, former: None, failure: None, saving: false }
    }

    fn draft(&self) -> SecretDraft {
        let key_names = KEY_NAMES.get(self.form.chosen(Ask::KeyNames)).copied();
        let mut draft = SecretDraft {
            name: self.form.text(Ask::Name).to_owned(),
            access_key_id: self.form.text(Ask::Id).to_owned(),
            secret_access_key: self.form.secret(Ask::Secret),
            session_token: self.form.secret(Ask::Token),
            expires_at: if self.asks_for_end() {
                self.form.text(Ask::Ends).to_owned()
            } else {
                String::new()
            },
            key_names: key_names.unwrap_or_default(),
        };
        let same_key = |former: &&Credentials| former.access_key_id == draft.access_key_id.trim();
        let kept = self.former.as_ref().filter(same_key);
        if let Some(kept) = kept.filter(|_| draft.secret_access_key.is_empty()) {
            draft.secret_access_key = kept.secret_access_key.duplicate();
            if let Some(token) =
                kept.session_token.as_ref().filter(|_| draft.session_token.is_empty())
            {
                draft.session_token = token.duplicate();
            }
        }
        draft
    }

    /// Whether the key is one that ends, so far as is typed.
    fn asks_for_end(&self) -> bool {
        let id = self.form.text(Ask::Id).trim();
        let kept = self.former.as_ref().filter(|former| former.access_key_id == id);
        id.starts_with("STS.")
            || !self.form.secret(Ask::Token).is_empty()
            || kept.is_some_and(|former| former.session_token.is_some())
    }

    /// Shows the field of the end where there is one to ask for; what it holds of the former key
    /// goes with that key.
    fn follow_token(&mut self) {
        if let Some(former) = &self.former {
            let is_other = self.form.text(Ask::Id).trim() != former.access_key_id
                || !self.form.secret(Ask::Token).is_empty();
            if is_other && self.form.text(Ask::Ends) == former.end_as_text() {
                self.form.set_text(Ask::Ends, "");
            }
        }
        let asks = self.asks_for_end();
        self.form.show(Ask::Ends, asks);
    }

    /// Takes id and secret out of a paste that holds both; else it goes into the field.
    fn paste(&mut self, text: &str) -> Said<Ask> {
        let into_pair = self.form.focused() != Some(Ask::Token);
        let Some((id, secret)) = into_pair.then(|| split_pasted(text)).flatten() else {
            return self.form.paste(text);
        };
        self.form.set_text(Ask::Id, &id);
        self.form.set_secret(Ask::Secret, &secret);
        self.form.mark_dirty();
        self.form.notice("the paste held id and secret: both are filled in");
        Said::Changed(Ask::Id)
    }

    fn remark(&mut self) {
        let (id, secret) = (self.form.text(Ask::Id), self.form.secret(Ask::Secret));
        let of_secret = secret_hint(id, secret.expose());
        let of_id = id_hint(id);
        self.form.set_remark(Ask::Id, of_id);
        self.form.set_remark(Ask::Secret, of_secret);
        self.follow_token();
    }

    /// The error of one field that holds something, for when the focus leaves it.
    fn check(&mut self, field: Ask) {
        let draft = self.draft();
        let empty = match field {
            Ask::Name => draft.name.is_empty(),
            Ask::Id => draft.access_key_id.is_empty(),
            Ask::Secret => draft.secret_access_key.is_empty(),
            Ask::Token | Ask::Ends | Ask::KeyNames => false,
        };
        let problems = if empty { Vec::new() } else { draft.validate().err().unwrap_or_default() };
        let found = problems.into_iter().find(|problem| Ask::of(problem.field) == Some(field));
        // a token may still be to come: only handing in asks for it
        let found = found.filter(|_| field != Ask::Token || !draft.session_token.is_empty());
        self.form.set_error(field, found.map(|problem| problem.message));
    }

    fn submit(&mut self) -> Step<Self> {
        if self.saving {
            return Step::none();
        }
        let draft = self.draft();
        if let Err(problems) = draft.validate() {
            let at_fields = problems.into_iter();
            self.form.set_errors(at_fields.filter_map(|p| Some((Ask::of(p.field)?, p.message))));
            return Step::none();
        }
        self.failure = None;
        self.saving = true;
        let put = if self.replaces.is_some() { Put::Update } else { Put::New };
        Step::run(Effect::exclusive("keystore", SaveSecret { draft, put }, Msg::Saved))
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::Saved(outcome) => {
                self.saving = false;
                match settled(outcome) {
                    Ok(name) => {
                        let said = format!("the secret {name} is kept in the keystore");
                        return Step::answer(name).then(Step::toast(Tone::Good, &said));
                    }
                    Err(failure) if failure.kind == FailureKind::Locked => {
                        return Step::run(Effect::latest("look", KeystoreStatus, Msg::Looked));
                    }
                    Err(failure) => self.failure = Some(failure),
                }
            }
            Msg::Read(outcome) => match settled(outcome) {
                Ok(found) => {
                    self.form.set_text(Ask::Id, &found.secret.credentials.access_key_id);
                    self.form.set_text(Ask::Ends, &found.secret.credentials.end_as_text());
                    self.former = Some(found.secret.credentials);
                    self.follow_token();
                }
                // new values can be typed without the old ones
                Err(failure) => match when_locked(&failure, || Msg::OpenedToRead) {
                    Some(unlock) => return unlock,
                    None => self.failure = Some(failure),
                },
            },
            Msg::OpenedToRead => return self.start(),
            Msg::Looked(outcome) => match settled(outcome) {
                Ok(report) if report.status.state == State::Absent => {
                    return Step::push(KeystoreSetup::new(&report.remembered), Msg::Opened);
                }
                Ok(_) => return Step::push(Unlock::new(), Msg::Opened),
                Err(failure) => self.failure = Some(failure),
            },
            Msg::Opened(Some(())) => return self.submit(),
            Msg::Opened(None) => self.form.notice("not saved yet: ctrl-s asks again"),
        }
        Step::none()
    }

    fn key(&mut self, key: KeyEvent) -> Said<Ask> {
        self.failure = None;
        self.form.key(key)
    }
}

impl Default for SecretForm {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen for SecretForm {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Name;

    const NAME: &'static str = "secret-form";
    const KEYS: &'static [Bind<Self>] = &[Bind::new(&["ctrl-o"], Command::Policy, "policy…")];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn start(&mut self) -> Step<Self> {
        let name = self.replaces.as_ref().map(Name::to_string);
        name.map_or_else(Step::none, |name| {
            Step::run(Effect::latest("read", GetSecret { name }, Msg::Read))
        })
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Policy) => return Step::open(PolicyForm::new()),
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => self.key(key),
            Event::Paste(text) => self.paste(&Zeroizing::new(text)),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Tick(now) => {
                self.form.tick(now);
                Said::Nothing
            }
            Event::Msg(msg) => return self.hear(msg),
            Event::Resize(_) | Event::Focus(_) => Said::Nothing,
        };
        match said {
            Said::Changed(Ask::Id | Ask::Secret | Ask::Token) => self.remark(),
            Said::Left(field) => self.check(field),
            Said::Lines(..) => self.form.refuse_lines(),
            Said::Submit => return self.submit(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let Some(failure) = &self.failure else {
            return self.form.view(frame, inner, theme);
        };
        let said = failure_view::lines(failure, usize::from(inner.width), theme).len();
        let form = usize::from(inner.height).saturating_sub(said + 1);
        let above = Rect { height: cells(form), ..inner };
        self.form.view(frame, above, theme);
        failure_view::view(frame, rows_below(inner, form + 1), theme, failure);
    }

    fn title(&self) -> String {
        self.replaces
            .as_ref()
            .map_or_else(|| "New secret".to_owned(), |name| format!("Secret {name}: other values"))
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
