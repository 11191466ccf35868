//! The part of every frame that is used: clips are often framed wider than a model should see them.

use std::{str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    contents::{Contents, StoredClip},
    pixels::Part,
};

/// A square part of square frames, in shares of their side; written down as `[left, top, side]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub(crate) struct Crop {
    left: f64,
    top: f64,
    side: f64,
}

/// Smallest side, as a share of the frame's.
const SMALLEST: f64 = 0.05;

impl FromStr for Crop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "it must be LEFT,TOP,SIDE in shares of the frame's side, such as 0.2,0.25,0.6";
        let numbers = text.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<f64>>>();
        let Some(&[left, top, side]) = numbers.as_deref() else { return Err(FORM.into()) };
        let inside = |from: f64| from >= 0.0 && from + side <= 1.0 + 1e-9;
        if !(side > 0.0 && inside(left) && inside(top)) {
            return Err(format!("it reaches beyond the frame; {FORM}"));
        }
        // Tiles are decoded whole.
        if side < SMALLEST {
            return Err(format!(
                "its side must be at least {SMALLEST} of the frame's; cut out smaller parts beforehand"
            ));
        }
        Ok(Self { left, top, side })
    }
}

impl From<[f64; 3]> for Crop {
    fn from([left, top, side]: [f64; 3]) -> Self {
        Self { left, top, side }
    }
}

impl From<Crop> for [f64; 3] {
    fn from(Crop { left, top, side }: Crop) -> Self {
        [left, top, side]
    }
}

impl Crop {
    /// Side of tiles whose part has `size` pixels.
    pub(super) fn tile_for(self, size: usize) -> usize {
        (size as f64 / self.side).round() as usize
    }

    /// This part of all clips and of their flow. What frame 0 shows outside of it counts as not
    /// visible.
    pub(super) fn cut(self, mut contents: Contents) -> Contents {
        let tile = contents.tile;
        let [left, top, side] = [self.left, self.top, self.side].map(|share| (share * tile as f64).round() as usize);
        let side = side.clamp(1, tile);
        let (left, top) = (left.min(tile - side), top.min(tile - side));
        let part = Part { tile, left, top, side };
        let cut = |clip: StoredClip| StoredClip {
            pixels: clip.pixels.cut(part),
            alpha: clip.alpha.map(|alpha| part.of(&alpha, 1)),
            flow: clip.flow.map(|flow| flow.cut([left, top, side], tile)),
            references: clip.references.map(|references| Arc::new(references.cut(part))),
            ..clip
        };
        contents.clips = contents.clips.into_iter().map(cut).collect();
        Contents { tile: side, ..contents }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::native::data::{flow::ExactFlow, pixels::Pixels};

    #[test]
    fn a_crop_lies_inside_the_frame() {
        assert_eq!("0.2, 0.25,0.6".parse(), Ok(Crop { left: 0.2, top: 0.25, side: 0.6 }));
        assert_eq!("0,0,1".parse(), Ok(Crop { left: 0.0, top: 0.0, side: 1.0 }));
        for text in ["0.5,0,0.6", "0,-0.1,0.5", "0,0,0", "0,0", "0,0,1,0", "a,0,1", "nan,0,0.5", ""] {
            assert!(text.parse::<Crop>().unwrap_err().contains("LEFT,TOP,SIDE"), "{text}");
        }
        assert!("0.5,0.5,0.01".parse::<Crop>().unwrap_err().contains("at least 0.05"));
    }

    #[test]
    fn pixels_and_flow_are_cut_at_the_same_places() {
        // Two frames of 4x4 pixels that say where they were, and flow in cells of two pixels.
        let pixels = (0..2u8).flat_map(|frame| (0..16).flat_map(move |place| [frame, place / 4, place % 4])).collect();
        let cells = |dx: f32| (0..4).flat_map(move |cell| [dx * cell as f32, 0.0, 1.0]);
        let cells = cells(0.0).chain(cells(0.25)).map(f16::from_f32).collect();
        let clip = StoredClip {
            subject: 0,
            label: 0,
            name: String::new(),
            frames: 2,
            pixels: Pixels::Plain(pixels),
            alpha: Some((0..32).collect()),
            flow: Some(ExactFlow { side: 2, cells }),
            strengths: None,
            references: None,
        };
        let contents = Contents {
            tile: 4,
            fps: 8,
            apex: 0.5,
            labels: Vec::new(),
            subjects: Vec::new(),
            clips: vec![clip],
            skipped: Vec::new(),
        };
        let crop: Crop = "0.5,0,0.5".parse().unwrap();
        assert_eq!(crop.tile_for(64), 128);
        let contents = crop.cut(contents);
        assert_eq!(contents.tile, 2);
        let clip = &contents.clips[0];
        assert_eq!(clip.pixels.frame(0, 2)[..], [0, 0, 2, 0, 0, 3, 0, 1, 2, 0, 1, 3]);
        assert_eq!(clip.pixels.frame(1, 2)[..3], [1, 0, 2]);
        assert_eq!(clip.alpha.as_deref(), Some([2, 3, 6, 7, 18, 19, 22, 23].as_slice()));
        let flow = clip.flow.as_ref().unwrap();
        assert_eq!(flow.side, 1);
        // A quarter of the frame's half is half of the crop's; from the middle of the crop, that is
        // inside.
        let cells: Vec<f32> = flow.cells.iter().map(|value| value.to_f32()).collect();
        assert_eq!(cells, [0.0, 0.0, 1.0, 0.5, 0.0, 1.0]);
    }

    #[test]
    fn what_comes_from_outside_of_the_crop_is_not_seen() {
        let cells = [[0.0, 0.0, 1.0], [0.4, 0.0, 1.0], [0.0; 3], [0.0; 3]].concat();
        let flow = ExactFlow { side: 2, cells: cells.into_iter().map(f16::from_f32).collect() };
        let cut = flow.cut([0, 0, 4], 4);
        assert_eq!(cut.cells[2].to_f32(), 1.0);
        assert_eq!(cut.cells[5].to_f32(), 1.0, "0.9 is inside");
        let cut = cut.cut([2, 0, 2], 4);
        assert_eq!((cut.side, cut.cells[0].to_f32() > 0.79, cut.cells[2].to_f32()), (1, true, 1.0));
        let far = ExactFlow {
            side: 2,
            cells: [[0.0; 3], [0.6, 0.0, 1.0], [0.0; 3], [0.0; 3]].concat().into_iter().map(f16::from_f32).collect(),
        };
        assert_eq!(far.cut([2, 0, 2], 4).cells[2].to_f32(), 0.0);
    }
}
