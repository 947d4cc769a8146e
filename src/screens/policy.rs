//! The smallest RAM policy: of a store, with what its check proved, or of a bucket and prefix for
//! which there is no key yet.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::doctor::permissions;
use crate::model::bucket::BucketName;
use crate::model::permission::{Action, Grant};
use crate::model::store::ArtifactStore;
use crate::ops::world::World;
use crate::tui::keymap::{Bind, FormMove, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::lines::Lines;
use crate::tui::widget::split::pane;
use crate::tui::widget::text::wrap;

/// Where the policy goes.
const ADVICE: &str = "In the RAM console: Policies, Create Policy, JSON; then grant it to the RAM \
    user whose key this is.";

/// A policy to read and to copy.
#[derive(Debug)]
pub struct PolicyScreen {
    title: String,
    text: String,
    rights: BTreeMap<Action, Grant>,
    lines: Lines,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Copy,
    Move(Move),
}

impl PolicyScreen {
    /// The policy of `store`, and what was seen of the rights of its key.
    pub fn of_store(store: &ArtifactStore, rights: BTreeMap<Action, Grant>) -> Self {
        let title = format!("RAM policy for {}", store.name);
        Self { rights, ..Self::new(title, &permissions::policy_of(store)) }
    }

    /// The policy of a bucket below `prefix`.
    pub fn of_bucket(bucket: &BucketName, prefix: &str) -> Self {
        Self::new(format!("RAM policy for {bucket}"), &permissions::policy(bucket, prefix))
    }

    fn new(title: String, policy: &serde_json::Value) -> Self {
        let (rights, lines) = (BTreeMap::new(), Lines::default());
        Self { title, text: format!("{policy:#}"), rights, lines }
    }

    fn rows(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut rows = Vec::new();
        if !self.rights.is_empty() {
            rows.push(Line::styled(" What the check saw of this key's rights", theme.title()));
        }
        for (action, grant) in &self.rights {
            let tone = match grant {
                Grant::Worked => Tone::Good,
                Grant::Denied if action.is_needed_by_zenml() => Tone::Bad,
                Grant::Denied => Tone::Warning,
            };
            let need = if action.is_needed_by_zenml() { "" } else { ", not needed by ZenML" };
            rows.push(Line::from(vec![
                Span::styled(format!(" {} ", theme.sign(tone)), theme.tone(tone)),
                Span::raw(format!("{:24} ", action.as_str())),
                Span::styled(format!("{}{need}", grant.as_str()), theme.muted()),
            ]));
        }
        if !self.rights.is_empty() {
            rows.push(Line::default());
            rows.push(Line::styled(" The smallest policy that ZenML works with", theme.title()));
        }
        rows.extend(self.text.lines().map(|line| Line::raw(format!(" {line}"))));
        rows.push(Line::default());
        let advice = wrap(ADVICE, room.saturating_sub(2)).into_iter();
        rows.extend(advice.map(|text| Line::styled(format!(" {text}"), theme.muted())));
        rows
    }
}

impl Screen for PolicyScreen {
    type World = World;
    type Command = Command;
    type Msg = ();
    type Answer = ();

    const NAME: &'static str = "policy";
    const KEYS: &'static [Bind<Self>] = &[Bind::new(&["y"], Command::Copy, "copy policy")];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Copy) => Step::copy_text(&self.text),
            Event::Command(Command::Move(to)) => {
                self.lines.act(to);
                Step::none()
            }
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title, true);
        let rows = self.rows(usize::from(inner.width), theme);
        self.lines.view(frame, inner, theme, rows);
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

/// Asks for a bucket and a prefix, and shows the policy that a key for them takes.
#[derive(Debug)]
pub struct PolicyForm {
    form: Form<Ask>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Bucket,
    Prefix,
}

impl PolicyForm {
    /// Nothing typed yet.
    pub fn new() -> Self {
        let form = Form::new([
            Field::text(Ask::Bucket, "Bucket").required().help("the bucket that the key is for"),
            Field::text(Ask::Prefix, "Prefix")
                .help("for example zenml: the key then reaches nothing else; may be empty"),
        ]);
        Self { form }
    }

    fn show(&mut self) -> Step<Self> {
        match BucketName::parse(self.form.text(Ask::Bucket)) {
            Ok(bucket) => {
                let policy = PolicyScreen::of_bucket(&bucket, self.form.text(Ask::Prefix).trim());
                Step::open(policy)
            }
            Err(error) => {
                self.form.set_errors([(Ask::Bucket, error.to_string())]);
                Step::none()
            }
        }
    }
}

impl Default for PolicyForm {
    fn default() -> Self {
        Self::new()
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormCommand {
    /// Move in the form, or hand it in.
    Form(FormMove),
}

impl Screen for PolicyForm {
    type World = World;
    type Command = FormCommand;
    type Msg = ();
    type Answer = ();

    const NAME: &'static str = "policy-form";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["ctrl-o"], FormCommand::Form(FormMove::Submit), "show policy…")];
    const MOVES: Moves<FormCommand> = Moves::Form(FormCommand::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(FormCommand::Form(to)) => self.form.act(to),
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&text),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            _ => return Step::none(),
        };
        match said {
            Said::Submit => return self.show(),
            Said::Lines(..) => self.form.refuse_lines(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        self.form.view(frame, inner, theme);
    }

    fn title(&self) -> String {
        "What a key may do: RAM policy".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(72, 8))
    }
}
