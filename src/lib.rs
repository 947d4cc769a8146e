//! osstack: stacks for ZenML with their artifacts on Alibaba Cloud OSS, entered, checked, planned,
//! committed and browsed in a terminal.
//!
//! ZenML registers any artifact store, also one whose bucket does not exist; the first run fails.
//! osstack takes the same settings in forms, proves that the store works the way ZenML will use
//! it, shows what ZenML would be told, and browses what the pipelines wrote.
//!
//! # The house
//!
//! Every module imports from below it only; `tests/it/tidy.rs` reads the `use` lines and fails
//! with file and line on a breach.
//!
//! | floor | module | what is there |
//! |---|---|---|
//! | 1 | [`base`] | [files written whole](base::atomic_file), [secret text](base::secret_string), [outside text made showable](base::visible), [what is typed to find names](base::pattern), [the shape of a job](base::job) |
//! | 2 | [`model`] | the words of the field as types: a draft of strings becomes a valid [store](model::store), [secret](model::secret) or [stack](model::stack) in one place, for forms, files and the command line alike; the [region table](model::region) and [where data may lie](model::residency); the [flavors](model::flavor) of ZenML, and what a stack of them [needs](model::requirement); what a diagnosis [finds](model::finding) and how it is [mended](model::fix) |
//! | 3 | [`ports`] | what tests replace: [clock](ports::clock), [randomness](ports::entropy), [environment](ports::env), [folders](ports::paths), [network](ports::network), [children](ports::process), [files of other tools](ports::foreign_file) |
//! | 4 | [`catalog`] | `stacks.toml`, read whole and edited entry by entry, comments kept |
//! | 4 | [`keystore`] | secrets in two files of the age format; which keys [other tools](keystore::import) keep here |
//! | 4 | [`oss`] | the client: rusoto builds the requests; addressing, signatures, transport, limits and listings are ours; what its [errors mean](oss::error::explain) is a table of data |
//! | 4 | [`zenml`] | what ZenML is [told](zenml::plan), as a [script](zenml::script) or as [its own YAML](zenml::stack_file), its servers [over REST](zenml::rest) or the [`zenml` command](zenml::command), what a [`zenml login`](zenml::login) left here, what [changes](zenml::changes) there, what it [writes](zenml::layout) on a store, [runs, artifacts](zenml::artifacts) and what may go of them, what is wrong in a store [made by hand](zenml::lint), and in the [Python](zenml::python) that runs it |
//! | 5 | [`sandbox`] | an OSS on this machine, for demo and tests, with [faults](sandbox::faults) to rehearse, and a [stand-in for ZenML](sandbox::zenml) |
//! | 6 | [`doctor`] | the diagnosis: [checks](doctor::CHECKS), side by side where none needs the other; the [rights](doctor::permissions) it proved and the [fixes](doctor::fix) it offers |
//! | 7 | [`ops`] | use cases: each a plain struct that runs itself against the [world](ops::world::World); their one way to fail is [`Failure`](ops::failure::Failure), which ends in the next step |
//! | 8 | [`screens`] | one a file, each a pure state machine |
//! | 9 | [`app`] | the [shell](app::shell) around the screens, and [which tabs](app::open) there are |
//! | | [`tui`] | the core loop and widgets; imports [`base`] alone, used by screens and app |
//! | | [`cli`] | a second face over the same [`ops`] |
//!
//! # The way of a key
//!
//! A thread reads the terminal into the one [queue](tui::event_loop). The [shell](app::shell) asks
//! the key table ([`Screen::KEYS`](tui::screen::Screen::KEYS)) of the layer on top what the key
//! means there, and hands the command to its [`update`](tui::screen::Screen::update). That changes
//! the screen and answers a [`Step`](tui::screen::Step): effects to run, layers to open or close.
//! An [`Effect`](tui::effect::Effect) names a [job](base::job::Job) of [`ops`] and how its answer
//! becomes a message; the [`Runtime`](tui::runtime::Runtime) alone spawns it, and lets the answer
//! through only while somebody still asks. Then the loop draws, at most every 16 ms.
//!
//! # Invariants, each with the test that holds it
//!
//! - A module imports only from below it, and no file grows past what one reads in a sitting:
//!   `tests/it/tidy.rs`.
//! - No control character of outside text reaches a terminal, and two different texts never look
//!   the same: the property tests of [`base::visible`].
//! - A key never names a file outside the chosen folder, and no two keys name one file: the
//!   property tests of [`model::local_path`].
//! - What is signed is what botocore signs: `tests/it/vectors.rs`. What OSS refuses, the sandbox
//!   refuses: `tests/it/sandbox_rules.rs`.
//! - Whatever answers on the network, it is never shown as an empty bucket, and nothing waits for
//!   ever: `tests/it/hostile.rs`.
//! - The diagnosis leaves nothing in the bucket, also after a cancel at any request:
//!   `tests/it/doctor_traces.rs`. Each rung fails for what it is there for:
//!   `tests/it/doctor_rungs.rs`. What it promises, ZenML's own store keeps:
//!   `tests/python/prediction_test.py`; what it says of ZenML's deleting, ZenML does:
//!   `tests/python/acceptance_test.py`.
//! - A commit that breaks off at any step, by a refusal, a lost answer or a kill, is shown truly by
//!   the next plan, goes on without making anything twice, or is taken back: `tests/it/commit`.
//!   The same plans and commits hold against real servers, new and old:
//!   `tests/python/zenml_test.py`. Through the `zenml` command they hold as well, and the commands
//!   that a plan shows do the same: `tests/python/command_test.py`. What runs wrote is shown and
//!   pruned through it as well: `tests/python/command_runs_test.py`.
//! - However a listing is cut to be asked for in many pieces at once, every key comes, once, and in
//!   order where that is asked: `tests/it/conformance/listing.rs`, over other servers too.
//! - Beside any hostile server a key is drawn within 100 ms and a stop answered within 200 ms:
//!   `tests/it/hostile/frames.rs`.
//! - A transfer that is killed at any moment goes on with the bytes that had arrived, and no half
//!   file or object appears: `tests/it/killed.rs`. Bytes that broke, changed or flipped on the way
//!   never get a name: `tests/it/hostile/ranges.rs`.
//! - A file is the old one or the new one after a kill at any point, and a file that cannot be
//!   read is never overwritten: the tests of [`base::atomic_file`] and [`catalog`].
//! - Pruning leaves nothing dangling, whenever it is killed, and never touches what a run uses: the
//!   tests of [`zenml::artifacts::prune`] and `tests/it/artifacts.rs`.
//! - What other tools keep on this machine is shown without a value, read again when it is taken,
//!   and never written: `tests/it/first_start.rs`, `tests/it/zenml_login.rs`.
//! - No secret is in any file, log, `Debug` text, screen or command's answer: no test of
//!   `tests/it` ends before its user's were searched; nor with a child: the canaries of
//!   `tests/python/acceptance_test.py`.
//! - A file of somebody else's starts no program, and a check of it passes over nothing:
//!   `tests/it/cli/sources.rs`. What else is defended, and by which test: `.github/SECURITY.md`.
//! - What ZenML exported comes into the catalog and goes out again byte by byte, and a key in it
//!   gets neither into a file nor onto a screen: `tests/it/components.rs`.
//! - A stale answer reaches no screen, and a hint is shown only for a key that does something: the
//!   tests of [`app::shell`].

pub mod app;
pub mod base;
pub mod catalog;
pub mod cli;
pub mod doctor;
pub mod keystore;
pub mod model;
pub mod ops;
pub mod oss;
pub mod ports;
pub mod sandbox;
pub mod screens;
pub mod tui;
pub mod zenml;
