//! The head as hair meets it: how far away its surface is from any place around it, and where its features are.

use glam::{IVec3, Vec3};

use super::areas;
use crate::head::Head;

/// Edge of a cell of the field, in decimetres.
const CELL: f32 = 0.09;

/// How far from the surface distances are known, in decimetres.
const REACH: f32 = 0.3;

/// Where things are on a person's head, in decimetres.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// Height of the head, as a share of the average one.
    pub scale: f32,
    /// Middle of the head.
    pub centre: Vec3,
    /// Height of the top of the head.
    pub top: f32,
    /// Height of the chin.
    pub chin: f32,
    /// The front of the left eyeball.
    pub eye: Vec3,
    /// Middle of the mouth.
    pub mouth: Vec3,
    /// Heights of the upper lip's upper edge and the lower lip's lower edge.
    pub lips: (f32, f32),
    /// Half the width of the mouth.
    pub mouth_width: f32,
    /// Middle of the left ear.
    pub ear: Vec3,
    /// Lowest place of the left lobe.
    pub lobe: Vec3,
    /// Uppermost place of the left ear.
    pub ear_top: Vec3,
}

impl Measures {
    /// Measures a person of the neutral `vertices`.
    pub fn new(head: &Head, vertices: &[Vec3], ears: &[f32]) -> Self {
        let [top, chin, back, nose] =
            [head.landmarks.top, head.landmarks.chin, head.landmarks.back, head.landmarks.nose]
                .map(|vertex| vertices[vertex as usize]);
        let height = top.y - chin.y;
        let centre = Vec3::new(0., (top.y + chin.y) / 2., (back.z + nose.z) / 2.);
        let ear = Region::of(vertices.iter().zip(ears).filter(|(place, mask)| place.x > 0. && **mask > 0.5));
        let lips = head.lips.iter().map(|lip| lip - 0.25).collect::<Vec<_>>();
        let mouth = Region::of(vertices.iter().zip(&lips).filter(|(_, lip)| **lip > 0.25));
        let eyes = head.inner.eyes.binding.fit(vertices);
        let eye = Region::of(eyes.iter().zip(std::iter::repeat(&1.)).filter(|(place, _)| place.x > 0.));
        let beside = Vec3::new(0.3 * height, centre.y, centre.z);
        let front = Vec3::new(0., centre.y - 0.33 * height, nose.z);
        let pupil =
            eye.as_ref().map_or(front + Vec3::new(0.13, 0.3, -0.05) * height, |eye| eye.middle.with_z(eye.high.z));
        Self {
            scale: height / 2.33,
            centre,
            top: top.y,
            chin: chin.y,
            eye: pupil,
            mouth: mouth.as_ref().map_or(front, |mouth| mouth.middle.with_x(0.)),
            lips: mouth.as_ref().map_or((front.y, front.y), |mouth| (mouth.highest.y, mouth.lowest.y)),
            mouth_width: mouth.map_or(0.09 * height, |mouth| mouth.high.x),
            ear: ear.as_ref().map_or(beside, |ear| ear.middle),
            lobe: ear.as_ref().map_or(beside, |ear| ear.lowest),
            ear_top: ear.map_or(beside, |ear| ear.highest),
        }
    }
}

/// Some places together.
struct Region {
    middle: Vec3,
    high: Vec3,
    lowest: Vec3,
    highest: Vec3,
}

impl Region {
    /// None of no places.
    fn of<'a>(places: impl Iterator<Item = (&'a Vec3, &'a f32)>) -> Option<Self> {
        let places: Vec<Vec3> = places.map(|(&place, _)| place).collect();
        let by_height = |a: &&Vec3, b: &&Vec3| a.y.total_cmp(&b.y);
        Some(Self {
            middle: places.iter().sum::<Vec3>() / places.len() as f32,
            high: places.iter().fold(Vec3::MIN, |high, &place| high.max(place)),
            lowest: *places.iter().min_by(by_height)?,
            highest: *places.iter().max_by(by_height)?,
        })
    }
}

/// Signed distance from the skin of a head, neck and shoulders, on a grid.
#[derive(Clone, Debug)]
pub struct Skull {
    /// Where things are.
    pub measures: Measures,
    origin: Vec3,
    cells: IVec3,
    distances: Vec<f32>,
}

impl Skull {
    /// The skull of a person. Hair lies over the ears when `with_ears`; it passes through them otherwise.
    pub fn new(head: &Head, vertices: &[Vec3], normals: &[Vec3], with_ears: bool) -> Self {
        let ears = areas::ears(head);
        let measures = Measures::new(head, vertices, &ears);
        let origin = Vec3::new(-1.7, measures.chin - 2.3, measures.centre.z - 1.7);
        let size = Vec3::new(3.4, measures.top - measures.chin + 2.8, 3.4);
        let cells = (size / CELL).ceil().as_ivec3();
        let mut skull = Self { measures, origin, cells, distances: Vec::new() };
        let mut nearest = vec![(f32::MAX, REACH); (cells.x * cells.y * cells.z) as usize];
        let mut known = vec![false; nearest.len() * 8];
        for triangle in &head.mesh.triangles {
            let corners = triangle.map(|corner| corner as usize);
            let skip = corners.iter().any(|&corner| head.cavity[corner] || (!with_ears && ears[corner] > 0.3));
            if !skip {
                let (places, normals) = (corners.map(|corner| vertices[corner]), corners.map(|corner| normals[corner]));
                skull.splat(&mut nearest, &mut known, places, normals);
            }
        }
        skull.distances = skull.settle(&nearest);
        skull
    }

    /// Lets cells near some places of a triangle know of it.
    fn splat(&self, nearest: &mut [(f32, f32)], known: &mut [bool], places: [Vec3; 3], normals: [Vec3; 3]) {
        let middle = places.iter().sum::<Vec3>() / 3.;
        let normal = normals.iter().sum::<Vec3>().normalize_or_zero();
        for (place, normal) in places.into_iter().zip(normals).chain([(middle, normal)]) {
            // Where triangles are small, one place in each half cell tells enough.
            let half = ((place - self.origin) * 2. / CELL).floor().as_ivec3();
            let inside = half.cmpge(IVec3::ZERO).all() && half.cmplt(self.cells * 2).all();
            let at = ((half.x * self.cells.y * 2 + half.y) * self.cells.z * 2 + half.z) as usize;
            if inside && !known[at] {
                known[at] = true;
                self.splat_point(nearest, place, normal);
            }
        }
    }

    fn splat_point(&self, nearest: &mut [(f32, f32)], place: Vec3, normal: Vec3) {
        let low = ((place - self.origin - REACH) / CELL).ceil().as_ivec3().max(IVec3::ZERO);
        let high = ((place - self.origin + REACH) / CELL).floor().as_ivec3().min(self.cells - 1);
        for x in low.x..=high.x {
            for y in low.y..=high.y {
                for z in low.z..=high.z {
                    let cell = IVec3::new(x, y, z);
                    let offset = self.origin + cell.as_vec3() * CELL - place;
                    let squared = offset.length_squared();
                    let known = &mut nearest[self.index(cell)];
                    if squared < known.0 {
                        *known = (squared, offset.dot(normal));
                    }
                }
            }
        }
    }

    fn index(&self, cell: IVec3) -> usize {
        ((cell.x * self.cells.y + cell.y) * self.cells.z + cell.z) as usize
    }

    /// Distances from what is nearest: what no triangle is near is outside where the air reaches it, and inside else.
    fn settle(&self, nearest: &[(f32, f32)]) -> Vec<f32> {
        let air = self.flood(nearest);
        nearest
            .iter()
            .zip(air)
            .map(|(&(squared, distance), air)| {
                let far = if air { REACH } else { -REACH };
                if squared < f32::MAX { distance.clamp(-REACH, REACH) } else { far }
            })
            .collect()
    }

    /// Cells that are reached from the top corner without crossing the skin.
    fn flood(&self, nearest: &[(f32, f32)]) -> Vec<bool> {
        let mut air = vec![false; nearest.len()];
        let mut open = vec![IVec3::new(0, self.cells.y - 1, 0)];
        while let Some(cell) = open.pop() {
            let inside = cell.cmpge(IVec3::ZERO).all() && cell.cmplt(self.cells).all();
            if !inside || air[self.index(cell)] || is_skin(nearest[self.index(cell)]) {
                continue;
            }
            air[self.index(cell)] = true;
            open.extend([IVec3::X, IVec3::Y, IVec3::Z].into_iter().flat_map(|axis| [cell + axis, cell - axis]));
        }
        air
    }

    /// Distance from the skin, below 0 inside; within 0.3 dm of it, and cut off there.
    pub fn distance(&self, place: Vec3) -> f32 {
        let at = (place - self.origin) / CELL;
        let cell = at.floor().as_ivec3().clamp(IVec3::ZERO, self.cells - 2);
        let share = (at - cell.as_vec3()).clamp(Vec3::ZERO, Vec3::ONE);
        let row = |x: i32, y: i32| {
            let base = self.index(cell + IVec3::new(x, y, 0));
            self.distances[base] * (1. - share.z) + self.distances[base + 1] * share.z
        };
        let near = row(0, 0) * (1. - share.y) + row(0, 1) * share.y;
        let far = row(1, 0) * (1. - share.y) + row(1, 1) * share.y;
        near * (1. - share.x) + far * share.x
    }

    /// Direction away from the skin; where that is unknown, away from the axis of head and neck.
    pub fn outward(&self, place: Vec3) -> Vec3 {
        const STEP: f32 = 0.07;
        let along = |axis: Vec3| self.distance(place + axis * STEP) - self.distance(place - axis * STEP);
        let slope = Vec3::new(along(Vec3::X), along(Vec3::Y), along(Vec3::Z));
        if slope.length_squared() > 1e-3 { slope.normalize() } else { self.radial(place) }
    }

    /// Direction away from the axis of head and neck, and upwards above the middle of the head.
    pub fn radial(&self, place: Vec3) -> Vec3 {
        let from = place - self.measures.centre - Vec3::Y * 0.3 * self.measures.scale;
        Vec3::new(from.x, from.y.max(0.), from.z).normalize_or(Vec3::Y)
    }

    /// `place`, moved out of the skin until it is at least `margin` away from it.
    pub fn push_out(&self, place: Vec3, margin: f32) -> Vec3 {
        let mut place = place;
        for _ in 0..3 {
            let lack = margin.min(REACH * 0.9) - self.distance(place);
            if lack <= 0. {
                break;
            }
            place += self.outward(place) * lack;
        }
        place
    }
}

/// Whether a cell is inside the skin or so close to it that the two sides of a slit, such as the lips, are one.
fn is_skin((squared, distance): (f32, f32)) -> bool {
    distance < 0. || squared < CELL * CELL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hair::stand_in;

    /// Skin above the neck that hair grows on or lies on: lids, lips and ears have folds finer than the grid.
    fn smooth_skin(person: &stand_in::Person) -> Vec<usize> {
        let ears = areas::ears(&person.head);
        let used: std::collections::BTreeSet<usize> =
            person.head.mesh.triangles.iter().flatten().map(|&corner| corner as usize).collect();
        let smooth = |&at: &usize| {
            let place = person.vertices[at];
            ears[at] < 0.05 && (place.y > 7.6 || (place.y > 6.9 && place.z < 0.3))
        };
        used.into_iter().filter(smooth).collect()
    }

    #[test]
    fn distances_are_those_of_the_head() {
        let person = stand_in::person();
        let skull = Skull::new(&person.head, &person.vertices, &person.normals, false);
        let middle = skull.measures.centre;
        assert!(skull.distance(middle) < -0.2, "the middle is inside: {middle} {}", skull.distance(middle));
        for at in smooth_skin(&person) {
            let (place, normal) = (person.vertices[at], person.normals[at]);
            assert!(skull.distance(place).abs() < 0.06, "skin at {place}");
            assert!((skull.distance(place + normal * 0.2) - 0.2).abs() < 0.09, "above {place}");
            assert!(skull.distance(place - normal * 0.2) < -0.05, "below {place}");
        }
        assert!(skull.distance(skull.measures.centre + Vec3::Z * 1.9) > 0.2);
    }

    #[test]
    fn what_is_inside_is_pushed_out() {
        let person = stand_in::person();
        let skull = Skull::new(&person.head, &person.vertices, &person.normals, false);
        for at in smooth_skin(&person) {
            let inside = person.vertices[at].lerp(skull.measures.centre, 0.1);
            assert!(skull.distance(skull.push_out(inside, 0.1)) > 0.05, "{inside}");
        }
    }
}
