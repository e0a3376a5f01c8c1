//! Every target over its seeds and over what a fuzzer once found, on stable and without a fuzzer.

use mail_fuzz::{TARGETS, corpus, seeds};
use std::fs;
use std::path::{Path, PathBuf};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn seeds_hold() {
    let seeds = seeds::all();
    for target in TARGETS {
        let inputs = corpus(target, &seeds);
        assert!(inputs.len() >= 100, "{}: only {} seeds", target.name, inputs.len());
        inputs.iter().for_each(|input| (target.run)(input));
        println!("{}: {} seeds", target.name, inputs.len());
    }
}

/// `regressions/TARGET/` holds inputs that once failed.
#[test]
fn regressions_hold() {
    for entry in fs::read_dir(here("regressions")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let target =
            TARGETS.iter().find(|target| target.name == name).expect("a folder is named after its target");
        for input in fs::read_dir(path).unwrap() {
            (target.run)(&fs::read(input.unwrap().path()).unwrap());
        }
    }
}

/// `corpus/TARGET/` holds few short inputs that reach what a fuzzer has reached in ten minutes and more: its next run begins there. Small enough for a
/// clone, and never empty where it is there.
#[test]
fn corpus_holds() {
    let mut octets = 0;
    for target in TARGETS {
        let Ok(folder) = fs::read_dir(here("corpus").join(target.name)) else { continue };
        let inputs: Vec<_> = folder.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        assert!(inputs.len() >= 20, "{}: only {} inputs", target.name, inputs.len());
        let size: usize = inputs.iter().map(Vec::len).sum();
        assert!(size <= 300 * 1024, "{}: {size} octets", target.name);
        octets += size;
        inputs.iter().for_each(|input| (target.run)(input));
        println!("{}: {} inputs of {size} octets", target.name, inputs.len());
    }
    assert!((1..=1024 * 1024).contains(&octets), "{octets} octets in all");
}

/// A target that is listed in one place only would never run.
#[test]
fn targets_are_listed_everywhere() {
    let mut listed: Vec<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let mut files: Vec<_> = fs::read_dir(here("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    listed.sort();
    files.sort();
    assert_eq!(listed, files);
    let manifest = fs::read_to_string(here("Cargo.toml")).unwrap();
    for name in listed {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} has no [[bin]]");
        let body = fs::read_to_string(here(&format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(body.contains(&format!("mail_fuzz::{name}::run")), "{name} runs another body");
    }
}
