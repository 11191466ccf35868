//! How a person moves the face, in every clip.

use super::{
    label::{Label, Variant},
    units::{AREAS, Area, MUSCLES, Muscle, Units},
};
use crate::random::Random;

/// How a person moves the face: which units much and which little, and which side more.
pub(super) struct Habits {
    gains: [f32; MUSCLES],
    /// How much stronger the left side of each area is; the right is as much weaker.
    sides: [f32; AREAS],
}

impl Habits {
    pub(super) fn of(person: u64) -> Self {
        let mut random = Random::new("habits", &[person]);
        let areas: [f32; AREAS] = std::array::from_fn(|_| random.normal_within(0., 0.06, 2.));
        let mut gains = [1.; MUSCLES];
        for muscle in Muscle::all() {
            let gain = areas[muscle.area() as usize] + random.normal_within(0., 0.09, 2.);
            gains[muscle as usize] = gain.exp().clamp(0.78, 1.28);
        }
        let side = random.normal_within(0., 0.05, 2.);
        Self { gains, sides: std::array::from_fn(|_| side + random.normal_within(0., 0.04, 2.)) }
    }

    /// The units of a label at strength 1, as this person shows it this time.
    pub(super) fn portray(&self, label: Label, random: &mut Random) -> Units {
        let mut units = blend_variants(label, random);
        if label != Label::Neutral {
            vary_mouth(&mut units, random);
            add_accents(&mut units, random);
        }
        let once = Asymmetry::draw(random);
        for muscle in Muscle::all() {
            let gain = self.gains[muscle as usize] * random.normal_within(0., 0.07, 2.).exp();
            let area = muscle.area();
            let lean = self.sides[area as usize] + once.of(area);
            units.update(muscle, |side, weight| weight * gain * if side == 0 { 1. + lean } else { 1. - lean });
        }
        units
    }
}

/// A variant, or two of them blended: the weights stay those of strength 1.
fn blend_variants(label: Label, random: &mut Random) -> Units {
    let (first, second) = (*random.weighted(label.variants()), *random.weighted(label.variants()));
    let share = if random.chance(0.45) { random.between(0., 0.5) } else { 0. };
    let mut units = Units::default();
    add(&mut units, first, 1. - share);
    add(&mut units, second, share);
    units
}

fn add(units: &mut Units, variant: Variant, share: f32) {
    for &(muscle, weight) in variant {
        units.add(muscle, weight * share);
    }
}

/// Opens the mouth more or less than usual.
fn vary_mouth(units: &mut Units, random: &mut Random) {
    units.scale(Muscle::JawOpen, random.between(0.65, 1.25));
    let (held, share) = (random.chance(0.12), random.between(0., 0.4));
    if held && units.get(Muscle::JawOpen) < 0.35 {
        for muscle in [Muscle::JawOpen, Muscle::MouthLowerDown] {
            units.scale(muscle, share);
        }
    }
}

/// Adds a little of what does not belong to the label.
fn add_accents(units: &mut Units, random: &mut Random) {
    const ACCENTS: [Muscle; 13] = [
        Muscle::BrowOuterUp,
        Muscle::BrowInnerUp,
        Muscle::CheekSquint,
        Muscle::JawForward,
        Muscle::JawLeft,
        Muscle::JawRight,
        Muscle::MouthDimple,
        Muscle::MouthLeft,
        Muscle::MouthRight,
        Muscle::MouthPress,
        Muscle::MouthPucker,
        Muscle::MouthShrugUpper,
        Muscle::NoseSneer,
    ];
    for _ in 0..random.below(3) {
        let weight = random.between(0., 0.14);
        units.add(*random.pick(&ACCENTS), weight);
    }
}

/// How a clip leans to one side.
struct Asymmetry {
    whole: f32,
    /// An area that leans much more: a crooked smile, one brow.
    crooked: Option<(Area, f32)>,
}

impl Asymmetry {
    fn draw(random: &mut Random) -> Self {
        let whole = random.normal_within(0., 0.05, 2.);
        let area = *random.weighted(&[(Area::Mouth, 3.), (Area::Brows, 3.), (Area::Nose, 1.), (Area::Cheeks, 1.)]);
        let lean = random.between(0.12, 0.32) * if random.chance(0.5) { 1. } else { -1. };
        Self { whole, crooked: random.chance(0.14).then_some((area, lean)) }
    }

    fn of(&self, area: Area) -> f32 {
        self.whole + self.crooked.map_or(0., |(crooked, lean)| if crooked == area { lean } else { 0. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_differ_and_keep_their_ways() {
        let gain = |person: u64| Habits::of(person).gains[Muscle::MouthSmile as usize];
        assert_eq!(gain(3), gain(3));
        let gains: Vec<f32> = (0..200).map(gain).collect();
        let mean = gains.iter().sum::<f32>() / 200.;
        assert!((0.95..1.06).contains(&mean), "the mean gain is {mean}");
        assert!(gains.iter().any(|gain| *gain < 0.88) && gains.iter().any(|gain| *gain > 1.12));
    }

    #[test]
    fn a_portrayal_is_on_average_the_table_s() {
        let smiles: f32 = (0..300)
            .map(|person| {
                let mut random = Random::new("test", &[person]);
                Habits::of(person).portray(Label::Happiness, &mut random).get(Muscle::MouthSmile)
            })
            .sum();
        assert!((1.02..1.18).contains(&(smiles / 300.)), "{}", smiles / 300.);
    }
}
