//! Keys that are easily mangled: each goes through every call, and comes back as it was.

use bytes::Bytes;
use futures_util::FutureExt as _;
use osstack::oss::Kind;
use osstack::oss::object::CopyOptions;
use osstack::oss::versions::LeftBehind;

use super::{Bench, Case, Outcome, refused_head, same};

/// The most bytes a key can have.
const LONGEST: usize = 1023;

/// What the case calls it, and the key.
const ODD: &[(&str, &str)] = &[
    ("space", "a b"),
    ("spaces around", " a "),
    ("only a space", "sub/ "),
    ("plus", "a+b"),
    ("percent", "100%"),
    ("percent 25", "a%25b"),
    ("percent 2F", "a%2Fb"),
    ("chinese", "中文/模型.bin"),
    ("emoji", "🙂🚀"),
    ("composed", "é"),
    ("decomposed", "e\u{301}"),
    ("two slashes", "a//b"),
    ("slash at the end", "tail/"),
    ("dots", "dots/../x"),
    ("dot", "dot/./x"),
    ("question mark", "what?x=1"),
    ("hash", "#hash"),
    ("ampersand", "a&b=c;d"),
    ("quotes", "it's \"so\""),
    ("less and more", "<a>&amp;</a>"),
    ("backslash", "a\\b"),
    ("signs", "!$()*,:;=@[]^`{|}~"),
    ("right to left", "photo\u{202e}gnp.exe"),
    ("newline", "a\nb"),
    ("carriage return", "a\rb"),
    ("tab", "a\tb"),
    ("escape", "a\u{1b}[31mb"),
];

fn folder(at: &Bench, name: &str) -> String {
    at.key(&format!("keys/{}/", name.replace(' ', "-")))
}

pub(super) fn cases(at: &Bench) -> Vec<Case<'_>> {
    let odd = ODD.iter().map(|(name, key)| {
        (format!("key: {name}"), through_every_call(at, name, (*key).to_owned()).boxed())
    });
    let longest = format!("key: {LONGEST} bytes");
    let key = "k".repeat(LONGEST - folder(at, "longest").len() - "copy".len());
    odd.chain([
        (longest, through_every_call(at, "longest", key).boxed()),
        ("key and folder of one name".into(), key_and_folder(at).boxed()),
        ("delete many odd keys".into(), delete_many(at).boxed()),
    ])
    .collect()
}

async fn through_every_call(at: &Bench, name: &str, odd: String) -> Outcome {
    let folder = folder(at, name);
    let key = format!("{folder}{odd}");
    let content = format!("the content of {name}");
    at.put(&key, content.as_bytes()).await?;
    let size = at.client.head(&at.bucket, &key).await?.size;
    same("size", size, Some(content.len() as u64))?;
    same("content", at.read(&key).await?, Bytes::from(content.clone()))?;
    let part = at.client.get_range(&at.bucket, &key, 4, 7, None).await?.value;
    same("a part", part.bytes, Bytes::from_static(b"content"))?;
    same("listed", at.keys_below(&folder).await?, vec![key.clone()])?;
    // the key as a prefix: it goes into the query, which is signed in another way than the path
    same("listed by itself", at.keys_below(&key).await?, vec![key.clone()])?;
    let copy = format!("{folder}copy{odd}");
    at.client.copy((&at.bucket, &key), (&at.bucket, &copy), &CopyOptions::default()).await?;
    same("the copy", at.read(&copy).await?, Bytes::from(content))?;
    for key in [&key, &copy] {
        at.client.delete(&at.bucket, key).await?;
        refused_head("deleted", at.client.head(&at.bucket, key).await, Kind::NotFound)?;
    }
    same("listed in the end", at.keys_below(&folder).await?, Vec::new())
}

/// `a`, `a/` and `a/b` are three objects: a store of objects has no folders.
async fn key_and_folder(at: &Bench) -> Outcome {
    let folder = folder(at, "one name");
    let keys = ["a", "a/", "a/b"].map(|name| format!("{folder}{name}"));
    for key in &keys {
        at.put(key, key.as_bytes()).await?;
    }
    for key in &keys {
        same("content", at.read(key).await?, Bytes::from(key.clone()))?;
    }
    same("listed", at.keys_below(&folder).await?, keys.to_vec())
}

async fn delete_many(at: &Bench) -> Outcome {
    let folder = folder(at, "many");
    // what servers cannot hold is a case of its own above
    let plain = |key: &&str| {
        let odd = key.contains("//") || key.contains("/.") || key.ends_with('/');
        !odd && !key.chars().any(char::is_control)
    };
    let keys: Vec<String> =
        ODD.iter().map(|(_, key)| *key).filter(plain).map(|key| format!("{folder}{key}")).collect();
    for key in &keys {
        at.put(key, b"x").await?;
    }
    let mut left = LeftBehind::default();
    at.client.delete_many(&at.bucket, &keys, &mut left).await?;
    same("left", left.objects, Vec::new())?;
    same("below", at.keys_below(&folder).await?, Vec::new())
}
