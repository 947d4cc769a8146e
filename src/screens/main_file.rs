//! From an output, or a log, to the preview of the file that somebody would look at first.

use super::failure_view::settled;
use super::viewer::Viewer;
use crate::ops::artifacts::{FindFiles, Found};
use crate::ops::failure::Failure;
use crate::ops::world::World;
use crate::tui::effect::{Effect, Outcome};
use crate::tui::screen::{Screen, Step};
use crate::tui::theme::Tone;
use crate::zenml::artifacts::ArtifactVersion;

/// What [`FindFiles`] came to.
pub(super) type Looked = Outcome<Result<Found, Failure>>;

/// The files of an output.
pub(super) fn of_version(version: &ArtifactVersion) -> FindFiles {
    let aside = version.visualizations.iter().map(|one| one.uri.clone()).collect();
    FindFiles { uri: version.uri.clone(), aside }
}

/// A log.
pub(super) fn of_log(uri: &str) -> FindFiles {
    FindFiles { uri: uri.to_owned(), aside: Vec::new() }
}

/// Looks for the files.
pub(super) fn look<S: Screen<World = World>>(
    find: FindFiles,
    then: impl FnOnce(Looked) -> S::Msg + Send + 'static,
) -> Step<S> {
    Step::run(Effect::latest("files", find, then))
}

/// Opens the preview; answers why not where the files could not be looked for.
pub(super) fn open<S: Screen<World = World>>(looked: Looked) -> Result<Step<S>, Failure> {
    let found = settled(looked)?;
    Ok(match found.main {
        Some((main, listed)) => Step::open(Viewer::new(main).listed_as(listed)),
        None => Step::toast(Tone::Warning, "nothing lies there any more: the data is gone"),
    })
}
