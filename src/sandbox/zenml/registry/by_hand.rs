//! What somebody made by hand before osstack came, as `ZenML`'s commands take it: a store that
//! works with every S3 but OSS.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Registry;
use crate::ports::entropy::uuid;
use crate::sandbox::Description;
use crate::sandbox::zenml::things::{Component, Secret, Stack};

/// The names of all of it end in this.
const BY_HAND: &str = "by_hand";

impl Registry {
    /// Adds a secret, a store in the sandbox of `description`, and a stack, made by somebody else.
    /// The store lacks virtual-hosted addressing, which OSS asks for.
    pub(in crate::sandbox::zenml) fn add_by_hand(&mut self, description: &Description) {
        let created = self.now();
        let [secret, store, stack] = std::array::from_fn(|_| uuid(&*self.entropy));
        let secret_name = format!("secret_{BY_HAND}");
        let values = [
            ("access_key_id", description.access_key_id.clone()),
            ("secret_access_key", description.secret_access_key.clone()),
        ];
        let configuration = json!({
            "path": format!("s3://{}/{BY_HAND}", description.bucket),
            "authentication_secret": secret_name,
            "client_kwargs": { "endpoint_url": description.endpoint },
        });
        self.secrets.push(Secret {
            id: secret,
            name: secret_name,
            is_private: false,
            user: self.other.clone(),
            values: values.map(|(key, value)| (key.to_owned(), value)).into(),
            created: created.clone(),
        });
        let Value::Object(configuration) = configuration else { return };
        self.components.push(Component {
            id: store.clone(),
            name: format!("store_{BY_HAND}"),
            kind: "artifact_store".into(),
            flavor: "s3".into(),
            user: Some(self.other.clone()),
            configuration,
            labels: serde_json::Map::new(),
            created: created.clone(),
        });
        let orchestrator = self.components.iter().find(|one| one.kind == "orchestrator");
        let orchestrator = orchestrator.map(|one| one.id.clone());
        let components =
            [("artifact_store", vec![store]), ("orchestrator", orchestrator.into_iter().collect())];
        self.stacks.push(Stack {
            id: stack,
            name: format!("stack_{BY_HAND}"),
            user: Some(self.other.clone()),
            components: BTreeMap::from(components.map(|(kind, ids)| (kind.to_owned(), ids))),
            labels: serde_json::Map::new(),
            created,
        });
    }
}
