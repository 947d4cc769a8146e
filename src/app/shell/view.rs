//! The frame around the layers.

use ratatui::Frame;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Clear;

use super::Shell;
use crate::tui::pictures::Placed;
use crate::tui::theme::{Drawing, Theme};
use crate::tui::widget::split::centred;
use crate::tui::widget::text::fit_line;
use crate::tui::widget::{footer, tabs};

/// What the top line begins with.
pub(super) const NAME: &str = "osstack";
/// Below this one line says that the window is too small.
const SMALLEST: Size = Size::new(40, 10);

impl<W: Send + Sync + 'static> Shell<W> {
    /// Draws everything but the picture it answers.
    pub(super) fn draw(&self, frame: &mut Frame<'_>) -> Option<Placed> {
        let theme = &self.options.theme;
        let area = frame.area();
        if area.width < SMALLEST.width || area.height < SMALLEST.height {
            let line = Line::raw(format!("{NAME} needs a window of {SMALLEST}"));
            let place = Rect { height: area.height.min(1), ..area };
            frame.render_widget(fit_line(line, usize::from(area.width), theme), place);
            return None;
        }
        let (top, body, bottom) = Self::parts(area);
        let status = (self.options.status)(self.runtime.world());
        tabs::view(frame, top, theme, NAME, &self.tab_names(), self.shown, &status);
        self.draw_layers(frame, body, theme);
        let left = self.top().and_then(|top| top.layer.picture());
        let picture = left.clone().filter(|picture| picture.is_whole(frame.buffer_mut()));
        if left.is_some() && picture.is_none() {
            // blocks go around what covers a part of them
            self.draw_layers(frame, body, &by_blocks(theme));
        }
        let (rows, own) = self.rows();
        footer::view(frame, bottom, theme, &rows, own);
        picture
    }

    /// The layers that are in sight, and messages over them.
    fn draw_layers(&self, frame: &mut Frame<'_>, body: Rect, theme: &Theme) {
        let entries = self.tabs.get(self.shown).map(|tab| &*tab.entries).unwrap_or_default();
        let full = entries.iter().rposition(|entry| entry.layer.popup().is_none()).unwrap_or(0);
        let below = by_blocks(theme);
        for (index, entry) in entries.iter().enumerate().skip(full) {
            let place = match entry.layer.popup() {
                Some(size) => centred(body, size.width, size.height),
                None => body,
            };
            let theme = if index + 1 == entries.len() { theme } else { &below };
            frame.render_widget(Clear, place);
            entry.layer.view(frame, place, theme);
        }
        self.toasts.view(frame, body, theme);
    }

    /// The top line, the room of the layers, the footer.
    pub(super) fn parts(area: Rect) -> (Rect, Rect, Rect) {
        let top = Rect { height: area.height.min(1), ..area };
        let rest = area.height - top.height;
        let bottom =
            Rect { y: area.bottom().saturating_sub(rest.min(1)), height: rest.min(1), ..area };
        let body = Rect { y: top.bottom(), height: rest - bottom.height, ..area };
        (top, body, bottom)
    }

    pub(super) fn area(&self) -> Rect {
        Rect::new(0, 0, self.size.width, self.size.height)
    }

    pub(super) fn tab_names(&self) -> Vec<tabs::Tab> {
        let badge = |tab: &super::Stack<W>| {
            tab.entries.first().map(|root| root.layer.badge()).unwrap_or_default()
        };
        self.tabs.iter().map(|tab| tabs::Tab { name: tab.name, badge: badge(tab) }).collect()
    }
}

/// Without pixels, for what something else covers.
fn by_blocks(theme: &Theme) -> Theme {
    let pictures = match theme.pictures {
        Drawing::Pixels(_) => Drawing::Blocks,
        other => other,
    };
    Theme { pictures, ..theme.clone() }
}
