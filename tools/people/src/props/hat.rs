//! What is worn on the head, fitted to it, and the hair that it hides.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use glam::{Vec2, Vec3};

use super::{
    body::{Body, ROUND},
    fabric::{Fabric, Pattern},
    solid::Solid,
};
use crate::{
    hair::{Wearer, places},
    mesh::{Material, Part},
    noise::smooth,
    random::Random,
};

/// Rows from the rim of a hat to its top.
const ROWS: usize = 10;

/// What is worn on the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Knitted, with or without a bobble.
    Beanie,
    /// With a peak.
    Cap,
    /// With a brim all round.
    Brim,
    /// Flat and soft.
    Beret,
    /// Over hair, ears and neck, round the face.
    Headscarf,
    /// Wound.
    Turban,
    /// Of a jacket.
    Hood,
    /// A band.
    Headband,
    /// Hard.
    Helmet,
}

/// A hat.
#[derive(Clone, Copy, Debug)]
pub struct Hat {
    /// What it is.
    pub kind: Kind,
    /// What it is made of.
    pub fabric: Fabric,
    /// What its band or fold is made of.
    pub trim: Fabric,
    /// Height of its rim over the eyes, in decimetres on an average head.
    pub rim: f32,
    /// Room for hair below it, in decimetres.
    pub room: f32,
    /// What differs between hats of a kind, each in `[0, 1]`.
    pub whims: [f32; 3],
}

impl Hat {
    /// Any hat; `femininity` in `[0, 1]`.
    pub fn draw(random: &mut Random, femininity: f32) -> Self {
        let kind = *random.weighted(&[
            (Kind::Beanie, 0.25),
            (Kind::Cap, 0.25 - 0.1 * femininity),
            (Kind::Brim, 0.14),
            (Kind::Beret, 0.04 + 0.08 * femininity),
            (Kind::Headscarf, 0.2 * femininity),
            (Kind::Turban, 0.05),
            (Kind::Hood, 0.08),
            (Kind::Headband, 0.04 + 0.06 * femininity),
            (Kind::Helmet, 0.03),
        ]);
        let pattern = match kind {
            Kind::Beanie => Pattern::Knit,
            Kind::Helmet | Kind::Beret => Pattern::Plain,
            _ => *random.weighted(&[
                (Pattern::Plain, 0.75),
                (Pattern::Denim, 0.05),
                (Pattern::Checks, 0.08),
                (Pattern::Print, 0.12),
            ]),
        };
        Self {
            kind,
            fabric: Fabric::of(random, pattern),
            trim: Fabric::of(random, if kind == Kind::Beanie { Pattern::Knit } else { Pattern::Plain }),
            rim: random.between(0.4, 0.62),
            room: random.between(0.04, 0.1),
            whims: [random.unit(), random.unit(), random.unit()],
        }
    }

    /// Whether it goes round the neck and hides ears and all hair.
    pub fn wraps_neck(&self) -> bool {
        matches!(self.kind, Kind::Headscarf | Kind::Hood)
    }
}

/// A hat on a head.
#[derive(Clone, Debug)]
pub struct Worn {
    /// The hat.
    pub parts: Vec<Part>,
    hides: Hides,
}

#[derive(Clone, Copy, Debug)]
enum Hides {
    /// Hair above the rim.
    Above(Rim),
    /// All hair.
    All,
    /// None.
    Nothing,
}

impl Worn {
    /// Takes away the hair that the hat hides.
    pub fn clip(&self, wearer: &Wearer, hair: &mut [Part]) {
        for part in hair {
            let opacity = |place: Vec3| match self.hides {
                Hides::Above(rim) => (rim.height(rim.azimuth(place)) + 0.02 - place.y) * 14.,
                Hides::All => 0.,
                Hides::Nothing => 2.,
            };
            let hidden = places(&part.placement, wearer.vertices).into_iter().map(opacity);
            let own = part.clip.iter().copied().chain(std::iter::repeat(2.));
            part.clip = hidden.zip(own).map(|(hidden, own)| own.min(hidden)).collect();
        }
    }
}

/// The lower edge of a hat.
#[derive(Clone, Copy, Debug)]
struct Rim {
    middle: Vec3,
    front: f32,
    side: f32,
    back: f32,
}

impl Rim {
    /// Angle of a place from the front towards the person's left.
    fn azimuth(&self, place: Vec3) -> f32 {
        (place.x - self.middle.x).atan2(place.z - self.middle.z)
    }

    fn height(&self, azimuth: f32) -> f32 {
        let turn = azimuth.cos();
        let end = if turn > 0. { self.front } else { self.back };
        self.side + (end - self.side) * turn * turn
    }
}

/// A hat as it is being fitted.
struct Fit<'a> {
    hat: &'a Hat,
    body: Body<'a>,
    rim: Rim,
    scale: f32,
}

impl<'a> Fit<'a> {
    fn new(wearer: &Wearer<'a>, hat: &'a Hat) -> Self {
        let body = Body::new(wearer, hat.wraps_neck());
        let (measures, scale) = (*body.measures(), body.scale());
        let over_ears = hat.kind == Kind::Beanie && hat.whims[0] < 0.4;
        let rim = Rim {
            middle: Vec3::new(0., measures.eye.y + 0.35 * scale, measures.centre.z),
            front: measures.eye.y + hat.rim * scale,
            side: if over_ears { measures.ear.y } else { measures.ear_top.y + 0.03 * scale },
            back: measures.eye.y + (0.1 - 0.3 * hat.whims[1]) * scale,
        };
        Self { hat, body, rim, scale }
    }

    /// A place off the head at an azimuth and a share of the way from the rim, 0, to the top, 1.
    fn crown(&self, azimuth: f32, share: f32, margin: f32) -> Vec3 {
        let height = self.rim.height(azimuth);
        let level = Vec3::new(azimuth.sin(), 0., azimuth.cos());
        let edge = self.body.over(self.rim.middle.with_y(height.min(self.rim.middle.y + 0.3)), level, margin);
        let low = (height - self.rim.middle.y).atan2((edge - self.rim.middle).with_y(0.).length());
        let lift = low + (FRAC_PI_2 - low) * share;
        self.body.over(self.rim.middle, level * lift.cos() + Vec3::Y * lift.sin(), margin)
    }

    /// Rings from the top to the rim, whose distance from the head and shift are given by azimuth and share.
    fn rings(&self, rows: usize, from: f32, to: f32, shape: impl Fn(f32, f32) -> (f32, Vec3)) -> Vec<Vec<Vec3>> {
        let ring = |row: usize| -> Vec<Vec3> {
            let share = from + (to - from) * row as f32 / rows as f32;
            let place = |at: usize| {
                let azimuth = at as f32 / ROUND as f32 * TAU;
                let (margin, shift) = shape(azimuth, share);
                self.crown(azimuth, share, margin) + shift
            };
            (0..ROUND).map(place).collect()
        };
        (0..=rows).map(ring).collect()
    }

    /// A simple crown, of even distance from the head.
    fn shell(&self, solid: &mut Solid, repeats: Vec2, shape: impl Fn(f32, f32) -> (f32, Vec3)) {
        solid.sheet(&self.rings(ROWS, 0.999, 0., shape), true, repeats);
    }

    fn room(&self) -> f32 {
        self.hat.room * self.scale + 0.03
    }

    fn beanie(&self, cloth: &mut Solid, trim: &mut Solid) {
        let slack = 0.02 + 0.2 * self.hat.whims[2].powi(3);
        self.shell(cloth, Vec2::new(5., 2.), |_, share| {
            let back = Vec3::new(0., slack, -0.5 * slack) * self.scale * smooth(0.5, 1., share);
            (self.room(), back)
        });
        let fold = |_: f32, share: f32| (self.room() + 0.035 * (1. - (share / 0.3 - 0.5).abs()), Vec3::ZERO);
        trim.sheet(&self.rings(3, 0.28, -0.02, fold), true, Vec2::new(5., 0.5));
        if self.hat.whims[1] < 0.3 {
            let top = self.crown(0., 0.999, self.room()) + Vec3::new(0., 0.1 + slack, -0.5 * slack) * self.scale;
            trim.ball(top, Vec3::splat(0.19 * self.scale), 8);
        }
    }

    fn cap(&self, cloth: &mut Solid, trim: &mut Solid) {
        self.shell(cloth, Vec2::new(4., 2.), |azimuth, share| {
            let tall = 0.07 * smooth(0.1, 0.6, share) * smooth(-0.3, 0.8, azimuth.cos());
            (self.room() + tall * self.scale, Vec3::ZERO)
        });
        let backwards = if self.hat.whims[0] < 0.12 { PI } else { 0. };
        let length = (0.5 + 0.2 * self.hat.whims[1]) * self.scale;
        let row = |row: usize, below: f32| -> Vec<Vec3> {
            let reach = row as f32 / 4.;
            let place = |at: usize| {
                let across = at as f32 / 12. * 2. - 1.;
                let edge = self.crown(across * 1.15 + backwards, 0.02, self.room());
                let out = (1. - across * across).max(0.).sqrt() * length * reach;
                let bend = -(0.28 * reach + 0.22 * across * across) * 0.5 * self.scale;
                edge + Vec3::new(0., bend * reach - below, out * backwards.cos())
            };
            (0..=12).map(place).collect()
        };
        // The peak is seen from above and below.
        trim.sheet(&(0..=4).map(|at| row(at, 0.)).collect::<Vec<_>>(), false, Vec2::new(2., 1.));
        trim.sheet(&(0..=4).rev().map(|at| row(at, 0.02)).collect::<Vec<_>>(), false, Vec2::new(2., 1.));
    }

    fn brim(&self, cloth: &mut Solid, trim: &mut Solid) {
        let tall = (0.1 + 0.28 * self.hat.whims[0]) * self.scale;
        let crease = 0.16 * self.hat.whims[1] * self.scale;
        self.shell(cloth, Vec2::new(4., 2.), |azimuth, share| {
            let dent = crease * smooth(0.75, 1., share) * azimuth.cos().powi(2);
            (self.room(), Vec3::Y * (tall * smooth(0., 0.6, share) - dent))
        });
        let width = (0.3 + 0.45 * self.hat.whims[2]) * self.scale;
        let row = |row: usize| -> Vec<Vec3> {
            let reach = row as f32 / 4.;
            let place = |at: usize| {
                let azimuth = at as f32 / ROUND as f32 * TAU;
                let edge = self.crown(azimuth, 0.01, self.room());
                let dip = -0.12 * azimuth.cos() + 0.1 * self.hat.whims[1] * azimuth.sin().powi(2);
                edge + Vec3::new(azimuth.sin(), dip * reach, azimuth.cos()) * width * reach
            };
            (0..ROUND).map(place).collect()
        };
        cloth.sheet(&(0..=4).map(row).collect::<Vec<_>>(), true, Vec2::new(6., 1.));
        let band = |_: f32, share: f32| (self.room() + 0.012, Vec3::Y * tall * smooth(0., 0.6, share));
        trim.sheet(&self.rings(2, 0.22, 0.01, band), true, Vec2::new(6., 0.3));
    }

    fn beret(&self, cloth: &mut Solid, trim: &mut Solid) {
        let aside = if self.hat.whims[0] < 0.5 { -1. } else { 1. };
        self.shell(cloth, Vec2::new(3., 3.), |azimuth, share| {
            let puff = 0.34 * smooth(0., 0.22, share) * smooth(1.1, 0.3, share);
            let tilt = 0.7 + 0.5 * aside * azimuth.sin();
            let shift = Vec3::new(0.16 * aside, -0.1 * aside * azimuth.sin(), -0.08) * smooth(0.05, 0.4, share);
            (self.room() + puff * tilt * self.scale, shift * self.scale)
        });
        trim.sheet(&self.rings(2, 0.07, 0., |_, _| (self.room() + 0.012, Vec3::ZERO)), true, Vec2::new(5., 0.3));
    }

    fn turban(&self, cloth: &mut Solid) {
        let wraps = 3. + (self.hat.whims[0] * 3.).floor();
        self.shell(cloth, Vec2::new(4., 3.), |azimuth, share| {
            let lean = share + 0.1 * (azimuth.cos() - 0.3 * (2. * azimuth).sin());
            let fold = (lean * wraps * PI).sin().abs().powf(0.7);
            let bulk = 0.14 + 0.12 * self.hat.whims[1];
            let height = Vec3::Y * 0.12 * smooth(0.4, 1., share);
            let open = smooth(-0.05, 0.25, share);
            (self.room() + (bulk * smooth(1.1, 0.5, share) + 0.1 * fold) * open * self.scale, height * self.scale)
        });
    }

    fn headband(&self, trim: &mut Solid) {
        let width = 0.14 + 0.2 * self.hat.whims[0];
        let round = |_: f32, share: f32| {
            let across = (share - 0.02) / width * 2. - 1.;
            (0.1 * self.scale + 0.03 * (1. - across * across), Vec3::ZERO)
        };
        trim.sheet(&self.rings(4, width + 0.02, 0.02, round), true, Vec2::new(6., 0.5));
    }

    fn helmet(&self, cloth: &mut Solid, trim: &mut Solid) {
        self.shell(cloth, Vec2::ONE, |_, share| (0.2 * self.scale + 0.05 * share, Vec3::Y * 0.06 * share * self.scale));
        let edge = |_: f32, share: f32| (0.23 * self.scale + 0.04 * (0.1 - share), Vec3::ZERO);
        trim.sheet(&self.rings(2, 0.09, 0., edge), true, Vec2::new(4., 0.3));
    }

    /// Cloth that leaves the face free: rings round the opening, ever further back.
    fn wrap(&self, cloth: &mut Solid, margin: f32, fullness: f32) {
        let (measures, scale) = (self.body.measures(), self.scale);
        let (top, chin) = (measures.eye.y + self.hat.rim.max(0.5) * scale, measures.chin - 0.02 * scale);
        let middle = Vec3::new(0., (top + chin) / 2., measures.centre.z);
        let wide = 0.68 * scale + margin * 0.5;
        let ring = |row: usize| -> Vec<Vec3> {
            let back = row as f32 / ROWS as f32;
            let place = |at: usize| {
                // Seen from before and clockwise, so that the cloth faces outward.
                let (sin, cos) = (-(at as f32) / ROUND as f32 * TAU).sin_cos();
                let opening = Vec3::new(sin * wide, cos * (top - chin) / 2., 0.);
                let swing = back * FRAC_PI_2 * 1.85;
                let ahead = Vec3::Z * (0.62 * scale);
                let direction = (opening + ahead).normalize();
                let outward = opening.normalize();
                let turned = if back < 0.35 {
                    direction.lerp(outward, back / 0.35).normalize()
                } else {
                    let share = (swing - 0.35 * FRAC_PI_2 * 1.85) / (0.65 * FRAC_PI_2 * 1.85);
                    outward.lerp(Vec3::NEG_Z, share).normalize_or(Vec3::NEG_Z)
                };
                let low = smooth(0., -0.35, cos);
                let full = margin + fullness * scale * smooth(0., 0.5, back) * (1. - low);
                let place = self.body.over(middle, turned, full);
                // Below the ears cloth falls to the neck, and not on the shoulders.
                let limit = scale * (0.8 + 0.2 * smooth(-0.6, -1., cos)) + full;
                let off = place - middle;
                if cos < 0. {
                    middle + off.clamp_length_max(off.length() + (limit - off.length()).min(0.) * low)
                } else {
                    place
                }
            };
            (0..ROUND).map(place).collect()
        };
        cloth.sheet(&(0..=ROWS).map(ring).collect::<Vec<_>>(), true, Vec2::new(6., 3.));
    }

    /// Folds of cloth round the neck.
    fn drape(&self, cloth: &mut Solid) {
        let (chin, scale) = (self.body.measures().chin, self.scale);
        for fold in 0..3 {
            let down = fold as f32 * 0.1;
            let lean = 0.1 * self.hat.whims[2] * if fold % 2 == 0 { 1. } else { -1. };
            let path = self.body.round_neck(
                |front| chin + (0.02 - down - (0.12 + lean) * front) * scale,
                |front| (0.1 + 0.07 * fold as f32 + 0.1 * front) * scale,
            );
            cloth.tube(&path, true, 8, Vec2::new(1., 6.), |_| 0.11 * scale);
        }
    }
}

/// Puts a hat on. Its parts keep their places on the head; [`Worn::clip`] then takes away the hair below it.
pub fn make(wearer: &Wearer, hat: &Hat) -> Worn {
    let fit = Fit::new(wearer, hat);
    let (mut cloth, mut trim) = (Solid::default(), Solid::default());
    match hat.kind {
        Kind::Beanie => fit.beanie(&mut cloth, &mut trim),
        Kind::Cap => fit.cap(&mut cloth, &mut trim),
        Kind::Brim => fit.brim(&mut cloth, &mut trim),
        Kind::Beret => fit.beret(&mut cloth, &mut trim),
        Kind::Turban => fit.turban(&mut cloth),
        Kind::Headband => fit.headband(&mut trim),
        Kind::Helmet => fit.helmet(&mut cloth, &mut trim),
        Kind::Hood => fit.wrap(&mut cloth, 0.16 * fit.scale, 0.16),
        Kind::Headscarf => {
            fit.wrap(&mut cloth, 0.06 * fit.scale, 0.05 + 0.15 * hat.whims[0]);
            fit.drape(&mut cloth);
        }
    }
    let material = match hat.kind {
        Kind::Helmet => Material { specular: 0.3, gloss: 50., reflection: 0.1, ..Material::default() },
        _ => Fabric::material(),
    };
    let trimmed = if hat.kind == Kind::Cap && hat.whims[2] < 0.6 { &hat.fabric } else { &hat.trim };
    let parts =
        cloth.finish(hat.fabric.texture(), material).into_iter().chain(trim.finish(trimmed.texture(), material));
    let hides = match hat.kind {
        Kind::Headscarf | Kind::Hood => Hides::All,
        Kind::Headband => Hides::Nothing,
        _ => Hides::Above(fit.rim),
    };
    Worn { parts: parts.collect(), hides }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hair::{self, Colours, Hair, Hairline, Style, skull::Skull, stand_in, uv_map::UvMap};

    const KINDS: [Kind; 9] = [
        Kind::Beanie,
        Kind::Cap,
        Kind::Brim,
        Kind::Beret,
        Kind::Headscarf,
        Kind::Turban,
        Kind::Hood,
        Kind::Headband,
        Kind::Helmet,
    ];

    fn hat(kind: Kind, seed: u64) -> Hat {
        Hat { kind, ..Hat::draw(&mut Random::new("hat", &[seed]), 0.5) }
    }

    #[test]
    fn hats_are_outside_the_head_and_leave_eyes_and_mouth_free() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 16);
        let wearer = person.wearer(&map);
        let skull = Skull::new(&person.head, &person.vertices, &person.normals, false);
        let measures = skull.measures;
        for (seed, kind) in KINDS.into_iter().enumerate() {
            let worn = make(&wearer, &hat(kind, seed as u64));
            assert!(!worn.parts.is_empty());
            for place in worn.parts.iter().flat_map(|part| places(&part.placement, &person.vertices)) {
                assert!(place.is_finite(), "{kind:?}");
                assert!(
                    place.y < measures.mouth.y || skull.distance(place) > -0.06,
                    "{kind:?} inside the head at {place}"
                );
                let face = place.z > measures.eye.z - 0.15 && place.x.abs() < 0.4 * measures.scale;
                let bare = place.y < measures.eye.y + 0.12 && place.y > measures.mouth.y - 0.15;
                assert!(!(face && bare), "{kind:?} before the face at {place}");
            }
        }
    }

    #[test]
    fn hair_below_a_hat_is_gone_and_the_rest_stays() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let wearer = person.wearer(&map);
        let look = Hair {
            style: Style::Long,
            hairline: Hairline::default(),
            colours: Colours::plain(Vec3::splat(0.1)),
            curl: 0.,
        };
        let mut parts = hair::grow(&wearer, &look, &mut Random::new("hair", &[1]));
        make(&wearer, &hat(Kind::Cap, 2)).clip(&wearer, &mut parts);
        let measures = Skull::new(&person.head, &person.vertices, &person.normals, false).measures;
        let (mut hidden, mut shown) = (0, 0);
        for part in &parts {
            for (place, opacity) in places(&part.placement, &person.vertices).into_iter().zip(&part.clip) {
                hidden += usize::from(place.y > measures.top && *opacity <= 0.);
                shown += usize::from(place.y < measures.mouth.y && *opacity >= 1.);
                assert!(place.y < measures.top || *opacity <= 0., "hair above the cap at {place}");
            }
        }
        assert!(hidden > 15 && shown > 50, "{hidden} {shown}");
    }
}
