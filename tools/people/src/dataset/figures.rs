//! The photographer of figures.

use serde_json::{Map, Value, json};

use super::{Clip, Frame, Options, Photographer, Sitting};
use crate::{
    expression::Strengths,
    figure::{self, Act, Figure, Framing, Stance},
    person::Studio,
    sitting::Film,
};

/// What a set of figures shows, and how much of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Set {
    /// Ten actions of the whole body.
    Actions,
    /// Eight signals of the arms, from the hips up.
    Signals,
    /// All eighteen, in even takes of the whole body and in odd ones from the hips up.
    All,
}

/// Photographs figures.
pub struct Figures {
    /// What heads and hair are made from.
    pub studio: Studio,
    /// What bodies are made from.
    pub figure: Figure,
    /// What they show.
    pub set: Set,
}

impl Set {
    /// What it shows, in the order of the rows of a sheet.
    pub fn acts(self) -> &'static [Act] {
        match self {
            Self::Actions => &Act::ALL[..Act::ACTIONS],
            Self::Signals => &Act::ALL[Act::ACTIONS..],
            Self::All => &Act::ALL,
        }
    }

    /// How much of a figure is seen in a take.
    pub fn framing(self, take: u32) -> Framing {
        match self {
            Self::Actions => Framing::Whole,
            Self::All if take.is_multiple_of(2) => Framing::Whole,
            Self::Signals | Self::All => Framing::HipsUp,
        }
    }
}

impl Photographer for Figures {
    type Pose = Stance;

    fn labels(&self) -> Vec<&'static str> {
        self.set.acts().iter().map(|act| act.name()).collect()
    }

    fn clip(&self, (id, take): (u64, u32), row: usize, options: &Options, _: Option<&Strengths>) -> Clip<Stance> {
        let figure::Clip { label, apex, poses } = figure::clip(id, take, self.set.acts()[row], options.frames);
        Clip { label: label.name(), strengths: [(label.name(), 1.)].into(), apex, poses }
    }

    fn sit<'a>(&'a self, id: u64, take: u32, options: &Options) -> Box<dyn Sitting<Stance> + 'a> {
        let film = Film { size: options.size, samples: options.samples };
        let framing = self.set.framing(take);
        Box::new(Standing {
            sitting: figure::Sitting::new(&self.studio, &self.figure, id, take, framing, film),
            framing,
            with_flow: options.flow_size.is_some(),
        })
    }

    fn assets(&self) -> String {
        let set = format!("{:?}", self.set).to_lowercase();
        format!("figures ({set}), {}", Photographer::assets(&self.studio))
    }
}

struct Standing<'a> {
    sitting: figure::Sitting<'a>,
    framing: Framing,
    with_flow: bool,
}

impl Sitting<Stance> for Standing<'_> {
    fn attributes(&self) -> Value {
        let words = self.sitting.person().words.iter();
        let mut attributes: Map<String, Value> = words.map(|(&name, word)| (name.to_owned(), json!(word))).collect();
        let [look, place] = self.sitting.look();
        attributes.insert("look".into(), json!(look));
        attributes.insert("place".into(), json!(place));
        attributes.insert("framing".into(), json!(if self.framing == Framing::Whole { "whole" } else { "hips up" }));
        Value::Object(attributes)
    }

    fn frame(&mut self, pose: &Stance, frame: u64) -> Frame {
        let shot = self.sitting.shoot(pose, frame, self.with_flow);
        Frame { rgb: shot.rgb, regions: shot.regions, flow: shot.flow }
    }

    fn reference(&mut self, pose: &Stance, appearance: u32) -> Vec<u8> {
        self.sitting.disguise(pose, appearance)
    }
}
