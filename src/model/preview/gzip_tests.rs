//! Gzip that is whole, cut, damaged, a bomb, or anything at all.

use miniz_oxide::deflate::compress_to_vec;
use proptest::prelude::*;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes);
    let mut packed = b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec();
    packed.extend(compress_to_vec(bytes, 6));
    packed.extend(u32::try_from(sum).unwrap().to_le_bytes());
    packed.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    packed
}

/// What is shown of an object of which `first` bytes were read, and its end.
fn look(key: &str, packed: &[u8], first: usize) -> Preview {
    let beginning = packed[..first.min(packed.len())].to_vec();
    let mut reader = Reader::new(key, beginning.into(), packed.len() as u64, 4);
    loop {
        match reader.look() {
            Next::Show(preview) => return preview,
            Next::Need { offset, length } => {
                let from = usize::try_from(offset).unwrap();
                reader.add(offset, length, packed[from..].to_vec().into());
            }
        }
    }
}

fn text(preview: &Preview) -> &[String] {
    let Content::Text(lines) = &preview.content else { panic!("{preview:?}") };
    lines
}

#[test]
fn the_inside_is_what_it_is() {
    let whole = |key, bytes: &[u8]| look(key, &gzip(bytes), usize::MAX);
    let json = whole("x.json.gz", b"{\"a\":1}");
    let Content::Json(document) = json.content else { panic!() };
    assert_eq!(document.line(1), "\"a\": 1");
    assert_eq!(json.note.as_deref(), Some("of gzip, all 7 B unpacked"));
    let Content::Table(table) = whole("x.csv.gz", b"a,b\n1,2\n").content else { panic!() };
    assert_eq!(table.rows, [["1", "2"]]);
    assert!(matches!(whole("x.gz", b"a\0b").content, Content::Hex(_)));
    assert!(matches!(whole("x.md.gz", b"# a").content, Content::Prose(_)));
    assert_eq!(text(&whole("x.gz", b"")), [""; 0]);
    let npy = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preview/matrix.npy"));
    let Content::Structure(array) = whole("m.npy.gz", npy).content else { panic!() };
    assert_eq!(array.form, look("m.npy", npy, usize::MAX).structure().form);
    let pickle = whole("m.pkl.gz", b"\x80\x04K\x01.");
    assert!(pickle.note.unwrap().contains("never unpickled"));
}

impl Preview {
    fn structure(&self) -> &Structure {
        let Content::Structure(structure) = &self.content else { panic!("{self:?}") };
        structure
    }
}

#[test]
fn the_name_in_the_header_counts_where_the_key_tells_none() {
    let mut packed = gzip(b"a;b\n1;2\n");
    packed[3] = 8;
    packed.splice(10..10, *b"data.csv\0");
    assert!(matches!(look("part-0", &packed, usize::MAX).content, Content::Table(_)));
    assert!(matches!(look("part.txt.gz", &packed, usize::MAX).content, Content::Text(_)));
}

#[test]
fn members_stand_one_behind_the_other() {
    let mut packed = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
    assert_eq!(text(&look("x.gz", &packed, usize::MAX)), ["one", "two"]);
    packed.extend([0; 512]);
    let padded = look("x.gz", &packed, usize::MAX);
    assert_eq!(padded.note.as_deref(), Some("of gzip, all 8 B unpacked"));
    packed.extend(b"junk");
    assert!(look("x.gz", &packed, usize::MAX).note.unwrap().contains("what follows is no gzip"));
}

#[test]
fn what_came_of_a_cut_or_damaged_one_is_shown() {
    // little of it repeats, so that it stays long
    let numbers = (0..4000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_string() + "\n");
    let long: String = numbers.collect();
    let packed = gzip(long.as_bytes());
    let part = look("x.gz", &packed, packed.len() / 2);
    let size = units(long.len());
    let note = part.note.clone().unwrap();
    assert!(note.starts_with("of gzip, the first ") && note.contains(&size), "{note}");
    assert!(!part.is_full && text(&part).len() > 1000);
    assert!(long.starts_with(&text(&part)[..1000].join("\n")));
    let cut = look("x.gz", &packed[..packed.len() / 2], usize::MAX);
    assert!(cut.note.unwrap().ends_with("it is cut off there"));
    let mut broken = packed.clone();
    let at = broken.len() - 8;
    broken[at] ^= 1;
    let damaged = look("x.gz", &broken, usize::MAX);
    assert!(damaged.note.as_ref().unwrap().contains("its checksum is another"));
    assert_eq!(text(&damaged).len(), 4000);
    // a block of a kind that does not exist
    let odd = look("x.gz", b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x07abc", usize::MAX);
    assert!(odd.note.unwrap().contains("no deflate"));
}

fn units(bytes: usize) -> String {
    crate::base::units::bytes(bytes as u64)
}

#[test]
fn a_bomb_is_unpacked_no_further_than_the_limit() {
    let packed = gzip(&vec![b'a'; 64 << 20]);
    let bomb = look("x.gz", &packed, usize::MAX);
    assert_eq!(text(&bomb)[0].len(), MOST_UNPACKED);
    assert_eq!(bomb.note.as_deref(), Some("of gzip, the first 1.0 MiB unpacked"));
    let part = look("x.gz", &packed, packed.len() / 2);
    assert!(part.is_full && part.note.unwrap().ends_with("unpacked of 64.0 MiB by its end"));
    let empty = gzip(b"").repeat(50_000);
    assert_eq!(text(&look("x.gz", &empty, usize::MAX)), [""; 0]);
    // one within another is not unpacked again
    assert!(matches!(look("x.gz.gz", &gzip(&packed), usize::MAX).content, Content::Hex(_)));
}

#[test]
fn a_deep_document_is_not_indented_into_a_huge_one() {
    let deep = format!("{}{}1{}", "[".repeat(100), "1,".repeat(200_000), "]".repeat(100));
    let shown = look("x.json.gz", &gzip(deep.as_bytes()), usize::MAX);
    let Content::Json(document) = &shown.content else { panic!("{:?}", shown.note) };
    // a line is a few numbers, however far it is indented
    assert_eq!((document.len(), document.depth(100)), (200 + 200_001, 100));
}

proptest! {
    /// Whatever follows the magic ends in some preview of bounded size.
    #[test]
    fn any_bytes_are_shown_somehow(
        inside in prop::collection::vec(any::<u8>(), 0..3000),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        first in 0_usize..4000,
        raw in any::<bool>(),
    ) {
        let mut packed = if raw { [b"\x1F\x8B\x08".as_slice(), &inside].concat() } else { gzip(&inside) };
        // of bytes that are the magic alone there is none to change
        if let [_, _, _, rest @ ..] = packed.as_mut_slice() && !rest.is_empty() {
            for (at, byte) in flips {
                rest[at.index(rest.len())] = byte;
            }
        }
        let shown = look("x.gz", &packed, first.max(3));
        prop_assert!(shown.note.unwrap().starts_with("of gzip, "));
    }
}
