//! A store's artifacts as a tree: pipeline, run, step, output where a server tells of them; step,
//! output, step run where only the keys do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use time::OffsetDateTime;

use super::below::key_in;
use super::{ArtifactVersion, Run};
use crate::zenml::layout::Layout;

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pipeline, or what stands in its place.
    Pipeline,
    /// A run.
    Run,
    /// A step.
    Step,
    /// An output of a step, or an artifact saved by hand.
    Output,
    /// One version's data.
    Data,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Unlike every other's, and the same when the tree is read anew.
    pub id: String,
    /// What it stands for.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The run it is, where it is one that the server knows.
    pub run: Option<usize>,
    /// The version it is, where a server knows it.
    pub version: Option<usize>,
    /// The whole key of the folder or file with its data.
    pub key: Option<String>,
    /// What is below it.
    pub children: Vec<Node>,
}

/// A node on screen.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// How deep it stands.
    pub depth: usize,
    /// It.
    pub node: &'a Node,
}

/// The nodes that are seen while those in `open` show what is below them.
pub fn rows<'a>(nodes: &'a [Node], open: &BTreeSet<String>) -> Vec<Row<'a>> {
    fn add<'a>(nodes: &'a [Node], depth: usize, open: &BTreeSet<String>, rows: &mut Vec<Row<'a>>) {
        for node in nodes {
            rows.push(Row { depth, node });
            if open.contains(&node.id) {
                add(&node.children, depth + 1, open, rows);
            }
        }
    }
    let mut all = Vec::new();
    add(nodes, 0, open, &mut all);
    all
}

impl Node {
    fn branch(parent: Option<&str>, kind: Kind, name: &str, mark: &str) -> Self {
        // ids and names are shown nowhere in this form: only that they differ counts
        let id = format!("{}\0{mark}", parent.unwrap_or_default());
        let name = name.to_owned();
        Self { id, kind, name, run: None, version: None, key: None, children: Vec::new() }
    }

    /// How many versions' data is at or below it.
    pub fn count(&self) -> usize {
        let below: usize = self.children.iter().map(Self::count).sum();
        below + usize::from(self.key.is_some())
    }

    /// Ids of the way from the roots down to the first node with this key, the node left out.
    pub fn way_to(nodes: &[Self], key: &str) -> Option<Vec<String>> {
        nodes.iter().find_map(|node| {
            if node.key.as_deref() == Some(key) {
                return Some(Vec::new());
            }
            let mut way = Self::way_to(&node.children, key)?;
            way.push(node.id.clone());
            Some(way)
        })
    }
}

/// The child of that id, made where there is none yet.
fn child(nodes: &mut Vec<Node>, mut made: Node) -> &mut Node {
    match nodes.iter().rposition(|node| node.id == made.id) {
        // taken out and put back at its place: mostly the last one
        Some(at) => {
            made = nodes.remove(at);
            nodes.insert_mut(at, made)
        }
        None => nodes.push_mut(made),
    }
}

/// Pipelines with their runs, the newest first, their steps and outputs, of the versions that lie
/// in the store; then what was saved by hand.
pub fn of_server(
    versions: &[ArtifactVersion],
    runs: &[Run],
    (bucket, prefix): (&str, &str),
) -> Vec<Node> {
    let by_id: HashMap<&str, usize> =
        runs.iter().enumerate().map(|(index, run)| (run.id.as_str(), index)).collect();
    let mut here: Vec<(usize, &ArtifactVersion, &str)> = versions
        .iter()
        .enumerate()
        .filter_map(|(index, one)| Some((index, one, key_in(&one.uri, bucket)?)))
        .filter(|(_, _, key)| key.starts_with(prefix))
        .collect();
    let began = |one: &ArtifactVersion| {
        let run = one.run.as_deref().and_then(|id| runs.get(*by_id.get(id)?));
        run.and_then(|run| run.created).or(one.created).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    // newest runs first; within one, steps and outputs as they were written
    here.sort_by(|(_, a, _), (_, b, _)| {
        began(b)
            .cmp(&began(a))
            .then_with(|| (&a.run, a.created, &a.id).cmp(&(&b.run, b.created, &b.id)))
    });
    let mut pipelines: BTreeMap<(bool, String), Node> = BTreeMap::new();
    for (index, version, key) in here {
        let run = version.run.as_deref().and_then(|id| by_id.get(id).copied());
        let layout = key.strip_prefix(prefix).map(|below| format!("{below}/"));
        let (step, output) = match layout.as_deref().map(Layout::of) {
            Some(Layout::StepOutput { step, output, .. }) => (Some(step), output),
            _ => (None, version.artifact.as_str()),
        };
        let name = run.and_then(|run| runs.get(run)?.pipeline.as_deref());
        let (is_last, title) = match (name, &version.run, step) {
            (Some(name), ..) => (false, name),
            (None, Some(_), _) => (true, "runs that are not among those read"),
            (None, None, Some(_)) => (true, "of runs that are gone"),
            (None, None, None) => (true, "saved by hand"),
        };
        let top = pipelines.entry((is_last, title.to_owned())).or_insert_with(|| {
            Node::branch(None, Kind::Pipeline, title, &format!("{is_last}{title}"))
        });
        let mut at = top;
        if let Some(id) = &version.run {
            let name = run.and_then(|run| runs.get(run)).map_or(id.as_str(), |run| &run.name);
            let made = Node { run, ..Node::branch(Some(&at.id), Kind::Run, name, id) };
            at = child(&mut at.children, made);
        }
        if let Some(step) = step {
            let made = Node::branch(Some(&at.id), Kind::Step, step, step);
            at = child(&mut at.children, made);
        }
        let leaf = Node::branch(Some(&at.id), Kind::Output, output, &version.id);
        at.children.push(Node { version: Some(index), key: Some(key.to_owned()), ..leaf });
    }
    pipelines.into_values().collect()
}

/// Folders of artifacts' data by ZenML's layout, collected from keys as a listing brings them.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// The whole keys of the folders.
    keys: BTreeSet<String>,
}

impl Folders {
    /// Takes `key` of a store whose keys begin with `prefix`.
    pub fn take(&mut self, key: &str, prefix: &str) {
        let Some(below) = key.strip_prefix(prefix) else { return };
        let (Layout::StepOutput { file, .. } | Layout::Custom { file, .. }) = Layout::of(below)
        else {
            return;
        };
        let folder = key.strip_suffix(file).unwrap_or(key).trim_end_matches('/');
        if !self.keys.contains(folder) {
            self.keys.insert(folder.to_owned());
        }
    }

    /// Steps with their outputs and the step runs that wrote them.
    pub fn tree(&self, prefix: &str) -> Vec<Node> {
        let mut tops: Vec<Node> = Vec::new();
        for key in &self.keys {
            let below = key.strip_prefix(prefix).map(|below| format!("{below}/"));
            let (top, output, data) = match below.as_deref().map(Layout::of) {
                Some(Layout::StepOutput { step, output, run, .. }) => {
                    (Node::branch(None, Kind::Step, step, step), output.to_owned(), run.to_owned())
                }
                Some(Layout::Custom { name, id, .. }) => {
                    let top = Node::branch(None, Kind::Pipeline, "saved by hand", "\0");
                    (top, name.to_owned(), id.to_owned())
                }
                _ => continue,
            };
            let top = child(&mut tops, top);
            let made = Node::branch(Some(&top.id), Kind::Output, &output, &output);
            let output = child(&mut top.children, made);
            let leaf = Node::branch(Some(&output.id), Kind::Data, &data, key);
            output.children.push(Node { key: Some(key.clone()), ..leaf });
        }
        tops.sort_by_key(|top| top.kind == Kind::Pipeline);
        tops
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zenml::artifacts::Status;

    const ID: &str = "681656ff-a3af-417b-8469-3c74ef4f0be4";
    const KEYS: &str = include_str!("../../../tests/data/zenml/object-keys-s3.txt");

    fn run(id: &str, pipeline: Option<&str>, day: i64) -> Run {
        Run {
            id: id.into(),
            name: format!("{id}-name"),
            pipeline: pipeline.map(str::to_owned),
            status: Status("completed".into()),
            created: Some(OffsetDateTime::UNIX_EPOCH + time::Duration::days(day)),
            ..Run::default()
        }
    }

    fn version(id: &str, run: Option<&str>, key: &str, minute: i64) -> ArtifactVersion {
        ArtifactVersion {
            id: id.into(),
            artifact: format!("{id}-artifact"),
            uri: format!("s3://b/zen/{key}"),
            run: run.map(str::to_owned),
            created: Some(OffsetDateTime::UNIX_EPOCH + time::Duration::minutes(minute)),
            ..ArtifactVersion::default()
        }
    }

    /// The tree as text, all of it open.
    fn all(nodes: &[Node]) -> Vec<String> {
        fn ids(nodes: &[Node], open: &mut BTreeSet<String>) {
            for node in nodes {
                assert!(open.insert(node.id.clone()), "{} is there twice", node.name);
                ids(&node.children, open);
            }
        }
        let mut open = BTreeSet::new();
        ids(nodes, &mut open);
        let rows = rows(nodes, &open);
        rows.iter().map(|row| format!("{}{}", "  ".repeat(row.depth), row.node.name)).collect()
    }

    #[test]
    fn a_server_tells_pipelines_runs_steps_and_outputs() {
        let runs = [run("r1", Some("train"), 1), run("r2", Some("train"), 2), run("r3", None, 3)];
        let versions = [
            version("v1", Some("r1"), &format!("load/rides/{ID}/c7a28315"), 1),
            version("v2", Some("r2"), &format!("fit/model/{ID}/c7a28315"), 3),
            version("v3", Some("r2"), &format!("load/rides/{ID}/c7a28316"), 2),
            version("v4", None, &format!("custom_artifacts/base/{ID}"), 4),
            version("v5", None, &format!("load/rides/{ID}/c7a28317"), 5),
            version("v6", Some("gone"), &format!("load/rides/{ID}/c7a28318"), 6),
            version("v7", Some("r1"), "../elsewhere", 7),
            ArtifactVersion { uri: "s3://b/other/x".into(), ..ArtifactVersion::default() },
        ];
        let tree = of_server(&versions[..6], &runs, ("b", "zen/"));
        assert_eq!(
            all(&tree),
            [
                "train",
                "  r2-name",
                "    load",
                "      rides",
                "    fit",
                "      model",
                "  r1-name",
                "    load",
                "      rides",
                "of runs that are gone",
                "  load",
                "    rides",
                "runs that are not among those read",
                "  gone",
                "    load",
                "      rides",
                "saved by hand",
                "  v4-artifact",
            ]
        );
        assert_eq!(tree[0].count(), 3);
        assert!(of_server(&versions[7..], &runs, ("b", "zen/")).is_empty(), "it lies elsewhere");
        let model = format!("zen/fit/model/{ID}/c7a28315");
        let open = Node::way_to(&tree, &model).unwrap().into_iter().collect();
        let seen = rows(&tree, &open);
        assert!(seen.iter().any(|row| row.node.key.as_deref() == Some(&model)));
        assert_eq!(seen.len(), 4 + 2 + 2 + 1, "all else stays folded");
    }

    #[test]
    fn keys_tell_steps_outputs_and_step_runs() {
        let mut folders = Folders::default();
        for line in KEYS.lines() {
            folders.take(line.rsplit_once(' ').unwrap().0, "zen/");
        }
        folders.take(&format!("zen/custom_artifacts/base/{ID}/0/data.json"), "zen/");
        folders.take("elsewhere/x", "zen/");
        let tree = folders.tree("zen/");
        let tops: Vec<_> = tree.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(tops, ["basics", "frames", "objs", "sk", "sk2", "saved by hand"]);
        assert_eq!(tree.iter().map(Node::count).sum::<usize>(), 43);
        let text = all(&tree);
        assert_eq!(text[..3], ["basics", "  a_dict", &format!("    {ID}")]);
        let key = format!("zen/basics/a_dict/{ID}/c7a28315");
        assert_eq!(Node::way_to(&tree, &key).unwrap().len(), 2);
    }
}
