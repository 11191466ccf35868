//! Text from files, made safe for a terminal.

use std::borrow::Cow;

/// The text with control characters written out, apart from the ends of lines and tabs: the name of a label or a file
/// can hold codes that move a terminal's cursor or rename its window.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_code = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(is_code) {
        return text.into();
    }
    text.chars().map(|c| if is_code(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_out_and_text_stays() {
        assert_eq!(printable("Glück\n\tfür 你"), "Glück\n\tfür 你");
        assert_eq!(printable("\u{1b}]0;owned\u{7}joy\r"), "\\u{1b}]0;owned\\u{7}joy\\r");
    }
}
