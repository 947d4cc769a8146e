//! The table of OSS regions, to pick one: type to narrow it down.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};

use crate::base::units;
use crate::base::visible::visible;
use crate::model::endpoint::EndpointKind;
use crate::model::region::{self, Region};
use crate::model::store::RegionId;
use crate::ops::failure::{Failure, FailureKind};
use crate::ops::regions::{Inside, MeasureLatency, Measured, Timings};
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::keymap::{Bind, Move, Moves};
use crate::tui::screen::{Event, Screen, Step};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widget::filter_input::FilterInput;
use crate::tui::widget::scroll::Scroll;
use crate::tui::widget::split::pane;
use crate::tui::widget::table::{Column, Row, Table};
use crate::tui::widget::text::{cells, line, row, rows_below, width, wrap};

use super::failure_view::settled;

/// Rows of the details below the table, the last one for what holds of this machine.
const DETAILS: usize = 6;

/// Picks a region; the answer is its row of the built-in table.
#[derive(Debug)]
pub struct RegionPicker {
    filter: FilterInput,
    /// The rows that match, fastest first where measured.
    matching: Vec<&'static Region>,
    scroll: Scroll,
    /// OSS id of the region that the form has.
    current: Option<&'static str>,
    latency: BTreeMap<String, Result<Timings, String>>,
    inside: Inside,
    measuring: bool,
}

/// What the keys do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Command {
    Pick,
    Measure,
    Stop,
    Clear,
    Move(Move),
}

/// What the picker is told.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Msg {
    Measured(Measured),
    AllMeasured(Outcome<Result<Inside, Failure>>),
}

impl RegionPicker {
    /// The whole table, the cursor on the region that `current` names.
    pub fn new(current: &str) -> Self {
        let mut picker = Self {
            filter: FilterInput::default(),
            matching: region::all().iter().collect(),
            scroll: Scroll::default(),
            current: None,
            latency: BTreeMap::new(),
            inside: Inside::default(),
            measuring: false,
        };
        picker.filter.open();
        if let Some(current) = region::find(current) {
            picker.current = Some(&current.oss_id);
            picker.put_cursor_on(current);
        }
        picker
    }

    fn selected(&self) -> Option<&'static Region> {
        self.matching.get(self.scroll.selected()).copied()
    }

    fn put_cursor_on(&mut self, region: &Region) {
        let at = self.matching.iter().position(|other| other.oss_id == region.oss_id);
        self.scroll.select(at.unwrap_or(0));
    }

    fn narrow(&mut self) {
        let hay = |region: &Region| {
            let Region { id, oss_id, name, name_zh, group, .. } = region;
            let area = region.area();
            format!("{id} {oss_id} {name} {name_zh} {group} {area} {}", remarks(region))
        };
        let matching = region::all().iter().filter(|region| self.filter.matches(&hay(region)));
        self.matching = matching.collect();
        self.sort();
    }

    /// Fastest first; what is not measured, or not reached, keeps the table's order behind.
    fn sort(&mut self) {
        let took = |region: &&Region| {
            let took = self.latency.get(&region.oss_id).and_then(|took| took.as_ref().ok());
            took.map(Timings::total)
        };
        self.matching.sort_by_key(|region| (took(region).is_none(), took(region)));
    }

    fn typed(&mut self) {
        self.narrow();
        self.scroll.select(0);
    }

    fn measured(&mut self, measured: Measured) {
        let selected = self.selected();
        self.latency.insert(measured.region, measured.took);
        self.narrow();
        if let Some(region) = selected {
            self.put_cursor_on(region);
        }
    }

    fn latency_of(&self, region: &Region) -> String {
        match self.latency.get(&region.oss_id) {
            Some(Ok(took)) => units::span(took.total()),
            Some(Err(_)) => "no answer".into(),
            None if self.measuring && region.host(EndpointKind::Public).is_some() => "…".into(),
            None => String::new(),
        }
    }

    fn cells(&self, region: &Region, wide: bool) -> Vec<Line<'static>> {
        let id = RegionId::parse(&region.oss_id)
            .map_or_else(|_| region.id.clone(), |known| known.as_str().to_owned());
        let mut cells = vec![id, region.name.clone(), region.name_zh.clone()];
        if wide {
            cells.push(region.area());
            cells.push(geography(&region.group).to_owned());
            if !self.has_latency() {
                cells.push(kinds(region));
            }
        }
        cells.push(remarks(region));
        if wide && self.has_latency() {
            cells.extend(self.steps_of(region));
        }
        cells.push(self.latency_of(region));
        cells.into_iter().map(Line::from).collect()
    }

    /// Whether there is something to say in the columns of a measurement.
    fn has_latency(&self) -> bool {
        self.measuring || !self.latency.is_empty()
    }

    /// The times of name server, TCP and TLS.
    fn steps_of(&self, region: &Region) -> [String; 3] {
        match self.latency.get(&region.oss_id) {
            Some(Ok(Timings { dns, tcp, tls })) => [*dns, *tcp, Some(*tls)]
                .map(|took| took.map_or_else(|| "-".to_owned(), units::span)),
            _ => [const { String::new() }; 3],
        }
    }

    fn details(&self, region: &Region, room: usize, theme: &Theme) -> Vec<Line<'static>> {
        let last = match self.latency.get(&region.oss_id) {
            Some(Ok(timings)) => steps(*timings),
            _ => geography(&region.group).to_owned(),
        };
        let mut lines = vec![Line::from(vec![
            Span::styled(region.name.clone(), theme.title()),
            Span::raw(format!("  {}  {}  {last}", region.name_zh, region.area())),
        ])];
        let host = region.host(EndpointKind::Public).or(region.host(EndpointKind::Internal));
        let endpoints = format!("{}: {}", host.unwrap_or("-"), kinds(region));
        lines.extend(wrap(&endpoints, room).into_iter().map(Line::raw));
        let mut said: Vec<String> = region.note.iter().cloned().collect();
        if region.mainland {
            said.push(
                "accounts new since 2025-03-20 reach public endpoints on the mainland by a custom \
                 domain only"
                    .to_owned(),
            );
        }
        if let Some(Err(problem)) = self.latency.get(&region.oss_id) {
            said.push(visible(problem).into_string());
        }
        let said = said.join("; ");
        lines.extend(wrap(&said, room).into_iter().map(|text| Line::styled(text, theme.warn())));
        lines
    }
}

/// What a user should see before picking: anything but an ordinary, running region.
fn remarks(region: &Region) -> String {
    let mut words = Vec::new();
    if region.status != "active" {
        words.push(region.status.as_str());
    }
    if region.cloud != "public" {
        words.push(region.cloud.as_str());
    }
    if region.host(EndpointKind::Public).is_none() {
        words.push("internal only");
    }
    words.join(", ")
}

/// `name 4 ms, TCP 21 ms, TLS 45 ms`.
fn steps(Timings { dns, tcp, tls }: Timings) -> String {
    let span = units::span;
    match (dns, tcp) {
        (Some(dns), Some(tcp)) => {
            format!("name {}, TCP {}, TLS {}", span(dns), span(tcp), span(tls))
        }
        _ => format!("{} through the proxy, TLS included", span(tls)),
    }
}

fn geography(group: &str) -> &str {
    match group {
        "china-mainland" => "China mainland",
        "hong-kong" => "Hong Kong",
        "asia-pacific" => "Asia Pacific",
        "europe-americas" => "Europe, Americas",
        "middle-east" => "Middle East",
        other => other,
    }
}

fn kinds(region: &Region) -> String {
    region.kinds().map(EndpointKind::as_str).collect::<Vec<_>>().join(" ")
}

impl Screen for RegionPicker {
    type World = World;
    type Command = Command;
    type Msg = Msg;
    type Answer = &'static Region;

    const NAME: &'static str = "region-picker";
    const KEYS: &'static [Bind<Self>] = &[
        Bind::new(&["enter"], Command::Pick, "pick").when(|picker| picker.selected().is_some()),
        Bind::new(&["ctrl-l"], Command::Measure, "latency").when(|picker| !picker.measuring),
        Bind::new(&["esc"], Command::Stop, "stop").when(|picker| picker.measuring),
        Bind::new(&["esc"], Command::Clear, "all").when(|picker| picker.filter.is_active()),
    ];
    const MOVES: Moves<Command> = Moves::List(Command::Move);

    fn update(&mut self, event: Event<Self>) -> Step<Self> {
        match event {
            Event::Command(Command::Pick) => {
                if let Some(region) = self.selected() {
                    return Step::answer(region);
                }
            }
            Event::Command(Command::Measure) => {
                self.measuring = true;
                self.latency.clear();
                self.inside = Inside::default();
                let chosen = self.current.map(str::to_owned);
                let measure = MeasureLatency { chosen, ..MeasureLatency::default() };
                return Step::run(Effect::latest_stream(
                    "latency",
                    measure,
                    Msg::Measured,
                    Msg::AllMeasured,
                ));
            }
            Event::Command(Command::Stop) => return Step::cancel("latency"),
            Event::Command(Command::Clear) => {
                self.filter.clear();
                self.filter.open();
                self.typed();
            }
            Event::Command(Command::Move(to)) => {
                self.scroll.act(to, self.matching.len());
            }
            Event::Key(key) => {
                self.filter.key(key);
                self.typed();
            }
            Event::Paste(text) => {
                self.filter.paste(&text);
                self.typed();
            }
            Event::Mouse(mouse) => {
                self.scroll.mouse(mouse, self.matching.len());
            }
            Event::Msg(Msg::Measured(measured)) => self.measured(measured),
            Event::Msg(Msg::AllMeasured(outcome)) => {
                self.measuring = false;
                match settled(outcome) {
                    Ok(inside) => self.inside = inside,
                    Err(failure) if failure.kind == FailureKind::Cancelled => {}
                    Err(failure) => return Step::toast(Tone::Bad, &failure.to_string()),
                }
            }
            Event::Resize(_) | Event::Focus(_) | Event::Tick(_) => {}
        }
        Step::none()
    }

    fn view(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let title = format!("Regions: {} of {}", self.matching.len(), region::all().len());
        let inner = pane(frame, area, theme, &title, true);
        let wide = inner.width >= 120;
        let measured = self.has_latency();
        let mut columns = vec![
            Column::new("region", Constraint::Length(17)),
            Column::new("city", Constraint::Fill(2)),
            Column::new("城市", Constraint::Length(if wide { 26 } else { 15 })),
        ];
        if wide {
            columns.push(Column::new("law", Constraint::Length(7)));
            columns.push(Column::new("geography", Constraint::Length(16)));
            if !measured {
                columns.push(Column::new("endpoints", Constraint::Fill(3)));
            }
        }
        columns.push(Column::new("note", Constraint::Length(if wide { 24 } else { 14 })));
        if measured && wide {
            let steps = ["name", "TCP", "TLS"];
            columns.extend(steps.map(|step| Column::new(step, Constraint::Length(7)).right()));
        }
        if measured {
            columns.push(Column::new("latency", Constraint::Length(9)).right());
        }
        self.filter.view(frame, row(inner, 0), theme);
        if !self.filter.is_active() {
            let place = row(inner, 0);
            let hint = Rect {
                x: place.x.saturating_add(2),
                width: place.width.saturating_sub(2),
                ..place
            };
            line(frame, hint, Line::styled("type a city, an id, 城市, a geography", theme.muted()));
        }
        let table = rows_below(inner, 1);
        let height = usize::from(table.height).saturating_sub(DETAILS + 1).max(2);
        let (details, table) = (
            rows_below(table, height + 1),
            Rect { height: table.height.min(cells(height)), ..table },
        );
        let empty = "no region matches: esc shows all";
        Table::new(&columns).empty(empty).view(
            frame,
            table,
            theme,
            &self.scroll,
            self.matching.len(),
            |index| {
                let region = self.matching.get(index);
                region.map_or_else(Row::default, |region| Row::new(self.cells(region, wide)))
            },
        );
        let lines = self
            .selected()
            .map(|region| self.details(region, usize::from(details.width), theme))
            .unwrap_or_default();
        for (index, text) in lines.into_iter().take(DETAILS - 1).enumerate() {
            line(frame, row(details, index), text);
        }
        let inside = visible(&self.inside.to_string()).into_string();
        line(frame, row(details, DETAILS - 1), Line::styled(inside, theme.muted()));
        if !row(inner, 0).is_empty() {
            // the letters typed go to the filter, so the cursor stands there
            let typed = width(self.filter.text());
            let x = inner.x.saturating_add(1).saturating_add(cells(typed));
            frame.set_cursor_position((x.min(inner.right().saturating_sub(1)), inner.y));
        }
    }

    fn title(&self) -> String {
        "Regions".to_owned()
    }

    fn captures_text(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn hear(picker: &mut RegionPicker, region: &str, took: Result<u64, &str>) -> [String; 2] {
        let timings = |millis| {
            let part = Some(Duration::from_millis(1));
            Timings { dns: part, tcp: part, tls: Duration::from_millis(millis) }
        };
        let took = took.map(timings).map_err(str::to_owned);
        let measured = Measured { region: region.to_owned(), took };
        let _step = picker.update(Event::Msg(Msg::Measured(measured)));
        let id = |region: Option<&'static Region>| region.unwrap().id.clone();
        [id(picker.matching.first().copied()), id(picker.selected())]
    }

    #[test]
    fn the_fastest_come_first_and_the_cursor_stays_on_its_region() {
        let mut picker = RegionPicker::new("eu-central-1");
        let mut hear = |region, took| hear(&mut picker, region, took);
        assert_eq!(hear("oss-cn-beijing", Ok(80)), ["cn-beijing", "eu-central-1"]);
        assert_eq!(hear("oss-eu-west-1", Ok(30)), ["eu-west-1", "eu-central-1"]);
        assert_eq!(hear("oss-cn-hangzhou", Err("no route")), ["eu-west-1", "eu-central-1"]);
    }

    #[test]
    fn the_first_escape_stops_and_what_came_stays() {
        let mut picker = RegionPicker::new("eu-central-1");
        let _running = picker.update(Event::Command(Command::Measure));
        let stop = RegionPicker::KEYS.iter().filter(|bind| (bind.when)(&picker));
        assert!(stop.map(|bind| bind.hint).any(|hint| hint == "stop"));
        hear(&mut picker, "oss-cn-beijing", Ok(80));
        let _asked = picker.update(Event::Command(Command::Stop));
        let _quiet = picker.update(Event::Msg(Msg::AllMeasured(Outcome::Cancelled)));
        assert!(!picker.measuring);
        let beijing = region::find("cn-beijing").unwrap();
        assert_eq!(picker.latency_of(beijing), "82 ms");
        assert_eq!(picker.steps_of(beijing), ["1 ms", "1 ms", "80 ms"]);
    }

    fn picture(picker: &RegionPicker, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let theme = Theme::default();
        terminal.draw(|frame| picker.view(frame, frame.area(), &theme)).unwrap();
        let rows = terminal.backend().to_string();
        // behind the quotes stands what wide characters cover
        let rows = rows.lines().map(|row| row.split('"').nth(1).unwrap_or_default());
        rows.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn measured_regions_look_like_this() {
        let mut picker = RegionPicker::new("cn-hangzhou");
        let _running = picker.update(Event::Command(Command::Measure));
        for (region, took) in [
            ("oss-eu-central-1", Ok(19)),
            ("oss-cn-hangzhou", Ok(240)),
            ("oss-eu-west-1", Ok(31)),
            ("oss-ap-southeast-8", Err("there is no such host name")),
        ] {
            hear(&mut picker, region, took);
        }
        insta::assert_snapshot!("measuring", picture(&picker, 80, 22));
        let why = "there is no such host name".to_owned();
        let tried = Some(("oss-cn-hangzhou-internal.aliyuncs.com".to_owned(), Err(why)));
        let inside = Inside { tried, led_inside: None };
        let _ended = picker.update(Event::Msg(Msg::AllMeasured(Outcome::Done(Ok(inside)))));
        insta::assert_snapshot!("measured", picture(&picker, 80, 22));
        insta::assert_snapshot!("measured_wide", picture(&picker, 160, 46));
    }

    #[test]
    fn what_is_not_ordinary_is_said_in_words() {
        let said = |id: &str| remarks(region::find(id).unwrap());
        assert_eq!(said("eu-central-1"), "");
        assert_eq!(said("cn-nanjing"), "closing");
        assert_eq!(said("oss-cn-hzjbp"), "finance, internal only");
    }
}
