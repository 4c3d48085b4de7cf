//! The efficacy bench: honest people and bots in virtual time before the same
//! rules that the live gate runs (`judge::replay`), and what came of it.
//!
//! `cargo bench --bench efficacy` writes `RESULTS.md` and its plots beside this
//! file. `-- --tune` runs on other seeds and writes nothing; `--seeds N`, `--only
//! a1,b`, `--size 20k` and `--set alerted=0.5` narrow it down. `-- --sockets`
//! plays some attacks through a whole gate and writes `SOCKETS.md`.

mod attack;
mod bars;
mod bots;
mod dice;
mod honest;
mod options;
mod outcome;
mod people;
mod play;
mod plot;
mod run;
mod sockets;
mod table;
mod wire;
mod world;

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(options) = options::Options::read() else {
        return Ok(());
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/efficacy");
    if options.sockets {
        let text = sockets::compare(&options)?;
        print!("{text}");
        if options.is_report() {
            std::fs::write(folder.join("SOCKETS.md"), text)?;
        }
        return Ok(());
    }
    let results = run::all(&options);
    let text = table::markdown(&results, &options.seeds);
    if !options.is_report() {
        print!("{text}");
        return Ok(());
    }
    std::fs::write(folder.join("RESULTS.md"), text)?;
    plot::all(&results, &folder)?;
    Ok(())
}
