use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::stack::StackDraft;
use crate::model::store::{Extras, Signature, StoreDraft};

const SAMPLE: &str = r#"# my stacks
schema = 1   # the first

[artifact_store.alibaba_store] # production
path = "s3://your-bucket-name/zenml"
secret = "alibaba_secret"      # in the keystore
region = "eu-central-1"
endpoint = "public"
access = { custom_domain = "oss.example.com" }
owner = "data team"
config_kwargs = { read_timeout = 9, s3 = { max_concurrent_requests = 4 } }

# the GPUs
[component.gpu_orchestrator]
type = "orchestrator"
flavor = "kubernetes"
configuration = { kubernetes_context = "prod" }

[stack.custom_stack]
components = { artifact_store = ["alibaba_store"], orchestrator = ["gpu_orchestrator"] }
zenml = "prod"
protected = true
# the end
"#;

struct Folder {
    home: tempfile::TempDir,
}

impl Folder {
    fn with(text: impl AsRef<[u8]>) -> Self {
        let folder = Self { home: tempfile::tempdir().unwrap() };
        let options = crate::base::atomic_file::Options::default();
        crate::base::atomic_file::write(&folder.path(), text.as_ref(), 1, &options).unwrap();
        folder
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("config/stacks.toml")
    }

    fn load(&self) -> Catalog {
        Catalog::load(&self.path()).unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn edit(&self, change: impl FnOnce(&mut Edit) -> Result<(), Error>) -> Result<(), Error> {
        let ((), catalog) = Catalog::edit(&self.path(), 7, change)?;
        assert_eq!(catalog, self.load(), "what an edit answers is what the file says");
        Ok(())
    }
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn store(name: &str) -> ArtifactStore {
    StoreDraft {
        name: name.into(),
        bucket: "other-bucket".into(),
        secret: "alibaba_secret".into(),
        region: "cn-hangzhou".into(),
        ..StoreDraft::default()
    }
    .validate()
    .unwrap()
}

fn said(text: &str) -> Vec<String> {
    Folder::with(text).load().problems().iter().map(ToString::to_string).collect()
}

fn refused(text: impl AsRef<[u8]>) -> String {
    let folder = Folder::with(text.as_ref());
    let error = Catalog::load(&folder.path()).unwrap_err().to_string();
    let edit = Catalog::edit(&folder.path(), 1, |edit| edit.put_store(&store("new"), Put::New));
    assert_eq!(edit.unwrap_err().to_string(), error, "an edit is refused for the same reason");
    assert_eq!(fs::read(folder.path()).unwrap(), text.as_ref(), "and nothing was written");
    error
}

#[test]
fn a_residency_is_a_list_whose_mistakes_are_named() {
    let said = |line: &str| {
        let text = SAMPLE.replace("endpoint = \"public\"", line);
        let problems: Vec<String> =
            Folder::with(text).load().problems().iter().map(ToString::to_string).collect();
        problems.join("\n")
    };
    for fine in ["residency = [\"EU\", \"UK\"]", "residency = \"de\"", "residency = []"] {
        assert!(!said(fine).contains(": residency: "), "{}", said(fine));
    }
    assert!(said("residency = [\"Germany\"]").contains("did you mean DE?"));
    assert!(said("residency = [\"CN\"]").contains("outside of CN"));
    assert!(said("residency = [1]").contains("write a list of texts"));
    assert!(said("residenci = [\"EU\"]").contains("did you mean residency?"));
}

#[test]
fn an_error_never_shows_what_may_be_a_pasted_key() {
    for pasted in ["LTAI5tCanary0001", "LTAI5tCanary0001,canary", "owner = LTAI5tCanary0001"] {
        let error = refused(format!("schema = 1\n{pasted}\n"));
        assert!(error.contains("line 2") && error.contains('…'), "{error}");
        assert!(!error.contains("anary"), "{error}");
    }
    let error = refused("[stack.x\n");
    assert!(error.contains("[stack.x"), "{error}");
}

#[test]
fn the_file_of_the_design_reads() {
    let catalog = Folder::with(SAMPLE).load();
    let store = catalog.store("alibaba_store").unwrap();
    assert_eq!(store.path(), "s3://your-bucket-name/zenml");
    assert_eq!(store.access.as_ref().unwrap().to_string(), "domain:oss.example.com");
    assert_eq!(
        store.config_kwargs(),
        json!({ "signature_version": "s3", "read_timeout": 9,
                "s3": { "addressing_style": "virtual", "max_concurrent_requests": 4 } })
    );
    let component =
        catalog.components().iter().find(|found| found.name == name("gpu_orchestrator")).unwrap();
    assert_eq!(
        component.configuration,
        *json!({ "kubernetes_context": "prod" }).as_object().unwrap()
    );
    let stack = catalog.stack("custom_stack").unwrap();
    assert_eq!((stack.zenml.as_deref(), stack.protected), (Some("prod"), true));
    assert_eq!(catalog.users_of_secret("alibaba_secret"), [&name("alibaba_store")]);
    assert_eq!(catalog.users_of_store("alibaba_store"), [&name("custom_stack")]);
    assert_eq!(catalog.users_of_store("other"), Vec::<&Name>::new());
    let problems: Vec<_> = catalog.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("line 10: artifact_store.alibaba_store: owner: unknown key"));
}

#[test]
fn no_file_is_an_empty_catalog_and_the_first_edit_makes_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config/stacks.toml");
    let catalog = Catalog::load(&path).unwrap();
    assert!(!catalog.exists() && catalog.stores().is_empty());
    let put = |edit: &mut Edit| edit.put_store(&store("a"), Put::New);
    let ((), catalog) = Catalog::edit(&path, 1, put).unwrap();
    assert_eq!(catalog.store("a"), Some(&store("a")));
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "# The catalog of osstack: artifact stores, components and stacks.\n\
         # Edit it by hand or with osstack; comments, order and unknown keys stay as they are.\n\
         # Secrets do not belong here: stores name them, the keystore holds them.\n\
         schema = 1\n\
         \n\
         [artifact_store.a]\n\
         path = \"s3://other-bucket\"\n\
         secret = \"alibaba_secret\"\n\
         region = \"cn-hangzhou\"\n\
         endpoint = \"public\"\n\
         signature = \"v2\"\n"
    );
}

#[test]
fn an_update_touches_its_line_alone() {
    let folder = Folder::with(SAMPLE);
    let old = folder.load().store("alibaba_store").unwrap().clone();
    let new = ArtifactStore { secret: name("other_secret"), ..old.clone() };
    folder.edit(|edit| edit.put_store(&new, Put::Update(&old))).unwrap();
    assert_eq!(
        folder.text(),
        SAMPLE.replace("secret = \"alibaba_secret\"  ", "secret = \"other_secret\"  ")
    );
    assert_eq!(folder.load().store("alibaba_store"), Some(&new));
    let backup = folder.path().with_file_name("stacks.toml.bak.1");
    assert_eq!(fs::read_to_string(backup).unwrap(), SAMPLE);
    // nothing changed: nothing written, no backup
    folder.edit(|edit| edit.put_store(&new, Put::Update(&new))).unwrap();
    assert!(!folder.path().with_file_name("stacks.toml.bak.2").exists());
}

#[test]
fn new_entries_stand_with_their_kind_and_leave_the_rest() {
    let folder = Folder::with(SAMPLE);
    folder.edit(|edit| edit.put_store(&store("second"), Put::New)).unwrap();
    let text = folder.text();
    let added = "\n[artifact_store.second]\npath = \"s3://other-bucket\"\n\
                 secret = \"alibaba_secret\"\nregion = \"cn-hangzhou\"\nendpoint = \"public\"\n\
                 signature = \"v2\"\n";
    assert!(text.contains(added), "{text}");
    assert_eq!(text.replace(added, ""), SAMPLE);
    assert!(text.find("second") < text.find("gpu_orchestrator"), "{text}");
}

#[test]
fn a_change_of_the_same_entry_meanwhile_is_a_conflict() {
    let folder = Folder::with(SAMPLE);
    let old = folder.load().store("alibaba_store").unwrap().clone();
    let theirs = ArtifactStore { secret: name("theirs"), ..old.clone() };
    let mine = ArtifactStore { secret: name("mine"), ..old.clone() };
    folder.edit(|edit| edit.put_store(&theirs, Put::Update(&old))).unwrap();
    let error = folder.edit(|edit| edit.put_store(&mine, Put::Update(&old))).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert_eq!(folder.load().store("alibaba_store"), Some(&theirs));
    // another entry is merged
    folder.edit(|edit| edit.put_store(&store("other"), Put::New)).unwrap();
    assert_eq!(folder.load().stores().len(), 2);
    let error = folder.edit(|edit| edit.put_store(&mine, Put::New)).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    let gone = store("gone");
    let error = folder.edit(|edit| edit.put_store(&gone, Put::Update(&gone))).unwrap_err();
    assert!(matches!(error, Error::Absent { .. }), "{error}");
}

#[test]
fn what_is_used_is_not_deleted_and_renames_reach_its_users() {
    let folder = Folder::with(SAMPLE);
    let error = folder.edit(|edit| edit.delete_store("alibaba_store")).unwrap_err();
    assert!(error.to_string().contains("used by custom_stack"), "{error}");
    let error = folder.edit(|edit| edit.delete_component("gpu_orchestrator")).unwrap_err();
    assert!(error.to_string().contains("used by custom_stack"), "{error}");
    folder
        .edit(|edit| {
            edit.rename_store("alibaba_store", &name("renamed"))?;
            edit.rename_stack("custom_stack", &name("stack2"))?;
            assert_eq!(edit.rename_secret_references("alibaba_secret", &name("key2")), 1);
            edit.copy_stack("stack2", &name("stack3"))
        })
        .unwrap();
    let text = folder.text();
    let head = SAMPLE
        .replace("alibaba_store", "renamed")
        .replace("custom_stack", "stack2")
        .replace("alibaba_secret", "key2");
    let (before_end, _) = head.split_once("# the end").unwrap();
    assert!(text.starts_with(before_end), "{text}");
    assert!(text.ends_with("# the end\n"), "{text}");
    let catalog = folder.load();
    assert_eq!(catalog.users_of_store("renamed"), [&name("stack2"), &name("stack3")]);
    folder
        .edit(|edit| {
            edit.delete_stack("stack2")?;
            edit.delete_stack("stack3")?;
            edit.delete_store("renamed")?;
            edit.delete_component("gpu_orchestrator")
        })
        .unwrap();
    assert!(folder.text().starts_with("# my stacks\nschema = 1   # the first\n"));
    let error = folder.edit(|edit| edit.delete_stack("stack2")).unwrap_err();
    assert!(matches!(error, Error::Absent { .. }), "{error}");
}

#[test]
fn a_failed_edit_writes_nothing() {
    let folder = Folder::with(SAMPLE);
    let error = folder.edit(|edit| {
        edit.put_store(&store("half"), Put::New)?;
        edit.delete_stack("no_such")
    });
    assert!(error.is_err());
    assert_eq!(folder.text(), SAMPLE);
}

#[test]
fn broken_entries_are_named_kept_and_can_be_replaced() {
    let text = "schema = 1\n[artifact_store.broken]\npath = \"oss://x\"\nsecret = 5\n\
                endpoint = \"nowhere\"\n[artifact_store.good]\npath = \"s3://good-bucket\"\n\
                secret = \"s\"\nregion = \"cn-hangzhou\"\n[stack.s]\nzenml = \"x\"\n";
    assert_eq!(
        said(text),
        [
            "line 3: artifact_store.broken: path: write s3://BUCKET or s3://BUCKET/PREFIX",
            "line 4: artifact_store.broken: secret: write it as text, in quotes",
            "line 5: artifact_store.broken: endpoint: write the scheme too: https://nowhere",
            "stack.s: artifact_store: every stack needs an artifact store",
            "stack.s: orchestrator: every stack needs an orchestrator",
        ]
    );
    let folder = Folder::with(text);
    assert_eq!(folder.load().stores().len(), 1);
    let error = folder.edit(|edit| edit.put_store(&store("broken"), Put::New)).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    folder.edit(|edit| edit.rename_stack("s", &name("t"))).unwrap();
    assert_eq!(folder.text(), text.replace("stack.s", "stack.t"));
    folder.edit(|edit| edit.put_store(&store("broken"), Put::Replace)).unwrap();
    assert_eq!(folder.load().store("broken"), Some(&store("broken")));
}

#[test]
fn slips_are_named_with_what_was_meant() {
    let stack = |body: &str| said(&format!("schema = 1\n[stack.s]\n{body}\n"));
    let good = "components = { artifact-store = \"a\", orchestrator = [\"default\"] }";
    assert_eq!(stack(good), Vec::<String>::new());
    assert_eq!(
        stack(&format!("{good}\nprotectd = true")),
        ["line 4: stack.s: protectd: unknown key, kept and not used: did you mean protected?"]
    );
    assert_eq!(
        stack("components = { artifact_store = [\"a\"], orchestrater = [\"default\"] }"),
        [
            "line 3: stack.s: components.orchestrater: ZenML 0.98 has no component type \
             orchestrater, fine where yours has it: did you mean orchestrator?",
            "stack.s: orchestrator: every stack needs an orchestrator",
        ]
    );
    assert_eq!(said("schema = 1\nstack = 3\n"), ["line 2: stack: write [stack.NAME]"]);
    assert_eq!(
        said("schema = 1\n[component.c]\ntype = \"artifact_store\"\nflavor = \"s3\"\n"),
        ["line 3: component.c: type: an artifact store has its own table: [artifact_store.NAME]"]
    );
    let nul = said(
        "schema = 1\n[component.c]\ntype = \"alerter\"\nflavor = \"x\"\n\
         configuration = { a = \"\\u0000\" }\n",
    );
    assert!(nul[0].contains("NUL"), "{nul:?}");
    let odd = said("schema = 1\n[stack.\"a\\u001b[2J\"]\n");
    assert!(odd.iter().all(|line| !line.contains('\u{1b}')), "{odd:?}");
}

#[test]
fn files_that_are_no_catalog_are_refused_and_left() {
    assert!(refused("a = 1\n<<<<<<< HEAD\nb = 2\n=======\n").contains("line 2: a conflict"));
    assert!(refused(b"\xff\xfes\x00").contains("UTF-16"));
    assert!(refused("schema = 1\n#\0").contains("NUL"));
    assert!(refused(b"schema = 1\n# \xff").contains("not UTF-8 in line 2"));
    assert!(refused("schema = \"one\"").contains("write schema = 1"));
    let twice = refused("schema = 1\n[stack.a]\n[stack.a]\n");
    assert!(twice.contains("line 3") && twice.contains("duplicate key"), "{twice}");
}

#[test]
fn a_syntax_error_has_its_place_and_shows_no_value() {
    let error = refused("schema = 1\n[artifact_store.a]\naccess_key_secret = \"canary\x1b[31m\n");
    assert!(error.contains("line 3, column"), "{error}");
    assert!(error.contains("access_key_secret = …"), "{error}");
    assert!(!error.contains("canary") && !error.contains('\u{1b}'), "{error}");
    let error = refused("schema = 1\nregion = eu central\n");
    assert!(error.contains("line 2, column") && error.contains("region = eu central"), "{error}");
}

#[test]
fn a_newer_catalog_reads_but_takes_no_change() {
    let folder = Folder::with(SAMPLE.replace("schema = 1", "schema = 2"));
    let catalog = folder.load();
    assert!(catalog.stack("custom_stack").is_some());
    assert!(matches!(catalog.read_only(), Some(Error::Newer { found: 2, .. })));
    let error = folder.edit(|edit| edit.delete_stack("custom_stack")).unwrap_err();
    assert!(error.to_string().ends_with("update osstack"), "{error}");
    assert_eq!(folder.text(), SAMPLE.replace("schema = 1", "schema = 2"));
}

#[test]
fn an_older_catalog_is_migrated_by_the_first_change() {
    for old in ["", "schema = 0 # old\n"] {
        let folder = Folder::with(format!("{old}# mine\n[stack.s]\nnote = 1\n"));
        let problems = folder.load().problems().to_vec();
        assert!(problems[0].message.contains("read as schema 1"), "{problems:?}");
        folder.edit(|edit| edit.rename_stack("s", &name("t"))).unwrap();
        let new = if old.is_empty() { "schema = 1\n" } else { "schema = 1 # old\n" };
        assert_eq!(folder.text(), format!("{new}# mine\n[stack.t]\nnote = 1\n"));
        assert!(!folder.load().problems().iter().any(|p| p.field == "schema"));
    }
}

#[test]
fn line_ends_and_byte_order_mark_stay() {
    let text = format!("\u{feff}{}", SAMPLE.replace('\n', "\r\n"));
    let folder = Folder::with(&text);
    assert_eq!(folder.load().stacks().len(), 1);
    folder.edit(|edit| edit.rename_stack("custom_stack", &name("other_stack"))).unwrap();
    assert_eq!(folder.text(), text.replace("custom_stack", "other_stack"));
}

#[test]
fn ways_to_write_the_same_tables_all_take_edits() {
    let bodies = [
        "[artifact_store]\na = { path = \"s3://some-bucket\", secret = \"s\", region = \"cn-hangzhou\" }",
        "artifact_store = { a = { path = \"s3://some-bucket\", secret = \"s\", region = \"cn-hangzhou\" } }",
        "artifact_store.a.path = \"s3://some-bucket\"\nartifact_store.a.secret = \"s\"\n\
         artifact_store.a.region = \"cn-hangzhou\"",
    ];
    for body in bodies {
        let folder = Folder::with(format!("schema = 1\n{body}\n"));
        let old = folder.load().store("a").unwrap().clone();
        let new = ArtifactStore { secret: name("t"), ..old.clone() };
        folder.edit(|edit| edit.put_store(&new, Put::Update(&old))).unwrap();
        folder.edit(|edit| edit.put_store(&store("b"), Put::New)).unwrap();
        let catalog = folder.load();
        assert_eq!(catalog.stores(), [new, store("b")], "{}", folder.text());
    }
}

#[test]
fn two_writers_lose_nothing() {
    let folder = Folder::with("schema = 1\n");
    std::thread::scope(|threads| {
        for writer in 0..4 {
            let folder = &folder;
            threads.spawn(move || {
                for turn in 0..8 {
                    let store = store(&format!("s{writer}-{turn}"));
                    let random = writer * 100 + turn;
                    let put = |edit: &mut Edit| edit.put_store(&store, Put::New);
                    Catalog::edit(&folder.path(), random, put).unwrap();
                }
            });
        }
    });
    assert_eq!(folder.load().stores().len(), 32);
}

#[test]
fn a_big_catalog_reads_in_time() {
    let one = |n: usize| {
        format!(
            "[stack.s{n}]\ncomponents = {{ artifact_store = [\"a\"], orchestrator = [\"o\"] }}\n"
        )
    };
    let text: String =
        std::iter::once("schema = 1\n".to_owned()).chain((0..10_000).map(one)).collect();
    assert_eq!(Folder::with(text).load().stacks().len(), 10_000);
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1e9..1e9_f64).prop_map(serde_json::Value::from),
        "[^\0]{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            json_map(inner).prop_map(serde_json::Value::Object),
        ]
    })
}

fn json_map(
    values: impl Strategy<Value = serde_json::Value>,
) -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    prop::collection::btree_map("[^\0]{1,8}", values, 0..3)
        .prop_map(|map| map.into_iter().collect())
}

fn any_store() -> impl Strategy<Value = ArtifactStore> {
    let endpoint = || {
        prop::sample::select(vec![
            "public",
            "internal",
            "https://oss.example.com:8443",
            "domain:oss.example.com",
        ])
    };
    (
        "[a-z][a-z0-9_-]{0,8}",
        "[a-z0-9]{3,12}",
        // no part of dots alone, which is refused
        "([a-zA-Z0-9'\"#é][a-zA-Z0-9 '\"#é.]{0,5}/?){0,3}",
        endpoint(),
        prop::option::of(endpoint()),
        any::<bool>(),
        json_map(json_value()),
    )
        .prop_map(|(name, bucket, prefix, endpoint, access, v4, kwargs)| {
            let is_accelerated = |way: &str| way.starts_with("accelerate");
            let leads_out = is_accelerated(endpoint) || access.is_some_and(is_accelerated);
            StoreDraft {
                name,
                bucket,
                prefix,
                secret: "s".into(),
                region: "cn-hangzhou".into(),
                endpoint: endpoint.into(),
                access: access.unwrap_or_default().into(),
                signature: if v4 { Signature::V4 } else { Signature::V2 },
                residency: if leads_out { "" } else { "CN, HK" }.into(),
                extras: Extras { client_kwargs: kwargs, ..Extras::default() },
            }
            .validate()
            .unwrap()
        })
}

fn any_stack() -> impl Strategy<Value = Stack> {
    ("[a-z][a-z0-9_-]{0,8}", "[a-z]{1,4}", prop::collection::vec("[a-z]{1,4}", 0..3), any::<bool>())
        .prop_map(|(name, store, alerters, protected)| {
            let components = [
                (ComponentType::ArtifactStore, vec![store]),
                (ComponentType::Orchestrator, vec!["default".to_owned()]),
                (ComponentType::Alerter, alerters),
            ];
            let zenml = if protected { "prod".to_owned() } else { String::new() };
            StackDraft {
                name,
                components: components.into(),
                zenml,
                protected,
                require_check: protected,
            }
            .validate()
            .unwrap()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read_again(
        first in any_store(), second in any_store(), stack in any_stack(), other in any_stack(),
    ) {
        let second = ArtifactStore { name: first.name.clone(), ..second };
        let other = Stack { name: stack.name.clone(), ..other };
        let folder = Folder::with(SAMPLE);
        folder.edit(|edit| {
            edit.put_store(&first, Put::New)?;
            edit.put_stack(&stack, Put::New)
        }).unwrap();
        let catalog = folder.load();
        prop_assert_eq!(catalog.store(first.name.as_str()), Some(&first));
        let catalog = folder.load();
        prop_assert_eq!(catalog.stack(stack.name.as_str()), Some(&stack));
        folder.edit(|edit| {
            edit.put_store(&second, Put::Update(&first))?;
            edit.put_stack(&other, Put::Update(&stack))
        }).unwrap();
        let catalog = folder.load();
        prop_assert_eq!(catalog.store(first.name.as_str()), Some(&second));
        let catalog = folder.load();
        prop_assert_eq!(catalog.stack(stack.name.as_str()), Some(&other));
        folder.edit(|edit| {
            edit.delete_stack(stack.name.as_str())?;
            edit.delete_store(first.name.as_str())
        }).unwrap();
        prop_assert_eq!(folder.text(), SAMPLE);
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,80}", valid in any::<bool>()) {
        let text = if valid { format!("schema = 1\n[artifact_store.a]\n{text}") } else { text };
        let folder = Folder::with(&text);
        let loaded = Catalog::load(&folder.path());
        let edited = Catalog::edit(&folder.path(), 1, |edit| edit.put_store(&store("n"), Put::New));
        if loaded.is_err() {
            prop_assert!(edited.is_err());
            prop_assert_eq!(fs::read_to_string(folder.path()).unwrap(), text);
        }
    }
}
