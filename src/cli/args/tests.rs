use super::*;
use clap::CommandFactory;

fn read(line: &str) -> Cli {
    Cli::read(line.split(' ').map(OsString::from)).unwrap()
}

#[test]
fn the_definition_holds() {
    Cli::command().debug_assert();
}

#[test]
fn o_is_the_output_except_where_zenml_has_it_for_the_orchestrator() {
    assert!(read("osstack secret list -o json").global.json);
    // names are not the command
    assert!(read("osstack stack copy stack register -o json").global.json);
    assert!(read("osstack secret get register -o json").global.json);
    assert!(read("osstack -o json --color never stack update s -o default").global.json);
    let cli = read("osstack stack register s -a store -o json");
    assert!(!cli.global.json);
    let Some(Command::Stack(Stack::Register(settings))) = cli.command else { panic!() };
    assert_eq!(settings.orchestrator.as_deref(), Some("json"));
    let cli = read("osstack --color never stack update s -o json");
    assert!(!cli.global.json);
}

#[test]
fn what_cannot_be_read_is_answered_in_json_where_that_was_asked_for() {
    let wants_json =
        |line: &str| Cli::read(line.split(' ').map(OsString::from)).unwrap_err().wants_json;
    assert!(wants_json("osstack nonsense -o json"));
    assert!(wants_json("osstack nonsense --json"));
    assert!(!wants_json("osstack nonsense -- -o json"));
    assert!(!wants_json("osstack stack register s -o json --nonsense"));
}
