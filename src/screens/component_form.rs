//! The form of a component, made of what its flavor can be told.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::model::component::{Component, ComponentDraft, ComponentProblems, ComponentType};
use crate::model::flavor::{Field as Setting, Flavor, Flavors, Kind, is_reference};
use crate::model::name::Name;
use crate::ops::components::SaveComponent;
use crate::ops::failure::Failure;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::pane;
use crate::tui::widget::text::{cells, rows_below};

use super::failure_view::{self, settled};
use super::pick_list::PickList;

/// Asks for a component of one type and writes it to the catalog; the answer is its name.
#[derive(Debug)]
pub struct ComponentForm {
    form: Form<Ask>,
    /// What is entered; its settings follow the form when it is handed in.
    draft: ComponentDraft,
    /// The flavors to choose from and to go by.
    flavors: Flavors,
    /// The component as it was opened, where an existing one is edited.
    replaces: Option<Box<Component>>,
    failure: Option<Failure>,
    saving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Name,
    Flavor,
    /// The setting at this place of the flavor's schema.
    Setting(usize),
    /// All settings as one JSON object, of a flavor that nothing is known of.
    Json,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Move in the form, or hand it in.
    Form(FormMove),
}

/// What the form is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    FlavorPicked(String),
    Saved(Outcome<Result<Name, Failure>>),
}

impl ComponentForm {
    /// A new component of `kind`, of one of `flavors`.
    pub fn new(kind: ComponentType, flavors: Flavors) -> Self {
        let mut draft = ComponentDraft::new(kind);
        let mut offered = flavors.of(kind);
        if let (Some(only), None) = (offered.next(), offered.next()) {
            draft.flavor.clone_from(&only.name);
        }
        drop(offered);
        Self::of(draft, flavors, None)
    }

    /// Other settings for `component`.
    pub fn edit(component: &Component, flavors: Flavors) -> Self {
        Self::of(ComponentDraft::from(component), flavors, Some(Box::new(component.clone())))
    }

    fn of(draft: ComponentDraft, flavors: Flavors, replaces: Option<Box<Component>>) -> Self {
        let form = Form::new(fields(&draft, &flavors));
        Self { form, draft, flavors, replaces, failure: None, saving: false }
    }

    fn flavor(&self) -> Option<&Flavor> {
        self.draft.known_flavor(&self.flavors)
    }

    /// The setting of a field.
    fn setting(&self, ask: Ask) -> Option<&Setting> {
        match ask {
            Ask::Setting(at) => self.flavor()?.schema.fields.get(at),
            Ask::Name | Ask::Flavor | Ask::Json => None,
        }
    }

    /// What the field of a setting says, as one types it; empty where it is not given.
    fn text(&self, ask: Ask, setting: &Setting) -> String {
        let words = words(setting);
        if words.is_empty() {
            return self.form.text(ask).trim().to_owned();
        }
        // the first option stands for none
        let chosen = self.form.chosen(ask).checked_sub(1);
        chosen.and_then(|at| words.get(at)).cloned().unwrap_or_default()
    }

    /// The draft that the form says, and what could not be read of it.
    fn read(&self) -> (ComponentDraft, Vec<(Ask, String)>) {
        let mut draft = self.draft.clone();
        self.form.text(Ask::Name).clone_into(&mut draft.name);
        let mut errors = Vec::new();
        match self.flavor() {
            Some(flavor) => {
                for (at, setting) in flavor.schema.fields.iter().enumerate() {
                    let text = self.text(Ask::Setting(at), setting);
                    // what was left alone stays what it is, `4` a text and 4 a number
                    if text != draft.shown(&setting.name)
                        && let Err(error) = draft.set(Some(&flavor.schema), &setting.name, &text)
                    {
                        errors.push((Ask::Setting(at), error.message));
                    }
                }
            }
            None => match serde_json::from_str(self.json()) {
                Ok(serde_json::Value::Object(settings)) => draft.configuration = settings,
                _ => errors.push((Ask::Json, "write an object as JSON: {\"name\": …}".to_owned())),
            },
        }
        (draft, errors)
    }

    fn json(&self) -> &str {
        let text = self.form.text(Ask::Json).trim();
        if text.is_empty() { "{}" } else { text }
    }

    /// Where a problem of the draft belongs.
    fn place(&self, problems: ComponentProblems) -> Vec<(Ask, String)> {
        let fields = problems.fields.into_iter().map(|problem| match problem.field {
            "name" => (Ask::Name, problem.message),
            _ => (Ask::Flavor, problem.message),
        });
        let settings = problems.settings.into_iter().map(|problem| {
            let all = self.flavor().map(|flavor| flavor.schema.fields.as_slice());
            let at = all.unwrap_or_default().iter().position(|it| it.name == problem.setting);
            match at {
                Some(at) => (Ask::Setting(at), problem.message),
                // one that the file has and the flavor has not: it has no field
                None => (Ask::Flavor, problem.to_string()),
            }
        });
        fields.chain(settings).collect()
    }

    /// All that is wrong, under its fields.
    fn problems(&self) -> Vec<(Ask, String)> {
        let (draft, mut errors) = self.read();
        let wrong = draft.validate(&self.flavors, self.replaces.as_deref()).err();
        let more = wrong.map(|problems| self.place(problems));
        for (ask, message) in more.unwrap_or_default() {
            if errors.iter().all(|(other, _)| *other != ask) {
                errors.push((ask, message));
            }
        }
        errors
    }

    /// The error of one field that holds something, for when the focus leaves it.
    fn check(&mut self, ask: Ask) {
        let filled = !self.form.text(ask).trim().is_empty();
        let found = self.problems().into_iter().find(|(at, _)| *at == ask);
        self.form.set_error(ask, found.filter(|_| filled).map(|(_, message)| message));
    }

    fn save(&mut self) -> Step<Self> {
        if self.saving {
            return Step::none();
        }
        let problems = self.problems();
        let fine = problems.is_empty();
        self.form.set_errors(problems);
        if !fine {
            return Step::none();
        }
        self.failure = None;
        self.saving = true;
        let (draft, _) = self.read();
        let (replaces, flavors) = (self.replaces.clone(), self.flavors.clone());
        let job = SaveComponent { draft, replaces, flavors };
        Step::run(Effect::exclusive("catalog", job, Msg::Saved))
    }

    /// Asks other questions; what both flavors know stays.
    fn take_flavor(&mut self, name: String) {
        let (mut draft, _) = self.read();
        draft.flavor = name;
        if let Some(flavor) = draft.known_flavor(&self.flavors) {
            draft.configuration.retain(|setting, _| flavor.schema.field(setting).is_some());
        }
        self.form = Form::new(fields(&draft, &self.flavors));
        self.draft = draft;
        self.form.mark_dirty();
        self.form.focus(Ask::Flavor);
        let _moved = self.form.act(FormMove::Next);
    }

    fn pick_flavor(&self) -> Step<Self> {
        let names = self.flavors.of(self.draft.kind).map(|flavor| flavor.name.clone());
        let list = PickList::new(format!("Flavor of {}", self.draft.kind.one()), names.collect());
        Step::ask(list, Msg::FlavorPicked)
    }

    /// A key does not stay in a field that everybody can read.
    fn refuse_key(&mut self, pasted: &str) {
        let Some(ask) = self.form.focused() else { return };
        let Some(setting) = self.setting(ask).filter(|setting| setting.sensitive) else { return };
        if !is_reference(pasted.trim()) {
            let said = setting.parse(pasted).err();
            self.form.set_text(ask, "");
            self.form.set_error(ask, said);
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::FlavorPicked(name) => self.take_flavor(name),
            Msg::Saved(outcome) => {
                self.saving = false;
                match settled(outcome) {
                    Ok(name) => {
                        self.form.mark_saved();
                        let said =
                            format!("the {} {name} is in the catalog", self.draft.kind.label());
                        return Step::answer(name).then(Step::toast(Tone::Good, &said));
                    }
                    Err(failure) => self.failure = Some(failure),
                }
            }
        }
        Step::none()
    }
}

/// The questions: name, flavor, what the flavor must be told, and the rest folded away.
fn fields(draft: &ComponentDraft, flavors: &Flavors) -> Vec<Field<Ask>> {
    let known = draft.known_flavor(flavors);
    let mut flavor = Field::pick(Ask::Flavor, "Flavor", "enter chooses").required();
    if !draft.flavor.is_empty() {
        flavor = flavor.value(&draft.flavor);
    }
    if let Some(known) = known {
        let lacks = flavors.lacks(draft.kind, &known.name);
        let help = about(known);
        flavor = if lacks {
            flavor.help(&format!("{help}; your ZenML has no such flavor"))
        } else {
            flavor.help(&help)
        };
    }
    let name = Field::text(Ask::Name, "Name").required().value(&draft.name);
    let mut out = vec![name.help("its name, here and in ZenML"), flavor];
    let Some(known) = known else {
        if !draft.flavor.is_empty() {
            let json = serde_json::Value::Object(draft.configuration.clone()).to_string();
            let field = Field::text(Ask::Json, "Settings").value(&json);
            out.push(field.help("all of them as one JSON object: nothing is known of the flavor"));
        }
        return out;
    };
    let asked = known.validator.iter().flat_map(|validator| validator.one_of.iter().flatten());
    let asked: Vec<&String> = asked.collect();
    let is_open = |setting: &Setting| setting.required || asked.contains(&&setting.name);
    let given = |setting: &Setting| draft.configuration.contains_key(&setting.name);
    let all = known.schema.fields.iter().enumerate();
    let shown = all.filter(|(_, setting)| !setting.deprecated || given(setting));
    let (open, folded): (Vec<_>, Vec<_>) = shown.partition(|(_, setting)| is_open(setting));
    out.extend(open.into_iter().map(|(at, setting)| field(at, setting, draft)));
    if !folded.is_empty() {
        let unfold = folded.iter().any(|(_, setting)| given(setting));
        out.push(Field::section("Further settings", unfold));
        out.extend(folded.into_iter().map(|(at, setting)| field(at, setting, draft)));
    }
    out
}

/// What is to be known of the flavor before its settings.
fn about(flavor: &Flavor) -> String {
    let needs = flavor.validator.iter().flat_map(|validator| &validator.needs);
    let needs: Vec<String> = needs.map(|kind| kind.one()).collect();
    let integration = match flavor.integration.as_str() {
        "built-in" | "custom" => String::new(),
        name => format!("; zenml integration install {name}"),
    };
    if needs.is_empty() {
        format!("{}{integration}", flavor.title)
    } else {
        format!("{}: its stack needs {}{integration}", flavor.title, needs.join(" and "))
    }
}

fn field(at: usize, setting: &Setting, draft: &ComponentDraft) -> Field<Ask> {
    let ask = Ask::Setting(at);
    let shown = draft.shown(&setting.name);
    let words = words(setting);
    let label = setting.name.replace('_', " ");
    let mut field = if words.is_empty() {
        Field::text(ask, &label).value(&shown)
    } else {
        let none = match &setting.default {
            Some(default) => format!("default ({})", Setting::shown(default)),
            None => "not given".to_owned(),
        };
        let chosen = words.iter().position(|word| *word == shown).map_or(0, |at| at + 1);
        Field::choice(ask, &label, std::iter::once(none).chain(words)).chosen(chosen)
    };
    if setting.required {
        field = field.required();
    }
    field.help(&setting.hint())
}

/// The words that a setting may be, where they are counted.
fn words(setting: &Setting) -> Vec<String> {
    if setting.kinds == [Kind::Boolean] {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    setting.choices.clone()
}

impl Screen for ComponentForm {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Name;

    const NAME: &'static str = "component-form";
    const KEYS: &'static [Bind<Self>] = &[];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => {
                self.failure = None;
                self.form.key(key)
            }
            Event::Paste(text) => {
                let said = self.form.paste(&text);
                self.refuse_key(&text);
                said
            }
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Msg(msg) => return self.hear(msg),
            Event::Resize(_) | Event::Focus(_) | Event::Tick(_) => Said::Nothing,
        };
        match said {
            Said::Open(_) => return self.pick_flavor(),
            Said::Left(ask) => self.check(ask),
            Said::Lines(..) => self.form.refuse_lines(),
            Said::Submit => return self.save(),
            Said::Changed(_) | Said::Nothing => {}
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
        self.form.view(frame, Rect { height: cells(form), ..inner }, theme);
        failure_view::view(frame, rows_below(inner, form + 1), theme, failure);
    }

    fn title(&self) -> String {
        let label = self.draft.kind.label();
        self.replaces
            .as_ref()
            .map_or_else(|| format!("New {label}"), |it| format!("Edit {label} {}", it.name))
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn is_dirty(&self) -> bool {
        self.form.is_dirty()
    }
}
