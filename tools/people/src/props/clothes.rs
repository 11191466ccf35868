//! Simple clothes: copies of the shoulders at some distance, cut at a neckline, with collars.

use std::sync::Arc;

use glam::{Vec2, Vec3};

use super::{
    body::Body,
    fabric::{Fabric, Pattern},
    solid::Solid,
};
use crate::{
    hair::Wearer,
    mesh::{Cover, Mesh, Part, Placement, Region},
    noise::smooth,
    random::Random,
    texture::Texture,
};

/// A garment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garment {
    /// Round at the neck.
    TShirt,
    /// Cut to a point.
    VNeck,
    /// Up to the chin.
    Turtleneck,
    /// With a collar and an open button.
    Shirt,
    /// With lapels over a shirt.
    Jacket,
    /// With straps.
    Dress,
    /// Wide, with a hood behind.
    Hoodie,
}

/// What somebody wears.
#[derive(Clone, Copy, Debug)]
pub struct Outfit {
    /// What it is.
    pub garment: Garment,
    /// What it is made of.
    pub fabric: Fabric,
    /// What is below it, or its trim.
    pub other: Fabric,
    /// A scarf, if any.
    pub scarf: Option<Fabric>,
    /// How wide the neck is cut, in decimetres more than usual.
    pub wide: f32,
}

impl Outfit {
    /// Any outfit; `femininity` in `[0, 1]`.
    pub fn draw(random: &mut Random, femininity: f32) -> Self {
        let garment = *random.weighted(&[
            (Garment::TShirt, 0.26),
            (Garment::VNeck, 0.14),
            (Garment::Turtleneck, 0.1),
            (Garment::Shirt, 0.2),
            (Garment::Jacket, 0.14),
            (Garment::Dress, 0.16 * femininity),
            (Garment::Hoodie, 0.1),
        ]);
        let fabric = match garment {
            Garment::Turtleneck if random.chance(0.7) => Fabric::of(random, Pattern::Knit),
            Garment::Jacket if random.chance(0.7) => Fabric::of(random, Pattern::Plain),
            _ => Fabric::draw(random),
        };
        let scarf = random.chance(0.07).then(|| Fabric::draw(random));
        Self {
            garment,
            fabric,
            other: Fabric::of(random, Pattern::Plain),
            scarf,
            wide: random.between(0., 0.2 + 0.15 * femininity),
        }
    }

    /// How far cloth ends below a place of the base body: above 0 where there is cloth.
    fn covers(&self, base: Vec3) -> f32 {
        let x = base.x.abs();
        let front = smooth(-0.1, 0.75, base.z);
        // Height of the foot of the neck, which slopes to the front; shoulders are below it.
        let foot = 6.08 - 0.2 * front - 0.12 * smooth(0.3, 0.7, x) + 0.8 * smooth(0.66, 1., x);
        let round = foot - self.wide * (0.4 + 0.6 * front) - base.y;
        let open = |depth: f32, width: f32| smooth(0.2, 0.5, base.z) * (depth * (1. - x / width)).max(0.);
        match self.garment {
            Garment::TShirt | Garment::Hoodie => round,
            Garment::VNeck => round - open(0.75 + self.wide, 0.52),
            Garment::Turtleneck => 6.2 - 0.1 * front - base.y,
            Garment::Shirt => foot + 0.05 - open(0.5, 0.4) - base.y,
            Garment::Jacket => foot - open(2.2, 0.62) - base.y,
            Garment::Dress => 5.3 - 0.15 * front - base.y,
        }
    }

    /// Whether the throat is bare, so that a necklace shows.
    pub fn bares_throat(&self) -> bool {
        self.scarf.is_none() && !matches!(self.garment, Garment::Turtleneck | Garment::Hoodie)
    }

    /// Distance of the cloth from the skin.
    fn thickness(&self) -> f32 {
        match self.garment {
            Garment::Jacket | Garment::Hoodie => 0.1,
            Garment::Dress => 0.02,
            _ => 0.045,
        }
    }
}

/// Dresses a body. Clothes follow the skin below them, which shows in no frame: `Head` triangles below may stay.
pub fn make(wearer: &Wearer, outfit: &Outfit) -> Vec<Part> {
    let body = Body::new(wearer, false);
    let texture = outfit.fabric.texture();
    let mut parts = Vec::new();
    if outfit.garment == Garment::Jacket {
        let shirt = Outfit { garment: Garment::Shirt, fabric: outfit.other, scarf: None, ..*outfit };
        parts.extend(make(wearer, &shirt));
    }
    parts.push(shell(wearer, outfit, Arc::clone(&texture)));
    let (mut cloth, mut other) = (Solid::default(), Solid::default());
    match outfit.garment {
        Garment::Turtleneck => roll(&mut cloth, &body),
        Garment::Shirt => collar(&mut cloth, &body, 0.13, 0.06),
        Garment::Jacket => lapels(&mut cloth, &body),
        Garment::Hoodie => hood(&mut cloth, &mut other, &body),
        Garment::Dress => straps(&mut cloth, &body, outfit.wide),
        _ => {}
    }
    parts.extend(cloth.finish(texture, Fabric::material()));
    parts.extend(other.finish(outfit.other.texture(), Fabric::material()));
    if let Some(fabric) = &outfit.scarf {
        let mut wool = Solid::default();
        scarf(&mut wool, &body);
        parts.extend(wool.finish(fabric.texture(), Fabric::material()));
    }
    parts
}

/// Cloth over the shoulders.
fn shell(wearer: &Wearer, outfit: &Outfit, texture: Arc<Texture>) -> Part {
    let head = wearer.head;
    let dressed = |corners: &&[u32; 3]| {
        corners.iter().any(|&at| outfit.covers(head.vertices[at as usize]) > -0.02)
            && corners.iter().all(|&at| head.vertices[at as usize].y < 6.35 && !head.cavity[at as usize])
    };
    let chosen: Vec<[u32; 3]> = head.mesh.triangles.iter().filter(dressed).copied().collect();
    let mut used: Vec<u32> = chosen.iter().flatten().copied().collect();
    used.sort_unstable();
    used.dedup();
    let triangles: Vec<[u32; 3]> =
        chosen.iter().map(|corners| corners.map(|corner| used.partition_point(|&at| at < corner) as u32)).collect();
    let base = |at: &u32| head.vertices[*at as usize];
    let uv = |at: &u32| Vec2::new(base(at).x * 0.3 + 0.5, (base(at).y - 0.6 * base(at).z) * 0.3);
    let thickness = outfit.thickness() * wearer.scale();
    // At the seam cloth lies on the skin.
    let height = |at: &u32| thickness * (0.35 + 0.65 * smooth(0., 0.3, outfit.covers(base(at))));
    let offsets = used.iter().map(|at| wearer.normals[*at as usize] * height(at)).collect();
    let mesh = Mesh { uv_triangles: triangles.clone(), triangles, uv: used.iter().map(uv).collect() };
    Part {
        region: Region::Clothes,
        mesh: Arc::new(mesh),
        clip: used.iter().map(|at| outfit.covers(base(at)) * 25. + 0.5).collect(),
        placement: Placement::Shell { vertices: Arc::new(used), offsets: Arc::new(offsets) },
        texture,
        material: Fabric::material(),
        cover: Cover::Cutout(0.5),
        casts: true,
        occlusion: Vec::new(),
        smooth: None,
    }
}

/// Heights of the foot of the neck on this person: behind and in front.
fn foot(body: &Body) -> (f32, f32) {
    (body.carry(Vec3::new(0., 6.1, -0.25)).y, body.carry(Vec3::new(0., 5.92, 0.62)).y)
}

/// The rolled collar of a turtleneck.
fn roll(cloth: &mut Solid, body: &Body) {
    let ((back, front), scale) = (foot(body), body.scale());
    let ring = |up: f32, off: f32| body.round_neck(|share| back + (front - back) * share + up * scale, |_| off * scale);
    let rings =
        [ring(0.3, 0.02), ring(0.34, 0.05), ring(0.3, 0.085), ring(0.12, 0.1), ring(0., 0.08), ring(-0.1, 0.04)];
    cloth.sheet(&rings, true, Vec2::new(4., 1.));
}

/// A folded collar that is open in front; the `fall` is how far it comes down, `gap` how far it is open.
fn collar(cloth: &mut Solid, body: &Body, fall: f32, gap: f32) {
    let ((back, front), scale) = (foot(body), body.scale());
    let open = |ring: Vec<Vec3>| -> Vec<Vec3> {
        // Begin at the front: from the person's left round the back to the right.
        let half = ring.len() / 2;
        ring.iter().cycle().skip(half + 1).take(ring.len() - 1).copied().collect()
    };
    let ring = |up: f32, off: f32, point: f32| {
        let ring = body.round_neck(
            |share| back + (front - back) * share + (up - point * share.powi(6)) * scale,
            |share| (off + gap * share.powi(4)) * scale,
        );
        open(ring)
    };
    let rows = [
        ring(0.02, 0.03, 0.02),
        ring(0.14, 0.045, 0.06),
        ring(0.15, 0.07, 0.07),
        ring(0.13 - fall, 0.1, 0.16),
        ring(0.06 - fall, 0.115, 0.24),
    ];
    cloth.sheet(&rows, false, Vec2::new(3., 0.6));
}

/// The lapels of a jacket: strips along its opening, folded out.
fn lapels(cloth: &mut Solid, body: &Body) {
    collar(cloth, body, 0.2, 0.16);
    let scale = body.scale();
    for side in [1., -1.] {
        let row = |at: usize| -> Vec<Vec3> {
            let down = at as f32 / 8.;
            let inner = body.carry(Vec3::new(side * 0.52 * (1. - down), 5.8 - 1.4 * down, 0.9));
            let width = (0.1 + 0.22 * smooth(0., 0.3, down) * smooth(1., 0.35, down)) * scale;
            let out = |share: f32| {
                let place = inner + Vec3::new(side * width * share, 0.03 * share, 0.);
                body.over(place.with_z(body.measures().centre.z), Vec3::Z, (0.12 + 0.03 * share) * scale)
            };
            let shares = if side > 0. { [0., 0.5, 1.] } else { [1., 0.5, 0.] };
            shares.map(out).into()
        };
        cloth.sheet(&(0..=8).map(row).collect::<Vec<_>>(), false, Vec2::new(0.5, 2.));
    }
}

/// The hood behind a neck, and its strings.
fn hood(cloth: &mut Solid, other: &mut Solid, body: &Body) {
    let ((back, front), scale) = (foot(body), body.scale());
    let path = body.round_neck(
        |share| back + (front - back) * share + (0.04 - 0.12 * share.powi(4)) * scale,
        |share| (0.14 - 0.03 * share) * scale,
    );
    let thick = |share: f32| scale * (0.09 + 0.1 * (1. - (2. * share - 1.).abs()).mul_add(-1., 1.).abs());
    cloth.tube(&path, true, 8, Vec2::new(1., 4.), thick);
    for side in [1., -1.] {
        let path: Vec<Vec3> = (0..5)
            .map(|at| {
                let place = body.carry(Vec3::new(side * 0.16, 5.75 - 0.22 * at as f32, 0.9));
                body.over(place.with_z(body.measures().centre.z), Vec3::Z, 0.14 * scale)
            })
            .collect();
        other.tube(&path, false, 5, Vec2::ONE, |_| 0.018 * scale);
    }
}

/// The straps of a dress, over the shoulders.
fn straps(cloth: &mut Solid, body: &Body, wide: f32) {
    for side in [1., -1.] {
        let row = |at: usize| -> Vec<Vec3> {
            let angle = -0.5 + at as f32 / 16. * 4.1;
            let place = |across: f32| {
                let from = body.carry(Vec3::new(side * (0.78 + across * (0.05 + 0.3 * wide)), 5.3, 0.2)).with_z(0.25);
                body.over_shoulder(from.with_y(from.y - 0.1), angle, 0.025)
            };
            [-1., 0., 1.].map(place).into()
        };
        let rows: Vec<Vec<Vec3>> = (0..=16).map(row).collect();
        cloth.sheet(
            &if side > 0. { rows.iter().rev().cloned().collect::<Vec<_>>() } else { rows },
            false,
            Vec2::new(0.3, 2.),
        );
    }
}

/// A scarf: loops round the neck and an end that hangs.
fn scarf(wool: &mut Solid, body: &Body) {
    let ((back, front), scale) = (foot(body), body.scale());
    for (at, lean) in [0.1_f32, -0.08, 0.05].into_iter().enumerate() {
        let level = 0.18 - 0.13 * at as f32;
        let path = body.round_neck(
            |share| back + (front - back) * share + (level + lean * (share - 0.5)) * scale,
            |share| (0.1 + 0.05 * at as f32 + 0.06 * share) * scale,
        );
        wool.tube(&path, true, 8, Vec2::new(1., 6.), |_| 0.12 * scale);
    }
    let row = |at: usize| -> Vec<Vec3> {
        let down = at as f32 / 6.;
        let place = |share: f32| {
            let base = body.carry(Vec3::new(0.2 + 0.45 * share, 5.75 - 1.6 * down, 0.9));
            body.over(base.with_z(body.measures().centre.z), Vec3::Z, (0.17 + 0.03 * (share * 3.1).sin()) * scale)
        };
        [0., 0.33, 0.67, 1.].map(place).into()
    };
    wool.sheet(&(0..=6).map(row).collect::<Vec<_>>(), false, Vec2::new(0.5, 2.));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hair::{places, stand_in, uv_map::UvMap};

    #[test]
    fn necklines_are_where_their_names_say() {
        let outfit = |garment| {
            let plain = Fabric { pattern: Pattern::Plain, colour: Vec3::ONE, accent: Vec3::ONE, count: 1, grain: 0 };
            Outfit { garment, fabric: plain, other: plain, scarf: None, wide: 0. }
        };
        let (chest, throat, shoulder) = (Vec3::new(0., 5.5, 1.), Vec3::new(0., 6.05, 0.6), Vec3::new(1.2, 5.8, 0.2));
        let covered = |garment| [chest, throat, shoulder].map(|place| outfit(garment).covers(place) > 0.);
        assert_eq!(covered(Garment::TShirt), [true, false, true]);
        assert_eq!(covered(Garment::VNeck), [false, false, true]);
        assert_eq!(covered(Garment::Turtleneck), [true, true, true]);
        assert_eq!(covered(Garment::Dress), [false, false, false]);
    }

    #[test]
    fn clothes_stay_below_the_chin() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 16);
        let wearer = person.wearer(&map);
        let chin = Body::new(&wearer, false).measures().mouth.y;
        for seed in 0..24 {
            for part in make(&wearer, &Outfit::draw(&mut Random::new("outfit", &[seed]), 0.5)) {
                let places = places(&part.placement, &person.vertices);
                assert!(places.iter().all(|place| place.is_finite() && place.y < chin));
                assert!(part.mesh.triangles.iter().flatten().all(|&at| (at as usize) < places.len()));
            }
        }
    }
}
