//! Listings: whole, in pages, by folders, from a key on.

use futures_util::FutureExt as _;
use osstack::oss::listing::{ListRequest, Page, StorageClass};

use super::{Bench, Case, Different, Outcome, same};

pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    vec![
        ("list an empty folder".into(), empty(at).boxed()),
        ("list entries".into(), entries(at).boxed()),
        ("list in pages".into(), pages(at).boxed()),
        ("list by folders".into(), folders(at).boxed()),
        ("list by folders in pages".into(), folders_in_pages(at).boxed()),
        ("list after a key".into(), after(at).boxed()),
        ("list many pages at once".into(), many_pages_at_once(at).boxed()),
        ("list in the order of bytes".into(), order(at).boxed()),
        ("list with another delimiter".into(), other_delimiter(at).boxed()),
    ]
}

async fn fill(at: &Bench, folder: &str, names: &[&str]) -> Result<Vec<String>, Different> {
    let keys: Vec<String> = names.iter().map(|name| format!("{folder}{name}")).collect();
    for key in &keys {
        at.put(key, key.as_bytes()).await?;
    }
    Ok(keys)
}

fn below(prefix: &str) -> ListRequest {
    ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() }
}

async fn empty(at: &Bench) -> Outcome {
    let page = at.client.list_page(&at.bucket, &below(&at.key("list/empty/"))).await?.value;
    same("empty", (page.is_empty(), page.next()), (true, None))
}

async fn entries(at: &Bench) -> Outcome {
    let folder = at.key("list/entries/");
    let keys = fill(at, &folder, &["one", "three", "two"]).await?;
    let page = at.client.list_page(&at.bucket, &below(&folder)).await?.value;
    same("how many", page.len(), keys.len())?;
    for (entry, key) in page.entries().zip(&keys) {
        let info = at.client.head(&at.bucket, key).await?.value;
        same("key", entry.key, key.as_str())?;
        same("size", Some(entry.size), info.size)?;
        let etag = info.etag.unwrap_or_default().to_ascii_lowercase();
        same("ETag", entry.etag.to_string().to_ascii_lowercase(), etag)?;
        let modified = info.last_modified.map(time::OffsetDateTime::unix_timestamp);
        same("date", Some(entry.last_modified), modified)?;
        same("class", entry.storage_class, StorageClass::Standard)?;
    }
    Ok(())
}

async fn pages(at: &Bench) -> Outcome {
    let folder = at.key("list/pages/");
    let names = ["0", "1", "2", "3", "4", "5", "6", "7"];
    let keys = fill(at, &folder, &names).await?;
    let request = ListRequest { max_keys: Some(3), ..below(&folder) };
    let mut pages = at.client.walk(&at.bucket, request).at_most(1);
    let (mut sizes, mut seen) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page?;
        sizes.push(page.len());
        seen.extend(page.entries().map(|entry| entry.key.to_owned()));
    }
    same("keys", seen, keys)?;
    same("pages", sizes, vec![3, 3, 2])
}

const TREE: &[&str] = &["a", "b/1", "b/2", "c", "d/e/1", "d/e/2", "f+ g/1"];

async fn folders(at: &Bench) -> Outcome {
    let folder = at.key("list/folders/");
    fill(at, &folder, TREE).await?;
    let request = ListRequest { delimiter: Some("/".into()), ..below(&folder) };
    let page = at.client.list_page(&at.bucket, &request).await?.value;
    let cut = |text: &str| text.strip_prefix(&folder).unwrap_or(text).to_owned();
    let keys: Vec<String> = page.entries().map(|entry| cut(entry.key)).collect();
    let prefixes: Vec<String> = page.prefixes().map(cut).collect();
    same("objects", keys, vec!["a".to_owned(), "c".to_owned()])?;
    same("folders", prefixes, ["b/", "d/", "f+ g/"].map(ToOwned::to_owned).to_vec())
}

async fn folders_in_pages(at: &Bench) -> Outcome {
    let folder = at.key("list/folders-in-pages/");
    fill(at, &folder, TREE).await?;
    let request = ListRequest { delimiter: Some("/".into()), max_keys: Some(2), ..below(&folder) };
    let mut pages = at.client.walk(&at.bucket, request).at_most(1);
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page?;
        let names = page.entries().map(|entry| entry.key).chain(page.prefixes());
        let mut names: Vec<String> =
            names.map(|name| name.strip_prefix(&folder).unwrap_or(name).to_owned()).collect();
        names.sort();
        sizes.push(names.len());
        seen.extend(names);
    }
    same("names", seen, ["a", "b/", "c", "d/", "f+ g/"].map(ToOwned::to_owned).to_vec())?;
    same("pages", sizes, vec![2, 2, 1])
}

/// What is asked for in many pieces is what one listing gives, folded or not, in its order.
async fn many_pages_at_once(at: &Bench) -> Outcome {
    let folder = at.key("list/at-once/");
    let mut names: Vec<String> = (0..40).map(|number| format!("{number:06}.json")).collect();
    for step in ["loader", "trainer", "目录"] {
        names.extend((0..8).map(|number| format!("{step}/output/{:x}/data", number * 0x1234)));
    }
    names.extend(["~".to_owned(), "a b+c".to_owned(), "loader".to_owned()]);
    fill(at, &folder, &names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    for delimiter in [None, Some("/".to_owned())] {
        for prefix in [folder.clone(), format!("{folder}0"), format!("{folder}loader/")] {
            for max_keys in [1, 2, 5] {
                let request = ListRequest {
                    delimiter: delimiter.clone(),
                    max_keys: Some(max_keys),
                    ..below(&prefix)
                };
                let one_by_one = names_of(
                    &at.client
                        .list_page(&at.bucket, &ListRequest { max_keys: None, ..request.clone() })
                        .await?
                        .value,
                );
                let mut in_order = Vec::new();
                let mut walk = at.client.walk(&at.bucket, request.clone()).in_order();
                while let Some(page) = walk.next().await {
                    in_order.extend(names_of(&page?.value));
                }
                let case = format!("{prefix} {delimiter:?} {max_keys}");
                same(&format!("in order: {case}"), in_order, one_by_one.clone())?;
                let mut as_they_come = Vec::new();
                let mut walk = at.client.walk(&at.bucket, request).at_most(7);
                while let Some(page) = walk.next().await {
                    as_they_come.extend(names_of(&page?.value));
                }
                as_they_come.sort();
                same(&format!("as they come: {case}"), as_they_come, one_by_one)?;
            }
        }
    }
    Ok(())
}

/// Keys and prefixes of a page, in their order.
fn names_of(page: &Page) -> Vec<String> {
    let names = page.entries().map(|entry| entry.key).chain(page.prefixes());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    names
}

async fn after(at: &Bench) -> Outcome {
    let folder = at.key("list/after/");
    let keys = fill(at, &folder, &["a", "b", "c", "d"]).await?;
    for (name, due) in [("b", 2), ("bb", 2), ("d", 4)] {
        let request =
            ListRequest { start_after: Some(format!("{folder}{name}")), ..below(&folder) };
        same(name, at.keys(request).await?, keys[due..].to_vec())?;
    }
    Ok(())
}

/// By UTF-8, not by UTF-16, where the emoji would stand before the full-width letter.
async fn order(at: &Bench) -> Outcome {
    let folder = at.key("list/order/");
    let names = ["A", "a", "a-b", "a.b", "a/b", "a0", "b", "é", "中", "\u{ff21}", "🙂"];
    let keys = fill(at, &folder, &names).await?;
    same("keys", at.keys_below(&folder).await?, keys.clone())?;
    let request = ListRequest { max_keys: Some(4), ..below(&folder) };
    same("keys of pages", at.keys(request).await?, keys)
}

async fn other_delimiter(at: &Bench) -> Outcome {
    let folder = at.key("list/delimiter/");
    fill(at, &folder, &["x-1", "x-2", "y"]).await?;
    let request = ListRequest { delimiter: Some("-".into()), ..below(&format!("{folder}x")) };
    let page = at.client.list_page(&at.bucket, &request).await?.value;
    let prefixes: Vec<&str> = page.prefixes().collect();
    same("prefixes", prefixes, vec![format!("{folder}x-").as_str()])?;
    same("objects", page.len(), 0)
}
