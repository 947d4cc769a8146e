//! The top line: which tabs there are, which one is shown, and how things stand.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::text::{cells, width};

/// A tab as the top line shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Its name.
    pub name: &'static str,
    /// What stands after the name; already showable.
    pub badge: String,
}

/// One part of the status at the right; already showable.
pub type Status = (Tone, String);

/// Cells the status needs to say where one is.
const STATUS: u16 = 24;

/// The name, and where each tab stands: its first cell and what is written. Drawing and clicking
/// both ask here. Where it gets narrow the name gives way: the status says more.
fn layout<'a>(name: &'a str, tabs: &[Tab], room: u16) -> (&'a str, Vec<(u16, String)>) {
    let place = |first: u16, gap: u16| {
        let mut x = first;
        let mut places = Vec::new();
        for (index, tab) in tabs.iter().enumerate() {
            let space = if tab.badge.is_empty() { "" } else { " " };
            let text = format!("{} {}{space}{}", index + 1, tab.name, tab.badge);
            let end = x.saturating_add(cells(width(&text)));
            places.push((x, text));
            x = end.saturating_add(gap);
        }
        (places, x)
    };
    let (places, end) = place(cells(width(name) + 4), 2);
    if end.saturating_add(STATUS) <= room { (name, places) } else { ("", place(1, 1).0) }
}

/// Draws ` name   1 First  2 Second        status`. Parts of the status that do
/// not fit are left out from the left, the tabs never.
pub fn view(
    frame: &mut Frame<'_>,
    area: Rect,
    theme: &Theme,
    name: &str,
    tabs: &[Tab],
    shown: usize,
    status: &[Status],
) {
    if area.is_empty() {
        return;
    }
    let room = |x: u16| usize::from(area.width.saturating_sub(x));
    let (name, places) = layout(name, tabs, area.width);
    frame.buffer_mut().set_stringn(area.x, area.y, format!(" {name}"), room(0), theme.title());
    let mut end = cells(width(name) + 1);
    for (index, (x, text)) in places.into_iter().enumerate() {
        if x >= area.width {
            return;
        }
        let style = if index == shown { theme.selected() } else { Style::new() };
        let at = area.x.saturating_add(x);
        frame.buffer_mut().set_stringn(at, area.y, &text, room(x), style);
        end = x.saturating_add(cells(width(&text)));
    }
    let mut line = Line::default();
    for (tone, text) in status.iter().rev() {
        let sign =
            if *tone == Tone::Neutral { String::new() } else { format!(" {}", theme.sign(*tone)) };
        let part = Line::styled(format!("{text}{sign}"), theme.tone(*tone));
        let gap = if line.spans.is_empty() { "" } else { " · " };
        if line.width() + gap.len() + part.width() + 2 > room(end) {
            break;
        }
        if !gap.is_empty() {
            line.spans.insert(0, gap.into());
        }
        let style = part.style;
        line.spans.splice(0..0, part.spans.into_iter().map(|span| span.patch_style(style)));
    }
    let size = cells(line.width() + 1);
    let x = area.right().saturating_sub(size);
    frame.render_widget(line, Rect { x, width: size.min(area.width), height: 1, ..area });
}

/// The tab under column `x` of the top line.
pub fn hit(name: &str, tabs: &[Tab], area: Rect, x: u16) -> Option<usize> {
    let x = x.checked_sub(area.x)?;
    let (_, places) = layout(name, tabs, area.width);
    places
        .into_iter()
        .position(|(start, text)| (start..start.saturating_add(cells(width(&text)))).contains(&x))
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn drawn(width: u16) -> String {
        let tab = |name, badge: &str| Tab { name, badge: badge.into() };
        let tabs = [tab("Stacks", ""), tab("Transfers", "2↓")];
        let status =
            [(Tone::Neutral, "sandbox".into()), (Tone::Good, "zenml prod/default 0.98".into())];
        let mut terminal = Terminal::new(TestBackend::new(width, 1)).unwrap();
        let theme = Theme::default();
        terminal
            .draw(|frame| view(frame, frame.area(), &theme, "osstack", &tabs, 0, &status))
            .unwrap();
        let drawn = terminal.backend().to_string().trim_end().to_owned();
        let second = u16::try_from(drawn.find('2').unwrap()).unwrap() - 1;
        let line = Rect::new(0, 0, width, 1);
        assert_eq!(hit("osstack", &tabs, line, second), Some(1));
        assert_eq!(hit("osstack", &tabs, line, second - 1), None);
        drawn
    }

    #[test]
    fn the_name_gives_way_first_then_the_status_and_the_tabs_never() {
        assert_eq!(
            drawn(80),
            "\" osstack   1 Stacks  2 Transfers 2↓         sandbox · zenml prod/default 0.98 ✓ \""
        );
        assert_eq!(
            drawn(66),
            "\" osstack   1 Stacks  2 Transfers 2↓     zenml prod/default 0.98 ✓ \""
        );
        assert_eq!(drawn(54), "\" 1 Stacks 2 Transfers 2↓    zenml prod/default 0.98 ✓ \"");
        assert_eq!(drawn(38), "\" 1 Stacks 2 Transfers 2↓              \"");
    }
}
