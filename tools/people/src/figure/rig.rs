//! The rig of the body: its bones, which of them are which limb's, and how much each moves a vertex.

use std::ops::Range;

use glam::Vec3;

/// A bone. Its ends are means of some vertices, so that it fits every person.
#[derive(Clone, Debug)]
pub struct Bone {
    /// Its name in the package.
    pub name: String,
    /// The bone that carries it, which comes before it; none for the pelvis.
    pub parent: Option<usize>,
    /// Vertices around the joint that it turns about.
    pub head: Range<usize>,
    /// Vertices around its other end.
    pub tail: Range<usize>,
}

/// All bones.
#[derive(Clone, Debug)]
pub struct Rig {
    /// Parents before their children.
    pub bones: Vec<Bone>,
    /// For each vertex of the body the bones that move it, and their shares, which sum to 1.
    pub weights: Vec<Vec<(usize, f32)>>,
    /// Which bones are which.
    pub limbs: Limbs,
}

/// Numbers of the bones that stances speak of. Of two sides the person's left is the first.
#[derive(Clone, Copy, Debug)]
pub struct Limbs {
    pub(super) pelvis: usize,
    pub(super) spine: [usize; 3],
    pub(super) neck: usize,
    pub(super) head: usize,
    pub(super) arms: [ArmBones; 2],
    pub(super) legs: [LegBones; 2],
}

/// The bones of an arm.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArmBones {
    pub(super) clavicle: usize,
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) hand: usize,
    /// Thumb to little finger, three bones each.
    pub(super) fingers: [[usize; 3]; 5],
}

/// The bones of a leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegBones {
    pub(super) thigh: usize,
    pub(super) calf: usize,
    pub(super) foot: usize,
    pub(super) ball: usize,
}

const FINGERS: [&str; 5] = ["thumb", "index", "middle", "ring", "pinky"];

impl Rig {
    /// A rig of these bones, parents first.
    ///
    /// # Errors
    /// The name of a bone that stances need and that is not there.
    pub fn new(bones: Vec<Bone>, weights: Vec<Vec<(usize, f32)>>) -> Result<Self, String> {
        let limbs = Limbs::find(&bones)?;
        Ok(Self { bones, weights, limbs })
    }

    /// Both ends of each bone of a body.
    pub fn ends(&self, vertices: &[Vec3]) -> Vec<[Vec3; 2]> {
        let middle = |range: &Range<usize>| vertices[range.clone()].iter().sum::<Vec3>() / range.len().max(1) as f32;
        self.bones.iter().map(|bone| [middle(&bone.head), middle(&bone.tail)]).collect()
    }
}

impl Limbs {
    fn find(bones: &[Bone]) -> Result<Self, String> {
        let bone = |name: String| {
            bones.iter().position(|bone| bone.name == name).ok_or_else(|| format!("the rig has no {name}"))
        };
        let arm = |side: &str| {
            let mut fingers = [[0; 3]; 5];
            for (finger, name) in fingers.iter_mut().zip(FINGERS) {
                for (phalanx, number) in finger.iter_mut().zip(1..) {
                    *phalanx = bone(format!("{name}_0{number}_{side}"))?;
                }
            }
            let of = |name: &str| bone(format!("{name}_{side}"));
            let [clavicle, upper, lower, hand] = ["clavicle", "upperarm", "lowerarm", "hand"].map(of);
            Ok::<_, String>(ArmBones { clavicle: clavicle?, upper: upper?, lower: lower?, hand: hand?, fingers })
        };
        let leg = |side: &str| {
            let [thigh, calf, foot, ball] =
                ["thigh", "calf", "foot", "ball"].map(|name| bone(format!("{name}_{side}")));
            Ok::<_, String>(LegBones { thigh: thigh?, calf: calf?, foot: foot?, ball: ball? })
        };
        Ok(Self {
            pelvis: bone("pelvis".into())?,
            spine: [bone("spine_01".into())?, bone("spine_02".into())?, bone("spine_03".into())?],
            neck: bone("neck_01".into())?,
            head: bone("head".into())?,
            arms: [arm("l")?, arm("r")?],
            legs: [leg("l")?, leg("r")?],
        })
    }
}

#[cfg(test)]
pub(super) mod stand_in {
    //! The bones of the package's average body, rounded, for tests where no assets are.

    use super::*;

    /// The height of the ground below it.
    pub(in crate::figure) const GROUND: f32 = -8.2;

    /// Names, parents and both ends of the bones of the trunk, and of those of the left side.
    #[rustfmt::skip]
    const TRUNK: [(&str, &str, [f32; 3], [f32; 3]); 6] = [
        ("pelvis", "", [0., 0.73, 0.14], [0., 1.19, -0.1]),
        ("spine_01", "pelvis", [0., 1.19, -0.1], [0., 1.87, 0.15]),
        ("spine_02", "spine_01", [0., 1.87, 0.15], [0., 2.8, 0.26]),
        ("spine_03", "spine_02", [0., 2.8, 0.26], [0., 4.33, -0.07]),
        ("neck_01", "spine_03", [0., 5.89, 0.07], [0., 6.97, 0.16]),
        ("head", "neck_01", [0., 6.97, 0.16], [0., 8.4, 0.08]),
    ];
    #[rustfmt::skip]
    const LEFT: [(&str, &str, [f32; 3], [f32; 3]); 8] = [
        ("clavicle", "spine_03", [0.27, 5.19, 0.69], [1.68, 5.25, 0.15]),
        ("upperarm", "clavicle", [1.68, 5.25, 0.15], [3.13, 3.49, 0.13]),
        ("lowerarm", "upperarm", [3.13, 3.49, 0.13], [4.31, 2.45, 1.76]),
        ("hand", "lowerarm", [4.31, 2.45, 1.76], [4.29, 2.23, 1.97]),
        ("thigh", "pelvis", [1.1, 0.49, 0.12], [1.58, -3.69, 0.32]),
        ("calf", "thigh", [1.58, -3.69, 0.32], [2.2, -7.45, -0.01]),
        ("foot", "calf", [2.2, -7.45, -0.01], [2.2, -8.1, 1.21]),
        ("ball", "foot", [2.2, -8.1, 1.21], [2.16, -8., 1.92]),
    ];
    /// Where fingers begin, and how they lie.
    const KNUCKLES: [[f32; 3]; 5] =
        [[4.2, 2.31, 2.13], [4.5, 2.03, 2.64], [4.61, 1.89, 2.48], [4.69, 1.81, 2.3], [4.75, 1.76, 2.12]];
    const ALONG: Vec3 = Vec3::new(0.01, -0.15, 0.18);

    /// The rig, and a vertex for each end of each bone.
    pub(in crate::figure) fn rig() -> (Rig, Vec<Vec3>) {
        let mut all: Vec<(String, String, [Vec3; 2])> = Vec::new();
        let ends = |head, tail| [Vec3::from_array(head), Vec3::from_array(tail)];
        all.extend(TRUNK.map(|(name, parent, head, tail)| (name.into(), parent.into(), ends(head, tail))));
        for (side, mirror) in [("l", 1.), ("r", -1.)] {
            let mirrored = |places: [Vec3; 2]| places.map(|place| place * Vec3::new(mirror, 1., 1.));
            for (name, parent, head, tail) in LEFT {
                let is_of_trunk = TRUNK.iter().any(|bone| bone.0 == parent);
                let parent = if is_of_trunk { parent.to_owned() } else { format!("{parent}_{side}") };
                all.push((format!("{name}_{side}"), parent, mirrored(ends(head, tail))));
            }
            for (finger, knuckle) in FINGERS.iter().zip(KNUCKLES) {
                for number in 1..=3 {
                    let parent =
                        if number == 1 { format!("hand_{side}") } else { format!("{finger}_0{}_{side}", number - 1) };
                    let head = Vec3::from_array(knuckle) + ALONG * (number - 1) as f32;
                    all.push((format!("{finger}_0{number}_{side}"), parent, mirrored([head, head + ALONG])));
                }
            }
        }
        let number = |name: &str| all.iter().position(|bone| bone.0 == name);
        let bone = |(at, (name, parent, _)): (usize, &(String, String, _))| Bone {
            name: name.clone(),
            parent: number(parent),
            head: 2 * at..2 * at + 1,
            tail: 2 * at + 1..2 * at + 2,
        };
        let bones: Vec<Bone> = all.iter().enumerate().map(bone).collect();
        let weights = (0..2 * bones.len()).map(|vertex| vec![(vertex / 2, 1.)]).collect();
        let vertices = all.iter().flat_map(|bone| bone.2).collect();
        (Rig::new(bones, weights).unwrap(), vertices)
    }

    #[test]
    fn a_bone_that_stances_need_is_missed_by_name() {
        let mut bones = rig().0.bones;
        bones.retain(|bone| bone.name != "calf_r");
        assert_eq!(Rig::new(bones, Vec::new()).unwrap_err(), "the rig has no calf_r");
    }
}
