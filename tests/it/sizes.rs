//! Every screen at every size, drawn by the real program.

use crate::user::{PASSPHRASE, User};

/// Where to go from the first frame, and what is then on an 80 by 24 screen.
const SCREENS: &[(&str, &str)] = &[
    ("1", "demo_stack"),
    ("1?", "Keys: Stacks"),
    ("1:", "Commands"),
    ("1n", "New stack"),
    ("1n<tab><enter>", "Artifact store"),
    ("1e", "Edit demo_stack"),
    ("1r", "Rename demo_stack"),
    ("1w", "Copy demo_stack"),
    ("1D", "Delete the stack"),
    ("1c", "Check of the stack demo_stack"),
    ("1E", "Plan for demo_stack"),
    ("1E<tab>", "#!/bin/sh"),
    ("1Ew", "Export the plan"),
    ("2", "Artifact stores"),
    ("2n", "New artifact store"),
    ("2n<ctrl-s>", "a name is needed"),
    ("2n<tab><enter>", "demo_secret"),
    ("2n<tab><tab><enter>", "cn-hangzhou"),
    ("2e", "Store demo_store"),
    ("2e<ctrl-o>", "What ZenML gets"),
    ("2e<ctrl-b>", "zenml-demo-b"),
    ("2e<ctrl-t>", "Check of what is not saved yet"),
    ("2m", "Make the bucket"),
    ("2D", "is used by"),
    ("3", "demo_secret"),
    ("3n", "AccessKey"),
    ("3e", "demo_secret"),
    ("3D", "used by"),
    ("4", "demo_store"),
    ("4<enter>", "load_rides"),
    ("4<enter>h", "zenml-demo"),
    ("4b", "zenml-demo-b"),
    ("4j<enter>", "notes.txt"),
    ("4j<enter>p", "Anything may be done"),
    ("4j<enter><enter>", "Anything may be done"),
    ("4j<enter>i", "notes.txt"),
    ("4j<enter>d", "Download"),
    ("4j<enter>u", "Upload"),
    ("4j<enter>D", "Delete"),
    ("5", "nothing yet"),
    ("6", "load catalog"),
];

/// The same where nothing is there yet.
const EMPTY: &[(&str, &str)] = &[
    ("1", "A stack takes three steps"),
    ("2", "n makes the first"),
    ("3", "n"),
    ("4", "store"),
    ("3nsecret<tab>LTAI5tExampleExample0001<tab>canary<ctrl-s>", "passphrase"),
];

/// Draws at every ninth width and height where room is short, and at every 27th width where it is
/// not, beginning at another one for each screen, so that all screens together meet every size.
fn draw(user: &mut User, nth: usize) {
    let first = |step: usize| u16::try_from(nth % step).unwrap() + 1;
    let narrow = (first(9)..=90).step_by(9);
    for width in narrow.chain((90 + first(27)..=200).step_by(27)) {
        user.stage.resize(width, width * 7 % 60 + 1).draw();
    }
    for height in (first(9)..=60).step_by(9) {
        for width in [40, 79] {
            user.stage.resize(width, height).draw();
        }
    }
    let small = user.stage.resize(20, 5).picture();
    assert_eq!(small.trim_end(), "osstack needs a win…", "{small}");
    user.stage.resize(80, 24);
}

async fn visit(user: &mut User, screens: &[(&str, &str)]) {
    for (nth, (keys, shown)) in screens.iter().enumerate() {
        let picture = user.keys(keys).await;
        assert!(picture.contains(shown), "{keys}: no {shown:?} in\n{picture}");
        draw(user, nth);
        assert_eq!(user.stage.picture(), picture, "{keys}: the same again at the old size");
        user.start_anew();
    }
}

#[tokio::test]
async fn every_screen_is_drawn_at_every_size() {
    visit(&mut User::of_demo(), SCREENS).await;
}

#[tokio::test]
async fn every_screen_of_an_empty_home_is_drawn_at_every_size() {
    visit(&mut User::new(), EMPTY).await;
}

#[tokio::test]
async fn a_locked_keystore_asks_at_every_size() {
    let mut user = User::new();
    user.keys("3nsecret<tab>LTAI5tExampleExample0001<tab>canary<ctrl-s>").await;
    user.keys(&format!("<tab>{PASSPHRASE}<tab>{PASSPHRASE}<enter>")).await;
    user.world.lock();
    let picture = user.keys("R").await;
    assert!(picture.contains("passphrase"), "{picture}");
    draw(&mut user, 0);
}

#[tokio::test]
async fn a_window_dragged_about_keeps_what_was_typed() {
    let mut user = User::of_demo();
    for (keys, typed) in [("1n", "drag_stack"), ("2n", "drag_store"), ("3n", "drag_secret")] {
        user.keys(keys).await;
        for (nth, letter) in typed.chars().enumerate() {
            let nth = u16::try_from(nth).unwrap();
            user.stage.resize(1 + nth * 37 % 150, 1 + nth * 11 % 50).draw();
            user.stage.keys(&letter.to_string());
        }
        user.stage.resize(80, 24);
        let picture = user.picture();
        assert!(picture.contains(typed), "{picture}");
        user.keys("<esc>y").await;
    }
}
