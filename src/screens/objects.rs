//! One prefix of a bucket: what lies there, page by page as the pages arrive.

mod arrange;
mod bookmarking;
mod deleting;
mod go_to;
mod marks;
mod moving;
mod on_object;
mod preview;
mod rows;
mod view;
mod when;

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::base::visible::visible;
use crate::catalog::Catalog;
use crate::model::bucket::BucketName;
use crate::model::name::Name;
use crate::model::object_key::ObjectKey;
use crate::model::preview::Preview;
use crate::model::store::ArtifactStore;
use crate::ops::artifacts::store_tree::connection_of_store;
use crate::ops::bookmarks::{Bookmark, ListedBookmarks};
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::marked::Marked;
use crate::ops::objects::{Deleted, ListObjects, Place};
use crate::ops::residency::CrossBorder;
use crate::ops::stores::LoadCatalog;
use crate::ops::transfer::Remote;
use crate::ops::usage::Usage;
use crate::ops::versions::Versioning;
use crate::ops::world::World;
use crate::oss::Healed;
use crate::oss::listing::Page;
use crate::oss::listing::inventory::{Match, Row, RowId, Sorting};
use crate::oss::versions::Marker;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::pictures::Placed;
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::filter_input::FilterInput;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::spinner::Spinner;

use self::deleting::Deletion;
use self::marks::{MOST_AT_ONCE, Marks};
pub use self::moving::Verb;
pub(super) use self::on_object::said;
use self::preview::Pane;
pub use self::rows::Rows;
use super::artifacts::Artifacts;
use super::ask::Ask;
use super::bookmarks::BookmarksView;
use super::browser::Browser;
use super::buckets::Buckets;
use super::changed::Changed;
use super::failure_view::settled;
use super::sizes::SizesView;
use super::transfers;
use super::unlock::when_locked;

/// What is said where a row has no key that could be asked for.
const NO_KEY: &str = "OSS itself refuses a key that begins with a slash or is too long: what \
                      wrote it here can read it, or give it another name";

/// Rows up to which a list is asked for anew by itself.
const LISTED_ANEW: usize = 10_000;

/// `s3://bucket/key`; the bucket of a store is known once the catalog was read.
pub(super) fn uri(place: &Place, store: Option<&ArtifactStore>, key: &ObjectKey) -> Option<String> {
    let bucket = place.bucket.as_ref().or(store.map(|store| &store.bucket))?;
    Some(format!("s3://{bucket}/{}", key.as_str()))
}

/// Where one was: a prefix, and the name that was selected there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    prefix: String,
    selected: String,
}

/// How far the listing is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// More pages may come.
    Listing,
    /// All of it is there.
    Whole,
    /// The user stopped it; what came stays.
    Stopped,
    /// It broke off; what came stays.
    Broken(Failure),
}

/// A listing of one prefix.
#[derive(Debug)]
pub struct Objects {
    place: Place,
    /// What the catalog says of the place's store, once it was read.
    store: Option<ArtifactStore>,
    /// The connection that tells of the store's artifacts.
    zenml: Option<String>,
    prefix: String,
    /// All keys below the prefix are listed, not folded at slashes.
    is_flat: bool,
    rows: Rows,
    progress: Progress,
    filter: FilterInput,
    scroll: Scroll,
    spinner: Spinner,
    back: Vec<Spot>,
    forward: Vec<Spot>,
    /// Which name to select once it arrives.
    seek: Option<String>,
    marks: Marks,
    /// How far the deletion is that runs.
    deletion: Option<Deletion>,
    /// The delete markers that the last one left, where the bucket keeps versions.
    undo: Vec<Marker>,
    /// Where the bucket lies, once it was said that this is not where the store says.
    healed: Option<Healed>,
    /// The pane at the right, where it is open.
    pane: Option<Pane>,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Command {
    Open,
    Parent,
    Buckets,
    Back,
    Forward,
    Filter,
    KeepFilter,
    ClearFilter,
    Stop,
    Mark,
    MarkAll,
    ClearMarks,
    NextSort,
    Reverse,
    Preview,
    PreviewUp,
    PreviewDown,
    Details,
    Download,
    Upload,
    CopyUri,
    Share,
    Delete,
    Rename,
    Copy,
    Restore,
    Versions,
    TakeBack,
    Artifact,
    Artifacts,
    Reload,
    Flatten,
    Sizes,
    GoTo,
    Bookmarks,
    BookmarkPrefix,
    BookmarkRow,
    Move(Move),
}

/// What the screen is told.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Msg {
    CatalogRead(Outcome<Result<Catalog, Failure>>),
    Listed(Page),
    Found(Vec<Match>),
    Searched(Outcome<Result<(), Failure>>),
    Sorted(Outcome<Result<Vec<RowId>, Failure>>),
    Ended(Outcome<Result<Option<Healed>, Failure>>),
    Unlocked,
    BorderConfirmed,
    BorderOpened(Outcome<Result<(), Failure>>),
    Previewed(ObjectKey, Outcome<Result<Preview, Failure>>),
    FolderNamed(ObjectKey, PathBuf),
    FileNamed(PathBuf),
    FolderNamedForMany(Marked, PathBuf),
    TargetNamed(Marked, Verb, String),
    TargetFound(Marked, Verb, Outcome<Result<(Place, String), Failure>>),
    Measured(Marked, Outcome<Result<(Usage, Versioning), Failure>>),
    DeleteConfirmed(Marked),
    Removed(Deleted),
    Deleted(Marked, Outcome<Result<(), Failure>>),
    TakenBack(Outcome<Result<(u64, Option<Failure>), Failure>>),
    UndoUnlocked,
    Changed(Changed),
    Restored,
    PrefixChosen(String),
    PlaceNamed(String),
    Located(Outcome<Result<(Place, String), Failure>>),
    BookmarksRead(String, Outcome<Result<ListedBookmarks, Failure>>),
    BookmarkNamed(Name, String),
    Bookmarked(Outcome<Result<Bookmark, Failure>>),
    BookmarkChosen((Place, String)),
    ForgetBookmark(Name),
    BookmarkForgotten(Name, Outcome<Result<(), Failure>>),
}

impl Objects {
    /// What lies below `prefix`; literal, so a store's own ends in a slash.
    pub fn at(place: Place, prefix: String) -> Self {
        Self {
            place,
            store: None,
            zenml: None,
            prefix,
            is_flat: false,
            rows: Rows::default(),
            progress: Progress::Listing,
            filter: FilterInput::default(),
            scroll: Scroll::default(),
            spinner: Spinner::default(),
            back: Vec::new(),
            forward: Vec::new(),
            seek: None,
            marks: Marks::default(),
            deletion: None,
            undo: Vec::new(),
            healed: None,
            pane: None,
        }
    }

    fn list(&mut self) -> Step<Self> {
        self.marks.keep_names(&self.rows);
        self.rows = Rows::like(&self.rows, &self.prefix);
        if let (true, Ok(pattern)) = (self.filter.is_active(), self.filter.pattern()) {
            // there is nothing yet that a job would have to look at
            let _none = self.rows.narrow(Some(pattern), false);
        }
        self.progress = Progress::Listing;
        self.spinner.start();
        if let Some(pane) = &mut self.pane {
            pane.read.clear();
        }
        let job = ListObjects {
            place: self.place.clone(),
            prefix: self.prefix.clone(),
            folded: !self.is_flat,
            in_order: false,
        };
        let list = Effect::latest_stream("list", job, Msg::Listed, Msg::Ended);
        // what they find are rows of the former list
        Step::run(list).and_cancel("find").and_cancel("sort")
    }

    fn selected(&self) -> Option<Row<'_>> {
        self.rows.get(self.scroll.selected())
    }

    fn selected_key(&self) -> Option<ObjectKey> {
        let row = self.selected().filter(|row| row.object.is_some())?;
        ObjectKey::parse(&format!("{}{}", self.prefix, row.name)).ok()
    }

    fn remote(&self, key: ObjectKey) -> Remote {
        Remote::at(self.place.clone(), self.store.as_ref(), key)
    }

    /// The bucket, once it is known.
    fn bucket(&self) -> Option<&BucketName> {
        self.place.bucket.as_ref().or(self.store.as_ref().map(|store| &store.bucket))
    }

    fn command(&mut self, command: Command) -> Step<Self> {
        match command {
            Command::Open => return self.open(),
            Command::Parent => return self.up(),
            Command::Buckets => {
                let buckets = Buckets::of(self.place.store.clone());
                return Step::close().then(Step::show_with(Browser::NAME, buckets));
            }
            Command::Back => return self.back(),
            Command::Forward => return self.forward(),
            Command::Filter => self.filter.open(),
            Command::KeepFilter => self.filter.keep(),
            Command::ClearFilter => {
                let kept = self.rows.id(self.scroll.selected());
                self.filter.clear();
                self.rows.narrow(None, false);
                self.select(kept);
                return Step::cancel("find");
            }
            Command::Stop => return Step::cancel("list"),
            Command::Mark => return self.mark(),
            Command::MarkAll => self.mark_all(),
            Command::ClearMarks => self.marks = Marks::default(),
            Command::NextSort => {
                let by = self.rows.sorting().by.next();
                return self.resort(Sorting { by, reversed: false });
            }
            Command::Reverse => {
                let Sorting { by, reversed } = self.rows.sorting();
                return self.resort(Sorting { by, reversed: !reversed });
            }
            Command::Reload => {
                self.seek = self.selected().map(|row| row.name.to_owned());
                return self.list();
            }
            Command::Flatten => {
                self.is_flat = !self.is_flat;
                self.marks = Marks::default();
                self.scroll.select(0);
                return self.list().and_cancel("preview");
            }
            Command::GoTo => return go_to::ask(),
            Command::Bookmarks => {
                return Step::ask(BookmarksView::default(), Msg::BookmarkChosen);
            }
            Command::BookmarkPrefix => return self.bookmark_prefix(),
            Command::BookmarkRow => return self.bookmark_row(),
            Command::Sizes => {
                let sizes = SizesView::of(self.place.clone(), self.prefix.clone());
                return Step::ask(sizes, Msg::PrefixChosen);
            }
            Command::Preview => {
                if self.pane.take().is_some() {
                    return Step::cancel("preview");
                }
                self.pane = Some(Pane::default());
                return self.read_selected();
            }
            Command::PreviewUp => self.scroll_preview(Move::HalfUp),
            Command::PreviewDown => self.scroll_preview(Move::HalfDown),
            Command::Move(to) => {
                let len = self.rows.len();
                self.seek = None;
                if self.scroll.act(to, len) {
                    return self.read_selected();
                }
            }
            Command::Upload => {
                let title = format!("Upload to {}", visible(&self.prefix));
                let ask = Ask::path(title, "file", "a file of this machine", "");
                return Step::ask(ask, Msg::FileNamed);
            }
            Command::Artifact => return self.artifact(),
            Command::Artifacts => {
                let from = format!("{}{}", self.prefix, self.spot().selected);
                let artifacts = Artifacts::of(self.place.store.clone(), from);
                return Step::ask(artifacts, Msg::PrefixChosen);
            }
            Command::Details
            | Command::Download
            | Command::CopyUri
            | Command::Share
            | Command::Restore
            | Command::Versions
            | Command::Delete => return self.on_object(command),
            Command::TakeBack => return self.take_back(),
            Command::Rename => return self.ask_target(Verb::Move),
            Command::Copy => return self.ask_target(Verb::Copy),
        }
        Step::none()
    }

    fn hear(&mut self, msg: Msg) -> Step<Self> {
        match msg {
            Msg::CatalogRead(outcome) => {
                // without it the bucket's name stays out of the title, and listing says why
                let Ok(catalog) = settled(outcome) else { return Step::none() };
                self.store = catalog.store(&self.place.store).cloned();
                self.zenml = connection_of_store(&catalog, &self.place.store);
            }
            Msg::Listed(page) => return self.listed(page),
            Msg::Found(rows) => return self.found(rows),
            Msg::Searched(outcome) => {
                if settled(outcome).is_ok() {
                    self.rows.searched();
                }
            }
            Msg::Sorted(outcome) => self.sorted(outcome),
            Msg::Ended(outcome) => {
                self.spinner.stop();
                return match settled(outcome) {
                    Ok(healed) => {
                        self.progress = Progress::Whole;
                        self.marks.ended();
                        if healed == self.healed {
                            return Step::none();
                        }
                        self.healed = healed;
                        match &self.healed {
                            Some(healed) => Step::toast(Tone::Warning, &healed.to_string()),
                            None => Step::none(),
                        }
                    }
                    Err(failure) if failure.kind == FailureKind::Cancelled => {
                        self.progress = Progress::Stopped;
                        Step::none()
                    }
                    Err(failure) => {
                        let question = when_locked(&failure, || Msg::Unlocked)
                            .or_else(|| at_the_border(&failure))
                            .unwrap_or_else(Step::none);
                        self.progress = Progress::Broken(failure);
                        question
                    }
                };
            }
            Msg::Unlocked => return self.list(),
            Msg::BorderConfirmed => {
                let cross = CrossBorder { place: self.place.clone(), is_allowed: true };
                return Step::run(Effect::latest("border", cross, Msg::BorderOpened));
            }
            Msg::BorderOpened(outcome) => {
                return match settled(outcome) {
                    Ok(()) => self.list(),
                    Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
                };
            }
            Msg::Previewed(key, outcome) => self.previewed(key, outcome),
            Msg::FolderNamed(key, folder) => return transfers::download(self.remote(key), folder),
            Msg::FileNamed(file) => return self.upload(&file),
            Msg::FolderNamedForMany(marked, folder) => return self.download(marked, folder),
            Msg::TargetNamed(marked, verb, text) => return self.find_target(marked, verb, text),
            Msg::TargetFound(marked, verb, outcome) => {
                return match settled(outcome) {
                    Ok((place, key)) => self.copy_to(marked, verb, place, key),
                    Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
                };
            }
            Msg::Measured(marked, outcome) => return self.measured(marked, settled(outcome)),
            Msg::DeleteConfirmed(marked) => return self.delete(marked),
            Msg::Removed(removed) => self.removed(removed),
            Msg::Deleted(marked, outcome) => return self.deleted(marked, settled(outcome)),
            Msg::TakenBack(outcome) => return self.taken_back(settled(outcome)),
            Msg::UndoUnlocked => return self.take_back(),
            Msg::Changed(changed) => return self.changed(&changed),
            Msg::Restored => return self.read_anew(),
            Msg::PrefixChosen(prefix) => return self.enter(prefix, None),
            Msg::PlaceNamed(text) => return self.locate(text),
            Msg::Located(outcome) => return self.located(settled(outcome)),
            Msg::BookmarksRead(key, outcome) => return self.bookmarks_read(key, settled(outcome)),
            Msg::ForgetBookmark(name) => return bookmarking::remove_bookmark(name),
            Msg::BookmarkForgotten(name, outcome) => {
                return match settled(outcome) {
                    Ok(()) => Step::toast(Tone::Good, &format!("forgot the bookmark {name}")),
                    Err(failure) => Step::toast(Tone::Bad, &failure.to_string()),
                };
            }
            Msg::BookmarkNamed(name, key) => return self.add_bookmark(name, key),
            Msg::Bookmarked(outcome) => return bookmarking::bookmarked(settled(outcome)),
            Msg::BookmarkChosen(there) => return self.located(Ok(there)),
        }
        Step::none()
    }
}

/// Where the data would cross a border, asks whether it may.
fn at_the_border(failure: &Failure) -> Option<Step<Objects>> {
    let is_border = failure.kind == FailureKind::Border;
    is_border.then(|| {
        let title = "Read across the border?";
        let question = Confirm::new(title, failure.summary.as_str(), ["Read", "Not now"]);
        Step::ask(question, |()| Msg::BorderConfirmed)
    })
}

impl Screen for Objects {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = ();

    const NAME: &'static str = "objects";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::KeepFilter, "keep filter").when(|s| s.filter.is_open()),
        Bind::new(&["esc"], Command::ClearFilter, "clear filter").when(Self::is_narrowed),
        Bind::new(&["esc"], Command::ClearMarks, "clear marks").when(Self::may_clear_marks),
        Bind::new(&["esc"], Command::Stop, "stop").when(Self::may_stop),
        Bind::new(&["enter", "l", "right"], Command::Open, "open").when(Self::may_open),
        Bind::new(&["t"], Command::Restore, "restore…").when(Self::is_archived),
        Bind::new(&["h", "left", "backspace"], Command::Parent, "up").when(Self::has_parent),
        Bind::new(&["h", "left", "backspace"], Command::Buckets, "buckets").when(Self::is_at_root),
        Bind::new(&["/"], Command::Filter, "filter").when(Self::is_not_typing),
        Bind::new(&["space"], Command::Mark, "mark").when(Self::may_mark),
        Bind::new(&["ctrl-a"], Command::MarkAll, "mark all").when(Self::may_mark_all).quiet(),
        Bind::new(&["p"], Command::Preview, "preview"),
        Bind::new(&["F"], Command::Flatten, "all below").quiet(),
        Bind::new(&["s"], Command::Sizes, "sizes"),
        Bind::new(&["@"], Command::GoTo, "go to…").when(Self::is_not_typing).quiet(),
        Bind::new(&["'"], Command::Bookmarks, "bookmarks").when(Self::is_not_typing).quiet(),
        Bind::new(&["b"], Command::BookmarkPrefix, "bookmark prefix…").quiet(),
        Bind::new(&["m"], Command::BookmarkRow, "bookmark row…").when(Self::may_open).quiet(),
        Bind::new(&["d"], Command::Download, "download…").when(Self::may_act),
        Bind::new(&["i"], Command::Details, "details…").when(Self::has_object),
        Bind::new(&["o"], Command::NextSort, "sort"),
        Bind::new(&["O"], Command::Reverse, "reverse").quiet(),
        Bind::new(&["K"], Command::PreviewUp, "preview up").when(Self::has_reading).quiet(),
        Bind::new(&["J"], Command::PreviewDown, "preview down").when(Self::has_reading).quiet(),
        Bind::new(&["a"], Command::Artifact, "artifact…").when(Self::may_open).quiet(),
        Bind::new(&["A"], Command::Artifacts, "artifacts").when(Self::is_own_bucket),
        Bind::new(&["u"], Command::Upload, "upload…"),
        Bind::new(&["y"], Command::CopyUri, "copy uri").when(Self::may_act).quiet(),
        Bind::new(&["Y"], Command::Share, "share link…").when(Self::has_object),
        Bind::new(&["D", "delete"], Command::Delete, "delete…").when(Self::may_act),
        Bind::new(&["r"], Command::Rename, "rename, move…").when(Self::may_act),
        Bind::new(&["w"], Command::Copy, "copy…").when(Self::may_act),
        Bind::new(&["z", "ctrl-z"], Command::TakeBack, "undelete").when(Self::may_take_back),
        Bind::new(&["v"], Command::Versions, "versions…").when(Self::may_open).quiet(),
        Bind::new(&["t"], Command::Restore, "restore archived…")
            .when(Self::may_hold_archived)
            .quiet(),
        Bind::new(&["alt-left"], Command::Back, "back").when(Self::has_back).quiet(),
        Bind::new(&["alt-right"], Command::Forward, "forward").when(Self::has_forward).quiet(),
        Bind::new(&["R", "f5"], Command::Reload, "reload").quiet(),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn start(&mut self) -> Step<Self> {
        self.list().and(Effect::latest("catalog", LoadCatalog, Msg::CatalogRead))
    }

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(command) => return self.command(command),
            Event::Msg(msg) => return self.hear(msg),
            Event::Tick(now) => self.spinner.tick(now),
            Event::Key(key) => {
                let before = self.filter.text().to_owned();
                self.filter.key(key);
                return self.narrow(&before);
            }
            Event::Paste(text) if self.filter.is_open() => {
                let before = self.filter.text().to_owned();
                self.filter.paste(&text);
                return self.narrow(&before);
            }
            Event::Paste(text) => return self.locate(text),
            Event::Mouse(mouse) => {
                let len = self.rows.len();
                if self.scroll.mouse(mouse, len) {
                    return self.read_selected();
                }
            }
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        self.draw(frame, area, theme);
    }

    fn picture(&self) -> Option<Placed> {
        self.reading()?.as_ref().ok()?.picture()
    }

    fn title(&self) -> String {
        format!("{} {}", self.place.store, visible(&self.prefix))
    }

    fn captures_text(&self) -> bool {
        self.filter.is_open()
    }

    fn wants_tick(&self) -> bool {
        self.spinner.is_running()
    }
}
