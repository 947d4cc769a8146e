//! Pictures of the screens of the furnished program, at 80 by 24 and at 160 by 48. Forms, pickers
//! and the browser have theirs in `screens_forms` and `browser`.

use crate::user::User;

/// The picture's name, the keys that lead there, and a text on it that says they did.
const PICTURES: &[(&str, &str, &str)] = &[
    ("stacks", "1", "demo_stack"),
    ("stack_form", "1n", "New stack"),
    ("stack_form_errors", "1n<ctrl-s>", "a name is needed"),
    ("rename", "1r", "Rename demo_stack"),
    ("delete", "1D", "Delete the stack"),
    ("plan", "1E", "Plan for demo_stack"),
    ("script", "1E<tab>", "#!/bin/sh"),
    ("check", "1c", "1 warned, 0 failed"),
    ("help", "3?", "Keys: Secrets"),
    ("browser_of_stores", "4", "scratch_store"),
    ("log", "6", "load catalog"),
];

/// Checks run side by side, so that requests do not come in the same order twice.
fn without_request_ids(picture: &str) -> String {
    const LENGTH: usize = 24;
    let is_id = |word: &str| {
        word.len() == LENGTH && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    let words = picture.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let masked = words.map(|word| match word.char_indices().next_back() {
        Some((end, _)) if is_id(&word[..end]) => "#".repeat(LENGTH) + &word[end..],
        _ => word.to_owned(),
    });
    masked.collect()
}

/// Takes out what no run has twice, ports and how long things took, and keeps every column.
pub(crate) fn still(picture: &str) -> String {
    let picture = without_request_ids(picture);
    let lines: Vec<String> = picture.split('\n').map(still_line).collect();
    lines.join("\n")
}

fn still_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    // blanks of a span within a sentence, which go where the sentence ends
    let mut owed = 0;
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, tail) = rest.split_at(at);
        pay(before, &mut owed, &mut out);
        let length = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        let unit = &tail.as_bytes()[length..];
        let span = match unit {
            [b' ', b'm', b's', ..] => Some(" ms".len()),
            [b'.', tenths, b' ', b's', ..] if tenths.is_ascii_digit() => Some(".0 s".len()),
            _ => None,
        };
        let taken = length + span.unwrap_or(0);
        if span.is_some() {
            // in a column that ends at the right the blanks stand in front
            if before.ends_with("  ") {
                out.push_str(&" ".repeat(taken - 1));
            } else {
                owed += taken - 1;
            }
            out.push('#');
        } else if ["localhost:", "127.0.0.1:", " ost:"].iter().any(|it| out.ends_with(it)) {
            // the last of them is a host that did not fit its line
            out.push_str(&"#".repeat(length));
        } else {
            out.push_str(&tail[..length]);
        }
        rest = &tail[taken..];
    }
    pay(rest, &mut owed, &mut out);
    out
}

fn pay(text: &str, owed: &mut usize, out: &mut String) {
    // a long one leaves a single blank before the frame
    match text.find("  ").or_else(|| text.find(" │")).filter(|_| *owed > 0) {
        Some(end) => {
            let (sentence, blanks) = text.split_at(end);
            out.push_str(sentence);
            out.push_str(&" ".repeat(std::mem::take(owed)));
            out.push_str(blanks);
        }
        None => out.push_str(text),
    }
}

#[tokio::test]
async fn the_furnished_program_looks_like_this() {
    let mut user = User::of_demo();
    for (name, keys, shown) in PICTURES {
        let picture = user.keys(keys).await;
        assert!(picture.contains(shown), "{keys}: no {shown:?} in\n{picture}");
        insta::assert_snapshot!(*name, still(&picture));
        let wide = user.stage.resize(160, 48).picture();
        insta::assert_snapshot!(format!("{name}_wide"), still(&wide));
        user.stage.resize(80, 24);
        user.start_anew();
    }
}

#[tokio::test]
async fn an_empty_home_looks_like_this() {
    let mut user = User::new();
    let picture = user.keys("1").await;
    insta::assert_snapshot!("welcome", picture);
    insta::assert_snapshot!("welcome_wide", user.stage.resize(160, 48).picture());
}

#[test]
fn a_span_of_any_length_leaves_the_columns_where_they_are() {
    let still = |line: &str| still_line(line);
    let short = still("│ 0 failed, 97 ms      │");
    assert_eq!(short, "│ 0 failed, #          │");
    for longer in
        ["│ 0 failed, 973 ms     │", "│ 0 failed, 1.9 s      │", "│ 0 failed, 12345678 ms │"]
    {
        assert_eq!(still(longer).chars().count(), longer.chars().count(), "{longer}");
    }
    assert_eq!(still("│ 0 failed, 973 ms     │"), short);
    assert_eq!(still("│ 0 failed, 1.9 s      │"), short);
}
