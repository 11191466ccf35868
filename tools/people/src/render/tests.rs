//! Squares before a camera, whose pictures are known.

use std::sync::Arc;

use glam::{Vec2, Vec3, Vec4};

use super::*;
use crate::{
    backdrop::Ambient,
    camera::Measures,
    mesh::{Material, Mesh, Placement},
    random::Random,
    texture::Texture,
};

const SIZE: usize = 32;

/// A square of half a picture's width at a depth, whose texture has this alpha.
fn square(region: Region, cover: Cover, alpha: f32) -> Part {
    let triangles = vec![[0, 1, 2], [0, 2, 3]];
    Part {
        region,
        mesh: Arc::new(Mesh {
            uv_triangles: triangles.clone(),
            triangles,
            uv: vec![Vec2::ZERO, Vec2::X, Vec2::ONE, Vec2::Y],
        }),
        placement: Placement::Head,
        texture: Arc::new(Texture::new(1, 1, &[Vec4::new(0.5, 0.5, 0.5, alpha)])),
        material: Material { specular: 0., ..Material::default() },
        cover,
        casts: false,
        clip: Vec::new(),
        occlusion: Vec::new(),
        smooth: None,
    }
}

/// Corners of a square around a place.
fn corners(centre: Vec3, half: f32) -> Vec<Vec3> {
    [(-1., -1.), (1., -1.), (1., 1.), (-1., 1.)].map(|(x, y)| centre + half * Vec3::new(x, y, 0.)).to_vec()
}

struct Stage {
    camera: Camera,
    lighting: Lighting,
    backdrop: Picture,
    creases: Creases,
}

impl Stage {
    fn new() -> Self {
        let light = Vec3::splat(0.5);
        Self {
            camera: Camera::straight(Measures { centre: Vec3::ZERO, height: 2. }),
            lighting: Lighting {
                lamps: Vec::new(),
                ambient: Ambient { sky: light, ground: light, left: light, right: light },
            },
            backdrop: Picture::plain(SIZE, Vec3::splat(0.1)),
            creases: Creases::none(),
        }
    }

    fn scene<'a>(&'a self, parts: &'a [Part]) -> Scene<'a> {
        Scene {
            parts,
            camera: &self.camera,
            lighting: &self.lighting,
            backdrop: &self.backdrop,
            creases: (&self.creases, [0.; Creases::KINDS]),
            floor: None,
            samples: 2,
        }
    }
}

fn pose(parts: &[Part], places: Vec<Vec<Vec3>>) -> Pose {
    Pose {
        order: Pose::order(parts, &places),
        normals: vec![None; places.len()],
        folds: vec![Vec::new(); places.len()],
        places,
    }
}

fn middle(rendered: &Rendered) -> f32 {
    rendered.picture.at(SIZE as isize / 2, SIZE as isize / 2).x
}

#[test]
fn the_nearer_square_is_seen() {
    let stage = Stage::new();
    let parts = [square(Region::Skin, Cover::Opaque, 1.), square(Region::Eyes, Cover::Opaque, 1.)];
    for (first, second, seen) in [(0., 0.5, Region::Eyes), (0.5, 0., Region::Skin)] {
        let places = [first, second].map(|depth| corners(Vec3::new(0., 0., depth), 0.5)).to_vec();
        let rendered = stage.scene(&parts).render(&pose(&parts, places));
        assert_eq!(rendered.regions[SIZE / 2 * SIZE + SIZE / 2], seen as u8);
        assert_eq!(rendered.regions[0], Region::Background as u8);
    }
}

#[test]
fn ambient_light_is_all_that_a_square_without_lamps_has() {
    let stage = Stage::new();
    let parts = [square(Region::Skin, Cover::Opaque, 1.)];
    let rendered = stage.scene(&parts).render(&pose(&parts, vec![corners(Vec3::ZERO, 0.5)]));
    assert!((middle(&rendered) - 0.25).abs() < 0.01, "{}", middle(&rendered));
    assert!((rendered.picture.at(0, 0).x - 0.1).abs() < 1e-6);
}

#[test]
fn blended_alpha_mixes_with_what_lies_behind() {
    let stage = Stage::new();
    let parts = [square(Region::Lashes, Cover::Blended, 0.5)];
    let rendered = stage.scene(&parts).render(&pose(&parts, vec![corners(Vec3::ZERO, 0.5)]));
    assert!((middle(&rendered) - (0.5 * 0.25 + 0.5 * 0.1)).abs() < 0.01, "{}", middle(&rendered));
}

#[test]
fn thin_texels_of_a_cutout_are_not_there() {
    let stage = Stage::new();
    for (alpha, covered) in [(0.4, false), (0.6, true)] {
        let parts = [square(Region::Clothes, Cover::Cutout(0.5), alpha)];
        let rendered = stage.scene(&parts).render(&pose(&parts, vec![corners(Vec3::ZERO, 0.5)]));
        assert_eq!(rendered.regions[SIZE / 2 * SIZE + SIZE / 2] == Region::Clothes as u8, covered);
    }
}

#[test]
fn flow_leads_back_to_the_first_frame() {
    let stage = Stage::new();
    let parts = [square(Region::Skin, Cover::Opaque, 1.)];
    let scene = stage.scene(&parts);
    let first = pose(&parts, vec![corners(Vec3::ZERO, 0.5)]);
    let origin = Origin::new(&scene, &first, &scene.render(&first));
    let moved = pose(&parts, vec![corners(Vec3::new(0.1, 0.2, 0.), 0.5)]);
    let rendered = scene.render(&moved);
    let flow = origin.flow(&scene, &moved, &rendered);

    let pixels_per_unit = stage.camera.project(Vec3::X, 1.).x - stage.camera.project(Vec3::ZERO, 1.).x;
    let [x, y, seen] = flow[SIZE / 2 * SIZE + SIZE / 2];
    assert!((x + 2. * 0.1 * pixels_per_unit).abs() < 1e-3, "{x}: what moved right comes from the left");
    assert!((y - 2. * 0.2 * pixels_per_unit).abs() < 1e-3, "{y}: what moved up comes from below");
    assert_eq!(seen, 1.);

    let uncovered = flow.iter().zip(&rendered.regions).filter(|(flow, region)| **region == 0 && flow[2] == 0.);
    assert!(uncovered.count() > 10, "the backdrop behind the square's old place was not seen in the first frame");
}

#[test]
fn what_hides_in_the_first_frame_is_not_seen_there() {
    let stage = Stage::new();
    let parts = [square(Region::Skin, Cover::Opaque, 1.), square(Region::Mouth, Cover::Opaque, 1.)];
    let scene = stage.scene(&parts);
    let behind = corners(Vec3::new(0., 0., -0.5), 0.3);
    let closed = pose(&parts, vec![corners(Vec3::ZERO, 0.5), behind.clone()]);
    let open = pose(&parts, vec![corners(Vec3::new(2., 0., 0.), 0.5), behind]);
    let origin = Origin::new(&scene, &closed, &scene.render(&closed));
    let flow = origin.flow(&scene, &open, &scene.render(&open));
    let [x, y, seen] = flow[SIZE / 2 * SIZE + SIZE / 2];
    assert!(x.abs() < 1e-4 && y.abs() < 1e-4 && seen == 0., "{x} {y} {seen}");
}

#[test]
fn what_is_near_to_a_floor_darkens_it_and_what_is_far_does_not() {
    let stage = Stage::new();
    let mut parts = [square(Region::Clothes, Cover::Opaque, 1.)];
    parts[0].casts = true;
    // A floor that faces the camera, as wide as the picture.
    let share = |at: usize| (at as f32 + 0.5) / SIZE as f32 * 2. - 1.;
    let place = |at: usize| Some((Vec3::new(share(at % SIZE), -share(at / SIZE), 0.), 1.));
    let floor = Floor { places: (0..SIZE * SIZE).map(place).collect(), up: Vec3::Z };
    let light = |height: f32| {
        let scene = Scene { floor: Some(&floor), ..stage.scene(&parts) };
        let board = corners(Vec3::new(0., 0., height), 0.25);
        // Right beside the board, which hides what is below it.
        scene.render(&pose(&parts, vec![board])).picture.at(SIZE as isize * 21 / 32, SIZE as isize / 2).x
    };
    let (near, far) = (light(0.02), light(1.));
    assert!(near < 0.095 && far > 0.0999, "{near} near, {far} far away, 0.1 without anything");
}

#[test]
fn spans_agree_with_the_sign_of_each_weight() {
    let mut random = Random::new("spans", &[1]);
    for _ in 0..500 {
        let mut part = square(Region::Skin, Cover::Opaque, 1.);
        let mesh = Arc::make_mut(&mut part.mesh);
        mesh.triangles.truncate(1);
        mesh.uv_triangles.truncate(1);
        let mut corner = || Vec4::new(random.between(-5., 30.), random.between(-5., 30.), 1., 1.);
        let screen = vec![corner(), corner(), corner(), corner()];
        let posed = Posed { part: &part, view: &[], normals: (&[]).into(), screen, folds: &[], order: None, level: 0 };
        let Some(setup) = Setup::new(&posed, 0, 24) else { continue };
        let mut found = Vec::new();
        setup.for_each(|column, row, _| found.push((column, row)));
        for at in 0..24 * 24 {
            let (column, row) = (at % 24, at / 24);
            let weights = setup.weights_at(Vec2::new(column as f32 + 0.5, row as f32 + 0.5));
            // On an edge, rounding decides.
            if weights.min_element().abs() > 1e-4 {
                assert_eq!(found.contains(&(column, row)), weights.min_element() > 0., "{column}, {row}: {weights}");
            }
        }
    }
}
