//! A window to choose a bucket: from the live list where the key may read it, else by typing,
//! or by making it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect, Size};
use ratatui::text::Line;

use crate::base::visible::visible;
use crate::model::bucket::BucketName;
use crate::model::store::StoreDraft;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::objects::{BucketsOf, ListBuckets, MakeBucket};
use crate::ops::world::World;
use crate::oss::object::BucketEntry;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, row, rows_below, wrap};
use crate::tui::widget::text_input::TextInput;

use super::failure_view::{self, settled};
use super::unlock::when_locked;

const WIDTH: u16 = 72;
const PROMPT: &str = "bucket: ";

/// Chooses a bucket for a draft that has a secret and an endpoint.
#[derive(Debug)]
pub struct BucketPicker {
    draft: StoreDraft,
    input: TextInput,
    /// A row was chosen by moving to it, so what was typed narrows the list down and no more.
    in_list: bool,
    buckets: Vec<BucketEntry>,
    scroll: Scroll,
    stand: Stand,
    spinner: Spinner,
}

/// A bucket, and the region it lies in where the list said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The bucket.
    pub bucket: String,
    /// `oss-cn-hangzhou`.
    pub region: Option<String>,
}

#[derive(Debug)]
enum Stand {
    Listing,
    Listed,
    /// The key may use buckets, and not list them.
    MayNotList,
    Making,
    Failed(Failure),
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Choose,
    Make,
    Reload,
    Move(Move),
}

/// What the window is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Listed(Outcome<Result<Vec<BucketEntry>, Failure>>),
    UnlockedToList,
    UnlockedToMake,
    Made(Outcome<Result<BucketName, Failure>>),
}

impl BucketPicker {
    /// Lists what the draft's key may see; what is in the draft stands typed.
    pub fn new(draft: StoreDraft) -> Self {
        Self {
            input: TextInput::new(&draft.bucket),
            draft,
            in_list: false,
            buckets: Vec::new(),
            scroll: Scroll::default(),
            stand: Stand::Listing,
            spinner: Spinner::default(),
        }
    }

    fn load(&mut self) -> Step<Self> {
        self.stand = Stand::Listing;
        self.spinner.start();
        let of = BucketsOf::Draft(Box::new(self.draft.clone()));
        Step::run(Effect::latest("list", ListBuckets { of }, Msg::Listed))
    }

    fn make(&mut self) -> Step<Self> {
        self.stand = Stand::Making;
        self.spinner.start();
        let draft = StoreDraft { bucket: self.typed().to_owned(), ..self.draft.clone() };
        let make = MakeBucket { store: Box::new(draft) };
        Step::run(Effect::exclusive("make-bucket", make, Msg::Made))
    }

    fn typed(&self) -> &str {
        self.input.value().trim()
    }

    /// What was typed is a whole name that is not in the list: enter takes it as it is.
    fn takes_typed(&self) -> bool {
        let listed = |entry: &BucketEntry| entry.name == self.typed();
        !self.in_list && !self.typed().is_empty() && !self.buckets.iter().any(listed)
    }

    fn may_make(&self) -> bool {
        let busy = matches!(self.stand, Stand::Making | Stand::Listing);
        !busy && self.takes_typed() && BucketName::parse(self.typed()).is_ok()
    }

    fn matching(&self) -> Vec<&BucketEntry> {
        let typed = self.typed();
        self.buckets.iter().filter(|entry| entry.name.contains(typed)).collect()
    }

    fn choose(&mut self) -> Step<Self> {
        if !self.takes_typed() {
            let chosen = self
                .matching()
                .get(self.scroll.selected())
                .map(|entry| Chosen { bucket: entry.name.clone(), region: entry.region.clone() });
            return chosen.map_or_else(Step::none, Step::answer);
        }
        match BucketName::parse(self.typed()) {
            Ok(name) => Step::answer(Chosen { bucket: name.to_string(), region: None }),
            Err(error) => Step::toast(Tone::Bad, &error.to_string()),
        }
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        self.spinner.stop();
        match msg {
            Msg::Listed(outcome) => match settled(outcome) {
                Ok(buckets) => {
                    self.buckets = buckets;
                    self.scroll.clamp(self.matching().len());
                    self.stand = Stand::Listed;
                }
                Err(failure) if is_forbidden(&failure) => self.stand = Stand::MayNotList,
                Err(failure) => return self.failed(failure, Msg::UnlockedToList),
            },
            Msg::Made(outcome) => match settled(outcome) {
                Ok(bucket) => {
                    let said = format!("the bucket {bucket} is made");
                    let chosen = Chosen { bucket: bucket.to_string(), region: None };
                    return Step::answer(chosen).then(Step::toast(Tone::Good, &said));
                }
                Err(failure) => return self.failed(failure, Msg::UnlockedToMake),
            },
            Msg::UnlockedToList => return self.load(),
            Msg::UnlockedToMake => return self.make(),
        }
        Step::none()
    }

    fn failed(&mut self, failure: Failure, again: Msg) -> Step<Self> {
        let unlock = when_locked(&failure, || again);
        self.stand = Stand::Failed(failure);
        unlock.unwrap_or_else(Step::none)
    }

    /// What stands between the typed line and the list.
    fn words(&self, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let plain = |text: &str| wrap(text, room).into_iter().map(Line::raw).collect();
        let turning = |what: &str| plain(&format!("{} {what}", self.spinner.sign(theme)));
        match &self.stand {
            Stand::Listing => turning("asking for the list"),
            Stand::Making => turning("making the bucket"),
            Stand::MayNotList => plain(
                "This key may not list buckets, which is normal for a RAM user: type the bucket's \
                 name. enter takes it, ctrl-n makes it.",
            ),
            Stand::Failed(failure) => failure_view::lines(failure, room, theme),
            Stand::Listed if self.takes_typed() => {
                plain("Not in the list: enter takes the name as typed, ctrl-n makes the bucket.")
            }
            Stand::Listed => plain("type to narrow the list down, or another name"),
        }
    }
}

/// Whether the server knows the key and refuses this one call: `AccessDenied` with 403. A wrong
/// key is a 403 too, with another code.
fn is_forbidden(failure: &Failure) -> bool {
    let code = failure.error.as_ref().and_then(|said| said.code.as_deref());
    failure.kind == FailureKind::Credentials && code == Some("AccessDenied")
}

impl Screen for BucketPicker {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = Chosen;

    const NAME: &'static str = "bucket-picker";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Choose, "take"),
        Bind::new(&["ctrl-n"], Command::Make, "make it").when(Self::may_make),
        Bind::new(&["f5"], Command::Reload, "list again").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.load()
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Choose) => return self.choose(),
            Event::Command(Command::Make) => return self.make(),
            Event::Command(Command::Reload) => return self.load(),
            Event::Command(Command::Move(to)) => {
                let len = self.matching().len();
                self.in_list = len > 0;
                self.scroll.act(to, len);
            }
            Event::Key(key) => {
                self.input.key(key);
                self.in_list = false;
                self.scroll.select(0);
            }
            Event::Paste(text) => {
                let pasted = self.input.paste(&text);
                self.in_list = false;
                self.scroll.select(0);
                if let Some(notice) = pasted.notice() {
                    return Step::toast(Tone::Neutral, &notice);
                }
            }
            Event::Mouse(mouse) => {
                let len = self.matching().len();
                self.in_list |= self.scroll.mouse(mouse, len);
            }
            Event::Tick(now) => self.spinner.tick(now),
            Event::Msg(msg) => return self.hear(msg),
            Event::Resize(_) | Event::Focus(_) => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        const COLUMNS: [Column<'_>; 3] = [
            Column::new("bucket", Constraint::Fill(1)),
            Column::new("region", Constraint::Length(22)),
            Column::new("made", Constraint::Length(10)),
        ];
        let inner = pane(frame, area, theme, "Buckets", true);
        let words = self.words(usize::from(inner.width), theme);
        let at = words.len() + 1;
        for (index, text) in words.into_iter().enumerate() {
            line(frame, row(inner, index + 1), text);
        }
        let matching = self.matching();
        if !matching.is_empty() {
            let build = |index: usize| {
                matching.get(index).map_or_else(Row::default, |entry| {
                    let made = entry.created.as_deref().unwrap_or_default();
                    let day = made.split('T').next().unwrap_or_default();
                    let region = entry.region.as_deref().unwrap_or_default();
                    Row::new([&entry.name, region, day].map(|text| visible(text).into_string()))
                })
            };
            Table::new(&COLUMNS).focused(!self.takes_typed()).view(
                frame,
                rows_below(inner, at),
                theme,
                &self.scroll,
                matching.len(),
                build,
            );
        }
        let place = row(inner, 0);
        line(frame, place, Line::styled(PROMPT, theme.muted()));
        let indent = cells(PROMPT.len()).min(place.width);
        let field =
            Rect { x: place.x.saturating_add(indent), width: place.width - indent, ..place };
        self.input.view(frame, field, theme, ratatui::style::Style::new(), true, false);
    }

    fn title(&self) -> String {
        "Buckets".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(WIDTH, 18))
    }
}
