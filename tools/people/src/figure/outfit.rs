//! What figures wear: pieces, each with the part of the body that it covers.

use glam::Vec3;

use super::clothes::Site;
use crate::{
    noise::smooth,
    person::RESERVED_FROM,
    props::fabric::{Fabric, Pattern},
    random::Random,
    texture::{hsv, srgb},
};

/// Heights of the base body, in decimetres.
const WAIST: f32 = 1.9;
const KNEE: f32 = -3.7;
const ANKLE: f32 = -7.2;
const SOLE: f32 = -9.;

/// What a piece is cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cloth {
    /// It follows arms and legs.
    Tights,
    /// It hangs from the waist.
    Skirt,
}

/// How a neck is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Neck {
    Round(f32),
    Pointed(f32),
    High,
    /// Straps over the shoulders.
    Straps,
}

/// A piece of clothing.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) cloth: Cloth,
    /// Heights between which it is.
    low: f32,
    high: f32,
    /// How far sleeves go: 1 to the elbow, 2 to the wrist; none for what does not cover arms.
    sleeve: Option<f32>,
    neck: Option<Neck>,
    /// Half the width of what is only a strip down the front.
    strip: Option<f32>,
    /// How far from the skin it is.
    pub(super) thickness: f32,
    /// How much wider it is at its lower end.
    pub(super) flare: f32,
    pub(super) fabric: Fabric,
    /// Strength of its highlight.
    pub(super) shine: f32,
}

/// All that somebody wears, and words for it.
#[derive(Clone, Debug)]
pub(super) struct Outfit {
    pub(super) pieces: Vec<Piece>,
    pub(super) words: String,
}

impl Piece {
    fn new(fabric: Fabric, [low, high]: [f32; 2], thickness: f32) -> Self {
        Self {
            cloth: Cloth::Tights,
            low,
            high,
            sleeve: None,
            neck: None,
            strip: None,
            thickness,
            flare: 0.,
            fabric,
            shine: 0.015,
        }
    }

    /// How far inside the piece a place is, in decimetres; below 0 it is outside.
    pub(super) fn covers(&self, site: &Site) -> f32 {
        let place = site.base;
        let between = (place.y - self.low).min(self.high - place.y);
        let arm = match self.sleeve {
            Some(sleeve) => (sleeve - site.along_arm) * 2.3,
            None if site.arm > 0.5 => return -1.,
            None => f32::MAX,
        };
        let neck = self.neck.map_or(f32::MAX, |neck| neck.covers(place));
        let strip = self.strip.map_or(f32::MAX, |half| (half - place.x.abs()).min(place.z - 0.3));
        between.min(arm).min(neck).min(strip)
    }

    /// How far it is from its upper end to its lower one at a place, `[0, 1]`.
    pub(super) fn down(&self, place: Vec3) -> f32 {
        ((self.high - place.y) / (self.high - self.low).max(0.1)).clamp(0., 1.)
    }
}

impl Neck {
    fn covers(self, place: Vec3) -> f32 {
        let across = place.x.abs();
        let front = smooth(-0.1, 0.75, place.z);
        // Height of the foot of the neck, which slopes to the front; shoulders are below it.
        let foot = 6.08 - 0.2 * front - 0.12 * smooth(0.3, 0.7, across) + 0.8 * smooth(0.66, 1., across);
        match self {
            Self::Round(wide) => foot - wide * (0.4 + 0.6 * front) - place.y,
            Self::Pointed(deep) => {
                let open = smooth(0.2, 0.5, place.z) * (deep * (1. - across / 0.55)).max(0.);
                foot - open - place.y
            }
            Self::High => 6.12 - place.y,
            Self::Straps => (4.9 - place.y).max(0.28 - (across - 1.).abs()),
        }
    }
}

impl Outfit {
    /// Any outfit: `femininity` in `[0, 1]`. People of final tests wear patterns that nobody else does.
    pub(super) fn draw(random: &mut Random, person: u64, femininity: f32) -> Self {
        let reserved = person >= RESERVED_FROM;
        let mut pieces = Vec::new();
        let skirt = random.chance(0.45 * femininity);
        let dress = skirt && random.chance(0.45);
        let tucked = !dress && random.chance(0.35);
        let cloth = cloth(random, reserved);
        let mut words = vec![if dress { "dress" } else { add_top(&mut pieces, random, cloth, tucked) }];
        let colour = if dress { cloth } else { trouser_cloth(random) };
        if dress {
            add_dress(&mut pieces, random, cloth);
        } else if skirt {
            add_drawers(&mut pieces, random);
            pieces.push(Piece { cloth: Cloth::Skirt, ..Piece::new(colour, [skirt_length(random), WAIST], 0.06) });
            words.push("skirt");
        } else {
            words.push(add_legs(&mut pieces, random, colour, tucked));
        }
        if tucked {
            let leather = Fabric::of(random, Pattern::Plain);
            let leather = Fabric { colour: leather_colour(random), ..leather };
            pieces.push(Piece { shine: 0.1, ..Piece::new(leather, [WAIST - 0.38, WAIST - 0.02], 0.25) });
        }
        words.push(add_shoes(&mut pieces, random));
        Self { pieces, words: words.join(", ") }
    }
}

/// Cloth of a top. What people of final tests wear is checked or dotted, what others wear is neither.
fn cloth(random: &mut Random, reserved: bool) -> Fabric {
    if reserved {
        let pattern = *random.pick(&[Pattern::Checks, Pattern::Dots]);
        return Fabric::of(random, pattern);
    }
    loop {
        let fabric = Fabric::draw(random);
        if !matches!(fabric.pattern, Pattern::Checks | Pattern::Dots) {
            return fabric;
        }
    }
}

fn trouser_cloth(random: &mut Random) -> Fabric {
    let pattern = *random.weighted(&[(Pattern::Denim, 0.4), (Pattern::Plain, 0.5), (Pattern::Pinstripes, 0.1)]);
    let fabric = Fabric::of(random, pattern);
    // Legs are seldom bright.
    let muted = hsv(random.unit(), random.between(0., 0.45), random.between(0.08, 0.75));
    Fabric { colour: if pattern == Pattern::Denim { fabric.colour } else { muted }, ..fabric }
}

fn leather_colour(random: &mut Random) -> Vec3 {
    *random.pick(&[srgb(24, 20, 18), srgb(70, 44, 28), srgb(120, 84, 54), srgb(40, 40, 44)])
}

/// Adds what is worn above the waist; gives its name.
fn add_top(pieces: &mut Vec<Piece>, random: &mut Random, fabric: Fabric, tucked: bool) -> &'static str {
    let hem = if tucked { 1.35 } else { random.between(-0.3, 0.7) };
    let top = |thickness: f32, sleeve: f32, neck: Neck| Piece {
        sleeve: Some(sleeve),
        neck: Some(neck),
        flare: if tucked { 0. } else { 0.12 },
        ..Piece::new(fabric, [hem, 6.4], thickness)
    };
    let wide = random.between(0., 0.2);
    let kind = *random.weighted(&[
        ("t-shirt", 0.32),
        ("long sleeves", 0.2),
        ("shirt", 0.2),
        ("sweater", 0.16),
        ("vest", 0.12),
    ]);
    match kind {
        "t-shirt" => pieces.push(top(0.14, random.between(0.4, 0.75), Neck::Round(wide))),
        "long sleeves" => pieces.push(top(0.13, random.between(1.75, 1.95), Neck::Pointed(random.between(0.1, 0.7)))),
        "shirt" => {
            let sleeve = if random.chance(0.6) { 1.93 } else { 0.8 };
            pieces.push(top(0.15, sleeve, Neck::Pointed(0.45)));
            // The button placket, a little darker.
            let band = Fabric { colour: fabric.colour * 0.72, ..fabric };
            pieces.push(Piece { fabric: band, strip: Some(0.14), ..top(0.18, 0.1, Neck::Pointed(0.45)) });
        }
        "sweater" => {
            let neck = if random.chance(0.4) { Neck::High } else { Neck::Round(0.05) };
            pieces.push(top(0.24, 1.97, neck));
            let band = Fabric { colour: fabric.colour * 0.8, ..fabric };
            pieces.push(Piece { fabric: band, high: hem + 0.5, ..top(0.27, -1., neck) });
        }
        _ => pieces.push(top(0.11, 0.08, Neck::Straps)),
    }
    kind
}

fn skirt_length(random: &mut Random) -> f32 {
    random.between(-5.6, -2.4)
}

/// What is worn below skirts.
fn add_drawers(pieces: &mut Vec<Piece>, random: &mut Random) {
    let plain = Fabric::of(random, Pattern::Plain);
    pieces.push(Piece::new(Fabric { colour: leather_colour(random), ..plain }, [-1.9, WAIST], 0.03));
}

fn add_dress(pieces: &mut Vec<Piece>, random: &mut Random, fabric: Fabric) {
    add_drawers(pieces, random);
    let neck = if random.chance(0.4) { Neck::Straps } else { Neck::Pointed(random.between(0.2, 0.9)) };
    let sleeve = if random.chance(0.5) { 0.05 } else { random.between(0.3, 1.) };
    let bodice = Piece { sleeve: Some(sleeve), neck: Some(neck), ..Piece::new(fabric, [1., 6.4], 0.12) };
    let skirt = Piece { cloth: Cloth::Skirt, ..Piece::new(fabric, [skirt_length(random), 1.75], 0.1) };
    pieces.extend([bodice, skirt]);
}

/// Adds trousers, shorts or leggings; gives their name.
fn add_legs(pieces: &mut Vec<Piece>, random: &mut Random, fabric: Fabric, tucked: bool) -> &'static str {
    // Over a top that is tucked in, below one that is not.
    let thickness = if tucked { 0.2 } else { 0.1 };
    let (kind, low, flare) = *random.weighted(&[
        (("trousers", ANKLE - 0.25, 0.3), 0.65),
        (("shorts", KNEE + 0.5, 0.3), 0.2),
        (("leggings", ANKLE + 0.2, 0.02), 0.15),
    ]);
    let low = if kind == "shorts" { low + random.between(-0.4, 1.2) } else { low };
    pieces.push(Piece { flare: flare * random.between(0.2, 1.2), ..Piece::new(fabric, [low, WAIST], thickness) });
    kind
}

/// Adds shoes with soles; gives their name.
fn add_shoes(pieces: &mut Vec<Piece>, random: &mut Random) -> &'static str {
    let boots = random.chance(0.2);
    let bright = random.chance(0.35);
    let plain = Fabric::of(random, Pattern::Plain);
    let colour = if bright { plain.colour } else { leather_colour(random) };
    let top = if boots { -6.3 } else { -7.35 };
    pieces.push(Piece { shine: 0.06, ..Piece::new(Fabric { colour, ..plain }, [SOLE, top], 0.1) });
    let sole = if random.chance(0.5) { srgb(225, 222, 215) } else { srgb(28, 26, 25) };
    pieces.push(Piece::new(Fabric { colour: sole, ..plain }, [SOLE, -7.98], 0.14));
    if boots { "boots" } else { "shoes" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(id: u64) -> Vec<Pattern> {
        let outfit = Outfit::draw(&mut Random::new("test", &[id]), id, (id % 2) as f32);
        outfit.pieces.iter().map(|piece| piece.fabric.pattern).collect()
    }

    #[test]
    fn people_of_final_tests_wear_what_nobody_else_does() {
        let is_theirs = |pattern: &Pattern| matches!(pattern, Pattern::Checks | Pattern::Dots);
        assert!(!(0..200).any(|id| patterns(id).iter().any(is_theirs)));
        assert!((RESERVED_FROM..RESERVED_FROM + 50).all(|id| patterns(id).iter().any(is_theirs)));
    }

    #[test]
    fn everybody_is_dressed_from_the_shoulders_to_the_feet() {
        let site = |place: [f32; 3]| Site { base: Vec3::from_array(place), arm: 0., along_arm: -1., leg: 0. };
        let (chest, hip, foot) = ([0., 4., 1.], [0.8, 0.5, 0.8], [2.2, -8., 0.5]);
        for id in 0..300 {
            let outfit = Outfit::draw(&mut Random::new("test", &[id]), id, 0.8);
            for place in [chest, hip, foot] {
                let covered = outfit.pieces.iter().any(|piece| piece.covers(&site(place)) > 0.);
                assert!(covered, "{id} in {}: {place:?}", outfit.words);
            }
        }
    }
}
