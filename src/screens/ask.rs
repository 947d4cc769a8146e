//! A window that asks for one thing: a name to rename to, a file to write.

use std::fmt;
use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::{Rect, Size};

use crate::model::name::Name;
use crate::model::object_key::ObjectKey;
use crate::ops::world::World;
use crate::tui::keymap::{Bind, FormMove, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::Theme;
use crate::tui::widget::form::{Field, Form, Said};
use crate::tui::widget::split::pane;

/// Asks for a text that reads as a `T`, which is the answer.
pub struct Ask<T> {
    title: String,
    form: Form<Only>,
    read: fn(&str) -> Result<T, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    It,
}

impl Ask<Name> {
    /// Asks for a name that ZenML takes, beginning with `initial`.
    pub fn name(title: impl Into<String>, initial: &str) -> Self {
        let read = |text: &str| Name::parse(text).map_err(|error| error.to_string());
        Self::new(title, "name", "letters, digits, _ and -", initial, read)
    }
}

impl Ask<PathBuf> {
    /// Asks for a file or folder of this machine.
    pub fn path(title: impl Into<String>, label: &str, help: &str, initial: &str) -> Self {
        let read = |text: &str| match text.trim() {
            "" => Err("a path is needed, for example ./stack.sh".to_owned()),
            path if path.contains('\0') => Err("a path holds no NUL: type it again".to_owned()),
            path => Ok(PathBuf::from(path)),
        };
        Self::new(title, label, help, initial, read)
    }
}

impl Ask<String> {
    /// Asks for a text that is not empty.
    pub fn text(title: impl Into<String>, label: &str, help: &str) -> Self {
        let read = |text: &str| match text.trim() {
            "" => Err("type or paste it here".to_owned()),
            text => Ok(text.to_owned()),
        };
        Self::new(title, label, help, "", read)
    }
}

impl Ask<String> {
    /// Asks for a key, exactly as it is typed: blanks at its ends are part of it.
    pub fn key(title: impl Into<String>, help: &str, initial: &str) -> Self {
        let read = |text: &str| match ObjectKey::parse(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(error.to_string()),
        };
        Self::new(title, "to", help, initial, read)
    }
}

impl<T> Ask<T> {
    fn new(
        title: impl Into<String>,
        label: &str,
        help: &str,
        initial: &str,
        read: fn(&str) -> Result<T, String>,
    ) -> Self {
        let field = Field::text(Only::It, label).required().value(initial).help(help);
        Self { title: title.into(), form: Form::new([field]), read }
    }
}

impl<T> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ask({})", self.title)
    }
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Move in the form, or hand it in.
    Form(FormMove),
}

impl<T: Send + 'static> Screen for Ask<T> {
    type World = World;
    type Command = Command;
    type Msg = ();
    type Answer = T;

    const NAME: &'static str = "ask";
    const KEYS: &'static [Bind<Self>] = &[];
    const MOVES: Moves<Command> = Moves::Form(Command::Form);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        let said = match event {
            Event::Command(Command::Form(to)) => self.form.act(to),
            Event::Key(key) => self.form.key(key),
            Event::Paste(text) => self.form.paste(&text),
            _ => return Step::none(),
        };
        match said {
            Said::Submit => match (self.read)(self.form.text(Only::It)) {
                Ok(answer) => return Step::answer(answer),
                Err(error) => self.form.set_errors([(Only::It, error)]),
            },
            Said::Lines(..) => self.form.refuse_lines(),
            _ => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let inner = pane(frame, area, theme, &self.title, true);
        self.form.view(frame, inner, theme);
    }

    fn title(&self) -> String {
        self.title.clone()
    }

    fn captures_text(&self) -> bool {
        true
    }

    fn popup(&self) -> Option<Size> {
        Some(Size::new(64, 6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_zenml_takes_leaves_the_window() {
        let submit = || Event::Command(Command::Form(FormMove::Submit));
        let mut dialog = Ask::name("Rename", "a.b");
        assert!(dialog.update(submit()).into_answer().is_none());
        assert!(dialog.form.error(Only::It).unwrap().contains("dot"));
        let mut dialog = Ask::name("Rename", "custom_stack");
        assert_eq!(dialog.update(submit()).into_answer().unwrap().as_str(), "custom_stack");
    }

    #[test]
    fn a_path_is_needed() {
        let mut dialog = Ask::path("Export", "file", "", " ");
        let step = dialog.update(Event::Command(Command::Form(FormMove::Submit)));
        assert!(step.into_answer().is_none());
    }
}
