//! Where hair of the head begins.

use glam::Vec3;

use crate::random::Random;

/// Angles from the front at which hairlines are given, in degrees.
const ANGLES: [f32; 9] = [0., 25., 45., 60., 75., 88., 105., 130., 180.];

/// The line of an average head, in decimetres of the base head.
const AVERAGE: [f32; 9] = [7.93, 7.92, 7.82, 7.60, 7.14, 6.98, 7.05, 6.75, 6.55];

/// Heights on the base head above which hair grows, by the angle from the front.
#[derive(Clone, Copy, Debug)]
pub struct Hairline([f32; 9]);

impl Default for Hairline {
    fn default() -> Self {
        Self(AVERAGE)
    }
}

impl Hairline {
    /// A hairline that recedes by the given share: 0 is a full head of hair, 1 leaves the forehead bare up to the top.
    pub fn draw(random: &mut Random, recession: f32) -> Self {
        let height = random.normal_within(0., 0.06, 2.);
        let mut line = AVERAGE.map(|value| value + random.normal_within(0., 0.02, 2.));
        for (value, share) in line.iter_mut().zip([1., 1., 0.8, 0.5, 0.2, 0., 0., 0., 0.]) {
            *value += share * height;
        }
        // A widow's peak, or a dent of hair between the temples.
        let peak = if random.chance(0.3) { random.between(0.03, 0.1) } else { 0. };
        let temples = if random.chance(0.4) { random.between(0., 0.1) } else { 0. };
        for (value, share) in line.iter_mut().zip([0., 0.6, 1., 0.6, 0.1, 0., 0., 0., 0.]) {
            *value += share * temples;
        }
        line[0] -= peak;
        let round = random.between(0.55, 1.);
        for (value, share) in line.iter_mut().zip([0.28 * round, 0.36, 0.34, 0.2, 0.02, 0., 0., 0., 0.]) {
            *value += share * recession;
        }
        Self(line)
    }

    /// How far above the line a place of the base head is, in decimetres; below 0 where nothing grows.
    pub fn above(&self, base: Vec3) -> f32 {
        let angle = base.x.abs().atan2(base.z - 0.55).to_degrees();
        let last = ANGLES.len() - 2;
        let segment = ANGLES[1..].iter().position(|&end| angle <= end).unwrap_or(last);
        let share = (angle - ANGLES[segment]) / (ANGLES[segment + 1] - ANGLES[segment]);
        base.y - (self.0[segment] + (self.0[segment + 1] - self.0[segment]) * share.clamp(0., 1.))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_is_bare_and_the_top_is_not() {
        for seed in 0..50 {
            let line = Hairline::draw(&mut Random::new("hairline", &[seed]), 0.);
            assert!(line.above(Vec3::new(0., 7.5, 1.5)) < 0., "brows");
            assert!(line.above(Vec3::new(0.7, 6.7, 0.9)) < 0., "cheek");
            assert!(line.above(Vec3::new(0., 8.45, 0.6)) > 0.2, "top");
            assert!(line.above(Vec3::new(0., 7.3, -0.3)) > 0.2, "back");
        }
    }

    #[test]
    fn a_receding_line_is_higher_at_the_temples() {
        let line = |recession| Hairline::draw(&mut Random::new("hairline", &[3]), recession);
        let temple = Vec3::new(0.45, 8., 1.1);
        assert!(line(1.).above(temple) < line(0.).above(temple) - 0.2);
        assert_eq!(line(1.).above(Vec3::new(0., 7., -0.3)), line(0.).above(Vec3::new(0., 7., -0.3)));
    }
}
