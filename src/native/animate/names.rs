//! What the files of a clip are called.

use std::path::Path;

/// What the names of frames begin with.
pub(super) const FRAME: &str = "frame_";

/// The file of a frame.
pub(super) fn name_of(index: usize) -> String {
    format!("{FRAME}{index:03}.png")
}

/// Whether a clip of this name is a GIF, and no directory of frames.
pub(super) fn is_gif(out: &Path) -> bool {
    out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gif"))
}
