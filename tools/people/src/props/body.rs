//! The surface of head, neck and shoulders as things that are worn meet it.

use std::f32::consts::TAU;

use glam::Vec3;

use crate::hair::{
    Wearer,
    skull::{Measures, Skull},
};

/// Places round a ring.
pub(super) const ROUND: usize = 36;

/// A body that things are put on.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) wearer: Wearer<'a>,
    pub(super) skull: Skull,
}

impl<'a> Body<'a> {
    /// The body of a wearer, with or without ears.
    pub(super) fn new(wearer: &Wearer<'a>, with_ears: bool) -> Self {
        Self { wearer: *wearer, skull: Skull::new(wearer.head, wearer.vertices, wearer.normals, with_ears) }
    }

    pub(super) fn measures(&self) -> &Measures {
        &self.skull.measures
    }

    pub(super) fn scale(&self) -> f32 {
        self.skull.measures.scale
    }

    /// Where the skin nearest to a place of the base head is on this person, plus what the place was off it.
    pub(super) fn carry(&self, base: Vec3) -> Vec3 {
        let vertices = &self.wearer.head.vertices;
        let used = self.wearer.head.mesh.triangles.iter().flatten().map(|&at| at as usize);
        let nearest =
            used.min_by(|&a, &b| vertices[a].distance_squared(base).total_cmp(&vertices[b].distance_squared(base)));
        nearest.map_or(base, |at| base + self.wearer.vertices[at] - vertices[at])
    }

    /// The outermost place in a direction from `from` that is `margin` off the skin; distances beyond the reach of the
    /// skull's field are added along the way.
    pub(super) fn over(&self, from: Vec3, direction: Vec3, margin: f32) -> Vec3 {
        let within = margin.min(0.2);
        let (mut near, mut far) = (0., 2.2);
        // From outside inwards: what is first met is what the thing lies on.
        for step in 1..=22 {
            let at = 2.2 - 0.1 * step as f32;
            if self.skull.distance(from + direction * at) < within {
                near = at;
                break;
            }
            far = at;
        }
        for _ in 0..6 {
            let middle = (near + far) / 2.;
            let inside = self.skull.distance(from + direction * middle) < within;
            *(if inside { &mut near } else { &mut far }) = middle;
        }
        from + direction * (far + margin - within)
    }

    /// A ring round the neck, from behind over the person's right to the front: its height and distance from the skin
    /// by the share of the way from the back, 0, to the front, 1.
    pub(super) fn round_neck(&self, height: impl Fn(f32) -> f32, margin: impl Fn(f32) -> f32) -> Vec<Vec3> {
        let axis = self.carry(Vec3::new(0., 6.05, 0.25));
        (0..ROUND)
            .map(|at| {
                let angle = at as f32 / ROUND as f32 * TAU;
                let front = 0.5 - 0.5 * angle.cos();
                let direction = Vec3::new(-angle.sin(), 0., -angle.cos());
                let from = axis.with_y(height(front));
                self.over_neck(from, direction, margin(front))
            })
            .collect()
    }

    /// As [`Self::over`], but from within: chin and shoulders may lie further out, and the ring ends before them.
    pub(super) fn over_neck(&self, from: Vec3, direction: Vec3, margin: f32) -> Vec3 {
        let within = margin.min(0.2);
        let outside = |at: &f32| self.skull.distance(from + direction * *at) > within;
        let out = (7..40).map(|step| step as f32 * 0.03).find(outside).unwrap_or(f32::MAX);
        from + direction * (out.min(0.58 * self.scale()) + margin - within)
    }

    /// A place off the shoulders at an angle from the front over the top to the back, above a place within them.
    pub(super) fn over_shoulder(&self, from: Vec3, angle: f32, margin: f32) -> Vec3 {
        let direction = Vec3::new(0., angle.sin(), angle.cos());
        let outside = |at: &f32| self.skull.distance(from + direction * *at) > margin;
        from + direction * (5..60).map(|step| step as f32 * 0.03).find(outside).unwrap_or(0.5)
    }
}
