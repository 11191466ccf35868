//! Text from files, made safe for a terminal.

use std::borrow::Cow;
use std::io::{ErrorKind, Write as _, stdout};

use anyhow::{Context as _, Error, Result};

/// The text with control characters written out, apart from the ends of lines and tabs: the name of a label or a file
/// can hold codes that move a terminal's cursor or rename its window.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_code = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(is_code) {
        return text.into();
    }
    text.chars().map(|c| if is_code(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

/// Says something on the standard output. Names of people, labels and files can hold codes.
///
/// # Errors
/// A disk that is full. That nobody reads on is none.
pub(crate) fn say(text: &str) -> Result<()> {
    match writeln!(stdout(), "{}", printable(text)) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to the output"),
        _ => Ok(()),
    }
}

/// An error with its causes. Messages that already quote their cause do not say it twice.
pub(crate) fn one_paragraph(error: &Error) -> String {
    let mut paragraph = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if paragraph.is_empty() {
            paragraph = cause;
        } else if !paragraph.contains(&cause) {
            paragraph = format!("{paragraph}: {cause}");
        }
    }
    paragraph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once() {
        let quoted = anyhow::anyhow!("no such file").context("cannot read a.png: no such file").context("animate");
        assert_eq!(one_paragraph(&quoted), "animate: cannot read a.png: no such file");
    }

    #[test]
    fn codes_are_written_out_and_text_stays() {
        assert_eq!(printable("Glück\n\tfür 你"), "Glück\n\tfür 你");
        assert_eq!(printable("\u{1b}]0;owned\u{7}joy\r"), "\\u{1b}]0;owned\\u{7}joy\\r");
    }
}
