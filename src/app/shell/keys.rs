//! Keys and clicks: the shown layer's table first, then the shell's own.

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{OnClose, Shell};
use crate::tui::effect::Kind;
use crate::tui::keymap::{Binding, Chord, KeyRow, Remap};
use crate::tui::layer::{Input, Mounted};
use crate::tui::screen::{Notice, Screen as _};
use crate::tui::theme::Tone;
use crate::tui::widget::confirm::Confirm;
use crate::tui::widget::palette::Palette;
use crate::tui::widget::{footer, tabs};

/// Quiet that a confirmation wants after a paste: the end of a paste may look
/// like keys.
const QUIET: Duration = Duration::from_millis(500);

/// What the shell's own keys do, on every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Global {
    Dismiss,
    Help,
    Palette,
    Explain,
    Close,
    Quit,
    Interrupt,
    PreviousTab,
    NextTab,
    Tab(usize),
}

impl<W: Send + Sync + 'static> Shell<W> {
    /// The shell's name in key tables and remapping.
    pub const NAME: &'static str = "everywhere";

    /// The keys that work on every screen, unless the screen has its own for them.
    pub const KEYS: &'static [Binding<Self, Global>] = &[
        Binding::new(&["esc"], Global::Dismiss, "dismiss").when(Self::has_bad_news),
        Binding::new(&["esc"], Global::Close, "close").when(Self::can_close),
        Binding::new(&["?", "f1"], Global::Help, "help").when(Self::no_palette),
        Binding::new(&[":"], Global::Palette, "commands").when(Self::no_palette),
        Binding::new(&["!", "f2"], Global::Explain, "explain…").when(Self::has_error_code),
        Binding::new(&["["], Global::PreviousTab, "tab before").when(Self::can_switch).quiet(),
        Binding::new(&["]"], Global::NextTab, "next tab").when(Self::can_switch).quiet(),
        Binding::new(&["1"], Global::Tab(0), "first tab").when(Self::has_tab::<0>).quiet(),
        Binding::new(&["2"], Global::Tab(1), "second tab").when(Self::has_tab::<1>).quiet(),
        Binding::new(&["3"], Global::Tab(2), "third tab").when(Self::has_tab::<2>).quiet(),
        Binding::new(&["4"], Global::Tab(3), "fourth tab").when(Self::has_tab::<3>).quiet(),
        Binding::new(&["5"], Global::Tab(4), "fifth tab").when(Self::has_tab::<4>).quiet(),
        Binding::new(&["6"], Global::Tab(5), "sixth tab").when(Self::has_tab::<5>).quiet(),
        Binding::new(&["7"], Global::Tab(6), "seventh tab").when(Self::has_tab::<6>).quiet(),
        Binding::new(&["8"], Global::Tab(7), "eighth tab").when(Self::has_tab::<7>).quiet(),
        Binding::new(&["9"], Global::Tab(8), "ninth tab").when(Self::has_tab::<8>).quiet(),
        Binding::new(&["q"], Global::Quit, "quit").quiet(),
        Binding::new(&["ctrl-c"], Global::Interrupt, "cancel, then quit").quiet(),
    ];

    /// The shell's whole table, for documentation.
    pub fn key_table() -> Vec<KeyRow> {
        let row = |bind| KeyRow::new(Self::NAME, bind, None, &Remap::new());
        Self::KEYS.iter().map(row).collect()
    }

    /// The rows that count now: those of the layer on top, then, from the
    /// index answered, the shell's. A chord of the layer hides the shell's.
    pub(super) fn rows(&self) -> (Vec<KeyRow>, usize) {
        let Some(top) = self.top() else { return (Vec::new(), 0) };
        let mut rows = top.layer.rows();
        let own = rows.len();
        let claimed: Vec<Chord> =
            rows.iter().filter(|row| row.active).flat_map(|row| row.chords.clone()).collect();
        rows.extend(Self::KEYS.iter().map(|bind| {
            let mut row = KeyRow::new(Self::NAME, bind, Some(self), &self.options.remap);
            row.chords.retain(|chord| !claimed.contains(chord));
            if top.layer.captures_text() {
                row.leave_letters();
            }
            row
        }));
        (rows, own)
    }

    pub(super) fn key(&mut self, key: KeyEvent) {
        let Some(top) = self.top() else { return };
        let (id, text, wary) = (top.id, top.layer.captures_text(), top.layer.is_confirmation());
        let chord = Chord::of(key, !text);
        let (rows, _) = self.rows();
        // Asked first, so that no screen can take the way out away.
        let out = |row: &KeyRow| row.command == "interrupt" && row.screen == Self::NAME;
        if rows.iter().any(|row| out(row) && row.chords.contains(&chord)) {
            return self.interrupt();
        }
        self.interrupted = false;
        if wary && self.pasted.is_some_and(|at| self.now < at + QUIET) {
            self.pasted = Some(self.now);
            return;
        }
        match rows.iter().position(|row| row.active && row.chords.contains(&chord)) {
            Some(row) => self.run_row(row),
            None if text => self.feed(id, Input::Key(key)),
            None => {}
        }
    }

    /// Runs a row of [`Shell::rows`], whether pressed, clicked or chosen.
    pub(super) fn run_row(&mut self, row: usize) {
        let own = self.top().map_or(0, |top| top.layer.rows().len());
        if let Some(global) = row.checked_sub(own) {
            let bind = Self::KEYS.get(global).filter(|bind| (bind.when)(self));
            if let Some(command) = bind.map(|bind| bind.command) {
                self.run_global(command);
            }
        } else if let Some(top) = self.top_mut() {
            let (id, acts) = (top.id, top.layer.run(row));
            self.ask(id, acts);
        }
    }

    fn run_global(&mut self, command: Global) {
        match command {
            Global::Help => {
                let title = self.top().map(|top| top.layer.title()).unwrap_or_default();
                let help = Palette::<W>::help(&title, self.rows().0);
                self.push(self.shown, Box::new(Mounted::new(help)), OnClose::Run);
            }
            Global::Palette => {
                let palette = Palette::<W>::commands(self.rows().0);
                self.push(self.shown, Box::new(Mounted::new(palette)), OnClose::Run);
            }
            Global::Explain => {
                let code = self.top().and_then(|top| top.layer.error_code());
                if let Some(layer) = code.and_then(|code| (self.options.explain)(code)) {
                    self.push(self.shown, layer, OnClose::Nothing);
                }
            }
            Global::Dismiss => self.toasts.dismiss(),
            Global::Close => self.leave(),
            Global::Quit => self.quit(None),
            Global::Interrupt => self.interrupt(),
            Global::PreviousTab => self.show((self.shown + self.tabs.len() - 1) % self.tabs.len()),
            Global::NextTab => self.show((self.shown + 1) % self.tabs.len()),
            Global::Tab(index) => self.show(index),
        }
    }

    /// Leaves the layer on top; asks where something would be lost.
    fn leave(&mut self) {
        let Some(top) = self.top() else { return };
        let id = top.id;
        if top.layer.is_dirty() {
            let text = "What was typed here is not saved.";
            let title = format!("Leave {} without saving?", top.layer.title());
            let question = Confirm::<W>::new(&title, text, ["Leave", "Stay"]);
            self.push(self.shown, Box::new(Mounted::new(question)), OnClose::Leave(id));
        } else {
            self.close(id, None);
        }
    }

    /// Leaves the program; asks where something would be lost.
    pub(super) fn quit(&mut self, wanted: Option<&'static str>) {
        self.wanted = wanted;
        let running = self.runtime.running().filter(|task| task.kind != Kind::Latest);
        let running = running.map(|task| format!("still running: {}", task.what));
        let dirty = self.entries().filter(|entry| entry.layer.is_dirty());
        let dirty = dirty.map(|entry| format!("not saved: {}", entry.layer.title()));
        let lost: Vec<String> = running.chain(dirty).collect();
        if lost.is_empty() {
            self.ending = Some(super::Ending::Left);
        } else if !self.asks_to_quit() {
            let question = Confirm::<W>::new("Quit osstack?", lost.join("\n"), ["Quit", "Stay"]);
            self.push(self.shown, Box::new(Mounted::new(question)), OnClose::Quit);
        }
    }

    /// First cancels what runs for the layer on top, then quits, and ends at
    /// once where quitting has asked already.
    pub(super) fn interrupt(&mut self) {
        let again = std::mem::replace(&mut self.interrupted, true);
        if self.asks_to_quit() {
            self.ending = Some(super::Ending::Left);
            return;
        }
        let shown = self.tabs.get(self.shown).map(|tab| tab.entries.iter().rev());
        let shown: Vec<_> = shown.into_iter().flatten().map(|entry| entry.id).collect();
        let running = shown.into_iter().any(|id| self.runtime.cancel_all_of(id));
        if running && !again {
            self.tell(Notice::new(Tone::Neutral, "cancelled; ctrl-c again quits"));
        } else {
            self.quit(None);
        }
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent) {
        let at = Position::new(mouse.column, mouse.row);
        if mouse.kind == MouseEventKind::Down(MouseButton::Left) {
            let (top, _, bottom) = Self::parts(self.area());
            if top.contains(at) && self.can_switch() {
                if let Some(tab) = tabs::hit(super::view::NAME, &self.tab_names(), top, at.x) {
                    self.show(tab);
                }
                return;
            }
            if bottom.contains(at) {
                let (rows, own) = self.rows();
                if let Some(row) = footer::hit(&rows, own, bottom, at.x) {
                    self.run_row(row);
                }
                return;
            }
        }
        self.feed_top(Input::Mouse(mouse));
    }

    fn asks_to_quit(&self) -> bool {
        self.top().is_some_and(|top| matches!(top.on_close, OnClose::Quit))
    }

    fn has_bad_news(&self) -> bool {
        self.toasts.stay()
    }

    fn has_error_code(&self) -> bool {
        self.top().is_some_and(|top| top.layer.error_code().is_some())
    }

    fn can_close(&self) -> bool {
        !self.has_bad_news() && self.has_layer_above_root()
    }

    fn has_layer_above_root(&self) -> bool {
        self.tabs.get(self.shown).is_some_and(|tab| tab.entries.len() > 1)
    }

    fn can_switch(&self) -> bool {
        self.top().is_some_and(|top| top.layer.popup().is_none())
    }

    fn has_tab<const INDEX: usize>(&self) -> bool {
        INDEX < self.tabs.len() && self.can_switch()
    }

    fn no_palette(&self) -> bool {
        self.top().is_some_and(|top| top.layer.name() != Palette::<W>::NAME)
    }
}
