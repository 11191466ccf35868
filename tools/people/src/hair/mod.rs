//! Hair of head, beard, brows and lashes, grown on the neutral head of a person.

pub mod areas;
pub mod beard;
pub mod brows;
pub mod colour;
mod comb;
mod cut;
pub mod hairline;
pub mod lashes;
mod ribbon;
mod rope;
mod scalp;
mod shell;
mod skin;
pub mod skull;
#[cfg(test)]
pub(crate) mod stand_in;
pub mod style;
mod tied;
pub mod uv_map;
#[cfg(test)]
pub(crate) mod view;

use std::sync::Arc;

use glam::Vec3;

pub use self::{colour::Colours, hairline::Hairline, style::Style};
use self::{
    comb::{Comb, Face, Sprout},
    cut::Strand,
    ribbon::{COLUMNS, Strips},
    rope::Ropes,
    scalp::Scalp,
    skull::Skull,
    uv_map::UvMap,
};
use crate::{
    head::Head,
    mesh::{Part, Region},
    noise::smooth,
    random::Random,
};

/// Triangles that strands may have.
const MOST_TRIANGLES: usize = 9000;

/// Who hair grows on.
#[derive(Clone, Copy, Debug)]
pub struct Wearer<'a> {
    /// The base head.
    pub head: &'a Head,
    /// The person's vertices: identity applied, neutral expression.
    pub vertices: &'a [Vec3],
    /// Their normals.
    pub normals: &'a [Vec3],
    /// Where texels lie on the base head; 512 texels each way are enough for hair.
    pub map: &'a UvMap,
}

impl Wearer<'_> {
    /// Height of the head, as a share of the average one.
    pub fn scale(&self) -> f32 {
        let marks = &self.head.landmarks;
        (self.vertices[marks.top as usize].y - self.vertices[marks.chin as usize].y) / 2.33
    }
}

/// The hair of a person's head.
#[derive(Clone, Copy, Debug)]
pub struct Hair {
    /// What it is like.
    pub style: Style,
    /// Where it begins.
    pub hairline: Hairline,
    /// Its colours.
    pub colours: Colours,
    /// How far it waves by itself, in `[0, 1]`.
    pub curl: f32,
}

impl Hair {
    /// The hair of somebody: `femininity`, `age` (0 young, 1 old) and `coils` (how coiled hair is) in `[0, 1]`.
    pub fn draw(random: &mut Random, femininity: f32, age: f32, coils: f32, colours: Colours) -> Self {
        let style = Style::draw(random, femininity, age, coils);
        let (least, most) = style.recession();
        let aged = if random.chance((1. - femininity) * age * 0.8) { random.between(0.2, 0.8) } else { 0. };
        let recession = random.between(least, most).max(aged);
        let hairline = Hairline::draw(random, recession);
        let curl = (coils + random.normal_within(0.15, 0.25, 2.)).clamp(0., 1.);
        Self { style, hairline, colours, curl }
    }
}

/// Grows the hair of a head: layers on the skin first, then strands. They keep their places while the face moves.
pub fn grow(wearer: &Wearer, hair: &Hair, random: &mut Random) -> Vec<Part> {
    let cut = hair.style.cut(random, hair.curl);
    let scalp = Scalp::new(wearer, &hair.hairline);
    let mut parts = shell::grow(wearer, &scalp, &hair.hairline, &cut.under, &hair.colours, random);
    if cut.count == 0 {
        return parts;
    }
    let skull = Skull::new(wearer.head, wearer.vertices, wearer.normals, cut.over_ears);
    let comb = Comb { skull: &skull, cut: &cut };
    let strands = strands(&comb, wearer, &scalp, random);
    parts.extend(match cut.strand {
        Strand::Ribbon => ribbons(&comb, &strands, hair, random),
        Strand::Rope => ropes(&comb, &strands, hair, random),
    });
    parts
}

/// A strand and what it grew from.
type Grown = (Sprout, Vec<Vec3>);

fn strands(comb: &Comb, wearer: &Wearer, scalp: &Scalp, random: &mut Random) -> Vec<Grown> {
    let roots = scalp.roots(wearer, comb.cut.count, random);
    let sprouts: Vec<Sprout> =
        roots.iter().filter(|root| comb.cut.grows(root)).map(|root| comb.sprout(root, random)).collect();
    let mut strands: Vec<Grown> = sprouts.into_iter().map(|sprout| (sprout, comb.grow(&sprout))).collect();
    gather(&mut strands, comb.cut.clump, random);
    for (sprout, nodes) in &mut strands {
        comb.wave(sprout, nodes);
    }
    strands.retain(|(_, nodes)| nodes.len() > 2);
    strands
}

/// Draws strands towards the nearest of a few leaders, the more the farther from their roots.
fn gather(strands: &mut [Grown], clump: f32, random: &mut Random) {
    if clump == 0. || strands.is_empty() {
        return;
    }
    let leaders: Vec<Grown> = (0..strands.len().div_ceil(7)).map(|_| random.pick(strands).clone()).collect();
    for (sprout, nodes) in strands {
        let nearest = leaders.iter().min_by(|a, b| {
            a.0.place.distance_squared(sprout.place).total_cmp(&b.0.place.distance_squared(sprout.place))
        });
        let Some((leader, path)) = nearest.filter(|(leader, _)| leader.side == sprout.side) else { continue };
        sprout.phase = leader.phase + 0.12 * (sprout.phase - 0.5);
        let last = nodes.len().max(2) - 1;
        for (at, (node, &lead)) in nodes.iter_mut().zip(path).enumerate() {
            *node = node.lerp(lead, clump * at as f32 / last as f32);
        }
    }
}

fn ribbons(comb: &Comb, strands: &[Grown], hair: &Hair, random: &mut Random) -> Option<Part> {
    let mut strips = Strips::default();
    let scale = comb.skull.measures.scale;
    for tail in &comb.cut.tails {
        tied::lay(&mut strips, comb, tail, random);
    }
    let all: usize = strands.iter().map(|(_, nodes)| 2 * nodes.len() - 2).sum();
    let share = (MOST_TRIANGLES.saturating_sub(strips.triangles())) as f32 / all.max(1) as f32;
    for (sprout, nodes) in strands {
        if !random.chance(share) {
            continue;
        }
        let whim = random.normal3(0.07);
        let outward: Vec<Vec3> = nodes.iter().map(|&node| comb.skull.outward(node) + whim).collect();
        let width = comb.cut.width * scale * random.between(0.7, 1.3);
        let half = |along: f32| {
            width
                * (0.6 + 0.4 * smooth(0., 0.15, along))
                * (1. - 0.55 * along * along)
                * if sprout.knot.is_some() { 1.1 } else { 1. }
        };
        strips.lay(nodes, &outward, half, random.below(COLUMNS));
    }
    strips.clip = face_clip(comb, &strips.vertices);
    let texture = ribbon::texture(&hair.colours, &comb.cut.weave, random);
    strips.finish(Arc::new(texture), Region::Hair)
}

/// Opacity that ends hair where the face begins.
fn face_clip(comb: &Comb, vertices: &[Vec3]) -> Vec<f32> {
    let measures = &comb.skull.measures;
    let face = Face::of(comb.skull, comb.cut.fringe.unwrap_or(0.4) - 0.06);
    let before = measures.centre.z + 0.25 * measures.scale;
    let opacity = |place: &Vec3| match place.z > before && place.y > measures.chin {
        true => (place.x.abs() - face.half_width(place.y)) * 9. / measures.scale + 0.9,
        false => 2.,
    };
    vertices.iter().map(opacity).collect()
}

fn ropes(comb: &Comb, strands: &[Grown], hair: &Hair, random: &mut Random) -> Option<Part> {
    let mut ropes = Ropes::default();
    for (_, nodes) in strands {
        let radius = comb.cut.width * comb.skull.measures.scale * random.between(0.8, 1.2);
        ropes.lay(nodes, radius, random.below(4) as f32 * 0.25);
    }
    ropes.finish(&hair.colours, random)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{
        stand_in::Person,
        view::{View, sheet},
        *,
    };

    fn look(style: Style, seed: u64) -> Hair {
        let mut random = Random::new("look", &[seed]);
        let age = random.between(0.1, 0.6);
        let dark = matches!(style, Style::Afro | Style::Puffs | Style::Twists);
        let colours = Colours::draw(&mut random, dark, age);
        let (least, most) = style.recession();
        let hairline = Hairline::draw(&mut random, 0.5 * (least + most));
        Hair { style, hairline, colours, curl: random.unit() * 0.6 }
    }

    fn wearer<'a>(person: &'a Person, map: &'a UvMap) -> Wearer<'a> {
        Wearer { head: &person.head, vertices: &person.vertices, normals: &person.normals, map }
    }

    #[test]
    #[ignore = "writes pictures to look at"]
    fn look_at_faces() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let wearer = wearer(&person, &map);
        let mut views = Vec::new();
        for seed in 0..9 {
            let mut random = Random::new("faces", &[seed]);
            let colours = Colours::draw(&mut random, false, 0.4);
            let beard = beard::Beard::draw(&mut random, &colours);
            let brow = brows::Brows::draw(&mut random, 0.1 * seed as f32, &colours);
            let lash = lashes::Lashes::draw(&mut random, 0.1 * seed as f32, colours.base);
            let start = Instant::now();
            let parts: Vec<Part> = [
                beard::grow(&wearer, &beard, &mut random).filter(|_| seed % 3 != 2),
                brows::grow(&wearer, &brow, &mut random),
                lashes::grow(&wearer, &lash, &mut random),
            ]
            .into_iter()
            .flatten()
            .collect();
            let triangles: Vec<usize> = parts.iter().map(|part| part.mesh.triangles.len()).collect();
            eprintln!("Face {triangles:?} {:?} {:?}", start.elapsed(), (beard.kind, beard.length));
            for yaw in [0., -0.7] {
                let mut view = View::new(Vec3::new(0., 7., 0.6), 1.7, yaw);
                view.person(&person, &parts);
                views.push(view);
            }
        }
        sheet(&views, 6, "faces.png");
    }

    #[test]
    #[ignore = "writes pictures to look at"]
    fn look_at_styles() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 512);
        let wanted = std::env::var("STYLES").unwrap_or_default();
        let styles: Vec<Style> = Style::ALL
            .iter()
            .copied()
            .filter(|style| wanted.is_empty() || wanted.contains(&format!("{style:?}")))
            .collect();
        let mut views = Vec::new();
        for &style in &styles {
            for seed in 0..if wanted.is_empty() { 1 } else { 3 } {
                let start = Instant::now();
                let parts = grow(
                    &wearer(&person, &map),
                    &look(style, seed + 10 * style as u64),
                    &mut Random::new("hair", &[seed]),
                );
                let triangles: Vec<usize> = parts.iter().map(|part| part.mesh.triangles.len()).collect();
                eprintln!("{style:?} {triangles:?} {:?}", start.elapsed());
                for yaw in [0., -0.7] {
                    let mut view = View::new(Vec3::new(0., 7.1, 0.6), 3.6, yaw);
                    view.person(&person, &parts);
                    views.push(view);
                }
            }
        }
        for (at, views) in views.chunks(24).enumerate() {
            sheet(views, 6, &format!("styles{at}.png"));
        }
    }
}
