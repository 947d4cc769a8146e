use std::cell::Cell;
use std::future::pending;

use crossterm::event::Event as TerminalEvent;
use ratatui::backend::TestBackend;

use super::*;

#[derive(Default)]
struct Counter {
    handled: usize,
    ticks: usize,
    frames: Cell<usize>,
    /// How many messages the newest frame showed.
    shown: Cell<usize>,
    wants: Option<Duration>,
    end_at: usize,
    last: Option<Signal>,
}

impl Program for Counter {
    fn handle(&mut self, wake: Wake, _now: Duration) {
        self.handled += 1;
        if let Wake::Signal(signal) = wake {
            self.last = Some(signal);
        }
    }

    fn tick(&mut self, _now: Duration) {
        self.ticks += 1;
        self.wants = None;
        self.end_at = 0;
    }

    fn next_tick(&self) -> Option<Duration> {
        self.wants
    }

    fn view(&self, _frame: &mut Frame<'_>) -> Option<Placed> {
        self.frames.set(self.frames.get() + 1);
        self.shown.set(self.handled);
        None
    }

    fn take_copy(&mut self) -> Option<String> {
        (self.handled == 1).then(|| "copied".to_owned())
    }

    fn is_over(&self) -> bool {
        // The last message must have been drawn: nothing is lost between frames.
        self.handled >= self.end_at && self.shown.get() == self.handled
    }
}

#[derive(Default)]
struct Quiet {
    signals: Vec<Signal>,
    suspended: usize,
    copied: Vec<String>,
}

impl Host for Quiet {
    fn now(&self) -> Duration {
        Duration::from_secs(9)
    }

    fn suspend(&mut self) {
        self.suspended += 1;
    }

    fn show(&mut self, _picture: Option<Placed>, _screen: Rect) -> io::Result<()> {
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.push(text.to_owned());
        Ok(())
    }

    async fn signal(&mut self) -> Signal {
        match self.signals.pop() {
            Some(signal) => signal,
            None => pending().await,
        }
    }
}

fn screen() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(10, 1)).unwrap()
}

#[tokio::test]
async fn a_flood_is_handled_whole_and_drawn_seldom() {
    const FLOOD: usize = 100_000;
    let (sender, mut queue) = mpsc::channel(QUEUE);
    let mut counter = Counter { end_at: FLOOD, ..Counter::default() };
    let feed = async move {
        for _ in 0..FLOOD {
            sender.send(Wake::Terminal(TerminalEvent::FocusGained)).await.unwrap();
        }
        pending::<()>().await;
    };
    let (mut terminal, mut host) = (screen(), Quiet::default());
    let begin = Instant::now();
    tokio::select! {
        ran = run(&mut terminal, &mut counter, &mut queue, &mut host) => ran.unwrap(),
        () = feed => {}
    }
    assert_eq!(counter.handled, FLOOD);
    let most = begin.elapsed().as_millis() / FRAME.as_millis() + 2;
    assert!(counter.frames.get() as u128 <= most, "{} > {most}", counter.frames.get());
}

#[tokio::test]
async fn a_tick_comes_when_it_is_due_and_only_then() {
    let (_sender, mut queue) = mpsc::channel(QUEUE);
    let wants = Some(Duration::from_secs(9));
    let mut counter = Counter { wants, end_at: 1, ..Counter::default() };
    run(&mut screen(), &mut counter, &mut queue, &mut Quiet::default()).await.unwrap();
    assert_eq!((counter.ticks, counter.handled), (1, 0));
}

#[tokio::test]
async fn signals_are_heard_and_a_suspend_draws_anew() {
    let (_sender, mut queue) = mpsc::channel(QUEUE);
    let mut counter = Counter { end_at: 2, ..Counter::default() };
    let mut host = Quiet { signals: vec![Signal::Terminate, Signal::Suspend], ..Quiet::default() };
    run(&mut screen(), &mut counter, &mut queue, &mut host).await.unwrap();
    assert_eq!(counter.last, Some(Signal::Terminate));
    assert_eq!(host.suspended, 1);
    assert_eq!(host.copied, ["copied"]);
}
