//! Ambient occlusion: how much of the light from everywhere reaches each vertex of a person.

use glam::Vec3;

use super::{
    light::{Lamp, ShadowMap},
    posed::{Posed, normals},
};
use crate::mesh::{Part, Region};

/// Directions from which light comes, most of them from above.
const DIRECTIONS: usize = 26;
const BIAS: f32 = 3.5;

/// Fills the occlusion of parts that have none of their own. `places` are those of a calm face, `height` is that of
/// its head.
pub(crate) fn occlude(parts: &mut [Part], places: &[Vec<Vec3>], height: f32) {
    let shares = {
        let posed: Vec<Posed> = parts.iter().zip(places).map(|(part, places)| still(part, places)).collect();
        shares(&posed, height)
    };
    for (part, shares) in parts.iter_mut().zip(shares) {
        if part.occlusion.is_empty() {
            let deepest = if part.region == Region::Eyes { 0.45 } else { 0.08 };
            part.occlusion = shares.iter().map(|share| deepest + (1. - deepest) * share).collect();
        }
    }
}

fn still<'a>(part: &'a Part, places: &'a [Vec3]) -> Posed<'a> {
    Posed {
        part,
        view: places,
        normals: normals(places, part.normal_triangles()).into(),
        screen: Vec::new(),
        folds: &[],
        order: None,
        level: 0,
    }
}

fn shares(posed: &[Posed], height: f32) -> Vec<Vec<f32>> {
    let mut open: Vec<Vec<f32>> = posed.iter().map(|posed| vec![0.; posed.view.len()]).collect();
    let mut total: Vec<Vec<f32>> = posed.iter().map(|posed| vec![1e-3; posed.view.len()]).collect();
    for index in 0..DIRECTIONS {
        let lamp = Lamp { direction: direction(index), colour: Vec3::ONE, shadow: None };
        let mut map = ShadowMap::new(&lamp, 0.5, height);
        let casting = posed.iter().filter(|posed| posed.part.casts && posed.part.region != Region::Eyes);
        casting.for_each(|posed| map.throw(posed));
        for (posed, (open, total)) in posed.iter().zip(open.iter_mut().zip(&mut total)) {
            for (vertex, (&view, normal)) in posed.view.iter().zip(&*posed.normals).enumerate() {
                let facing = normal.dot(lamp.direction);
                let weight = if posed.part.material.two_sided { facing.abs() } else { facing.max(0.) };
                if weight > 0. {
                    open[vertex] += weight * map.light(view, BIAS);
                    total[vertex] += weight;
                }
            }
        }
    }
    open.iter()
        .zip(&total)
        .map(|(open, total)| open.iter().zip(total).map(|(a, b)| (a / b).min(1.)).collect())
        .collect()
}

/// Spread evenly by the golden angle, from the zenith to well below the horizon.
fn direction(index: usize) -> Vec3 {
    let height = 1. - 1.7 * (index as f32 + 0.5) / DIRECTIONS as f32;
    let angle = index as f32 * 2.399963;
    let across = (1. - height * height).max(0.).sqrt();
    Vec3::new(angle.cos() * across, height, angle.sin() * across)
}
