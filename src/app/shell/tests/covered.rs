//! A picture by its pixels lies over the cells: only what nothing covers is shown so.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use ratatui::backend::TestBackend;
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal};

use crate::app::shell::{Options, Stage, Tab};
use crate::base::pixels::Pixels;
use crate::tui::event_loop::{Program as _, Wake};
use crate::tui::keymap::Bind;
use crate::tui::pictures::{CellSize, Hole, Placed};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Drawing, Theme, Tone};

const CELL: CellSize = CellSize { width: 10, height: 20 };

/// A picture and nothing else.
struct Painting {
    pixels: Arc<Pixels>,
    hole: Cell<Option<Hole>>,
}

#[derive(Clone, Copy, Debug)]
struct Tell;

impl Screen for Painting {
    type World = ();
    type Command = Tell;
    type Msg = ();
    type Answer = ();

    const NAME: &'static str = "painting";
    const KEYS: &'static [Bind<Self>] = &[Bind::new(&["t"], Tell, "tell")];

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Tell) => Step::toast(Tone::Good, "told"),
            _ => Step::none(),
        }
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let cell = match theme.pictures {
            Drawing::Pixels(cell) => cell,
            Drawing::Blocks | Drawing::Off => {
                self.hole.set(None);
                return frame.render_widget("▀▀▀▀", area);
            }
        };
        self.hole.set(Some(Hole::cut(frame, area, cell)));
    }

    fn picture(&self) -> Option<Placed> {
        Some(Placed { pixels: Arc::clone(&self.pixels), hole: self.hole.get()? })
    }
}

fn stage() -> Stage<()> {
    let pixels = Arc::new(Pixels::new(1, vec![[0; 3]]));
    let tabs = [Tab::new("Painting", Painting { pixels, hole: Cell::new(None) })];
    let theme = Theme { pictures: Drawing::Pixels(CELL), ..Theme::default() };
    Stage::with(Arc::new(()), tabs, Options { theme, ..Options::default() })
}

/// What the terminal is to show over the cells, and whether there are blocks in these.
fn seen(stage: &mut Stage<()>) -> (Option<Hole>, bool) {
    let mut picture = None;
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| picture = stage.shell().view(frame)).unwrap();
    let has_blocks = stage.picture().contains('▀');
    (picture.map(|placed| placed.hole), has_blocks)
}

#[tokio::test]
async fn what_covers_a_part_of_a_picture_makes_it_blocks() {
    let mut stage = stage();
    let (hole, has_blocks) = seen(&mut stage);
    assert!(hole.is_some() && !has_blocks);
    // a message in its corner, which goes by itself
    stage.keys("t");
    assert_eq!(seen(&mut stage), (None, true));
    stage.pass(Duration::from_secs(5));
    assert_eq!(seen(&mut stage), (hole, false));
    // a window
    stage.keys("?");
    assert_eq!(seen(&mut stage).0, None);
    stage.keys("<esc>");
    assert_eq!(seen(&mut stage), (hole, false));
    // a window that is too small
    stage.resize(30, 8);
    let mut small = Terminal::new(TestBackend::new(30, 8)).unwrap();
    small.draw(|frame| assert!(stage.shell().view(frame).is_none())).unwrap();
}

#[tokio::test]
async fn cells_of_another_size_make_another_hole() {
    let mut stage = stage();
    let (hole, _) = seen(&mut stage);
    stage.wake(Wake::Cell(CELL));
    assert_eq!(seen(&mut stage).0, hole);
    stage.wake(Wake::Cell(CellSize { width: 9, height: 18 }));
    let (other, _) = seen(&mut stage);
    assert!(other.is_some() && other != hole);
}
