//! The parts that a person is made of.

use std::sync::Arc;

use glam::Vec3;

use super::{Paint, Palette, Person, RESERVED_FROM, Shape, Studio, eyes, skin, wardrobe};
use crate::{
    assets::Pack,
    hair::{self, Colours, Hair, Wearer},
    head::Bound,
    mesh::{Binding, Cover, Material, Mesh, Part, Placement, Region},
    noise::smooth,
    random::Random,
    texture::{Texture, srgb},
};

/// Reflectance of textures whose colour comes from the material's tint, so that it can change without them.
pub(crate) const NEUTRAL: f32 = 0.18;

/// Share of people whose hair is a mesh of the pack.
const OF_THE_PACK: f32 = 0.3;

/// Meshes of a pack that only reserved people have.
const RESERVED: [&str; 12] = [
    "hair_short04",
    "hair_braid01",
    "cloth_male_casualsuit06",
    "cloth_male_worksuit01",
    "cloth_female_sportsuit01",
    "brow_09",
    "brow_10",
    "brow_11",
    "brow_12",
    "lash_04",
    "eye_grey",
    "eye_ice",
];

/// Gives a person all parts.
pub(super) fn assemble(person: &mut Person, studio: &Studio, take: u32) {
    let mut parts = Vec::new();
    let covered = clothes(person, studio, take, &mut parts);
    skin(person, studio, &covered, &mut parts);
    inner(person, studio, &mut parts);
    brows(person, studio, &mut parts);
    lashes(person, studio, &mut parts);
    hair(person, studio, &mut parts);
    person.parts = parts;
}

/// The parts in the colours of another palette.
pub(super) fn repaint(
    parts: &[Part], palette: &Palette, studio: &Studio, shape: &Shape, random: &mut Random,
) -> Vec<Part> {
    let feminine = shape.is_feminine();
    let stubble = skin::Stubble { scalp: 0.6, hairline: 0. };
    let texture = Arc::new(skin::paint(&studio.small_sites, palette, shape.age, feminine, stubble));
    let eye = eyes::paint(random, palette.darkness);
    let dye = wardrobe::fabric(random) * 2.5;
    let mut parts = parts.to_vec();
    for part in &mut parts {
        match part.region {
            Region::Skin => {
                part.texture = texture.clone();
                part.material = skin_material(palette);
            }
            Region::Mouth if matches!(part.placement, Placement::Shell { .. }) => part.texture = texture.clone(),
            Region::Eyes => part.texture = eye.clone(),
            Region::Hair => part.material.tint = palette.hair / NEUTRAL,
            Region::Brows => part.material.tint = palette.brows / NEUTRAL,
            Region::Clothes => part.material.tint *= Vec3::splat(0.15) + 0.85 * dye.min(Vec3::splat(1.6)),
            _ => {}
        }
    }
    parts
}

fn skin_material(palette: &Palette) -> Material {
    Material {
        specular: palette.shine * (0.8 + 0.5 * palette.darkness),
        gloss: 16.,
        wrap: Vec3::new(0.42, 0.22, 0.14).lerp(Vec3::new(0.3, 0.18, 0.12), smooth(0.3, 0.7, palette.darkness)),
        two_sided: false,
        translucency: 0.12,
        ..Material::default()
    }
}

/// A part with nothing special about it.
fn plain(region: Region, mesh: Mesh, placement: Placement, texture: Paint, material: Material) -> Part {
    Part {
        region,
        mesh: Arc::new(mesh),
        placement,
        texture,
        material,
        cover: Cover::Opaque,
        casts: true,
        clip: Vec::new(),
        occlusion: Vec::new(),
        smooth: None,
    }
}

fn skin(person: &Person, studio: &Studio, covered: &[bool], parts: &mut Vec<Part>) {
    let head = &studio.assets.head;
    let stubble = skin::Stubble { scalp: 0.8, hairline: 0. };
    let texture =
        Arc::new(skin::paint(&studio.sites, &person.palette, person.shape.age, person.shape.is_feminine(), stubble));
    let chosen = |inside: bool| {
        let keep = |triangle: &[u32; 3]| {
            let hidden = triangle.iter().any(|&vertex| covered[vertex as usize]);
            let cavity = triangle.iter().all(|&vertex| head.cavity[vertex as usize]);
            !hidden && cavity == inside
        };
        some_triangles(&head.mesh, keep)
    };
    let mut outside =
        plain(Region::Skin, chosen(false), Placement::Head, texture.clone(), skin_material(&person.palette));
    outside.smooth = Some(Arc::new(head.mesh.triangles.clone()));
    let material =
        Material { specular: 0.02, wrap: Vec3::splat(0.3), ambient: 0.5, translucency: 0.1, ..Material::default() };
    let (mesh, vertices) = compact(&chosen(true));
    let count = vertices.len();
    let placement = Placement::Shell { vertices: Arc::new(vertices), offsets: Arc::new(vec![Vec3::ZERO; count]) };
    let inside = Part {
        casts: false,
        occlusion: vec![0.45; count],
        ..plain(Region::Mouth, mesh, placement, texture, material)
    };
    parts.extend([outside, inside]);
}

/// A mesh with only the vertices that it uses, and which those were.
fn compact(mesh: &Mesh) -> (Mesh, Vec<u32>) {
    let mut used: Vec<u32> = mesh.triangles.iter().flatten().copied().collect();
    used.sort_unstable();
    used.dedup();
    let number = |vertex: u32| used.partition_point(|&other| other < vertex) as u32;
    let triangles = mesh.triangles.iter().map(|triangle| triangle.map(number)).collect();
    (Mesh { triangles, ..mesh.clone() }, used)
}

fn some_triangles(mesh: &Mesh, keep: impl Fn(&[u32; 3]) -> bool) -> Mesh {
    let kept = mesh.triangles.iter().zip(&mesh.uv_triangles).filter(|(triangle, _)| keep(triangle));
    let (triangles, uv_triangles) = kept.unzip();
    Mesh { triangles, uv_triangles, uv: mesh.uv.clone() }
}

/// Puts clothes on; gives the vertices of the head that they hide.
fn clothes(person: &mut Person, studio: &Studio, take: u32, parts: &mut Vec<Part>) -> Vec<bool> {
    let mut covered = vec![false; studio.assets.head.vertices.len()];
    let mut random = Random::new("clothes", &[person.id, u64::from(take)]);
    let Some(pack) = &studio.assets.pack else { return covered };
    let sexes = if person.shape.is_feminine() { ["female", "male"] } else { ["male", "female"] };
    let sex = if random.chance(0.85) { sexes[0] } else { sexes[1] };
    let names = available(pack.clothes.keys(), person.id, &format!("cloth_{sex}"));
    let Some(name) = (!names.is_empty()).then(|| *random.pick(&names)) else { return covered };
    let cloth = &pack.clothes[name];
    cloth.hides.iter().for_each(|&vertex| covered[vertex as usize] = true);
    let places = cloth.binding.fit(&person.shape.vertices);
    let material = Material { specular: 0.02, wrap: Vec3::splat(0.12), ..Material::default() };
    let texture = wardrobe::dye(&mut random, &pack.texture(name));
    parts.push(Part {
        cover: Cover::Cutout(0.5),
        ..plain(Region::Clothes, cloth.mesh.clone(), Placement::Fixed(Arc::new(places)), texture, material)
    });
    person.words.insert("clothes", name.clone());
    covered
}

/// Names that a person of this id may have: reserved people have what is reserved, where there is such.
fn available<'a>(names: impl Iterator<Item = &'a String>, id: u64, prefix: &str) -> Vec<&'a String> {
    let reserved = id >= RESERVED_FROM;
    names.filter(|name| name.starts_with(prefix) && RESERVED.contains(&name.as_str()) == reserved).collect()
}

/// Eyes, teeth and tongue.
fn inner(person: &Person, studio: &Studio, parts: &mut Vec<Part>) {
    let inner = &studio.assets.head.inner;
    let rest = &person.shape.vertices;
    let mut random = Random::new("eyes", &[person.id]);
    let material = Material {
        // Exposures are for the skin around them.
        tint: Vec3::splat(0.9 - 0.35 * person.palette.darkness),
        specular: 0.6,
        gloss: 140.,
        wrap: Vec3::new(0.25, 0.2, 0.2),
        two_sided: false,
        ambient: 0.85,
        translucency: 0.15,
        reflection: 0.25,
    };
    let mesh = eyes::by_direction(&inner.eyes, &inner.eyes.binding.fit(rest));
    // A little deeper than the mesh has them: squinting lids would not cover them.
    let mut binding = inner.eyes.binding.clone();
    binding.offsets.iter_mut().for_each(|offset| offset.z -= 0.014);
    let binding = Placement::Bound(Arc::new(binding));
    parts.push(plain(Region::Eyes, mesh, binding, eyes::paint(&mut random, person.palette.darkness), material));
    let mut teeth = in_the_mouth(&inner.teeth, rest, teeth_texture(studio), Vec3::new(1.25, 1.18, 1.06), 0.45, true);
    teeth.material.tint *= random.between(0.75, 1.05) * Vec3::new(1., 1., random.between(0.82, 1.));
    let tongue = in_the_mouth(&inner.tongue, rest, tongue_texture(studio), Vec3::new(0.62, 0.42, 0.42), 0.5, false);
    parts.extend([teeth, tongue]);
}

fn teeth_texture(studio: &Studio) -> Paint {
    let pack = studio.assets.pack.as_ref().and_then(|pack| pack.textures.get("teeth").cloned());
    pack.unwrap_or_else(|| Arc::new(Texture::plain(srgb(226, 214, 194))))
}

fn tongue_texture(studio: &Studio) -> Paint {
    let pack = studio.assets.pack.as_ref().and_then(|pack| pack.textures.get("tongue").cloned());
    pack.unwrap_or_else(|| Arc::new(Texture::plain(srgb(190, 110, 108))))
}

/// Teeth or tongue: dark towards the throat, and lowered with the jaw so that they stay behind the lower lip.
fn in_the_mouth(bound: &Bound, rest: &[Vec3], texture: Paint, tint: Vec3, depth: f32, teeth: bool) -> Part {
    let places = bound.binding.fit(rest);
    let front = places.iter().map(|place| place.z).fold(f32::MIN, f32::max);
    let mut heights: Vec<f32> = places.iter().map(|place| place.y).collect();
    heights.sort_by(f32::total_cmp);
    let middle = heights.get(heights.len() / 2).copied().unwrap_or_default();
    let lowered = |place: &Vec3| {
        let share = if teeth { smooth(0., -0.03, place.y - middle) } else { 0.9 };
        share * Vec3::new(0., -0.11, -0.09)
    };
    let light = |place: &Vec3| 0.12 + 0.88 * ((place.z - front + depth) / depth).clamp(0., 1.).powf(1.3);
    let material = Material {
        tint,
        specular: 0.12,
        gloss: 30.,
        wrap: Vec3::splat(0.3),
        translucency: 0.3,
        two_sided: !teeth,
        ..Material::default()
    };
    let placement = Placement::Jaw {
        binding: Arc::new(bound.binding.clone()),
        drops: Arc::new(places.iter().map(lowered).collect()),
    };
    // The lower gum would pierce the chin.
    let gum = |place: &Vec3| (place.y - middle + 0.125) * 30. + 0.5;
    // What is far back is never seen, and there are many small triangles there.
    let near = |triangle: &[u32; 3]| triangle.iter().any(|&vertex| places[vertex as usize].z > front - 1.2 * depth);
    Part {
        casts: false,
        occlusion: places.iter().map(light).collect(),
        clip: if teeth { places.iter().map(gum).collect() } else { Vec::new() },
        ..plain(Region::Mouth, some_triangles(&bound.mesh, near), placement, texture, material)
    }
}

fn brows(person: &mut Person, studio: &Studio, parts: &mut Vec<Part>) {
    let Some(pack) = &studio.assets.pack else { return };
    let mut random = Random::new("brows", &[person.id]);
    let names = available(pack.brows.keys(), person.id, "brow_");
    let Some(name) = (!names.is_empty()).then(|| *random.pick(&names)) else { return };
    let brow = &pack.brows[name];
    let strength = if person.shape.is_feminine() { random.between(0.7, 1.1) } else { random.between(0.9, 1.4) };
    let texture = greyed(&pack.texture(name), strength);
    let (slope, lift) = (random.normal_within(-0.05, 0.08, 2.), random.between(-0.015, 0.035));
    let binding = straightened(brow, &person.shape.vertices, &texture, slope, lift);
    let material = Material {
        tint: person.palette.brows / NEUTRAL,
        specular: 0.,
        wrap: Vec3::splat(0.3),
        ..Material::default()
    };
    parts.push(Part {
        cover: Cover::Blended,
        casts: false,
        ..plain(Region::Brows, brow.mesh.clone(), Placement::Bound(Arc::new(binding)), texture, material)
    });
    person.words.insert("brows", name.clone());
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

fn lashes(person: &Person, studio: &Studio, parts: &mut Vec<Part>) {
    let Some(pack) = &studio.assets.pack else { return };
    let mut random = Random::new("lashes", &[person.id]);
    let names = available(pack.lashes.keys(), person.id, "lash_");
    let Some(name) = (!names.is_empty()).then(|| *random.pick(&names)) else { return };
    let lash = &pack.lashes[name];
    let opacity = if person.shape.is_feminine() { random.between(0.6, 1.2) } else { random.between(0.3, 0.7) };
    let texture = pack.texture(name);
    let (width, height) = texture.size();
    let black = texture.texels().iter().map(|texel| Vec3::splat(0.012).extend((texel.w * opacity).min(1.))).collect::<Vec<_>>();
    let material = Material { specular: 0., wrap: Vec3::splat(0.3), ..Material::default() };
    let binding = Placement::Bound(Arc::new(lash.binding.clone()));
    parts.push(Part {
        cover: Cover::Blended,
        casts: false,
        ..plain(Region::Lashes, lash.mesh.clone(), binding, Arc::new(Texture::new(width, height, &black)), material)
    });
}

/// Hair of the pack or, for most, hair that is grown.
fn hair(person: &mut Person, studio: &Studio, parts: &mut Vec<Part>) {
    let mut random = Random::new("hair", &[person.id]);
    let names = studio.assets.pack.iter().flat_map(|pack| available(pack.hair.keys(), person.id, "hair_"));
    let names: Vec<&String> = names.collect();
    let made = person.is_reserved() || random.chance(OF_THE_PACK);
    match &studio.assets.pack {
        Some(pack) if made && !names.is_empty() => {
            let name: &str = *random.pick(&names);
            made_hair(person, studio, pack, name, &mut random, parts);
        }
        _ => grown_hair(person, studio, &mut random, parts),
    }
}

fn grown_hair(person: &mut Person, studio: &Studio, random: &mut Random, parts: &mut Vec<Part>) {
    let head = &studio.assets.head;
    let rest = &person.shape.vertices;
    let normals = crate::render::normals(rest, &head.mesh.triangles);
    let wearer = Wearer { head, vertices: rest, normals: &normals, map: &studio.sites.map };
    let coils = (person.shape.origins[2] * random.between(0.2, 1.2)).clamp(0., 1.);
    let mut colours = Colours::plain(Vec3::splat(NEUTRAL));
    colours.highlights = random.between(0., 0.5);
    colours.roots = random.between(0.6, 0.95);
    let hair = Hair::draw(random, person.shape.femininity, person.shape.age, coils, colours);
    for mut part in hair::grow(&wearer, &hair, random) {
        part.material.tint *= person.palette.hair / NEUTRAL;
        parts.push(part);
    }
    person.words.insert("hair", format!("{:?}", hair.style).to_lowercase());
}

fn made_hair(
    person: &mut Person, studio: &Studio, pack: &Pack, name: &str, random: &mut Random, parts: &mut Vec<Part>,
) {
    let hair = &pack.hair[name];
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
