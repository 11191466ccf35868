//! The photographer of real sets: people made from assets.

use serde_json::{Map, Value, json};

use super::{Frame, Options, Photographer, Sitting};
use crate::{
    expression::Pose,
    person::Studio,
    sitting::{self, Film},
};

impl Photographer for Studio {
    fn sit<'a>(&'a self, id: u64, take: u32, options: &Options) -> Box<dyn Sitting + 'a> {
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

impl Sitting for Seated<'_> {
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
