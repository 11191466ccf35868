//! A made-up head for tests where no assets are: an egg with a texture, ears and lids.

use std::{f32::consts::TAU, path::Path};

use glam::{Vec2, Vec3};

use super::{Wearer, uv_map::UvMap};
use crate::{
    assets::Assets,
    head::{Head, Landmarks},
    mesh::Target,
};

/// A neutral person.
pub(crate) struct Person {
    pub(crate) head: Head,
    pub(crate) vertices: Vec<Vec3>,
    pub(crate) normals: Vec<Vec3>,
}

impl Person {
    /// Who hair grows on.
    pub(crate) fn wearer<'a>(&'a self, map: &'a UvMap) -> Wearer<'a> {
        Wearer { head: &self.head, vertices: &self.vertices, normals: &self.normals, map }
    }
}

/// The head of the pack in `PEOPLE_PACK`, or an egg.
pub(crate) fn person() -> Person {
    let pack = std::env::var_os("PEOPLE_PACK");
    let head = pack.map_or_else(egg, |pack| Assets::open(None, Some(Path::new(&pack))).unwrap().head);
    of(head)
}

/// The average person of a head.
pub(crate) fn of(head: Head) -> Person {
    let vertices = head.vertices.clone();
    let normals = normals(&head, &vertices);
    Person { head, vertices, normals }
}

/// Normals of all vertices.
pub(crate) fn normals(head: &Head, vertices: &[Vec3]) -> Vec<Vec3> {
    let mut normals = vec![Vec3::ZERO; vertices.len()];
    for triangle in &head.mesh.triangles {
        let [a, b, c] = triangle.map(|corner| vertices[corner as usize]);
        for corner in triangle {
            normals[*corner as usize] += (b - a).cross(c - a);
        }
    }
    normals.into_iter().map(|normal| normal.normalize_or(Vec3::Y)).collect()
}

/// An egg of the size and at the place of a head, on a column for a neck.
fn egg() -> Head {
    const ROWS: usize = 48;
    const COLUMNS: usize = 64;
    let mut head = Head::default();
    for row in 0..=ROWS {
        let v = row as f32 / ROWS as f32;
        for column in 0..=COLUMNS {
            let u = column as f32 / COLUMNS as f32;
            let (sin, cos) = (u * TAU).sin_cos();
            let (radius, height) = outline(v);
            head.vertices.push(Vec3::new(0.8 * radius * sin, height, 0.6 - 0.95 * radius * cos));
            head.mesh.uv.push(Vec2::new(u, v) * 0.98 + 0.01);
        }
    }
    let at = |row: usize, column: usize| (row * (COLUMNS + 1) + column) as u32;
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            let [a, b, c, d] = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
            head.mesh.triangles.extend([[a, c, b], [a, d, c]]);
        }
    }
    head.mesh.uv_triangles = head.mesh.triangles.clone();
    head.cavity = vec![false; head.vertices.len()];
    head.lips = head.vertices.iter().map(|place| blob(*place, Vec3::new(0., 6.6, 1.5), 0.2)).collect();
    let lids = |side: f32| target(&head.vertices, Vec3::new(0.3 * side, 7.25, 1.4), 0.18);
    head.units = [("eyeBlinkLeft".to_owned(), lids(1.)), ("eyeBlinkRight".to_owned(), lids(-1.))].into();
    let ear = vec![
        target(&head.vertices, Vec3::new(0.8, 7.1, 0.55), 0.2),
        target(&head.vertices, Vec3::new(-0.8, 7.1, 0.55), 0.2),
    ];
    head.features = [("ears/ear-wing".to_owned(), [("incr".to_owned(), ear)].into())].into();
    let nearest = |place: Vec3| {
        let by_distance = |a: &usize, b: &usize| {
            head.vertices[*a].distance_squared(place).total_cmp(&head.vertices[*b].distance_squared(place))
        };
        (0..head.vertices.len()).min_by(by_distance).unwrap() as u32
    };
    head.landmarks = Landmarks {
        top: nearest(Vec3::new(0., 9., 0.6)),
        chin: nearest(Vec3::new(0., 6.2, 1.1)),
        back: nearest(Vec3::new(0., 7.4, -1.)),
        nose: nearest(Vec3::new(0., 7.3, 2.)),
    };
    head
}

/// Radius and height of the egg, from the foot of the neck to the top.
fn outline(v: f32) -> (f32, f32) {
    let neck = 0.25;
    if v < neck {
        return (0.45, 4.8 + (6.4 - 4.8) * v / neck);
    }
    let angle = -1.1 + (v - neck) / (1. - neck) * (1.1 + TAU / 4.);
    (angle.cos().max(1e-3), 7.35 + 1.13 * angle.sin())
}

fn blob(place: Vec3, middle: Vec3, radius: f32) -> f32 {
    (1.5 - place.distance(middle) / radius).clamp(0., 1.)
}

fn target(vertices: &[Vec3], middle: Vec3, radius: f32) -> Target {
    let moved: Vec<u32> =
        (0..vertices.len() as u32).filter(|&at| vertices[at as usize].distance(middle) < radius).collect();
    Target { offsets: vec![Vec3::Y * -0.1; moved.len()], vertices: moved }
}
