//! Another look of one picture: other light and colours, less of them, blur, noise, compression. What it shows stays
//! where it is.

use rand_chacha::ChaCha8Rng;

use super::{
    augmentation::{Augmentation, Change},
    random::{between, chance},
};

/// Probability of another light.
const LIGHT: f32 = 0.7;

/// Probabilities of the other changes.
const CHANGES: Augmentation =
    Augmentation { colours: 1.0, grey: 0.15, blur: 0.3, noise: 0.3, jpeg: 0.3, ..Augmentation::NONE };

/// Another look of a picture.
pub(super) struct Look {
    light: Option<Light>,
    change: Change,
}

/// A light from one side: a gradient that picture and light are multiplied by.
struct Light {
    /// Cosine and sine.
    direction: [f32; 2],
    /// How much brighter each channel is on the side of the light, and darker on the other.
    strength: [f32; 3],
}

impl Look {
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let (is_lit, light) = (chance(rng, LIGHT), Light::draw(rng));
        Self { light: is_lit.then_some(light), change: CHANGES.draw(rng) }
    }

    /// # Shapes
    ///
    /// - frame: `[3, size, size]`, RGB in `[0, 1]`
    pub(super) fn apply(&self, frame: &mut [f32]) {
        if let Some(light) = &self.light {
            light.apply(frame);
        }
        self.change.apply(frame, 0);
    }
}

impl Light {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let angle = between(rng, 0.0, std::f32::consts::TAU);
        let strength = between(rng, 0.1, 0.6);
        Self { direction: [angle.cos(), angle.sin()], strength: [(); 3].map(|()| strength * between(rng, 0.7, 1.3)) }
    }

    fn apply(&self, frame: &mut [f32]) {
        let area = frame.len() / 3;
        let size = area.isqrt();
        let place = |index: usize| (2 * index + 1) as f32 / size as f32 - 1.0;
        for (plane, strength) in frame.chunks_exact_mut(area).zip(self.strength) {
            for (i, value) in plane.iter_mut().enumerate() {
                let side = place(i % size) * self.direction[0] + place(i / size) * self.direction[1];
                *value = (*value * (1.0 + strength * side).max(0.0)).min(1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::data::random::stream;

    const SIZE: usize = 16;

    #[test]
    fn a_light_brightens_its_side_and_darkens_the_other() {
        let light = Light { direction: [1.0, 0.0], strength: [0.5, 0.5, 0.0] };
        let mut frame = vec![0.4; 3 * SIZE * SIZE];
        light.apply(&mut frame);
        assert!(frame[0] < 0.22 && frame[SIZE - 1] > 0.58, "{} {}", frame[0], frame[SIZE - 1]);
        assert_eq!(frame[0], frame[(SIZE - 1) * SIZE], "rows are alike");
        assert!(frame[2 * SIZE * SIZE..].iter().all(|&value| value == 0.4), "blue is not lit");
    }

    #[test]
    fn looks_repeat_for_their_stream_differ_otherwise_and_stay_in_range() {
        let picture: Vec<f32> = (0..3 * SIZE * SIZE).map(|i| (i % 97) as f32 / 96.0).collect();
        let look = |step: u64| {
            let mut frame = picture.clone();
            Look::draw(&mut stream(5, step)).apply(&mut frame);
            frame
        };
        assert_eq!(look(1), look(1));
        assert_ne!(look(1), look(2));
        for step in 0..20 {
            let frame = look(step);
            assert!(frame != picture && frame.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
