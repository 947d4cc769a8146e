//! A field of a form: what it holds and how it takes keys.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::tui::widget::text_input::TextInput;

/// A shown secret hides itself again after this.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// What a field holds.
#[derive(Debug)]
pub(super) enum Content {
    Text(TextInput),
    Secret { input: TextInput, shown: Shown },
    Choice { options: Vec<String>, chosen: usize },
    Toggle(bool),
    Pick { value: Option<String>, empty: &'static str },
    Section { open: bool },
}

/// Whether a secret is readable, and until when: the first tick after the key sets the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    No,
    Asked,
    Until(Duration),
}

/// What a key did to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Did {
    Nothing,
    Moved,
    Changed,
    Open,
}

/// One field of a form, named by `K`, an enum of the form's owner.
#[derive(Debug)]
pub struct Field<K> {
    pub(super) name: Option<K>,
    pub(super) label: String,
    pub(super) help: String,
    pub(super) required: bool,
    pub(super) hidden: bool,
    pub(super) error: Option<String>,
    pub(super) remark: Option<String>,
    pub(super) content: Content,
}

impl<K> Field<K> {
    /// Labels of all forms begin alike, with a capital, whatever word they are made of.
    fn new(name: Option<K>, label: &str, content: Content) -> Self {
        let mut letters = label.chars();
        let first = letters.next().map(char::to_uppercase);
        Self {
            name,
            label: first.into_iter().flatten().chain(letters).collect(),
            help: String::new(),
            required: false,
            hidden: false,
            error: None,
            remark: None,
            content,
        }
    }

    /// A line of text.
    pub fn text(name: K, label: &str) -> Self {
        Self::new(Some(name), label, Content::Text(TextInput::default()))
    }

    /// A secret: twelve dots whatever its length, in a buffer that is wiped.
    pub fn secret(name: K, label: &str) -> Self {
        let content = Content::Secret { input: TextInput::secret(), shown: Shown::No };
        Self::new(Some(name), label, content)
    }

    /// One of several words; the first is chosen.
    pub fn choice<T: Into<String>>(
        name: K,
        label: &str,
        options: impl IntoIterator<Item = T>,
    ) -> Self {
        let options = options.into_iter().map(Into::into).collect();
        Self::new(Some(name), label, Content::Choice { options, chosen: 0 })
    }

    /// Yes or no; no at first.
    pub fn toggle(name: K, label: &str) -> Self {
        Self::new(Some(name), label, Content::Toggle(false))
    }

    /// A value chosen on a layer of its own; `empty` stands for none.
    pub fn pick(name: K, label: &str, empty: &'static str) -> Self {
        Self::new(Some(name), label, Content::Pick { value: None, empty })
    }

    /// A heading that folds the fields up to the next one away.
    pub fn section(label: &str, open: bool) -> Self {
        Self::new(None, label, Content::Section { open })
    }

    /// The line under the field while it has the focus.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }

    /// Marks it as one that must be filled; the owner checks that.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What a text holds at first, or a pick shows.
    #[must_use]
    pub fn value(mut self, value: &str) -> Self {
        match &mut self.content {
            Content::Text(input) => input.set(value),
            Content::Pick { value: held, .. } => *held = Some(value.to_owned()),
            Content::Secret { .. }
            | Content::Choice { .. }
            | Content::Toggle(_)
            | Content::Section { .. } => {}
        }
        self
    }

    /// Which option is chosen at first.
    #[must_use]
    pub fn chosen(mut self, index: usize) -> Self {
        if let Content::Choice { options, chosen } = &mut self.content {
            *chosen = index.min(options.len().saturating_sub(1));
        }
        self
    }

    /// Whether a toggle is on at first.
    #[must_use]
    pub fn on(mut self, on: bool) -> Self {
        if let Content::Toggle(held) = &mut self.content {
            *held = on;
        }
        self
    }

    /// Not in the form until shown: [`super::Form::show`].
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    pub(super) fn input(&mut self) -> Option<&mut TextInput> {
        match &mut self.content {
            Content::Text(input) | Content::Secret { input, .. } => Some(input),
            Content::Choice { .. }
            | Content::Toggle(_)
            | Content::Pick { .. }
            | Content::Section { .. } => None,
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Did {
        let chord = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        if let Some(input) = self.input() {
            let before = input.value().len();
            return match input.key(key) {
                false => Did::Nothing,
                // An edit that keeps the length is not one: every key inserts or removes.
                true if input.value().len() == before => Did::Moved,
                true => Did::Changed,
            };
        }
        match (&mut self.content, key.code) {
            _ if chord => Did::Nothing,
            (Content::Choice { options, chosen }, code) => {
                let len = options.len().max(1);
                let next = match code {
                    KeyCode::Right | KeyCode::Char(' ') => (*chosen + 1) % len,
                    KeyCode::Left => (*chosen + len - 1) % len,
                    KeyCode::Home => 0,
                    KeyCode::End => len - 1,
                    KeyCode::Char(letter) => by_letter(options, *chosen, letter),
                    _ => return Did::Nothing,
                };
                if std::mem::replace(chosen, next) == next { Did::Moved } else { Did::Changed }
            }
            (Content::Toggle(on), KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right) => {
                *on = !*on;
                Did::Changed
            }
            (Content::Pick { .. }, KeyCode::Char(' ') | KeyCode::Right) => Did::Open,
            (Content::Section { open }, KeyCode::Char(' ')) => {
                *open = !*open;
                Did::Moved
            }
            (Content::Section { open }, KeyCode::Left | KeyCode::Right) => {
                *open = key.code == KeyCode::Right;
                Did::Moved
            }
            _ => Did::Nothing,
        }
    }

    /// Shows or hides the secret.
    pub(super) fn reveal(&mut self) {
        if let Content::Secret { shown, .. } = &mut self.content {
            *shown = if *shown == Shown::No { Shown::Asked } else { Shown::No };
        }
    }

    pub(super) fn hide(&mut self) {
        if let Content::Secret { shown, .. } = &mut self.content {
            *shown = Shown::No;
        }
    }

    pub(super) fn is_shown(&self) -> bool {
        matches!(self.content, Content::Secret { shown: Shown::Asked | Shown::Until(_), .. })
    }

    pub(super) fn tick(&mut self, now: Duration) {
        if let Content::Secret { shown, .. } = &mut self.content {
            *shown = match *shown {
                Shown::Asked => Shown::Until(now + SHOWN_FOR),
                Shown::Until(end) if end <= now => Shown::No,
                other => other,
            };
        }
    }
}

/// The next option that starts with `letter`, else the one chosen.
fn by_letter(options: &[String], chosen: usize, letter: char) -> usize {
    let starts = |option: &String| {
        option.chars().next().is_some_and(|first| first.to_lowercase().eq(letter.to_lowercase()))
    };
    let all = options.iter().enumerate();
    all.clone()
        .skip(chosen + 1)
        .chain(all)
        .find(|(_, option)| starts(option))
        .map_or(chosen, |(index, _)| index)
}
