//! A picture: a hole for its pixels where the terminal takes them, else by half blocks, two pixels
//! a cell, as every terminal can show it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::base::pixels::{Pixels, part};
use crate::tui::pictures::{CellSize, Hole};
use crate::tui::theme::{Drawing, Theme};
use crate::tui::widget::text::cells;

/// Rows below which nothing would be recognised.
const LEAST: u16 = 3;

/// Draws it as large as there is room, with no pixel larger than a cell is wide; or leaves the
/// room for it.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    area: Rect,
    pixels: &Pixels,
    theme: &Theme,
) -> Option<Hole> {
    let (width, height) = pixels.size();
    if area.height < LEAST || area.width == 0 || width == 0 || height == 0 {
        return None;
    }
    match theme.pictures {
        Drawing::Pixels(cell) => Some(Hole::cut(frame, room(area, pixels.size(), cell), cell)),
        Drawing::Blocks if !theme.ascii => {
            blocks(frame, area, pixels, theme);
            None
        }
        Drawing::Blocks | Drawing::Off => None,
    }
}

/// The cells that a picture of `size` takes, with its proportions as near as cells can have them.
fn room(area: Rect, (width, height): (usize, usize), cell: CellSize) -> Rect {
    let (across, down) = (usize::from(cell.width).max(1), usize::from(cell.height).max(1));
    let most = (usize::from(area.width) * across, usize::from(area.height) * down);
    let size = fitted((width * across, height * across), most);
    let rounded = |pixels: usize, cell: usize| cells((pixels + cell / 2) / cell).max(1);
    Rect { width: rounded(size.0, across), height: rounded(size.1, down), ..area }
}

fn blocks(frame: &mut Frame<'_>, area: Rect, pixels: &Pixels, theme: &Theme) {
    let (width, height) = pixels.size();
    let (across, down) = (usize::from(area.width), usize::from(area.height) * 2);
    let (columns, rows) = fitted((width, height), (across, down));
    let buffer = frame.buffer_mut();
    for (y, top) in (area.y..area.bottom()).zip((0..rows).step_by(2)) {
        for (x, column) in (area.x..area.right()).zip(0..columns) {
            let colour = |row: usize| {
                let part = pixels.average(part(column, columns, width), part(row, rows, height));
                theme.shade(part)
            };
            let Some(upper) = colour(top) else { return };
            let style = Style::new().fg(upper);
            // the last row may be half a cell
            let lower = (top + 1 < rows).then(|| colour(top + 1)).flatten();
            let style = lower.map_or(style, |lower| style.bg(lower));
            buffer.set_string(x, y, "▀", style);
        }
    }
}

/// The size it is drawn in, with its proportions.
fn fitted((width, height): (usize, usize), (across, down): (usize, usize)) -> (usize, usize) {
    if width <= across && height <= down {
        return (width, height);
    }
    // by the side that is shorter of room
    if width * down > height * across {
        (across, (height * across / width).max(1))
    } else {
        ((width * down / height).max(1), down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_stay() {
        assert_eq!(fitted((320, 240), (80, 200)), (80, 60));
        assert_eq!(fitted((320, 240), (200, 24)), (32, 24));
        assert_eq!(fitted((10, 10), (80, 40)), (10, 10));
        assert_eq!(fitted((1000, 1), (80, 40)), (80, 1));
        assert_eq!(fitted((1, 1000), (80, 40)), (1, 40));
    }

    #[cfg(feature = "pictures")]
    #[test]
    fn two_pixels_are_a_cell_in_colours_that_the_terminal_has() {
        use ratatui::Terminal;
        use ratatui::backend::TestBackend;
        use ratatui::style::Color;

        use crate::model::preview::{Next, Reader};
        use crate::screens::viewer::content::Reading;
        use crate::tui::theme::Shades;

        let bytes =
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preview/clear.png"));
        let reader = Reader::new("x.png", bytes.to_vec().into(), bytes.len() as u64, 0);
        let Next::Show(preview) = reader.look() else { panic!("it wants more") };
        let reading = Reading::new(preview);
        let cells = |theme: &Theme| {
            let mut terminal = Terminal::new(TestBackend::new(30, 8)).unwrap();
            terminal.draw(|frame| reading.view(frame, frame.area(), theme)).unwrap();
            let cells = terminal.backend().buffer().content()[4 * 30..4 * 30 + 5].to_vec();
            cells.into_iter().map(|cell| (cell.symbol().to_owned(), cell.fg, cell.bg)).collect()
        };
        let drawn: Vec<(String, Color, Color)> = cells(&Theme::default());
        let red = Color::Rgb(255, 0, 0);
        assert_eq!(drawn[0], ("▀".into(), Color::Rgb(255, 255, 255), red));
        assert_eq!(drawn[1], ("▀".into(), Color::Rgb(127, 127, 255), red));
        assert_eq!(drawn[4].0, " ", "no larger than it is");
        let drawn = cells(&Theme { shades: Shades::Indexed, ..Theme::default() });
        assert_eq!(drawn[0], ("▀".into(), Color::Indexed(231), Color::Indexed(196)));
        for few in [
            Theme { shades: Shades::Sixteen, ..Theme::default() },
            Theme { colour: false, ..Theme::default() },
            Theme::PLAIN,
        ] {
            assert!(cells(&few).iter().all(|(symbol, ..)| symbol == " "), "{few:?}");
        }
    }
}
