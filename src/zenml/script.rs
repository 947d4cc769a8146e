//! A plan as a shell script, with the commands of ZenML's own OSS page.
//!
//! The secret's values are never in the script. They are typed or taken from
//! the environment when it runs, and reach ZenML as `--values=@/dev/fd/3`: a
//! file of mode 0600 that is opened and then loses its name before ZenML
//! starts. ZenML 0.98 refuses a pipe there, so neither `printf | zenml` nor a
//! here-document (a pipe in dash, and in bash from 5.1) would do.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};

use super::plan::{Plan, Step, text};
use crate::base::shell;
use crate::model::component::ComponentType;
use crate::model::name::Name;

/// One command of ZenML's command line.
///
/// Its `Display` is what the script runs, quoted for a POSIX shell, a setting a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    words: Vec<String>,
    settings: Vec<String>,
}

/// What `zenml … register` and `update` take for options of their own, and not for a setting of
/// the component (`cli/stack_components.py`, 0.98): a kaniko builder has a setting `env`, an S3
/// store one called `secret`. After `--` all is settings (seen).
const OWN_OPTIONS: [&str; 6] = ["connector", "env", "flavor", "help", "label", "secret"];

impl CommandLine {
    /// `words` after `zenml`.
    pub(super) fn new<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self { words, settings: Vec::new() }
    }

    /// With more words.
    pub(super) fn and<W: Into<String>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    /// With each setting as an option of `--name=value`.
    pub(super) fn with_settings(mut self, settings: &Map<String, Value>) -> Self {
        if settings.keys().any(|setting| OWN_OPTIONS.contains(&setting.as_str())) {
            self.settings.push("--".to_owned());
        }
        self.settings.extend(settings.iter().map(|(setting, value)| {
            let value = text(value);
            // ZenML reads `@x` as the contents of the file x, `@@x` as `@x`
            let at = if value.starts_with('@') { "@" } else { "" };
            format!("--{setting}={at}{value}")
        }));
        self
    }

    /// The arguments of `zenml`, as they are.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.words.iter().chain(&self.settings).map(String::as_str)
    }

    /// The same as [`Display`](fmt::Display) without line breaks.
    pub fn on_one_line(&self) -> String {
        let words = std::iter::once("zenml".to_owned()).chain(self.arguments().map(quoted));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A word for a shell; of an option the value alone is quoted.
fn quoted(word: &str) -> String {
    match word.split_once('=') {
        Some((option, value)) if option.starts_with("--") => {
            format!("{}={}", shell::quote(option), shell::quote(value))
        }
        _ => shell::quote(word),
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("zenml")?;
        self.words.iter().try_for_each(|word| write!(f, " {}", quoted(word)))?;
        self.settings.iter().try_for_each(|setting| write!(f, " \\\n    {}", quoted(setting)))
    }
}

/// The commands that carry out `plan`, first the integration that S3 needs.
pub fn commands(plan: &Plan) -> Vec<CommandLine> {
    std::iter::once(install()).chain(plan.steps.iter().map(command)).collect()
}

fn install() -> CommandLine {
    CommandLine::new(["integration", "install", "s3", "-y"])
}

/// The command that makes one thing.
pub(super) fn command(step: &Step) -> CommandLine {
    match step {
        Step::Secret { name, .. } => {
            CommandLine::new(["secret", "create", name.as_str(), "--values=@/dev/fd/3"])
        }
        Step::Component { name, kind, flavor, configuration } => {
            let noun = kind.as_str().replace('_', "-");
            CommandLine::new([noun.as_str(), "register", name.as_str(), "-f", flavor])
                .with_settings(configuration)
        }
        Step::Stack { name, components } => CommandLine::new(["stack", "register", name.as_str()])
            .and(options(components))
            .and(["--set"]),
    }
}

/// The components of a stack as the options of `zenml stack register` and `update`.
pub(super) fn options(
    components: &BTreeMap<ComponentType, Vec<Name>>,
) -> impl Iterator<Item = Cow<'_, str>> {
    components.iter().flat_map(|(kind, names)| {
        names.iter().flat_map(|name| [option(*kind), Cow::Borrowed(name.as_str())])
    })
}

/// The option of `zenml stack register` for a type; of one that is not known the long form that
/// most types have, `--step_operator`.
pub(super) fn option(kind: ComponentType) -> Cow<'static, str> {
    kind.option().map_or_else(|| format!("--{kind}").into(), Cow::Borrowed)
}

/// The whole script, for `sh`.
pub fn script(plan: &Plan) -> String {
    let mut out = String::from("#!/bin/sh\n");
    if let Some(last) = plan.steps.last() {
        let _infallible =
            writeln!(out, "# Brings the {} {} to ZenML.", last.subject(), last.name());
    }
    for note in &plan.notes {
        out.push_str("#\n");
        comment(note, &mut out);
    }
    out.push_str(PREAMBLE);
    let secret = plan.steps.iter().find_map(|step| match step {
        Step::Secret { keys, .. } => Some(keys.as_slice()),
        _ => None,
    });
    if let Some(keys) = secret {
        out.push_str(ASKING);
        let variables: Vec<&str> = keys.iter().zip(VARIABLES).map(|(_, name)| name).collect();
        out.push_str(&take(&variables));
    }
    let _infallible = writeln!(out, "\n{}", install());
    for step in &plan.steps {
        let command = command(step);
        match step {
            Step::Secret { keys, .. } => {
                out.push_str(&hand_over(keys));
                let _infallible = writeln!(out, "{command}\nexec 3<&-");
            }
            Step::Component { .. } | Step::Stack { .. } => {
                let _infallible = writeln!(out, "\n{command}");
            }
        }
    }
    out
}

/// ossutil's own names for id, secret and token.
const VARIABLES: [&str; 3] = ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];

const PREAMBLE: &str = "\
#
# Run it where ZenML is installed and logged in. It stops at the first command that fails, for
# example because a name is taken.
set -eu

fail() {
    printf '%s\\n' \"$1\" >&2
    exit \"$2\"
}
command -v zenml >/dev/null || fail 'zenml is not on the PATH: activate its environment first' 1
";

const ASKING: &str = r#"
# The key is taken from the environment, all of it, or typed. It is never an argument, and the commands below
# do not find it in their environment.
ask() {
    [ -t 0 ] ||
        fail 'no terminal to type the key: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET both' 3
    trap 'stty echo' EXIT
    trap 'exit 130' HUP INT TERM
    stty -echo
    printf '%s (not shown): ' "$1" >&2
    IFS= read -r typed || fail 'nothing was typed: run again' 3
    stty echo
    trap - EXIT HUP INT TERM
    printf '\n' >&2
    eval "$1=\$typed"
}
json() {
    LC_ALL=C
    case $1 in
    '' | *[![:graph:]]*) fail 'the key is empty or holds a blank: copy it again' 2 ;;
    esac
    printf '%s\n' "$1" | sed 's/[\\"]/\\&/g; s/.*/"&"/'
}
"#;

/// Takes the key whole from the environment, or whole from the keyboard: half of each would be a
/// key that nobody has checked.
fn take(variables: &[&str]) -> String {
    let all_set: Vec<String> =
        variables.iter().map(|name| format!("[ -n \"${{{name}-}}\" ]")).collect();
    let mut out = format!(
        "if {}; then\n    printf 'using the key …%s of the environment\\n' \\\n        \
         \"${{{id}#\"${{{id}%????}}\"}}\" >&2\nelse\n",
        all_set.join(" && "),
        id = VARIABLES[0],
    );
    for name in variables {
        let _infallible = writeln!(out, "    ask {name}");
    }
    out.push_str("fi\n");
    for name in variables {
        let _infallible = writeln!(out, "{}=$(json \"${name}\")", name.to_lowercase());
    }
    let _infallible = writeln!(out, "unset {} typed", variables.join(" "));
    out
}

/// Opens the values on descriptor 3, without a name. What has a name meanwhile lies in a folder
/// of the user's own, in memory where the system has such a place.
fn hand_over(keys: &[&str]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("\"{key}\": %s")).collect();
    let values: Vec<String> = keys
        .iter()
        .zip(VARIABLES)
        .map(|(_, variable)| format!("\"${}\"", variable.to_lowercase()))
        .collect();
    format!(
        r#"
for place in "${{XDG_RUNTIME_DIR-}}" "${{TMPDIR-}}" /tmp; do
    if [ -d "$place" ] && [ -w "$place" ]; then break; fi
done
folder=$(mktemp -d "$place/osstack.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
(umask 077 && printf '{{{}}}\n' \
    {} >"$folder/values")
exec 3<"$folder/values"
rm -rf "$folder"
trap - EXIT HUP INT TERM
"#,
        names.join(", "),
        values.join(" "),
    )
}

fn comment(text: &str, out: &mut String) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() > 98 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::component::Component;
    use crate::model::secret::KeyNames;
    use crate::model::store::Signature;
    use crate::zenml::plan::tests::{secret, stack, store};
    use crate::zenml::plan::{Wanted, plan};
    use serde_json::json;

    fn custom_stack() -> Plan {
        let wanted = Wanted {
            secret: Some(&secret(KeyNames::Oss)),
            store: &store(Signature::V2),
            stack: Some(&stack()),
            components: &[],
            server: None,
        };
        plan(&wanted).unwrap()
    }

    #[test]
    fn the_commands_are_those_of_zenmls_page() {
        let lines: Vec<String> =
            commands(&custom_stack()).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "zenml integration install s3 -y",
                "zenml secret create alibaba_secret --values=@/dev/fd/3",
                "zenml artifact-store register alibaba_store -f s3 \\\n    \
                 --path='s3://your-bucket-name/zenml' \\\n    \
                 --authentication_secret=alibaba_secret \\\n    \
                 --client_kwargs='{\"endpoint_url\":\"https://oss-eu-central-1.aliyuncs.com\"}' \\\n    \
                 --config_kwargs='{\"signature_version\":\"s3\",\"s3\":{\"addressing_style\":\"virtual\"}}'",
                "zenml stack register custom_stack -a alibaba_store -o default --set",
            ]
        );
    }

    #[test]
    fn the_script_runs_every_command() {
        let plan = custom_stack();
        let script = script(&plan);
        for command in commands(&plan) {
            assert!(script.contains(&format!("\n{command}\n")), "{command}\n{script}");
        }
        assert!(script.starts_with("#!/bin/sh\n# Brings the stack custom_stack to ZenML.\n"));
        assert!(script.lines().all(|line| line.len() <= 110), "{script}");
    }

    #[test]
    fn settings_are_quoted_and_never_taken_for_files() {
        let component = Component {
            name: Name::parse("gpu").unwrap(),
            kind: ComponentType::StepOperator,
            flavor: "it's".into(),
            configuration: json!({ "a": "@file", "b": "$(x) 'y'", "c": true, "d": { "e": 1 } })
                .as_object()
                .unwrap()
                .clone(),
        };
        let mut stack = stack();
        let name = component.name.clone();
        stack.components.insert(ComponentType::StepOperator, vec![name.clone(), name]);
        let wanted = Wanted {
            secret: None,
            store: &store(Signature::V2),
            stack: Some(&stack),
            components: &[component],
            server: None,
        };
        let lines: Vec<String> =
            commands(&plan(&wanted).unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(
            lines[2],
            "zenml step-operator register gpu -f 'it'\\''s' \\\n    --a=@@file \\\n    \
             --b='$(x) '\\''y'\\''' \\\n    --c=true \\\n    --d='{\"e\":1}'"
        );
        assert_eq!(
            lines[3],
            "zenml stack register custom_stack -a alibaba_store -o default -s gpu -s gpu --set"
        );
    }

    #[test]
    fn settings_are_not_taken_for_options() {
        let settings = json!({ "env": "[\"A=1\"]", "path": "s3://x" });
        let line = CommandLine::new(["image-builder", "register", "kaniko", "-f", "kaniko"])
            .with_settings(settings.as_object().unwrap());
        assert_eq!(
            line.on_one_line(),
            "zenml image-builder register kaniko -f kaniko -- --env='[\"A=1\"]' --path='s3://x'"
        );
        assert_eq!(line.arguments().last(), Some("--path=s3://x"));
    }
}
