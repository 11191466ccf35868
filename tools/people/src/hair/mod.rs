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
    mesh::{Part, Placement, Region},
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

/// Where a part's vertices are on somebody whose head has these `vertices`.
pub(crate) fn places(placement: &Placement, vertices: &[Vec3]) -> Vec<Vec3> {
    match placement {
        Placement::Head => vertices.to_vec(),
        Placement::Bound(binding) | Placement::Jaw { binding, .. } => binding.fit(vertices),
        Placement::Fixed(places) => places.to_vec(),
        Placement::Shell { vertices: followed, offsets } => {
            followed.iter().zip(offsets.iter()).map(|(&at, &offset)| vertices[at as usize] + offset).collect()
        }
    }
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
    let opacity = |place: &Vec3| {
        let at_face = place.z > before && place.y > measures.chin;
        if at_face { (place.x.abs() - face.half_width(place.y)) * 9. / measures.scale + 0.9 } else { 2. }
    };
    vertices.iter().map(opacity).collect()
}

fn ropes(comb: &Comb, strands: &[Grown], hair: &Hair, random: &mut Random) -> Option<Part> {
    let mut ropes = Ropes::default();
    let share = MOST_TRIANGLES as f32 / strands.iter().map(|(_, nodes)| Ropes::triangles(nodes)).sum::<usize>() as f32;
    for (_, nodes) in strands {
        if random.chance(share) {
            let radius = comb.cut.width * comb.skull.measures.scale * random.between(0.8, 1.2);
            ropes.lay(nodes, radius, random.below(4) as f32 * 0.25);
        }
    }
    let clip = face_clip(comb, &ropes.vertices);
    ropes.finish(clip, &hair.colours, random)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{
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

    fn grown(person: &stand_in::Person, map: &UvMap, style: Style, seed: u64) -> Vec<Part> {
        grow(&person.wearer(map), &look(style, seed), &mut Random::new("hair", &[seed]))
    }

    #[test]
    fn hair_is_sound_within_its_budget_and_outside_the_skull() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let skull = Skull::new(&person.head, &person.vertices, &person.normals, false);
        for (seed, &style) in Style::ALL.iter().enumerate() {
            let parts = grown(&person, &map, style, seed as u64);
            let strands: usize = parts
                .iter()
                .filter(|part| matches!(part.placement, Placement::Fixed(_)))
                .map(|part| part.mesh.triangles.len())
                .sum();
            assert!(strands <= MOST_TRIANGLES + 400, "{style:?} has {strands} triangles");
            for part in &parts {
                let places = places(&part.placement, &person.vertices);
                assert!(places.iter().all(|place| place.is_finite()), "{style:?}");
                assert!(part.clip.is_empty() || part.clip.len() == places.len());
                assert!(part.mesh.triangles.iter().flatten().all(|&at| (at as usize) < places.len()));
                assert!(part.mesh.uv_triangles.iter().flatten().all(|&at| (at as usize) < part.mesh.uv.len()));
                let deep = places.iter().filter(|place| skull.distance(**place) < -0.08).count();
                assert!(deep * 50 <= places.len(), "{style:?}: {deep} of {} inside the head", places.len());
            }
        }
    }

    #[test]
    fn no_hair_hides_eyes_or_mouth() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let measures = Skull::new(&person.head, &person.vertices, &person.normals, false).measures;
        for (seed, &style) in Style::ALL.iter().enumerate() {
            for part in grown(&person, &map, style, seed as u64 + 100) {
                let before = |place: &Vec3| {
                    place.z > measures.eye.z - 0.25 * measures.scale
                        && place.x.abs() < measures.eye.x + 0.06 * measures.scale
                        && place.y > measures.mouth.y - 0.15
                        && place.y < measures.eye.y + 0.06 * measures.scale
                };
                let places = places(&part.placement, &person.vertices);
                let shown = |at: usize| part.clip.get(at).is_none_or(|&clip| clip > 0.5);
                let hiding = places.iter().enumerate().filter(|(at, place)| before(place) && shown(*at)).count();
                assert!(hiding * 200 <= places.len(), "{style:?}: {hiding} of {} hide the face", places.len());
            }
        }
    }

    #[test]
    fn the_same_seed_grows_the_same_hair() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let places_of = |seed| -> Vec<Vec3> {
            grown(&person, &map, Style::Waves, seed)
                .iter()
                .flat_map(|part| places(&part.placement, &person.vertices))
                .collect()
        };
        assert_eq!(places_of(3), places_of(3));
        assert_ne!(places_of(3), places_of(4));
    }

    #[test]
    fn beards_brows_and_lashes_follow_the_skin() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let wearer = person.wearer(&map);
        let colours = Colours::plain(Vec3::splat(0.1));
        let random = &mut Random::new("face", &[1]);
        let full = beard::Beard { kind: beard::Kind::Full, ..beard::Beard::draw(random, &colours) };
        let mut parts = beard::grow(&wearer, &full, random);
        parts.extend(brows::grow(&wearer, &brows::Brows::draw(random, 0.5, &colours), random));
        parts.extend(lashes::grow(&wearer, &lashes::Lashes::draw(random, 0.5, colours.base), random));
        assert!(parts.len() >= 3);
        let shift = Vec3::new(0.1, -0.2, 0.3);
        let moved: Vec<Vec3> = person.vertices.iter().map(|&place| place + shift).collect();
        for part in &parts {
            let (before, after) = (places(&part.placement, &person.vertices), places(&part.placement, &moved));
            assert!(before.iter().zip(&after).all(|(before, after)| (*after - *before).distance(shift) < 1e-4));
        }
    }

    #[test]
    #[ignore = "prints how long it takes"]
    fn time_what_a_person_costs() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 512);
        let wearer = person.wearer(&map);
        let report = |what: &str, times: usize, start: Instant| {
            eprintln!("Time [{what}] {:?}", start.elapsed() / times as u32);
        };
        let start = Instant::now();
        (0..10).for_each(|_| drop(Skull::new(&person.head, &person.vertices, &person.normals, true)));
        report("skull", 10, start);
        for style in [Style::Buzz, Style::Short, Style::Long, Style::Curls] {
            let start = Instant::now();
            (0..5).for_each(|seed| drop(grown(&person, &map, style, seed)));
            report(&format!("{style:?}"), 5, start);
        }
        let start = Instant::now();
        let mut random = Random::new("time", &[]);
        let colours = Colours::plain(Vec3::splat(0.1));
        for _ in 0..5 {
            let beard = beard::Beard::draw(&mut random, &colours);
            beard::grow(&wearer, &beard, &mut random);
        }
        report("beard", 5, start);
        let start = Instant::now();
        for _ in 0..5 {
            brows::grow(&wearer, &brows::Brows::draw(&mut random, 0.5, &colours), &mut random);
            lashes::grow(&wearer, &lashes::Lashes::draw(&mut random, 0.5, colours.base), &mut random);
        }
        report("brows and lashes", 5, start);
    }

    #[test]
    #[ignore = "writes pictures to look at"]
    fn look_at_faces() {
        let person = stand_in::person();
        let map = UvMap::new(&person.head, 64);
        let wearer = person.wearer(&map);
        let mut views = Vec::new();
        for seed in 0..9 {
            let mut random = Random::new("faces", &[seed]);
            let colours = Colours::draw(&mut random, false, 0.4);
            let beard = beard::Beard::draw(&mut random, &colours);
            let brow = brows::Brows::draw(&mut random, 0.1 * seed as f32, &colours);
            let lash = lashes::Lashes::draw(&mut random, 0.1 * seed as f32, colours.base);
            let start = Instant::now();
            let mut parts = beard::grow(&wearer, &beard, &mut random);
            parts.extend(brows::grow(&wearer, &brow, &mut random));
            parts.extend(lashes::grow(&wearer, &lash, &mut random));
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
                    &person.wearer(&map),
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
