//! The photographer of real sets: people made from assets.

use serde_json::{Map, Value, json};

use super::{Clip, Frame, Options, Photographer, Sitting};
use crate::{
    expression::{self, Label, Pose, Strengths},
    person::Studio,
    sitting::{self, Film},
};

impl Photographer for Studio {
    type Pose = Pose;

    fn labels(&self) -> Vec<&'static str> {
        Label::ALL.map(Label::name).into()
    }

    fn clip(&self, (id, take): (u64, u32), row: usize, options: &Options, strengths: Option<&Strengths>) -> Clip<Pose> {
        let Options { frames, motion, .. } = *options;
        let options = expression::Options { frames, motion, strengths: strengths.cloned() };
        let expression::Clip { label, strengths, apex, poses } = expression::clip(id, take, Label::ALL[row], &options);
        let strengths = strengths.into_iter().map(|(label, strength)| (label.name(), strength)).collect();
        Clip { label: label.name(), strengths, apex, poses }
    }

    fn sit<'a>(&'a self, id: u64, take: u32, options: &Options) -> Box<dyn Sitting<Pose> + 'a> {
        let film = Film { size: options.size, samples: options.samples };
        Box::new(Seated {
            sitting: sitting::Sitting::new(self, id, take, film),
            with_flow: options.flow_size.is_some(),
        })
    }

    fn assets(&self) -> String {
        let head = &self.assets.head;
        let pack = self.assets.pack.as_ref().map_or_else(
            || "no pack".to_owned(),
            |pack| format!("a pack with {} kinds of hair and {} of clothes", pack.hair.len(), pack.clothes.len()),
        );
        format!("heads of {} shapes and {} features, {pack}", head.macros.len(), head.features.len())
    }
}

struct Seated<'a> {
    sitting: sitting::Sitting<'a>,
    with_flow: bool,
}

impl Sitting<Pose> for Seated<'_> {
    fn attributes(&self) -> Value {
        let person = self.sitting.person();
        let mut attributes: Map<String, Value> =
            person.words.iter().map(|(&name, word)| (name.to_owned(), json!(word))).collect();
        attributes.insert("look".into(), json!(self.sitting.look()));
        Value::Object(attributes)
    }

    fn frame(&mut self, pose: &Pose, frame: u64) -> Frame {
        let shot = self.sitting.shoot(pose, frame, self.with_flow);
        Frame { rgb: shot.rgb, regions: shot.regions, flow: shot.flow }
    }

    fn reference(&mut self, pose: &Pose, appearance: u32) -> Vec<u8> {
        self.sitting.disguise(pose, appearance)
    }
}
