use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::tui::event_loop::QUEUE;

const SCREEN: Rect = Rect { x: 0, y: 0, width: 80, height: 24 };
const CELL: CellSize = CellSize { width: 10, height: 20 };

/// A picture of one colour in a hole of that many cells.
fn placed(colour: [u8; 3], size: (usize, usize), (width, height): (u16, u16)) -> Placed {
    let pixels = Arc::new(Pixels::new(size.0, vec![colour; size.0 * size.1]));
    Placed { pixels, hole: Hole { area: Rect::new(2, 3, width, height), cell: CELL } }
}

/// What is written for `picture` until it is there.
fn shown(
    pictures: &mut Pictures,
    queue: &mut mpsc::Receiver<Wake>,
    picture: &Placed,
    screen: Rect,
) -> String {
    let mut out = Vec::new();
    pictures.show(&mut out, Some(picture.clone()), screen).unwrap();
    assert!(matches!(queue.blocking_recv(), Some(Wake::PictureReady)));
    pictures.show(&mut out, Some(picture.clone()), screen).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_picture_is_written_once_and_taken_away_where_it_would_stay() {
    for (protocol, begin) in [
        (Protocol::Kitty, "\x1b_Ga=T,f=100,"),
        (Protocol::Iterm2, "\x1b]1337;File=inline=1;"),
        (Protocol::Sixel, "\x1bP0;1;0q"),
    ] {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let mut pictures = Pictures::new(protocol, sender).unwrap();
        let red = placed([255, 0, 0], (4, 4), (4, 2));
        let said = shown(&mut pictures, &mut queue, &red, SCREEN);
        assert!(said.starts_with("\x1b7\x1b[4;3H") && said.ends_with("\x1b8"), "{said:?}");
        assert_eq!(said.matches(begin).count(), 1, "{said:?}");
        let mut say = |picture: Option<Placed>| {
            let mut out = Vec::new();
            pictures.show(&mut out, picture, SCREEN).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(say(Some(red.clone())), "", "it is there");
        let removal = if protocol == Protocol::Kitty { kitty::REMOVAL } else { "" };
        assert_eq!(say(None), removal, "the cells of the others are written over");
        assert_eq!(say(None), "");
        // a terminal of another size is cleared before
        shown(&mut pictures, &mut queue, &red, SCREEN);
        let wider = Rect { width: 90, ..SCREEN };
        let again = shown(&mut pictures, &mut queue, &red, wider);
        assert!(again.starts_with(removal) && again.contains(begin), "{again:?}");
        pictures.forget();
        assert!(!pictures.is_kept());
        assert!(shown(&mut pictures, &mut queue, &red, wider).contains(begin));
        assert_eq!(pictures.is_kept(), protocol == Protocol::Kitty);
    }
}

#[test]
fn what_was_passed_over_is_not_written() {
    let (sender, mut queue) = mpsc::channel(QUEUE);
    let mut pictures = Pictures::new(Protocol::Sixel, sender).unwrap();
    let (red, blue) = (placed([255, 0, 0], (4, 4), (4, 2)), placed([0, 0, 255], (4, 4), (4, 2)));
    let mut out = Vec::new();
    pictures.show(&mut out, Some(red), SCREEN).unwrap();
    pictures.show(&mut out, Some(blue.clone()), SCREEN).unwrap();
    while !pictures.is_shown() {
        assert!(matches!(queue.blocking_recv(), Some(Wake::PictureReady)));
        pictures.show(&mut out, Some(blue.clone()), SCREEN).unwrap();
    }
    let said = String::from_utf8(out).unwrap();
    assert!(said.contains("#0;2;0;0;100") && !said.contains("#0;2;100;0;0"), "{said:?}");
}

#[test]
fn no_more_is_sent_than_a_slow_line_carries() {
    // what no encoder makes smaller
    let mut state = 1_u32;
    let noise = (0..800 * 500).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [red, green, blue, _] = state.to_be_bytes();
        [red, green, blue]
    });
    let pixels = Arc::new(Pixels::new(800, noise.collect()));
    let hole = Hole { area: Rect::new(0, 0, 80, 25), cell: CELL };
    for protocol in [Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel] {
        let placed = Placed { pixels: Arc::clone(&pixels), hole };
        let length = protocol.encode(&placed).unwrap().len();
        assert!((MOST_BYTES / 4..=MOST_BYTES).contains(&length), "{protocol:?} {length}");
    }
}

#[test]
fn kitty_gets_no_more_than_it_takes_at_once() {
    let said = kitty::show(&[7; 9000], (3, 2));
    let said = String::from_utf8(said).unwrap();
    let parts: Vec<&str> = said.split_terminator("\x1b\\").collect();
    let heads: Vec<&str> = parts.iter().map(|part| part.split_once(';').unwrap().0).collect();
    assert_eq!(
        heads,
        ["\x1b_Ga=T,f=100,i=7304051,q=2,C=1,c=3,r=2,m=1", "\x1b_Gq=2,m=1", "\x1b_Gq=2,m=0"]
    );
    let lengths = parts.iter().map(|part| part.split_once(';').unwrap().1.len());
    assert_eq!(lengths.collect::<Vec<_>>(), [4096, 4096, 12_000 - 8192]);
}

#[test]
fn sixels_by_hand() {
    // two columns and seven rows: black at the left, white at the right, the last row white
    let mut rgb = [[0; 3], [255; 3]].repeat(6);
    rgb.extend([[255; 3]; 2]);
    let said = String::from_utf8(sixel::show(&Pixels::new(2, rgb))).unwrap();
    assert_eq!(said, "\x1bP0;1;0q\"1;1;2;7#0;2;100;100;100#1;2;0;0;0#0?~$#1~?$-#0@@$-\x1b\\");
    let long = String::from_utf8(sixel::show(&Pixels::new(9, vec![[0; 3]; 9]))).unwrap();
    assert!(long.ends_with("#0!9@$-\x1b\\"), "{long:?}");
}

#[test]
fn a_hole_that_something_is_drawn_over_is_none() {
    let mut terminal = Terminal::new(TestBackend::new(20, 6)).unwrap();
    let pixels = Arc::new(Pixels::new(1, vec![[0; 3]]));
    for (text, is_whole) in [("", true), ("x", false), (" ", false)] {
        terminal
            .draw(|frame| {
                let hole = Hole::cut(frame, Rect::new(2, 1, 6, 3), CELL);
                frame.render_widget(ratatui::widgets::Clear, Rect::new(8, 1, 4, 1));
                if !text.is_empty() {
                    frame.render_widget(ratatui::widgets::Clear, Rect::new(7, 3, 9, 1));
                    frame.buffer_mut().set_string(7, 3, text, Style::new());
                }
                let placed = Placed { pixels: Arc::clone(&pixels), hole };
                assert_eq!(placed.is_whole(frame.buffer_mut()), is_whole, "{text:?}");
            })
            .unwrap();
    }
    assert!(terminal.backend().buffer().content().iter().all(|cell| " x".contains(cell.symbol())));
}
