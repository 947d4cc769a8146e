//! What ZenML will get of a store that is being typed: its settings and the equal commands.

use serde_json::Value;

use crate::model::bucket::BucketName;
use crate::model::name::Name;
use crate::model::secret::KeyNames;
use crate::model::store::{ArtifactStore, StoreDraft};
use crate::zenml::plan::{SecretOutline, Wanted, plan};
use crate::zenml::script::commands;

/// What ZenML gets, as text, or what is still missing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Preview {
    /// One line each: the two settings. For where there is little room.
    pub(super) short: String,
    /// All of it, to be read in a pane.
    pub(super) long: String,
}

/// What ZenML gets of `draft`. Names that are not typed yet have stand-ins, so that the settings
/// can be read while the form is filled.
pub(super) fn preview(draft: &StoreDraft) -> Preview {
    let draft = with_stand_ins(draft);
    let store = match draft.validate() {
        Ok(store) => store,
        Err(problems) => {
            let text = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
            return Preview { short: text.clone(), long: text };
        }
    };
    let client = store.client_kwargs().unwrap_or_default();
    let config = store.config_kwargs();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    Preview {
        short: format!("client_kwargs {client}\nconfig_kwargs {config}"),
        long: format!(
            "client_kwargs\n{}\n\nconfig_kwargs\n{}\n\n{}",
            pretty(&client),
            pretty(&config),
            as_commands(&store)
        ),
    }
}

fn with_stand_ins(draft: &StoreDraft) -> StoreDraft {
    let name = |text: &str, stand_in: &str| {
        if Name::parse(text).is_ok() { text.to_owned() } else { stand_in.to_owned() }
    };
    let bucket_is_typed = BucketName::parse(&draft.bucket).is_ok();
    StoreDraft {
        name: name(&draft.name, "NAME"),
        secret: name(&draft.secret, "SECRET"),
        bucket: if bucket_is_typed { draft.bucket.clone() } else { "your-bucket-name".to_owned() },
        ..draft.clone()
    }
}

/// The equal commands, the secret by reference, and what to know about them.
fn as_commands(store: &ArtifactStore) -> String {
    // the command that makes the secret is the same whatever its key names
    let outline = SecretOutline {
        name: store.secret.clone(),
        key_names: KeyNames::default(),
        has_token: false,
    };
    let wanted =
        Wanted { secret: Some(&outline), store, stack: None, components: &[], server: None };
    match plan(&wanted) {
        Ok(plan) => {
            let lines: Vec<String> = commands(&plan).iter().map(ToString::to_string).collect();
            format!("The same by hand\n{}", lines.join("\n"))
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_typed_form_shows_its_settings_already() {
        let draft = StoreDraft { region: "eu-central-1".into(), ..StoreDraft::default() };
        let Preview { short, long } = preview(&draft);
        insta::assert_snapshot!(short, @r#"
        client_kwargs {"endpoint_url":"https://oss-eu-central-1.aliyuncs.com"}
        config_kwargs {"signature_version":"s3","s3":{"addressing_style":"virtual"}}
        "#);
        assert!(long.contains("zenml artifact-store register NAME -f s3"), "{long}");
        assert!(long.contains("--authentication_secret=SECRET"), "{long}");
    }

    #[test]
    fn says_what_is_missing() {
        let short = preview(&StoreDraft::default()).short;
        assert_eq!(short, "choose a region: the public endpoint is the region's own");
    }
}
