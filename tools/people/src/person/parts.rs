//! The parts that a person is made of.

use std::sync::Arc;

use glam::Vec3;

use super::{Paint, Palette, Person, RESERVED_FROM, Studio, eyes, growth, mouth, skin, wardrobe};
use crate::{
    hair::Wearer,
    mesh::{Cover, Material, Mesh, Part, Placement, Region},
    noise::smooth,
    random::Random,
};

/// Reflectance of textures whose colour comes from the material's tint, so that it can change without them.
pub(crate) const NEUTRAL: f32 = 0.18;

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

/// Gives a person all parts; clothes if they are to be `dressed`.
pub(super) fn assemble(person: &mut Person, studio: &Studio, take: u32, dressed: bool) {
    let head = &studio.assets.head;
    let rest = person.shape.vertices.clone();
    let normals = crate::render::normals(&rest, &head.mesh.triangles);
    let wearer = Wearer { head, vertices: &rest, normals: &normals, map: &studio.sites.map };

    let mut parts = Vec::new();
    let dressed = if dressed {
        wardrobe::dress(person, studio, &wearer, take, &mut parts)
    } else {
        wardrobe::Dressed::not_here(rest.len())
    };
    // Hair is chosen first, since the scalp below it is painted to match.
    let mut grown = Vec::new();
    let before = growth::add(person, studio, &wearer, &mut grown);
    skin(person, studio, &dressed.covered, &mut parts);
    mouth::add_inner(person, studio, &mut parts);
    let hair = parts.len() + before;
    parts.extend(grown);
    wardrobe::adorn(person, &wearer, take, &dressed, hair, &mut parts);
    person.parts = parts;
}

/// The parts in the colours of another palette.
pub(super) fn repaint(person: &Person, palette: &Palette, studio: &Studio, random: &mut Random) -> Vec<Part> {
    let shape = &person.shape;
    let feminine = shape.is_feminine();
    let texture = Arc::new(skin::paint(&studio.small_sites, palette, shape.age, feminine, person.scalp));
    let eye = eyes::paint(random, palette.darkness);
    let dye = wardrobe::fabric(random) * 2.5;
    let mut parts = person.parts.clone();
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
pub(crate) fn plain(region: Region, mesh: Mesh, placement: Placement, texture: Paint, material: Material) -> Part {
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
    let texture = Arc::new(skin::paint(
        &studio.sites,
        &person.palette,
        person.shape.age,
        person.shape.is_feminine(),
        person.scalp,
    ));
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
    let inside =
        Part { casts: false, occlusion: vec![0.45; count], ..plain(Region::Mouth, mesh, placement, texture, material) };
    parts.extend([outside, inside]);
}

/// A mesh with only the vertices that it uses, and which those were.
pub(crate) fn compact(mesh: &Mesh) -> (Mesh, Vec<u32>) {
    let mut used: Vec<u32> = mesh.triangles.iter().flatten().copied().collect();
    used.sort_unstable();
    used.dedup();
    let number = |vertex: u32| used.partition_point(|&other| other < vertex) as u32;
    let triangles = mesh.triangles.iter().map(|triangle| triangle.map(number)).collect();
    (Mesh { triangles, ..mesh.clone() }, used)
}

pub(crate) fn some_triangles(mesh: &Mesh, keep: impl Fn(&[u32; 3]) -> bool) -> Mesh {
    let kept = mesh.triangles.iter().zip(&mesh.uv_triangles).filter(|(triangle, _)| keep(triangle));
    let (triangles, uv_triangles) = kept.unzip();
    Mesh { triangles, uv_triangles, uv: mesh.uv.clone() }
}

/// Names that a person of this id may have: reserved people have what is reserved, where there is such.
pub(super) fn available<'a>(names: impl Iterator<Item = &'a String>, id: u64, prefix: &str) -> Vec<&'a String> {
    let reserved = id >= RESERVED_FROM;
    names.filter(|name| name.starts_with(prefix) && RESERVED.contains(&name.as_str()) == reserved).collect()
}
