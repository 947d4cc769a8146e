use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::tui::theme::Theme;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Name,
    Id,
    Secret,
    Region,
    Kind,
    Extra,
}

fn form() -> Form<Part> {
    Form::new([
        Field::text(Part::Name, "Name").required().help("as ZenML will call it"),
        Field::text(Part::Id, "AccessKey ID").required(),
        Field::secret(Part::Secret, "AccessKey secret"),
        Field::pick(Part::Region, "Region", "choose"),
        Field::choice(Part::Kind, "Endpoint", ["public", "internal", "accelerate"]),
        Field::section("More", false),
        Field::toggle(Part::Extra, "Extra"),
    ])
}

fn type_text(form: &mut Form<Part>, text: &str) {
    for letter in text.chars() {
        let _said = form.key(KeyEvent::from(KeyCode::Char(letter)));
    }
}

fn picture(form: &Form<Part>, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| form.view(frame, frame.area(), &Theme::default())).unwrap();
    terminal.backend().to_string()
}

#[test]
fn a_form_as_it_is_filled() {
    let mut form = form();
    type_text(&mut form, "alibaba");
    assert_eq!(form.act(FormMove::Next), Said::Left(Part::Name));
    type_text(&mut form, "LTAI");
    assert_eq!(form.act(FormMove::Enter), Said::Left(Part::Id));
    type_text(&mut form, "hunter2");
    form.set_error(Part::Id, Some("24 characters are usual".into()));
    insta::assert_snapshot!(picture(&form, 50, 8), @r#"
    "  Name *             alibaba                      "
    "  AccessKey ID *     LTAI                         "
    "                     ✗ 24 characters are usual    "
    "▸ AccessKey secret   ••••••••••••                 "
    "  Region             choose …                     "
    "  Endpoint           ◂ public ▸                   "
    "▸ More                                            "
    "                                                  "
    "#);
    assert_eq!(form.secret(Part::Secret).expose(), "hunter2");
    assert!(form.is_dirty());
}

#[test]
fn a_secret_shows_itself_on_a_key_and_for_ten_seconds() {
    let mut form = form();
    form.focus(Part::Secret);
    type_text(&mut form, "hunter2");
    assert!(!picture(&form, 50, 8).contains("hunter2"));
    let _said = form.act(FormMove::Reveal);
    assert!(form.wants_tick() && picture(&form, 50, 8).contains("hunter2"));
    form.tick(Duration::from_secs(100));
    form.tick(Duration::from_secs(109));
    assert!(form.wants_tick());
    form.tick(Duration::from_secs(110));
    assert!(!form.wants_tick() && !picture(&form, 50, 8).contains("hunter2"));
    let _said = form.act(FormMove::Reveal);
    let _said = form.act(FormMove::Next);
    assert!(!form.wants_tick(), "leaving the field hides it");
}

#[test]
fn enter_opens_flips_folds_goes_on_and_submits() {
    let mut form = form();
    form.focus(Part::Region);
    assert_eq!(form.act(FormMove::Enter), Said::Open(Part::Region));
    form.set_text(Part::Region, "eu-central-1");
    assert_eq!(form.text(Part::Region), "eu-central-1");
    assert_eq!(form.act(FormMove::Next), Said::Left(Part::Region));
    assert_eq!(form.key(KeyEvent::from(KeyCode::Left)), Said::Changed(Part::Kind));
    assert_eq!(form.chosen(Part::Kind), 2);
    type_text(&mut form, "i");
    assert_eq!(form.chosen(Part::Kind), 1);
    let _said = form.act(FormMove::Next);
    assert_eq!(form.focused(), None, "the section");
    let _said = form.act(FormMove::Next);
    assert_eq!(form.focused(), Some(Part::Name), "folded fields are passed over");
    let _said = form.act(FormMove::Previous);
    assert_eq!(form.act(FormMove::Enter), Said::Nothing);
    let _said = form.act(FormMove::Next);
    assert_eq!(form.act(FormMove::Enter), Said::Changed(Part::Extra));
    assert!(form.is_on(Part::Extra));
}

#[test]
fn errors_come_at_once_and_the_focus_goes_to_the_first() {
    let mut form = form();
    form.focus(Part::Kind);
    assert_eq!(form.act(FormMove::Submit), Said::Submit);
    form.set_errors([(Part::Extra, "needs a region"), (Part::Id, "is missing")]);
    assert_eq!(form.focused(), Some(Part::Id));
    assert_eq!(form.error(Part::Extra), Some("needs a region"));
    type_text(&mut form, "L");
    assert_eq!(form.error(Part::Id), None, "typing takes the error away");
}

#[test]
fn two_pasted_lines_are_the_owners_affair() {
    let mut form = form();
    form.focus(Part::Id);
    let said = form.paste("LTAI5t\r\n  hunter2\n");
    let lines = ["LTAI5t", "hunter2"].map(|line| SecretString::new(line.into()));
    assert_eq!(said, Said::Lines(Part::Id, lines.into()));
    assert_eq!(form.text(Part::Id), "");
    form.refuse_lines();
    assert!(picture(&form, 70, 8).contains("several lines"));
    assert_eq!(form.paste("LTAI5t\n"), Said::Changed(Part::Id));
    assert!(picture(&form, 70, 8).contains("1 invisible character removed"));
}

#[test]
fn a_hidden_field_is_not_there() {
    let mut form = form();
    form.focus(Part::Id);
    form.show(Part::Id, false);
    assert_eq!(form.focused(), Some(Part::Name));
    assert!(!picture(&form, 50, 8).contains("AccessKey ID"));
}

#[test]
fn any_size_is_drawn_and_the_focus_is_in_sight() {
    let mut form = form();
    form.set_errors([(Part::Kind, "a long sentence that has to be wrapped somewhere")]);
    for width in [1, 2, 5, 30, 31, 200] {
        for height in [1, 2, 3, 60] {
            let shown = picture(&form, width, height);
            if width > 30 {
                assert!(shown.contains("Endpoint"), "{width}x{height}");
            }
        }
    }
}
