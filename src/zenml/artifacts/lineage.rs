//! One step up and down: what an artifact version was made of, and what was made of it.

use super::{ArtifactVersion, Run, Step};

/// Where a version comes from and where it went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lineage {
    /// The step run that wrote it, with what it read; none where that is gone, or it was saved by
    /// hand.
    pub producer: Option<Step>,
    /// The run of that step.
    pub run: Option<Run>,
    /// Step runs that read it, the oldest first.
    pub consumers: Vec<Step>,
    /// Not all step runs since then were looked at: there are too many.
    pub is_cut: bool,
}

impl Lineage {
    /// What it was made of, by input.
    pub fn inputs(&self) -> &[(String, ArtifactVersion)] {
        self.producer.as_ref().map(|step| step.inputs.as_slice()).unwrap_or_default()
    }
}

/// Whether `step` read the version `id`.
pub fn reads(step: &Step, id: &str) -> bool {
    step.inputs.iter().any(|(_, version)| version.id == id)
}

/// The input or output that somebody would look at first: a model, then what the step names so,
/// then the largest that is known.
pub fn main_output(outputs: &[(String, ArtifactVersion)]) -> Option<&(String, ArtifactVersion)> {
    let rank = |(name, version): &&(String, ArtifactVersion)| {
        let is_model = version.kind == "ModelArtifact" || name == "model";
        (is_model, version.size.unwrap_or(0))
    };
    // the first of equals: outputs stand in the order of the step's own
    outputs.iter().rev().max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(name: &str, kind: &str) -> (String, ArtifactVersion) {
        let version = ArtifactVersion { id: name.into(), kind: kind.into(), ..Default::default() };
        (name.to_owned(), version)
    }

    #[test]
    fn a_model_comes_first() {
        let outputs = [
            output("residuals", "DataArtifact"),
            output("booster", "ModelArtifact"),
            output("card", "DataArtifact"),
        ];
        assert_eq!(main_output(&outputs).unwrap().0, "booster");
        assert_eq!(main_output(&outputs[2..]).unwrap().0, "card");
        assert_eq!(main_output(&[output("a", "x"), output("b", "x")]).unwrap().0, "a");
        assert_eq!(main_output(&[]), None);
    }

    #[test]
    fn readers_are_those_with_it_as_input() {
        let step = Step { inputs: vec![output("rides", "DataArtifact")], ..Step::default() };
        assert!(reads(&step, "rides"));
        assert!(!reads(&step, "model"));
    }
}
