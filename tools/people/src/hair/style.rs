//! Hair styles: who wears which, and how each is cut.

use glam::Vec3;

use super::{
    cut::{Cut, Lengths, Pattern, Strand, Tail, TailKind, Under},
    ribbon::Weave,
};
use crate::random::Random;

macro_rules! styles {
    ($($(#[$about:meta])+ $style:ident: $men:literal, $women:literal, $coils:literal;)+) => {
        /// A kind of hair of the head.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Style {
            $($(#[$about])+ $style,)+
        }

        impl Style {
            /// All of them.
            pub const ALL: &[Style] = &[$(Style::$style,)+];

            /// How often men, women, and people with coiled hair as compared with others wear it.
            fn shares(self) -> [f32; 3] {
                match self { $(Style::$style => [$men, $women, $coils],)+ }
            }
        }
    };
}

// The third number multiplies the share among people whose hair is coiled.
styles! {
    /// No hair at all.
    Bald: 5., 0.3, 1.2;
    /// Shorn to a few millimetres.
    Buzz: 7., 1., 2.;
    /// Short, with a bare top.
    Balding: 6., 0.1, 1.;
    /// A ring of hair round a bare top.
    Ring: 3., 0., 0.5;
    /// A centimetre all over.
    Crop: 6., 1., 1.5;
    /// Short curls on top that fade to skin.
    Fade: 5., 0.3, 2.;
    /// Short curls all over.
    CurlyCrop: 4., 2., 3.;
    /// Short, combed from the crown.
    Short: 8., 2., 0.3;
    /// Short, parted aside.
    SidePart: 7., 1.5, 0.2;
    /// Combed straight back.
    SlickBack: 4., 1., 0.2;
    /// Brushed up from the forehead.
    Quiff: 5., 0.5, 0.2;
    /// In spikes.
    Spiky: 3., 0.5, 0.1;
    /// Cut level all round, with a fringe.
    Bowl: 2., 1., 0.1;
    /// In disorder.
    Messy: 5., 1.5, 0.3;
    /// Long on top, shorn at the sides.
    Undercut: 4., 1., 0.3;
    /// Curls on top, shorn at the sides.
    CurlyTop: 4., 0.7, 2.;
    /// A crest.
    Mohawk: 1., 0.4, 1.;
    /// Short in front, long behind.
    Mullet: 1.5, 0.4, 0.3;
    /// Short, with a fringe to the side.
    Pixie: 0.5, 4., 0.5;
    /// To the cheekbones, parted in the middle.
    Curtains: 2., 4., 0.2;
    /// To the jaw.
    Bob: 0.3, 6., 0.3;
    /// To the jaw, with a fringe.
    FringedBob: 0.2, 4., 0.2;
    /// In rough layers.
    Shag: 1.2, 4., 0.3;
    /// To the shoulders.
    Shoulder: 1.2, 7., 0.3;
    /// Below the shoulders, parted.
    Long: 1.5, 8., 0.3;
    /// Below the shoulders, with a fringe.
    LongFringe: 0.1, 5., 0.2;
    /// Below the shoulders, swept back.
    LongSwept: 0.4, 5., 0.2;
    /// Long waves.
    Waves: 0.8, 8., 0.5;
    /// Long curls.
    Curls: 0.7, 6., 2.5;
    /// A round cloud of curls.
    Afro: 2., 3., 6.;
    /// Two balls of curls.
    Puffs: 0.05, 1.2, 4.;
    /// Tied behind.
    Ponytail: 0.3, 4., 1.;
    /// Tied at the crown.
    HighPonytail: 0.2, 3., 1.;
    /// Wound behind.
    Bun: 0.1, 3., 1.;
    /// Wound on top.
    TopKnot: 1., 3., 1.;
    /// Wound on both sides of the top.
    TwoBuns: 0.02, 1., 0.7;
    /// Tied on both sides.
    Pigtails: 0.02, 1.5, 0.7;
    /// Plaited on both sides.
    Plaits: 0.1, 2., 1.;
    /// Long ropes.
    Dreadlocks: 1., 1.2, 4.;
    /// Short ropes.
    Twists: 1., 0.7, 4.;
    /// Plaited to the scalp.
    Cornrows: 0.7, 1., 5.;
}

impl Style {
    /// The style of somebody: `femininity`, `age` (0 young, 1 old) and `coils` (how coiled the hair is) in `[0, 1]`.
    pub fn draw(random: &mut Random, femininity: f32, age: f32, coils: f32) -> Self {
        let share = |style: Style| {
            let [men, women, coiled] = style.shares();
            let youth = match style {
                Style::Bald | Style::Balding | Style::Ring => (age * 2.).powi(2),
                Style::Mohawk | Style::TwoBuns | Style::Pigtails | Style::Spiky | Style::Undercut => 1.1 - age,
                _ => 1.,
            };
            (men + (women - men) * femininity) * (1. + (coiled - 1.) * coils) * youth
        };
        let choices: Vec<(Style, f32)> = Style::ALL.iter().map(|&style| (style, share(style).max(0.))).collect();
        *random.weighted(&choices)
    }

    /// How much of the hairline recedes with the style, at least and at most.
    pub fn recession(self) -> (f32, f32) {
        match self {
            Style::Balding => (0.5, 1.),
            Style::Ring | Style::Bald => (0.8, 1.),
            _ => (0., 0.25),
        }
    }

    /// How this head's hair is cut; `curl` in `[0, 1]` is how far it waves by itself.
    pub(super) fn cut(self, random: &mut Random, curl: f32) -> Cut {
        let mut cut = match self {
            Style::Bald
            | Style::Buzz
            | Style::Balding
            | Style::Crop
            | Style::Fade
            | Style::CurlyCrop
            | Style::Cornrows => self.painted(random),
            Style::Ring | Style::Short | Style::SidePart | Style::SlickBack | Style::Bowl | Style::Pixie => {
                self.combed(random)
            }
            Style::Quiff
            | Style::Spiky
            | Style::Messy
            | Style::Mullet
            | Style::CurlyTop
            | Style::Mohawk
            | Style::Undercut => self.rough(random),
            Style::Afro | Style::Puffs | Style::Dreadlocks | Style::Twists => self.coiled(random),
            Style::Ponytail
            | Style::HighPonytail
            | Style::Bun
            | Style::TopKnot
            | Style::TwoBuns
            | Style::Pigtails
            | Style::Plaits => self.tied(random),
            Style::Curtains | Style::Bob | Style::FringedBob | Style::Shag | Style::Shoulder => self.level(random),
            _ => self.long(random),
        };
        let natural = curl * random.between(0.6, 1.);
        if cut.strand == Strand::Ribbon && cut.wave.0 == 0. && natural > 0.25 && cut.lengths.top > 0.2 {
            cut.wave = (0.06 * natural, random.between(0.45, 0.8));
            cut.clump = cut.clump.max(0.35);
        }
        cut
    }

    /// No strands: all is painted on shells.
    fn painted(self, random: &mut Random) -> Cut {
        let under = |layers, thickness, pattern, cover| Under {
            layers,
            thickness,
            pattern,
            cover,
            fade: None,
            bald_top: false,
        };
        let mut under = match self {
            Style::Buzz => under(2, random.between(0.012, 0.035), Pattern::Straight, 0.85),
            Style::Balding => under(2, random.between(0.015, 0.05), Pattern::Straight, 0.85),
            Style::Crop => under(3, random.between(0.05, 0.11), Pattern::Straight, 1.),
            Style::Fade => under(3, random.between(0.05, 0.12), Pattern::Curly, 1.),
            Style::CurlyCrop => under(4, random.between(0.1, 0.3), Pattern::Curly, 1.),
            Style::Cornrows => under(2, 0.06, Pattern::Rows(random.between(7., 13.).floor()), 1.),
            _ => under(0, 0., Pattern::Straight, 0.),
        };
        under.bald_top = self == Style::Balding;
        under.fade = match self {
            Style::Fade => Some((random.between(6.9, 7.4), random.between(7.6, 7.9))),
            Style::Buzz if random.chance(0.3) => Some((6.8, 7.5)),
            _ => None,
        };
        let curly = under.pattern == Pattern::Curly;
        let tufts = if curly { random.between(700., 1000.) as usize } else { 0 };
        Cut {
            count: tufts,
            lengths: Lengths::even(0.16),
            volume: under.thickness,
            shaved: under.fade.map(|(_, high)| high),
            float: true,
            tousle: 1.2,
            stand: 0.25,
            weave: Weave::CURLY,
            width: 0.045,
            piece: 0.08,
            under,
            ..Cut::default()
        }
    }

    /// Short hair in order.
    fn combed(self, random: &mut Random) -> Cut {
        let part = random.between(0.22, 0.42) * if random.chance(0.5) { 1. } else { -1. };
        let base = Cut::default();
        match self {
            Style::Ring => Cut {
                lengths: Lengths::even(random.between(0.2, 0.5)),
                under: Under { bald_top: true, thickness: 0.04, ..base.under },
                sides: Vec3::new(0., 0., -0.5),
                count: 420,
                ..base
            },
            Style::Short => Cut {
                lengths: Lengths { fringe: 0.45, top: 0.5, sides: 0.3, back: 0.35, nape: 0.2 },
                sweep: Vec3::new(random.between(-0.6, 0.6), 0.3, random.between(-0.2, 0.5)),
                stand: random.between(0.3, 0.5),
                volume: random.between(0.08, 0.18),
                tousle: 0.3,
                fringe: Some(random.between(0.4, 0.55)),
                ..base
            },
            Style::SidePart => Cut {
                lengths: Lengths { fringe: 0.8, top: 0.85, sides: 0.35, back: 0.4, nape: 0.2 },
                parting: Some(part),
                sweep: Vec3::new(0., 0., random.between(-0.5, 0.1)),
                sides: Vec3::new(0., 0., -0.6),
                volume: random.between(0.08, 0.2),
                tousle: 0.1,
                stand: 0.3,
                ..base
            },
            Style::SlickBack => Cut {
                lengths: Lengths { fringe: 1., top: 1., sides: 0.6, back: 0.6, nape: 0.3 },
                away: 0.1,
                sweep: Vec3::new(0., 0.1, -1.),
                sides: Vec3::new(0., 0.2, -1.2),
                volume: random.between(0.06, 0.14),
                tousle: 0.05,
                stand: 0.25,
                ..base
            },
            Style::Bowl => Cut {
                lengths: Lengths { fringe: 1.1, top: 1.4, sides: 1., back: 1., nape: 0.5 },
                volume: 0.13,
                tousle: 0.06,
                ragged: 0.1,
                fringe: Some(random.between(0.24, 0.36)),
                level: Some(random.between(0.9, 1.15)),
                over_ears: true,
                stand: 0.2,
                ..base
            },
            _ => Cut {
                lengths: Lengths { fringe: random.between(0.6, 0.9), top: 0.8, sides: 0.5, back: 0.5, nape: 0.3 },
                parting: Some(part),
                sweep: Vec3::new(0., 0., 0.8),
                sides: Vec3::new(0., 0., 0.25),
                volume: random.between(0.12, 0.22),
                stand: 0.35,
                tousle: 0.25,
                clump: 0.4,
                fringe: Some(random.between(0.3, 0.5)),
                ..base
            },
        }
    }

    /// Short hair that stands or lies in disorder.
    fn rough(self, random: &mut Random) -> Cut {
        let part = random.between(0.22, 0.42) * if random.chance(0.5) { 1. } else { -1. };
        let faded = |random: &mut Random| Some((random.between(6.7, 7.2), random.between(7.3, 7.7)));
        let base = Cut::default();
        match self {
            Style::Quiff => Cut {
                lengths: Lengths { fringe: random.between(0.5, 0.75), top: 0.55, sides: 0.22, back: 0.25, nape: 0.15 },
                away: 0.1,
                sweep: Vec3::new(random.between(-0.4, 0.4), 0.8, -0.8),
                sides: Vec3::new(0., 0., -0.6),
                stand: 0.75,
                gravity: 0.35,
                volume: random.between(0.16, 0.28),
                tousle: 0.15,
                clump: 0.4,
                under: Under { fade: faded(random), ..base.under },
                shaved: Some(7.4),
                ..base
            },
            Style::Spiky => Cut {
                lengths: Lengths { fringe: 0.45, top: 0.45, sides: 0.25, back: 0.35, nape: 0.2 },
                away: 0.3,
                sweep: Vec3::new(0., 1., 0.),
                stand: 0.95,
                gravity: 0.15,
                tousle: 0.3,
                clump: 0.85,
                volume: 0.08,
                ..base
            },
            Style::Messy => Cut {
                lengths: Lengths { fringe: 0.7, top: 0.8, sides: 0.55, back: 0.6, nape: 0.5 },
                sweep: Vec3::new(random.between(-0.8, 0.8), 0.2, 0.3),
                stand: 0.6,
                volume: random.between(0.15, 0.3),
                tousle: 0.7,
                clump: 0.65,
                fringe: Some(random.between(0.3, 0.45)),
                ragged: 0.5,
                ..base
            },
            Style::Mullet => Cut {
                lengths: Lengths { fringe: 0.5, top: 0.6, sides: 0.4, back: 1.6, nape: 1.6 },
                fringe: Some(random.between(0.35, 0.5)),
                sides: Vec3::new(0., 0., -0.7),
                volume: 0.18,
                stand: 0.5,
                tousle: 0.35,
                clump: 0.5,
                ragged: 0.35,
                ..base
            },
            Style::CurlyTop => Cut {
                lengths: Lengths::even(random.between(0.3, 0.55)),
                shaved: Some(random.between(7.5, 7.75)),
                stand: 0.7,
                gravity: 0.3,
                tousle: 0.8,
                volume: random.between(0.15, 0.3),
                wave: (0.06, random.between(0.22, 0.32)),
                float: true,
                piece: 0.08,
                weave: Weave::CURLY,
                under: Under {
                    layers: 2,
                    thickness: 0.14,
                    pattern: Pattern::Curly,
                    fade: Some((random.between(6.8, 7.2), 7.7)),
                    ..base.under
                },
                ..base
            },
            Style::Mohawk => Cut {
                lengths: Lengths::even(random.between(0.5, 0.9)),
                strip: Some(random.between(0.12, 0.2)),
                shaved: Some(7.),
                sweep: Vec3::new(0., 1., 0.),
                away: 0.,
                stand: 1.,
                gravity: 0.05,
                tousle: 0.12,
                clump: 0.6,
                under: Under { layers: 1, thickness: 0.012, cover: random.between(0.3, 0.8), ..base.under },
                count: 2400,
                ..base
            },
            _ => Cut {
                lengths: Lengths { fringe: 1.1, top: 1.1, sides: 0.8, back: 0.9, nape: 0.2 },
                parting: Some(part),
                away: 0.8,
                sweep: Vec3::new(0., 0.3, random.between(-1.2, -0.3)),
                shaved: Some(random.between(7.75, 7.9)),
                volume: 0.2,
                stand: 0.5,
                tousle: 0.12,
                clump: 0.35,
                under: Under { fade: Some((6.6, random.between(7., 7.6))), thickness: 0.02, ..base.under },
                count: 600,
                ..base
            },
        }
    }

    /// Hair that hangs down to the jaw or the shoulders.
    fn level(self, random: &mut Random) -> Cut {
        let base = falling(random);
        let fringe = random.between(0.2, 0.36);
        match self {
            Style::Curtains => Cut {
                lengths: Lengths { fringe: random.between(1., 1.3), top: 1.2, sides: 0.8, back: 0.8, nape: 0.4 },
                parting: Some(random.between(-0.06, 0.06)),
                stand: 0.45,
                ragged: 0.25,
                ..base
            },
            Style::Bob => Cut {
                lengths: Lengths::even(2.2),
                level: Some(random.between(-0.15, 0.45)),
                turn_in: random.between(0., 1.),
                ..base
            },
            Style::FringedBob => Cut {
                lengths: Lengths::even(2.2),
                parting: None,
                fringe: Some(fringe),
                level: Some(random.between(-0.1, 0.45)),
                turn_in: random.between(0.2, 1.),
                tousle: 0.05,
                ..base
            },
            Style::Shag => Cut {
                lengths: Lengths { fringe: 1., top: 1.2, sides: 1.2, back: 1.5, nape: 1.2 },
                fringe: Some(random.between(0.25, 0.42)),
                tousle: 0.4,
                ragged: 0.5,
                clump: 0.65,
                stand: 0.5,
                wave: (0.04, 0.6),
                piece: 0.17,
                ..base
            },
            _ => Cut {
                lengths: Lengths::even(2.7),
                level: Some(random.between(-0.75, -0.3)),
                turn_in: random.between(-0.6, 0.8),
                ..base
            },
        }
    }

    /// Hair that hangs below the shoulders.
    fn long(self, random: &mut Random) -> Cut {
        let base = falling(random);
        match self {
            Style::LongFringe => Cut {
                lengths: Lengths { fringe: 2., top: 3.4, sides: 3., back: 3., nape: 2.4 },
                parting: None,
                fringe: Some(random.between(0.2, 0.36)),
                count: 520,
                piece: 0.3,
                ..base
            },
            Style::LongSwept => Cut {
                lengths: Lengths { fringe: 3.2, top: 3.4, sides: 3., back: 3., nape: 2.4 },
                parting: None,
                away: 0.2,
                sweep: Vec3::new(0., 0.3, -1.),
                sides: Vec3::new(0.2, 0., -0.9),
                stand: 0.5,
                volume: 0.2,
                count: 520,
                piece: 0.3,
                ..base
            },
            Style::Waves => Cut {
                lengths: Lengths::even(random.between(2.2, 3.4)),
                wave: (random.between(0.05, 0.1), random.between(0.6, 0.95)),
                volume: random.between(0.18, 0.28),
                clump: random.between(0.5, 0.75),
                ragged: 0.25,
                count: 460,
                width: 0.1,
                piece: 0.2,
                ..base
            },
            Style::Curls => Cut {
                lengths: Lengths::even(random.between(1.2, 2.8)),
                wave: (random.between(0.08, 0.13), random.between(0.36, 0.5)),
                volume: random.between(0.25, 0.3),
                stand: 0.6,
                tousle: 0.35,
                clump: 0.4,
                ragged: 0.4,
                count: 420,
                width: 0.1,
                piece: 0.12,
                weave: Weave::CURLY,
                ..base
            },
            _ => Cut {
                lengths: Lengths { fringe: 3., top: 3.4, sides: 3., back: 3., nape: 2.4 },
                count: 520,
                piece: 0.3,
                ..base
            },
        }
    }

    fn coiled(self, random: &mut Random) -> Cut {
        let base = Cut::default();
        let knots = |height: f32| [1., -1.].map(|side| Vec3::new(0.5 * side, height, -0.25));
        match self {
            Style::Afro => {
                let size = random.between(0.2, 0.62);
                Cut {
                    lengths: Lengths::even(0.28),
                    volume: size,
                    float: true,
                    stand: 0.55,
                    gravity: 0.1,
                    tousle: 1.4,
                    wave: (0.04, 0.2),
                    piece: 0.09,
                    over_ears: true,
                    weave: Weave::CURLY,
                    width: 0.05,
                    count: 1500,
                    under: Under { layers: 3, thickness: size * 0.86, pattern: Pattern::Curly, ..base.under },
                    ..base
                }
            }
            Style::Puffs => Cut {
                count: 420,
                lengths: Lengths::even(1.6),
                parting: Some(0.),
                volume: 0.05,
                tousle: 0.05,
                weave: Weave::CURLY,
                tails: knots(random.between(0.75, 1.))
                    .map(|knot| Tail {
                        knot,
                        leaves: Vec3::new(knot.x, 0.3, 0.),
                        length: 0.3,
                        radius: 0.4,
                        strips: 210,
                        kind: TailKind::Puff,
                    })
                    .into(),
                under: Under { pattern: Pattern::Curly, ..base.under },
                ..base
            },
            Style::Dreadlocks => Cut {
                lengths: Lengths::even(random.between(1., 2.8)),
                parting: Some(random.between(-0.3, 0.3)),
                strand: Strand::Rope,
                count: random.between(110., 150.) as usize,
                width: random.between(0.04, 0.065),
                volume: 0.16,
                stand: 0.5,
                tousle: 0.25,
                clump: 0.,
                ragged: 0.3,
                piece: 0.28,
                over_ears: true,
                sides: Vec3::new(0.3, 0., -0.2),
                under: Under { thickness: 0.05, pattern: Pattern::Curly, ..base.under },
                ..base
            },
            _ => Cut {
                lengths: Lengths::even(random.between(0.3, 0.6)),
                strand: Strand::Rope,
                count: random.between(220., 300.) as usize,
                width: random.between(0.03, 0.045),
                volume: 0.1,
                stand: 0.8,
                gravity: 0.3,
                tousle: 0.5,
                clump: 0.,
                shaved: random.chance(0.5).then_some(7.6),
                piece: 0.16,
                under: Under { thickness: 0.06, pattern: Pattern::Curly, fade: Some((6.7, 7.5)), ..base.under },
                ..base
            },
        }
    }

    /// Hair combed to one or two knots.
    fn tied(self, random: &mut Random) -> Cut {
        let tight = Cut {
            lengths: Lengths::even(2.2),
            ragged: 0.02,
            volume: random.between(0.03, 0.1),
            stand: 0.2,
            tousle: 0.05,
            clump: 0.1,
            gravity: 0.,
            count: 480,
            width: 0.09,
            piece: 0.2,
            ..Cut::default()
        };
        let tail = |x: f32, y: f32, z: f32, leaves: Vec3, length: f32, radius: f32, kind: TailKind| Tail {
            knot: Vec3::new(x, y, z),
            leaves,
            length,
            radius,
            strips: if kind == TailKind::Loose { 90 } else { 110 },
            kind,
        };
        let pair = |y: f32, z: f32, out: f32, length: f32, radius: f32, kind: TailKind| -> Vec<Tail> {
            let one = |side: f32| tail(out * side, y, z, Vec3::new(side, 0.1, 0.2), length, radius, kind);
            vec![one(1.), one(-1.)]
        };
        let back = Vec3::new(0., 0.2, -1.);
        let tails = match self {
            Style::Ponytail => vec![tail(0., 0.15, -1.12, back, random.between(1.2, 2.4), 0.14, TailKind::Loose)],
            Style::HighPonytail => {
                vec![tail(0., 1.12, -0.62, back + Vec3::Y, random.between(1.4, 2.6), 0.15, TailKind::Loose)]
            }
            Style::Bun => vec![tail(0., random.between(0.2, 0.7), -1.2, back, 0.3, 0.32, TailKind::Bun)],
            Style::TopKnot => {
                vec![tail(0., 1.36, random.between(-0.4, 0.), Vec3::Y, 0.3, random.between(0.2, 0.34), TailKind::Bun)]
            }
            Style::TwoBuns => pair(1.1, -0.2, 0.56, 0.3, random.between(0.22, 0.3), TailKind::Bun),
            Style::Pigtails => {
                pair(random.between(-0.5, 0.4), -0.5, 0.78, random.between(1., 2.), 0.14, TailKind::Loose)
            }
            _ => pair(-0.55, -0.35, 0.68, random.between(1.4, 2.2), 0.13, TailKind::Plait),
        };
        let parted = tails.len() == 2;
        Cut { tails, parting: parted.then_some(random.between(-0.05, 0.05)), ..tight }
    }
}

/// Hair that hangs down from a parting.
fn falling(random: &mut Random) -> Cut {
    let middle = random.between(-0.06, 0.06);
    let aside = random.between(0.2, 0.42) * if random.chance(0.5) { 1. } else { -1. };
    let parting = if random.chance(0.5) { middle } else { aside };
    Cut {
        parting: Some(parting),
        over_ears: true,
        volume: random.between(0.1, 0.22),
        stand: 0.3,
        tousle: random.between(0.04, 0.14),
        clump: random.between(0.2, 0.45),
        ragged: 0.12,
        count: 620,
        width: 0.085,
        piece: 0.24,
        sides: Vec3::new(0.1, 0., -0.1),
        gravity: 0.8,
        ..Cut::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_finds_a_style_that_suits_them() {
        let mut random = Random::new("style", &[0]);
        let mut drawn = |femininity: f32, age: f32, coils: f32, style: Style| {
            (0..4000).filter(|_| Style::draw(&mut random, femininity, age, coils) == style).count()
        };
        assert!(drawn(0., 0.9, 0., Style::Balding) > 5 * drawn(0., 0.2, 0., Style::Balding).max(1));
        assert!(drawn(1., 0.3, 0., Style::Long) > 3 * drawn(0., 0.3, 0., Style::Long));
        assert!(drawn(0.5, 0.3, 1., Style::Afro) > 3 * drawn(0.5, 0.3, 0., Style::Afro));
    }
}
