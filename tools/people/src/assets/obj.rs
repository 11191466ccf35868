//! Meshes in Wavefront's format, as far as the assets use it.

use std::{collections::BTreeMap, str::FromStr};

use glam::{Vec2, Vec3};

use crate::mesh::Mesh;

/// Vertices, texture coordinates and faces of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Obj {
    /// Places.
    pub(super) vertices: Vec<Vec3>,
    /// Texture coordinates.
    pub(super) uv: Vec<Vec2>,
    /// Corners of each face: entries of `vertices` and of `uv`.
    pub(super) faces: Vec<Vec<[u32; 2]>>,
}

impl Obj {
    /// Parses a file in which every corner has a texture coordinate.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut obj = Self::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let understood = match words.next() {
                Some("v") => numbers(words).map(|place| obj.vertices.push(Vec3::from_array(place))),
                Some("vt") => numbers(words).map(|place| obj.uv.push(Vec2::from_array(place))),
                Some("f") => words.map(corner).collect::<Option<_>>().map(|face| obj.faces.push(face)),
                _ => Some(()),
            };
            understood.ok_or_else(|| format!("the line \"{line}\" cannot be understood"))?;
        }
        let inside = |&[vertex, uv]: &[u32; 2]| (vertex as usize) < obj.vertices.len() && (uv as usize) < obj.uv.len();
        if obj.faces.iter().flatten().all(inside) {
            Ok(obj)
        } else {
            Err("a face has a corner that is not there".into())
        }
    }

    /// The faces that `keep` keeps as triangles, whose corners are renamed by `rename`, with the texture coordinates
    /// that they use.
    pub(super) fn mesh(&self, keep: impl Fn(&[[u32; 2]]) -> bool, rename: impl Fn(u32) -> u32) -> Mesh {
        let mut corners: Vec<[[u32; 2]; 3]> = Vec::new();
        for face in self.faces.iter().filter(|face| keep(face)) {
            corners.extend(face.windows(2).skip(1).map(|pair| [face[0], pair[0], pair[1]]));
        }
        let mut used: BTreeMap<u32, u32> = corners.iter().flatten().map(|&[_, uv]| (uv, 0)).collect();
        used.values_mut().zip(0..).for_each(|(place, count)| *place = count);
        Mesh {
            triangles: corners.iter().map(|three| three.map(|[vertex, _]| rename(vertex))).collect(),
            uv_triangles: corners.iter().map(|three| three.map(|[_, uv]| used[&uv])).collect(),
            uv: used.keys().map(|&uv| self.uv[uv as usize]).collect(),
        }
    }
}

/// The first numbers of a line, all of them finite.
pub(super) fn numbers<'a, const COUNT: usize>(mut words: impl Iterator<Item = &'a str>) -> Option<[f32; COUNT]> {
    let mut values = [0.; COUNT];
    for value in &mut values {
        *value = words.next().and_then(|word| f32::from_str(word).ok()).filter(|value| value.is_finite())?;
    }
    Some(values)
}

/// `7/12` or `7/12/3`, counted from one.
fn corner(word: &str) -> Option<[u32; 2]> {
    let mut parts = word.split('/').map(|part| part.parse::<u32>().ok()?.checked_sub(1));
    Some([parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvt 9 9\n";

    #[test]
    fn squares_become_two_triangles_with_the_coordinates_they_use() {
        let obj = Obj::parse(&format!("# square\n{SQUARE}g all\nf 1/5 2/2 3/3 4/4\n")).unwrap();
        let mesh = obj.mesh(|_| true, |vertex| vertex + 10);
        assert_eq!(mesh.triangles, [[10, 11, 12], [10, 12, 13]]);
        assert_eq!(mesh.uv_triangles, [[3, 0, 1], [3, 1, 2]]);
        assert_eq!(mesh.uv, [Vec2::X, Vec2::ONE, Vec2::Y, Vec2::splat(9.)]);
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        for line in ["f 1/1 2/2 5/3", "f 1/1 2/2 3/9", "f 0/1 2/2 3/3", "f 1 2 3", "v 1 nan 3", "v 1 2", "vt 1"] {
            assert!(Obj::parse(&format!("{SQUARE}{line}\n")).is_err(), "{line}");
        }
    }
}
