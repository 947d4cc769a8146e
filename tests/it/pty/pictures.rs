//! Pictures by the protocols of terminals: what is written is read here by other means, and is the
//! picture that the demo's bucket has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use osstack::base::pixels::Pixels;
use portable_pty::CommandBuilder;
use rustix::process::Signal;
use tempfile::TempDir;

use super::terminal::Terminal;

const PICTURE: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/output.png"));
/// What it takes in a window of 80 by 24: as high as there is room below what is said of it.
const CELLS: (usize, usize) = (51, 16);
/// The cells of a terminal that does not know how large they are.
const CELL: (usize, usize) = (10, 20);
/// What the pane of a picture says.
const OPEN: &str = "320 × 200";
/// What kitty is told to drop it.
const REMOVAL: &str = "\x1b_Ga=d,d=I,i=7304051,q=2\x1b\\";

/// The demo with a picture open, on a terminal that takes them so.
fn demo(pictures: &str) -> (Terminal, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
    command.arg("demo");
    let variables = [
        ("OSSTACK_PICTURES", pictures),
        ("COLORTERM", "truecolor"),
        ("TMPDIR", folder.path().to_str().unwrap()),
    ];
    let mut terminal = Terminal::run(command, &variables);
    terminal.wait_for("sandbox");
    terminal.send("4");
    terminal.wait_for("scratch_store");
    terminal.send("\rF");
    terminal.wait_for("zenml/**");
    terminal.send("/output.png\r");
    terminal.wait_for("3 of 100 objects");
    terminal.send("\r");
    terminal.wait_for(OPEN);
    (terminal, folder)
}

/// The sequences that begin and end so, without either.
fn sequences<'a>(written: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    let parts = written.split(begin).skip(1);
    parts.map(|part| part.split_once(end).expect("it has an end").0).collect()
}

fn text(terminal: &Terminal) -> String {
    String::from_utf8_lossy(terminal.bytes()).into_owned()
}

/// Waits until `part` was written so many times.
fn wait_for(terminal: &mut Terminal, part: &str, times: usize) {
    terminal
        .wait_until_written(|bytes| String::from_utf8_lossy(bytes).matches(part).count() == times);
}

fn decoded(png: &[u8]) -> Pixels {
    let image = image::load_from_memory_with_format(png, image::ImageFormat::Png).unwrap();
    let image = image.to_rgb8();
    Pixels::new(image.width() as usize, image.pixels().map(|pixel| pixel.0).collect())
}

/// The pictures that kitty was told to show: what was said of each, and its file.
fn of_kitty(written: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_open = false;
    for sequence in sequences(written, "\x1b_G", "\x1b\\") {
        let Some((control, data)) = sequence.split_once(';') else {
            assert!(!is_open, "nothing comes between the parts of one: {sequence}");
            continue;
        };
        assert!(data.len() <= 4096, "{}", data.len());
        if is_open {
            found.last_mut().unwrap().1 += data;
        } else {
            found.push((control.to_owned(), data.to_owned()));
        }
        is_open = control.ends_with("m=1");
        assert!(is_open || control.ends_with("m=0"), "{control}");
        assert!(control.contains("q=2"), "no answer may come among the keys: {control}");
    }
    assert!(!is_open);
    found.into_iter().map(|(control, data)| (control, STANDARD.decode(data).unwrap())).collect()
}

#[test]
fn kitty_shows_a_picture_until_something_covers_it() {
    const SHOW: &str = "\x1b_Ga=T,";
    let (mut terminal, _folder) = demo("kitty");
    wait_for(&mut terminal, SHOW, 1);
    // a window over it
    terminal.send("?");
    wait_for(&mut terminal, REMOVAL, 1);
    terminal.wait_for("Keys: ");
    let written = text(&terminal);
    let [(control, png)] = &of_kitty(&written)[..] else { panic!("it is sent once") };
    let (columns, rows) = CELLS;
    assert_eq!(
        control.split(",m=").next().unwrap(),
        format!("a=T,f=100,i=7304051,q=2,C=1,c={columns},r={rows}")
    );
    assert_eq!(decoded(png), decoded(PICTURE));
    assert!(written.contains('▀'), "blocks are seen around the window");
    // back to it, and frames that change nothing
    terminal.send("\x1b");
    wait_for(&mut terminal, SHOW, 2);
    terminal.send("jjk\x1b[<65;9;9M");
    // another size of the terminal
    terminal.resize(100, 30);
    wait_for(&mut terminal, SHOW, 3);
    terminal.send("\x1b");
    wait_for(&mut terminal, REMOVAL, 3);
    // the pane beside the list, where the cursor goes from one to the next
    terminal.resize(160, 48);
    terminal.send("p");
    wait_for(&mut terminal, SHOW, 4);
    terminal.send("j");
    wait_for(&mut terminal, SHOW, 5);
    terminal.send("p");
    wait_for(&mut terminal, REMOVAL, 5);
    terminal.send("q");
    let left = terminal.end();
    let written = String::from_utf8_lossy(&left.bytes).into_owned();
    assert_eq!((left.code, of_kitty(&written).len()), (Some(0), 5));
}

#[test]
fn kitty_keeps_nothing_of_a_program_that_was_stopped_or_ended() {
    const SHOW: &str = "\x1b_Ga=T,";
    let (mut terminal, _folder) = demo("kitty");
    wait_for(&mut terminal, SHOW, 1);
    terminal.signal(Signal::TSTP);
    terminal.wait_until_stopped();
    assert_eq!(text(&terminal).matches(REMOVAL).count(), 1);
    terminal.signal(Signal::CONT);
    wait_for(&mut terminal, SHOW, 2);
    terminal.signal(Signal::TERM);
    let written = String::from_utf8_lossy(&terminal.end().bytes).into_owned();
    let end = written.rsplit(SHOW).next().unwrap();
    let (removed, left) = (end.find(REMOVAL).unwrap(), end.find("\x1b[?1049l").unwrap());
    assert!(removed < left, "while the screen it is on is there");
}

#[test]
fn iterm2_gets_a_file_for_the_cells_it_fills() {
    const SHOW: &str = "\x1b]1337;File=";
    let (mut terminal, _folder) = demo("iterm2");
    wait_for(&mut terminal, SHOW, 1);
    terminal.send("jk\x1b");
    // in the last line, which is written last
    terminal.wait_for("esc clear filter");
    let written = text(&terminal);
    let [sequence] = sequences(&written, SHOW, "\x07")[..] else { panic!("it is sent once") };
    let (said, file) = sequence.split_once(':').unwrap();
    let png = STANDARD.decode(file).unwrap();
    let ((columns, rows), size) = (CELLS, png.len());
    assert_eq!(
        said,
        format!(
            "inline=1;size={size};width={columns};height={rows};preserveAspectRatio=0;\
             doNotMoveCursor=1"
        )
    );
    assert_eq!(decoded(&png), decoded(PICTURE));
    expect_written_over(&written, "\x07");
    terminal.send("q");
    assert_eq!(terminal.end().code, Some(0));
}

/// What was written after the picture leaves none of its cells as it is.
fn expect_written_over(written: &str, end: &str) {
    let (_, after) = written.rsplit_once(end).unwrap();
    let mut parser = vt100::Parser::new(24, 80, 0);
    for row in 1..=24 {
        parser.process(format!("\x1b[{row};1H{}", "X".repeat(80)).as_bytes());
    }
    parser.process(after.as_bytes());
    let screen = parser.screen();
    // the pane has a frame, and three lines and a blank one over the picture
    for row in (6..).take(CELLS.1) {
        for column in (1..).take(CELLS.0) {
            let cell = screen.cell(row, column).unwrap();
            assert_ne!(cell.contents(), "X", "row {row}, column {column}");
        }
    }
}

/// The pixels of a picture in sixels.
fn of_sixels(said: &str) -> Pixels {
    let (raster, mut rest) = said.split_at(said.find('#').unwrap());
    let raster: Vec<usize> = raster
        .strip_prefix("\"")
        .unwrap()
        .split(';')
        .map(|number| number.parse().unwrap())
        .collect();
    let [1, 1, width, height] = raster[..] else { panic!("{raster:?}") };
    let number = |rest: &mut &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        *rest = after;
        digits.parse::<usize>().unwrap()
    };
    let mut palette = vec![[0_u8; 3]; 256];
    let mut rgb: Vec<Option<[u8; 3]>> = vec![None; width * height];
    let (mut x, mut top, mut colour) = (0, 0, 0);
    while let Some(c) = rest.chars().next() {
        rest = &rest[1..];
        let mut count = 1;
        let mut sixel = c;
        match c {
            '#' => {
                colour = number(&mut rest);
                if let Some(defined) = rest.strip_prefix(";2;") {
                    rest = defined;
                    let parts = [0, 1, 2].map(|part| {
                        if part > 0 {
                            rest = rest.strip_prefix(';').unwrap();
                        }
                        u8::try_from((number(&mut rest) * 255 + 50) / 100).unwrap()
                    });
                    palette[colour] = parts;
                }
                continue;
            }
            '$' => x = 0,
            '-' => (x, top) = (0, top + 6),
            '!' => {
                count = number(&mut rest);
                sixel = rest.chars().next().unwrap();
                rest = &rest[1..];
            }
            _ => {}
        }
        if let '?'..='~' = sixel {
            let bits = u32::from(sixel) - 0x3f;
            for column in x..x + count {
                for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                    assert!(column < width && top + row < height, "outside of the raster");
                    rgb[(top + row) * width + column] = Some(palette[colour]);
                }
            }
            x += count;
        }
    }
    Pixels::new(width, rgb.into_iter().map(|pixel| pixel.expect("no pixel is left out")).collect())
}

#[test]
fn sixels_are_the_pixels_of_the_cells() {
    const SHOW: &str = "\x1bP0;1;0q";
    let (mut terminal, _folder) = demo("sixel");
    wait_for(&mut terminal, SHOW, 1);
    terminal.send("jk\x1b");
    // in the last line, which is written last
    terminal.wait_for("esc clear filter");
    let written = text(&terminal);
    let [sequence] = sequences(&written, SHOW, "\x1b\\")[..] else { panic!("it is sent once") };
    let shown = of_sixels(sequence);
    let wanted = decoded(PICTURE).scaled((CELLS.0 * CELL.0, CELLS.1 * CELL.1));
    assert_eq!(shown.size(), wanted.size());
    for (index, (shown, wanted)) in shown.rgb().iter().zip(wanted.rgb()).enumerate() {
        // colours agree in their upper bits, and are told in hundredths
        let is_near = shown.iter().zip(wanted).all(|(one, other)| one.abs_diff(*other) <= 17);
        assert!(is_near, "pixel {index}: {shown:?} for {wanted:?}");
    }
    expect_written_over(&written, "\x1b\\");
    // where cells are smaller it is sent in fewer pixels
    terminal.send("\r");
    wait_for(&mut terminal, SHOW, 2);
    terminal.resize_with(100, 30, (8, 16));
    wait_for(&mut terminal, SHOW, 3);
    terminal.send("q");
    let left = terminal.end();
    let written = String::from_utf8_lossy(&left.bytes).into_owned();
    let last = of_sixels(sequences(&written, SHOW, "\x1b\\")[2]);
    assert_eq!((left.code, last.size()), (Some(0), (70 * 8, 22 * 16)));
}

#[test]
fn nothing_is_sent_where_blocks_or_nothing_are_asked_for() {
    for (pictures, has_blocks) in [("blocks", true), ("off", false), ("auto", true)] {
        let (mut terminal, _folder) = demo(pictures);
        terminal.send("\x1b");
        terminal.wait_until(|screen| !screen.contents().contains(OPEN));
        terminal.send("q");
        let written = String::from_utf8_lossy(&terminal.end().bytes).into_owned();
        for begin in ["\x1b_", "\x1bP", "\x1b]"] {
            assert!(!written.contains(begin), "{pictures}: {begin:?}");
        }
        assert_eq!(written.contains('▀'), has_blocks, "{pictures}");
    }
}

#[test]
fn a_way_that_is_not_known_is_told() {
    let home = tempfile::tempdir().unwrap();
    let command = CommandBuilder::new(env!("CARGO_BIN_EXE_osstack"));
    let home = home.path().to_str().unwrap();
    let variables = [("OSSTACK_HOME", home), ("OSSTACK_PICTURES", "png")];
    let mut terminal = Terminal::run(command, &variables);
    terminal.wait_until_taken("OSSTACK_PICTURES=png is not known");
    terminal.send("q");
    assert_eq!(terminal.end().code, Some(0));
}
