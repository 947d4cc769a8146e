//! Carrying out what layers ask for, and giving answers to those who asked.

use super::{Ending, Entry, OnClose, Shell};
use crate::tui::effect::{Order, Outcome};
use crate::tui::layer::{Input, Layer, Mounted};
use crate::tui::runtime::{Accepted, LayerId, Reply, Started};
use crate::tui::screen::{Act, AnyMsg, Notice};
use crate::tui::theme::Tone;
use crate::tui::widget::confirm::Confirm;

impl<W: Send + Sync + 'static> Shell<W> {
    pub(super) fn push(&mut self, tab: usize, layer: Box<dyn Layer<W>>, on_close: OnClose) {
        let mut entry = self.entry(layer, on_close);
        let (id, acts) = (entry.id, entry.layer.start());
        if let Some(tab) = self.tabs.get_mut(tab) {
            tab.entries.push(entry);
            self.ask(id, acts);
        }
    }

    /// Shows a tab; its root starts when it is shown first.
    pub(super) fn show(&mut self, index: usize) {
        let Some(tab) = self.tabs.get_mut(index) else { return };
        let again = std::mem::replace(&mut tab.started, true);
        if again && self.shown == index {
            return;
        }
        self.shown = index;
        if let Some(entry) = tab.entries.last_mut() {
            let acts = if again { entry.layer.resumed() } else { entry.layer.start() };
            let id = entry.id;
            self.ask(id, acts);
        }
    }

    /// Closes a layer and those above it. The root of a tab stays.
    pub(super) fn close(&mut self, id: LayerId, answer: Option<AnyMsg>) {
        let place = self.tabs.iter().enumerate().find_map(|(tab, stack)| {
            stack.entries.iter().position(|entry| entry.id == id).map(|at| (tab, at))
        });
        let Some((tab, at)) = place.filter(|(_, at)| *at > 0) else { return };
        let Some(stack) = self.tabs.get_mut(tab) else { return };
        let gone: Vec<Entry<W>> = stack.entries.drain(at..).collect();
        for entry in &gone {
            self.runtime.close(entry.id);
        }
        let Some(on_close) = gone.into_iter().next().map(|entry| entry.on_close) else { return };
        // The shell's own windows come and go unnoticed by the screens below.
        let noticed = matches!(on_close, OnClose::Nothing | OnClose::Tell(..));
        match on_close {
            OnClose::Tell(opener, then) => {
                if let Some(message) = then(answer) {
                    self.feed(opener, Input::Msg(message));
                }
            }
            OnClose::Run => {
                if let Some(row) = answer.and_then(|any| any.downcast::<usize>().ok()) {
                    self.run_row(*row);
                }
            }
            OnClose::Leave(layer) if answer.is_some() => self.close(layer, None),
            OnClose::Quit if answer.is_some() => self.ending = Some(Ending::Left),
            OnClose::Copy(text) if answer.is_some() => {
                self.options.osc52 = true;
                self.copy = Some(text);
            }
            OnClose::Nothing | OnClose::Leave(_) | OnClose::Quit | OnClose::Copy(_) => {}
        }
        if !noticed {
            return;
        }
        if let Some(entry) = self.tabs.get_mut(tab).and_then(|stack| stack.entries.last_mut()) {
            let (id, acts) = (entry.id, entry.layer.resumed());
            self.ask(id, acts);
        }
    }

    /// Carries out what layers asked for until nothing is left to do.
    pub(super) fn settle(&mut self) {
        while let Some((owner, act)) = self.pending.pop_front() {
            self.carry_out(owner, act);
        }
        let top = self.top().map(|entry| entry.id);
        self.toasts.only_about(top);
        let seen = top.map(|id| (id, self.log.version()));
        if seen != self.observed {
            self.observed = seen;
            if let Some(tab) = self.tabs.get_mut(self.shown) {
                tab.entries.iter_mut().for_each(|entry| entry.layer.observe(&self.log));
            }
        }
    }

    fn carry_out(&mut self, owner: LayerId, act: Act<W>) {
        let home = |shell: &Self| {
            let mut tabs = shell.tabs.iter();
            tabs.position(|tab| tab.entries.iter().any(|entry| entry.id == owner))
        };
        match act {
            Act::Start(order) => self.start(owner, order),
            Act::Cancel(slot) => self.runtime.cancel(owner, slot),
            Act::End(ticket) => self.runtime.cancel_ticket(ticket),
            Act::Push(layer, then) => {
                // The layer that asks may be gone by now; then nobody wants the new one.
                if let Some(tab) = home(self) {
                    let on_close = then.map_or(OnClose::Nothing, |then| OnClose::Tell(owner, then));
                    self.push(tab, layer, on_close);
                }
            }
            Act::Show(name, layer) => {
                if let Some(index) = self.tab(name) {
                    self.show(index);
                    if let Some(layer) = layer {
                        self.push(index, layer, OnClose::Nothing);
                    }
                }
            }
            Act::Offer(name) => {
                if let (true, Some(index)) =
                    (self.top().is_some_and(|top| top.id == owner), self.tab(name))
                {
                    self.show(index);
                }
            }
            Act::Post(name, message) => self.post(name, message),
            Act::PostToAll(name, message) => {
                let layers = self.tabs.iter().flat_map(|tab| &tab.entries);
                let meant = |entry: &&Entry<W>| entry.id != owner && entry.layer.name() == name;
                let ids: Vec<LayerId> = layers.filter(meant).map(|entry| entry.id).collect();
                for id in ids {
                    self.feed(id, Input::Msg(message()));
                }
            }
            Act::Close(answer) => self.close(owner, answer),
            Act::Quit(wanted) => self.quit(wanted),
            Act::Tell(notice) => {
                // good news is short, and bad news is to be seen; what to do here, only here
                let is_here = self.top().is_some_and(|top| top.id == owner);
                let about = (is_here && notice.tone == Tone::Warning).then_some(owner);
                self.tell_about(about, notice);
            }
            Act::Copy(text) if self.options.osc52 => {
                self.copy = Some(text.into_string());
                self.tell(Notice::new(Tone::Good, "copied"));
            }
            Act::Copy(text) => {
                let question = Confirm::<W>::new(
                    "Select the text to copy it",
                    text.as_str(),
                    ["Copy through the terminal", "Close"],
                );
                let on_close = OnClose::Copy(text.into_string());
                self.push(self.shown, Box::new(Mounted::new(question)), on_close);
            }
        }
    }

    /// Hands a message to the root of the tab of that name.
    fn post(&mut self, name: &str, message: AnyMsg) {
        let Some(index) = self.tab(name) else { return };
        let Some(tab) = self.tabs.get_mut(index) else { return };
        let first = !std::mem::replace(&mut tab.started, true);
        let Some(root) = tab.entries.first_mut() else { return };
        let id = root.id;
        if first {
            let acts = root.layer.start();
            self.ask(id, acts);
        }
        self.feed(id, Input::Msg(message));
    }

    fn start(&mut self, owner: LayerId, order: Order<W>) {
        let Some(screen) = self.entry_mut(owner).map(|entry| entry.layer.name()) else { return };
        let (what, kind) = (order.what.clone(), order.kind);
        match self.runtime.start(owner, order) {
            Started::Running(ticket, message) => {
                self.log.started(self.now, screen, &what, kind, Some(ticket));
                if let Some(message) = message {
                    self.feed(owner, Input::Msg(message));
                }
            }
            Started::Refused(message) => {
                self.log.started(self.now, screen, &what, kind, None);
                self.feed(owner, Input::Msg(message));
            }
        }
    }

    pub(super) fn reply(&mut self, reply: Reply) {
        match self.runtime.accept(reply) {
            Accepted::Deliver(layer, message, ended) => {
                if let Some((ticket, how)) = ended {
                    self.log.ended(self.now, ticket, how);
                }
                self.feed(layer, Input::Msg(message));
            }
            Accepted::Orphan { ticket, what, ended, notice } => {
                if let (Outcome::Panicked(place), None) = (&ended, &notice) {
                    let text = format!("{what}: a fault in osstack at {place}; see the log");
                    self.tell(Notice::new(Tone::Bad, &text));
                }
                self.log.ended(self.now, ticket, ended);
                if let Some(notice) = notice {
                    self.tell(notice);
                }
            }
            Accepted::Stale(Some((ticket, how))) => self.log.ended(self.now, ticket, how),
            Accepted::Stale(None) => {}
        }
    }
}
