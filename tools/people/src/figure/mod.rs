//! Whole bodies, what they do, and where.
//!
//! A figure is the person that faces show, with the rest of the body: the rig of the package bends it as a table of
//! motions says, clothes are cut from its helper geometry, and it stands on a floor.

mod body;
mod clip;
mod clothes;
mod ground;
mod label;
mod motions;
mod outfit;
mod rig;
mod sitting;
mod skeleton;
mod stance;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use glam::Vec3;

pub use self::{
    clip::{Clip, clip, rest},
    label::Act,
    rig::{Bone, Rig},
    sitting::{Framing, Sitting},
    stance::{Arm, Leg, Stance},
};
use crate::mesh::{Mesh, Target};

/// The body that everybody's is made from: decimetres, x to the person's left, y up, z to the front.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Places of the neutral, average body, helper geometry included.
    pub vertices: Vec<Vec3>,
    /// For each vertex of the head that of the body.
    pub head: Vec<u32>,
    /// Skin, whose corners are vertices of the body as those of the other meshes are.
    pub skin: Mesh,
    /// Tights from neck to toes, which clothes are cut from.
    pub tights: Mesh,
    /// A long skirt.
    pub skirt: Mesh,
    /// What changes a whole body, by name.
    pub changes: BTreeMap<String, Target>,
    /// The bones.
    pub rig: Rig,
}
