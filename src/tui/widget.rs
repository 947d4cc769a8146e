//! What screens are drawn with.
//!
//! Widgets that hold state are structs that a screen keeps; they draw
//! themselves by `view(&self, frame, area, theme, ..)` and learn the height of
//! the area in a [`scroll::Scroll`], the one place with a cell.

pub mod confirm;
pub mod filter_input;
pub mod footer;
pub mod form;
pub mod gauge;
pub mod lines;
pub mod list;
pub mod palette;
pub mod scroll;
pub mod spinner;
pub mod split;
pub mod table;
pub mod tabs;
pub mod text;
pub mod text_input;
pub mod text_view;
pub mod toast;
