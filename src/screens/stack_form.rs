//! The composer: a stack out of an artifact store, an orchestrator and further components.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::catalog::Catalog;
use crate::model::component::{Component, ComponentType};
use crate::model::field::FieldError;
use crate::model::flavor::Flavors;
use crate::model::name::Name;
use crate::model::requirement::{self, Described, Weight};
use crate::model::stack::{Stack, StackDraft};
use crate::model::store::ArtifactStore;
use crate::ops::components::{LookForTypes, Types};
use crate::ops::failure::Failure;
use crate::ops::stacks::SaveStack;
use crate::ops::stores::LoadCatalog;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::pane;

use super::component_picker::ComponentPicker;
use super::failure_view::settled;
use super::pick_list::PickList;

/// What a component that the catalog does not describe means.
const OF_ZENML: &str = "a name the catalog does not describe means the one ZenML has";

/// The form; its answer is the name under which the stack was saved.
#[derive(Debug)]
pub struct StackForm {
    form: Form<Slot>,
    /// The stack as it was opened, where an existing one is edited.
    replaces: Option<Box<Stack>>,
    zenml: String,
    /// What stacks can be composed of.
    stores: Vec<ArtifactStore>,
    components: Vec<Component>,
    /// What they are judged by: the table, until a server told its own.
    flavors: Flavors,
    /// The types that are asked for: of ZenML 0.98, until the server told its own.
    kinds: Vec<ComponentType>,
    saving: bool,
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The stack's name.
    Name,
    /// Names of components of this type.
    Component(ComponentType),
    /// Whether changes ask for the typed name.
    Protected,
    /// Whether ZenML hears of it only after a check.
    RequireCheck,
}

impl Slot {
    /// The slot of a field of [`StackDraft`].
    fn of(field: &str) -> Self {
        // any other word is a type, of whichever ZenML
        let kind = Some(field).filter(|field| *field != "name").and_then(ComponentType::parse);
        kind.map_or(Self::Name, Self::Component)
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Move in the form, or hand it in.
    Form(FormMove),
    /// List the components of the focused type.
    Choose,
}

/// What the screen is told.
#[derive(Debug)]
pub enum Msg {
    /// A store was picked.
    StorePicked(String),
    /// A component of this type was picked or made.
    ComponentPicked(ComponentType, Name),
    /// What types of components and flavors the ZenML has.
    TypesTold(Outcome<Result<Types, Failure>>),
    /// The catalog is read anew: a component may have been made or changed.
    Reloaded(Outcome<Result<Catalog, Failure>>),
    /// The stack is in the catalog, or not.
    Saved(Outcome<Result<Name, Failure>>),
}

impl StackForm {
    /// A new stack: the only store of the catalog and ZenML's own orchestrator to begin with.
    pub fn new(catalog: &Catalog) -> Self {
        let mut draft = StackDraft::default();
        if let [only] = catalog.stores() {
            draft.components.insert(ComponentType::ArtifactStore, vec![only.name.to_string()]);
        }
        draft.components.insert(ComponentType::Orchestrator, vec!["default".into()]);
        Self::of(catalog, &draft, None)
    }

    /// The stack as it is, to be changed.
    pub fn edit(catalog: &Catalog, stack: &Stack) -> Self {
        Self::of(catalog, &StackDraft::from(stack), Some(Box::new(stack.clone())))
    }

    fn of(catalog: &Catalog, draft: &StackDraft, replaces: Option<Box<Stack>>) -> Self {
        let components = catalog.components().to_vec();
        let kinds = kinds(&ComponentType::ALL, draft);
        let mut form = Self {
            form: Form::new(fields(draft, &kinds, &components)),
            replaces,
            zenml: draft.zenml.clone(),
            stores: catalog.stores().to_vec(),
            components,
            flavors: Flavors::default(),
            kinds,
            saving: false,
        };
        form.remark();
        form
    }

    /// Says under each type what the stack lacks or does not stand there. It refuses nothing: the
    /// catalog may name what only ZenML has.
    fn remark(&mut self) {
        let draft = self.draft();
        let chosen = draft.components.iter();
        let chosen = chosen.flat_map(|(kind, all)| all.iter().map(|name| (*kind, name.as_str())));
        let described = Described {
            components: &self.components,
            stores: &self.stores,
            flavors: &self.flavors,
        };
        let needs = requirement::judge(chosen, described);
        for kind in self.kinds.iter().copied() {
            let mine = needs.iter().filter(|need| need.at == kind && need.weight > Weight::Note);
            let said: Vec<&str> = mine.map(|need| need.message.as_str()).collect();
            let said = said.join(" ");
            let remark = (!said.is_empty()).then_some(said.as_str());
            self.form.set_remark(Slot::Component(kind), remark);
        }
    }

    /// The type of the focused field, where components of the catalog can be in it.
    fn focused_kind(&self) -> Option<ComponentType> {
        match self.form.focused() {
            Some(Slot::Component(kind)) => {
                Some(kind).filter(|kind| *kind != ComponentType::ArtifactStore)
            }
            _ => None,
        }
    }

    fn connection(&self) -> Option<String> {
        Some(self.zenml.clone()).filter(|name| !name.is_empty())
    }

    fn look_for_types(&self) -> Step<Self> {
        let look = LookForTypes { connection: self.connection() };
        Step::run(Effect::latest("types", look, Msg::TypesTold))
    }

    fn can_choose(&self) -> bool {
        self.focused_kind().is_some()
    }

    fn choose(&self) -> Step<Self> {
        let Some(kind) = self.focused_kind() else { return Step::none() };
        Step::ask(ComponentPicker::new(kind, self.connection()), move |name| {
            Msg::ComponentPicked(kind, name)
        })
    }

    fn component_picked(&mut self, kind: ComponentType, name: &Name) {
        let slot = Slot::Component(kind);
        let mut names = self.draft().components.remove(&kind).unwrap_or_default();
        if !kind.allows_many() {
            names.clear();
        }
        if names.iter().all(|other| other != name.as_str()) {
            names.push(name.to_string());
        }
        self.form.set_text(slot, &names.join(", "));
        self.form.mark_dirty();
    }

    fn draft(&self) -> StackDraft {
        let names = |kind: ComponentType| -> Vec<String> {
            let text = self.form.text(Slot::Component(kind));
            let names = text.split([',', '，']).map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect()
        };
        StackDraft {
            name: self.form.text(Slot::Name).to_owned(),
            components: self
                .kinds
                .iter()
                .copied()
                .map(|kind| (kind, names(kind)))
                .filter(|(_, names)| !names.is_empty())
                .collect(),
            zenml: self.zenml.clone(),
            protected: self.form.is_on(Slot::Protected),
            require_check: self.form.is_on(Slot::RequireCheck),
        }
    }

    /// Asks for the types that ZenML has; what is entered stays, and where one is.
    fn ask_for(&mut self, there: &[ComponentType]) {
        let draft = self.draft();
        let kinds = kinds(there, &draft);
        if kinds == self.kinds {
            return;
        }
        let (focused, is_dirty) = (self.form.focused(), self.form.is_dirty());
        self.form = Form::new(fields(&draft, &kinds, &self.components));
        self.kinds = kinds;
        if let Some(slot) = focused {
            self.form.focus(slot);
        }
        if is_dirty {
            self.form.mark_dirty();
        }
    }

    fn set_errors(&mut self, errors: Vec<FieldError>) {
        self.form.set_errors(errors.into_iter().map(|e| (Slot::of(e.field), e.message)));
    }

    fn react(&mut self, said: &Said<Slot>) -> Step<Self> {
        match said {
            Said::Open(Slot::Component(ComponentType::ArtifactStore)) => {
                let names = self.stores.iter().map(|store| store.name.to_string()).collect();
                let list = PickList::new("Artifact store", names)
                    .empty("the catalog has none: make one in tab 2, or type a name here");
                return Step::ask(list, Msg::StorePicked);
            }
            Said::Left(slot) => {
                let errors = self.draft().validate().err().unwrap_or_default();
                let own = errors.into_iter().find(|error| Slot::of(error.field) == *slot);
                self.form.set_error(*slot, own.map(|error| error.message));
            }
            Said::Lines(..) => self.form.refuse_lines(),
            Said::Changed(Slot::Component(_)) => self.remark(),
            Said::Submit if !self.saving => match self.draft().validate() {
                Ok(_) => {
                    self.saving = true;
                    let job = SaveStack { draft: self.draft(), replaces: self.replaces.clone() };
                    return Step::run(Effect::exclusive("catalog", job, Msg::Saved));
                }
                Err(errors) => self.set_errors(errors),
            },
            _ => {}
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::StorePicked(name) => {
                let slot = Slot::Component(ComponentType::ArtifactStore);
                self.form.set_text(slot, &name);
                self.form.mark_dirty();
                self.remark();
                let _moved = self.form.act(FormMove::Next);
                Step::none()
            }
            Msg::ComponentPicked(kind, name) => {
                self.component_picked(kind, &name);
                // and its flavors may be of a type that nobody asked for before
                let read = Effect::latest("read", LoadCatalog, Msg::Reloaded);
                self.look_for_types().and(read)
            }
            Msg::TypesTold(outcome) => {
                // why there is no answer whoever chooses a component is told
                if let Ok(there) = settled(outcome) {
                    self.flavors = there.flavors;
                    self.ask_for(&there.kinds);
                    self.remark();
                }
                Step::none()
            }
            Msg::Reloaded(outcome) => {
                // what was read before still serves, where it cannot be read anew
                if let Ok(catalog) = settled(outcome) {
                    self.stores = catalog.stores().to_vec();
                    self.components = catalog.components().to_vec();
                    for kind in self.kinds.iter().copied() {
                        let help = help(&self.components, kind);
                        self.form.set_help(Slot::Component(kind), &help);
                    }
                }
                self.remark();
                Step::none()
            }
            Msg::Saved(outcome) => {
                self.saving = false;
                match settled(outcome) {
                    Ok(name) => {
                        self.form.mark_saved();
                        Step::answer(name)
                    }
                    Err(failure) if failure.fields.is_empty() => {
                        let said = failure.to_string();
                        self.form.set_errors([(Slot::Name, said)]);
                        Step::none()
                    }
                    Err(failure) => {
                        self.set_errors(failure.fields);
                        Step::none()
                    }
                }
            }
        }
    }
}

/// The types to be asked for: those that ZenML has, and those that the stack has already.
fn kinds(there: &[ComponentType], draft: &StackDraft) -> Vec<ComponentType> {
    let mandatory = ComponentType::ALL.into_iter().filter(|kind| kind.is_mandatory());
    let all = there.iter().chain(draft.components.keys()).copied().chain(mandatory);
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

fn fields(
    draft: &StackDraft,
    kinds: &[ComponentType],
    components: &[Component],
) -> Vec<Field<Slot>> {
    let given = |kind: ComponentType| {
        draft.components.get(&kind).map(|names| names.join(", ")).unwrap_or_default()
    };
    let mut has_section = false;
    let mut fields = vec![
        Field::text(Slot::Name, "Name")
            .required()
            .value(&draft.name)
            .help("the stack's name, here and in ZenML"),
    ];
    for kind in kinds.iter().copied() {
        if kind >= ComponentType::ImageBuilder && !std::mem::replace(&mut has_section, true) {
            // the two mandatory ones and the registry stand open, the rest is folded away
            let open = kinds.iter().any(|other| *other >= kind && !given(*other).is_empty());
            fields.push(Field::section("Further components", open));
        }
        let slot = Slot::Component(kind);
        let label = kind.label();
        let mut field = match kind {
            ComponentType::ArtifactStore => Field::pick(slot, &label, "enter chooses"),
            _ => Field::text(slot, &label),
        };
        if kind.is_mandatory() {
            field = field.required();
        }
        fields.push(field.value(&given(kind)).help(&help(components, kind)));
    }
    fields.push(
        Field::toggle(Slot::Protected, "Protected")
            .on(draft.protected)
            .help("changes and deletion ask for the typed name"),
    );
    fields.push(
        Field::toggle(Slot::RequireCheck, "require check")
            .on(draft.require_check)
            .help("ZenML hears of it only after a check of its store has passed"),
    );
    fields
}

/// What the catalog offers for a type, and the rule for the rest.
fn help(components: &[Component], kind: ComponentType) -> String {
    if kind == ComponentType::ArtifactStore {
        return "where artifacts lie: one store of tab 2".into();
    }
    let described: Vec<&str> = components
        .iter()
        .filter(|component| component.kind == kind)
        .map(|component| component.name.as_str())
        .collect();
    let many = if kind.allows_many() { "; several with commas" } else { "" };
    if described.is_empty() {
        format!("{OF_ZENML}{many}")
    } else {
        format!("described: {}{many}", described.join(", "))
    }
}

impl Screen for StackForm {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Name;

    const NAME: &'static str = "stack-form";
    const KEYS: &'static [Bind<Self>] =
        &[Bind::new(&["ctrl-o"], Command::Choose, "choose, make…").when(Self::can_choose)];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn start(&mut self) -> Step<Self> {
        self.look_for_types()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Choose) => return self.choose(),
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&text),
            Event::Mouse(mouse) => {
                let at = ratatui::layout::Position::new(mouse.column, mouse.row);
                match mouse.kind {
                    crossterm::event::MouseEventKind::Down(_) => self.form.click(at),
                    _ => return Step::none(),
                }
            }
            Event::Msg(msg) => return self.hear(msg),
            _ => return Step::none(),
        };
        self.react(&said)
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title(), true);
        self.form.view(frame, inner, theme);
    }

    fn title(&self) -> String {
        self.replaces.as_ref().map_or("New stack".into(), |stack| format!("Edit {}", stack.name))
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn is_dirty(&self) -> bool {
        self.form.is_dirty()
    }
}
