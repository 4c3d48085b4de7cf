//! The efficacy bench: honest people and bots in virtual time before the same
//! rules that the live gate runs (`judge::replay`), and what came of it.
//!
//! `cargo bench --bench efficacy` writes `RESULTS.md` and its plots beside this
//! file. `-- --tune` runs on other seeds and writes nothing.

mod attack;
mod bots;
mod dice;
mod honest;
mod outcome;
mod people;
mod run;
mod table;
mod world;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let tune = arguments.iter().any(|word| word == "--tune");
    if arguments.iter().any(|word| word == "--test") {
        return Ok(());
    }
    let only = arguments
        .iter()
        .position(|word| word == "--only")
        .and_then(|at| arguments.get(at + 1));
    let seeds = arguments
        .iter()
        .position(|word| word == "--seeds")
        .and_then(|at| arguments.get(at + 1)?.parse().ok())
        .unwrap_or(20);
    // Numbers were chosen on 1.., and are reported on 1001...
    let first = if tune { 1 } else { 1001 };
    let results = run::all(first..first + seeds, only.map(String::as_str));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/efficacy");
    let text = table::markdown(&results, first, seeds);
    if tune || only.is_some() {
        print!("{text}");
        return Ok(());
    }
    std::fs::write(folder.join("RESULTS.md"), text)?;
    table::plots(&results, &folder)
}
