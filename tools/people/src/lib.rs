//! Renders clips of facial expressions of people who do not exist, with what is known of them: exact flow, regions,
//! the coefficients of the face and the pose of the head.

pub mod assets;
pub mod backdrop;
pub mod camera;
pub mod dataset;
pub mod expression;
pub mod figure;
pub mod hair;
pub mod head;
pub mod look;
pub mod mesh;
pub mod noise;
pub mod person;
pub mod picture;
pub mod props;
pub mod random;
pub mod render;
pub mod sitting;
pub mod texture;
