//! The floor: part of the backdrop, on which shadows fall.

use glam::Vec3;

use super::{
    light::{Lamp, ShadowMap},
    posed::Posed,
    shade::Shader,
};
use crate::picture::Picture;

/// Bias of shadows on the floor, in cells: soles are on it.
const BIAS: f32 = 1.5;
/// How near to the floor something darkens it, in cells, and how far away from under it.
const NEAR: f32 = 4.;
const AROUND: f32 = 3.;
/// Share of light from everywhere that something lying on the floor takes from it.
const TAKEN: f32 = 0.75;

/// Where pixels of the backdrop show a floor.
#[derive(Clone, Debug)]
pub struct Floor {
    /// For each pixel its place in the camera's space, and how much of it is floor.
    pub places: Vec<Option<(Vec3, f32)>>,
    /// Up, in that space.
    pub up: Vec3,
}

impl Floor {
    /// The backdrop with shadows on the floor. `height` is what scales maps of shadows.
    pub(super) fn shaded(&self, backdrop: &Picture, posed: &[Posed], shader: &Shader, height: f32) -> Picture {
        // From below, the nearest that is seen is what is nearest to the floor.
        let mut below = ShadowMap::new(&Lamp { direction: -self.up, colour: Vec3::ONE, shadow: None }, 1., height);
        posed.iter().filter(|posed| posed.part.casts).for_each(|posed| below.throw(posed));
        let mut picture = backdrop.clone();
        let across = self.up.cross(Vec3::Z).normalize_or(Vec3::X) * ShadowMap::cell(height) * AROUND;
        let along = across.cross(self.up);
        for (pixel, place) in picture.pixels_mut().iter_mut().zip(&self.places) {
            if let &Some((place, share)) = place {
                let around = (-2..=2).flat_map(|x| (-2..=2).map(move |y| (x as f32, y as f32)));
                let touched = around.map(|(x, y)| (-below.behind(place + across * x + along * y) / NEAR).exp());
                let contact = 1. - TAKEN * touched.sum::<f32>() / 25.;
                *pixel *= Vec3::ONE.lerp(self.light(place, contact, shader), share);
            }
        }
        picture
    }

    /// Light at a place as a share of that without anybody.
    fn light(&self, place: Vec3, contact: f32, shader: &Shader) -> Vec3 {
        let ambient = shader.lighting.ambient(self.up) + Vec3::splat(1e-3);
        let (mut there, mut all) = (ambient * contact, ambient);
        for (lamp, shadow) in shader.lighting.lamps.iter().zip(&shader.shadows) {
            let light = lamp.colour * self.up.dot(lamp.direction).max(0.);
            all += light;
            there += light * shadow.as_ref().map_or(contact, |map| map.light(place, BIAS));
        }
        there / all
    }
}
