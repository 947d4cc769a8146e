//! The browser by its keys: the real program over a demo's files and the sandbox.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use osstack::app::open::{Face, options, tabs};
use osstack::app::shell::Stage;
use osstack::keystore::keyring::NoKeyring;
use osstack::model::object_key::ObjectKey;
use osstack::ops::demo::furnish;
use osstack::ops::objects::Place;
use osstack::ops::transfer::Remote;
use osstack::ops::world::World;
use osstack::ports::clock::{FixedClock, SharedClock};
use osstack::ports::entropy::{SeededEntropy, SharedEntropy};
use osstack::ports::paths::Paths;
use osstack::sandbox::Seed;
use osstack::screens::browser::Browser;
use osstack::screens::buckets::Buckets;
use osstack::screens::details::Details;
use osstack::screens::log::LogScreen;
use osstack::screens::objects::Objects;
use osstack::screens::transfers::Transfers;
use osstack::screens::viewer::Viewer;
use osstack::tui::keymap::clashes;
use tempfile::TempDir;

use crate::sandbox_client::{NOW, Running, Signature};

struct Demo {
    sandbox: Running,
    home: TempDir,
    stage: Stage<World>,
}

impl Demo {
    fn start() -> Self {
        let sandbox = Running::start(Seed::Demo);
        // a fixed place, so that its length in pictures is fixed too
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let clock: SharedClock = Arc::new(FixedClock(NOW));
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(3));
        let env = furnish(home.path(), &sandbox.description, &clock, &entropy).unwrap();
        let paths = Paths::below(home.path());
        let world = World::new(env, paths, clock, entropy, Arc::new(NoKeyring)).unwrap();
        let face = Face { label: Some("sandbox"), ..Face::default() };
        let stage = Stage::with(Arc::new(world), tabs(), options(face));
        Self { sandbox, home, stage }
    }

    /// Types `keys` one by one, each after the answers to the one before.
    async fn keys(&mut self, keys: &str) -> String {
        self.stage.settle().await;
        let mut rest = keys;
        while !rest.is_empty() {
            let chord = rest.strip_prefix('<').and_then(|tail| tail.find('>'));
            let end = chord.map_or_else(|| rest.chars().next().unwrap().len_utf8(), |end| end + 2);
            self.stage.keys(&rest[..end]).settle().await;
            rest = &rest[end..];
        }
        self.picture()
    }

    /// The frame; the key is never on it, and what differs from run to run neither.
    fn picture(&mut self) -> String {
        // short messages have gone by
        self.stage.pass(Duration::from_secs(30));
        let picture = self.stage.picture();
        assert!(!picture.contains(&self.sandbox.description.secret_access_key), "{picture}");
        let home = self.home.path().to_str().unwrap();
        picture.replace(home, &"~".repeat(home.len()))
    }

    fn wide(&mut self) -> String {
        self.stage.resize(160, 48);
        let picture = self.picture();
        self.stage.resize(80, 24);
        picture
    }

    /// Draws at sizes that a window passes through while it is dragged.
    fn any_size(&mut self) {
        for width in [1, 2, 3, 41, 47, 69, 80, 101, 300] {
            for height in [1, 2, 3, 10, 12, 17, 23, 100] {
                self.stage.resize(width, height);
                self.stage.picture();
            }
        }
        self.stage.resize(80, 24);
    }

    fn folder(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// `d`, the folder, save.
    fn download_to(&mut self, folder: &Path) {
        self.stage.keys("d<ctrl-u>").paste(folder.to_str().unwrap()).keys("<ctrl-s>");
    }
}

/// The row under the cursor.
fn marked(picture: &str) -> &str {
    picture.lines().find(|line| line.starts_with("│▸")).unwrap_or("")
}

#[tokio::test]
async fn pages_show_as_they_come_and_the_count_says_whether_it_is_all() {
    let mut demo = Demo::start();
    demo.keys("4<enter>hg").await;
    demo.stage.keys("<enter>");
    let mut seen = Vec::new();
    while !demo.stage.running().is_empty() {
        demo.stage.next().await;
        seen.push(demo.stage.picture());
    }
    // a screenful first, then as much as comes
    let so_far = |picture: &&String| picture.contains(" so far");
    let first = seen.iter().find(so_far).map(|picture| picture.contains(" 100 so far"));
    assert_eq!(first, Some(true), "{seen:?}");
    assert!(seen.iter().filter(so_far).any(|picture| !picture.contains(" 100 so far")));
    assert!(seen.iter().any(|picture| picture.contains("00000.json")), "rows came with it");
    let picture = demo.picture();
    assert!(picture.contains("2,500 objects · 25.8 KiB"), "{picture}");
    insta::assert_snapshot!("browser_many", picture);
    insta::assert_snapshot!("browser_many_wide", demo.wide());
    let picture = demo.keys("G").await;
    assert!(marked(&picture).contains("02499.json"), "{picture}");
    demo.any_size();
}

#[tokio::test]
async fn the_cursor_stays_on_its_row_while_pages_fall_in_between() {
    let mut demo = Demo::start();
    // rows of later pages are larger, and come before
    demo.keys("4<enter>hgo").await;
    demo.stage.keys("<enter>");
    while !demo.stage.picture().contains(" 100 so far") {
        demo.stage.next().await;
    }
    let before = demo.stage.keys("jjj").picture();
    assert!(marked(&before).contains("00013.json"), "{before}");
    demo.stage.settle().await;
    let after = demo.picture();
    assert!(marked(&after).contains("00013.json"), "{after}");
    assert!(after.contains("largest first · 2,500 objects"), "{after}");
    let first = demo.keys("g").await;
    assert!(marked(&first).contains("01000.json"), "others came to lie before it: {first}");
    let smallest = demo.keys("O").await;
    assert!(smallest.contains("smallest first"), "{smallest}");
    assert!(marked(&smallest).contains("01000.json"), "it is the same row elsewhere");
}

#[tokio::test]
async fn esc_stops_a_listing_and_says_so() {
    let mut demo = Demo::start();
    demo.keys("4<enter>hg").await;
    demo.stage.keys("<enter>");
    while !demo.stage.picture().contains(" 100 so far") {
        demo.stage.next().await;
    }
    demo.stage.keys("<esc>").settle().await;
    let picture = demo.picture();
    assert!(picture.contains(", stopped there"), "{picture}");
    let picture = demo.keys("R").await;
    assert!(picture.contains("2,500 objects"), "{picture}");
}

#[tokio::test]
async fn a_filter_narrows_and_a_sort_says_what_it_sorts() {
    let mut demo = Demo::start();
    let picture = demo.keys("4<enter>hg<enter>/0249").await;
    assert!(picture.contains("11 of 2,500 objects"), "{picture}");
    // typing further, and taking a letter back
    let picture = demo.keys("7").await;
    assert!(picture.contains("1 of 2,500 objects"), "{picture}");
    let picture = demo.keys("<backspace><enter>").await;
    assert!(picture.contains("11 of 2,500"), "{picture}");
    let picture = demo.keys("j<esc>").await;
    assert!(marked(&picture).contains("02490.json"), "it stays where it was: {picture}");
    let picture = demo.keys("o").await;
    assert!(picture.contains("largest first · 2,500 objects"), "{picture}");
    let picture = demo.keys("/nothing like it<enter>").await;
    assert!(picture.contains("nothing matches the filter"), "{picture}");
    // the delete key belongs to the filter while it is typed
    let picture = demo.keys("<esc>/02499<delete>").await;
    assert!(!picture.contains("Keep"), "{picture}");
}

#[tokio::test]
async fn in_and_out_and_back_and_forth() {
    let mut demo = Demo::start();
    let picture = demo.keys("4").await;
    insta::assert_snapshot!("browser_stores", picture);
    let picture = demo.keys("<enter>").await;
    insta::assert_snapshot!("browser_prefixes", picture);
    let picture = demo.keys("/logs<enter><enter>").await;
    assert!(picture.contains("s3://zenml-demo/zenml/logs/"), "{picture}");
    let picture = demo.keys("h").await;
    assert!(marked(&picture).contains("logs/"), "the way up leads to where one came from");
    let picture = demo.keys("<alt-left>").await;
    assert!(picture.contains("zenml/logs/"), "{picture}");
    let picture = demo.keys("<alt-left><alt-right>").await;
    assert!(picture.contains("zenml/logs/"), "{picture}");
    let picture = demo.keys("hhh").await;
    assert!(picture.contains("buckets of the key of demo_store"), "{picture}");
    insta::assert_snapshot!("browser_buckets", picture);
    insta::assert_snapshot!("browser_buckets_wide", demo.wide());
    let picture = demo.keys("/scratch<enter><enter>").await;
    assert!(picture.contains("s3://scratch-demo/") && picture.contains("notes.txt"), "{picture}");
    let picture = demo.keys("<esc>").await;
    assert!(picture.contains("Browse an artifact store"), "{picture}");
    demo.any_size();
}

#[tokio::test]
async fn a_bucket_of_another_region_is_listed_where_it_lies() {
    let mut demo = Demo::start();
    let picture = demo.keys("4b/demo-b<enter><enter>").await;
    assert!(picture.contains("s3://zenml-demo-b/"), "{picture}");
    assert!(picture.contains("1 prefix") && picture.contains("zenml/"), "{picture}");
}

#[tokio::test]
async fn a_key_that_may_not_list_buckets_is_told_so() {
    let mut demo = Demo::start();
    demo.sandbox.faults.change(|faults| faults.list_buckets_denied = true);
    let picture = demo.keys("4b").await;
    assert!(picture.contains("AccessDenied"), "{picture}");
    assert!(picture.contains("esc, then enter"), "{picture}");
}

#[tokio::test]
async fn what_is_no_listing_is_never_an_empty_bucket() {
    let mut demo = Demo::start();
    demo.sandbox.faults.change(|faults| faults.html_page = true);
    let picture = demo.keys("4<enter>").await;
    assert!(picture.contains('✗') && picture.contains('→'), "{picture}");
    assert!(!picture.contains("nothing lies here"), "{picture}");
    insta::assert_snapshot!("browser_html", picture);
    demo.sandbox.faults.change(|faults| {
        faults.html_page = false;
        faults.truncated_listing = true;
    });
    let picture = demo.keys("R").await;
    assert!(picture.contains('✗') && !picture.contains("nothing lies here"), "{picture}");
    demo.sandbox.faults.change(|faults| faults.truncated_listing = false);
    let picture = demo.keys("R").await;
    assert!(picture.contains("11 prefixes"), "{picture}");
}

#[tokio::test]
async fn a_prefix_that_is_empty_says_so_and_deleting_asks() {
    let mut demo = Demo::start();
    let picture = demo.keys("4j<enter>D").await;
    assert!(picture.contains("Delete notes.txt?"), "{picture}");
    let picture = demo.keys("<enter>").await;
    assert!(picture.contains("notes.txt"), "the focus is on Keep: {picture}");
    let picture = demo.keys("Dy").await;
    assert!(picture.contains("nothing lies here"), "{picture}");
}

/// Into the only path below: drift/ID/SALT/.
const DRIFT: &str = "4<enter>/compare<enter><enter><enter><enter><enter>";

#[tokio::test]
async fn json_is_shown_indented() {
    let mut demo = Demo::start();
    demo.keys(DRIFT).await;
    let picture = demo.keys("<enter>").await;
    assert!(picture.contains("JSON"), "{picture}");
    insta::assert_snapshot!("viewer_json", picture);
    insta::assert_snapshot!("viewer_json_wide", demo.wide());
    let picture = demo.keys("i").await;
    assert!(picture.contains("output of a step") && picture.contains("drift"), "{picture}");
    let still = |picture: &str| {
        let lines = picture.lines().filter(|line| !line.contains("request id"));
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!("details", still(&picture));
    insta::assert_snapshot!("details_wide", still(&demo.wide()));
    demo.any_size();
    demo.keys("y").await;
    let picture = demo.keys("<tab><enter>").await;
    let copied = demo.stage.take_copy().unwrap_or_default();
    assert!(copied.starts_with("s3://zenml-demo/zenml/compare/drift/"), "{copied} {picture}");
}

#[tokio::test]
async fn a_table_is_aligned_and_moves_to_the_side() {
    let mut demo = Demo::start();
    demo.keys("4<enter>/load_rides<enter><enter><enter><enter><enter>").await;
    let picture = demo.keys("<enter>").await;
    assert!(picture.contains("table"), "{picture}");
    insta::assert_snapshot!("viewer_csv", picture);
    insta::assert_snapshot!("viewer_csv_wide", demo.wide());
    let moved = demo.keys("ll").await;
    assert_ne!(moved, picture);
    assert_eq!(demo.keys("hh").await, picture);
    demo.any_size();
}

#[tokio::test]
async fn a_log_is_read_by_level() {
    let mut demo = Demo::start();
    let picture = demo.keys("4<enter>/logs<enter><enter><enter>").await;
    assert!(picture.contains("JSON Lines") && picture.contains("· info"), "{picture}");
    insta::assert_snapshot!("viewer_log", picture);
    insta::assert_snapshot!("viewer_log_wide", demo.wide());
    let picture = demo.keys("LL").await;
    assert!(picture.contains("warn and up") && !picture.contains("· info"), "{picture}");
    demo.any_size();
}

#[tokio::test]
async fn a_pickle_is_bytes_and_a_pane_follows_the_cursor() {
    let mut demo = Demo::start();
    let picture =
        demo.keys("4<enter>/train_model<enter><enter>/model<enter><enter><enter><enter>p").await;
    assert!(picture.contains("never unpickled"), "{picture}");
    insta::assert_snapshot!("preview_below", picture);
    demo.stage.resize(160, 48);
    insta::assert_snapshot!("preview_beside", demo.picture());
    let picture = demo.keys("j").await;
    assert!(picture.contains("text · 7 B") || picture.contains("text · 6 B"), "{picture}");
    demo.any_size();
}

#[tokio::test]
async fn more_of_a_large_object_on_demand() {
    let mut demo = Demo::start();
    let path = "4<enter>/train_model<enter><enter>/checkpoint<enter><enter><enter><enter>";
    let picture = demo.keys(&format!("{path}<enter>")).await;
    assert!(picture.contains("first 256.0 KiB of 12.0 MiB"), "{picture}");
    let picture = demo.keys("mm").await;
    assert!(picture.contains("first 1.0 MiB of 12.0 MiB"), "{picture}");
    assert!(!picture.contains("read more"), "that is the most: {picture}");
}

#[tokio::test]
async fn odd_keys_are_told_apart() {
    let mut demo = Demo::start();
    let picture = demo.keys("4<enter>h/odd<enter><enter>").await;
    for name in [
        "esc \\u{1b}[31mred.txt",
        "gpj.\\u{202e}txt.exe",
        "new\\u{a}line.txt",
        "e\\u{301} is not é.txt",
        "back\\\\slash.txt",
        "100%.txt",
        "%41 is not A.txt",
    ] {
        assert!(picture.contains(name), "{name}: {picture}");
    }
    insta::assert_snapshot!("browser_odd", picture);
    let picture = demo.keys("/red<enter><enter>").await;
    assert!(picture.contains("This is"), "the key itself is asked for: {picture}");
}

#[tokio::test]
async fn a_download_arrives_whole_and_tells_so() {
    let mut demo = Demo::start();
    demo.keys("4j<enter>").await;
    let folder = demo.folder("down/here");
    demo.download_to(&folder);
    demo.stage.settle().await;
    let text = std::fs::read_to_string(folder.join("notes.txt")).unwrap();
    assert_eq!(text, "Anything may be done here.\n");
    let picture = demo.keys("5").await;
    assert!(picture.contains("✓") && picture.contains("100 %"), "{picture}");
    insta::assert_snapshot!("transfers_done", picture);
    insta::assert_snapshot!("transfers_done_wide", demo.wide());
    demo.any_size();
    let picture = demo.keys("c").await;
    assert!(picture.contains("nothing yet"), "{picture}");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test plays the user's other programs")]
async fn a_file_that_is_there_is_replaced_only_when_the_user_says_so() {
    let mut demo = Demo::start();
    let folder = demo.folder("down");
    let file = folder.join("notes.txt");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(&file, "mine").unwrap();
    demo.keys("4j<enter>").await;
    demo.download_to(&folder);
    let picture = demo.keys("5").await;
    assert!(picture.contains("name is taken") && picture.contains("1!"), "{picture}");
    let picture = demo.keys("<enter>").await;
    assert!(picture.contains("Replace notes.txt?"), "{picture}");
    demo.keys("<enter>").await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine", "the focus is on No");
    let picture = demo.keys("<enter>y").await;
    assert!(picture.contains("done"), "{picture}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Anything may be done here.\n");
}

#[tokio::test]
async fn a_cancelled_download_leaves_no_file() {
    let mut demo = Demo::start();
    let path = "4<enter>/train_model<enter><enter>/checkpoint<enter><enter><enter><enter>";
    demo.keys(path).await;
    let folder = demo.folder("down");
    demo.download_to(&folder);
    demo.stage.keys("5");
    while !demo.stage.picture().contains(" of 12.0 MiB") {
        demo.stage.next().await;
    }
    let picture = demo.stage.picture();
    assert!(picture.contains("5 Transfers 1↓") && picture.contains("x cancel"), "{picture}");
    demo.stage.keys("x").settle().await;
    let picture = demo.picture();
    assert!(picture.contains("stopped"), "{picture}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "not even a part");
    let picture = demo.keys("r").await;
    assert!(picture.contains("checksum (CRC-64)"), "{picture}");
    assert_eq!(std::fs::metadata(folder.join("checkpoint.pt")).unwrap().len(), 12 << 20);
}

#[tokio::test]
async fn a_key_with_dots_stays_inside_the_folder() {
    let mut demo = Demo::start();
    let picture =
        demo.keys("4<enter>h/odd<enter><enter>/dots<enter><enter>/..<enter><enter>").await;
    assert!(picture.contains("s3://zenml-demo/odd/dots/../"), "{picture}");
    let folder = demo.folder("down");
    demo.download_to(&folder);
    demo.stage.settle().await;
    let text = std::fs::read_to_string(folder.join("x")).unwrap();
    assert_eq!(text, "This is \"dots/../x\".\n");
    assert!(!demo.folder("x").exists());
}

#[tokio::test]
async fn a_file_goes_up_and_is_listed() {
    let mut demo = Demo::start();
    let file = demo.folder("config/stacks.toml");
    demo.keys("4j<enter>u").await;
    demo.stage.paste(file.to_str().unwrap()).keys("<ctrl-s>").settle().await;
    let picture = demo.picture();
    assert!(picture.contains("stacks.toml") && picture.contains("2 objects"), "{picture}");
}

#[tokio::test]
async fn the_log_says_what_was_asked_and_how_it_ended() {
    let mut demo = Demo::start();
    let picture = demo.keys("4<enter>6").await;
    assert!(picture.contains("list objects") && picture.contains("objects"), "{picture}");
    assert!(picture.contains('✓'), "{picture}");
    demo.any_size();
}

#[tokio::test]
async fn a_locked_keystore_asks_and_the_listing_goes_on() {
    let mut demo = Demo::start();
    demo.keys("4").await;
    // the demo's identity lies in a file, so that unlocking needs no passphrase
    demo.stage.signal(osstack::tui::event_loop::Signal::Suspend);
    assert!(demo.wide().contains("locked · sandbox"));
    let picture = demo.keys("<enter>").await;
    assert!(picture.contains("11 prefixes"), "{picture}");
    assert!(demo.wide().contains("keys ✓ · sandbox"));
}

#[tokio::test]
async fn no_chord_means_two_things() {
    let place = || Place::of("store");
    let key = ObjectKey::parse("a").unwrap();
    let found = [
        clashes(&Browser::default()),
        clashes(&Buckets::of("store".into())),
        clashes(&Objects::at(place(), String::new())),
        clashes(&Objects::at(place(), "zenml/".into())),
        clashes(&Viewer::new(Remote::at(place(), None, key.clone()))),
        clashes(&Details::new(place(), key)),
        clashes(&Transfers::default()),
        clashes(&LogScreen::default()),
    ];
    assert_eq!(found.concat(), Vec::<String>::new());
}

#[tokio::test]
async fn all_that_lies_below_is_searched_by_words_globs_and_expressions() {
    let mut demo = Demo::start();
    let picture = demo.keys("4<enter>F").await;
    assert!(picture.contains("s3://zenml-demo/zenml/**"), "{picture}");
    let whole = |picture: &str| picture.lines().nth(1).unwrap_or_default().to_owned();
    let all = whole(&picture);
    let picture = demo.keys("/**/*.html").await;
    assert!(picture.contains("5 of 100 objects") && picture.contains("339 B"), "{picture}");
    assert!(marked(&picture).contains('/'), "names say where below: {picture}");
    let picture = demo.keys("<esc>/re:(").await;
    assert!(picture.contains("unclosed group"), "{picture}");
    assert_eq!(whole(&picture), whole(&demo.keys("").await));
    let picture = demo.keys("<esc>/~htmL").await;
    assert!(picture.contains(" of 100 objects"), "{picture}");
    let picture = demo.keys("<esc>F").await;
    assert!(!picture.contains("**") && whole(&picture) != all, "{picture}");
}

#[tokio::test]
async fn letters_find_the_best_match_first_unless_an_order_is_asked_for() {
    let mut demo = Demo::start();
    let picture = demo.keys("4<enter>F/~modl<enter>").await;
    let head = picture.lines().nth(1).unwrap_or_default();
    assert!(head.contains("best match first · ") && !picture.contains('▲'), "{picture}");
    insta::assert_snapshot!("browser_letters", picture);
    insta::assert_snapshot!("browser_letters_wide", demo.wide());
    let best = marked(&picture).to_owned();
    // what is asked for rules; back at names, the best come first again
    let picture = demo.keys("o").await;
    assert!(picture.contains("largest first · ") && !picture.contains("best"), "{picture}");
    let picture = demo.keys("oooOOg").await;
    assert_eq!(marked(&picture), best);
    let picture = demo.keys("O").await;
    assert!(picture.contains("by name, last first · "), "{picture}");
}

#[tokio::test]
async fn sizes_come_largest_first_and_lead_back_to_the_browser() {
    let mut demo = Demo::start();
    for key in ["zenml/trainer/big.bin", "zenml/other.bin"] {
        let begin = demo.sandbox.call(Method::POST, key).query("uploads", "");
        let id = begin.send(Signature::V2).await.element("UploadId");
        let part = demo.sandbox.put(key, vec![0; 300_000]);
        let part = part.query("partNumber", "1").query("uploadId", &id);
        assert_eq!(part.send(Signature::V2).await.status, 200);
    }
    let picture = demo.keys("4<enter>s").await;
    insta::assert_snapshot!("sizes", picture);
    insta::assert_snapshot!("sizes_wide", demo.wide());
    let largest = marked(&picture).split_whitespace().nth(6).unwrap_or_default().to_owned();
    let below = demo.keys("<enter>").await;
    assert!(below.contains(&format!("zenml/{largest}  sizes")), "{below}");
    let question = demo.keys("<esc>x").await;
    assert!(
        question.contains("End 2 uploads?") && question.contains("zenml/other.bin"),
        "{question}"
    );
    let ended = demo.keys("<tab><enter>").await;
    assert!(!ended.contains("unfinished upload"), "{ended}");
    let again = demo.keys("R").await;
    assert!(!again.contains("unfinished upload"), "{again}");
    let browser = demo.keys("<enter>b").await;
    assert!(browser.contains(&format!("s3://zenml-demo/zenml/{largest}")), "{browser}");
    demo.keys("s").await;
    demo.any_size();
}

#[tokio::test]
async fn a_pasted_address_leads_to_its_place() {
    let mut demo = Demo::start();
    demo.keys("4<enter>").await;
    let object = "https://zenml-demo.oss-eu-central-1.aliyuncs.com/many/00007.json?Signature=x%3D";
    demo.stage.paste(object).settle().await;
    let picture = demo.picture();
    assert!(picture.contains("s3://zenml-demo/many/"), "{picture}");
    assert!(marked(&picture).contains("00007.json"), "{picture}");
    let back = demo.keys("<alt-left>").await;
    assert!(back.contains("s3://zenml-demo/zenml/ "), "{back}");
    demo.stage.keys("@").paste("demo_store:logs/").keys("<ctrl-s>").settle().await;
    assert!(demo.picture().contains("s3://zenml-demo/zenml/logs/"), "{}", demo.picture());
    demo.stage.paste("s3://of-nobody/a").settle().await;
    let picture = demo.stage.picture();
    assert!(picture.contains("no store of the catalog reaches s3://of-nobody/"), "{picture}");
}
