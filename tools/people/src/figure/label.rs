//! The labels: ten actions of the whole body, and eight signals of the arms.

use serde::Serialize;

use super::motions::{self, Motion};

/// What a clip shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are what they say")]
pub enum Act {
    Wave,
    Clap,
    Throw,
    Box,
    Squat,
    Kick,
    Jump,
    Bow,
    Turn,
    ArmsUp,
    ComeAhead,
    SlowDown,
    Stop,
    SpreadWings,
    FoldWings,
    MoveLeft,
    MoveRight,
    CutEngine,
}

impl Act {
    /// All of them, actions before signals: the order of the rows of a sheet.
    pub const ALL: [Self; 18] = [
        Self::Wave,
        Self::Clap,
        Self::Throw,
        Self::Box,
        Self::Squat,
        Self::Kick,
        Self::Jump,
        Self::Bow,
        Self::Turn,
        Self::ArmsUp,
        Self::ComeAhead,
        Self::SlowDown,
        Self::Stop,
        Self::SpreadWings,
        Self::FoldWings,
        Self::MoveLeft,
        Self::MoveRight,
        Self::CutEngine,
    ];

    /// How many of them are actions.
    pub const ACTIONS: usize = 10;

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wave => "wave",
            Self::Clap => "clap",
            Self::Throw => "throw",
            Self::Box => "box",
            Self::Squat => "squat",
            Self::Kick => "kick",
            Self::Jump => "jump",
            Self::Bow => "bow",
            Self::Turn => "turn",
            Self::ArmsUp => "arms-up",
            Self::ComeAhead => "come-ahead",
            Self::SlowDown => "slow-down",
            Self::Stop => "stop",
            Self::SpreadWings => "spread-wings",
            Self::FoldWings => "fold-wings",
            Self::MoveLeft => "move-left",
            Self::MoveRight => "move-right",
            Self::CutEngine => "cut-engine",
        }
    }

    /// The ways to do it, with how usual each is.
    pub(super) fn motions(self) -> &'static [(Motion, f32)] {
        match self {
            Self::Wave => motions::WAVE,
            Self::Clap => motions::CLAP,
            Self::Throw => motions::THROW,
            Self::Box => motions::BOX,
            Self::Squat => motions::SQUAT,
            Self::Kick => motions::KICK,
            Self::Jump => motions::JUMP,
            Self::Bow => motions::BOW,
            Self::Turn => motions::TURN,
            Self::ArmsUp => motions::ARMS_UP,
            Self::ComeAhead => motions::COME_AHEAD,
            Self::SlowDown => motions::SLOW_DOWN,
            Self::Stop => motions::STOP,
            Self::SpreadWings => motions::SPREAD_WINGS,
            Self::FoldWings => motions::FOLD_WINGS,
            Self::MoveLeft | Self::MoveRight => motions::MOVE_RIGHT,
            Self::CutEngine => motions::CUT_ENGINE,
        }
    }

    /// On which side it must be done: whether the table is mirrored; none where both sides mean the same.
    pub(super) fn is_mirrored(self) -> Option<bool> {
        match self {
            Self::MoveLeft => Some(true),
            Self::MoveRight => Some(false),
            _ => None,
        }
    }
}
