//! The form of an artifact store, beside it what ZenML will get.

mod endpoint_fields;
mod side_panel;

use std::cell::Cell;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use self::endpoint_fields::EndpointFields;
use self::side_panel::Preview;
use crate::base::visible::visible;
use crate::doctor::fix;
use crate::model::field::FieldError;
use crate::model::name::Name;
use crate::model::region::{self, Region};
use crate::model::store::{ArtifactStore, Extras, RegionId, Signature, StoreDraft};
use crate::ops::check::Subject;
use crate::ops::failure::Failure;
use crate::ops::stores::{SaveStore, SavedStore};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, FormMove, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::{pane, panes};
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};
use crate::tui::widget::text_view::TextView;

use super::bucket_picker::{BucketPicker, Chosen};
use super::check::CheckScreen;
use super::explain;
use super::failure_view::{self, settled};
use super::region_picker::RegionPicker;
use super::secret_picker::SecretPicker;

/// From this width on the form and what ZenML gets stand side by side.
const WIDE: u16 = 110;
const SIGNATURES: [Signature; 2] = [Signature::V2, Signature::V4];

/// Asks for an artifact store and writes it to the catalog; the answer is its name. The network
/// is touched only by a test or a list of buckets.
#[derive(Debug)]
pub struct StoreForm {
    form: Form<Ask>,
    endpoint: EndpointFields<Ask>,
    access: EndpointFields<Ask>,
    /// The store as it was loaded, where it is edited.
    replaces: Option<Box<ArtifactStore>>,
    /// What the form does not show, kept as it is.
    extras: Extras,
    panel: TextView,
    short: String,
    /// Where there is little room: the panel stands in place of the form.
    panel_open: bool,
    /// Whether it does so now; only drawing knows the room.
    panel_alone: Cell<bool>,
    failure: Option<Failure>,
    saving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Name,
    Secret,
    Region,
    Endpoint,
    EndpointUrl,
    EndpointDomain,
    Bucket,
    Prefix,
    Signature,
    Residency,
    Access,
    AccessUrl,
    AccessDomain,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Form(FormMove),
    Test,
    ChooseBucket,
    Mend,
    Panel,
    Scroll(Move),
}

/// What the form is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    SecretPicked(Option<Name>),
    RegionPicked(Option<&'static Region>),
    BucketPicked(Option<Chosen>),
    Saved(Outcome<Result<SavedStore, Failure>>),
    Mended(Box<StoreDraft>),
}

impl StoreForm {
    /// A new store.
    pub fn new() -> Self {
        Self::of(&StoreDraft::default(), None)
    }

    /// Other settings for `store`.
    pub fn edit(store: &ArtifactStore) -> Self {
        Self::of(&StoreDraft::from(store), Some(Box::new(store.clone())))
    }

    fn of(draft: &StoreDraft, replaces: Option<Box<ArtifactStore>>) -> Self {
        let endpoint =
            EndpointFields::new(Ask::Endpoint, Ask::EndpointUrl, Ask::EndpointDomain, false);
        let access = EndpointFields::new(Ask::Access, Ask::AccessUrl, Ask::AccessDomain, true);
        let signature = SIGNATURES.iter().position(|other| *other == draft.signature);
        let mut fields = vec![
            Field::text(Ask::Name, "Name")
                .required()
                .value(&draft.name)
                .help("for example alibaba_store: the name here and in ZenML"),
            Field::pick(Ask::Secret, "Secret", "choose or make one")
                .required()
                .help("the access key that the store signs with"),
            Field::pick(Ask::Region, "Region", "choose").help("where the bucket lies"),
        ];
        fields.extend(endpoint.fields("Endpoint"));
        fields.extend([
            Field::text(Ask::Bucket, "Bucket")
                .required()
                .value(&draft.bucket)
                .help("type it, or ctrl-b for the list of the secret's buckets"),
            Field::text(Ask::Prefix, "Prefix")
                .value(&draft.prefix)
                .help("keys begin with it, for example zenml; may be empty"),
            Field::choice(Ask::Signature, "Signature", SIGNATURES.map(|s| s.to_string()))
                .chosen(signature.unwrap_or(0))
                .help("S3 V2 is what ZenML's page for OSS asks for; S3 V4 needs the region"),
            Field::text(Ask::Residency, "Residency")
                .value(&draft.residency)
                .help("where the data may lie: EU, UK, DE, asia-pacific, …; empty: anywhere"),
            Field::section("How this machine reaches the bucket", !draft.access.is_empty()),
        ]);
        fields.extend(access.fields("Access"));
        let mut this = Self {
            form: Form::new(fields),
            endpoint,
            access,
            replaces,
            extras: draft.extras.clone(),
            panel: TextView::default(),
            short: String::new(),
            panel_open: false,
            panel_alone: Cell::new(false),
            failure: None,
            saving: false,
        };
        this.form.set_text(Ask::Secret, &draft.secret);
        this.form.set_text(Ask::Region, &draft.region);
        this.offer_endpoints();
        this.endpoint.fill(&mut this.form, &draft.endpoint);
        this.access.fill(&mut this.form, &draft.access);
        this.refresh();
        this
    }

    fn draft(&self) -> StoreDraft {
        let text = |field| self.form.text(field).trim().to_owned();
        let signature = SIGNATURES.get(self.form.chosen(Ask::Signature)).copied();
        StoreDraft {
            name: text(Ask::Name),
            bucket: text(Ask::Bucket),
            prefix: text(Ask::Prefix),
            secret: text(Ask::Secret),
            region: text(Ask::Region),
            endpoint: self.endpoint.text(&self.form),
            access: self.access.text(&self.form),
            signature: signature.unwrap_or_default(),
            residency: text(Ask::Residency),
            extras: self.extras.clone(),
        }
    }

    /// Where an error of the draft belongs. Extras have no field: theirs stand under the
    /// signature, the one setting here that they can contradict.
    fn place(&self, problem: FieldError) -> (Ask, String) {
        match problem.field {
            "name" => (Ask::Name, problem.message),
            "secret" if self.form.text(Ask::Secret).is_empty() => {
                (Ask::Secret, "choose a secret, or make one: enter opens the list".to_owned())
            }
            "secret" => (Ask::Secret, problem.message),
            "region" => (Ask::Region, problem.message),
            "bucket" => (Ask::Bucket, problem.message),
            "prefix" => (Ask::Prefix, problem.message),
            "residency" => (Ask::Residency, problem.message),
            "endpoint" => self.endpoint.place(&self.form, problem.message),
            "access" => self.access.place(&self.form, problem.message),
            extra => (Ask::Signature, format!("{extra}: {}", problem.message)),
        }
    }

    fn problems(&self) -> Vec<(Ask, String)> {
        let problems = self.draft().validate().err().unwrap_or_default();
        problems.into_iter().map(|problem| self.place(problem)).collect()
    }

    /// The error of one field, for when the focus leaves it. One that was never filled keeps
    /// quiet until the form is handed in.
    fn check_field(&mut self, field: Ask) {
        let error = self.problems().into_iter().find(|(at, _)| *at == field);
        let filled = !self.form.text(field).trim().is_empty();
        self.form.set_error(field, error.filter(|_| filled).map(|(_, message)| message));
    }

    /// All errors under their fields. Answers whether there are none.
    fn is_fine(&mut self) -> bool {
        let problems = self.problems();
        let fine = problems.is_empty();
        self.form.set_errors(problems);
        // the errors stand under the fields: they must be in sight
        self.panel_open &= fine;
        fine
    }

    fn offer_endpoints(&mut self) {
        let region = region::find(self.form.text(Ask::Region));
        self.endpoint.offer(&mut self.form, region);
        self.access.offer(&mut self.form, region);
    }

    fn set_region(&mut self, region: &Region) {
        let id = RegionId::parse(&region.oss_id);
        self.form.set_text(Ask::Region, id.as_ref().map_or(&region.id, RegionId::as_str));
        self.offer_endpoints();
    }

    /// Brings the panel and the fields that depend on others up to what the form says.
    fn refresh(&mut self) {
        self.failure = None;
        let Preview { short, long } = side_panel::preview(&self.draft());
        self.short = short;
        if self.panel.text() != long {
            self.panel.set(long);
        }
    }

    fn changed(&mut self, field: Ask) {
        for fields in [&self.endpoint, &self.access] {
            if fields.holds(field) {
                fields.adapt(&mut self.form);
            }
        }
        self.refresh();
    }

    fn picked(&mut self, field: Ask) {
        self.form.set_error(field, None);
        self.form.mark_dirty();
        self.refresh();
    }

    fn save(&mut self) -> Step<Self> {
        if self.saving || !self.is_fine() {
            return Step::none();
        }
        self.failure = None;
        self.saving = true;
        let save = SaveStore { draft: self.draft(), replaces: self.replaces.clone() };
        Step::run(Effect::exclusive("catalog", save, Msg::Saved))
    }

    /// Opens the list of buckets, for which secret, region and endpoint are needed.
    fn choose_bucket(&mut self) -> Step<Self> {
        let others = [Ask::Name, Ask::Bucket, Ask::Prefix];
        let mut needed = self.problems();
        needed.retain(|(field, _)| !others.contains(field));
        if needed.is_empty() {
            return Step::push(BucketPicker::new(self.draft()), Msg::BucketPicked);
        }
        self.form.set_errors(needed);
        Step::toast(Tone::Neutral, "the list of buckets needs secret, region and endpoint first")
    }

    fn bucket_picked(&mut self, chosen: &Chosen) {
        self.form.set_text(Ask::Bucket, &chosen.bucket);
        self.form.focus(Ask::Bucket);
        let region = chosen.region.as_deref().and_then(region::find);
        let other = region.filter(|region| {
            region::find(self.form.text(Ask::Region)).is_none_or(|now| now.oss_id != region.oss_id)
        });
        if let Some(region) = other {
            self.set_region(region);
            self.form.notice(&format!("the bucket lies in {}: the region follows it", region.id));
        }
        self.picked(Ask::Bucket);
    }

    fn bucket_inside(&self) -> Option<(&EndpointFields<Ask>, String, String)> {
        [&self.endpoint, &self.access].into_iter().find_map(|fields| {
            let (bucket, endpoint) = fields.bucket_inside(&self.form)?;
            Some((fields, bucket, endpoint))
        })
    }

    /// Moves the bucket out of the endpoint into its own field.
    fn split_endpoint(&mut self) {
        let found = [&self.endpoint, &self.access].into_iter().find_map(|fields| {
            let (bucket, endpoint) = fields.bucket_inside(&self.form)?;
            fields.set_url(&mut self.form, &endpoint);
            Some(bucket)
        });
        if let Some(bucket) = found {
            self.form.set_text(Ask::Bucket, &bucket);
            self.form.notice(&format!("the bucket {} has its own field now", visible(&bucket)));
            self.picked(Ask::Bucket);
        }
    }

    fn can_be_mended(&self) -> bool {
        self.bucket_inside().is_some() || fix::slips(&self.draft()).is_some()
    }

    /// Writes what must have been meant in place of what was typed.
    fn mend_slips(&mut self) {
        let draft = self.draft();
        if let Some(fix) = fix::slips(&draft) {
            self.fill(&fix.applied_to(&draft));
            self.form.notice(fix.summary());
        }
    }

    /// Takes what a fix made of the draft.
    fn fill(&mut self, draft: &StoreDraft) {
        self.extras = draft.extras.clone();
        self.form.set_text(Ask::Bucket, &draft.bucket);
        self.form.set_text(Ask::Prefix, &draft.prefix);
        self.form.set_text(Ask::Region, &draft.region);
        let signature = SIGNATURES.iter().position(|other| *other == draft.signature);
        self.form.set_chosen(Ask::Signature, signature.unwrap_or(0));
        self.offer_endpoints();
        self.endpoint.fill(&mut self.form, &draft.endpoint);
        self.access.fill(&mut self.form, &draft.access);
        self.form.mark_dirty();
        self.refresh();
        self.is_fine();
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            // the form is out of sight: the keys move what is in sight
            Command::Form(FormMove::Next) if self.shows_panel_alone() => self.panel.act(Move::Down),
            Command::Form(FormMove::Previous) if self.shows_panel_alone() => {
                self.panel.act(Move::Up);
            }
            Command::Form(to) if to == FormMove::Submit || !self.shows_panel_alone() => {
                self.panel_open = false;
                let said = self.form.act(to);
                return self.react(&said);
            }
            Command::Test if self.is_fine() => {
                let check = CheckScreen::new(Subject::Draft(Box::new(self.draft())));
                return Step::ask(check, Msg::Mended);
            }
            Command::Test | Command::Form(_) => {}
            Command::ChooseBucket => return self.choose_bucket(),
            Command::Mend if self.bucket_inside().is_some() => self.split_endpoint(),
            Command::Mend => self.mend_slips(),
            Command::Panel => self.panel_open = !self.panel_open,
            Command::Scroll(to) => self.panel.act(to),
        }
        Step::none()
    }

    fn shows_panel_alone(&self) -> bool {
        self.panel_alone.get()
    }

    fn react(&mut self, said: &Said<Ask>) -> Step<Self> {
        match said {
            Said::Changed(field) => self.changed(*field),
            Said::Left(Ask::Residency) => {
                self.check_field(Ask::Residency);
                // whether the region lies inside depends on both
                self.check_field(Ask::Region);
            }
            Said::Left(field) => self.check_field(*field),
            Said::Open(Ask::Secret) => {
                return Step::push(
                    SecretPicker::new(self.form.text(Ask::Secret)),
                    Msg::SecretPicked,
                );
            }
            Said::Open(_) => {
                return Step::push(
                    RegionPicker::new(self.form.text(Ask::Region)),
                    Msg::RegionPicked,
                );
            }
            Said::Lines(..) => self.form.refuse_lines(),
            Said::Submit => return self.save(),
            Said::Nothing => {}
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::SecretPicked(Some(name)) => {
                self.form.set_text(Ask::Secret, name.as_str());
                self.picked(Ask::Secret);
            }
            Msg::RegionPicked(Some(region)) => {
                self.set_region(region);
                self.picked(Ask::Region);
            }
            Msg::BucketPicked(Some(chosen)) => self.bucket_picked(&chosen),
            Msg::Mended(draft) => self.fill(&draft),
            Msg::SecretPicked(None) | Msg::RegionPicked(None) | Msg::BucketPicked(None) => {}
            Msg::Saved(outcome) => {
                self.saving = false;
                match settled(outcome) {
                    Ok(SavedStore { name, moved }) => {
                        let saved = format!("the store {name} is in the catalog");
                        let store = self.draft().validate().ok();
                        let doubt = store.and_then(|store| store.residency_doubt());
                        let doubt = doubt.map(|doubt| format!("{doubt}: check it"));
                        let doubts: Vec<String> = doubt.into_iter().chain(moved).collect();
                        let (tone, said) = match doubts.as_slice() {
                            [] => (Tone::Good, saved),
                            doubts => (Tone::Warning, format!("{saved}; {}", doubts.join("; "))),
                        };
                        return Step::answer(name).then(Step::toast(tone, &said));
                    }
                    Err(failure) => self.failure = Some(failure),
                }
            }
        }
        Step::none()
    }

    fn view_form(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme, with_short: bool) {
        let inner = pane(frame, area, theme, &self.title(), true);
        let room = usize::from(inner.width);
        let mut below: Vec<Line<'static>> = Vec::new();
        if let Some(failure) = &self.failure {
            below = failure_view::lines(failure, room, theme);
        } else if let Some((_, bucket, endpoint)) = self.bucket_inside() {
            let bucket = visible(&bucket);
            let said = format!("ctrl-x splits it: bucket {bucket}, endpoint {endpoint}");
            below = vec![Line::styled(said, theme.warn())];
        } else if let Some(fix) = fix::slips(&self.draft()) {
            let said = visible(&format!("ctrl-x: {}", fix.summary())).into_string();
            below = wrap(&said, room)
                .into_iter()
                .map(|text| Line::styled(text, theme.warn()))
                .collect();
        } else if with_short && inner.height > 16 {
            below = vec![Line::styled("ZenML gets (ctrl-o shows all)", theme.muted())];
            below.extend(self.short.lines().map(|text| Line::raw(text.to_owned())));
        }
        let form = usize::from(inner.height).saturating_sub(below.len());
        self.form.view(frame, Rect { height: cells(form), ..inner }, theme);
        for (index, text) in below.into_iter().enumerate() {
            line(frame, row(rows_below(inner, form), index), text);
        }
    }

    fn view_panel(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, "What ZenML gets", false);
        self.panel.view(frame, inner, theme);
    }
}

impl Default for StoreForm {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen for StoreForm {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Name;

    const NAME: &'static str = "store-form";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["ctrl-x"], Command::Mend, "mend").when(Self::can_be_mended),
        Bind::new(&["ctrl-t"], Command::Test, "test…"),
        Bind::new(&["ctrl-b"], Command::ChooseBucket, "buckets…"),
        Bind::new(&["ctrl-o"], Command::Panel, "ZenML"),
        Bind::new(&["esc"], Command::Panel, "back to the form").when(Self::shows_panel_alone),
        Bind::new(&["pagedown"], Command::Scroll(Move::PageDown), "scroll it").quiet(),
        Bind::new(&["pageup"], Command::Scroll(Move::PageUp), "scroll it back").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Key(_) | Event::Paste(_) | Event::Mouse(_) if self.shows_panel_alone() => {
                Said::Nothing
            }
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&text),
            Event::Mouse(mouse) => self.form.mouse(mouse),
            Event::Resize(_) | Event::Focus(_) | Event::Tick(_) => Said::Nothing,
        };
        self.react(&said)
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        self.panel_alone.set(area.width < WIDE && self.panel_open);
        if area.width >= WIDE {
            let [left, right] = panes(area, 44, 50, false);
            self.view_form(frame, left, theme, false);
            self.view_panel(frame, right, theme);
        } else if self.panel_open {
            self.view_panel(frame, area, theme);
        } else {
            self.view_form(frame, area, theme, true);
        }
    }

    fn error_code(&self) -> Option<&str> {
        explain::code_of_failure(self.failure.as_ref())
    }

    fn title(&self) -> String {
        self.replaces.as_ref().map_or_else(
            || "New artifact store".to_owned(),
            |store| format!("Store {}", store.name),
        )
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn is_dirty(&self) -> bool {
        self.form.is_dirty()
    }
}
