//! The way of a strand from its root to its tip.

use glam::Vec3;

use super::{cut::Cut, scalp::Root, skull::Skull};
use crate::{noise::smooth, random::Random};

/// Steps for each straight piece of a strand.
const STEPS: usize = 2;

/// A strand before it grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sprout {
    pub(super) place: Vec3,
    pub(super) direction: Vec3,
    pub(super) length: f32,
    /// Height above the skin that it keeps.
    pub(super) layer: f32,
    /// Side that it falls to: -1 or 1.
    pub(super) side: f32,
    /// Whether it falls before the shoulders, 1, or behind them, -1.
    pub(super) fore: f32,
    /// Its own direction, besides what all have in common.
    pub(super) whim: Vec3,
    /// The knot that it is drawn to.
    pub(super) knot: Option<Vec3>,
    /// How strongly it stands off.
    pub(super) stand: f32,
    /// Where in its wave it begins.
    pub(super) phase: f32,
}

/// What leads strands over a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comb<'a> {
    pub(super) skull: &'a Skull,
    pub(super) cut: &'a Cut,
}

impl Comb<'_> {
    fn scale(&self) -> f32 {
        self.skull.measures.scale
    }

    /// What grows from a root.
    pub(super) fn sprout(&self, root: &Root, random: &mut Random) -> Sprout {
        let (cut, scale) = (self.cut, self.scale());
        let layer = cut.volume * scale * random.between(0.25, 1.) * (0.25 + 0.75 * smooth(0., 0.3, root.above));
        let side = (root.place.x - cut.parting.unwrap_or(0.) * scale).signum();
        let place = if cut.float { root.place + root.normal * layer } else { root.place + root.normal * 0.01 };
        let chest = smooth(0.45, 0.85, root.base.z);
        let mut sprout = Sprout {
            place,
            direction: root.normal,
            length: cut.lengths.at(root.base) * scale * (1. - cut.ragged * random.unit()),
            layer,
            side,
            fore: if random.chance(chest) { 1. } else { -1. },
            whim: random.normal3(cut.tousle),
            knot: self.knot(root.place),
            // Hair of the sides is shorter and lies down even where that of the top stands.
            stand: cut.stand
                * if cut.float || cut.strip.is_some() { 1. } else { 0.3 + 0.7 * smooth(7.5, 8., root.base.y) },
            phase: random.unit(),
        };
        let along = along_skin(self.heading(&sprout, place), root.normal);
        sprout.direction = (along * (1. - sprout.stand) + root.normal * sprout.stand).normalize_or(root.normal);
        sprout
    }

    /// The knot nearest to a root.
    fn knot(&self, place: Vec3) -> Option<Vec3> {
        let knots = self.cut.tails.iter().map(|tail| self.skull.measures.centre + tail.knot * self.scale());
        knots.min_by(|a, b| a.distance_squared(place).total_cmp(&b.distance_squared(place)))
    }

    /// Places along a strand, from root to tip; fewer than three where it is cut off at once.
    pub(super) fn grow(&self, sprout: &Sprout) -> Vec<Vec3> {
        let pieces = ((sprout.length / (self.cut.piece * self.scale())).ceil() as usize).clamp(2, 26);
        let step = sprout.length / (pieces * STEPS) as f32;
        let (mut place, mut direction) = (sprout.place, sprout.direction);
        let mut nodes = vec![place];
        for at in 1..=pieces * STEPS {
            let along = at as f32 / (pieces * STEPS) as f32;
            direction = self.turn(sprout, place, direction, along);
            place = self.keep_off(sprout, place + direction * step, along);
            let ends = self.is_cut(sprout, place);
            if at % STEPS == 0 || ends {
                nodes.push(place);
            }
            if ends {
                break;
            }
        }
        nodes
    }

    /// The direction of the next step.
    fn turn(&self, sprout: &Sprout, place: Vec3, direction: Vec3, along: f32) -> Vec3 {
        let outward = self.skull.outward(place);
        let near = smooth(sprout.layer + 0.14, sprout.layer, self.skull.distance(place));
        let mut wanted = self.heading(sprout, place);
        let inward = wanted.dot(outward).min(0.) * near;
        wanted = wanted - outward * inward + outward * sprout.stand * (1. - along).powi(2);
        let free = smooth(0., -0.4, (place.y - self.skull.measures.eye.y) / self.scale());
        wanted -= self.skull.radial(place) * self.cut.turn_in * free * smooth(0.4, 1., along);
        (direction * 0.6 + wanted.normalize_or(direction) * 0.4).normalize_or(direction)
    }

    /// Where hair wants to go at a place.
    fn heading(&self, sprout: &Sprout, place: Vec3) -> Vec3 {
        if let Some(knot) = sprout.knot {
            return (knot - place).normalize_or(Vec3::NEG_Z) + sprout.whim * 0.3;
        }
        let (cut, measures) = (self.cut, &self.skull.measures);
        let height = (place.y - measures.eye.y) / self.scale();
        // Hair runs aside while it lies on top of the head, and falls from where that turns down.
        let upper = smooth(0.15, 0.75, self.skull.outward(place).y) * smooth(0., 0.4, height);
        let away = match cut.parting {
            Some(_) => Vec3::X * sprout.side,
            None => self.off_crown(place),
        };
        let top = away * cut.away + cut.sweep;
        let lower = Vec3::new(cut.sides.x * sprout.side, cut.sides.y, cut.sides.z) * smooth(-0.6, 0., height);
        let shoulders = smooth(measures.chin + 0.3, measures.chin - 0.2, place.y);
        let past_shoulders = Vec3::Z * sprout.fore * shoulders * 0.5;
        let fall = Vec3::NEG_Y * cut.gravity * (1. + 0.6 * (1. - upper));
        top * upper + lower * (1. - upper) + fall + past_shoulders + sprout.whim
    }

    fn off_crown(&self, place: Vec3) -> Vec3 {
        let measures = &self.skull.measures;
        let from = place - Vec3::new(0.06, measures.top, measures.centre.z - 0.3 * self.scale());
        from.with_y(0.).normalize_or(Vec3::Z)
    }

    /// Moves a place out of head, face and clothes.
    fn keep_off(&self, sprout: &Sprout, place: Vec3, along: f32) -> Vec3 {
        let measures = &self.skull.measures;
        let cloth = 0.1 * smooth(measures.chin - 0.1, measures.chin - 0.5, place.y);
        let rise = if self.cut.float { 1. } else { smooth(0., 0.3, along) };
        let place = self.cling(sprout, self.skull.push_out(place, 0.012 + cloth + sprout.layer * rise));
        let place = self.draw_back(place);
        let depth = self.face_depth(place);
        if depth <= 0. || self.meets_fringe(place) {
            return place;
        }
        // A little in each step: a strand that meets the face runs round it, and does not jump.
        place + self.face().away(place, sprout.side) * depth.min(0.07 * self.scale())
    }

    fn face(&self) -> Face {
        Face::of(self.skull, self.cut.fringe.unwrap_or(0.4))
    }

    /// Draws hair of head and neck back to its layer where it left it: hair hangs close.
    fn cling(&self, sprout: &Sprout, place: Vec3) -> Vec3 {
        let measures = &self.skull.measures;
        if self.cut.float || place.y < measures.chin || sprout.stand > 0.6 {
            return place;
        }
        let excess = self.skull.distance(place) - sprout.layer - 0.03;
        let pull = 0.45 * (1. - sprout.stand) * smooth(measures.chin, measures.mouth.y + 0.2, place.y);
        place - self.skull.outward(place) * excess.max(0.) * pull
    }

    /// Draws hair that hangs beside the face back to the temples, so that it hides no eye from the side.
    fn draw_back(&self, place: Vec3) -> Vec3 {
        let (measures, scale) = (&self.skull.measures, self.scale());
        let excess = place.z - (measures.eye.z - 0.32 * scale);
        let beside = smooth(measures.eye.y + 0.3 * scale, measures.eye.y, place.y)
            * smooth(measures.chin - 0.2, measures.chin, place.y);
        place - Vec3::Z * excess.max(0.) * 0.6 * beside
    }

    /// How far a place must move aside to be out of the face, in decimetres; 0 or less outside.
    fn face_depth(&self, place: Vec3) -> f32 {
        let measures = &self.skull.measures;
        if place.z < measures.centre.z + 0.25 * self.scale() {
            return 0.;
        }
        self.face().half_width(place.y) - place.x.abs()
    }

    /// Whether a place is where a fringe ends, rather than what hangs beside the face.
    fn meets_fringe(&self, place: Vec3) -> bool {
        let measures = &self.skull.measures;
        let above = (place.y - measures.eye.y) / self.scale();
        self.cut.fringe.is_some_and(|fringe| above > fringe * 0.3) && place.x.abs() < 0.5 * self.scale()
    }

    /// Whether a strand ends at a place: fringes over the eyes, level cuts, knots.
    fn is_cut(&self, sprout: &Sprout, place: Vec3) -> bool {
        let measures = &self.skull.measures;
        let uneven = (sprout.phase - 0.5) * self.cut.ragged * 0.25;
        let level = self.cut.level.is_some_and(|level| place.y < measures.chin + (level + uneven) * self.scale());
        let knot = sprout.knot.is_some_and(|knot| knot.distance(place) < 0.1 * self.scale());
        let fringe = self.cut.fringe.is_some() && self.face_depth(place) > uneven && self.meets_fringe(place);
        let in_face = self.face_depth(place) > 0.24 * self.scale();
        level || knot || fringe || in_face || self.meets_ear(place)
    }

    /// Whether a place is within an ear that hair does not hide.
    fn meets_ear(&self, place: Vec3) -> bool {
        let from = (place.with_x(place.x.abs()) - self.skull.measures.ear) / self.scale();
        !self.cut.over_ears && from.x > -0.12 && (from / Vec3::new(1., 0.26, 0.17)).with_x(0.).length() < 1.
    }

    /// Waves a grown strand to the side and off the head.
    pub(super) fn wave(&self, sprout: &Sprout, nodes: &mut [Vec3]) {
        let (height, length) = self.cut.wave;
        if height == 0. {
            return;
        }
        let straight = nodes.to_vec();
        let last = nodes.len() - 1;
        let mut passed = 0.;
        for at in 1..nodes.len() {
            passed += straight[at].distance(straight[at - 1]);
            let tangent = (straight[(at + 1).min(last)] - straight[at - 1]).normalize_or(Vec3::NEG_Y);
            let outward = self.skull.radial(straight[at]);
            let side = tangent.cross(outward).normalize_or(Vec3::X);
            let (sin, cos) = (std::f32::consts::TAU * (passed / (length * self.scale()) + sprout.phase)).sin_cos();
            let grown = height * self.scale() * smooth(0., 0.5, passed / self.scale());
            nodes[at] += (side * sin + outward * (0.4 + 0.6 * cos)) * grown;
        }
    }
}

/// The part of a direction that lies in the skin.
fn along_skin(direction: Vec3, normal: Vec3) -> Vec3 {
    (direction - normal * direction.dot(normal)).normalize_or(direction)
}

/// The part of the face that hair must not hide: an oval around nose and mouth that reaches up to a fringe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    /// Height of its widest place.
    middle: f32,
    half_width: f32,
    half_height: f32,
}

impl Face {
    /// The oval whose top is `fringe` above the eyes, on an average head.
    pub(super) fn of(skull: &Skull, fringe: f32) -> Self {
        let scale = skull.measures.scale;
        Self {
            middle: skull.measures.eye.y - 0.42 * scale,
            half_width: 0.6 * scale,
            half_height: (fringe.max(0.1) + 0.42) * scale,
        }
    }

    /// Half its width at a height; below 0 above and below it.
    pub(super) fn half_width(&self, height: f32) -> f32 {
        let share = (height - self.middle) / self.half_height;
        // Below its middle the oval goes on: hair that hangs beside the mouth stays beside the chin.
        let share = if share < 0. { share * 0.35 } else { share };
        if share.abs() > 1. { -1. } else { self.half_width * (1. - share.abs().powf(2.4)).powf(1. / 2.4) }
    }

    /// Direction out of the oval from a place in it: up over the forehead, aside beside nose and mouth.
    fn away(&self, place: Vec3, side: f32) -> Vec3 {
        let across = place.x / self.half_width;
        let side = if across.abs() > 0.08 { across } else { 0.08 * side };
        let up = ((place.y - self.middle) / self.half_height).max(0.);
        Vec3::new(side / self.half_width, up.powi(3) / self.half_height, 0.).normalize_or(Vec3::X * side.signum())
    }
}
