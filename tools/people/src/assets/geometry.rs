//! Heads and what is bound to them, from the `geometry.npz` of a pack.

use std::{collections::BTreeMap, io};

use glam::Vec3;

use super::npz::{Archive, Writer};
use crate::{
    head::{Bound, Head, Landmarks},
    mesh::{Binding, Mesh, Target},
};

/// Offsets that are left out of packs, in decimetres.
const UNSEEN: f32 = 1e-3;

/// What measures the head along each axis.
type Scale = [Option<(u32, u32, f32)>; 3];

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

impl Geometry {
    /// The file's bytes.
    pub(super) fn write(&self) -> io::Result<Vec<u8>> {
        let mut writer = Writer::new();
        let head = &self.head;
        writer.floats("base_v", 3, &flat3(&head.vertices))?;
        write_mesh(&mut writer, &head.mesh, ["base_f", "base_ft", "base_vt"])?;
        let marks = head.landmarks;
        writer.indices("landmarks", 1, &[marks.top, marks.chin, marks.nose, marks.back])?;
        writer.flags("cavity", &head.cavity)?;
        writer.floats("lip", 1, &head.lips)?;
        write_targets(&mut writer, head)?;
        for (name, bound) in &self.bound {
            write_bound(&mut writer, name, bound)?;
        }
        writer.finish()
    }
}

fn write_mesh(writer: &mut Writer, mesh: &Mesh, [faces, uv_faces, uv]: [&str; 3]) -> io::Result<()> {
    writer.indices(faces, 3, mesh.triangles.as_flattened())?;
    writer.indices(uv_faces, 3, mesh.uv_triangles.as_flattened())?;
    writer.floats(uv, 2, &mesh.uv.iter().flat_map(|uv| uv.to_array()).collect::<Vec<f32>>())
}

fn write_targets(writer: &mut Writer, head: &Head) -> io::Result<()> {
    let (mut names, mut kinds, mut starts) = (Vec::new(), Vec::new(), vec![0]);
    let (mut vertices, mut offsets) = (Vec::new(), Vec::new());
    for (kind, name, target) in all_targets(head) {
        let seen = |offset: &Vec3| offset.abs().max_element() > UNSEEN;
        for (&vertex, offset) in target.vertices.iter().zip(&target.offsets).filter(|(_, offset)| seen(offset)) {
            vertices.push(vertex);
            offsets.extend(offset.to_array());
        }
        names.push(name);
        kinds.push(kind.to_owned());
        starts.push(vertices.len() as u32);
    }
    writer.texts("t_names", &names)?;
    writer.texts("t_kind", &kinds)?;
    writer.indices("t_ptr", 1, &starts)?;
    writer.indices("t_idx", 1, &vertices)?;
    writer.halves("t_d", 3, &offsets)
}

/// Every target with its kind and its name.
fn all_targets(head: &Head) -> Vec<(&'static str, String, &Target)> {
    let mut all: Vec<_> = head.macros.iter().map(|(name, target)| ("macro", name.clone(), target)).collect();
    for (feature, alternatives) in &head.features {
        let path = feature.replace('/', "|");
        for (alternative, targets) in alternatives {
            let name = |at: usize| format!("{path}|{alternative}|{at}");
            all.extend(targets.iter().enumerate().map(|(at, target)| ("ident", name(at), target)));
        }
    }
    for (group, targets) in &head.asymmetries {
        let name = |side| format!("asym|{group}-{side}");
        all.extend(targets.iter().zip(["l", "r"]).map(|(target, side)| ("asym", name(side), target)));
    }
    all.extend(head.units.iter().map(|(name, target)| ("unit", name.clone(), target)));
    all
}

fn write_bound(writer: &mut Writer, name: &str, bound: &Bound) -> io::Result<()> {
    let key = |part: &str| format!("clo/{name}/{part}");
    write_mesh(writer, &bound.mesh, [&key("f"), &key("ft"), &key("vt")])?;
    let binding = &bound.binding;
    writer.indices(&key("idx"), 3, binding.anchors.as_flattened())?;
    writer.floats(&key("w"), 3, binding.weights.as_flattened())?;
    writer.floats(&key("off"), 3, &flat3(&binding.offsets))?;
    let scale = binding.scale.map(|scale| scale.map_or([0.; 3], |(from, to, along)| [from as f32, to as f32, along]));
    writer.floats(&key("sc"), 3, scale.as_flattened())?;
    if bound.hides.is_empty() { Ok(()) } else { writer.indices(&key("dele"), 1, &bound.hides) }
}

fn flat3(points: &[Vec3]) -> Vec<f32> {
    points.iter().flat_map(|point| point.to_array()).collect()
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

fn read_scale(archive: &Archive, name: &str, vertices: usize) -> Result<Scale, String> {
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
