//! Eyes, teeth and tongue.

use std::sync::Arc;

use glam::Vec3;

use super::{
    Paint, Person, Studio, eyes,
    parts::{plain, some_triangles},
};
use crate::{
    head::Bound,
    mesh::{Material, Part, Placement, Region},
    noise::smooth,
    random::Random,
    texture::{Texture, srgb},
};

/// Adds eyes, teeth and tongue.
pub(super) fn add_inner(person: &Person, studio: &Studio, parts: &mut Vec<Part>) {
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
