//! What a hairdresser would say of a style: lengths, parting, how it is combed, what it is tied to.

use glam::Vec3;

use super::{ribbon::Weave, scalp::Root};
use crate::noise::smooth;

/// Lengths of hair by where it grows, in decimetres on an average head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lengths {
    pub(super) fringe: f32,
    pub(super) top: f32,
    pub(super) sides: f32,
    pub(super) back: f32,
    pub(super) nape: f32,
}

impl Lengths {
    /// The same everywhere.
    pub(super) const fn even(length: f32) -> Self {
        Self { fringe: length, top: length, sides: length, back: length, nape: length }
    }

    /// The length at a place of the base head.
    pub(super) fn at(&self, base: Vec3) -> f32 {
        let mix = |from: f32, to: f32, share: f32| from + (to - from) * share;
        let upper = smooth(7.62, 7.95, base.y);
        let fore = smooth(0.85, 1.2, base.z);
        let rear = smooth(0.5, 0.1, base.z);
        let low = smooth(7.2, 6.95, base.y);
        let above = mix(self.top, self.fringe, fore);
        mix(mix(self.sides, mix(self.back, self.nape, low), rear), above, upper)
    }
}

/// Hair that lies on the skin: what shows between the strands, or all there is of very short hair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Under {
    /// Layers, 0 for none.
    pub(super) layers: usize,
    /// Height of the outermost, in decimetres on an average head.
    pub(super) thickness: f32,
    /// How it is painted.
    pub(super) pattern: Pattern,
    /// Opacity, 0 to 1.
    pub(super) cover: f32,
    /// Base heights between which the hair of the sides fades in, from skin to full.
    pub(super) fade: Option<(f32, f32)>,
    /// Whether the top of the head is bare.
    pub(super) bald_top: bool,
}

/// What hair that lies on the skin looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pattern {
    /// Combed.
    Straight,
    /// Small curls.
    Curly,
    /// Plaited to the scalp in this many rows.
    Rows(f32),
}

/// What strands are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Strand {
    /// Strips.
    Ribbon,
    /// Twisted ropes.
    Rope,
}

/// Hair that is tied together.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// Where, from the middle of the head, in decimetres on an average head.
    pub(super) knot: Vec3,
    /// Where it leaves to; its length is how strongly.
    pub(super) leaves: Vec3,
    /// Its length.
    pub(super) length: f32,
    /// Half its thickness at the knot.
    pub(super) radius: f32,
    /// Strips that make it.
    pub(super) strips: usize,
    /// What it is.
    pub(super) kind: TailKind,
}

/// What becomes of tied hair.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TailKind {
    /// It hangs.
    Loose,
    /// It is wound to a ball.
    Bun,
    /// It is a ball of curls.
    Puff,
    /// It is plaited.
    Plait,
}

/// How hair is cut, combed and tied. Lengths are decimetres on an average head.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) lengths: Lengths,
    /// Share by which lengths differ.
    pub(super) ragged: f32,
    /// Where hair parts to the sides; none for a whorl at the crown.
    pub(super) parting: Option<f32>,
    /// How strongly hair of the top runs away from parting or whorl.
    pub(super) away: f32,
    /// Where all hair of the top is combed to, besides.
    pub(super) sweep: Vec3,
    /// Where hair of the sides is combed to, besides downwards.
    pub(super) sides: Vec3,
    /// How strongly hair stands off at its roots.
    pub(super) stand: f32,
    /// How high strands lie above the skin, at most.
    pub(super) volume: f32,
    /// Pull downwards.
    pub(super) gravity: f32,
    /// How far strands differ in direction.
    pub(super) tousle: f32,
    /// How far strands wave, and over which length.
    pub(super) wave: (f32, f32),
    /// How far strands run together towards their tips, 0 to 1.
    pub(super) clump: f32,
    /// Height above the eyes at which hair over the forehead ends; none where hair is kept from the face.
    pub(super) fringe: Option<f32>,
    /// How far tips that hang free turn towards the neck.
    pub(super) turn_in: f32,
    /// Height above the chin at which hanging hair is cut.
    pub(super) level: Option<f32>,
    /// Base height below which no strands grow.
    pub(super) shaved: Option<f32>,
    /// Whether strands grow in a strip along the middle only, of this half width.
    pub(super) strip: Option<f32>,
    /// Whether strands begin above the skin, as the surface of a cloud of hair.
    pub(super) float: bool,
    /// Whether hair hides the ears.
    pub(super) over_ears: bool,
    /// Where it is tied.
    pub(super) tails: Vec<Tail>,
    pub(super) under: Under,
    pub(super) strand: Strand,
    pub(super) weave: Weave,
    /// How many strands.
    pub(super) count: usize,
    /// Half their width.
    pub(super) width: f32,
    /// Length of a straight piece of strand.
    pub(super) piece: f32,
}

impl Default for Cut {
    fn default() -> Self {
        Self {
            lengths: Lengths::even(0.5),
            ragged: 0.25,
            parting: None,
            away: 1.,
            sweep: Vec3::ZERO,
            sides: Vec3::ZERO,
            stand: 0.35,
            volume: 0.12,
            gravity: 0.6,
            tousle: 0.2,
            wave: (0., 1.),
            clump: 0.2,
            fringe: None,
            turn_in: 0.,
            level: None,
            shaved: None,
            strip: None,
            float: false,
            over_ears: false,
            tails: Vec::new(),
            under: Under {
                layers: 1,
                thickness: 0.03,
                pattern: Pattern::Straight,
                cover: 0.95,
                fade: None,
                bald_top: false,
            },
            strand: Strand::Ribbon,
            weave: Weave::SMOOTH,
            count: 700,
            width: 0.07,
            piece: 0.15,
        }
    }
}

impl Cut {
    /// Whether a strand grows at a root.
    pub(super) fn grows(&self, root: &Root) -> bool {
        let base = root.base;
        self.shaved.is_none_or(|height| base.y > height)
            && self.strip.is_none_or(|half| base.x.abs() < half)
            && !(self.under.bald_top && on_bald_top(base))
    }
}

/// Whether a place of the base head is where a ring of hair leaves it bare.
pub(super) fn on_bald_top(base: Vec3) -> bool {
    base.y > 8.05 && (base.x / 0.62).hypot((base.z - 0.75) / 0.75) < 1.1
}
