//! Keys as data: one row names chords, command, hint and condition.
//!
//! The rows of a screen feed its dispatch, the footer, the `?` help, the `:`
//! palette and the table in the README. The condition guards the action and
//! its hint alike, so a hint cannot lie.

mod chord;

use std::collections::BTreeMap;
use std::fmt;

pub use self::chord::Chord;
use crate::tui::screen::Screen;

/// A row of the key table of screen `S`.
pub type Bind<S> = Binding<S, <S as Screen>::Command>;

/// A row of a key table over the state `S`.
pub struct Binding<S: ?Sized, C> {
    /// The keys, as text ([`Chord::parse`]); the first one is shown.
    pub chords: &'static [&'static str],
    /// What they do.
    pub command: C,
    /// One or two words for the footer and the help. A trailing `…` says that
    /// it opens something.
    pub hint: &'static str,
    /// Whether it would do something now.
    pub when: fn(&S) -> bool,
    /// Left out of the footer, but in help and palette.
    pub quiet: bool,
}

impl<S: ?Sized, C: Copy> Binding<S, C> {
    /// A row that always acts.
    ///
    /// # Panics
    /// When a chord cannot be read: in a constant table that means it does not compile.
    pub const fn new(chords: &'static [&'static str], command: C, hint: &'static str) -> Self {
        let mut rest = chords;
        while let [first, tail @ ..] = rest {
            assert!(Chord::parse(first).is_some(), "a chord in a key table cannot be read");
            rest = tail;
        }
        Self { chords, command, hint, when: always::<S>, quiet: false }
    }

    /// Acts, and is shown, only while `when` holds.
    #[must_use]
    pub const fn when(mut self, when: fn(&S) -> bool) -> Self {
        self.when = when;
        self
    }

    /// Keeps the row out of the footer.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
}

impl<S: ?Sized, C: fmt::Debug> fmt::Debug for Binding<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} => {:?} ({})", self.chords, self.command, self.hint)
    }
}

fn always<S: ?Sized>(_: &S) -> bool {
    true
}

/// A way to move in a list, a table or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Move {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    First,
    Last,
}

impl Move {
    /// Where it leads from row `at`, `page` rows being in sight; past the end where that is far.
    pub fn from(self, at: usize, page: usize) -> usize {
        let page = page.max(1);
        let half = (page / 2).max(1);
        match self {
            Self::Up => at.saturating_sub(1),
            Self::Down => at.saturating_add(1),
            Self::PageUp => at.saturating_sub(page),
            Self::PageDown => at.saturating_add(page),
            Self::HalfUp => at.saturating_sub(half),
            Self::HalfDown => at.saturating_add(half),
            Self::First => 0,
            Self::Last => usize::MAX,
        }
    }
}

/// A way to move in a form, or to act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormMove {
    /// To the next field.
    Next,
    /// To the field before.
    Previous,
    /// Open a pick, fold a section, flip a toggle; else to the next field, and
    /// from the last one submit.
    Enter,
    /// Check all fields and hand the form in.
    Submit,
    /// Show or hide the secret under the cursor.
    Reveal,
}

/// The rows that every list or every form shares, so that no screen repeats them.
#[derive(Clone, Copy, Debug)]
pub enum Moves<C> {
    /// Neither a list nor a form.
    None,
    /// Arrows, `hjkl`'s j and k, pages, ends.
    List(fn(Move) -> C),
    /// Tab, arrows up and down, enter, ctrl-s.
    Form(fn(FormMove) -> C),
}

/// Chords, meaning and hint of a shared row, and whether the footer leaves it out.
type Shared<T> = (&'static [&'static str], T, &'static str, bool);

const LIST: &[Shared<Move>] = &[
    (&["up", "k"], Move::Up, "up", true),
    (&["down", "j"], Move::Down, "down", true),
    (&["pageup"], Move::PageUp, "page up", true),
    (&["pagedown"], Move::PageDown, "page down", true),
    (&["ctrl-u"], Move::HalfUp, "half a page up", true),
    (&["ctrl-d"], Move::HalfDown, "half a page down", true),
    (&["home", "g"], Move::First, "first", true),
    (&["end", "G"], Move::Last, "last", true),
];

const FORM: &[Shared<FormMove>] = &[
    (&["ctrl-s"], FormMove::Submit, "save", false),
    (&["tab", "down"], FormMove::Next, "next field", false),
    (&["shift-tab", "up"], FormMove::Previous, "field before", true),
    (&["enter"], FormMove::Enter, "open or next", true),
    (&["ctrl-r"], FormMove::Reveal, "show or hide", true),
];

impl<C> Moves<C> {
    fn rows(&self) -> Vec<(&'static [&'static str], C, &'static str, bool)> {
        match self {
            Self::None => Vec::new(),
            Self::List(make) => LIST
                .iter()
                .map(|&(chords, to, hint, quiet)| (chords, make(to), hint, quiet))
                .collect(),
            Self::Form(make) => FORM
                .iter()
                .map(|&(chords, to, hint, quiet)| (chords, make(to), hint, quiet))
                .collect(),
        }
    }
}

/// Chords the user put in place of the built-in ones, by `screen.command`.
pub type Remap = BTreeMap<String, Vec<Chord>>;

/// A row as the footer, the help and the palette see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The screen's name.
    pub screen: &'static str,
    /// The command in kebab case; with the screen's name it is the key of [`Remap`].
    pub command: String,
    /// What presses it, after remapping.
    pub chords: Vec<Chord>,
    /// The words for it.
    pub hint: &'static str,
    /// Whether it would do something now.
    pub active: bool,
    /// Whether the footer leaves it out.
    pub quiet: bool,
}

impl KeyRow {
    /// Makes a row out of a table's row.
    pub fn new<S: ?Sized, C: Copy + fmt::Debug>(
        screen: &'static str,
        bind: &Binding<S, C>,
        state: Option<&S>,
        remap: &Remap,
    ) -> Self {
        let active = state.is_none_or(|state| (bind.when)(state));
        Self::build(screen, bind.chords, &bind.command, bind.hint, bind.quiet, active, remap)
    }

    fn build(
        screen: &'static str,
        chords: &[&str],
        command: &impl fmt::Debug,
        hint: &'static str,
        quiet: bool,
        active: bool,
        remap: &Remap,
    ) -> Self {
        let command = kebab(&format!("{command:?}"));
        let chords = remap
            .get(&format!("{screen}.{command}"))
            .cloned()
            .unwrap_or_else(|| chords.iter().filter_map(|text| Chord::parse(text)).collect());
        Self { screen, command, chords, hint, active, quiet }
    }

    /// While text is captured the letters belong to it, and so does ctrl-u: chords that type or
    /// edit neither act nor are shown. The row can still be run from the help.
    pub fn leave_letters(&mut self) {
        self.chords.retain(|chord| !chord.edits_text());
    }

    /// The chord to show, empty when the user unbound it.
    pub fn shown(&self) -> String {
        self.chords.first().map(Chord::to_string).unwrap_or_default()
    }
}

/// `Move(PageUp)` becomes `move-page-up`.
fn kebab(debug: &str) -> String {
    let mut out = String::with_capacity(debug.len() + 4);
    for letter in debug.chars() {
        if letter.is_alphanumeric() {
            if letter.is_uppercase() && !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            out.extend(letter.to_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

/// All rows of screen `S` in the order of dispatch: its own, then the shared
/// ones. Without a `screen` every row counts as active.
pub fn rows<S: Screen>(screen: Option<&S>, remap: &Remap) -> Vec<KeyRow> {
    let own = S::KEYS.iter().map(|bind| KeyRow::new(S::NAME, bind, screen, remap));
    let shared = S::MOVES.rows().into_iter().map(|(chords, command, hint, quiet)| {
        KeyRow::build(S::NAME, chords, &command, hint, quiet, true, remap)
    });
    own.chain(shared).collect()
}

/// The command of row `index` of [`rows`], if its condition holds.
pub fn command<S: Screen>(screen: &S, index: usize) -> Option<S::Command> {
    match S::KEYS.get(index) {
        Some(bind) => (bind.when)(screen).then_some(bind.command),
        None => S::MOVES.rows().get(index - S::KEYS.len()).map(|&(_, command, ..)| command),
    }
}

/// The whole table of screen `S`, for documentation.
pub fn key_table<S: Screen>() -> Vec<KeyRow> {
    rows::<S>(None, &Remap::new())
}

/// Chords that two rows claim at once while `screen` is in its present state,
/// each as a sentence. For tests: put the screen in each of its states and
/// expect nothing. Rows of the screen that overrule a shared one count too:
/// guard them with `when`, or the hint of the shared row lies.
pub fn clashes<S: Screen>(screen: &S) -> Vec<String> {
    clashes_among(&rows(Some(screen), &Remap::new()))
}

/// Chords that two active rows claim at once, each as a sentence.
pub fn clashes_among(rows: &[KeyRow]) -> Vec<String> {
    let active: Vec<&KeyRow> = rows.iter().filter(|row| row.active).collect();
    let mut found = Vec::new();
    for (at, row) in active.iter().enumerate() {
        for other in active.iter().skip(at + 1) {
            found.extend(row.chords.iter().filter(|chord| other.chords.contains(chord)).map(
                |chord| format!("{}: {chord} is {} and {}", row.screen, row.command, other.command),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_speaking_names() {
        assert_eq!(kebab("Reload"), "reload");
        assert_eq!(kebab("Move(PageUp)"), "move-page-up");
        assert_eq!(kebab("Sort { by: Size }"), "sort-by-size");
    }
}
