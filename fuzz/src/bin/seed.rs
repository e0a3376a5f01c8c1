//! Writes the seeds of a target as files: `seed TARGET FOLDER`.

use mail_fuzz::{TARGETS, corpus, seeds};
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let folder = PathBuf::from(arguments.next().unwrap_or_default());
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        eprintln!("seed TARGET FOLDER: there is no target {name:?}");
        std::process::exit(2);
    };
    std::fs::create_dir_all(&folder)?;
    let inputs = corpus(target, &seeds::all());
    for (number, input) in inputs.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:05}")), input)?;
    }
    println!("{name}: {} seeds", inputs.len());
    Ok(())
}
