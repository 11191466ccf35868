//! What people wear, which changes from take to take.

use std::sync::Arc;

use glam::{Mat3, Vec3, Vec4};

use super::{
    Paint, Person, Studio,
    parts::{available, plain},
};
use crate::{
    assets::Pack,
    hair::Wearer,
    mesh::{Cover, Material, Part, Placement, Region},
    props::{
        clothes::{self, Outfit},
        glasses::{self, Glasses},
        hat::{self, Hat},
        jewellery::{self, Jewellery},
    },
    random::Random,
    texture::{Texture, hsv},
};

/// Share of takes with clothes of the pack, where there is one; reserved people have no others.
const OF_THE_PACK: f32 = 0.55;
/// Share of people who wear glasses, and of takes with a hat.
const GLASSES: f32 = 0.12;
const HATS: f32 = 0.1;

/// What clothes leave to be seen.
pub(super) struct Dressed {
    /// The vertices of the head that they hide.
    pub(super) covered: Vec<bool>,
    bares_throat: bool,
}

impl Dressed {
    /// Somebody else sees to the clothes, up to the throat.
    pub(super) fn not_here(vertices: usize) -> Self {
        Self { covered: vec![false; vertices], bares_throat: false }
    }
}

/// Puts clothes on.
pub(super) fn dress(
    person: &mut Person,
    studio: &Studio,
    wearer: &Wearer,
    take: u32,
    parts: &mut Vec<Part>,
) -> Dressed {
    let mut random = Random::new("clothes", &[person.id, u64::from(take)]);
    let made = random.chance(OF_THE_PACK) || person.is_reserved();
    let cloth = studio.assets.pack.as_ref().filter(|_| made).and_then(|pack| choose(person, pack, &mut random));
    let mut covered = vec![false; wearer.vertices.len()];
    if let Some((pack, name)) = cloth {
        for &vertex in &pack.clothes[name].hides {
            covered[vertex as usize] = true;
        }
        parts.push(made_cloth(pack, name, wearer, &mut random));
        person.words.insert("clothes", name.to_owned());
        Dressed { covered, bares_throat: false }
    } else {
        let outfit = Outfit::draw(&mut random, person.shape.femininity);
        parts.extend(clothes::make(wearer, &outfit));
        person.words.insert("clothes", format!("{:?}", outfit.garment).to_lowercase());
        Dressed { covered, bares_throat: outfit.bares_throat() }
    }
}

fn choose<'a>(person: &Person, pack: &'a Pack, random: &mut Random) -> Option<(&'a Pack, &'a str)> {
    let sexes = if person.shape.is_feminine() { ["female", "male"] } else { ["male", "female"] };
    let sex = if random.chance(0.85) { sexes[0] } else { sexes[1] };
    let names = available(pack.clothes.keys(), person.id, &format!("cloth_{sex}"));
    (!names.is_empty()).then(|| (pack, random.pick(&names).as_str()))
}

fn made_cloth(pack: &Pack, name: &str, wearer: &Wearer, random: &mut Random) -> Part {
    let cloth = &pack.clothes[name];
    let places = cloth.binding.fit(wearer.vertices);
    let material = Material { specular: 0.02, wrap: Vec3::splat(0.12), ..Material::default() };
    let texture = dye(random, &pack.texture(name));
    Part {
        cover: Cover::Cutout(0.5),
        ..plain(Region::Clothes, cloth.mesh.clone(), Placement::Fixed(Arc::new(places)), texture, material)
    }
}

/// Adds hat, jewellery and glasses; the parts from `hair` on go under the hat.
pub(super) fn adorn(
    person: &mut Person,
    wearer: &Wearer,
    take: u32,
    dressed: &Dressed,
    hair: usize,
    parts: &mut Vec<Part>,
) {
    let mut jewellery = Jewellery::draw(&mut Random::new("jewellery", &[person.id]), person.shape.femininity);
    if !dressed.bares_throat {
        jewellery.necklace = None;
    }
    let mut random = Random::new("hat", &[person.id, u64::from(take)]);
    if random.chance(HATS) {
        let hat = Hat::draw(&mut random, person.shape.femininity);
        if hat.wraps_neck() {
            jewellery.earring = None;
        }
        let worn = hat::make(wearer, &hat);
        worn.clip(wearer, &mut parts[hair..]);
        parts.extend(worn.parts);
        person.words.insert("hat", format!("{:?}", hat.kind).to_lowercase());
    }
    parts.extend(jewellery::make(wearer, &jewellery));
    let mut random = Random::new("glasses", &[person.id]);
    if random.chance(GLASSES) {
        let worn = Glasses::draw(&mut random, 0.1);
        parts.extend(glasses::make(wearer, &worn));
        person.words.insert("glasses", format!("{:?}", worn.shape).to_lowercase());
    }
}

/// Another colouring of a cloth's texture: plain with its folds kept, or its own colours turned.
fn dye(random: &mut Random, cloth: &Texture) -> Paint {
    let (width, height) = cloth.size();
    let texels = cloth.texels();
    let dyed: Vec<Vec4> = if random.chance(0.5) {
        let colour = fabric(random);
        let mean = texels.iter().map(|texel| texel.truncate().element_sum()).sum::<f32>() / (3 * texels.len()) as f32;
        let shade = |texel: &Vec4| (texel.truncate().element_sum() / (3. * mean.max(1e-3))).powf(0.5).clamp(0.5, 1.4);
        texels.iter().map(|texel| (colour * shade(texel)).extend(texel.w)).collect()
    } else {
        let turn = hue_turn(random.unit() * std::f32::consts::TAU);
        let (saturation, value) = (random.between(0.25, 1.3), random.between(0.4, 1.3));
        texels
            .iter()
            .map(|texel| {
                let turned = turn * texel.truncate();
                let grey = Vec3::splat(turned.element_sum() / 3.);
                (grey.lerp(turned, saturation) * value).clamp(Vec3::splat(0.003), Vec3::splat(0.85)).extend(texel.w)
            })
            .collect()
    };
    Arc::new(Texture::new(width, height, &dyed))
}

/// A colour that cloth has: mostly muted, sometimes bright.
pub(super) fn fabric(random: &mut Random) -> Vec3 {
    hsv(random.unit(), random.unit().powf(1.3) * 0.85, random.between(0.08, 0.95))
}

/// Turns hues, as a rotation about the axis of greys.
fn hue_turn(angle: f32) -> Mat3 {
    Mat3::from_axis_angle(Vec3::ONE.normalize(), angle)
}
