//! One plot for each attack, as SVG.

use std::fmt::Write;
use std::path::Path;

use crate::attack::ATTACKS;
use crate::outcome::Outcome;
use crate::run::{Results, Start};

/// One plot for each attack: bots let in over time, all seeds, warm 20k server.
pub(crate) fn all(results: &Results, folder: &Path) -> std::io::Result<()> {
    for (case, outcomes) in results {
        let attack = &ATTACKS[case.attack];
        let shown = case.size == 1 && case.start == Start::Warm && !case.webhooks && !case.rush;
        if shown && outcomes.iter().any(|o| o.bots.0 > 0) {
            let file = folder.join(format!("{}.svg", attack.key));
            std::fs::write(file, plot(attack.title, attack.hours, attack.bar, outcomes))?;
        }
    }
    Ok(())
}

fn plot(title: &str, hours: i64, bar: Option<u32>, outcomes: &[Outcome]) -> String {
    let most = outcomes.iter().map(|o| o.curve.len()).max().unwrap_or(0);
    let top = (most as f64).max(f64::from(bar.unwrap_or(0))).max(10.0) * 1.1;
    let x = |at: i64| 50.0 + 540.0 * at as f64 / (hours as f64 * 3600.0);
    let y = |count: f64| 260.0 - 220.0 * count / top;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 620 300\" font-family=\"sans-serif\" font-size=\"12\"><rect width=\"620\" height=\"300\" fill=\"#fff\"/><text x=\"50\" y=\"20\">{title}: bots let in, {} seeds</text><path d=\"M50 30V260H600\" fill=\"none\" stroke=\"#333\"/><text x=\"560\" y=\"280\">{hours} h</text><text x=\"10\" y=\"44\">{top:.0}</text>",
        outcomes.len()
    );
    if let Some(bar) = bar {
        let at = y(f64::from(bar));
        let _ = write!(
            svg,
            "<path d=\"M50 {at:.1}H600\" stroke=\"#c22\" stroke-dasharray=\"4\"/><text x=\"552\" y=\"{:.1}\" fill=\"#c22\">bar {bar}</text>",
            at - 4.0
        );
    }
    for outcome in outcomes {
        let mut path = format!("M50 {:.1}", y(0.0));
        for (count, at) in outcome.curve.iter().enumerate() {
            let _ = write!(path, "H{:.1}V{:.1}", x(*at), y(count as f64 + 1.0));
        }
        let _ = write!(
            svg,
            "<path d=\"{path}H590\" fill=\"none\" stroke=\"#2563a8\" stroke-opacity=\".5\"/>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}
