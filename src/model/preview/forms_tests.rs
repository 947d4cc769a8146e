//! The forms on files that their own programs wrote: `NumPy`, pyarrow, safetensors, pickle.

use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        ($name, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/preview/", $name)))
    };
}

type File = (&'static str, &'static [u8]);

const FILES: &[File] = &[
    fixture!("matrix.npy"),
    fixture!("fortran.npy"),
    fixture!("objects.npy"),
    fixture!("names.npy"),
    fixture!("halves.npy"),
    fixture!("arrays.npz"),
    fixture!("compressed.npz"),
    fixture!("model.safetensors"),
    fixture!("array.pkl"),
    fixture!("proto0.pkl"),
    fixture!("evil.pkl"),
    fixture!("rides.parquet"),
    fixture!("kinds.parquet"),
    fixture!("kinds-v2.parquet"),
    fixture!("zstd.parquet"),
    fixture!("shade.jpg"),
    fixture!("shade.webp"),
    fixture!("shade.gif"),
    fixture!("clear.png"),
];

fn file(name: &str) -> &'static [u8] {
    FILES.iter().find(|(other, _)| *other == name).unwrap().1
}

/// Reads `bytes` as an object of which `first` bytes were read; with the ranges asked for.
fn read(key: &str, bytes: &[u8], first: usize, more: u64) -> (Preview, Vec<(u64, u64)>) {
    let beginning = bytes[..first.min(bytes.len())].to_vec();
    let mut reader = Reader::new(key, beginning.into(), bytes.len() as u64, more);
    let mut asked = Vec::new();
    loop {
        match reader.look() {
            Next::Show(preview) => return (preview, asked),
            Next::Need { offset, length } => {
                asked.push((offset, length));
                let from = usize::try_from(offset).unwrap();
                let to = from + usize::try_from(length).unwrap();
                reader.add(offset, length, bytes[from..to].to_vec().into());
            }
        }
    }
}

/// The lines of a structure, cells joined by bars.
fn shown(preview: &Preview) -> Vec<String> {
    let Content::Structure(structure) = &preview.content else {
        panic!("no structure: {:?} {:?}", preview.note, preview.content)
    };
    let mut lines = Vec::new();
    for Section { title, table } in &structure.sections {
        lines.extend(title.clone());
        let header = Some(&table.header).filter(|header| !header.is_empty());
        lines.extend(header.into_iter().chain(&table.rows).map(|row| row.join("|")));
    }
    lines
}

fn whole(name: &str) -> Vec<String> {
    shown(&read(name, file(name), usize::MAX, 0).0)
}

#[test]
fn an_array_says_its_dtype_its_shape_and_its_range() {
    let lines = whole("matrix.npy");
    assert_eq!(
        lines[..4],
        ["dtype|float32", "shape|20 × 30", "order|C (rows first)", "values|600"]
    );
    assert_eq!(lines[4..6], ["range|-9.5 to 9.25", "NaN|1"]);
    assert_eq!(lines[7], "|0|1|2|3|4|5|6|7|8|9|10|11|… 18 more");
    assert!(lines[8].starts_with("0|-9.5|"), "{}", lines[8]);
    assert_eq!(lines.len(), 8 + 20);
    let cut = shown(&read("m.npy", file("matrix.npy"), 128 + 400, 0).0);
    assert_eq!(cut[4], "range|-9.5 to 9.25, of the first 100");
}

#[test]
fn arrays_of_other_orders_and_kinds() {
    let lines = whole("fortran.npy");
    assert_eq!(lines[0], "dtype|int16, big-endian");
    assert_eq!(lines[2], "order|Fortran (columns first)");
    assert_eq!(lines[4], "range|0 to 11");
    assert_eq!(lines[7..10], ["0|0", "1|4", "2|8"]);
    let halves = whole("halves.npy");
    assert_eq!(halves[4], "range|-2 to 65504");
    assert_eq!(halves[7..10], ["0|0.5", "1|-2", "2|65504"]);
    let names = whole("names.npy");
    assert_eq!(names[names.len() - 3..], ["0|Köln", "1|上海", "2|x"]);
    let objects = read("o.npy", file("objects.npy"), usize::MAX, 0).0;
    assert!(objects.note.as_ref().unwrap().contains("never unpickled"));
    assert_eq!(shown(&objects).len(), 4);
}

#[test]
fn an_archive_of_arrays_is_read_from_its_end() {
    let all = ["weights.npy|2.5 KiB|float32|20 × 30", "mask.npy|130 B|bool|2"];
    let lines = whole("arrays.npz");
    assert!(all.iter().all(|line| lines.iter().any(|other| other == line)), "{lines:#?}");
    // of its beginning only the mark was read: the rest comes by ranges
    let (preview, asked) = read("a.npz", file("arrays.npz"), 64, 1 << 20);
    assert_eq!(shown(&preview), lines);
    assert_eq!(asked[0], (0, file("arrays.npz").len() as u64));
    let packed = whole("compressed.npz");
    assert_eq!(packed.last().unwrap(), "weights.npy|2.5 KiB|compressed|");
}

#[test]
fn a_long_archive_costs_a_few_ranges() {
    // a member of a megabyte of zeros before it: what is asked for is the end and the headers
    let bytes = file("arrays.npz");
    let pad = vec![0; 1 << 20];
    let directory = bytes.len() - 22;
    let mut long = b"PK\x03\x04".to_vec();
    long.extend(pad);
    let moved = u32::try_from(long.len()).unwrap();
    long.extend_from_slice(bytes);
    // offsets count from the file's start
    let shift = |long: &mut Vec<u8>, at: usize| {
        let old = u32::from_le_bytes(long[at..at + 4].try_into().unwrap());
        long[at..at + 4].copy_from_slice(&(old + moved).to_le_bytes());
    };
    let base = moved as usize;
    shift(&mut long, base + directory + 16);
    let entries: Vec<usize> = memchr::memmem::find_iter(bytes, b"PK\x01\x02").collect();
    for entry in entries {
        shift(&mut long, base + entry + 42);
    }
    let (preview, asked) = read("a.npz", &long, 1024, 1 << 20);
    assert!(shown(&preview).contains(&"weights.npy|2.5 KiB|float32|20 × 30".to_owned()));
    assert!(asked.len() <= 4, "{asked:?}");
    assert!(asked.iter().map(|(_, length)| length).sum::<u64>() < 8192, "{asked:?}");
}

#[test]
fn tensors_by_their_header() {
    let lines = whole("model.safetensors");
    assert_eq!(lines[..3], ["tensors|3", "parameters|43", "tensor bytes|168 B"]);
    assert!(lines.contains(&"format|pt".to_owned()));
    assert!(lines.contains(&"layer.weight|F32|4 × 8|128 B".to_owned()), "{lines:#?}");
    // a header that claims to be longer than may be read
    let mut bomb = (1_u64 << 40).to_le_bytes().to_vec();
    bomb.extend([b'{'; 100]);
    let mut reader = Reader::new("m.safetensors", bomb.clone().into(), 1 << 41, 1 << 20);
    let Next::Show(preview) = reader.look() else { panic!("it reads on") };
    assert!(preview.note.unwrap().contains("longer than what is read"));
    reader = Reader::new("m.safetensors", bomb.into(), 108, 1 << 20);
    let Next::Show(preview) = reader.look() else { panic!("it reads on") };
    assert!(preview.note.unwrap().contains("damaged"));
}

#[test]
fn a_pickle_names_what_it_imports() {
    let lines = whole("array.pkl");
    assert!(lines.iter().any(|line| line.starts_with("numpy") && line.contains("_reconstruct|1×")));
    assert!(lines.contains(&"numpy.ndarray|1×|".to_owned()), "{lines:#?}");
    let old = whole("proto0.pkl");
    assert!(old.contains(&"collections.OrderedDict|1×|".to_owned()), "{old:#?}");
    let evil = read("evil.pkl", file("evil.pkl"), usize::MAX, 0).0;
    assert!(evil.note.as_ref().unwrap().contains("can run commands"));
    assert!(shown(&evil).contains(&"posix.system|1×|reaches beyond the program".to_owned()));
    let cut = read("array.pkl", file("array.pkl"), 60, 0).0;
    assert!(shown(&cut).iter().any(|line| line.contains("what comes later may import more")));
    let cut = shown(&read("array.pkl", file("array.pkl"), 12, 0).0);
    assert_eq!(cut.last().unwrap(), "So far loading it imports nothing");
}

#[test]
fn a_parquet_file_by_its_footer() {
    let lines = whole("rides.parquet");
    assert_eq!(lines[..3], ["rows|100", "columns|5", "row groups|3"]);
    assert!(lines[3].starts_with("written by|parquet-cpp-arrow"), "{}", lines[3]);
    let column = |name: &str| {
        let columns = lines.iter().skip_while(|line| *line != "Columns");
        let line = columns.clone().find(|line| line.starts_with(name)).unwrap();
        let cells: Vec<&str> = line.split('|').collect();
        [cells[1], cells[3], cells[4], cells[5], cells[6]].map(str::to_owned)
    };
    assert_eq!(column("id|"), ["int64?", "snappy", "0", "0", "99"]);
    assert_eq!(column("price|"), ["float64?", "snappy", "10", "0.25", "24.75"]);
    assert_eq!(column("city|"), ["text?", "snappy", "0", "Köln", "上海"]);
    assert_eq!(
        column("when|")[3..],
        ["2026-01-01 00:00:00", "2026-01-05 03:00:00"].map(str::to_owned)
    );
    assert_eq!(column("tags.list.element|")[0], "text?");
    assert!(lines.iter().any(|line| line.starts_with("2|20|")), "{lines:#?}");
}

#[test]
fn the_first_rows_of_a_parquet_file() {
    let rows = |name: &str| {
        let lines = whole(name);
        let at = lines.iter().position(|line| line.starts_with("First ")).unwrap();
        let lines = lines[at..].iter().take_while(|line| *line != "Columns");
        lines.cloned().collect::<Vec<_>>()
    };
    let lines = rows("kinds.parquet");
    assert_eq!(lines.len(), 102, "{lines:#?}");
    assert_eq!(
        lines[..6],
        [
            "First 100 rows",
            "number|flag|city|raw|amount|day|at|in.x|in.y|same",
            "0|true|Köln|0x00ff00|-5.05|2026-01-01|2026-01-01 12:00:00|0|y0|7",
            "1|false|上海|0x01ff00|-4.04|2026-01-02|2026-01-01 13:00:00|0.5|null|7",
            "2|false|München|0x02ff00|-3.03|2026-01-03|2026-01-01 14:00:00|1|y2|7",
            "null|true|Köln|0x03ff00|-2.02|2026-01-04|2026-01-01 15:00:00|1.5|null|7",
        ]
    );
    assert!(lines[6].ends_with("|null|null|7"), "a structure that is missing: {}", lines[6]);
    assert!(lines[101].starts_with("99|true|Köln|"), "{}", lines[101]);
    let left_out = |name| whole(name).into_iter().find(|line| line.starts_with("not read|"));
    assert_eq!(left_out("kinds.parquet").unwrap(), "not read|tags.list.element (lists)");
    // other pages, other packing, other times; the same values
    let second = rows("kinds-v2.parquet");
    let without_last = |line: &String| line.rsplit_once('|').unwrap().0.to_owned();
    let without_last = |lines: &[String]| lines.iter().map(without_last).collect::<Vec<_>>();
    assert_eq!(second[1..], without_last(&lines[1..]));
    let why = "not read|tags.list.element (lists), same (its encoding)";
    assert_eq!(left_out("kinds-v2.parquet").unwrap(), why);
    assert_eq!(left_out("zstd.parquet").unwrap(), "not read|city (zstd)");
    assert_eq!(rows("zstd.parquet")[1..3], ["number", "0"]);
}

#[test]
fn of_a_long_parquet_file_the_first_pages_alone_are_asked_for() {
    let bytes = file("kinds.parquet");
    let (preview, asked) = read("k.parquet", bytes, 4, 1 << 20);
    assert!(shown(&preview).iter().any(|line| line == "First 100 rows"));
    // the footer, which is all of so small a file; then nothing more
    assert_eq!(asked, [(0, bytes.len() as u64)]);
    let mut far = bytes[..bytes.len() - 8].to_vec();
    let footer = u32::from_le_bytes(*bytes[bytes.len() - 8..].first_chunk().unwrap()) as usize;
    far.splice(bytes.len() - 8 - footer..bytes.len() - 8 - footer, vec![0; 1 << 17]);
    far.extend_from_slice(&bytes[bytes.len() - 8..]);
    let (preview, asked) = read("k.parquet", &far, 4, 1 << 20);
    assert!(shown(&preview).iter().any(|line| line == "First 100 rows"));
    assert_eq!(asked.len(), 2, "the footer, and all columns at once: {asked:?}");
    let (preview, asked) = read("k.parquet", &far, 4, 66_000);
    assert_eq!(asked.len(), 1, "more would be too much");
    let lines = shown(&preview);
    assert!(lines.iter().any(|line| line.contains("it would be too much to read")), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "Columns"));
}

#[test]
fn a_footer_is_asked_for_once_or_twice_and_never_beyond_the_budget() {
    let bytes = file("rides.parquet");
    let mut long = bytes[..4].to_vec();
    long.extend(vec![0; 1 << 20]);
    long.extend_from_slice(&bytes[4..]);
    let (preview, asked) = read("r.parquet", &long, 4096, 1 << 20);
    assert_eq!(asked, [(long.len() as u64 - 65_536, 65_536)]);
    assert_eq!(shown(&preview)[0], "rows|100");
    let (preview, asked) = read("r.parquet", &long, 4096, 1000);
    assert!(asked.is_empty());
    assert!(preview.note.unwrap().contains("longer than what is read"));
}

#[cfg(feature = "pictures")]
#[test]
fn pictures_as_they_look() {
    let look = |name: &str, first: usize, more: u64| {
        let (preview, asked) = read(name, file(name), first, more);
        let Content::Structure(structure) = preview.content else { panic!("{name}") };
        (structure.pixels, preview.note, asked)
    };
    let near = |one: [u8; 3], other: [u8; 3]| {
        one.iter().zip(other).all(|(one, other)| one.abs_diff(other) <= 30)
    };
    for name in ["shade.jpg", "shade.webp", "shade.gif"] {
        let pixels = look(name, usize::MAX, 0).0.unwrap();
        assert_eq!(pixels.size(), (8, 6), "{name}");
        let at = |x: usize, y: usize| pixels.average(x..x + 1, y..y + 1);
        assert!(near(at(0, 0), [0, 0, 128]), "{name} {:?}", at(0, 0));
        assert!(near(at(7, 5), [252, 255, 128]), "{name} {:?}", at(7, 5));
        assert!(near(pixels.average(0..8, 0..6), [126, 127, 128]), "{name}");
    }
    // what shines through is white
    let clear = look("clear.png", usize::MAX, 0).0.unwrap();
    let row: Vec<_> = (0..4).map(|x| clear.average(x..x + 1, 0..1)).collect();
    assert_eq!(row, [[255; 3], [127, 127, 255], [255, 0, 0], [255, 0, 0]]);
    // the rest is asked for, unless it is too long
    let (pixels, note, asked) = look("shade.jpg", 200, 1 << 20);
    assert!(pixels.is_some() && note.is_none());
    assert_eq!(asked, [(200, 485)]);
    let (pixels, note, asked) = look("shade.jpg", 200, 100);
    assert!(pixels.is_none() && asked.is_empty());
    assert_eq!(note.unwrap(), "too long to be drawn before more of it is read");
}

#[cfg(feature = "pictures")]
#[test]
fn a_picture_that_would_not_fit_into_memory_is_not_decoded() {
    // 100,000 pixels a side, and the right checksum of that header
    let mut bytes =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\x01\x86\xA0\0\x01\x86\xA0\x08\x06\0\0\0".to_vec();
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &bytes[12..]);
    bytes.extend(u32::try_from(crc).unwrap().to_be_bytes());
    let (preview, _) = read("x.png", &bytes, usize::MAX, 0);
    assert_eq!(shown(&preview)[0], "size|100000 × 100000");
    assert_eq!(preview.note.unwrap(), "it cannot be drawn: it has too many pixels");
}

#[test]
fn pictures_by_their_headers() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x40\0\0\0\xF0\x08\x06\0\0\0";
    let size = |bytes: &[u8]| shown(&read("x", bytes, usize::MAX, 0).0)[0].clone();
    assert_eq!(size(png), "size|320 × 240");
    assert_eq!(size(b"GIF89a\x10\0\x20\0\0\0"), "size|16 × 32");
    let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC0\0\x0B\x08\0\x10\0\x20\x03abc";
    assert_eq!(size(jpeg), "size|32 × 16");
    let webp = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x3F\0\0\x1F\0\0";
    assert_eq!(size(webp), "size|64 × 32");
    assert!(matches!(read("x", &jpeg[..9], 99, 0).0.content, Content::Hex(_)));
}

fn prose(key: &str, text: &str) -> Vec<(PassageKind, String)> {
    let Content::Prose(lines) = read(key, text.as_bytes(), usize::MAX, 0).0.content else {
        panic!("no prose")
    };
    lines.into_iter().map(|line| (line.kind, line.text)).collect()
}

#[test]
fn html_is_its_text() {
    use PassageKind::{Code, Heading, Text};
    let page = "<!doctype html><head><title>Drift</title><style>p{}</style></head><body>\
                <script>if (a<b) alert('</p>')</script><h1 title='a>b'>Report &amp; more</h1>\
                <p>Two\n  words &#8211; 3 < 4 &unknown;</p><ul><li>one<li>two</ul>\
                <pre>a\n  b</pre><!-- <p>no</p> --><table><tr><td>1</td><td>2</td></tr></table>";
    let expected = [
        (Heading, "Drift"),
        (Heading, "Report & more"),
        (Text, "Two words – 3 < 4 &unknown;"),
        (Text, "- one"),
        (Text, "- two"),
        (Code, "a"),
        (Code, "  b"),
    ];
    let lines = prose("r.html", page);
    assert_eq!(lines[..7], expected.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!(lines[7], (Text, "1  2".to_owned()));
}

#[test]
fn markdown_by_its_lines() {
    use PassageKind::{Code, Heading, Quote, Text};
    let lines = prose("card.md", "# Model\n\n- a\n> b\n```py\n# no heading\n```\n#tag\n");
    let expected = [
        (Heading, "Model"),
        (Text, ""),
        (Text, "- a"),
        (Quote, "b"),
        (Code, "# no heading"),
        (Text, "#tag"),
    ];
    assert_eq!(lines, expected.map(|(kind, text)| (kind, text.to_owned())));
}

proptest! {
    /// Damaged files end in some preview after a bounded number of ranges within the budget.
    #[test]
    fn damaged_files_are_shown_somehow(
        which in 0..FILES.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
        first in 0_usize..6000,
    ) {
        let (name, bytes) = FILES[which];
        let mut bytes = bytes.to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (_, asked) = read(name, &bytes, first, 4096);
        prop_assert!(asked.len() <= 13);
        prop_assert!(asked.iter().map(|(_, length)| length).sum::<u64>() <= 4096);
    }

    /// So do pages cut anywhere.
    #[test]
    fn pages_of_any_kind_are_text(page in "[<>/a-z!\\-&;#x0-9'\" \nüh1]{0,200}") {
        let _ = (markup::html(&page), markup::markdown(&page));
    }
}
