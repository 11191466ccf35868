//! Hair, beards, brows and lashes: those of the pack, and those that are grown.

use std::sync::Arc;

use glam::Vec3;

use super::{
    Paint, Person, Shape, Studio,
    parts::{NEUTRAL, available, plain},
    skin::Scalp,
};
use crate::{
    assets::Pack,
    hair::{
        self, Colours, Hair, Hairline, Style, Wearer,
        beard::{self, Beard},
        brows::{self, Brows},
        lashes::{self, Lashes},
    },
    head::Bound,
    mesh::{Binding, Cover, Material, Mesh, Part, Placement, Region},
    random::Random,
    texture::Texture,
};

/// Share of people whose hair, brows or lashes, each for itself, are of the pack. Reserved people have no others.
const OF_THE_PACK: f32 = 0.3;
/// Share of a scalp full of hair that is painted.
const FULL: f32 = 0.8;
/// Share of men with a beard that is more than stubble.
const BEARDED: f32 = 0.3;

/// Adds all hair of a person, what lies on the skin before what lies on that; gives how many parts come before the hair
/// of the head.
pub(super) fn add(person: &mut Person, studio: &Studio, wearer: &Wearer, parts: &mut Vec<Part>) -> usize {
    brows(person, studio, wearer, parts);
    lashes(person, studio, wearer, parts);
    grown_beard(person, wearer, parts);
    let before = parts.len();
    hair(person, studio, wearer, parts);
    before
}

/// A mesh of the pack by the beginning of its name, for those who have one.
fn of_the_pack<'a>(
    person: &Person,
    studio: &'a Studio,
    prefix: &str,
    random: &mut Random,
) -> Option<(&'a Pack, &'a str)> {
    let pack = studio.assets.pack.as_ref()?;
    let meshes = match prefix {
        "hair_" => &pack.hair,
        "brow_" => &pack.brows,
        _ => &pack.lashes,
    };
    let names = available(meshes.keys(), person.id, prefix);
    let name = random.below(names.len().max(1));
    (random.chance(OF_THE_PACK) || person.is_reserved()).then(|| Some((pack, names.get(name)?.as_str())))?
}

/// Colours of hair that is tinted afterwards.
fn neutral(random: &mut Random) -> Colours {
    let mut colours = Colours::plain(Vec3::splat(NEUTRAL));
    colours.highlights = random.between(0., 0.5);
    colours.roots = random.between(0.6, 0.95);
    colours
}

fn brows(person: &mut Person, studio: &Studio, wearer: &Wearer, parts: &mut Vec<Part>) {
    let mut random = Random::new("brows", &[person.id]);
    let tint = person.palette.brows / NEUTRAL;
    let Some((pack, name)) = of_the_pack(person, studio, "brow_", &mut random) else {
        let brows =
            Brows::draw(&mut random, person.shape.femininity, &neutral(&mut Random::new("brows", &[person.id, 1])));
        // Their colours are darker than those of the hair that they were drawn from.
        let tint = tint * NEUTRAL / brows.colours.mean();
        parts.extend(brows::grow(wearer, &brows, &mut random).map(|part| tinted(part, tint)));
        person.words.insert("brows", "grown".into());
        return;
    };
    let brow = &pack.brows[name];
    let strength = if person.shape.is_feminine() { random.between(0.7, 1.1) } else { random.between(0.9, 1.4) };
    let texture = greyed(&pack.texture(name), strength);
    let (slope, lift) = (random.normal_within(-0.05, 0.08, 2.), random.between(-0.015, 0.035));
    let binding = straightened(brow, wearer.vertices, &texture, slope, lift);
    let material = Material { tint, specular: 0., wrap: Vec3::splat(0.3), ..Material::default() };
    parts.push(Part {
        cover: Cover::Blended,
        casts: false,
        ..plain(Region::Brows, brow.mesh.clone(), Placement::Bound(Arc::new(binding)), texture, material)
    });
    person.words.insert("brows", name.to_owned());
}

fn tinted(mut part: Part, tint: Vec3) -> Part {
    part.material.tint *= tint;
    part
}

/// The binding of brows that rise outwards by `slope` and lie `lift` higher, whatever the mesh was made with.
fn straightened(brow: &Bound, rest: &[Vec3], texture: &Texture, slope: f32, lift: f32) -> Binding {
    let places = brow.binding.fit(rest);
    let own = own_slope(&brow.mesh, &places, texture);
    let mut binding = brow.binding.clone();
    for (offset, place) in binding.offsets.iter_mut().zip(&places) {
        offset.y += (slope - own) * (place.x.abs() - 0.36) + lift;
    }
    binding
}

/// Rise of the hairs outwards, by least squares over the triangles weighted by their alpha.
fn own_slope(mesh: &Mesh, places: &[Vec3], texture: &Texture) -> f32 {
    let (mut weights, mut x, mut y, mut xx, mut xy) = (0., 0., 0., 0., 0.);
    for (triangle, uv) in mesh.triangles.iter().zip(&mesh.uv_triangles) {
        let weight = texture.alpha(uv.iter().map(|&at| mesh.uv[at as usize]).sum::<glam::Vec2>() / 3., 0) + 1e-3;
        let place = triangle.iter().map(|&vertex| places[vertex as usize]).sum::<Vec3>() / 3.;
        let (across, up) = (place.x.abs(), place.y);
        weights += weight;
        x += weight * across;
        y += weight * up;
        xx += weight * across * across;
        xy += weight * across * up;
    }
    (xy - x * y / weights) / (xx - x * x / weights).max(1e-6)
}

/// A texture of hairs without colour of their own: [`NEUTRAL`] on average.
fn greyed(texture: &Texture, opacity: f32) -> Paint {
    let (width, height) = texture.size();
    let texels = texture.texels();
    let light = |texel: &glam::Vec4| (texel.truncate().element_sum() / 3.).powf(0.75);
    let thick: Vec<f32> = texels.iter().filter(|texel| texel.w > 0.5).map(light).collect();
    let mean = (thick.iter().sum::<f32>() / thick.len().max(1) as f32).max(1e-3);
    let grey: Vec<_> = texels
        .iter()
        .map(|texel| {
            let shade = (1. + 0.8 * (light(texel) / mean - 1.)).clamp(0.1, 2.2);
            Vec3::splat(NEUTRAL * shade).extend((texel.w * opacity).min(1.))
        })
        .collect();
    Arc::new(Texture::new(width, height, &grey))
}

fn lashes(person: &Person, studio: &Studio, wearer: &Wearer, parts: &mut Vec<Part>) {
    let mut random = Random::new("lashes", &[person.id]);
    let Some((pack, name)) = of_the_pack(person, studio, "lash_", &mut random) else {
        let lashes = Lashes::draw(&mut random, person.shape.femininity, person.palette.hair);
        parts.extend(lashes::grow(wearer, &lashes, &mut random));
        return;
    };
    let lash = &pack.lashes[name];
    let opacity = if person.shape.is_feminine() { random.between(0.6, 1.2) } else { random.between(0.3, 0.7) };
    let texture = pack.texture(name);
    let (width, height) = texture.size();
    let black: Vec<_> =
        texture.texels().iter().map(|texel| Vec3::splat(0.012).extend((texel.w * opacity).min(1.))).collect();
    let material = Material { specular: 0., wrap: Vec3::splat(0.3), ..Material::default() };
    let binding = Placement::Bound(Arc::new(lash.binding.clone()));
    parts.push(Part {
        cover: Cover::Blended,
        casts: false,
        ..plain(Region::Lashes, lash.mesh.clone(), binding, Arc::new(Texture::new(width, height, &black)), material)
    });
}

fn grown_beard(person: &mut Person, wearer: &Wearer, parts: &mut Vec<Part>) {
    let mut random = Random::new("beard", &[person.id]);
    if person.shape.is_feminine() || !random.chance(BEARDED) {
        return;
    }
    let colours = neutral(&mut random);
    let beard = Beard::draw(&mut random, &colours);
    let tint = person.palette.hair / beard.colours.mean();
    parts.extend(beard::grow(wearer, &beard, &mut random).into_iter().map(|part| tinted(part, tint)));
    person.words.insert("beard", format!("{:?}", beard.kind).to_lowercase());
}

/// Hair of the pack or, for most, hair that is grown.
fn hair(person: &mut Person, studio: &Studio, wearer: &Wearer, parts: &mut Vec<Part>) {
    let mut random = Random::new("hair", &[person.id]);
    match of_the_pack(person, studio, "hair_", &mut random) {
        Some((pack, name)) => made_hair(person, studio, pack, name, &mut random, parts),
        None => grown_hair(person, wearer, &mut random, parts),
    }
}

fn grown_hair(person: &mut Person, wearer: &Wearer, random: &mut Random, parts: &mut Vec<Part>) {
    let coils = (person.shape.origins[2] * random.between(0.2, 1.2)).clamp(0., 1.);
    let colours = neutral(random);
    let hair = Hair::draw(random, person.shape.femininity, person.shape.age, coils, colours);
    let share = if hair.style == Style::Bald { 0.08 } else { FULL };
    person.scalp = Scalp { share, hairline: hair.hairline };
    let tint = person.palette.hair / NEUTRAL;
    parts.extend(hair::grow(wearer, &hair, random).into_iter().map(|part| tinted(part, tint)));
    person.words.insert("hair", format!("{:?}", hair.style).to_lowercase());
}

fn made_hair(
    person: &mut Person,
    studio: &Studio,
    pack: &Pack,
    name: &str,
    random: &mut Random,
    parts: &mut Vec<Part>,
) {
    let hair = &pack.hair[name];
    person.scalp = Scalp { share: FULL, hairline: Hairline::default() };
    let measures = person.shape.measures(&studio.assets.head);
    let mirrored = random.chance(0.5);
    let volume = random.between(0.985, 1.07);
    let bottom = measures.centre.y - measures.height / 2.;
    let places: Vec<Vec3> = hair
        .binding
        .fit(&person.shape.vertices)
        .into_iter()
        .map(|place| {
            let place = if mirrored { place * Vec3::new(-1., 1., 1.) } else { place };
            let high = ((place.y - bottom) / (0.5 * measures.height)).clamp(0., 1.);
            let grown = Vec3::ONE + (volume - 1.) * high * Vec3::new(1., 0.6, 0.3);
            measures.centre + (place - measures.centre) * grown
        })
        .collect();
    let fringe = random.between(0.19, 0.31);
    let scale = measures.height / 2.33;
    let eyes = person.shape.vertices_height_of_eyes(studio);
    // What hangs over the face is trimmed.
    let clip = places
        .iter()
        .map(|place| {
            let across = place.x / (0.6 * scale);
            let down = (place.y - (eyes - 0.42 * scale)) / ((fringe + 0.42) * scale);
            if place.z > measures.centre.z + 0.25 * scale { (across.hypot(down) - 1.) * 9. + 0.5 } else { 3. }
        })
        .collect();
    let material = Material {
        tint: person.palette.hair / NEUTRAL,
        specular: 0.1,
        gloss: 22.,
        wrap: Vec3::splat(0.25),
        ambient: 0.9,
        translucency: 0.1,
        ..Material::default()
    };
    let texture = greyed(&pack.texture(name), 1.);
    parts.push(Part {
        cover: Cover::Strands(0.7),
        clip,
        ..plain(Region::Hair, hair.mesh.clone(), Placement::Fixed(Arc::new(places)), texture, material)
    });
    person.words.insert("hair", name.to_owned());
}

impl Shape {
    fn vertices_height_of_eyes(&self, studio: &Studio) -> f32 {
        let places = studio.assets.head.inner.eyes.binding.fit(&self.vertices);
        places.iter().map(|place| place.y).sum::<f32>() / places.len().max(1) as f32
    }
}
