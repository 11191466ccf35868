//! The table of motions: what a body does when, for each label, in several ways.
//!
//! Times run from 0 to 1; at [`APEX`] a motion is in its middle. All begin at rest and go back to it. The right arm or
//! leg acts; clips are mirrored where sides do not tell labels apart.

use super::stance::{REST, Stance, arm, fist, foot};

/// When a motion is in its middle.
pub(super) const APEX: f32 = 0.6;

/// A way to do something: a stance at each time.
pub(super) type Motion = &'static [(f32, Stance)];

const FRONT: [f32; 3] = [0., 0., 1.];
const BACK: [f32; 3] = [0., 0., -1.];
const DOWN: [f32; 3] = [0., -1., 0.];
const UP: [f32; 3] = [0., 1., 0.];
const IN: [f32; 3] = [-1., 0., 0.];

// Waving: the hand beside or above the head, the forearm goes to and fro.
const WAVE_OUT: Stance = REST.right(arm([0.95, 0.05, 0.3], [0.55, 1., 0.3], FRONT));
const WAVE_IN: Stance = REST.right(arm([0.95, 0.1, 0.3], [-0.3, 1., 0.3], FRONT));
const HAIL_OUT: Stance = REST.right(arm([0.6, 0.8, 0.15], [0.75, 1., 0.1], FRONT)).spine(0., 0., 4.);
const HAIL_IN: Stance = REST.right(arm([0.5, 0.9, 0.15], [-0.35, 1., 0.1], FRONT)).spine(0., 0., 4.);
const LOW_OUT: Stance = REST.right(arm([0.4, -0.9, 0.2], [0.8, 0.85, 0.5], FRONT));
const LOW_IN: Stance = REST.right(arm([0.4, -0.85, 0.25], [-0.05, 1., 0.5], FRONT));
pub(super) const WAVE: &[(Motion, f32)] = &[
    (&[(0.24, WAVE_OUT), (0.36, WAVE_IN), (0.48, WAVE_OUT), (APEX, WAVE_IN), (0.72, WAVE_OUT), (0.8, WAVE_IN)], 1.4),
    (&[(0.3, HAIL_OUT), (0.45, HAIL_IN), (APEX, HAIL_OUT), (0.75, HAIL_IN)], 1.),
    (&[(0.2, LOW_OUT), (0.34, LOW_IN), (0.47, LOW_OUT), (APEX, LOW_IN), (0.74, LOW_OUT)], 0.8),
];

// Clapping before the chest, or above the head.
const HANDS_APART: Stance = REST.both(arm([0.5, -0.75, 0.45], [0.35, 0.4, 1.], IN)).head(4., 0., 0.);
const HANDS_TOGETHER: Stance = REST.both(arm([0.3, -0.8, 0.5], [-0.74, 0.35, 0.8], IN)).head(4., 0., 0.);
const ABOVE_APART: Stance = REST.both(arm([0.7, 0.75, 0.3], [0.4, 1., 0.2], IN)).head(-6., 0., 0.);
const ABOVE_TOGETHER: Stance = REST.both(arm([0.35, 0.92, 0.35], [-0.62, 0.85, 0.2], IN)).head(-6., 0., 0.);
pub(super) const CLAP: &[(Motion, f32)] = &[
    (
        &[
            (0.2, HANDS_APART),
            (0.3, HANDS_TOGETHER),
            (0.4, HANDS_APART),
            (0.5, HANDS_TOGETHER),
            (APEX, HANDS_APART),
            (0.7, HANDS_TOGETHER),
            (0.8, HANDS_APART),
        ],
        1.4,
    ),
    (
        &[(0.24, HANDS_APART), (0.37, HANDS_TOGETHER), (0.5, HANDS_APART), (APEX, HANDS_TOGETHER), (0.76, HANDS_APART)],
        1.,
    ),
    (&[(0.3, ABOVE_APART), (0.45, ABOVE_TOGETHER), (APEX, ABOVE_APART), (0.74, ABOVE_TOGETHER)], 0.5),
];

// Throwing: the arm is drawn back, and the body turns into the throw.
const WIND_UP: Stance = REST
    .right(fist([0.85, 0.3, -0.45], [0.3, 0.8, -0.55], FRONT))
    .left(arm([0.35, -0.1, 0.9], [0.1, 0.1, 1.], DOWN))
    .spine(-6., -22., 0.)
    .hips(-3., -14., 0.)
    .head(0., 26., 0.)
    .shift(-0.05, -0.02, -0.08);
const RELEASE: Stance = REST
    .right(arm([0.45, 0.4, 0.85], [0.1, 0.3, 1.], DOWN))
    .left(arm([0.3, -0.85, -0.1], [0.15, -0.6, 0.6], IN))
    .legs(foot(0., 0., 0.22), foot(0., 0.02, -0.08).pointing(14.))
    .spine(14., 18., 0.)
    .hips(6., 12., 0.)
    .head(0., -20., 0.)
    .shift(0.02, -0.05, 0.1);
const FOLLOW_THROUGH: Stance = REST
    .right(arm([-0.05, -0.55, 0.85], [-0.55, -0.75, 0.5], IN))
    .left(arm([0.4, -0.85, -0.3], [0.2, -0.6, 0.4], IN))
    .legs(foot(0., 0., 0.22), foot(0., 0.03, -0.1).pointing(20.))
    .spine(24., 24., 0.)
    .hips(8., 14., 0.)
    .head(-8., -24., 0.)
    .shift(0.02, -0.07, 0.12);
const SWING_BACK: Stance =
    REST.right(fist([0.25, -0.8, -0.75], [0.15, -0.85, -0.5], IN)).spine(12., -12., 0.).shift(0., -0.05, 0.);
const TOSS: Stance = REST
    .right(arm([0.15, -0.1, 1.], [0.05, 0.45, 1.], UP))
    .legs(foot(0., 0., 0.16), foot(0., 0., 0.))
    .spine(6., 14., 0.)
    .shift(0., -0.02, 0.06);
pub(super) const THROW: &[(Motion, f32)] = &[
    (&[(0.4, WIND_UP), (APEX, RELEASE), (0.72, FOLLOW_THROUGH), (0.8, FOLLOW_THROUGH)], 1.4),
    (&[(0.38, SWING_BACK), (APEX, TOSS), (0.7, TOSS)], 0.7),
];

// Boxing, with both fists before the face.
const GUARD: Stance = REST
    .both(fist([0.3, -0.9, 0.35], [-0.28, 0.9, 0.6], IN))
    .legs(foot(0.04, 0., 0.12), foot(0.06, 0., -0.12).pointing(0.))
    .spine(8., 0., 0.)
    .shift(0., -0.05, 0.);
const CROSS: Stance = GUARD
    .right(fist([-0.02, 0.02, 1.], [-0.16, 0.06, 1.], DOWN))
    .spine(10., 26., 0.)
    .hips(2., 12., 0.)
    .head(0., -30., 0.);
const JAB: Stance = GUARD
    .left(fist([0.04, 0.02, 1.], [-0.12, 0.06, 1.], DOWN))
    .spine(10., -18., 0.)
    .hips(2., -6., 0.)
    .head(0., 20., 0.);
const HOOK: Stance = GUARD
    .right(fist([0.75, 0.02, 0.65], [-0.85, 0.15, 0.6], DOWN))
    .spine(8., 24., 0.)
    .hips(2., 12., 0.)
    .head(0., -26., 0.);
pub(super) const BOX: &[(Motion, f32)] = &[
    (&[(0.2, GUARD), (0.34, JAB), (0.46, GUARD), (APEX, CROSS), (0.72, GUARD), (0.82, GUARD)], 1.4),
    (&[(0.22, GUARD), (0.38, JAB), (0.48, GUARD), (APEX, HOOK), (0.76, GUARD)], 0.8),
];

// Squatting, with the arms stretched or folded.
const SQUAT_LEGS: Stance = REST
    .legs(foot(0.07, 0., 0.).splayed(24.), foot(0.07, 0., 0.).splayed(24.))
    .shift(0., -0.44, -0.17)
    .hips(40., 0., 0.)
    .spine(6., 0., 0.)
    .head(-26., 0., 0.);
const SQUAT_STRETCHED: Stance = SQUAT_LEGS.both(arm([0.12, 0.55, 1.], [0., 0.55, 1.], DOWN));
const SQUAT_FOLDED: Stance = SQUAT_LEGS.both(fist([0.35, -0.6, 0.7], [-0.65, 0.75, 0.5], IN));
pub(super) const SQUAT: &[(Motion, f32)] =
    &[(&[(0.52, SQUAT_STRETCHED), (0.66, SQUAT_STRETCHED)], 1.4), (&[(0.5, SQUAT_FOLDED), (0.66, SQUAT_FOLDED)], 0.8)];

// Kicking, to the front or to the side.
const KICK_BACK: Stance = REST
    .legs(foot(0., 0., 0.06), foot(0., 0.16, -0.34).pointing(48.))
    .right(fist([0.4, -0.75, 0.45], [-0.1, 0.2, 0.9], IN))
    .left(fist([0.45, -0.8, -0.3], [0.1, -0.3, 0.8], IN))
    .spine(10., 8., 0.)
    .shift(0.05, -0.05, 0.);
const KICK_FRONT: Stance = REST
    .legs(foot(0., 0., 0.), foot(-0.04, 0.72, 0.78).pointing(10.))
    .right(fist([0.5, -0.75, -0.4], [0.2, -0.4, 0.7], IN))
    .left(fist([0.45, -0.6, 0.6], [-0.2, 0.35, 0.9], IN))
    .hips(-16., 6., 0.)
    .spine(4., 0., 0.)
    .shift(0.06, -0.03, -0.07);
const KICK_CHAMBER: Stance = REST
    .legs(foot(0., 0., 0.), foot(0.12, 0.4, 0.22).splayed(30.).pointing(20.))
    .both(fist([0.35, -0.85, 0.4], [-0.25, 0.8, 0.65], IN))
    .hips(0., 0., 8.)
    .shift(0.08, -0.04, 0.);
const KICK_SIDE: Stance = REST
    .legs(foot(0., 0., 0.), foot(0.78, 0.66, 0.12).splayed(40.))
    .right(fist([0.5, -0.7, 0.3], [0.1, 0.2, 0.9], IN))
    .left(fist([0.35, -0.8, 0.45], [-0.3, 0.8, 0.6], IN))
    .hips(0., 0., 24.)
    .spine(0., 0., 6.)
    .head(0., -16., -14.)
    .shift(0.1, -0.04, 0.);
pub(super) const KICK: &[(Motion, f32)] = &[
    (&[(0.36, KICK_BACK), (APEX, KICK_FRONT), (0.66, KICK_FRONT)], 1.5),
    (&[(0.4, KICK_CHAMBER), (APEX, KICK_SIDE), (0.67, KICK_SIDE), (0.8, KICK_CHAMBER)], 0.9),
];

// Jumping, from bent knees and back to them.
const CROUCH: Stance = REST
    .both(arm([0.3, -0.75, -0.7], [0.15, -0.75, -0.35], IN))
    .legs(foot(0.03, 0., 0.).splayed(14.), foot(0.03, 0., 0.).splayed(14.))
    .shift(0., -0.22, -0.1)
    .hips(30., 0., 0.)
    .spine(8., 0., 0.)
    .head(-22., 0., 0.);
const LANDING: Stance = CROUCH.both(arm([0.5, -0.7, 0.5], [0.2, -0.3, 0.8], DOWN)).shift(0., -0.18, -0.08);
const IN_THE_AIR: Stance = REST
    .both(arm([0.5, 0.85, 0.25], [0.25, 1., 0.15], FRONT))
    .legs(foot(0.02, 0.26, -0.05).pointing(38.), foot(0.02, 0.26, -0.05).pointing(38.))
    .shift(0., 0.3, 0.)
    .head(-8., 0., 0.);
const STAR: Stance = REST
    .both(arm([0.8, 0.65, 0.05], [0.75, 0.75, 0.05], FRONT))
    .legs(foot(0.32, 0.28, 0.).pointing(30.), foot(0.32, 0.28, 0.).pointing(30.))
    .shift(0., 0.26, 0.);
const TUCKED: Stance = REST
    .both(arm([0.4, -0.3, 0.8], [0.1, 0.1, 1.], DOWN))
    .legs(foot(0.03, 0.52, 0.12).pointing(26.), foot(0.03, 0.52, 0.12).pointing(26.))
    .shift(0., 0.26, 0.)
    .hips(12., 0., 0.)
    .spine(10., 0., 0.);
pub(super) const JUMP: &[(Motion, f32)] = &[
    (&[(0.36, CROUCH), (APEX, IN_THE_AIR), (0.8, LANDING)], 1.4),
    (&[(0.36, CROUCH), (APEX, STAR), (0.8, LANDING)], 0.8),
    (&[(0.36, CROUCH), (APEX, TUCKED), (0.8, LANDING)], 0.7),
];

// Bowing, with the hands at the sides, on the thighs, or one on the chest.
const BENT: Stance = REST.hips(42., 0., 0.).spine(34., 0., 0.).head(14., 0., 0.).shift(0., -0.01, -0.16);
const BOWED: Stance = BENT.both(arm([0.13, -0.9, 0.32], [0.04, -0.92, 0.4], IN));
const BOWED_HANDS: Stance = BENT.both(arm([0.12, -0.7, 0.7], [-0.1, -0.75, 0.65], BACK));
const BOWED_SERVANT: Stance = BENT
    .right(arm([0.35, -0.85, 0.5], [-0.9, 0.15, 0.45], BACK))
    .left(arm([0.5, -0.75, -0.45], [0.3, -0.9, -0.2], IN))
    .hips(30., 0., 0.);
pub(super) const BOW: &[(Motion, f32)] = &[
    (&[(0.52, BOWED), (0.68, BOWED)], 1.),
    (&[(0.52, BOWED_HANDS), (0.68, BOWED_HANDS)], 0.8),
    (&[(0.52, BOWED_SERVANT), (0.68, BOWED_SERVANT)], 0.7),
];

// Turning round to the left, one foot after the other, and on to the front again; or back.
const fn step(heading: f32, left: f32, right: f32, lifted: [f32; 2]) -> Stance {
    REST.legs(
        foot(0., lifted[0], 0.).pointing(lifted[0] * 200.).round(left),
        foot(0., lifted[1], 0.).pointing(lifted[1] * 200.).round(right),
    )
    .heading(heading)
    .both(arm([0.3, -1., 0.05], [0.12, -0.9, 0.35], IN))
    .head(0., 12., 0.)
}
pub(super) const TURN: &[(Motion, f32)] = &[
    (
        &[
            (0.08, step(12., 28., 0., [0.08, 0.])),
            (0.17, step(42., 60., 0., [0., 0.])),
            (0.28, step(70., 60., 50., [0., 0.08])),
            (0.38, step(100., 60., 105., [0., 0.])),
            (0.49, step(145., 135., 105., [0.08, 0.])),
            (APEX, step(180., 200., 165., [0., 0.])),
            (0.68, step(225., 200., 235., [0., 0.08])),
            (0.76, step(265., 245., 285., [0., 0.])),
            (0.84, step(310., 310., 285., [0.08, 0.])),
            (0.92, step(345., 360., 320., [0., 0.08])),
            (1., step(360., 360., 360., [0., 0.])),
        ],
        1.,
    ),
    (
        &[
            (0.1, step(20., 40., 0., [0.08, 0.])),
            (0.22, step(60., 80., 0., [0., 0.])),
            (0.34, step(100., 80., 70., [0., 0.08])),
            (0.46, step(145., 150., 140., [0.05, 0.])),
            (0.55, step(172., 180., 165., [0., 0.])),
            (0.65, step(172., 180., 165., [0., 0.])),
            (0.74, step(140., 150., 110., [0., 0.08])),
            (0.83, step(80., 110., 50., [0., 0.])),
            (0.91, step(35., 50., 10., [0.08, 0.])),
            (1., step(0., 0., 0., [0., 0.])),
        ],
        0.6,
    ),
];

// Both arms up, by the sides or by the front.
const ARMS_HIGH: Stance = REST.both(arm([0.3, 1., 0.05], [0.12, 1., 0.02], IN)).head(-6., 0., 0.);
const ARMS_V: Stance = REST.both(arm([0.75, 0.8, 0.05], [0.65, 0.9, 0.05], FRONT)).head(-6., 0., 0.);
const ARMS_FRONT: Stance = REST.both(arm([0.12, 0.05, 1.], [0.05, 0.1, 1.], IN));
pub(super) const ARMS_UP: &[(Motion, f32)] = &[
    (&[(0.5, ARMS_HIGH), (0.68, ARMS_HIGH)], 1.),
    (&[(0.5, ARMS_V), (0.68, ARMS_V)], 1.),
    (&[(0.28, ARMS_FRONT), (0.52, ARMS_HIGH), (0.66, ARMS_HIGH), (0.82, ARMS_FRONT)], 0.8),
];

// Come ahead: both forearms beckon, palms to the face.
const BECKON_AWAY: Stance = REST.both(arm([0.55, -0.35, 0.7], [0.25, 0.5, 1.], UP));
const BECKON_NEAR: Stance = REST.both(arm([0.55, -0.3, 0.65], [0.12, 1., -0.1], BACK));
pub(super) const COME_AHEAD: &[(Motion, f32)] = &[
    (&[(0.2, BECKON_AWAY), (0.33, BECKON_NEAR), (0.46, BECKON_AWAY), (APEX, BECKON_NEAR), (0.74, BECKON_AWAY)], 1.),
    (&[(0.26, BECKON_AWAY), (0.44, BECKON_NEAR), (APEX, BECKON_AWAY), (0.76, BECKON_NEAR)], 0.8),
];

// Slow down: both arms press downwards, palms to the ground.
const PRESS_HIGH: Stance = REST.both(arm([0.85, -0.12, 0.35], [0.75, 0.12, 0.55], DOWN));
const PRESS_LOW: Stance = REST.both(arm([0.6, -0.8, 0.25], [0.7, -0.55, 0.6], DOWN));
pub(super) const SLOW_DOWN: &[(Motion, f32)] = &[
    (&[(0.2, PRESS_HIGH), (0.34, PRESS_LOW), (0.47, PRESS_HIGH), (APEX, PRESS_LOW), (0.74, PRESS_HIGH)], 1.),
    (&[(0.24, PRESS_HIGH), (0.42, PRESS_LOW), (APEX, PRESS_HIGH), (0.76, PRESS_LOW)], 0.8),
];

// Stop: the arms cross above the head.
const CROSSED_ABOVE: Stance =
    REST.right(arm([0.4, 0.9, 0.4], [-0.9, 0.62, 0.14], FRONT)).left(arm([0.4, 0.9, 0.28], [-0.9, 0.62, -0.04], FRONT));
const CROSSED_FISTS: Stance = REST.right(fist([0.42, 0.88, 0.45], [-0.95, 0.5, 0.2], FRONT)).left(fist(
    [0.42, 0.88, 0.28],
    [-0.95, 0.5, 0.],
    FRONT,
));
const ABOVE_THE_SIDES: Stance = REST.both(arm([0.95, 0.25, 0.15], [0.7, 0.9, 0.1], FRONT));
pub(super) const STOP: &[(Motion, f32)] = &[
    (&[(0.32, ABOVE_THE_SIDES), (0.54, CROSSED_ABOVE), (0.68, CROSSED_ABOVE), (0.84, ABOVE_THE_SIDES)], 1.),
    (&[(0.32, ABOVE_THE_SIDES), (0.52, CROSSED_FISTS), (0.68, CROSSED_FISTS), (0.84, ABOVE_THE_SIDES)], 1.),
];

// Spread wings: from the chest the arms open to the sides. Fold wings: from the sides they close before the chest.
const CHEST: Stance = REST.both(arm([0.6, -0.5, 0.5], [-0.85, 0.2, 0.6], DOWN));
const WINGS: Stance = REST.both(arm([1., 0.03, 0.12], [1., 0.06, 0.12], FRONT));
const HALF_WINGS: Stance = REST.both(arm([0.75, -0.65, 0.2], [0.85, -0.5, 0.3], FRONT));
const FOLDED: Stance = REST.right(arm([0.42, -0.55, 0.72], [-0.9, 0.42, 0.4], BACK)).left(arm(
    [0.48, -0.6, 0.6],
    [-0.92, 0.34, 0.24],
    BACK,
));
pub(super) const SPREAD_WINGS: &[(Motion, f32)] = &[
    (&[(0.26, CHEST), (0.56, WINGS), (0.7, WINGS)], 1.),
    (&[(0.22, CHEST), (0.4, WINGS), (0.5, HALF_WINGS), (0.62, WINGS), (0.72, WINGS)], 0.6),
];
pub(super) const FOLD_WINGS: &[(Motion, f32)] = &[
    (&[(0.28, WINGS), (0.56, FOLDED), (0.7, FOLDED)], 1.),
    (&[(0.24, WINGS), (0.34, WINGS), (0.56, FOLDED), (0.66, FOLDED), (0.84, HALF_WINGS)], 0.7),
];

// Move to the right: the right arm points there, the left one beckons. Moving to the left is its mirror.
const POINTS: Stance = REST.right(arm([1., 0.08, 0.18], [1., 0.08, 0.18], DOWN)).head(0., -24., 0.);
const POINTS_AWAY: Stance = POINTS.left(arm([0.75, -0.1, 0.5], [0.7, 0.75, 0.35], UP));
const POINTS_NEAR: Stance = POINTS.left(arm([0.75, -0.05, 0.5], [-0.45, 1., 0.25], IN));
pub(super) const MOVE_RIGHT: &[(Motion, f32)] = &[
    (&[(0.22, POINTS_AWAY), (0.35, POINTS_NEAR), (0.48, POINTS_AWAY), (APEX, POINTS_NEAR), (0.75, POINTS_AWAY)], 1.),
    (&[(0.26, POINTS_AWAY), (0.44, POINTS_NEAR), (APEX, POINTS_AWAY), (0.76, POINTS_NEAR)], 0.7),
];

// Cut the engine: a hand goes to and fro before the throat.
const CUT_OUT: Stance = REST.right(arm([0.85, -0.05, 0.4], [-0.15, 0.25, 1.], DOWN));
const CUT_IN: Stance = REST.right(arm([0.6, -0.12, 0.75], [-0.98, 0.22, 0.1], DOWN)).head(0., 6., 0.);
pub(super) const CUT_ENGINE: &[(Motion, f32)] = &[
    (&[(0.22, CUT_IN), (0.35, CUT_OUT), (0.48, CUT_IN), (APEX, CUT_OUT), (0.74, CUT_IN)], 1.),
    (&[(0.24, CUT_OUT), (0.42, CUT_IN), (APEX, CUT_OUT), (0.76, CUT_IN)], 0.8),
];
