//! Runs, steps and artifact versions through the Python of an environment.
//!
//! Deletion is the one write here that is no `zenml` command: one takes 3 to 7 s, a prune may
//! delete hundreds, and its words are others from version to version (`zenml artifact version
//! delete` takes an id in 0.98 and a name before, and asks back without `--yes`). The Python does
//! what ZenML's server does for the same request, in milliseconds.

use serde_json::{Map, Value, json};

use super::{Client, unreadable};
use crate::zenml::rest::{Collection, Error, Kind, Page};

impl Client {
    /// One page of a list, from 1, of `size` things at most, filtered as the REST API filters.
    pub async fn page(
        &self,
        of: Collection,
        query: &[(&str, &str)],
        page: u32,
        size: u32,
    ) -> Result<Page, Error> {
        let action = format!("list ZenML's {}", shown(of));
        let query: Map<String, Value> =
            query.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let which = json!({ "of": of.as_str(), "query": query, "number": page, "size": size });
        let body = self.read(&action, "page", which).await?;
        Page::take(body).ok_or_else(|| unreadable(&action))
    }

    /// The one with this id, with all that is known of it.
    pub async fn one(&self, of: Collection, id: &str) -> Result<Value, Error> {
        let action = format!("read ZenML's {}", shown(of));
        self.read(&action, "one", json!({ "of": of.as_str(), "id": id })).await
    }

    /// The entries of a log, read by the ZenML of this environment from where it lies.
    pub async fn logs(&self, of: Collection, id: &str, source: &str) -> Result<Value, Error> {
        let which = json!({ "of": of.as_str(), "id": id, "source": source });
        self.read("read the log", "logs", which).await
    }

    /// Deletes the metadata of an artifact version, and leaves its data alone; refused while a run
    /// has it, gone already is as good.
    pub async fn delete_artifact_version(&self, id: &str) -> Result<(), Error> {
        let action = "delete ZenML's artifact versions";
        match self.read(action, "delete_artifact_version", json!({ "id": id })).await {
            Err(error) if error.kind != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn shown(of: Collection) -> String {
    of.as_str().replace('_', " ")
}
