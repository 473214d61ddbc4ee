//! A lab on the pages of the course's web site: what each step shows, as HTML, and what a page needs to judge
//! answers. The page's program and the writer of the site both use it, so that there is one judge.

pub mod course;
pub mod html;
pub mod pack;

pub use course::Course;
