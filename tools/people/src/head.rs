//! The base head: head and shoulders of a body, what can change it, and where things are on it.

use std::collections::BTreeMap;

use glam::Vec3;

use crate::mesh::{Binding, Mesh, Target};

/// Head and shoulders of the base mesh: decimetres, x to the person's left, y up, z to the front. The head is about 2.3
/// high, the eyes are near y 7.25 and z 1.4.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Places of the neutral, average head.
    pub vertices: Vec<Vec3>,
    /// Skin and the inside of the mouth, without helper geometry.
    pub mesh: Mesh,
    /// Whether a vertex belongs to the inside of the mouth or nose.
    pub cavity: Vec<bool>,
    /// How much a vertex belongs to the lips, `[0, 1]`.
    pub lips: Vec<f32>,
    /// Vertices at the top of the head, below the chin, at its back and at the tip of the nose.
    pub landmarks: Landmarks,
    /// Shapes of whole bodies by origin, sex, age, muscle and weight, such as `caucasian-male-young`.
    pub macros: BTreeMap<String, Target>,
    /// Details of identity in groups of alternatives: `features["head/head-fat"]["decr"]`, each a list of targets
    /// (two where left and right are apart).
    pub features: BTreeMap<String, BTreeMap<String, Vec<Target>>>,
    /// Asymmetries in groups of alternatives.
    pub asymmetries: BTreeMap<String, Vec<Target>>,
    /// The 52 face units, by their `ARKit` names.
    pub units: BTreeMap<String, Target>,
    /// Eyes, teeth and tongue.
    pub inner: Inner,
}

/// Vertices that measure the head.
#[derive(Clone, Copy, Debug, Default)]
pub struct Landmarks {
    /// Top of the head.
    pub top: u32,
    /// Below the chin.
    pub chin: u32,
    /// Back of the head.
    pub back: u32,
    /// Tip of the nose.
    pub nose: u32,
}

/// Meshes bound to the head that every person has.
#[derive(Clone, Debug, Default)]
pub struct Inner {
    /// Both eyeballs.
    pub eyes: Bound,
    /// Both rows of teeth, with gums.
    pub teeth: Bound,
    /// The tongue.
    pub tongue: Bound,
    /// Upper and lower lashes, which a texture has to thin.
    pub lashes: Bound,
}

/// A mesh that is bound to the head.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// Its triangles.
    pub mesh: Mesh,
    /// How its vertices follow the head.
    pub binding: Binding,
    /// Vertices of the head that it hides.
    pub hides: Vec<u32>,
}

impl Landmarks {
    /// Two vertices that are the highest and the lowest, and two that are the foremost and the hindmost, each in any
    /// order.
    pub fn of(vertices: &[Vec3], mut upright: [u32; 2], mut along: [u32; 2]) -> Self {
        upright.sort_by(|&a, &b| vertices[b as usize].y.total_cmp(&vertices[a as usize].y));
        along.sort_by(|&a, &b| vertices[b as usize].z.total_cmp(&vertices[a as usize].z));
        Self { top: upright[0], chin: upright[1], nose: along[0], back: along[1] }
    }
}

impl Head {
    /// Adds a target of `alternative` of a `feature` in a `folder`; the alternative's name is short of the feature's.
    pub fn add_feature(&mut self, folder: &str, feature: &str, alternative: &str, target: Target) {
        let short = alternative.strip_prefix(feature).and_then(|rest| rest.strip_prefix('-')).unwrap_or(alternative);
        let alternatives = self.features.entry(format!("{folder}/{feature}")).or_default();
        alternatives.entry(short.to_owned()).or_default().push(target);
    }

    /// Adds one of the targets of an asymmetry, whose name ends in `-l` or `-r`.
    pub fn add_asymmetry(&mut self, name: &str, target: Target) {
        let group = name.strip_suffix("-l").or_else(|| name.strip_suffix("-r")).unwrap_or(name);
        let group = group.rsplit('|').next().unwrap_or(group);
        self.asymmetries.entry(group.to_owned()).or_default().push(target);
    }
}
