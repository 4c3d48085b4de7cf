//! The terminal: whether it can be redrawn, how wide it is, whether in colour.
//!
//! Colour follows the NO_COLOR convention (no-color.org): any value but an
//! empty one turns it off. What is no terminal, or a dumb one, gets plain lines.

use std::io::{IsTerminal, Write};

/// On a narrower terminal lines would wrap and could not be drawn over.
const NARROWEST: usize = 64;
/// Wider than this lines are hard to read.
const WIDEST: usize = 100;

/// Standard output, as found.
#[derive(Debug)]
pub(super) struct Terminal {
    redraws: bool,
    colours: bool,
    drawn: usize,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Bold,
    Dim,
    Good,
    Bad,
}

impl Terminal {
    /// `plain` is for output that a program reads.
    pub(super) fn of_stdout(plain: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_none_or(|term| term == "dumb");
        let terminal = !plain && !dumb && std::io::stdout().is_terminal();
        let redraws = terminal && Self::found().is_none_or(|width| width >= NARROWEST);
        Self {
            redraws,
            colours: terminal && set("NO_COLOR").is_none(),
            drawn: 0,
        }
    }

    pub(super) const fn redraws(&self) -> bool {
        self.redraws
    }

    /// Columns that may be used.
    pub(super) fn width() -> usize {
        Self::found().unwrap_or(80).clamp(NARROWEST, WIDEST)
    }

    fn found() -> Option<usize> {
        let asked = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        asked.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
    }

    fn height() -> usize {
        terminal_size::terminal_size().map_or(24, |(_, height)| usize::from(height.0))
    }

    /// `text` as it should look, if colours are to be had.
    pub(super) fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Bad => "31",
        };
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Draws `lines` over those drawn last. Lines beyond the screen's height
    /// are left out: they could not be drawn over.
    pub(super) fn redraw(&mut self, lines: &[String]) {
        let mut out = String::new();
        if self.drawn > 0 {
            out.push_str(&format!("\x1b[{}A", self.drawn));
        }
        let lines = lines
            .get(..Self::height().saturating_sub(1))
            .unwrap_or(lines);
        for line in lines {
            out.push_str("\r\x1b[2K");
            out.push_str(line);
            out.push('\n');
        }
        out.push_str("\x1b[J");
        self.drawn = lines.len();
        say(&out);
    }

    /// Removes what was drawn last.
    pub(super) fn clear(&mut self) {
        if self.drawn > 0 {
            say(&format!("\x1b[{}A\r\x1b[J", self.drawn));
            self.drawn = 0;
        }
    }
}

/// Writes to standard output; a reader who has left is nobody's failure.
pub(super) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
