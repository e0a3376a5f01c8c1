//! Reads the tables in the documentation of the two machines, so that their tests can hold them against what the machines do.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

/// The rows of the one table in a source: a command line, and a cell for each of two states.
pub(crate) fn rows(source: &str) -> Vec<(String, [String; 2])> {
    let table = source.split("//! command     ").nth(1).expect("a table").split("//! ```").next().unwrap();
    let heads = table.lines().next().unwrap();
    // Where the second and the third column begin.
    let second = "command     ".len();
    let third = second + heads.rfind("  ").unwrap() + 2;
    let cell = |line: &str, from: usize, to: usize| {
        line.get(from..to.min(line.len())).unwrap_or_default().trim().to_owned()
    };
    let lines = table.lines().skip(1).filter_map(|line| line.strip_prefix("//! "));
    let row = |line| (cell(line, 0, second), [cell(line, second, third), cell(line, third, 200)]);
    // A picture has no room for a digest.
    let digest = |command: String| match command.as_str() {
        "APOP" => "APOP u c4c9334bac560ecc979e58001b3e22fb".to_owned(),
        _ => command,
    };
    let rows: Vec<_> = lines.map(row).map(|(command, cells)| (digest(command), cells)).collect();
    assert_eq!(rows.len(), 21, "one row for each form of a command");
    rows
}
