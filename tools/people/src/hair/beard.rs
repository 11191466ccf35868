//! Beards with volume: short strips that move with jaw and mouth.

use std::sync::Arc;

use glam::{Vec3, Vec4};

use super::{
    Wearer, areas,
    colour::Colours,
    ribbon::{self, COLUMNS, Weave},
    shell,
    skin::{Anchor, Bound},
    skull::Skull,
};
use crate::{
    mesh::{Cover, Part, Placement, Region},
    noise::{Noise, smooth},
    random::Random,
    texture::Texture,
};

/// Which parts of a face a beard leaves unshaven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only the upper lip.
    Moustache,
    /// Only the chin.
    Goatee,
    /// Both, joined round the mouth.
    Circle,
    /// Chin and upper lip, not joined.
    VanDyke,
    /// A line along the jaw.
    ChinStrap,
    /// Cheeks, jaw, chin and upper lip.
    Full,
    /// All but the upper lip.
    Shenandoah,
    /// Before the ears, widening downwards.
    Sideburns,
    /// A little below the lower lip.
    SoulPatch,
}

/// A beard that is long enough to have volume. Stubble belongs to the skin.
#[derive(Clone, Copy, Debug)]
pub struct Beard {
    /// Where it grows.
    pub kind: Kind,
    /// Length of its hairs on the chin, in decimetres: 0.05 to 1.
    pub length: f32,
    /// How dense it is, in `[0, 1]`.
    pub density: f32,
    /// How far up the cheeks it reaches, in decimetres beyond the usual.
    pub cheek: f32,
    /// Its colours.
    pub colours: Colours,
}

impl Beard {
    /// A beard for hair of these colours.
    pub fn draw(random: &mut Random, colours: &Colours) -> Self {
        let kind = *random.weighted(&[
            (Kind::Full, 0.45),
            (Kind::Moustache, 0.14),
            (Kind::Circle, 0.13),
            (Kind::Goatee, 0.07),
            (Kind::VanDyke, 0.07),
            (Kind::ChinStrap, 0.04),
            (Kind::Shenandoah, 0.03),
            (Kind::Sideburns, 0.04),
            (Kind::SoulPatch, 0.03),
        ]);
        let long = random.unit();
        let length = match kind {
            Kind::Full | Kind::Shenandoah => 0.1 + 0.7 * long.powi(3),
            Kind::Goatee | Kind::Circle | Kind::VanDyke => 0.09 + 0.35 * long.powi(2),
            _ => 0.08 + 0.07 * long,
        };
        let mut colours = *colours;
        // Beards are often redder and less even than the hair of the head, and grey later.
        colours.base = (colours.base * Vec3::new(random.between(0.8, 1.15), 0.85, 0.75)).max(Vec3::splat(0.004));
        colours.highlights = colours.highlights.max(0.25);
        colours.greyness *= random.between(0.4, 1.2);
        colours.greyness = colours.greyness.min(1.);
        colours.roots = 0.9;
        Self { kind, length, density: random.between(0.55, 1.), cheek: random.normal_within(0., 0.06, 2.), colours }
    }

    /// How densely it grows at a place of the base head, `[0, 1]`: for the skin below it, too. `lip` and `ear` say how
    /// much the place belongs to lips and ear.
    pub fn cover(&self, base: Vec3, lip: f32, ear: f32) -> f32 {
        let (x, y, z) = (base.x.abs(), base.y, base.z);
        let upper_lip = smooth(6.6, 6.66, y) * smooth(6.86, 6.81, y) * smooth(0.37, 0.29, x) * smooth(1.2, 1.3, z);
        let corner = smooth(0.2, 0.24, x) * smooth(0.36, 0.31, x) * smooth(6.7, 6.66, y) * smooth(6.3, 6.4, y);
        let chin = smooth(6.53, 6.47, y) * smooth(0.34, 0.26, x) * smooth(5.98, 6.14, y) * smooth(0.9, 1.05, z);
        let below = self.below_line(x, y) * smooth(5.98, 6.14, y) * smooth(0.3, 0.55, z);
        let side = smooth(0.52, 0.62, x) * smooth(7.15, 7.05, y) * smooth(0.45, 0.6, z) * smooth(1.02, 0.9, z);
        let under_lip = smooth(6.5, 6.46, y) * smooth(6.3, 6.36, y) * smooth(0.09, 0.06, x) * smooth(1.2, 1.3, z);
        let jaw = below * smooth(6.75, 6.6, y - 0.55 * (x - 0.3).max(0.)) * smooth(0.16, 0.34, (x + (6.5 - y)).max(0.));
        let grown = match self.kind {
            Kind::Moustache => upper_lip,
            Kind::Goatee => chin,
            Kind::Circle => upper_lip.max(chin).max(corner),
            Kind::VanDyke => upper_lip.max(chin * smooth(0.24, 0.18, x)),
            Kind::ChinStrap => jaw.max(side * 0.9),
            Kind::Full => upper_lip.max(below).max(side * 0.9),
            Kind::Shenandoah => (below * (1. - upper_lip)).max(side * 0.9),
            Kind::Sideburns => side * smooth(6.6, 6.75, y),
            Kind::SoulPatch => under_lip,
        };
        // The hollow beside the soul patch is bare on most men.
        let hollow = smooth(0.05, 0.12, x) * smooth(0.24, 0.18, x) * smooth(6.53, 6.5, y) * smooth(6.4, 6.44, y);
        grown * (1. - 0.5 * hollow) * (1. - smooth(0.15, 0.4, lip)) * (1. - smooth(0.1, 0.4, ear))
    }

    /// 1 below the line from the ears over the cheeks to the corners of the mouth.
    fn below_line(&self, x: f32, y: f32) -> f32 {
        const LINE: [(f32, f32); 6] = [(0., 6.56), (0.2, 6.58), (0.36, 6.64), (0.5, 6.62), (0.68, 6.92), (0.8, 7.08)];
        let after = LINE.iter().position(|point| x < point.0).unwrap_or(LINE.len() - 1).max(1);
        let (from, to) = (LINE[after - 1], LINE[after]);
        let share = ((x - from.0) / (to.0 - from.0)).clamp(0., 1.);
        let cheek = self.cheek * smooth(0.3, 0.45, x);
        smooth(0.05, -0.04, y - from.1 - (to.1 - from.1) * share - cheek)
    }

    /// Length of a hair at a place of the base head, as a share of the beard's.
    fn share(&self, base: Vec3) -> f32 {
        let x = base.x.abs();
        let chin = smooth(0.5, 0.1, x) * smooth(6.5, 6.3, base.y);
        let lip = smooth(6.55, 6.62, base.y) * smooth(0.4, 0.3, x);
        let short = (0.1 / self.length).min(1.);
        (short + (1. - short) * chin).max(short * 0.8) * (1. - 0.35 * lip)
    }
}

/// Grows a beard: what lies on the skin, and hairs. It moves with the skin it is bound to.
pub fn grow(wearer: &Wearer, beard: &Beard, random: &mut Random) -> Vec<Part> {
    let skull = Skull::new(wearer.head, wearer.vertices, wearer.normals, true);
    let roots = roots(wearer, beard, random);
    let mut bound = Bound::default();
    for anchor in roots {
        hair(&mut bound, wearer, &skull, beard, anchor, random);
    }
    let weave = Weave { dense: 0.2 + 0.4 * beard.density, ..Weave::SPARSE };
    let hairs = bound.finish(Arc::new(ribbon::texture(&beard.colours, &weave, random)), Region::Hair);
    [Some(ground(wearer, beard, random)), hairs].into_iter().flatten().collect()
}

/// The layer on the skin from which the hairs stand out: what shows between them.
fn ground(wearer: &Wearer, beard: &Beard, random: &mut Random) -> Part {
    let ears = areas::ears(wearer.head);
    let noise = Noise::new(random.seed());
    let size = wearer.map.size();
    let mut texels = vec![Vec4::ZERO; size * size];
    for texel in wearer.map.texels().iter().filter(|texel| on_beard(texel.base)) {
        let cover = beard.cover(texel.base, texel.interpolate(&wearer.head.lips), texel.interpolate(&ears));
        if cover > 0. {
            let grain = noise.at(texel.base * Vec3::new(40., 18., 40.)) + 0.6 * noise.at(texel.base * 26. + 5.);
            let colour = beard.colours.mean() * (0.6 + 0.25 * grain);
            let alpha = cover * (0.3 + 0.55 * beard.density) * (0.85 + 0.35 * grain);
            texels[texel.index as usize] = colour.extend(alpha.clamp(0., 0.95));
        }
    }
    let head = &wearer.head.mesh;
    let chosen: Vec<usize> = (0..head.triangles.len())
        .filter(|&at| {
            let corners = head.triangles[at].map(|corner| corner as usize);
            corners.iter().all(|&at| on_beard(wearer.head.vertices[at]) && !wearer.head.cavity[at])
        })
        .collect();
    let (mesh, used) = shell::compact(wearer, &chosen);
    let offsets = used.iter().map(|&at| wearer.normals[at as usize] * 0.006 * wearer.scale()).collect();
    let placement = Placement::Shell { vertices: Arc::new(used), offsets: Arc::new(offsets) };
    let texture = Arc::new(Texture::new(size, size, &texels));
    let part = ribbon::part(Region::Hair, mesh, placement, texture, Vec::new());
    Part { cover: Cover::Blended, casts: false, ..part }
}

/// Whether a place of the base head is where any beard grows.
fn on_beard(base: Vec3) -> bool {
    (5.9..7.2).contains(&base.y) && base.z > 0.2
}

/// Where hairs grow, as dense as the beard.
fn roots(wearer: &Wearer, beard: &Beard, random: &mut Random) -> Vec<Anchor> {
    let ears = areas::ears(wearer.head);
    let noise = Noise::new(random.seed());
    let head = wearer.head;
    let per_area = (450. + 450. * beard.density) * if beard.length < 0.25 { 1.3 } else { 0.8 };
    let mut roots = Vec::new();
    for &corners in &head.mesh.triangles {
        let [a, b, c] = corners.map(|corner| head.vertices[corner as usize]);
        let middle = (a + b + c) / 3.;
        if !on_beard(middle) || corners.iter().any(|&at| head.cavity[at as usize]) {
            continue;
        }
        let lip = if middle.y > 6.6 && middle.x.abs() < 0.4 { 1.8 } else { 1. };
        let expected = lip * per_area * 0.5 * (b - a).cross(c - a).length();
        let count = expected as usize + usize::from(random.chance(expected.fract()));
        for _ in 0..count {
            let anchor = Anchor { corners, weights: spot(random) };
            let base = anchor.of(&head.vertices);
            let patchy = 1. + (1. - beard.density) * 0.8 * noise.at(base * 7.);
            let cover = beard.cover(base, anchor.number(&head.lips), anchor.number(&ears));
            if random.chance(cover * patchy) {
                roots.push(anchor);
            }
        }
    }
    roots
}

/// Shares of the corners of a triangle in a place on it, evenly spread.
fn spot(random: &mut Random) -> [f32; 3] {
    let (far, aside) = (random.unit().sqrt(), random.unit());
    [1. - far, far * (1. - aside), far * aside]
}

fn hair(bound: &mut Bound, wearer: &Wearer, skull: &Skull, beard: &Beard, anchor: Anchor, random: &mut Random) {
    let scale = skull.measures.scale;
    let base = anchor.of(&wearer.head.vertices);
    let normal = anchor.of(wearer.normals).normalize_or(Vec3::Z);
    let root = anchor.of(wearer.vertices);
    let length = beard.length * beard.share(base) * scale * random.between(0.7, 1.15);
    let growth = direction(base) + random.normal3(0.22);
    let lie = (growth - normal * growth.dot(normal)).normalize_or(Vec3::NEG_Y);
    let mut direction = (lie + normal * random.between(0.15, 0.5)).normalize_or(normal);
    let pieces = (length / 0.16).ceil().clamp(2., 5.) as usize;
    let mut place = root + normal * 0.004;
    let mut nodes = vec![(place, anchor)];
    let upper = base.y > 6.58;
    for _ in 0..pieces {
        place += direction * length / pieces as f32;
        // A moustache ends above the mouth, whatever its length.
        if upper && place.x.abs() < skull.measures.mouth_width && place.y < skull.measures.mouth.y + 0.045 * scale {
            break;
        }
        place = skull.push_out(place, 0.02);
        nodes.push((place, anchor));
        direction = (direction * 0.7 + Vec3::new(0., -0.3, 0.06)).normalize_or(direction);
    }
    if nodes.len() < 3 {
        return;
    }
    let outward = vec![normal + random.normal3(0.15); nodes.len()];
    let width = scale * random.between(0.014, 0.026) * (1. + beard.length.min(0.5));
    bound.lay(wearer, &nodes, &outward, |along| width * (1. - 0.7 * along), random.below(COLUMNS));
}

/// Where the hair of a place of the base head grows to.
fn direction(base: Vec3) -> Vec3 {
    let side = base.x.signum() * smooth(0., 0.1, base.x.abs());
    let lip = smooth(6.58, 6.66, base.y) * smooth(0.42, 0.3, base.x.abs());
    let cheek = Vec3::new(0., -1., 0.35);
    let moustache = Vec3::new(0.9 * side, -0.75, 0.);
    cheek.lerp(moustache, lip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(kind: Kind, base: Vec3) -> f32 {
        let beard = Beard { kind, length: 0.2, density: 1., cheek: 0., colours: Colours::plain(Vec3::splat(0.1)) };
        beard.cover(base, 0., 0.)
    }

    #[test]
    fn each_kind_grows_where_its_name_says() {
        let (lip, chin, cheek) = (Vec3::new(0.1, 6.75, 1.55), Vec3::new(0., 6.25, 1.45), Vec3::new(0.6, 6.6, 0.9));
        let grown = |kind| [lip, chin, cheek].map(|place| cover(kind, place) > 0.5);
        assert_eq!(grown(Kind::Full), [true; 3]);
        assert_eq!(grown(Kind::Moustache), [true, false, false]);
        assert_eq!(grown(Kind::Goatee), [false, true, false]);
        assert_eq!(grown(Kind::Circle), [true, true, false]);
        assert_eq!(grown(Kind::Shenandoah), [false, true, true]);
        for kind in [Kind::Full, Kind::Circle, Kind::Moustache] {
            assert_eq!(cover(kind, Vec3::new(0.2, 7.2, 1.4)), 0., "below the eye");
        }
    }

    #[test]
    fn lips_and_ears_stay_bare() {
        let beard = Beard::draw(&mut Random::new("beard", &[1]), &Colours::plain(Vec3::splat(0.1)));
        assert_eq!(beard.cover(Vec3::new(0., 6.3, 1.4), 1., 0.) + beard.cover(Vec3::new(0., 6.3, 1.4), 0., 1.), 0.);
    }
}
