//! One crop for all clips, from where their first frames show faces.

use crate::native::{face_finder::Face, framing::Square};

/// Smallest crop, as a share of the side.
const SMALLEST: f64 = 0.05;
/// Faces that are nearly as large as models know them need no crop.
const WHOLE: f64 = 0.9;
/// Clips whose own square overlaps less with the common one have their face elsewhere.
const ALIKE: f64 = 0.4;
/// A crop is proposed from faces in this share of the clips.
const ENOUGH: f64 = 0.5;

/// What the first frames show.
pub(super) struct Proposal {
    clips: usize,
    faces: usize,
    /// Left, top and side in shares of the frames' side, if there are enough faces.
    square: Option<[f64; 3]>,
    /// Faces that it does not frame.
    elsewhere: usize,
}

impl Proposal {
    /// From a face or none in each of the first frames, which have `side` by `side` pixels.
    pub(super) fn of(found: &[Option<Face>], side: u32) -> Self {
        let length = f64::from(side);
        let squares: Vec<Square> =
            found.iter().flatten().map(|&face| Square::around(face, (side, side), SMALLEST * length)).collect();
        let (clips, faces) = (found.len(), squares.len());
        if faces == 0 || (faces as f64) < ENOUGH * clips as f64 {
            return Self { clips, faces, square: None, elsewhere: 0 };
        }
        let middle = |value: fn(&Square) -> f64| median(squares.iter().map(value).collect());
        let size = middle(|square| square.side);
        let inside = |centre: f64| (centre - size / 2.0).clamp(0.0, length - size);
        let common = Square {
            left: inside(middle(|square| square.left + square.side / 2.0)),
            top: inside(middle(|square| square.top + square.side / 2.0)),
            side: size,
        };
        let elsewhere = squares.iter().filter(|square| square.overlap(common) < ALIKE).count();
        let square = [common.left, common.top, common.side].map(|value| shortened(value / length));
        Self { clips, faces, square: Some(square), elsewhere }
    }

    /// The crop, if frames need one.
    pub(super) fn crop(&self) -> Option<[f64; 3]> {
        self.square.filter(|[_, _, side]| *side < WHOLE)
    }

    pub(super) fn in_words(&self) -> String {
        let Self { clips, faces, square, elsewhere } = self;
        let found = format!("faces: found in {faces} of {clips} first frames");
        let Some([left, top, side]) = square else {
            return format!("{found}; if they are small, cut to them with --crop LEFT,TOP,SIDE");
        };
        if self.crop().is_none() {
            return format!("{found}; they fill the frames, and no crop is needed");
        }
        let warning = match elsewhere {
            0 => String::new(),
            count => format!("; in {count} of them the face is elsewhere, so cut these clips to it beforehand"),
        };
        format!("{found}; --crop {left},{top},{side} makes them as large as the models know them{warning}")
    }
}

/// To three digits, downwards: a crop must not reach beyond the frame.
fn shortened(share: f64) -> f64 {
    (share * 1e3).floor() / 1e3
}

/// The middle value; there is at least one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::Crop;

    /// Faces of these middles and sizes, and `none` pictures without one.
    fn faces(found: &[(f64, f64, f64)], none: usize) -> Vec<Option<Face>> {
        let found = found.iter().map(|&(x, y, size)| Some(Face { x, y, size }));
        found.chain(std::iter::repeat_n(None, none)).collect()
    }

    #[test]
    fn the_crop_is_where_most_faces_are() {
        let places = [(50.0, 40.0, 33.0), (52.0, 42.0, 33.0), (51.0, 41.0, 30.0), (100.0, 90.0, 33.0)];
        let faces = faces(&places, 1);
        let proposal = Proposal::of(&faces, 128);
        let [left, top, side] = proposal.crop().unwrap();
        assert!((side - 50.0 / 128.0).abs() < 2e-3, "33 of 50 pixels are 0.66");
        assert!((left - 27.0 / 128.0).abs() < 0.02 && (top - 17.0 / 128.0).abs() < 0.02, "{left} {top}");
        let words = proposal.in_words();
        assert!(
            words.contains("4 of 5 first frames") && words.contains("in 1 of them the face is elsewhere"),
            "{words}"
        );
        assert!(format!("{left},{top},{side}").parse::<Crop>().is_ok());
    }

    #[test]
    fn a_crop_lies_inside_of_the_frames_wherever_the_faces_are() {
        for (x, y, size) in [(0.0, 0.0, 40.0), (127.0, 127.0, 40.0), (64.0, 64.0, 5.0), (20.0, 100.0, 70.0)] {
            let [left, top, side] = Proposal::of(&faces(&[(x, y, size)], 0), 128).square.unwrap();
            assert!(format!("{left},{top},{side}").parse::<Crop>().is_ok(), "{left},{top},{side}");
        }
    }

    #[test]
    fn frames_without_faces_or_full_of_them_need_none() {
        let large = Proposal::of(&faces(&[(64.0, 66.0, 84.0)], 1), 128);
        assert!(large.crop().is_none() && large.in_words().contains("no crop is needed"));
        let none = Proposal::of(&faces(&[(64.0, 66.0, 30.0)], 2), 128);
        assert!(none.crop().is_none() && none.in_words().contains("found in 1 of 3"));
        assert!(Proposal::of(&[], 128).crop().is_none());
    }
}
