//! Pickles: which Python names loading one would import. Opcodes are walked over, never run.

use std::collections::BTreeMap;

use super::source::{Bits, Source};
use super::{Content, Section, Structure, Table};
use crate::base::units;

/// Names that are kept.
const MOST_NAMES: usize = 500;
/// Places of the memo that are kept.
const MOST_MEMOS: usize = 100_000;
/// Modules that a pickle of data has no need of: their functions reach beyond the program.
const REACHING: &[&str] = &[
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "shutil",
    "socket",
    "importlib",
    "runpy",
    "pty",
    "webbrowser",
    "ctypes",
    "asyncio",
    "multiprocessing",
    "code",
    "commands",
    "urllib",
    "requests",
];
/// What of Python's own functions does so.
const REACHING_BUILTINS: &[&str] =
    &["eval", "exec", "compile", "open", "__import__", "getattr", "breakpoint", "input"];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    protocol: u8,
    opcodes: u64,
    /// Module and name, with how often.
    imports: BTreeMap<(String, String), u64>,
    ended: bool,
}

/// Walks over the opcodes as far as they were read; nothing where it is no pickle.
pub(super) fn read(source: &Source) -> Option<(Content, Option<String>)> {
    let bytes = source.first();
    let found = walk(bytes);
    if found.opcodes < 2 || (!found.ended && found.protocol < 2) {
        return None;
    }
    let mut facts =
        vec![("protocol", found.protocol.to_string()), ("opcodes", units::count(found.opcodes))];
    if !found.ended {
        let read = units::bytes(bytes.len() as u64);
        facts.push(("read", format!("the first {read}: what comes later may import more")));
    }
    if let Some(hint) = found.imports.keys().find_map(|(module, _)| materializer(module)) {
        facts.push(("looks like", format!("what ZenML's {hint} writes")));
    }
    let reaches = found.imports.keys().any(|(module, name)| reaching(module, name));
    let row = |((module, name), times): (&(String, String), &u64)| {
        let mark = if reaching(module, name) { "reaches beyond the program" } else { "" };
        vec![format!("{module}.{name}"), format!("{times}×"), mark.to_owned()]
    };
    let rows: Vec<Vec<String>> = found.imports.iter().map(row).collect();
    let title = match (rows.is_empty(), found.ended) {
        (true, true) => "Loading it imports nothing",
        (true, false) => "So far loading it imports nothing",
        (false, _) => "Loading it imports",
    };
    let table = Table { header: Vec::new(), rows };
    let sections = vec![Section::facts(facts), Section { title: Some(title.into()), table }];
    let note = if reaches {
        "pickle: loading it can run commands; do not load it unless you wrote it (never unpickled here)"
    } else {
        "pickle: never unpickled here (unpickling runs code)"
    };
    Some((Content::Structure(Structure::new("pickle", sections)), Some(note.into())))
}

fn reaching(module: &str, name: &str) -> bool {
    let top = module.split('.').next().unwrap_or(module);
    REACHING.contains(&top)
        || (matches!(top, "builtins" | "__builtin__") && REACHING_BUILTINS.contains(&name))
}

/// The materializer that writes such objects.
fn materializer(module: &str) -> Option<&'static str> {
    Some(match module.split('.').next()? {
        "sklearn" => "SklearnMaterializer",
        "torch" => "PyTorchModuleMaterializer",
        "xgboost" => "XgboostBoosterMaterializer",
        "lightgbm" => "LightGBMBoosterMaterializer",
        "cloudpickle" => "CloudpickleMaterializer",
        _ => return None,
    })
}

/// The last two values that were pushed, where they are texts, and the memo.
#[derive(Default)]
struct Stack {
    last: [Option<String>; 2],
    memo: BTreeMap<u64, String>,
    memos: u64,
}

impl Stack {
    fn push(&mut self, value: Option<String>) {
        self.last.rotate_left(1);
        self.last[1] = value;
    }

    fn put(&mut self, place: u64) {
        match &self.last[1] {
            Some(text) if self.memo.len() < MOST_MEMOS => {
                self.memo.insert(place, text.clone());
            }
            _ => {
                self.memo.remove(&place);
            }
        }
    }
}

fn walk(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut stack = Stack::default();
    let mut bits = Bits(bytes);
    while !found.ended && step(&mut bits, &mut stack, &mut found).is_some() {
        found.opcodes += 1;
    }
    found
}

/// One opcode; nothing at an unknown one or at the end of what was read.
fn step(bits: &mut Bits<'_>, stack: &mut Stack, found: &mut Found) -> Option<()> {
    match bits.u8()? {
        b'.' => {
            found.ended = true;
            found.opcodes += 1;
        }
        0x80 => found.protocol = bits.u8()?,
        // imports
        b'c' | b'i' => {
            let (module, name) = (line(bits)?, line(bits)?);
            import(found, module, name);
            stack.push(None);
        }
        0x93 => {
            let [module, name] = stack.last.clone();
            if let (Some(module), Some(name)) = (module, name) {
                import(found, module, name);
            } else {
                import(found, "?".into(), "a computed name".into());
            }
            stack.push(None);
        }
        // texts
        0x8C | b'U' => {
            let length = bits.u8()?.into();
            text(bits, stack, length)?;
        }
        b'X' | b'T' => {
            let length = bits.u32()?.into();
            text(bits, stack, length)?;
        }
        0x8D => {
            let length = bits.u64()?;
            text(bits, stack, length)?;
        }
        b'V' | b'S' => {
            let text = line(bits)?;
            stack.push(Some(text.trim_matches(['\'', '"']).to_owned()));
        }
        // bytes
        b'C' | 0x8A => {
            let length = bits.u8()?.into();
            skip(bits, stack, length)?;
        }
        b'B' | 0x8B => {
            let length = bits.u32()?.into();
            skip(bits, stack, length)?;
        }
        0x8E | 0x96 => {
            let length = bits.u64()?;
            skip(bits, stack, length)?;
        }
        // the memo
        0x94 => {
            stack.put(stack.memos);
            stack.memos += 1;
        }
        b'q' => {
            let place = bits.u8()?;
            stack.put(place.into());
        }
        b'r' => {
            let place = bits.u32()?;
            stack.put(place.into());
        }
        b'p' => {
            let place = line(bits)?.parse().ok()?;
            stack.put(place);
        }
        b'h' => {
            let place = bits.u8()?;
            stack.push(stack.memo.get(&u64::from(place)).cloned());
        }
        b'j' => {
            let place = bits.u32()?;
            stack.push(stack.memo.get(&u64::from(place)).cloned());
        }
        b'g' => {
            let place: u64 = line(bits)?.parse().ok()?;
            stack.push(stack.memo.get(&place).cloned());
        }
        // numbers in lines, persistent ids
        b'I' | b'L' | b'F' | b'P' => {
            line(bits)?;
            stack.push(None);
        }
        // of fixed lengths
        b'K' | 0x82 => fixed(bits, stack, 1)?,
        b'M' | 0x83 => fixed(bits, stack, 2)?,
        b'J' | 0x84 => fixed(bits, stack, 4)?,
        b'G' => fixed(bits, stack, 8)?,
        0x95 => {
            bits.take(8)?;
        }
        // alone: marks, builders, constants
        b'('
        | b'0'
        | b'1'
        | b'2'
        | b'N'
        | b'Q'
        | b'R'
        | b'a'
        | b'b'
        | b'd'
        | b'e'
        | b'l'
        | b'o'
        | b's'
        | b't'
        | b'u'
        | b'}'
        | b']'
        | b')'
        | 0x81
        | 0x85..=0x89
        | 0x8F..=0x92
        | 0x97
        | 0x98 => stack.push(None),
        _ => return None,
    }
    Some(())
}

fn import(found: &mut Found, module: String, name: String) {
    let kept = found.imports.len();
    if let Some(times) = found.imports.get_mut(&(module.clone(), name.clone())) {
        *times += 1;
    } else if kept < MOST_NAMES {
        found.imports.insert((module, name), 1);
    }
}

/// A line's text without its end.
fn line(bits: &mut Bits<'_>) -> Option<String> {
    let end = memchr::memchr(b'\n', bits.0)?;
    let line = bits.take(end)?;
    bits.take(1)?;
    Some(String::from_utf8_lossy(line.get(..line.len().min(512))?).into_owned())
}

fn text(bits: &mut Bits<'_>, stack: &mut Stack, length: u64) -> Option<()> {
    let text = bits.counted(length)?;
    // a name is short; of a longer text nothing is wanted
    let name = text.get(..text.len().min(512))?;
    stack.push(Some(String::from_utf8_lossy(name).into_owned()));
    Some(())
}

fn skip(bits: &mut Bits<'_>, stack: &mut Stack, length: u64) -> Option<()> {
    bits.counted(length)?;
    stack.push(None);
    Some(())
}

fn fixed(bits: &mut Bits<'_>, stack: &mut Stack, length: usize) -> Option<()> {
    bits.take(length)?;
    stack.push(None);
    Some(())
}
