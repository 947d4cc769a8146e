//! The screens: one a file, each a pure state machine over [`World`](crate::ops::world::World).

pub mod ask;
pub mod browser;
pub mod bucket_picker;
pub mod buckets;
pub mod check;
mod detail;
pub mod details;
pub mod failure_view;
pub mod keystore_setup;
mod list_detail;
pub mod log;
pub mod objects;
pub mod pick_list;
pub mod plan;
pub mod region_picker;
pub mod secret_form;
pub mod secret_picker;
pub mod secrets;
pub mod stack_form;
pub mod stacks;
pub mod store_form;
pub mod stores;
pub mod transfers;
pub mod unlock;
pub mod viewer;
