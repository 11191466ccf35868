//! The shape of a head that nobody has.

use glam::Vec3;

use crate::{camera::Measures, head::Head, mesh::Target, random::Random};

/// Origins that the macro targets tell apart. Shapes mix two of them; colours are drawn apart.
const ORIGINS: [&str; 3] = ["caucasian", "asian", "african"];
/// How often a feature stays as the macro targets made it.
const UNCHANGED: f32 = 0.3;

/// What the shape of a head was drawn from.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Shares of the macro targets' origins; they sum to 1.
    pub origins: [f32; 3],
    /// 0: a man's shape, 1: a woman's.
    pub femininity: f32,
    /// 0: young, 1: old.
    pub age: f32,
    /// The head at rest.
    pub vertices: Vec<Vec3>,
    /// What of it the rest of the body has, too: names of targets, and how much of each.
    pub of_body: Vec<(String, f32)>,
}

impl Shape {
    /// Draws a shape.
    pub fn draw(random: &mut Random, head: &Head) -> Self {
        let origins = origins(random);
        let femininity = if random.chance(0.5) { random.between(0., 0.3) } else { random.between(0.7, 1.) };
        let age = if random.chance(0.25) { random.between(0.45, 1.) } else { random.between(0., 0.6) };
        let mut shape = Self { origins, femininity, age, vertices: head.vertices.clone(), of_body: Vec::new() };
        shape.add_macros(random, head);
        shape.add_features(random, head);
        shape.add_asymmetries(random, head);
        shape.add_resting_face(random, head);
        shape
    }

    /// Whether the shape is more a woman's.
    pub fn is_feminine(&self) -> bool {
        self.femininity > 0.5
    }

    /// The middle of the head and its height.
    pub fn measures(&self, head: &Head) -> Measures {
        let landmarks = head.landmarks;
        let at = |vertex: u32| self.vertices[vertex as usize];
        let (top, bottom) = (at(landmarks.top).y, at(landmarks.chin).y);
        let depth = (at(landmarks.back).z + at(landmarks.nose).z) / 2.;
        Measures { centre: Vec3::new(0., (top + bottom) / 2., depth), height: (top - bottom).abs() }
    }

    fn add(&mut self, target: &Target, weight: f32) {
        if weight.abs() > 1e-4 {
            target.add_to(&mut self.vertices, weight);
        }
    }

    /// Adds a target that is not of the head alone.
    fn add_named(&mut self, name: String, target: &Target, weight: f32) {
        self.add(target, weight);
        self.of_body.push((name, weight));
    }

    fn add_macros(&mut self, random: &mut Random, head: &Head) {
        let muscle = around(random.between(-0.75, 0.75), "muscle");
        let weight = around(random.normal_within(0., 0.45, 2.), "weight");
        for (sex, share) in [("male", 1. - self.femininity), ("female", self.femininity)] {
            for (age, stage) in [("young", 1. - self.age), ("old", self.age)] {
                for (origin, mix) in ORIGINS.iter().zip(self.origins) {
                    let name = format!("{origin}-{sex}-{age}");
                    if let Some(target) = head.macros.get(&name) {
                        self.add_named(name, target, share * stage * mix);
                    }
                }
                for (muscle, toned) in &muscle {
                    for (weight, heavy) in &weight {
                        let name = format!("universal-{sex}-{age}-{muscle}-{weight}");
                        if let Some(target) = head.macros.get(&name) {
                            self.add_named(name, target, share * stage * toned * heavy);
                        }
                    }
                }
            }
        }
    }

    fn add_features(&mut self, random: &mut Random, head: &Head) {
        for (name, alternatives) in &head.features {
            if random.chance(UNCHANGED) || alternatives.is_empty() {
                continue;
            }
            let chosen = random.below(alternatives.len());
            let strength = random.normal(0., 0.3).abs().min(0.75) * caution(name);
            for target in alternatives.values().nth(chosen).into_iter().flatten() {
                self.add(target, strength * random.between(0.93, 1.07));
            }
        }
    }

    fn add_asymmetries(&mut self, random: &mut Random, head: &Head) {
        for (group, alternatives) in &head.asymmetries {
            if random.chance(0.65) && !alternatives.is_empty() {
                let side = random.below(alternatives.len());
                // Left comes before right.
                let name = format!("{group}-{}", if side == 0 { "l" } else { "r" });
                self.add_named(name, &alternatives[side], random.between(0., 0.3));
            }
        }
    }

    /// People rest with slightly different faces.
    fn add_resting_face(&mut self, random: &mut Random, head: &Head) {
        let rest = [
            ("mouthSmile", random.normal(0.08, 0.08)),
            ("mouthFrown", random.normal(0., 0.06)),
            ("browInnerUp", random.normal(0.12, 0.1)),
            ("browOuterUp", random.normal(0.04, 0.09)),
            ("browDown", random.normal(0., 0.08)),
            ("eyeWide", random.normal(0.05, 0.12)),
            ("eyeSquint", random.normal(0.03, 0.07)),
            ("mouthShrugUpper", random.normal(0., 0.08)),
        ];
        for (name, weight) in rest {
            for side in ["", "Left", "Right"] {
                if let Some(target) = head.units.get(&format!("{name}{side}")).filter(|_| weight > 0.) {
                    self.add(target, weight * random.between(0.9, 1.1));
                }
            }
        }
    }
}

fn origins(random: &mut Random) -> [f32; 3] {
    let (first, second) = (random.below(3), random.below(3));
    let share = random.between(0.5, 1.);
    let mut origins = [0.; 3];
    origins[first] += share;
    origins[second] += 1. - share;
    origins
}

/// The two macro targets around a value in `[-1, 1]`, and their shares.
fn around(value: f32, quality: &str) -> [(String, f32); 2] {
    let end = if value < 0. { "min" } else { "max" };
    [(format!("average{quality}"), 1. - value.abs()), (format!("{end}{quality}"), value.abs())]
}

/// Share of the strength at which a feature still looks like a person's.
fn caution(feature: &str) -> f32 {
    let part = feature.split(['/', '|']).next().unwrap_or_default();
    let caution = match part {
        "ears" | "neck" => 0.5,
        "eyes" => 0.6,
        "head" | "forehead" => 0.75,
        "chin" => 0.85,
        _ => 1.,
    };
    let lips = feature.contains("lip-ext") || feature.contains("angles");
    caution * if lips { 0.35 } else { 1. }
}
