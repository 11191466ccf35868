//! Heads and what is bound to them, from the `geometry.npz` of a pack.

use std::collections::BTreeMap;

use glam::Vec3;

use super::npz::Archive;
use crate::{
    head::{Bound, Head, Landmarks},
    mesh::{Binding, Mesh, Target},
};

/// What a pack's `geometry.npz` holds.
#[derive(Debug, Default)]
pub(super) struct Geometry {
    /// The head, without eyes, teeth and tongue.
    pub(super) head: Head,
    /// Bound meshes by name.
    pub(super) bound: BTreeMap<String, Bound>,
}

impl Geometry {
    /// Reads the file's bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let archive = Archive::read(bytes)?;
        let mut head = read_head(&archive)?;
        read_targets(&archive, &mut head)?;
        let vertices = head.vertices.len();
        let names = archive.names().filter_map(|name| name.strip_prefix("clo/")?.strip_suffix("/f"));
        let bound = names.map(|name| Ok((name.to_owned(), read_bound(&archive, name, vertices)?)));
        Ok(Self { bound: bound.collect::<Result<_, String>>()?, head })
    }
}

fn read_head(archive: &Archive) -> Result<Head, String> {
    let vertices = archive.points3("base_v")?;
    let uv = archive.points2("base_vt")?;
    let mesh = Mesh {
        triangles: archive.triples("base_f", vertices.len())?,
        uv_triangles: archive.triples("base_ft", uv.len())?,
        uv,
    };
    same_length("base_f", mesh.triangles.len(), "base_ft", mesh.uv_triangles.len())?;
    let cavity: Vec<bool> = archive.indices("cavity", 1, 2)?.into_iter().map(|inside| inside == 1).collect();
    let lips = archive.floats("lip", 1)?;
    same_length("cavity", cavity.len(), "base_v", vertices.len())?;
    same_length("lip", lips.len(), "base_v", vertices.len())?;
    let landmarks = read_landmarks(archive, &vertices)?;
    Ok(Head { vertices, mesh, cavity, lips, landmarks, ..Head::default() })
}

/// The four vertices, whose order within a pair packs do not agree on.
fn read_landmarks(archive: &Archive, vertices: &[Vec3]) -> Result<Landmarks, String> {
    let marks = archive.indices("landmarks", 1, vertices.len())?;
    let &[high, low, one, other] = &marks[..] else { return Err("landmarks are not four".into()) };
    Ok(Landmarks::of(vertices, [high, low], [one, other]))
}

fn read_targets(archive: &Archive, head: &mut Head) -> Result<(), String> {
    let (names, kinds) = (archive.texts("t_names")?, archive.texts("t_kind")?);
    let vertices = archive.indices("t_idx", 1, head.vertices.len())?;
    let offsets = archive.points3("t_d")?;
    let starts = archive.indices("t_ptr", 1, vertices.len() + 1)?;
    same_length("t_kind", kinds.len(), "t_names", names.len())?;
    same_length("t_ptr", starts.len(), "t_names and one", names.len() + 1)?;
    same_length("t_d", offsets.len(), "t_idx", vertices.len())?;
    if !starts.is_sorted() {
        return Err("t_ptr does not rise".into());
    }
    for ((name, kind), range) in names.iter().zip(&kinds).zip(starts.windows(2)) {
        let range = range[0] as usize..range[1] as usize;
        let target = Target { vertices: vertices[range.clone()].to_vec(), offsets: offsets[range].to_vec() };
        file(head, name, kind, target)?;
    }
    Ok(())
}

/// Puts a target where it belongs.
fn file(head: &mut Head, name: &str, kind: &str, target: Target) -> Result<(), String> {
    match kind {
        "macro" => drop(head.macros.insert(name.to_owned(), target)),
        "unit" => drop(head.units.insert(name.to_owned(), target)),
        "asym" => head.add_asymmetry(name, target),
        "ident" => {
            let parts: Vec<&str> = name.split('|').collect();
            let &[folder, feature, alternative, _] = &parts[..] else {
                return Err(format!("{name} does not name a feature"));
            };
            head.add_feature(folder, feature, alternative, target);
        }
        _ => return Err(format!("{name} is of an unknown kind: {kind}")),
    }
    Ok(())
}

fn read_bound(archive: &Archive, name: &str, vertices: usize) -> Result<Bound, String> {
    let key = |part: &str| format!("clo/{name}/{part}");
    let anchors = archive.triples(&key("idx"), vertices)?;
    let weights = archive.floats(&key("w"), 3)?;
    let uv = archive.points2(&key("vt"))?;
    let binding = Binding {
        weights: weights.chunks_exact(3).map(|three| [three[0], three[1], three[2]]).collect(),
        offsets: archive.points3(&key("off"))?,
        scale: read_scale(archive, &key("sc"), vertices)?,
        anchors,
    };
    let mesh = Mesh {
        triangles: archive.triples(&key("f"), binding.anchors.len())?,
        uv_triangles: archive.triples(&key("ft"), uv.len())?,
        uv,
    };
    same_length(&key("f"), mesh.triangles.len(), "ft", mesh.uv_triangles.len())?;
    same_length(&key("w"), binding.weights.len(), "idx", binding.anchors.len())?;
    same_length(&key("off"), binding.offsets.len(), "idx", binding.anchors.len())?;
    let hidden = key("dele");
    let hides = if archive.contains(&hidden) { archive.indices(&hidden, 1, vertices)? } else { Vec::new() };
    Ok(Bound { mesh, binding, hides })
}

fn read_scale(archive: &Archive, name: &str, vertices: usize) -> Result<[Option<(u32, u32, f32)>; 3], String> {
    let values = archive.floats(name, 3)?;
    if values.len() != 9 {
        return Err(format!("{name} has {} values instead of 9", values.len()));
    }
    let mut scale = [None; 3];
    for (axis, row) in scale.iter_mut().zip(values.chunks_exact(3)) {
        let inside = |value: f32| value >= 0. && value < vertices as f32;
        if row[2] < 0. || !inside(row[0]) || !inside(row[1]) {
            return Err(format!("{name} does not measure the head"));
        }
        *axis = (row[2] > 0.).then_some((row[0] as u32, row[1] as u32, row[2]));
    }
    Ok(scale)
}

fn same_length(name: &str, length: usize, other: &str, expected: usize) -> Result<(), String> {
    if length == expected { Ok(()) } else { Err(format!("{name} has {length} rows, {other} {expected}")) }
}
