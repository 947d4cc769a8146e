//! What checks found, in the XML of `JUnit` that every CI system reads: one suite a subject, one
//! case a check. There is no standard; this is what Jenkins' schema takes
//! (<https://github.com/jenkinsci/xunit-plugin>), without properties.

use std::io;
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::rfc3339;
use crate::doctor::{CHECKS, Report};
use crate::model::finding::{Finding, State};
use crate::ops::failure::Failure;

/// A subject, and what its check came to, or why it was not checked.
pub(super) type Checked = (String, Result<Report, Failure>);

/// Tests, failures, errors, skipped.
#[derive(Clone, Copy, Default)]
struct Counts([usize; 4]);

impl Counts {
    fn of(result: &Result<Report, Failure>) -> Self {
        match result {
            Ok(report) => Self([
                report.findings.len(),
                report.count(State::Failed),
                0,
                report.count(State::Skipped),
            ]),
            Err(_) => Self([1, 0, 1, 0]),
        }
    }

    fn attributes(self) -> Vec<(&'static str, String)> {
        let names = ["tests", "failures", "errors", "skipped"];
        names.into_iter().zip(self.0.map(|count| count.to_string())).collect()
    }
}

/// The file.
pub(super) fn xml(checked: &[Checked]) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = checked.iter().map(|(_, result)| Counts::of(result));
    let all = all.fold(Counts::default(), |sum, one| {
        let [a, b] = [sum.0, one.0];
        Counts(std::array::from_fn(|at| a.get(at).unwrap_or(&0) + b.get(at).unwrap_or(&0)))
    });
    let took = checked.iter().filter_map(|(_, result)| Some(result.as_ref().ok()?.took)).sum();
    let head = [("name", "osstack check".to_owned()), ("time", seconds(took))];
    let suites = with(&mut xml, "testsuites", head.into_iter().chain(all.attributes()));
    suites.write_inner_content(|xml| {
        checked.iter().try_for_each(|(subject, result)| suite(xml, subject, result))
    })?;
    let mut text = xml.into_inner();
    text.push(b'\n');
    Ok(text)
}

fn suite(
    xml: &mut Writer<Vec<u8>>,
    subject: &str,
    result: &Result<Report, Failure>,
) -> io::Result<()> {
    let mut head = vec![("name", subject.to_owned())];
    if let Ok(report) = result {
        head.extend([("time", seconds(report.took)), ("timestamp", rfc3339(report.at))]);
    }
    head.extend(Counts::of(result).attributes());
    with(xml, "testsuite", head).write_inner_content(|xml| match result {
        Ok(report) => report.findings.iter().try_for_each(|found| case(xml, subject, found)),
        Err(failure) => {
            let head = [("classname", subject.to_owned()), ("name", "check".to_owned())];
            with(xml, "testcase", head)
                .write_inner_content(|xml| {
                    let head = [
                        ("message", failure.summary.clone()),
                        ("type", failure.kind.as_str().to_owned()),
                    ];
                    let hints = legal(&failure.hints.join("\n"));
                    with(xml, "error", head).write_text_content(BytesText::new(&hints)).map(drop)
                })
                .map(drop)
        }
    })?;
    Ok(())
}

fn case(xml: &mut Writer<Vec<u8>>, subject: &str, found: &Finding) -> io::Result<()> {
    let title = CHECKS.iter().find(|check| check.id == found.id).map_or(found.id, |it| it.title);
    let head = [
        ("classname", subject.to_owned()),
        ("name", title.to_owned()),
        ("time", seconds(found.took)),
    ];
    let case = with(xml, "testcase", head);
    let element = match found.state {
        State::Passed => return case.write_empty().map(drop),
        State::Failed => "failure",
        State::Skipped => "skipped",
        // a case that passed has no place for words but this
        State::Warned => "system-out",
    };
    case.write_inner_content(|xml| {
        if element == "system-out" {
            let said = legal(&format!("{}\n{}", found.summary, details(found)));
            return with(xml, element, []).write_text_content(BytesText::new(&said)).map(drop);
        }
        let mut head = vec![("message", found.summary.clone())];
        if element == "failure" {
            head.push(("type", found.id.to_owned()));
        }
        let said = legal(&details(found));
        with(xml, element, head).write_text_content(BytesText::new(&said)).map(drop)
    })?;
    Ok(())
}

/// What stands below the sentence.
fn details(found: &Finding) -> String {
    let facts = found.facts.iter().map(|(name, value)| format!("{name}: {value}"));
    let next = found.next.iter().map(|next| format!("next: {next}"));
    let steps = found.steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1));
    let lines = found.because.iter().cloned().chain(facts).chain(next).chain(steps);
    lines.collect::<Vec<_>>().join("\n")
}

/// An element with these attributes.
fn with<'a>(
    xml: &'a mut Writer<Vec<u8>>,
    name: &'a str,
    attributes: impl IntoIterator<Item = (&'static str, String)>,
) -> quick_xml::writer::ElementWriter<'a, Vec<u8>> {
    let attributes = attributes.into_iter();
    attributes.fold(xml.create_element(name), |element, (name, value)| {
        element.with_attribute((name, legal(&value).as_str()))
    })
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Without the characters that XML 1.0 knows no way to write.
fn legal(text: &str) -> String {
    let is_legal = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().map(|c| if is_legal(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::failure::FailureKind;

    #[test]
    fn no_text_breaks_out_of_its_place() {
        let summary = "\"><![CDATA[\u{1b}]]>&lt;";
        let failure = Failure::new(FailureKind::Usage, summary).hint("a\n<b>");
        let xml = xml(&[("store/a&b".to_owned(), Err(failure))]).unwrap();
        let xml = String::from_utf8(xml).unwrap();
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut names = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) => {
                    names.push(tag.name().as_ref().to_owned());
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(names, ["testsuites", "testsuite", "testcase", "error"]);
        assert!(!xml.contains('\u{1b}') && xml.contains("errors=\"1\""), "{xml}");
    }
}
