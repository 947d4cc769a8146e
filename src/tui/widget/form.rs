//! A form: typed fields in one column, errors under them.
//!
//! The owner is a screen with `const MOVES = Moves::Form(Command::Form)` and
//! `captures_text() == true`. It hands commands, keys, pastes and ticks on, and
//! reacts to what the form [`Said`]:
//!
//! ```text
//! let said = match event {
//!     Event::Command(Command::Form(to)) => self.form.act(to),
//!     Event::Key(key) => self.form.key(key),
//!     Event::Paste(text) => self.form.paste(&text),
//!     …
//! };
//! match said {
//!     Said::Left(field) => self.form.set_error(field, self.draft().error_of(field)),
//!     Said::Open(Field::Region) => return Step::push(RegionPicker::new(), Msg::RegionPicked),
//!     Said::Submit => match self.draft().validate() {
//!         Ok(store) => return Step::answer(store),
//!         Err(errors) => self.form.set_errors(errors),
//!     },
//!     …
//! }
//! ```
//!
//! Checking lives in the draft that the owner makes of the fields, so that
//! form, file and command line refuse the same things with the same words.

mod field;
mod view;

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

pub use self::field::Field;
use self::field::{Content, Did};
use crate::base::secret_string::SecretString;
use crate::tui::keymap::FormMove;
use crate::tui::widget::scroll::Scroll;

/// What the owner of a form may have to react to.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the form leaves checking, opening and submitting to its owner"]
pub enum Said<K> {
    /// Nothing to react to.
    Nothing,
    /// The value of the field changed.
    Changed(K),
    /// The focus left the field: the time to check it.
    Left(K),
    /// The field wants its picker.
    Open(K),
    /// Several lines were pasted into the field: fill several fields with
    /// them, or call [`Form::refuse_lines`]. Lines are trimmed, none is empty.
    Lines(K, Vec<SecretString>),
    /// Check everything and go on.
    Submit,
}

/// The fields of a form, its focus and its errors.
#[derive(Debug)]
pub struct Form<K> {
    fields: Vec<Field<K>>,
    focus: usize,
    /// What a paste did, under the focused field until the next key.
    notice: Option<String>,
    dirty: bool,
    scroll: Scroll,
}

impl<K: Copy + PartialEq> Form<K> {
    /// A form of these fields, the focus on the first.
    pub fn new(fields: impl IntoIterator<Item = Field<K>>) -> Self {
        let mut form = Self {
            fields: fields.into_iter().collect(),
            focus: 0,
            notice: None,
            dirty: false,
            scroll: Scroll::default(),
        };
        form.focus = form.reachable().first().copied().unwrap_or(0);
        form
    }

    /// Moves, opens, reveals or submits.
    pub fn act(&mut self, to: FormMove) -> Said<K> {
        self.notice = None;
        match to {
            FormMove::Next => self.step(true),
            FormMove::Previous => self.step(false),
            FormMove::Submit => Said::Submit,
            FormMove::Reveal => {
                if let Some(field) = self.fields.get_mut(self.focus) {
                    field.reveal();
                }
                Said::Nothing
            }
            FormMove::Enter => self.enter(),
        }
    }

    /// Takes a key of typing or choosing.
    pub fn key(&mut self, key: KeyEvent) -> Said<K> {
        self.notice = None;
        let Some(field) = self.fields.get_mut(self.focus) else { return Said::Nothing };
        match (field.key(key), field.name) {
            (Did::Changed, Some(name)) => {
                field.error = None;
                self.dirty = true;
                Said::Changed(name)
            }
            (Did::Open, Some(name)) => Said::Open(name),
            _ => Said::Nothing,
        }
    }

    /// Takes pasted text into the focused field.
    pub fn paste(&mut self, text: &str) -> Said<K> {
        self.notice = None;
        let Some(field) = self.fields.get_mut(self.focus) else { return Said::Nothing };
        let name = field.name;
        let Some(input) = field.input() else {
            self.notice = Some("nothing can be pasted here".to_owned());
            return Said::Nothing;
        };
        let pasted = input.paste(text);
        if let (true, Some(name)) = (pasted.several_lines, name) {
            let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
            return Said::Lines(name, lines.map(|line| SecretString::new(line.into())).collect());
        }
        field.error = None;
        self.notice = pasted.notice();
        self.dirty |= !pasted.too_long;
        match name {
            Some(name) if !pasted.too_long => Said::Changed(name),
            _ => Said::Nothing,
        }
    }

    /// Says that the field takes one line.
    pub fn refuse_lines(&mut self) {
        self.notice = Some("several lines; paste one line into this field".to_owned());
    }

    /// Says `notice` under the focused field until the next key.
    pub fn notice(&mut self, notice: &str) {
        self.notice = Some(notice.to_owned());
    }

    /// A click at `at`: moves the focus there, and acts where a click acts.
    pub fn click(&mut self, at: Position) -> Said<K> {
        let Some(index) = self.field_at(at) else { return Said::Nothing };
        if index == self.focus {
            return match self.fields.get(index).map(|field| &field.content) {
                Some(Content::Pick { .. } | Content::Section { .. } | Content::Toggle(_)) => {
                    self.enter()
                }
                _ => Said::Nothing,
            };
        }
        self.go(index)
    }

    /// A mouse event: the left button clicks.
    pub fn mouse(&mut self, mouse: MouseEvent) -> Said<K> {
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                self.click(Position::new(mouse.column, mouse.row))
            }
            _ => Said::Nothing,
        }
    }

    /// Time has come to `now`: a shown secret may hide itself.
    pub fn tick(&mut self, now: Duration) {
        for field in &mut self.fields {
            field.tick(now);
        }
    }

    /// Whether a secret is readable now: the answer for `wants_tick`.
    pub fn wants_tick(&self) -> bool {
        self.fields.iter().any(Field::is_shown)
    }

    /// Whether anything was changed by hand: the answer for `is_dirty`.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// What is in it is safe now.
    pub fn mark_saved(&mut self) {
        self.dirty = false;
    }

    /// The field with the focus.
    pub fn focused(&self) -> Option<K> {
        self.fields.get(self.focus).and_then(|field| field.name)
    }

    /// Moves the focus to `name`, opening its section.
    pub fn focus(&mut self, name: K) {
        if let Some(index) = self.index(name) {
            self.unfold(index);
            let _left = self.go(index);
        }
    }

    /// The text of a text field, or what a pick shows.
    pub fn text(&self, name: K) -> &str {
        match self.content(name) {
            Some(Content::Text(input)) => input.value(),
            Some(Content::Pick { value: Some(value), .. }) => value,
            _ => "",
        }
    }

    /// A copy of a secret, wiped on its own.
    pub fn secret(&self, name: K) -> SecretString {
        match self.content(name) {
            Some(Content::Secret { input, .. }) => SecretString::new(input.value().to_owned()),
            _ => SecretString::new(String::new()),
        }
    }

    /// Which option is chosen.
    pub fn chosen(&self, name: K) -> usize {
        match self.content(name) {
            Some(Content::Choice { chosen, .. }) => *chosen,
            _ => 0,
        }
    }

    /// Whether a toggle is on.
    pub fn is_on(&self, name: K) -> bool {
        matches!(self.content(name), Some(Content::Toggle(true)))
    }

    /// Puts a text into a text field, or what a pick shows. Not by hand: the form stays clean.
    pub fn set_text(&mut self, name: K, text: &str) {
        if let Some(field) = self.field_mut(name) {
            field.error = None;
            match &mut field.content {
                Content::Text(input) => input.set(text),
                Content::Pick { value, .. } => {
                    *value = (!text.is_empty()).then(|| text.to_owned());
                }
                _ => {}
            }
        }
    }

    /// Puts a secret into a secret field.
    pub fn set_secret(&mut self, name: K, secret: &SecretString) {
        if let Some(field) = self.field_mut(name) {
            field.error = None;
            if let Content::Secret { input, .. } = &mut field.content {
                input.set(secret.expose());
            }
        }
    }

    /// Chooses an option.
    pub fn set_chosen(&mut self, name: K, index: usize) {
        if let Some(Content::Choice { options, chosen }) = self.content_mut(name) {
            *chosen = index.min(options.len().saturating_sub(1));
        }
    }

    /// Puts other options in place; the first is chosen.
    pub fn set_options<T: Into<String>>(&mut self, name: K, list: impl IntoIterator<Item = T>) {
        if let Some(Content::Choice { options, chosen }) = self.content_mut(name) {
            *options = list.into_iter().map(Into::into).collect();
            *chosen = 0;
        }
    }

    /// Turns a toggle.
    pub fn set_on(&mut self, name: K, on: bool) {
        if let Some(Content::Toggle(held)) = self.content_mut(name) {
            *held = on;
        }
    }

    /// Counts as changed by hand: after a picker's answer, or filling from a paste.
    pub fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    /// Puts a field into the form or takes it out; its value stays.
    pub fn show(&mut self, name: K, shown: bool) {
        if let Some(field) = self.field_mut(name) {
            field.hidden = !shown;
        }
        if !self.reachable().contains(&self.focus) {
            self.focus = self.reachable().first().copied().unwrap_or(0);
        }
    }

    /// Changes the help line of a field.
    pub fn set_help(&mut self, name: K, help: &str) {
        if let Some(field) = self.field_mut(name) {
            help.clone_into(&mut field.help);
        }
    }

    /// Puts an error under a field, or takes it away. Text from outside must
    /// have passed `visible`.
    pub fn set_error(&mut self, name: K, error: Option<String>) {
        if let Some(field) = self.field_mut(name) {
            field.error = error;
        }
    }

    /// Puts a remark under a field that refuses nothing, or takes it away. It stays while the
    /// focus is elsewhere, and gives way to an error.
    pub fn set_remark(&mut self, name: K, remark: Option<&str>) {
        if let Some(field) = self.field_mut(name) {
            field.remark = remark.map(str::to_owned);
        }
    }

    /// After a submit: all errors at once, the focus on the first field that has one.
    pub fn set_errors<T: Into<String>>(&mut self, errors: impl IntoIterator<Item = (K, T)>) {
        for field in &mut self.fields {
            field.error = None;
        }
        for (name, error) in errors {
            self.set_error(name, Some(error.into()));
        }
        let first = self.fields.iter().position(|field| field.error.is_some());
        if let Some(first) = first {
            self.unfold(first);
            let _left = self.go(first);
        }
    }

    /// The error under a field.
    pub fn error(&self, name: K) -> Option<&str> {
        self.index(name).and_then(|index| self.fields.get(index)?.error.as_deref())
    }

    fn enter(&mut self) -> Said<K> {
        let last = self.reachable().last() == Some(&self.focus);
        let Some(field) = self.fields.get_mut(self.focus) else { return Said::Nothing };
        match (&mut field.content, field.name) {
            (Content::Pick { .. }, Some(name)) => Said::Open(name),
            (Content::Toggle(on), Some(name)) => {
                *on = !*on;
                self.dirty = true;
                Said::Changed(name)
            }
            (Content::Section { open }, _) => {
                *open = !*open;
                Said::Nothing
            }
            _ if last => Said::Submit,
            _ => self.step(true),
        }
    }

    /// To the next field or the one before, round the ends.
    fn step(&mut self, forward: bool) -> Said<K> {
        let reachable = self.reachable();
        let len = reachable.len();
        let Some(at) = reachable.iter().position(|index| *index == self.focus) else {
            return Said::Nothing;
        };
        let to = if forward { (at + 1) % len } else { (at + len - 1) % len };
        reachable.get(to).copied().map_or(Said::Nothing, |index| self.go(index))
    }

    fn go(&mut self, index: usize) -> Said<K> {
        let left = std::mem::replace(&mut self.focus, index);
        self.notice = None;
        match self.fields.get_mut(left) {
            Some(field) if left != index => {
                field.hide();
                field.name.map_or(Said::Nothing, Said::Left)
            }
            _ => Said::Nothing,
        }
    }

    /// Fields in the form now: neither hidden nor in a folded section.
    fn reachable(&self) -> Vec<usize> {
        let mut open = true;
        let mut found = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            match field.content {
                Content::Section { open: section } => {
                    open = section;
                    found.push(index);
                }
                _ if open && !field.hidden => found.push(index),
                _ => {}
            }
        }
        found
    }

    fn unfold(&mut self, index: usize) {
        let above = self.fields.iter_mut().take(index + 1).rev();
        for field in above {
            if let Content::Section { open } = &mut field.content {
                *open = true;
                return;
            }
        }
    }

    fn index(&self, name: K) -> Option<usize> {
        self.fields.iter().position(|field| field.name == Some(name))
    }

    fn field_mut(&mut self, name: K) -> Option<&mut Field<K>> {
        self.fields.iter_mut().find(|field| field.name == Some(name))
    }

    fn content(&self, name: K) -> Option<&Content> {
        self.index(name).and_then(|index| self.fields.get(index)).map(|field| &field.content)
    }

    fn content_mut(&mut self, name: K) -> Option<&mut Content> {
        self.field_mut(name).map(|field| &mut field.content)
    }
}

#[cfg(test)]
mod tests;
